"""Tests of where records say that the feet stand: centres of pressure, and soles in the window."""

import dataclasses
import pathlib

import making
import numpy as np
import pytest

from grfjax.data import (
  clip_config,
  trial_check,
  trial_forces,
  trial_labels,
  trial_records,
  walker_views,
)
from grfjax.io import foot_files, recordings
from grfjax.tracking import walker_window

WALKER, MOCHIZUKI = clip_config.clip_config('walker'), clip_config.clip_config('mochizuki')
OFFSET_S = 3.1
MASS_KG = 61.5
FEET = 'time_s,left_column_px,left_row_px,right_column_px,right_row_px\n'


def pressures(time_s: np.ndarray) -> np.ndarray:
  """(N, 2, 2) metres, from heel to toe within each step; the right foot lands half a metre on."""
  places = []
  for leg, (start, lasts) in making.STEPS.items():
    share = np.clip((time_s - start) / lasts, 0, 1)
    right = leg == 'right'
    forward, left = 4 + 0.5 * right + 0.2 * share, 0.05 - 0.11 * right + 0.01 * share
    places.append(np.stack([forward, left], -1))
  return np.stack(places, 1)


def write_trial(
  root: pathlib.Path, camera: str, feet: str = ''
) -> tuple[recordings.Trial, making.Film]:
  """A walk with columns px_N, py_N, and a file of the feet where one is given."""
  walk = making.film(direction=-1 if camera == 'left' else 1)
  making.write_video(root / 'A_1.mp4', walk.frames)
  time_s = np.arange(360) / 250 - 0.1
  force = making.step_forces(time_s, MASS_KG)
  place = pressures(time_s)
  rows = ['time_s,' + ','.join(f'f{a}_{p}' for p in (1, 2) for a in 'xyz') + ',px_1,py_1,px_2,py_2']
  for t, f, p in zip(time_s, force, place, strict=True):
    cells = [
      ','.join(f'{v:.4f}' for v in leg) if fz > 1 else ','
      for leg, fz in zip(p, f[:, 2], strict=True)
    ]
    rows.append(','.join([f'{t + OFFSET_S:.4f}', *(f'{v:.2f}' for v in f.ravel()), *cells]))
  (root / 'A_1.csv').write_text('\n'.join(rows) + '\n')
  row = {'camera': camera, 'video_start_s': OFFSET_S, 'contact_frame': ''}
  making.write_manifests(root, {'A': MASS_KG}, [row])
  trial = recordings.load(root)[0]
  if feet:
    (root / 'feet.csv').write_text(feet)
    trial = dataclasses.replace(trial, feet=root / 'feet.csv')
  return trial, walk


def own_frames(records: list[dict], cfg: clip_config.ClipConfig) -> dict[str, np.ndarray]:
  joined = {
    key: np.concatenate([record[key][cfg.own] for record in records])
    for key in records[0].keys() - {'voxel', 'height_m', 'subject', 'trial'}
  }
  return {key: value[joined['frame'] >= 0] for key, value in joined.items()}


@pytest.mark.parametrize('camera', ['left', 'right'])
def test_pressure_is_that_of_the_plates_forward_and_towards_the_near_side(tmp_path, camera):
  trial, _ = write_trial(tmp_path, camera)
  own = own_frames(trial_records.trial_records(trial, WALKER), WALKER)
  true = pressures(own['time_s'].astype(float))
  near = ('left', 'right').index(camera)
  for leg, plate in enumerate((near, 1 - near)):
    known = own['pressure_known'][:, leg]
    np.testing.assert_array_equal(known, own['contact'][:, leg])
    assert known.sum() > 20
    # The mean over a frame, weighted by force, leans a little towards the middle of stance.
    got, want = own['pressure'][known, leg], true[known, plate]
    np.testing.assert_allclose(got[:, 0], want[:, 0], atol=2e-3)
    side = 1 if camera == 'left' else -1
    np.testing.assert_allclose(got[:, 1], side * want[:, 1], atol=1e-3)
    assert not own['pressure'][~known, leg].any()


def test_whole_pictures_do_not_say_where_feet_stand(tmp_path):
  feet = FEET + ''.join(f'{k / 60:.4f},40,58,60,58\n' for k in range(70))
  trial, _ = write_trial(tmp_path, 'left', feet)
  for record in trial_records.trial_records(trial, MOCHIZUKI):
    assert record['contact'].any()
    for key in ('pressure', 'sole'):
      assert not record[f'{key}_known'].any()
      assert not record[key].any()


@pytest.mark.parametrize('camera', ['left', 'right'])
def test_the_sole_is_where_the_picture_shows_it_in_the_window(tmp_path, camera):
  """Against where the film has the walker, in the walker's own heights."""
  lines = [f'{k / 60:.4f},{40 if 10 <= k < 40 else ""},{58.5 if 10 <= k < 40 else ""},,'
           for k in range(70)]  # fmt: skip
  trial, walk = write_trial(tmp_path, camera, FEET + '\n'.join(lines) + '\n')
  own = own_frames(trial_records.trial_records(trial, WALKER), WALKER)
  left = 0 if camera == 'left' else 1  # near or far
  frames = own['frame']
  known = own['sole_known'][:, left]
  np.testing.assert_array_equal(known, (frames >= 10) & (frames < 40))
  assert known.sum() > 20
  assert not own['sole_known'][:, 1 - left].any()
  direction = -1 if camera == 'left' else 1
  forward = direction * (40 - walk.x[frames]) / walk.tall
  up = (walk.floor - 58.5) / walk.tall
  sole = own['sole'][known, left]
  # In the height that is tracked, which is not quite that of the drawing.
  np.testing.assert_allclose(sole[:, 0], forward[known], rtol=0.06, atol=0.015)
  np.testing.assert_allclose(sole[:, 1], up, atol=0.03)
  # The walker passes the foot.
  assert sole[0, 0] - sole[-1, 0] > 0.2
  assert not own['sole'][~known].any()


def test_at_half_the_rate_soles_lie_between_those_of_the_frames(tmp_path):
  lines = [f'{k / 60:.4f},40,58.5,,' for k in range(70)]
  trial, _ = write_trial(tmp_path, 'right', FEET + '\n'.join(lines) + '\n')
  full = own_frames(trial_records.trial_records(trial, WALKER), WALKER)
  slow = dataclasses.replace(WALKER, fps=47.0)
  other = own_frames(trial_records.trial_records(trial, slow), slow)
  known, by = other['sole_known'][:, 1], full['sole_known'][:, 1]
  assert known.sum() > 25
  between = np.interp(other['time_s'][known], full['time_s'][by], full['sole'][by, 1, 0])
  np.testing.assert_allclose(other['sole'][known, 1, 0], between, atol=1e-4)


def test_what_the_picture_does_not_show_clearly_is_unknown(tmp_path):
  feet = FEET + ''.join(f'{k / 60:.4f},40,58,60,58\n' for k in range(70))
  trial, _ = write_trial(tmp_path, 'left', feet)
  view = walker_views.read_longest_walk(trial.video, WALKER, 'left', with_pictures=False)
  clear = view.clear.copy()
  clear[30:36] = False
  box = np.where(clear[:, None], view.box, np.nan)
  forces = trial_forces.read_trial_forces(trial, view.video.time_s)
  usual = trial_records.label_view(forces, view)
  label = trial_records.label_view(forces, dataclasses.replace(view, clear=clear, box=box))
  unclear = ~clear[view.frame]
  for key in ('sole', 'pressure'):
    known = getattr(label, f'{key}_known')
    assert not known[unclear].any()
    np.testing.assert_array_equal(known[~unclear], getattr(usual, f'{key}_known')[~unclear])
    assert not getattr(label, key)[unclear].any()
  assert usual.pressure_known[unclear].any()
  assert usual.sole_known[unclear].all()


def test_the_windows_map_is_that_of_its_pictures():
  """A pixel of the picture is where `windows` puts it: the floor line and the middle."""
  box = np.array([[100.0, 50.0, 80.0, 230.0]])
  height = 230 / walker_window.MARGIN
  floor = 50 + 0.95 * 230
  corners = np.array([[140, floor], [140 + height / 4, floor - height]])
  for direction in (1, -1):
    got = walker_window.to_window(corners, box, direction)
    np.testing.assert_allclose(got, [[0, 0], [direction / 4, 1]], atol=1e-12)
    np.testing.assert_allclose(walker_window.to_picture(got, box, direction), corners)


ROWS = '0.0,40,58,,\n0.1,41,58,,\n0.2,,,70,57\n'


@pytest.mark.parametrize(
  ('text', 'code', 'line', 'column'),
  [
    (FEET.replace(',right_row_px', '') + '0,1,1,1\n', 'table.missing_column', 1, None),
    (FEET + ROWS.replace('41', '97'), 'recording.out_of_range', 3, 'left_column_px'),
    (FEET + ROWS.replace('57', '-1'), 'recording.out_of_range', 4, 'right_row_px'),
    (FEET + ROWS.replace('41', ''), 'table.empty_cell', 3, 'left_column_px'),
    (FEET + ROWS.replace('41', 'x'), 'table.not_a_number', 3, 'left_column_px'),
    (FEET + ROWS.replace('0.2', '0.1'), 'recording.feet_times', 4, 'time_s'),
    (FEET + ROWS.replace('0.2', '3.3'), 'recording.feet_times', 4, 'time_s'),
    (FEET + '0.0,40,58,,\n', 'recording.feet_times', 2, 'time_s'),
  ],
)
def test_a_file_of_the_feet_that_cannot_be_used(tmp_path, text, code, line, column):
  path = tmp_path / 'feet.csv'
  path.write_text(text)
  with pytest.raises(foot_files.FeetError) as caught:
    foot_files.read(path, 96, 64, 1.15)
  error = caught.value
  assert (error.code, error.file, error.line) == (code, str(path), line)
  if column:
    assert error.column == column


def test_places_between_rows_and_the_text_of_a_file(tmp_path):
  path = tmp_path / 'feet.csv'
  path.write_text(FEET + ROWS + '0.5,,,70,57\n')
  feet = foot_files.read(path, 96, 64, 1.15)
  at = feet.at(np.array([-0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5])).place
  nan = np.nan
  np.testing.assert_allclose(at[:, 0, 0], [nan, 40, 40.5, 41, nan, nan, nan, nan])
  np.testing.assert_allclose(at[:, 1, 1], [nan, nan, nan, nan, nan, 57, nan, 57])
  stand = np.where(np.isnan(feet.place), nan, [[2.5, 0.1], [3.1, -0.1]])
  for known in (feet, dataclasses.replace(feet, stand=stand)):
    path.write_text(foot_files.to_csv(known))
    again = foot_files.read(path, 96, 64, 1.15)
    for name in ('time_s', 'place', 'stand'):
      np.testing.assert_array_equal(getattr(again, name), getattr(known, name))


@pytest.mark.parametrize('camera', ['left', 'right'])
def test_soles_on_the_floor_are_turned_towards_the_near_side(tmp_path, camera):
  head = FEET.strip() + ',left_x_m,left_y_m,right_x_m,right_y_m\n'
  feet = head + ''.join(f'{k / 60:.4f},40,58,,,4.1,0.1,4.6,-0.2\n' for k in range(10, 40))
  trial, _ = write_trial(tmp_path, camera, feet)
  own = own_frames(trial_records.trial_records(trial, WALKER), WALKER)
  known = (own['frame'] >= 10) & (own['frame'] < 40)
  np.testing.assert_array_equal(own['stand_known'], np.stack([known, known], 1))
  near_far = [[4.1, 0.1], [4.6, -0.2]] if camera == 'left' else [[4.6, 0.2], [4.1, -0.1]]
  np.testing.assert_allclose(own['stand'][known][0], near_far, atol=1e-6)
  assert not own['stand'][~known].any()


@pytest.mark.parametrize(
  'floor', ['99,5,99,-6', '-4.1,-0.05,-4.6,0.06', '0.1,0.05,0.6,-0.06', '4.6,0.05,4.1,-0.06'],
  ids=['centimetres', 'turned', 'another origin', 'legs exchanged'],
)  # fmt: skip
def test_soles_that_are_not_where_the_plates_have_the_feet_are_refused(tmp_path, floor):
  head = FEET.strip() + ',left_x_m,left_y_m,right_x_m,right_y_m\n'
  feet = head + ''.join(f'{k / 60:.4f},40,58,40,58,{floor}\n' for k in range(70))
  trial, _ = write_trial(tmp_path, 'left', feet.replace('99,5,99,-6', '99,5,99,-6'))
  with pytest.raises(foot_files.FeetError, match='m from the centres of pressure') as caught:
    trial_records.trial_records(trial, WALKER)
  assert (caught.value.code, caught.value.file) == ('recording.feet_floor', str(trial.feet))


def test_places_of_another_picture_are_doubted(tmp_path):
  """As of a video of half the size."""
  feet = FEET + ''.join(f'{k / 60:.4f},20,29,30,29\n' for k in range(70))
  checked = trial_check.check_trial(write_trial(tmp_path, 'left', feet)[0], WALKER)
  assert 'check.feet' in [finding.code for finding in checked.doubts]


def test_no_labels_know_nothing():
  label = trial_labels.no_labels(3)
  for field in dataclasses.fields(label):
    assert not getattr(label, field.name).any()


@pytest.mark.parametrize('exchanged', [False, True])
def test_feet_that_stand_while_the_plates_have_them_in_the_air_are_doubted(tmp_path, exchanged):
  text = FEET
  for time_s in np.arange(70) / 60:
    cells = [
      '48,58' if start < time_s < start + lasts else ',' for start, lasts in making.STEPS.values()
    ]
    text += f'{time_s:.4f},{",".join(cells[::-1] if exchanged else cells)}\n'
  checked = trial_check.check_trial(write_trial(tmp_path, 'left', text)[0], WALKER)
  found = [f.text for f in checked.doubts if f.code == 'check.feet']
  assert any('in the air' in text for text in found) == exchanged


@pytest.mark.parametrize('mirrored', [False, True])
def test_places_whose_y_points_to_the_right_are_doubted(tmp_path, mirrored):
  trial, _ = write_trial(tmp_path, 'left')
  if mirrored:
    head, *rows = trial.force[0].read_text().splitlines()
    turned = [head]
    for row in rows:
      cells = row.split(',')
      for k in (8, 10):
        cells[k] = f'{-float(cells[k]):.4f}' if cells[k] else ''
      turned.append(','.join(cells))
    trial.force[0].write_text('\n'.join(turned) + '\n')
  checked = trial_check.check_trial(trial, WALKER)
  found = [f.text for f in checked.doubts if f.code == 'check.feet_crossed']
  assert len(found) == mirrored
  assert all('lies 11 cm to the right' in text for text in found)
