"""The file that holds force curves: CSV."""

from __future__ import annotations

import csv
import io
import itertools
import math

import numpy as np

from grfjax import conventions, errors
from grfjax.gait import force_curves
from grfjax.io import delimited_text

DECIMALS = 4  # of a body weight, a metre or a body height: 0.0001 BW is under a tenth of a newton
_AXIS_COLUMNS = ('fz', 'fx', 'fy')  # the file's names of the axes in `ForceCurves`
_PLACE_COLUMNS = ('copx', 'copy')  # of the centre of pressure, forward and to the left
_SUFFIXES = ('', '_lo', '_hi')  # the estimate, and between what the force lies


def columns(
  curves: force_curves.ForceCurves, metres_per_bh: float = math.nan
) -> dict[str, np.ndarray]:
  """Returns the columns of STEM.csv, in order.

  Args:
    curves: the estimate of a video.
    metres_per_bh: metres in a body height; NaN where not known: the centre of pressure is then in
      body heights, as its columns' names say.

  Returns:
    Name -> (N,); NaN where there is no estimate, or the foot is in the air.
  """
  axes = curves.force.shape[2]
  forces = {}
  for k, suffix in enumerate(_SUFFIXES[: 1 + curves.interval.shape[3]]):
    values = curves.force if k == 0 else curves.interval[..., k - 1]
    for leg, axis in itertools.product(range(2), range(axes)):
      name = f'{conventions.LEGS[leg]}_{_AXIS_COLUMNS[axis]}{suffix}_bw'
      forces[name] = values[:, leg, axis]
  # The vertical forces stand first, as every file has them; the intervals last, but for the trust.
  names = sorted(forces, key=lambda n: (any(s in n for s in _SUFFIXES[1:]), 'fz' not in n))
  trust = {}
  if curves.trust is not None:
    trust = {f'{name}_trust': curves.trust[:, leg] for leg, name in enumerate(conventions.LEGS)}
  return {
    'time_s': curves.time_s,
    **{name: forces[name] for name in names},
    **trust,
    **_pressure_columns(curves, metres_per_bh),
  }


def _pressure_columns(
  curves: force_curves.ForceCurves, metres_per_bh: float
) -> dict[str, np.ndarray]:
  """Returns the columns of the centre of pressure; none where the network does not tell it."""
  if curves.feet is None:
    return {}
  unit, scale = ('bh', 1.0) if math.isnan(metres_per_bh) else ('m', metres_per_bh)
  pressure = np.where(curves.has_estimate[..., None], scale * curves.feet.pressure, np.nan)
  return {
    f'{name}_{place}_{unit}': pressure[:, leg, k]
    for leg, name in enumerate(conventions.LEGS)
    for k, place in enumerate(_PLACE_COLUMNS)
  }


def to_csv(curves: force_curves.ForceCurves, metres_per_bh: float = math.nan) -> str:
  """Returns the text of STEM.csv: a row a frame; where there is no estimate, a cell is empty.

  Arguments as of `columns`.
  """
  table = columns(curves, metres_per_bh)
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  writer.writerow(table)
  for time_s, *row in zip(*table.values(), strict=True):
    cells = ['' if np.isnan(v) else f'{v:.{DECIMALS}f}' for v in row]
    writer.writerow([f'{time_s:.6f}', *cells])
  return text.getvalue()


def from_csv(text: str) -> tuple[np.ndarray, np.ndarray]:
  """Reads the forces that `to_csv` has written, but for the intervals.

  Returns:
    (N,) seconds and (N, 2, axes) forces as in `ForceCurves`.

  Raises:
    errors.InputError: the text is no table ('table.syntax'), a column is missing
      ('table.missing_column'), a row has too few or too many cells ('table.cell_count'),
      or a cell is no number ('table.not_a_number').
  """
  names, rows = _parse(text)
  axes = [axis for axis in _AXIS_COLUMNS if axis == 'fz' or f'left_{axis}_bw' in names]
  expected = ['time_s', *(f'{leg}_{axis}_bw' for leg in conventions.LEGS for axis in axes)]
  values = _read_columns(names, rows, expected)
  return values[:, 0], values[:, 1:].reshape(-1, 2, len(axes))


def pressure_from_csv(text: str) -> np.ndarray | None:
  """Reads the centre of pressure that `to_csv` has written.

  Returns:
    (N, 2, 2) metres, leg (left, right) x (forward, left), NaN where a cell is empty; None where the
    table has none in metres.

  Raises:
    errors.InputError: as `from_csv`.
  """
  names, rows = _parse(text)
  expected = [f'{leg}_{place}_m' for leg in conventions.LEGS for place in _PLACE_COLUMNS]
  if not set(expected) <= set(names):
    return None
  return _read_columns(names, rows, expected).reshape(-1, 2, 2)


def _parse(text: str) -> tuple[list[str], list[list[str]]]:
  """Returns a table's names of columns, and its other rows."""
  if not text.strip():
    raise errors.InputError('is empty, expected a table', code='table.syntax')
  try:
    names, *rows = csv.reader(io.StringIO(text), strict=True)
  except csv.Error as error:
    raise errors.InputError(f'is not a table ({error})', code='table.syntax') from error
  return names, rows


def _read_columns(names: list[str], rows: list[list[str]], expected: list[str]) -> np.ndarray:
  """Returns the expected columns of a table, (rows, columns); NaN where a cell is empty."""
  position = {name: k for k, name in enumerate(names)}
  missing = [name for name in expected if name not in position]
  if missing:
    raise errors.InputError(
      f'no column {", ".join(missing)}; found {delimited_text.list_columns(names)}',
      code='table.missing_column',
      line=1,
      column=missing[0],
    )
  for line, row in enumerate(rows, 2):
    _check_row(row, line, names, expected)
  values = np.array([[float(row[position[name]] or 'nan') for name in expected] for row in rows])
  return values.reshape(-1, len(expected))  # also without any row


def _check_row(row: list[str], line: int, names: list[str], expected: list[str]) -> None:
  """Raises where a row does not fit the header, or an expected cell is no number."""
  if len(row) != len(names):
    raise errors.InputError(
      f'line {line}: found {len(row)} cells, expected {len(names)}',
      code='table.cell_count',
      line=line,
    )
  cells = dict(zip(names, row, strict=True))
  for name in expected:
    cell = cells[name]
    if cell or name == 'time_s':
      delimited_text.finite_number(cell, line=line, column=name)
