"""SIGTERM, Ctrl-C and SIGKILL: what is left, the exit code, and how it goes on."""

import gc
import os
import pathlib
import signal
import subprocess
import sys
import time

import ml_collections
import pytest

import kill
from grfjax import __main__ as command
from grfjax.evaluation import cross_fitting
from grfjax.io import folder_lock, run_folder
from grfjax.training import checkpointing, metrics_log

ROOT = pathlib.Path(__file__).parents[1]
SMALL = (
  '--config.holdout=B', '--config.batch=2', '--config.model.channels=2', '--config.model.dense=8',
  '--config.augment.shift=0.0', '--config.augment.noise=0.0',
  '--config.log_every=3', '--config.checkpoint_every=4',
)  # fmt: skip


def _config(data_dir, *more):
  return [
    '--config=configs/mochizuki2d.py:pretrain',
    f'--config.data_dir={data_dir}',
    *SMALL,
    *more,
  ]


def _start(*arguments, **kwargs):
  return subprocess.Popen(
    [sys.executable, *map(str, arguments)], cwd=ROOT, text=True, stdout=subprocess.PIPE,
    stderr=subprocess.STDOUT, **kwargs,
  )  # fmt: skip


def _when(process, happened):
  while not happened():
    assert process.poll() is None, process.stdout.read()
    time.sleep(0.005)


@pytest.fixture(autouse=True)
def _own_package(monkeypatch):
  monkeypatch.setenv('PYTHONPATH', str(ROOT))


@pytest.mark.slow
def test_a_killed_run_ends_as_an_undisturbed_one(data_dir, tmp_path, monkeypatch):
  monkeypatch.chdir(ROOT)
  config = _config(data_dir, '--config.steps=30')
  met, found = kill.disturb(config, tmp_path, 3, 0)
  assert found == []
  assert met['writing a checkpoint']
  assert sum(met.values()) >= 2  # a fast one may have ended before


@pytest.mark.slow
def test_a_run_that_is_told_to_stop_saves_and_goes_on(data_dir, tmp_path):
  """Also: the folder is its own while it runs."""
  run = tmp_path / 'run'
  config = _config(data_dir, '--config.steps=3000')
  process = _start('-m', 'grfjax.train', *config, f'--workdir={run}')
  _when(process, lambda: len(metrics_log.read_log(run_folder.RunFolder(run).metrics)) >= 2)
  with pytest.raises(folder_lock.InUseError, match=f'{run} is in use by process {process.pid} on '):
    cross_fitting.train_run(ml_collections.ConfigDict(), run)
  process.send_signal(signal.SIGTERM)
  begun = time.monotonic()
  output, _ = process.communicate()
  assert time.monotonic() - begun < 10
  assert process.returncode == 143
  at = checkpointing.Checkpoints(run).latest()
  assert output.splitlines()[-1] == (
    f'grfjax.train: stopped by SIGTERM; {run}: the checkpoint of step {at} is written; the same '
    'command goes on'
  )
  assert (
    metrics_log.read_log(run_folder.RunFolder(run).metrics)[-1]['step'] == at // 3 * 3
  )  # nothing of it is lost
  with folder_lock.lock_folder(run):
    pass


@pytest.mark.slow
@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_prediction_that_is_stopped_leaves_nothing_half_written(
  recordings_dir, tmp_path, number, code
):
  process = _start(
    '-m', 'grfjax.predict', f'--recordings={recordings_dir}', f'--out={tmp_path}', '--overlay',
    start_new_session=True,
  )  # fmt: skip
  _when(process, lambda: list(tmp_path.glob('.grfjax-*/*')))
  os.killpg(process.pid, number)
  output, _ = process.communicate()
  assert process.returncode == code
  assert 'Traceback' not in output
  assert not list(tmp_path.glob('.*'))
  done = {p.stem for p in tmp_path.glob('*.csv')}
  assert done == {p.stem for p in tmp_path.glob('*.html')}


def test_a_synthesis_that_is_stopped_leaves_nothing(tmp_path):
  """Ctrl-C reaches the workers too."""
  process = _start(
    '-m', 'grfjax.synth', f'--out={tmp_path / "raw"}', '--subjects=2', '--trials=5', '--workers=2',
    '--width=160', '--height=120', start_new_session=True,
  )  # fmt: skip
  _when(process, lambda: list(tmp_path.glob('.*/videos/S*.mp4')))
  os.killpg(process.pid, signal.SIGINT)
  output, _ = process.communicate()
  assert process.returncode == 130
  assert output.splitlines()[-1] == 'grfjax.synth: stopped by Ctrl-C'
  assert 'Traceback' not in output
  assert not list(tmp_path.iterdir())


def test_no_worker_outlives_a_synthesis_that_is_killed(tmp_path):
  process = _start(
    '-m', 'grfjax.synth', f'--out={tmp_path / "raw"}', '--subjects=2', '--trials=5', '--workers=2',
    '--width=160', '--height=120',
  )  # fmt: skip
  _when(process, lambda: list(tmp_path.glob('.*/videos/S*.mp4')))
  process.kill()
  process.communicate(timeout=30)  # returns once nobody holds the output open


def test_a_command_that_fails_does_not_wait_for_what_is_left_behind():
  code = """
import concurrent.futures, sys, time
from grfjax.io import signals

def main(argv):
  signals.leave_behind(concurrent.futures.ThreadPoolExecutor(1).submit(time.sleep, 60))
  sys.exit('there is no film')

signals.run(main, 'script')
"""
  done = subprocess.run(
    [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
  )
  assert (done.returncode, done.stderr) == (1, 'there is no film\n')


SCRIPT = """
import contextlib, os, sys, time
from grfjax.io import signals

def main(argv):
  print('ready', flush=True)
  {}

signals.run(main, 'it', grace_s={})
"""
WAIT = 'time.sleep(20)'
DEFERRED = """
  with signals.defer_stop() as received_signal:
    while not received_signal():
      time.sleep(0.01)
    time.sleep(0.1)
    print('saved', flush=True)
"""
SWALLOWED = """
  try:
    time.sleep(20)
  except BaseException:
    pass
  with signals.defer_stop() as received_signal:
    print(received_signal().name, flush=True)
"""
COLLECTING = """
  class Slow:
    def __del__(self):
      time.sleep(0.5)
      print('went on', flush=True)  # here, where no signal can cut the line in two
  Slow()
  time.sleep(20)
"""
CONVERTED = """
  try:
    time.sleep(20)
  except BaseException:  # as C code does that calls back
    print('went on', flush=True)
  try:
    time.sleep(20)
  finally:
    time.sleep(0.5)  # is not cut short by another try
    print('cleaned', flush=True)
"""
HANGING = """
  try:
    time.sleep(20)
  finally:
    time.sleep(20)
"""
STUCK = """
  with signals.defer_stop():
    time.sleep(20)
"""
CLEANED = """
  try:
    time.sleep(20)
  finally:
    print('cleaned', flush=True)
"""


@pytest.mark.parametrize(
  ('body', 'grace_s', 'signals', 'code', 'output'),
  [
    (WAIT, 8, ['SIGINT'], 130, ['it: stopped by Ctrl-C']),
    (WAIT, 8, ['SIGTERM'], 143, ['it: stopped by SIGTERM']),
    (CLEANED, 8, ['SIGINT'], 130, ['cleaned', 'it: stopped by Ctrl-C']),
    (DEFERRED, 8, ['SIGTERM', 'SIGTERM'], 143, ['saved', 'it: stopped by SIGTERM']),
    (SWALLOWED, 8, ['SIGTERM'], 143, ['SIGTERM', 'it: stopped by SIGTERM']),
    (COLLECTING, 8, ['SIGTERM'], 143, ['went on', 'it: stopped by SIGTERM']),
    (CONVERTED, 8, ['SIGTERM'], 143, ['went on', 'cleaned', 'it: stopped by SIGTERM']),
    (
      STUCK, 0.3, ['SIGTERM'], 143,
      ['', 'it: stopped by SIGTERM (still busy after 0 s); what was finished before is kept'],
    ),
    (
      HANGING, 0.3, ['SIGTERM'], 143,
      ['', 'it: stopped by SIGTERM (still busy after 0 s); what was finished before is kept'],
    ),
    (
      STUCK, 8, ['SIGINT', 'SIGINT'], 130,
      ['', 'it: stopped by Ctrl-C (signalled again); what was finished before is kept'],
    ),
  ],
)  # fmt: skip
def test_a_process_ends_on_signals(body, grace_s, signals, code, output):
  process = _start('-c', SCRIPT.format(body.strip(), grace_s))
  assert process.stdout.readline() == 'ready\n'
  for number in signals:
    time.sleep(0.1)
    process.send_signal(getattr(signal, number))
  out, _ = process.communicate(timeout=5)
  assert (process.returncode, out.splitlines()) == (code, output)


FOLD = """
import sys, time
from grfjax.io import signals

def main(argv):
  print('ready', flush=True)
  with signals.defer_stop() as received_signal:
    while not received_signal():
      time.sleep(0.01)
    time.sleep(0.3)
    print('fold saved', flush=True)

signals.run(main, 'fold')
"""


@pytest.mark.parametrize('group', [False, True], ids=['told alone', 'as a terminal does'])
def test_loso_passes_a_stop_on_and_waits_for_the_fold(tmp_path, group):
  (tmp_path / 'fold.py').write_text(FOLD)
  (tmp_path / 'round.py').write_text(
    'import pathlib, sys\nfrom grfjax import loso\nloso.define_flags()\n'
    'from grfjax.io import signals\n'
    "def main(argv):\n  loso.run_command(pathlib.Path('x'), 'fold')\n  print('the next fold')\n"
    "signals.run(main, 'loso')\n"
  )
  path = os.pathsep.join([str(ROOT), str(ROOT / 'launch'), str(tmp_path)])
  process = _start(
    tmp_path / 'round.py', f'--workdir={tmp_path}', '--config=x', start_new_session=True,
    env={**os.environ, 'PYTHONPATH': path},
  )  # fmt: skip
  assert process.stdout.readline() == 'ready\n'
  time.sleep(0.1)
  (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
  out, _ = process.communicate(timeout=10)
  assert process.returncode == 130
  assert out.splitlines() == ['fold saved', 'fold: stopped by Ctrl-C', 'loso: stopped by Ctrl-C']


@pytest.mark.parametrize(('name', 'looks'), [('predict', False), ('build', True)])
def test_grfjax_looks_for_no_garbage_while_a_command_is_imported(monkeypatch, name, looks):
  """But for TFDS, which does not go through `signals.run` and would never begin to."""
  found = []
  monkeypatch.setattr(sys, 'argv', [])
  monkeypatch.setattr(command.runpy, 'run_module', lambda *_, **__: found.append(gc.isenabled()))
  try:
    command._run(name, [])
  finally:
    gc.enable()
  assert found == [looks]


def test_a_command_looks_for_garbage():
  process = _start(
    '-c', 'import gc\nfrom grfjax.io import signals\ngc.disable()\n'
    "signals.run(lambda argv: print(gc.isenabled()), 'a command')",
  )  # fmt: skip
  assert process.communicate()[0] == 'True\n'
