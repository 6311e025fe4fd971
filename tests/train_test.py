"""Training, evaluation and prediction as their users call them, on a small data set."""

import contextlib
import csv
import io
import json
import pathlib
import re
import shutil

import convolutional
import jax
import making
import mochizuki3d
import numpy as np
import pytest

from grfjax import errors
from grfjax.data import input_pipeline, label_index, trial_records, voxel_dataset
from grfjax.evaluation import cross_fitting, evaluation_result, held_out
from grfjax.gait import curve_files, force_curves
from grfjax.inference import trained_run, video_estimate
from grfjax.io import atomic, run_folder, video_file
from grfjax.report import predicting, prediction_files, run_report
from grfjax.training import (
  loop,
  metrics_log,
  run_settings,
  sharding,
  stop_criteria,
  train_step,
  warm_start,
  weight_files,
)


def _config(data_dir, **changes):
  config = convolutional.get_config('scratch')
  config.data_dir = str(data_dir)
  config.holdout = 'B'
  config.batch = 2
  config.clip = 16
  config.steps = 6
  config.log_every = 2
  config.checkpoint_every = 3
  config.model.width = 4
  config.model.features = 8
  config.model.dilations = (1,)  # each layer takes as long to compile as a hundred steps do
  config.calibrate = 0
  for name, value in changes.items():
    config[name] = value
  return config


def _params(workdir):
  params, step, _ = weight_files.restore_params(pathlib.Path(workdir))
  return jax.tree.leaves(params), step


def _lines(workdir):
  """The log, but for the clock."""
  lines = metrics_log.read_log(pathlib.Path(workdir) / 'metrics.jsonl')
  return [{k: v for k, v in n.items() if k not in ('step_ms', 'data_wait')} for n in lines]


@pytest.fixture(scope='module')
def run(data_dir, tmp_path_factory):
  workdir = tmp_path_factory.mktemp('run')
  cross_fitting.train_run(_config(data_dir), workdir)
  return workdir


@pytest.fixture(scope='module')
def evaluated(run):
  return held_out.evaluate_run(run)


@pytest.mark.slow
def test_a_run_cut_short_goes_on_exactly(run, data_dir, tmp_path, monkeypatch):
  class Cut(Exception):
    pass

  to_device = sharding.to_device
  calls = 0

  def cut(*args):
    nonlocal calls
    calls += 1
    if calls == 6:  # after the checkpoint of step 3, and after the log's line of step 4
      raise Cut
    return to_device(*args)

  monkeypatch.setattr(sharding, 'to_device', cut)
  with pytest.raises(Cut):
    cross_fitting.train_run(_config(data_dir), tmp_path)
  monkeypatch.undo()
  assert _lines(tmp_path)[-1]['step'] == 4
  cross_fitting.train_run(_config(data_dir), tmp_path)
  for mine, theirs in zip(*(_params(d)[0] for d in (tmp_path, run)), strict=True):
    np.testing.assert_array_equal(mine, theirs)
  assert [n['step'] for n in _lines(tmp_path)] == [2, 4, 6]
  assert _lines(tmp_path) == _lines(run)  # that of step 4 is of steps before and after the cut


def test_done_is_done(run, data_dir):
  before, _ = _params(run)
  cross_fitting.train_run(_config(data_dir), run)
  after, step = _params(run)
  assert step == 6
  jax.tree.map(np.testing.assert_array_equal, before, after)


def test_training_starts_from_another_runs_weights(run, data_dir, tmp_path):
  # The warm-up's first step is of no length.
  cross_fitting.train_run(_config(data_dir, model_init=str(run), steps=1), tmp_path)
  for mine, theirs in zip(_params(tmp_path)[0], _params(run)[0], strict=True):
    np.testing.assert_array_equal(mine, theirs)


def _member_config(data_dir, name, **changes):
  """One step of another network, without what else takes long to compile."""
  config = _config(data_dir, steps=1, **changes)
  config.model = {'name': name, 'width': 4, 'features': 8}
  config.augment = {}
  config.optimizer.muon = False
  return config


@pytest.mark.usefixtures('few_layers')
def test_training_starts_from_a_run_for_each_member(run, data_dir, tmp_path):
  """Each member's weights are its own run's, and who these know is known."""
  members = {}
  for name in ('recurrent', 'convolutional'):  # in whichever order
    config = _member_config(data_dir, name, holdout='BC'[len(members)])
    members[name] = tmp_path / name
    cross_fitting.train_run(config, members[name])
  both = ','.join(map(str, members.values()))
  with pytest.raises(ValueError, match=r'recurrent knows C, who is the holdout here'):
    cross_fitting.train_run(_config(data_dir, model_init=both, holdout='C'), tmp_path / 'run')
  config = _member_config(data_dir, 'walker', model_init=both, holdout='')
  cross_fitting.train_run(config, tmp_path / 'run')  # the warm-up's first step is of no length
  params, _, _ = weight_files.restore_params(tmp_path / 'run')
  assert set(params) == set(members)
  for name, folder in members.items():
    mine, _, _ = weight_files.restore_params(folder)
    jax.tree.map(np.testing.assert_array_equal, params[name], mine)


@pytest.mark.parametrize('role', ['holdout', 'inner'])
def test_weights_that_know_the_held_out_subject_are_refused(run, data_dir, tmp_path, role):
  """Also where the data have been copied; and a refused start leaves the folder free."""
  copy = tmp_path / 'copy'
  shutil.copytree(data_dir, copy)
  for place in (data_dir, copy):
    config = _config(place, model_init=str(run), **{'holdout': '', role: 'A'})
    with pytest.raises(ValueError, match=f'knows A, who is the {role} here'):
      cross_fitting.train_run(config, tmp_path / 'run')
  cross_fitting.train_run(
    _config(data_dir, model_init=str(run), steps=1), tmp_path / 'run'
  )  # B is held out


def test_what_a_run_knows_is_handed_on(run, data_dir, tmp_path):
  """A is known to the first run alone; the second, on other people, starts from it."""
  known = json.loads(run_folder.RunFolder(run).subjects.read_text())
  assert known == {'trained': [['A', 61.5], ['C', 75.25]], 'watched': []}
  first, second = tmp_path / 'first', tmp_path / 'second'
  shutil.copytree(run, first)
  known = {'trained': [['A', 61.5], ['B', 99.0]], 'watched': [['C', 75.25]]}  # another B
  atomic.write_json(run_folder.RunFolder(first).subjects, known)
  cross_fitting.train_run(_config(data_dir, model_init=str(first), steps=1, inner='C'), second)
  handed = json.loads(run_folder.RunFolder(second).subjects.read_text())
  assert handed == {'trained': [['A', 61.5], ['B', 99.0]], 'watched': [['C', 75.25]]}
  for name in 'AC':  # who was watched is no stranger either
    with pytest.raises(ValueError, match=f'knows {name}, who is the holdout here'):
      cross_fitting.train_run(
        _config(data_dir, model_init=str(second), holdout=name), tmp_path / 'third'
      )


def test_weights_of_another_network_or_of_none_are_refused(run, data_dir, tmp_path):
  config = _config(data_dir, model_init=str(run))
  config.model.features = 12
  with pytest.raises(ValueError, match=r'holds another network: .*8.* there, .*12.* here'):
    cross_fitting.train_run(config, tmp_path / 'a')
  with pytest.raises(ValueError, match=r'nowhere: no run there'):
    cross_fitting.train_run(_config(data_dir, model_init='nowhere'), tmp_path / 'b')


def test_another_configuration_in_the_same_workdir_is_refused(run, data_dir):
  config = _config(data_dir)
  config.optimizer.learning_rate = 0.5
  with pytest.raises(ValueError, match=r'another configuration.*optimizer.*0\.003.*0\.5'):
    cross_fitting.train_run(config, run)


@pytest.mark.parametrize(
  ('name', 'value', 'message'),
  [
    ('holdout', 'Z', r"holdout is 'Z'; the subjects are A, B, C"),
    ('inner', 'B', r"inner validation subject 'B' is the one held out"),
    ('steps', 0, r'config\.steps is 0'),
    ('dataset', 'nosuch', r'mochizuki, mochizuki_window, walker'),
    ('data_dir', '/nonexistent', r'no data set there; make it with `grfjax build'),
    ('early_stop', {'monitor': 'inner_mae_pct_bw', 'patience': 1}, r'config\.inner is empty'),
    ('dtype', 'float16', r"config\.dtype is 'float16', expected one of float32, bfloat16"),
    ('workers', -1, r'config\.workers is -1, expected a whole number up to 256, or 0'),
    ('workers', 257, r'config\.workers is 257'),
    ('clip', 97, r'clip is 97 frames; a record holds 96'),
    ('average_shift', (0.5,), r'average_shift is \(0\.5,\), expected two numbers'),
  ],
)
def test_a_bad_configuration_is_named(data_dir, tmp_path, name, value, message):
  config = _config(data_dir)
  with config.unlocked():
    config[name] = value
  with pytest.raises(ValueError, match=message):
    cross_fitting.train_run(config, tmp_path)


def test_a_step_that_is_not_finite_is_named_with_its_batch(data_dir, tmp_path, monkeypatch):
  """Although one looks at every fourth step only, and a checkpoint is due before that."""
  drawn = {}
  to_device = sharding.to_device

  def broken(batch, *args):
    drawn[len(drawn) + 1] = input_pipeline.sample_names(batch)
    if len(drawn) == 3:
      batch = {**batch, 'force': np.full_like(batch['force'], np.nan)}
    return to_device(batch, *args)

  monkeypatch.setattr(sharding, 'to_device', broken)
  config = _config(data_dir, steps=8, log_every=4, checkpoint_every=2)
  with pytest.raises(loop.TrainingError) as error:
    cross_fitting.train_run(config, tmp_path)
  assert 'step 3 is not finite (gradient_norm nan, loss nan)' in str(error.value)
  assert f'its batch: {", ".join(drawn[3])}; the last good checkpoint is of step 2' in str(
    error.value
  )
  assert all(re.fullmatch(r'([AC])/\1_[12] from frame \d+', name) for name in drawn[3])
  assert sorted(p.name for p in (tmp_path / 'checkpoints').iterdir()) == ['2', '2.sha256']
  assert _lines(tmp_path) == []


def test_a_state_that_is_not_finite_is_never_saved(data_dir, tmp_path, monkeypatch):
  """Even where loss and gradient still were."""
  real = train_step.make_train_step

  def poisoned(**kwargs):
    update = real(**kwargs)

    def step(state, *args):
      state, sums = update(state, *args)
      params = jax.tree.map(lambda p: p * np.float32(np.inf), state.params)
      return state.replace(params=params), sums

    return step

  monkeypatch.setattr(train_step, 'make_train_step', poisoned)
  monkeypatch.setattr(loop.jax, 'transfer_guard', lambda _: contextlib.nullcontext())
  with pytest.raises(loop.TrainingError, match='after step 1 the state is not finite'):
    cross_fitting.train_run(_config(data_dir, checkpoint_every=1), tmp_path)
  assert not (tmp_path / 'checkpoints').exists()


def test_early_stop_waits_for_its_patience():
  early = stop_criteria.EarlyStopping(monitor='loss', patience=2)
  for loss in (3.0, 2.0, 2.5, 1.9, 1.9, 2.0):
    assert not early.should_stop
    early.update({'loss': loss})
  assert early.should_stop
  assert 'has not fallen below 1.9 in 2 log entries' in early.reason()


@pytest.mark.slow
def test_inner_subject_is_watched_and_not_trained_on(data_dir, tmp_path):
  config = _config(data_dir, inner='C', eval_every=2)
  config.early_stop = {'monitor': 'inner_mae_pct_bw', 'patience': 50}
  cross_fitting.train_run(config, tmp_path)
  assert all(n['inner_mae_pct_bw'] > 0 for n in _lines(tmp_path))
  labels = sum(row['labels'] for row in json.loads((tmp_path / 'shares.json').read_text()))
  dataset = voxel_dataset.Dataset(str(data_dir), 'walker')
  only_a = label_index.index_labels(dataset.source(['A']), dataset.config.own, 2)
  assert labels == only_a.counts.sum()


# --- evaluation


def test_eval_json_holds_the_contract(run, evaluated):
  value = json.loads((run / 'eval.json').read_text())
  assert value == evaluated.to_json()
  assert evaluation_result.read(run / 'eval.json') == evaluated
  assert list(value['subjects']) == ['B']
  result = value['subjects']['B']
  assert {'mae_pct_bw', 'rmse_pct_bw', 'bias_pct_bw', 'r', 'n', 'mae_newton'} <= set(result)
  newton = making.SUBJECTS['B'] * 9.80665
  assert result['mae_newton'] == pytest.approx(result['mae_pct_bw'] / 100 * newton)
  assert sum(i['n'] for i in value['intervals'].values()) == result['n']
  assert value['training_subjects'] == ['A', 'C']
  text = run_report.run_summary(evaluated)
  assert f'{result["mae_pct_bw"]:.2f}' in text


def test_a_constants_error_is_computed_by_hand(evaluated, data_dir):
  """The baseline beside it, from the records themselves."""
  dataset = voxel_dataset.Dataset(str(data_dir), 'walker')

  def stance(subjects):
    source = dataset.source(subjects)
    own = dataset.config.own
    return np.concatenate(
      [source[i]['force'][own, :, 0][source[i]['contact'][own]] for i in range(len(source))]
    ).astype(float)

  constant = stance(['A', 'C']).mean()
  expected = 100 * np.abs(stance(['B']) - constant).mean()
  assert evaluated.baselines['constant'].mae_pct_bw == pytest.approx(expected, rel=1e-5)


def test_a_run_on_everyone_cannot_be_evaluated(data_dir, tmp_path):
  cross_fitting.train_run(_config(data_dir, holdout='', steps=1), tmp_path)
  with pytest.raises(ValueError, match='held nobody out'):
    held_out.evaluate_run(tmp_path)


@pytest.mark.parametrize('module', ['evaluate', 'predict'])
def test_a_folder_without_a_run_is_named(module, tmp_path, call_command):
  extra = [f'--out={tmp_path / "out"}', '--video=x.mp4'] if module == 'predict' else []
  with pytest.raises(SystemExit, match=f'^grfjax.{module}: {tmp_path}: no run there'):
    call_command(f'grfjax.{module}', f'--workdir={tmp_path}', *extra)
  assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('shift', [0.5, ['a', 'b']])
def test_a_run_whose_configuration_cannot_be_used_is_named(run, tmp_path, shift):
  shutil.copytree(run, tmp_path / 'run')
  path = tmp_path / 'run/config.json'
  atomic.write_json(path, json.loads(path.read_text()) | {'average_shift': shift})
  with pytest.raises(ValueError, match=r'run/config\.json: is not the configuration of a run'):
    trained_run.load(tmp_path / 'run')


# --- intervals


def test_the_evaluation_says_how_far_training_was_followed(run, tmp_path):
  shutil.copytree(run, tmp_path / 'run')
  before = held_out.evaluate_run(tmp_path / 'run')
  assert before.blend is None
  assert 'blend' not in before.to_json()
  errors = {'0': 8.5, '0.5': 5.5, '1': 6.0}
  written = {'share': 0.9, 'widening': [1, 1, 1], 'blend': 0.5, 'mae_pct_bw': errors}
  atomic.write_json(run_folder.RunFolder(tmp_path / 'run').intervals, written)
  value = held_out.evaluate_run(tmp_path / 'run')
  assert value.blend == evaluation_result.Blend(taken=0.5, mae_pct_bw=errors)
  assert evaluation_result.read(tmp_path / 'run' / 'eval.json').blend == value.blend
  assert value.to_json()['blend'] == {'taken': 0.5, 'mae_pct_bw': errors}


@pytest.mark.slow
def test_intervals_are_calibrated_on_training_subjects_left_out(
  data_dir, recordings_dir, tmp_path, monkeypatch
):
  runs = []
  fit = loop.fit
  monkeypatch.setattr(loop, 'fit', lambda c, *args: runs.append(c.to_dict()) or fit(c, *args))
  cross_fitting.train_run(_config(data_dir, calibrate=2), tmp_path)
  # Everyone is left out once, and the held-out subject is in none of it.
  assert [r['inner'] for r in runs] == ['', 'A', 'C']
  assert [r['holdout'] for r in runs] == ['B', 'B', 'B']
  written = json.loads((tmp_path / 'interval.json').read_text())
  assert written['left_out'] == [['A'], ['C']]
  assert not (tmp_path / 'calibration').exists()
  value = held_out.evaluate_run(tmp_path)
  assert value.prediction_interval.share == 0.9
  assert 0 <= value.prediction_interval.axes()['vertical'].covered <= 1
  film = recordings_dir / _rows(recordings_dir / 'trials.csv')[0]['video']
  estimate = video_estimate.estimate_video(trained_run.load(tmp_path), film)
  rows = list(csv.DictReader(io.StringIO(curve_files.to_csv(estimate))))
  seen = [row for row in rows if row['left_fz_bw']]
  assert seen
  for name in ('left_fz', 'right_fy'):
    for row in seen:
      low, middle, high = (float(row[f'{name}{part}_bw']) for part in ('_lo', '', '_hi'))
      assert low < middle < high
  # Once calibrated it is not done again.
  monkeypatch.setattr(cross_fitting, 'cross_fit', lambda *_, **__: pytest.fail('again'))
  cross_fitting.train_run(_config(data_dir, calibrate=2), tmp_path)


def test_one_training_subject_gives_no_intervals(data_dir, tmp_path, capsys):
  cross_fitting.train_run(_config(data_dir, calibrate=2, inner='A', steps=2), tmp_path)
  assert 'at least two training subjects' in capsys.readouterr().err
  assert not (tmp_path / 'interval.json').exists()


# --- prediction


def test_predictions_equal_the_evaluations_estimates(run, evaluated, recordings_dir, tmp_path):
  """The same frames through the data set and straight from the video."""
  loaded = trained_run.load(run)
  assert predicting.predict_set(loaded, recordings_dir, tmp_path, ['B']) == []
  held = np.load(run / 'estimates.npz')
  names = sorted(set(held['trial'].tolist()))
  endings = ('.csv', '.html', '.json', '.png', '_grf.mot', '_ExternalLoads.xml')
  wanted = [*(f'{n}{ending}' for n in names for ending in endings), 'index.html']
  assert sorted(p.name for p in tmp_path.iterdir()) == sorted(wanted)
  told = json.loads((tmp_path / f'{names[0]}.json').read_text())
  assert told['run']['mae_pct_bw'] == {'B, held out': evaluated.subjects['B'].mae_pct_bw}
  assert told['run']['trained_on_subjects'] == 2
  # The page's errors are of the same frames and forces as the evaluation's.
  errors = [json.loads((tmp_path / f'{n}.json').read_text())['errors']['vertical'] for n in names]
  mae = sum(e['n'] * e['mae_pct_bw'] for e in errors) / sum(e['n'] for e in errors)
  assert mae == pytest.approx(evaluated.subjects['B'].mae_pct_bw, rel=1e-4)
  cameras = {t['trial']: t['camera'] for t in _rows(recordings_dir / 'trials.csv')}
  for name in names:
    rows = {round(float(r['time_s']), 4): r for r in _rows(tmp_path / f'{name}.csv')}
    mine = held['trial'] == name
    near = cameras[name]
    far = 'right' if near == 'left' else 'left'
    side = 1 if near == 'left' else -1
    for time_s, force in zip(held['time_s'][mine], held['estimate'][mine], strict=True):
      row = rows[round(float(time_s), 4)]
      for leg, expected in zip((near, far), force, strict=True):
        got = [float(row[f'{leg}_{c}_bw']) for c in ('fz', 'fx', 'fy')]
        np.testing.assert_allclose(got, expected * [1, 1, side], atol=6e-5)


def _rows(path):
  with path.open(newline='') as f:
    return list(csv.DictReader(f))


def test_every_frame_of_the_video_has_a_row(run, recordings_dir):
  video = recordings_dir / _rows(recordings_dir / 'trials.csv')[0]['video']
  estimate = video_estimate.estimate_video(trained_run.load(run), video)
  lines = curve_files.to_csv(estimate).splitlines()
  assert lines[0] == (
    'time_s,left_fz_bw,right_fz_bw,left_fx_bw,left_fy_bw,right_fx_bw,right_fy_bw,'
    'left_copx_bh,left_copy_bh,right_copx_bh,right_copy_bh'
  )
  assert len(lines) == 1 + len(video_file.probe(video).time_s)
  assert 'nan' not in '\n'.join(lines)


def test_no_estimate_is_an_empty_cell():
  force = np.full((2, 2, 1), np.nan)
  force[1, 0, 0] = 1.23456
  none = np.zeros((2, 2, 1, 0))
  nowhere = np.full((2, 4), np.nan)
  estimate = force_curves.ForceCurves(
    np.array([0.0, 1 / 60]), force, none, 'left', True, nowhere, np.zeros(2, int)
  )
  assert curve_files.to_csv(estimate) == (
    'time_s,left_fz_bw,right_fz_bw\n0.000000,,\n0.016667,1.2346,\n'
  )


def test_a_video_by_itself(run, recordings_dir, tmp_path):
  video = recordings_dir / _rows(recordings_dir / 'trials.csv')[0]['video']
  text = predicting.predict_video(trained_run.load(run), video, tmp_path, '', None)
  assert "The camera stood at the walker's left." in text
  assert 'no OpenSim file (_grf.mot): the body mass is not given' in text
  assert text.splitlines()[-1] == f'page: {tmp_path / video.stem}.html'
  told = json.loads((tmp_path / f'{video.stem}.json').read_text())
  assert told['quality']['frames'] == len(video_file.probe(video).time_s)
  assert not (tmp_path / prediction_files.INDEX).exists()


def test_the_walker_is_followed_wherever_forces_are_estimated(run, recordings_dir):
  row = _rows(recordings_dir / 'trials.csv')[0]
  estimate = video_estimate.estimate_video(trained_run.load(run), recordings_dir / row['video'])
  estimated = estimate.has_estimate.any(1)
  assert estimated.any()
  assert np.isfinite(estimate.box[estimated]).all()
  # Who is seen from the left goes to the picture's left.
  going = -1 if row['camera'] == 'left' else 1
  np.testing.assert_array_equal(estimate.direction, going * np.isfinite(estimate.box[:, 0]))


def test_the_annotated_video_stands_beside_the_curves(run, recordings_dir, tmp_path):
  loaded = trained_run.load(run)
  assert predicting.predict_set(loaded, recordings_dir, tmp_path, ['B'], with_overlay=True) == []
  names = sorted(p.stem for p in tmp_path.glob('*.csv'))
  assert names
  assert sorted(p.name for p in tmp_path.glob('*.mp4')) == [f'{n}_overlay.mp4' for n in names]


def test_a_wrong_camera_is_refused_and_a_missing_one_read_off(run, recordings_dir):
  row = _rows(recordings_dir / 'trials.csv')[0]
  loaded = trained_run.load(run)
  other = {'left': 'right', 'right': 'left'}[row['camera']]
  assert (
    video_estimate.estimate_video(loaded, recordings_dir / row['video']).camera == row['camera']
  )
  with pytest.raises(ValueError, match=f"camera is '{other}'"):
    video_estimate.estimate_video(loaded, recordings_dir / row['video'], other)


def test_one_bad_trial_does_not_stop_the_others(run, recordings_dir, tmp_path):
  rows = _rows(recordings_dir / 'trials.csv')
  for row in rows:
    row['camera'] = (
      {'left': 'right', 'right': 'left'}[row['camera']] if row is rows[0] else row['camera']
    )
    row['speed'] = '0.5' if row is rows[-1] else ''
  copy = tmp_path / 'set'
  shutil.copytree(recordings_dir, copy)
  with (copy / 'trials.csv').open('w', newline='') as f:
    writer = csv.DictWriter(f, rows[0])
    writer.writeheader()
    writer.writerows(rows)
  out = tmp_path / 'out'
  failures = predicting.predict_set(trained_run.load(run), copy, out, None)
  assert len(failures) == 1
  assert rows[0]['trial'] in failures[0]
  assert {p.stem for p in out.glob('*.csv')} == {row['trial'] for row in rows[1:]}
  assert rows[0]['trial'] in (out / prediction_files.INDEX).read_text()
  slow, usual = (out / f'{rows[k]["trial"]}.csv' for k in (-1, -2))
  assert json.loads(slow.with_suffix('.json').read_text())['speed'] == 0.5
  assert json.loads(usual.with_suffix('.json').read_text())['speed'] == 1
  assert 'A second of it is 0.5 real seconds' in slow.with_suffix('.html').read_text()
  ends = [float(_rows(path)[-1]['time_s']) for path in (slow, usual)]
  assert ends[0] == pytest.approx(ends[1] / 2, abs=1e-5)


# --- the paper's network


def test_only_the_first_people_are_trained_on(data_dir):
  dataset = voxel_dataset.Dataset(str(data_dir), 'mochizuki')
  config = mochizuki3d.get_config('pretrain')
  config.holdout = 'A'
  assert run_settings.training_subjects(config, dataset) == ('B', 'C')
  config.people = 1
  assert run_settings.training_subjects(config, dataset) == ('B',)
  assert warm_start.known_subjects(config, dataset)['trained'] == [['B', 48.0]]


@pytest.mark.slow
def test_the_papers_network_goes_the_same_road(data_dir, recordings_dir, tmp_path):
  config = mochizuki3d.get_config('pretrain')
  config.data_dir = str(data_dir)
  config.holdout = 'C'
  config.batch = 4
  config.steps = 2
  config.log_every = 1
  config.model.channels = 2
  config.model.dense = 8
  cross_fitting.train_run(config, tmp_path / 'run')
  value = held_out.evaluate_run(tmp_path / 'run')
  assert value.legs == 1
  loaded = trained_run.load(tmp_path / 'run')
  assert predicting.predict_set(loaded, recordings_dir, tmp_path / 'out', ['C']) == []
  cameras = {t['trial']: t['camera'] for t in _rows(recordings_dir / 'trials.csv')}
  for path in (tmp_path / 'out').glob('*.csv'):
    rows = _rows(path)
    near = cameras[path.stem]
    assert all(0.01 <= float(r[f'{near}_fz_bw']) <= 1.5 for r in rows)
    far = {'left': 'right', 'right': 'left'}[near]
    assert all(r[f'{far}_fz_bw'] == '' for r in rows)
  video = next(recordings_dir.glob('*.mp4'))
  with pytest.raises(ValueError, match='--camera is needed'):
    video_estimate.estimate_video(loaded, video)
  seen = [video_estimate.estimate_video(loaded, video, side).force for side in ('left', 'right')]
  assert not np.array_equal(seen[0][:, 0, 0], seen[1][:, 1, 0])  # of the near leg: mirrored
  dataset = run_folder.RunFolder(tmp_path / 'run').dataset
  written = dataset.read_text()
  dataset.write_text(written.replace(trial_records.VERSION, '3.1.0'))
  trained_run.load(tmp_path / 'run')  # whose pictures are the same
  dataset.write_text(written.replace(trial_records.VERSION, '3.0.0'))
  with pytest.raises(errors.InputError, match=r'records of version 3\.0\.0') as refused:
    trained_run.load(tmp_path / 'run')
  assert refused.value.code == 'run.other_version'
