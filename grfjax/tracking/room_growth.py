"""How far the room grows in the picture while somebody walks: a camera zooms, or comes nearer."""

from __future__ import annotations

import cv2
import numpy as np

INTERVAL_S = 0.25  # between the pictures that are kept
ROWS = 90  # of them
MOST_KEPT = 240  # pictures; beyond, every second of them is let go

MIN_TALLER = 1.05  # by which the walker grows in the picture where it is looked at at all
SCALES = np.geomspace(1, 1.5, 34)  # that are tried
STAYS = 1.05  # up to here the room counts as no larger

# What is compared: gray levels less those around them, in which a walker's outlines count for
# little more than what a wall shows, and of these the middle, wherever it lies up to a shift.
DETAIL_SIGMA = 4.0
MOST_DETAIL = 12.0  # gray levels
MIDDLE = 0.66  # of the picture's sides
MAX_SHIFT = 0.05

# Correlation that tells how far a room has grown, and how much more it is than of one that has not.
# Of 74 pairs of pictures that were not zoomed it was never more; of those zoomed by 1.3, in a room
# with a pattern, by 0.06 to 0.65.
ALIKE = 0.25
MORE_ALIKE = 0.06


class RoomGrowth:
  """Measures how far the room has grown in pictures given one after the other."""

  def __init__(self, fps: float):
    """Begins before the first picture.

    Args:
      fps: frames a second.
    """
    self._step = max(1, round(INTERVAL_S * fps))
    self._pictures: dict[int, np.ndarray] = {}  # of frames, small and in gray

  def add(self, frame: int, picture: np.ndarray) -> None:
    """Takes the next frame's picture (H, W, 3) uint8."""
    if frame % self._step:
      return
    size = round(picture.shape[1] * ROWS / picture.shape[0]), ROWS
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    self._pictures[frame] = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    if len(self._pictures) > MOST_KEPT:
      for other in list(self._pictures)[1::2]:
        del self._pictures[other]

  def forget_before(self, frame: int) -> None:
    """Lets go of pictures that are asked for no more."""
    for earlier in [kept for kept in self._pictures if kept < frame]:
      del self._pictures[earlier]

  def during(self, frames: np.ndarray, height: np.ndarray) -> float:
    """Returns how many times as large the room is where a walker is tallest as where smallest.

    Args:
      frames: (K,) of a walk.
      height: (K,) of the walker in the picture.

    Returns:
      1 where the room does not grow, or shows too little for that to be told, or the walker does
      not grow.
    """
    kept = np.isin(frames, list(self._pictures))
    if not kept.any():
      return 1.0
    frames, height = frames[kept], height[kept]
    least, most = int(height.argmin()), int(height.argmax())
    if height[most] < MIN_TALLER * height[least]:
      return 1.0
    return _growth(*(_details(self._pictures[int(frames[k])]) for k in (least, most)))


def _details(gray: np.ndarray) -> np.ndarray:
  around = gray.astype(np.float32)
  return np.clip(around - cv2.GaussianBlur(around, (0, 0), DETAIL_SIGMA), -MOST_DETAIL, MOST_DETAIL)


def _growth(before: np.ndarray, after: np.ndarray) -> float:
  """Returns by how much one picture (h, w) float32 must be enlarged to be most like another."""
  likeness = np.array([_likeness(before, after, scale) for scale in SCALES])
  best = int(likeness.argmax())
  unchanged = float(likeness[SCALES <= STAYS].max())
  if likeness[best] < max(ALIKE, unchanged + MORE_ALIKE):
    return 1.0
  return float(SCALES[best])


def _likeness(before: np.ndarray, after: np.ndarray, scale: float) -> float:
  """Returns the correlation of a picture's middle, enlarged, with that of another, (h, w) both."""
  height, width = before.shape
  rows, columns = round(MIDDLE * height), round(MIDDLE * width)
  across = np.array([width - 1, height - 1]) / 2
  enlarge = np.array([[scale, 0, (columns - 1) / 2], [0, scale, (rows - 1) / 2]])
  enlarge[:, 2] -= scale * across
  middle = cv2.warpAffine(before, enlarge, (columns, rows))
  up, left = (round(MAX_SHIFT * side) for side in (height, width))
  top, first = (height - rows) // 2 - up, (width - columns) // 2 - left
  around = after[top : top + rows + 2 * up, first : first + columns + 2 * left]
  return float(cv2.matchTemplate(around, middle, cv2.TM_CCOEFF_NORMED).max())
