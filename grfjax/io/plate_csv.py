"""Reads the project's own text tables of plate forces: `time_s, fx_1, fy_1, fz_1, fx_2 ...`."""

from __future__ import annotations

import contextlib
import csv
import pathlib
import re
from collections.abc import Sequence

from grfjax import errors
from grfjax.io import (
  delimited_text,
  force_tables,
  force_units,
  plate_columns,
  recorded_forces,
)

_REMARK = re.compile(r'[\s"]*(?:#|%|//)')
_NUMBERS = re.compile(r'[\s"#%/]*[0-9][0-9eE+\-.,;\'\s"]*')  # a row, even behind a mark of remarks
_TIMES = {'time_s': 's', 'time_ms': 'ms', 'time': 's'}
_FORCE = re.compile(r'f[xyz]_\d+')
_PRESSURE = re.compile(r'p[xy]_\d+')
_SEARCHED = 100  # lines above the header: remarks, 'sep=;'


def read(path: pathlib.Path, lines: Sequence[str]) -> recorded_forces.RecordedForces:
  """Reads `time_s` and, in plate axes, `fx_N`, `fy_N`, `fz_N` of plates N = 1, 2 and so on.

  Where there are `px_N` and `py_N`, they are the plate's centre of pressure; their cells may be
  empty. Cells are separated by commas, semicolons or tabs. Units may stand in brackets behind the
  names or in a row below them; without any they are seconds, newtons and metres. Blank lines and
  lines that begin with # are no rows.

  Args:
    path: of the file, for messages.
    lines: of the file.

  Raises:
    InputError: a column is missing, a unit is not known, or a cell is no number.
  """
  number, separator = _find_header(lines)
  header = lines[number] if number < len(lines) else ''
  titles = split_cells(_uncomment(header), separator)
  split = [force_units.split_name(title) for title in titles]
  names = [name.lower() for name, _ in split]
  time_name = next((name for name in _TIMES if name in names), 'time_s')
  count = _count_plates(path, names, number + 1)
  wanted = [time_name]
  wanted += [f'f{axis}_{p + 1}' for p in range(max(count, 1)) for axis in force_tables.AXES]

  pressed = _pressed_plates(path, names, count, number + 1)
  pressures = [f'p{axis}_{p}' for p in pressed for axis in 'xy']

  rows = data_rows(lines, number + 1, separator)
  table = force_tables.Table(path, names, number + 1, rows, separator)
  table.check_columns([*wanted, *pressures])
  indices = [names.index(name) for name in wanted]
  units, units_line = _read_units(table, lines, [unit for _, unit in split], indices)
  if rows and rows[0][0] == units_line:
    table = force_tables.Table(path, names, number + 1, rows[1:], separator)

  unit = units.get(indices[0], _TIMES[time_name])
  clock_s = force_units.seconds(unit)
  if clock_s is None:
    raise table.error(
      f'found the unit {unit!r}, expected s or ms', 'force.unit', units_line, wanted[0]
    )
  plates = [
    plate_columns.Plate(
      (indices[k], indices[k + 1], indices[k + 2]),
      tuple(names.index(f'p{axis}_{p}') for axis in 'xy') if p in pressed else (),
    )
    for p, k in enumerate(range(1, len(indices), 3), 1)
  ]
  readings = plate_columns.read(
    table, plates, units, units_line, time=indices[0], clock_s=clock_s, length_unit='m'
  )
  assert readings.time is not None
  table.check_times(readings.time, wanted[0], clock_s)
  return recorded_forces.RecordedForces(
    readings.time * clock_s,
    readings.force,
    recorded_forces.Axes.PLATE,
    readings.pressure,
    notes=readings.notes,
    pressure_is_given=readings.pressure is not None,
  )


def split_cells(line: str, separator: str | None) -> list[str]:
  """Returns the stripped cells of a line, which may be quoted, without empty ones at its end."""
  cells = line.split(separator)
  if '"' in line and separator is not None:
    with contextlib.suppress(csv.Error, StopIteration):
      cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
  cells = [cell.strip(' \t\xa0"') for cell in cells]
  while cells and not cells[-1]:
    cells.pop()
  return cells


def data_rows(lines: Sequence[str], start: int, separator: str | None) -> list[tuple[int, str]]:
  """Returns the line, counted from 1, and the text of each line that is not blank or a remark.

  A remark begins with #, % or // and holds more than numbers: these may be a row, and are not
  passed over in silence.

  Args:
    lines: of the file.
    start: the first of them that may be a row, counted from 0.
    separator: between cells; a line that holds nothing else is blank.
  """
  blank = ' \t"\xa0' + (separator or '')
  return [
    (n, line)
    for n, line in enumerate(lines[start:], start + 1)
    if line.strip(blank) and (not _REMARK.match(line) or _NUMBERS.fullmatch(line))
  ]


def _uncomment(line: str) -> str:
  return re.sub(r'^[\s"]*(?:#|%|//)+\s*', '', line)


def _find_header(lines: Sequence[str]) -> tuple[int, str | None]:
  """Returns where the names stand, counted from 0, and the separator of cells.

  It is the first line with a time and a force, or else with a force; it may be a remark, as
  numpy.savetxt writes it. Where there is none, it is the first line that is no remark.
  """
  found: list[int] = []
  for number, line in enumerate(lines[:_SEARCHED]):
    text = _uncomment(line)
    cells = split_cells(text, delimited_text.find_separator(text))
    names = {force_units.split_name(cell)[0].lower() for cell in cells}
    if any(_FORCE.fullmatch(name) for name in names):
      found.append(number)
      if names & _TIMES.keys():
        found = [number]
        break
  if not found:
    rows = data_rows(lines[:_SEARCHED], 0, None)
    found = [number - 1 for number, text in rows if not text.lower().startswith('sep=')]
  number = found[0] if found else 0
  return number, delimited_text.find_separator(_uncomment(lines[number]) if lines else '')


def _read_units(
  table: force_tables.Table, lines: Sequence[str], in_names: Sequence[str], indices: Sequence[int]
) -> tuple[dict[int, str], int]:
  """Returns the units of columns, as far as the file says them, and their line.

  They stand behind the names, or in the row below; below a header that is a remark, in one too.
  """
  units = {k: unit for k, unit in enumerate(in_names) if unit}
  below = lines[table.header_line : table.header_line + 1]
  rows = [(table.header_line + 1, _uncomment(text)) for text in below] + table.rows[:1]
  for line, text in rows:
    if not _is_units_row(text, table.separator, indices):
      continue
    cells = split_cells(text, table.separator)
    row = {k: force_units.strip_brackets(unit) for k, unit in enumerate(cells) if unit}
    for k in sorted(row.keys() & units.keys() & {*indices}):
      if row[k].lower() != units[k].lower():
        raise table.error(
          f'found the unit {row[k]!r} below {units[k]!r}', 'force.unit', line, table.names[k]
        )
    return units | row, line
  return units, table.header_line


def _is_units_row(text: str, separator: str | None, indices: Sequence[int]) -> bool:
  """Whether a row holds a unit of time, or none, and no number where numbers are expected."""
  cells = [force_units.strip_brackets(c) for c in split_cells(text, separator)]
  here = [cells[k] for k in indices if k < len(cells)]
  if any(re.search('[0-9]', c) or delimited_text.parse_number(c) is not None for c in here):
    return False
  return here[:1] == [''] or force_units.seconds(''.join(here[:1])) is not None


def _count_plates(path: pathlib.Path, names: Sequence[str], line: int) -> int:
  """Returns how many plates, numbered from 1 without a gap, have a column."""
  count = 0
  while any(f'f{axis}_{count + 1}' in names for axis in force_tables.AXES):
    count += 1
  beyond = [n for n in names if _FORCE.fullmatch(n) and int(n[3:]) > count]
  if beyond and count:
    raise _unknown_plate(path, line, f'{beyond[0]}, but no plate {count + 1} before it')
  return count


def _pressed_plates(path: pathlib.Path, names: Sequence[str], count: int, line: int) -> list[int]:
  """Returns the plates, counted from 1, of which a column of the centre of pressure is there."""
  numbers = sorted({int(name[3:]) for name in names if _PRESSURE.fullmatch(name)})
  beyond = [number for number in numbers if not 1 <= number <= count]
  if beyond and count:
    raise _unknown_plate(path, line, f'px_{beyond[0]} or py_{beyond[0]}, but no such plate')
  return numbers


def _unknown_plate(path: pathlib.Path, line: int, found: str) -> errors.InputError:
  return errors.InputError(
    f'{path}, line {line}: found {found}', code='force.plate_numbers', file=path, line=line
  )
