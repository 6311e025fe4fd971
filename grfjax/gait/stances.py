"""Stances in labelled frames, and force curves resampled to 0 to 100 % of stance."""

from __future__ import annotations

import dataclasses

import numpy as np

POINTS = 101  # a curve at 0, 1 ... 100 % of stance, as the gait literature gives it
PHASE = np.linspace(0, 1, POINTS)  # where in stance these points lie, 0 to 1


@dataclasses.dataclass(frozen=True)
class Stance:
  """One foot contact in labelled frames.

  Attributes:
    index: (K,) positions of its frames in the arrays in which it was found.
    whole: whether both its ends were seen.
  """

  index: np.ndarray
  whole: bool

  @property
  def phase(self) -> np.ndarray:
    """(K,) where in the stance each of its frames lies, 0 to 1."""
    return _frame_phase(len(self.index))


def find_stances(trial: np.ndarray, frame: np.ndarray, contact: np.ndarray) -> list[Stance]:
  """Finds one leg's stances.

  Args:
    trial: (N,) names; the frames of a trial are in order of time.
    frame: (N,) frame numbers of the video, whose steps depend on its rate; one frame may be missing
      within a stance.
    contact: (N,) bool; a stance is whole where a frame without contact is on either side, as
      the plate has then seen both its ends.
  """
  count = len(trial)
  if count == 0:
    return []
  is_linked = _follows_previous(trial, frame)
  cuts = np.flatnonzero(~(is_linked & contact[1:] & contact[:-1])) + 1
  stances = []
  for index in np.split(np.arange(count), cuts):
    first, last = index[0], index[-1]
    if contact[first]:
      start_seen = first > 0 and bool(is_linked[first - 1])
      end_seen = last + 1 < count and bool(is_linked[last])
      stances.append(Stance(index, start_seen and end_seen))
  return stances


def _follows_previous(trial: np.ndarray, frame: np.ndarray) -> np.ndarray:
  """Returns (N - 1,) bool, whether each frame but the first continues the one before it."""
  step = np.diff(frame)
  same_trial = trial[1:] == trial[:-1]
  is_linked = same_trial.copy()
  for name in np.unique(trial):
    inside = same_trial & (trial[1:] == name)
    if inside.any():
      is_linked[inside] = step[inside] <= 2 * max(np.median(step[inside]), 1)
  return is_linked


def _frame_phase(count: int) -> np.ndarray:
  """Returns where each frame lies in a stance, 0 to 1: `count` frames last `count` intervals."""
  return (np.arange(count) + 0.5) / count


def resample(curve: np.ndarray) -> np.ndarray:
  """Resamples (K, axes) at the frames of a stance to (POINTS, axes) at 0 to 100 % of it."""
  phase = _frame_phase(len(curve))
  return np.stack([np.interp(PHASE, phase, values) for values in curve.T], axis=1)
