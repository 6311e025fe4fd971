"""Texts of force files as laboratories' programs export them; forces in plate axes, newtons."""

import numpy as np

# Kistler's, AMTI's and Bertec's plates: x left, y forward, z down, as columns in plate axes.
PLATE_DOWN = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])


def nexus(
  force,
  names=('Plate A', 'Plate B'),
  groups=('Force',),
  lab=None,
  sign=-1.0,
  rate=500,
  each=10,
  first=(1, 0),
  separator=',',
  unit='N',
  decimals=3,
  before=(),
  after=(),
  more=(),
):
  """A Vicon Nexus device export; `more` are further columns (device, name, unit)."""
  force = sign * force @ (np.eye(3) if lab is None else lab).T
  columns, numbers = [], []
  for p, name in enumerate(names):
    for group in groups:
      letter = {'Force': 'F', 'Moment': 'M', 'CoP': 'C'}[group]
      units = {'Force': unit, 'Moment': 'N.mm', 'CoP': 'mm'}[group]
      columns += [(f'{name} - {group}' if a == 'x' else '', letter + a, units) for a in 'xyz']
      other = np.tile([100.0 + p, 250.0, 0.0], (len(force), 1))
      numbers.append(force[:, p] if group == 'Force' else other)
  columns += more
  numbers.append(np.full((len(force), len(more)), 0.004))
  rows = np.hstack(numbers)
  sample = np.arange(len(force)) + (first[0] - 1) * each + first[1]
  lines = [*before, 'Devices', str(rate)]
  lines += [separator.join(['', '', *(c[0] for c in columns)])]
  lines += [separator.join(['Frame', 'Sub Frame', *(c[1] for c in columns)])]
  lines += [separator.join(['', '', *(c[2] for c in columns)])]
  lines += [
    separator.join([str(k // each + 1), str(k % each), *(f'{v:.{decimals}f}' for v in row)])
    for k, row in zip(sample, rows, strict=True)
  ]
  return '\n'.join([*lines, '', *after]) + '\n'


def qualisys(
  force,
  plate=0,
  columns=('SAMPLE', 'TIME', 'Force_X', 'Force_Y', 'Force_Z'),
  keys=('NO_OF_SAMPLES\t{count}', 'FREQUENCY\t500', 'DATA_INCLUDED\tForce'),
):
  """A Qualisys TSV of one plate; the centre of pressure is at (100, 200, 0) mm."""
  count = len(force)
  values = {'SAMPLE': np.arange(1, count + 1), 'TIME': np.arange(count) / 500}
  values |= {f'Force_{a}': force[:, plate, k] for k, a in enumerate('XYZ')}
  values |= {f'Moment_{a}': np.ones(count) for a in 'XYZ'}
  values |= {f'COP_{a}': np.full(count, 100.0 * (k + 1) % 300) for k, a in enumerate('XYZ')}
  lines = [key.format(count=count) for key in keys] + ['\t'.join(columns)]
  lines += [
    '\t'.join(f'{values[c][k]:.5g}' if c == 'SAMPLE' else f'{values[c][k]:.5f}' for c in columns)
    for k in range(count)
  ]
  return '\n'.join(lines) + '\n'


def on_plates(force):
  """The action on plates as their own axes (z down) hold it."""
  return -force @ PLATE_DOWN


def bioware(time_s, force, named='abs time (s)'):
  """A Kistler BioWare text export, the names of columns repeated for each plate."""
  force = on_plates(force)
  count = force.shape[1]
  keys = ['BioWare Version 5.3.2.9 Export', 'Device:\tMobile 9286BA', f'Samples (#):\t{len(force)}']
  keys += ['Rate (Hz):\t500.000000', 'File Information', 'Name\t', 'Description\t21 \u00b0C']
  lines = ['\t'.join([named, *['Fx', 'Fy', 'Fz', '|Ft|', 'Ax', 'Ay'] * count])]
  lines += ['\t'.join(['' if '(' in named else 's', *['N', 'N', 'N', 'N', 'm', 'm'] * count])]
  for t, row in zip(time_s, force, strict=True):
    cells = [f'{v:.6f}' for f in row for v in (*f, np.linalg.norm(f), 0.1, 0.2)]
    lines.append('\t'.join([f'{t:.6f}', *cells]))
  return '\n'.join(keys + lines) + '\n'


def amti(force):
  """An AMTI NetForce ASCII file: six columns a plate, no header; the foot is at x 0.1, y 0.2 m."""
  force = on_plates(force)
  moment = np.cross([0.1, 0.2, 0.0], force)
  rows = np.concatenate([force, moment], -1).reshape(len(force), -1)
  return '\n'.join(' , '.join(f'{v:.4f}' for v in row) for row in rows) + '\n'


def numbered(time_s, force, template, time='Time', separator=',', above=()):
  """A table with numbered plates of the plates' own axes; `template` such as 'FP{}_F{}'."""
  force = on_plates(force)
  names = [template.format(p + 1, a) for p in range(force.shape[1]) for a in 'xyz']
  lines = [*above, separator.join([time, *names])]
  lines += [
    separator.join([f'{t:.4f}', *(f'{v:.4f}' for v in row)])
    for t, row in zip(time_s, force.reshape(len(force), -1), strict=True)
  ]
  return '\n'.join(lines) + '\n'
