"""Foot contacts in force curves: when each foot is on the floor."""

from __future__ import annotations

import dataclasses

import numpy as np

from grfjax import conventions
from grfjax.gait import constants, gait_measures, stances


@dataclasses.dataclass(frozen=True)
class Contact:
  """One foot on the floor.

  Attributes:
    leg: of `conventions.LEGS`.
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


def find_contacts(
  time_s: np.ndarray, force: np.ndarray, threshold_bw: float = constants.CONTACT_BW
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
  if not 0 < threshold_bw < constants.LOADED_BW:
    raise ValueError(
      f'threshold_bw is {threshold_bw:g}; expected between 0 and {constants.LOADED_BW:g}'
    )
  seen = np.isfinite(force[:, :, 0])
  found = []
  for i, leg in enumerate(conventions.LEGS):
    index = np.flatnonzero(seen[:, i])
    for part in np.split(index, np.flatnonzero(np.diff(index) > 1) + 1):
      for span in _spans(time_s[part], force[part, i, 0], threshold_bw):
        found.append(Contact(leg, *span, gait_measures.stance_measures(time_s, force[:, i], *span)))
  found.sort(key=lambda c: c.start_s)
  for contact in found:
    contact.measures.update(gait_measures.stride_measures(contact, found, time_s, seen))
  return found


def stance_curves(
  time_s: np.ndarray, force: np.ndarray, found: list[Contact]
) -> dict[str, np.ndarray]:
  """Every whole stance at 0 to 100 % of it.

  Args:
    time_s: (N,) as given to `contacts`.
    force: (N, 2, axes), the same.
    found: what `contacts` found there.

  Returns:
    leg -> (n, `stances.POINTS`, axes) body weights, read off straight lines between samples.
  """
  time_s, force = _checked(time_s, force)
  curves: dict[str, np.ndarray] = {}
  for i, leg in enumerate(conventions.LEGS):
    whole = [c for c in found if c.leg == leg and c.whole_start and c.whole_end]
    curves[leg] = np.empty((len(whole), stances.POINTS, force.shape[2]))
    for k, c in enumerate(whole):
      at_s = np.linspace(c.start_s, c.end_s, stances.POINTS)
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
  loaded = np.flatnonzero(fz > constants.LOADED_BW)
  if not loaded.size:
    return []
  swing = (np.diff(loaded) > 1) & (np.diff(time_s[loaded]) >= constants.MIN_SWING_S)
  parts = np.split(loaded, np.flatnonzero(swing) + 1)
  before = [0, *(part[-1] for part in parts[:-1])]
  after = [*(part[0] for part in parts[1:]), len(fz) - 1]
  spans = []
  for part, low, high in zip(parts, before, after, strict=True):
    start, whole_start = _edge(time_s, fz, np.arange(part[0], low - 1, -1), threshold_bw)
    end, whole_end = _edge(time_s, fz, np.arange(part[-1], high + 1), threshold_bw)
    if end - start >= constants.MIN_STANCE_S or not (whole_start and whole_end):
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
