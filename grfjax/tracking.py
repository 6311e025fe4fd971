"""Finds who walks past a still camera and cuts a window that follows them.

The background is the median of a bounded number of frames. What differs from it is foreground;
foreground blobs are linked over time, and a track that travels far enough across the picture is a
crossing. The window's floor line, height and centre are smooth in time, so that the body's own bob
and sway stay visible inside it.

Frames are looked at once, one after the other. What the window will be cut from is kept while a
crossing lasts, as its lines are known only at its end; memory does not grow with the video.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Iterator
from typing import Protocol

import cv2
import numpy as np
from absl import logging
from scipy import ndimage

from grfjax import video

BACKGROUND_FRAMES = 32  # bounded, so memory does not grow with the video
SEARCH_ROWS = 180  # walkers are looked for in a picture halved while so many rows are left
PLANES_BYTES = 512 * 2**20  # kept of crossings that are not over; a longer one is decoded again
SMOOTH = 1 / 240  # of the picture's rows: noise is smaller in a smoothed picture, a walker is not
MIN_HEIGHT = 0.12  # of the picture: smaller blobs are not a walker
MIN_TRAVEL = 0.5  # body heights a walker moves sideways; who moves less is a bystander
MIN_SECONDS = 0.5
MAX_GAP = 12  # frames without a blob after which a track is over
WAIT_S = 3.0  # of standing about are kept before a walk
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


class Frames(Protocol):
  """A video's frames, (H, W, 3) uint8 RGB at working scale: `video.WorkingFrames`."""

  def __iter__(self) -> Iterator[np.ndarray]:
    """All of them, in order; again and again."""
    ...

  def sample(self, count: int) -> list[np.ndarray]:
    """At most so many of them, spread over the video."""
    ...


def background(sample: list[np.ndarray]) -> tuple[np.ndarray, float]:
  """Median picture of some frames.

  Args:
    sample: (H, W, 3) uint8 each.

  Returns:
    (H, W, 3) uint8 and the standard deviation of the noise (gray levels), at least 1.
  """
  median = _median(sample)
  return median, _noise(sample[:: max(1, len(sample) // 8)], median)


def _median(pictures: list[np.ndarray]) -> np.ndarray:
  """The upper median of each value, uint8.

  A sorting network (Batcher's merge exchange; Knuth, The Art of Computer Programming 3, 5.2.2 M)
  of whole pictures: minima and maxima of bytes are several times faster than partitions.
  """
  rows = list(pictures)
  for low, high in _exchanges(len(rows)):
    rows[low], rows[high] = cv2.min(rows[low], rows[high]), cv2.max(rows[low], rows[high])
  return rows[len(rows) // 2]


@functools.cache
def _exchanges(count: int) -> list[tuple[int, int]]:
  """Pairs (i, j), i < j, to be put in order, one after the other, to sort so many items."""
  pairs = []
  top = 1 << max(0, (count - 1).bit_length() - 1)
  p = top
  while p > 0:
    q, r, d = top, 0, p
    while d > 0:
      pairs += [(i, i + d) for i in range(count - d) if i & p == r]
      d, q, r = q - p, q >> 1, p
    p >>= 1
  return pairs


def _smoothed(picture: np.ndarray) -> np.ndarray:
  return cv2.GaussianBlur(picture, (0, 0), picture.shape[0] * SMOOTH)


def _searched(picture: np.ndarray) -> np.ndarray:
  """What a walker is looked for in: small, and smoothed before the difference's sign is lost, as
  noise then averages out, while clothes near the wall's colour do not.
  """
  while picture.shape[0] // 2 >= SEARCH_ROWS:
    picture = video.half(picture)
  return _smoothed(picture)


def _noise(sample: list[np.ndarray], median: np.ndarray) -> float:
  # 1.4826 is the ratio of the standard deviation to the median absolute one in normal noise.
  counts = sum(np.bincount(cv2.absdiff(f, median).ravel(), minlength=256) for f in sample)
  middle = int(np.searchsorted(np.cumsum(counts), np.sum(counts) / 2))
  return max(1.4826 * middle, 1.0)


def difference(frame: np.ndarray, back: np.ndarray) -> np.ndarray:
  """Largest difference to the background over the colours, (H, W) uint8."""
  red, green, blue = cv2.split(cv2.absdiff(frame, back))
  return cv2.max(cv2.max(red, green), blue)


def _blobs(frame_index: int, diff: np.ndarray, threshold: float, scale: int = 1) -> list[_Blob]:
  """Person-sized connected foreground; places are multiplied by `scale`."""
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
        frame_index, scale * (x0 + centre), float(scale * (y0 + top)),
        float(scale * (y0 + bottom)), float(scale * (x0 + in_columns[0])),
        float(scale * (x0 + in_columns[-1] + 1)), area,
      )
    )  # fmt: skip
  return found


class _Linker:
  """Joins blobs of successive frames into tracks: nearest to where the track would be next."""

  def __init__(self, fps: float):
    self._fps = fps
    self.live: list[list[_Blob]] = []

  def add(self, frame: int, here: list[_Blob]) -> list[list[_Blob]]:
    """Takes the blobs of the next frame; returns the tracks that are over."""
    pairs = []
    for t, track in enumerate(self.live):
      last, past = track[-1], track[max(0, len(track) - 9)]
      speed = (last.x - past.x) / max(last.frame - past.frame, 1)
      # Parts of a walker may melt into the wall for a while: their usual size counts.
      size = _size(track[-USUAL_FRAMES:])
      for b, blob in enumerate(here):
        miss = abs(last.x + speed * (frame - last.frame) - blob.x)
        if miss < 0.25 * size and 0.6 < (blob.bottom - blob.top) / size < 1.6:
          pairs.append((miss, t, b))
    used_t, used_b = set(), set()
    for _, t, b in sorted(pairs):
      if t not in used_t and b not in used_b:
        self.live[t].append(here[b])
        used_t.add(t)
        used_b.add(b)
    self.live += [[blob] for b, blob in enumerate(here) if b not in used_b]
    over = [track for track in self.live if frame - track[-1].frame > MAX_GAP]
    self.live = [track for track in self.live if frame - track[-1].frame <= MAX_GAP]
    for track in self.live:
      while track[-1].frame - track[0].frame > WAIT_S * self._fps and _travel(track) < MIN_TRAVEL:
        del track[0]
    return over


def _size(track: list[_Blob]) -> float:
  return float(np.median([b.bottom - b.top for b in track]))


def _travel(track: list[_Blob]) -> float:
  """How far it goes across the picture, in body heights."""
  # The size is the middle's: the picture's edges cut who comes and goes.
  middle = len(track) // 2
  around = track[max(0, middle - USUAL_FRAMES // 2) : middle + USUAL_FRAMES // 2 + 1]
  return abs(track[-1].x - track[0].x) / _size(around)


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


@dataclasses.dataclass(frozen=True)
class Crossing:
  """A walk across the picture.

  Attributes:
    track: where the walker is.
    planes: for each of the track's frames (H, W, 2) uint8: gray, and the largest difference to the
      background over the colours; iterable again and again.
    travel: how far it goes, in body heights.
  """

  track: Track
  planes: Iterable[np.ndarray]
  travel: float


def crossings(frames: Frames, time_s: np.ndarray) -> Iterator[Crossing]:
  """Finds every walk across the picture, in order; of two at the same time the longer one.

  Args:
    frames: the video's.
    time_s: (N,) each frame's time.

  Yields:
    Each crossing soon after it is over.

  Raises:
    NobodyFoundError: nothing person-sized crosses the picture.
  """
  sample = frames.sample(BACKGROUND_FRAMES)
  back, noise = background(sample)
  searched = _searched(back)
  scale = round(back.shape[0] / searched.shape[0])
  some = [_searched(f) for f in sample[:: max(1, len(sample) // 8)]]
  threshold = max(14.0, 5 * _noise(some, searched))
  del sample, some
  fps = 1 / float(np.median(np.diff(time_s)))
  linker = _Linker(fps)
  planes = _Planes(frames, back)
  waiting: list[Crossing] = []
  furthest: float | None = None
  found = False

  for k, frame in enumerate(frames):
    planes.add(k, frame)
    over = linker.add(k, _blobs(k, difference(_searched(frame), searched), threshold, scale))
    if k == len(time_s) - 1:
      over, linker.live = over + linker.live, []
    for track in over:
      if track[-1].frame - track[0].frame < MIN_SECONDS * fps - 1:
        continue
      furthest = max(furthest or 0.0, _travel(track))
      if _travel(track) >= MIN_TRAVEL:
        smooth = _smooth(track, time_s, back, noise)
        waiting.append(Crossing(smooth, planes.of(smooth.frame), _travel(track)))
    earliest = min((t[0].frame for t in linker.live), default=k + 1)
    planes.forget(earliest)
    # What is live may turn out to be the longer of two walks at the same time.
    if waiting and max(c.track.frame[-1] for c in waiting) < earliest:
      for crossing in _apart(waiting):
        found = True
        yield crossing
      waiting = []
  if not found:
    seen = (
      'nothing person-sized moves'
      if furthest is None
      else f'the furthest moves {furthest:.2f} body heights'
    )
    raise NobodyFoundError(
      f'nobody walks across the picture ({seen}; expected one person crossing at least '
      f'{MIN_TRAVEL} body heights before a still camera)'
    )


def longest(frames: Frames, time_s: np.ndarray) -> Crossing:
  """The crossing that goes furthest; arguments and errors as in `crossings`."""
  return max(crossings(frames, time_s), key=lambda c: c.travel)


def _apart(found: list[Crossing]) -> list[Crossing]:
  """Those of which no two are at the same time, the longest first choice; in order."""
  kept: list[Crossing] = []
  for one in sorted(found, key=lambda c: -c.travel):
    if all(
      one.track.frame[-1] < c.track.frame[0] or one.track.frame[0] > c.track.frame[-1] for c in kept
    ):
      kept.append(one)
    else:
      logging.info(
        'frames %d to %d: a shorter walk at the same time is left out', *one.track.frame[[0, -1]]
      )
  return sorted(kept, key=lambda c: int(c.track.frame[0]))


class _Planes:
  """Gray and difference of the frames that windows may yet be cut from."""

  def __init__(self, frames: Frames, back: np.ndarray):
    self._frames, self._back = frames, back
    self._kept: dict[int, np.ndarray] = {}

  def _planes(self, frame: np.ndarray) -> np.ndarray:
    return cv2.merge([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), difference(frame, self._back)])

  def add(self, k: int, frame: np.ndarray) -> None:
    self._kept[k] = self._planes(frame)
    if len(self._kept) * self._kept[k].nbytes > PLANES_BYTES:
      del self._kept[next(iter(self._kept))]

  def forget(self, before: int) -> None:
    while self._kept and next(iter(self._kept)) < before:
      del self._kept[next(iter(self._kept))]

  def of(self, frame: np.ndarray) -> Iterable[np.ndarray]:
    """Those of a track's frames; the video is decoded again where they were too many to keep."""
    if frame[0] in self._kept:
      return [self._kept[k] for k in frame.tolist()]
    return _Again(self, frame)


@dataclasses.dataclass(frozen=True)
class _Again:
  """Planes of a track's frames from another pass over the video."""

  planes: _Planes
  frame: np.ndarray

  def __iter__(self) -> Iterator[np.ndarray]:
    some = itertools.islice(self.planes._frames, int(self.frame[0]), int(self.frame[-1]) + 1)
    return (self.planes._planes(frame) for frame in some)


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


def boxes(track: Track, rows: int, columns: int) -> np.ndarray:
  """Where `windows` of so many rows and columns lie.

  Returns:
    (K, 4) left, top, width and height in working pixels; 0 is the picture's edge, not the middle of
    its first pixel. A box may reach out of the picture.
  """
  height = MARGIN * track.height
  width = height * columns / rows
  top = track.floor - (1 - FLOOR) * height
  return np.stack([track.x - width / 2, top, width, height], -1)


def windows(crossing: Crossing, rows: int, columns: int) -> Iterator[np.ndarray]:
  """Cuts the walker out of every frame of a crossing, always walking to the right.

  Args:
    crossing: from `crossings`.
    rows: height of a window, `MARGIN` body heights.
    columns: width of a window; a full stride with the arms is about 0.8 body heights.

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
    big = (columns * over, rows * over)
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
