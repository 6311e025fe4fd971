"""Jobs of a real SLURM: its daemons run here, two nodes on this machine, where it is installed."""

import contextlib
import getpass
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import mochizuki2d
import pytest

import kill
from grfjax.evaluation import cross_fitting, held_out
from grfjax.io import run_folder
from grfjax.training import metrics_log

pytest.importorskip('submitit')
ROOT = pathlib.Path(__file__).parents[1]
DAEMONS = ('munged', 'slurmctld', 'slurmd')
PATH = f'{os.environ["PATH"]}:/usr/sbin:/sbin'
STEPS = 150
SMALL = {
  'holdout': 'B', 'steps': STEPS, 'batch': 2, 'model.channels': 2, 'model.dense': 8,
  'augment.shift': 0.0, 'augment.noise': 0.0, 'log_every': 5, 'checkpoint_every': 100,
}  # fmt: skip
CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ports[0]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2
PartitionName=all Nodes=n1,n2 Default=YES State=UP
"""


def _free_ports(count):
  with contextlib.ExitStack() as stack:
    sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
    for one in sockets:
      one.bind(('127.0.0.1', 0))
    return [one.getsockname()[1] for one in sockets]


def _wait(happened, seconds, what, *, pause_s=0.02):
  deadline = time.monotonic() + seconds
  while not happened():
    assert time.monotonic() < deadline, what()
    time.sleep(pause_s)


@pytest.fixture
def cluster(monkeypatch):
  """A SLURM of two nodes; yields the folder of its files, where its daemons' logs are."""
  if missing := [name for name in DAEMONS if not shutil.which(name, path=PATH)]:
    pytest.skip(f'no SLURM on this machine: there is no {", ".join(missing)}')
  with contextlib.ExitStack() as stack:
    # Not tmp_path: the name of a socket has at most 107 characters.
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='slurm')))
    for name in ('state', 'spool.n1', 'spool.n2'):
      (folder / name).mkdir()
    conf = folder / 'slurm.conf'
    conf.write_text(
      CONF.format(
        host=socket.gethostname().partition('.')[0], user=getpass.getuser(), folder=folder,
        ports=_free_ports(3),
      )
    )  # fmt: skip
    key = folder / 'munge.key'
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    monkeypatch.setenv('SLURM_CONF', str(conf))
    monkeypatch.setenv('PATH', PATH)

    def start(name, *arguments):
      log = stack.enter_context((folder / f'{name}.log').open('a'))
      process = subprocess.Popen([name, *arguments], stdout=log, stderr=log)
      stack.callback(process.wait, 20)
      stack.callback(process.terminate)

    start(
      'munged', '--foreground', '--force', f'--key-file={key}', f'--socket={folder}/munge',
      f'--pid-file={folder}/munged.pid', f'--seed-file={folder}/munged.seed',
    )  # fmt: skip
    start('slurmctld', '-D', '-c')
    start('slurmd', '-D', '-N', 'n1')
    start('slurmd', '-D', '-N', 'n2')
    deadline = time.monotonic() + 60
    while _call('sinfo', '--noheader', '--format=%D %t') != '2 idle':
      if time.monotonic() > deadline:
        logs = '\n'.join(path.read_text() for path in folder.glob('*.log'))
        pytest.skip(f"SLURM's daemons do not run on this machine: {logs[-2000:]}")
      time.sleep(0.1)
    if _call('srun', '--time=1', 'echo', 'runs') != 'runs':
      pytest.skip('SLURM runs no job on this machine')
    yield folder
    _call('scancel', f'--user={getpass.getuser()}')


def _call(*command):
  done = subprocess.run(command, capture_output=True, text=True, check=False)
  return done.stdout.strip()


def _flags(data_dir, runs):
  return [
    '--config=configs/mochizuki2d.py:pretrain', f'--config.data_dir={data_dir}',
    f'--workdir={runs}', *(f'--config.{k}={v}' for k, v in SMALL.items() if k != 'holdout'),
  ]  # fmt: skip


def _launch(*arguments):
  command = [sys.executable, 'launch/slurm.py', *map(str, arguments)]
  return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _config(data_dir):
  config = mochizuki2d.get_config('pretrain')
  config.update_from_flattened_dict({**SMALL, 'data_dir': str(data_dir)})
  return config


@pytest.fixture(autouse=True)
def _own_package(monkeypatch):
  monkeypatch.setenv('PYTHONPATH', str(ROOT), prepend=os.pathsep)


@pytest.mark.slow
def test_a_fold_that_is_preempted_goes_on_and_ends_to_the_same_bits(data_dir, tmp_path, cluster):
  runs, jobs = tmp_path / 'runs', tmp_path / 'jobs'
  submit = ('loso', f'--jobs={jobs}', '--minutes=30', '--fold=B', *_flags(data_dir, runs))
  submitted = _launch(*submit)
  assert submitted.returncode == 0, submitted.stderr
  job = submitted.stdout.split()[-1]
  run = run_folder.RunFolder(runs / 'B')
  whole = tmp_path / 'whole'

  def log():
    return '\n'.join(path.read_text() for path in jobs.glob('*_log.*'))

  _wait(lambda: run.metrics.exists() and metrics_log.read_log(run.metrics), 300, log)
  subprocess.run(['scancel', '--signal=TERM', job], check=True)  # as a preemption begins
  again = _launch(*submit)
  assert '[run.in_use]' in again.stderr
  cross_fitting.train_run(_config(data_dir), whole)
  held_out.evaluate_run(whole)
  _wait(lambda: not _call('squeue', '--noheader', '--me'), 300, log, pause_s=0.5)
  assert f'Requeued job {job}' in log()
  assert 'going on from step' in log()
  status = _launch('status', f'--jobs={jobs}').stdout.split()
  assert status[:4] == ['loso', str(runs / 'B'), job, 'done']
  assert ' '.join(status[4:]) == f'step {STEPS} of {STEPS}, evaluated'
  for made in ('report.html', 'figures'):  # by the command, not by the call above
    assert (runs / 'B' / made).exists()
  assert not [
    text for text in kill.differences(whole, runs / 'B') if not text.startswith('files: ')
  ]
  assert (runs / 'B/eval.json').read_bytes() == (whole / 'eval.json').read_bytes()


@pytest.mark.slow
def test_two_nodes_train_one_run_and_go_on_together(data_dir, tmp_path, cluster):
  run, jobs = run_folder.RunFolder(tmp_path / 'run'), tmp_path / 'jobs'
  (port,) = _free_ports(1)
  refused = _launch('synth', f'--jobs={jobs}', '--partition=nowhere', f'--out={tmp_path}')
  assert refused.returncode == 1
  assert 'slurm: ' in refused.stderr, refused.stderr
  assert 'invalid partition' in refused.stderr
  assert 'Traceback' not in refused.stderr
  submitted = _launch(
    'train', f'--jobs={jobs}', '--nodes=2', '--minutes=30', *_flags(data_dir, run.path),
    f'--coordinator=127.0.0.1:{port}',  # as the names of these nodes lead nowhere
  )  # fmt: skip
  assert submitted.returncode == 0, submitted.stderr
  job = submitted.stdout.split()[-1]

  def log():
    return '\n'.join(path.read_text() for path in jobs.glob('*_log.*'))

  _wait(lambda: run.metrics.exists() and metrics_log.read_log(run.metrics), 400, log)
  assert _call('squeue', '--noheader', '--format=%D %T') == '2 RUNNING'
  subprocess.run(['scancel', '--signal=TERM', job], check=True)  # to all processes of both nodes
  _wait(lambda: not _call('squeue', '--noheader', '--me'), 400, log, pause_s=0.5)
  assert f'Requeued job {job}' in log()
  assert log().count('going on from step') == 1  # by the first of two hosts that go on
  assert {path.name for path in jobs.glob('*_log.out')} == {
    f'{job}_{process}_log.out' for process in range(2)
  }
  status = _launch('status', f'--jobs={jobs}').stdout.split()
  assert status[:4] == ['train', str(run), job, 'done']
  assert ' '.join(status[4:]) == f'step {STEPS} of {STEPS}, trained'


def test_requeueing_outlives_the_end_of_the_job():
  """SLURM ends all processes of a job that is requeued, and so did end `scontrol requeue`."""
  code = """
import subprocess, sys
sys.path.insert(0, 'launch')
import slurm
job = slurm.Job('sleeps', [])
job._told, job._process = False, subprocess.Popen(['sleep', '60'])
job.checkpoint()
scontrol = 'import os, signal; os.kill(os.getpid(), signal.SIGTERM); print("requeued")'
subprocess.run([sys.executable, '-c', scontrol], check=True)
"""
  command = [sys.executable, '-c', code]
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
  assert (done.returncode, done.stdout) == (0, 'requeued\n'), done.stderr


@pytest.fixture
def srun(tmp_path, monkeypatch):
  """There is an srun, which submitit looks for, and does not start in a dry run."""
  if not shutil.which('srun'):
    fake = tmp_path / 'bin/srun'
    fake.parent.mkdir()
    fake.touch(0o755)
    monkeypatch.setenv('PATH', f'{fake.parent}:{os.environ["PATH"]}')


@pytest.mark.usefixtures('srun')
def test_a_dry_run_shows_which_jobs_have_several_nodes(tmp_path, data_dir):
  several = ('--dry_run', f'--jobs={tmp_path}', '--nodes=3', '--gpus_per_node=2')
  done = _launch('train', *several, *_flags(data_dir, tmp_path / 'run'))
  assert done.returncode == 0, done.stderr
  for line in ('--nodes=3', '--ntasks-per-node=2', '--gpus-per-node=2'):
    assert f'#SBATCH {line}\n' in done.stdout
  assert ' --multihost' in done.stdout
  recipe = ('--networks=mochizuki2d', '--size=quick', f'--work={tmp_path}')
  done = _launch('pretrain', *several, *recipe)
  assert done.returncode == 0, done.stderr
  jobs = done.stdout.split('#!/bin/bash')[1:]
  trainings = [bool(re.search(r'# pretrain \S*/train_\w{8}:', job)) for job in jobs]
  assert any(trainings)
  assert ['#SBATCH --nodes=3\n' in job for job in jobs] == trainings
  assert [' --multihost\n' in job for job in jobs] == trainings
  for command in ('loso', 'synth'):
    refused = _launch(command, *several)
    assert refused.returncode == 2
    assert f'{command} is not done by several nodes' in refused.stderr


@pytest.mark.usefixtures('srun')
def test_a_dry_run_shows_an_array_of_folds_then_the_tables(data_dir, tmp_path):
  done = _launch(
    'loso', '--dry_run', f'--jobs={tmp_path}', '--partition=gpu', '--gpus_per_node=1',
    '--sbatch=account=gait', *_flags(data_dir, tmp_path / 'runs'),
  )  # fmt: skip
  assert done.returncode == 0, done.stderr
  folds, tables = done.stdout.split('#!/bin/bash')[1:]
  for line in (
    '--array=0-2%3', '--partition=gpu', '--gpus-per-node=1', '--account=gait', '--requeue',
    '--signal=USR2@90', '--time=1440',
  ):  # fmt: skip
    assert f'#SBATCH {line}\n' in folds
  for subject in 'ABC':
    assert f'--fold={subject}\n' in folds
  assert '#SBATCH --dependency=afterok:' in tables
  assert '--fold' not in tables
  assert '--gpus' not in tables
  wrong = _launch('loso', '--dry_run', '--partitoin=gpu', *_flags(data_dir, tmp_path / 'runs'))
  assert wrong.returncode == 1
  assert 'partitoin' in wrong.stderr
