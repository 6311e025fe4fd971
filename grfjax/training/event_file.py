"""The log of a run as TensorBoard reads it."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
import time
from typing import Any

from tensorboardX import record_writer, summary
from tensorboardX.proto import event_pb2

from grfjax.io import atomic


class EventFile:
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
