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

import collections
import contextlib
import dataclasses
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np

from grfjax import errors
from grfjax.io import progress
from grfjax.tracking import (
  background_model,
  blobs,
  camera_motion,
  dissolves,
  film_cuts,
  frame_planes,
  frozen_frames,
  glossy_floor,
  hidden_feet,
  linking,
  refusal_reasons,
  room_growth,
  seams,
  steady_frames,
  tracking_gaps,
  walker_track,
)

_Areas: TypeAlias = dict[int, list[blobs.Area]]  # of frames


class UnusableFilmError(errors.InputError):
  """A film that cannot be used as it is; the message says what was seen, and what to do."""


class NobodyFoundError(UnusableFilmError):
  """No walker could be followed; the message says what moves in the video instead.

  Attributes:
    gaps: where somebody may walk but cannot be followed.
    moves: whether the camera was found to move.
  """

  gaps: tuple[tracking_gaps.Gap, ...] = ()
  moves: bool = False


# By which the picture of the room may grow over a walk; held in hands it does by 1.02.
MAX_ZOOM = 1.1

# Frames that two walks may share and yet count as one after the other: somebody whom a pillar
# hides is seen on both its sides for a moment.
MAX_SHARED = 3

MAX_SIZE_APART = 0.15  # share by which the same walker's height may differ after a jump
JUMP_AWAY = 0.25  # body heights, from where on a walker is no longer taken for the same
TURN_SEEN_S = 0.5  # of a turn that the pictures of a walk show beside it
JUMP_MARGIN = 2  # frames before and after a jump that belong to no walk

# Why nobody is found, where nothing else need be looked for.
_TELLING = (
  tracking_gaps.FEET_CUT, tracking_gaps.HEAD_CUT, tracking_gaps.OBLIQUE, tracking_gaps.NO_STRIDE,
  tracking_gaps.HIDDEN, tracking_gaps.ZOOM,
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Crossing:
  """A walk across the picture.

  Attributes:
    track: where the walker is.
    clear: (K,) bool, false where the window does not show the walker alone, whole, and before a
      still background: no estimate is better than a wrong one.
    planes: of the track's frames: gray, and the largest difference to the background over the
      colours.
    to_filmed: (K, 3, 3) homographies from the track's pixels, in which the camera stands still, to
      those of the frames as they were filmed.
    reach: how far the walker goes across the picture, in working pixels (in its own heights a scrap
      of shadow would go further than who casts it).
  """

  track: walker_track.Track
  clear: np.ndarray
  planes: frame_planes.WalkPlanes
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
    UnusableFilmError: several shots are joined, the film shows several views, or is turned.
  """
  steady = steady_frames.SteadyFrames(frames)
  search = _Search(steady, time_s)
  has_crossing = False
  for k, frame in enumerate(steady.for_search()):
    progress.report(progress.SEARCH, k / len(time_s))
    for crossing in search.add(k, frame):
      has_crossing = True
      yield crossing
  search.check_frozen()
  gaps = search.gaps()
  if not has_crossing:
    if not any(gap.reason in _TELLING for gap in gaps):
      gaps = refusal_reasons.explain(frames, time_s) or gaps
    if not gaps:
      _check_upright(frames, time_s)
    raise _nobody_found(gaps, search.describe_motion(), steady.moves)
  yield from gaps


def _nobody_found(gaps: list[tracking_gaps.Gap], motion: str, moves: bool) -> NobodyFoundError:
  expected = (
    f'expected one person crossing at least {linking.MIN_TRAVEL} body heights before a still camera'
  )
  if gaps:
    message = f'no walk can be estimated: {"; ".join(map(str, gaps))} ({expected})'
    code = max(gaps, key=lambda gap: gap.end_s - gap.start_s).reason.code
  else:
    message, code = f'nobody walks across the picture ({motion}; {expected})', 'video.no_walker'
  error = NobodyFoundError(message, code=code)
  error.gaps, error.moves = tuple(gaps), moves
  return error


class _TurnedFrames:
  """The frames of a video, turned by a quarter."""

  def __init__(self, frames: background_model.Frames):
    self._frames = frames

  def __iter__(self) -> Iterator[np.ndarray]:
    return (np.ascontiguousarray(np.rot90(frame)) for frame in self._frames)

  def sample(self, count: int) -> list[np.ndarray]:
    return [np.ascontiguousarray(np.rot90(frame)) for frame in self._frames.sample(count)]


def _check_upright(frames: background_model.Frames, time_s: np.ndarray) -> None:
  """Raises UnusableFilmError where somebody crosses the picture once it is turned by a quarter."""
  steady = steady_frames.SteadyFrames(_TurnedFrames(frames))
  search = _Search(steady, time_s)
  walks: list[Crossing] = []
  with contextlib.suppress(UnusableFilmError):
    for k, frame in enumerate(steady.for_search()):
      walks += search.add(k, frame)
  if walks or search.is_upside_down:
    raise UnusableFilmError(
      'the walker lies on the side: the picture is turned by a quarter, as where a flag that says '
      'how the camera was held has been lost. Turn it (ffmpeg -i IN -vf transpose=1 OUT, or '
      'transpose=2 if the head is below then)',
      code='video.turned',
    )


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
    self._fps = fps = 1 / float(np.median(np.diff(time_s)))
    self._min_frames = linking.MIN_SECONDS * fps - 1
    self._linker = linking.Linker(fps, self._background.shape[1])
    self._camera = camera_motion.CameraMotion(self._search_background, fps)
    self._room_growth = room_growth.RoomGrowth(fps)
    self._cuts = film_cuts.FilmCuts()  # of frames as they were filmed
    self._last_pictures: collections.deque[np.ndarray] = collections.deque(maxlen=3)
    self._dissolves = dissolves.Dissolves(fps)
    self._frozen = frozen_frames.FrozenFrames(time_s)
    self._seams = seams.Seams(self._background, fps)
    self._walks: list[linking.BlobTrack] = []  # all but repetitions
    self._people: list[linking.BlobTrack] = []  # over, while somebody is seen who was then
    self._last: linking.BlobTrack | None = None  # of the tracks that were over before
    self.is_upside_down = False
    self._planes = frame_planes.FramePlanes(frames, self._background)
    self._picture = self._search_background  # the search picture of the last frame
    self._waiting: list[Crossing] = []  # over, but perhaps shorter than one that is not
    self._excluded: list[tuple[np.ndarray, tracking_gaps.Reason]] = []  # frames, and why
    self._furthest: float | None = None  # body heights that somebody has moved

  def add(self, index: int, frame: steady_frames.SearchFrame) -> list[Crossing]:
    """Takes the next frame and returns the crossings that are settled by now, in order."""
    self._planes.add(index, frame.filmed)
    previous, self._picture = self._picture, frame.picture
    self._camera.add(index, self._picture)
    self._room_growth.add(index, self._picture)
    self._last_pictures.append(self._picture)
    self._add_to_cuts(index, frame.small)
    self._dissolves.add(index, frame.small)
    self._frozen.add(index, previous if index else self._picture, self._picture)
    if self._dissolves.frames:
      raise self._dissolve_error(self._dissolves.frames[0])
    if (cut := self._next_cut()) is not None:
      raise self._cut_error(cut)
    for track in self._without_reflections(self._link(index, previous)):
      for seen in self._without_frozen(track):
        for part in self._without_jumps(seen):
          for walk, is_turn in linking.split_at_turns(part) if part else ():
            self._finish(walk, is_turn)
      for blob in track:
        blob.neighbours.clear()  # their pixels take memory
    first_open = min((t[0].frame for t in self._linker.tracks), default=index + 1)
    self._planes.forget_before(first_open)
    self._room_growth.forget_before(first_open)
    self._people = [track for track in self._people if track[-1].frame >= first_open]
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
      *(
        (np.arange(first, last + 1), tracking_gaps.FROZEN)
        for first, last in self._frozen.intervals()
      ),
      (every[moving], tracking_gaps.CAMERA_MOVES),
      (every[together], tracking_gaps.TWO_TOGETHER),
    ]
    return tracking_gaps.merge_gaps(excluded, self._time_s)

  def check_frozen(self) -> None:
    """Raises UnusableFilmError where the picture stands still for much of the film."""
    if self._frozen.is_most():
      stretches = ', '.join(
        f'from {self._time_s[first]:.2f} to {self._time_s[last]:.2f} s'
        for first, last in self._frozen.intervals()
      )
      raise UnusableFilmError(
        f'{stretches} the picture stands still at once in the middle of a motion, while the film '
        'goes on. Cut that away (ffmpeg -ss FROM -t SECONDS -i IN OUT keeps a part)',
        code='video.frozen',
      )

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
    for track in self._linker.tracks:
      change = (
        walker_track.picture_change(track[-1], previous, self._picture, self._scale)
        if index
        else np.nan
      )
      track[-1].changes.append(change)
    if index == len(self._time_s) - 1:
      over += self._linker.close()
    return over

  def _finish(self, whole: linking.BlobTrack, is_turn: np.ndarray) -> None:
    """Makes a crossing of a track that is over, or notes why it is none.

    Args:
      whole: K blobs, from turn to turn.
      is_turn: (K,) bool, which of them are of a turn.
    """
    track = [b for b, turns in zip(whole, is_turn, strict=True) if not turns]
    if not self._linker.is_person(track):
      return
    if self._seams.are_parted(track):
      raise UnusableFilmError(
        f'at {self._time_s[track[0].frame]:.1f} s the film shows several views at once, beside or '
        'above each other; cut out one of them (ffmpeg -i IN -vf crop=WIDTH:HEIGHT:LEFT:TOP OUT)',
        code='video.several_views',
      )
    hidden = walker_track.hidden_feet(track, self._time_s)
    seen = [b for b, is_hidden in zip(track, hidden, strict=True) if not is_hidden]
    if walker_track.is_oblique(seen, self._background.shape[1]):
      frames = np.arange(track[0].frame, track[-1].frame + 1)
      self._excluded.append((frames, tracking_gaps.OBLIQUE))
      return
    travel = linking.travel(track)
    self._furthest = max(self._furthest or 0.0, travel)
    if travel < linking.MIN_TRAVEL:
      return
    self._note_repetition(track)
    if walker_track.is_upside_down(track):
      self.is_upside_down = True
      raise UnusableFilmError(
        f'at {self._time_s[track[0].frame]:.1f} s somebody walks with the head below: the picture '
        'is upside down. Turn it (ffmpeg -i IN -vf hflip,vflip OUT)',
        code='video.turned',
      )
    # Networks tell more of a walk's last step if they see what comes after it.
    beside = TURN_SEEN_S * self._fps
    first, last = track[0].frame, track[-1].frame
    around = [b for b in whole if first - beside <= b.frame <= last + beside]
    hidden_frames = [b.frame for b, is_hidden in zip(track, hidden, strict=True) if is_hidden]
    smooth = self._smooth(around, hidden_frames)
    others, reflected = self._neighbours(track)
    if (gloss := self._gloss(smooth)) is not None:
      around, track = (glossy_floor.cut(part, smooth, gloss) for part in (around, track))
      smooth = self._smooth(around, hidden_frames)
    has_neighbour = np.isin(smooth.frame, others)
    joined = tracking_gaps.is_within(self._linker.reflection_intervals, smooth.frame)
    joined &= ~np.isin(smooth.frame, [b.frame for b in track])
    cut = {b.frame: b.is_cut for b in track}
    feet_cut = (smooth.floor > self._lower_edge) & walker_track.cut_frames(
      smooth.frame, cut, self._time_s
    )
    head_cut = (smooth.floor - smooth.height < self._scale) & walker_track.cut_frames(
      smooth.frame, {b.frame: b.is_head_cut for b in track}, self._time_s
    )
    blob_frame = np.array([b.frame for b in track])
    is_hidden = np.isin(smooth.frame, blob_frame[hidden])
    if hidden_feet.are_hidden(track, smooth, self._search_background, self._lower_edge):
      at_edge = smooth.floor > self._lower_edge
      feet_cut, is_hidden = feet_cut | at_edge, is_hidden | ~at_edge
    aside = walker_track.steps_aside(track, self._time_s)
    no_stride = np.isin(smooth.frame, blob_frame[~aside]) & ~feet_cut & ~is_hidden
    to_filmed = np.stack([self._frames.to_filmed(k) for k in smooth.frame.tolist()])
    # A camera that moves alike in all directions may seem to stand still.
    growth = max(self._zoom(to_filmed), self._room_growth.during(smooth.frame, smooth.height))
    zooms = np.full(len(smooth.frame), growth > MAX_ZOOM)
    withheld = (
      (has_neighbour, tracking_gaps.ANOTHER_IN_WINDOW), (joined, tracking_gaps.REFLECTION),
      (feet_cut, tracking_gaps.FEET_CUT), (head_cut, tracking_gaps.HEAD_CUT),
      (is_hidden, tracking_gaps.HIDDEN), (no_stride, tracking_gaps.NO_STRIDE),
      (zooms, tracking_gaps.ZOOM),
    )  # fmt: skip
    self._excluded += [(smooth.frame[where], reason) for where, reason in withheld]
    turns = (smooth.frame < first) | (smooth.frame > last)
    unclear = np.logical_or.reduce(
      [turns, self._moving(smooth.frame), *(where for where, _ in withheld)]
    )
    clear = tracking_gaps.keep_long_runs(~unclear, self._min_frames)
    if clear.any():
      planes = self._planes.select(smooth.frame, reflected)
      reach = abs(track[-1].x - track[0].x)
      self._waiting.append(Crossing(smooth, clear, planes, to_filmed, reach))

  def _cut_error(self, frame: int) -> UnusableFilmError:
    at = self._time_s[frame]
    return UnusableFilmError(
      f'frame {frame} at {at:.2f} s shows another view than the frame before: several shots are '
      f'joined. Give each by itself (ffmpeg -i IN -t {at:.2f} OUT keeps what is before)',
      code='video.cut',
      frame=frame,
    )

  def _dissolve_error(self, frame: int) -> UnusableFilmError:
    at = self._time_s[frame]
    return UnusableFilmError(
      f'around frame {frame} at {at:.2f} s one shot fades into another: several shots are joined. '
      'Give each by itself (ffmpeg -i IN -t SECONDS OUT keeps what is before)',
      code='video.dissolve',
      frame=frame,
    )

  def _add_to_cuts(self, index: int, small: np.ndarray) -> None:
    known = len(self._cuts.frames)
    self._cuts.add(index, small)
    is_new = len(self._cuts.frames) > known
    # A camera that is pushed shows another view, but not once held still.
    if is_new and self._frames.moves and not film_cuts.is_cut(self._last_pictures):
      self._cuts.frames.pop()

  def _next_cut(self) -> int | None:
    """Returns the frame before which the view changed; None without one."""
    # Once a picture that stood still goes on, a walker may be somewhere else.
    after = {last + 1 for _, last in self._frozen.intervals()} if self._cuts.frames else set()
    cuts = (frame for frame in self._cuts.frames if frame not in after)
    return next(cuts, None)

  def _without_frozen(self, track: linking.BlobTrack) -> list[linking.BlobTrack]:
    """Cuts a track where the picture stands still; these frames belong to no walk."""
    parts = []
    for first, last in self._frozen.intervals():
      parts.append([b for b in track if b.frame <= first])
      track = [b for b in track if b.frame > last]
    return [part for part in (*parts, track) if part]

  def _without_jumps(self, track: linking.BlobTrack) -> list[linking.BlobTrack]:
    """Cuts a track where the film jumps, and notes that; the frames beside it belong to no walk."""
    before, self._last = self._last, track
    if self._frames.moves or not self._linker.is_person(track):
      return [track]  # a frame that is held still wrongly jumps as well
    if before and self._is_same_elsewhere(before, track):
      track = self._note_jump(track[0].frame, track)
    parts = []
    while (jump := walker_track.find_jump(track, self._time_s)) is not None:
      parts.append([b for b in track if b.frame < jump - JUMP_MARGIN])
      track = self._note_jump(jump, track)
    return [*parts, track]

  def _note_jump(self, jump: int, track: linking.BlobTrack) -> linking.BlobTrack:
    """Notes a jump before a frame, and returns the part of a track that is clear of it."""
    beside = np.arange(max(0, jump - JUMP_MARGIN), jump + JUMP_MARGIN)
    self._excluded.append((beside[beside < len(self._time_s)], tracking_gaps.JUMP))
    return [b for b in track if b.frame >= jump + JUMP_MARGIN]

  def _is_same_elsewhere(self, before: linking.BlobTrack, after: linking.BlobTrack) -> bool:
    """Returns whether a track ends within the picture where the next begins elsewhere in it."""
    if not (self._linker.is_person(before) and self._linker.is_person(after)):
      return False
    one, other = before[-1], after[0]
    height = linking.median_height(before)
    width = float(np.median([b.right - b.left for b in before]))
    at = np.array([one.frame, other.frame])
    return bool(
      other.frame == one.frame + 1
      and abs(other.x - one.x) > JUMP_AWAY * height
      and not tracking_gaps.is_within(self._linker.pair_intervals, at).any()
      and all(
        b.left > 1
        and b.right < self._background.shape[1] - 1
        and abs(b.height / height - 1) < MAX_SIZE_APART
        and b.right - b.left > (1 - 2 * MAX_SIZE_APART) * width
        for b in (one, other)
      )
    )

  def _note_repetition(self, track: linking.BlobTrack) -> None:
    """Notes where a walk shows the same pictures as an earlier one."""
    if any(walker_track.repeats(track, earlier, self._time_s) for earlier in self._walks):
      frames = np.arange(track[0].frame, track[-1].frame + 1)
      self._excluded.append((frames, tracking_gaps.REPEATED))
    else:
      self._walks.append(track)

  def _zoom(self, to_filmed: np.ndarray) -> float:
    """Returns the largest over the smallest scale of frames, (K, 3, 3) homographies."""
    if not self._frames.moves:
      return 1.0
    height, width = self._background.shape[:2]
    x, y = width / 2 + 50.0 * np.array([0, 1, 0]), height / 2 + 50.0 * np.array([0, 0, 1])
    mapped = to_filmed @ np.stack([x, y, np.ones(3)])
    corner, right, below = np.moveaxis(mapped[:, :2] / mapped[:, 2:], 2, 0)
    (a, b), (c, d) = (right - corner).T, (below - corner).T
    area = np.abs(a * d - b * c)
    return float(np.sqrt(area.max() / area.min()))

  def _moving(self, frames: np.ndarray) -> np.ndarray:
    """Returns which of (K,) frames are not held still."""
    moving = tracking_gaps.is_within(self._camera.moving_intervals(), frames)
    return moving | np.isin(frames, self._frames.lost)

  def _smooth(self, track: linking.BlobTrack, hidden: list[int]) -> walker_track.Track:
    return walker_track.smooth_track(
      track, self._time_s, self._background, self._noise, self._lower_edge, hidden
    )

  def _gloss(self, track: walker_track.Track) -> float | None:
    """Returns how many body heights the floor is over the end of a reflection in it, if any."""
    kept = self._planes.kept(track.frame)
    if not len(kept):
      return None
    kept = kept[np.unique(np.linspace(0, len(kept) - 1, glossy_floor.SAMPLED).astype(int))]
    at = kept - track.frame[0]
    place = np.stack([track.x[at], track.floor[at], track.height[at]], -1) / self._scale
    return glossy_floor.find(self._planes.differences(kept, self._scale), place)

  def _without_reflections(self, over: list[linking.BlobTrack]) -> list[linking.BlobTrack]:
    """Returns those tracks that are over and no reflection of anybody seen at the same time."""
    self._people += [track for track in over if self._linker.is_person(track)]
    people = [*self._people, *self._linker.tracks]
    kept = []
    for track in over:
      if not any(self._linker.is_reflection(track, walker) for walker in people):
        kept.append(track)
      elif self._linker.is_person(track):
        frames = np.array([blob.frame for blob in track])
        self._excluded.append((frames, tracking_gaps.REFLECTED))
    return kept

  def _neighbours(self, track: linking.BlobTrack) -> tuple[list[int], _Areas]:
    """Returns the frames in which others are in a track's window, and where reflections are."""
    people: list[int] = []
    reflected: _Areas = {}
    is_image: dict[int, bool] = {}
    for blob in track:
      for other, area, is_person in blob.neighbours:
        if not self._linker.is_person(other):
          continue
        if id(other) not in is_image:
          is_image[id(other)] = self._linker.is_reflection(other, track)
        if is_image[id(other)]:
          reflected[blob.frame] = [*reflected.get(blob.frame, ()), area]
        elif is_person:
          people.append(blob.frame)
    return people, reflected


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
    undecided = [c for c in undecided if c is not crossing and not _overlap(c, crossing)]
  return sorted(kept, key=lambda c: int(c.track.frame[0])), shorter, undecided


def _overlap(a: Crossing, b: Crossing) -> bool:
  """Returns whether two crossings share more than a moment."""
  first = max(a.track.frame[0], b.track.frame[0])
  last = min(a.track.frame[-1], b.track.frame[-1])
  shorter = min(len(a.track.frame), len(b.track.frame))
  return bool(last - first + 1 > min(MAX_SHARED, shorter / 2))
