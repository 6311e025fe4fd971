"""Whether the camera stands still, from how the parts of the picture move."""

from __future__ import annotations

import cv2
import numpy as np

INTERVAL_S = 0.25  # between the pictures that are compared

# Least shift over the picture's rows, from one compared picture to the next or from the background.
# A smaller shake moves a walker by about 1 % of a body height; no camera that stands still has been
# found to move by half of it.
MIN_SHIFT = 0.01
MIN_SHIFT_PIXELS = 1.5  # in tiny pictures compression seems to move everything by half a pixel
GRID = (2, 6)  # rows and columns of parts, whose shifts are estimated one by one
TOLERANCE = 0.1  # share by which the shifts of parts may differ, besides half a pixel

# Parts that must move alike, and more than stand still: a few without a pattern do so by chance.
MIN_PARTS = 4
MIN_SPAN = 4  # columns from the first of them to the last: a walker is no wider than half of it

# Most that may be left of the whole picture's change once it is shifted as the parts were: plain
# walls show the noise's shift alone, and what has a pattern then fits worse than before.
MAX_RESIDUAL = 0.7
MIN_STILL_S = 1.0  # a camera that stands for less counts as moving throughout


class CameraMotion:
  """Finds the frames in which the camera moves: parts all over the picture move alike."""

  def __init__(self, background: np.ndarray, fps: float):
    """Starts at the background.

    Args:
      background: (H, W, 3) uint8, the picture without the walker.
      fps: frames a second.
    """
    self._background = self._previous = _GrayParts(background)
    self._step = max(1, round(INTERVAL_S * fps))
    self._min_still = round(MIN_STILL_S * fps)
    self._min_shift = max(MIN_SHIFT * background.shape[0], MIN_SHIFT_PIXELS)
    self._intervals: list[tuple[int, int]] = []

  def add(self, frame: int, picture: np.ndarray) -> None:
    """Takes the next frame's picture, of the background's size."""
    if frame % self._step:
      return
    current = _GrayParts(picture)
    previous, self._previous = self._previous, current
    if _is_shifted(self._background, current, self._min_shift) or (
      frame and _is_shifted(previous, current, self._min_shift)
    ):
      first, last = max(0, frame - self._step), frame + self._step
      if self._intervals and first - self._intervals[-1][1] <= self._min_still:
        first = self._intervals.pop()[0]
      self._intervals.append((first, last))

  def moving_intervals(self) -> list[tuple[int, int]]:
    """Returns (first frame, last frame) of each interval so far in which the camera moves."""
    return list(self._intervals)


class _GrayParts:
  """A picture in gray, and its parts.

  Attributes:
    gray: (H, W) float32.
    parts: (P, h, w) float32, less their means and fading out to their edges.
  """

  def __init__(self, picture: np.ndarray):
    self.gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rows, columns = GRID
    height, width = self.gray.shape[0] // rows, self.gray.shape[1] // columns
    blocks = self.gray[: rows * height, : columns * width].reshape(rows, height, columns, width)
    parts = blocks.swapaxes(1, 2).reshape(-1, height, width)
    # Not left to phaseCorrelate, which multiplies its arguments themselves by the window.
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    self.parts = (parts - parts.mean((1, 2), keepdims=True)) * window


def _is_shifted(before: _GrayParts, after: _GrayParts, min_shift: float) -> bool:
  """Returns whether parts all over the picture moved alike, by more than `min_shift` pixels."""
  pairs = zip(before.parts, after.parts, strict=True)
  shifts = np.array([cv2.phaseCorrelate(a, b)[0] for a, b in pairs])
  lengths = np.hypot(*shifts.T)
  still_count = int((lengths < min_shift).sum())
  column = np.arange(len(shifts)) % GRID[1]
  for shift, length in zip(shifts, lengths, strict=True):
    alike = np.hypot(*(shifts - shift).T) < TOLERANCE * length + 0.5
    is_majority = alike.sum() >= max(MIN_PARTS, still_count + 1)
    is_wide = np.ptp(column[alike]) >= MIN_SPAN
    if (
      length > min_shift and is_majority and is_wide
      and _explains_change(before.gray, after.gray, shift)
    ):  # fmt: skip
      return True
  return False


def _explains_change(before: np.ndarray, after: np.ndarray, shift: np.ndarray) -> bool:
  """Returns whether one picture (H, W) becomes the other by the shift (right, down) in pixels."""
  height, width = after.shape
  translation = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
  shifted = cv2.warpAffine(before, translation, (width, height))
  right, down = (int(np.ceil(abs(pixels))) for pixels in shift)
  overlap = slice(down, height - down), slice(right, width - right)  # what both pictures show
  residual = np.abs(after - shifted)[overlap].mean()
  return bool(residual < MAX_RESIDUAL * np.abs(after - before)[overlap].mean())
