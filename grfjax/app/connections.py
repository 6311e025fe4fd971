"""Connections that do not keep others waiting: who sends nothing is hung up on.

uvicorn waits for ever for a request that has begun, or that never does. Some hundred connections
on which nothing comes would take all the files that a process may have open.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import h11
from uvicorn.protocols.http import h11_impl

HEAD_S = 20.0  # in which a request's head must have come whole
SILENCE_S = 120.0  # in the midst of a film; a tablet may change its access point meanwhile
WANTED_FILES = 4096  # that the process may have open, where the system lets it
_LEFT_FILES = 128  # for the database, films and results
_LOOKS = 8  # at a connection within `HEAD_S`


def allow_open_files() -> int:
  """Raises the number of files that this process may have open, and returns it.

  It is `WANTED_FILES` at most, less where the system does not allow so many; Windows has no such
  limit.
  """
  try:
    import resource  # which Windows lacks
  except ImportError:
    return WANTED_FILES
  soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
  if soft == resource.RLIM_INFINITY or soft >= WANTED_FILES:
    return WANTED_FILES
  wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
  resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
  return wanted


class Connection(h11_impl.H11Protocol):
  """A connection of a browser, as uvicorn's `http` takes it.

  It is closed where no request comes in `HEAD_S`, or nothing of a request's body in `SILENCE_S`.
  Where there are more than `most`, the one that has waited longest for a request makes room.

  Attributes:
    most: connections at the same time.
  """

  most = WANTED_FILES - _LEFT_FILES
  _timer: asyncio.TimerHandle | None = None
  _heard_s = 0.0  # when something came last, or a request was expected first
  _numbers = itertools.count()  # clocks may be too coarse to tell which connection came first

  def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
    """Begins to wait for the first request."""
    super().connection_made(transport)
    self._number = next(self._numbers)
    self._heard_s = self.loop.time()
    self._look()
    if len(self.connections) > self.most:
      idle = [c for c in self.connections if isinstance(c, Connection) and c._waits_for_head]
      # At once, also with TLS.
      min(idle, key=lambda c: (c._heard_s, c._number)).transport.abort()

  def connection_lost(self, exc: Exception | None) -> None:
    """Ends the waiting."""
    if self._timer is not None:
      self._timer.cancel()
    super().connection_lost(exc)

  def data_received(self, data: bytes) -> None:
    """Takes what comes; a head counts only when it is whole."""
    super().data_received(data)
    if not self._waits_for_head:
      self._heard_s = self.loop.time()

  def on_response_complete(self) -> None:
    """Begins to wait for the next request."""
    self._heard_s = self.loop.time()
    super().on_response_complete()

  @property
  def _waits_for_head(self) -> bool:
    return self.conn.their_state is h11.IDLE

  def _look(self) -> None:
    waited_s = self.loop.time() - self._heard_s
    is_silent = self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused
    if (self._waits_for_head and waited_s >= HEAD_S) or (is_silent and waited_s >= SILENCE_S):
      self.transport.abort()
    else:
      self._timer = self.loop.call_later(HEAD_S / _LOOKS, self._look)


def connection_class(files: int) -> Any:
  """Returns the class of connections of a process that may have so many files open."""
  most = max(files - _LEFT_FILES, files // 2)
  return type('Connection', (Connection,), {'most': most})
