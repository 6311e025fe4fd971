"""Where the feet stand: the centre of pressure under each foot, and its place in the picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class FootPlaces:
  """Where the feet stand in N frames; NaN while a foot is in the air or is not known to stand.

  Lengths are in body heights, in axes that stand still for one walk: forward along it, and to the
  walker's left. Where several walks are in a video, each has axes of its own.

  Attributes:
    pressure: (N, 2, 2) leg (left, right) x (forward, left), the centre of pressure, body heights.
    sole: (N, 2, 2) likewise, the middle between the heel's rear and the toes' front on the floor;
      the same throughout a contact, body heights.
    picture: (N, 2, 2) leg x (column, row), the centre of pressure in the video as filmed, pixels,
      counted from the picture's left and upper edge.
  """

  pressure: np.ndarray
  sole: np.ndarray
  picture: np.ndarray


def unknown(count: int) -> FootPlaces:
  """Returns the places of feet that are not known in any of `count` frames."""
  return FootPlaces(*(np.full((count, 2, 2), np.nan) for _ in range(3)))


def join(parts: Sequence[FootPlaces]) -> FootPlaces:
  """Puts the places of several walks through the same N frames together.

  Where two have a frame, the later one's count.

  Args:
    parts: at least one.
  """
  joined = {}
  for field in dataclasses.fields(FootPlaces):
    values = getattr(parts[0], field.name).copy()
    for part in parts[1:]:
      later = getattr(part, field.name)
      known = np.isfinite(later)
      values[known] = later[known]
    joined[field.name] = values
  return FootPlaces(**joined)
