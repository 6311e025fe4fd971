"""Where in a video somebody may walk but is not estimated, and why."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from grfjax import mask_runs
from grfjax.gait import force_curves
from grfjax.tracking import linking


class Reason(NamedTuple):
  """Why somebody is not estimated.

  Attributes:
    code: short and stable, such as 'walker.camera_moves', for programs.
    sentence: the reason in words, without capital and full stop.
  """

  code: str
  sentence: str


CAMERA_MOVES = Reason('walker.camera_moves', 'the camera moves, so nothing is estimated')

TWO_TOGETHER = Reason(
  'walker.two_together', 'two people are too close to be told apart, so nothing is estimated'
)

ANOTHER_IN_WINDOW = Reason(
  'walker.another_in_window', "another person is in the walker's window, so nothing is estimated"
)

REFLECTION = Reason(
  'walker.reflection',
  "a reflection's legs are behind those of the walker, so nothing is estimated",
)

FEET_CUT = Reason(
  'walker.feet_cut', "the feet are beyond the picture's lower edge, so nothing is estimated"
)

HEAD_CUT = Reason(
  'walker.head_cut', "the head is beyond the picture's upper edge, so nothing is estimated"
)

HIDDEN = Reason(
  'walker.hidden', 'something before the walker hides the feet, so nothing is estimated'
)

NO_STRIDE = Reason(
  'walker.no_stride',
  'no legs swing as they do seen from the side (is it seen from the front, from behind or from '
  'above?), so nothing is estimated',
)

ON_THE_SPOT = Reason(
  'walker.on_the_spot',
  'somebody walks on the spot, as on a treadmill; the networks know only walks past a camera, so '
  'nothing is estimated',
)

CAMERA_CARRIED = Reason(
  'walker.camera_carried',
  'the camera goes along with the walker and the background streams by, so nothing is estimated; '
  'let the camera stand still',
)

ZOOM = Reason('walker.zoom', 'the camera zooms, or comes nearer, so nothing is estimated')

JUMP = Reason(
  'walker.jump',
  'the film jumps: from one frame to the next the walker is somewhere else, so what is before and '
  'after is estimated by itself',
)

FROZEN = Reason(
  'walker.frozen',
  'the picture stands still at once, while the film goes on, so nothing is estimated',
)

REPEATED = Reason(
  'walker.repeated',
  'a walk shows the same pictures as an earlier one: the film is looped or runs backwards, and '
  'every number counts the same steps again',
)

OBLIQUE = Reason(
  'walker.oblique',
  'somebody comes nearer or goes away (or climbs or jumps) and does not cross the picture, so '
  'nothing is estimated',
)

REFLECTED = Reason(
  'walker.reflected', "somebody moves as the walker's reflection does, and is taken for it"
)

SHORTER = Reason(
  'walker.shorter', 'another person walks as well; the one who goes further is estimated'
)


@dataclasses.dataclass(frozen=True)
class Gap:
  """An interval of the video in which somebody may walk, but is not estimated.

  Attributes:
    start_s: time of its first frame.
    end_s: time of its last frame.
    reason: why nobody is estimated.
  """

  start_s: float
  end_s: float
  reason: Reason

  def __str__(self) -> str:
    return f'{force_curves.time_span(self.start_s, self.end_s)} {self.reason.sentence}'


def is_within(intervals: list[tuple[int, int]], frames: np.ndarray) -> np.ndarray:
  """Returns (K,) bool, which of (K,) frames are in any of the intervals (first, last)."""
  inside = np.zeros(len(frames), bool)
  for first, last in intervals:
    inside |= (frames >= first) & (frames <= last)
  return inside


def keep_long_runs(mask: np.ndarray, min_length: float) -> np.ndarray:
  """Returns the mask with True only in runs of at least that length."""
  kept = np.zeros_like(mask)
  for start, stop in mask_runs.runs_of_true(mask):
    kept[start:stop] = stop - start >= min_length
  return kept


def merge_gaps(excluded: list[tuple[np.ndarray, Reason]], time_s: np.ndarray) -> list[Gap]:
  """Merges excluded frames to gaps, which are apart for at least as long as a walk lasts.

  Args:
    excluded: (K,) frames each, and why nobody is estimated in them.
    time_s: (N,) time of each of the video's frames.

  Returns:
    The gaps of all reasons in order of their start.
  """
  gaps = []
  is_still = np.ones(len(time_s), bool)
  for frames, reason in excluded:
    is_still[frames] &= reason != CAMERA_MOVES
  for reason in dict.fromkeys(reason for _, reason in excluded):
    mask = np.zeros(len(time_s), bool)
    for frames, same_reason in excluded:
      mask[frames] |= same_reason == reason
    if reason != CAMERA_MOVES:
      mask &= is_still  # before a background that moves, nothing else can be told
    times = time_s[mask]
    cuts = np.flatnonzero(np.diff(times) > linking.MIN_SECONDS) + 1
    gaps += [Gap(float(t[0]), float(t[-1]), reason) for t in np.split(times, cuts) if len(t)]
  return sorted(gaps, key=lambda gap: gap.start_s)
