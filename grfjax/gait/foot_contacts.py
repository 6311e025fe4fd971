"""Foot contacts in force curves: when each foot is on the floor, and what is measured of it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from grfjax import conventions, mask_runs
from grfjax.gait import contact_thresholds, gait_measures, stance_measures, stances


@dataclasses.dataclass(frozen=True)
class Contact:
  """One foot on the floor, or on a force plate.

  Attributes:
    start_s: its start, interpolated at the threshold; where that was not seen, the first time that
      was seen of it.
    end_s: its end, likewise.
    whole_start: whether the initial contact was seen.
    whole_end: whether the toe-off was seen.
  """

  start_s: float
  end_s: float
  whole_start: bool
  whole_end: bool

  @property
  def is_whole(self) -> bool:
    """Whether both ends were seen."""
    return self.whole_start and self.whole_end


@dataclasses.dataclass(frozen=True)
class MeasuredContact(Contact):
  """A contact of a known leg with its gait measures.

  Attributes:
    leg: one of `conventions.LEGS`.
    measures: name in `gait_measures.EVENTS` or `gait_measures.MEASURES` -> value, NaN where
      undefined.
  """

  leg: str
  measures: dict[str, float]


def find_contacts(
  time_s: np.ndarray, force: np.ndarray, threshold_bw: float = contact_thresholds.CONTACT_BW
) -> list[MeasuredContact]:
  """Finds and measures the contacts of both feet; nothing is measured across a gap.

  Step, stride and double support also need the feet to have taken turns, as far as both are
  estimated: where one contact was not found, two strides are not taken for one.

  Args:
    time_s: (N,) increasing.
    force: (N, 2, axes) body weights: leg (left, right) x (vertical, forward, to the walker's
      left), axes 1 or 3; NaN where there is no estimate.
    threshold_bw: where a contact begins and ends; for forces from plates, 20 N over the weight.

  Returns:
    The contacts of both legs in order of `start_s`.

  Raises:
    ValueError: a wrong shape, time that does not increase, or a threshold outside
      0 to `contact_thresholds.LOADED_BW`.
  """
  time_s, force = _check_curves(time_s, force)
  if not 0 < threshold_bw < contact_thresholds.LOADED_BW:
    raise ValueError(
      f'threshold_bw is {threshold_bw:g}; expected between 0 and {contact_thresholds.LOADED_BW:g}'
    )
  has_estimate = np.isfinite(force[:, :, 0])
  contacts = []
  for i, leg in enumerate(conventions.LEGS):
    for start, stop in mask_runs.runs_of_true(has_estimate[:, i]):
      for c in _find_in_run(time_s[start:stop], force[start:stop, i, 0], threshold_bw):
        measures = _single_measures(c, time_s, force[:, i])
        contacts.append(MeasuredContact(**vars(c), leg=leg, measures=measures))
  contacts.sort(key=lambda c: c.start_s)
  for contact in contacts:
    contact.measures.update(_stride_measures(contact, contacts, time_s, has_estimate))
  return contacts


def stance_curves(
  time_s: np.ndarray, force: np.ndarray, contacts: list[MeasuredContact]
) -> dict[str, np.ndarray]:
  """Reads every whole stance at 0 to 100 % of it off straight lines between samples.

  Args:
    time_s: (N,) as given to `find_contacts`.
    force: (N, 2, axes), the same.
    contacts: what `find_contacts` found there.

  Returns:
    leg -> (n, `stances.POINTS`, axes) body weights.
  """
  time_s, force = _check_curves(time_s, force)
  curves: dict[str, np.ndarray] = {}
  for i, leg in enumerate(conventions.LEGS):
    whole = [c for c in contacts if c.leg == leg and c.is_whole]
    curves[leg] = np.empty((len(whole), stances.POINTS, force.shape[2]))
    for k, c in enumerate(whole):
      at_s = np.linspace(c.start_s, c.end_s, stances.POINTS)
      for axis in range(force.shape[2]):
        curves[leg][k, :, axis] = np.interp(at_s, time_s, force[:, i, axis])
  return curves


def _check_curves(time_s: np.ndarray, force: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns both as float64; raises ValueError on a wrong shape or time."""
  time_s, force = np.asarray(time_s, np.float64), np.asarray(force, np.float64)
  if time_s.ndim != 1 or force.shape not in [(len(time_s), 2, axes) for axes in (1, 3)]:
    raise ValueError(
      f'time_s {time_s.shape} and force {force.shape}: expected (N,) and (N, 2, 1 or 3)'
    )
  if not (np.isfinite(time_s).all() and (np.diff(time_s) > 0).all()):
    raise ValueError('time_s must be finite and increase')
  return time_s, force


def _find_in_run(time_s: np.ndarray, fz: np.ndarray, threshold_bw: float) -> list[Contact]:
  """Finds the contacts in one vertical force curve (N,) without a gap."""
  loaded = np.flatnonzero(fz > contact_thresholds.LOADED_BW)
  if not loaded.size:
    return []
  is_swing = (np.diff(loaded) > 1) & (np.diff(time_s[loaded]) >= contact_thresholds.MIN_SWING_S)
  parts = np.split(loaded, np.flatnonzero(is_swing) + 1)
  previous_loaded = [0, *(part[-1] for part in parts[:-1])]
  next_loaded = [*(part[0] for part in parts[1:]), len(fz) - 1]
  contacts = []
  for part, first, last in zip(parts, previous_loaded, next_loaded, strict=True):
    backwards, forwards = np.arange(part[0], first - 1, -1), np.arange(part[-1], last + 1)
    start_s, whole_start = _find_end(time_s, fz, backwards, threshold_bw)
    end_s, whole_end = _find_end(time_s, fz, forwards, threshold_bw)
    contact = Contact(start_s, end_s, whole_start, whole_end)
    if end_s - start_s >= contact_thresholds.MIN_STANCE_S or not contact.is_whole:
      contacts.append(contact)
  return contacts


def _find_end(
  time_s: np.ndarray, fz: np.ndarray, outwards: np.ndarray, threshold_bw: float
) -> tuple[float, bool]:
  """Finds one end of a contact.

  Args:
    time_s: (N,).
    fz: (N,) body weights.
    outwards: indices of samples, one beside the other, from a loaded one towards that end.
    threshold_bw: where a contact ends.

  Returns:
    The time, and whether the force falls to the threshold there; otherwise it is the time of the
    least force.
  """
  below = np.flatnonzero(fz[outwards] <= threshold_bw)
  if not below.size:
    return float(time_s[outwards[np.argmin(fz[outwards])]]), False
  pair = outwards[[below[0], below[0] - 1]]
  return float(np.interp(threshold_bw, fz[pair], time_s[pair])), True


def _single_measures(contact: Contact, time_s: np.ndarray, force: np.ndarray) -> dict[str, float]:
  """Measures a contact by itself; force is (N, axes) of its leg."""
  measures = dict.fromkeys([*gait_measures.EVENTS, *gait_measures.MEASURES], math.nan)
  if contact.whole_start:
    measures['contact_s'] = contact.start_s
  if contact.whole_end:
    measures['toe_off_s'] = contact.end_s
  if contact.is_whole:
    measures |= stance_measures.measure_stance(time_s, force, contact.start_s, contact.end_s)
  return measures


def _stride_measures(
  contact: MeasuredContact,
  contacts: list[MeasuredContact],
  time_s: np.ndarray,
  has_estimate: np.ndarray,
) -> dict[str, float]:
  """Measures step, stride and double support, as far as they are defined.

  Args:
    contact: the one to measure.
    contacts: all of both legs in order.
    time_s: (N,).
    has_estimate: (N, 2) bool.
  """
  leg, start_s = conventions.LEGS.index(contact.leg), contact.start_s
  other_leg = 1 - leg
  same = [c for c in contacts if c.leg == contact.leg]
  others = [c for c in contacts if c.leg != contact.leg]
  measures: dict[str, float] = {}

  def is_unbroken(from_s: float, until_s: float, leg: int) -> bool:
    return bool(has_estimate[(time_s >= from_s) & (time_s <= until_s), leg].all())

  previous = next((c for c in reversed(others) if c.start_s < start_s), None)
  following = next((c for c in same if c.start_s > start_s), None)
  # Else a contact of this foot lies between, and the other foot's turn was missed.
  in_turn = previous is not None and _count_starts(same, previous.start_s, start_s) == 1
  if (
    previous and in_turn and previous.whole_start and contact.whole_start
    and all(is_unbroken(previous.start_s, start_s, i) for i in (leg, other_leg))
  ):  # fmt: skip
    measures['step_s'] = start_s - previous.start_s
  if not (following and following.whole_start and contact.whole_start):
    return measures
  end_s = following.start_s
  other_unbroken = is_unbroken(start_s, end_s, other_leg)
  missed_turn = other_unbroken and _count_starts(others, start_s, end_s) != 1
  if not is_unbroken(start_s, end_s, leg) or missed_turn:
    return measures
  measures['stride_s'] = end_s - start_s
  # Where the other foot stood when the stride began must have been seen: on plates it may stand
  # beside them.
  if (
    previous and in_turn and other_unbroken
    and is_unbroken(min(previous.end_s, start_s), start_s, other_leg)
  ):  # fmt: skip
    measures |= _double_support(contact, others, end_s)
  return measures


def _count_starts(contacts: list[MeasuredContact], after_s: float, until_s: float) -> int:
  return sum(after_s < c.start_s <= until_s for c in contacts)


def _double_support(
  contact: MeasuredContact, others: list[MeasuredContact], end_s: float
) -> dict[str, float]:
  """Measures the share of a stride, until `end_s`, in which the other foot is on the floor too."""
  start_s = contact.start_s
  meeting = [c for c in others if c.start_s < end_s and c.end_s > start_s]
  ends_seen = all(
    (c.whole_start or c.start_s <= start_s) and (c.whole_end or c.end_s >= end_s) for c in meeting
  )
  if not (contact.whole_end and ends_seen):
    return {}
  shared = [min(c.end_s, contact.end_s) - max(c.start_s, start_s) for c in meeting]
  return {'double_support_pct': 100 * sum(max(s, 0.0) for s in shared) / (end_s - start_s)}
