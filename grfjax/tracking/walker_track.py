"""Where the walker is in each frame, smooth in time."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

import cv2
import numpy as np
from scipy import ndimage

from grfjax import mask_runs
from grfjax.tracking import blobs, linking

# By which a walker's height, or the row of the feet in body heights, may change in the picture over
# a walk: who comes so much nearer shows mostly the front. In walks past a camera it is under 0.1.
MAX_OBLIQUE = 0.4

# The row of the feet may also change by this share of the way across: the camera may be held a
# little askew.
MAX_TILT = 0.4
MIN_UNCUT = 0.25  # of a walker's blobs are clear of the picture's lower edge, if the feet are in it

# A frame in which the walker's surroundings change by less than so much of what they do in one of
# the frames around it repeats the one before; of walkers filmed frame by frame it is over 0.3.
REPEATED = 0.2
REPEAT_REACH = 3  # frames around it, before and after
LINE_POINTS = 24  # of a track, through which lines are tried
MUCH_SMALLER = 0.5  # median error of a line over another's, that makes it the better one

# Body heights by which shadows may pull the window aside. In the rooms that networks learn from
# they do less; soft ones on a wall close behind the walker do by over 0.1, and more and more.
MAX_PULL = 0.05

MAX_JUMP = 0.12  # body heights from one frame to the next beside a steady walk; walks have 0.04
SAME_SIZE = 0.15  # share by which a walker's height differs then
OTHER_PICTURE = 1.6  # over the usual change of the walker's picture from frame to frame
JUMP_FRAMES = 6  # before and after, through which lines are laid

# Mean difference of two walks' outlines, in body heights, over a stretch of them: two walks of
# one person differ by more in their steps' places alone.
SAME_OUTLINE = 0.006
SAME_S = 0.75

# Body heights over which feet reach that step past the camera: 0.47 and more in a tenth of all
# frames of every walk looked at, and 0.2 seen from the front.
MIN_STRIDE = 0.25
STRIDE_S = 1.2  # in which they do once: the longest step
MAX_HEAD = 0.4  # body heights over which a head reaches; of all walks the median was under 0.32
MIN_FEET = 1.3  # over the head's, the feet's reach of somebody seen from the side

HIDDEN_FEET = 0.15  # body heights over the floor, of the lowest part that is seen
HIDDEN_S = 0.2
ABRUPT = 0.1  # body heights by which that part rises within three frames, as feet vanish

EDGE_SIGMA_S = 0.5  # over which it is looked whether the picture's edge cuts the body
MOSTLY_CUT = 0.6  # of the frames around

CENTRE_SIGMA_S = 0.25  # smoothing of the window's path: slower than a step, faster than a turn


@dataclasses.dataclass(frozen=True)
class Track:
  """Where the walker is, smooth in time, in working pixels.

  Attributes:
    frame: (K,) int, consecutive frame indices.
    x: (K,) the window's centre column.
    floor: (K,) the row of the floor line under the feet.
    height: (K,) the walker's height in the picture.
    direction: +1 walks to the picture's right, -1 to the left.
    background: (H, W, 3) uint8, the picture without the walker.
    noise: the picture noise's standard deviation in gray levels.
    repeats: (K,) bool, frames that show the walker as the frame before does.
  """

  frame: np.ndarray
  x: np.ndarray
  floor: np.ndarray
  height: np.ndarray
  direction: int
  background: np.ndarray
  noise: float
  repeats: np.ndarray


def is_oblique(track: linking.BlobTrack, columns: int) -> bool:
  """Returns whether someone comes nearer or goes away (or climbs, or jumps down).

  Args:
    track: blobs of one person.
    columns: of the picture, in working pixels.

  Returns:
    True if the walker does so instead of walking past.
  """
  track = _inside_picture(track, columns)
  part = max(1, len(track) // 5)
  first, last = track[:part], track[-part:]
  small, large = sorted([linking.median_height(first), linking.median_height(last)])
  feet_shift = abs(np.median([b.bottom for b in last]) - np.median([b.bottom for b in first]))
  x_shift = abs(np.median([b.x for b in last]) - np.median([b.x for b in first]))
  # Who squats changes height as well, but not where the feet are.
  is_nearer = large > (1 + MAX_OBLIQUE) * small and feet_shift > 0.25 * MAX_OBLIQUE * small
  return bool(is_nearer or feet_shift > max(MAX_OBLIQUE * small, MAX_TILT * x_shift))


def hidden_feet(track: linking.BlobTrack, time_s: np.ndarray) -> np.ndarray:
  """Returns where something before the walker hides the feet, for a part of the walk.

  Args:
    track: K blobs of one person.
    time_s: (N,) each of the video's frames.

  Returns:
    (K,) bool.
  """
  height = linking.median_height(track)
  bottom, x = np.array([b.bottom for b in track]), np.array([b.x for b in track])
  raised = np.polyval(_fit_robust_line(x, bottom), x) - bottom > HIDDEN_FEET * height
  hidden = np.zeros(len(track), bool)
  at = time_s[[b.frame for b in track]]
  for start, stop in mask_runs.runs_of_true(raised):
    ends = [k for k in (start, stop) if 3 <= k < len(track) - 3]
    is_abrupt = any(abs(bottom[k + 2] - bottom[k - 3]) > ABRUPT * height for k in ends)
    hidden[start:stop] = is_abrupt and at[stop - 1] - at[start] > HIDDEN_S
  return hidden


def find_jump(track: linking.BlobTrack, time_s: np.ndarray) -> int | None:
  """Returns the first frame before which the walker is somewhere else at once; None without one."""
  height = linking.median_height(track)
  frame, x = np.array([b.frame for b in track]), np.array([b.x for b in track])
  t = time_s[frame]
  changes = np.array([b.changes[0] if b.changes else np.nan for b in track])
  for k in range(JUMP_FRAMES, len(track) - JUMP_FRAMES):
    if frame[k] != frame[k - 1] + 1:
      continue
    before, after = slice(k - JUMP_FRAMES, k), slice(k, k + JUMP_FRAMES)
    middle = (t[k - 1] + t[k]) / 2
    ends = [x[s].mean() + _slope(t[s], x[s]) * (middle - t[s].mean()) for s in (before, after)]
    steps = np.abs(np.diff(x[k - JUMP_FRAMES : k + JUMP_FRAMES]))
    is_one_step = steps[JUMP_FRAMES - 1] > 3 * np.median(steps)
    # Who comes before a mirror has another outline at once, but not another picture.
    is_other = changes[k] > OTHER_PICTURE * np.nanmedian(changes[before])
    is_whole = all(abs(track[i].height / height - 1) < SAME_SIZE for i in (k - 1, k))
    if is_one_step and is_other and is_whole and abs(ends[1] - ends[0]) > MAX_JUMP * height:
      return int(frame[k])
  return None


def _slope(t: np.ndarray, x: np.ndarray) -> float:
  """Returns the slope of the line through points (K,)."""
  apart = t - t.mean()
  return float((apart * x).sum() / (apart**2).sum())


def repeats(track: linking.BlobTrack, earlier: linking.BlobTrack, time_s: np.ndarray) -> bool:
  """Returns whether a track shows what an earlier one shows, forwards or backwards."""
  fps = 1 / float(np.median(np.diff(time_s)))
  length = round(SAME_S * fps)
  one, other = (np.array([[b.x, b.left, b.right] for b in t]) for t in (track, earlier))
  if min(len(one), len(other)) < length:
    return False
  middle = (len(one) - length) // 2
  stretch = one[middle : middle + length]
  places = np.lib.stride_tricks.sliding_window_view(other, length, axis=0)  # (places, 3, length)
  apart = min(np.abs(places - part.T).mean(2).max(1).min() for part in (stretch, stretch[::-1]))
  return bool(apart < SAME_OUTLINE * linking.median_height(track))


def steps_aside(track: linking.BlobTrack, time_s: np.ndarray) -> np.ndarray:
  """Returns (K,) bool, in which of a track's blobs the feet reach as far as seen from the side."""
  width = np.array([b.feet_width for b in track]) / linking.median_height(track)
  fps = 1 / float(np.median(np.diff(time_s)))
  widest = ndimage.percentile_filter(width, 90, size=max(3, round(STRIDE_S * fps)), mode='nearest')
  head, feet = (np.median([getattr(b, n) for b in track]) for n in ('head_width', 'feet_width'))
  is_blob = head > MAX_HEAD * linking.median_height(track) and feet < MIN_FEET * head
  return (widest > MIN_STRIDE) & ~is_blob


def is_upside_down(track: linking.BlobTrack) -> bool:
  """Returns whether what is above swings as legs do, and what is below is no wider than a head."""
  height = linking.median_height(track)
  head, feet = (
    float(np.percentile([getattr(b, name) for b in track], 90)) / height
    for name in ('head_width', 'feet_width')
  )
  return feet < MIN_STRIDE + 0.05 and head > MAX_HEAD


def cut_frames(frame: np.ndarray, cut: dict[int, bool], time_s: np.ndarray) -> np.ndarray:
  """Returns (K,) bool, around which of consecutive frames an edge cuts most blobs.

  Args:
    frame: (K,) consecutive frames.
    cut: frame -> whether an edge of the picture cuts its blob.
    time_s: (N,) each of the video's frames.
  """
  known = np.array(sorted(cut))
  share = np.interp(frame, known, [float(cut[k]) for k in known.tolist()])
  sigma = EDGE_SIGMA_S / float(np.median(np.diff(time_s)))
  return ndimage.gaussian_filter1d(share, sigma, mode='nearest') > MOSTLY_CUT


def smooth_track(
  track: linking.BlobTrack,
  time_s: np.ndarray,
  background: np.ndarray,
  noise: float,
  lower_edge: float,
  hidden: Collection[int] = (),
) -> Track:
  """Fits the lines of the walker's feet and head, and smooths the window's path.

  Args:
    track: blobs of one person.
    time_s: (N,) each of the video's frames.
    background: (H, W, 3) uint8.
    noise: standard deviation of the picture's noise, gray levels.
    lower_edge: row that blobs reach which the picture's lower edge cuts.
    hidden: frames in which something before the walker hides the feet.
  """
  track = _inside_picture(track, background.shape[1])
  blob_frame = np.array([b.frame for b in track])
  frame = np.arange(blob_frame[0], blob_frame[-1] + 1)
  top, bottom = np.array([b.top for b in track]), np.array([b.bottom for b in track])
  x, lit_x = (
    np.interp(time_s[frame], time_s[blob_frame], column)
    for column in (np.array([b.x for b in track]), np.array([b.lit_x for b in track]))
  )
  # Lines in x: a rolled camera tilts the floor, an oblique path changes the size.
  blob_x = np.interp(time_s[blob_frame], time_s[frame], x)
  # A shadow towards the camera may reach down to the picture's edge: feet are where it does not.
  is_uncut = (bottom < lower_edge) & ~np.isin(blob_frame, list(hidden))
  if is_uncut.mean() < MIN_UNCUT:
    is_uncut[:] = True
  floor = np.polyval(_fit_robust_line(blob_x[is_uncut], bottom[is_uncut]), x)
  height = floor - np.polyval(_fit_robust_line(blob_x, top), x)
  x, lit_x = _smooth_path(x, time_s[frame]), _smooth_path(lit_x, time_s[frame])
  if np.any(np.abs(lit_x - x) > MAX_PULL * height):
    x = lit_x
  direction = 1 if x[-1] > x[0] else -1
  return Track(frame, x, floor, height, direction, background, noise, _find_repeats(track))


def _smooth_path(x: np.ndarray, time_s: np.ndarray) -> np.ndarray:
  """Smooths columns (K,) at (K,) times."""
  sigma = CENTRE_SIGMA_S / float(np.median(np.diff(time_s)))
  # Smooth the residual to a line, so that the ends are carried on and not pulled in.
  line = np.polyval(np.polyfit(time_s, x, 1), time_s)
  return line + ndimage.gaussian_filter1d(x - line, sigma, mode='nearest')


def picture_change(blob: blobs.Blob, before: np.ndarray, after: np.ndarray, scale: int) -> float:
  """Returns the mean difference of two search pictures where the blob is.

  Args:
    blob: in working pixels.
    before: (h, w, 3) uint8.
    after: (h, w, 3) uint8.
    scale: working pixels a pixel of the pictures.
  """
  rows = slice(int(blob.top) // scale, int(blob.bottom) // scale)
  reach = blob.height / 2
  columns = slice(max(0, int(blob.x - reach)) // scale, int(blob.x + reach) // scale)
  return float(cv2.absdiff(before[rows, columns], after[rows, columns]).mean())


def _inside_picture(track: linking.BlobTrack, columns: int) -> linking.BlobTrack:
  """Returns a track without its ends at the sides of the picture.

  A blob that these cut has neither its true centre nor its true height.
  """
  inside = [k for k, b in enumerate(track) if b.left > 1 and b.right < columns - 1]
  return track[inside[0] : inside[-1] + 1] if len(inside) >= 5 else track


def _fit_robust_line(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Fits a line through the bulk of the points by reweighting: (slope, intercept).

  Where another line leaves far smaller errors on half of the points, that is the start: furniture
  that hides the feet for a part of the walk would turn the line.
  """
  line = np.array([0.0, np.median(y)])
  if np.ptp(x) < 1:
    return line
  fitted = _reweighted_line(x, y, np.ones_like(x))
  error = np.abs(y - np.polyval(fitted, x))
  other = _least_median_line(x, y)
  other_error = np.abs(y - np.polyval(other, x))
  if np.median(other_error) < MUCH_SMALLER * np.median(error) - 0.5:
    return _reweighted_line(x, y, _line_weights(other_error))
  return fitted


def _reweighted_line(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
  """Fits a line by iteratively reweighted least squares, from these weights on."""
  for _ in range(10):
    line = np.polyfit(x, y, 1, w=weight)
    weight = _line_weights(np.abs(y - np.polyval(line, x)))
  return line


def _line_weights(error: np.ndarray) -> np.ndarray:
  return 1 / np.sqrt(1 + (error / (1.4826 * np.median(error) + 0.5)) ** 2)


def _least_median_line(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Returns the line through two of the points that leaves the least median error."""
  chosen = np.unique(np.linspace(0, len(x) - 1, LINE_POINTS).astype(int))
  first, second = np.triu_indices(len(chosen), 1)
  first, second = chosen[first], chosen[second]
  apart = np.abs(x[second] - x[first]) > 0.2 * np.ptp(x)
  first, second = first[apart], second[apart]
  slope = (y[second] - y[first]) / (x[second] - x[first])
  intercept = y[first] - slope * x[first]
  errors = np.median(np.abs(y - slope[:, None] * x - intercept[:, None]), 1)
  best = int(errors.argmin())
  return np.array([slope[best], intercept[best]])


def _find_repeats(track: linking.BlobTrack) -> np.ndarray:
  """Returns (K,) bool, which frames from the track's first to its last repeat the one before.

  A video of 30 frames a second becomes one of 60 by mere doubling; taken for real pictures, the
  walker would stop and start with every frame.
  """
  next_frames = [b.frame for b in track[1:]] + [track[-1].frame + 1]
  change = np.concatenate(
    [b.changes[: end - b.frame] for b, end in zip(track, next_frames, strict=True)]
  )
  largest_around = ndimage.maximum_filter1d(np.nan_to_num(change), 2 * REPEAT_REACH + 1)
  repeats = change < REPEATED * largest_around
  repeats[0] = False
  return repeats
