"""Turns forces and centres of pressure from a file's axes into plate axes (see `conventions`)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import scipy.ndimage

from grfjax import conventions, errors, mask_runs
from grfjax.io import recorded_forces

# What makes a direction the walk's: see `_braking_scores`. In normal walking braking and propulsion
# score 0.05 to 0.08; the sideways force scores under 0.01.
_MIN_SCORE = 0.015
_MIN_PROGRESS_M = 0.04  # the centre of pressure travels 0.1 to 0.25 m under a foot
_MAX_OBLIQUE = 0.6  # across over along: about 30 degrees from an axis
_ASLANT = 0.3  # likewise, from which it is told: about 17 degrees; straight walks have up to 0.2
_MEDIAN_SAMPLES = 5
_MIN_CONTACT_S = 0.1

# Mean sideways over vertical force of a loaded foot from which it is clear that the floor pushes
# the foot inwards: 0.01 and more on every plate of 238 trials.
_MIN_INWARDS = 0.005

Direction = tuple[int, int]  # axis 0 or 1 of two horizontal ones, and sign of forward along it
FORWARD: Direction = (0, 1)
_UNTURNED = np.eye(3)


def to_plate_axes(
  name: str, recorded: recorded_forces.RecordedForces, legs: Sequence[str]
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...], str]:
  """Turns forces into plate axes: x forward along the walk, y to the walker's left, z up.

  In laboratory axes everything is decided by the forces: up (`find_up`), sign and forward. In
  plate axes and in OpenSim's the file says what is up, and where the braking and propulsion of
  whole contacts contradict its forward direction, they are believed. Plate axes that a laboratory
  named itself may also be mirrored (x and y exchanged); the floor pushes a foot inwards, which
  tells so where `legs` are known.

  Args:
    name: of the files, for messages.
    recorded: what the files hold.
    legs: (P,) the leg on each plate; empty where nobody says it.

  Returns:
    (N, P, 3) newtons in plate axes; (N, P, 2) metres, the centre of pressure likewise, forward and
    to the left, or None; sentences about what was turned or assumed; for laboratory axes, a
    sentence about what they were found to be, otherwise ''.

  Raises:
    InputError: nobody steps on a plate, or the forward direction cannot be decided.
  """
  if recorded.axes is recorded_forces.Axes.LABORATORY:
    return _from_laboratory(name, recorded)
  force, pressure = recorded.force, recorded.pressure
  if recorded.axes is recorded_forces.Axes.OPENSIM:
    force = conventions.opensim_to_plates(force)
    pressure = None if pressure is None else conventions.opensim_to_plates(pressure)
  scores = _braking_scores(name, recorded.time_s, force[:, :, :2], force[:, :, 2])
  if scores is None:
    assumed = 'no whole contact shows which way the walk goes'
    return force, _flat(pressure), (f'{assumed}; x is taken to be forward, as the file says.',), ''
  direction = _decide(scores, _MIN_SCORE)
  aslant = _aslant(scores)
  if direction == FORWARD:
    return force, _flat(pressure), aslant, ''
  if direction is None:
    if np.abs(scores).max() < _MIN_SCORE:
      assumed = 'the horizontal forces show no braking and propulsion'
      note = f'{assumed}; x is taken to be forward, as the file says.'
      return force, _flat(pressure), (note,), ''
    raise _undecided(name)
  turn = rotation(direction)
  turned = force @ turn.T
  said = 'braking and propulsion show that the walk does not go along +x'
  inwards = _inward_push(turned, legs)
  named = recorded.axes is recorded_forces.Axes.PLATE
  if named and inwards < 0:
    mirrored = (
      f'{said}, and that y then points to the wrong side (the floor would push the feet outwards); '
      'the axes are exchanged or mirrored back (unless plates exchanges left and right).'
    )
    mirror = np.diag([1, -1, 1]) @ turn
    return turned * [1, -1, 1], _flat(pressure, mirror), (mirrored, *aslant), ''
  if named and inwards == 0 and direction[0] == 1:
    raise errors.InputError(
      f'{name}: {said}, but not whether the axes are turned or exchanged: no loaded foot is '
      'clearly pushed to one side; expected x forward, y to the left, z up',
      code='force.direction',
    )
  note = f'{said}; the forces are turned about the vertical.'
  return turned, _flat(pressure, turn), (note, *aslant), ''


def _flat(pressure: np.ndarray | None, turn: np.ndarray = _UNTURNED) -> np.ndarray | None:
  """Turns centres of pressure (N, P, 3) by a matrix; returns what is horizontal of them, or None.

  A place of which one coordinate is not known is not known.
  """
  return None if pressure is None else (pressure @ turn.T)[..., :2]


def find_up(name: str, recorded: recorded_forces.RecordedForces) -> tuple[int, int]:
  """Finds the vertical axis, and the sign that makes its forces the reaction on the body.

  In laboratory axes vertical is the axis that carries most under a foot, its positive side up.
  Where the plates read negative under a foot, the file holds the action on the plate (C3D and
  device exports allow both), and all three axes change sign.

  Returns:
    Axis 0 to 2; sign 1 or -1.

  Raises:
    InputError: nobody steps on a plate.
  """
  force = recorded.force
  magnitude = np.linalg.norm(force, axis=-1)
  loaded = magnitude > conventions.CONTACT_N
  if not loaded.any():
    raise errors.InputError(
      f'{name}: no plate ever carries {conventions.CONTACT_N:g} N (the most is '
      f'{magnitude.max():.3g} N)',
      code='force.no_load',
    )
  if recorded.axes is not recorded_forces.Axes.LABORATORY:
    return (2 if recorded.axes is recorded_forces.Axes.PLATE else 1), 1
  means = force[loaded].mean(0)
  up = int(np.abs(force[loaded]).mean(0).argmax())
  return up, (-1 if means[up] < 0 else 1)


def _from_laboratory(
  name: str, recorded: recorded_forces.RecordedForces
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...], str]:
  up, sign = find_up(name, recorded)
  force = sign * recorded.force
  notes: tuple[str, ...] = ()
  if sign < 0:
    notes = ('holds the action on the plates; the signs are turned to the reaction on the body.',)
  flat = [(up + 1) % 3, (up + 2) % 3]  # in this order flat[0] x flat[1] is up
  scores = _braking_scores(name, recorded.time_s, force[:, :, flat], force[:, :, up])
  direction = None if scores is None else _decide(scores, _MIN_SCORE)
  if scores is not None and direction:
    notes += _aslant(scores)
  if recorded.pressure is not None:
    travel = _pressure_travel(recorded.time_s, recorded.pressure[:, :, flat], force[:, :, up])
    by_pressure = None if travel is None else _decide(travel, _MIN_PROGRESS_M)
    if direction and by_pressure and direction != by_pressure:
      notes += (
        'braking and propulsion say that the walk goes another way than the centre of pressure '
        'does; the forces are believed.',
      )
    direction = direction or by_pressure
  if direction is None:
    raise _undecided(name)
  axis, way = direction
  found = (
    f'by its forces, the walk goes along {"-" if way < 0 else "+"}{"xyz"[flat[axis]]} of the file, '
    f'and {"xyz"[up]} is up.'
  )
  turn = rotation(direction)
  pressure = None if recorded.pressure is None else recorded.pressure[:, :, [*flat, up]]
  return force[:, :, [*flat, up]] @ turn.T, _flat(pressure, turn), notes, found


def _undecided(name: str) -> errors.InputError:
  return errors.InputError(
    f'{name}: cannot tell which way the walk goes: no whole contact shows braking and then '
    'propulsion, or a centre of pressure that progresses, along one axis; give the forces as CSV '
    'with x forward',
    code='force.direction',
  )


def _braking_scores(
  name: str, time_s: np.ndarray, flat: np.ndarray, fz: np.ndarray
) -> np.ndarray | None:
  """Returns how clearly a walk goes along each of two horizontal axes, (2,).

  Along the walk the reaction first brakes (backwards), then propels (forwards). Each axis scores
  the integral of force times a ramp from -1 to 1 over each whole contact, over that of vertical
  force: sideways forces, even through a contact and opposite for the two feet, score near 0. A
  single damaged sample has no say (it has a check of its own).

  Args:
    name: of the files, for messages.
    time_s: (N,) seconds.
    flat: (N, P, 2) newtons, two horizontal axes.
    fz: (N, P) newtons, up.

  Returns:
    The scores, negative for a walk against the axis; None without a whole contact.

  Raises:
    InputError: two plates show walks in different directions.
  """
  scores, weights = np.zeros((fz.shape[1], 2)), np.zeros(fz.shape[1])
  flat = scipy.ndimage.median_filter(flat, (_MEDIAN_SAMPLES, 1, 1))
  for plate, start, end in _whole_contacts(time_s, fz):
    scores[plate] += np.linspace(-1, 1, end - start) @ flat[start:end, plate]
    weights[plate] += fz[start:end, plate].sum()
  ways = {
    plate + 1: way
    for plate in np.flatnonzero(weights).tolist()
    if (way := _decide(scores[plate] / weights[plate], _MIN_SCORE))
  }
  if len({*ways.values()}) > 1:
    (one, first), (other, second) = next(
      pair for pair in itertools.combinations(ways.items(), 2) if pair[0][1] != pair[1][1]
    )
    raise errors.InputError(
      f'{name}: braking and propulsion go other ways on plate {one} than on plate {other}: their '
      f'axes differ by {_turn_degrees(first, second)} degrees; expected all plates in the same '
      'axes (turn one of them, or export laboratory axes)',
      code='force.direction',
    )
  return scores.sum(0) / weights.sum() if weights.any() else None


def _turn_degrees(first: Direction, second: Direction) -> int:
  return 180 if first[0] == second[0] else 90


def _aslant(scores: np.ndarray) -> tuple[str, ...]:
  """Returns a note where a walk is not quite along an axis, so that forward and sideways mix."""
  along, across = np.sort(np.abs(scores))[::-1]
  if across < _ASLANT * along:
    return ()
  return (
    f'the walk seems to go {np.degrees(np.arctan2(across, along)):.0f} degrees aslant of the axes, '
    'so that the sideways force holds a part of the forward force.',
  )


def _pressure_travel(time_s: np.ndarray, pressure: np.ndarray, fz: np.ndarray) -> np.ndarray | None:
  """Returns how far the centre of pressure goes along two axes from heel to toe, (2,) metres.

  Args:
    time_s: (N,) seconds.
    pressure: (N, P, 2) metres, two horizontal axes; may hold NaN.
    fz: (N, P) newtons, up.

  Returns:
    The mean of whole contacts, from 20 to 80 % of each; None without one.
  """
  travels = []
  for plate, start, end in _whole_contacts(time_s, fz):
    margin = (end - start) // 5
    travel = pressure[end - 1 - margin, plate] - pressure[start + margin, plate]
    if np.isfinite(travel).all():
      travels.append(travel)
  return np.mean(travels, 0) if travels else None


def _whole_contacts(time_s: np.ndarray, fz: np.ndarray) -> list[tuple[int, int, int]]:
  """Returns plate, first sample and end of each contact that the recording shows whole."""
  return [
    (plate, start, end)
    for plate in range(fz.shape[1])
    for start, end in mask_runs.runs_of_true(fz[:, plate] > conventions.CONTACT_N)
    if start > 0 and end < len(fz) and time_s[end] - time_s[start] >= _MIN_CONTACT_S
  ]


def _decide(scores: np.ndarray, least: float) -> Direction | None:
  """Returns forward by scores of two axes; None where none of them is clear."""
  axis = int(np.abs(scores).argmax())
  if abs(scores[axis]) < least or abs(scores[1 - axis]) > _MAX_OBLIQUE * abs(scores[axis]):
    return None
  return axis, 1 if scores[axis] > 0 else -1


def _inward_push(force: np.ndarray, legs: Sequence[str]) -> int:
  """Tells whether the floor pushes loaded feet inwards (1), outwards (-1) or neither clearly (0).

  Args:
    force: (N, P, 3) newtons, x forward, y perhaps to the left, z up.
    legs: (P,) the leg on each plate; empty where nobody says it.
  """
  pushes = []
  for plate, leg in enumerate(legs):
    fz = force[:, plate, 2]
    loaded = fz > max(0.5 * fz.max(), conventions.CONTACT_N)
    if loaded.any():
      left = float(force[loaded, plate, 1].sum() / fz[loaded].sum())
      pushes.append(left if leg == 'right' else -left)
  if pushes and min(pushes) > _MIN_INWARDS:
    return 1
  return -1 if pushes and max(pushes) < -_MIN_INWARDS else 0


def rotation(direction: Direction) -> np.ndarray:
  """Returns the (3, 3) matrix that turns axes (horizontal, horizontal, up) to forward, left, up."""
  axis, sign = direction
  forward = np.eye(3)[axis] * sign
  up = np.eye(3)[2]
  return np.stack([forward, np.cross(up, forward), up])
