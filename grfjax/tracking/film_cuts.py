"""Where a film changes to another view from one frame to the next: several shots are joined."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

from grfjax.io import halving

SIZE = (64, 36)  # columns and rows of the pictures that are compared
CHANGED = 8.0  # gray levels by which a pixel of them changes
DETAIL_SIGMA = 2.0

# A view is compared in upright strips, since who walks, however large, is in some of them alone:
# a strip shows the same as before if its details are alike or hardly a pixel changed. Of pictures
# before and after a cut between two rooms it is 0 to 3 strips, where a walker who jumps fills the
# height of the picture 7 or more. Two views of one room may share more, but less of the picture.
STRIPS = 16
ALIKE = 0.6  # correlation of the details of a strip; light that changes leaves them so
UNCHANGED = 0.1  # share of the pixels of a strip
MAX_SAME = 4  # strips, at a cut
CHANGED_SHARE = 0.4  # of the picture, that also tells a cut where less than half the strips stay

# Strips that stay the same from the new view to the frame after it: a flash or a fault is over by
# then, and a camera that is torn about goes on.
MIN_SAME_AFTER = STRIPS // 2

# Columns and rows by which a view may have moved, and the correlation of its details then. Of
# different rooms it was over that in 1 of 100, of a pan along stripes never under 0.48.
MOVED_BY = (6, 3)
MOVED_ALIKE = 0.45


class _View(NamedTuple):
  """What is compared of a small picture.

  Attributes:
    gray: (h, w) float32.
    details: (h, w) float32, its gray values less those around them.
    powers: (`STRIPS`,) the mean squares of the details of each strip.
  """

  gray: np.ndarray
  details: np.ndarray
  powers: np.ndarray


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
    alike = _alike_strips(before, self._before)
    stays = alike.sum() >= MIN_SAME_AFTER  # as nearly always, and then nothing else is looked at
    is_other = False
    if not stays:
      changed = _changed_otherwise(before, self._before)
      same = int((alike | (_strip_means(changed.astype(np.float32)) < UNCHANGED)).sum())
      stays = same >= MIN_SAME_AFTER
      is_other = same <= MAX_SAME or (not stays and changed.mean() >= CHANGED_SHARE)
    if self._candidate is not None and stays:
      self.frames.append(self._candidate)
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
  return _changed_otherwise(_view(before), _view(after))


def _changed_otherwise(before: _View, after: _View) -> np.ndarray:
  first, second = before.gray, after.gray
  multiplied = second - first * np.median(second / np.maximum(first, 1))
  added = second - first - np.median(second - first)
  return np.minimum(np.abs(multiplied), np.abs(added)) > CHANGED


def _view(small: np.ndarray) -> _View:
  gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
  details = gray - cv2.GaussianBlur(gray, (0, 0), DETAIL_SIGMA)
  return _View(gray, details, _strip_means(details**2))


def _alike_strips(before: _View, after: _View) -> np.ndarray:
  """Returns in which strips, (`STRIPS`,) bool, the details of two views are alike."""
  both = _strip_means(before.details * after.details)
  return both > ALIKE * np.sqrt(before.powers * after.powers)


def _strip_means(values: np.ndarray) -> np.ndarray:
  """Returns the means, (`STRIPS`,), of the strips of a small picture's (h, w) values."""
  return cv2.resize(values, (STRIPS, 1), interpolation=cv2.INTER_AREA)[0]
