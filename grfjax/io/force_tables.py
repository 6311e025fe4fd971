"""The table of a text force file: columns, numbers and times, checked.

Whatever cannot be used raises `errors.InputError`, which names file, line and column.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import itertools
import operator
import pathlib
import re
from collections.abc import Sequence

import numpy as np

from grfjax import errors
from grfjax.io import decimal_marks, delimited_text

AXES = ('x', 'y', 'z')
MIN_ROWS = 10
MAX_GAP_S = 0.02  # slower than 50 Hz there is no telling when a foot lands
MIN_STEP_S = 1e-5  # plates are sampled at 100 Hz to a few kHz; faster means another unit of time
_MAX_GAP_RATIO = 5.0  # times the median interval: rows are missing

_INFINITE = re.compile(r'[+-]?(?:inf|infinity)', re.I)
_MISSING = re.compile(r'^(?:[+-]?(?:nan|inf|infinity)|-+|)\n', re.I | re.M)


@dataclasses.dataclass(frozen=True)
class Table:
  """The header and the rows of a text force file.

  Attributes:
    path: the file.
    names: of the columns; '' where a column has none.
    header_line: the line of the names, counted from 1.
    rows: the line, counted from 1, and the text of each row.
    separator: between cells, or None for white space.
    decimal_mark: '.' or ','; '' where the cells are to decide.
  """

  path: pathlib.Path
  names: list[str]
  header_line: int
  rows: list[tuple[int, str]]
  separator: str | None
  decimal_mark: str = ''

  def read_columns(self, wanted: list[str]) -> np.ndarray:
    """Returns the numbers of some columns, (N, len(wanted)) float64.

    Args:
      wanted: columns; the first one is time in seconds, which must increase without gaps.
    """
    self.check_columns(wanted)
    values = self.numbers([self.names.index(name) for name in wanted], clock_s=1.0)[0]
    self.check_times(values[:, 0], wanted[0])
    return values

  def check_columns(self, wanted: Sequence[str]) -> None:
    """Raises InputError where a column is not there, or more than once."""
    missing = [name for name in wanted if name not in self.names]
    if missing:
      raise delimited_text.missing_columns(
        self.path, self.header_line, ', '.join(missing), self.names
      )
    for name in wanted:
      if self.names.count(name) > 1:
        raise self.error('found more than once', 'table.duplicate_column', self.header_line, name)

  def numbers(
    self, columns: Sequence[int], *, optional: Sequence[int] = (), clock_s: float | None = None
  ) -> tuple[np.ndarray, str]:
    """Returns the numbers of some columns, and the decimal mark.

    Args:
      columns: places in `names`, counted from 0; their cells hold finite numbers.
      optional: further columns, whose cells may also be empty, a dash, or no finite number.
      clock_s: seconds in the unit of the first column, where that is time; it decides about the
        decimal mark where the cells do not.

    Returns:
      (N, len(columns) + len(optional)) float64 with NaN where an optional cell holds no number and
      infinity where it says so, and '.' or ','.
    """
    if len(self.rows) < MIN_ROWS:
      raise errors.InputError(
        f'{self.path}: found {len(self.rows)} rows of data, expected at least {MIN_ROWS}',
        code='force.too_short',
        file=self.path,
      )
    self._check_counts()
    text = self._join(columns)
    more = self._join(optional) if optional else ''
    mark = self._find_mark(text, columns, _MISSING.sub('', more), clock_s)
    values = self._parse(text, columns, mark)
    if optional:
      known = self._parse(_MISSING.sub('0\n', more), optional, mark)
      if _MISSING.search(more):
        gappy = decimal_marks.parse(_MISSING.sub('nan\n', more), mark)
        if _INFINITE.search(more):
          gappy[[bool(_INFINITE.fullmatch(cell)) for cell in more.split('\n')[:-1]]] = np.inf
        known = gappy.reshape(known.shape)
      values = np.hstack([values, known])
    return values, mark

  @functools.cached_property
  def _cells(self) -> list[list[str]]:
    texts = [text for _, text in self.rows]
    if self.separator is None:
      return [text.split() for text in texts]
    if not any('"' in text for text in texts):
      return [text.split(self.separator) for text in texts]
    reader = csv.reader(texts, delimiter=self.separator, skipinitialspace=True)
    rows: list[list[str]] = []
    for line, _ in self.rows:
      try:
        rows.append(next(reader))
      except csv.Error as error:
        raise self.error(str(error), 'table.syntax', line) from error
      if reader.line_num != len(rows):
        raise self.error('a quotation mark is not closed', 'table.syntax', line)
    return rows

  def _check_counts(self) -> None:
    """Raises InputError where a row is shorter than the header, or longer but for empty cells."""
    count = len(self.names)
    if set(map(len, self._cells)) == {count}:
      return
    for (line, _), cells in zip(self.rows, self._cells, strict=True):
      if len(cells) != count and (len(cells) < count or any(c.strip() for c in cells[count:])):
        hint = (
          '; decimal commas must be quoted between commas'
          if self.separator == ',' and len(cells) == 2 * count
          else ''
        )
        raise self.error(
          f'found {len(cells)} cells, expected {count} as in the header{hint}',
          'table.cell_count',
          line,
        )

  def _join(self, columns: Sequence[int]) -> str:
    """Returns the stripped cells of some columns, row after row, each with a line end behind it."""
    pick = operator.itemgetter(*columns, columns[0])  # always more than one: returns tuples
    rows = (pick(row)[:-1] for row in self._cells)
    text = '\n'.join(itertools.chain.from_iterable(rows)) + '\n'
    if ' ' in text or '\t' in text or '\xa0' in text:
      text = '\n'.join(map(str.strip, text.split('\n')))
    return text

  def _find_mark(self, text: str, columns: Sequence[int], known: str, clock_s: float | None) -> str:
    """Returns the decimal mark: see `decimal_marks`; raises InputError where it may be either."""
    if self.decimal_mark:
      return self.decimal_mark
    for mark, other in zip(decimal_marks.MARKS, reversed(decimal_marks.MARKS), strict=True):
      # Fast: the other mark's first fault is mostly in the first cells.
      if decimal_marks.is_plain(text, mark) and decimal_marks.find_fault(text, other) is not None:
        return mark
    faults = {mark: decimal_marks.find_fault(text, mark) for mark in decimal_marks.MARKS}
    possible = [mark for mark, fault in faults.items() if fault is None]
    if not possible:  # the cell at fault is the one that is so with the better mark
      return max(faults, key=lambda mark: faults[mark] or 0)
    if len(possible) == 2 and not re.search('[.,]', text + known):
      return '.'
    others = (self._join([k]) for k in range(len(self.names)) if k not in columns)
    for cells in itertools.chain([known] if known else [], others):
      if len(possible) == 2:
        here = [m for m in possible if decimal_marks.find_fault(cells, m) is None]
        possible = here or possible
    if len(possible) == 2 and clock_s is not None:
      possible = [m for m in possible if self._is_clock(columns[0], m, clock_s)] or possible
    if len(possible) == 2:
      raise self._ambiguous_mark(text, known, columns)
    return possible[0]

  def _is_clock(self, column: int, mark: str, clock_s: float) -> bool:
    """Whether times increase at a plausible rate if this is the decimal mark."""
    steps = np.diff(decimal_marks.parse(self._join([column]), mark)) * clock_s
    return bool((steps > 0).all() and MIN_STEP_S <= np.median(steps) <= MAX_GAP_S + 1e-6)

  def _ambiguous_mark(self, text: str, known: str, columns: Sequence[int]) -> errors.InputError:
    """Returns the error about the first cell with a mark, in `text` or else in `known`."""
    cells = (text + known).split('\n')
    place = next(k for k, cell in enumerate(cells) if '.' in cell or ',' in cell)
    values = [decimal_marks.parse(cells[place] + '\n', m)[0] for m in decimal_marks.MARKS]
    row, column = divmod(place, len(columns))
    here = row < len(self.rows)
    return self.error(
      f'found {cells[place]!r}, which may be {values[0]:.10g} or {values[1]:.10g}, and no cell of '
      'the file decides whether the point or the comma is decimal; export without marks between '
      'thousands, or name the mark in a format file',
      'table.decimal_mark',
      self.rows[row][0] if here else None,
      self._name(columns[column]) if here else None,
    )

  def _parse(self, text: str, columns: Sequence[int], mark: str) -> np.ndarray:
    """Returns (N, len(columns)) finite numbers."""
    try:
      if decimal_marks.is_plain(text, mark) or decimal_marks.find_fault(text, mark) is None:
        values = decimal_marks.parse(text, mark)
        if np.isfinite(values).all():
          return values.reshape(-1, len(columns))
    except ValueError:
      pass  # a plain cell is no number
    cells = text.split('\n')[:-1]
    place = next(k for k, cell in enumerate(cells) if not _is_finite(cell, mark))
    infinite = (
      decimal_marks.find_fault(cells[place] + '\n', mark) is None
      or delimited_text.parse_number(cells[place]) is not None
    )
    raise self.error(
      f'found {cells[place]!r}, expected a finite number',
      'table.not_finite' if infinite else 'table.not_a_number',
      self.rows[place // len(columns)][0],
      self._name(columns[place % len(columns)]),
    )

  def _name(self, column: int) -> str:
    return self.names[column] or str(column + 1)

  def check_times(self, times: np.ndarray, name: str, clock_s: float = 1.0) -> None:
    """Raises InputError where times do not increase, or rows are missing.

    Args:
      times: (N,) of the rows.
      name: of their column.
      clock_s: seconds in their unit.
    """
    steps = np.diff(times) * clock_s
    backward = np.flatnonzero(steps <= 0)
    if len(backward):
      i = backward[0]
      raise self.error(
        f'found {times[i + 1]:.9g} after {times[i]:.9g}, expected increasing times',
        'force.time_order',
        self.rows[i + 1][0],
        name,
      )
    median = float(np.median(steps))
    limit = min(MAX_GAP_S, _MAX_GAP_RATIO * median) + 1e-6
    gaps = np.flatnonzero(steps > limit)
    if len(gaps):
      i = gaps[0]
      raise self.error(
        f'found {steps[i]:.4g} s since the row before, expected at most {limit:.4g} s (rows are '
        'missing, or times are not in seconds)',
        'force.time_gap',
        self.rows[i + 1][0],
        name,
      )
    if median < MIN_STEP_S:
      raise self.error(
        f'found {1 / median:.4g} rows a second, expected 50 to {1 / MIN_STEP_S:.0f} (is the unit '
        'of time right?)',
        'force.rate',
        self.rows[1][0],
        name,
      )

  def error(
    self, message: str, code: str, line: int | None, column: str | None = None
  ) -> errors.InputError:
    """Returns an error about a place in the file."""
    place = delimited_text.format_place(self.path, line, column)
    return errors.InputError(
      f'{place}: {message}', code=code, file=self.path, line=line, column=column
    )


def _is_finite(cell: str, mark: str) -> bool:
  if decimal_marks.find_fault(cell + '\n', mark) is not None:
    return False
  return bool(np.isfinite(decimal_marks.parse(cell + '\n', mark)[0]))


def check_rate(path: pathlib.Path, rate: float, line: int | None) -> None:
  """Raises InputError where a rate, in Hz, is none at which plates are sampled.

  Args:
    path: the file, for the message.
    rate: Hz.
    line: where the file says it.
  """
  if not 1 / MAX_GAP_S - 1e-6 <= rate <= 1 / MIN_STEP_S:
    raise errors.InputError(
      f'{delimited_text.format_place(path, line)}: found a sampling rate of {rate:g} Hz, expected '
      f'{1 / MAX_GAP_S:.0f} to {1 / MIN_STEP_S:.0f}',
      code='force.rate',
      file=path,
      line=line,
    )
