"""Turns columns of a table into recorded forces: which column is what, in which unit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from grfjax import conventions
from grfjax.io import force_tables, force_units


@dataclasses.dataclass(frozen=True)
class Plate:
  """Where the columns of a plate stand in the table, counted from 0.

  Attributes:
    force: of x, y and z.
    pressure: of x, y and, where there is one, z of the centre of pressure; or empty.
    moment: of x and y, about axes in the plate's surface; or empty.
  """

  force: tuple[int, int, int]
  pressure: tuple[int, ...] = ()
  moment: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Readings:
  """The numbers of a table.

  Attributes:
    time: (N,) float64 in the file's unit, or None.
    force: (N, P, 3) newtons.
    pressure: (N, P, 3) metres, may hold NaN; or None.
    moment: (N, P, 2) newton metres, may hold NaN; or None.
    notes: sentences about units and the decimal mark.
  """

  time: np.ndarray | None
  force: np.ndarray
  pressure: np.ndarray | None
  moment: np.ndarray | None
  notes: tuple[str, ...]


def read(
  table: force_tables.Table,
  plates: Sequence[Plate],
  units: Mapping[int, str],
  units_line: int,
  *,
  time: int | None = None,
  clock_s: float = 1.0,
  length_unit: str = 'mm',
  moment_unit: str = 'N.mm',
) -> Readings:
  """Reads the columns of plates.

  Args:
    table: has at least the columns of `plates`.
    plates: at least one.
    units: of columns; a force without one is in newtons.
    units_line: where the file says them, for messages.
    time: the column of times, or None.
    clock_s: seconds in the unit of time.
    length_unit: of a centre of pressure without a unit.
    moment_unit: of a moment without a unit.

  Raises:
    InputError: a unit is not known, or a cell is no number.
  """
  forces = [k for plate in plates for k in plate.force]
  scales = [_force_scale(table, k, units.get(k, ''), units_line) for k in forces]
  optional = [k for plate in plates for k in (*plate.pressure, *plate.moment)]
  columns = ([] if time is None else [time]) + forces
  clock = None if time is None else clock_s
  values, mark = table.numbers(columns, optional=optional, clock_s=clock)
  times = None if time is None else values[:, 0]
  start = len(columns) - len(forces)
  force = (values[:, start : len(columns)] * scales).reshape(len(values), len(plates), 3)

  by_column = dict(zip(optional, values[:, len(columns) :].T, strict=True))
  for p, plate in enumerate(plates):
    for k in (*plate.pressure, *plate.moment):
      _drop_infinite(table, by_column[k], force[:, p], k)
  pressure = np.full(force.shape, np.nan)
  moment = np.full((*force.shape[:2], 2), np.nan)
  for p, plate in enumerate(plates):
    if plate.pressure:
      pressure[:, p, 2] = 0.0
    for axis, k in enumerate(plate.pressure):
      metres = force_units.metres(units.get(k, '') or length_unit)
      pressure[:, p, axis] = by_column[k] * _known(table, metres, k, units.get(k, ''), units_line)
    for axis, k in enumerate(plate.moment):
      scale = force_units.newton_metres(units.get(k, '') or moment_unit)
      moment[:, p, axis] = by_column[k] * _known(table, scale, k, units.get(k, ''), units_line)

  notes = _unit_notes(table, forces, [units.get(k, '') for k in forces], scales)
  if clock_s != 1.0 and time is not None:
    notes.append(f'Times are in ms; they are divided by {1 / clock_s:,.0f}.')
  if mark == ',':
    notes.append('The decimal mark is a comma.')
  return Readings(
    times,
    force,
    pressure if any(plate.pressure for plate in plates) else None,
    moment if any(plate.moment for plate in plates) else None,
    tuple(notes),
  )


def _drop_infinite(
  table: force_tables.Table, values: np.ndarray, force: np.ndarray, column: int
) -> None:
  """Makes infinite values (N,) unknown, which a division by the force of an empty plate gives.

  Raises:
    InputError: a value is infinite while the plate carries a force (N, 3).
  """
  infinite = np.isinf(values)
  loaded = np.flatnonzero(infinite & (np.abs(force).max(1) > conventions.CONTACT_N))
  if len(loaded):
    raise table.error(
      'found an infinite number under a foot, expected a finite one, or an empty cell',
      'table.not_finite',
      table.rows[loaded[0]][0],
      table.names[column] or str(column + 1),
    )
  values[infinite] = np.nan


def pressure_from_moments(force: np.ndarray, moment: np.ndarray) -> np.ndarray:
  """Returns the centre of pressure on a surface whose normal is z, NaN where nobody stands.

  x = -My / Fz, y = Mx / Fz: Kistler, Force Plate Formulae (1999),
  https://pdfslide.us/documents/kistler-force-plate-formulae.html, without the depth of the
  sensors, which few files hold and which shifts it by a few millimetres.

  Args:
    force: (N, P, 3) newtons.
    moment: (N, P, 2) newton metres, Mx and My.
  """
  fz = np.where(np.abs(force[..., 2]) > conventions.CONTACT_N, force[..., 2], np.nan)
  return np.stack([-moment[..., 1] / fz, moment[..., 0] / fz, np.zeros_like(fz)], -1)


def _force_scale(table: force_tables.Table, column: int, unit: str, line: int) -> float:
  """Returns the newtons in a column's unit of force."""
  newtons = 1.0 if unit == '' else force_units.newtons(unit)
  expected = f'N, kN, kgf or lbf{force_units.why_not_force(unit)}'
  return _known(table, newtons, column, unit, line, expected)


def _known(
  table: force_tables.Table,
  scale: float | None,
  column: int,
  unit: str,
  line: int,
  expected: str = 'one such as mm or N.mm',
) -> float:
  """Returns a column's scale, or raises the error about its unit where there is none."""
  if scale is None:
    raise table.error(
      f'found the unit {unit!r}, expected {expected}',
      'force.unit',
      line,
      table.names[column] or str(column + 1),
    )
  return scale


def _unit_notes(
  table: force_tables.Table, columns: list[int], units: list[str], scales: list[float]
) -> list[str]:
  notes = []
  for scale in sorted(set(scales) - {1.0}):
    here = [k for k, s in enumerate(scales) if s == scale]
    what = 'Forces are' if len(here) == len(scales) else _list(table, [columns[k] for k in here])
    notes.append(f'{what} in {units[here[0]]}; they are multiplied by {scale:,.10g}.')
  blank = [column for column, unit in zip(columns, units, strict=True) if not unit]
  if blank and len(blank) < len(columns):
    notes.append(f'{_list(table, blank)} taken to be in N, as no unit is given.')
  return notes


def _list(table: force_tables.Table, columns: list[int]) -> str:
  names = ', '.join(table.names[k] or f'column {k + 1}' for k in columns)
  return f'{names} {"are" if len(columns) > 1 else "is"}'
