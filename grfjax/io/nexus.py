"""Reads the forces of plates from a Vicon Nexus ASCII export (Devices)."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence

import numpy as np

from grfjax import errors
from grfjax.io import (
  delimited_text,
  force_tables,
  force_units,
  plate_columns,
  plate_csv,
  recorded_forces,
)

_KIND = re.compile(r'(.*?)\s*-\s*(force|moment|cop|cent(?:er|re) of pressure)\s*', re.I)
_COMPONENT = re.compile(r'(f|m|c|cop|p|)[ _]?([xyz])[ _]?\d*', re.I)
_QUANTITIES = {'f': 'force', 'm': 'moment', 'c': 'cop', 'p': 'cop'}  # by a name's first letter


def find_device_block(lines: Sequence[str]) -> int | None:
  """Returns where a block 'Devices' begins, counted from 0, or None in another kind of file.

  It is the first one whose devices have forces, or else the first.
  """
  blocks = _device_blocks(lines)
  with_forces = (number for number in blocks if re.search('force', lines[number + 2], re.I))
  return next(with_forces, blocks[0] if blocks else None)


def _device_blocks(lines: Sequence[str]) -> list[int]:
  blocks = []
  for number, line in enumerate(lines):
    if 'evices' in line[:30] and line.strip(' "\t;,').lower() == 'devices':
      header = lines[number + 3] if number + 3 < len(lines) else ''
      if header.strip(' "').lower().startswith('frame'):
        blocks.append(number)
  return blocks


def read(path: pathlib.Path, lines: Sequence[str]) -> recorded_forces.RecordedForces:
  """Reads the plates of the block 'Devices': title, rate, devices, names, units, and rows.

  A device such as 'Plate A - Force' is a plate; those of its name with '- CoP' are its centre of
  pressure. Devices without forces (EMG) and other blocks (Trajectories ...) are left out. Time is
  (frame - 1) / camera rate + sub frame / rate, as in a C3D file of the same trial.

  Args:
    path: of the file, for messages.
    lines: of the file.

  Raises:
    InputError: the block is not as described, or a cell is no number.
  """
  start = find_device_block(lines)
  if start is None:
    raise _error(path, None, "no block 'Devices' with a rate, devices and names that begin 'Frame'")
  separator = delimited_text.find_separator(lines[start + 3]) or ','
  rate = _read_rate(path, lines[start + 1], start + 2, separator)
  names = plate_csv.split_cells(lines[start + 3], separator)
  devices = plate_csv.split_cells(lines[start + 2], separator)
  unit_cells = plate_csv.split_cells(lines[start + 4] if len(lines) > start + 4 else '', separator)
  units = {k: force_units.strip_brackets(u) for k, u in enumerate(unit_cells) if u}
  rows = _block_rows(lines, start + 5, separator)
  other = _second_block(lines, start + 5)
  if other is not None:
    raise _error(path, other + 1, "a second block 'Devices'; export the plates alone")
  table = force_tables.Table(path, names, start + 4, rows, separator)
  lowered = [name.lower() for name in names]
  if 'frame' not in lowered:
    raise delimited_text.missing_columns(path, start + 4, 'Frame', names)
  plates = _find_plates(table, devices, units)

  frame = lowered.index('frame')
  clock = [frame] + [k for k, name in enumerate(lowered) if name in ('sub frame', 'subframe')][:1]
  readings = plate_columns.read(table, plates, units, start + 5)
  counts = table.numbers(clock)[0]
  time_s = _times(table, counts, rate)
  return recorded_forces.RecordedForces(
    time_s,
    readings.force,
    recorded_forces.Axes.LABORATORY,
    readings.pressure,
    notes=readings.notes,
  )


def _read_rate(path: pathlib.Path, line: str, number: int, separator: str) -> float:
  """Returns the rate, Hz, that stands below the block's title."""
  cell = line.split(separator)[0].strip(' "\t').lower().removesuffix('hz').strip()
  rate = delimited_text.parse_number(cell.replace(',', '.'))
  if rate is None:
    raise _error(path, number, f"{cell!r} below 'Devices', expected the sampling rate in Hz")
  force_tables.check_rate(path, rate, number)
  return rate


def _block_rows(lines: Sequence[str], start: int, separator: str) -> list[tuple[int, str]]:
  """Returns the rows of the block, which ends where another one's title stands."""
  rows = plate_csv.data_rows(lines, start, separator)
  for k, (_, line) in enumerate(rows):
    if line.lstrip(' "')[:1].isalpha():
      here = [plate_csv.split_cells(text, separator) for _, text in rows[k : k + 2]]
      if all(len(cells) == 1 for cells in here):
        return rows[:k]  # a title, with the block's rate below it
  return rows


def _second_block(lines: Sequence[str], start: int) -> int | None:
  """Returns where a second block 'Devices' that holds forces begins, counted from 0."""
  second = find_device_block(lines[start:])
  if second is None:
    return None
  return start + second if re.search('force', lines[start + second + 2], re.I) else None


def _find_plates(
  table: force_tables.Table, devices: Sequence[str], units: dict[int, str]
) -> list[plate_columns.Plate]:
  """Returns the plates in the order of their columns."""
  found: list[tuple[str, dict[str, int]]] = []  # the device, and the columns of its components
  device = ''
  for k, name in enumerate(table.names):
    device = (devices[k] if k < len(devices) else '') or device
    kind = _KIND.fullmatch(device)
    component = _COMPONENT.fullmatch(name)
    letter = component and (component[1] or (kind[2] if kind else ''))[:1].lower()
    if component is None or not device or not letter:
      continue
    quantity = _QUANTITIES[letter]
    if kind is None and quantity == 'force' and force_units.newtons(units.get(k, '')) is None:
      continue  # raw signals, in volts
    plate = kind[1] if kind else device
    key = quantity + component[2].lower()
    mine = next((c for p, c in found if p == plate and key not in c), None)
    if mine is None:
      mine = {}
      found.append((plate, mine))
    mine[key] = k
  plates = []
  for plate, columns in found:
    missing = [f'F{a}' for a in force_tables.AXES if f'force{a}' not in columns]
    if len(missing) == 3:
      continue
    if missing:
      raise table.error(
        f'no column {", ".join(missing)} of the device {plate!r}',
        'table.missing_column',
        table.header_line,
      )
    x, y, z = (columns[f'force{axis}'] for axis in force_tables.AXES)
    pressure = [columns.get(f'cop{axis}') for axis in force_tables.AXES]
    known = tuple(k for k in pressure if k is not None)
    plates.append(plate_columns.Plate((x, y, z), known if None not in pressure[:2] else ()))
  if not plates:
    raise table.error(
      f'no device has columns Fx, Fy, Fz; found {delimited_text.list_columns(_named(devices))}',
      'table.missing_column',
      table.header_line - 1,
    )
  return plates


def _named(devices: Sequence[str]) -> list[str]:
  return [device for device in devices if device]


def _times(table: force_tables.Table, counts: np.ndarray, rate: float) -> np.ndarray:
  """Returns the (N,) seconds of the rows from their frames and sub frames."""
  frame = counts[:, 0]
  sub = counts[:, 1] - counts[:, 1].min() if counts.shape[1] > 1 else np.zeros(len(frame))
  each = sub.max() + 1  # sub frames of a frame
  sample = (frame - 1) * each + sub
  wrong = np.flatnonzero(np.diff(sample) != 1)
  if len(wrong):
    i = wrong[0]
    cells = ['frame {:g}, sub frame {:g}'.format(*np.append(c, 0)[:2]) for c in counts[i : i + 2]]
    raise table.error(
      f'found {cells[1]} after {cells[0]}; a row is missing or stands twice',
      'force.time_gap',
      table.rows[i + 1][0],
      'Frame',
    )
  return sample / rate


def _error(path: pathlib.Path, line: int | None, found: str) -> errors.InputError:
  place = delimited_text.format_place(path, line)
  return errors.InputError(f'{place}: found {found}', code='force.nexus', file=path, line=line)
