"""Reads force files that are text tables."""

from __future__ import annotations

import pathlib
import re

from grfjax import errors
from grfjax.io import delimited_text, force_tables, recorded_forces

EXTENSIONS = ('.csv',)


def read(
  path: pathlib.Path, force_format: str = '', root: pathlib.Path | None = None
) -> recorded_forces.RecordedForces:
  """Reads a CSV: `time_s`, then `fx_N`, `fy_N`, `fz_N` for plates N = 1, 2 ..., in plate axes."""
  lines = delimited_text.read_text(path).splitlines()
  separator = delimited_text.find_delimiter(lines[0] if lines else '')
  names = [n.strip().strip('"') for n in lines[0].split(separator)] if lines else []
  count = _count_csv_plates(path, names)
  wanted = ['time_s']
  wanted += [f'f{axis}_{p + 1}' for p in range(max(count, 1)) for axis in force_tables.AXES]
  rows = [(n, text) for n, text in enumerate(lines[1:], 2) if text.strip(' \t"' + separator)]
  values = force_tables.Table(path, names, 1, rows, separator).read_columns(wanted)
  return recorded_forces.RecordedForces(
    values[:, 0], values[:, 1:].reshape(len(values), count, 3), recorded_forces.Axes.PLATE
  )


def _count_csv_plates(path: pathlib.Path, names: list[str]) -> int:
  """Returns how many plates, numbered from 1 without a gap, have a column."""
  count = 0
  while any(f'f{axis}_{count + 1}' in names for axis in force_tables.AXES):
    count += 1
  beyond = [n for n in names if (m := re.fullmatch(r'f[xyz]_(\d+)', n)) and int(m[1]) > count]
  if beyond and count:
    raise errors.InputError(
      f'{path}, line 1: found {beyond[0]}, but no plate {count + 1} before it',
      code='force.plate_numbers',
      file=path,
      line=1,
    )
  return count
