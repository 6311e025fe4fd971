"""Where the walker is in each frame, smooth in time."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from scipy import ndimage

from grfjax.tracking import linking

# By which a walker's height, or the row of the feet in body heights, may change in the picture over
# a walk: who comes so much nearer shows mostly the front. In walks past a camera it is under 0.1.
SLANT = 0.4

WHOLE = 0.25  # of a walker's blobs are clear of the picture's lower edge, if the feet are in it

# A frame in which the walker's surroundings change by less than so much of what they do in one of
# the frames around it repeats the one before; of walkers filmed frame by frame it is over 0.3.
REPEATED = 0.2

AROUND = 3

TURNED = 0.4  # or by so much of the way across: the camera may be held a little askew

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


def _robust_line(x: np.ndarray, y: np.ndarray) -> np.ndarray:
  """Line through the bulk of the points, (slope, intercept), by reweighting the worst away."""
  weight = np.ones_like(x)
  line = np.array([0.0, np.median(y)])
  if np.ptp(x) < 1:
    return line
  for _ in range(10):
    line = np.polyfit(x, y, 1, w=weight)
    error = np.abs(y - np.polyval(line, x))
    weight = 1 / np.sqrt(1 + (error / (1.4826 * np.median(error) + 0.5)) ** 2)
  return line


def is_slanted(track: list[linking.Blob], columns: int) -> bool:
  """Whether it comes nearer or goes away (or climbs, or jumps down) instead of walking past."""
  track = _whole(track, columns)
  part = max(1, len(track) // 5)
  first, last = track[:part], track[-part:]
  small, large = sorted([linking.usual_size(first), linking.usual_size(last)])
  sunk, across = (
    abs(np.median([getattr(b, n) for b in last]) - np.median([getattr(b, n) for b in first]))
    for n in ('bottom', 'x')
  )
  # Who squats changes height as well, but not where the feet are.
  nearer = large > (1 + SLANT) * small and sunk > 0.25 * SLANT * small
  return bool(nearer or sunk > max(SLANT * small, TURNED * across))


def _whole(track: list[linking.Blob], columns: int) -> list[linking.Blob]:
  """Without its ends beyond the picture, where a blob has neither true centre nor true height."""
  inside = [k for k, b in enumerate(track) if b.left > 1 and b.right < columns - 1]
  return track[inside[0] : inside[-1] + 1] if len(inside) >= 5 else track


def smooth_track(
  track: list[linking.Blob], time_s: np.ndarray, back: np.ndarray, noise: float, edge: float
) -> Track:
  """The track's lines; `edge` is the row to which blobs reach that the picture's edge cuts."""
  track = _whole(track, back.shape[1])
  known = np.array([b.frame for b in track])
  frame = np.arange(known[0], known[-1] + 1)
  x, top, bottom = (np.array([getattr(b, n) for b in track]) for n in ('x', 'top', 'bottom'))
  x = np.interp(time_s[frame], time_s[known], x)
  # Lines in x: a rolled camera tilts the floor, a slanted path changes the size.
  at = np.interp(time_s[known], time_s[frame], x)
  # A shadow towards the camera may reach down to the picture's edge: feet are where it does not.
  whole = bottom < edge
  if whole.mean() < WHOLE:
    whole[:] = True
  floor = np.polyval(_robust_line(at[whole], bottom[whole]), x)
  height = floor - np.polyval(_robust_line(at, top), x)
  sigma = CENTRE_SIGMA_S / float(np.median(np.diff(time_s)))
  # Smooth the residual to a line, so that the ends are carried on and not pulled in.
  line = np.polyval(np.polyfit(time_s[frame], x, 1), time_s[frame])
  x = line + ndimage.gaussian_filter1d(x - line, sigma, mode='nearest')
  direction = 1 if x[-1] > x[0] else -1
  return Track(frame, x, floor, height, direction, back, noise, _repeats(track))


def picture_change(blob: linking.Blob, before: np.ndarray, after: np.ndarray, scale: int) -> float:
  """Mean difference of two searched pictures where the blob is."""
  rows = slice(int(blob.top) // scale, int(blob.bottom) // scale)
  reach = blob.tall / 2
  columns = slice(max(0, int(blob.x - reach)) // scale, int(blob.x + reach) // scale)
  return float(cv2.absdiff(before[rows, columns], after[rows, columns]).mean())


def _repeats(track: list[linking.Blob]) -> np.ndarray:
  """(K,) bool, for every frame from the first to the last.

  So a video of 30 frames a second becomes one of 60 by mere doubling; taken for real pictures, the
  walker would stop and start with every frame.
  """
  until = [b.frame for b in track[1:]] + [track[-1].frame + 1]
  change = np.concatenate([b.change[: end - b.frame] for b, end in zip(track, until, strict=True)])
  usual = ndimage.maximum_filter1d(np.nan_to_num(change), 2 * AROUND + 1)
  repeated = change < REPEATED * usual
  repeated[0] = False
  return repeated
