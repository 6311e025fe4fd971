"""Medians as NumPy's to the last bit, but several times faster; of numbers that are not NaN."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Sequence

import numpy as np

from grfjax.io import cores

_ROWS = 4  # of pictures, sorted together: what fits into the processor's cache


def median(values: np.ndarray) -> float:
  """Returns the median of floating-point numbers of any shape, at least one."""
  middle = values.size // 2
  ordered = np.partition(values, middle, None)
  if values.size % 2:
    return float(ordered[middle])
  return float((ordered[:middle].max() + ordered[middle]) / 2)


def median_picture(pictures: Sequence[np.ndarray]) -> np.ndarray:
  """Returns the median of each pixel of (H, W) pictures, of their type of floating-point number."""
  result = np.empty_like(pictures[0])
  low, high = (len(pictures) - 1) // 2, len(pictures) // 2

  def fill(row: int) -> None:
    values = np.stack([picture[row : row + _ROWS] for picture in pictures], -1)
    values.sort(-1)
    result[row : row + _ROWS] = (values[..., low] + values[..., high]) / 2

  # NumPy releases Python's lock while it sorts.
  with concurrent.futures.ThreadPoolExecutor(cores.usable_cores()) as pool:
    list(pool.map(fill, range(0, len(result), _ROWS)))
  return result
