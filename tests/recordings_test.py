"""Tests of grfjax.recordings: what is read, and every complaint about what cannot be."""

import codecs
import pathlib
import re

import pytest

from grfjax import recordings

SUBJECTS = 'subject,body_mass_kg,height_m\nS1,61.5,1.75\nS2,70,1.80\n'
HEADER = 'subject,trial,video,video_start_s,force,plates,camera\n'
TRIALS = HEADER + (
  'S1,walk-1,videos/a.mp4,0.25,forces/a.csv,left;right,left\n'
  'S2,walk-2,videos/a.mp4,-0.5,forces/a.csv,right,right\n'
)


def _write(root: pathlib.Path, subjects=SUBJECTS, trials=TRIALS) -> pathlib.Path:
  for name in ('videos/a.mp4', 'forces/a.csv', 'forces/b.c3d', 'forces/c.MOT', 'forces/d.txt'):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b'')
  for name, text in (('subjects.csv', subjects), ('trials.csv', trials)):
    if text is not None:
      (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())
  return root


def test_reads_every_field(tmp_path):
  first, second = recordings.load(_write(tmp_path))
  assert first == recordings.Trial(
    subject=recordings.Subject('S1', 61.5, 1.75),
    name='walk-1',
    video=tmp_path / 'videos/a.mp4',
    camera='left',
    force=tmp_path / 'forces/a.csv',
    plates=('left', 'right'),
    video_start_s=0.25,
    contact_frame=None,
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
  assert recordings.load(_write(tmp_path, trials=trials))[0].force == tmp_path / 'forces' / force


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


def test_height_may_be_missing_or_empty(tmp_path):
  without = 'subject,body_mass_kg\nS1,61.5\nS2,70\n'
  assert recordings.load(_write(tmp_path, without))[0].subject.height_m is None
  empty = SUBJECTS.replace('1.75', '')
  assert [t.subject.height_m for t in recordings.load(_write(tmp_path, empty))] == [None, 1.8]


def test_extra_columns_are_ignored(tmp_path):
  trials = re.sub('(?m)$', ',anything', TRIALS.rstrip()).replace('camera,anything', 'camera,note')
  assert len(recordings.load(_write(tmp_path, trials=trials))) == 2


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


def test_prediction_needs_no_forces(tmp_path):
  trials = 'subject,trial,video,camera\nS1,new,videos/a.mp4,left\n'
  (trial,) = recordings.load(_write(tmp_path, trials=trials), need_forces=False)
  assert (trial.force, trial.plates, trial.video_start_s, trial.contact_frame) == (
    None,
    (),
    None,
    None,
  )


def test_prediction_takes_empty_cells(tmp_path):
  trials = HEADER + 'S1,new,videos/a.mp4,,,,left\n'
  (trial,) = recordings.load(_write(tmp_path, trials=trials), need_forces=False)
  assert (trial.force, trial.plates, trial.video_start_s) == (None, (), None)


@pytest.mark.parametrize(
  ('old', 'new', 'column'),
  [
    ('forces/a.csv', 'forces/none.csv', 'force'),
    ('left;right', 'left;up', 'plates'),
    ('0.25', 'soon', 'video_start_s'),
  ],
)
def test_prediction_checks_what_is_given(tmp_path, old, new, column):
  _write(tmp_path, trials=TRIALS.replace(old, new, 1))
  with pytest.raises(recordings.RecordingError, match=f'line 2, column {column}: found {new!r}'):
    recordings.load(tmp_path, need_forces=False)


def test_restricted_to_subjects(tmp_path):
  # The other subject's files need not be there.
  trials = TRIALS.replace('videos/a.mp4', 'videos/gone.mp4', 1)
  (trial,) = recordings.load(_write(tmp_path, trials=trials), subjects=['S2'])
  assert trial.name == 'walk-2'
  with pytest.raises(recordings.RecordingError, match=r"no subject 'S3'; known are S1, S2"):
    recordings.load(tmp_path, subjects=['S2', 'S3'])
  with pytest.raises(recordings.RecordingError, match='no subjects asked for; known are S1, S2'):
    recordings.load(tmp_path, subjects=[])


def test_subject_without_trials(tmp_path):
  _write(tmp_path, SUBJECTS + 'S3,50,1.6\n')
  with pytest.raises(recordings.RecordingError, match=r'trials\.csv: no trials of S3'):
    recordings.load(tmp_path, subjects=['S3'])


def test_file_inside_through_a_link(tmp_path):
  _write(tmp_path, trials=TRIALS.replace('videos/a.mp4', 'videos/link.mp4', 1))
  (tmp_path / 'videos/link.mp4').symlink_to(tmp_path / 'videos/a.mp4')
  assert recordings.load(tmp_path)[0].video.name == 'link.mp4'


def _name(new):  # puts a name into the first trial
  return 'trials', 'walk-1', new


# table, text to replace (the first time it stands), by what; fragments of the message.
DEFECTS = {
  'no subjects.csv': ('subjects', None, None, ['subjects.csv: no such file']),
  'no trials.csv': ('trials', None, None, ['trials.csv: no such file']),
  'empty subjects': ('subjects', SUBJECTS, '', ['subjects.csv: no rows', 'body_mass_kg']),
  'empty trials': ('trials', TRIALS, '', ['trials.csv: no rows', 'camera']),
  'header alone': ('trials', TRIALS, HEADER, ['trials.csv: no rows']),
  'no mass column': (
    'subjects',
    'body_mass_kg',
    'mass',
    ['subjects.csv, line 1', 'no column body_mass_kg', 'found subject, mass'],
  ),
  'no camera column': ('trials', 'camera', 'cam', ['trials.csv, line 1', 'no column camera']),
  'two missing': ('trials', 'video,', 'film,', ['no column video; found']),
  'no force column': ('trials', ',force,', ',f,', ['line 1', 'no column force']),
  'no plates column': ('trials', ',plates', ',p', ['line 1', 'no column plates']),
  'no sync column': (
    'trials',
    'video_start_s',
    'v',
    ['line 1', 'no column video_start_s or contact_frame'],
  ),
  'column twice': ('trials', 'plates,camera', 'camera,camera', ['line 1', 'no column plates']),
  'needed column twice': (
    'subjects',
    'height_m',
    'body_mass_kg',
    ['line 1, column body_mass_kg', 'found 2 times'],
  ),
  'empty subject': ('subjects', 'S1,', ',', ['subjects.csv, line 2, column subject', 'is empty']),
  'empty mass': ('subjects', '61.5', '', ['subjects.csv, line 2, column body_mass_kg', 'is empty']),
  'mass in words': (
    'subjects',
    '61.5',
    '61.5 kg',
    ['line 2, column body_mass_kg', "'61.5 kg'", 'expected a number (kilograms'],
  ),
  'underscore': ('subjects', '61.5', '6_1', ['column body_mass_kg', "'6_1'", 'a number']),
  'hexadecimal': ('subjects', '61.5', '0x1F', ['column body_mass_kg', "'0x1F'", 'a number']),
  'mass nan': ('subjects', '61.5', 'nan', ['line 2, column body_mass_kg', "'nan'", 'finite']),
  'mass infinite': ('subjects', '70', 'inf', ['line 3, column body_mass_kg', "'inf'", 'finite']),
  'mass overflows': ('subjects', '70', '1e999', ['line 3, column body_mass_kg', 'finite']),
  'mass negative': ('subjects', '61.5', '-61.5', ["'-61.5'", 'expected 5 to 300 kilograms']),
  'mass zero': ('subjects', '61.5', '0', ["'0'", 'expected 5 to 300 kilograms']),
  'mass in grams': ('subjects', '61.5', '61500', ["'61500'", 'expected 5 to 300 kilograms']),
  'height in cm': (
    'subjects',
    '1.75',
    '175',
    ['line 2, column height_m', "'175'", 'expected 0.5 to 2.6 metres'],
  ),
  'height nan': ('subjects', '1.75', 'NaN', ['line 2, column height_m', 'finite']),
  'decimal comma': ('subjects', '61.5', '"61,5"', ["'61,5'", 'with a decimal point']),
  'bare decimal comma': ('subjects', '61.5', '61,5', ['line 2', 'found 4 cells, expected 3']),
  'duplicate subject': (
    'subjects',
    'S2',
    'S1',
    ['subjects.csv, line 3, column subject', "'S1'", 'line 2 has it'],
  ),
  'same subject in small': ('subjects', 'S2', 's1', ["'s1'", 'line 2 has it']),
  'subject with comma': ('subjects', 'S1', '"S,1"', ["'S,1'", 'without a comma']),
  'subject with slash': ('subjects', 'S1', 'a/b', ['column subject', "'a/b'"]),
  'subject with dots': ('subjects', 'S1', 'a..b', ['column subject', "'a..b'", "'..'"]),
  'too few cells': ('trials', ',left\n', '\n', ['trials.csv, line 2', 'found 6 cells, expected 7']),
  'too many cells': ('trials', ',left\n', ',left,x\n', ['line 2', 'found 8 cells, expected 7']),
  'quote not closed': ('trials', 'walk-1', '"walk-1', ['trials.csv, line 3']),
  'unknown subject': (
    'trials',
    '\nS2',
    '\nS9',
    ['trials.csv, line 3, column subject', "'S9'", 'subjects.csv (S1, S2)'],
  ),
  'empty trial': (*_name(''), ['trials.csv, line 2, column trial', 'is empty']),
  'duplicate trial': ('trials', 'walk-2', 'walk-1', ['line 3, column trial', 'line 2 has it']),
  'same trial in capitals': ('trials', 'walk-2', 'WALK-1', ["'WALK-1'", 'line 2 has it']),
  'trial up': (*_name('../walk'), ['line 2, column trial', "'../walk'"]),
  'trial with slash': (*_name('a/b'), ['line 2, column trial', "'a/b'", 'without /']),
  'trial with backslash': (*_name('a\\b'), ['line 2, column trial', 'without /']),
  'trial hidden': (*_name('.walk'), ['line 2, column trial', "'.walk'", 'starts with a dot']),
  'trial with NUL': (*_name('a\0b'), ['line 2', 'column trial', 'control']),
  'trial with newline': (*_name('"a\nb"'), ['column trial', "'a\\nb'", 'control']),
  'trial turned over': (*_name('a\u202eb'), ['column trial', 'control']),
  'trial with colon': (*_name('a:b'), ['column trial', "'a:b'"]),
  'trial too long': (*_name('w' * 201), ['column trial', 'at most 200 bytes']),
  'empty camera': ('trials', 'left\n', '\n', ['line 2, column camera', 'is empty']),
  'camera in front': (
    'trials',
    ',left\n',
    ',front\n',
    ['trials.csv, line 2, column camera', "'front'", 'left or right'],
  ),
  'camera in capitals': ('trials', ',left\n', ',Left\n', ["'Left'", 'left or right']),
  'empty video': ('trials', 'videos/a.mp4', '', ['line 2, column video', 'is empty']),
  'no such video': (
    'trials',
    'videos/a.mp4',
    'videos/b.mp4',
    ['trials.csv, line 2, column video', "'videos/b.mp4'", 'there is no'],
  ),
  'video is a folder': ('trials', 'videos/a.mp4', 'videos', ['column video', 'there is no']),
  'video absolute': (
    'trials',
    'videos/a.mp4',
    '/etc/passwd',
    ['line 2, column video', "'/etc/passwd'", 'inside the recording set'],
  ),
  'video up': ('trials', 'videos/a.mp4', 'videos/../../a.mp4', ['inside the recording set']),
  'video on a drive': ('trials', 'videos/a.mp4', 'C:\\a.mp4', ['inside the recording set']),
  'video up, the Windows way': (
    'trials',
    'videos/a.mp4',
    '..\\a.mp4',
    ['inside the recording set'],
  ),
  'backslashes': ('trials', 'videos/a.mp4', 'videos\\a.mp4', ['separated by /']),
  'empty force': ('trials', 'forces/a.csv', '', ['line 2, column force', 'is empty']),
  'no such force': (
    'trials',
    'forces/a.csv',
    'forces/x.csv',
    ['line 2, column force', "'forces/x.csv'"],
  ),
  'force up': ('trials', 'forces/a.csv', '../a.csv', ['column force', 'inside the recording']),
  'force of another kind': (
    'trials',
    'forces/a.csv',
    'forces/d.txt',
    ['line 2, column force', "'forces/d.txt'", '.csv, .c3d, .mot'],
  ),
  'empty plates': ('trials', 'left;right', '', ['line 2, column plates', 'is empty']),
  'wrong leg': ('trials', 'left;right', 'left;both', ['line 2, column plates', "'left;both'"]),
  'leg left out': ('trials', 'left;right', 'left;', ['line 2, column plates', "'left;'"]),
  'legs with comma': ('trials', 'left;right', '"left,right"', ["'left,right'", 'semicolons']),
  'start empty': ('trials', '0.25', '', ['line 2, column video_start_s', 'contact_frame']),
  'start nan': ('trials', '0.25', 'nan', ['line 2, column video_start_s', 'finite']),
  'start as clock': ('trials', '0.25', '0:25', ['column video_start_s', "'0:25'", 'seconds']),
  'both kinds of start': (
    'trials',
    TRIALS,
    HEADER.replace('force', 'contact_frame,force')
    + 'S1,w,videos/a.mp4,0.5,3,forces/a.csv,left,left\n',
    ['line 2, column contact_frame', "'3'", 'not both', '0.5'],
  ),
  'no kind of start': (
    'trials',
    TRIALS,
    HEADER.replace('force', 'contact_frame,force') + 'S1,w,videos/a.mp4,,,forces/a.csv,left,left\n',
    ['line 2, column video_start_s', 'both are empty'],
  ),
  'not utf-8': (
    'trials',
    TRIALS,
    TRIALS.replace('walk-2', 'walk-é').encode('latin-1'),
    ['trials.csv, line 3', '0xe9', 'UTF-8'],
  ),
  'utf-16': ('subjects', SUBJECTS, SUBJECTS.encode('utf-16'), ['subjects.csv, line 1', 'UTF-8']),
} | {
  f'contact frame {frame}': (
    'trials',
    TRIALS,
    TRIALS.replace('video_start_s', 'contact_frame').replace('0.25', frame).replace('-0.5', '3'),
    ['trials.csv, line 2, column contact_frame', repr(frame), 'a whole number, 0 or more'],
  )
  for frame in ('-1', '2.5', '3.0', 'first', 'nan', '٣')
}


@pytest.mark.parametrize('defect', DEFECTS)
def test_complaint(tmp_path, defect):
  table, old, new, fragments = DEFECTS[defect]
  texts = {'subjects': SUBJECTS, 'trials': TRIALS}
  if old is None:
    texts[table] = None
  else:
    assert old in texts[table]
    texts[table] = texts[table].replace(old, new, 1) if isinstance(new, str) else new
  _write(tmp_path, **texts)
  with pytest.raises(recordings.RecordingError) as error:
    recordings.load(tmp_path)
  for fragment in fragments:
    assert fragment in str(error.value)


def test_no_such_set(tmp_path):
  with pytest.raises(recordings.RecordingError, match='no such folder'):
    recordings.load(tmp_path / 'nothing')


def test_semicolon_file_with_unquoted_legs(tmp_path):
  _write(tmp_path, trials=TRIALS.replace(',', ';'))
  with pytest.raises(recordings.RecordingError, match=r'line 2: found 8 cells, .*quotes'):
    recordings.load(tmp_path)


def test_trials_are_checked_for_duplicates_across_subjects(tmp_path):
  _write(tmp_path, trials=TRIALS.replace('walk-2', 'walk-1'))
  with pytest.raises(recordings.RecordingError, match='line 3, column trial'):
    recordings.load(tmp_path, subjects=['S1'])
