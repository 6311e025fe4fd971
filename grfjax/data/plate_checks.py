"""Checks that force plates can have carried this body, and measured it."""

from __future__ import annotations

import collections.abc

import numpy as np

from grfjax import conventions
from grfjax.data import plate_contacts
from grfjax.io import force_files

# Peak of the total vertical force over body weight: standing still gives 1, slow walking 1.0,
# running 2 to 3. Further out the unit or the mass is wrong: a mass in pounds makes 1.1 into 0.5.
PEAK_BW = (0.65, 5.0)

# A foot passes through forces so small in 30 ms. A plate that reads one for longer has its zero
# off, or carries something else.
_LIGHT_N, _LIGHT_BW, _LIGHT_S = 60.0, 0.1, 0.25

# Mean of the vertical force over a contact: by Newton's second law a leg carries half the weight on
# average over a stride, of which a step in walking takes 0.6: 0.8 (0.77 to 0.96 in 218 trials).
# With the mass in pounds it is 0.4.
_STANCE_BW = 0.5

_INWARDS_BW = 0.005  # see look_swapped

_TOP_S, _TOP_ROWS = 0.03, 4  # so long a foot is never at its largest force


# A plate that drops out for less than this holds one contact: no swing is so short (0.3 to 0.5 s
# in walking, 0.2 s and more in sprinting).
DROPOUT_S = 0.05


def check_plausible(plate_forces: force_files.PlateForces, body_mass_kg: float) -> None:
  """Raises where the plates cannot have carried this body, or did not measure it.

  Raises:
    ForceError: the largest total vertical force is below 0.65 or above 5 body weights; a plate's
      zero is off by over 20 N; a plate is held at its largest force, or reads the same throughout.
  """
  weight = body_mass_kg * conventions.G
  peak = float(plate_forces.force[:, :, 2].sum(1).max())
  low, high = PEAK_BW
  if not low <= peak / weight <= high:
    if peak < low / 2 * weight:
      hint = (
        'are the forces in kilonewtons or pounds, or already divided by body weight, or did the '
        'walker miss the plates?'
      )
    elif peak < weight:
      hint = 'is the body mass in pounds, did the walker miss the plates, or lean on something?'
    else:
      hint = 'is the body mass in other units than kilograms, or is the force not in newtons?'
    raise force_files.ForceError(
      f'the largest vertical force is {peak:.4g} N, {peak / weight:.2g} body weights of '
      f'{body_mass_kg:g} kg; expected {low:g} to {high:g}: {hint}',
      code='force.implausible_weight',
    )
  most = max(_contact_means(plate_forces), default=weight)
  if most < _STANCE_BW * weight:
    raise force_files.ForceError(
      f'a foot carries {most:.4g} N at most on average over its contact, {most / weight:.2g} body '
      f'weights of {body_mass_kg:g} kg; expected over {_STANCE_BW:g} (walking gives 0.8): is the '
      'body mass in pounds, or did the walker step beside the plates or lean on something?',
      code='force.implausible_weight',
    )
  light = max(_LIGHT_N, _LIGHT_BW * weight)
  for number, fz in enumerate(plate_forces.force[:, :, 2].T, 1):
    _check_zero(number, plate_forces.time_s, fz, light)
    _check_top(number, plate_forces.time_s, fz)


def _contact_means(plate_forces: force_files.PlateForces) -> list[float]:
  """Mean vertical force of each whole contact that lasts as long as a step does, newtons."""
  found = []
  for fz in plate_forces.force[:, :, 2].T:
    for c in plate_contacts.contacts(plate_forces.time_s, fz, min_duration_s=0.3):
      if c.whole_start and c.whole_end:
        on = (plate_forces.time_s >= c.start_s) & (plate_forces.time_s <= c.end_s)
        found.append(float(fz[on].mean()))
  return found


def look_swapped(leg_force: collections.abc.Mapping[str, np.ndarray], body_weight_n: float) -> bool:
  """Whether left and right look taken for each other: the floor pushes a loaded foot inwards.

  So it was on every plate of 238 trials, of real and of synthetic walkers of all styles: by 0.01 BW
  and more on average while the foot carries over half the weight.

  Args:
    leg_force: leg -> (N, 3) newtons.
    body_weight_n: newtons.

  Returns:
    False also where a leg has no plate, or never carries so much.
  """
  inwards = []
  for leg, side in (('left', -1), ('right', 1)):
    force = leg_force.get(leg, np.zeros((0, 3)))
    loaded = force[force[:, 2] > body_weight_n / 2, 1]
    if not len(loaded):
      return False
    inwards.append(side * loaded.mean() / body_weight_n)
  return max(inwards) < -_INWARDS_BW


def _check_zero(number: int, time_s: np.ndarray, fz: np.ndarray, light: float) -> None:
  if fz.max() > conventions.CONTACT_N and fz.max() - fz.min() < conventions.CONTACT_N:
    raise force_files.ForceError(
      f'plate {number} reads {fz.min():.4g} to {fz.max():.4g} N throughout: nobody steps on or off '
      'it; is its zero off, or its cable loose?',
      code='force.zero_offset',
    )
  a, b = _longest((np.abs(fz) > conventions.CONTACT_N) & (fz < light))
  if time_s[b] - time_s[a] > _LIGHT_S:
    raise force_files.ForceError(
      f'plate {number} reads about {np.median(fz[a : b + 1]):.4g} N from {time_s[a]:.3f} to '
      f'{time_s[b]:.3f} s, too little for a foot and too much for none: is its zero off (expected '
      f'within {conventions.CONTACT_N:g} N), or does something else touch it?',
      code='force.zero_offset',
    )


def _check_top(number: int, time_s: np.ndarray, fz: np.ndarray) -> None:
  """Raises where the curve is cut off level; one that is only rounded leaves its top slowly."""
  top = fz.max()
  a, b = _longest(fz == top)
  if top <= conventions.CONTACT_N or a == 0 or b == len(fz) - 1:
    return
  levels = np.unique(fz)
  falls = top - max(fz[a - 1], fz[b + 1])
  if (
    b - a + 1 >= _TOP_ROWS
    and time_s[b] - time_s[a] >= _TOP_S
    and falls > 2 * float(np.diff(levels).min())
  ):
    raise force_files.ForceError(
      f'plate {number} reads {top:.6g} N, its largest, from {time_s[a]:.3f} to {time_s[b]:.3f} s '
      'without a change: is it saturated (set for too small a range)?',
      code='force.saturated',
    )


def _longest(mask: np.ndarray) -> tuple[int, int]:
  """First and last index of the longest run of True; (0, 0) without any."""
  edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
  starts, ends = edges[::2], edges[1::2]
  if not len(starts):
    return 0, 0
  k = int(np.argmax(ends - starts))
  return int(starts[k]), int(ends[k]) - 1
