"""Tests of grfjax.voxels: records of made-up films and forces."""

import dataclasses
import pathlib

import cv2
import making
import numpy as np
import pytest

from grfjax import conventions
from grfjax.data import clip_config, clips, trial_labels, trial_records
from grfjax.io import recordings, video_file

WALKER, MOCHIZUKI = clip_config.clip_config('walker'), clip_config.clip_config('mochizuki')
SHAPES = {
  'voxel': (np.uint8, lambda c: c.shape),
  'force': (np.float32, lambda c: (c.frames, 2, 3)),
  'known': (np.bool_, lambda c: (c.frames, 2)),
  'contact': (np.bool_, lambda c: (c.frames, 2)),
  'time_s': (np.float32, lambda c: (c.frames,)),
  'frame': (np.int32, lambda c: (c.frames,)),
}


@pytest.fixture(scope='module')
def trials(recordings_dir):
  return recordings.load(recordings_dir)


@pytest.fixture(scope='module')
def made(trials):
  """Records of the first two trials (camera left, right) in both configurations."""
  return {
    (cfg.name, t.camera): trial_records.trial_records(t, cfg)
    for cfg in (WALKER, MOCHIZUKI)
    for t in trials[:2]
  }


def own_frames(records: list[dict], cfg: clip_config.ClipConfig) -> dict[str, np.ndarray]:
  """The records' own frames, one after the other."""
  joined = {k: np.concatenate([r[k][cfg.own] for r in records]) for k in SHAPES if k != 'voxel'}
  return {k: v[joined['frame'] >= 0] for k, v in joined.items()}


def write_trial(root: pathlib.Path, **columns) -> recordings.Trial:
  making.write_manifests(root, {'A': 60.0}, [columns])
  return recordings.load(root)[0]


# --- the record


@pytest.mark.parametrize('camera', ['left', 'right'])
@pytest.mark.parametrize('cfg', [WALKER, MOCHIZUKI], ids=lambda c: c.name)
def test_a_record_is_as_the_contract_says(made, cfg, camera):
  records = made[cfg.name, camera]
  assert records
  for record in records:
    assert set(record) == {*SHAPES, 'subject', 'trial'}
    assert (record['subject'], record['trial']) == ('A', 'A_1' if camera == 'left' else 'A_2')
    for key, (dtype, shape) in SHAPES.items():
      assert record[key].dtype == dtype, key
      assert record[key].shape == shape(cfg), key
    assert not (record['contact'] & ~record['known']).any()
    assert (record['force'][~record['known']] == 0).all()
    assert (record['known'] <= (record['frame'] >= 0)[:, None]).all()
    over = record['force'][..., 0] * 61.5 * conventions.G > conventions.CONTACT_N
    np.testing.assert_array_equal(record['contact'], over & record['known'])
    assert (np.diff(record['time_s']) > 0).all()


def test_a_configuration_at_another_rate():
  slow = clip_config.clip_config('mochizuki_20fps')
  assert slow == dataclasses.replace(MOCHIZUKI, name='mochizuki_20fps', fps=20)
  assert clip_config.clip_config('mochizuki') == MOCHIZUKI


@pytest.mark.parametrize(
  'name', ['follower', '', 'walker_', 'walker_fast', 'walker_0fps', 'walker_30', '_30fps']
)
def test_an_unknown_configuration_lists_the_names(name):
  with pytest.raises(ValueError, match='there are mochizuki, walker'):
    clip_config.clip_config(name)


def test_the_papers_configuration_is_the_papers():
  assert MOCHIZUKI.shape == (5, 40, 40, 1)
  assert (MOCHIZUKI.fps, MOCHIZUKI.follow) == (60, False)


# --- clips


@pytest.mark.parametrize('count', [2, 15, 31, 32, 33, 63, 64, 65, 96, 97, 200])
@pytest.mark.parametrize('cfg', [WALKER, MOCHIZUKI], ids=lambda c: c.name)
def test_every_frame_is_once_an_own_frame(cfg, count):
  cfg = dataclasses.replace(cfg, rows=2, columns=2)
  view = clips.WalkerViews(
    np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones(cfg.shape[1:], np.uint8),
    7 + np.arange(count) / 60,
    np.arange(count, dtype=np.int32) + 100,
    None,
    0,
    np.full((count, 4), np.nan),
    np.ones(count, bool),
  )
  records = list(clips.cut_voxels(view, None, cfg))
  own = np.concatenate([r['frame'][cfg.own] for r in records])
  np.testing.assert_array_equal(own[own >= 0], np.arange(count) + 100)
  for record in records:
    inside = record['frame'] >= 0
    assert inside.any()
    # Each picture is its frame's; beyond the edge the edge's.
    at = np.clip(record['frame'] - 100, 0, None)
    np.testing.assert_array_equal(record['voxel'][inside, 0, 0, 0], at[inside])
    first, last = record['voxel'][inside][[0, -1], 0, 0, 0]
    assert set(record['voxel'][~inside, 0, 0, 0]) <= {first, last}
    assert record['time_s'][inside] == pytest.approx(7 + at[inside] / 60, abs=1e-5)
    assert np.diff(record['time_s']) == pytest.approx(1 / 60, abs=1e-5)  # through the edge as well


def test_nothing_is_known_beyond_the_edge():
  count, cfg = 10, dataclasses.replace(WALKER, rows=2, columns=2, frames=8, hop=4)
  view = clips.WalkerViews(
    np.zeros((count, 2, 2, 2), np.uint8), np.arange(count) / 60, np.arange(count, dtype=np.int32),
    None, 1, np.full((count, 4), np.nan), np.ones(count, bool),
  )  # fmt: skip
  yes = np.ones((count, 2), bool)
  label = trial_labels.TrialLabels(np.ones((count, 2, 3), np.float32), yes, yes, 0.0, 0.0)
  records = list(clips.cut_voxels(view, label, cfg))
  assert [r['frame'].tolist() for r in records] == [
    [-1, -1, 0, 1, 2, 3, 4, 5],
    [2, 3, 4, 5, 6, 7, 8, 9],
    [6, 7, 8, 9, -1, -1, -1, -1],
  ]
  for record in records:
    inside = record['frame'] >= 0
    for key in ('known', 'contact'):
      np.testing.assert_array_equal(record[key], np.stack([inside, inside], 1))
    np.testing.assert_array_equal(record['force'][:, 1, 2], inside)


# --- the paper's voxels


@pytest.mark.parametrize('camera', ['left', 'right'])
def test_one_voxel_for_each_stance_frame_of_the_near_leg(trials, made, camera):
  trial = trials[0 if camera == 'left' else 1]
  start, lasts = making.STEPS[camera]
  time_s = np.arange(70) / 60
  # Stance: the mean over a frame passes 20 N, so up to half a frame around the contact itself.
  surely = np.flatnonzero((time_s > start + 0.01) & (time_s < start + lasts - 0.01))
  perhaps = np.flatnonzero((time_s > start - 0.01) & (time_s < start + lasts + 0.01))
  records = made['mochizuki', camera]
  last = [int(r['frame'][-1]) for r in records]
  assert set(surely) <= set(last) <= set(perhaps)
  assert last == sorted(set(last))
  decoded = list(video_file.frames(video_file.probe(trial.video)))
  for record in records:
    np.testing.assert_array_equal(np.diff(record['frame']), 1)
    assert record['contact'][-1, 0]
    for picture, frame in zip(record['voxel'], record['frame'], strict=True):
      np.testing.assert_array_equal(picture, clips.shrunken_frame(decoded[frame], 40))


def test_the_papers_label_is_the_last_frames_force(made):
  for camera in ('left', 'right'):
    for record in made['mochizuki', camera]:
      fine = record['frame'][-1] / 60 + np.linspace(-1 / 120, 1 / 120, 401)
      true = making.step_forces(fine, 61.5)[:, conventions.LEGS.index(camera)].mean(0)
      assert record['force'][-1, 0, 0] == pytest.approx(true[2] / 61.5 / conventions.G, abs=0.02)


# --- axes and legs


@pytest.mark.parametrize('camera', ['left', 'right'])
def test_near_and_far_and_the_near_side(made, camera):
  own = own_frames(made['walker', camera], WALKER)
  time_s = own['time_s'].astype(float)
  force = making.step_forces(time_s, 61.5) / 61.5 / conventions.G  # (N, leg, xyz), legs left, right
  near = conventions.LEGS.index(camera)
  side = {'left': 1, 'right': -1}[camera]  # +y is the walker's left
  for leg, plate in enumerate((near, 1 - near)):
    use = own['contact'][:, leg]
    start, lasts = making.STEPS[conventions.LEGS[plate]]
    inner = use & (time_s > start + 0.03) & (time_s < start + lasts - 0.03)
    assert inner.sum() > 15
    got, true = own['force'][inner, leg], force[inner, plate]
    np.testing.assert_allclose(got[:, 0], true[:, 2], atol=0.02)
    np.testing.assert_allclose(got[:, 1], true[:, 0], atol=0.02)
    np.testing.assert_allclose(got[:, 2], side * true[:, 1], atol=0.005)
  # The floor pushes the left leg to -y, the right to +y: the near leg always away from the camera.
  assert (own['force'][own['contact'][:, 0], 0, 2] < 1e-3).all()
  assert own['force'][:, 0, 2].min() < -0.04
  assert own['force'][:, 1, 2].max() > 0.04


def test_the_camera_on_the_wrong_side_is_named(tmp_path, recordings_dir):
  for name in ('A_1.mp4', 'A_1.csv'):
    (tmp_path / name).write_bytes((recordings_dir / name).read_bytes())
  trial = write_trial(tmp_path, camera='right', video_start_s=3.1)
  with pytest.raises(ValueError, match=r'line 2 .*A_1') as caught:
    trial_records.trial_records(trial, WALKER)
  for part in ('trials.csv', 'A_1.mp4', "camera is 'right'", 'goes to the left', 'mirrored'):
    assert part in str(caught.value)
  assert trial_records.trial_records(trial, MOCHIZUKI)  # which does not look


# --- time


def test_frames_at_the_rate_are_taken_as_they_are():
  picture = np.random.default_rng(0).integers(0, 256, (20, 3, 4, 1), np.uint8)
  for fps in (60, 59.94, 60.5):
    time_s = np.arange(20) / fps
    got, when, nearest = clips.resampled(picture, time_s, 60, blend=True)
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
  got, when, nearest = clips.resampled(picture, 5 + time_s, 60, blend=True)
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
  got, when, nearest = clips.resampled(picture, np.array([0, 0.04, 0.08]), 50, blend=True)
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
  got, when, nearest = clips.resampled(picture, time_s, to_fps, blend=False)
  # Where two frames are equally near either will do.
  assert np.abs(nearest - np.asarray(expected)).max() <= (from_fps == 50)
  np.testing.assert_array_equal(got.ravel(), nearest)
  np.testing.assert_array_equal(when, time_s[nearest])


def test_the_papers_configuration_at_20_fps(trials, made):
  slow = trial_records.trial_records(trials[0], clip_config.clip_config('mochizuki_20fps'))
  full = {int(r['frame'][-1]): r for r in made['mochizuki', 'left']}
  assert [int(r['frame'][-1]) for r in slow] == [k for k in full if k % 3 == 0]
  for record in slow:
    k = int(record['frame'][-1])
    np.testing.assert_array_equal(record['frame'], [k - 12, k - 9, k - 6, k - 3, k])
    np.testing.assert_array_equal(record['voxel'][-1], full[k]['voxel'][-1])
    np.testing.assert_array_equal(record['force'][-1], full[k]['force'][-1])


# --- synchronisation

PULSE_S = 0.6  # its middle on the film's clock


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
  at = film.time_s
  one = trial_labels.trial_labels(exact, at, film, conventions.CONTACT_N)
  two = trial_labels.trial_labels(by_frame, at, film, conventions.CONTACT_N)
  half = (film.time_s[shown] - film.time_s[shown - 1]) / 2
  assert (one.video_start_s, one.uncertainty_s) == (offset_s, 0)
  assert two.uncertainty_s == pytest.approx(half)
  assert abs(two.video_start_s - offset_s) <= half + 1e-3
  middle = film.time_s[shown] - half
  assert two.video_start_s == pytest.approx(offset_s + rise_s - middle, abs=1e-3)
  # One frame on is out of the bound: it tells frames apart.
  wrong = dataclasses.replace(by_frame, contact_frame=shown + 1)
  late = trial_labels.trial_labels(wrong, at, film, conventions.CONTACT_N)
  assert abs(late.video_start_s - offset_s) > half


def test_the_followed_windows_show_the_walker(made):
  for camera in ('left', 'right'):
    record = made['walker', camera][0]
    far = record['voxel'][record['frame'] >= 0, ..., 1] > 128
    middle = np.array([cv2.moments(f.astype(np.uint8))['m10'] / f.sum() for f in far])
    assert middle == pytest.approx(17.5, abs=1.5)
