"""Turns forces from a C3D file's laboratory axes into the walker's axes."""

from __future__ import annotations

import pathlib

import numpy as np
from absl import logging

from grfjax import conventions
from grfjax.io import force_files

# What makes a direction the walk's: see _forward. In normal walking braking and propulsion score
# 0.05 to 0.08; the sideways force scores under 0.01.
_MIN_SCORE = 0.015

_MIN_PROGRESS_M = 0.04  # the centre of pressure travels 0.1 to 0.25 m under a foot

_MAX_OBLIQUE = 0.6  # across over along: about 30 degrees from an axis


def from_laboratory(
  path: pathlib.Path, time_s: np.ndarray, force: np.ndarray, pressure: np.ndarray
) -> np.ndarray:
  """Turns forces from a C3D's laboratory axes into ours.

  ezc3d gives the channels in laboratory axes with whatever sign the laboratory wrote. Vertical is
  the axis that carries most under a foot, its positive side up. Where the plates read negative
  there, the file holds the action on the plate (C3D allows both), and all three axes change sign.
  Forward is decided by `_forward`.

  Args:
    path: for messages.
    time_s: (N,) seconds.
    force: (N, P, 3) newtons, laboratory axes.
    pressure: (N, P, 3) metres, centre of pressure, laboratory axes; may hold NaN.
  """
  size = np.linalg.norm(force, axis=-1)
  carries = size > conventions.CONTACT_N
  if not carries.any():
    raise force_files.ForceError(
      f'{path}: no plate ever carries {conventions.CONTACT_N:g} N (the most is {size.max():.3g} N)'
    )
  means = force[carries].mean(0)
  up = int(np.abs(force[carries]).mean(0).argmax())
  if means[up] < 0:
    logging.info('%s: holds the action on the plates; the sign is turned', path)
    force = -force
  flat = [(up + 1) % 3, (up + 2) % 3]  # in this order flat[0] x flat[1] is up
  fz = force[:, :, up]
  by_force = forward(time_s, force[:, :, flat], fz, None)
  by_pressure = forward(time_s, force[:, :, flat], fz, pressure[:, :, flat])
  if by_force and by_pressure and by_force != by_pressure:
    logging.warning(
      '%s: braking and propulsion say that the walk goes another way than the '
      'centre of pressure does; the forces are believed',
      path,
    )
  direction = by_force or by_pressure
  if direction is None:
    raise force_files.ForceError(
      f'{path}: cannot tell which way the walk goes: no whole contact shows braking and then '
      'propulsion, or a centre of pressure that progresses, along one laboratory axis; '
      'give the forces as CSV with x forward'
    )
  return force[:, :, [*flat, up]] @ rotation(direction).T


def forward(
  time_s: np.ndarray, flat: np.ndarray, fz: np.ndarray, pressure: np.ndarray | None
) -> tuple[int, int] | None:
  """Which of two horizontal axes, and which way along it, is forward; None if undecidable.

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
    (axis, sign): axis 0 or 1, sign 1 or -1.
  """
  scores, weights = np.zeros(2), 0.0
  for plate in range(fz.shape[1]):
    on = np.concatenate([[False], fz[:, plate] > conventions.CONTACT_N, [False]])
    starts, ends = np.flatnonzero(on[1:] & ~on[:-1]), np.flatnonzero(on[:-1] & ~on[1:])
    for a, b in zip(starts, ends, strict=True):
      if a == 0 or b == len(fz) or time_s[b] - time_s[a] < 0.1:
        continue
      ramp = np.linspace(-1, 1, b - a)
      if pressure is None:
        scores += ramp @ flat[a:b, plate]
        weights += float(fz[a:b, plate].sum())
      else:
        early, late = a + (b - a) // 5, b - 1 - (b - a) // 5
        step = pressure[late, plate] - pressure[early, plate]
        if np.isfinite(step).all():
          scores, weights = scores + step, weights + 1
  if not weights:
    return None
  scores = scores / weights
  axis = int(np.abs(scores).argmax())
  least = _MIN_SCORE if pressure is None else _MIN_PROGRESS_M
  if abs(scores[axis]) < least or abs(scores[1 - axis]) > _MAX_OBLIQUE * abs(scores[axis]):
    return None
  return axis, 1 if scores[axis] > 0 else -1


def rotation(direction: tuple[int, int]) -> np.ndarray:
  """(3, 3) matrix that turns axes (horizontal, horizontal, up) so that `direction` becomes x."""
  axis, sign = direction
  forward = np.eye(3)[axis] * sign
  up = np.eye(3)[2]
  return np.stack([forward, np.cross(up, forward), up])
