"""What the scripts that measure rest on: repeated videos, enlarged sets, timed commands."""

import sys

import making
import numpy as np
import pytest

import growth
import measured
from grfjax.io import recordings, video_file


def test_a_repeated_video(tmp_path):
  film = making.film(30)
  source = making.write_video(tmp_path / 'one.mp4', film.frames)
  length = measured.repeat_video(source, tmp_path / 'many.mp4', 1.2)
  many = video_file.probe(tmp_path / 'many.mp4')
  assert len(many.time_s) == 90
  assert length == pytest.approx(1.5)
  np.testing.assert_allclose(np.diff(many.time_s), 1 / 60, atol=1e-4)
  one, three = (list(video_file.frames(video_file.probe(p))) for p in (source, many.path))
  for k in range(0, 90, 13):
    np.testing.assert_array_equal(three[k], one[k % 30])


def test_a_set_of_many_people(recordings_dir, tmp_path):
  measured.write_set(recordings_dir, tmp_path / 'set', 3)
  trials = recordings.load(str(tmp_path / 'set'))
  assert [t.subject.name for t in trials] == ['P01', 'P01', 'P02', 'P02', 'P03', 'P03']
  assert len({t.name for t in trials}) == 6


def test_a_command_is_timed_and_its_failure_reported():
  before = bytearray(b'.') * 2**29  # not part of the command's memory
  child = "import os, time; x = [os.open('.', 0) for _ in range(40)]; time.sleep(2)"
  command = (
    f'import subprocess, sys; x = b"." * 2**28; subprocess.run([sys.executable, "-c", {child!r}])'
  )
  seconds, memory, files, cpu_s = measured.python('-c', command)
  assert 0 < cpu_s < seconds < 60
  assert 2**28 < memory < len(before)
  assert 40 < files < 80  # the child's are counted
  with pytest.raises(RuntimeError, match=f'{sys.executable} -c .*exit 3\n.*why'):
    measured.python('-c', "import sys; print('why'); sys.exit(3)")


def _rows(seconds, memory, files):
  return [
    {'work': 'build', 'size': size, 'cpu_s': s, 'memory': b, 'files': f}
    for size, s, b, f in zip((1, 4, 16), seconds, memory, files, strict=True)
  ]


def test_growth_finds_time_memory_and_files_that_grow():
  few = (10, 200, 400)
  assert growth.find_problems(_rows((7, 10, 22), (80, 110, 119), few)) == []  # 6 + 1 s
  assert growth.find_problems(_rows((7, 10, 29), (100, 100, 100), few)) == [
    'build: time grows 6.3 times from step to step up to 16 times the data, expected 4.0'
  ]
  assert growth.find_problems(_rows((7, 10, 22), (100, 110, 154), few)) == [
    'build: memory grows 1.40 times from 4 to 16 times the data'
  ]
  assert growth.find_problems(_rows((7, 10, 22), (100, 100, 100), (10, 200, 600))) == [
    'build: 600 files are open, expected 512 at most'
  ]
