"""Hosts that train one run, for a test: processes forked off one that has imported everything.

As a program it reads requests from standard input, a line of JSON each, and answers each with a
line once all processes have ended; see `Starter.start`.
"""

import contextlib
import errno
import json
import os
import pathlib
import runpy
import signal
import socket
import subprocess
import sys
import time
import traceback
from typing import NamedTuple

_LIMIT_S = 400


class Ended(NamedTuple):
  """How a host has ended.

  Attributes:
    code: its exit code, -N after signal N.
    output: what it printed.
    later_s: how long after the first of the hosts it ended, seconds.
  """

  code: int
  output: str
  later_s: float


class Starter:
  """The process that hosts are forked off."""

  def __init__(self, root: pathlib.Path):
    self._process = subprocess.Popen(
      [sys.executable, __file__], cwd=root, env={**os.environ, 'PYTHONPATH': str(root)},
      text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip

  def close(self) -> None:
    """Ends it."""
    self._process.communicate()

  def start(
    self,
    folder: pathlib.Path,
    arguments: list[str],
    hosts: int,
    devices: int,
    own: dict[int, list[str]] | None = None,
    faults: dict[int, dict[str, int]] | None = None,
  ) -> list[Ended]:
    """Runs `grfjax.train` on hosts until all have ended.

    Args:
      folder: for their outputs.
      arguments: of the command.
      hosts: how many; one alone is started without --multihost.
      devices: of each host.
      own: further arguments of single hosts.
      faults: of single hosts, see `_break`.
    """
    with socket.socket() as free:
      free.bind(('127.0.0.1', 0))
      port = free.getsockname()[1]
    several = ['--multihost', f'--coordinator=127.0.0.1:{port}', f'--processes={hosts}']
    requests = []
    for host in range(hosts):
      joined = [*several, f'--process={host}'] if hosts > 1 else []
      requests.append(
        {
          'arguments': [*arguments, *joined, *(own or {}).get(host, [])],
          'devices': devices,
          'faults': (faults or {}).get(host, {}),
          'output': str(folder / f'host_{host}.txt'),
        }
      )
    self._process.stdin.write(json.dumps(requests) + '\n')
    self._process.stdin.flush()
    answer = json.loads(self._process.stdout.readline())
    first = min(at for _, at in answer)
    return [
      Ended(code, pathlib.Path(request['output']).read_text(), at - first)
      for request, (code, at) in zip(requests, answer, strict=True)
    ]


def _fork(arguments: list[str], devices: int, faults: dict[str, int], output: str) -> int:
  child = os.fork()
  if child:
    return child
  descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
  for standard in (1, 2):
    os.dup2(descriptor, standard)
  os.environ['XLA_FLAGS'] = f'--xla_force_host_platform_device_count={devices}'
  sys.argv = ['grfjax.train', *arguments]
  code = 0
  try:
    _break(**faults)
    runpy.run_module('grfjax.train', run_name='__main__', alter_sys=True)
  except SystemExit as end:
    if isinstance(end.code, str):
      print(end.code, file=sys.stderr)
    code = end.code if isinstance(end.code, int) else int(end.code is not None)
  except BaseException:
    traceback.print_exc()
    code = 1
  sys.stdout.flush()
  sys.stderr.flush()
  os._exit(code)


def _break(kill: int = 0, term: int = 0, full: int = 0) -> None:
  """Has this host fail.

  Args:
    kill: the step in which it is killed.
    term: the step in which it is told to stop.
    full: the step whose checkpoint it has no space for.
  """
  from grfjax.training import checkpointing, finite_check

  real = finite_check.FiniteCheck.add

  def add(check, step, *arguments):  # by the loop, once a step; batches are taken ahead of it
    for number, at in ((signal.SIGKILL, kill), (signal.SIGTERM, term)):
      if at == step:
        os.kill(os.getpid(), number)
    if term and step >= term:
      time.sleep(0.3)  # as a step takes: the hosts agree on where to stop by messages
    real(check, step, *arguments)

  def refuse_full_disk(path, state):
    if path.name == str(full):
      raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))

  finite_check.FiniteCheck.add = add
  checkpointing._refuse_full_disk = refuse_full_disk


def _main() -> None:
  # Imported once for all hosts; what starts threads is not among it.
  import grain  # noqa: F401
  import optax  # noqa: F401
  import small_network
  import tensorboardX  # noqa: F401
  import tensorflow_datasets  # noqa: F401
  from orbax.checkpoint import v1  # noqa: F401

  from grfjax.evaluation import cross_fitting  # noqa: F401
  from grfjax.models import networks

  networks.MODELS['small'] = small_network.SmallNetwork

  for line in sys.stdin:
    children = [_fork(**request) for request in json.loads(line)]
    ended: dict[int, tuple[int, float]] = {}
    deadline = time.monotonic() + _LIMIT_S
    while len(ended) < len(children):
      for child in children:
        if child not in ended:
          found, status = os.waitpid(child, os.WNOHANG)
          if found:
            ended[child] = os.waitstatus_to_exitcode(status), time.monotonic()
          elif time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
              os.kill(child, signal.SIGKILL)
      time.sleep(0.02)
    print(json.dumps([ended[child] for child in children]), flush=True)


if __name__ == '__main__':
  _main()
