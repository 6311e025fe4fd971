"""The log of a run: metrics.jsonl, which is what counts, and the same for TensorBoard."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import time
from typing import Any

from tensorboardX import event_file_writer, summary
from tensorboardX.proto import event_pb2

from grfjax.io import atomic


def read_log(path: pathlib.Path) -> list[dict[str, Any]]:
  """Lines of a metrics.jsonl, none where there is none; a last line cut by a crash is left out."""
  lines: list[dict[str, Any]] = []
  for text in path.read_text(encoding='utf-8').splitlines() if path.exists() else []:
    try:
      lines.append(json.loads(text))
    except json.JSONDecodeError:
      break
  return lines


METRICS = 'metrics.jsonl'

BOARD = 'tensorboard'


class MetricsLog:
  """Both, open for adding lines.

  On resuming, lines after the checkpoint are taken back and TensorBoard's file is written anew, so
  that neither has gaps nor doubles, wherever the run was cut.
  """

  def __init__(self, folder: pathlib.Path, done: int, *, write: bool = True):
    """Opens a run's log.

    Args:
      folder: the run's.
      done: steps of the checkpoint from which the run goes on.
      write: False: another host does.
    """
    self._path, self._board_path = folder / METRICS, folder / BOARD
    lines = [line for line in read_log(self._path) if line['step'] <= done]
    self.last: dict[str, Any] = lines[-1] if lines else {}
    self._file: Any = None
    if not write:
      return
    atomic.write_text(self._path, ''.join(json.dumps(line) + '\n' for line in lines))
    shutil.rmtree(self._board_path, ignore_errors=True)
    with atomic.naming_errors(self._board_path):
      self._board_path.mkdir()
      # Not its SummaryWriter: that writes in a thread, where a full disk is not noticed.
      self._board = event_file_writer.EventsWriter(os.fspath(self._board_path / 'events'))
      # A TensorBoard that is looking on forgets what it has read of the file before.
      start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
      self._board.write_event(event_pb2.Event(wall_time=time.time(), step=0, session_log=start))
      for line in lines:
        self._show(line)
      self._board.flush()
    self._file = self._path.open('a')

  def write(self, done: int, means: dict[str, float]) -> None:
    """Adds a line.

    Raises:
      OSError: it cannot be written.
    """
    self.last = {'step': done, **means}
    if self._file is None:
      return
    with atomic.naming_errors(self._path):
      self._file.write(json.dumps(self.last) + '\n')
      self._file.flush()
    with atomic.naming_errors(self._board_path):
      self._show(self.last)
      self._board.flush()

  def _show(self, line: dict[str, Any]) -> None:
    for name, value in line.items():
      if name != 'step':
        event = event_pb2.Event(wall_time=time.time(), step=line['step'])
        event.summary.CopyFrom(summary.scalar(name, value))
        self._board.write_event(event)

  def sync(self) -> None:
    """Waits until all lines are on the disk; a checkpoint must not outlive them."""
    if self._file is not None:
      with atomic.naming_errors(self._path):
        os.fsync(self._file.fileno())

  def close(self) -> None:
    """Closes both files, also where the disk is full."""
    if self._file is not None:
      with contextlib.ExitStack() as both:
        both.enter_context(atomic.naming_errors(self._path))
        both.callback(self._file.close)
        both.enter_context(atomic.naming_errors(self._board_path))
        # Its own close() leaves the file open if it cannot flush.
        both.callback(self._board._py_recordio_writer.close)
        self._board.flush()
