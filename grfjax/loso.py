"""Leave one subject out: trains and evaluates every fold, then writes the paper's tables.

    python -m grfjax.loso --config=configs/walker.py --workdir=RUNS --config.data_dir=DATA
      [--recordings=RAW]

Each fold's run is RUNS/SUBJECT/. Folds that are done are skipped, one that was cut short goes on.
SIGTERM and Ctrl-C stop the fold at work as they stop `grfjax.train`, and all folds with it (exit
code 143 or 130). With --fold=SUBJECT that fold alone is run and nothing reported, so that several
machines may share RUNS. With --recordings, every held-out trial's prediction goes to
RUNS/predictions/, and where plates measured the forces, the report has the errors of the gait
measures and the worst and best trials.

Each command of a fold is a process of its own. With --one_process all folds are run in this one,
which starts and compiles once: for a GPU, where a fold may take less time than its start. Results
are the same.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import Any

import jax
import ml_collections
from absl import app, flags, logging
from ml_collections import config_flags

from grfjax import errors
from grfjax.data import voxel_dataset
from grfjax.evaluation import cross_fitting, evaluation_result, held_out, held_out_trials
from grfjax.inference import trained_run
from grfjax.io import recordings, run_folder, signals
from grfjax.models import networks
from grfjax.report import fold_report, predicting, prediction_files, run_report
from grfjax.training import loop, run_settings

COMPILED = 'compiled'  # in the folder of the runs: what one fold has compiled, for the others

# Windows has no signals between processes, but for this one in the other's group.
_ON_WINDOWS = sys.platform == 'win32'
_OWN_GROUP: dict[str, Any] = (
  {'creationflags': getattr(subprocess, 'CREATE_NEW_PROCESS_GROUP', 0)}
  if _ON_WINDOWS
  else {'process_group': 0}
)


def is_done(run: run_folder.RunFolder, steps: int) -> bool:
  """Returns whether a fold is trained to the end, and evaluated there.

  Raises:
    ValueError: a file of the run is broken.
  """
  done = run_folder.read_json(run.done)
  if done is None or not run.evaluation.is_file():
    return False
  evaluated = evaluation_result.read(run.evaluation)
  try:
    trained = done['stopped_early'] or done['step'] >= steps
    return trained and evaluated.step == done['step']
  except (TypeError, KeyError) as error:
    raise run_folder.damaged(run.done, error) from error


def run_command(folder: pathlib.Path, module: str, *arguments: str) -> None:
  """Runs a grfjax command in a process of its own, so that every fold starts alike.

  A stop is passed on to it and waited for; if it fails, this process exits with its exit code.

  Args:
    folder: RUNS; what one fold has compiled is kept there for the others.
    module: such as grfjax.train.
    *arguments: of the command.
  """
  env = {'JAX_COMPILATION_CACHE_DIR': str((folder / COMPILED).absolute()), **os.environ}
  jax_flags = [argument for argument in sys.argv[1:] if argument.startswith('--jax_')]
  command = [sys.executable, '-m', module, *arguments, *jax_flags]
  # In a process group of its own, so that Ctrl-C reaches it once: from here.
  with (
    subprocess.Popen(command, env=env, **_OWN_GROUP) as process,
    signals.defer_stop() as pending_signal,
  ):
    sent = False
    while process.poll() is None:
      if (number := pending_signal()) and not sent:
        process.send_signal(signal.Signals['CTRL_BREAK_EVENT'] if _ON_WINDOWS else number)
        sent = True
      time.sleep(0.05)
  if process.returncode:  # below 0 it is a signal that the command could not handle
    sys.exit(process.returncode if process.returncode > 0 else 128 - process.returncode)


@dataclasses.dataclass(frozen=True)
class Folds:
  """A round of leave-one-subject-out folds.

  Attributes:
    config: the configuration of every fold, its holdout empty.
    overrides: what the command line says of the configuration, the file's name included.
    folder: RUNS.
    dataset: the data set.
    recordings: the recording set, '' without predictions.
    one_process: whether folds are run in this process.
  """

  config: ml_collections.ConfigDict
  overrides: list[str]
  folder: pathlib.Path
  dataset: voxel_dataset.Dataset
  recordings: str
  one_process: bool = False

  @property
  def predictions(self) -> pathlib.Path:
    """Folder of the held-out trials' predictions."""
    return self.folder / fold_report.PREDICTIONS

  def run(self, only: str = '') -> None:
    """Trains, evaluates and predicts every fold that is not done.

    Args:
      only: the subject of the only fold to run; '' for all.

    Raises:
      InputError: a fold's folder holds a run of another configuration, or a broken file, or there
        is no such subject.
    """
    subjects = self.dataset.subjects
    if only:
      self.dataset.others(only)  # which refuses an unknown subject
    for number, subject in enumerate(subjects, start=1):
      if only and subject != only:
        continue
      run = run_folder.RunFolder(self.folder / subject)
      done = is_done(run, self.config.steps)
      state = f'{subject}: done before' if done else f'{subject} held out'
      print(f'fold {number} of {len(subjects)}, {state}', flush=True)
      if done:
        self.config.holdout = subject
        run_settings.refuse_other_run(self.config, run, self.dataset)
      elif self.one_process:
        self._train_and_evaluate(run, subject)
      else:
        self._call(run, 'grfjax.train', *self.overrides, f'--config.holdout={subject}')
        self._call(run, 'grfjax.evaluate')
      if self.recordings and not (done and self._is_predicted(subject)):
        self._predict(run, subject)

  def _train_and_evaluate(self, run: run_folder.RunFolder, subject: str) -> None:
    """Does what `grfjax.train` and `grfjax.evaluate` do, in this process."""
    config = copy.deepcopy(self.config)
    config.holdout = subject
    cross_fitting.train_run(config, run.path)
    print(run_report.run_summary(held_out.evaluate_run(run.path)), flush=True)
    run_report.write_run_report(run.path)

  def _predict(self, run: run_folder.RunFolder, subject: str) -> None:
    """Predicts the trials of a fold's held-out subject; exits where one fails."""
    if not self.one_process:
      self._call(
        run, 'grfjax.predict', f'--recordings={self.recordings}', f'--subjects={subject}',
        f'--out={self.predictions}',
      )  # fmt: skip
      return
    failures = predicting.predict_set(
      trained_run.load(run.path), pathlib.Path(self.recordings), self.predictions, [subject]
    )
    if failures:
      sys.exit('\n'.join([f'loso: {len(failures)} trials failed:', *failures]))

  def _read_result(self, subject: str) -> evaluation_result.EvaluationResult:
    return evaluation_result.read(run_folder.RunFolder(self.folder / subject).evaluation)

  def _is_predicted(self, subject: str) -> bool:
    """Whether every trial of a subject has its prediction."""
    trials = recordings.load(self.recordings, need_forces=False, subjects=[subject])
    return all(prediction_files.is_complete(self.predictions, trial.name) for trial in trials)

  def _call(self, run: run_folder.RunFolder, module: str, *arguments: str) -> None:
    run_command(self.folder, module, *arguments, f'--workdir={run}')

  def write_report(self) -> None:
    """Prints and writes the tables, figures and pages of all folds.

    Raises:
      InputError: a fold's result or a prediction cannot be used.
      OSError: a file cannot be read or written.
    """
    subjects = self.dataset.subjects
    results = {s: self._read_result(s) for s in subjects}
    trials = None
    if self.recordings:
      trials = held_out_trials.read_held_out_trials(
        self.predictions, pathlib.Path(self.recordings), list(subjects)
      )
    print(fold_report.fold_summary(results, trials))
    for path in fold_report.write_fold_report(self.folder, results, trials):
      print(f'written: {path}')


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  config_flags.DEFINE_config_file('config', None, 'A file of configs/.')
  flags.DEFINE_string('workdir', None, 'Folder of the runs.', required=True)
  flags.DEFINE_string(
    'recordings', None, "The recording set, to write every held-out trial's prediction."
  )
  flags.DEFINE_bool(
    'one_process', False, 'Run all folds in this process, which starts and compiles once.'
  )
  flags.DEFINE_string('fold', '', 'The only subject to hold out now; no report is written then.')


def main(argv: list[str]) -> None:
  """Runs the folds that the flags describe, and reports them."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  config = flags.FLAGS.config
  if config.holdout:
    sys.exit('loso: config.holdout is set fold by fold here; leave it empty')
  if config.target.name == networks.FEET:
    sys.exit(
      'loso: a network that finds feet estimates no forces, which every fold is judged by; train '
      'it with grfjax.train --config.holdout'
    )
  overrides = [a for a in sys.argv[1:] if a.startswith(('--config', '-config'))]
  try:
    dataset = voxel_dataset.Dataset(config.data_dir, config.dataset)
    if len(dataset.subjects) < 2:
      sys.exit(
        f'loso: the only subject is {dataset.subjects[0]}; leaving one out needs at least two'
      )
    workdir = pathlib.Path(flags.FLAGS.workdir)
    one_process = flags.FLAGS.one_process
    if one_process and 'JAX_COMPILATION_CACHE_DIR' not in os.environ:
      jax.config.update('jax_compilation_cache_dir', str((workdir / COMPILED).absolute()))
    folds = Folds(config, overrides, workdir, dataset, flags.FLAGS.recordings or '', one_process)
    folds.run(flags.FLAGS.fold)
    if not flags.FLAGS.fold:
      folds.write_report()
  except (ValueError, OSError, loop.TrainingError) as error:
    sys.exit(f'loso: {errors.describe(error)}')


if __name__ == '__main__':
  jax.config.config_with_absl()
  define_flags()
  flags.mark_flag_as_required('config')
  signals.run(main, 'loso', grace_s=signals.GRACE_S + 1)  # the fold at work is waited for
