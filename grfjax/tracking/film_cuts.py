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
    self._before: tuple[np.ndarray, np.ndarray] | None = None  # gray levels, and their details
    self._candidate: int | None = None  # frame before which the view changed, if it stays so

  def add(self, frame: int, picture: np.ndarray) -> None:
    """Takes the next frame's picture, (H, W, 3) uint8."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    detail = small - cv2.GaussianBlur(small, (0, 0), DETAIL_SIGMA)
    before, self._before = self._before, (small, detail)
    if before is None:
      return
    alike = _correlation(before[1], detail)
    if self._candidate is not None and alike >= MIN_ALIKE_AFTER:
      self.frames.append(self._candidate)
    is_other = alike <= MAX_ALIKE and _changed_share(before[0], small) >= MIN_SHARE
    self._candidate = frame if is_other and self._candidate is None else None


def _correlation(before: np.ndarray, after: np.ndarray) -> float:
  """Returns how far the details (H, W) of two pictures are the same, -1 to 1."""
  return float(
    np.vdot(before, after) / max(np.sqrt(np.vdot(before, before) * np.vdot(after, after)), 1.0)
  )


def _changed_share(before: np.ndarray, after: np.ndarray) -> float:
  """Returns in how much of the picture another light, the same everywhere, explains no change."""
  level, change = float(before.mean()), before - before.mean()
  gain = float((change * after).sum() / max((change**2).sum(), 1.0))
  expected = gain * (before - level) + float(after.mean())
  return float((np.abs(after - expected) > CHANGED).mean())
