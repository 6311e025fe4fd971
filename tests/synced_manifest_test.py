"""trials.csv written again with the starts that were found."""

import codecs

import pytest

from grfjax import errors
from grfjax.io import recordings, synced_manifest

FOUND = {
  'walk 1': synced_manifest.Start(1.2345678, 0.0081),
  'walk 2': synced_manifest.Start(-0.5, 0.006),
  'walk 3': synced_manifest.Start(9.0, 0.006),
}


def write(folder, text, starts=FOUND):
  source, target = folder / 'trials.csv', folder / synced_manifest.NAME
  source.write_bytes(text if isinstance(text, bytes) else text.encode())
  filled = synced_manifest.write(source, target, starts)
  return filled, target.read_bytes()


def test_fills_in_what_is_empty_and_keeps_the_rest(tmp_path):
  filled, written = write(
    tmp_path,
    'subject,trial,video_start_s,contact_frame,remark\n'
    'S1,walk 1,,,"fast, twice"\n'
    'S1,walk 2, 0.2500 ,,\n'
    'S1,walk 3,,17,\n'
    'S1,walk 4,,,not found\n',
  )
  assert filled == ['walk 1']
  assert written.decode() == (
    'subject,trial,video_start_s,contact_frame,remark,video_start_uncertainty_s\n'
    'S1,walk 1,1.23457,,"fast, twice",0.00810\n'
    'S1,walk 2, 0.2500 ,,,\n'
    'S1,walk 3,,17,,\n'
    'S1,walk 4,,,not found,\n'
  )


def test_a_spreadsheet_s_table_stays_one(tmp_path):
  """Byte order mark, semicolons, decimal commas, quotes, line ends, lines of bare separators."""
  filled, written = write(
    tmp_path,
    codecs.BOM_UTF8
    + (
      'trial;remark;video_start_s\r\n'
      'walk 1;"says ""schön"";\r\ntwice";\r\n'
      ';;\r\n'
      'walk 2;;"0,25"\r\n'
      'walk 3;;\r\n'
    ).encode(),
  )
  assert filled == ['walk 1', 'walk 3']
  assert written.startswith(codecs.BOM_UTF8 + b'trial;')
  assert written.decode('utf-8-sig') == (
    'trial;remark;video_start_s;video_start_uncertainty_s\r\n'
    'walk 1;"says ""schön"";\r\ntwice";1,23457;0,00810\r\n'
    ';;\r\n'
    'walk 2;;0,25;\r\n'
    'walk 3;;9,00000;0,00600\r\n'
  )


def test_a_decimal_point_among_semicolons_is_kept(tmp_path):
  _, written = write(tmp_path, 'trial;video_start_s\nwalk 1;\nwalk 2;0.25\nwalk 3;1\n')
  assert b'walk 1;1.23457;0.00810\n' in written


def test_columns_that_are_missing_are_added_once(tmp_path):
  filled, written = write(tmp_path, 'trial,contact_frame\nwalk 1,\nwalk 2,3\nwalk 3,\n')
  assert filled == ['walk 1', 'walk 3']
  assert written.decode() == (
    'trial,contact_frame,video_start_s,video_start_uncertainty_s\n'
    'walk 1,,1.23457,0.00810\nwalk 2,3,,\nwalk 3,,9.00000,0.00600\n'
  )
  again, second = write(tmp_path, written, {})
  assert (again, second) == ([], written)


def test_loads_as_a_recording_set(tmp_path):
  (tmp_path / 'subjects.csv').write_text('subject;body_mass_kg\nS1;61,5\n')
  for name in ('a.mp4', 'a.csv'):
    (tmp_path / name).write_bytes(b'')
  row = 'S1;{};a.mp4;;;a.csv;"left;right";left\r\n'
  text = 'subject;trial;video;video_start_s;contact_frame;force;plates;camera\r\n'
  _, written = write(tmp_path, text + row.format('walk 1') + row.format('walk 2'), {
    name: FOUND[name] for name in ('walk 1', 'walk 2')
  })  # fmt: skip
  (tmp_path / 'trials.csv').write_bytes(written)
  trials = recordings.load(tmp_path)
  assert [t.video_start_s for t in trials] == [1.23457, -0.5]
  assert [t.plates for t in trials] == [('left', 'right')] * 2


def test_nothing_is_written_where_the_source_cannot_be_read(tmp_path):
  with pytest.raises(errors.InputError) as caught:
    write(tmp_path, 'trial,remark\nwalk 1\n')
  assert caught.value.code == 'table.cell_count'
  with pytest.raises(ValueError, match='walk 2, walk 3'):
    write(tmp_path, 'trial,remark\nwalk 1,\n')
  assert [p.name for p in tmp_path.iterdir()] == ['trials.csv']
