"""The files that hold force curves: CSV, and OpenSim's external forces."""

from __future__ import annotations

import csv
import io
import itertools

import numpy as np

from grfjax import conventions
from grfjax.gait import force_curves
from grfjax.io import delimited_text

DECIMALS = 4  # of a body weight: 0.0001 BW is under a tenth of a newton

_COLUMNS = ('fz', 'fx', 'fy')  # the file's names of voxels.AXES

_PARTS = ('', '_lo', '_hi')  # the estimate, and between what the force lies

_MOT_LEGS = ('right', 'left')  # ground_force_1 and ground_force_2


def to_csv(curves: force_curves.ForceCurves) -> str:
  """The file of the contract: a row a frame; no estimate is an empty cell."""
  axes = curves.force.shape[2]
  columns = {}
  for k, part in enumerate(_PARTS[: 1 + curves.interval.shape[3]]):
    values = curves.force if k == 0 else curves.interval[..., k - 1]
    for leg, axis in itertools.product(range(2), range(axes)):
      columns[f'{conventions.LEGS[leg]}_{_COLUMNS[axis]}{part}_bw'] = values[:, leg, axis]
  # The vertical forces stand first, as every file has them; the intervals last.
  names = sorted(columns, key=lambda n: (any(p in n for p in _PARTS[1:]), 'fz' not in n))
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  writer.writerow(['time_s', *names])
  for time_s, *row in zip(curves.time_s, *(columns[n] for n in names), strict=True):
    cells = ['' if np.isnan(v) else f'{v:.{DECIMALS}f}' for v in row]
    writer.writerow([f'{time_s:.6f}', *cells])
  return text.getvalue()


def from_csv(text: str) -> tuple[np.ndarray, np.ndarray]:
  """Reads back what `to_csv` has written, the intervals apart.

  Returns:
    (N,) seconds and (N, 2, axes) forces as in `Curves`.

  Raises:
    ValueError: a column is missing, or a cell is no number.
  """
  try:
    names, *rows = csv.reader(io.StringIO(text), strict=True)
  except (csv.Error, ValueError) as error:  # ValueError: nothing at all
    raise ValueError(f'is not a table ({error})') from error
  at = {name: k for k, name in enumerate(names)}
  axes = [c for c in _COLUMNS if c == 'fz' or f'left_{c}_bw' in at]
  wanted = ['time_s', *(f'{leg}_{axis}_bw' for leg in conventions.LEGS for axis in axes)]
  missing = [name for name in wanted if name not in at]
  if missing:
    raise ValueError(f'no column {", ".join(missing)}; found {delimited_text.list_columns(names)}')
  for line, row in enumerate(rows, 2):
    if len(row) != len(names):
      raise ValueError(f'line {line}: found {len(row)} cells, expected {len(names)}')
    for name in wanted:
      cell = row[at[name]]
      if cell or name == 'time_s':
        delimited_text.finite_number(cell, line=line, column=name)
  values = np.array([[float(row[at[name]] or 'nan') for name in wanted] for row in rows])
  values = values.reshape(-1, len(wanted))  # also of no row
  return values[:, 0], values[:, 1:].reshape(-1, 2, len(axes))


def to_mot(curves: force_curves.ForceCurves, body_mass_kg: float, name: str) -> str:
  """OpenSim's external forces, newtons: `ground_force_1` of the right leg, `_2` of the left.

  OpenSim's axes are x forward, y up, z to the right, of each walk by itself. It reads no empty
  cell, so there are rows only where both legs have an estimate, and time jumps between walks. A
  video does not show where under the foot the force acts: centre of pressure and torque are 0.

  Args:
    curves: of the video.
    body_mass_kg: of the walker.
    name: what the file calls itself.

  Returns:
    The file's text; '' where no frame has all three axes of both legs.
  """
  there = np.isfinite(curves.force).all((1, 2))
  if curves.force.shape[2] < 3 or not there.any():
    return ''
  newtons = curves.force[there] * body_mass_kg * conventions.G
  labels, columns = ['time'], [curves.time_s[there]]
  for number, leg in enumerate(_MOT_LEGS, 1):
    force = conventions.walker_to_opensim(newtons[:, conventions.LEGS.index(leg)])
    labels += [f'ground_force_{number}_{part}' for part in ('vx', 'vy', 'vz', 'px', 'py', 'pz')]
    columns += [*force.T, *np.zeros((3, len(force)))]
  for number in (1, 2):
    labels += [f'ground_torque_{number}_{axis}' for axis in 'xyz']
    columns += [*np.zeros((3, len(newtons)))]
  lines = [
    ' '.join(name.split()), 'version=1', f'nRows={len(newtons)}', f'nColumns={len(labels)}',
    'inDegrees=yes', 'endheader', '\t'.join(labels),
  ]  # fmt: skip
  for time_s, *row in zip(*columns, strict=True):
    lines.append('\t'.join([f'{time_s:.6f}', *(f'{v + 0.0:.3f}' for v in row)]))
  return '\n'.join(lines) + '\n'
