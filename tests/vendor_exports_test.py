"""Tests of grfjax.io.text_forces on Vicon Nexus and Qualisys exports, known by their content."""

import dataclasses
import pathlib

import exports
import numpy as np
import pytest
from plates import LABS, two_steps

from grfjax import conventions, errors
from grfjax.io import laboratory_axes, opensim, recorded_forces, text_forces

REPORTS = pathlib.Path(__file__).parents[1] / '../shared/reports'
TIME, FORCE = two_steps(500)
COMMA_NOTE = 'The decimal mark is a comma.'
PLATE_NAMES = [
  ('Plate A', 'Plate B'),
  ('Imported AMTI OR6 Series Force Plate #1', 'Imported AMTI OR6 Series Force Plate #2'),
  ('Kistler', 'Kistler'),
  ('FP - left', 'FP - right'),
]


def _read(folder, text, name='f.csv', force_format='', encoding='utf-8'):
  (folder / name).write_bytes(text.encode(encoding))
  return text_forces.read(folder / name, force_format)


def _check(folder, forces, force=FORCE, tolerance=1e-3):
  assert forces.axes is recorded_forces.Axes.LABORATORY
  got, *_ = laboratory_axes.to_plate_axes('f', dataclasses.replace(forces, pressure=None), ())
  np.testing.assert_allclose(got, force, atol=tolerance)


def _refused(folder, text, code, line=None, column=None, **options):
  with pytest.raises(errors.InputError) as caught:
    _read(folder, text, **options)
  error = caught.value
  assert (error.code, error.line, error.column) == (code, line, column)
  assert error.file == str(folder / options.get('name', 'f.csv'))
  return str(error)


# --- Vicon Nexus


@pytest.mark.parametrize('names', PLATE_NAMES, ids=str)
@pytest.mark.parametrize(
  'groups', [('Force',), ('Force', 'Moment', 'CoP'), ('CoP', 'Moment', 'Force')], ids=str
)
def test_nexus(tmp_path, names, groups):
  forces = _read(tmp_path, exports.nexus(FORCE, names, groups))
  _check(tmp_path, forces)
  np.testing.assert_allclose(forces.force, -FORCE, atol=1e-3)
  np.testing.assert_allclose(forces.time_s, TIME)
  if 'CoP' in groups:
    np.testing.assert_allclose(forces.pressure[7], [[0.1, 0.25, 0], [0.101, 0.25, 0]])
  else:
    assert forces.pressure is None
  assert (forces.legs, forces.notes) == ((), ())


@pytest.mark.parametrize('names', [('Only',), ('B', 'A', 'C')])
def test_nexus_other_numbers_of_plates(tmp_path, names):
  force = FORCE[:, [0, 1, 0][: len(names)]]
  forces = _read(tmp_path, exports.nexus(force, names, rate=1200, each=12))
  _check(tmp_path, forces, force)
  np.testing.assert_allclose(forces.time_s, np.arange(1000) / 1200)


def test_nexus_columns_in_another_order(tmp_path):
  lines = [line.split(',') for line in exports.nexus(FORCE).split('\n')]
  lines = [[*cells[:2], *cells[4:1:-1], *cells[7:4:-1]] for cells in lines]
  lines[2] = ['', '', 'Plate A - Force', '', '', *['Plate B - Force'] * 3]
  _check(tmp_path, _read(tmp_path, '\n'.join(','.join(cells) for cells in lines)))


@pytest.mark.parametrize('lab', LABS)
@pytest.mark.parametrize('sign', [1.0, -1.0])
def test_nexus_in_any_laboratory(tmp_path, lab, sign):
  _check(tmp_path, _read(tmp_path, exports.nexus(FORCE, lab=LABS[lab], sign=sign)))


@pytest.mark.parametrize(
  ('options', 'notes'),
  [
    ({'separator': ';'}, ()),
    ({'separator': '\t'}, ()),
    ({'unit': 'kN', 'decimals': 7}, ('Forces are in kN; they are multiplied by 1,000.',)),
    ({'more': [('EMG2000 - Voltage', 'Fx', 'V'), ('', 'IM EMG2', 'V')]}, ()),
    ({'more': [('Plate A - Raw', 'Fx', 'V'), ('', 'Fy', 'V'), ('', 'Fz', 'V')]}, ()),
  ],
)
def test_nexus_separators_units_and_other_devices(tmp_path, options, notes):
  force = FORCE / 1000 if options.get('unit') == 'kN' else FORCE
  forces = _read(tmp_path, exports.nexus(force, **options))
  _check(tmp_path, forces)
  assert forces.notes == notes


def test_nexus_with_a_block_of_other_devices_before_the_plates(tmp_path):
  emg = ['Devices', '2000', ',,EMG 1 - Voltage', 'Frame,Sub Frame,IM EMG1', ',,V']
  emg += [f'{k // 20 + 1},{k % 20},0.001' for k in range(40)]
  _check(tmp_path, _read(tmp_path, exports.nexus(FORCE, before=[*emg, ''])))


def test_nexus_with_decimal_commas(tmp_path):
  text = exports.nexus(FORCE, separator=';').replace('.', ',')
  forces = _read(tmp_path, text)
  _check(tmp_path, forces)
  assert forces.notes == (COMMA_NOTE,)


OTHER = ['100', ',,A:Hip,,', 'Frame,Sub Frame,X,Y,Z', ',,deg,deg,deg', '1,0,1,2,3', '2,0,1,2,3']


@pytest.mark.parametrize(
  'change',
  [
    lambda s: s.replace('\n', '\r\n'),
    lambda s: '\ufeff' + s,
    lambda s: s.replace('\n', ',\n'),
    lambda s: s.replace('Devices', '"Devices"'),
    lambda s: s.replace('500\n', '500.000000\n', 1),
    lambda s: s.replace('Fx', 'X').replace('Fy', 'Y').replace('Fz', 'Z'),
    lambda s: s.replace('Fx', 'FX1').replace('Fy', 'f_y').replace('Fz', 'F z'),
    lambda s: s.replace(' - Force', ''),
    lambda s: s.replace('Plate A - Force', '"Plate 1, first - Force"'),
    lambda s: s + '\n\n,,,,\n',
    lambda s: '\n'.join(['Joints', *OTHER, '', s]),
    lambda s: '\n'.join([s, 'Model Outputs', *OTHER, '', 'Trajectories', *OTHER, '']),
    lambda s: '\n'.join([s.rstrip(), 'Trajectories', *OTHER, '']),
    lambda s: s.replace('\n9,0,', '\n\n9,0,'),
  ],
)
def test_what_stands_around_a_nexus_block(tmp_path, change):
  _check(tmp_path, _read(tmp_path, change(exports.nexus(FORCE))))


def test_nexus_utf_16_and_by_name(tmp_path):
  _check(tmp_path, _read(tmp_path, exports.nexus(FORCE), encoding='utf-16'))
  _check(tmp_path, _read(tmp_path, exports.nexus(FORCE), force_format='nexus'))


@pytest.mark.parametrize(
  ('each', 'first', 'starts'),
  [(10, (1, 0), 0.0), (10, (101, 0), 2.0), (10, (5, 3), 43 / 500),
   (1, (201, 0), 0.4), (4, (3, 1), 0.018)],
)  # fmt: skip
def test_nexus_counts_time_as_c3d_does(tmp_path, each, first, starts):
  """(frame - 1) / camera rate + sub frame / rate; the camera rate is 500 / each."""
  forces = _read(tmp_path, exports.nexus(FORCE, each=each, first=first))
  np.testing.assert_allclose(forces.time_s, starts + TIME)


@pytest.mark.parametrize(
  ('change', 'code', 'line', 'column'),
  [
    (lambda s: s.replace('500\n', 'fast\n', 1), 'force.nexus', 2, None),
    (lambda s: s.replace('500\n', '0\n', 1), 'force.rate', 2, None),
    (lambda s: s.replace('500\n', '25\n', 1), 'force.rate', 2, None),
    (lambda s: s + s, 'force.nexus', 1007, None),
    (lambda s: s.replace(',N,', ',V,'), 'force.unit', 5, 'Fx'),
    (lambda s: s.replace('Fy', 'Gy', 1), 'table.missing_column', 4, None),
    (lambda s: s.replace('Fx', 'a').replace('Fy', 'b').replace('Fz', 'c'),
     'table.missing_column', 3, None),
    (lambda s: s.replace('- Force', '- Volts').replace(',N', ',V'),
     'table.missing_column', 3, None),
    (lambda s: s.replace('\n9,0,', '\nhello\n9,0,'), 'table.cell_count', 86, None),
    (lambda s: s.replace('\n9,0,', '\n9,1,'), 'force.time_gap', 86, 'Frame'),
    (lambda s: s.replace('\n9,0,', '\n9,x,'), 'table.not_a_number', 86, 'Sub Frame'),
    (lambda s: '\n'.join([*s.split('\n')[:85], *s.split('\n')[86:]]),
     'force.time_gap', 86, 'Frame'),
    (lambda s: '\n'.join(s.split('\n')[:9]), 'force.too_short', None, None),
  ],
)  # fmt: skip
def test_nexus_faults(tmp_path, change, code, line, column):
  text = exports.nexus(FORCE)
  assert change(text) != text
  _refused(tmp_path, change(text), code, line, column)


def test_nexus_named_for_another_file(tmp_path):
  _refused(tmp_path, exports.qualisys(FORCE), 'force.nexus', force_format='nexus')
  _refused(tmp_path, exports.nexus(FORCE), 'force.qualisys', force_format='qualisys')
  _refused(tmp_path, exports.nexus(FORCE), 'force.rate', force_format='nexus:1000')


# --- Qualisys

LONG = ['SAMPLE', 'TIME', *(f'{what}_{a}' for what in ('Force', 'Moment', 'COP') for a in 'XYZ')]


@pytest.mark.parametrize('plate', [0, 1])
def test_qualisys(tmp_path, plate):
  forces = _read(tmp_path, exports.qualisys(FORCE, plate), 'f.tsv')
  np.testing.assert_allclose(forces.force, FORCE[:, plate : plate + 1], atol=1e-4)
  np.testing.assert_allclose(forces.time_s, TIME)
  assert forces.axes is recorded_forces.Axes.LABORATORY
  assert (forces.pressure, forces.legs, forces.notes) == (None, (), ())


@pytest.mark.parametrize(
  ('options', 'change'),
  [
    ({'columns': LONG}, str),
    ({'columns': LONG[::-1]}, str),
    ({'columns': LONG}, lambda s: s.replace('\n', '\r\n')),
    ({'columns': LONG}, lambda s: '\ufeff' + s.replace('\n', '\t\n')),
    ({'columns': LONG}, lambda s: s.replace('.', ',')),
    ({'columns': LONG}, lambda s: s.replace('100.00000', 'nan', 1)),
    ({}, lambda s: s.replace('Force_', 'FORCE_')),
    ({}, lambda s: s.replace('\t', ',')),
    ({}, lambda s: s + '\n\t\t\n'),
    (
      {'keys': ['FREQUENCY\t500.000000', 'TIME_STAMP\t2026-01-01, 10:00:00\t12.5', 'EXTRA\tx',
                'DESCRIPTION\t--', 'NO_OF_SAMPLES\t{count}', 'FORCE_PLATE_NAME\tForce_plate_1']},
      str,
    ),
  ],
)  # fmt: skip
def test_qualisys_variants(tmp_path, options, change):
  forces = _read(tmp_path, change(exports.qualisys(FORCE, **options)))
  np.testing.assert_allclose(forces.force, FORCE[:, :1], atol=1e-4)
  np.testing.assert_allclose(forces.time_s, TIME)
  if options.get('columns'):
    np.testing.assert_allclose(forces.pressure[-1], [[0.1, 0.2, 0.0]])


def test_qualisys_without_time(tmp_path):
  columns = ['SAMPLE', 'Force_X', 'Force_Y', 'Force_Z']
  text = exports.qualisys(FORCE, columns=columns)
  note = 'There is no column TIME; sample 1 is taken to be at 0 s, at 500 Hz.'
  forces = _read(tmp_path, text)
  np.testing.assert_allclose(forces.time_s, TIME)
  assert forces.notes == (note,)
  forces = _read(tmp_path, exports.qualisys(FORCE, columns=columns[1:]))
  np.testing.assert_allclose(forces.time_s, TIME)
  lines = text.split('\n')
  later = '\n'.join([*lines[:4], *lines[54:]]).replace('\t1000\n', '\t950\n', 1)
  np.testing.assert_allclose(_read(tmp_path, later).time_s, TIME[50:])


def test_qualisys_times_that_are_rounded(tmp_path):
  text = exports.qualisys(FORCE).replace('\t500\n', '\t480\n', 1)
  lines = text.split('\n')
  rows = [line.split('\t') for line in lines[4:-1]]
  rows = ['\t'.join([r[0], f'{k / 480:.3f}', *r[2:]]) for k, r in enumerate(rows)]
  forces = _read(tmp_path, '\n'.join([*lines[:4], *rows]))
  np.testing.assert_allclose(forces.time_s, np.arange(1000) / 480)


def test_qualisys_forces_in_the_axes_of_the_plate(tmp_path):
  """Plate axes z down, x along the laboratory's -y; the corners say so."""
  turn = np.array([[0.0, -1, 0], [-1, 0, 0], [0, 0, -1]])  # rows: the plate's axes
  corner = {'POSX_POSY': (1, 1), 'NEGX_POSY': (-1, 1), 'NEGX_NEGY': (-1, -1), 'POSX_NEGY': (1, -1)}
  keys = ['NO_OF_SAMPLES\t{count}', 'FREQUENCY\t500']
  keys += ['DESCRIPTION\tForce data in local (force plate) coordinates']
  for name, (x, y) in corner.items():
    place = np.array([300 * x, 200 * y, 0]) @ turn + [1000, 500, 0]
    keys += [f'FORCE_PLATE_CORNER_{name}_{a}\t{v}' for a, v in zip('XYZ', place, strict=True)]
  text = exports.qualisys(FORCE @ turn.T, columns=LONG, keys=keys)
  forces = _read(tmp_path, text)
  np.testing.assert_allclose(forces.force, FORCE[:, :1], atol=1e-4)
  np.testing.assert_allclose(forces.pressure[5, 0], [0.8, 0.4, 0.0])
  assert len(forces.notes) == 1
  assert 'turned' in forces.notes[0]
  _refused(tmp_path, text.replace('_CORNER_POSX_POSY_X', '_'), 'force.qualisys')


@pytest.mark.parametrize(
  ('change', 'code', 'line', 'column'),
  [
    (lambda s: s.replace('S\t1000', 'S\t1001'), 'force.qualisys', None, None),
    (lambda s: s.rsplit('\n', 2)[0] + '\n', 'force.qualisys', None, None),
    (lambda s: s.replace('FREQUENCY', 'F'), 'force.qualisys', None, None),
    (lambda s: s.replace('Y\t500', 'Y\tx'), 'force.qualisys', 2, None),
    (lambda s: s.replace('Y\t500', 'Y\t1000'), 'force.qualisys', 6, 'TIME'),
    (lambda s: s.replace('Y\t500', 'Y\t5'), 'force.rate', 2, None),
    (lambda s: s.replace('Force_Y', 'Gorce_Y'), 'table.missing_column', 4, None),
    (lambda s: s.replace('SAMPLE\t', 'TIME\t'), 'table.duplicate_column', 4, 'TIME'),
    (lambda s: s.replace('Force_', 'Power_'), 'force.qualisys', None, None),
    (lambda s: s.replace('\t0.09600', '\t0.19600'), 'force.time_order', 54, 'TIME'),
    (lambda s: s.replace('\t0.09600', '\tx'), 'table.not_a_number', 53, 'TIME'),
    (lambda s: s.replace('\t0.09600\t', '\t'), 'table.cell_count', 53, None),
  ],
)  # fmt: skip
def test_qualisys_faults(tmp_path, change, code, line, column):
  text = exports.qualisys(FORCE)
  assert change(text) != text
  _refused(tmp_path, change(text), code, line, column, name='f.tsv')


def test_qualisys_samples_that_are_missing(tmp_path):
  text = exports.qualisys(FORCE, columns=['SAMPLE', 'Force_X', 'Force_Y', 'Force_Z'])
  text = text.replace('\n50\t', '\n51\t')
  _refused(tmp_path, text, 'force.time_gap', 54, 'SAMPLE')


# --- files in the manner of reports


def test_reported_exports_against_the_reference():
  if not REPORTS.exists():
    pytest.skip('../shared is not here')
  reference = opensim.read(REPORTS / 'reference.mot')
  time_s, force = reference.time_s, conventions.opensim_to_plates(reference.force)
  forces = text_forces.read(REPORTS / 'nexus_device_export.csv')
  np.testing.assert_allclose(forces.force, -force, atol=1e-9)  # the action on the plates
  np.testing.assert_allclose(forces.time_s, time_s - time_s[0], atol=1e-9)
  forces = text_forces.read(REPORTS / 'qualisys_f_1.tsv')
  np.testing.assert_allclose(forces.force, force[:, :1], atol=1e-9)
  np.testing.assert_allclose(forces.time_s, time_s - time_s[0], atol=1e-9)
