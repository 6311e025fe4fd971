"""Reads the forces of a plate from a Qualisys (QTM) TSV export."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping, Sequence

import numpy as np

from grfjax import errors
from grfjax.io import (
  delimited_text,
  force_tables,
  force_units,
  plate_columns,
  plate_csv,
  recorded_forces,
)

_SEARCHED = 200  # lines of keys


def is_qualisys(lines: Sequence[str]) -> bool:
  """Whether lines begin with the keys of a QTM export."""
  return any(line.lstrip().upper().startswith('NO_OF_SAMPLES') for line in lines[:_SEARCHED])


def read(path: pathlib.Path, lines: Sequence[str]) -> recorded_forces.RecordedForces:
  """Reads a file of one plate: keys, then Force_X, Force_Y, Force_Z and, where given, COP_X ...

  Args:
    path: of the file, for messages.
    lines: of the file.

  Raises:
    InputError: keys or columns are missing or contradict each other, or a cell is no number.
  """
  number, names = _find_header(path, lines)
  separator = delimited_text.find_separator(lines[number])
  keys = _read_keys(lines[:number])
  units = {k: force_units.split_name(name)[1] for k, name in enumerate(names)}
  names = [force_units.split_name(name)[0] for name in names]
  lowered = [name.lower() for name in names]
  rows = plate_csv.data_rows(lines, number + 1, separator)
  table = force_tables.Table(path, names, number + 1, rows, separator)
  wanted = ['Force_X', 'Force_Y', 'Force_Z']
  missing = [name for name in wanted if name.lower() not in lowered]
  if missing:
    raise delimited_text.missing_columns(path, number + 1, ', '.join(missing), names)
  for name in (*wanted, 'TIME', 'SAMPLE'):
    if lowered.count(name.lower()) > 1:
      raise table.error('found more than once', 'table.duplicate_column', number + 1, name)
  rate = _number(path, keys, 'FREQUENCY')
  force_tables.check_rate(path, rate, keys['FREQUENCY'][0])
  samples = _number(path, keys, 'NO_OF_SAMPLES')

  x, y, z = (lowered.index(name.lower()) for name in wanted)
  cop = [lowered.index(f'cop_{a}') for a in force_tables.AXES if f'cop_{a}' in lowered]
  plate = plate_columns.Plate((x, y, z), tuple(cop) if len(cop) > 1 else ())
  time = lowered.index('time') if 'time' in lowered else None
  readings = plate_columns.read(table, [plate], units, number + 1, time=time)
  if samples != len(rows):
    raise _error(
      path, None, f'the header says NO_OF_SAMPLES {samples:g}, but there are {len(rows)}'
    )
  time_s, note = _times(table, readings.time, lowered, rate)
  force, pressure, turned = _to_laboratory(path, keys, readings.force, readings.pressure)
  return recorded_forces.RecordedForces(
    time_s,
    force,
    recorded_forces.Axes.LABORATORY,
    pressure,
    notes=(*readings.notes, *note, *turned),
  )


def _find_header(path: pathlib.Path, lines: Sequence[str]) -> tuple[int, list[str]]:
  """Returns where the names of the columns stand, counted from 0, and the names."""
  for number, line in enumerate(lines[:_SEARCHED]):
    names = plate_csv.split_cells(line, delimited_text.find_separator(line))
    if any(re.fullmatch(r'force_[xyz]\b.*', name, re.I) for name in names):
      return number, names
  raise _error(path, None, 'no row of names such as Force_X; expected the force data of a plate')


def _read_keys(lines: Sequence[str]) -> dict[str, tuple[int, str]]:
  """Returns the line, counted from 1, and the value of each key of the header."""
  keys = {}
  for number, line in enumerate(lines, 1):
    cells = plate_csv.split_cells(line, delimited_text.find_separator(line))
    if cells:
      keys[cells[0].upper()] = number, next((cell for cell in cells[1:] if cell), '')
  return keys


def _number(path: pathlib.Path, keys: Mapping[str, tuple[int, str]], key: str) -> float:
  line, text = keys.get(key, (None, ''))
  number = text.lower().removesuffix('hz').strip().replace(',', '.')
  value = delimited_text.parse_number(number)
  if value is None:
    found = f'found {text!r} for {key}' if line else f'no key {key}'
    raise _error(path, line, f'{found}, expected a number')
  return value


def _times(
  table: force_tables.Table, times: np.ndarray | None, lowered: Sequence[str], rate: float
) -> tuple[np.ndarray, tuple[str, ...]]:
  """Returns (N,) seconds, and a note where the file does not say them."""
  count = np.arange(len(table.rows))
  if times is not None:
    expected = times[0] + count / rate
    wrong = np.flatnonzero(np.abs(times - expected) > 0.5 / rate)  # times are rounded
    if len(wrong):
      table.check_times(times, 'TIME')
      i = wrong[0]
      raise table.error(
        f'found {times[i]:.9g}, expected {expected[i]:.9g} at the FREQUENCY of {rate:g} Hz',
        'force.qualisys',
        table.rows[i][0],
        'TIME',
      )
    return expected, ()
  first = 1.0
  if 'sample' in lowered:
    sample = table.numbers([lowered.index('sample')])[0][:, 0]
    wrong = np.flatnonzero(np.diff(sample) != 1)
    if len(wrong):
      i = wrong[0]
      raise table.error(
        f'found {sample[i + 1]:g} after {sample[i]:g}; a row is missing or stands twice',
        'force.time_gap',
        table.rows[i + 1][0],
        'SAMPLE',
      )
    first = sample[0]
  note = f'There is no column TIME; sample 1 is taken to be at 0 s, at {rate:g} Hz.'
  return (first - 1 + count) / rate, (note,)


def _to_laboratory(
  path: pathlib.Path,
  keys: Mapping[str, tuple[int, str]],
  force: np.ndarray,
  pressure: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
  """Turns forces that the header calls local from the plate's axes to those of the laboratory."""
  if 'local' not in keys.get('DESCRIPTION', (0, ''))[1].lower():
    return force, pressure, ()
  corners = {}
  for name in ('POSX_POSY', 'NEGX_POSY', 'NEGX_NEGY', 'POSX_NEGY'):
    axes = [f'FORCE_PLATE_CORNER_{name}_{axis}' for axis in 'XYZ']
    corners[name] = np.array([_number(path, keys, axis) for axis in axes])
  x = corners['POSX_POSY'] + corners['POSX_NEGY'] - corners['NEGX_POSY'] - corners['NEGX_NEGY']
  y = corners['POSX_POSY'] + corners['NEGX_POSY'] - corners['POSX_NEGY'] - corners['NEGX_NEGY']
  z = np.cross(x, y)
  if not np.linalg.norm(z) > 0:
    raise _error(path, None, 'the corners of the plate do not span a plane')
  x, z = x / np.linalg.norm(x), z / np.linalg.norm(z)
  turn = np.stack([x, np.cross(z, x), z])  # rows: the plate's axes in the laboratory
  centre = sum(corners.values()) / 4e3
  note = "Forces are in the plate's axes; they are turned to the laboratory's by its corners."
  return force @ turn, None if pressure is None else pressure @ turn + centre, (note,)


def _error(path: pathlib.Path, line: int | None, message: str) -> errors.InputError:
  return errors.InputError(
    f'{delimited_text.format_place(path, line)}: {message}',
    code='force.qualisys',
    file=path,
    line=line,
  )
