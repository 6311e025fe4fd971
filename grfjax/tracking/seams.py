"""Lines along which a picture is put together of several views, and who moves on their two sides.

Such a line is straight to the pixel, runs from edge to edge, and nobody ever crosses it.
"""

from __future__ import annotations

import cv2
import numpy as np

from grfjax.tracking import linking

MIN_CONTRAST = 8.0  # gray levels across the line, in each third of it (the median)
SHARPNESS = 3.0  # over the contrast of the lines beside it: edges in a room are blurred
MIN_SIDE = 0.2  # of the picture, that a view is wide or high
BAR_SD = 3.0  # gray levels; rows and columns that differ less, and are dark, are bars around views
BAR_LEVEL = 32.0  # gray levels: bars are black, and what is brighter may be a bare wall
MIN_TOGETHER_S = 0.5  # that somebody moves on both sides at once


class Seams:
  """Finds whether people move at once on both sides of a line of the background."""

  def __init__(self, background: np.ndarray, fps: float):
    """Looks for lines.

    Args:
      background: (H, W, 3) uint8.
      fps: frames a second.
    """
    gray = cv2.cvtColor(background, cv2.COLOR_RGB2GRAY).astype(np.float32)
    self._min_frames = MIN_TOGETHER_S * fps
    self._columns, self._rows = _straight_lines(gray), _straight_lines(gray.T)
    self._people: list[tuple[int, int, tuple[float, float], tuple[float, float]]] = []

  def are_parted(self, track: linking.BlobTrack) -> bool:
    """Takes a person's track; returns whether a line parts it from somebody at the same time."""
    if not (self._columns or self._rows):
      return False
    x = np.percentile([b.left for b in track], 5), np.percentile([b.right for b in track], 95)
    y = np.percentile([b.top for b in track], 5), np.percentile([b.bottom for b in track], 95)
    one = (track[0].frame, track[-1].frame, (float(x[0]), float(x[1])), (float(y[0]), float(y[1])))
    self._people.append(one)
    for other in self._people[:-1]:
      together = min(one[1], other[1]) - max(one[0], other[0]) + 1
      if together >= self._min_frames and (
        any(_parts(c, one[2], other[2]) for c in self._columns)
        or any(_parts(r, one[3], other[3]) for r in self._rows)
      ):
        return True
    return False


def _parts(line: int, one: tuple[float, float], other: tuple[float, float]) -> bool:
  """Returns whether two spans lie on different sides of a line, give or take two pixels."""
  return max(one[0], other[0]) > line - 3 and min(one[1], other[1]) < line + 3


def _straight_lines(gray: np.ndarray) -> list[int]:
  """Returns the columns of (H, W) gray levels at which another view begins."""
  gray = gray[(gray.std(1) > BAR_SD) | (gray.mean(1) > BAR_LEVEL)]
  width = gray.shape[1]
  if len(gray) < 30:
    return []
  step = np.abs(np.diff(gray, axis=1))
  contrast = np.min([np.median(third, axis=0) for third in np.array_split(step, 3)], axis=0)
  found = []
  for column in np.flatnonzero(contrast > MIN_CONTRAST).tolist():
    near = np.delete(contrast[max(0, column - 4) : column + 5], min(4, column))
    inside = MIN_SIDE * width < column < (1 - MIN_SIDE) * width
    if inside and contrast[column] > SHARPNESS * np.median(near):
      found.append(column + 1)
  return found
