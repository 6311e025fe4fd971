"""Tests of grfjax.data.trial_records: records of made-up films and forces."""

import dataclasses
import pathlib

import cv2
import making
import numpy as np
import pytest

from grfjax import conventions, errors
from grfjax.data import clip_config, pictures, trial_check, trial_records, walker_views
from grfjax.evaluation import plate_reference
from grfjax.io import recordings, video_file

WALKER, MOCHIZUKI = clip_config.clip_config('walker'), clip_config.clip_config('mochizuki')
SHAPES = {
  'voxel': (np.uint8, lambda c: c.shape),
  'force': (np.float32, lambda c: (c.frames, 2, 3)),
  'known': (np.bool_, lambda c: (c.frames, 2)),
  'contact': (np.bool_, lambda c: (c.frames, 2)),
  'pressure': (np.float32, lambda c: (c.frames, 2, 2)),
  'pressure_known': (np.bool_, lambda c: (c.frames, 2)),
  'sole': (np.float32, lambda c: (c.frames, 2, 2)),
  'sole_known': (np.bool_, lambda c: (c.frames, 2)),
  'stand': (np.float32, lambda c: (c.frames, 2, 2)),
  'stand_known': (np.bool_, lambda c: (c.frames, 2)),
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


def test_in_the_papers_pictures_everybody_walks_the_same_way(trials, made):
  right = next(t for t in trials if t.camera == 'right')
  seen = walker_views.read_longest_walk(right.video, MOCHIZUKI, 'right').picture
  filmed = walker_views.read_longest_walk(right.video, MOCHIZUKI, 'left').picture
  assert not np.array_equal(seen, filmed)
  np.testing.assert_array_equal(seen, filmed[:, :, ::-1])
  record = made['mochizuki', 'right'][0]
  np.testing.assert_array_equal(record['voxel'][-1], seen[record['frame'][-1]])


def own_frames(records: list[dict], cfg: clip_config.ClipConfig) -> dict[str, np.ndarray]:
  """The records' own frames, one after the other."""
  joined = {k: np.concatenate([r[k][cfg.own] for r in records]) for k in SHAPES if k != 'voxel'}
  return {k: v[joined['frame'] >= 0] for k, v in joined.items()}


def write_trial(root: pathlib.Path, **columns) -> recordings.Trial:
  making.write_manifests(root, {'A': 60.0}, [columns])
  return recordings.load(root)[0]


def test_a_slow_film_has_the_same_labels_where_the_manifest_says_how_slow(trials, made, tmp_path):
  """In the build, the check, and the plates beside a prediction alike."""
  film = video_file.probe(trials[0].video)
  path = tmp_path / 'slow.mp4'
  making.write_video(path, video_file.frames(film), time_s=film.time_s / 0.125)
  slow = dataclasses.replace(trials[0], video=path, speed=0.125)
  records = trial_records.trial_records(slow, MOCHIZUKI)
  for key in ('force', 'known', 'contact', 'frame'):
    for mine, theirs in zip(records, made['mochizuki', 'left'], strict=True):
      np.testing.assert_allclose(mine[key], theirs[key], atol=2e-3)
  checked = trial_check.check_trial(slow, MOCHIZUKI)
  assert checked.video.fps == pytest.approx(60, abs=0.01)
  assert checked.labels.known == trial_check.check_trial(trials[0], MOCHIZUKI).labels.known
  told, usual = (plate_reference.read_plate_reference(t) for t in (slow, trials[0]))
  np.testing.assert_allclose(told.force, usual.force, atol=2e-3)


@pytest.mark.parametrize('camera', ['left', 'right'])
@pytest.mark.parametrize('cfg', [WALKER, MOCHIZUKI], ids=lambda c: c.name)
def test_a_record_is_as_the_contract_says(made, cfg, camera):
  records = made[cfg.name, camera]
  assert records
  for record in records:
    assert set(record) == {*SHAPES, 'height_m', 'subject', 'trial'}
    assert (record['height_m'], record['height_m'].dtype) == (0, np.float32)  # which nobody gives
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
    for key in (
      'pressure',
      'sole',
      'stand',
    ):  # which nobody tells
      assert not record[f'{key}_known'].any()
      assert not record[key].any()


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
  facing = {'left': 1, 'right': -1}[camera]  # all walk the same way
  for record in records:
    np.testing.assert_array_equal(np.diff(record['frame']), 1)
    assert record['contact'][-1, 0]
    for picture, frame in zip(record['voxel'], record['frame'], strict=True):
      np.testing.assert_array_equal(picture, pictures.shrink(decoded[frame], 40)[:, ::facing])


def test_the_papers_label_is_the_last_frames_force(made):
  for camera in ('left', 'right'):
    for record in made['mochizuki', camera]:
      fine = record['frame'][-1] / 60 + np.linspace(-1 / 120, 1 / 120, 401)
      true = making.step_forces(fine, 61.5)[:, conventions.LEGS.index(camera)].mean(0)
      assert record['force'][-1, 0, 0] == pytest.approx(true[2] / 61.5 / conventions.G, abs=0.02)


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
  with pytest.raises(errors.InputError, match=r'line 2 .*A_1') as caught:
    trial_records.trial_records(trial, WALKER)
  assert (caught.value.code, caught.value.column) == ('recording.camera_side', 'camera')
  assert caught.value.file == str(tmp_path / 'A_1.mp4')
  for part in ('trials.csv', 'A_1.mp4', "camera is 'right'", 'goes to the left', 'mirrored'):
    assert part in str(caught.value)
  assert trial_records.trial_records(trial, MOCHIZUKI)  # which does not look


def test_the_papers_configuration_at_20_fps(trials, made):
  slow = trial_records.trial_records(trials[0], clip_config.clip_config('mochizuki_20fps'))
  full = {int(r['frame'][-1]): r for r in made['mochizuki', 'left']}
  assert [int(r['frame'][-1]) for r in slow] == [k for k in full if k % 3 == 0]
  for record in slow:
    k = int(record['frame'][-1])
    np.testing.assert_array_equal(record['frame'], [k - 12, k - 9, k - 6, k - 3, k])
    np.testing.assert_array_equal(record['voxel'][-1], full[k]['voxel'][-1])
    np.testing.assert_array_equal(record['force'][-1], full[k]['force'][-1])


def test_the_followed_windows_show_the_walker(made):
  for camera in ('left', 'right'):
    record = made['walker', camera][0]
    far = record['voxel'][record['frame'] >= 0, ..., 1] > 128
    middle = np.array([cv2.moments(f.astype(np.uint8))['m10'] / f.sum() for f in far])
    assert middle == pytest.approx(17.5, abs=1.5)
