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
import time
from collections.abc import Callable, Iterator
from typing import Any

from absl import app

GRACE_S = 8.0

# What Python calls by itself: it prints what is raised there, and goes on. The first one is JAX's.
_SWALLOWING = ('_xla_gc_callback', '__del__')

# 128 + the signal's number, as shells say it.
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


_deferring = False

_asked: signal.Signals | None = None  # the signal that came; stays, should others swallow `Stopped`


class Stopped(KeyboardInterrupt):
  """SIGTERM or Ctrl-C; asyncio, which Orbax runs, swallows whatever is not a KeyboardInterrupt.

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
  _raise(frame)


def _stop_again(number: int, frame: Any) -> None:
  if _asked is not None:
    _raise(frame)


def _raise(frame: Any) -> None:
  """Raises `Stopped`, unless that is waited for, or under way, or of no use in this frame.

  Then, and in case that somebody swallows it (C code that calls back), it is tried again soon.
  """
  if _deferring:
    return
  signal.setitimer(signal.ITIMER_REAL, 0.1)
  error = sys.exception()
  while error is not None:
    if isinstance(error, Stopped):
      return
    error = error.__context__
  while frame is not None:
    if frame.f_code.co_name in _SWALLOWING:
      return
    frame = frame.f_back
  assert _asked is not None
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
  signal.signal(signal.SIGALRM, _stop_again)
  sys.unraisablehook = lambda told: (
    None if told.exc_type is Stopped else sys.__unraisablehook__(told)
  )
  try:
    app.run(main)
  except BaseException as error:
    if isinstance(error, Stopped):  # perhaps of a signal that another host was given
      stopped = error
    elif _asked is not None:
      stopped = Stopped(_asked)
    else:
      raise
    signal.setitimer(signal.ITIMER_REAL, 0)
    # Not sys.exit, which waits for other threads; what was open has been closed on the way here.
    print(f'{command}: {stopped}', file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_CODES[stopped.signal])


def _watch(read: socket.socket, command: str, grace_s: float) -> None:
  """Waits for a signal, then for a second one; ends the process after that or in good time."""
  while (first := read.recv(1)[0]) not in EXIT_CODES:
    pass
  until, why = time.monotonic() + grace_s, f'still busy after {grace_s:.0f} s'
  while (left := until - time.monotonic()) > 0:
    read.settimeout(left)
    with contextlib.suppress(TimeoutError):
      if read.recv(1)[0] in EXIT_CODES:
        why = 'told twice'
        break
  number = signal.Signals(first)
  text = f'\n{command}: stopped by {name(number)} ({why}); what was finished before is kept\n'
  os.write(2, text.encode())
  os._exit(EXIT_CODES[number])
