"""The still background of a video, and how far a picture differs from it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Protocol

import cv2
import numpy as np

from grfjax.io import working_frames

BACKGROUND_FRAMES = 32  # bounded, so memory does not grow with the video

SEARCH_ROWS = 180  # walkers are looked for in a picture halved while so many rows are left

SMOOTH = 1 / 240  # of the picture's rows: noise is smaller in a smoothed picture, a walker is not


class Frames(Protocol):
  """A video's frames, (H, W, 3) uint8 RGB at working scale: `working_frames.WorkingFrames`."""

  def __iter__(self) -> Iterator[np.ndarray]:
    """All of them, in order; again and again."""
    ...

  def sample(self, count: int) -> list[np.ndarray]:
    """At most so many of them, spread over the video."""
    ...


def background(sample: list[np.ndarray]) -> tuple[np.ndarray, float]:
  """Median picture of some frames.

  Args:
    sample: (H, W, 3) uint8 each.

  Returns:
    (H, W, 3) uint8 and the standard deviation of the noise (gray levels), at least 1.
  """
  median = _median(sample)
  return median, noise(sample[:: max(1, len(sample) // 8)], median)


def _median(pictures: list[np.ndarray]) -> np.ndarray:
  """The upper median of each value, uint8.

  A sorting network (Batcher's merge exchange; Knuth, The Art of Computer Programming 3, 5.2.2 M)
  of whole pictures: minima and maxima of bytes are several times faster than partitions.
  """
  rows = list(pictures)
  for low, high in _exchanges(len(rows)):
    rows[low], rows[high] = cv2.min(rows[low], rows[high]), cv2.max(rows[low], rows[high])
  return rows[len(rows) // 2]


@functools.cache
def _exchanges(count: int) -> list[tuple[int, int]]:
  """Pairs (i, j), i < j, to be put in order, one after the other, to sort so many items."""
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


def _smoothed(picture: np.ndarray) -> np.ndarray:
  return cv2.GaussianBlur(picture, (0, 0), picture.shape[0] * SMOOTH)


def search_picture(picture: np.ndarray) -> np.ndarray:
  """What a walker is looked for in: small, and smoothed before the difference's sign is lost, as
  noise then averages out, while clothes near the wall's colour do not.
  """
  while picture.shape[0] // 2 >= SEARCH_ROWS:
    picture = working_frames.halved(picture)
  return _smoothed(picture)


def noise(sample: list[np.ndarray], median: np.ndarray) -> float:
  # 1.4826 is the ratio of the standard deviation to the median absolute one in normal noise.
  counts = sum(np.bincount(cv2.absdiff(f, median).ravel(), minlength=256) for f in sample)
  middle = int(np.searchsorted(np.cumsum(counts), np.sum(counts) / 2))
  return max(1.4826 * middle, 1.0)


def difference(frame: np.ndarray, back: np.ndarray) -> np.ndarray:
  """Largest difference to the background over the colours, (H, W) uint8."""
  red, green, blue = cv2.split(cv2.absdiff(frame, back))
  return cv2.max(cv2.max(red, green), blue)
