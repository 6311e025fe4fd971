"""The `tfds build` command ends with one line where the recordings cannot be used."""

import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]


def _rename(name):
  def change(recordings):
    for manifest in ('subjects.csv', 'trials.csv'):
      path = recordings / manifest
      path.write_text(path.read_text().replace('\nB,', f'\n{name},'))

  return change


def _empty_video(recordings):
  (recordings / 'B_1.mp4').write_bytes(b'')


@pytest.mark.slow
@pytest.mark.parametrize(
  ('change', 'begin', 'end'),
  [
    (_rename('all'), "subjects.csv: subject 'all' cannot name a TFDS split;", 'recording.bad_name'),
    (_empty_video, 'trials.csv, line 4 (trial B_1): ', 'video.unreadable'),  # while it is building
  ],
)
def test_input_that_cannot_be_used(tmp_path, change, begin, end):
  recordings = tmp_path / 'recordings'
  shutil.copytree(ROOT / 'datasets/walking_grf/dummy_data', recordings)
  change(recordings)
  command = [
    str(pathlib.Path(sys.executable).with_name('tfds')), 'build', 'datasets/walking_grf',
    '--config=walker', f'--manual_dir={recordings}', f'--data_dir={tmp_path / "data"}',
  ]  # fmt: skip
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
  assert done.returncode == 1
  last = done.stderr.splitlines()[-1]
  assert last.startswith(f'tfds build: {begin}')
  assert last.endswith(f' [{end}]')
  assert done.stderr.count('tfds build: ') == 1
  assert 'Traceback' not in done.stderr + done.stdout
  left = [path for path in (tmp_path / 'data').rglob('*') if 'walker' in path.parts]
  assert not [path for path in left if path.is_file()]
