"""Reads OpenSim's external force files (.mot), in OpenSim's axes: x forward, y up, z right."""

from __future__ import annotations

import pathlib
import re

import numpy as np

from grfjax import errors
from grfjax.io import delimited_text, force_tables


def read(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
  """Reads the forces of a .mot file.

  The columns are `time` and `ground_force_N_vx/vy/vz` (or OpenSim's older `ground_force_vx` and
  `1_ground_force_vx`).

  Returns:
    (N,) seconds and (N, P, 3) newtons in OpenSim's axes.

  Raises:
    InputError: the file is unreadable, incomplete, or not finite.
  """
  table = _read_table(path)
  prefixes = _find_plates(table)
  wanted = ['time', *(f'{prefix}v{axis}' for prefix in prefixes for axis in force_tables.AXES)]
  values = table.read_columns(wanted)
  return values[:, 0], values[:, 1:].reshape(len(values), len(prefixes), 3)


def _read_table(path: pathlib.Path) -> force_tables.Table:
  """Returns the labels and rows below the header, whose counts they must match."""
  lines = delimited_text.read_text(path).splitlines()
  end = next((i for i, text in enumerate(lines) if text.strip().lower() == 'endheader'), None)
  if end is None:
    raise _header_error(path, 'no line "endheader"; expected an OpenSim .mot file')
  body = [(n, text) for n, text in enumerate(lines[end + 1 :], end + 2) if text.strip()]
  if not body:
    raise _header_error(path, 'no row of column labels after "endheader"')
  (line, labels), rows = body[0], body[1:]
  names = labels.split()
  stated = {
    m[1]: m[2]
    for text in lines[:end]
    if (m := re.fullmatch(r'\s*(nRows|nColumns)\s*=\s*(\S+)\s*', text))
  }
  for key, count in (('nRows', len(rows)), ('nColumns', len(names))):
    if key in stated and stated[key] != str(count):
      raise _header_error(path, f'the header says {key}={stated[key]}, but there are {count}')
  return force_tables.Table(path, names, line, rows, None)


def _header_error(path: pathlib.Path, message: str) -> errors.InputError:
  return errors.InputError(f'{path}: {message}', code='force.mot_header', file=path)


def _find_plates(table: force_tables.Table) -> list[str]:
  """Returns what each plate's columns begin with, in the order of the plates' numbers."""
  prefixes = {}  # by the plate's number; 0 where the columns have none
  for name in table.names:
    if m := re.fullmatch(r'((?:(\d+)_)?ground_force_(?:(\d+)_)?)v[xyz]', name):
      before, after = m[2], m[3]
      prefix = f'{before}_ground_force_' if before else m[1]
      prefixes[int(before or after or 0)] = prefix
  numbers = sorted(prefixes)
  if not numbers:
    raise delimited_text.missing_columns(
      table.path, table.header_line, 'ground_force_1_vx', table.names
    )
  if numbers != list(range(numbers[0], numbers[0] + len(numbers))) or numbers[0] > 1:
    place = delimited_text.format_place(table.path, table.header_line)
    raise errors.InputError(
      f'{place}: plates are numbered {", ".join(map(str, numbers))}; expected 1, 2 and so on '
      'without a gap',
      code='force.plate_numbers',
      file=table.path,
      line=table.header_line,
    )
  return [prefixes[number] for number in numbers]
