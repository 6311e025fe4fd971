"""Reads force-plate files into one form: CSV, OpenSim's MOT, and C3D."""

from __future__ import annotations

import dataclasses
import math
import pathlib
import re

import numpy as np
from absl import logging

from grfjax import conventions, errors
from grfjax.io import c3d, delimited_text, force_tables, laboratory_axes, opensim, recordings

# Newtons in a file's unit of force; the pound-force is exact by definition (0.45359237 kg * g).
_NEWTONS = {
  '': 1.0,
  'n': 1.0,
  'newton': 1.0,
  'newtons': 1.0,
  'kn': 1e3,
  'lb': 4.4482216152605,
  'lbs': 4.4482216152605,
  'lbf': 4.4482216152605,
}


class ForceError(recordings.RecordingError):
  """A force file that cannot be used; the message names file and, where there are any, row."""


@dataclasses.dataclass(frozen=True)
class PlateForces:
  """Forces of P plates on one clock.

  Attributes:
    time_s: (N,) float64, strictly increasing.
    force: (N, P, 3) float64, newtons, the reaction on the body; x forward along the walk, y to
      the walker's left, z up.
  """

  time_s: np.ndarray
  force: np.ndarray


def read(path: pathlib.Path, plates: int | None = None) -> PlateForces:
  """Reads a force file, by its extension.

  CSV: `time_s`, then `fx_N`, `fy_N`, `fz_N` for plates N = 1, 2 ..., in plate axes
  (`conventions`); commas, or semicolons with decimal commas. MOT: `time` and
  `ground_force_N_vx/vy/vz` (or OpenSim's older `ground_force_vx` and `1_ground_force_vx`), y up;
  turned about the vertical if the walk is not along +x. C3D: the plates of FORCE_PLATFORM in the
  file's order, turned as `laboratory_axes.from_laboratory` says; its first sample is at
  (first frame - 1) / point rate, as in OpenSim and BTK.

  Args:
    path: ends in .csv, .c3d or .mot.
    plates: the number of plates expected, or None for any.

  Raises:
    ForceError: unreadable, incomplete, not finite, upside down, or another number of plates.
  """
  path = pathlib.Path(path)
  readers = {'.csv': _read_csv, '.mot': _read_mot, '.c3d': _read_c3d}
  reader = readers.get(path.suffix.lower())
  if reader is None:
    raise ForceError(
      f'{path}: found {path.suffix!r}, expected {", ".join(readers)}',
      code='force.format',
      file=path,
    )
  try:
    forces = reader(path)
  except errors.InputError as error:
    raise ForceError.from_error(error) from error
  _check_plates(path, forces, plates)
  return forces


def _check_plates(path: pathlib.Path, forces: PlateForces, expected: int | None) -> None:
  """Raises ForceError where plates are missing, superfluous or upside down."""
  count = forces.force.shape[1]
  if expected is not None and expected != count:
    raise ForceError(
      f'{path}: holds {count} plates, but trials.csv (plates) names {expected}',
      code='force.plate_count',
      file=path,
    )
  for number, fz in enumerate(forces.force[:, :, 2].T, 1):
    if -fz.min() > max(fz.max(), conventions.CONTACT_N):
      raise ForceError(
        f'{path}: plate {number} reads {fz.min():.4g} to {fz.max():.4g} N vertically; the sign '
        'looks flipped (expected the reaction on the body, up is positive)',
        code='force.upside_down',
        file=path,
      )


def _read_csv(path: pathlib.Path) -> PlateForces:
  lines = delimited_text.read_text(path).splitlines()
  separator = delimited_text.find_delimiter(lines[0] if lines else '')
  names = [n.strip().strip('"') for n in lines[0].split(separator)] if lines else []
  count = _count_csv_plates(path, names)
  wanted = ['time_s']
  wanted += [f'f{axis}_{p + 1}' for p in range(max(count, 1)) for axis in force_tables.AXES]
  rows = [(n, text) for n, text in enumerate(lines[1:], 2) if text.strip(' \t"' + separator)]
  values = force_tables.Table(path, names, 1, rows, separator).read_columns(wanted)
  time_s, force = values[:, 0], values[:, 1:].reshape(len(values), count, 3)
  direction = laboratory_axes.find_forward(time_s, force[:, :, :2], force[:, :, 2])
  if direction not in (None, (0, 1)):
    logging.warning(
      '%s: braking and propulsion do not look like a walk along +x; '
      'x must be forward, y left, z up',
      path,
    )
  return PlateForces(time_s, force)


def _count_csv_plates(path: pathlib.Path, names: list[str]) -> int:
  """Returns how many plates, numbered from 1 without a gap, have a column."""
  count = 0
  while any(f'f{axis}_{count + 1}' in names for axis in force_tables.AXES):
    count += 1
  beyond = [n for n in names if (m := re.fullmatch(r'f[xyz]_(\d+)', n)) and int(m[1]) > count]
  if beyond and count:
    raise errors.InputError(
      f'{path}, line 1: found {beyond[0]}, but no plate {count + 1} before it',
      code='force.plate_numbers',
      file=path,
      line=1,
    )
  return count


def _read_mot(path: pathlib.Path) -> PlateForces:
  time_s, opensim_force = opensim.read(path)
  force = conventions.opensim_to_plates(opensim_force)
  direction = laboratory_axes.find_forward(time_s, force[:, :, :2], force[:, :, 2])
  if direction is not None and direction != (0, 1):
    force = force @ laboratory_axes.rotation(direction).T
    logging.info('%s: the walk is not along +x; turned about the vertical', path)
  return PlateForces(time_s, force)


def _read_c3d(path: pathlib.Path) -> PlateForces:
  try:
    file = c3d.read(path)
  except c3d.C3DError as error:
    raise error.within(str(path), file=path) from error
  except OSError as error:
    raise delimited_text.unreadable_file(path, error) from error
  force = file.force * [[_newtons_per_unit(path, file, unit)] for unit in file.unit.tolist()]
  if len(force) < force_tables.MIN_ROWS:
    raise errors.InputError(
      f'{path}: found {len(force)} samples, expected at least {force_tables.MIN_ROWS}',
      code='force.too_short',
      file=path,
    )
  not_finite = np.argwhere(~np.isfinite(force))
  if len(not_finite):
    sample, plate, _ = not_finite[0]
    raise errors.InputError(
      f'{path}: sample {sample + 1} of plate {plate + 1} is not finite',
      code='force.not_finite',
      file=path,
    )
  time_s = _c3d_times(path, file)
  metres = {'m': 1.0, 'cm': 1e-2}.get(file.unit_position.lower(), 1e-3)
  return PlateForces(
    time_s, laboratory_axes.from_laboratory(path, time_s, force, file.pressure * metres)
  )


def _c3d_times(path: pathlib.Path, file: c3d.Platforms) -> np.ndarray:
  """Returns the (N,) times of the samples, seconds."""
  rates = file.point_rate, file.analog_rate
  usable = all(math.isfinite(rate) and rate > 0 for rate in rates)
  if not (usable and 1 / file.analog_rate <= force_tables.MAX_GAP_S + 1e-6):
    raise errors.InputError(
      f'{path}: found an analog rate of {file.analog_rate:g} Hz, expected 50 Hz or more',
      code='force.rate',
      file=path,
    )
  # ezc3d counts the first frame from 0, so a file cut out of a recording keeps its clock.
  return file.first_frame / file.point_rate + np.arange(len(file.force)) / file.analog_rate


def _newtons_per_unit(path: pathlib.Path, file: c3d.Platforms, unit: str) -> float:
  if file.unit_stated and unit.lower() not in _NEWTONS:
    raise errors.InputError(
      f'{path}: FORCE_PLATFORM:UNITS is {unit!r}, expected N', code='force.unit', file=path
    )
  return _NEWTONS.get(unit.lower(), 1.0)  # 'V' is common and says nothing once scaled
