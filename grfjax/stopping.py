"""Leaving on SIGTERM and Ctrl-C: nothing half-written, no traceback, exit code 143 or 130.

A signal raises `Stopped` where the process is, so that `finally` blocks clean up; within `deferred`
it waits to be asked for. Who has not left after `GRACE_S` s (a compiler cannot be interrupted),
or is told a second time, leaves at once, as if killed: the files are made for that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from absl import app

GRACE_S = 8.0
EXIT_CODES = {
  signal.SIGINT: 130,
  signal.SIGTERM: 143,
}  # 128 + the signal's number, as shells say it

_deferring = False
_asked: signal.Signals | None = None  # the signal that came; stays, should others swallow `Stopped`


class Stopped(BaseException):
  """SIGTERM or Ctrl-C; no Exception, so that nobody goes on after it as after an error.

  Attributes:
    signal: which.
    left: what to tell of the state that it leaves behind.
  """

  def __init__(self, number: signal.Signals, left: str = ''):
    self.signal, self.left = number, left
    super().__init__(f'stopped by {name(number)}{"; " if left else ""}{left}')


def name(number: signal.Signals) -> str:
  """Of the signal, as people know it."""
  return 'Ctrl-C' if number == signal.SIGINT else number.name


@contextlib.contextmanager
def deferred() -> Iterator[Callable[[], signal.Signals | None]]:
  """Within it a signal raises nothing: the block asks, with what it is given, and ends by itself.

  A signal that the block has not asked for raises `Stopped` at its end.
  """
  global _deferring
  _deferring = True
  try:
    yield lambda: _asked
  finally:
    _deferring = False
  if _asked is not None:
    raise Stopped(_asked)


def _stop(number: int, frame: Any) -> None:
  global _asked
  _asked = signal.Signals(number)
  if not _deferring:
    raise Stopped(_asked)


def run(main: Callable[[list[str]], Any], command: str, *, grace_s: float = GRACE_S) -> None:
  """`app.run(main)` that leaves on signals as this module says.

  Args:
    main: of the command.
    command: its name, for the message.
    grace_s: how long it may take to leave.
  """
  read, write = socket.socketpair()
  write.setblocking(False)
  # Written to by the interpreter's C code, also while the main thread is busy elsewhere.
  signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
  threading.Thread(target=_watch, args=(read, command, grace_s), daemon=True).start()
  for number in EXIT_CODES:
    signal.signal(number, _stop)
  try:
    app.run(main)
  except Stopped as stopped:
    # Not sys.exit, which waits for other threads; what was open has been closed on the way here.
    print(f'{command}: {stopped}', file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_CODES[stopped.signal])


def _watch(read: socket.socket, command: str, grace_s: float) -> None:
  """Waits for a signal, then for a second one; ends the process after that or in good time."""
  first = read.recv(1)[0]
  while first not in EXIT_CODES:
    first = read.recv(1)[0]
  read.settimeout(grace_s)
  why = 'told twice'
  try:
    while read.recv(1)[0] not in EXIT_CODES:
      pass
  except TimeoutError:
    why = f'still busy after {grace_s:.0f} s'
  number = signal.Signals(first)
  text = f'\n{command}: stopped by {name(number)} ({why}); what was finished before is kept\n'
  os.write(2, text.encode())
  os._exit(EXIT_CODES[number])
