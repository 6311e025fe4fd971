"""Finds the walker in front of a still camera and cuts a window that follows them.

The background is the median of a bounded number of frames. What differs from it is foreground;
foreground blobs are linked over time, and the walker is the track that travels furthest across the
picture. The window's floor line, height and centre are smooth in time, so that the body's own bob
and sway stay visible inside it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from scipy import ndimage

BACKGROUND_FRAMES = 32  # bounded, so memory does not grow with the video
SMOOTH = 1 / 240  # of the picture's rows: noise is smaller in a smoothed picture, a walker is not
MIN_HEIGHT = 0.12  # of the picture: smaller blobs are not a walker
MIN_TRAVEL = 0.5  # body heights a walker moves sideways; who moves less is a bystander
MIN_SECONDS = 0.5
USUAL_FRAMES = 60  # over which a track's usual size is taken
CENTRE_SIGMA_S = 0.25  # smoothing of the window's path: slower than a step, faster than a turn
MARGIN = 1.15  # window height in body heights
FLOOR = 0.05  # the floor line's distance from the window's bottom, in window heights


class NobodyFoundError(ValueError):
  """No walker could be followed; the message says what was seen."""


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
  """

  frame: np.ndarray
  x: np.ndarray
  floor: np.ndarray
  height: np.ndarray
  direction: int
  background: np.ndarray
  noise: float


@dataclasses.dataclass
class _Blob:
  frame: int
  x: float  # centre column of the upper body
  top: float
  bottom: float
  left: float  # of the upper body
  right: float
  area: float


def background(frames: Iterable[np.ndarray], count: int) -> tuple[np.ndarray, float, float]:
  """Median picture of at most `BACKGROUND_FRAMES` frames spread evenly over the video.

  Args:
    frames: (H, W, 3) uint8 each.
    count: how many there are.

  Returns:
    (H, W, 3) uint8 and the standard deviation of the noise and of the smoothed picture's noise
    (gray levels), at least 1.
  """
  wanted = set(
    np.linspace(0, count - 1, min(count, BACKGROUND_FRAMES)).round().astype(int).tolist()
  )
  sample = np.stack([f for k, f in enumerate(frames) if k in wanted])
  half = len(sample) // 2
  median = np.partition(sample, half, axis=0)[half]  # np.median would make float64 of it
  some = sample[:: max(1, len(sample) // 8)]
  smoothed = np.stack([_smoothed(f) for f in some])
  return median, _noise(some, median), _noise(smoothed, _smoothed(median))


def _smoothed(picture: np.ndarray) -> np.ndarray:
  return cv2.GaussianBlur(picture, (0, 0), picture.shape[0] * SMOOTH)


def _noise(sample: np.ndarray, median: np.ndarray) -> float:
  # 1.4826 is the ratio of the standard deviation to the median absolute one in normal noise.
  apart = cv2.absdiff(sample, np.broadcast_to(median, sample.shape).copy())
  return max(1.4826 * float(np.median(apart)), 1.0)


def difference(frame: np.ndarray, back: np.ndarray) -> np.ndarray:
  """Largest difference to the background over the colours, (H, W) uint8."""
  red, green, blue = cv2.split(cv2.absdiff(frame, back))
  return cv2.max(cv2.max(red, green), blue)


def _blobs(frame_index: int, diff: np.ndarray, threshold: float) -> list[_Blob]:
  """Person-sized connected foreground."""
  rows = diff.shape[0]
  over = (cv2.GaussianBlur(diff, (0, 0), rows / 360) > threshold).astype(np.uint8)
  mask = cv2.morphologyEx(over, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
  # Parts of a body that look like the background leave gaps, up to a leg long: join across them.
  reach = np.ones((max(3, rows // 5), max(3, rows // 40)), np.uint8)
  joined = cv2.dilate(mask, reach)
  count, label, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
  found = []
  for i in range(1, count):
    x0, y0, w, h = stats[i, :4]
    if h < MIN_HEIGHT * rows:
      continue
    part = mask[y0 : y0 + h, x0 : x0 + w] * (label[y0 : y0 + h, x0 : x0 + w] == i)
    in_rows = np.flatnonzero(part.sum(1) >= 2)
    if len(in_rows) == 0:
      continue
    tall = in_rows[-1] + 1 - in_rows[0]  # without the reach
    upper = part[in_rows[0] : in_rows[0] + max(1, tall // 2)].sum(0)
    columns = np.arange(w) + 0.5
    centre = float((upper * columns).sum() / max(upper.sum(), 1))
    # A cast shadow may lie far to one side on the floor: a walker is as wide as a stride.
    part = part * (np.abs(columns - centre) < 0.5 * h)
    in_rows = np.flatnonzero(part.sum(1) >= 2)
    if len(in_rows) == 0:
      continue
    # The upper body's: a shadow or a foot beyond the picture's edge moves neither centre nor size.
    body = part[in_rows[0] : in_rows[0] + max(1, tall // 2)].sum(0)
    in_columns = np.flatnonzero(body >= 0.04 * h)  # noise about a body is thinner
    if len(in_columns) == 0:
      continue
    top, bottom = in_rows[0], in_rows[-1] + 1
    spread = np.sqrt((upper * (columns - centre) ** 2).sum() / max(upper.sum(), 1))
    area = float(part.sum())
    # The upper body is upright (a rectangle's spread is 0.29 of its width) and no mere scatter.
    if bottom - top < MIN_HEIGHT * rows or spread > 0.25 * h or area < 0.05 * h * (bottom - top):
      continue
    found.append(
      _Blob(
        frame_index, x0 + centre, float(y0 + top), float(y0 + bottom),
        float(x0 + in_columns[0]), float(x0 + in_columns[-1] + 1), area,
      )
    )  # fmt: skip
  return found


def _link(blobs: list[list[_Blob]]) -> list[list[_Blob]]:
  """Joins blobs of successive frames into tracks: nearest to where the track would be next."""
  tracks: list[list[_Blob]] = []
  live: list[list[_Blob]] = []
  for frame, here in enumerate(blobs):
    pairs = []
    for t, track in enumerate(live):
      last, past = track[-1], track[max(0, len(track) - 9)]
      speed = (last.x - past.x) / max(last.frame - past.frame, 1)
      # Parts of a walker may melt into the wall for a while: their usual size counts.
      size = np.median([b.bottom - b.top for b in track[-USUAL_FRAMES:]])
      for b, blob in enumerate(here):
        miss = abs(last.x + speed * (frame - last.frame) - blob.x)
        if miss < 0.25 * size and 0.6 < (blob.bottom - blob.top) / size < 1.6:
          pairs.append((miss, t, b))
    used_t, used_b = set(), set()
    for _, t, b in sorted(pairs):
      if t not in used_t and b not in used_b:
        live[t].append(here[b])
        used_t.add(t)
        used_b.add(b)
    for b, blob in enumerate(here):
      if b not in used_b:
        live.append([blob])
        tracks.append(live[-1])
    live = [track for track in live if frame - track[-1].frame <= 12]
  return tracks


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


def follow(frames: Iterable[np.ndarray], time_s: np.ndarray) -> Track:
  """Finds the walker.

  Args:
    frames: re-iterable, (H, W, 3) uint8 RGB at working scale.
    time_s: (N,) each frame's time.

  Returns:
    The track of the one who travels furthest across the picture.

  Raises:
    NobodyFoundError: nothing person-sized crosses the picture.
  """
  back, noise, smooth_noise = background(frames, len(time_s))
  threshold = max(14.0, 5 * smooth_noise)
  smooth = _smoothed(back)
  # Smoothed before the difference's sign is lost: noise averages out, clothes near the wall's
  # colour do not.
  blobs = [_blobs(k, difference(_smoothed(f), smooth), threshold) for k, f in enumerate(frames)]
  fps = 1 / float(np.median(np.diff(time_s)))
  tracks = [t for t in _link(blobs) if t[-1].frame - t[0].frame >= MIN_SECONDS * fps - 1]

  def travel(track):
    size = np.median([b.bottom - b.top for b in track])
    return abs(track[-1].x - track[0].x) / size

  best = max(tracks, key=travel, default=None)
  if best is None or travel(best) < MIN_TRAVEL:
    seen = (
      'nothing person-sized moves'
      if best is None
      else (f'the furthest moves {travel(best):.2f} body heights')
    )
    raise NobodyFoundError(
      f'nobody walks across the picture ({seen}; expected one person crossing at least '
      f'{MIN_TRAVEL} body heights before a still camera)'
    )
  return _smooth(best, time_s, back, noise)


def _smooth(track: list[_Blob], time_s: np.ndarray, back: np.ndarray, noise: float) -> Track:
  known = np.array([b.frame for b in track])
  frame = np.arange(known[0], known[-1] + 1)
  columns = back.shape[1]
  # A blob cut by the picture's edge has neither its true centre nor its true height.
  whole = np.array([b.left > 1 and b.right < columns - 1 for b in track])
  if whole.sum() >= 5:
    inside = np.flatnonzero(whole)
    track = track[inside[0] : inside[-1] + 1]
    known = np.array([b.frame for b in track])
    frame = np.arange(known[0], known[-1] + 1)
  x, top, bottom = (np.array([getattr(b, n) for b in track]) for n in ('x', 'top', 'bottom'))
  x = np.interp(time_s[frame], time_s[known], x)
  # Lines in x: a rolled camera tilts the floor, a slanted path changes the size.
  at = np.interp(time_s[known], time_s[frame], x)
  floor = np.polyval(_robust_line(at, bottom), x)
  height = floor - np.polyval(_robust_line(at, top), x)
  sigma = CENTRE_SIGMA_S / float(np.median(np.diff(time_s)))
  # Smooth the residual to a line, so that the ends are carried on and not pulled in.
  line = np.polyval(np.polyfit(time_s[frame], x, 1), time_s[frame])
  x = line + ndimage.gaussian_filter1d(x - line, sigma, mode='nearest')
  direction = 1 if x[-1] > x[0] else -1
  return Track(frame, x, floor, height, direction, back, noise)


def windows(
  frames: Iterable[np.ndarray], track: Track, rows: int, columns: int
) -> Iterator[np.ndarray]:
  """Cuts the walker out of every frame of the track, always walking to the right.

  Args:
    frames: (H, W, 3) uint8 RGB at working scale, from the video's first frame.
    track: from `follow`.
    rows: height of a window, `MARGIN` body heights.
    columns: width of a window; a full stride with the arms is about 0.8 body heights.

  Yields:
    (rows, columns, 2) uint8: gray, and how far the pixel is from the background (0 is background,
    255 surely the walker). Outside the picture gray repeats its edge and the difference is 0.
  """
  low, high = 2.5 * track.noise, max(40.0, 12 * track.noise)
  ramp = np.clip((np.arange(256) - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
  for k, rgb in enumerate(frames):
    i = k - track.frame[0]
    if not 0 <= i < len(track.frame):
      continue
    step = MARGIN * track.height[i] / rows  # working pixels a window pixel
    over = max(1, int(np.ceil(step)))  # sample at about the picture's own pixels, then average
    big = (columns * over, rows * over)
    fine = step / over
    # (column, row) of the picture for each of the fine window's; a pixel's centre is at +0.5.
    left = track.x[i] - track.direction * fine * (big[0] - 1) / 2 - 0.5
    top = track.floor[i] - fine * (big[1] * (1 - FLOOR) - 0.5) - 0.5
    turn = np.array([[track.direction * fine, 0, left], [0, fine, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # Warp the colours and the background alike, so that only the window is subtracted.
    here, empty = (
      cv2.warpAffine(picture, turn, big, flags=flags, borderMode=cv2.BORDER_REPLICATE)
      for picture in (rgb, track.background)
    )
    far = cv2.LUT(cv2.GaussianBlur(difference(here, empty), (0, 0), 0.7), ramp)
    gray = cv2.cvtColor(here, cv2.COLOR_RGB2GRAY)
    small = (columns, rows)
    both = [cv2.resize(c, small, interpolation=cv2.INTER_AREA) for c in (gray, far)]
    yield np.stack(both, axis=-1)
