"""Tests of format files: what they may say, the ready-made ones, and the files they read."""

import dataclasses
import pathlib
import tomllib

import exports
import numpy as np
import pytest
from plates import LABS, two_steps

from grfjax import errors
from grfjax.io import format_files, laboratory_axes, recorded_forces, text_forces

TIME, FORCE = two_steps(500)
ACTION_NOTE = 'The file holds the action on the plates; the sign is turned.'
READY_MADE = sorted(path.stem for path in format_files.READY_MADE.glob('*.toml'))


def _write(folder, text, form, name='ours'):
  (folder / 'formats').mkdir(exist_ok=True)
  (folder / f'formats/{name}.toml').write_text(form)
  (folder / 'f.txt').write_text(text)
  return folder / 'f.txt'


def _read(folder, text, form='', name='ours'):
  return text_forces.read(_write(folder, text, form), name, folder)


def _refused(folder, text, code, form='', name='ours'):
  path = _write(folder, text, form)
  with pytest.raises(errors.InputError) as caught:
    text_forces.read(path, name, folder)
  assert caught.value.code == code
  return caught.value


def _in_plate_axes(forces):
  return laboratory_axes.to_plate_axes('f', dataclasses.replace(forces, pressure=None), ())[0]


# --- ready-made formats


def test_the_ready_made_formats_are_valid_and_cite_where_they_are_from():
  assert READY_MADE == ['amti', 'bertec', 'bioware', 'kistler']
  for path in format_files.READY_MADE.glob('*.toml'):
    assert format_files.read(path).description
    assert 'https://' in path.read_text()


@pytest.mark.parametrize('named', ['abs time (s)', 'abs time'])
def test_bioware(tmp_path, named):
  forces = _read(tmp_path, exports.bioware(TIME, FORCE, named), name='bioware')
  assert forces.axes is recorded_forces.Axes.LABORATORY
  np.testing.assert_allclose(_in_plate_axes(forces), FORCE, atol=1e-4)
  np.testing.assert_allclose(forces.time_s, TIME)
  assert forces.pressure.shape == FORCE.shape
  np.testing.assert_allclose(forces.pressure[3], [[0.1, -0.2, 0]] * 2)  # z is turned up
  assert forces.notes == (ACTION_NOTE, '-z is taken as up.')


@pytest.mark.parametrize('count', [1, 3])
def test_bioware_of_other_numbers_of_plates(tmp_path, count):
  force = np.tile(FORCE[:, :1], (1, count, 1))
  forces = _read(tmp_path, exports.bioware(TIME, force), name='bioware')
  np.testing.assert_allclose(_in_plate_axes(forces), force, atol=1e-4)


def test_bioware_in_windows_1252_with_decimal_commas(tmp_path):
  path = tmp_path / 'f.txt'
  text = exports.bioware(TIME, FORCE)
  head, rows = text[: text.index('abs')], text[text.index('abs') :]
  path.write_bytes((head + rows.replace('.', ',')).replace('\n', '\r\n').encode('cp1252'))
  np.testing.assert_allclose(_in_plate_axes(text_forces.read(path, 'bioware')), FORCE, atol=1e-4)


def test_amti(tmp_path):
  forces = _read(tmp_path, exports.amti(FORCE), name='amti:500')
  np.testing.assert_allclose(_in_plate_axes(forces), FORCE, atol=1e-3)
  np.testing.assert_allclose(forces.time_s, TIME)
  on = FORCE[:, 0, 2] > 20
  np.testing.assert_allclose(forces.pressure[on, 0], [[0.1, -0.2, 0]] * on.sum(), atol=1e-4)
  assert np.isnan(forces.pressure[~on, 0, 0]).all()
  assert forces.notes == (
    'The first row is taken to be at 0 s, at 500 Hz.',
    'The centre of pressure is computed from the moments.',
    ACTION_NOTE,
    '-z is taken as up.',
  )


def test_the_rate_behind_a_name(tmp_path):
  text = exports.amti(FORCE)
  assert 'amti:1000' in str(_refused(tmp_path, text, 'force.rate', name='amti'))
  _refused(tmp_path, text, 'force.rate', name='amti:5')
  _refused(tmp_path, text, 'force.unknown_format', name='amti:fast')
  assert _read(tmp_path, text, name='AMTI: 1000 Hz').time_s[1] == 0.001
  _refused(tmp_path, exports.bioware(TIME, FORCE), 'force.rate', name='bioware:500')


@pytest.mark.parametrize(
  ('name', 'template', 'time'),
  [
    ('bertec', 'FP{}_F{}', 'Time(s)'), ('bertec', '{}:F{}', 'Time'), ('bertec', 'F{1}{0}', 'time'),
    ('bertec', 'FP{}:F{} (N)', 'Time (s)'), ('kistler', 'F{1}{0}', 'Time [s]'),
    ('kistler', 'F{}{} [N]', 'time'), ('kistler', 'F{1} {0} (N)', 'abs time (s)'),
  ],
)  # fmt: skip
@pytest.mark.parametrize('separator', [',', ';', '\t'])
def test_bertec_and_kistler(tmp_path, name, template, time, separator):
  above = ['Bertec Acquire', 'Subject: A', '']
  text = exports.numbered(TIME, FORCE, template, time, separator, above)
  forces = _read(tmp_path, text, name=name)
  np.testing.assert_allclose(_in_plate_axes(forces), FORCE, atol=1e-3)
  np.testing.assert_allclose(forces.time_s, TIME)


def test_an_export_without_a_name_is_told_what_to_name(tmp_path):
  (tmp_path / 'f.txt').write_text(exports.bioware(TIME, FORCE))
  with pytest.raises(errors.InputError, match='the format bioware reads: name it') as caught:
    text_forces.read(tmp_path / 'f.txt')
  assert (caught.value.code, caught.value.line) == ('table.missing_column', 1)
  (tmp_path / 'f.txt').write_text(exports.amti(FORCE))
  with pytest.raises(errors.InputError, match='need a format: amti, bertec, bioware, kistler or'):
    text_forces.read(tmp_path / 'f.txt')
  (tmp_path / 'f.txt').write_text('time,fx_1,fy_1\n')
  with pytest.raises(errors.InputError, match=r'no column fz_1; found time, fx_1, fy_1$'):
    text_forces.read(tmp_path / 'f.txt')


# --- what a format file may say

TABLE = """
[header]
rows = 0
[time]
column = 'Time'
[plates]
fx = 'Fx{plate}'
fy = 'Fy{plate}'
fz = 'Fz{plate}'
[axes]
"""


def _table(force, names=None, time=TIME, units=None):
  names = names or ['Time', *(f'F{a}{p + 1}' for p in range(force.shape[1]) for a in 'xyz')]
  rows = [names] + ([units] if units else [])
  rows += [
    [f'{t:.4f}', *(f'{v:.4f}' for v in row)]
    for t, row in zip(time, force.reshape(len(force), -1), strict=True)
  ]
  return '\n'.join(','.join(row) for row in rows) + '\n'


@pytest.mark.parametrize(
  ('axes', 'force', 'kind'),
  [
    ("system = 'plate'", FORCE, 'PLATE'),
    ("system = 'plate'\nsign = 'action'", -FORCE, 'PLATE'),
    ("system = 'opensim'", FORCE[..., [0, 2, 1]] * [1, 1, -1], 'OPENSIM'),
    ("forward = '-y'\nleft = 'x'\nup = 'z'", FORCE[..., [1, 0, 2]] * [1, -1, 1], 'PLATE'),
    ("forward = 'z'\nleft = '+x'\nup = 'y'", FORCE[..., [1, 2, 0]], 'PLATE'),
    ("forward = 'y'\nleft = 'x'\nup = '-z'\nsign = 'action'", exports.on_plates(FORCE), 'PLATE'),
  ],
)
def test_axes_and_signs(tmp_path, axes, force, kind):
  forces = _read(tmp_path, _table(force), TABLE + axes)
  assert forces.axes is recorded_forces.Axes[kind]
  got = forces.force[..., [0, 2, 1]] * [1, -1, 1] if kind == 'OPENSIM' else forces.force
  np.testing.assert_allclose(got, FORCE, atol=1e-4)
  assert (ACTION_NOTE in forces.notes) == ('action' in axes)


@pytest.mark.parametrize('lab', LABS)
def test_a_laboratory_is_left_as_it_is(tmp_path, lab):
  forces = _read(tmp_path, _table(FORCE @ LABS[lab].T), TABLE + "system = 'laboratory'")
  np.testing.assert_allclose(_in_plate_axes(forces), FORCE, atol=1e-3)


@pytest.mark.parametrize('up', ['x', 'y', 'z', '-x', '-y', '-z'])
@pytest.mark.parametrize('sign', ['reaction', 'action'])
def test_up_alone(tmp_path, up, sign):
  """Right-handed axes of which one is up; both ways round, right of left stays right of left."""
  vector = np.eye(3)['xyz'.index(up[-1])] * (-1 if up[0] == '-' else 1)
  forward = np.roll(np.abs(vector), 1)
  lab = np.stack([forward, np.cross(vector, forward), vector], 1)
  force = (FORCE if sign == 'reaction' else -FORCE) @ lab.T
  form = TABLE + f"up = '{up}'\nsign = '{sign}'"
  forces = _read(tmp_path, _table(force), form)
  np.testing.assert_allclose(_in_plate_axes(forces), FORCE, atol=1e-3)


@pytest.mark.parametrize(
  ('header', 'above'),
  [
    ('rows = 3', 'a\n\nb,c\n'),
    ("begins_with = 'time,FX1'", 'Time\nFx1\n'),
    ("contains = ['Fz2', 'time']", 'Fz2\nTime\n'),
    ("contains = [['nothing', 'Fz2']]", 'Time,Fz1\n'),
  ],
)
def test_how_the_header_is_found(tmp_path, header, above):
  form = TABLE.replace('rows = 0', header) + "system = 'plate'"
  forces = _read(tmp_path, above + _table(FORCE), form)
  np.testing.assert_allclose(forces.force, FORCE, atol=1e-4)


def test_names_of_plates_and_their_legs(tmp_path):
  names = ['Time', *(f'{p} F{a}' for p in ('Right', 'Left') for a in 'zyx')]
  form = TABLE.replace(
    "Fx{plate}'", "{plate} Fx'\nnames = ['Left', 'Right']\nlegs = ['left', 'right']"
  )
  form = form.replace('Fy{plate}', '{plate} Fy').replace('Fz{plate}', '{plate} FZ')
  forces = _read(tmp_path, _table(FORCE[:, ::-1, ::-1], names), form + "system = 'plate'")
  np.testing.assert_allclose(forces.force, FORCE, atol=1e-4)
  assert forces.legs == ('left', 'right')
  one = form.replace("'Left', 'Right'", "'Left'") + "system = 'plate'"
  _refused(tmp_path, _table(FORCE[:, ::-1, ::-1], names), 'force.plate_count', one)


def test_numbers_of_plates_need_not_begin_at_1(tmp_path):
  names = ['Time', *(f'F{a}{p}' for p in (7, 3) for a in 'xyz')]
  forces = _read(tmp_path, _table(FORCE[:, ::-1], names), TABLE + "system = 'plate'")
  np.testing.assert_allclose(forces.force, FORCE, atol=1e-4)
  assert forces.notes == ('The plates are numbered 3, 7 in the file.',)


def test_columns_by_number(tmp_path):
  form = """
  [header]
  rows = 2
  names = false
  [time]
  column = 1
  [plates]
  fx = 2
  fy = 3
  fz = 4
  every = 3
  [axes]
  system = 'plate'
  """
  text = 'remark\n\n' + _table(FORCE).split('\n', 1)[1]
  np.testing.assert_allclose(_read(tmp_path, text, form).force, FORCE, atol=1e-4)
  one = form.replace('every = 3', '')
  np.testing.assert_allclose(_read(tmp_path, text, one).force, FORCE[:, :1], atol=1e-4)
  _refused(tmp_path, 'r\n\n' + '1,2,3\n' * 20, 'table.missing_column', one)


@pytest.mark.parametrize(
  ('units', 'row', 'names', 'scale', 'note'),
  [
    ("force = 'kN'", None, None, 1e-3, 'Forces are in kN; they are multiplied by 1,000.'),
    ('row = 1', ['s', *['kN'] * 6], None, 1e-3, 'Forces are in kN; they are multiplied by 1,000.'),
    ('in_names = true', None, ['Time (s)', *(f'F{a}{p} [N]' for p in (1, 2) for a in 'xyz')],
     1, ''),
    ("row = 1\nforce = 'kgf'", ['s', *[''] * 6], None, 1 / 9.80665,
     'Forces are in kgf; they are multiplied by 9.80665.'),
  ],
)  # fmt: skip
def test_units(tmp_path, units, row, names, scale, note):
  text = _table(1000 * FORCE * scale, names, units=row)
  form = TABLE + f"system = 'plate'\n[units]\n{units}"
  forces = _read(tmp_path, text, form)
  np.testing.assert_allclose(forces.force, 1000 * FORCE, atol=1)
  assert forces.notes == ((note,) if note else ())


def test_time_in_milliseconds_and_by_rate(tmp_path):
  form = TABLE + "system = 'plate'\n[units]\ntime = 'ms'"
  forces = _read(tmp_path, _table(FORCE, time=1000 * TIME), form)
  np.testing.assert_allclose(forces.time_s, TIME)
  assert forces.notes == ('Times are in ms; they are divided by 1,000.',)
  form = TABLE.replace("column = 'Time'", 'rate = 250') + "system = 'plate'"
  np.testing.assert_allclose(_read(tmp_path, _table(FORCE), form).time_s, 2 * TIME)
  for text in (
    'Rate (Hz):,250.0,250.0',
    'rate (hz) = 250',
    '"Rate (Hz)";"250"',
    'Rate (Hz):\t250,0',
  ):
    form = TABLE.replace("column = 'Time'", "rate_key = 'Rate (Hz)'").replace(
      'rows = 0', 'rows = 1'
    )
    forces = _read(tmp_path, f'{text}\n' + _table(FORCE), form + "system = 'plate'")
    np.testing.assert_allclose(forces.time_s, 2 * TIME)
  _refused(tmp_path, 'Rate:,250\n' + _table(FORCE), 'force.rate', form + "system = 'plate'")


def test_delimiters_and_marks(tmp_path):
  form = "delimiter = 'space'\ndecimal = ','\n" + TABLE + "system = 'plate'"
  text = _table(FORCE).replace(',', '  ').replace('.', ',')
  np.testing.assert_allclose(_read(tmp_path, text, form).force, FORCE, atol=1e-4)
  point = form.replace("','", "'.'")
  _refused(tmp_path, text, 'table.not_a_number', point)


def test_a_mark_that_the_cells_leave_open_is_taken_from_the_format(tmp_path):
  rows = ['Time;Fx1;Fy1;Fz1'] + [f'{k};1,001;2,002;3,003' for k in range(20)]
  form = TABLE + "system = 'plate'\n[units]\ntime = 'ms'"
  _refused(tmp_path, '\n'.join(rows), 'table.decimal_mark', form)
  for mark, value in (('.', 1001), (',', 1.001)):
    forces = _read(tmp_path, '\n'.join(rows), f"decimal = '{mark}'\n" + form)
    assert forces.force[0, 0, 0] == value


@pytest.mark.parametrize(
  ('old', 'new', 'says'),
  [
    ('Fz1', 'Gz1', 'no column Fz{plate} (fz of plate 1)'),
    ('Time', 'Fz1,Time', 'found more than once'),
    ('Time', 'Tide', 'no column Time'),
  ],
)
def test_columns_that_are_missing_or_twice(tmp_path, old, new, says):
  form = TABLE + "system = 'plate'"
  code = 'table.duplicate_column' if 'once' in says else 'table.missing_column'
  text = _table(FORCE).replace(old, new)
  if 'once' in says:
    text = text.replace('\n', '\n0,')[:-2]
  error = _refused(tmp_path, text, code, form)
  assert says in str(error)
  assert error.line == 1


def test_a_centre_of_pressure_whose_mark_is_open(tmp_path):
  rows = ['Time;Fx1;Fy1;Fz1;Ax1;Ay1'] + [f'{k};1;2;3;;1,001' for k in range(20)]
  form = TABLE.replace('[axes]', "copx = 'Ax{plate}'\ncopy = 'Ay{plate}'\n[axes]")
  form += "system = 'plate'\n[units]\ntime = 'ms'\n"
  assert "'1,001'" in str(_refused(tmp_path, '\n'.join(rows), 'table.decimal_mark', form))
  forces = _read(tmp_path, '\n'.join(rows), "decimal = ','\n" + form)
  np.testing.assert_array_equal(forces.pressure[0, 0], [np.nan, 1.001, 0.0])


# --- format files that are wrong


@pytest.mark.parametrize(
  ('change', 'key', 'says'),
  [
    (lambda s: s.replace('[plates]', '[plates]\ncolour = 1'), 'plates.colour', 'not permitted'),
    (lambda s: s.replace("fz = 'Fz{plate}'", ''), 'plates.fz', 'required'),
    (lambda s: s.replace("'Fz{plate}'", '1.5'), 'plates.fz', 'string'),
    (lambda s: s.replace("'Fz{plate}'", '4'), 'plates', 'numbers for all'),
    (lambda s: s.replace("'Fz{plate}'", "'Fx{plate}'"), 'plates', 'named twice'),
    (lambda s: s.replace("'Fz{plate}'", "['Fz{plate}', '']"), 'plates', 'empty'),
    (lambda s: s.replace("'Fz{plate}'", '[]'), 'plates', 'empty'),
    (lambda s: s.replace("'Time'", "''"), 'time', 'empty'),
    (lambda s: s.replace("'Time'", '[' * 5000), None, 'not TOML'),
    (lambda s: s.replace('rows = 0', 'rows = -1'), 'header.rows', 'greater'),
    (lambda s: s.replace('rows = 0', "rows = '0'"), 'header.rows', 'integer'),
    (lambda s: s.replace('rows = 0', ''), 'header', 'one of rows'),
    (lambda s: s.replace('rows = 0', "begins_with = 'T'\nnames = false"), 'header', 'needs rows'),
    (lambda s: s.replace("column = 'Time'", ''), 'time', 'one of column'),
    (lambda s: s.replace("column = 'Time'", 'rate = -5'), 'time.rate', 'greater'),
    (lambda s: s.replace("column = 'Time'", 'rate = nan'), 'time.rate', ''),
    (lambda s: s.replace("'plate'", "'moon'"), 'axes.system', "'laboratory'"),
    (lambda s: s.replace("system = 'plate'", ''), 'axes', 'either system'),
    (lambda s: s + "\nup = 'z'", 'axes', 'either system'),
    (lambda s: s.replace("system = 'plate'", "forward = 'x'\nup = 'z'"), 'axes', 'up alone'),
    (lambda s: s.replace("system = 'plate'", "forward = 'x'\nleft = '-x'\nup = 'z'"),
     'axes', 'once'),
    (lambda s: s.replace("system = 'plate'", "up = 'w'"), 'axes.up', "'x'"),
    (lambda s: s + "\nsign = 'minus'", 'axes.sign', "'action'"),
    (lambda s: "delimiter = '|'\n" + s, 'delimiter', "'tab'"),
    (lambda s: s.replace('[axes]', "legs = ['port']\n[axes]"), 'plates.legs.0', "'right'"),
    (lambda s: s.replace('[axes]', "mx = 'Mx'\n[axes]"), 'plates', 'both of mx and my'),
    (lambda s: s.replace('[axes]', "every = 6\n[axes]"), 'plates', 'every needs numbers'),
    (lambda s: s + '\n[units]\nrow = 0', 'units.row', 'greater'),
    (lambda s: s + "\n[unit]\nforce = 'N'", 'unit', 'not permitted'),
    (lambda s: s + '\n[axes', None, 'not TOML'),
    (lambda s: s + "\nsystem = 'plate'", None, 'not TOML'),
  ],
)  # fmt: skip
def test_wrong_format_files_name_file_and_key(tmp_path, change, key, says):
  form = TABLE + "system = 'plate'"
  assert change(form) != form
  error = _refused(tmp_path, _table(FORCE), 'force.format_file', change(form))
  assert (error.file, error.column) == (str(tmp_path / 'formats/ours.toml'), key)
  assert says in str(error)
  assert str(error).startswith(f'{error.file}: ' + (f'{key}: ' if key else ''))


def test_a_format_file_that_is_no_text(tmp_path):
  path = _write(tmp_path, _table(FORCE), '')
  (tmp_path / 'formats/ours.toml').write_bytes(b'\xff\xfe\x00')
  with pytest.raises(errors.InputError) as caught:
    text_forces.read(path, 'ours', tmp_path)
  assert caught.value.code == 'force.format_file'


@pytest.mark.parametrize(
  'name', ['theirs', '../ours', 'formats/ours', '/etc/passwd', 'ours.toml', ':5']
)
def test_unknown_names_are_refused_with_a_list(tmp_path, name):
  form = TABLE + "system = 'plate'"
  error = _refused(tmp_path, _table(FORCE), 'force.unknown_format', form, name)
  assert 'amti, bertec, bioware, kistler, nexus, ours, qualisys' in str(error)
  assert repr(name) in str(error)


def test_a_recording_sets_own_format_comes_first(tmp_path):
  form = TABLE + "system = 'plate'"
  path = _write(tmp_path, _table(FORCE), form, 'nexus')
  np.testing.assert_allclose(text_forces.read(path, 'nexus', tmp_path).force, FORCE, atol=1e-4)
  with pytest.raises(errors.InputError):
    text_forces.read(path, 'nexus')


def test_the_example_in_the_documentation_is_valid(tmp_path):
  page = (pathlib.Path(__file__).parents[1] / 'docs/force_files.md').read_text()
  examples = page.split('```toml\n')[1:]
  assert examples
  for k, example in enumerate(examples):
    path = tmp_path / f'{k}.toml'
    path.write_text(example.split('```')[0])
    tomllib.loads(path.read_text())
    format_files.read(path)
