"""Reads OpenSim's external force files (.mot), in OpenSim's axes: x forward, y up, z right."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence

import numpy as np

from grfjax import conventions, errors
from grfjax.io import delimited_text, force_tables, recorded_forces

EXTENSIONS = ('.mot', '.sto')

# What the columns of a force are called besides a plate's number and a leg.
_WORDS = frozenset(
  ['ground', 'force', 'grf', 'reaction', 'external', 'plate', 'fp', 'calcn', 'foot']
)


def read(path: pathlib.Path) -> recorded_forces.RecordedForces:
  """Reads the forces of a .mot file.

  The columns are `time` and, for each plate, a label with vx, vy and vz at its end. Labels may
  number plates as OpenSim does (`ground_force_1_vx`, or the older `ground_force_vx` and
  `1_ground_force_vx`), or name legs, as OpenCap (`R_ground_force_vx`) and AddBiomechanics
  (`ground_force_calcn_r_vx`) do. Plates come in the order of their numbers, or else of their
  columns. Where a plate has px and pz besides, they are its centre of pressure; OpenSim's unit is
  the metre.

  Raises:
    InputError: the file is unreadable, incomplete or not finite, or has a force with another
      label.
  """
  lines, notes = delimited_text.read_export(path)
  table = _read_table(path, lines)
  plates, names = _find_plates(table), set(table.names)
  wanted = ['time', *(f'{prefix}v{axis}' for prefix in plates for axis in force_tables.AXES)]
  table.check_columns(wanted)
  pressed = [
    (p, prefix) for p, prefix in enumerate(plates) if {f'{prefix}px', f'{prefix}pz'} <= names
  ]
  places = [f'{prefix}p{axis}' for _, prefix in pressed for axis in 'xz']
  table.check_columns(places)
  values, _ = table.numbers(
    [table.names.index(name) for name in wanted],
    optional=[table.names.index(name) for name in places],
    clock_s=1.0,
  )
  table.check_times(values[:, 0], 'time')
  force = values[:, 1 : len(wanted)].reshape(len(values), len(plates), 3)
  pressure = np.full(force.shape, np.nan)
  for k, (p, _) in enumerate(pressed):
    x, z = values[:, len(wanted) + 2 * k : len(wanted) + 2 * k + 2].T
    pressure[:, p] = np.stack([x, np.zeros_like(x), z], -1)
  return recorded_forces.RecordedForces(
    values[:, 0],
    force,
    recorded_forces.Axes.OPENSIM,
    pressure if pressed else None,
    tuple(plates.values()),
    notes,
  )


def _read_table(path: pathlib.Path, lines: Sequence[str]) -> force_tables.Table:
  """Returns the labels and rows below the header, whose counts they must match."""
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


def _find_plates(table: force_tables.Table) -> dict[str, str]:
  """Returns what each plate's columns begin with -> the leg that they name, or ''; in order."""
  known = _WORDS | conventions.LEG_NAMES.keys()
  numbers: dict[str, int | None] = {}  # by what the columns begin with
  legs: dict[str, str] = {}
  for name in table.names:
    if not (m := re.fullmatch(r'(.*[^a-zA-Z])v[xyz]', name)):
      continue
    words = re.findall(r'[a-z]+|\d+', m[1].lower())
    if not {'force', 'grf'} & set(words):
      continue
    own_legs = {conventions.LEG_NAMES[word] for word in words if word in conventions.LEG_NAMES}
    own_numbers = [int(word) for word in words if word.isdigit()]
    strange = [w for w in words if not w.isdigit() and w not in known]
    if strange or len(own_legs) > 1 or len(own_numbers) > 1:
      raise table.error(
        f'found the label {name!r}, expected a plate by its number or leg, such as '
        'ground_force_1_vx or ground_force_r_vx',
        'force.labels',
        table.header_line,
      )
    numbers[m[1]] = own_numbers[0] if own_numbers else None
    legs[m[1]] = own_legs.pop() if own_legs else ''
  if not numbers:
    raise delimited_text.missing_columns(
      table.path, table.header_line, 'ground_force_1_vx', table.names
    )
  unnamed = [prefix for prefix, leg in legs.items() if not leg]
  if unnamed and len(unnamed) < len(numbers):
    raise table.error(
      'some labels name a leg, and some none; expected all or none',
      'force.labels',
      table.header_line,
    )
  if not unnamed and (None in numbers.values() or len({*numbers.values()}) < len(numbers)):
    return legs
  order = sorted(numbers, key=lambda prefix: numbers[prefix] or 0)
  found = [numbers[prefix] or 0 for prefix in order]
  if found != list(range(found[0], found[0] + len(found))) or found[0] > 1:
    raise table.error(
      f'plates are numbered {", ".join(map(str, found))}; expected 1, 2 and so on without a gap',
      'force.plate_numbers',
      table.header_line,
    )
  return {prefix: legs[prefix] for prefix in order}
