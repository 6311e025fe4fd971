"""Gait measures from force curves: foot contacts, peaks, impulses, times, symmetry. Pure.

A foot is in contact where its vertical force stays above `CONTACT_BW` around a time at which it is
above `LOADED_BW`. In detail, for every leg and every stretch without a gap:

1. Samples above `LOADED_BW` are one contact unless the curve is lower for `MIN_SWING_S` between.
2. From its first and last such sample it reaches outwards to where the straight line between
   samples passes `CONTACT_BW`. Where the curve stays above that, because it begins or ends there or
   because two contacts run into each other, the contact is cut off: it is kept, reaches to the
   lowest sample on the way, and whatever needs the end that was not seen is undefined.
3. A contact of which both ends are seen and that is shorter than `MIN_STANCE_S` is none.

The constants are not tuned; each has its reason beside it. Nothing is corrected for either: of
forces averaged over 1/60 s around each frame, as this project's labels are, the rise begins up to
half of that early, and initial contact comes out 8 ms early (as a test on real forces says).
"""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np

from grfjax import baselines, recordings

# The laboratory's 20 N are 0.03 BW of an adult and 0.07 of a child of 28 kg. An estimate's error in
# the air is some hundredths of a body weight, too much for the lower of these. What it costs is
# little: force rises by some 10 BW/s at contact, so that 0.02 BW are 2 ms, and fades more slowly
# before toe-off (on RealGait's plates 2 and 12 ms from 20 N at most, as a test says).
CONTACT_BW = 0.05
# Every leg that steps carries the body alone, which takes more than half a body weight, less only
# with crutches or a rail; 0.3 BW is also where `forces.PEAK_BW` stops to believe in a walk. Ripple
# in the air is far below it, so it can neither make a contact nor lengthen one by itself.
LOADED_BW = 0.3
# Swing takes 0.3 s and more and stance 0.4 s and more in walking: half of these at the least.
MIN_SWING_S = 0.15
MIN_STANCE_S = 0.2
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
  f'vertical force above {CONTACT_BW:g} BW around a time at which it is above {LOADED_BW:g} BW; '
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


@dataclasses.dataclass(frozen=True)
class Contact:
  """One foot on the floor.

  Attributes:
    leg: of `recordings.LEGS`.
    start_s, end_s: the part seen, interpolated at the threshold where the end was seen.
    whole_start, whole_end: whether initial contact and toe-off were seen.
    measures: name of `EVENTS` or `MEASURES` -> value, NaN where undefined.
  """

  leg: str
  start_s: float
  end_s: float
  whole_start: bool
  whole_end: bool
  measures: dict[str, float]


def contacts(
  time_s: np.ndarray, force: np.ndarray, threshold_bw: float = CONTACT_BW
) -> list[Contact]:
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
      0 to `LOADED_BW`.
  """
  time_s, force = _checked(time_s, force)
  if not 0 < threshold_bw < LOADED_BW:
    raise ValueError(f'threshold_bw is {threshold_bw:g}; expected between 0 and {LOADED_BW:g}')
  seen = np.isfinite(force[:, :, 0])
  found = []
  for i, leg in enumerate(recordings.LEGS):
    index = np.flatnonzero(seen[:, i])
    for part in np.split(index, np.flatnonzero(np.diff(index) > 1) + 1):
      for span in _spans(time_s[part], force[part, i, 0], threshold_bw):
        found.append(Contact(leg, *span, _of_stance(time_s, force[:, i], *span)))
  found.sort(key=lambda c: c.start_s)
  for contact in found:
    contact.measures.update(_of_stride(contact, found, time_s, seen))
  return found


def summary(found: list[Contact]) -> dict[str, Any]:
  """Mean, sample SD and n of each measure by leg, cadence, and the legs' symmetry.

  Args:
    found: contacts of one or more walks.

  Returns:
    leg -> measure -> {'mean', 'sd', 'n'}; 'cadence_steps_per_min' -> {'mean', 'n'}, n steps;
    'symmetry_index_pct' -> measure -> %. What is undefined is NaN: the SD of fewer than two.
  """
  legs: dict[str, dict[str, dict[str, float]]] = {}
  for leg in recordings.LEGS:
    legs[leg] = {name: _statistics(_values(found, name, leg)) for name in MEASURES}
  steps = np.concatenate([_values(found, 'step_s', leg) for leg in recordings.LEGS])
  left, right = (legs[leg] for leg in recordings.LEGS)
  return {
    **legs,
    'cadence_steps_per_min': {
      'mean': 60 / float(steps.mean()) if steps.size else math.nan,
      'n': steps.size,
    },
    'symmetry_index_pct': {
      name: symmetry_index(left[name]['mean'], right[name]['mean']) for name in MEASURES
    },
  }


def symmetry_index(left: float, right: float) -> float:
  """100 (L - R) / (0.5 (L + R)) in %, NaN where L + R is 0; see `OF_WALK`."""
  return 100 * (left - right) / (0.5 * (left + right)) if left + right else math.nan


def as_dict(found: list[Contact]) -> dict[str, Any]:
  """Contacts, `summary` and the definitions of all measures for a JSON file; None is undefined."""
  return {
    'contacts': [{'leg': c.leg, **_without_nan(c.measures)} for c in found],
    'summary': _without_nan(summary(found)),
    'definitions': {n: m._asdict() for n, m in {**EVENTS, **MEASURES, **OF_WALK}.items()},
  }


def stance_curves(
  time_s: np.ndarray, force: np.ndarray, found: list[Contact]
) -> dict[str, np.ndarray]:
  """Every whole stance at 0 to 100 % of it.

  Args:
    time_s: (N,) as given to `contacts`.
    force: (N, 2, axes), the same.
    found: what `contacts` found there.

  Returns:
    leg -> (n, `baselines.POINTS`, axes) body weights, read off straight lines between samples.
  """
  time_s, force = _checked(time_s, force)
  curves: dict[str, np.ndarray] = {}
  for i, leg in enumerate(recordings.LEGS):
    whole = [c for c in found if c.leg == leg and c.whole_start and c.whole_end]
    curves[leg] = np.empty((len(whole), baselines.POINTS, force.shape[2]))
    for k, c in enumerate(whole):
      at_s = np.linspace(c.start_s, c.end_s, baselines.POINTS)
      for axis in range(force.shape[2]):
        curves[leg][k, :, axis] = np.interp(at_s, time_s, force[:, i, axis])
  return curves


def _checked(time_s: np.ndarray, force: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  time_s, force = np.asarray(time_s, np.float64), np.asarray(force, np.float64)
  if time_s.ndim != 1 or force.shape not in [(len(time_s), 2, axes) for axes in (1, 3)]:
    raise ValueError(
      f'time_s {time_s.shape} and force {force.shape}: expected (N,) and (N, 2, 1 or 3)'
    )
  if not (np.isfinite(time_s).all() and (np.diff(time_s) > 0).all()):
    raise ValueError('time_s must be finite and increase')
  return time_s, force


def _spans(
  time_s: np.ndarray, fz: np.ndarray, threshold_bw: float
) -> list[tuple[float, float, bool, bool]]:
  """Start, end, and whether either was seen, of the contacts in one curve without a gap."""
  loaded = np.flatnonzero(fz > LOADED_BW)
  if not loaded.size:
    return []
  swing = (np.diff(loaded) > 1) & (np.diff(time_s[loaded]) >= MIN_SWING_S)
  parts = np.split(loaded, np.flatnonzero(swing) + 1)
  before = [0, *(part[-1] for part in parts[:-1])]
  after = [*(part[0] for part in parts[1:]), len(fz) - 1]
  spans = []
  for part, low, high in zip(parts, before, after, strict=True):
    start, whole_start = _edge(time_s, fz, np.arange(part[0], low - 1, -1), threshold_bw)
    end, whole_end = _edge(time_s, fz, np.arange(part[-1], high + 1), threshold_bw)
    if end - start >= MIN_STANCE_S or not (whole_start and whole_end):
      spans.append((start, end, whole_start, whole_end))
  return spans


def _edge(
  time_s: np.ndarray, fz: np.ndarray, way: np.ndarray, threshold_bw: float
) -> tuple[float, bool]:
  """Where a contact ends on the way, which are samples outwards from a loaded one; seen or not."""
  under = np.flatnonzero(fz[way] <= threshold_bw)
  if not under.size:
    return float(time_s[way[np.argmin(fz[way])]]), False
  pair = way[[under[0], under[0] - 1]]
  return float(np.interp(threshold_bw, fz[pair], time_s[pair])), True


def _of_stance(
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


def _of_stride(
  contact: Contact, found: list[Contact], time_s: np.ndarray, seen: np.ndarray
) -> dict[str, float]:
  """Step, stride and double support of a contact among all, in order; seen: (N, 2) bool."""
  i, start_s = recordings.LEGS.index(contact.leg), contact.start_s
  own = [c for c in found if c.leg == contact.leg]
  others = [c for c in found if c.leg != contact.leg]
  values: dict[str, float] = {}

  def begun(by: list[Contact], after_s: float, until_s: float) -> int:
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


def _values(found: list[Contact], name: str, leg: str) -> np.ndarray:
  """A leg's defined values of a measure."""
  values = np.array([c.measures[name] for c in found if c.leg == leg], np.float64)
  return values[np.isfinite(values)]


def _statistics(values: np.ndarray) -> dict[str, float]:
  n = values.size
  return {
    'mean': float(values.mean()) if n else math.nan,
    'sd': float(values.std(ddof=1)) if n > 1 else math.nan,
    'n': n,
  }


def _without_nan(value: Any) -> Any:
  if isinstance(value, dict):
    return {name: _without_nan(v) for name, v in value.items()}
  return None if isinstance(value, float) and math.isnan(value) else value
