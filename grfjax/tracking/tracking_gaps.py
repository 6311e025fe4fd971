"""Where in a video somebody may walk but is not estimated, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from grfjax.tracking import linking

MOVING = 'the camera moves, so nothing is estimated'

TOGETHER = 'two people are too close to be told apart, so nothing is estimated'

BESIDE = "another person is in the walker's window, so nothing is estimated"

FEET = "the feet are beyond the picture's lower edge, so nothing is estimated"

SLANTED = (
  'somebody comes nearer or goes away (or climbs or jumps) and does not cross the picture, so '
  'nothing is estimated'
)

SHORTER = 'another person walks as well; the one who goes further is estimated'


@dataclasses.dataclass(frozen=True)
class Gap:
  """A stretch of the video in which somebody may walk, but is not estimated.

  Attributes:
    start_s: of the stretch.
    end_s: of the stretch.
    why: what goes on in it.
  """

  start_s: float
  end_s: float
  why: str

  def __str__(self) -> str:
    return f'from {self.start_s:.1f} to {self.end_s:.1f} s {self.why}'


def within(stretches: list[tuple[int, int]], frame: np.ndarray) -> np.ndarray:
  """(K,) bool, which of (K,) frames are in any of the stretches, (first, last)."""
  inside = np.zeros(len(frame), bool)
  for first, last in stretches:
    inside |= (frame >= first) & (frame <= last)
  return inside


def _runs(mask: np.ndarray) -> Iterator[slice]:
  """Where it is true."""
  edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))).tolist()
  return (slice(*pair) for pair in zip(edges[::2], edges[1::2], strict=True))


def long_runs(mask: np.ndarray, least: float) -> np.ndarray:
  """Only the runs of at least so many."""
  kept = np.zeros_like(mask)
  for run in _runs(mask):
    kept[run] = run.stop - run.start >= least
  return kept


def stretches(without: list[tuple[np.ndarray, str]], time_s: np.ndarray) -> list[Gap]:
  """Frames and why, put together to stretches that are apart for as long as a walk lasts."""
  found = []
  still = np.ones(len(time_s), bool)
  for frame, why in without:
    still[frame] &= why != MOVING
  for why in dict.fromkeys(why for _, why in without):
    mask = np.zeros(len(time_s), bool)
    for frame, same in without:
      mask[frame] |= same == why
    if why != MOVING:
      mask &= still  # before a background that moves, nothing else can be told
    times = time_s[mask]
    cuts = np.flatnonzero(np.diff(times) > linking.MIN_SECONDS) + 1
    found += [Gap(float(t[0]), float(t[-1]), why) for t in np.split(times, cuts) if len(t)]
  return sorted(found, key=lambda s: s.start_s)
