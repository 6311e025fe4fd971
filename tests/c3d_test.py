"""Tests of grfjax.io.c3d: plates in any laboratory's axes, and files that crash or hang ezc3d."""

import logging
import os
import pathlib
import signal
import subprocess
import sys

import ezc3d
import numpy as np
import pytest
from plates import LABS, axes, two_steps, write_c3d

from grfjax.io import c3d, c3d_process, force_files, laboratory_axes

# --- files that can be used


@pytest.mark.parametrize('lab', LABS)
@pytest.mark.parametrize('kind', [1, 2, 3, 4])
def test_c3d(tmp_path, kind, lab):
  t, force = two_steps()
  got = force_files.read(
    write_c3d(tmp_path / 'f.c3d', t, force, kind, LABS[lab]), ('left', 'right')
  )
  np.testing.assert_allclose(got.time_s, t, atol=1e-9)
  np.testing.assert_allclose(got.force, force, atol=1e-3)  # C3D holds float32


@pytest.mark.parametrize('lab', ['along -y', 'y up, along x'])
@pytest.mark.parametrize('plate_down', [True, False])
@pytest.mark.parametrize('sign', [1, -1])
def test_c3d_with_action_or_reaction(tmp_path, lab, plate_down, sign):
  t, force = two_steps()
  path = write_c3d(tmp_path / 'f.c3d', t, force, lab=LABS[lab], sign=sign, plate_down=plate_down)
  np.testing.assert_allclose(force_files.read(path).force, force, atol=1e-3)


def test_c3d_cut_out_of_a_recording_keeps_its_clock(tmp_path):
  t, force = two_steps()
  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force, first=25))
  np.testing.assert_allclose(got.time_s, t + 0.25, atol=1e-9)


@pytest.mark.parametrize(('unit', 'newtons'), [('N', 1), ('kN', 1000), ('lbf', 4.4482216)])
def test_c3d_units(tmp_path, unit, newtons):
  t, force = two_steps()
  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force / newtons * 2, units=[unit, 'Nmm']))
  np.testing.assert_allclose(got.force, force * 2, atol=1e-2)


def test_c3d_units_of_channels(tmp_path):
  t, force = two_steps()

  def change(c):
    c['parameters']['ANALOG']['UNITS']['value'] = ['kN'] * 12

  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force / 1000, change=change))
  np.testing.assert_allclose(got.force, force, atol=1e-3)


def test_c3d_by_the_centre_of_pressure(tmp_path):
  """Without braking and propulsion, heel to toe tells the way."""
  t, force = two_steps()
  force *= [0, 1, 1]
  path = write_c3d(tmp_path / 'f.c3d', t, force, lab=LABS['along -y'], travel=0.2)
  np.testing.assert_allclose(force_files.read(path).force, force, atol=1e-3)
  error = _refused(write_c3d(path, t, force, travel=0.01), 'force.direction')
  assert 'cannot tell which way the walk goes' in str(error)


def test_c3d_where_force_and_pressure_disagree(tmp_path, caplog):
  t, force = two_steps()
  path = write_c3d(tmp_path / 'f.c3d', t, force, travel=-0.2)
  with caplog.at_level(logging.WARNING):
    got = force_files.read(path)
  np.testing.assert_allclose(got.force, force, atol=1e-3)
  assert 'the forces are believed' in caplog.text


def test_c3d_walked_obliquely(tmp_path):
  t, force = two_steps()
  a = np.deg2rad(40)
  lab = axes([np.cos(a), np.sin(a), 0], [0, 0, 1])
  path = write_c3d(tmp_path / 'f.c3d', t, force, lab=lab, travel=0.2)
  assert 'along one axis' in str(_refused(path, 'force.direction'))


def test_rotation_is_a_rotation():
  for axis in (0, 1):
    for sign in (1, -1):
      turn = laboratory_axes.rotation((axis, sign))
      assert np.linalg.det(turn) == pytest.approx(1)
      np.testing.assert_allclose(turn @ (np.eye(3)[axis] * sign), [1, 0, 0])


# --- files that cannot be used


@pytest.fixture(scope='module')
def good(tmp_path_factory):
  """The bytes of a good file."""
  t, force = two_steps()
  return write_c3d(tmp_path_factory.mktemp('c3d') / 'good.c3d', t, force).read_bytes()


def _refused(path, code, reader=force_files.read):
  with pytest.raises(ValueError) as caught:
    reader(path)
  assert caught.value.code == code
  return caught.value


def test_what_is_no_c3d(tmp_path, good):
  path = tmp_path / 'f.c3d'
  for data in (b'', b'\x02', b'time_s,fx_1\n' * 100, bytes(len(good)), good[:511]):
    path.write_bytes(data)
    error = _refused(path, 'c3d.not_c3d')
    assert type(error) is force_files.ForceError
    assert error.file == str(path)
    assert str(error).startswith(f'{path}: is not a C3D file')


@pytest.mark.parametrize('size', [512, 600, 5000, -1])
def test_a_file_that_is_cut_short(tmp_path, good, size):
  path = tmp_path / 'f.c3d'
  cut = good.rstrip(b'\0')[:size]  # the last block may be padded
  path.write_bytes(cut)
  error = _refused(path, 'c3d.truncated')
  assert f'found {len(cut)} bytes, expected ' in str(error)


def test_a_header_that_promises_more_frames_than_there_are(tmp_path, good):
  path = tmp_path / 'f.c3d'
  data = bytearray(good)
  data[8:10] = (60_000).to_bytes(2, 'little')  # word 5: the last frame
  path.write_bytes(data)
  _refused(path, 'c3d.truncated')


def _with_parameter(path, name, value):
  def change(file):
    file['parameters']['FORCE_PLATFORM'][name]['value'] = value

  t, force = two_steps()
  return write_c3d(path, t, force, change=change)


@pytest.mark.parametrize(
  ('name', 'value', 'code', 'message'),
  [
    ('USED', [0], 'c3d.no_plates', 'holds no force plates (FORCE_PLATFORM:USED)'),
    (
      'TYPE', [2, 6], 'c3d.plate_type',
      'FORCE_PLATFORM:TYPE is [2, 6] for 2 plates, expected types 1 to 4',
    ),
    (
      'TYPE', [2, 0], 'c3d.plate_type',
      'FORCE_PLATFORM:TYPE is [2, 0] for 2 plates, expected types 1 to 4',
    ),
    (
      'TYPE', [2], 'c3d.plate_type',
      'FORCE_PLATFORM:TYPE is [2] for 2 plates, expected types 1 to 4',
    ),
    (
      'CHANNEL', np.arange(1, 7).reshape(1, 6).T, 'c3d.channels',
      'FORCE_PLATFORM:CHANNEL does not list 2 plates',
    ),
    (
      'CHANNEL', np.arange(2, 14).reshape(2, 6).T, 'c3d.channels',
      'FORCE_PLATFORM:CHANNEL of plate 2 is [8, 9, 10, 11, 12, 13], expected 6 channels '
      'from 1 to 12',
    ),
    (
      'CHANNEL', np.arange(12).reshape(2, 6).T, 'c3d.channels',
      'FORCE_PLATFORM:CHANNEL of plate 1 is [0, 1, 2, 3, 4, 5], expected 6 channels '
      'from 1 to 12',
    ),
  ],
)  # fmt: skip
def test_plates_that_cannot_be_read(tmp_path, name, value, code, message):
  path = _with_parameter(tmp_path / 'f.c3d', name, value)
  assert str(_refused(path, code)) == f'{path}: {message}'
  assert str(_refused(path, code, c3d.read)) == message


def _without(name):
  def change(file):
    del file['parameters']['FORCE_PLATFORM'][name]

  return change


def _with(name, alter, group='FORCE_PLATFORM'):
  """Changes a parameter's values, and its type to theirs."""

  def change(file):
    parameter = file['parameters'][group].setdefault(
      name, {'value': [], 'description': '', 'is_locked': False}
    )
    value = alter(np.asarray(parameter['value']))
    kind = np.asarray(value).dtype.kind
    parameter['value'] = value if kind == 'U' else np.asarray(value)
    parameter['type'] = {'U': ezc3d.ezc3d.CHAR, 'i': ezc3d.ezc3d.INT, 'f': ezc3d.ezc3d.FLOAT}[kind]

  return change


def _as_floats(file):
  for name in ('USED', 'TYPE', 'ZERO', 'CHANNEL'):
    _with(name, lambda v: v.astype(float))(file)


CORNERS_UNORDERED = [0, 2, 1, 3]


@pytest.mark.parametrize(
  'change',
  [
    _as_floats,
    _with('USED', lambda v: v.astype(float)),
    _with('TYPE', lambda v: v.astype(float)),
    _with('TYPE', lambda v: np.append(v, 9)),  # of a plate that is not used
    _with('ZERO', lambda v: np.array([1.5, np.nan, 7])),  # ezc3d does not read it
    _without('ZERO'),
    _with('CHANNEL', lambda v: v.astype(float)),
    _with('CHANNEL', lambda v: np.vstack([v, v[:2]])),  # the first 6 count
    _with('CHANNEL', lambda v: np.hstack([v, v[:, :1]])),
    _with('CORNERS', lambda v: v.round().astype(int)),
    _with('ORIGIN', lambda v: v.astype(int)),
    _with('CAL_MATRIX', lambda v: np.ones((2, 2, 2), int)),  # type 2 needs none
    _with('CAL_MATRIX', lambda v: ['none', 'none']),
    _without('CAL_MATRIX'),
  ],
)
def test_parameters_stored_otherwise(tmp_path, change):
  t, force = two_steps()
  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force, change=change), ('left', 'right'))
  np.testing.assert_allclose(got.force, force, atol=1e-3)


@pytest.mark.parametrize('kind', [1, 3, 4])
def test_floats_for_each_type_of_plate(tmp_path, kind):
  t, force = two_steps()
  path = write_c3d(tmp_path / 'f.c3d', t, force, kind, LABS['along -y'], change=_as_floats)
  np.testing.assert_allclose(force_files.read(path).force, force, atol=1e-3)


def test_one_plate_without_the_dimension_of_plates(tmp_path):
  t, force = two_steps()

  def change(file):
    for name, shape in (('CHANNEL', (6,)), ('CORNERS', (3, 4)), ('ORIGIN', (3,))):
      _with(name, lambda v, shape=shape: v.reshape(shape).astype(float))(file)

  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force[:, :1], change=change), ['left'])
  np.testing.assert_allclose(got.force, force[:, :1], atol=1e-3)


@pytest.mark.parametrize(
  ('change', 'code', 'message'),
  [
    (_without('USED'), 'c3d.no_plates', 'holds no force plates'),
    (_with('USED', lambda v: [2.5]), 'c3d.parameter', 'USED is [2.5], expected one whole number'),
    (_with('USED', lambda v: [-1]), 'c3d.parameter', 'USED is [-1], expected one whole number'),
    (_with('USED', lambda v: [2, 0]), 'c3d.parameter', 'USED is [2, 0], expected one whole'),
    (_with('USED', lambda v: [np.nan]), 'c3d.parameter', 'USED is [nan], expected numbers'),
    (_with('USED', lambda v: ['two']), 'c3d.parameter', "USED is ['two'], expected numbers"),
    (_with('USED', lambda v: [3]), 'c3d.plate_type', 'TYPE is [2, 2] for 3 plates'),
    (_without('TYPE'), 'c3d.plate_type', 'TYPE is [] for 2 plates'),
    (_with('TYPE', lambda v: [2, 2.5]), 'c3d.plate_type', 'TYPE is [2.0, 2.5] for 2 plates'),
    (_with('TYPE', lambda v: ['2', '2']), 'c3d.parameter', "TYPE is ['2', '2'], expected numbers"),
    (_without('CHANNEL'), 'c3d.channels', 'CHANNEL does not list 2 plates'),
    (_with('CHANNEL', np.ravel), 'c3d.channels', 'CHANNEL does not list 2 plates'),
    (_with('CHANNEL', np.transpose), 'c3d.channels', 'of plate 1 is [1, 7], expected 6 channels'),
    (_with('CHANNEL', lambda v: v[:5]), 'c3d.channels', 'is [1, 2, 3, 4, 5], expected 6'),
    (_with('CHANNEL', lambda v: v + 0.5), 'c3d.channels', 'of plate 1 is [1.5, 2.5,'),
    (_with('CHANNEL', lambda v: v[..., None]), 'c3d.channels', 'CHANNEL does not list 2 plates'),
    (_without('CORNERS'), 'c3d.parameter', 'CORNERS is missing or empty, expected 3x4x2'),
    (_with('CORNERS', np.ravel), 'c3d.parameter', 'CORNERS is 24, expected 3x4x2'),
    (_with('CORNERS', np.transpose), 'c3d.parameter', 'CORNERS is 2x4x3, expected 3x4x2'),
    (_with('CORNERS', lambda v: v[..., :1]), 'c3d.parameter', 'CORNERS is 3x4x1, expected 3x4x2'),
    (_with('CORNERS', lambda v: v * np.nan), 'c3d.parameter', 'expected numbers'),
    (_with('CORNERS', lambda v: v * [0, 1]), 'c3d.parameter', 'CORNERS of plate 1 are [[0, 0, 0]'),
    (
      _with('CORNERS', lambda v: v[:, CORNERS_UNORDERED]), 'c3d.parameter',
      'expected the corners of a rectangle in order',
    ),
    (_without('ORIGIN'), 'c3d.parameter', 'ORIGIN is missing or empty, expected 3x2'),
    (_with('ORIGIN', np.ravel), 'c3d.parameter', 'ORIGIN is 6, expected 3x2'),
  ],
)  # fmt: skip
def test_parameters_that_cannot_be_used(tmp_path, change, code, message):
  path = write_c3d(tmp_path / 'f.c3d', *two_steps(), change=change)
  assert message in str(_refused(path, code))


@pytest.mark.parametrize('matrix', [None, np.zeros(0), np.ones((3, 3, 2)), np.ones((6, 6, 1))])
def test_a_calibration_that_a_type_4_plate_lacks(tmp_path, matrix):
  change = _without('CAL_MATRIX') if matrix is None else _with('CAL_MATRIX', lambda v: matrix)
  path = write_c3d(tmp_path / 'f.c3d', *two_steps(), kind=4, change=change)
  assert 'FORCE_PLATFORM:CAL_MATRIX is ' in str(_refused(path, 'c3d.parameter'))


@pytest.mark.parametrize(
  ('channels', 'named'),
  [
    ([[1, 2, 3, 4, 5, 6]] * 2, 'channel 1, 2, 3, 4, 5, 6 more than once, for plate 1 and 2;'),
    ([[1, 2, 3, 4, 5, 6], [7, 8, 3, 10, 11, 12]], 'channel 3 more than once, for plate 1 and 2;'),
    ([[1.0, 2, 3, 4, 5, 6], [6, 7, 8, 9, 10, 11]], 'channel 6 more than once, for plate 1 and 2;'),
    ([[1, 2, 3, 4, 5, 6], [7, 8, 8, 10, 11, 12]], 'channel 8 more than once, for plate 2;'),
  ],
)
def test_channels_that_plates_share(tmp_path, channels, named):
  path = _with_parameter(tmp_path / 'f.c3d', 'CHANNEL', np.array(channels).T)
  assert named in str(_refused(path, 'c3d.shared_channels'))


def test_reported_files():
  reports = pathlib.Path(__file__).parents[1] / '../shared/reports'
  if not reports.exists():
    pytest.skip('../shared is not here')
  reference = force_files.read(reports / 'reference.c3d', ('left', 'right'))
  got = force_files.read(reports / 'used_is_float.c3d', ('left', 'right'))
  np.testing.assert_array_equal(got.time_s, reference.time_s)
  np.testing.assert_array_equal(got.force, reference.force)
  _refused(reports / 'same_channels.c3d', 'c3d.shared_channels')


def test_units_that_are_no_text(tmp_path):
  t, force = two_steps()
  change = _with('UNITS', lambda v: np.ones(12), 'ANALOG')
  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force, change=change))
  np.testing.assert_allclose(got.force, force, atol=1e-3)
  path = write_c3d(tmp_path / 'f.c3d', t, force, change=_with('UNITS', lambda v: np.ones(2)))
  assert 'FORCE_PLATFORM:UNITS is [1, 1], expected text' in str(_refused(path, 'c3d.parameter'))


def test_samples_units_and_rates(tmp_path):
  t, force = two_steps()
  path = tmp_path / 'f.c3d'

  def not_finite(file):
    file['data']['analogs'][0, 8, 77] = np.nan

  write_c3d(path, t, force, change=not_finite)
  assert 'sample 78 of plate 2 is not finite' in str(_refused(path, 'force.not_finite'))
  write_c3d(path, t, force, units=['dyn', 'Nmm'])
  assert "UNITS is 'dyn', expected N" in str(_refused(path, 'force.unit'))
  write_c3d(path, t[::25], force[::25], rate=40)
  assert 'analog rate of 40 Hz' in str(_refused(path, 'force.rate'))
  write_c3d(path, t, 0 * force)
  assert 'no plate ever carries 20 N' in str(_refused(path, 'force.no_load'))


def test_no_such_file_and_a_folder(tmp_path):
  _refused(tmp_path / 'none.c3d', 'recording.no_file')
  (tmp_path / 'f.c3d').mkdir()
  _refused(tmp_path / 'f.c3d', 'recording.unreadable_file')


# --- the other process


@pytest.fixture
def stand_in(tmp_path, monkeypatch, good):
  """Puts a program in place of the other process, and gives the path of a good file."""

  def put(program):
    script = tmp_path / 'stand_in.py'
    script.write_text('import os, signal, sys, time\n' + program)
    monkeypatch.setattr(c3d_process, '__file__', str(script))
    path = tmp_path / 'f.c3d'
    path.write_bytes(good)
    return path

  return put


@pytest.mark.parametrize('name', ['SIGSEGV', 'SIGABRT', 'SIGKILL'])
def test_a_process_that_dies_is_an_error(stand_in, name):
  path = stand_in(f'os.kill(os.getpid(), signal.{name})')
  error = _refused(path, 'c3d.damaged')
  assert str(error) == (
    f'{path}: is damaged: reading it ended with signal {getattr(signal, name).value}'
  )


def test_a_process_that_hangs_is_an_error(stand_in, monkeypatch):
  path = stand_in('time.sleep(60)')
  monkeypatch.setattr(c3d, '_TIMEOUT_S', 0.5)
  monkeypatch.setattr(c3d, '_TIMEOUT_S_PER_MEGABYTE', 0)
  assert 'is damaged: not read after 0 s' in str(_refused(path, 'c3d.timeout'))


@pytest.mark.parametrize(
  ('program', 'code', 'message'),
  [
    ("sys.exit('[c3d.channels] no channel')", 'c3d.channels', 'no channel'),
    ("sys.exit('first\\nlast')", 'c3d.unreadable', 'last'),
    ("sys.exit('x' * 1000)", 'c3d.unreadable', 'x' * 300),
    ('sys.exit(1)', 'c3d.unreadable', 'cannot be read as C3D'),
    ("print('chatter')", 'c3d.unreadable', 'cannot be read as C3D'),
  ],
)
def test_what_the_process_reports(stand_in, program, code, message):
  assert str(_refused(stand_in(program), code, c3d.read)) == message


@pytest.mark.parametrize('answer', ["b'not arrays'", "b'PK\\x03\\x04'"])
def test_an_answer_that_is_garbled(stand_in, answer):
  program = f'sys.stdout.buffer.write({c3d_process.MARK!r} + {answer})'
  _refused(stand_in(program), 'c3d.unreadable', c3d.read)


def test_the_process_has_a_limit_of_memory(tmp_path, monkeypatch, good):
  path = tmp_path / 'f.c3d'
  path.write_bytes(good)
  monkeypatch.setattr(c3d, '_MEMORY_MEGABYTES', 64)  # less than numpy and ezc3d need
  monkeypatch.setattr(c3d, '_MEMORY_PER_MEGABYTE', 0)
  with pytest.raises(c3d.C3DError):
    c3d.read(path)


def test_the_process_needs_nothing_of_grfjax_and_nobody_else_needs_ezc3d(tmp_path, good):
  path = tmp_path / 'f.c3d'
  path.write_bytes(good)
  command = [sys.executable, '-P', c3d_process.__file__, str(path), '1024']
  environment = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
  process = subprocess.run(
    command, capture_output=True, check=True, cwd=tmp_path, env=environment
  )  # fmt: skip
  assert process.stdout.startswith(c3d_process.MARK)
  reading = 'import pathlib, sys\nfrom grfjax.io import c3d\n'
  reading += f'c3d.read(pathlib.Path({str(path)!r}))\nassert "ezc3d" not in sys.modules'
  root = pathlib.Path(__file__).parents[1]
  subprocess.run([sys.executable, '-c', reading], check=True, cwd=root)
