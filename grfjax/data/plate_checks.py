"""Checks that force plates can have carried a certain body, and measured it."""

from __future__ import annotations

import collections.abc
import itertools

import numpy as np

from grfjax import conventions, mask_runs
from grfjax.data import plate_contacts, plate_defects
from grfjax.io import force_files

# Peak of the total vertical force over body weight: standing still gives 1, slow walking 1.0,
# running 2 to 3. Further out the unit or the mass is wrong: a mass in pounds makes 1.1 into 0.5.
PEAK_BW = (0.65, 5.0)

# A foot passes through forces so small in 30 ms. A plate that reads one for longer has its zero
# off, or carries something else.
_SMALL_FORCE_N, _SMALL_FORCE_BW, _SMALL_FORCE_S = 60.0, 0.1, 0.25

# Mean of the vertical force over a contact: by Newton's second law a leg carries half the weight on
# average over a stride, of which a step in walking takes 0.6: 0.8 (0.77 to 0.96 in 218 trials).
# With the mass in pounds it is 0.4.
_STANCE_BW = 0.5
_STEP_S = 0.3  # a contact that lasts as long as a step does

# Mean outward push on a loaded foot from which the legs look swapped: the floor pushed each foot
# inwards, by 0.01 BW and more, on every plate of 238 trials.
_OUTWARDS_BW = 0.005
_SATURATED_S, _SATURATED_ROWS = 0.03, 4  # so long a foot is never at its largest force


def check_plausible(plate_forces: force_files.PlateForces, body_mass_kg: float) -> None:
  """Checks that the plates can have carried a body and measured it.

  Args:
    plate_forces: of all plates.
    body_mass_kg: kilograms.

  Raises:
    ForceError: the largest total vertical force is below 0.65 or above 5 body weights; no foot
      carries half the weight on average over its contact; a plate's zero is off by over 20 N; a
      plate stays at its largest force, or reads the same throughout; two plates hold the same
      curve; samples are spikes or missing (`plate_defects`).
  """
  weight = body_mass_kg * conventions.G
  plate_defects.check_spikes(plate_forces, weight)  # before a spike is taken for the body's peak
  _check_peak(plate_forces, body_mass_kg, weight)
  plate_defects.check_dropouts(plate_forces, weight)
  _check_same_curves(plate_forces)
  most = max(_contact_means(plate_forces), default=weight)
  if most < _STANCE_BW * weight:
    raise force_files.ForceError(
      f'a foot carries {most:.4g} N at most on average over its contact, {most / weight:.2g} body '
      f'weights of {body_mass_kg:g} kg; expected over {_STANCE_BW:g} (walking gives 0.8): is the '
      'body mass in pounds, or did the walker step beside the plates or lean on something?',
      code='force.implausible_weight',
    )
  small = max(_SMALL_FORCE_N, _SMALL_FORCE_BW * weight)
  for number, fz in enumerate(plate_forces.force[:, :, 2].T, 1):
    _check_zero(number, plate_forces.time_s, fz, small)
    _check_saturation(number, plate_forces.time_s, fz)


def legs_look_swapped(
  leg_force: collections.abc.Mapping[str, np.ndarray], body_weight_n: float
) -> bool:
  """Tells whether left and right look confused: the floor pushes a loaded foot inwards.

  It did on every plate of 238 trials, of real and of synthetic walkers of all styles: by 0.01 BW
  and more on average while the foot carries over half the weight.

  Args:
    leg_force: leg -> (N, 3) newtons.
    body_weight_n: newtons.

  Returns:
    True where the floor pushes both feet outwards; False also where a leg has no plate, or never
    carries over half the weight.
  """
  inwards = []
  for leg, side in (('left', -1), ('right', 1)):
    force = leg_force.get(leg, np.zeros((0, 3)))
    loaded = force[force[:, 2] > body_weight_n / 2, 1]
    if not len(loaded):
      return False
    inwards.append(side * loaded.mean() / body_weight_n)
  return max(inwards) < -_OUTWARDS_BW


def _check_peak(plate_forces: force_files.PlateForces, body_mass_kg: float, weight: float) -> None:
  """Raises ForceError where the largest total vertical force does not fit the body weight."""
  peak = float(plate_forces.force[:, :, 2].sum(1).max())
  low, high = PEAK_BW
  if low <= peak / weight <= high:
    return
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


def _check_same_curves(plate_forces: force_files.PlateForces) -> None:
  """Raises ForceError where two plates that are stepped on hold the same vertical force."""
  fz = plate_forces.force[:, :, 2]
  for a, b in itertools.combinations(range(fz.shape[1]), 2):
    if fz[:, a].max() > conventions.CONTACT_N and np.array_equal(fz[:, a], fz[:, b]):
      raise force_files.ForceError(
        f'plates {a + 1} and {b + 1} read the same at every time; does the file name the channels '
        'of one plate twice?',
        code='force.same_curves',
      )


def _contact_means(plate_forces: force_files.PlateForces) -> list[float]:
  """Returns the mean vertical force of each whole contact as long as a step, newtons."""
  means = []
  for fz in plate_forces.force[:, :, 2].T:
    for c in plate_contacts.find_contacts(plate_forces.time_s, fz, min_duration_s=_STEP_S):
      if c.is_whole:
        during = (plate_forces.time_s >= c.start_s) & (plate_forces.time_s <= c.end_s)
        means.append(float(fz[during].mean()))
  return means


def _check_zero(number: int, time_s: np.ndarray, fz: np.ndarray, small: float) -> None:
  """Raises ForceError where a plate reads the same throughout, or long a force below `small`."""
  if fz.max() > conventions.CONTACT_N and fz.max() - fz.min() < conventions.CONTACT_N:
    raise force_files.ForceError(
      f'plate {number} reads {fz.min():.4g} to {fz.max():.4g} N throughout: nobody steps on or off '
      'it; is its zero off, or its cable loose?',
      code='force.zero_offset',
    )
  first, last = _longest_run((np.abs(fz) > conventions.CONTACT_N) & (fz < small))
  if time_s[last] - time_s[first] > _SMALL_FORCE_S:
    raise force_files.ForceError(
      f'plate {number} reads about {np.median(fz[first : last + 1]):.4g} N from '
      f'{time_s[first]:.3f} to {time_s[last]:.3f} s, too little for a foot and too much for none: '
      f'is its zero off (expected within {conventions.CONTACT_N:g} N), or does something else '
      'touch it?',
      code='force.zero_offset',
    )


def _check_saturation(number: int, time_s: np.ndarray, fz: np.ndarray) -> None:
  """Raises ForceError where a curve is cut off level; a rounded one leaves its top slowly."""
  top = fz.max()
  first, last = _longest_run(fz == top)
  if top <= conventions.CONTACT_N or first == 0 or last == len(fz) - 1:
    return
  levels = np.unique(fz)
  drop = top - max(fz[first - 1], fz[last + 1])
  if (
    last - first + 1 >= _SATURATED_ROWS
    and time_s[last] - time_s[first] >= _SATURATED_S
    and drop > 2 * float(np.diff(levels).min())
  ):
    raise force_files.ForceError(
      f'plate {number} reads {top:.6g} N, its largest, from {time_s[first]:.3f} to '
      f'{time_s[last]:.3f} s without a change: is it saturated (set for too small a range)?',
      code='force.saturated',
    )


def _longest_run(mask: np.ndarray) -> tuple[int, int]:
  """Returns the first and last index of the longest run of True; (0, 0) without any."""
  first, end = max(mask_runs.runs_of_true(mask), key=lambda run: run[1] - run[0], default=(0, 1))
  return first, end - 1
