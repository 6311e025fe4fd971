"""The still background of a video, and how far a picture differs from it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Protocol

import cv2
import numpy as np

from grfjax.io import halving

BACKGROUND_FRAMES = 32  # bounded, so that memory does not grow with the video
NOISE_FRAMES = 8  # of them, from which the picture noise is estimated
SEARCH_ROWS = 180  # pictures are halved for the search while at least so many rows are left
DARKEST_SHADOW = 0.7  # of the background's light that a soft shadow leaves; clothes are darker
DARKEST_ON_FLOOR = 0.5  # the same of a shadow on the floor near the feet
SMOOTHING = 1 / 240  # sigma over the picture's rows: it reduces noise more than it does a walker


class Frames(Protocol):
  """A video's frames, (H, W, 3) uint8 RGB at working scale: `working_frames.WorkingFrames`."""

  def __iter__(self) -> Iterator[np.ndarray]:
    """Yields all frames in order; can be called again and again."""
    ...

  def sample(self, count: int) -> list[np.ndarray]:
    """Returns at most `count` frames, spread over the video."""
    ...


def estimate_background(sample: list[np.ndarray]) -> tuple[np.ndarray, float]:
  """Estimates the background as the median picture of some frames.

  Args:
    sample: (H, W, 3) uint8 each.

  Returns:
    (H, W, 3) uint8 and the standard deviation of the noise (gray levels), at least 1.
  """
  median = median_picture(sample)
  return median, noise_sd(noise_sample(sample), median)


def noise_sample(sample: list[np.ndarray]) -> list[np.ndarray]:
  """Returns some of the frames, about `NOISE_FRAMES`, evenly chosen."""
  return sample[:: max(1, len(sample) // NOISE_FRAMES)]


def noise_sd(sample: list[np.ndarray], median: np.ndarray) -> float:
  """Returns the standard deviation of the frames' noise about their median, at least 1."""
  # 1.4826 is the ratio of the standard deviation to the median absolute one in normal noise.
  counts = sum(np.bincount(cv2.absdiff(f, median).ravel(), minlength=256) for f in sample)
  middle = int(np.searchsorted(np.cumsum(counts), np.sum(counts) / 2))
  return max(1.4826 * middle, 1.0)


def median_picture(pictures: list[np.ndarray]) -> np.ndarray:
  """Returns the upper median of each value, uint8.

  A sorting network (Batcher's merge exchange; Knuth, The Art of Computer Programming 3, 5.2.2 M)
  of whole pictures: minima and maxima of bytes are several times faster than partitions.
  """
  rows = list(pictures)
  for low, high in _exchanges(len(rows)):
    rows[low], rows[high] = cv2.min(rows[low], rows[high]), cv2.max(rows[low], rows[high])
  return rows[len(rows) // 2]


@functools.cache
def _exchanges(count: int) -> list[tuple[int, int]]:
  """Returns the pairs (i, j), i < j, that sort `count` items when put in order one by one."""
  pairs = []
  top = 1 << max(0, (count - 1).bit_length() - 1)
  p = top
  while p > 0:
    q, r, d = top, 0, p
    while d > 0:
      pairs += [(i, i + d) for i in range(count - d) if i & p == r]
      d, q, r = q - p, q >> 1, p
    p >>= 1
  return pairs


def search_picture(picture: np.ndarray) -> np.ndarray:
  """Returns the picture in which walkers are searched for: reduced and smoothed.

  It is smoothed before the sign of the difference to the background is lost, as noise then averages
  out, while clothes near the wall's colour do not.
  """
  return smoothed(reduced(picture))


def search_reduction(rows: int) -> int:
  """Returns how many rows of a picture of so many become one of its search picture."""
  size = 1
  while rows // (2 * size) >= SEARCH_ROWS:
    size *= 2
  return size


def reduced(picture: np.ndarray) -> np.ndarray:
  """Returns a picture as small as its search picture."""
  while picture.shape[0] // 2 >= SEARCH_ROWS:
    picture = halving.halved(picture)
  return picture


def smoothed(picture: np.ndarray) -> np.ndarray:
  """Returns a reduced picture as smooth as its search picture."""
  return cv2.GaussianBlur(picture, (0, 0), picture.shape[0] * SMOOTHING)


def difference(frame: np.ndarray, background: np.ndarray) -> np.ndarray:
  """Returns the largest difference to the background over the colours, (H, W) uint8."""
  red, green, blue = cv2.split(cv2.absdiff(frame, background))
  return cv2.max(cv2.max(red, green), blue)


def difference_to_shaded(
  frame: np.ndarray, background: np.ndarray, darkest: float = DARKEST_SHADOW
) -> np.ndarray:
  """Returns the largest difference to the background in that shadow that explains it best.

  A shadow takes the same share of all colours. Clothes that are a little darker than a wall of
  their colour are taken for its shadow, too.

  Args:
    frame: (H, W, 3) uint8.
    background: (H, W, 3) uint8.
    darkest: share of the background's light that the darkest shadow leaves.

  Returns:
    (H, W) uint8.
  """
  # Plane by plane, as NumPy is slow along an axis of three.
  seen, empty = ([p.astype(np.float32) for p in cv2.split(q)] for q in (frame, background))
  products = sum(s * e for s, e in zip(seen, empty, strict=True))
  light = products / np.maximum(sum(e * e for e in empty), 1)
  light = np.clip(light, darkest, 1)
  red, green, blue = (np.abs(s - light * e) for s, e in zip(seen, empty, strict=True))
  return np.round(np.maximum(np.maximum(red, green), blue)).astype(np.uint8)
