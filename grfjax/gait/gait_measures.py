"""Gait measures of one contact: peaks, impulses, loading rate, step and stride."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from grfjax import conventions
from grfjax.gait import constants, foot_contacts

# Two peaks are two when the valley is lower than either by this: more than the ripple of an
# estimate at its top, less than the valley of slow walking, which fades with speed.
VALLEY_BW = 0.02

# Loading rate between these shares of the first peak: Woodard, James and Messier, Journal of
# Applied Biomechanics 15 (1999), one of the four methods they compare for walking. It needs neither
# the moment of contact nor that of the rounded top, which frames a sixtieth apart tell worst.
LOADING = (0.2, 0.9)


class Measure(NamedTuple):
  """What people read of a measure."""

  label: str
  unit: str
  definition: str


_RULE = (
  f'vertical force above {constants.CONTACT_BW:g} BW around a time at which it is above '
  f'{constants.LOADED_BW:g} BW; '
  'not given where it was not seen'
)

_PEAKED = f'both peaks at least {VALLEY_BW:g} BW above the valley, else none is given'

EVENTS: dict[str, Measure] = {
  'contact_s': Measure('Initial contact', 's', f'When the foot begins to be in contact: {_RULE}.'),
  'toe_off_s': Measure('Toe-off', 's', f'When the foot ceases to be in contact: {_RULE}.'),
}

# Of every contact; NaN where undefined. Peaks and valley are F1, F2 and F3 of Perry and Burnfield
# (Gait Analysis, 2010); step, stride and double support are as defined there.
MEASURES: dict[str, Measure] = {
  'stance_s': Measure('Stance time', 's', "From the foot's initial contact to its toe-off."),
  'step_s': Measure(
    'Step time', 's', "From the other foot's initial contact to the next one of this foot."
  ),
  'stride_s': Measure(
    'Stride time', 's', 'From this initial contact to the next one of the same foot.'
  ),
  'double_support_pct': Measure(
    'Double support', '% of stride', 'Share of the stride in which both feet are in contact.'
  ),
  'first_peak_bw': Measure(
    'First peak',
    'BW',
    f'Greatest local maximum of vertical force in the first half of stance; {_PEAKED}.',
  ),
  'first_peak_pct_stance': Measure('Time of the first peak', '% of stance', 'When it is reached.'),
  'valley_bw': Measure('Valley', 'BW', 'Least vertical force between first and second peak.'),
  'valley_pct_stance': Measure('Time of the valley', '% of stance', 'When it is reached.'),
  'second_peak_bw': Measure(
    'Second peak',
    'BW',
    f'Greatest local maximum of vertical force in the second half of stance; {_PEAKED}.',
  ),
  'second_peak_pct_stance': Measure(
    'Time of the second peak', '% of stance', 'When it is reached.'
  ),
  'loading_rate_bw_per_s': Measure(
    'Loading rate',
    'BW/s',
    f'Slope of the line through the last rises of vertical force through {LOADING[0]:.0%} and '
    f'{LOADING[1]:.0%} of the first peak before it (Woodard, James and Messier 1999).',
  ),
  'vertical_impulse_bw_s': Measure(
    'Vertical impulse', 'BW s', 'Integral of vertical force over stance.'
  ),
  'braking_impulse_bw_s': Measure(
    'Braking impulse', 'BW s', 'Integral of backward (negative) force over stance; negative.'
  ),
  'propulsion_impulse_bw_s': Measure(
    'Propulsion impulse', 'BW s', 'Integral of forward (positive) force over stance; positive.'
  ),
}

OF_WALK: dict[str, Measure] = {
  'cadence_steps_per_min': Measure('Cadence', 'steps/min', '60 s over the mean of all step times.'),
  'symmetry_index_pct': Measure(
    'Symmetry index',
    '%',
    "100 (L - R) / (0.5 (L + R)) of the legs' means (Robinson, Herzog and Nigg 1987): 0 when "
    'equal, positive when the left is larger, regardless of sign.',
  ),
}


def stance_measures(
  time_s: np.ndarray,
  force: np.ndarray,
  start_s: float,
  end_s: float,
  whole_start: bool,
  whole_end: bool,
) -> dict[str, float]:
  """Events, and the measures of one stance by itself; force: (N, axes) of its leg."""
  values = dict.fromkeys([*EVENTS, *MEASURES], math.nan)
  values['contact_s'] = start_s if whole_start else math.nan
  values['toe_off_s'] = end_s if whole_end else math.nan
  if not (whole_start and whole_end):
    return values
  inside = time_s[(time_s > start_s) & (time_s < end_s)]
  t = np.concatenate([[start_s], inside, [end_s]])
  curve = [np.interp(t, time_s, force[:, axis]) for axis in range(force.shape[1])]
  fz = curve[0]
  values['stance_s'] = end_s - start_s
  values['vertical_impulse_bw_s'] = float(np.trapezoid(fz, t))
  if len(curve) > 1:
    # As much below as above is what |f| has more than f; exact where a line crosses 0.
    both, apart = float(np.trapezoid(curve[1], t)), _integral_of_abs(t, curve[1])
    values['braking_impulse_bw_s'] = (both - apart) / 2
    values['propulsion_impulse_bw_s'] = (both + apart) / 2
  percent = 100 * (t - start_s) / (end_s - start_s)
  peaks = _peaks(percent, fz)
  for name, k in zip(('first_peak', 'valley', 'second_peak'), peaks, strict=False):
    values[f'{name}_bw'], values[f'{name}_pct_stance'] = float(fz[k]), float(percent[k])
  if peaks:
    low_s, high_s = (_last_rise(t, fz, peaks[0], share) for share in LOADING)
    rise = float((LOADING[1] - LOADING[0]) * fz[peaks[0]])
    values['loading_rate_bw_per_s'] = rise / (high_s - low_s) if high_s > low_s else math.nan
  return values


def _integral_of_abs(t: np.ndarray, f: np.ndarray) -> float:
  """Integral of |f| of straight lines between samples."""
  a, b = np.abs(f[:-1]), np.abs(f[1:])
  crosses = f[:-1] * f[1:] < 0
  # Two triangles of heights a and b share the step as a to b.
  mean = np.where(crosses, (a**2 + b**2) / np.where(crosses, 2 * (a + b), 1), (a + b) / 2)
  return float((mean * np.diff(t)).sum())


def _peaks(percent: np.ndarray, fz: np.ndarray) -> tuple[int, ...]:
  """Indices of first peak, valley and second peak; () where there are no two peaks."""
  top = 1 + np.flatnonzero((fz[1:-1] > fz[:-2]) & (fz[1:-1] >= fz[2:]))
  early, late = top[percent[top] < 50], top[percent[top] >= 50]
  if not (early.size and late.size):
    return ()
  first, second = early[np.argmax(fz[early])], late[np.argmax(fz[late])]
  valley = first + np.argmin(fz[first : second + 1])
  if min(fz[first], fz[second]) - fz[valley] < VALLEY_BW:
    return ()
  return int(first), int(valley), int(second)


def _last_rise(t: np.ndarray, fz: np.ndarray, peak: int, share: float) -> float:
  """When the curve last rises through a share of its value at sample `peak`, before it.

  The start of stance itself where it begins above.
  """
  under = np.flatnonzero(fz[:peak] <= share * fz[peak])
  k = under[-1] if under.size else 0
  return float(np.interp(share * fz[peak], fz[k : k + 2], t[k : k + 2]))


def stride_measures(
  contact: foot_contacts.Contact,
  found: list[foot_contacts.Contact],
  time_s: np.ndarray,
  seen: np.ndarray,
) -> dict[str, float]:
  """Step, stride and double support of a contact among all, in order; seen: (N, 2) bool."""
  i, start_s = conventions.LEGS.index(contact.leg), contact.start_s
  own = [c for c in found if c.leg == contact.leg]
  others = [c for c in found if c.leg != contact.leg]
  values: dict[str, float] = {}

  def begun(by: list[foot_contacts.Contact], after_s: float, until_s: float) -> int:
    return sum(after_s < c.start_s <= until_s for c in by)

  def unbroken(from_s: float, until_s: float, leg: int) -> bool:
    return bool(seen[(time_s >= from_s) & (time_s <= until_s), leg].all())

  other = 1 - i
  before = next((c for c in reversed(others) if c.start_s < start_s), None)
  after = next((c for c in own if c.start_s > start_s), None)
  # Else a contact of this foot lies between, and the other foot's turn was missed.
  in_turn = before is not None and begun(own, before.start_s, start_s) == 1
  if (
    before
    and in_turn
    and before.whole_start
    and contact.whole_start
    and all(unbroken(before.start_s, start_s, leg) for leg in (i, other))
  ):
    values['step_s'] = start_s - before.start_s
  if not (after and after.whole_start and contact.whole_start):
    return values
  end_s = after.start_s
  both = unbroken(start_s, end_s, other)
  if not unbroken(start_s, end_s, i) or (both and begun(others, start_s, end_s) != 1):
    return values
  values['stride_s'] = end_s - start_s
  # Where the other foot stood when the stride began must have been seen: on plates it may stand
  # beside them.
  if not (before and in_turn and both and unbroken(min(before.end_s, start_s), start_s, other)):
    return values
  meet = [c for c in others if c.start_s < end_s and c.end_s > start_s]
  if contact.whole_end and all(
    (c.whole_start or c.start_s <= start_s) and (c.whole_end or c.end_s >= end_s) for c in meet
  ):
    shared = [min(c.end_s, contact.end_s) - max(c.start_s, start_s) for c in meet]
    values['double_support_pct'] = 100 * sum(max(s, 0.0) for s in shared) / (end_s - start_s)
  return values
