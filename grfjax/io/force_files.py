"""Readers of force-plate files: CSV, C3D (through ezc3d) and OpenSim MOT."""

from __future__ import annotations

import dataclasses
import math
import pathlib
import re

import numpy as np
from absl import logging

from grfjax import conventions
from grfjax.io import c3d, delimited_text, laboratory_axes, recordings

_MAX_GAP_S = 0.02  # slower than 50 Hz there is no telling when a foot lands

_MAX_GAP_RATIO = 5.0  # times the median interval: rows are missing

_MIN_ROWS = 10

_AXES = ('x', 'y', 'z')


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

  CSV: `time_s`, then `fx_N`, `fy_N`, `fz_N` for plates N = 1, 2 ..., in our axes; commas, or
  semicolons with decimal commas. MOT: `time` and `ground_force_N_vx/vy/vz` (or OpenSim's older
  `ground_force_vx` and `1_ground_force_vx`), y up; turned about the vertical if the walk is not
  along +x. C3D: the plates of FORCE_PLATFORM in the file's order, turned as `_from_lab` says; its
  first sample is at (first frame - 1) / point rate, as in OpenSim and BTK.

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
    raise ForceError(f'{path}: found {path.suffix!r}, expected {", ".join(readers)}')
  forces = reader(path)
  found = forces.force.shape[1]
  if plates is not None and plates != found:
    raise ForceError(f'{path}: holds {found} plates, but trials.csv (plates) names {plates}')
  for i, fz in enumerate(forces.force[:, :, 2].T):
    if -fz.min() > max(fz.max(), conventions.CONTACT_N):
      raise ForceError(
        f'{path}: plate {i + 1} reads {fz.min():.4g} to {fz.max():.4g} N vertically; the sign '
        'looks flipped (expected the reaction on the body, up is positive)'
      )
  return forces


def _read_csv(path: pathlib.Path) -> PlateForces:
  lines = _text(path).splitlines()
  separator = delimited_text.delimiter(lines[0] if lines else '')
  names = [n.strip().strip('"') for n in lines[0].split(separator)] if lines else []
  count = 0
  while any(f'f{a}_{count + 1}' in names for a in _AXES):
    count += 1
  beyond = [n for n in names if (m := re.fullmatch(r'f[xyz]_(\d+)', n)) and int(m[1]) > count]
  if beyond and count:
    raise ForceError(f'{path}, line 1: found {beyond[0]}, but no plate {count + 1} before it')
  wanted = ['time_s', *(f'f{a}_{p + 1}' for p in range(max(count, 1)) for a in _AXES)]
  _check_columns(path, 1, names, wanted)
  rows = [(n, s) for n, s in enumerate(lines[1:], 2) if s.strip(' \t"' + separator)]
  table = _table(path, names, wanted, rows, separator)
  force = table[:, 1:].reshape(len(table), count, 3)
  direction = laboratory_axes.forward(table[:, 0], force[:, :, :2], force[:, :, 2], None)
  if direction is not None and direction != (0, 1):
    logging.warning(
      '%s: braking and propulsion do not look like a walk along +x; '
      'x must be forward, y left, z up',
      path,
    )
  return PlateForces(table[:, 0], force)


def _read_mot(path: pathlib.Path) -> PlateForces:
  lines = _text(path).splitlines()
  end = next((i for i, s in enumerate(lines) if s.strip().lower() == 'endheader'), None)
  if end is None:
    raise ForceError(f'{path}: no line "endheader"; expected an OpenSim .mot file')
  said = {
    m[1]: m[2] for s in lines[:end] if (m := re.fullmatch(r'\s*(nRows|nColumns)\s*=\s*(\S+)\s*', s))
  }
  body = [(n, s) for n, s in enumerate(lines[end + 1 :], end + 2) if s.strip()]
  if not body:
    raise ForceError(f'{path}: no row of column labels after "endheader"')
  (line, labels), rows = body[0], body[1:]
  names = labels.split()
  for key, found in (('nRows', len(rows)), ('nColumns', len(names))):
    if key in said and said[key] != str(found):
      raise ForceError(f'{path}: the header says {key}={said[key]}, but there are {found}')
  numbers = sorted(
    {
      int(m[1] or m[2] or 0): f'{m[1]}_ground_force_'
      if m[1]
      else f'ground_force_{m[2]}_'
      if m[2]
      else 'ground_force_'
      for n in names
      if (m := re.fullmatch(r'(?:(\d+)_)?ground_force_(?:(\d+)_)?v[xyz]', n))
    }.items()
  )
  if not numbers:
    raise ForceError(
      f'{path}, line {line}: no column ground_force_1_vx; found '
      f'{delimited_text.listed_columns(names)}'
    )
  first = numbers[0][0]
  if [n for n, _ in numbers] != list(range(first, first + len(numbers))) or first > 1:
    raise ForceError(
      f'{path}, line {line}: plates are numbered {", ".join(str(n) for n, _ in numbers)}; '
      'expected 1, 2 and so on without a gap'
    )
  wanted = ['time', *(f'{prefix}v{a}' for _, prefix in numbers for a in _AXES)]
  _check_columns(path, line, names, wanted)
  table = _table(path, names, wanted, rows, None)
  force = conventions.opensim_to_plates(table[:, 1:].reshape(len(table), len(numbers), 3))
  direction = laboratory_axes.forward(table[:, 0], force[:, :, :2], force[:, :, 2], None)
  if direction is not None and direction != (0, 1):
    force = force @ laboratory_axes.rotation(direction).T
    logging.info('%s: the walk is not along +x; turned about the vertical', path)
  return PlateForces(table[:, 0], force)


def _text(path: pathlib.Path) -> str:
  try:
    return delimited_text.read_text(path)
  except recordings.RecordingError as e:
    raise ForceError(str(e)) from e


def _check_columns(path: pathlib.Path, line: int, names: list[str], wanted: list[str]) -> None:
  missing = [n for n in wanted if n not in names]
  if missing:
    raise ForceError(
      f'{path}, line {line}: no column {", ".join(missing)}; found '
      f'{delimited_text.listed_columns(names)}'
    )
  twice = [n for n in wanted if names.count(n) > 1]
  if twice:
    raise ForceError(f'{path}, line {line}, column {twice[0]}: found more than once')


def _table(
  path: pathlib.Path,
  names: list[str],
  wanted: list[str],
  rows: list[tuple[int, str]],
  separator: str | None,
) -> np.ndarray:
  """(N, len(wanted)) float64 of numbered lines; the first column is time, and is checked."""
  if len(rows) < _MIN_ROWS:
    raise ForceError(f'{path}: found {len(rows)} rows of data, expected at least {_MIN_ROWS}')
  if separator == ';':
    rows = [(n, text.replace(',', '.')) for n, text in rows]
  for n, text in rows:
    count = len(text.split()) if separator is None else text.count(separator) + 1
    if count != len(names):
      raise ForceError(
        f'{path}, line {n}: found {count} cells, expected {len(names)} as in the header'
      )
  where = [names.index(name) for name in wanted]
  try:
    table = np.loadtxt(
      [text.replace('"', '') for _, text in rows],
      delimiter=separator,
      usecols=where,
      comments=None,
      ndmin=2,
    )
  except ValueError:  # its message counts from the first row of data; ours names the file's line
    table = np.array(np.nan)
  if np.isfinite(table).all():
    _check_times(path, table[:, 0], [n for n, _ in rows], wanted[0])
    return table
  for n, text in rows:
    cells = [cell.strip(' \t"') for cell in text.split(separator)]
    for name, i in zip(wanted, where, strict=True):
      if not delimited_text.is_finite_number(cells[i]):
        raise ForceError(
          f'{path}, line {n}, column {name}: found {cells[i]!r}, expected a finite number'
        )
  raise ForceError(f'{path}: cannot be read as a table of numbers')


def _check_times(path: pathlib.Path, time_s: np.ndarray, lines: list[int], name: str) -> None:
  step = np.diff(time_s)
  back = np.flatnonzero(step <= 0)
  if len(back):
    i = back[0]
    raise ForceError(
      f'{path}, line {lines[i + 1]}, column {name}: found {time_s[i + 1]:.9g} after '
      f'{time_s[i]:.9g}, expected increasing times'
    )
  most = min(_MAX_GAP_S, _MAX_GAP_RATIO * float(np.median(step))) + 1e-6
  gaps = np.flatnonzero(step > most)
  if len(gaps):
    i = gaps[0]
    raise ForceError(
      f'{path}, line {lines[i + 1]}, column {name}: found {step[i]:.4g} s since the row before, '
      f'expected at most {most:.4g} s (rows are missing, or times are not in seconds)'
    )


def _read_c3d(path: pathlib.Path) -> PlateForces:
  try:
    file = c3d.read(path)
  except c3d.C3DError as e:
    raise ForceError(f'{path}: {e}') from e
  except OSError as e:
    reason = 'no such file' if isinstance(e, FileNotFoundError) else (e.strerror or str(e))
    raise ForceError(f'{path}: {reason}') from e
  force = file.force * [[_unit(path, file, unit)] for unit in file.unit]
  if len(force) < _MIN_ROWS:
    raise ForceError(f'{path}: found {len(force)} samples, expected at least {_MIN_ROWS}')
  bad = np.argwhere(~np.isfinite(force))
  if len(bad):
    raise ForceError(f'{path}: sample {bad[0][0] + 1} of plate {bad[0][1] + 1} is not finite')
  rates = file.point_rate, file.analog_rate
  if not (all(math.isfinite(r) and r > 0 for r in rates) and 1 / rates[1] <= _MAX_GAP_S + 1e-6):
    raise ForceError(f'{path}: found an analog rate of {rates[1]:g} Hz, expected 50 Hz or more')
  # ezc3d counts the first frame from 0, so a file cut out of a recording keeps its clock.
  time_s = file.first_frame / rates[0] + np.arange(len(force)) / rates[1]
  metres = {'m': 1.0, 'cm': 1e-2}.get(file.unit_position.lower(), 1e-3)
  return PlateForces(
    time_s, laboratory_axes.from_laboratory(path, time_s, force, file.pressure * metres)
  )


def _unit(path: pathlib.Path, file: c3d.Platforms, unit: str) -> float:
  """Newtons in a plate's unit of force."""
  if file.unit_stated and unit.lower() not in _NEWTONS:
    raise ForceError(f'{path}: FORCE_PLATFORM:UNITS is {unit!r}, expected N')
  return _NEWTONS.get(unit.lower(), 1.0)  # 'V' is common and says nothing once scaled
