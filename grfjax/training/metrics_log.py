"""The log of a run: metrics.jsonl, which counts, and the same numbers for TensorBoard."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
from typing import Any

from grfjax import extras
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
    with extras.needed('train'):
      from grfjax.training import event_file  # here, as reading a log does without tensorboardX
    atomic.write_text(self._path, ''.join(json.dumps(entry) + '\n' for entry in entries))
    self._board = event_file.EventFile(folder.tensorboard, entries)
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
