"""Whether the camera stands still, from how the parts of the picture move."""

from __future__ import annotations

import cv2
import numpy as np

LOOK_S = 0.25  # from look to look

# Of the picture's rows, from one look to the next, or from where it mostly stands. A shake below it
# moves a walker by about 1 % of a body height; of cameras that stand, none seems to move by half.
MOVED = 0.01

MOVED_PIXELS = 1.5  # in tiny pictures compression seems to move everything by half of one

PARTS = (2, 6)  # rows and columns of parts that are looked at each by itself

ALIKE = 0.1  # by which share the motions of parts may differ, besides half a pixel

LEAST_PARTS = 4  # that move alike, and more than stand still: a few without pattern do by chance

LEAST_SPAN = 4  # columns from the first of them to the last: a walker is no wider than half of it

# Of the whole picture's change, if it is moved as they did: plain walls show the noise's motion
# alone, and what has a pattern then fits worse than before.
FOLLOWED = 0.7

AGAIN_S = 1.0  # a camera that stands for less is still on the move


class Camera:
  """Finds the frames in which the camera moves: parts all over the picture move alike."""

  def __init__(self, background: np.ndarray, fps: float):
    """Takes the picture without the walker, (H, W, 3) uint8, and frames a second."""
    self._back = self._last = _Look(background)
    self._every = max(1, round(LOOK_S * fps))
    self._again = round(AGAIN_S * fps)
    self._least = max(MOVED * background.shape[0], MOVED_PIXELS)
    self._moved: list[tuple[int, int]] = []

  def add(self, frame: int, picture: np.ndarray) -> None:
    """Takes the next frame's picture, of the background's size."""
    if frame % self._every:
      return
    look = _Look(picture)
    before, self._last = self._last, look
    if _moved(self._back, look, self._least) or (frame and _moved(before, look, self._least)):
      first, last = max(0, frame - self._every), frame + self._every
      if self._moved and first - self._moved[-1][1] <= self._again:
        first = self._moved.pop()[0]
      self._moved.append((first, last))

  def moving(self) -> list[tuple[int, int]]:
    """(First frame, last) of every stretch so far in which the camera moves."""
    return list(self._moved)


class _Look:
  """A picture (H, W, 3) in gray, and its parts (P, h, w) fading out to their edges; float32."""

  def __init__(self, picture: np.ndarray):
    self.gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    rows, columns = PARTS
    height, width = self.gray.shape[0] // rows, self.gray.shape[1] // columns
    blocks = self.gray[: rows * height, : columns * width].reshape(rows, height, columns, width)
    parts = blocks.swapaxes(1, 2).reshape(-1, height, width)
    # Not left to phaseCorrelate, which multiplies its arguments themselves by the window.
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    self.parts = (parts - parts.mean((1, 2), keepdims=True)) * window


def _moved(before: _Look, after: _Look, least: float) -> bool:
  """Whether parts all over the picture moved alike, by at least so many pixels."""
  pairs = zip(before.parts, after.parts, strict=True)
  moves = np.array([cv2.phaseCorrelate(a, b)[0] for a, b in pairs])
  length = np.hypot(*moves.T)
  still = int((length < least).sum())
  column = np.arange(len(moves)) % PARTS[1]
  for move, far in zip(moves, length, strict=True):
    alike = np.hypot(*(moves - move).T) < ALIKE * far + 0.5
    most = alike.sum() >= max(LEAST_PARTS, still + 1)
    wide = np.ptp(column[alike]) >= LEAST_SPAN
    if far > least and most and wide and _follows(before.gray, after.gray, move):
      return True
  return False


def _follows(before: np.ndarray, after: np.ndarray, move: np.ndarray) -> bool:
  """Whether a picture (H, W) becomes the other by the move (right, down), in pixels."""
  height, width = after.shape
  turn = np.array([[1, 0, move[0]], [0, 1, move[1]]])
  moved = cv2.warpAffine(before, turn, (width, height))
  across, down = (int(np.ceil(abs(m))) for m in move)
  inside = slice(down, height - down), slice(across, width - across)  # what both show
  left = np.abs(after - moved)[inside].mean()
  return bool(left < FOLLOWED * np.abs(after - before)[inside].mean())
