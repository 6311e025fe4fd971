"""Tests of grfjax.io.recordings: what is read, and the errors about what cannot be."""

import codecs
import pathlib
import re

import numpy as np
import plates
import pytest

from grfjax import errors
from grfjax.io import recordings

SUBJECTS = 'subject,body_mass_kg,height_m\nS1,61.5,1.75\nS2,70,1.80\n'
HEADER = 'subject,trial,video,video_start_s,force,plates,camera\n'
TRIALS = HEADER + (
  'S1,walk-1,videos/a.mp4,0.25,forces/a.csv,left;right,left\n'
  'S2,walk-2,videos/a.mp4,-0.5,forces/a.csv,right,right\n'
)


def _write(root: pathlib.Path, subjects=SUBJECTS, trials=TRIALS) -> pathlib.Path:
  for name in ('videos/a.mp4', 'forces/a.csv', 'forces/b.c3d', 'forces/c.MOT', 'forces/d.xyz'):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b'')
  for name, text in (('subjects.csv', subjects), ('trials.csv', trials)):
    if text is not None:
      (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
  return root


def _refused(code, root, line=None, column=None, file='trials.csv', **kwargs):
  """Loads what must be refused with this code and place; returns the message."""
  with pytest.raises(recordings.RecordingError) as caught:
    recordings.load(root, **kwargs)
  error = caught.value
  assert (error.code, error.line, error.column) == (code, line, column)
  assert error.file == str(root / file)
  return str(error)


def test_reads_every_field(tmp_path):
  first, second = recordings.load(_write(tmp_path))
  assert first == recordings.Trial(
    subject=recordings.Subject('S1', 61.5, 1.75),
    name='walk-1',
    video=tmp_path / 'videos/a.mp4',
    camera='left',
    force=(tmp_path / 'forces/a.csv',),
    force_format='',
    plates=('left', 'right'),
    video_start_s=0.25,
    contact_frame=None,
    root=tmp_path,
    where='trials.csv, line 2',
  )
  assert (second.subject.name, second.plates, second.video_start_s) == ('S2', ('right',), -0.5)


def test_realgait():
  root = pathlib.Path(__file__).parents[1] / '../shared/realgait'
  if not root.exists():
    pytest.skip('../shared is not here')
  trials = recordings.load(root)
  assert len(trials) == 80
  assert len({t.subject.name for t in trials}) == 8


@pytest.mark.parametrize('force', ['b.c3d', 'c.MOT'])
def test_other_force_files(tmp_path, force):
  trials = TRIALS.replace('forces/a.csv', f'forces/{force}', 1)
  assert recordings.load(_write(tmp_path, trials=trials))[0].force == (tmp_path / 'forces' / force,)


@pytest.mark.parametrize(
  'change',
  [
    lambda s: codecs.BOM_UTF8 + s.encode(),
    lambda s: s.replace('\n', '\r\n').encode(),
    lambda s: s.replace('\n', '\r').encode(),
    lambda s: s.rstrip('\n').encode(),
    lambda s: s.replace('\n', ' \n').replace(',', ', ').encode(),
    lambda s: (s + '\n' + ',' * s.split('\n')[0].count(',') + '\n\n').encode(),
  ],
  ids=['bom', 'crlf', 'cr', 'no last newline', 'spaces', 'blank lines'],
)
def test_same_table_in_other_clothes(tmp_path, change):
  plain = recordings.load(_write(tmp_path))
  assert recordings.load(_write(tmp_path, change(SUBJECTS), change(TRIALS))) == plain


def test_semicolons_with_decimal_commas(tmp_path):
  """What a spreadsheet writes where the comma is the decimal sign."""
  plain = recordings.load(_write(tmp_path))
  subjects = SUBJECTS.replace(',', ';').replace('.', ',')
  trials = TRIALS.replace('left;right', '"left|right"').replace(',', ';').replace('|', ';')
  trials = trials.replace('0.25', '0,25').replace('-0.5', '-0,5')
  assert recordings.load(_write(tmp_path, subjects, trials)) == plain


@pytest.mark.parametrize(
  ('height', 'metres'),
  [
    ('175', '175 centimetres are 1.75 metres'),
    ('5.75', '5.75 feet are 1.75 metres'),
    ('69', '69 centimetres are 0.69 metres, 69 inches are 1.75 metres'),
    ('1750', '1750 millimetres are 1.75 metres'),
  ],
)
def test_a_height_in_another_unit_is_refused_with_what_it_is_in_metres(tmp_path, height, metres):
  with pytest.raises(errors.InputError) as refused:
    recordings.load(_write(tmp_path, SUBJECTS.replace('1.75', height)))
  assert f"found '{height}', expected 0.5 to 2.6 metres ({metres})" in str(refused.value)
  assert (refused.value.code, refused.value.column) == ('recording.out_of_range', 'height_m')


def test_height_may_be_missing_or_empty(tmp_path):
  without = 'subject,body_mass_kg\nS1,61.5\nS2,70\n'
  assert recordings.load(_write(tmp_path, without))[0].subject.height_m is None
  empty = SUBJECTS.replace('1.75', '')
  assert [t.subject.height_m for t in recordings.load(_write(tmp_path, empty))] == [None, 1.8]


def test_age_and_scale_are_read_and_checked(tmp_path):
  ages = 'subject,body_mass_kg,age_years\nS1,61.5,\nS2,70,71.5\n'
  head, first, *others = TRIALS.splitlines()
  rows = [f'{head},scale_m_per_px', f'{first},0.004', *(f'{row},' for row in others)]
  trials = recordings.load(_write(tmp_path, ages, '\n'.join(rows) + '\n'))
  assert {t.subject.name: t.subject.age_years for t in trials} == {'S1': None, 'S2': 71.5}
  assert [t.scale_m_per_px for t in trials] == [0.004, *[None] * len(others)]
  _write(tmp_path, ages.replace('71.5', '715'))
  _refused('recording.out_of_range', tmp_path, 3, 'age_years', file='subjects.csv')
  rows[1] = f'{first},4'  # millimetres
  _write(tmp_path, ages, '\n'.join(rows) + '\n')
  _refused('recording.out_of_range', tmp_path, 2, 'scale_m_per_px')


def test_extra_columns_are_ignored(tmp_path):
  trials = re.sub('(?m)$', ',anything', TRIALS.rstrip()).replace('camera,anything', 'camera,note')
  assert len(recordings.load(_write(tmp_path, trials=trials))) == 2


def test_a_films_own_speed(tmp_path):
  def with_speed(first, second):
    rows = TRIALS.splitlines()
    cells = ['speed', first, second]
    return '\n'.join(f'{row},{cell}' for row, cell in zip(rows, cells, strict=True)) + '\n'

  trials = recordings.load(_write(tmp_path, trials=with_speed('0.125', '')))
  assert [trial.speed for trial in trials] == [0.125, None]
  told = recordings.digests(trials)
  without = recordings.digests(recordings.load(_write(tmp_path)))
  assert told['S1'] != without['S1']
  assert told['S2'] == without['S2']
  for cell, code in [
    ('0', 'recording.out_of_range'), ('-1', 'recording.out_of_range'),
    ('12.5', 'recording.out_of_range'), ('nan', 'table.not_finite'),
    ('1/8', 'table.not_a_number'),
  ]:  # fmt: skip
    root = _write(tmp_path, trials=with_speed(cell, ''))
    message = _refused(code, root, 2, 'speed')
    assert f'found {cell!r}' in message


def test_a_file_of_the_feet_is_found_and_belongs_to_what_records_are_made_of(tmp_path):
  without = recordings.digests(recordings.load(_write(tmp_path)))
  rows = zip(TRIALS.splitlines(), ['feet', 'feet/1.csv', ''], strict=True)
  root = _write(tmp_path, trials='\n'.join(f'{row},{cell}' for row, cell in rows) + '\n')
  _refused('recording.no_file', root, 2, 'feet')
  (root / 'feet').mkdir()
  (root / 'feet/1.csv').write_text('time_s\n')
  trials = recordings.load(root)
  assert [trial.feet for trial in trials] == [root / 'feet/1.csv', None]
  digests = recordings.digests(trials)
  assert digests['S1'] != without['S1']
  assert digests['S2'] == without['S2']
  (root / 'feet/1.csv').write_text('time_s,\n')
  assert recordings.digests(trials)['S1'] != digests['S1']


def test_contact_frame(tmp_path):
  trials = TRIALS.replace('video_start_s', 'contact_frame').replace('0.25', '0')
  first, second = recordings.load(_write(tmp_path, trials=trials.replace('-0.5', '31')))
  assert (first.contact_frame, first.video_start_s) == (0, None)
  assert second.contact_frame == 31


def test_both_columns_with_one_filled(tmp_path):
  trials = (
    HEADER.replace('force', 'contact_frame,force')
    + 'S1,a,videos/a.mp4,0.25,,forces/a.csv,left,left\n'
    + 'S1,b,videos/a.mp4,,7,forces/a.csv,left,left\n'
  )
  first, second = recordings.load(_write(tmp_path, trials=trials))
  assert (first.video_start_s, first.contact_frame) == (0.25, None)
  assert (second.video_start_s, second.contact_frame) == (None, 7)


@pytest.mark.parametrize(
  ('camera', 'cell', 'plates'),
  [
    ('left', 'L;R', ('left', 'right')),
    ('left', 'Left; RIGHT', ('left', 'right')),
    ('Left', 'near;far', ('left', 'right')),
    ('R', 'near;far', ('right', 'left')),
    ('left', 'near;far', ('left', 'right')),
    ('right', 'near;Far;r', ('right', 'left', 'right')),
  ],
)
def test_names_of_legs(tmp_path, camera, cell, plates):
  trials = HEADER + f'S1,a,videos/a.mp4,0,forces/a.csv,{cell},{camera}\n'
  assert recordings.load(_write(tmp_path, trials=trials))[0].plates == plates


def test_force_files_of_several_plates_and_their_format(tmp_path):
  trials = HEADER.replace('plates', 'plates,force_format')
  trials += 'S1,a,videos/a.mp4,0,forces/a.csv; forces/b.csv,,bertec,left\n'
  (tmp_path / 'forces').mkdir()
  (tmp_path / 'forces/b.csv').write_bytes(b'')
  (trial,) = recordings.load(_write(tmp_path, trials=trials))
  assert trial.force == (tmp_path / 'forces/a.csv', tmp_path / 'forces/b.csv')
  assert (trial.force_format, trial.plates) == ('bertec', ())  # the format may name the legs
  digest = recordings.digests([trial])
  own = tmp_path / 'formats/bertec.toml'
  own.parent.mkdir()
  own.write_text('[columns]')
  assert recordings.digests([trial]) != digest
  for cell in ('forces/a.csv;', 'forces/a.csv;forces/a.csv'):
    _write(tmp_path, trials=trials.replace('forces/a.csv; forces/b.csv', cell))
    assert 'different files' in _refused('recording.bad_value', tmp_path, 2, 'force')


def test_legs_may_be_left_to_a_file_that_names_them(tmp_path):
  trials = HEADER + 'S1,a,videos/a.mp4,0,forces/c.MOT,,left\n'
  assert recordings.load(_write(tmp_path, trials=trials))[0].plates == ()
  _write(tmp_path, trials=trials.replace('c.MOT', 'a.csv'))
  _refused('table.empty_cell', tmp_path, 2, 'plates')


def _write_standing(path, newtons=600.0, sway=1.0, lasts=4.0, load_at=0.0, one_foot_until=0.0):
  t = np.arange(0, lasts, 0.005)
  fz = np.where(t < load_at, 0, np.where(t < one_foot_until, 0.6, 1) * newtons)
  fz = fz + np.where(t < one_foot_until, 0.2, 1) * sway * np.sin(2 * np.pi * t)
  force = np.zeros((len(t), 2, 3))
  force[:, :, 2] = fz[:, None] / 2
  plates.write_csv(path, t, force)


def test_body_mass_from_quiet_standing(tmp_path):
  root = _write(tmp_path)
  _write_standing(tmp_path / 'forces/standing.csv', newtons=588.399, load_at=1.5)
  standing = 'subject,body_mass_kg,static\nS1,{},forces/standing.csv\nS2,70,\n'
  for mass, expected in (('', 60.0), ('61.5', 61.5)):
    first, second = recordings.load(_write(tmp_path, standing.format(mass)))
    assert first.subject.body_mass_kg == pytest.approx(expected, abs=0.02)
    assert second.subject.body_mass_kg == 70
  without = 'subject,static\nS1,forces/standing.csv\nS2,forces/standing.csv\n'
  assert recordings.load(_write(tmp_path, without))[1].subject.body_mass_kg == pytest.approx(60)
  at = {'file': 'subjects.csv', 'line': 2}
  _write(tmp_path, standing.format('132'))  # pounds
  message = _refused('recording.body_mass', root, column='body_mass_kg', **at)
  assert 'about the 60 kilograms' in message
  _write(tmp_path, standing.format('').replace('forces/standing.csv', ''))
  _refused('table.empty_cell', root, column='body_mass_kg', **at)
  _write_standing(tmp_path / 'forces/standing.csv', newtons=-600)
  _write(tmp_path, standing.format(''))
  _refused('force.upside_down', root, file='forces/standing.csv')
  _write_standing(tmp_path / 'forces/standing.csv', one_foot_until=2)
  assert 'both feet' in _refused('force.not_standing', root, file='forces/standing.csv')
  for change in ({'sway': 60}, {'lasts': 0.9}):
    _write_standing(tmp_path / 'forces/standing.csv', **change)
    _write(tmp_path, standing.format(''))
    assert 'stand' in _refused('force.not_standing', root, file='forces/standing.csv')


def test_everything_that_is_wrong_is_found_at_once(tmp_path):
  trials = (
    HEADER
    + 'S1,a,videos/a.mp4,,forces/a.csv,left,left\n'
    + 'S1,b,videos/none.mp4,0,forces/a.csv,left,up\n'
    + 'S2,c,videos/a.mp4,0,forces/a.csv,left,left\n'
    + 'S3,d,videos/a.mp4,0,forces/a.csv,left,left\n'
    + 'S1,e,videos/a.mp4,0,forces/a.csv,left,left\n'
  )
  root = _write(tmp_path, SUBJECTS.replace('70', 'seventy'), trials)
  found = recordings.examine(root)
  assert [trial.name for trial in found.trials] == ['e']
  assert [(p.code, p.line, p.column) for p in found.problems] == [
    ('table.not_a_number', 3, 'body_mass_kg'),
    ('recording.synchronization', 2, 'video_start_s'),
    ('recording.bad_value', 3, 'camera'),
    ('recording.unknown_subject', 5, 'subject'),
  ]
  assert all(isinstance(problem, recordings.RecordingError) for problem in found.problems)
  found = recordings.examine(root, need_synchronization=False)
  assert [(trial.name, trial.video_start_s) for trial in found.trials] == [('a', None), ('e', 0.0)]
  assert recordings.examine(root / 'nowhere').problems[0].code == 'recording.no_folder'


def test_prediction_needs_no_forces(tmp_path):
  trials = 'subject,trial,video,camera\nS1,new,videos/a.mp4,left\n'
  (trial,) = recordings.load(_write(tmp_path, trials=trials), need_forces=False)
  assert (trial.force, trial.plates, trial.video_start_s, trial.contact_frame) == (
    (),
    (),
    None,
    None,
  )


def test_prediction_takes_empty_cells(tmp_path):
  trials = HEADER + 'S1,new,videos/a.mp4,,,,left\n'
  (trial,) = recordings.load(_write(tmp_path, trials=trials), need_forces=False)
  assert (trial.force, trial.plates, trial.video_start_s) == ((), (), None)


@pytest.mark.parametrize(
  ('old', 'new', 'column', 'code'),
  [
    ('forces/a.csv', 'forces/none.csv', 'force', 'recording.no_file'),
    ('left;right', 'left;up', 'plates', 'recording.bad_value'),
    ('0.25', 'soon', 'video_start_s', 'table.not_a_number'),
  ],
)
def test_prediction_checks_what_is_given(tmp_path, old, new, column, code):
  _write(tmp_path, trials=TRIALS.replace(old, new, 1))
  message = _refused(code, tmp_path, 2, column, need_forces=False)
  assert f'line 2, column {column}: found {new!r}' in message


def test_restricted_to_subjects(tmp_path):
  # The other subject's files need not be there.
  trials = TRIALS.replace('videos/a.mp4', 'videos/gone.mp4', 1)
  (trial,) = recordings.load(_write(tmp_path, trials=trials), subjects=['S2'])
  assert trial.name == 'walk-2'
  message = _refused(
    'recording.unknown_subject', tmp_path, file='subjects.csv', subjects=['S2', 'S3']
  )
  assert message == f"{tmp_path}/subjects.csv: no subject 'S3'; known are S1, S2"
  message = _refused('recording.no_subjects', tmp_path, file='subjects.csv', subjects=[])
  assert message == 'no subjects asked for; known are S1, S2'


def test_subject_without_trials(tmp_path):
  _write(tmp_path, SUBJECTS + 'S3,50,1.6\n')
  message = _refused('recording.no_trials', tmp_path, subjects=['S3'])
  assert message == f'{tmp_path}/trials.csv: no trials of S3'


def test_file_inside_through_a_link(tmp_path):
  _write(tmp_path, trials=TRIALS.replace('videos/a.mp4', 'videos/link.mp4', 1))
  (tmp_path / 'videos/link.mp4').symlink_to(tmp_path / 'videos/a.mp4')
  assert recordings.load(tmp_path)[0].video.name == 'link.mp4'


def test_no_such_set(tmp_path):
  message = _refused('recording.no_folder', tmp_path / 'nothing', file='')
  assert message == f'{tmp_path}/nothing: no such folder; expected a recording set'


def test_trials_are_checked_for_duplicates_across_subjects(tmp_path):
  _write(tmp_path, trials=TRIALS.replace('walk-2', 'walk-1'))
  message = _refused('recording.duplicate_name', tmp_path, 3, 'trial', subjects=['S1'])
  assert message == (
    f"{tmp_path}/trials.csv, line 3, column trial: found 'walk-1', expected a trial that is not "
    'there yet; line 2 has it (capitals do not count)'
  )


@pytest.mark.parametrize(
  ('file', 'old', 'new', 'code', 'line', 'column'),
  [
    ('trials.csv', TRIALS, '', 'table.no_rows', None, None),
    ('trials.csv', 'camera', 'cam', 'table.missing_column', 1, None),
    ('trials.csv', 'video_start_s', 'v', 'table.missing_column', 1, None),
    ('subjects.csv', 'height_m', 'body_mass_kg', 'table.duplicate_column', 1, 'body_mass_kg'),
    ('trials.csv', ',left\n', '\n', 'table.cell_count', 2, None),
    ('trials.csv', 'walk-1', '"walk-1', 'table.syntax', 3, None),
    ('subjects.csv', '61.5', '', 'table.empty_cell', 2, 'body_mass_kg'),
    ('subjects.csv', '61.5', '0x1F', 'table.not_a_number', 2, 'body_mass_kg'),
    ('subjects.csv', '70', 'inf', 'table.not_finite', 3, 'body_mass_kg'),
    ('subjects.csv', '61.5', '615', 'recording.out_of_range', 2, 'body_mass_kg'),
    ('subjects.csv', 'S1', 'a/b', 'recording.bad_name', 2, 'subject'),
    ('subjects.csv', 'S1', '"a,b"', 'recording.bad_name', 2, 'subject'),
    ('subjects.csv', 'S2', 's1', 'recording.duplicate_name', 3, 'subject'),
    ('trials.csv', '\nS2', '\nS9', 'recording.unknown_subject', 3, 'subject'),
    ('trials.csv', ',left\n', ',front\n', 'recording.bad_value', 2, 'camera'),
    ('trials.csv', '0.25', '', 'recording.synchronization', 2, 'video_start_s'),
    ('trials.csv', 'videos/a.mp4', '../a.mp4', 'recording.path_outside', 2, 'video'),
    ('trials.csv', 'videos/a.mp4', 'videos/x.mp4', 'recording.no_file', 2, 'video'),
    ('trials.csv', 'forces/a.csv', 'forces/d.xyz', 'force.format', 2, 'force'),
  ],
)
def test_errors_carry_code_line_and_column(tmp_path, file, old, new, code, line, column):
  _write(tmp_path)
  path = tmp_path / file
  assert old in path.read_text()
  path.write_text(path.read_text().replace(old, new, 1))
  message = _refused(code, tmp_path, line, column, file=file)
  place = ''.join(f', {k} {v}' for k, v in (('line', line), ('column', column)) if v is not None)
  assert message.startswith(f'{path}{place}: ')


def test_files_that_are_no_text(tmp_path):
  for data, line in ((b'PK\x03\x04', 1), ('\ufeffa'.encode('utf-16'), 1), (b'a\nb\n\xe9', 3)):
    _write(tmp_path, trials=data)
    _refused('table.encoding', tmp_path, line)
  (tmp_path / 'trials.csv').unlink()
  _refused('recording.no_file', tmp_path)
  (tmp_path / 'trials.csv').mkdir()
  _refused('recording.unreadable_file', tmp_path)


def test_a_file_that_is_gone_has_no_digest(tmp_path):
  trials = recordings.load(_write(tmp_path))
  trials[1].video.unlink()
  with pytest.raises(recordings.RecordingError) as caught:
    recordings.digests(trials)
  assert caught.value.code == 'recording.unreadable_file'
  assert caught.value.file == str(trials[1].video)
