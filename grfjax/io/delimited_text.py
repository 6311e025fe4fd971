"""Text tables as laboratories export them: encoding, delimiter and numbers, checked."""

from __future__ import annotations

import math
import pathlib
import re

from grfjax.io import recordings

_NOT_TEXT = {  # what spreadsheets write under the name of a .csv
  b'PK\x03\x04': 'a spreadsheet (.xlsx or .ods)',
  b'\xd0\xcf\x11\xe0': 'a spreadsheet (.xls)',
  b'\xff\xfe': 'UTF-16 text',
  b'\xfe\xff': 'UTF-16 text',
}

NUMBER = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)', re.I | re.A)


def listed_columns(names: list[str]) -> str:
  """Columns as a message lists them; what cannot be seen is written out."""
  return ', '.join(n if n.isprintable() else repr(n) for n in names) or 'nothing'


def is_finite_number(text: str) -> bool:
  """Whether a cell, stripped, is a finite decimal number (Python's own 1_000 is not)."""
  return bool(NUMBER.fullmatch(text)) and math.isfinite(float(text))


def read_text(path: pathlib.Path) -> str:
  """The text of a UTF-8 file, with or without a byte order mark.

  Raises:
    RecordingError: the file cannot be opened, or is not UTF-8.
  """
  try:
    data = path.read_bytes()
  except OSError as e:
    reason = 'no such file' if isinstance(e, FileNotFoundError) else (e.strerror or str(e))
    raise recordings.RecordingError(f'{path}: {reason}') from e
  for begins, kind in _NOT_TEXT.items():
    if data.startswith(begins):
      raise recordings.RecordingError(
        f'{path}, line 1: found {kind}, expected UTF-8 text; save the table as CSV UTF-8'
      )
  try:
    return data.decode('utf-8-sig')
  except UnicodeDecodeError as e:
    line = e.object.count(b'\n', 0, e.start) + 1
    raise recordings.RecordingError(
      f'{path}, line {line}: found byte 0x{e.object[e.start]:02x}, expected UTF-8 text; '
      'save the table as CSV UTF-8'
    ) from e


def delimiter(header: str) -> str:
  """The cell separator of a CSV file: a comma, or Excel's semicolon (then with decimal commas)."""
  return ';' if header.count(';') > header.count(',') else ','
