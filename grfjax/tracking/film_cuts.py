"""Where a film changes to another view from one frame to the next: several shots are joined."""

from __future__ import annotations

import cv2
import numpy as np

SIZE = (64, 36)  # columns and rows of the pictures that are compared
CHANGED = 8.0  # gray levels by which a pixel of them changes

# Share of the picture that changes at a cut, and at most in the frame after: a flash or a fault is
# over by then, and a camera that is torn about goes on.
MIN_SHARE = 0.3
MAX_SHARE_AFTER = 0.15


class FilmCuts:
  """Finds cuts in frames given one after the other.

  Attributes:
    frames: the first frame of each shot but the film's first.
  """

  def __init__(self) -> None:
    self.frames: list[int] = []
    self._before: np.ndarray | None = None
    self._candidate: int | None = None  # frame before which the view changed, if it stays so

  def add(self, frame: int, picture: np.ndarray) -> None:
    """Takes the next frame's picture, (H, W, 3) uint8."""
    small = cv2.cvtColor(
      cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    ).astype(np.float32)
    before, self._before = self._before, small
    if before is None:
      return
    share = _changed_share(before, small)
    if self._candidate is not None and share <= MAX_SHARE_AFTER:
      self.frames.append(self._candidate)
    self._candidate = frame if share >= MIN_SHARE and self._candidate is None else None


def _changed_share(before: np.ndarray, after: np.ndarray) -> float:
  """Returns in how much of the picture another light, the same everywhere, explains no change."""
  level, change = float(before.mean()), before - before.mean()
  gain = float((change * after).sum() / max((change**2).sum(), 1.0))
  expected = gain * (before - level) + float(after.mean())
  return float((np.abs(after - expected) > CHANGED).mean())
