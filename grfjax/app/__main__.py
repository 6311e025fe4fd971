"""Serves the application for a clinic: films come in by a browser, and stay in the house.

python -m grfjax.app
python -m grfjax.app --lan --https

It can be opened on this computer alone; with --lan, from tablets and phones in the same network.
"""

from __future__ import annotations

import os
import pathlib
import sys

import uvicorn
from absl import app, flags

from grfjax import errors
from grfjax.app import certificate, connections, network, server, settings, store, worker_process
from grfjax.io import folder_lock, run_folder, signals

_SHUTDOWN_S = 2  # for answers that are under way


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  flags.DEFINE_string(
    'folder', '~/grfjax-walks', 'Folder for everything that is stored: films, results, the list.'
  )
  flags.DEFINE_string('workdir', 'everyone', "A run's folder, or the name of a bundled network.")
  flags.DEFINE_integer('port', 8321, 'Port to listen at.', 0, 65535)
  flags.DEFINE_bool('lan', False, 'Let in tablets and phones of the same network.')
  flags.DEFINE_string(
    'address', None, "This computer's address in that network, where it is not found by itself."
  )
  flags.DEFINE_bool('https', False, 'Encrypt, with a certificate that is made by itself.')


def main(argv: list[str]) -> None:
  """Serves until it is stopped."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  if flags.FLAGS.address is not None and not flags.FLAGS.lan:
    raise app.UsageError('--address goes with --lan alone')
  os.umask(0o077)  # other users of this computer see nothing of it
  try:
    _serve(pathlib.Path(flags.FLAGS.folder).expanduser().absolute())
  except (ValueError, OSError) as error:
    sys.exit(f'grfjax.app: {errors.describe(error)}')


def _serve(folder: pathlib.Path) -> None:
  secure, workdir = flags.FLAGS.https, flags.FLAGS.workdir
  run_folder.require(run_folder.RunFolder.find(workdir).config)
  folder.mkdir(mode=0o700, parents=True, exist_ok=True)
  with folder_lock.lock_folder(folder):
    places = store.Store(folder)
    places.remove_leftovers()
    addresses = [network.LOCAL]
    if flags.FLAGS.lan:
      addresses.append(network.lan_address(flags.FLAGS.address))
    sockets = network.listen(addresses, flags.FLAGS.port)
    port = sockets[0].getsockname()[1]
    hosts = network.host_names(addresses, port, secure=secure)
    options = settings.Settings(folder, hosts, secure)
    files = certificate.ensure_certificate(folder / 'tls', addresses) if secure else None
    connection = connections.connection_class(connections.allow_open_files())
    config = uvicorn.Config(
      server.make_application(options, places),
      http=connection, ws='none', lifespan='off', log_level='warning',
      access_log=False,  # it would hold the token
      proxy_headers=False, server_header=False, timeout_graceful_shutdown=_SHUTDOWN_S,
      ssl_certfile=files and files[0], ssl_keyfile=files and files[1],
    )  # fmt: skip
    with worker_process.kept_running(worker_process.worker_command(str(folder), workdir)):
      _announce(options, addresses[-1], port, files and files[0])
      uvicorn.Server(config).run(sockets=sockets)


def _announce(
  options: settings.Settings, address: str, port: int, certificate_file: pathlib.Path | None
) -> None:
  """Prints where the application can be opened."""
  kind = 'https' if certificate_file else 'http'
  print(f'Films and results stay in {options.folder}. Ctrl-C ends the program.')
  if address == network.LOCAL:
    print('Open in a browser of this computer (others: --lan):')
  else:
    print('Scan with a tablet in the same network, or open in its browser:')
  where = f'{kind}://{address}:{port}/open/{options.token}'
  print(f'\n  {where}\n', flush=True)
  if address != network.LOCAL:  # which leads a phone to itself
    network.show_code(where)
  if certificate_file:
    print(
      'The browser warns of the certificate once, as this program has made it. Its SHA-256:\n'
      f'  {certificate.fingerprint(certificate_file)}',
      flush=True,
    )
  elif address != network.LOCAL:
    print('Not encrypted: who is in the same network could read along. --https encrypts.')


if __name__ == '__main__':
  define_flags()
  signals.run(main, 'grfjax.app')
