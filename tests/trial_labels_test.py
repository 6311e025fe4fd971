"""Tests of grfjax.data.trial_labels: labels on the video's clock."""

import dataclasses
import pathlib

import making
import numpy as np
import pytest

from grfjax import conventions
from grfjax.data import (
  clip_config,
  trial_forces,
  trial_records,
)
from grfjax.io import recordings, video_file

WALKER = clip_config.clip_config('walker')
PULSE_S = 0.6  # its middle on the film's clock


def own_frames(records: list[dict], cfg: clip_config.ClipConfig) -> dict[str, np.ndarray]:
  """The records' own frames, one after the other."""
  keys = ('force', 'known', 'contact', 'time_s', 'frame')
  joined = {k: np.concatenate([r[k][cfg.own] for r in records]) for k in keys}
  return {k: v[joined['frame'] >= 0] for k, v in joined.items()}


def write_trial(root: pathlib.Path, **columns) -> recordings.Trial:
  making.write_manifests(root, {'A': 60.0}, [columns])
  return recordings.load(root)[0]


def write_pulse(root: pathlib.Path, time_s: np.ndarray, offset_s: float) -> None:
  """A walk into and out of the picture, and a force that rises and falls once."""
  walk = making.film(time_s=time_s, direction=-1, width=150)
  making.write_video(root / 'A_1.mp4', walk.frames[:, :, 27:123], time_s=time_s)
  clock = np.arange(-0.3, 1.8, 0.001)
  rise = np.clip(1 - np.abs(clock - PULSE_S) / 0.25, 0, None)
  force = np.zeros((len(clock), 1, 3))
  force[:, 0, 2] = 600 * rise
  making.write_forces(root / 'A_1.csv', clock + offset_s, force)


FILM_TIMES = {
  '60': np.arange(75) / 60,
  '30': np.arange(38) / 30,
  '50': np.arange(62) / 50,
  '120': np.arange(150) / 120,
  'variable': np.concatenate([np.arange(30) / 60, 0.5 + np.arange(1, 24) / 30]),
}


@pytest.mark.parametrize('offset_s', [0.0, 12.3456])
@pytest.mark.parametrize('rate', FILM_TIMES)
def test_labels_lie_on_the_videos_clock_to_the_millisecond(tmp_path, rate, offset_s):
  write_pulse(tmp_path, FILM_TIMES[rate], offset_s)
  trial = write_trial(tmp_path, plates='left', video_start_s=offset_s)
  own = own_frames(trial_records.trial_records(trial, WALKER), WALKER)
  assert own['frame'][0] > 3  # the walker is not whole in the first frames
  vertical, time_s = own['force'][:, 0, 0].astype(float), own['time_s'].astype(float)
  assert vertical.max() == pytest.approx(600 / 60 / conventions.G, rel=0.05)
  assert own['contact'][:, 0].sum() > 25
  assert (vertical * time_s).sum() / vertical.sum() == pytest.approx(PULSE_S, abs=0.001)
  # And the picture's number goes with the time.
  film = video_file.probe(trial.video)
  apart = np.abs(film.time_s[own['frame']] - time_s)
  assert apart.max() <= np.diff(film.time_s).max() / 2 + 1e-4
  if rate == '60':
    assert apart.max() < 1e-4


@pytest.mark.parametrize('rate', ['60', '30', 'variable'])
def test_the_contact_frame_gives_the_same_start(tmp_path, rate):
  offset_s, time_s = 4.2, FILM_TIMES[rate]
  write_pulse(tmp_path, time_s, offset_s)
  exact = write_trial(tmp_path, plates='left', video_start_s=offset_s)
  film = video_file.probe(exact.video)
  rise_s = PULSE_S - 0.25 * (1 - conventions.CONTACT_N / 600)
  shown = int(np.argmax(film.time_s >= rise_s))
  by_frame = write_trial(tmp_path, plates='left', video_start_s='', contact_frame=shown)
  one = trial_forces.read_trial_forces(exact, film.time_s)
  two = trial_forces.read_trial_forces(by_frame, film.time_s)
  half = (film.time_s[shown] - film.time_s[shown - 1]) / 2
  assert (one.video_start_s, one.uncertainty_s) == (offset_s, 0)
  assert two.uncertainty_s == pytest.approx(half)
  assert abs(two.video_start_s - offset_s) <= half + 1e-3
  middle = film.time_s[shown] - half
  assert two.video_start_s == pytest.approx(offset_s + rise_s - middle, abs=1e-3)
  # One frame on is out of the bound: it tells frames apart.
  wrong = dataclasses.replace(by_frame, contact_frame=shown + 1)
  late = trial_forces.read_trial_forces(wrong, film.time_s)
  assert abs(late.video_start_s - offset_s) > half
