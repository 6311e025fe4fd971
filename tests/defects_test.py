"""What is wrong with a recording set -> what the commands say; nothing is taken in silence.

One set is made, and for each row of the tables copied and one thing in it broken. Whatever a table
does not spell out in full is a fragment of the message.
"""

import logging
import pathlib
import shutil

import av
import making
import numpy as np
import plates
import pytest

from grfjax.data import clip_config, trial_records
from grfjax.io import recordings

SUBJECTS = 'subject,body_mass_kg,height_m\nS1,61.5,1.75\nS2,70,1.80\n'
HEADER = 'subject,trial,video,video_start_s,force,plates,camera\n'
TRIALS = HEADER + (
  'S1,walk-1,videos/a.mp4,0.25,forces/a.csv,left;right,left\n'
  'S2,walk-2,videos/b.mp4,-0.5,forces/b.csv,right,right\n'
)
BY_FRAME = TRIALS.replace('video_start_s', 'contact_frame').replace('-0.5', '40')
MANIFESTS = {'subjects.csv': SUBJECTS, 'trials.csv': TRIALS}
CLOCK_S = np.arange(1450) / 1000 - 0.1  # of the forces, on the video's clock
WALKER, PAPER = clip_config.clip_config('walker'), clip_config.clip_config('mochizuki')


def steps() -> np.ndarray:
  """(N, 2, 3) newtons of the first trial."""
  return making.step_forces(CLOCK_S, 61.5)


@pytest.fixture(scope='module')
def base(tmp_path_factory):
  """The set without a defect."""
  root = tmp_path_factory.mktemp('base')
  for name in ('videos', 'forces'):
    (root / name).mkdir()
  for name, direction, seed in (('a', -1, 0), ('b', 1, 1)):
    walk = making.film(70, direction=direction, seed=seed)
    making.write_video(root / f'videos/{name}.mp4', walk.frames, crf=20)
  making.write_forces(root / 'forces/a.csv', CLOCK_S + 0.25, steps())
  right = making.step_forces(CLOCK_S, 70, {'right': making.STEPS['right']})
  making.write_forces(root / 'forces/b.csv', CLOCK_S - 0.5, right)
  (root / 'forces/d.xyz').write_text('nothing')
  for name, text in MANIFESTS.items():
    (root / name).write_text(text)
  return root


def read(root: pathlib.Path, cfg: clip_config.ClipConfig = PAPER) -> list[dict]:
  """The road of `tfds build`."""
  return [
    record for trial in recordings.load(root) for record in trial_records.trial_records(trial, cfg)
  ]


# --- how to break one thing


def edit(name, old, new):
  """Replaces a text, the first time it stands in a file; the file goes where it is None."""

  def change(root):
    path = root / name
    if old is None:
      path.unlink()
      return
    data = path.read_bytes()
    found, by = (x if isinstance(x, bytes) else x.encode() for x in (old, new))
    assert found in data
    path.write_bytes(data.replace(found, by, 1))

  return change


def subjects(old, new, *says):
  return edit('subjects.csv', old, new), says


def trials(old, new, *says):
  return edit('trials.csv', old, new), says


def trial(new, *says):
  """Another name of the first trial."""
  return trials('walk-1', new, *says)


def csv(change, *says):
  """The rows (lists of cells) of the first trial's force file, changed."""

  def apply(root):
    path = root / 'forces/a.csv'
    rows = [line.split(',') for line in path.read_text().splitlines()]
    path.write_text('\n'.join(','.join(row) for row in change(rows)) + '\n')

  return apply, ('forces/a.csv', *says)


def cell(row, column, value, *says):
  """One cell of the first trial's force file; rows are counted from 1, as messages do."""

  def change(rows):
    rows[row - 1][column] = value
    return rows

  return csv(change, *says)


def encoded(change, *says):
  """The first trial's force file as bytes, changed."""

  def apply(root):
    path = root / 'forces/a.csv'
    path.write_bytes(change(path.read_bytes()))

  return apply, ('forces/a.csv', *says)


def curve(change, *says):
  """Other forces (N, 2, 3) in the first trial's file."""

  def apply(root):
    making.write_forces(root / 'forces/a.csv', CLOCK_S + 0.25, change(steps()))

  return apply, ('trials.csv, line 2 (trial walk-1): ', 'forces/a.csv', *says)


def other_file(write, suffix, *says):
  def apply(root):
    edit('trials.csv', 'forces/a.csv', f'forces/a.{suffix}')(root)
    write(root / f'forces/a.{suffix}')

  return apply, ('trials.csv, line 2 (trial walk-1): ', f'forces/a.{suffix}', *says)


def mot(change, *says):
  """The first trial's forces as an OpenSim file, whose text is changed."""
  write = lambda path: plates.write_mot(path, CLOCK_S + 0.25, steps(), change=change)
  return other_file(write, 'mot', *says)


def c3d(change, *says, rate=1000, damage=lambda data: data):
  """The first trial's forces as a C3D file, changed before it is written, or its bytes after."""

  def write(path):
    step = 1000 // rate
    count = len(CLOCK_S) // step // 10 * 10
    time_s, force = CLOCK_S[::step][:count], steps()[::step][:count]
    plates.write_c3d(path, time_s, force, change=change, first=15, rate=rate)
    path.write_bytes(damage(path.read_bytes()))

  return other_file(write, 'c3d', *says)


def platform(name, value, *says):
  """A C3D file with another parameter of its plates."""

  def change(file):
    file['parameters']['FORCE_PLATFORM'][name]['value'] = value

  return c3d(change, *says)


def video(make, *says):
  """Another file under the name of the first trial's video."""
  return lambda root: make(root / 'videos/a.mp4'), (
    'trials.csv, line 2 (trial walk-1): ', 'videos/a.mp4', *says
  )  # fmt: skip


def film(count, frames=None, **options):
  return lambda path: making.write_video(path, making.film(count, **options).frames[:frames])


# --- the manifests

TABLES = {
  'no subjects.csv': subjects(None, None, 'subjects.csv: no such file'),
  'no trials.csv': trials(None, None, 'trials.csv: no such file'),
  'empty subjects': subjects(SUBJECTS, '', 'subjects.csv: no rows', 'subject'),
  'empty trials': trials(TRIALS, '', 'trials.csv: no rows', 'camera'),
  'header alone': trials(TRIALS, HEADER, 'trials.csv: no rows'),
  'no subject column': subjects('subject,', 'name,', 'subjects.csv, line 1', 'no column subject'),
  'no mass column': subjects(
    'body_mass_kg', 'mass', 'subjects.csv, line 1: no column body_mass_kg; found subject, mass'
  ),
  'no subject column in trials': trials('subject', 's', 'trials.csv, line 1: no column subject'),
  'no trial column': trials('trial', 't', 'trials.csv, line 1: no column trial'),
  'no video column': trials('video,', 'film,', 'line 1: no column video; found'),
  'no camera column': trials('camera', 'cam', 'trials.csv, line 1: no column camera'),
  'no force column': trials(',force,', ',f,', 'line 1: no column force'),
  'no plates column': trials(',plates', ',p', 'line 1: no column plates'),
  'no sync column': trials('video_start_s', 'v', 'no column video_start_s or contact_frame'),
  'a column for another': trials('plates,camera', 'camera,camera', 'no column plates'),
  'a column twice': subjects('height_m', 'body_mass_kg', 'column body_mass_kg: found 2 times'),
  'header twice': trials('S1,', HEADER + 'S1,', "line 2, column subject: found 'subject'"),
  'units under the header': subjects('S1', ',kg,m\nS1', 'line 2, column subject', 'is empty'),
  'other units row': subjects('S1', '-,kg,m\nS1', "line 2, column body_mass_kg: found 'kg'"),
  'tabs': trials(TRIALS, TRIALS.replace(',', '\t'), 'no column subject', "'subject\\ttrial"),
  'semicolons, legs not quoted': trials(
    TRIALS, TRIALS.replace(',', ';'), 'line 2: found 8 cells, expected 7', 'needs quotes'
  ),
  'latin-1': trials(
    TRIALS, TRIALS.replace('walk-2', 'walk-é').encode('latin-1'), 'trials.csv, line 3', '0xe9',
    'save the table as CSV UTF-8',
  ),
  'UTF-16': subjects(SUBJECTS, SUBJECTS.encode('utf-16'), 'subjects.csv, line 1', 'UTF-16 text'),
  'UTF-16 without its mark': subjects(
    SUBJECTS, SUBJECTS.encode('utf-16-le'), 'line 1: no column subject', 's\\x00u'
  ),
  'an Excel workbook': trials(
    TRIALS, b'PK\x03\x04\x14\0\6\0\x08\0', 'trials.csv, line 1: found a spreadsheet (.xlsx or .ods)'
  ),
  'an old Excel workbook': subjects(SUBJECTS, b'\xd0\xcf\x11\xe0\xa1\xb1', 'spreadsheet (.xls)'),
  'two byte order marks': subjects(
    'subject', '\ufeff\ufeffsubject', "line 1: no column subject; found '\\ufeffsubject'"
  ),
  'a byte order mark in the middle': trials(
    '\nS2', '\n\ufeffS2', 'trials.csv, line 3, column subject', "'\\ufeffS2'"
  ),
  'a web page': trials(TRIALS, '<html><body>404</body></html>', 'no column subject'),
  'too few cells': trials(',left\n', '\n', 'trials.csv, line 2: found 6 cells, expected 7'),
  'too many cells': trials(',left\n', ',left,x\n', 'line 2: found 8 cells, expected 7'),
  'quote not closed': trials('walk-1', '"walk-1', 'trials.csv, line 3'),
  # Subjects.
  'empty subject': subjects('S1,', ',', 'subjects.csv, line 2, column subject', 'is empty'),
  'duplicate subject': subjects(
    'S2', 'S1', "subjects.csv, line 3, column subject: found 'S1'", 'line 2 has it'
  ),
  'same subject in small': subjects('S2', 's1', "'s1'", 'line 2 has it'),
  'subject with comma': subjects('S1', '"S,1"', "'S,1'", 'without a comma'),
  'subject with slash': subjects('S1', 'a/b', 'column subject', "'a/b'"),
  'subject with dots': subjects('S1', 'a..b', 'column subject', "'a..b'", "'..'"),
  'empty mass': subjects('61.5', '', 'subjects.csv, line 2, column body_mass_kg', 'quiet standing'),
  'mass with its unit': subjects(
    '61.5', '61.5 kg', "column body_mass_kg: found '61.5 kg', expected a number (kilograms"
  ),
  'underscore': subjects('61.5', '6_1', "'6_1'", 'a number'),
  'hexadecimal': subjects('61.5', '0x1F', "'0x1F'", 'a number'),
  'a typographic minus': trials('-0.5', '−0.5', "column video_start_s: found '−0.5'"),
  'mass nan': subjects('61.5', 'nan', "column body_mass_kg: found 'nan'", 'finite'),
  'mass infinite': subjects('70', 'inf', "line 3, column body_mass_kg: found 'inf'", 'finite'),
  'mass overflows': subjects('70', '1e999', 'line 3, column body_mass_kg', 'finite'),
  'mass negative': subjects('61.5', '-61.5', "'-61.5'", 'expected 5 to 300 kilograms'),
  'mass zero': subjects('61.5', '0', "'0'", 'expected 5 to 300 kilograms'),
  'mass in grams': subjects('61.5', '61500', "'61500'", 'expected 5 to 300 kilograms'),
  'height in cm': subjects('1.75', '175', "column height_m: found '175', expected 0.5 to 2.6 m"),
  'height nan': subjects('1.75', 'NaN', 'line 2, column height_m', 'finite'),
  'decimal comma': subjects('61.5', '"61,5"', "'61,5'", 'with a decimal point'),
  'bare decimal comma': subjects('61.5', '61,5', 'line 2: found 4 cells, expected 3'),
  'thousands separators': subjects(
    SUBJECTS, SUBJECTS.replace(',', ';').replace('61.5', '1.061,5'), "'1.061,5'", 'a number'
  ),
  # Trials.
  'unknown subject': trials(
    '\nS2', '\nS9', "trials.csv, line 3, column subject: found 'S9'", 'subjects.csv (S1, S2)'
  ),
  'empty trial': trial('', 'trials.csv, line 2, column trial', 'is empty'),
  'duplicate trial': trials('walk-2', 'walk-1', 'line 3, column trial', 'line 2 has it'),
  'same trial in capitals': trials('walk-2', 'WALK-1', "'WALK-1'", 'line 2 has it'),
  'trial up': trial('../walk', "line 2, column trial: found '../walk'"),
  'trial with slash': trial('a/b', "column trial: found 'a/b'", 'without /'),
  'trial with backslash': trial('a\\b', 'column trial', 'without /'),
  'trial as HTML': trial('<b>1</b>', "column trial: found '<b>1</b>'"),
  'trial hidden': trial('.walk', "'.walk'", 'starts with a dot'),
  'trial with NUL': trial('a\0b', 'line 2', 'column trial', 'control'),
  'trial with newline': trial('"a\nb"', 'column trial', "'a\\nb'", 'control'),
  'trial turned over': trial('a\u202eb', 'column trial', 'control'),
  'trial with colon': trial('a:b', 'column trial', "'a:b'"),
  'trial too long': trial('w' * 201, 'column trial', 'at most 200 bytes'),
  'empty camera': trials('left\n', '\n', 'line 2, column camera', 'is empty'),
  'camera in front': trials(
    ',left\n', ',front\n', "trials.csv, line 2, column camera: found 'front'", 'left or right'
  ),
  'empty plates': trials('left;right', '', 'line 2, column plates', 'does not name the legs'),
  'wrong leg': trials('left;right', 'left;both', "line 2, column plates: found 'left;both'"),
  'leg left out': trials('left;right', 'left;', "line 2, column plates: found 'left;'"),
  'legs with comma': trials('left;right', '"left,right"', "'left,right'", 'semicolons'),
  'start empty': trials('0.25', '', 'line 2, column video_start_s', 'contact_frame'),
  'start nan': trials('0.25', 'nan', 'line 2, column video_start_s', 'finite'),
  'start as clock': trials('0.25', '0:25', "column video_start_s: found '0:25'", 'seconds'),
  'start as date': trials('0.25', '03.04.2026 12:00', "found '03.04.2026 12:00'", 'seconds'),
  'both kinds of start': trials(
    TRIALS,
    HEADER.replace('force', 'contact_frame,force')
    + 'S1,w,videos/a.mp4,0.5,3,forces/a.csv,left,left\n',
    "line 2, column contact_frame: found '3'", 'not both', '0.5',
  ),
  'no kind of start': trials(
    TRIALS,
    HEADER.replace('force', 'contact_frame,force') + 'S1,w,videos/a.mp4,,,forces/a.csv,left,left\n',
    'line 2, column video_start_s', 'both are empty',
  ),
  # Paths.
  'empty video': trials('videos/a.mp4', '', 'line 2, column video', 'is empty'),
  'no such video': trials(
    'videos/a.mp4', 'videos/x.mp4', "trials.csv, line 2, column video: found 'videos/x.mp4'"
  ),
  'video is a folder': trials('videos/a.mp4', 'videos', 'column video', 'there is no'),
  'video absolute': trials(
    'videos/a.mp4', '/etc/passwd', "column video: found '/etc/passwd'", 'inside the recording set'
  ),
  'video up': trials('videos/a.mp4', 'videos/../../a.mp4', 'inside the recording set'),
  'video on a drive': trials('videos/a.mp4', 'C:\\a.mp4', 'inside the recording set'),
  'video up, the Windows way': trials('videos/a.mp4', '..\\a.mp4', 'inside the recording set'),
  'backslashes': trials('videos/a.mp4', 'videos\\a.mp4', 'separated by /'),
  'a link that leads nowhere': (
    lambda root: ((root / 'videos/a.mp4').unlink(), (root / 'videos/a.mp4').symlink_to('gone')),
    ['line 2, column video', 'there is no'],
  ),
  'empty force': trials('forces/a.csv', '', 'line 2, column force', 'is empty'),
  'no such force': trials('forces/a.csv', 'forces/x.csv', "column force: found 'forces/x.csv'"),
  'force up': trials('forces/a.csv', '../a.csv', 'column force', 'inside the recording set'),
  'force of another kind': trials(
    'forces/a.csv', 'forces/d.xyz', "column force: found 'forces/d.xyz'", '.mot', '.c3d'
  ),
} | {
  f'contact frame {frame}': trials(
    TRIALS, BY_FRAME.replace('0.25', frame),
    f'trials.csv, line 2, column contact_frame: found {frame!r}', 'a whole number, 0 or more',
  )
  for frame in ('-1', '2.5', '3.0', 'first', 'nan', '٣')
}  # fmt: skip

# --- force files

CSV = {
  'words': cell(7, 3, 'high', 'line 7, column fz_1', "'high'", 'finite number'),
  'not a number': cell(30, 4, 'nan', 'line 30, column fx_2', "'nan'"),
  'infinite': cell(30, 4, '-inf', 'line 30, column fx_2', "'-inf'"),
  'an empty cell': cell(9, 1, '', 'line 9, column fx_1', "''"),
  'an underscore': cell(9, 1, '1_0', 'line 9, column fx_1', "'1_0'"),
  'time in words': cell(4, 0, '0:03', 'line 4, column time_s', "'0:03'"),
  'time stands': cell(5, 0, '0.1520', 'line 5, column time_s', 'found 0.152 after 0.152'),
  'time goes back': cell(5, 0, '-1', 'line 5, column time_s', 'increasing'),
  'rows missing': csv(
    lambda r: r[:100] + r[106:], 'line 101, column time_s', '0.007 s', 'at most 0.005'
  ),
  'the clock set back': csv(lambda r: r[:500] + r[200:], 'line 501, column time_s', 'increasing'),
  '40 Hz': csv(lambda r: [r[0], *r[1::25]], 'line 3, column time_s', '0.025 s', 'at most 0.02'),
  '30 Hz': csv(lambda r: [r[0], *r[1::33]], 'line 3, column time_s', '0.033 s', 'at most 0.02'),
  'milliseconds': csv(
    lambda r: [r[0], *([str(i), *x[1:]] for i, x in enumerate(r[1:]))],
    'line 3, column time_s', 'not in seconds',
  ),
  'few rows': csv(lambda r: r[:5], 'found 4 rows', 'at least 10'),
  'no rows': csv(lambda r: r[:1], 'found 0 rows'),
  'nothing': csv(lambda r: [], 'line 1', 'no column time_s'),
  'no time': cell(1, 0, 't', 'line 1: no column time_s; found t, fx_1'),
  'no plates': csv(lambda r: [x[:1] for x in r], 'line 1: no column fx_1, fy_1, fz_1'),
  'no fx': cell(1, 1, 'gx', 'line 1: no column fx_1'),
  'no fy': cell(1, 5, 'gy_2', 'line 1: no column fy_2'),
  'no fz': cell(1, 6, 'gz_2', 'line 1: no column fz_2'),
  'plate missing': csv(
    lambda r: [[n.replace('_2', '_3') for n in r[0]], *r[1:]], 'found fx_3, but no plate 2'
  ),
  'a force twice': cell(1, 5, 'fx_2', 'line 1: no column fy_2'),
  'time twice': csv(lambda r: [[*x, x[0]] for x in r], 'column time_s', 'more than once'),
  'short row': csv(
    lambda r: [*r[:11], r[11][:-1], *r[12:]], 'line 12: found 6 cells, expected 7'
  ),
  'long row': csv(lambda r: [*r[:11], [*r[11], '0'], *r[12:]], 'line 12: found 8 cells'),
  'cut in the middle of a row': encoded(lambda b: b[:9000].rsplit(b',', 2)[0], 'cells, expected 7'),
  'the header again': csv(lambda r: [r[0], *r], "line 2, column time_s: found 'time_s'"),
  'a row of means below': csv(
    lambda r: [*r, ['mean', *r[-1][1:]]], "line 1452, column time_s: found 'mean'"
  ),
  'two plates in another order, one gone': csv(
    lambda r: [[x[0], *x[4:]] for x in r], 'line 1', 'no column fx_1'
  ),
  'decimal commas between commas': encoded(
    lambda b: b.replace(b'.', b','), 'line 2: found 14 cells, expected 7'
  ),
  'decimal commas and thousands': encoded(
    lambda b: b.replace(b',', b';').replace(b'.', b',').replace(b'0,1500', b'1.000,1500', 1),
    'line 3, column time_s: found 0.151 after 1000.15',
  ),
  'forces in latin-1': encoded(lambda b: b + b'\xb0', 'line 1452: found byte 0xb0'),
  'forces as a workbook': encoded(lambda b: b'PK\x03\x04' + b, 'a spreadsheet (.xlsx or .ods)'),
  'forces all NUL': encoded(lambda b: bytes(5000), 'no column time_s', '\\x00'),
}  # fmt: skip

MOT = {
  'MOT: no endheader': mot(lambda s: s.replace('endheader\n', ''), 'no line "endheader"'),
  'MOT: nothing after it': mot(lambda s: s[: s.index('time\t')], 'no row of column labels'),
  'MOT: nRows': mot(
    lambda s: s.replace('nRows=1450', 'nRows=1449'), 'nRows=1449', 'there are 1450'
  ),
  'MOT: nColumns': mot(lambda s: s.replace('nColumns=13', 'nColumns=19'), 'nColumns=19', 'are 13'),
  'MOT: cut short': mot(lambda s: s[: len(s) // 2].rpartition('\n')[0] + '\n', 'nRows=1450'),
  'MOT: no time': mot(lambda s: s.replace('time\t', 't\t'), 'line 7', 'no column time'),
  'MOT: no forces': mot(
    lambda s: s.replace('_force_', '_f_'), 'line 7: no column ground_force_1_vx'
  ),
  'MOT: axis missing': mot(
    lambda s: s.replace('ground_force_2_vz', 'z'), 'no column ground_force_2_vz'
  ),
  'MOT: gap in numbers': mot(lambda s: s.replace('_2_', '_3_'), 'numbered 1, 3', 'without a gap'),
  'MOT: words': mot(lambda s: s.replace('\n0.1550', '\nabc'), "line 13, column time: found 'abc'"),
  'MOT: nan': mot(
    lambda s: s.replace('\n0.1550\t-0.0000', '\n0.1550\tnan'),
    "line 13, column ground_force_1_vx: found 'nan'",
  ),
  'MOT: time goes back': mot(lambda s: s.replace('\n0.1550', '\n0.0005'), 'line 13, column time'),
  'MOT: short row': mot(
    lambda s: s.replace('\n0.1550\t', '\n'), 'line 13: found 12 cells, expected 13'
  ),
  'MOT: z up': mot(
    lambda s: s.replace('vy', 'v?').replace('vz', 'vy').replace('v?', 'vz'),
    'N vertically',
  ),
}


def _empty(file):
  file['data']['analogs'] = np.zeros_like(file['data']['analogs'])


def _not_finite(file):
  file['data']['analogs'][0, 8, 77] = np.nan


def _kilonewtons(file):
  file['data']['analogs'] /= 1000


def _unit(file):
  file.add_parameter('FORCE_PLATFORM', 'UNITS', ['dyn'])


def _replace(old, new):
  def damage(data):
    assert old in data
    return data.replace(old, new, 1)

  return damage


def _same(file):
  del file


C3D = {
  'C3D: no plates': platform('USED', [0], 'no force plates'),
  'C3D: type 6': platform('TYPE', [2, 6], 'FORCE_PLATFORM:TYPE is [2, 6]', 'types 1 to 4'),
  'C3D: types missing': platform('TYPE', [2], 'FORCE_PLATFORM:TYPE is [2] for 2 plates'),
  'C3D: channels missing': platform(
    'CHANNEL', np.arange(1, 7).reshape(1, 6).T, 'CHANNEL does not list 2 plates'
  ),
  'C3D: no such channel': platform(
    'CHANNEL', np.arange(2, 14).reshape(2, 6).T, 'CHANNEL of plate 2', '6 channels from 1 to 12'
  ),
  'C3D: no corners': platform('CORNERS', np.zeros((3, 4, 1)), 'CORNERS is 3x4x1, expected 3x4x2'),
  'C3D: nobody there': c3d(_empty, 'no plate ever carries 20 N'),
  'C3D: not a number': c3d(_not_finite, 'sample 78 of plate 2'),
  'C3D: another unit': c3d(_unit, "'dyn'", 'expected N'),
  'C3D: kilonewtons not said': c3d(_kilonewtons, 'no plate ever carries 20 N'),
  'C3D: 40 Hz': c3d(_same, 'analog rate of 40 Hz', rate=40),
  # Left to itself ezc3d crashes on some of these, hangs, or reads zeros.
  'C3D: empty': c3d(_same, 'is not a C3D file', damage=lambda data: b''),
  'C3D: header alone': c3d(_same, 'is cut short', damage=lambda data: data[:600]),
  'C3D: half': c3d(_same, 'is cut short: found', damage=lambda data: data[: len(data) // 2]),
  'C3D: a text': c3d(_same, 'is not a C3D file', damage=lambda data: b'time_s,fx_1\n' * 100),
  'C3D: zeros': c3d(_same, 'is not a C3D file', damage=lambda data: bytes(len(data))),
  'C3D: parameters all ones': c3d(
    _same, '', damage=lambda data: data[:516] + b'\xff' * 1000 + data[1516:]
  ),
  'C3D: no description': c3d(
    _same, '', damage=_replace(b'DESCRIPTIONS\x06\x00\xff\x01', b'DESCRIPTIONS\x06\x00\xff\x00')
  ),
  'C3D: a scale of 255 dimensions': c3d(
    _same, '', damage=_replace(b'SCALE\t\x00\x04\x00', b'SCALE\t\x00\x04\xff')
  ),
  'C3D: frames beyond belief': c3d(
    _same, '', damage=_replace(b'FRAMES\x07\x00\x02\x00', b'FRAMES\x07\x00\x02\xff')
  ),
}

# --- what the plates felt


def _scaled(by):
  return lambda force: force * by


def _plus(plate, newtons):
  """Adds to a plate's vertical force: a number or a curve."""

  def change(force):
    force[:, plate, 2] += newtons
    return force

  return change


def _saturated(force):
  force[..., 2] = np.minimum(force[..., 2], 500)
  return force


def _stuck(force):
  force[:, 1] = [0, 0, 300]
  return force


FELT = {
  'kilonewtons': curve(_scaled(1e-3), 'the largest vertical force is 0.', 'in kilonewtons'),
  'pounds of force': curve(_scaled(0.2248), 'body weights of 61.5 kg', 'pounds'),
  'divided by body weight': curve(_scaled(1 / 603), 'already divided by body weight'),
  'millinewtons': curve(_scaled(1000), 'the force not in newtons'),
  'all signs flipped': curve(_scaled(-1), 'plate 1 reads', 'the sign looks flipped'),
  'a plate upside down': curve(
    lambda force: force * [[[1, 1, 1], [1, 1, -1]]], 'plate 2 reads', 'the sign looks flipped'
  ),
  'up is y': curve(lambda force: force[..., [0, 2, 1]], 'N vertically'),
  'nobody on the plates': curve(_scaled(0), 'the largest vertical force is 0 N', 'miss the plates'),
  'saturated': curve(_saturated, 'plate 1 reads 500 N, its largest, from', 'saturated'),
  'zero off upwards': curve(_plus(1, 50), 'plate 2 reads about 50 N', 'zero off'),
  'zero off downwards': curve(_plus(0, -50), 'plate 1 reads about -50 N', 'zero off'),
  'the zero drifts': curve(
    _plus(0, np.linspace(0, 50, len(CLOCK_S))), 'plate 1 reads about', 'zero off'
  ),
  'something lies on a plate': curve(
    _plus(1, 40.0 * (CLOCK_S < 0.5)), 'plate 2 reads about 40 N from 0.150 to 0.749 s'
  ),
  'a plate stuck': curve(_stuck, 'plate 2 reads 300 to 300 N throughout'),
  'mass in pounds': subjects('61.5', '135.6', 'of 135.6 kg; expected 0.65 to 5', 'in pounds'),
  'mass in pounds, a fast walker': (
    lambda root: (
      edit('subjects.csv', '61.5', '135.6')(root),
      making.write_forces(root / 'forces/a.csv', CLOCK_S + 0.25, 1.35 * steps()),
    ),
    ['forces/a.csv', 'on average over its contact', 'of 135.6 kg; expected over 0.5', 'in pounds'],
  ),
  'mass in stone': subjects('61.5', '9.7', 'of 9.7 kg; expected 0.65 to 5', 'body mass in other'),
  "another person's mass": subjects('61.5', '200', '0.36 body weights of 200 kg'),
  'a plate too few': trials('left;right', 'left', 'holds 2 plates', 'names 1'),
  'a plate too many': trials('left;right', 'left;right;left', 'holds 2 plates', 'names 3'),
  # In time.
  'forces long after the video': trials(
    '0.25', '100', 'trials.csv, line 2', 'no foot is on a plate while a.mp4 runs (100.000 to',
    'check video_start_s',
  ),
  'forces long before the video': trials('0.25', '-60', 'no foot is on a plate'),
  'a contact frame after the end': trials(
    TRIALS, BY_FRAME.replace('0.25', '70'), 'contact_frame is 70, but the video has 70 frames'
  ),
  'a contact frame, but no contact begins': (
    lambda root: (
      edit('trials.csv', TRIALS, BY_FRAME.replace('0.25', '16'))(root),
      making.write_forces(
        root / 'forces/a.csv', CLOCK_S[360:] + 0.25, making.step_forces(CLOCK_S, 61.5)[360:]
      ),
    ),
    ['a.csv', 'plate 1 has no rise through 20 N', 'give video_start_s instead'],
  ),
}  # fmt: skip

# --- videos


def _no_frame(path):
  with av.open(str(path), 'w') as container:
    stream = container.add_stream('libx264', rate=60)
    stream.width, stream.height, stream.pix_fmt = 96, 64, 'yuv420p'
    container.start_encoding()


def _sound(path):
  with av.open(str(path), 'w') as container:
    stream = container.add_stream('aac', rate=44100)
    for k in range(20):
      frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), 'fltp', 'stereo')
      frame.sample_rate, frame.pts = 44100, k * 1024
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _coded(codec, pixels, kind):
  """A film in another container, under the name of an .mp4."""

  def make(path):
    with av.open(str(path), 'w', format=kind) as container:
      stream = container.add_stream(codec, rate=50)
      stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
      for rgb in making.film(20).frames:
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format='rgb24')))
      container.mux(stream.encode(None))

  return make


def _cut(share, **options):
  def make(path):
    making.write_video(path, making.film(70).frames, **options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

  return make


def _too_many_frames(path):
  """An AVI that says it has two thousand million frames: decord would make room for them."""
  _coded('mjpeg', 'yuvj420p', 'avi')(path)
  data = bytearray(path.read_bytes())
  length = data.find(b'vids') + 32  # dwLength: AVISTREAMHEADER has it after 32 bytes of others
  data[length : length + 4] = (2**31 - 1).to_bytes(4, 'little')
  path.write_bytes(data)


def _flipped(path):
  """One bit of a frame: the decoder would make up what it cannot read."""
  making.write_video(path, making.film(70, direction=-1).frames)
  data = bytearray(path.read_bytes())
  data[data.find(b'mdat') + 2000] ^= 64
  path.write_bytes(data)


def _noise(path):
  path.write_bytes(np.random.default_rng(0).integers(0, 256, 50_000, np.uint8).tobytes())


VIDEOS = {
  'an empty video': video(lambda path: path.write_bytes(b''), 'an empty file'),
  'a text': video(lambda path: path.write_text('a,b\n' * 99), 'cannot be read as a video'),
  'a web page for a video': video(
    lambda path: path.write_text('<html>Sign in</html>' * 99), 'cannot be read as a video'
  ),
  'a playlist': video(
    lambda path: path.write_text('#EXTM3U\n#EXTINF:10,\nb.mp4\n'), 'cannot be read as a video'
  ),
  'noise': video(_noise, 'cannot be read as a video'),
  'zeros': video(lambda path: path.write_bytes(bytes(50_000)), 'cannot be read as a video'),
  'sound alone': video(_sound, 'no video in it, found audio'),
  'no frame': video(_no_frame, 'cannot be read as a video', 'found nothing'),
  'one frame': video(film(5, 1), '1 frame(s), expected at least 2'),
  'a picture': video(_coded('mjpeg', 'yuvj420p', 'image2pipe'), 'cannot be read as a video'),
  'a GIF': video(_coded('gif', 'rgb8', 'gif'), 'cannot be read as a video'),
  'no frame rate': video(_coded('libx264', 'yuv420p', 'h264'), 'cannot be read as a video'),
  'too narrow': video(film(5, width=48), '48 x 64 pixels, expected a width of at least 64'),
  'its end cut off': video(_cut(0.95), 'cut short'),
  'half of it': video(_cut(0.5), 'cut short'),
  'half of it, the index first': video(_cut(0.5, movflags='faststart'), 'cut short'),
  'frames beyond belief': video(_too_many_frames, 'is damaged: it says that it has 2147483647'),
  'a bit flipped': video(_flipped, ' of 70 is damaged (the decoder'),
}


def _empty_room(path):
  making.write_video(path, [making.room(64, 96)] * 40)


# What only a configuration that follows the walker sees.
FOLLOWED = {
  'nobody in the video': video(_empty_room, 'nobody walks across the picture'),
  'the camera on the other side': trials(
    'left;right,left', 'left;right,right', 'line 2', "camera is 'right'", 'goes to the left',
    'mirrored',
  ),
  'mirrored': video(film(70), "camera is 'left'", 'mirrored'),
}  # fmt: skip

DEFECTS = {**TABLES, **CSV, **MOT, **C3D, **FELT, **VIDEOS, **FOLLOWED}


def test_the_set_itself_has_no_defect(base):
  for cfg in (PAPER, WALKER):
    assert {record['trial'] for record in read(base, cfg)} == {'walk-1', 'walk-2'}


def test_no_name_stands_twice():
  parts = (TABLES, CSV, MOT, C3D, FELT, VIDEOS, FOLLOWED)
  assert len(DEFECTS) == sum(len(part) for part in parts) > 180


@pytest.mark.parametrize('defect', DEFECTS)
def test_a_defect_is_named(base, tmp_path, defect):
  change, says = DEFECTS[defect]
  root = pathlib.Path(shutil.copytree(base, tmp_path / 'set'))
  change(root)
  before = {path: path.lstat().st_mtime_ns for path in root.rglob('*')}
  with pytest.raises(ValueError) as caught:
    read(root, WALKER if defect in FOLLOWED else PAPER)
  message = str(caught.value)
  for fragment in says:
    assert fragment in message
  assert '\n' not in message
  assert '\0' not in message
  assert {path: path.lstat().st_mtime_ns for path in root.rglob('*')} == before


# --- what is only suspected


@pytest.mark.parametrize(
  ('change', 'says'),
  [
    (edit('trials.csv', 'left;right', 'right;left'), 'left and right swapped in plates'),
    (curve(_scaled([1, -1, 1]))[0], 'does y not point to the left?'),
    (
      curve(_scaled([-1, -1, 1]))[0],
      'does not go along +x; the forces are turned about the vertical',
    ),
  ],
  ids=['legs swapped', 'y to the right', 'x backwards'],
)
def test_a_suspicion_is_told(base, tmp_path, caplog, change, says):
  root = pathlib.Path(shutil.copytree(base, tmp_path / 'set'))
  with caplog.at_level(logging.WARNING, logger='absl'):
    read(root)
    assert not caplog.records
    change(root)
    read(root)
  assert says in caplog.text
  assert 'a.csv' in caplog.text or 'walk-1' in caplog.text


def test_a_video_that_is_there_twice_is_told(base, tmp_path, caplog):
  root = pathlib.Path(shutil.copytree(base, tmp_path / 'set'))
  with caplog.at_level(logging.WARNING, logger='absl'):
    recordings.digests(recordings.load(root))
    assert not caplog.records
    shutil.copy(root / 'videos/a.mp4', root / 'videos/b.mp4')
    recordings.digests(recordings.load(root))
  assert 'line 3: trial walk-2 has the same video as walk-1' in caplog.text


# --- what is no defect


@pytest.mark.parametrize(
  'change',
  [
    encoded(lambda b: b'\xef\xbb\xbf' + b)[0],
    encoded(lambda b: b.replace(b'\n', b'\r\n'))[0],
    encoded(lambda b: b.replace(b',', b';').replace(b'.', b','))[0],
    encoded(lambda b: b.replace(b',', b';'))[0],
    encoded(lambda b: b.replace(b',', b'\t'))[0],
    encoded(lambda b: b.decode().encode('utf-16'))[0],
    csv(lambda rows: [*rows[:11], ['# pause'], *rows[11:]])[0],
    csv(lambda rows: [rows[0], ['s', *['N'] * 6], *rows[1:]])[0],
    csv(lambda rows: [['note', *rows[0]], *(['Å <b>', *row] for row in rows[1:])])[0],
    edit('trials.csv', 'walk-1', "Müller's walk & <1>".replace('<1>', '1')),
  ],
  ids=[
    'BOM',
    'CRLF',
    'Excel in Europe',
    'semicolons alone',
    'tabs',
    'UTF-16',
    'a remark',
    'a row of units',
    'a column more',
    'a name',
  ],
)
def test_other_clothes_change_nothing(base, tmp_path, change):
  root = pathlib.Path(shutil.copytree(base, tmp_path / 'set'))
  change(root)
  for one, two in zip(read(base), read(root), strict=True):
    np.testing.assert_array_equal(one['force'], two['force'])
    np.testing.assert_array_equal(one['voxel'], two['voxel'])


def test_a_link_may_lead_out_of_the_set(base, tmp_path):
  """Labs keep videos on another disk; it is only the manifest that may not lead out."""
  root = pathlib.Path(shutil.copytree(base, tmp_path / 'set'))
  (root / 'videos/a.mp4').rename(tmp_path / 'elsewhere.mp4')
  (root / 'videos/a.mp4').symlink_to(tmp_path / 'elsewhere.mp4')
  assert len(read(root)) == len(read(base))
