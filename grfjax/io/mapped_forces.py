"""Reads text exports that a format file describes (`format_files`)."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
  from grfjax.io import format_files

_SYSTEMS = {
  'plate': recorded_forces.Axes.PLATE,
  'opensim': recorded_forces.Axes.OPENSIM,
  'laboratory': recorded_forces.Axes.LABORATORY,
}
_DELIMITERS = {'tab': '\t', 'space': None}
_SEARCHED = 1000  # lines above the names


def read(
  path: pathlib.Path, lines: Sequence[str], form: format_files.Format, rate: float | None
) -> recorded_forces.RecordedForces:
  """Reads the forces of a file.

  Args:
    path: of the file, for messages.
    lines: of the file.
    form: how it holds them.
    rate: Hz, where neither the file nor `form` say it.

  Raises:
    InputError: the file is not of this form, or a cell is no number.
  """
  number = _find_header(path, lines, form)
  first = lines[number] if number < len(lines) else ''
  separator = _separator(form, first)
  titles = plate_csv.split_cells(first, separator)
  if not form.header.names:
    names, data = [str(k + 1) for k in range(len(titles))], number
  else:
    names, data = titles, number + 1 + (form.units.row or 0)
  units, units_line = _read_units(lines, number, names, separator, form)
  rows = plate_csv.data_rows(lines, data, separator)
  decimal = '' if form.decimal == 'auto' else form.decimal
  table = force_tables.Table(path, names, number + 1, rows, separator, decimal)

  plates, numbering = _find_plates(table, form)
  time = _find_time(table, form)
  unit = '' if time is None else units.get(time, '') or form.units.time
  clock_s = 1.0 if time is None else force_units.seconds(unit)
  if clock_s is None:
    raise table.error(f'found the unit {unit!r}, expected s or ms', 'force.unit', units_line)
  units |= {k: form.units.force for plate in plates for k in plate.force if not units.get(k)}
  readings = plate_columns.read(
    table,
    plates,
    units,
    units_line,
    time=time,
    clock_s=clock_s,
    length_unit=form.units.length,
    moment_unit=form.units.moment,
  )
  notes = [*readings.notes, *numbering]
  if readings.time is not None and time is not None:
    if rate is not None:
      raise _rate_error(path, 'has times of its own; leave the rate behind the name of its format')
    table.check_times(readings.time, names[time], clock_s)
    time_s = readings.time * clock_s
  else:
    hertz = _find_rate(path, lines[:number], separator, form, rate)
    time_s = np.arange(len(rows)) / hertz
    notes.append(f'The first row is taken to be at 0 s, at {hertz:g} Hz.')

  pressure = readings.pressure
  if pressure is None and readings.moment is not None:
    pressure = plate_columns.pressure_from_moments(readings.force, readings.moment)
    notes.append('The centre of pressure is computed from the moments.')
  force, pressure, axes, axes_note = _turn(readings.force, pressure, form.axes)
  legs = form.plates.legs or []
  if legs and len(legs) != len(plates):
    raise errors.InputError(
      f'{path}: holds {len(plates)} plates, but its format names the legs of {len(legs)}',
      code='force.plate_count',
      file=path,
    )
  return recorded_forces.RecordedForces(
    time_s, force, axes, pressure, tuple(legs), (*notes, *axes_note)
  )


def _normalize(name: str) -> str:
  return ' '.join(name.split()).casefold()


def _separator(form: format_files.Format, line: str) -> str | None:
  if form.delimiter == 'auto':
    return delimited_text.find_separator(line)
  return _DELIMITERS.get(form.delimiter, form.delimiter)


def _find_header(path: pathlib.Path, lines: Sequence[str], form: format_files.Format) -> int:
  """Returns where the names stand or, without names, the data begin; counted from 0."""
  header = form.header
  if header.rows is not None:
    start = header.rows
    while not header.names and start < len(lines) and not lines[start].strip(' \t,;"'):
      start += 1
    return start
  for number, line in enumerate(lines[:_SEARCHED]):
    if header.begins_with is not None:
      if _normalize(line.lstrip(' "\t')).startswith(_normalize(header.begins_with)):
        return number
      continue
    cells = plate_csv.split_cells(line, _separator(form, line))
    found = {_normalize(c) for cell in cells for c in (cell, force_units.split_name(cell)[0])}
    wanted = [[one] if isinstance(one, str) else one for one in header.contains or []]
    if all(any(_normalize(name) in found for name in names) for names in wanted):
      return number
  what = header.begins_with or ', '.join(
    one if isinstance(one, str) else ' or '.join(one) for one in header.contains or []
  )
  raise errors.InputError(
    f'{path}: no line of names that {"begins with" if header.begins_with else "holds"} {what}; '
    'is it another format?',
    code='table.missing_column',
    file=path,
  )


def _read_units(
  lines: Sequence[str],
  number: int,
  names: list[str],
  separator: str | None,
  form: format_files.Format,
) -> tuple[dict[int, str], int]:
  """Returns the units of columns, as far as the file says them, and their line."""
  units, line = {}, number + 1
  if form.units.in_names:
    for k, name in enumerate(names):
      units[k] = force_units.split_name(name)[1]
  if form.header.names and form.units.row is not None:
    line = number + 1 + form.units.row
    cells = plate_csv.split_cells(lines[line - 1] if line <= len(lines) else '', separator)
    units |= {k: force_units.strip_brackets(unit) for k, unit in enumerate(cells) if unit}
  return units, line


def _locate(
  names: Sequence[str], column: format_files.Column, plates: format_files.Plates
) -> dict[int, list[int]]:
  """Returns the places of a component's columns by the plate's number, or order."""
  if isinstance(column, int):
    every = plates.every or len(names) + 1
    return {p: [k] for p, k in enumerate(range(column - 1, len(names), every), 1)}
  titles = [{_normalize(name), _normalize(force_units.split_name(name)[0])} for name in names]
  for pattern in [column] if isinstance(column, str) else column:
    places: dict[int, list[int]] = {}
    if '{plate}' not in pattern:
      here = [k for k, title in enumerate(titles) if _normalize(pattern) in title]
      places = {p: [k] for p, k in enumerate(here, 1)}
    elif plates.names:
      for p, plate in enumerate(plates.names, 1):
        name = _normalize(pattern.replace('{plate}', plate))
        if here := [k for k, title in enumerate(titles) if name in title]:
          places[p] = here
    else:
      wanted = re.escape(_normalize(pattern)).replace(re.escape('{plate}'), '([0-9]{1,6})')
      for k, title in enumerate(titles):
        if found := next((m for t in title if (m := re.fullmatch(wanted, t))), None):
          places.setdefault(int(found[1]), []).append(k)
    if places:
      return places
  return {}


def _find_plates(
  table: force_tables.Table, form: format_files.Format
) -> tuple[list[plate_columns.Plate], tuple[str, ...]]:
  """Returns the plates in their order, and a note where they are not numbered 1, 2 and so on."""
  plates = form.plates
  forces = [_locate(table.names, column, plates) for column in (plates.fx, plates.fy, plates.fz)]
  numbers = sorted(set().union(*forces))
  columns = {'fx': plates.fx, 'fy': plates.fy, 'fz': plates.fz}
  for (key, column), places in zip(columns.items(), forces, strict=True):
    lacking = [n for n in numbers if n not in places] if numbers else ['']
    if plates.names:
      lacking = [n for n in range(1, len(plates.names) + 1) if n not in places]
    if lacking:
      plate = f' of plate {lacking[0]}' if lacking[0] else ''
      options = ' or '.join(map(str, column)) if isinstance(column, list) else column
      missing = f'{options} ({key}{plate})'
      raise delimited_text.missing_columns(table.path, table.header_line, missing, table.names)
    twice = next((k for k in places.values() if len(k) > 1), None)
    if twice:
      raise table.error(
        'found more than once', 'table.duplicate_column', table.header_line, table.names[twice[0]]
      )
  pressure = [_locate(table.names, c, plates) for c in (plates.cop_x, plates.cop_y) if c]
  moment = [_locate(table.names, c, plates) for c in (plates.mx, plates.my) if c]

  def optional(places: list[dict[int, list[int]]], number: int) -> tuple[int, ...]:
    return tuple(p[number][0] for p in places) if all(number in p for p in places) else ()

  found = []
  for n in numbers:
    x, y, z = (places[n][0] for places in forces)
    found.append(plate_columns.Plate((x, y, z), optional(pressure, n), optional(moment, n)))
  note: tuple[str, ...] = ()
  if numbers != list(range(1, len(numbers) + 1)):
    note = (f'The plates are numbered {", ".join(map(str, numbers))} in the file.',)
  return found, note


def _find_time(table: force_tables.Table, form: format_files.Format) -> int | None:
  """Returns the column of times, or None where the format names none."""
  column = form.time.column if form.time else None
  if column is None:
    return None
  if isinstance(column, int):
    if column > len(table.names) or column < 1:
      raise delimited_text.missing_columns(table.path, table.header_line, str(column), table.names)
    return column - 1
  options = [column] if isinstance(column, str) else column
  for name in map(_normalize, options):
    for k, title in enumerate(table.names):
      if name in (_normalize(title), _normalize(force_units.split_name(title)[0])):
        return k
  raise delimited_text.missing_columns(
    table.path, table.header_line, ' or '.join(options), table.names
  )


def _find_rate(
  path: pathlib.Path,
  above: Sequence[str],
  separator: str | None,
  form: format_files.Format,
  rate: float | None,
) -> float:
  """Returns the sampling rate, Hz, from the file, the format, or behind the format's name."""
  stated = form.time.rate if form.time else None
  line = None
  if form.time and form.time.rate_key:
    key = _normalize(form.time.rate_key).rstrip(' :=')
    for number, text in enumerate(above, 1):
      if (value := _value_of_key(text, key, separator)) is not None:
        stated, line = value, number
        break
    if line is None:
      raise _rate_error(path, f'no line {form.time.rate_key!r} with a number above the data')
  if (stated is None) == (rate is None):
    raise _rate_error(
      path,
      'the file does not hold its sampling rate; write it behind the name of the format, such as '
      'amti:1000 for 1,000 Hz'
      if rate is None
      else 'its format knows the sampling rate; leave it behind the name of the format',
    )
  hertz = rate if stated is None else stated
  assert hertz is not None
  force_tables.check_rate(path, hertz, line)
  return hertz


def _value_of_key(line: str, key: str, separator: str | None) -> float | None:
  """Returns the number behind a key, in its cell or the next one; None in another line."""
  cells = plate_csv.split_cells(line, separator) if separator else [line]
  first = _normalize(cells[0]) if cells else ''
  if not first.startswith(key):
    return None
  values = [first[len(key) :].strip(' :=";,'), *cells[1:]]
  text = next((v for v in values if v), '').lower().removesuffix('hz').strip()
  return delimited_text.parse_number(text.replace(',', '.'))


def _rate_error(path: pathlib.Path, message: str) -> errors.InputError:
  return errors.InputError(f'{path}: {message}', code='force.rate', file=path)


def _turn(
  force: np.ndarray, pressure: np.ndarray | None, axes: format_files.Axes
) -> tuple[np.ndarray, np.ndarray | None, recorded_forces.Axes, tuple[str, ...]]:
  """Turns forces and centres of pressure as the format says; returns what axes they then have."""
  notes = []
  if axes.sign == 'action':
    force = -force
    notes.append('The file holds the action on the plates; the sign is turned.')
  if axes.system is not None:
    return force, pressure, _SYSTEMS[axes.system], tuple(notes)
  assert axes.up is not None
  if axes.forward is not None and axes.left is not None:
    matrix = np.stack([_unit_vector(a) for a in (axes.forward, axes.left, axes.up)])
    system = recorded_forces.Axes.PLATE
    notes.append(f'{axes.forward}, {axes.left}, {axes.up} are taken as forward, left and up.')
  else:
    up = _unit_vector(axes.up)
    side = np.roll(np.abs(up), 1)  # any axis across: the way forward is found later
    matrix = np.stack([side, np.cross(up, side), up])
    system = recorded_forces.Axes.LABORATORY
    notes.append(f'{axes.up} is taken as up.')
  return force @ matrix.T, None if pressure is None else pressure @ matrix.T, system, tuple(notes)


def _unit_vector(direction: str) -> np.ndarray:
  """Returns the axis of the file that a direction such as '-y' names."""
  sign = -1.0 if direction.startswith('-') else 1.0
  return sign * np.eye(3)['xyz'.index(direction[-1])]
