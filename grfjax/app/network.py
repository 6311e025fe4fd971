"""The addresses that the application listens at, and how a tablet learns them."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Sequence

import segno

from grfjax import errors

LOCAL = '127.0.0.1'

# Set aside for documentation (RFC 5737): asking which way it lies sends nothing.
_ELSEWHERE = ('192.0.2.1', 9)


def lan_address(given: str | None) -> str:
  """Returns this computer's address in the local network.

  Args:
    given: an address of this computer; None: the one by which it would reach others.

  Raises:
    errors.InputError: it has none, or the one given is no address, or is a public one.
  """
  if given is None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
      try:
        probe.connect(_ELSEWHERE)
        given = probe.getsockname()[0]
      except OSError as error:
        raise errors.InputError(
          'this computer is in no network; join one, or give its address by --address',
          code='app.no_network',
        ) from error
  try:
    address = ipaddress.ip_address(given)
  except ValueError as error:
    raise errors.InputError(
      f'--address is {given!r}, expected an address such as 192.168.1.20', code='app.address'
    ) from error
  if address.is_loopback:
    raise errors.InputError(
      f'{address} can be reached from this computer alone, at which --lan lets nobody else in; '
      'leave --lan away, or give an address such as 192.168.1.20',
      code='app.address',
    )
  if address.version != 4 or not address.is_private or address.is_unspecified:
    raise errors.InputError(
      f'{address} is no address of a local network, expected one such as 192.168.1.20',
      code='app.address',
    )
  return str(address)


def listen(addresses: Sequence[str], port: int) -> list[socket.socket]:
  """Returns a socket that listens at a port of each address.

  Args:
    addresses: of this computer.
    port: 0: the first one that is free, the same at all addresses.

  Raises:
    errors.InputError: an address or the port cannot be had.
  """
  sockets: list[socket.socket] = []
  for address in addresses:
    try:
      sockets.append(socket.create_server((address, port)))
    except OSError as error:
      for opened in sockets:
        opened.close()
      raise errors.InputError(
        f'cannot listen at {address}:{port} ({error.strerror}); another program, or another '
        'grfjax app, may do so: end it, or choose another port by --port',
        code='app.port',
      ) from error
    port = sockets[-1].getsockname()[1]
  return sockets


def host_names(addresses: Sequence[str], port: int, *, secure: bool) -> frozenset[str]:
  """Returns what the Host header of a request may be: 'localhost' is this computer too."""
  names = {*addresses, 'localhost'}
  with_port = {f'{name}:{port}' for name in names}
  return frozenset(with_port | (names if port == (443 if secure else 80) else set()))


def show_code(address: str) -> None:
  """Prints an address as a QR code where the terminal can show one."""
  encoding = sys.stdout.encoding or 'ascii'
  try:
    '\N{UPPER HALF BLOCK}\N{LOWER HALF BLOCK}\N{FULL BLOCK}'.encode(encoding)
  except UnicodeEncodeError:
    return
  segno.make(address, micro=False).terminal(compact=True, border=2)
