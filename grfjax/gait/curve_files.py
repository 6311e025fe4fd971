"""The file that holds force curves: CSV."""

from __future__ import annotations

import csv
import io
import itertools

import numpy as np

from grfjax import conventions, errors
from grfjax.gait import force_curves
from grfjax.io import delimited_text

DECIMALS = 4  # of a body weight: 0.0001 BW is under a tenth of a newton
_AXIS_COLUMNS = ('fz', 'fx', 'fy')  # the file's names of the axes in `ForceCurves`
_SUFFIXES = ('', '_lo', '_hi')  # the estimate, and between what the force lies


def columns(curves: force_curves.ForceCurves) -> dict[str, np.ndarray]:
  """Returns the columns of STEM.csv, in order: name -> (N,); NaN where there is no estimate."""
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
  return {'time_s': curves.time_s, **{name: forces[name] for name in names}, **trust}


def to_csv(curves: force_curves.ForceCurves) -> str:
  """Returns the text of STEM.csv: a row a frame; where there is no estimate, a cell is empty."""
  table = columns(curves)
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  writer.writerow(table)
  for time_s, *row in zip(*table.values(), strict=True):
    cells = ['' if np.isnan(v) else f'{v:.{DECIMALS}f}' for v in row]
    writer.writerow([f'{time_s:.6f}', *cells])
  return text.getvalue()


def from_csv(text: str) -> tuple[np.ndarray, np.ndarray]:
  """Reads what `to_csv` has written, but for the intervals.

  Returns:
    (N,) seconds and (N, 2, axes) forces as in `ForceCurves`.

  Raises:
    errors.InputError: the text is no table ('table.syntax'), a column is missing
      ('table.missing_column'), a row has too few or too many cells ('table.cell_count'),
      or a cell is no number ('table.not_a_number').
  """
  if not text.strip():
    raise errors.InputError('is empty, expected a table', code='table.syntax')
  try:
    names, *rows = csv.reader(io.StringIO(text), strict=True)
  except csv.Error as error:
    raise errors.InputError(f'is not a table ({error})', code='table.syntax') from error
  position = {name: k for k, name in enumerate(names)}
  axes = [axis for axis in _AXIS_COLUMNS if axis == 'fz' or f'left_{axis}_bw' in position]
  expected = ['time_s', *(f'{leg}_{axis}_bw' for leg in conventions.LEGS for axis in axes)]
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
  values = values.reshape(-1, len(expected))  # also without any row
  return values[:, 0], values[:, 1:].reshape(-1, 2, len(axes))


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
