"""A disk that is full in the midst of writing, at every place where something is written.

A limit on the size of files stands for it (RLIMIT_FSIZE): what is written beyond fails just so.
`launch/faults/fill.py` does the same to whole commands on a real file system.
"""

import contextlib
import errno
import hashlib
import json
import resource
import shutil

import jax
import pytest
import report_making
import train_test

from grfjax.evaluation import cross_fitting, held_out
from grfjax.inference import trained_run
from grfjax.io import run_folder
from grfjax.report import fold_report, predicting, run_report
from grfjax.synth import recording_set, trial
from grfjax.training import checkpointing, metrics_log, weight_files

_config = train_test._config


@contextlib.contextmanager
def _full_after(size):
  """Files cannot grow beyond so many bytes."""
  compiled = 'jax_persistent_cache_min_compile_time_secs'
  least = jax.config.jax_persistent_cache_min_compile_time_secs
  jax.config.update(compiled, 1e9)  # the session's cache of compiled programs is not meant
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
  try:
    yield
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    jax.config.update(compiled, least)


@pytest.fixture(scope='module')
def done(data_dir, recordings_dir, tmp_path_factory):
  """A finished run with an evaluation, a folder of predictions, and a report."""
  root = tmp_path_factory.mktemp('done')
  cross_fitting.train_run(_config(data_dir, steps=3), root / 'run')
  held_out.evaluate_run(root / 'run')
  fold_report.write_fold_report(root, report_making.small_folds())
  _predict(root, data_dir, recordings_dir)
  return root


def _synth(root, data_dir, recordings_dir):
  settings = trial.Settings(subjects=1, trials=1, width=160, height=120)
  recording_set.write_set(root / 'raw', settings, workers=1)


def _train(root, data_dir, recordings_dir):
  cross_fitting.train_run(_config(data_dir), root / 'new')


def _log(root, data_dir, recordings_dir):
  written = metrics_log.MetricsLog(root / 'run', 3)
  with contextlib.closing(written):
    for step in range(4, 100):
      written.write(step, {'loss': 1.0, 'mae_pct_bw': 2.0, 'step_ms': 3.0})


def _evaluate(root, data_dir, recordings_dir):
  held_out.evaluate_run(root / 'run')


def _page(root, data_dir, recordings_dir):
  run_report.write_run_report(root / 'run')


def _predict(root, data_dir, recordings_dir):
  film = sorted(recordings_dir.glob('*.mp4'))[0]
  predicting.predict_video(trained_run.load(root / 'run'), film, root / 'predicted', '', 60.0)


def _predict_set(root, data_dir, recordings_dir):
  predicting.predict_set(trained_run.load(root / 'run'), recordings_dir, root / 'predicted', ['A'])


def _loso(root, data_dir, recordings_dir):
  fold_report.write_fold_report(root, report_making.small_folds())


def _pretrained(root, data_dir, recordings_dir):
  params, step, _ = weight_files.restore_params(root / 'run')
  weight_files.write_weights(root / 'kept', params, step)


# What is written, after how many bytes the disk is full, and the file that is named.
PLACES = [
  (_synth, 2000, 'raw/videos/S01T01.mp4'),
  (_synth, 50_000, 'raw/forces/S01T01.csv'),
  (_train, 0, 'new/.lock'),
  (_train, 1000, 'new/shares.json'),
  (_log, 100, 'run/metrics.jsonl'),
  (_log, 1000, 'run/tensorboard'),
  (_evaluate, 1000, 'run/estimates.npz'),
  (_page, 5000, 'run/figures/true_against_estimated.png'),
  (_predict, 60_000, 'predicted/A_1.png'),  # the film, which is written meanwhile, is smaller
  (_predict_set, 1000, 'predicted/A_1.csv'),
  (_loso, 100, 'report/table_1_data.txt'),
  (_loso, 5000, 'report/mae_by_subject.png'),
  (_pretrained, 1000, 'kept/weights.npz'),
]


def _tree(root):
  return {
    str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
    for p in root.rglob('*')
    if p.is_file()
  }


@pytest.mark.parametrize(
  ('write', 'size', 'named'), PLACES, ids=[f'{w.__name__[1:]}-{n}' for w, _, n in PLACES]
)
def test_a_full_disk_is_named_and_nothing_is_lost(
  done, tmp_path, data_dir, recordings_dir, capsys, write, size, named
):
  root = shutil.copytree(done, tmp_path / 'root')
  before = _tree(root)
  with pytest.raises(OSError) as error, _full_after(size):
    write(root, data_dir, recordings_dir)
  assert error.value.errno == errno.EFBIG
  assert str(error.value) == f"[Errno {errno.EFBIG}] File too large: '{root / named}'"
  after = _tree(root)
  assert not [name for name in after if '.grfjax-' in name or 'tmp' in name]
  # TensorBoard's file is named by the time, and written anew.
  assert not {name for name in before.keys() - after.keys() if 'tensorboard' not in name}


def test_a_checkpoint_without_space_stops_the_run_and_it_goes_on_later(
  done, tmp_path, data_dir, monkeypatch
):
  root = shutil.copytree(done, tmp_path / 'root')
  usage = shutil.disk_usage(root)
  monkeypatch.setattr(checkpointing.shutil, 'disk_usage', lambda _: usage._replace(free=20_000))
  with pytest.raises(OSError, match=rf"No space left on device: '{root}/run/checkpoints/6'"):
    cross_fitting.train_run(_config(data_dir), root / 'run')
  names = sorted(p.name for p in (root / 'run/checkpoints').iterdir())
  assert names == ['3', '3.sha256']
  monkeypatch.undo()
  cross_fitting.train_run(_config(data_dir), root / 'run')
  assert json.loads(run_folder.RunFolder(root / 'run').done.read_text())['step'] == 6
  assert weight_files.restore_params(root / 'run')[1:] == (6, [])
