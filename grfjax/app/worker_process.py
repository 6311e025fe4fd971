"""Keeps one worker running beside the server."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

_PAUSE_S = 1.0  # before a worker that has ended is started again; doubled each time
_MOST_PAUSE_S = 30.0
_LONG_LIFE_S = 60.0  # after which the pauses begin anew
_STOP_S = 4.0


@contextlib.contextmanager
def kept_running(command: Sequence[str]) -> Iterator[Callable[[], int]]:
  """Runs a worker during the block, and starts it again where it ends.

  It is told to stop by the end of its standard input, which it sees also when this process is
  killed.

  Args:
    command: that starts the worker.

  Yields:
    A function that returns the process id of the present worker.
  """
  environment = os.environ | {'TQDM_DISABLE': '1'}

  def start() -> subprocess.Popen:
    # In a group of its own: Ctrl-C is for the server, which then ends the worker.
    return subprocess.Popen(
      command, stdin=subprocess.PIPE, env=environment, start_new_session=True,
      creationflags=getattr(subprocess, 'CREATE_NEW_PROCESS_GROUP', 0),
    )  # fmt: skip

  is_over, starting = threading.Event(), threading.Lock()
  process = start()

  def restart() -> None:
    nonlocal process
    pause_s, born_s = _PAUSE_S, time.monotonic()
    while not is_over.is_set():
      code = process.wait()
      if time.monotonic() - born_s > _LONG_LIFE_S:
        pause_s = _PAUSE_S
      if not is_over.is_set():
        logging.warning('the worker has ended (%s); it is started again', code)
      is_over.wait(pause_s)
      with starting:
        if not is_over.is_set():
          _close_input(process)
          pause_s, born_s = min(2 * pause_s, _MOST_PAUSE_S), time.monotonic()
          process = start()

  watcher = threading.Thread(target=restart, daemon=True)
  watcher.start()
  try:
    yield lambda: process.pid
  finally:
    with starting:
      is_over.set()
    _close_input(process)
    try:
      process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
      process.kill()
    watcher.join(_STOP_S)


def _close_input(process: subprocess.Popen) -> None:
  assert process.stdin is not None
  with contextlib.suppress(OSError):
    process.stdin.close()


def worker_command(folder: str, workdir: str) -> list[str]:
  """Returns the command that starts the worker of a folder with a network."""
  return [sys.executable, '-m', 'grfjax.app.worker', folder, workdir]
