"""Stances in labelled frames, and force curves resampled to 0 to 100 % of stance."""

from __future__ import annotations

import dataclasses

import numpy as np

POINTS = 101  # a curve at 0, 1 ... 100 % of stance, as the gait literature gives it

PERCENT = np.linspace(0, 1, POINTS)


@dataclasses.dataclass(frozen=True)
class Stance:
  """One foot contact.

  Attributes:
    index: (K,) where its frames stand in the arrays it was found in.
    whole: both its ends were seen.
  """

  index: np.ndarray
  whole: bool


def stances(trial: np.ndarray, frame: np.ndarray, contact: np.ndarray) -> list[Stance]:
  """Finds one leg's contacts.

  Args:
    trial: (N,) names, frames of a trial in order of time.
    frame: (N,) frame numbers of the video, whose steps depend on its rate; one frame may be missing
      within a contact.
    contact: (N,) bool; a contact is whole where a frame without contact is on either side, as
      the plate has then seen both its ends.
  """
  found: list[Stance] = []
  if len(trial) == 0:
    return found
  step = np.diff(frame)
  follows = trial[1:] == trial[:-1]
  for name in np.unique(trial):
    inside = follows & (trial[1:] == name)
    if inside.any():
      follows[inside] = step[inside] <= 2 * max(np.median(step[inside]), 1)
  parts = np.flatnonzero(~(follows & contact[1:] & contact[:-1])) + 1
  for part in np.split(np.arange(len(trial)), parts):
    a, b = part[0], part[-1]
    if not contact[a]:
      continue
    before = a > 0 and bool(follows[a - 1])
    after = b + 1 < len(trial) and bool(follows[b])
    found.append(Stance(part, before and after))
  return found


def percent(stance: Stance) -> np.ndarray:
  """Each frame's place in its stance, 0 to 1: a contact of K frames lasts K frame intervals."""
  k = len(stance.index)
  return (np.arange(k) + 0.5) / k


def resample(curve: np.ndarray) -> np.ndarray:
  """(K, axes) at the frames of a stance -> (POINTS, axes) at 0 to 100 % of it."""
  k = len(curve)
  at = (np.arange(k) + 0.5) / k
  return np.stack([np.interp(PERCENT, at, curve[:, i]) for i in range(curve.shape[1])], axis=1)
