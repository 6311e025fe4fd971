"""The window that follows the walker, cut out of every frame of a crossing."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from grfjax.tracking import crossings, walker_track

MARGIN = 1.15  # window height in body heights
ANKLE = 0.1  # body heights over the floor line, up to which shadows on the floor are taken away
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


def to_window(place: np.ndarray, box: np.ndarray, direction: int) -> np.ndarray:
  """Returns where places of the picture are in a window.

  Args:
    place: (..., 2) column and row.
    box: (..., 4) left, top, width and height of the window, in the same pixels; NaN where there is
      none.
    direction: +1: the walker goes to the picture's right; -1: to its left.

  Returns:
    (..., 2) walker's heights: forward from the window's middle, and up from its floor line.
  """
  middle, floor, height = _frame_of_reference(box)
  forward = direction * (place[..., 0] - middle) / height
  return np.stack([forward, (floor - place[..., 1]) / height], -1)


def to_picture(place: np.ndarray, box: np.ndarray, direction: int) -> np.ndarray:
  """Returns where places of a window are in the picture: the inverse of `to_window`.

  Args:
    place: (..., 2) walker's heights, forward and up.
    box: (..., 4) as in `to_window`.
    direction: likewise.

  Returns:
    (..., 2) column and row.
  """
  middle, floor, height = _frame_of_reference(box)
  column = middle + direction * place[..., 0] * height
  return np.stack([column, floor - place[..., 1] * height], -1)


def _frame_of_reference(box: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns the column of a window's middle, the row of its floor, and the walker's height."""
  left, top, width, height = np.moveaxis(box, -1, 0)
  return left + width / 2, top + (1 - FLOOR) * height, height / MARGIN


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
  around = boxes(track, rows, columns, wide)
  ankles = np.round(track.floor - ANKLE * track.height)
  for i, planes in enumerate(crossing.planes.around(around, ankles)):
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
    gray, difference = (
      cv2.warpAffine(plane, to_picture, fine_size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
      for plane in planes
    )
    foreground = cv2.LUT(cv2.GaussianBlur(difference, (0, 0), 0.7), ramp)
    channels = [
      cv2.resize(channel, (columns, rows), interpolation=cv2.INTER_AREA)
      for channel in (gray, foreground)
    ]
    yield np.stack(channels, axis=-1)
