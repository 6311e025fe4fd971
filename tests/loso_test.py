"""The whole round of leave-one-subject-out folds, as a user starts it, on a tiny recording set."""

import csv
import json
import math
import os
import pathlib
import re
import subprocess
import sys

import pytest

import gpu
import kill
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


@pytest.fixture(scope='module')
def whole_round(data_dir, recordings_dir, tmp_path_factory):
  """All folds, each command a process of its own: their folder and what was said."""
  runs = tmp_path_factory.mktemp('round') / 'runs'
  return runs, _loso(runs, data_dir, recordings_dir)


@pytest.mark.slow
def test_a_round_trains_evaluates_predicts_and_reports_every_fold(
  whole_round, data_dir, recordings_dir
):
  runs, first = whole_round
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


@pytest.mark.slow
def test_what_gpu_sh_measures_and_its_folds_in_one_process(whole_round, recordings_dir, tmp_path):
  text = gpu.measure(tmp_path, gpu.SIZES['quick'], recordings_dir)
  assert (tmp_path / 'gpu.md').read_text() == text
  found = json.loads((tmp_path / 'gpu.json').read_text())
  assert f'{found["about"]["count"]} x {found["about"]["device"]}, JAX' in text
  assert [row['dtype'] for row in found['steps']] == ['float32', 'bfloat16']
  numbers = [row[key] for row in found['steps'] for key in ('ms', 'of_peak', 'compile_s')]
  numbers += [row['seconds'] for row in found['folds']]
  assert all(math.isfinite(number) and number > 0 for number in numbers)
  assert all(0 <= row['data_wait'] <= 1 for row in found['folds'])
  assert len(re.findall(r'^\| .* ms \|', text, re.M)) == 4  # two types, two folds

  runs, _ = whole_round
  for subject in 'AB':  # the second one has found all compiled
    folders = runs / subject, tmp_path / 'runs' / subject
    assert kill.differences(*folders) == ['config.json']  # the order of its fields
    one, other = (json.loads((folder / 'config.json').read_text()) for folder in folders)
    assert {**one, 'data_dir': ''} == {**other, 'data_dir': ''}
    for trial in (f'{subject}_1.csv', f'{subject}_2.csv'):
      curves = [folder.parent / fold_report.PREDICTIONS / trial for folder in folders]
      assert curves[0].read_bytes() == curves[1].read_bytes()


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
