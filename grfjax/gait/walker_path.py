"""Where a walker is in the pictures of a film, and in space as far as these tell.

Who is h pixels high at a column x pixels from the picture's middle is x / h body heights to the
side of the camera and f / h away from it, where f is the focal length in pixels (a pinhole camera).
Who walks straight past stays equally far away, and f does not matter; on an oblique walk the change
of f / h is the part of the way that leads to the camera or away from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Focal length over the picture's longer side: phones film with some 0.7 to 1.
FOCAL = 0.8

# What is tracked reaches from the top of the hair to the lowest row of the nearer shoe and its
# shadow, and is taller than the person by this factor (docs/walking_speed.md).
TRACKED_OVER_BODY = 1.06
# From the floor midway between the feet to the top of the hair: likewise.
ABOVE_FLOOR_OVER_BODY = 1.014


class WalkerPath(NamedTuple):
  """Where a walker is in N frames, as a camera would see it that stands still.

  Attributes:
    column: (N,) the body's middle, the video's pixels from the picture's middle; NaN where nobody
      is followed.
    height: (N,) how tall the person is there, likewise.
    longer_side: of the picture, pixels.
    tracked_over_body: how much taller than the person is what is tracked.
  """

  column: np.ndarray
  height: np.ndarray
  longer_side: int
  tracked_over_body: float = TRACKED_OVER_BODY

  def places(self) -> np.ndarray:
    """Returns (N, 2) body heights: to the side of the camera, and away from it."""
    away = np.full_like(self.column, FOCAL * self.longer_side)
    return np.stack([self.column, away], -1) / self.height[:, None]

  def with_floor(self, up: float) -> WalkerPath:
    """Returns the same path by the floor on which the feet were found, which says the height best.

    Args:
      up: how far the middles of both soles are over the floor line of the walker's window, on
        average, in heights as tracked.
    """
    tracked_over_body = ABOVE_FLOOR_OVER_BODY / (1 - up)
    height = self.height * (self.tracked_over_body / tracked_over_body)
    return self._replace(height=height, tracked_over_body=tracked_over_body)


def join(paths: Sequence[WalkerPath]) -> WalkerPath | None:
  """Puts the paths of several walks through the same N frames together; None of none.

  Where two have a frame, the later one's counts.
  """
  if not paths:
    return None
  column, height = (np.full_like(paths[0].column, np.nan) for _ in range(2))
  for path in paths:
    known = np.isfinite(path.column)
    column[known], height[known] = path.column[known], path.height[known]
  return WalkerPath(column, height, paths[0].longer_side)
