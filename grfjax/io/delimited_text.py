"""Text tables as laboratories export them: encoding, delimiter, columns and numbers, checked.

Whatever cannot be used raises `errors.InputError`, which names file, line and column.
"""

from __future__ import annotations

import math
import pathlib
import re
from collections.abc import Sequence

from grfjax import errors

_SIGNATURES = {  # the first bytes of what spreadsheets write under the name of a .csv
  b'PK\x03\x04': 'a spreadsheet (.xlsx or .ods)',
  b'\xd0\xcf\x11\xe0': 'a spreadsheet (.xls)',
  b'\xff\xfe': 'UTF-16 text',
  b'\xfe\xff': 'UTF-16 text',
}

# A line that begins with two numbers: the first row of an export's data.
_ROW_OF_NUMBERS = re.compile(
  rb'^[ "]{0,9}[+-]?[.,]?[0-9][0-9.,]{0,40}(?:[eE][+-]?[0-9]{1,9})?[ "]{0,9}'
  rb'[,;\t ][ "]{0,9}[+-]?[.,]?[0-9]',
  re.M,
)

_NUMBER = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)', re.I | re.A)


def format_place(
  path: pathlib.Path | None = None, line: int | None = None, column: str | None = None
) -> str:
  """Returns a place as messages name it, such as 'trials.csv, line 7, column video'."""
  parts = [str(path)] if path is not None else []
  if line is not None:
    parts.append(f'line {line}')
  if column is not None:
    parts.append(f'column {column}')
  return ', '.join(parts)


def list_columns(names: Sequence[str]) -> str:
  """Returns column names as messages list them; names with invisible characters are escaped."""
  return ', '.join(n if n.isprintable() else repr(n) for n in names) or 'nothing'


def parse_number(cell: str) -> float | None:
  """Returns the decimal number that a stripped cell holds, or None where it holds none.

  The number may be nan or infinite. Python's own 1_000, hexadecimal numbers and other digits than
  0 to 9 are none.
  """
  return float(cell) if _NUMBER.fullmatch(cell) else None


def finite_number(cell: str, *, line: int, column: str, path: pathlib.Path | None = None) -> float:
  """Returns the finite decimal number that a stripped cell holds.

  Args:
    cell: the text.
    line: its line, counted from 1, for the message.
    column: the name of its column, for the message.
    path: its file, for the message.

  Raises:
    InputError: the cell holds no finite number.
  """
  value = parse_number(cell)
  if value is None or not math.isfinite(value):
    raise errors.InputError(
      f'{format_place(path, line, column)}: found {cell!r}, expected a finite number',
      code='table.not_a_number' if value is None else 'table.not_finite',
      file=path,
      line=line,
      column=column,
    )
  return value


def read_text(path: pathlib.Path) -> str:
  """Returns the text of a UTF-8 file that may begin with a byte order mark.

  Raises:
    InputError: the file cannot be opened, or is not UTF-8.
  """
  try:
    data = path.read_bytes()
  except OSError as error:
    raise unreadable_file(path, error) from error
  for signature, kind in _SIGNATURES.items():
    if data.startswith(signature):
      raise _encoding_error(path, 1, kind)
  try:
    return data.decode('utf-8-sig')
  except UnicodeDecodeError as error:
    line = error.object.count(b'\n', 0, error.start) + 1
    raise _encoding_error(path, line, f'byte 0x{error.object[error.start]:02x}') from error


def read_export(path: pathlib.Path) -> tuple[list[str], tuple[str, ...]]:
  """Reads the lines of a text that a program has exported; also UTF-16 and Windows-1252.

  UTF-16 is known by its byte order mark. What is no UTF-8 is taken for Windows-1252 if it is so
  above the first row of numbers alone, as for a degree sign in a name, or in no-break spaces;
  these are the same in all encodings of Windows and ISO 8859, so that no number can be misread.

  Returns:
    The lines, without their ends, and notes: sentences about the encoding.

  Raises:
    InputError: the file cannot be opened, or has another encoding.
  """
  try:
    data = path.read_bytes()
  except OSError as error:
    raise unreadable_file(path, error) from error
  notes: tuple[str, ...] = ()
  if data.startswith((b'\xff\xfe', b'\xfe\xff')):
    try:
      text = data.decode('utf-16')
    except UnicodeDecodeError as error:
      raise _encoding_error(path, 1, 'damaged UTF-16 text') from error
  else:
    try:
      text = read_text(path)
    except errors.InputError:
      decoded = _decode_windows(data)
      if decoded is None:
        raise
      text, notes = decoded, ('The text is not UTF-8; it is read as Windows-1252.',)
  return text.replace('\r\n', '\n').replace('\r', '\n').split('\n'), notes


def _decode_windows(data: bytes) -> str | None:
  """Returns the text of Windows-1252, or None where it may be something else."""
  if data.startswith(tuple(_SIGNATURES)):
    return None
  rows = _ROW_OF_NUMBERS.search(data)
  if re.search(rb'[\x80-\x9f\xa1-\xff]', data[rows.start() :] if rows else b''):
    return None
  try:
    return data.decode('cp1252')
  except UnicodeDecodeError:
    return None


def unreadable_file(path: pathlib.Path, error: OSError) -> errors.InputError:
  """Returns the error about a file that cannot be opened."""
  missing = isinstance(error, FileNotFoundError)
  reason = 'no such file' if missing else (error.strerror or str(error))
  code = 'recording.no_file' if missing else 'recording.unreadable_file'
  return errors.InputError(f'{path}: {reason}', code=code, file=path)


def _encoding_error(path: pathlib.Path, line: int, found: str) -> errors.InputError:
  return errors.InputError(
    f'{path}, line {line}: found {found}, expected UTF-8 text; save the table as CSV UTF-8',
    code='table.encoding',
    file=path,
    line=line,
  )


def missing_columns(
  path: pathlib.Path, line: int, missing: str, names: Sequence[str]
) -> errors.InputError:
  """Returns the error about a header that lacks columns.

  Args:
    path: the file.
    line: the header's line, counted from 1.
    missing: what is missing, in words.
    names: the header's columns.
  """
  return errors.InputError(
    f'{path}, line {line}: no column {missing}; found {list_columns(names)}',
    code='table.missing_column',
    file=path,
    line=line,
  )


def find_delimiter(header: str) -> str:
  """Returns a CSV's cell separator: a comma, or Excel's semicolon (then with decimal commas)."""
  return ';' if header.count(';') > header.count(',') else ','


def find_separator(header: str) -> str | None:
  """Returns what separates the cells of an export's header: tab, semicolon, comma, or white space.

  The one that stands there most often, a tab before a semicolon before a comma; None for white
  space where there is none of them.
  """
  found = max('\t;,', key=header.count)
  return None if found not in header and ' ' in header.strip() else found
