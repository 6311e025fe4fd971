"""Estimated contacts against true ones: missed, invented, and errors of time and force."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from grfjax import conventions
from grfjax.gait import foot_contacts, gait_measures

# Half of the shortest stance, and far less than half a stride: what lies further from a true
# contact is another contact, or none.
MATCH_S = 0.2

# Name in a result -> measure, and what its error is multiplied by to be in ms, % BW or cm.
ERRORS: dict[str, tuple[str, int]] = {
  'contact_ms': ('contact_s', 1000),
  'toe_off_ms': ('toe_off_s', 1000),
  'stance_ms': ('stance_s', 1000),
  'first_peak_pct_bw': ('first_peak_bw', 100),
  'valley_pct_bw': ('valley_bw', 100),
  'second_peak_pct_bw': ('second_peak_bw', 100),
  'step_length_cm': ('step_length_m', 100),
}


@dataclasses.dataclass(frozen=True)
class ContactComparison:
  """Contacts of one trial or many.

  Attributes:
    matched: pairs (true, estimated).
    missed: true contacts without an estimated one.
    invented: estimated contacts that are none.
    unjudged: estimated contacts where nothing was measured.
  """

  matched: list[tuple[foot_contacts.MeasuredContact, foot_contacts.MeasuredContact]] = (
    dataclasses.field(default_factory=list)
  )
  missed: list[foot_contacts.MeasuredContact] = dataclasses.field(default_factory=list)
  invented: list[foot_contacts.MeasuredContact] = dataclasses.field(default_factory=list)
  unjudged: list[foot_contacts.MeasuredContact] = dataclasses.field(default_factory=list)

  def merge(self, other: ContactComparison) -> ContactComparison:
    """Returns both taken together."""
    return ContactComparison(
      self.matched + other.matched,
      self.missed + other.missed,
      self.invented + other.invented,
      self.unjudged + other.unjudged,
    )

  def pairs(self, name: str) -> np.ndarray:
    """Returns a measure's (true, estimated) values where both are defined: (n, 2).

    Args:
      name: in `gait_measures.EVENTS` or `gait_measures.MEASURES`.
    """
    values = np.array([[c.measures[name] for c in pair] for pair in self.matched], np.float64)
    values = values.reshape(-1, 2)
    return values[np.isfinite(values).all(1)]

  def result(self) -> dict[str, Any]:
    """Returns counts, and for each of `ERRORS` mae, bias (estimate - truth), n and undefined.

    `undefined` counts matched contacts of which the truth has the measure and the estimate has
    not; they are not in n. Shares are in % of the true contacts. What is undefined is None.
    """
    true = len(self.matched) + len(self.missed)
    counts = {
      'true': true,
      'matched': len(self.matched),
      'missed': len(self.missed),
      'invented': len(self.invented),
      'unjudged': len(self.unjudged),
      'missed_pct': 100 * len(self.missed) / true if true else None,
      'invented_pct': 100 * len(self.invented) / true if true else None,
    }
    return counts | {
      name: self._error(measure, factor) for name, (measure, factor) in ERRORS.items()
    }

  def _error(self, measure: str, factor: int) -> dict[str, float | None]:
    true, estimate = self.pairs(measure).T
    error = factor * (estimate - true)
    defined = sum(np.isfinite(contact.measures[measure]) for contact, _ in self.matched)
    return {
      'mae': float(np.abs(error).mean()) if error.size else None,
      'bias': float(error.mean()) if error.size else None,
      'n': error.size,
      'undefined': int(defined) - error.size,
    }


def compare_contacts(
  estimated: list[foot_contacts.MeasuredContact],
  true: list[foot_contacts.MeasuredContact],
  time_s: np.ndarray,
  known: np.ndarray,
) -> ContactComparison:
  """Compares estimated contacts with true ones where the truth is known, and only there.

  Contacts of the same leg are matched one to one, nearest first, where their initial contacts are
  at most `MATCH_S` apart. If one of these was not seen, their toe-offs are compared; if they share
  neither, they match where they overlap.

  A true contact left over is missed, also where there is no estimate, if the greater part of it
  lies between the first and the last frame. An estimated contact left over is invented if the truth
  is known at the greater part of its frames: then the foot was in the air, or its contact with the
  plate is another one (a second within one stance, or one that is too far off). Otherwise it may
  be a step on the floor beside the plates, which nobody measured, and is not judged.

  Args:
    estimated: `foot_contacts.find_contacts` of the estimate.
    true: `foot_contacts.find_contacts` of the plates, whose threshold is 20 N over the body's
      weight.
    time_s: (N,) frames, on the clock of both.
    known: (N, 2) bool, leg (left, right): the foot on its plate or surely in the air, as
      `force_labels.label_legs` tells.

  Raises:
    ValueError: a wrong shape.
  """
  time_s, known = np.asarray(time_s, np.float64), np.asarray(known)
  if time_s.ndim != 1 or known.shape != (len(time_s), 2) or known.dtype != bool:
    raise ValueError(
      f'time_s {time_s.shape} and known {known.shape} {known.dtype}: expected (N,) and (N, 2) bool'
    )
  estimated_of = _match(estimated, true)
  matched_estimates = set(estimated_of.values())
  result = ContactComparison([(true[i], estimated[k]) for i, k in sorted(estimated_of.items())])
  for i, contact in enumerate(true):
    if i not in estimated_of and len(time_s):
      filmed_s = min(contact.end_s, time_s[-1]) - max(contact.start_s, time_s[0])
      if filmed_s > (contact.end_s - contact.start_s) / 2:
        result.missed.append(contact)
  for k, contact in enumerate(estimated):
    if k not in matched_estimates:
      during = (time_s >= contact.start_s) & (time_s <= contact.end_s)
      is_known = known[during, conventions.LEGS.index(contact.leg)]
      (result.invented if 2 * is_known.sum() > is_known.size else result.unjudged).append(contact)
  return result


def _match(
  estimated: list[foot_contacts.MeasuredContact], true: list[foot_contacts.MeasuredContact]
) -> dict[int, int]:
  """Returns index of a true contact -> index of the estimated one, nearest first."""
  candidates = [
    (_distance_s(t, e), i, k) for i, t in enumerate(true) for k, e in enumerate(estimated)
  ]
  estimated_of: dict[int, int] = {}
  for distance_s, i, k in sorted(candidates):
    if distance_s <= MATCH_S and i not in estimated_of and k not in estimated_of.values():
      estimated_of[i] = k
  return estimated_of


def _distance_s(
  true: foot_contacts.MeasuredContact, estimated: foot_contacts.MeasuredContact
) -> float:
  """Returns the seconds between two contacts, see `compare_contacts`; infinite for two legs."""
  if true.leg != estimated.leg:
    return np.inf
  for name in gait_measures.EVENTS:
    distance_s = abs(estimated.measures[name] - true.measures[name])
    if np.isfinite(distance_s):
      return distance_s
  overlap_s = min(true.end_s, estimated.end_s) - max(true.start_s, estimated.start_s)
  return 0.0 if overlap_s > 0 else np.inf
