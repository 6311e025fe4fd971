"""Tests of grfjax.io.force_files on CSV and MOT files written here; C3D has c3d_test."""

import csv
import logging
import pathlib
import re

import numpy as np
import pytest
from plates import LABS, axes, two_steps, write_c3d, write_csv, write_mot

from grfjax.io import force_files

BOTH = ('left', 'right')
REALGAIT = pathlib.Path(__file__).parents[1] / '../shared/realgait'


def _refused(code, path, legs=(), line=None, column=None):
  """Reads what must be refused with this code and place; returns the message."""
  with pytest.raises(force_files.ForceError) as caught:
    force_files.read(path, legs)
  error = caught.value
  assert (error.code, error.file, error.line, error.column) == (code, str(path), line, column)
  return str(error)


# --- CSV


@pytest.mark.parametrize(('separator', 'newline'), [(',', '\n'), (',', '\r\n'), (';', '\r\n')])
def test_csv(tmp_path, separator, newline):
  t, force = two_steps()
  got = force_files.read(write_csv(tmp_path / 'f.csv', t, force, separator, newline), BOTH)
  assert got.time_s.dtype == got.force.dtype == np.float64
  np.testing.assert_allclose(got.time_s, t, atol=1e-9)
  np.testing.assert_allclose(got.force, force, atol=6e-4)


def test_csv_with_bom_other_order_more_columns_quotes_and_blank_lines(tmp_path):
  t, force = two_steps(100)

  def shuffle(rows):
    rows = [
      ['note', *r[::-1]] if i == 0 else ['x', *(f'"{v}"' for v in r[::-1])]
      for i, r in enumerate(rows)
    ]
    return [*rows, [], [',' * 7]]

  path = write_csv(tmp_path / 'F.CSV', t, force, change=shuffle)
  path.write_bytes(b'\xef\xbb\xbf' + path.read_bytes())
  np.testing.assert_allclose(force_files.read(path).force, force, atol=6e-4)


def _inwards(force):
  """The forces of `two_steps`, but the floor pushes the feet inwards, as it does real ones."""
  return force * [1, -1, 1]


@pytest.mark.parametrize(
  ('axes', 'said'),
  [
    ([[1, 0, 0], [0, 1, 0]], ''),
    ([[-1, 0, 0], [0, -1, 0]], 'turned about the vertical'),
    ([[0, -1, 0], [1, 0, 0]], 'turned about the vertical'),
    ([[0, 1, 0], [-1, 0, 0]], 'turned about the vertical'),
    ([[0, 1, 0], [1, 0, 0]], 'exchanged or mirrored back'),
    ([[0, -1, 0], [-1, 0, 0]], 'exchanged or mirrored back'),
    ([[-1, 0, 0], [0, 1, 0]], 'exchanged or mirrored back'),
  ],
  ids=['as documented', '-x', '-y', '+y', 'exchanged', 'exchanged and turned', 'x mirrored'],
)
def test_csv_is_turned_forward_by_braking_and_left_by_the_inward_push(tmp_path, axes, said, caplog):
  t, force = two_steps()
  force = _inwards(force)
  path = write_csv(tmp_path / 'f.csv', t, force @ np.array([*axes, [0, 0, 1]]).T)
  with caplog.at_level(logging.WARNING, logger='absl'):
    got = force_files.read(path, BOTH)
  np.testing.assert_allclose(got.force, force, atol=6e-4)
  assert bool(caplog.records) == bool(said) == bool(got.notes)
  assert all(str(path) in note and said in note for note in got.notes)


def test_csv_whose_direction_nothing_decides(tmp_path):
  t, force = two_steps()
  # Nobody says which legs they are, so y may be to the left or to the right.
  path = write_csv(tmp_path / 'f.csv', t, force[..., [1, 0, 2]])
  assert 'turned or exchanged' in _refused('force.direction', path)
  # Aslant, so neither axis is forward.
  aslant = force @ axes([0.8, 0.6, 0], [0, 0, 1]).T
  path = write_csv(tmp_path / 'f.csv', t, aslant)
  assert 'which way the walk goes' in _refused('force.direction', path, BOTH)
  # No braking, or no whole contact: nothing contradicts the documented axes.
  for shown, said in ((force * [0, 1, 1], 'no braking'), (force[600:], 'no whole contact')):
    got = force_files.read(write_csv(tmp_path / 'f.csv', t[: len(shown)], shown[:, :1]), ['left'])
    np.testing.assert_allclose(got.force, shown[:, :1], atol=6e-4)
    assert said in got.notes[0]


@pytest.mark.parametrize('kind', ['csv', 'mot', 'c3d'])
def test_plates_whose_axes_differ_are_named(tmp_path, kind):
  write = {'csv': write_csv, 'mot': write_mot, 'c3d': write_c3d}[kind]
  t, force = two_steps()
  three = np.concatenate([force, force[:, :1] * 1.01], 1)
  path = write(tmp_path / f'f.{kind}', t, three * [[[1, 1, 1], [-1, -1, 1], [1, 1, 1]]])
  message = _refused('force.direction', path)
  assert 'on plate 1 than on plate 2: their axes differ by 180 degrees' in message


@pytest.mark.parametrize(('degrees', 'told'), [(5, False), (25, True), (-25, True), (205, True)])
def test_a_walk_aslant_is_told(tmp_path, degrees, told):
  t, force = two_steps()
  angle = np.deg2rad(degrees)
  turned = force @ axes([np.cos(angle), np.sin(angle), 0], [0, 0, 1]).T
  got = force_files.read(write_csv(tmp_path / 'f.csv', t, turned), BOTH)
  assert any('25 degrees aslant' in note for note in got.notes) is told


@pytest.mark.parametrize('axis', [0, 1, 2])
def test_a_damaged_sample_decides_neither_sign_nor_direction(tmp_path, axis):
  t, force = two_steps()
  force[600, 0, axis] = -40_000
  got = force_files.read(write_csv(tmp_path / 'f.csv', t, force), BOTH)
  np.testing.assert_allclose(got.force, force, atol=6e-4)  # other checks refuse it by name


def test_what_laboratory_axes_are_found_to_be(tmp_path):
  t, force = two_steps()
  got = force_files.read(write_c3d(tmp_path / 'f.c3d', t, force, lab=LABS['along -y']))
  assert got.axes.endswith('f.c3d: by its forces, the walk goes along -y of the file, and z is up.')


def test_mot_in_utf_16_and_numbered_legs(tmp_path):
  t, force = two_steps()
  names = ['ground_force_r_1_v', 'ground_force_l_1_v']
  path = write_mot(tmp_path / 'f.mot', t, force, names)
  path.write_bytes(path.read_text().encode('utf-16'))
  got = force_files.read(path)
  assert got.legs == ('right', 'left')
  np.testing.assert_allclose(got.force, force, atol=1e-4)


def test_several_files_are_plates_of_one_recording(tmp_path):
  t, force = two_steps()
  first = write_csv(tmp_path / 'a.csv', t, force[:, :1])
  second = write_csv(tmp_path / 'b.csv', t, force[:, 1:])
  got = force_files.read((first, second), BOTH)
  np.testing.assert_allclose(got.force, force, atol=6e-4)
  for other, samples in ((t + 0.5, force), (t[:-1], force[:-1])):
    write_csv(second, other, samples[:, 1:])
    with pytest.raises(force_files.ForceError, match='plates of one recording') as caught:
      force_files.read((first, second), BOTH)
    assert (caught.value.code, caught.value.file) == ('force.files_differ', str(second))
  write_mot(tmp_path / 'b.mot', t, force[:, 1:])
  with pytest.raises(force_files.ForceError, match='files of one kind'):
    force_files.read((first, tmp_path / 'b.mot'), BOTH)


def test_realgait_csv_against_the_csv_module():
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  path = REALGAIT / 'forces/HC002D06.csv'
  got = force_files.read(path)
  with path.open(newline='') as f:
    rows = list(csv.DictReader(f))
  for i, row in list(enumerate(rows))[::97]:
    assert got.time_s[i] == float(row['time_s'])
    assert got.force[i, 1].tolist() == [float(row[f'f{a}_2']) for a in 'xyz']


@pytest.mark.parametrize('reader', ['csv', 'mot', 'c3d'])
def test_upside_down_other_number_of_plates_and_no_file(tmp_path, reader):
  write = {'csv': write_csv, 'mot': write_mot, 'c3d': write_c3d}[reader]
  t, force = two_steps()
  path = write(tmp_path / f'f.{reader}', t, force)
  assert force_files.read(path, BOTH).force.shape[1] == 2
  for count in (1, 3):
    message = _refused('force.plate_count', path, ['left'] * count)
    assert message.startswith(f'{path}: holds 2 plates, but trials.csv (plates) names {count}')
  write(path, t, force * [1, 1, -1] if reader == 'mot' else force * [[[1, 1, 1], [1, 1, -1]]])
  message = _refused('force.upside_down', path)
  assert re.search(r'plate \d reads .* the sign looks flipped', message)
  none = tmp_path / f'none.{reader}'
  assert _refused('recording.no_file', none) == f'{none}: no such file'


def test_unknown_kind(tmp_path):
  path = tmp_path / 'f.xyz'
  message = _refused('force.format', path)
  assert message.startswith(f"{path}: found '.xyz', expected .csv, ")
  t, force = two_steps()
  path = write_mot(tmp_path / 'f.mot', t, force)
  with pytest.raises(force_files.ForceError, match='formats describe text files') as caught:
    force_files.read(path, force_format='bertec')
  assert caught.value.code == 'force.format'


def _with_cell(line, column, text):
  def change(rows):
    rows[line - 1][column] = text
    return rows

  return change


@pytest.mark.parametrize(
  ('change', 'code', 'line', 'column'),
  [
    (lambda rows: rows[:5], 'force.too_short', None, None),
    (lambda rows: [], 'table.missing_column', 1, None),
    (_with_cell(1, 1, 'gx'), 'table.missing_column', 1, None),
    (lambda rows: [[*r, r[0]] for r in rows], 'table.duplicate_column', 1, 'time_s'),
    (_with_cell(1, 6, 'fz_4'), 'force.plate_numbers', 1, None),
    (lambda rows: [*rows[:11], rows[11][:-1], *rows[12:]], 'table.cell_count', 12, None),
    (_with_cell(7, 3, 'high'), 'table.not_a_number', 7, 'fz_1'),
    (_with_cell(7, 3, ''), 'table.not_a_number', 7, 'fz_1'),
    (_with_cell(7, 3, '1_0'), 'table.not_a_number', 7, 'fz_1'),
    (_with_cell(7, 3, '٣'), 'table.not_a_number', 7, 'fz_1'),
    (_with_cell(7, 3, '-inf'), 'table.not_finite', 7, 'fz_1'),
    (_with_cell(5, 0, '-1'), 'force.time_order', 5, 'time_s'),
    (lambda rows: rows[:100] + rows[106:], 'force.time_gap', 101, 'time_s'),
  ],
)
def test_csv_errors_carry_code_line_and_column(tmp_path, change, code, line, column):
  t, force = two_steps()
  path = write_csv(tmp_path / 'f.csv', t, force, change=change)
  message = _refused(code, path, line=line, column=column)
  place = ''.join(f', {k} {v}' for k, v in (('line', line), ('column', column)) if v is not None)
  assert message.startswith(f'{path}{place}: ')


# --- MOT


@pytest.mark.parametrize(
  'names',
  [
    'ground_force_{}_v',
    ['ground_force_v', '1_ground_force_v'],
    ['1_ground_force_v', '2_ground_force_v'],
    ['2_ground_force_v', '1_ground_force_v'],
  ],
  ids=str,
)
@pytest.mark.parametrize('gap', ['\t', '  '])
def test_mot(tmp_path, names, gap):
  t, force = two_steps()
  shown = force[:, ::-1] if names[0].startswith('2_') else force  # numbers count, not the order
  got = force_files.read(
    write_mot(tmp_path / 'f.mot', t, shown, names, gap, ['', 'a remark']), BOTH
  )
  np.testing.assert_allclose(got.time_s, t, atol=1e-9)
  np.testing.assert_allclose(got.force, force, atol=1e-4)


@pytest.mark.parametrize(
  'turn',
  [np.diag([-1, -1, 1]), np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])],
  ids=['-x', 'sideways'],
)
def test_mot_of_a_walk_the_other_way(tmp_path, turn, caplog):
  t, force = two_steps()
  with caplog.at_level(logging.WARNING, logger='absl'):
    got = force_files.read(write_mot(tmp_path / 'f.mot', t, force @ turn.T))
  np.testing.assert_allclose(got.force, force, atol=1e-4)
  assert 'turned about the vertical' in caplog.text


@pytest.mark.parametrize(
  'names',
  [
    ['R_ground_force_v', 'L_ground_force_v'],
    ['ground_force_calcn_r_v', 'ground_force_calcn_l_v'],
    ['ground_force_r_v', 'ground_force_l_v'],
    ['right_ground_force_v', 'left_ground_force_v'],
    ['ground_force_1_r_v', 'ground_force_2_l_v'],
  ],
  ids=str,
)
def test_mot_labels_name_the_legs(tmp_path, names):
  t, force = two_steps()
  path = write_mot(tmp_path / 'f.mot', t, force, names)
  for legs in ((), ('right', 'left')):
    got = force_files.read(path, legs)
    assert (got.legs, got.notes) == (('right', 'left'), ())
    np.testing.assert_allclose(got.force, force, atol=1e-4)
  got = force_files.read(path, ('left', 'right'))
  assert got.legs == ('right', 'left')
  assert 'the labels are believed' in got.notes[0]
  message = _refused('force.legs', path, ('left', 'left'))
  assert 'its labels name the legs right;left, but trials.csv (plates) left;left' in message


@pytest.mark.parametrize(
  ('names', 'code'),
  [
    (['ground_force_pelvis_v', 'ground_force_2_v'], 'force.labels'),
    (['ground_force_l_r_v', 'ground_force_2_v'], 'force.labels'),
    (['ground_force_l_v', 'ground_force_2_v'], 'force.labels'),
    (['ground_force_1_2_v', 'ground_force_2_v'], 'force.labels'),
    (['ground_force_2_v', 'ground_force_3_v'], 'force.plate_numbers'),
    (['ground_force_1_v', 'force_1_v'], 'force.plate_numbers'),
  ],
)
def test_mot_labels_that_name_no_plate(tmp_path, names, code):
  t, force = two_steps()
  _refused(code, write_mot(tmp_path / 'f.mot', t, force, names), line=7)


def test_mot_without_a_direction_stays_as_it_is(tmp_path):
  t, force = two_steps()
  got = force_files.read(write_mot(tmp_path / 'f.mot', t, force * [0, 1, 1]))
  np.testing.assert_allclose(got.force, force * [0, 1, 1], atol=1e-4)


@pytest.mark.parametrize(
  ('old', 'new', 'code', 'line', 'column'),
  [
    ('endheader\n', '', 'force.mot_header', None, None),
    ('nRows=2000', 'nRows=1999', 'force.mot_header', None, None),
    ('nColumns=13', 'nColumns=19', 'force.mot_header', None, None),
    ('time\t', 't\t', 'table.missing_column', 7, None),
    ('_force_', '_f_', 'table.missing_column', 7, None),
    ('_2_', '_3_', 'force.plate_numbers', 7, None),
    ('\n0.0050', '\nabc', 'table.not_a_number', 13, 'time'),
    ('\n0.0050\t0.0000', '\n0.0050\tnan', 'table.not_finite', 13, 'ground_force_1_vx'),
    ('\n0.0050', '\n0.0005', 'force.time_order', 13, 'time'),
    ('\n0.0050\t', '\n', 'table.cell_count', 13, None),
  ],
)
def test_mot_errors_carry_code_line_and_column(tmp_path, old, new, code, line, column):
  def change(text):
    assert old in text
    return text.replace(old, new)

  t, force = two_steps()
  path = write_mot(tmp_path / 'f.mot', t, abs(force), change=change)
  message = _refused(code, path, line=line, column=column)
  place = ''.join(f', {k} {v}' for k, v in (('line', line), ('column', column)) if v is not None)
  assert message.startswith(f'{path}{place}: ')
