"""A run's folder: another data set, damaged checkpoints, what an earlier end has left."""

import contextlib
import json
import pathlib
import shutil

import jax
import numpy as np
import pytest
import train_test

import kill
from grfjax import errors, loso
from grfjax.data import trial_records, voxel_dataset
from grfjax.evaluation import cross_fitting, held_out
from grfjax.inference import trained_run, video_estimate
from grfjax.io import atomic, run_folder
from grfjax.report import predicting
from grfjax.training import checkpointing, metrics_log, train_step, weight_files

_config = train_test._config


@pytest.fixture(scope='module')
def done(data_dir, tmp_path_factory):
  """A finished run of 6 steps with checkpoints of steps 3 and 6, evaluated."""
  run = tmp_path_factory.mktemp('done')
  cross_fitting.train_run(_config(data_dir), run)
  held_out.evaluate_run(run)
  return run


@pytest.fixture
def run(done, tmp_path):
  """A copy of it."""
  return shutil.copytree(done, tmp_path / 'run')


def _damage(run, *steps):
  for step in steps:
    path = max((run / 'checkpoints' / str(step)).rglob('*'), key=lambda p: p.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_data_may_move_but_not_change(run, data_dir, tmp_path):
  moved = shutil.copytree(data_dir, tmp_path / 'moved')
  cross_fitting.train_run(_config(moved), run)
  assert held_out.evaluate_run(run, str(moved)).step == 6
  (path,) = moved.glob('walking_grf/walker/*/metadata.json')
  metadata = json.loads(path.read_text())
  metadata['body_mass_kg']['A'] += 1
  path.write_text(json.dumps(metadata))
  for call in (
    lambda: cross_fitting.train_run(_config(moved), run),
    lambda: held_out.evaluate_run(run, str(moved)),
  ):
    with pytest.raises(ValueError, match=r'data set \(body_mass_kg\.A: 61\.5 there, 62\.5 here\)'):
      call()


def test_a_fingerprint_tells_splits_versions_and_whatever_the_builder_notes(data_dir):
  found = voxel_dataset.Dataset(str(data_dir), 'walker').fingerprint
  assert found['configuration'] == 'walker'
  assert found['version'] == trial_records.VERSION
  assert found['voxels'].keys() == found['body_mass_kg'].keys() == {'A', 'B', 'C'}
  assert all(n > 0 for n in found['voxels'].values())
  assert {'trials', 'fps', 'contact_n', 'frames', 'known'} <= found.keys()
  assert json.loads(json.dumps(found)) == found


def test_a_damaged_checkpoint_is_made_again(done, run, data_dir, capsys):
  _damage(run, 6)
  cross_fitting.train_run(_config(data_dir), run)
  said = capsys.readouterr().err
  assert f'{run}/checkpoints/6 is damaged (' in said
  assert 'going on from step 3' in said
  # The evaluation was of the end that has been made again, to the bit.
  shutil.copy(done / 'eval.json', run)
  for name in ('estimates.npz', 'eval.json'):
    shutil.copy(done / name, run)
  assert kill.differences(done, run) == []


def test_results_say_which_checkpoint_made_them(run, data_dir, recordings_dir, tmp_path):
  _damage(run, 6)
  value = held_out.evaluate_run(run)
  assert value.step == 3
  (text,) = value.damaged
  assert text.startswith(f'{run.absolute()}/checkpoints/6 is damaged (')
  assert text.endswith('; step 3 is used')
  loaded = trained_run.load(run)
  film = sorted(recordings_dir.glob('*.mp4'))[0]
  said = predicting.predict_video(loaded, film, tmp_path / 'out', '', None, with_overlay=False)
  assert f'Note: {text}' in said
  told = json.loads((tmp_path / 'out' / f'{film.stem}.json').read_text())
  assert told['run']['step'] == 3
  assert text in told['quality']['flags']
  other = _config(data_dir, model_init=str(run), steps=1)
  cross_fitting.train_run(other, tmp_path / 'other')  # from step 3
  _damage(run, 3)
  for call in (
    lambda: held_out.evaluate_run(run),
    lambda: cross_fitting.train_run(_config(data_dir), run),
    lambda: cross_fitting.train_run(_config(data_dir, model_init=str(run)), tmp_path / 'another'),
  ):
    with pytest.raises(checkpointing.CheckpointError, match='no usable checkpoint is left'):
      call()


def test_a_run_that_goes_on_past_its_end_drops_what_was_made_of_it(run, data_dir, capsys):
  for name in ('interval.json', 'weights.npz', 'report.html'):
    (run / name).write_text('{}')
  (run / 'calibration/0').mkdir(parents=True)
  cross_fitting.train_run(_config(data_dir, steps=8), run)
  assert 'goes on past its end; removed' in capsys.readouterr().err
  there = {p.name for p in run.iterdir()}
  assert not there & {
    'interval.json',
    'weights.npz',
    'calibration',
    'eval.json',
    'estimates.npz',
    'report.html',
  }
  assert json.loads(run_folder.RunFolder(run).done.read_text())['step'] == 8
  assert [line['step'] for line in metrics_log.read_log(run / 'metrics.jsonl')] == [2, 4, 6, 8]


def test_a_fold_is_done_once_its_end_is_evaluated(run, data_dir):
  assert loso.is_done(run_folder.RunFolder(run), 6)
  assert loso.is_done(run_folder.RunFolder(run), 4)
  assert not loso.is_done(run_folder.RunFolder(run), 8)
  run_folder.RunFolder(run).done.write_text(json.dumps({'step': 3, 'stopped_early': True}))
  assert not loso.is_done(run_folder.RunFolder(run), 6)  # the evaluation is of step 6
  run_folder.RunFolder(run).done.unlink()
  assert not loso.is_done(run_folder.RunFolder(run), 6)


def test_what_a_killed_calibration_leaves_goes(run, data_dir, monkeypatch):
  """Killed after interval.json was written, before its rounds were removed."""
  run_folder.RunFolder(run).intervals.write_text('{}')
  (run / 'calibration/0').mkdir(parents=True)
  monkeypatch.setattr(cross_fitting, 'cross_fit', lambda *_, **__: pytest.fail('again'))
  config = json.loads((run / 'config.json').read_text()) | {'calibrate': 2}
  atomic.write_json(run / 'config.json', config)
  cross_fitting.train_run(_config(data_dir, calibrate=2), run)
  assert not (run / 'calibration').exists()
  assert run_folder.RunFolder(run).intervals.exists()


def test_a_log_cut_anywhere_is_taken_back_to_the_checkpoint(tmp_path):
  lines = [{'step': s, 'loss': s / 8} for s in (2, 4, 6)]
  text = ''.join(json.dumps(line) + '\n' for line in lines)
  for cut in range(len(text) - 25, len(text) + 1, 5):
    run_folder.RunFolder(tmp_path).metrics.write_text(text[:cut])
    written = metrics_log.MetricsLog(tmp_path, 5)
    written.write(6, {'loss': 0.75})
    written.sync()
    written.close()
    assert metrics_log.read_log(run_folder.RunFolder(tmp_path).metrics) == lines
    assert kill.board_values(tmp_path) == [(line['step'], 'loss', line['loss']) for line in lines]
    assert len(list(run_folder.RunFolder(tmp_path).tensorboard.iterdir())) == 1


@pytest.mark.parametrize('line', ['{"step": 4', '[4]', '{"loss": 0.5}', '4'])
def test_a_log_that_is_damaged_before_its_end_is_named(tmp_path, line):
  run = run_folder.RunFolder(tmp_path)
  run.metrics.write_text(f'{{"step": 2}}\n{line}\n{{"step": 6}}\n')
  with pytest.raises(errors.InputError, match='line 2') as damaged:
    metrics_log.MetricsLog(tmp_path, 6)
  assert (damaged.value.code, damaged.value.file) == ('run.damaged_file', str(run.metrics))


def test_a_network_that_gives_no_numbers_is_refused(run, recordings_dir, tmp_path):
  loaded = trained_run.load(run)
  params = jax.tree.map(lambda p: p * np.float32(np.nan), loaded.params)
  object.__setattr__(loaded, 'params', params)
  with pytest.raises(ValueError, match='estimates that are not finite'):
    video_estimate.estimate_video(loaded, sorted(recordings_dir.glob('*.mp4'))[0])
  failures = predicting.predict_set(loaded, recordings_dir, tmp_path / 'out', ['A'])
  assert len(failures) == 2
  assert [p.name for p in (tmp_path / 'out').iterdir()] == ['index.html']


def test_the_comparison_of_runs_sees_every_difference(done, tmp_path):
  def changed(name, change):
    other = shutil.copytree(done, tmp_path / name)
    change(other)
    return kill.differences(done, other)

  def other_params(run):
    params, at, _ = weight_files.restore_params(run)
    state = train_step.TrainState(jax.numpy.int32(at), jax.tree.map(lambda p: -p, params), ())
    with contextlib.closing(checkpointing.Checkpoints(run)) as checkpoints:
      checkpoints.save(at, state, {})

  def twice(run):
    lines = run_folder.RunFolder(run).metrics.read_text().splitlines()
    run_folder.RunFolder(run).metrics.write_text('\n'.join([lines[0], *lines, '']))

  assert changed('same', lambda run: None) == []
  assert any('params' in text for text in changed('params', other_params))
  assert any(text.startswith('log') for text in changed('log', twice))
  assert any('left' in text for text in changed('left', lambda run: (run / 'left').touch()))
  assert any(
    text == 'TensorBoard'
    for text in changed(
      'board', lambda run: shutil.rmtree(run_folder.RunFolder(run).tensorboard) or _empty_board(run)
    )
  )


def _empty_board(run: pathlib.Path) -> None:
  run_folder.RunFolder(run).tensorboard.mkdir()
  (run_folder.RunFolder(run).tensorboard / 'events').touch()
