"""The whole round of leave-one-subject-out folds, as a user starts it, on a tiny recording set."""

import csv
import json
import os
import pathlib
import subprocess
import sys

import pytest

from grfjax.report import fold_report

ROOT = pathlib.Path(__file__).parents[1]
LOAD_MODULE = 'ignore:the load_module:DeprecationWarning'  # so ml_collections reads a configuration


def _flags(runs, data_dir, recordings_dir):
  return [
    f'--config={ROOT / "configs/mochizuki2d.py"}:pretrain', f'--config.data_dir={data_dir}',
    f'--workdir={runs}', f'--recordings={recordings_dir}', '--config.steps=2', '--config.batch=2',
    '--config.model.channels=2', '--config.model.dense=8', '--config.augment.shift=0.0',
    '--config.augment.noise=0.0',
  ]  # fmt: skip


def _loso(runs, data_dir, recordings_dir, *more):
  flags = _flags(runs, data_dir, recordings_dir)
  command = [sys.executable, 'launch/loso.py', *flags, *more]
  env = {**os.environ, 'PYTHONPATH': str(ROOT)}
  return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_round_trains_evaluates_predicts_and_reports_every_fold(
  data_dir, recordings_dir, tmp_path
):
  runs = tmp_path / 'runs'
  first = _loso(runs, data_dir, recordings_dir)
  assert first.returncode == 0, first.stderr
  for number, subject in enumerate('ABC', start=1):
    assert f'fold {number} of 3, {subject} held out' in first.stdout
    result = json.loads((runs / subject / 'eval.json').read_text())
    assert list(result['subjects']) == [subject]
    assert sorted(result['training_subjects']) == sorted(set('ABC') - {subject})
    assert result['prediction_interval'] == {}  # the paper's classes have none
    known = json.loads((runs / subject / 'subjects.json').read_text())
    assert subject not in [name for name, _ in known['trained'] + known['watched']]

  report = runs / 'report'
  with (report / 'table_3_errors.csv').open() as file:
    rows = list(csv.reader(file))
  assert [row[0] for row in rows[1:4]] == ['A', 'B', 'C']
  page = (report / 'index.html').read_text()
  with (recordings_dir / 'trials.csv').open() as file:
    trials = [row['trial'] for row in csv.DictReader(file)]
  predictions = runs / fold_report.PREDICTIONS
  for trial in trials:
    assert (predictions / f'{trial}.csv').is_file()
  assert 'Table III' in page
  written = {path: path.stat().st_mtime_ns for path in runs.rglob('*.npz')}

  (predictions / f'{trials[0]}.csv').unlink()  # a prediction that was lost is made again
  again = _loso(runs, data_dir, recordings_dir)
  assert again.returncode == 0, again.stderr
  assert again.stdout.count('done before') == 3
  assert {path: path.stat().st_mtime_ns for path in runs.rglob('*.npz')} == written
  assert (predictions / f'{trials[0]}.csv').is_file()

  other = _loso(runs, data_dir, recordings_dir, '--config.seed=1')
  assert other.returncode == 1
  assert 'seed: 0 there, 1 here' in other.stderr
  assert '[run.other_config]' in other.stderr


@pytest.mark.filterwarnings(LOAD_MODULE)
def test_a_holdout_of_ones_own_is_refused(data_dir, recordings_dir, tmp_path, call_command):
  flags = _flags(tmp_path / 'runs', data_dir, recordings_dir)
  with pytest.raises(SystemExit, match=r'^loso: config\.holdout'):
    call_command('grfjax.loso', *flags, '--config.holdout=A')
  assert not (tmp_path / 'runs').exists()


@pytest.mark.filterwarnings(LOAD_MODULE)
def test_a_data_set_that_is_not_there_is_named(recordings_dir, tmp_path, call_command):
  with pytest.raises(SystemExit, match=f'^loso: {tmp_path}/nowhere'):
    call_command('grfjax.loso', *_flags(tmp_path / 'runs', tmp_path / 'nowhere', recordings_dir))
  assert not (tmp_path / 'runs').exists()
