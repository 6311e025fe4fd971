"""The table of a text force file (CSV, MOT): columns, numbers and times, checked.

Whatever cannot be used raises `errors.InputError`, which names file, line and column.
"""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np

from grfjax import errors
from grfjax.io import delimited_text

AXES = ('x', 'y', 'z')
MIN_ROWS = 10
MAX_GAP_S = 0.02  # slower than 50 Hz there is no telling when a foot lands
_MAX_GAP_RATIO = 5.0  # times the median interval: rows are missing


@dataclasses.dataclass(frozen=True)
class Table:
  """The header and the rows of a text force file.

  Attributes:
    path: the file.
    names: of the columns.
    header_line: the line of the names, counted from 1.
    rows: the line, counted from 1, and the text of each row.
    separator: between cells, or None for white space. With ';' commas are decimal.
  """

  path: pathlib.Path
  names: list[str]
  header_line: int
  rows: list[tuple[int, str]]
  separator: str | None

  def read_columns(self, wanted: list[str]) -> np.ndarray:
    """Returns the numbers of some columns, (N, len(wanted)) float64.

    Args:
      wanted: columns; the first one is time in seconds, which must increase without gaps.
    """
    self._check_columns(wanted)
    if len(self.rows) < MIN_ROWS:
      raise errors.InputError(
        f'{self.path}: found {len(self.rows)} rows of data, expected at least {MIN_ROWS}',
        code='force.too_short',
        file=self.path,
      )
    rows = self.rows
    if self.separator == ';':
      rows = [(line, text.replace(',', '.')) for line, text in rows]
    self._check_counts(rows)
    indices = [self.names.index(name) for name in wanted]
    try:
      table = np.loadtxt(
        [text.replace('"', '') for _, text in rows],
        delimiter=self.separator,
        usecols=indices,
        comments=None,
        ndmin=2,
      )
    except ValueError:  # its message counts from the first row of data; ours names the file's line
      table = np.array(np.nan)
    if not np.isfinite(table).all():
      raise self._number_error(rows, wanted, indices)
    self._check_times(table[:, 0], wanted[0])
    return table

  def _check_columns(self, wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in self.names]
    if missing:
      raise delimited_text.missing_columns(
        self.path, self.header_line, ', '.join(missing), self.names
      )
    for name in wanted:
      if self.names.count(name) > 1:
        raise self._error('found more than once', 'table.duplicate_column', self.header_line, name)

  def _check_counts(self, rows: list[tuple[int, str]]) -> None:
    for line, text in rows:
      count = len(text.split()) if self.separator is None else text.count(self.separator) + 1
      if count != len(self.names):
        raise self._error(
          f'found {count} cells, expected {len(self.names)} as in the header',
          'table.cell_count',
          line,
        )

  def _number_error(
    self, rows: list[tuple[int, str]], wanted: list[str], indices: list[int]
  ) -> errors.InputError:
    """Returns the error about the first cell that holds no finite number."""
    try:
      for line, text in rows:
        cells = [cell.strip(' \t"') for cell in text.split(self.separator)]
        for name, i in zip(wanted, indices, strict=True):
          delimited_text.finite_number(cells[i], line=line, column=name, path=self.path)
    except errors.InputError as error:
      return error
    return errors.InputError(
      f'{self.path}: cannot be read as a table of numbers', code='table.syntax', file=self.path
    )

  def _check_times(self, time_s: np.ndarray, name: str) -> None:
    steps = np.diff(time_s)
    backward = np.flatnonzero(steps <= 0)
    if len(backward):
      i = backward[0]
      raise self._error(
        f'found {time_s[i + 1]:.9g} after {time_s[i]:.9g}, expected increasing times',
        'force.time_order',
        self.rows[i + 1][0],
        name,
      )
    limit = min(MAX_GAP_S, _MAX_GAP_RATIO * float(np.median(steps))) + 1e-6
    gaps = np.flatnonzero(steps > limit)
    if len(gaps):
      i = gaps[0]
      raise self._error(
        f'found {steps[i]:.4g} s since the row before, expected at most {limit:.4g} s (rows are '
        'missing, or times are not in seconds)',
        'force.time_gap',
        self.rows[i + 1][0],
        name,
      )

  def _error(
    self, message: str, code: str, line: int, column: str | None = None
  ) -> errors.InputError:
    place = delimited_text.format_place(self.path, line, column)
    return errors.InputError(
      f'{place}: {message}', code=code, file=self.path, line=line, column=column
    )
