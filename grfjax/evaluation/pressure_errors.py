"""Errors of the estimated centre of pressure against the plates."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from grfjax import conventions
from grfjax.gait import foot_contacts

_LEAST_FRAMES = 5  # of a stance: fewer have no middle to compare


@dataclasses.dataclass(frozen=True)
class PressureErrors:
  """Errors of trials; each trial counts as one, however long the plates carried its feet.

  Where the origin lies nobody can say: one offset a trial, the median difference over both legs, is
  taken off before.

  Attributes:
    forward_cm: mean absolute error along the walk, of each trial.
    side_cm: likewise across it.
    apart_cm: absolute errors of how far two stances, one after the other, are apart along the walk,
      by the medians of their centres of pressure; of all trials.
    frames: over which the errors are means; a foot counts one.
  """

  forward_cm: tuple[float, ...] = ()
  side_cm: tuple[float, ...] = ()
  apart_cm: tuple[float, ...] = ()
  frames: int = 0

  def merge(self, other: Self) -> Self:
    """Returns the errors of the trials of both."""
    return dataclasses.replace(
      self, **{name: value + getattr(other, name) for name, value in vars(self).items()}
    )

  def result(self) -> dict[str, Any] | None:
    """Returns the means over trials, over steps for `mae_apart_cm`; None without any trial.

    The keys are mae_forward_cm, mae_side_cm, mae_apart_cm (None without two stances), trials,
    steps and n, the frames.
    """
    if not self.forward_cm:
      return None
    return {
      'mae_forward_cm': float(np.mean(self.forward_cm)),
      'mae_side_cm': float(np.mean(self.side_cm)),
      'mae_apart_cm': float(np.mean(self.apart_cm)) if self.apart_cm else None,
      'trials': len(self.forward_cm),
      'steps': len(self.apart_cm),
      'n': self.frames,
    }


def compare(
  estimate: np.ndarray,
  truth: np.ndarray,
  time_s: np.ndarray,
  contacts: Sequence[foot_contacts.MeasuredContact],
) -> PressureErrors:
  """Compares the centres of pressure of a trial.

  Args:
    estimate: (N, 2, 2) metres: leg (left, right) x (forward, left), from any origin; NaN where
      there is no estimate.
    truth: likewise, of the plates.
    time_s: (N,) times of the frames.
    contacts: on the plates.

  Returns:
    The errors of one trial, or of none where too little is known of both.
  """
  apart = estimate - truth
  known = np.isfinite(apart).all(-1)
  if known.sum() < _LEAST_FRAMES:
    return PressureErrors()
  off_cm = 100 * np.abs(apart[known] - np.median(apart[known], 0))
  return PressureErrors(
    (float(off_cm[:, 0].mean()),),
    (float(off_cm[:, 1].mean()),),
    tuple(_apart_cm(estimate, truth, known, time_s, contacts)),
    int(known.sum()),
  )


def _apart_cm(
  estimate: np.ndarray,
  truth: np.ndarray,
  known: np.ndarray,
  time_s: np.ndarray,
  contacts: Sequence[foot_contacts.MeasuredContact],
) -> list[float]:
  """Returns the errors of the distances between stances of one foot and then the other."""
  stances = []
  for contact in sorted(contacts, key=lambda contact: contact.start_s):
    leg = conventions.LEGS.index(contact.leg)
    here = known[:, leg] & (time_s >= contact.start_s) & (time_s <= contact.end_s)
    if here.sum() >= _LEAST_FRAMES:
      middles = [float(np.median(places[here, leg, 0])) for places in (estimate, truth)]
      stances.append((leg, np.array(middles)))
  return [
    float(100 * abs(np.subtract(*(second - first))))
    for (leg, first), (other, second) in itertools.pairwise(stances)
    if leg != other
  ]
