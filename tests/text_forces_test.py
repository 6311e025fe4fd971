"""Tests of grfjax.io.text_forces on the project's own tables: marks, units, encodings."""

import pathlib

import numpy as np
import pytest
from plates import two_steps

from grfjax import conventions, errors
from grfjax.io import opensim, recorded_forces, text_forces

REPORTS = pathlib.Path(__file__).parents[1] / '../shared/reports'
TIME, FORCE = two_steps(500)
FORCE = 3 * FORCE  # over 1,000 N, so that thousands are marked
NAMES = ['time_s', *(f'f{a}_{p}' for p in (1, 2) for a in 'xyz')]


def _table(
  separator=',', decimal='.', thousands='', quote='', names=NAMES, units=(), time=1.0, force=1.0,
  time_format='.4f', force_format='.3f',
):  # fmt: skip
  """The text of a table; `time` and `force` are what the numbers are multiplied by."""
  marks = str.maketrans({',': thousands, '.': decimal})
  formats = [',' + time_format] + [',' + force_format] * 6
  rows = [list(names)] + ([list(units)] if units else [])
  for t, f in zip(TIME * time, FORCE.reshape(len(TIME), -1) * force, strict=True):
    cells = [format(v, w).translate(marks) for v, w in zip((t, *f), formats, strict=True)]
    rows.append([quote + cell + quote for cell in cells])
  return '\n'.join(separator.join(row) for row in rows) + '\n'


def _read(folder, text, name='f.csv', encoding='utf-8'):
  path = folder / name
  path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
  return text_forces.read(path)


def _check(forces, tolerance=6e-4, notes=()):
  assert forces.axes is recorded_forces.Axes.PLATE
  assert (forces.pressure, forces.legs, forces.notes) == (None, (), tuple(notes))
  np.testing.assert_allclose(forces.time_s, TIME, atol=6e-5)
  np.testing.assert_allclose(forces.force, FORCE, atol=tolerance)


def _refused(folder, text, code, line, column=None, **options):
  with pytest.raises(errors.InputError) as caught:
    _read(folder, text, **options)
  error = caught.value
  assert (error.code, error.line, error.column) == (code, line, column)
  assert error.file == str(folder / options.get('name', 'f.csv'))
  return str(error)


COMMA_NOTE = 'The decimal mark is a comma.'


@pytest.mark.parametrize('separator', [',', ';', '\t'])
@pytest.mark.parametrize('thousands', ['', ',', '.', ' ', '\u00a0', '\u202f', "'", '\u2019'])
@pytest.mark.parametrize('decimal', ['.', ','])
def test_decimal_marks_and_thousands(tmp_path, separator, thousands, decimal):
  if thousands == decimal:
    return
  quote = '"' if separator == ',' and ',' in (decimal, thousands) else ''
  forces = _read(tmp_path, _table(separator, decimal, thousands, quote))
  _check(forces, notes=[COMMA_NOTE] if decimal == ',' else [])


@pytest.mark.parametrize('name', ['f.csv', 'f.txt', 'F.TSV', 'f.dat'])
def test_the_ending_of_the_name_does_not_matter(tmp_path, name):
  _check(_read(tmp_path, _table('\t'), name))


# --- marks that are decided by other cells, by time, or not at all


def _whole(separator, mark, times, names='time_ms,fx_1,fy_1,fz_1,other'):
  """A table whose forces are of one digit, a mark and three digits."""
  rows = [separator.join(names.split(','))]
  for k, time in enumerate(times):
    cells = [f'{v:.3f}'.replace('.', mark) for v in (1 + k / 1e3, 2 + k / 1e3, 9 - k / 1e3)]
    rows.append(separator.join([time, *cells, '-']))
  return '\n'.join(rows)


@pytest.mark.parametrize(('mark', 'value'), [('.', 1.0), (',', 1.0)])
def test_time_decides_where_every_number_has_three_decimals(tmp_path, mark, value):
  times = [f'{3 + k / 1e3:.3f}'.replace('.', mark) for k in range(40)]
  forces = _read(tmp_path, _whole(';', mark, times).replace('time_ms', 'time_s'))
  assert forces.force[0].tolist() == [[value, 2.0, 9.0]]
  np.testing.assert_allclose(forces.time_s, 3 + np.arange(40) / 1e3)


@pytest.mark.parametrize('mark', ['.', ','])
def test_time_decides_where_thousands_of_whole_numbers_are_marked(tmp_path, mark):
  """1.030 ms would be a million rows a second."""
  times = [f'{1030 + k:,}'.replace(',', mark) for k in range(40)]
  forces = _read(tmp_path, _whole(';', mark, times))
  assert forces.force[0].tolist() == [[1000.0, 2000.0, 9000.0]]
  assert forces.time_s[0] == pytest.approx(1.03)


@pytest.mark.parametrize(('mark', 'cell', 'value'), [(',', '0,5', 1.0), (',', '7.25', 1000.0)])
def test_a_cell_of_another_column_decides(tmp_path, mark, cell, value):
  text = _whole(';', mark, [str(k) for k in range(40)]).replace(';-', ';' + cell)
  assert _read(tmp_path, text).force[0, 0, 0] == value


@pytest.mark.parametrize('mark', ['.', ','])
def test_a_mark_that_nothing_decides_is_refused(tmp_path, mark):
  text = _whole(';', mark, [str(k) for k in range(40)])
  message = _refused(tmp_path, text, 'table.decimal_mark', 2, 'fx_1')
  assert f"found '1{mark}000', which may be " in message
  assert '1000' in message
  assert ' 1 ' in message.replace(',', ' ')


def test_a_wrong_cell_is_named_whatever_the_mark(tmp_path):
  for table in (_table(), _table(';', ','), _table(';', ',', '.'), _table(',', ',', '.', '"')):
    lines = table.split('\n')
    for bad in ('1.2.3,4', 'high', '', '1.23,45.6', '--'):
      separator = ';' if ';' in table else ','
      if separator in bad and '"' not in table:
        continue
      cells = lines[99].split('","' if '"' in table else separator)
      cells[3] = bad
      text = '\n'.join(
        [*lines[:99], ('","' if '"' in table else separator).join(cells), *lines[100:]]
      )
      message = _refused(tmp_path, text, 'table.not_a_number', 100, 'fz_1')
      assert f'line 100, column fz_1: found {bad!r}' in message


MS_NOTE = 'Times are in ms; they are divided by 1,000.'


def test_no_mark_at_all(tmp_path):
  names = ['time_ms', *NAMES[1:]]
  text = _table(names=names, time=1000, time_format='.0f', force_format='.0f')
  _check(_read(tmp_path, text), 0.6, [MS_NOTE])


# --- units


@pytest.mark.parametrize(
  ('unit', 'newtons', 'written'),
  [('N', 1, None), ('kN', 1000, '1,000'), ('kgf', 9.80665, '9.80665'),
   ('lbf', 4.4482216152605, '4.448221615')],
)  # fmt: skip
@pytest.mark.parametrize('where', ['row', 'round', 'square'])
def test_units_of_force(tmp_path, unit, newtons, written, where):
  names, units = NAMES, ()
  if where == 'row':
    units = ['s', *[unit] * 6]
  else:
    form = '{} ({})' if where == 'round' else '{}[{}]'
    names = ['time [s]', *(form.format(n, unit) for n in NAMES[1:])]
  text = _table('\t', names=names, units=units, force=1 / newtons, force_format='.7f')
  note = f'Forces are in {unit}; they are multiplied by {written}.'
  _check(_read(tmp_path, text), 1e-3, [note] if written else [])


def test_each_column_has_a_unit_of_its_own(tmp_path):
  text = _table(units=['s', 'N', 'N', 'kN', 'N', '', 'kN'])
  forces = _read(tmp_path, text)
  np.testing.assert_allclose(forces.force, FORCE * [1, 1, 1000], atol=1)
  assert forces.notes == (
    'fz_1, fz_2 are in kN; they are multiplied by 1,000.',
    'fy_2 is taken to be in N, as no unit is given.',
  )


@pytest.mark.parametrize('names', [NAMES, ['time_ms', *NAMES[1:]], ['time (ms)', *NAMES[1:]]])
def test_milliseconds(tmp_path, names):
  units = ['ms', *['N'] * 6] if names is NAMES else ()
  text = _table(names=names, units=units, time=1000, time_format='.1f', thousands='')
  _check(_read(tmp_path, text), notes=[MS_NOTE])


@pytest.mark.parametrize(
  ('unit', 'says'),
  [('BW', 'body weight'), ('%BW', 'body weight'), ('N/kg', 'body weight'), ('V', 'calibration'),
   ('mV', 'calibration'), ('kg', 'kgf'), ('furlong', "'furlong'")],
)  # fmt: skip
def test_units_that_are_refused_by_name(tmp_path, unit, says):
  message = _refused(tmp_path, _table(units=['s', *[unit] * 6]), 'force.unit', 2, 'fx_1')
  assert f'found the unit {unit!r}, expected N, kN, kgf or lbf' in message
  assert says in message
  text = _table(names=[NAMES[0], *NAMES[1:6], f'fz_2 ({unit})'])
  _refused(tmp_path, text, 'force.unit', 1, 'fz_2')


def test_units_in_a_remark_and_units_that_contradict_each_other(tmp_path):
  table = _table(units=['s', *['kN'] * 6], force=1e-3, force_format='.7f')
  text = '# ' + table.replace('\n', '\n# ', 1)
  note = 'Forces are in kN; they are multiplied by 1,000.'
  _check(_read(tmp_path, text), 1e-3, [note])
  text = _table(names=[NAMES[0], *NAMES[1:6], 'fz_2 (N)'], units=['s', *['N'] * 5, 'kN'])
  message = _refused(tmp_path, text, 'force.unit', 2, 'fz_2')
  assert "found the unit 'kN' below 'N'" in message


def test_units_of_time(tmp_path):
  _refused(tmp_path, _table(names=['time (h)', *NAMES[1:]]), 'force.unit', 1, 'time')
  # Seconds that are called milliseconds are a million rows a second or so.
  _refused(tmp_path, _table(names=['time (ms)', *NAMES[1:]]), 'force.rate', 3, 'time')
  text = _table(time=1000, time_format='.1f')  # milliseconds that are called seconds
  _refused(tmp_path, text, 'force.time_gap', 3, 'time_s')


# --- what stands around the table


@pytest.mark.parametrize(
  ('change', 'notes'),
  [
    (lambda s: '\ufeff' + s, []),
    (lambda s: s.replace('\n', '\r\n') + '\r\n\r\n', []),
    (lambda s: s.replace('\n', '\r'), []),
    (lambda s: s.replace('\n', ',\n'), []),
    (lambda s: s.replace('\n', ',,\n').replace(',,\n', '\n', 1), []),
    (lambda s: s + '\n,,,,,,\n""\n', []),
    (lambda s: '# made by hand, on a Monday\n\n' + s + '# end, of file\n', []),
    (lambda s: s.replace('\n0.1000', '\n# 1, 2, or 3\n0.1000'), []),
    (lambda s: '# ' + s, []),
    (lambda s: s.replace(',', ' '), []),
    (lambda s: '# ' + s.replace(',', '   '), []),
    (lambda s: 'sep=,\n' + s, []),
    (lambda s: 'Laboratory;A\nDate,2026-01-01\n\n' + s, []),
    (lambda s: s.replace('fz_2', 'fz_2,"a, b"').replace('\n', ',\n').replace(',\n', '\n', 1), []),
    (lambda s: s.replace('time_s', 'Time_s').replace('fx_1', ' FX_1 '), []),
    (lambda s: s.replace(',', ' , '), []),
  ],
)  # fmt: skip
def test_what_stands_around_a_table(tmp_path, change, notes):
  _check(_read(tmp_path, change(_table())), notes=notes)


def test_another_order_and_further_columns(tmp_path):
  rows = [line.split(',') for line in _table().split('\n')[:-1]]
  text = '\n'.join(','.join([*r[:3:-1], f'x{k}', *r[3::-1]]) for k, r in enumerate(rows))
  _check(_read(tmp_path, text))


@pytest.mark.parametrize('count', [1, 3])
def test_other_numbers_of_plates(tmp_path, count):
  names = ['time_s', *(f'f{a}_{p + 1}' for p in range(count) for a in 'xyz')]
  rows = [','.join(names)] + [
    ','.join([f'{k / 1200:.6f}', *(str(k + j) for j in range(3 * count))]) for k in range(30)
  ]
  forces = _read(tmp_path, '\n'.join(rows))
  np.testing.assert_array_equal(
    forces.force.reshape(30, -1), np.arange(30)[:, None] + np.arange(3 * count)
  )


@pytest.mark.parametrize(
  ('change', 'code', 'line', 'column'),
  [
    (lambda s: s.replace('\n0.1000,', '\n"0.1000,'), 'table.syntax', 52, None),
    (lambda s: s.replace('\n0.1000,', '\n0.1000,1,'), 'table.cell_count', 52, None),
    (lambda s: s.replace('\n0.1000,', '\n#0.1000,'), 'table.not_a_number', 52, 'time_s'),
    (lambda s: s.replace('fy_1', 'gy_1'), 'table.missing_column', 1, None),
    (lambda s: s.replace('fy_1', 'fx_1'), 'table.missing_column', 1, None),
    (lambda s: '\n'.join(x + ',0' for x in s.split('\n')[:-1]).replace('fz_2,0', 'fz_2,fz_2'),
     'table.duplicate_column', 1, 'fz_2'),
    (lambda s: s.replace('\n0.1000,', '\n0.0980,'), 'force.time_order', 52, 'time_s'),
    (lambda s: '', 'table.missing_column', 1, None),
    (lambda s: '\n'.join(s.split('\n')[:8]), 'force.too_short', None, None),
    (lambda s: s.replace('\n0.1000,', '\nnan,'), 'table.not_finite', 52, 'time_s'),
    (lambda s: s.replace('\n0.1000,', '\n1e999,'), 'table.not_finite', 52, 'time_s'),
  ],
)  # fmt: skip
def test_faults_are_named_with_their_place(tmp_path, change, code, line, column):
  _refused(tmp_path, change(_table()), code, line, column)


def test_decimal_commas_between_commas_say_what_to_do(tmp_path):
  message = _refused(tmp_path, _table().replace('.', ','), 'table.cell_count', 2)
  assert 'found 14 cells, expected 7 as in the header; decimal commas must be quoted' in message


# --- encodings


def test_utf_16_with_its_mark(tmp_path):
  _check(_read(tmp_path, _table(), encoding='utf-16'))
  text = ('\ufeff' + _table()).encode('utf-16-be')
  _check(_read(tmp_path, text))
  _refused(tmp_path, text[:-1], 'table.encoding', 1)
  _refused(tmp_path, _table(), 'table.missing_column', 1, encoding='utf-16-le')


WINDOWS_NOTE = 'The text is not UTF-8; it is read as Windows-1252.'


def test_windows_1252_where_it_cannot_be_misread(tmp_path):
  head = '# Raum 3, 21 \u00b0C, Müller\n'
  _check(_read(tmp_path, head + _table(), encoding='cp1252'), notes=[WINDOWS_NOTE])
  table = _table(';', ',', '\u00a0')
  _check(_read(tmp_path, table, encoding='cp1252'), notes=[WINDOWS_NOTE, COMMA_NOTE])
  _check(_read(tmp_path, head + _table()), notes=[])


def test_other_bytes_among_the_numbers_are_refused(tmp_path):
  for bad in ('\u00b0', 'é', '\u2019'):
    text = _table().replace('\n0.1000,', f'\n0.1000{bad},')
    assert 'line 52: found byte' in _refused(
      tmp_path, text, 'table.encoding', 52, encoding='cp1252'
    )
  _refused(tmp_path, b'\x81' + _table().encode(), 'table.encoding', 1)  # no character of it
  _refused(tmp_path, b'PK\x03\x04' + _table().encode(), 'table.encoding', 1)


def test_files_that_cannot_be_opened(tmp_path):
  with pytest.raises(errors.InputError, match='no such file') as caught:
    text_forces.read(tmp_path / 'none.csv')
  assert caught.value.code == 'recording.no_file'
  (tmp_path / 'folder.csv').mkdir()
  with pytest.raises(errors.InputError) as caught:
    text_forces.read(tmp_path / 'folder.csv')
  assert caught.value.code == 'recording.unreadable_file'


# --- files in the manner of reports


@pytest.mark.parametrize(
  ('name', 'change', 'notes'),
  [
    ('units_row.csv', np.eye(3), []),
    ('tabs.csv', np.eye(3), []),
    ('quoted_decimal_comma.csv', np.eye(3), [COMMA_NOTE]),
    ('walks_minus_x.csv', np.diag([-1, -1, 1]), []),
    ('xy_swapped.csv', np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]), []),
  ],
)
def test_reported_tables_against_the_reference(name, change, notes):
  if not REPORTS.exists():
    pytest.skip('../shared is not here')
  reference = opensim.read(REPORTS / 'reference.mot')
  forces = text_forces.read(REPORTS / name)
  np.testing.assert_allclose(forces.time_s, reference.time_s, atol=1e-9)
  force = conventions.opensim_to_plates(reference.force)
  np.testing.assert_allclose(forces.force, force @ change, atol=1e-9)
  assert forces.notes == tuple(notes)


def test_a_long_file_is_read_at_once(tmp_path):
  """60,000 rows of four plates take about a second; a loop over cells takes minutes."""
  import time

  values = np.random.default_rng(0).normal(0, 900, (60_000, 12)).round(3)
  names = ['time_s', *(f'f{a}_{p}' for p in range(1, 5) for a in 'xyz')]
  rows = [';'.join(names)]
  rows += [f'{k / 1000:.3f};' + ';'.join(map(str, v)) for k, v in enumerate(values.tolist())]
  (tmp_path / 'f.csv').write_text('\n'.join(rows).replace('.', ','))
  start = time.process_time()
  forces = text_forces.read(tmp_path / 'f.csv')
  assert time.process_time() - start < 8
  np.testing.assert_array_equal(forces.force.reshape(60_000, -1), values)
