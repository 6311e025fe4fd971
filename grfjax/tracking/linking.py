"""Links the blobs of successive frames to tracks of people, each of one person alone.

A blob is linked to the track that would be nearest by now. Where two people come together in one
blob their tracks end, and begin anew once they are apart: who is who cannot be told in between.
A reflection (`grfjax.tracking.reflections`) is smaller than whom it reflects: it does not end that
track, which goes on once they are apart.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple, TypeAlias

import numpy as np

from grfjax.tracking import blobs, reflections

MIN_TRAVEL = 0.5  # body heights a walker moves sideways; who moves less is a bystander
MIN_SECONDS = 0.5
MAX_GAP_FRAMES = 12  # without a blob, after which a track is over
WAIT_S = 3.0  # of standing about are kept before a walk
SIZE_FRAMES = 60  # over which a track's height is taken
SPEED_FRAMES = 8  # over which a track's speed is taken
REFERENCE_FPS = 60  # in a video k times as fast, all these numbers of frames are k times as large

# Body heights from a walker's centre to the sides of the window: who is nearer is in it as well.
WINDOW_REACH = 0.43

# Of a walker's height: what is smaller is part of somebody, or waves in the wind.
SAME_SIZE = 0.5
MAX_SIZE_APART = 0.15  # share by which a walker's height may differ once apart from a reflection
TURN_REACH = 0.1  # body heights about a turn that belong to no walk
BlobTrack: TypeAlias = list[blobs.Blob]


class _Pair(NamedTuple):
  """Two people in one blob, or somebody and a reflection.

  Attributes:
    blob: as last seen.
    walker: the track that goes on once they are apart; None: it is two people.
    hides_legs: whether it is a reflection that shows legs behind those of the walker.
  """

  blob: blobs.Blob
  walker: BlobTrack | None = None
  hides_legs: bool = False


class Linker:
  """Joins blobs of successive frames to tracks: nearest to where the track would be next.

  Attributes:
    open_tracks: the tracks that are not over.
    pair_intervals: (first frame, last frame) of each interval in which two people are one blob.
    reflection_intervals: of each in which somebody and the legs of a reflection are.
  """

  def __init__(self, fps: float, columns: int):
    """Begins without anybody.

    Args:
      fps: frames a second.
      columns: of the picture, in working pixels.
    """
    self._fps, self._columns = fps, columns
    self._rate_factor = max(1, round(fps / REFERENCE_FPS))
    self._pairs: list[_Pair] = []
    self._apart: list[BlobTrack] = []  # of walkers who have come apart from a reflection
    self._lost: list[BlobTrack] = []  # of those who have not
    self.open_tracks: list[BlobTrack] = []
    self.pair_intervals: list[tuple[int, int]] = []
    self.reflection_intervals: list[tuple[int, int]] = []

  @property
  def tracks(self) -> list[BlobTrack]:
    """The tracks that are not over, with those of walkers who are one blob with a reflection."""
    return [*self.open_tracks, *(pair.walker for pair in self._pairs if pair.walker)]

  def add(self, frame: int, frame_blobs: list[blobs.Blob]) -> list[BlobTrack]:
    """Takes the blobs of the next frame and returns the tracks that are over."""
    frame_blobs = self._without_pairs(frame, frame_blobs)
    expected_x = [self._expected_x(track, frame) for track in self.open_tracks]
    height = [median_height(t[-self._rate_factor * SIZE_FRAMES :]) for t in self.open_tracks]
    blob_of_track = self._match(frame_blobs, expected_x, height)
    ended: dict[int, BlobTrack] = {}  # number of a track that meets another -> what is left of it
    paired: set[int] = set()  # blobs of two people
    for b, blob in enumerate(frame_blobs):
      inside = [
        t for t, track in enumerate(self.open_tracks)
        if t not in ended and blob_of_track.get(t, b) == b and self.is_person(track)
        and _covers(blob, expected_x[t], track[-1], height[t])
      ]  # fmt: skip
      heights = [height[t] for t in inside]
      if len(inside) > 1 and min(heights) > SAME_SIZE * max(heights):
        last_apart = min(self.open_tracks[t][-1].frame for t in inside)
        for t in inside:
          ended[t] = [x for x in self.open_tracks[t] if x.frame <= last_apart]
        paired.add(b)
        pair = self._pair(blob, [ended[t] for t in inside])
        self._pairs.append(pair)
        self._note_pair(pair, last_apart + 1, frame)
    for t, b in blob_of_track.items():
      if t not in ended:
        self.open_tracks[t].append(frame_blobs[b])
    unlinked = set(range(len(frame_blobs))) - paired - set(blob_of_track.values())
    self.open_tracks = [track for t, track in enumerate(self.open_tracks) if t not in ended]
    self.open_tracks += [[frame_blobs[b]] for b in sorted(unlinked)]
    self.open_tracks += self._apart
    self._apart = []
    self._note_neighbours(frame)
    going_on = [id(track) for track in self.tracks]
    over = [track for track in (*ended.values(), *self._lost) if id(track) not in going_on]
    self._lost = []
    return [*over, *self._close_tracks(frame)]

  def close(self) -> list[BlobTrack]:
    """Ends all tracks, and returns them."""
    over, self.open_tracks, self._pairs = self.tracks, [], []
    return over

  def is_reflection(self, track: BlobTrack, walker: BlobTrack) -> bool:
    """Returns whether a track is a reflection of another's person."""
    return (
      track is not walker
      and self.is_person(walker)
      and reflections.is_reflection(track, walker, self._columns, self._fps)
    )

  def _pair(self, blob: blobs.Blob, tracks: list[BlobTrack]) -> _Pair:
    """Returns what the blob is in which tracks come together."""
    walker = max(tracks, key=median_height)
    others = [track for track in tracks if track is not walker]
    if all(self.is_reflection(track, walker) for track in others):
      return _Pair(blob, walker, any(reflections.shows_legs(track, walker) for track in others))
    for track in tracks:
      if track:
        track[-1].meets = True
    return _Pair(blob)

  def is_person(self, track: BlobTrack) -> bool:
    """Returns whether a track lasts as long as nothing but a person's does."""
    return bool(track) and track[-1].frame - track[0].frame >= MIN_SECONDS * self._fps - 1

  def _match(
    self, frame_blobs: list[blobs.Blob], expected_x: list[float], height: list[float]
  ) -> dict[int, int]:
    """Returns number of open track -> number of its blob, one to one, nearest first."""
    candidates = []
    for t in range(len(self.open_tracks)):
      for b, blob in enumerate(frame_blobs):
        distance = abs(expected_x[t] - blob.x)
        # Parts of a walker may melt into the wall for a while: the median height counts.
        if distance < 0.25 * height[t] and 0.6 < blob.height / height[t] < 1.6:
          candidates.append((distance, t, b))
    blob_of_track: dict[int, int] = {}
    for _, t, b in sorted(candidates):
      if t not in blob_of_track and b not in blob_of_track.values():
        blob_of_track[t] = b
    return blob_of_track

  def _expected_x(self, track: BlobTrack, frame: int) -> float:
    """Returns the column where a track would be in that frame."""
    last, past = track[-1], track[max(0, len(track) - 1 - self._rate_factor * SPEED_FRAMES)]
    speed = (last.x - past.x) / max(last.frame - past.frame, 1)
    return last.x + speed * (frame - last.frame)

  def _close_tracks(self, frame: int) -> list[BlobTrack]:
    """Removes and returns the tracks that are over, and shortens those that stand about."""
    oldest = frame - self._rate_factor * MAX_GAP_FRAMES
    over = [track for track in self.open_tracks if track[-1].frame < oldest]
    self.open_tracks = [track for track in self.open_tracks if track[-1].frame >= oldest]
    for track in self.open_tracks:
      while track[-1].frame - track[0].frame > WAIT_S * self._fps and travel(track) < MIN_TRAVEL:
        del track[0]
    return over

  def _without_pairs(self, frame: int, frame_blobs: list[blobs.Blob]) -> list[blobs.Blob]:
    """Follows the blobs of two people, and returns the others."""
    still_pairs: list[_Pair] = []
    for pair in self._pairs:
      last = pair.blob
      inside = [
        b for b in frame_blobs
        if abs(b.x - last.x) < (last.right - last.left) / 2 + 0.25 * b.height
      ]  # fmt: skip
      if len(inside) == 1:
        self._note_pair(pair, last.frame, frame)
        still_pairs.append(pair._replace(blob=inside[0]))
        frame_blobs = [b for b in frame_blobs if b is not inside[0]]
      elif not inside and frame - last.frame <= self._rate_factor * MAX_GAP_FRAMES:
        still_pairs.append(pair)
      else:  # apart again, or gone
        if inside:
          self._note_pair(pair, last.frame, frame - 1)
        if pair.walker:
          frame_blobs = self._go_on(pair.walker, inside, frame_blobs)
    self._pairs = still_pairs
    return frame_blobs

  def _go_on(
    self, walker: BlobTrack, apart: list[blobs.Blob], frame_blobs: list[blobs.Blob]
  ) -> list[blobs.Blob]:
    """Carries on the track of a walker who was one blob with a reflection.

    Args:
      walker: the track.
      apart: the blobs that were one.
      frame_blobs: all blobs of the frame.

    Returns:
      Those that are not the walker's.
    """
    height = median_height(walker[-self._rate_factor * SIZE_FRAMES :])
    alike = [b for b in apart if abs(b.height / height - 1) < MAX_SIZE_APART]
    if len(alike) != 1:
      self._lost.append(walker)
      return frame_blobs
    self._apart.append([*walker, *alike])
    return [b for b in frame_blobs if b is not alike[0]]

  def _note_pair(self, pair: _Pair, first: int, last: int) -> None:
    if pair.walker and not pair.hides_legs:
      return
    intervals = self.reflection_intervals if pair.walker else self.pair_intervals
    if intervals and first <= intervals[-1][1] + 1:
      start, end = intervals.pop()
      first, last = min(first, start), max(last, end)
    intervals.append((first, last))

  def _note_neighbours(self, frame: int) -> None:
    """Notes in each blob of the frame the tracks of others who are in the same window."""
    visible = [track for track in self.open_tracks if track[-1].frame == frame]
    for track in visible:
      a = track[-1]
      reach = WINDOW_REACH * a.height
      window = a.x - reach, a.x + reach, a.top, a.bottom
      for other in visible:
        b = other[-1]
        if other is not track and b.area and b.area.touches(*window):
          is_person = (
            b.height > SAME_SIZE * a.height
            and b.left < a.x + reach and b.right > a.x - reach
            and b.top < a.bottom and b.bottom > a.top
          )  # fmt: skip
          a.neighbours.append(blobs.Neighbour(other, b.area, is_person))
    for track in visible:
      track[-1].area = None


def _covers(blob: blobs.Blob, expected_x: float, last: blobs.Blob, height: float) -> bool:
  """Returns whether someone last seen as another blob may be within this one.

  Args:
    blob: of the present frame.
    expected_x: column where they are expected.
    last: as what they were last seen.
    height: their usual height.
  """
  margin = 0.1 * height
  return (
    blob.left - margin < expected_x < blob.right + margin
    and blob.top < last.bottom
    and blob.bottom > last.top
  )


def median_height(track: BlobTrack) -> float:
  """Returns the median of the blobs' heights."""
  return float(np.median([b.height for b in track]))


def travel(track: BlobTrack) -> float:
  """Returns how far a track reaches across the picture, in body heights."""
  # The height is taken in the middle: the picture's edges cut who comes and goes.
  middle = len(track) // 2
  around = track[max(0, middle - SIZE_FRAMES // 2) : middle + SIZE_FRAMES // 2 + 1]
  x = [b.x for b in track]
  return (max(x) - min(x)) / median_height(around)


def split_at_turns(track: BlobTrack) -> list[tuple[BlobTrack, np.ndarray]]:
  """Cuts the track of someone who walks there and back at the turns.

  A walk goes one way for at least `MIN_TRAVEL`. What is within `TURN_REACH` of a turn is no walk:
  there the walker faces the camera, or turns the back to it.

  Returns:
    The parts of K blobs each, from turn to turn, and (K,) bool, which of the blobs are of a turn;
    the track itself where nobody turns.
  """
  height = median_height(track)
  x = np.array([b.x for b in track]) / height
  turns = _turning_points(x)
  walks = []
  for first, last in itertools.pairwise([0, *turns, len(track) - 1]):
    part = slice(first, last + 1)
    is_turn = np.zeros(last + 1 - first, bool)
    for end in {first, last} & set(turns):
      is_turn |= np.abs(x[part] - x[end]) <= TURN_REACH
    if not is_turn.all():
      walks.append((track[part], is_turn))
  return walks


def _turning_points(x: np.ndarray) -> list[int]:
  """Returns where (K,) columns, in body heights, turn after `MIN_TRAVEL` and go as far back."""
  turns: list[int] = []
  low = high = 0  # where the present way is furthest to either side
  way = 0
  for k, value in enumerate(x):
    if value > x[high]:
      high = k
    if value < x[low]:
      low = k
    if way >= 0 and x[high] - value > MIN_TRAVEL:
      if way or x[high] - x[: high + 1].min() > MIN_TRAVEL:
        turns.append(high)
      way, low = -1, k
    elif way <= 0 and value - x[low] > MIN_TRAVEL:
      if way or x[: low + 1].max() - x[low] > MIN_TRAVEL:
        turns.append(low)
      way, high = 1, k
  return turns
