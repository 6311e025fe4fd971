"""Lets whoever starts a long computation on a video hear how far it is."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator

Listener = Callable[[str, float], None]  # (stage, share of it that is done, 0 to 1)

STEADY = 'steady'  # finding out how the camera moved, from some of the frames
SEARCH = 'search'  # looking through the frames for walkers, and estimating each walk once found
DRAW = 'draw'  # the annotated video

_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar(
  'listener', default=None
)


@contextlib.contextmanager
def told_to(listener: Listener) -> Iterator[None]:
  """Has `report` call the listener while the block runs.

  What the listener raises ends the computation, so that it can be given up.
  """
  token = _listener.set(listener)
  try:
    yield
  finally:
    _listener.reset(token)


def report(stage: str, share: float) -> None:
  """Tells the listener, where there is one, which share of a stage is done."""
  listener = _listener.get()
  if listener is not None:
    listener(stage, share)
