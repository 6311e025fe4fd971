"""Why nobody walks across the picture, looked for once nobody was found: it costs another pass."""

from __future__ import annotations

import collections
from collections.abc import Iterator

import cv2
import numpy as np
from scipy import ndimage

from grfjax.tracking import background_model, tracking_gaps

RATE_HZ = 15.0  # of the pictures that are looked at
ROWS = 90  # of them, about

# --- a treadmill
WINDOW_S, HOP_S = 2.5, 0.5  # of the film, in which steps are looked for
MIN_HEIGHT = 0.25  # of the picture, of somebody who steps on the spot
MAX_WIDTH = 1.0  # of that height
MIN_STRIDE = 0.3  # of that height, over which the lower third moves: legs that swing, seen aside
STEP_S = (0.3, 1.0)  # between two steps
ACTIVITY = 3.0  # over the median pixel's change in time; at least 1.5 gray levels
MAX_RETURN = 0.6  # of the largest change over time is left one step later: the picture returns

# --- a camera that goes along, or zooms
POINTS = 200  # whose motion is followed
CELLS = (3, 6)  # rows and columns of parts, half of which must hold points: walkers alone do not
MIN_PAN = 0.5  # of the picture's width, that the background moves one way
MIN_ZOOM = 1.1  # by which it grows, or shrinks
ONE_WAY = 0.7  # of all its motion


def explain(frames: background_model.Frames, time_s: np.ndarray) -> list[tracking_gaps.Gap]:
  """Looks for a treadmill, and for a camera that is carried beside the walker or zooms.

  Args:
    frames: of a film in which nobody crosses the picture, as it was filmed.
    time_s: (N,) of the frames.

  Returns:
    The intervals in which that is so; none where there is another reason.
  """
  fps = 1 / float(np.median(np.diff(time_s)))
  step = max(1, round(fps / RATE_HZ))
  rate, times = fps / step, time_s[::step]
  length, hop = min(len(times), round(WINDOW_S * rate)), max(1, round(HOP_S * rate))
  is_long = length >= 2 * STEP_S[1] * rate
  on_the_spot = np.zeros(len(times), bool)
  motions: list[tuple[float, float]] = []
  last: collections.deque[np.ndarray] = collections.deque(maxlen=length)
  for k, gray in enumerate(_small_grays(frames, step)):
    if last:
      motions.append(_motion(last[-1], gray))
    last.append(gray)
    part = slice(k + 1 - length, k + 1)
    if is_long and part.start >= 0 and part.start % hop == 0:
      on_the_spot[part] |= _steps(np.stack(last).astype(np.float32), rate)
  if (reason := _camera_reason(motions, gray.shape[1])) is not None:
    return [tracking_gaps.Gap(float(times[0]), float(times[-1]), reason)]
  found = np.flatnonzero(on_the_spot)
  return tracking_gaps.merge_gaps([(found, tracking_gaps.ON_THE_SPOT)], times)


def _small_grays(frames: background_model.Frames, step: int) -> Iterator[np.ndarray]:
  for k, frame in enumerate(frames):
    if k % step == 0:
      size = round(frame.shape[1] * ROWS / frame.shape[0]), ROWS
      small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
      yield cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)


def _camera_reason(motions: list[tuple[float, float]], columns: int) -> tracking_gaps.Reason | None:
  """Returns whether the background streams by, or grows or shrinks.

  Args:
    motions: of pictures to the next ones, as of `_motion`.
    columns: of the pictures.
  """
  shifts, scales = np.reshape(motions, (-1, 2)).T
  for steps, least, reason in (
    (shifts, MIN_PAN * columns, tracking_gaps.CAMERA_CARRIED),
    (scales, np.log(MIN_ZOOM), tracking_gaps.ZOOM),
  ):
    way = abs(steps.sum())
    if way > least and way > ONE_WAY * np.abs(steps).sum():
      return reason
  return None


def _motion(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
  """Returns how most of a picture (H, W) uint8 moves to the next one.

  Returns:
    The columns by which it does, and the logarithm of what it grows by; 0 where too little is seen.
  """
  points = cv2.goodFeaturesToTrack(before, POINTS, 0.01, 4)
  if points is None:
    return 0.0, 0.0
  moved, is_found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, points.copy())
  known = is_found.ravel() > 0
  start, end = points[known, 0], moved[known, 0]
  height, width = before.shape
  x, y = start.T
  cell = (y * CELLS[0] / height).astype(int) * CELLS[1] + (x * CELLS[1] / width).astype(int)
  held = np.unique(cell)
  if len(held) < CELLS[0] * CELLS[1] / 2:
    return 0.0, 0.0
  moves = np.array([np.median((end - start)[cell == c], axis=0) for c in held])
  middle = np.array([np.median(start[cell == c], axis=0) for c in held])
  return float(np.median(moves[:, 0])), float(np.log1p(_growth(middle, moves)))


def _growth(place: np.ndarray, move: np.ndarray) -> float:
  """Returns how far most places (P, 2) move apart, over their distance (Theil, 1950)."""
  first, second = np.triu_indices(len(place), 1)
  apart, moved = place[second] - place[first], move[second] - move[first]
  is_far = np.abs(apart) > np.abs(apart).max(0) / 4
  return float(np.median(moved[is_far] / apart[is_far]))


def _steps(grays: np.ndarray, rate: float) -> bool:
  """Returns whether somebody in the same place moves the legs again and again.

  Args:
    grays: (N, H, W) float32.
    rate: pictures a second.
  """
  change = np.abs(np.diff(grays, axis=0)).mean(0)
  active = change > max(ACTIVITY * float(np.median(change)), 1.5)
  joined = cv2.morphologyEx(active.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((15, 9), np.uint8))
  count, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
  if count < 2:
    return False
  best = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
  x, y, w, h = stats[best, :4]
  is_inside = x > 0 and x + w < grays.shape[2]
  if not is_inside or h < MIN_HEIGHT * grays.shape[1] or w > MAX_WIDTH * h:
    return False
  legs = slice(y + h - h // 3, y + h), slice(x, x + w)
  columns = np.flatnonzero((active & (labels == best))[legs].any(0))
  if len(columns) == 0 or np.ptp(columns) < MIN_STRIDE * h:
    return False
  series = grays[:, *legs]
  lags = np.arange(1, round(STEP_S[1] * rate) + 1)
  left = np.array([np.abs(series[lag:] - series[:-lag]).mean() for lag in lags])
  left = ndimage.uniform_filter1d(left, 3)
  highest = int(left.argmax())
  later = lags > max(lags[highest], STEP_S[0] * rate)
  return bool(later.any() and left[later].min() < MAX_RETURN * left[highest])
