"""Runs grfjax's long commands as jobs of a SLURM cluster, by submitit (`pip install .[slurm]`).

    python launch/slurm.py loso --partition=gpu --gpus_per_node=1 --config=configs/walker.py
      --workdir=RUNS --config.data_dir=DATA
    python launch/slurm.py synth --partition=cpu --out=RAW --subjects=5 --trials=50
    python launch/slurm.py train --partition=gpu --nodes=2 --gpus_per_node=4
      --config=configs/walker.py --workdir=RUN --config.data_dir=DATA
    python launch/slurm.py ablate --partition=gpu --workdir=RUNS --data_dir=DATA --subjects=A,B
    python launch/slurm.py pretrain --partition=gpu --gpus_per_node=1 --networks=recurrent
    python launch/slurm.py status

What is said beside `--help`'s options is the command's own. `loso` is an array with a job for each
fold, and one that writes the tables once all folds are done; `pretrain` a chain with a job for each
command of the recipe; the others are one job. With --nodes=N, `train` and each training of
`pretrain` are jobs of N nodes that train one run together, with a process for each GPU. A job that
is preempted or reaches its time limit stops with a checkpoint, is requeued, and goes on to the same
bits. With --dry_run the sbatch files are printed and nothing is submitted. `status` lists the jobs
and how far each run is.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import submitit
from absl import flags

import pretrain
from grfjax import errors
from grfjax.data import voxel_dataset
from grfjax.io import run_folder
from grfjax.training import metrics_log

# Command -> (its module, how it is started).
COMMANDS = {
  'loso': ('grfjax.loso', ('-m', 'grfjax.loso')),
  'train': ('grfjax.train', ('-m', 'grfjax.train')),
  'synth': ('grfjax.synth.__main__', ('-m', 'grfjax.synth')),
  'ablate': ('ablate', ('launch/ablate.py',)),
  'pretrain': ('pretrain', ('launch/pretrain.py',)),
}
REQUEUES = 100  # so often a job may reach its time limit; what it has trained is kept each time
# Exit codes of a command after SIGTERM; the second where it had not begun to listen.
STOPPED = (143, -signal.SIGTERM)
ON_NODES = ('train', 'pretrain')  # what may have several nodes
CACHE_BYTES = 2**33  # with a limit, JAX locks the folder of compiled programs while it writes there


@dataclasses.dataclass
class Job:
  """A command that submitit runs, stops and requeues.

  Attributes:
    name: what `status` calls it.
    arguments: the command, without the Python interpreter.
    run: the folder of the run that it trains, '' where there is none.
    gpu: whether it asks for the GPUs.
    on_nodes: whether several nodes do it together, if there are to be several.
  """

  name: str
  arguments: list[str]
  run: str = ''
  gpu: bool = True
  on_nodes: bool = False

  def __call__(self) -> None:
    """Runs the command to its end; one that was told to stop is requeued."""
    self._told = False

    def note(number: int, frame: Any) -> None:
      self._told = True

    signal.signal(signal.SIGTERM, note)  # SLURM sends it to every process of the job
    env = {'JAX_COMPILATION_CACHE_MAX_SIZE': str(CACHE_BYTES), **os.environ}
    self._process = subprocess.Popen(
      [sys.executable, *self.arguments],
      env=env,
      # SLURM sends this one to every process too; it is meant for submitit.
      preexec_fn=lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN),
    )
    code = self._process.wait()
    if code in STOPPED:
      if _state_of(os.environ['SLURM_JOB_ID']) == 'RUNNING':
        signal.raise_signal(signal.SIGUSR2)  # on which submitit calls `checkpoint` and requeues
      sys.exit(143)  # SLURM is about to cancel or to requeue the job
    if code:
      raise RuntimeError(f'{self.name} failed with exit code {code}')

  def checkpoint(self) -> submitit.helpers.DelayedSubmission:
    """Stops the command, which writes its checkpoint; returns the same command, to go on."""
    if not self._told:
      self._process.terminate()
    with contextlib.suppress(ChildProcessError):  # it has ended
      # Not `Popen.wait`, which this signal has interrupted, and which holds a lock.
      os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
    # submitit now calls `scontrol requeue`, at which SLURM ends the job with all its processes: not
    # `scontrol` itself, which inherits this, before it has its answer.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return submitit.helpers.DelayedSubmission(dataclasses.replace(self))


def _state_of(job: str) -> str:
  """Returns the state of a job of the queue, '' of one that is not there."""
  command = ['squeue', '--noheader', '--format=%T', f'--jobs={job}']
  return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def loso_jobs(arguments: list[str]) -> tuple[list[Job], list[Job]]:
  """Returns a job for each fold, and the one that writes the tables; with --fold, that fold alone.

  Args:
    arguments: of `grfjax.loso`, which `flags.FLAGS` has parsed.

  Raises:
    InputError: the data set cannot be used, or has no such subject.
  """
  config, runs = flags.FLAGS.config, pathlib.Path(flags.FLAGS.workdir)
  only = flags.FLAGS.fold
  dataset = voxel_dataset.Dataset(config.data_dir, config.dataset)
  dataset.others(only)  # which refuses an unknown subject
  command = [*COMMANDS['loso'][1], *arguments]
  folds = [
    Job(f'loso {runs / subject}', [*command, f'--fold={subject}'], str(runs / subject))
    for subject in ([only] if only else dataset.subjects)
  ]
  return folds, [] if only else [Job(f'loso {runs}, tables', command, gpu=False)]


def train_job(arguments: list[str]) -> Job:
  """Returns the job of a training, whose arguments `flags.FLAGS` has parsed."""
  run = flags.FLAGS.workdir
  return Job(f'train {run}', [*COMMANDS['train'][1], *arguments], run, on_nodes=True)


def pretrain_jobs(
  arguments: list[str], together: list[str]
) -> Iterator[tuple[Job, pretrain.Stage]]:
  """Yields a job for each stage that is not done, beside the stage.

  Args:
    arguments: of `pretrain`, which `flags.FLAGS` has parsed.
    together: further ones of what several nodes do together.

  Raises:
    ValueError: there is no such network.
  """
  stages, _ = pretrain.planned(flags.FLAGS)
  for stage in stages:
    if not stage.done.exists():
      command = [*COMMANDS['pretrain'][1], *arguments, f'--stage={stage.out.name}']
      if stage.kind == 'train':
        command += together
      run = str(stage.out) if stage.kind == 'train' else ''
      job = Job(
        f'pretrain {stage.out}', command, run, gpu=stage.kind in ('train', 'measure'),
        on_nodes=stage.kind == 'train',
      )  # fmt: skip
      yield job, stage


class Cluster:
  """Submits jobs with the settings of the command line, or prints their sbatch files.

  Attributes:
    settings: the settings.
  """

  def __init__(self, settings: argparse.Namespace):
    self.settings = settings

  def _executor(self, job: Job, after: list[str]) -> submitit.SlurmExecutor:
    given = self.settings
    executor = submitit.SlurmExecutor(given.jobs, max_num_timeout=REQUEUES)
    extra: dict[str, Any] = {'requeue': True} | dict(pair.split('=', 1) for pair in given.sbatch)
    if after:
      extra |= {'dependency': f'afterok:{":".join(after)}', 'kill-on-invalid-dep': 'yes'}
    optional = {
      'partition': given.partition,
      'cpus_per_task': given.cpus_per_task,
      'mem': given.mem,
      'gpus_per_node': given.gpus_per_node if job.gpu else None,
    }
    if given.nodes > 1 and job.on_nodes:  # JAX takes one GPU for each process
      optional |= {'nodes': given.nodes, 'ntasks_per_node': given.gpus_per_node or 1}
    executor.update_parameters(
      job_name=f'grfjax-{job.name.split()[0]}',
      time=given.minutes,
      array_parallelism=given.at_once,
      signal_delay_s=given.signal_delay_s,
      additional_parameters=extra,
      **{key: value for key, value in optional.items() if value is not None},
    )
    return executor

  def submit(self, jobs: list[Job], after: list[str]) -> str:
    """Submits jobs, several as an array.

    Args:
      jobs: all of one kind.
      after: IDs of the jobs that must have succeeded before.

    Returns:
      The ID of the job or of the array.

    Raises:
      InputError: one of them is in the queue.
    """
    executor = self._executor(jobs[0], after)
    if self.settings.dry_run:
      if len(jobs) > 1:
        executor.parameters['map_count'] = len(jobs)
      print(executor._make_submission_file_text(executor._submitit_command_str, ''))
      for job in jobs:
        print(f'# {job.name}: python {shlex.join(job.arguments)}')
      print()
      return f'JOB_OF_{jobs[-1].name.replace(" ", "_")}'
    self._refuse_queued(jobs)
    submitted = executor.submit_array(jobs)
    for job, one in zip(jobs, submitted, strict=True):
      print(f'{job.name}: job {one.job_id}')
    return submitted[0].job_id.split('_')[0]

  def _refuse_queued(self, jobs: list[Job]) -> None:
    there, states = submitted_jobs(pathlib.Path(self.settings.jobs)), queued_states()
    for job in jobs:
      if job.name in there and (state := states.get(there[job.name][1].job_id)):
        raise errors.InputError(
          f'{job.name} is job {there[job.name][1].job_id} already, {state}; wait for it, or '
          'scancel it first',
          code='run.in_use',
        )


def queued_states() -> dict[str, str]:
  """Returns the state and nodes of every job of this user in the queue, by the job's ID."""
  command = ['squeue', '--me', '--noheader', '--array', '--format=%i %T %N']
  queue = subprocess.run(command, capture_output=True, text=True, check=True)
  lines = (line.strip().partition(' ') for line in queue.stdout.splitlines())
  return {job: state for job, _, state in lines}


def submitted_jobs(folder: pathlib.Path) -> dict[str, tuple[Job, submitit.SlurmJob]]:
  """Returns the newest job of each name among those whose files are in a folder."""
  ids = [path.name.removesuffix('_submitted.pkl') for path in folder.glob('*_submitted.pkl')]
  found = {}
  for job_id in sorted(ids, key=lambda text: [int(part) for part in text.split('_')]):
    submitted: submitit.SlurmJob[None] = submitit.SlurmJob(folder=folder, job_id=job_id)
    job: Any = submitted.submission().function
    found[job.name] = (job, submitted)
  return found


def describe_progress(run: run_folder.RunFolder) -> str:
  """Returns how far a run is, from its files alone."""
  config = run_folder.read_json(run.config)
  if config is None:
    return 'not begun'
  entries = metrics_log.read_log(run.metrics) if run.metrics.exists() else []
  step = entries[-1]['step'] if entries else 0
  text = f'step {step} of {config["steps"]}'
  if run.evaluation.exists():
    return f'{text}, evaluated'
  return f'{text}, trained' if run.done.exists() else text


def status_lines(folder: pathlib.Path) -> Iterator[str]:
  """Yields a line for each job: its name, ID, state, and how far its run is."""
  states = queued_states()
  for name, (job, submitted) in submitted_jobs(folder).items():
    state = states.get(submitted.job_id, '')
    if not state:
      paths = submitted.paths
      if not paths.result_pickle.exists():
        state = f'gone without a result; see {paths.stderr}'
      elif submitted.exception() is None:
        state = 'done'
      else:
        state = f'failed; see {paths.stderr}'
    progress = describe_progress(run_folder.RunFolder(job.run)) if job.run else ''
    yield f'{name:24} {submitted.job_id:>10}  {state:20} {progress}'.rstrip()


def parse() -> tuple[argparse.Namespace, list[str]]:
  """Returns the settings of the jobs, and the arguments that are the command's own."""
  parser = argparse.ArgumentParser(
    prog='slurm', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
    allow_abbrev=False,
  )  # fmt: skip
  parser.add_argument('command', choices=[*COMMANDS, 'status'])
  parser.add_argument('--partition', help='of the cluster; its default one')
  parser.add_argument('--gpus_per_node', type=int, help='GPUs of each job that trains or predicts')
  parser.add_argument('--nodes', type=int, default=1, help='nodes that train one run together: 1')
  parser.add_argument('--cpus_per_task', type=int, help='cores of each process')
  parser.add_argument('--mem', help='memory of each job, such as 16GB')
  parser.add_argument('--minutes', type=int, default=24 * 60, help='time limit of a job: 1440')
  parser.add_argument('--at_once', type=int, default=256, help='so many folds run at once: 256')
  parser.add_argument(
    '--signal_delay_s', type=int, default=90, help='a job is told so long before its limit: 90'
  )
  parser.add_argument(
    '--sbatch', action='append', default=[], metavar='KEY=VALUE',
    help="any other option of sbatch, such as account=gait; may be given often",
  )  # fmt: skip
  parser.add_argument('--jobs', default='demo/slurm', help="folder of the jobs' files: demo/slurm")
  parser.add_argument('--dry_run', action='store_true', help='print the sbatch files alone')
  settings, rest = parser.parse_known_args()
  if settings.nodes != 1 and settings.command not in ON_NODES:
    parser.error(
      f'--nodes: {settings.command} is not done by several nodes; {" and ".join(ON_NODES)} are'
    )
  if settings.nodes < 1:
    parser.error(f'--nodes={settings.nodes}: expected at least 1')
  for pair in settings.sbatch:
    if '=' not in pair:
      parser.error(f'--sbatch={pair}: expected KEY=VALUE')
  return settings, rest


def submit_command(cluster: Cluster, command: str, arguments: list[str]) -> None:
  """Submits the jobs of a command.

  Args:
    cluster: where to.
    command: of `COMMANDS`.
    arguments: its own.

  Raises:
    InputError: what the command is given cannot be used, or its jobs are in the queue.
  """
  module, start = COMMANDS[command]
  imported = importlib.import_module(module)
  if hasattr(imported, 'define_flags'):
    imported.define_flags()
  flags.FLAGS([command, *arguments])
  together = ['--multihost'] if cluster.settings.nodes > 1 else []
  if command == 'loso':
    folds, tables = loso_jobs(arguments)
    submitted = cluster.submit(folds, [])
    if tables:
      cluster.submit(tables, [submitted])
  elif command == 'train':
    cluster.submit([train_job([*arguments, *together])], [])
  elif command == 'pretrain':
    ids: dict[pathlib.Path, str] = {}
    for job, stage in pretrain_jobs(arguments, together):
      after = [ids[one.out] for one in stage.inputs if one.out in ids]
      ids[stage.out] = cluster.submit([job], after)
    if not ids:
      print('pretrain: every stage is done')
  else:
    cluster.submit([Job(shlex.join([command, *arguments]), [*start, *arguments])], [])


def main() -> None:
  """Submits or lists jobs."""
  settings, arguments = parse()
  if not shutil.which('srun'):
    sys.exit('slurm: there is no srun here; call this on a machine of the cluster')
  try:
    if settings.command == 'status':
      print('\n'.join(status_lines(pathlib.Path(settings.jobs))) or 'no jobs')
    else:
      submit_command(Cluster(settings), settings.command, arguments)
  except (ValueError, OSError, flags.Error, subprocess.CalledProcessError) as error:
    sys.exit(f'slurm: {errors.describe(error)}')
  except submitit.core.utils.FailedJobError as error:  # sbatch has refused it
    sys.exit(f'slurm: {error}')


if __name__ == '__main__':
  main()
