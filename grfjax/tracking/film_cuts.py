"""Where a film changes to another view from one frame to the next: several shots are joined."""

from __future__ import annotations

import cv2
import numpy as np

SIZE = (64, 36)  # columns and rows of the pictures that are compared
CHANGED = 8.0  # gray levels by which a pixel of them changes
MIN_SHARE = 0.3  # of the picture, that changes at a cut

# Correlation of the details before a cut and after it, and in the frame after that at least: light
# that changes here and there leaves them (0.9), a flash or a fault is over by then, and a camera
# that is torn about goes on.
MAX_ALIKE = 0.6
MIN_ALIKE_AFTER = 0.7
DETAIL_SIGMA = 2.0


class FilmCuts:
  """Finds cuts in frames given one after the other.

  Attributes:
    frames: the first frame of each shot but the film's first.
  """

  def __init__(self) -> None:
    self.frames: list[int] = []
    self._before: np.ndarray | None = None
    self._candidate: int | None = None  # frame before which the view changed, if it stays so

  def add(self, frame: int, small: np.ndarray) -> None:
    """Takes the next frame's small picture, as of `small_picture`."""
    before, self._before = self._before, small
    if before is None:
      return
    if self._candidate is not None and _likeness(before, small) >= MIN_ALIKE_AFTER:
      self.frames.append(self._candidate)
    is_other = is_other_view(before, small)
    self._candidate = frame if is_other and self._candidate is None else None


def small_picture(picture: np.ndarray) -> np.ndarray:
  """Returns a picture (H, W, 3) uint8, so small that shots are compared in no time."""
  return cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)


def is_other_view(before: np.ndarray, after: np.ndarray) -> bool:
  """Returns whether a small picture shows another view than one before, and not another light."""
  return (
    _likeness(before, after) <= MAX_ALIKE
    and _changed_share(_gray(before), _gray(after)) >= MIN_SHARE
  )


def _gray(small: np.ndarray) -> np.ndarray:
  return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _likeness(before: np.ndarray, after: np.ndarray) -> float:
  return _detail_correlation(_gray(before), _gray(after))


def _detail_correlation(before: np.ndarray, after: np.ndarray) -> float:
  """Returns how far the details of two gray pictures (H, W) are the same, -1 to 1."""
  one, other = (p - cv2.GaussianBlur(p, (0, 0), DETAIL_SIGMA) for p in (before, after))
  return float((one * other).sum() / max(np.sqrt((one**2).sum() * (other**2).sum()), 1.0))


def _changed_share(before: np.ndarray, after: np.ndarray) -> float:
  """Returns in how much of the picture another light, the same everywhere, explains no change."""
  level, change = float(before.mean()), before - before.mean()
  gain = float((change * after).sum() / max((change**2).sum(), 1.0))
  expected = gain * (before - level) + float(after.mean())
  return float((np.abs(after - expected) > CHANGED).mean())
