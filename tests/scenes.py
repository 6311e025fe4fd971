"""Draws scenes of several people, and follows them: shared by the tests of tracking."""

from __future__ import annotations

from collections.abc import Callable

import making
import numpy as np

from grfjax.tracking import crossings, tracking_gaps

HEIGHT, WIDTH, TALL, FLOOR, COUNT = 180, 320, 116, 166, 150
TIME_S = np.arange(COUNT) / 60
RED = ((40, 40, 200), (30, 30, 50), (230, 180, 150))

# Frame -> column, row of the soles, height, clothes; None while the person is not there.
Person = Callable[[int], 'tuple[float, float, float, tuple] | None']


def draw(
  *people: Person, width: int = WIDTH, height: int = HEIGHT, noise: float = 2.0
) -> list[np.ndarray]:
  """Returns `COUNT` frames of people in a room, at 60 a second."""
  rng, room = np.random.default_rng(0), making.room(height, width)
  frames = []
  for k in range(COUNT):
    frame = room.copy()
    for person in people:
      if (place := person(k)) is not None:
        x, floor, tall, clothes = place
        making.figure(frame, x, floor, tall, 0.1 * k, clothes=clothes)
    frames.append(making.noisy(frame, noise, rng))
  return frames


def walker(
  first: float,
  last: float,
  *,
  floor: float = FLOOR,
  tall: float = TALL,
  clothes: tuple = making.CLOTHES,
  begin: int = 0,
) -> Person:
  """Returns a person who walks from one column to the other."""

  def place(k):
    if k < begin:
      return None
    share = (k - begin) / (COUNT - 1 - begin)
    return first + (last - first) * share, floor, tall, clothes

  return place


def draw_large(last: float = 410) -> list[np.ndarray]:
  """Returns frames of a walker in a larger picture, from which `pan` cuts others."""
  return draw(walker(50, last, floor=200, tall=120), height=240, width=460)


def pan(frames: list[np.ndarray], dx: np.ndarray, dy: np.ndarray, margin: int) -> list[np.ndarray]:
  """Returns the frames as a camera that turns by so many columns and rows sees them."""
  x0, y0 = margin + np.round([dx, dy]).astype(int)
  size = frames[0].shape[0] - 2 * margin, frames[0].shape[1] - 2 * margin
  return [
    f[y : y + size[0], x : x + size[1]]
    for f, x, y in zip(frames, x0.tolist(), y0.tolist(), strict=True)
  ]


def follow(
  frames: list[np.ndarray],
) -> tuple[list[crossings.Crossing], list[tracking_gaps.Gap]]:
  """Returns the crossings, and the gaps in which nobody is followed."""
  found = list(crossings.find_crossings(making.Frames(frames), TIME_S))
  gaps = [f for f in found if isinstance(f, tracking_gaps.Gap)]
  return [f for f in found if isinstance(f, crossings.Crossing)], gaps
