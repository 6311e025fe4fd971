"""Whether the camera stands still, from how the picture's sides move."""

from __future__ import annotations

import cv2
import numpy as np

LOOK_S = 0.25  # from look to look
# Of the picture's rows, from one look to the next, or away from where it mostly stands. A slower or
# smaller shake moves a walker of 0.7 of the picture by under 1.5 % of a body height.
MOVED = 0.01
SIDE = 4  # one part in so many of the width, at either side: nobody is in both at once
ALIKE = 0.3  # by which share both sides' motions may differ, besides half a pixel


class Camera:
  """Finds the frames in which the camera moves.

  A walker moves one side of the picture and not the other; a camera moves both alike.

  Attributes:
    moving: (first frame, last), in order.
  """

  def __init__(self, background: np.ndarray, fps: float):
    """Takes the picture without the walker, (H, W, 3) uint8, and frames a second."""
    self._back = self._last = _sides(background)
    self._step = max(1, round(LOOK_S * fps))
    self._least = MOVED * background.shape[0]
    self._seen = 0
    self.moving: list[tuple[int, int]] = []

  def add(self, frame: int, picture: np.ndarray) -> None:
    """Takes the next frame's picture, of the background's size."""
    if frame % self._step:
      return
    sides = _sides(picture)
    before, self._last = self._last, sides
    moved = _moved(self._back, sides)
    if frame:
      moved = max(moved, _moved(before, sides))
    if moved > self._least:
      self.moving.append((self._seen, frame))
    self._seen = frame

  def stands(self, frames: np.ndarray) -> np.ndarray:
    """(K,) bool, for (K,) frames looked at so far."""
    still = np.ones(len(frames), bool)
    for first, last in self.moving:
      still &= (frames < first) | (frames > last)
    return still


def _sides(picture: np.ndarray) -> list[np.ndarray]:
  gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
  width = gray.shape[1] // SIDE
  return [gray[:, :width], gray[:, -width:]]


def _moved(before: list[np.ndarray], after: list[np.ndarray]) -> float:
  """Pixels by which both sides moved; 0 where they do not agree."""
  window = cv2.createHanningWindow(before[0].shape[::-1], cv2.CV_32F)
  left, right = (
    np.array(cv2.phaseCorrelate(a, b, window)[0]) for a, b in zip(before, after, strict=True)
  )
  both = (left + right) / 2
  apart = float(np.hypot(*(left - right)))
  length = float(np.hypot(*both))
  return length if apart < ALIKE * length + 0.5 else 0.0
