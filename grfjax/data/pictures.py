"""Pictures to a size, to standardised gray, and to a frame rate: functions of arrays."""

from __future__ import annotations

import cv2
import numpy as np

GRAY_MEAN, GRAY_SD = 128, 32  # of the walker's gray values in a followed picture
_LEAST_GRAY_SD = 6.0  # a real picture has at least this much; in an even one, noise stays small
SAME_RATE = 0.02  # a video whose intervals are within 2 % of the rate is taken frame by frame


def shrink(frame: np.ndarray, size: int) -> np.ndarray:
  """Makes the paper's picture: gray and shrunk bilinearly.

  Args:
    frame: (H, W, 3) uint8 RGB.
    size: rows and columns of the result.

  Returns:
    (size, size, 1) uint8. Bilinear to the letter (OpenCV's INTER_LINEAR): most pixels are skipped.
  """
  gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
  return cv2.resize(gray, (size, size), interpolation=cv2.INTER_LINEAR)[..., None]


def standardize(picture: np.ndarray) -> np.ndarray:
  """Counts gray from the walker's mean over the walk, in standard deviations; in place.

  So neither exposure nor clothes matter, and what a network makes of a frame does not depend on
  which other frames of the walk it is shown with.

  Args:
    picture: (N, H, W, 2) uint8: gray, and how surely a pixel is the walker's (0 .. 255).

  Returns:
    The same array; gray is `GRAY_MEAN` at the mean and changes by `GRAY_SD` levels for each
    standard deviation; values over four standard deviations away are clipped.
  """
  counts = sum(
    np.bincount(p[..., 0].ravel(), weights=p[..., 1].ravel(), minlength=256) for p in picture
  )
  level = np.arange(256)
  total = max(float(np.sum(counts)), 1.0)
  mean = float(np.sum(counts * level)) / total
  deviation = float(np.sqrt(np.sum(counts * (level - mean) ** 2) / total))
  table = GRAY_MEAN + GRAY_SD * (level - mean) / max(deviation, _LEAST_GRAY_SD)
  picture[..., 0] = np.clip(np.round(table), 0, 255).astype(np.uint8)[picture[..., 0]]
  return picture


def resample(
  picture: np.ndarray, time_s: np.ndarray, fps: float, *, blend: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Brings pictures to a frame rate by their times.

  Args:
    picture: (N, H, W, C) uint8.
    time_s: (N,) increasing.
    fps: the rate wanted.
    blend: True: mix the two pictures around each instant (a followed walker moves little between
      them); False: take the nearest, each at most once, and keep its own time.

  Returns:
    (M, H, W, C) uint8, their (M,) times and the (M,) index of the picture nearest to each. The
    pictures come back as they are where every interval is within `SAME_RATE` of the rate.
  """
  steps = np.diff(time_s)
  if len(steps) == 0 or np.abs(steps * fps - 1).max() < SAME_RATE:
    return picture, time_s, np.arange(len(time_s))
  grid = np.arange(time_s[0], time_s[-1] + 1e-6, 1 / fps)
  after = np.clip(np.searchsorted(time_s, grid), 1, len(time_s) - 1)
  fraction = np.clip((grid - time_s[after - 1]) / steps[after - 1], 0, 1)
  nearest = np.where(fraction < 0.5, after - 1, after)
  if not blend:
    nearest = np.unique(nearest)
    return picture[nearest], time_s[nearest], nearest
  mixed = np.empty((len(grid), *picture.shape[1:]), np.uint8)
  for k, (i, f) in enumerate(zip(after, fraction, strict=True)):
    mixed[k] = cv2.addWeighted(picture[i - 1], 1 - f, picture[i], f, 0).reshape(mixed[k].shape)
  return mixed, grid, nearest
