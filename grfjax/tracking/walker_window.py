"""The window that follows the walker, cut out of every frame of a crossing."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from grfjax.tracking import crossings, walker_track

MARGIN = 1.15  # window height in body heights
FLOOR = 0.05  # the floor line's distance from the window's bottom, in window heights


def boxes(track: walker_track.Track, rows: int, columns: int, wide: int = 1) -> np.ndarray:
  """Returns where the windows lie that `windows` cuts for the same arguments.

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
    crossing: a walk across the picture.
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
    # Sample at about the picture's own pixels, then average.
    oversampling = max(1, int(np.ceil(step)))
    fine_size = (columns * wide * oversampling, rows * oversampling)
    fine_step = step / oversampling
    # (column, row) of the picture for each of the fine window's; a pixel's centre is at +0.5.
    left = track.x[i] - track.direction * fine_step * (fine_size[0] - 1) / 2 - 0.5
    top = track.floor[i] - fine_step * (fine_size[1] * (1 - FLOOR) - 0.5) - 0.5
    to_picture = np.array([[track.direction * fine_step, 0, left], [0, fine_step, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    fine = cv2.warpAffine(
      planes, to_picture, fine_size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    gray, difference = cv2.split(fine)
    foreground = cv2.LUT(cv2.GaussianBlur(difference, (0, 0), 0.7), ramp)
    channels = [
      cv2.resize(channel, (columns, rows), interpolation=cv2.INTER_AREA)
      for channel in (gray, foreground)
    ]
    yield np.stack(channels, axis=-1)
