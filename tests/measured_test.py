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
  seconds, memory = measured.python('-c', "import time; x = b'.' * 2**28; time.sleep(.2)")
  assert 0 < seconds < 60
  assert 2**28 < memory < len(before)
  with pytest.raises(RuntimeError, match=f'{sys.executable} -c .*exit 3\n.*why'):
    measured.python('-c', "import sys; print('why'); sys.exit(3)")


def _rows(seconds, sizes):
  return [
    {'work': 'build', 'size': size, 'seconds': s, 'bytes': b}
    for size, s, b in zip((1, 4, 16), seconds, sizes, strict=True)
  ]


def test_growth_finds_time_and_memory_that_grow():
  assert growth.find_problems(_rows((7, 10, 22), (100, 110, 119))) == []  # 6 + 1 s
  assert growth.find_problems(_rows((7, 10, 29), (100, 100, 100))) == [
    'build: time grows 6.3 times from step to step, expected 4.0'
  ]
  assert growth.find_problems(_rows((7, 10, 22), (100, 110, 125))) == [
    'build: memory grows 1.25 times'
  ]
