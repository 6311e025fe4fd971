"""Stops a command on SIGTERM and Ctrl-C: nothing half-written, no traceback, exit code 143 or 130.

A signal raises `StopRequested` wherever the main thread is, so that `finally` blocks clean up;
inside `defer_stop` the block itself asks whether a stop was requested. A process that has not ended
after `GRACE_S` seconds (a compiler cannot be interrupted), or that is signalled again, ends at once
as if it were killed, which files survive because each is written whole or not at all. SIGTERM twice
within a second is one request.
"""

from __future__ import annotations

import _thread
import concurrent.futures
import contextlib
import gc
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

# 128 + the signal's number, as shells report it.
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
if sys.platform == 'win32':
  EXIT_CODES[signal.SIGBREAK] = 143  # how one process asks another to end there
# A scheduler signals every process of a job, and one of them passes it on to another: one request.
_PASSED_ON_S = 1.0
_RETRY_S = 0.1
_RETRY = getattr(
  signal, 'SIGALRM', signal.SIGABRT
)  # Windows has no alarm, and little to choose from

# Functions that Python itself calls: it prints what is raised in them, and goes on. The first one
# is JAX's.
_SWALLOWING = ('_xla_gc_callback', '__del__')
_deferred = False
_left_behind: list[concurrent.futures.Future[Any]] = []
_received: signal.Signals | None = None  # kept, in case other code swallows `StopRequested`


class StopRequested(KeyboardInterrupt):
  """SIGTERM or Ctrl-C; asyncio, which Orbax runs, swallows whatever is not a KeyboardInterrupt.

  Attributes:
    signal: the signal.
    outcome: what the user is told of the state that the command leaves behind, or ''.
  """

  def __init__(self, number: signal.Signals, outcome: str = ''):
    self.signal, self.outcome = number, outcome
    super().__init__(f'stopped by {signal_name(number)}{"; " if outcome else ""}{outcome}')


def signal_name(number: signal.Signals) -> str:
  """Returns a signal's name as users know it."""
  return 'Ctrl-C' if number == signal.SIGINT else number.name


@contextlib.contextmanager
def defer_stop() -> Iterator[Callable[[], signal.Signals | None]]:
  """Keeps signals from raising anything in the block, which asks for them and ends by itself.

  Yields:
    A function that returns the signal that requests a stop, or None.

  Raises:
    StopRequested: at the end of the block, where a signal has come.
  """
  global _deferred
  _deferred = True
  try:
    yield lambda: _received
  finally:
    _deferred = False
  if _received is not None:
    raise StopRequested(_received)


def _handle_signal(number: int, frame: Any) -> None:
  global _received
  _received = signal.Signals(number)
  _raise_stop(frame)


def _handle_retry(number: int, frame: Any) -> None:
  if _received is not None:
    _raise_stop(frame)


def _raise_stop(frame: Any) -> None:
  """Raises `StopRequested`, unless it is deferred, already under way, or useless in this frame.

  It is tried again soon in the last case, and in case other code swallows it (C code that calls
  back).
  """
  if _deferred:
    return
  _retry_soon()
  error = sys.exception()
  while error is not None:
    if isinstance(error, StopRequested):
      return
    error = error.__context__
  while frame is not None:
    if frame.f_code.co_name in _SWALLOWING:
      return
    frame = frame.f_back
  assert _received is not None
  raise StopRequested(_received)


def _retry_soon() -> None:
  if hasattr(signal, 'setitimer'):
    signal.setitimer(signal.ITIMER_REAL, _RETRY_S)
  else:
    timer = threading.Timer(_RETRY_S, _thread.interrupt_main, [_RETRY])
    timer.daemon = True
    timer.start()


def run(main: Callable[[list[str]], Any], command: str, *, grace_s: float = GRACE_S) -> None:
  """Runs `app.run(main)` so that the command ends on signals as this module says.

  Args:
    main: the command's main function.
    command: its name, for the message.
    grace_s: how long it may take to end, seconds.
  """
  _install_handlers(command, grace_s)
  gc.freeze()  # what is imported stays: to look for garbage in it again and again takes long
  gc.enable()  # where `grfjax` has spared the imports even that
  try:
    app.run(main)
  except BaseException as error:
    if isinstance(error, SystemExit) and error.code and not all(w.done() for w in _left_behind):
      _exit(error.code)
    if isinstance(error, StopRequested):  # perhaps of a signal that another host was given
      stop = error
    elif _received is not None:
      stop = StopRequested(_received)
    else:
      raise
    signal.signal(_RETRY, signal.SIG_IGN)
    print(f'{command}: {stop}', file=sys.stderr)
    _exit(EXIT_CODES[stop.signal])


def leave_behind(work: concurrent.futures.Future[Any]) -> None:
  """Notes what a thread does until it is done: a command that fails does not wait for it."""
  _left_behind.append(work)


def _exit(code: int | str) -> None:
  """Ends the process as `sys.exit` does, which waits for threads, but at once.

  What was open has been closed on the way here.
  """
  if isinstance(code, str):
    print(code, file=sys.stderr)
  sys.stdout.flush()
  sys.stderr.flush()
  os._exit(1 if isinstance(code, str) else code)


def _install_handlers(command: str, grace_s: float) -> None:
  read, write = socket.socketpair()
  write.setblocking(False)
  # Written to by the interpreter's C code, also while the main thread is busy elsewhere.
  signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
  arguments = (read, write, command, grace_s)
  threading.Thread(target=_enforce_grace, args=arguments, daemon=True).start()
  for number in EXIT_CODES:
    signal.signal(number, _handle_signal)
  signal.signal(_RETRY, _handle_retry)
  sys.unraisablehook = lambda unraisable: (
    None if unraisable.exc_type is StopRequested else sys.__unraisablehook__(unraisable)
  )


def _enforce_grace(read: socket.socket, write: socket.socket, command: str, grace_s: float) -> None:
  """Ends the process when it is signalled again, or `grace_s` seconds after the first signal.

  Args:
    read: gives the number of every signal that comes.
    write: its other end, held here because a socket that nobody refers to is closed.
    command: the command's name, for the message.
    grace_s: seconds.
  """
  while (received := read.recv(1)) and received[0] not in EXIT_CODES:
    pass
  if not received:  # the process is ending, and has closed the other end
    return
  first = received[0]
  begun = time.monotonic()
  reason = f'still busy after {grace_s:.0f} s'
  while (remaining := begun + grace_s - time.monotonic()) > 0:
    read.settimeout(remaining)
    with contextlib.suppress(TimeoutError):
      again = read.recv(1)
      repeated = again[:1] == bytes([signal.SIGTERM]) == received
      if repeated and time.monotonic() < begun + _PASSED_ON_S:
        continue
      if again and again[0] in EXIT_CODES:
        reason = 'signalled again'
        break
  number = signal.Signals(first)
  text = (
    f'\n{command}: stopped by {signal_name(number)} ({reason}); what was finished before is kept\n'
  )
  os.write(2, text.encode())
  os._exit(EXIT_CODES[number])
