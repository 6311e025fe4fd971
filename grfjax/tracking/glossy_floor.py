"""Where a polished or wet floor shows a walker's feet once more, upside down and below them.

Such a reflection hangs on the feet and would be taken for legs. About the line on which the feet
stand the picture is its own mirror image, only fainter below; nowhere else about the feet of
somebody without a reflection are 16 frames so on the median.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import cv2
import numpy as np

from grfjax.tracking import linking, walker_track

SAMPLED = 16  # frames of a walk
OFFSETS = np.arange(0, 0.302, 0.005)  # body heights over the lowest rows, where the line may be
PATCH = 0.12  # body heights above the line and below it, that are compared
MIN_PATCH = 0.05  # of them in the picture
WIDTH = 0.4  # body heights to either side

# Correlation from above and below the line: 0.94 to 0.99 on drawn floors that reflect 0.15 or more;
# elsewhere about the feet at most 0.76 in all walks looked at. Where the picture's edge cuts the
# legs it is up to 0.9 about a knee or the hips, but what is below is as bright there, 0.67 or more.
MIN_ALIKE = 0.9
MAX_GLOSS = 0.6  # of what is above the line is seen below, by a fitted line's slope
MAX_OTHER = 0.15  # by which the ratio of both sums, with the picture's noise, may differ from it


def find(differences: Iterable[np.ndarray], place: np.ndarray) -> float | None:
  """Looks for the line between feet and their reflection.

  Args:
    differences: (h, w) uint8 to the background, of K frames of a walk.
    place: (K, 3) column of the walker, lowest row, and height, in their pixels.

  Returns:
    How many body heights it is above the lowest row; None without a reflection.
  """
  alike = np.full((len(place), len(OFFSETS), 3), np.nan)
  for k, difference in enumerate(differences):
    x, lowest, height = place[k].tolist()
    columns = slice(max(0, round(x - WIDTH * height)), round(x + WIDTH * height))
    smooth = cv2.GaussianBlur(difference[:, columns].astype(np.float32), (0, 0), height / 120)
    for i, offset in enumerate(OFFSETS):
      line, half = divmod(round(2 * (lowest - offset * height)), 2)  # it may be amid a row
      rows = min(round(PATCH * height), len(smooth) - line - half, line)
      if rows >= MIN_PATCH * height:
        below = smooth[line + half :][:rows]
        alike[k, i] = _compare(smooth[line - rows : line][::-1], below)
  known = np.isfinite(alike[..., 0]).sum(0) > len(place) / 2
  if not known.any():
    return None
  correlation, gloss, ratio = np.nanmedian(alike[:, known], 0).T
  is_fainter = (gloss < MAX_GLOSS) & (np.abs(ratio - gloss) < MAX_OTHER)
  best = int(np.argmax(np.where(is_fainter, correlation, -1)))
  return float(OFFSETS[known][best]) if is_fainter[best] and correlation[best] > MIN_ALIKE else None


def cut(track: linking.BlobTrack, smooth: walker_track.Track, gloss: float) -> linking.BlobTrack:
  """Returns a walker's blobs without what is below the feet.

  Args:
    track: the blobs.
    smooth: the same, smooth in time.
    gloss: what `find` returns.
  """
  frame = [b.frame for b in track]
  floor = np.interp(frame, smooth.frame, smooth.floor - gloss * smooth.height)
  return [
    dataclasses.replace(b, bottom=min(b.bottom, row), is_cut=False)
    for b, row in zip(track, floor.tolist(), strict=True)
  ]


def _compare(above: np.ndarray, below: np.ndarray) -> tuple[float, float, float]:
  """Returns two patches' correlation, the slope of the second over the first, and their ratio."""
  one, other = above - above.mean(), below - below.mean()
  product, square = float((one * other).sum()), float((one * one).sum())
  both, total = np.sqrt(square * float((other * other).sum())), float(above.sum())
  if not both or not total:
    return 0.0, 0.0, 0.0
  return product / both, product / square, float(below.sum()) / total
