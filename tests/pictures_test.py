"""Tests of grfjax.data.pictures: pictures brought to a frame rate."""

import numpy as np
import pytest

from grfjax.data import pictures


def test_frames_at_the_rate_are_taken_as_they_are():
  picture = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 1), np.uint8)
  for fps in (60, 59.94, 60.5):
    time_s = np.arange(20) / fps
    got, when, nearest = pictures.resample(picture, time_s, 60, blend=True)
    np.testing.assert_array_equal(got, picture)
    np.testing.assert_array_equal(when, time_s)
    np.testing.assert_array_equal(nearest, np.arange(20))


def variable() -> np.ndarray:
  return np.concatenate([[0], np.cumsum(np.tile([1 / 60, 1 / 24, 1 / 30, 0.011], 8))])


@pytest.mark.parametrize(
  'time_s',
  [np.arange(30) / 30, np.arange(50) / 50, np.arange(120) / 120, np.arange(24) / 24, variable()],
  ids=['30', '50', '120', '24', 'variable'],
)
def test_brightness_that_rises_evenly_stays_on_its_line(time_s):
  level = 20 + 200 * time_s / time_s[-1]
  picture = np.round(level).astype(np.uint8)[:, None, None, None] * np.ones((1, 2, 3, 2), np.uint8)
  got, when, nearest = pictures.resample(picture, 5 + time_s, 60, blend=True)
  assert got.dtype == np.uint8
  assert when[0] == 5
  assert np.diff(when) == pytest.approx(1 / 60)
  assert time_s[-1] - (when[-1] - 5) < 1 / 60 + 1e-5
  line = 20 + 200 * (when - 5) / time_s[-1]
  assert np.abs(got - line[:, None, None, None]).max() <= 1.01  # rounded twice
  least = np.abs(when[:, None] - 5 - time_s).min(1)
  np.testing.assert_allclose(np.abs(when - 5 - time_s[nearest]), least, atol=1e-9)


def test_blending_is_exact():
  picture = np.array([0, 100, 200], np.uint8)[:, None, None, None]
  got, when, nearest = pictures.resample(picture, np.array([0, 0.04, 0.08]), 50, blend=True)
  assert got.ravel().tolist() == [0, 50, 100, 150, 200]
  assert when == pytest.approx([0, 0.02, 0.04, 0.06, 0.08])
  assert nearest[[0, 2, 4]].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
  ('from_fps', 'to_fps', 'expected'),
  [
    (60, 20, np.arange(0, 60, 3)),
    (30, 60, np.arange(60)),  # each once
    (120, 60, np.arange(0, 60, 2)),
    (50, 20, [0, 2, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 30, 32, 35, 37, 40, 42, 45, 47, 50, 52,
              55, 57]),
  ],
)  # fmt: skip
def test_the_papers_frames_are_picked_and_not_mixed(from_fps, to_fps, expected):
  picture = np.arange(60, dtype=np.uint8)[:, None, None, None]
  time_s = np.arange(60) / from_fps
  got, when, nearest = pictures.resample(picture, time_s, to_fps, blend=False)
  # Where two frames are equally near either will do.
  assert np.abs(nearest - np.asarray(expected)).max() <= (from_fps == 50)
  np.testing.assert_array_equal(got.ravel(), nearest)
  np.testing.assert_array_equal(when, time_s[nearest])
