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
from collections.abc import Iterable, Iterator

import numpy as np

from grfjax.tracking import (
  background_model,
  camera_motion,
  frame_planes,
  linking,
  tracking_gaps,
  walker_track,
)


class NobodyFoundError(ValueError):
  """No walker could be followed; the message says what was seen."""


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

  track: walker_track.Track
  clear: np.ndarray
  planes: Iterable[np.ndarray]
  reach: float


def crossings(
  frames: background_model.Frames, time_s: np.ndarray
) -> Iterator[Crossing | tracking_gaps.Gap]:
  """Finds every walk across the picture, in order; of two at the same time the longer one.

  Args:
    frames: the video's.
    time_s: (N,) each frame's time.

  Yields:
    Each crossing soon after it is over; at the end the stretches in which nobody can be followed.

  Raises:
    NobodyFoundError: nothing person-sized crosses the picture, or only in such stretches.
  """
  sample = frames.sample(background_model.BACKGROUND_FRAMES)
  back, noise = background_model.background(sample)
  searched = background_model.search_picture(back)
  scale = round(back.shape[0] / searched.shape[0])
  some = [background_model.search_picture(f) for f in sample[:: max(1, len(sample) // 8)]]
  threshold = max(14.0, 5 * background_model.noise(some, searched))
  del sample, some
  edge = float(scale * (searched.shape[0] - 1))  # give or take a pixel of what is searched
  fps = 1 / float(np.median(np.diff(time_s)))
  linker = linking.Linker(fps)
  camera = camera_motion.Camera(searched, fps)
  planes = frame_planes.FramePlanes(frames, back)
  waiting: list[Crossing] = []
  furthest: float | None = None
  found = False
  small = searched
  without: list[tuple[np.ndarray, str]] = []  # frames, and why they have no estimate

  for k, frame in enumerate(frames):
    planes.add(k, frame)
    before, small = small, background_model.search_picture(frame)
    camera.add(k, small)
    here = linking.blobs(k, background_model.difference(small, searched), threshold, scale)
    over = linker.add(k, here)
    for live in linker.live:
      live[-1].change.append(
        walker_track.picture_change(live[-1], before, small, scale) if k else np.nan
      )
    if k == len(time_s) - 1:
      over, linker.live = over + linker.live, []
    for track in over:
      if not linker.is_person(track):
        continue
      if walker_track.is_slanted(track, back.shape[1]):
        without.append((np.arange(track[0].frame, track[-1].frame + 1), tracking_gaps.SLANTED))
        continue
      furthest = max(furthest or 0.0, linking.travel(track))
      if linking.travel(track) < linking.MIN_TRAVEL:
        continue
      smooth = walker_track.smooth_track(track, time_s, back, noise, edge)
      beside = _beside(track, smooth.frame, linker)
      cut = np.mean([b.cut for b in track]) > 0.5
      below = (smooth.floor > edge) & cut
      without += [
        (smooth.frame[beside], tracking_gaps.BESIDE),
        (smooth.frame[below], tracking_gaps.FEET),
      ]
      least = linking.MIN_SECONDS * fps - 1
      clear = tracking_gaps.long_runs(
        ~tracking_gaps.within(camera.moving(), smooth.frame) & ~beside & ~below, least
      )
      if clear.any():
        kept = planes.of(smooth.frame)
        waiting.append(Crossing(smooth, clear, kept, abs(track[-1].x - track[0].x)))
    earliest = min((t[0].frame for t in linker.live), default=k + 1)
    planes.forget(earliest)
    settled, shorter, waiting = _apart(waiting, earliest)
    without += [(c.track.frame, tracking_gaps.SHORTER) for c in shorter]
    for crossing in settled:
      found = True
      yield crossing
  every = np.arange(len(time_s))
  without += [(every[tracking_gaps.within(camera.moving(), every)], tracking_gaps.MOVING)]
  without += [(every[tracking_gaps.within(linker.together, every)], tracking_gaps.TOGETHER)]
  stretches = tracking_gaps.stretches(without, time_s)
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


def longest(frames: background_model.Frames, time_s: np.ndarray) -> Crossing:
  """The crossing that goes furthest; arguments and errors as in `crossings`."""
  found = [c for c in crossings(frames, time_s) if isinstance(c, Crossing)]
  return max(found, key=lambda c: c.reach)


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
