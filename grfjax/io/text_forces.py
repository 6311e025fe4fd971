"""Reads forces from text files: the project's own tables, and what laboratories' programs export.

Tables of the project, Vicon Nexus exports and Qualisys TSV files are known by their content; other
exports need the name of a format (`format_files`, docs/force_files.md).
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Sequence

from grfjax import errors
from grfjax.io import (
  delimited_text,
  mapped_forces,
  nexus,
  plate_csv,
  qualisys,
  recorded_forces,
)

EXTENSIONS = ('.csv', '.tsv', '.txt', '.asc', '.ascii', '.dat')
BUILT_IN = ('nexus', 'qualisys')
_BEGINNING = 40  # lines in which an export names its program and its columns
_OWN_COLUMN = re.compile(r'\bf[xyz]_\d', re.I)


def read(
  path: pathlib.Path, force_format: str = '', root: pathlib.Path | None = None
) -> recorded_forces.RecordedForces:
  """Reads a text file of forces.

  Args:
    path: the file.
    force_format: the name of a format, where the file cannot be known by its content; behind it
      ':' and the sampling rate in Hz, where the file does not hold that.
    root: the recording set, whose own formats (formats/NAME.toml) come before the ready-made ones.

  Raises:
    InputError: the file or the format cannot be used.
  """
  lines, notes = delimited_text.read_export(path)
  forces = _read_lines(path, lines, force_format, root)
  return dataclasses.replace(forces, notes=notes + forces.notes)


def _read_lines(
  path: pathlib.Path, lines: Sequence[str], force_format: str, root: pathlib.Path | None
) -> recorded_forces.RecordedForces:
  from grfjax.io import format_files  # here, as predicting does without pydantic

  formats = format_files.names(root)
  name, rate = _split_format(path, force_format, [*formats, *BUILT_IN])
  if name in formats:
    return mapped_forces.read(path, lines, format_files.read(formats[name]), rate)
  if rate is not None and name:
    raise errors.InputError(
      f'{path}: files of the format {name} hold their sampling rate; leave it behind the name',
      code='force.rate',
      file=path,
    )
  if name == 'nexus' or (not name and nexus.find_device_block(lines) is not None):
    return nexus.read(path, lines)
  if name == 'qualisys' or (not name and qualisys.is_qualisys(lines)):
    return qualisys.read(path, lines)
  try:
    return plate_csv.read(path, lines)
  except errors.InputError as error:
    hint = _hint('\n'.join(lines[:_BEGINNING])) if error.code == 'table.missing_column' else ''
    if not hint:
      raise
    raise errors.InputError(
      f'{error}; {hint}', code=error.code, file=error.file, line=error.line
    ) from error


def _split_format(
  path: pathlib.Path, force_format: str, known: Sequence[str]
) -> tuple[str, float | None]:
  """Returns the name of a format, '' for none, and the rate behind it in Hz."""
  name, colon, text = (part.strip() for part in force_format.partition(':'))
  rate = delimited_text.parse_number(text.lower().removesuffix('hz').strip())
  by_capitals = {one.casefold(): one for one in known} | {one: one for one in known}
  found = by_capitals.get(name) or by_capitals.get(name.casefold(), '')
  if (name or colon) and (not found or (colon and rate is None)):
    raise errors.InputError(
      f'{path}: found the format {force_format!r}, expected one of {", ".join(sorted(set(known)))} '
      '(where a file does not hold its sampling rate, with it, such as amti:1000)',
      code='force.unknown_format',
      file=path,
    )
  return found, rate


def _hint(beginning: str) -> str:
  """Returns what to do about an export that no reader knows; '' for a table of the project."""
  if _OWN_COLUMN.search(beginning):
    return ''
  from grfjax.io import format_files

  formats = format_files.names(None)
  for name, path in sorted(formats.items()):
    texts = format_files.read(path).recognized_by
    if any(text.casefold() in beginning.casefold() for text in texts):
      return f'this looks like a file that the format {name} reads: name it in force_format'
  return (
    f'exports of other programs need a format: {", ".join(sorted(formats))} or one of your own in '
    'force_format (docs/force_files.md)'
  )
