"""Turns forces from a C3D file's laboratory axes into plate axes (see `conventions`)."""

from __future__ import annotations

import pathlib

import numpy as np
from absl import logging

from grfjax import conventions, errors, mask_runs

# What makes a direction the walk's: see `find_forward`. In normal walking braking and propulsion
# score 0.05 to 0.08; the sideways force scores under 0.01.
_MIN_SCORE = 0.015
_MIN_PROGRESS_M = 0.04  # the centre of pressure travels 0.1 to 0.25 m under a foot
_MAX_OBLIQUE = 0.6  # across over along: about 30 degrees from an axis
_MIN_CONTACT_S = 0.1


def from_laboratory(
  path: pathlib.Path, time_s: np.ndarray, force: np.ndarray, pressure: np.ndarray
) -> np.ndarray:
  """Turns forces from a C3D's laboratory axes into plate axes.

  ezc3d gives the channels in laboratory axes with whatever sign the laboratory wrote. Vertical is
  the axis that carries most under a foot, its positive side up. Where the plates read negative
  under a foot, the file holds the action on the plate (C3D allows both), and all three axes change
  sign. Forward is decided by `find_forward`.

  Args:
    path: for messages.
    time_s: (N,) seconds.
    force: (N, P, 3) newtons, laboratory axes.
    pressure: (N, P, 3) metres, centre of pressure, laboratory axes; may hold NaN.

  Returns:
    (N, P, 3) newtons, plate axes.

  Raises:
    InputError: nobody steps on a plate, or the forward direction cannot be decided.
  """
  magnitude = np.linalg.norm(force, axis=-1)
  loaded = magnitude > conventions.CONTACT_N
  if not loaded.any():
    raise errors.InputError(
      f'{path}: no plate ever carries {conventions.CONTACT_N:g} N (the most is '
      f'{magnitude.max():.3g} N)',
      code='force.no_load',
      file=path,
    )
  means = force[loaded].mean(0)
  up = int(np.abs(force[loaded]).mean(0).argmax())
  if means[up] < 0:
    logging.info('%s: holds the action on the plates; the sign is turned', path)
    force = -force
  flat = [(up + 1) % 3, (up + 2) % 3]  # in this order flat[0] x flat[1] is up
  fz = force[:, :, up]
  direction = _decide_forward(path, time_s, force[:, :, flat], fz, pressure[:, :, flat])
  return force[:, :, [*flat, up]] @ rotation(direction).T


def _decide_forward(
  path: pathlib.Path, time_s: np.ndarray, flat: np.ndarray, fz: np.ndarray, pressure: np.ndarray
) -> tuple[int, int]:
  """Returns what `find_forward` says by the forces, or else by the centre of pressure."""
  by_force = find_forward(time_s, flat, fz)
  by_pressure = find_forward(time_s, flat, fz, pressure)
  if by_force and by_pressure and by_force != by_pressure:
    logging.warning(
      '%s: braking and propulsion say that the walk goes another way than the '
      'centre of pressure does; the forces are believed',
      path,
    )
  direction = by_force or by_pressure
  if direction is None:
    raise errors.InputError(
      f'{path}: cannot tell which way the walk goes: no whole contact shows braking and then '
      'propulsion, or a centre of pressure that progresses, along one laboratory axis; '
      'give the forces as CSV with x forward',
      code='force.direction',
      file=path,
    )
  return direction


def find_forward(
  time_s: np.ndarray, flat: np.ndarray, fz: np.ndarray, pressure: np.ndarray | None = None
) -> tuple[int, int] | None:
  """Finds which of two horizontal axes, and which way along it, is forward.

  Along the walk the reaction first brakes (backwards), then propels (forwards). Each axis scores
  the integral of force times a ramp from -1 to 1 over each whole contact, over that of vertical
  force: sideways forces, even through a contact and opposite for the two feet, score near 0. With
  `pressure`, the score is its travel from 20 to 80 % of the contact instead (heel to toe).

  Args:
    time_s: (N,) seconds.
    flat: (N, P, 2) newtons, two horizontal axes.
    fz: (N, P) newtons, up.
    pressure: (N, P, 2) metres on the same axes, or None.

  Returns:
    (axis, sign): axis 0 or 1, sign 1 or -1; None where it cannot be decided.
  """
  scores, weights = np.zeros(2), 0.0
  for plate in range(fz.shape[1]):
    for start, end in mask_runs.runs_of_true(fz[:, plate] > conventions.CONTACT_N):
      if start == 0 or end == len(fz) or time_s[end] - time_s[start] < _MIN_CONTACT_S:
        continue
      if pressure is None:
        scores += np.linspace(-1, 1, end - start) @ flat[start:end, plate]
        weights += float(fz[start:end, plate].sum())
      else:
        margin = (end - start) // 5
        travel = pressure[end - 1 - margin, plate] - pressure[start + margin, plate]
        if np.isfinite(travel).all():
          scores, weights = scores + travel, weights + 1
  if not weights:
    return None
  scores = scores / weights
  axis = int(np.abs(scores).argmax())
  least = _MIN_SCORE if pressure is None else _MIN_PROGRESS_M
  if abs(scores[axis]) < least or abs(scores[1 - axis]) > _MAX_OBLIQUE * abs(scores[axis]):
    return None
  return axis, 1 if scores[axis] > 0 else -1


def rotation(direction: tuple[int, int]) -> np.ndarray:
  """Returns the (3, 3) matrix that turns axes (horizontal, horizontal, up) to forward, left, up.

  Args:
    direction: axis and sign of forward, as `find_forward` gives them.
  """
  axis, sign = direction
  forward = np.eye(3)[axis] * sign
  up = np.eye(3)[2]
  return np.stack([forward, np.cross(up, forward), up])
