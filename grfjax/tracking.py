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
from scipy import ndimage

from grfjax import linking, lost, steady, video

BACKGROUND_FRAMES = 32  # bounded, so memory does not grow with the video
SEARCH_ROWS = 180  # walkers are looked for in a picture halved while so many rows are left
PLANES_BYTES = 512 * 2**20  # kept of crossings that are not over; a longer one is decoded again
SMOOTH = 1 / 240  # of the picture's rows: noise is smaller in a smoothed picture, a walker is not
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
    clear: (K,) bool, false where the window does not show the walker alone, whole, and before a
      still background: no estimate is better than a wrong one.
    planes: for each of the track's frames (H, W, 2) uint8: gray, and the largest difference to the
      background over the colours; iterable again and again.
    reach: how far it goes across the picture, in working pixels (in its own heights a scrap of
      shadow would go further than who casts it).
  """

  track: Track
  clear: np.ndarray
  planes: Iterable[np.ndarray]
  reach: float


def crossings(frames: Frames, time_s: np.ndarray) -> Iterator[Crossing | lost.Lost]:
  """Finds every walk across the picture, in order; of two at the same time the longer one.

  Args:
    frames: the video's.
    time_s: (N,) each frame's time.

  Yields:
    Each crossing soon after it is over; at the end the stretches in which nobody can be followed.

  Raises:
    NobodyFoundError: nothing person-sized crosses the picture, or only in such stretches.
  """
  sample = frames.sample(BACKGROUND_FRAMES)
  back, noise = background(sample)
  searched = _searched(back)
  scale = round(back.shape[0] / searched.shape[0])
  some = [_searched(f) for f in sample[:: max(1, len(sample) // 8)]]
  threshold = max(14.0, 5 * _noise(some, searched))
  del sample, some
  edge = float(scale * (searched.shape[0] - 1))  # give or take a pixel of what is searched
  fps = 1 / float(np.median(np.diff(time_s)))
  linker = linking.Linker(fps)
  camera = steady.Camera(searched, fps)
  planes = _Planes(frames, back)
  waiting: list[Crossing] = []
  furthest: float | None = None
  found = False
  small = searched
  without: list[tuple[np.ndarray, str]] = []  # frames, and why they have no estimate

  for k, frame in enumerate(frames):
    planes.add(k, frame)
    before, small = small, _searched(frame)
    camera.add(k, small)
    here = linking.blobs(k, difference(small, searched), threshold, scale)
    over = linker.add(k, here)
    for live in linker.live:
      live[-1].change.append(_change(live[-1], before, small, scale) if k else np.nan)
    if k == len(time_s) - 1:
      over, linker.live = over + linker.live, []
    for track in over:
      if not linker.is_person(track):
        continue
      if _slanted(track, back.shape[1]):
        without.append((np.arange(track[0].frame, track[-1].frame + 1), lost.SLANTED))
        continue
      furthest = max(furthest or 0.0, linking.travel(track))
      if linking.travel(track) < linking.MIN_TRAVEL:
        continue
      smooth = _smooth(track, time_s, back, noise, edge)
      beside = _beside(track, smooth.frame, linker)
      cut = np.mean([b.cut for b in track]) > 0.5
      below = (smooth.floor > edge) & cut
      without += [(smooth.frame[beside], lost.BESIDE), (smooth.frame[below], lost.FEET)]
      least = linking.MIN_SECONDS * fps - 1
      clear = lost.long_runs(~lost.within(camera.moving(), smooth.frame) & ~beside & ~below, least)
      if clear.any():
        kept = planes.of(smooth.frame)
        waiting.append(Crossing(smooth, clear, kept, abs(track[-1].x - track[0].x)))
    earliest = min((t[0].frame for t in linker.live), default=k + 1)
    planes.forget(earliest)
    settled, shorter, waiting = _apart(waiting, earliest)
    without += [(c.track.frame, lost.SHORTER) for c in shorter]
    for crossing in settled:
      found = True
      yield crossing
  every = np.arange(len(time_s))
  without += [(every[lost.within(camera.moving(), every)], lost.MOVING)]
  without += [(every[lost.within(linker.together, every)], lost.TOGETHER)]
  stretches = lost.stretches(without, time_s)
  if not found:
    seen = (
      'nothing person-sized moves'
      if furthest is None
      else f'the furthest moves {furthest:.2f} body heights'
    )
    raise NobodyFoundError(
      f'nobody walks across the picture ({"; ".join(str(s) for s in stretches) or seen}; expected '
      f'one person crossing at least {linking.MIN_TRAVEL} body heights before a still camera)'
    )
  yield from stretches


def longest(frames: Frames, time_s: np.ndarray) -> Crossing:
  """The crossing that goes furthest; arguments and errors as in `crossings`."""
  found = [c for c in crossings(frames, time_s) if isinstance(c, Crossing)]
  return max(found, key=lambda c: c.reach)


def _slanted(track: list[linking.Blob], columns: int) -> bool:
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


def _beside(track: list[linking.Blob], frame: np.ndarray, linker: linking.Linker) -> np.ndarray:
  """(K,) bool, in which of (K,) frames somebody else is in the track's window."""
  at = [b.frame for b in track if any(linker.is_person(other) for other in b.beside)]
  return np.isin(frame, at)


def _apart(
  found: list[Crossing], live: int
) -> tuple[list[Crossing], list[Crossing], list[Crossing]]:
  """Of crossings at the same time the longest alone is kept, then the longest of the others, ...

  Args:
    found: those that are over.
    live: the first frame of those that are not; one of them may turn out to be longer.

  Returns:
    Those to keep whatever comes, in order; those at the same time as one of them; those of which
    it is not known yet. Asked again later with the last ones and new ones beside them, it comes to
    the same as if asked once about all.
  """
  kept: list[Crossing] = []
  others: list[Crossing] = []
  left = sorted(found, key=lambda c: -c.reach)

  def decided() -> Crossing | None:
    for k, one in enumerate(left):
      if one.track.frame[-1] < live and not any(_together(one, longer) for longer in left[:k]):
        return one
    return None

  while (one := decided()) is not None:
    kept.append(one)
    others += [c for c in left if c is not one and _together(c, one)]
    left = [c for c in left if not _together(c, one)]
  return sorted(kept, key=lambda c: int(c.track.frame[0])), others, left


def _together(a: Crossing, b: Crossing) -> bool:
  """Whether they share time."""
  return bool(a.track.frame[0] <= b.track.frame[-1] and b.track.frame[0] <= a.track.frame[-1])


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


def _smooth(
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


def _change(blob: linking.Blob, before: np.ndarray, after: np.ndarray, scale: int) -> float:
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


def boxes(track: Track, rows: int, columns: int, wide: int = 1) -> np.ndarray:
  """Where `windows` of so many rows and columns lie; arguments as there.

  Returns:
    (K, 4) left, top, width and height in working pixels; 0 is the picture's edge, not the middle of
    its first pixel. A box may reach out of the picture.
  """
  height = MARGIN * track.height
  width = height * columns * wide / rows
  top = track.floor - (1 - FLOOR) * height
  return np.stack([track.x - width / 2, top, width, height], -1)


def windows(crossing: Crossing, rows: int, columns: int, wide: int = 1) -> Iterator[np.ndarray]:
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
