"""Finds the walks past a camera.

A camera that moves a little is held still first (`grfjax.tracking.steady_frames`).
The background is the median of a bounded number of frames. What differs from it is foreground;
foreground blobs are linked over time, and a track that travels far enough across the picture is a
crossing. The lines of the walker's feet and head and the path of the window are smooth in time, so
that the body's own bob and sway stay visible inside the window.

Frames are looked at once, one after the other. What the window will be cut from is kept while a
crossing lasts, as its lines are known only at its end; memory does not grow with the video.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from grfjax import errors
from grfjax.io import progress
from grfjax.tracking import (
  background_model,
  blobs,
  camera_motion,
  frame_planes,
  linking,
  steady_frames,
  tracking_gaps,
  walker_track,
)


class NobodyFoundError(errors.InputError):
  """No walker could be followed; the message says what moves in the video instead.

  Attributes:
    gaps: where somebody may walk but cannot be followed.
    moves: whether the camera was found to move.
  """

  gaps: tuple[tracking_gaps.Gap, ...] = ()
  moves: bool = False


@dataclasses.dataclass(frozen=True)
class Crossing:
  """A walk across the picture.

  Attributes:
    track: where the walker is.
    clear: (K,) bool, false where the window does not show the walker alone, whole, and before a
      still background: no estimate is better than a wrong one.
    planes: for each of the track's frames (H, W, 2) uint8: gray, and the largest difference to the
      background over the colours; iterable again and again.
    to_filmed: (K, 3, 3) homographies from the track's pixels, in which the camera stands still, to
      those of the frames as they were filmed.
    reach: how far the walker goes across the picture, in working pixels (in its own heights a scrap
      of shadow would go further than who casts it).
  """

  track: walker_track.Track
  clear: np.ndarray
  planes: Iterable[np.ndarray]
  to_filmed: np.ndarray
  reach: float


def find_crossings(
  frames: background_model.Frames, time_s: np.ndarray
) -> Iterator[Crossing | tracking_gaps.Gap]:
  """Finds every walk across the picture, in order; of two at the same time the longer one.

  Args:
    frames: the video's frames.
    time_s: (N,) each frame's time.

  Yields:
    Each crossing soon after it is over; at the end the gaps in which nobody can be followed.

  Raises:
    NobodyFoundError: nothing person-sized crosses the picture, or only in such gaps.
  """
  steady = steady_frames.SteadyFrames(frames)
  search = _Search(steady, time_s)
  has_crossing = False
  for k, frame in enumerate(steady):
    progress.report(progress.SEARCH, k / len(time_s))
    for crossing in search.add(k, frame):
      has_crossing = True
      yield crossing
  gaps = search.gaps()
  if not has_crossing:
    error = NobodyFoundError(
      f'nobody walks across the picture ({"; ".join(map(str, gaps)) or search.describe_motion()}; '
      f'expected one person crossing at least {linking.MIN_TRAVEL} body heights before a still '
      'camera)',
      code='video.no_walker',
    )
    error.gaps, error.moves = tuple(gaps), steady.moves
    raise error
  yield from gaps


def longest(found: Iterable[Crossing | tracking_gaps.Gap]) -> Crossing:
  """Returns the crossing that goes furthest of what `find_crossings` finds."""
  return max((c for c in found if isinstance(c, Crossing)), key=lambda c: c.reach)


class _Search:
  """Follows people through the frames of a video, given one after the other."""

  def __init__(self, frames: steady_frames.SteadyFrames, time_s: np.ndarray):
    self._frames = frames
    sample = frames.sample(background_model.BACKGROUND_FRAMES)
    self._background, self._noise = background_model.estimate_background(sample)
    self._search_background = background_model.search_picture(self._background)
    self._scale = round(self._background.shape[0] / self._search_background.shape[0])
    search_sample = [
      background_model.search_picture(f) for f in background_model.noise_sample(sample)
    ]
    self._threshold = max(
      14.0, 5 * background_model.noise_sd(search_sample, self._search_background)
    )
    # Give or take a pixel of the search picture.
    self._lower_edge = float(self._scale * (self._search_background.shape[0] - 1))
    self._time_s = time_s
    fps = 1 / float(np.median(np.diff(time_s)))
    self._min_frames = linking.MIN_SECONDS * fps - 1
    self._linker = linking.Linker(fps)
    self._camera = camera_motion.CameraMotion(self._search_background, fps)
    self._planes = frame_planes.FramePlanes(frames, self._background)
    self._picture = self._search_background  # the search picture of the last frame
    self._waiting: list[Crossing] = []  # over, but perhaps shorter than one that is not
    self._excluded: list[tuple[np.ndarray, tracking_gaps.Reason]] = []  # frames, and why
    self._furthest: float | None = None  # body heights that somebody has moved

  def add(self, index: int, frame: np.ndarray) -> list[Crossing]:
    """Takes the next frame and returns the crossings that are settled by now, in order."""
    self._planes.add(index, frame)
    previous, self._picture = self._picture, background_model.search_picture(frame)
    self._camera.add(index, self._picture)
    for track in self._link(index, previous):
      for walk in linking.split_at_turns(track):
        if self._linker.is_person(walk):
          self._finish(walk)
    first_open = min((t[0].frame for t in self._linker.open_tracks), default=index + 1)
    self._planes.forget_before(first_open)
    settled, shorter, self._waiting = _settle(self._waiting, first_open)
    self._excluded += [(c.track.frame, tracking_gaps.SHORTER) for c in shorter]
    return settled

  def gaps(self) -> list[tracking_gaps.Gap]:
    """Returns where nobody could be followed, once all frames are given."""
    every = np.arange(len(self._time_s))
    moving = self._moving(every)
    together = tracking_gaps.is_within(self._linker.pair_intervals, every)
    excluded = [
      *self._excluded,
      (every[moving], tracking_gaps.CAMERA_MOVES),
      (every[together], tracking_gaps.TWO_TOGETHER),
    ]
    return tracking_gaps.merge_gaps(excluded, self._time_s)

  def describe_motion(self) -> str:
    """Returns in words how far somebody has moved."""
    if self._furthest is None:
      return 'nothing person-sized moves'
    return f'the furthest moves {self._furthest:.2f} body heights'

  def _link(self, index: int, previous: np.ndarray) -> list[linking.BlobTrack]:
    """Links the blobs of the present picture and returns the tracks that are over.

    Args:
      index: of the frame.
      previous: the search picture of the frame before.
    """
    frame_blobs = blobs.find_blobs(
      index, self._picture, self._search_background, self._threshold, self._scale
    )
    left, right = self._frames.sides(index)
    for blob in frame_blobs:
      if blob.left < left + self._scale:
        blob.left = 0.0
      if blob.right > right - self._scale:
        blob.right = float(self._background.shape[1])
    over = self._linker.add(index, frame_blobs)
    for track in self._linker.open_tracks:
      change = (
        walker_track.picture_change(track[-1], previous, self._picture, self._scale)
        if index
        else np.nan
      )
      track[-1].changes.append(change)
    if index == len(self._time_s) - 1:
      over += self._linker.open_tracks
      self._linker.open_tracks = []
    return over

  def _finish(self, track: linking.BlobTrack) -> None:
    """Makes a crossing of a person's track that is over, or notes why it is none."""
    if walker_track.is_oblique(track, self._background.shape[1]):
      frames = np.arange(track[0].frame, track[-1].frame + 1)
      self._excluded.append((frames, tracking_gaps.OBLIQUE))
      return
    travel = linking.travel(track)
    self._furthest = max(self._furthest or 0.0, travel)
    if travel < linking.MIN_TRAVEL:
      return
    smooth = walker_track.smooth_track(
      track, self._time_s, self._background, self._noise, self._lower_edge
    )
    has_neighbour = np.isin(smooth.frame, self._frames_with_neighbour(track))
    is_mostly_cut = np.mean([b.is_cut for b in track]) > 0.5
    feet_cut = (smooth.floor > self._lower_edge) & is_mostly_cut
    self._excluded += [
      (smooth.frame[has_neighbour], tracking_gaps.ANOTHER_IN_WINDOW),
      (smooth.frame[feet_cut], tracking_gaps.FEET_CUT),
    ]
    moving = self._moving(smooth.frame)
    clear = tracking_gaps.keep_long_runs(~moving & ~has_neighbour & ~feet_cut, self._min_frames)
    if clear.any():
      planes = self._planes.select(smooth.frame)
      to_filmed = np.stack([self._frames.to_filmed(k) for k in smooth.frame.tolist()])
      reach = abs(track[-1].x - track[0].x)
      self._waiting.append(Crossing(smooth, clear, planes, to_filmed, reach))

  def _moving(self, frames: np.ndarray) -> np.ndarray:
    """Returns which of (K,) frames are not held still."""
    moving = tracking_gaps.is_within(self._camera.moving_intervals(), frames)
    return moving | np.isin(frames, self._frames.lost)

  def _frames_with_neighbour(self, track: linking.BlobTrack) -> list[int]:
    """Returns the frames in which somebody else is in the track's window."""
    return [b.frame for b in track if any(map(self._linker.is_person, b.neighbours))]


def _settle(
  finished: list[Crossing], first_open: int
) -> tuple[list[Crossing], list[Crossing], list[Crossing]]:
  """Of crossings at the same time keeps the longest alone, then the longest of the others, ...

  Args:
    finished: crossings that are over.
    first_open: the first frame of those that are not; one of them may turn out to be longer.

  Returns:
    Those to keep whatever comes, in order; those at the same time as one of them; those of which
    it is not known yet. Asked again later with the last ones and new ones beside them, it comes to
    the same as if asked once about all.
  """
  kept: list[Crossing] = []
  shorter: list[Crossing] = []
  undecided = sorted(finished, key=lambda c: -c.reach)

  def next_decided() -> Crossing | None:
    for k, crossing in enumerate(undecided):
      is_over = crossing.track.frame[-1] < first_open
      if is_over and not any(_overlap(crossing, longer) for longer in undecided[:k]):
        return crossing
    return None

  while (crossing := next_decided()) is not None:
    kept.append(crossing)
    shorter += [c for c in undecided if c is not crossing and _overlap(c, crossing)]
    undecided = [c for c in undecided if not _overlap(c, crossing)]
  return sorted(kept, key=lambda c: int(c.track.frame[0])), shorter, undecided


def _overlap(a: Crossing, b: Crossing) -> bool:
  """Returns whether two crossings share a frame."""
  return bool(a.track.frame[0] <= b.track.frame[-1] and b.track.frame[0] <= a.track.frame[-1])
