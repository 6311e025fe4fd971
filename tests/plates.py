"""Writes the force files that tests read: two steps over two plates, as CSV, MOT and C3D."""

import ezc3d
import numpy as np

BW = 700.0


def stance(t, start, lasts, shape='two peaks', edge=0.2):
  """(N, 3) newtons: brakes, then propels; y steady; z with two peaks or flat over ramps."""
  u = (t - start) / lasts
  on = (u > 0) & (u < 1)
  if shape == 'two peaks':
    z = 1.2 * np.sin(np.pi * u) + 0.35 * np.sin(3 * np.pi * u)
  else:
    z = np.minimum(1, np.minimum(u, 1 - u) / edge)
  x = -0.2 * np.sin(2 * np.pi * u)
  y = 0.04 * np.sin(np.pi * u)
  return BW * on[:, None] * np.stack([x, y, z], -1)


def two_steps(rate=1000, lasts=2.0):
  """The left foot on plate 1, then the right on plate 2: (time_s, (N, 2, 3))."""
  t = np.arange(int(lasts * rate)) / rate
  left, right = stance(t, 0.4, 0.62), stance(t, 0.93, 0.62) * [1, -1, 1]
  return t, np.stack([left, right], 1)


def write_csv(path, t, force, separator=',', newline='\n', change=lambda rows: rows):
  plates = range(1, force.shape[1] + 1)
  rows = [['time_s', *(f'f{a}_{p}' for p in plates for a in 'xyz')]]
  rows += [
    [f'{x:.4f}', *(f'{v:.3f}' for v in f)]
    for x, f in zip(t, force.reshape(len(t), -1), strict=True)
  ]
  text = newline.join(separator.join(r) for r in change(rows)) + newline
  if separator == ';':
    text = text.replace('.', ',')
  path.write_bytes(text.encode())
  return path


def write_mot(path, t, force, names='ground_force_{}_v', gap='\t', head=(), change=lambda s: s):
  """OpenSim's axes: y up, z to the right. `names` is a template, or prefixes of the plates."""
  plates = force.shape[1]
  prefixes = [names.format(p + 1) for p in range(plates)] if isinstance(names, str) else names
  labels = ['time']
  for prefix in prefixes:
    labels += [prefix + a for a in 'xyz'] + [prefix.removesuffix('v') + 'p' + a for a in 'xyz']
  opensim = np.stack([force[..., 0], force[..., 2], -force[..., 1]], -1)
  both = np.concatenate([opensim, np.full_like(opensim, 0.5)], -1).reshape(len(t), -1)
  lines = [
    'f.mot',
    'version=1',
    f'nRows={len(t)}',
    f'nColumns={len(labels)}',
    'inDegrees=yes',
    *head,
    'endheader',
    gap.join(labels),
  ]
  lines += [gap.join([f'{x:.4f}', *(f'{v:.4f}' for v in r)]) for x, r in zip(t, both, strict=True)]
  path.write_text(change('\n'.join(lines) + '\n'))
  return path


def axes(forward, up):
  """(3, 3) whose columns are our x, y, z in laboratory axes."""
  forward, up = np.array(forward, float), np.array(up, float)
  return np.stack([forward, np.cross(up, forward), up], 1)


LABS = {
  'along x': axes([1, 0, 0], [0, 0, 1]),
  'along -x': axes([-1, 0, 0], [0, 0, 1]),
  'along y': axes([0, 1, 0], [0, 0, 1]),
  'along -y': axes([0, -1, 0], [0, 0, 1]),
  'y up, along x': axes([1, 0, 0], [0, 1, 0]),
  'y up, along -z': axes([0, 0, -1], [0, 1, 0]),
  'x up, along y': axes([0, 1, 0], [1, 0, 0]),
}


def write_c3d(
  path,
  t,
  force,
  kind=2,
  lab=LABS['along x'],
  sign=1,
  units=None,
  first=0,
  plate_down=True,
  travel=0.0,
  change=lambda c: None,
  rate=1000,
):
  """Writes plates of one type with ezc3d; `force` is in our axes, `sign` -1 the action.

  The plate's own axes are given by its corners (+x+y, -x+y, -x-y, +x-y), z down as on most
  plates. `travel` is how far, in metres, the centre of pressure moves along our x in a contact.
  """
  # A plate's axes in ours, as columns: z down means that y is turned too.
  own = np.diag([1.0, -1.0, -1.0]) if plate_down else np.eye(3)
  group, channels, corners = {}, [], []
  for p in range(force.shape[1]):
    raw = sign * force[:, p] @ own  # in the plate's axes
    fz = force[:, p, 2]
    on = np.flatnonzero(fz > 0)
    pressure = np.zeros((len(t), 3))  # millimetres, in the plate's axes
    if len(on):
      pressure[on, 0] = 1000 * travel * np.linspace(-0.5, 0.5, len(on))
    moment = np.cross(pressure, raw)
    if kind == 1:
      channels += [*raw.T, pressure[:, 0], pressure[:, 1], np.zeros(len(t))]
    elif kind == 3:  # Fx12 Fx34 Fy14 Fy23 Fz1..4, in equal parts
      channels += [raw[:, 0] / 2] * 2 + [raw[:, 1] / 2] * 2 + [raw[:, 2] / 4] * 4
    elif kind == 4:  # in volts; the matrix below makes them newtons
      channels += [*(raw.T / 500), *(moment.T / 200)]
    else:
      channels += [*raw.T, *moment.T]
    square = np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]]) * [250, 200, 0]
    square = square @ own.T + [600 * p, 0, 0]
    corners.append(lab @ square.T)
  count = force.shape[1]
  group = {
    'USED': [count],
    'TYPE': [kind] * count,
    'CORNERS': np.stack(corners, -1),
    'ORIGIN': np.zeros((3, count)),
    'CHANNEL': np.arange(1, len(channels) + 1).reshape(count, -1).T,
  }
  if kind == 4:
    group['CAL_MATRIX'] = np.repeat(np.diag([500.0] * 3 + [200.0] * 3)[:, :, None], count, 2)
  c = ezc3d.c3d()
  parameters = c['parameters']
  parameters['POINT']['RATE']['value'] = [rate / 10]
  parameters['POINT']['UNITS']['value'] = ['mm']
  parameters['POINT']['LABELS']['value'] = ['marker']
  parameters['ANALOG']['RATE']['value'] = [rate]
  parameters['ANALOG']['LABELS']['value'] = [f'channel{i}' for i in range(len(channels))]
  c['data']['points'] = np.zeros((4, 1, len(t) // 10))
  c['data']['analogs'] = np.stack(channels)[None]
  c['header']['points']['first_frame'] = first
  for name, value in group.items():
    parameters['FORCE_PLATFORM'][name]['value'] = value
  if units:
    c.add_parameter('FORCE_PLATFORM', 'UNITS', units)
  change(c)
  c.write(str(path))
  return path
