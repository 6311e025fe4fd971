"""Rows of a recording set's manifests (subjects.csv, trials.csv): cells checked and converted.

Whatever cannot be used raises `errors.InputError`, which names file, line and column.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import pathlib
import re
import unicodedata

from grfjax import errors
from grfjax.io import delimited_text

_MAX_NAME_BYTES = 200  # file systems end at 255, and '.csv' or a figure's suffix is added


@dataclasses.dataclass(frozen=True)
class Row:
  """One line of a manifest; its methods convert a cell or raise an error that names it.

  Attributes:
    path: the manifest.
    line: counted from 1.
    cells: column name -> stripped text.
    decimal_comma: whether numbers may have a decimal comma.
  """

  path: pathlib.Path
  line: int
  cells: dict[str, str]
  decimal_comma: bool

  def error(
    self, column: str, expected: str, code: str = 'recording.bad_value'
  ) -> errors.InputError:
    """Returns the error about a cell that is not what was expected."""
    place = delimited_text.format_place(self.path, self.line, column)
    return errors.InputError(
      f'{place}: found {self.cells.get(column, "")!r}, expected {expected}',
      code=code,
      file=self.path,
      line=self.line,
      column=column,
    )

  def has(self, column: str) -> bool:
    """Returns whether the table has the column, and this row a value in it."""
    return bool(self.cells.get(column))

  def text(self, column: str) -> str:
    """Returns a cell's text, which must not be empty."""
    if not self.has(column):
      raise self.error(column, 'a value; the cell is empty', 'table.empty_cell')
    return self.cells[column]

  def number(self, column: str, low: float, high: float, unit: str) -> float:
    """Returns a cell's number, which must be finite and within limits.

    Args:
      column: the column's name.
      low: the least value allowed.
      high: the greatest value allowed.
      unit: in words, for messages.
    """
    text = self.text(column)
    # A semicolon file comes from a spreadsheet that writes 61,5; '1.234,5' stays refused.
    if self.decimal_comma and '.' not in text:
      text = text.replace(',', '.', 1)
    value = delimited_text.parse_number(text)
    if value is None:
      raise self.error(column, f'a number ({unit}, with a decimal point)', 'table.not_a_number')
    if not math.isfinite(value):
      raise self.error(column, f'a finite number ({unit})', 'table.not_finite')
    if not low <= value <= high:
      raise self.error(column, f'{low:g} to {high:g} {unit}', 'recording.out_of_range')
    return value

  def frame(self, column: str) -> int:
    """Returns a cell's frame number, counted from 0."""
    text = self.text(column)
    if not re.fullmatch(r'[0-9]{1,9}', text):
      raise self.error(column, 'a whole number, 0 or more (frames are counted from 0)')
    return int(text)

  def new_name(self, column: str, line_of_name: dict[str, int]) -> str:
    """Returns a cell's name, which must be fit for a file's name and new.

    Args:
      column: the column's name.
      line_of_name: the lines of the names before, by folded name; this name is added.
    """
    name = self.text(column)
    expected = _check_name(name)
    if expected is not None:
      raise self.error(column, expected, 'recording.bad_name')
    # Folded, because some file systems take A and a for one file.
    folded = unicodedata.normalize('NFC', name).casefold()
    if folded in line_of_name:
      raise self.error(
        column,
        f'a {column} that is not there yet; line {line_of_name[folded]} has it (capitals do not '
        'count)',
        'recording.duplicate_name',
      )
    line_of_name[folded] = self.line
    return name

  def file(self, column: str, root: pathlib.Path) -> pathlib.Path:
    """Returns the path of an existing file that a cell names.

    Args:
      column: the column's name.
      root: the recording set, to which the cell's path is relative.
    """
    return self._existing(column, root, self.text(column))

  def files(self, column: str, root: pathlib.Path) -> list[pathlib.Path]:
    """Returns the paths of existing files that a cell names, with semicolons between.

    Args:
      column: the column's name.
      root: the recording set, to which the cell's paths are relative.
    """
    names = [name.strip() for name in self.text(column).split(';')]
    if '' in names or len({*names}) < len(names):
      raise self.error(column, 'different files with semicolons between')
    return [self._existing(column, root, name) for name in names]

  def _existing(self, column: str, root: pathlib.Path, text: str) -> pathlib.Path:
    """Returns the path of an existing file that is a cell's text, or a part of it."""
    windows = pathlib.PureWindowsPath(text)
    if windows.is_absolute() or windows.drive or windows.root or '..' in windows.parts:
      raise self.error(
        column,
        "a path inside the recording set: relative, without '..'",
        'recording.path_outside',
      )
    path = root / text
    try:
      exists = path.is_file()
    except (OSError, ValueError):  # too long, or holds a NUL
      exists = False
    if not exists:
      hint = ' (folders are separated by /)' if '\\' in text else ''
      raise self.error(column, f'a file; there is no {path}{hint}', 'recording.no_file')
    return path


def _check_name(name: str) -> str | None:
  """Returns what was expected in place of a name that is unfit for a file's name, or None."""
  if any(unicodedata.category(c) in ('Cc', 'Cf', 'Zl', 'Zp') for c in name):
    return 'a name without control characters'
  if name.startswith('.') or '..' in name:
    return "a name that neither starts with a dot nor holds '..'"
  if re.search(r'[/\\:*?"<>|]', name):
    return 'a name without / \\ : * ? " < > | (files are named after it)'
  if len(name.encode()) > _MAX_NAME_BYTES:
    return f'a name of at most {_MAX_NAME_BYTES} bytes'
  return None


def read(path: pathlib.Path, required: list[str]) -> list[Row]:
  """Returns the non-empty rows of a manifest, at least one.

  Args:
    path: a CSV file with commas, or with semicolons and then with decimal commas.
    required: columns that it must have.

  Raises:
    InputError: the file cannot be opened, is no table, lacks a column, or has no rows.
  """
  text = delimited_text.read_text(path)
  separator = delimited_text.find_delimiter(text.lstrip().partition('\n')[0].partition('\r')[0])
  reader = csv.reader(io.StringIO(text, newline=''), delimiter=separator, strict=True)
  rows: list[Row] = []
  names: list[str] | None = None
  try:
    for cells in reader:
      cells = [cell.strip() for cell in cells]
      if names is None:
        names = cells
        _check_header(path, names, required)
      elif any(cells):  # spreadsheets leave lines of bare separators
        _check_count(path, reader.line_num, cells, names, separator)
        by_name = dict(zip(names, cells, strict=True))
        rows.append(Row(path, reader.line_num, by_name, separator == ';'))
  except csv.Error as error:
    place = delimited_text.format_place(path, reader.line_num)
    raise errors.InputError(
      f'{place}: {error}', code='table.syntax', file=path, line=reader.line_num
    ) from error
  if not rows:
    raise errors.InputError(
      f'{path}: no rows; expected the columns {", ".join(required)}',
      code='table.no_rows',
      file=path,
    )
  return rows


def _check_header(path: pathlib.Path, names: list[str], required: list[str]) -> None:
  missing = [name for name in required if name not in names]
  if missing:
    raise delimited_text.missing_columns(path, 1, ', '.join(missing), names)
  for name in names:
    if name and names.count(name) > 1:
      place = delimited_text.format_place(path, 1, name)
      raise errors.InputError(
        f'{place}: found {names.count(name)} times, expected once',
        code='table.duplicate_column',
        file=path,
        line=1,
        column=name,
      )


def _check_count(
  path: pathlib.Path, line: int, cells: list[str], names: list[str], separator: str
) -> None:
  if len(cells) != len(names):
    raise errors.InputError(
      f'{delimited_text.format_place(path, line)}: found {len(cells)} cells, expected {len(names)} '
      f'as in the header (a cell that holds {separator!r} needs quotes)',
      code='table.cell_count',
      file=path,
      line=line,
    )
