"""The log of a run: metrics.jsonl, which counts, and the same numbers for TensorBoard."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import socket
import time
from typing import Any

from tensorboardX import record_writer, summary
from tensorboardX.proto import event_pb2

from grfjax.io import atomic, run_folder


class MetricsLog:
  """Both logs, open for adding entries.

  On resuming, entries after the checkpoint are removed and TensorBoard's file is written anew, so
  that neither has gaps nor doubles, wherever the run was cut.

  Attributes:
    last: the newest entry, {} if there is none.
  """

  def __init__(self, workdir: str | os.PathLike[str], step: int, *, write: bool = True):
    """Opens a run's log.

    Args:
      workdir: the run's folder.
      step: of the checkpoint from which the run goes on, 0 without one.
      write: False on a host that leaves writing to another.
    """
    folder = run_folder.RunFolder(workdir)
    entries = [entry for entry in read_log(folder.metrics) if entry['step'] <= step]
    self.last: dict[str, Any] = entries[-1] if entries else {}
    self._path = folder.metrics
    self._file: Any = None
    if not write:
      return
    atomic.write_text(self._path, ''.join(json.dumps(entry) + '\n' for entry in entries))
    self._board = _BoardWriter(folder.tensorboard, entries)
    self._file = self._path.open('a')

  def write(self, step: int, metrics: dict[str, float]) -> None:
    """Adds an entry.

    Raises:
      OSError: it cannot be written.
    """
    self.last = {'step': step, **metrics}
    if self._file is None:
      return
    with atomic.naming_errors(self._path):
      self._file.write(json.dumps(self.last) + '\n')
      self._file.flush()
    self._board.write(self.last)

  def sync(self) -> None:
    """Waits until all entries are on the disk, as a checkpoint must not outlive them."""
    if self._file is not None:
      with atomic.naming_errors(self._path):
        os.fsync(self._file.fileno())

  def close(self) -> None:
    """Closes both files, also where the disk is full."""
    if self._file is not None:
      with contextlib.ExitStack() as stack:
        stack.enter_context(atomic.naming_errors(self._path))
        stack.callback(self._file.close)
        stack.callback(self._board.close)


class _BoardWriter:
  """TensorBoard's event file.

  Not tensorboardX's SummaryWriter: that writes in a thread of its own, which dies on a full disk
  without a word to the caller.
  """

  def __init__(self, folder: pathlib.Path, entries: list[dict[str, Any]]):
    """Replaces the folder by a new one with one file that holds the entries."""
    self._folder = folder
    shutil.rmtree(folder, ignore_errors=True)
    with atomic.naming_errors(folder):
      folder.mkdir()
      name = f'events.out.tfevents.{int(time.time())}.{socket.gethostname()}'
      self._records = record_writer.RecordWriter(os.fspath(folder / name))
      self._add(event_pb2.Event(file_version='brain.Event:2'))
      # A TensorBoard that is looking on forgets what it has read of the file before.
      start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
      self._add(event_pb2.Event(step=0, session_log=start))
      for entry in entries:
        self._add_entry(entry)
      self._records.flush()

  def write(self, entry: dict[str, Any]) -> None:
    with atomic.naming_errors(self._folder):
      self._add_entry(entry)
      self._records.flush()

  def close(self) -> None:
    with atomic.naming_errors(self._folder):
      self._records.close()

  def _add_entry(self, entry: dict[str, Any]) -> None:
    for name, value in entry.items():
      if name != 'step':
        event = event_pb2.Event(step=entry['step'])
        event.summary.CopyFrom(summary.scalar(name, value))
        self._add(event)

  def _add(self, event: event_pb2.Event) -> None:
    event.wall_time = time.time()
    self._records.write(event.SerializeToString())


def read_log(path: pathlib.Path) -> list[dict[str, Any]]:
  """Returns the entries of a metrics.jsonl, none where there is no such file.

  A last line that a crash has cut is left out.

  Raises:
    run_folder.RunError: another line is no entry.
  """
  if not path.exists():
    return []
  entries: list[dict[str, Any]] = []
  lines = path.read_text(encoding='utf-8', errors='replace').splitlines()
  for number, line in enumerate(lines, 1):
    try:
      entry = json.loads(line)
    except ValueError as error:
      if number == len(lines):
        break
      raise run_folder.damaged(path, ValueError(f'line {number}: {error}')) from error
    if not (isinstance(entry, dict) and isinstance(entry.get('step'), int)):
      found = ValueError(f'line {number} is {line[:50]!r}, expected an entry with its step')
      raise run_folder.damaged(path, found)
    entries.append(entry)
  return entries
