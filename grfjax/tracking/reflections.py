"""Which moving shapes are reflections of a walker, in a mirror, in glass or on a screen.

A plane mirror shows a walker as somebody who is as far behind it. Let the camera look along z, the
walker be Z away and the mirror M, parallel to the way. By the pinhole camera the image is at

    x' - c = s (x - c),   s = Z / (2 M - Z) < 1,

c the column in which the camera would see itself, and it is s times as tall: a line in the walker's
place, whose slope is the ratio of the heights. The camera looks across the way, so that c is in the
picture; of somebody who walks behind the walker or ahead it is far outside. A mirror across the way
shows x' = 2 p - x, equally tall; neither ever passes the mirror at p, so that two who meet are two
people. In both the legs swing at the same time, which those of somebody beside the walker do
neither so exactly nor for long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from grfjax.tracking import blobs

MIN_SHARED_S = 0.5  # that both are seen at the same time, clear of the picture's sides
# Share of an image's frames in which its walker is seen as well: a mirror may show somebody a
# little before the picture does.
MIN_ACCOMPANIED = 0.7
MIN_WAY = 0.25  # of their own heights that both go meanwhile, half of a walk
MAX_OFF = 0.05  # of its height, by which an image's place is off the line (the median)
SLOPES = (0.2, 0.85)  # in a mirror along the way, some decimetres behind it or more
ACROSS = (-1.1, -0.9)  # in a mirror across it
SIZES = (0.88, 1.12)  # height of a whole image over slope times the walker's
LEGS = 0.45  # body heights over the walker's feet; what ends above shows no legs
MAX_SIZE_SPREAD = 0.06  # of the ratio of heights, median from the median
MIN_SWING = 0.03  # body heights (standard deviation) of the feet's reach, so that steps are seen
SMOOTHED_S = 0.03  # sigma in time: shapes flicker, steps do not
MIN_IN_PHASE = 0.85  # correlation of the feet's reach
MAX_LAG_S = 0.3  # by which it is tried whether another time fits better: half a step
IN_PHASE_S = 0.025


class _Shared(NamedTuple):
  """What two tracks are in the frames in which both are seen, (K,) each."""

  frame: np.ndarray
  x: np.ndarray
  height: np.ndarray
  bottom: np.ndarray
  feet: np.ndarray


def is_reflection(
  image: list[blobs.Blob], walker: list[blobs.Blob], columns: int, fps: float
) -> bool:
  """Returns whether a track is a reflection of the person of another one.

  Args:
    image: blobs of the track.
    walker: of the other one.
    columns: of the picture, in working pixels: what its sides cut has no true place.
    fps: frames a second.
  """
  one, other = _shared(image, walker, columns), _shared(walker, image, columns)
  seen = {blob.frame for blob in walker}
  accompanied = sum(blob.frame in seen for blob in image)
  if len(one.frame) < MIN_SHARED_S * fps or accompanied < MIN_ACCOMPANIED * len(image):
    return False
  tall, image_tall = float(np.median(other.height)), float(np.median(one.height))
  slope, start = np.polyfit(other.x, one.x, 1)
  off = float(np.median(np.abs(one.x - slope * other.x - start)))
  if (
    np.ptp(other.x) < MIN_WAY * tall
    or abs(slope) * np.ptp(other.x) < MIN_WAY * image_tall
    or off > MAX_OFF * image_tall
    or not (_is_along(slope, start, columns) or _is_across(slope, image, walker))
  ):
    return False
  size = image_tall / (abs(slope) * tall)
  if not shows_legs(image, walker) and slope > 0:
    return size < SIZES[1]  # the mirror's lower edge cuts it
  ratio = one.height / other.height
  return bool(
    SIZES[0] < size < SIZES[1]
    and np.median(np.abs(ratio - np.median(ratio))) < MAX_SIZE_SPREAD
    and _are_in_phase(one, other, fps)
  )


def shows_legs(image: list[blobs.Blob], walker: list[blobs.Blob]) -> bool:
  """Returns whether an image reaches down to where the walker's legs are.

  Args:
    image: blobs of a reflection.
    walker: of whom it reflects.
  """
  feet = float(np.median([b.bottom for b in walker]))
  tall = float(np.median([b.height for b in walker]))
  return float(np.percentile([b.bottom for b in image], 90)) > feet - LEGS * tall


def _shared(track: list[blobs.Blob], other: list[blobs.Blob], columns: int) -> _Shared:
  """Returns a track in the frames that it shares with another, both clear of the sides."""
  inside = [{b.frame: b for b in t if b.left > 1 and b.right < columns - 1} for t in (track, other)]
  frames = sorted(inside[0].keys() & inside[1].keys())
  seen = [inside[0][k] for k in frames]
  columns_of = (
    [getattr(b, name) for b in seen] for name in ('x', 'height', 'bottom', 'feet_width')
  )
  return _Shared(np.array(frames), *(np.array(c, float) for c in columns_of))


def _is_along(slope: float, start: float, columns: int) -> bool:
  """Returns whether the line x' = start + slope x is that of a mirror along the way."""
  return SLOPES[0] < slope < SLOPES[1] and 0 <= start / (1 - slope) <= columns


def _is_across(slope: float, image: list[blobs.Blob], walker: list[blobs.Blob]) -> bool:
  """Returns whether the slope is that of a mirror across the way, and it shows a part of it."""
  ends = len(image) < len(walker)
  return ACROSS[0] < slope < ACROSS[1] and ends and not (image[-1].meets or walker[-1].meets)


def _are_in_phase(one: _Shared, other: _Shared, fps: float) -> bool:
  """Returns whether the feet of two swing together, more than at any other time."""
  every = np.arange(one.frame[0], one.frame[-1] + 1)
  reach = [
    _swing(np.interp(every, s.frame, s.feet / np.median(s.height)), SMOOTHED_S * fps)
    for s in (one, other)
  ]
  if min(r.std() for r in reach) < MIN_SWING:
    return False
  most = min(round(MAX_LAG_S * fps), len(every) // 2)
  lags = np.arange(-most, most + 1)
  fits = [_correlation(reach[0], reach[1], lag) for lag in lags.tolist()]
  return bool(fits[most] > MIN_IN_PHASE and abs(lags[int(np.argmax(fits))]) <= IN_PHASE_S * fps)


def _swing(reach: np.ndarray, sigma: float) -> np.ndarray:
  """Returns a feet's reach (K,), smooth and without what changes all the way."""
  k = np.arange(len(reach))
  return ndimage.gaussian_filter1d(reach - np.polyval(np.polyfit(k, reach, 1), k), sigma)


def _correlation(one: np.ndarray, other: np.ndarray, lag: int) -> float:
  """Returns the correlation of (K,) values with others `lag` later."""
  count = len(one) - abs(lag)
  return float(np.corrcoef(one[max(0, -lag) :][:count], other[max(0, lag) :][:count])[0, 1])
