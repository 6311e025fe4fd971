"""Where a film changes to another view from one frame to the next: several shots are joined."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

from grfjax.io import halving

SIZE = (64, 36)  # columns and rows of the pictures that are compared
CHANGED = 8.0  # gray levels by which a pixel of them changes
MIN_SHARE = 0.3  # of the picture, that changes at a cut

# Correlation of the details before a cut and after it, and in the frame after that at least: light
# that changes here and there leaves them (0.9), a flash or a fault is over by then, and a camera
# that is torn about goes on.
MAX_ALIKE = 0.6
MIN_ALIKE_AFTER = 0.7
DETAIL_SIGMA = 2.0

# Columns and rows by which a view may have moved, and the correlation of its details then. Of
# different rooms it was over that in 1 of 100, of a pan along stripes never under 0.48.
MOVED_BY = (6, 3)
MOVED_ALIKE = 0.45


class _View(NamedTuple):
  """What is compared of a small picture.

  Attributes:
    gray: (h, w) float32.
    details: (h, w) float32, its gray values less those around them.
    power: sum of the squares of the details.
  """

  gray: np.ndarray
  details: np.ndarray
  power: float


class FilmCuts:
  """Finds cuts in frames given one after the other.

  Attributes:
    frames: the first frame of each shot but the film's first.
  """

  def __init__(self) -> None:
    self.frames: list[int] = []
    self._before: _View | None = None
    self._candidate: int | None = None  # frame before which the view changed, if it stays so

  def add(self, frame: int, small: np.ndarray) -> None:
    """Takes the next frame's small picture, as of `small_picture`."""
    before, self._before = self._before, _view(small)
    if before is None:
      return
    likeness = _likeness(before, self._before)
    if self._candidate is not None and likeness >= MIN_ALIKE_AFTER:
      self.frames.append(self._candidate)
    is_other = likeness <= MAX_ALIKE and _is_changed(before, self._before)
    self._candidate = frame if is_other and self._candidate is None else None


def small_picture(picture: np.ndarray) -> np.ndarray:
  """Returns a picture (H, W, 3) uint8, so small that shots are compared in no time."""
  while picture.shape[1] >= 3 * SIZE[0] and picture.shape[0] >= 3 * SIZE[1]:
    picture = halving.halved(picture)  # several times faster than all at once
  return cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)


def is_cut(pictures: Iterable[np.ndarray]) -> bool:
  """Returns whether the second of three pictures (H, W, 3) uint8 in a row begins another shot."""
  cuts = FilmCuts()
  for number, picture in enumerate(pictures):
    cuts.add(number, small_picture(picture))
  return bool(cuts.frames)


def is_moved(before: np.ndarray, after: np.ndarray) -> bool:
  """Returns whether a small picture shows the view of one before, moved by a part of its width."""
  columns, rows = MOVED_BY
  middle = _view(before).details[rows:-rows, columns:-columns]
  likeness = cv2.matchTemplate(_view(after).details, middle, cv2.TM_CCORR_NORMED).max()
  return bool(likeness > MOVED_ALIKE)


def changed_otherwise(before: np.ndarray, after: np.ndarray) -> np.ndarray:
  """Returns where (h, w) small pictures differ by more than another light, the same everywhere.

  Light that multiplies or adds is tried, by the median, as somebody may have moved meanwhile.
  """
  first, second = _view(before).gray, _view(after).gray
  multiplied = second - first * np.median(second / np.maximum(first, 1))
  added = second - first - np.median(second - first)
  return np.minimum(np.abs(multiplied), np.abs(added)) > CHANGED


def _view(small: np.ndarray) -> _View:
  gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
  details = gray - cv2.GaussianBlur(gray, (0, 0), DETAIL_SIGMA)
  return _View(gray, details, float((details**2).sum()))


def _likeness(before: _View, after: _View) -> float:
  """Returns how far the details of two views are the same, -1 to 1."""
  both = float((before.details * after.details).sum())
  return both / max(np.sqrt(before.power * after.power), 1.0)


def _is_changed(before: _View, after: _View) -> bool:
  """Returns whether another light, the same everywhere, leaves much of a change unexplained."""
  level, change = float(before.gray.mean()), before.gray - before.gray.mean()
  gain = float((change * after.gray).sum() / max((change**2).sum(), 1.0))
  expected = gain * (before.gray - level) + float(after.gray.mean())
  return bool((np.abs(after.gray - expected) > CHANGED).mean() >= MIN_SHARE)
