"""The window that follows the walker, cut out of every frame of a crossing."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from grfjax.tracking import crossings, walker_track

MARGIN = 1.15  # window height in body heights

FLOOR = 0.05  # the floor line's distance from the window's bottom, in window heights


def boxes(track: walker_track.Track, rows: int, columns: int, wide: int = 1) -> np.ndarray:
  """Where `windows` of so many rows and columns lie; arguments as there.

  Returns:
    (K, 4) left, top, width and height in working pixels; 0 is the picture's edge, not the middle of
    its first pixel. A box may reach out of the picture.
  """
  height = MARGIN * track.height
  width = height * columns * wide / rows
  top = track.floor - (1 - FLOOR) * height
  return np.stack([track.x - width / 2, top, width, height], -1)


def windows(
  crossing: crossings.Crossing, rows: int, columns: int, wide: int = 1
) -> Iterator[np.ndarray]:
  """Cuts the walker out of every frame of a crossing, always walking to the right.

  Args:
    crossing: from `crossings`.
    rows: height of a window, `MARGIN` body heights.
    columns: width of a window; a full stride with the arms is about 0.8 body heights.
    wide: width of a window's pixel over its height.

  Yields:
    (rows, columns, 2) uint8: gray, and how far the pixel is from the background (0 is background,
    255 surely the walker). Outside the picture both repeat its edge.
  """
  track = crossing.track
  low, high = 3 * track.noise, max(40.0, 12 * track.noise)
  ramp = np.clip((np.arange(256) - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
  for i, planes in enumerate(crossing.planes):
    step = MARGIN * track.height[i] / rows  # working pixels a window pixel
    over = max(1, int(np.ceil(step)))  # sample at about the picture's own pixels, then average
    big = (columns * wide * over, rows * over)
    fine = step / over
    # (column, row) of the picture for each of the fine window's; a pixel's centre is at +0.5.
    left = track.x[i] - track.direction * fine * (big[0] - 1) / 2 - 0.5
    top = track.floor[i] - fine * (big[1] * (1 - FLOOR) - 0.5) - 0.5
    turn = np.array([[track.direction * fine, 0, left], [0, fine, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    here = cv2.warpAffine(planes, turn, big, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    gray, apart = cv2.split(here)
    far = cv2.LUT(cv2.GaussianBlur(apart, (0, 0), 0.7), ramp)
    small = (columns, rows)
    both = [cv2.resize(c, small, interpolation=cv2.INTER_AREA) for c in (gray, far)]
    yield np.stack(both, axis=-1)
