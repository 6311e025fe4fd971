"""Leave one subject out: trains and evaluates every fold, then writes the paper's tables.

    python launch/loso.py --config=configs/walker.py --workdir=RUNS --config.data_dir=DATA
      [--recordings=RAW]

Each fold's run is RUNS/SUBJECT/. Folds already done are skipped, one that was cut short goes on.
SIGTERM and Ctrl-C stop the fold at work as they stop `grfjax.train`, and the round with it (exit
code 143 or 130).
With --recordings, every held-out trial's prediction goes to RUNS/predictions/, and where plates
told the truth, the report has the errors of the gait measures and the worst and best trials.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time

from absl import app, flags, logging
from ml_collections import config_flags

from grfjax.data import voxel_dataset
from grfjax.evaluation import evaluation_result, held_out_trials
from grfjax.io import recordings, signals
from grfjax.report import fold_report, prediction_files
from grfjax.training import run_settings


def _python(root: pathlib.Path) -> str:
  """The environment's own Python, whichever one started this script."""
  own = root / '.venv' / 'bin' / 'python'
  return str(own) if own.exists() else sys.executable


def _compiled() -> pathlib.Path:
  return pathlib.Path(flags.FLAGS.workdir).absolute() / 'compiled'


def _call(root: pathlib.Path, module: str, *arguments: str) -> None:
  """Runs a grfjax module in a process of its own, so that every fold starts alike."""
  # What one fold has compiled, the others need not.
  env = {'JAX_COMPILATION_CACHE_DIR': str(_compiled()), **os.environ}
  # In a group of its own, so that Ctrl-C reaches it once: from here.
  command = [_python(root), '-m', module, *arguments]
  with subprocess.Popen(command, env=env, process_group=0) as process, signals.deferred() as asked:
    told = False
    while process.poll() is None:
      if (number := asked()) and not told:
        process.send_signal(number)
        told = True
      time.sleep(0.05)
  if process.returncode:  # below 0 it is a signal that nothing could be done about
    sys.exit(process.returncode if process.returncode > 0 else 128 - process.returncode)


def _finished(run: pathlib.Path, steps: int) -> bool:
  """Whether a fold is trained to the end, and evaluated there."""
  try:
    done = json.loads((run / run_settings.DONE).read_text())
    value = evaluation_result.read(run / 'eval.json')
  except FileNotFoundError:
    return False
  except ValueError as error:
    sys.exit(f'loso: {error}')
  return (done['stopped_early'] or done['step'] >= steps) and value['step'] == done['step']


def _predicted(folder: pathlib.Path, subject: str) -> bool:
  """Whether every trial of a subject has its prediction."""
  trials = recordings.load(flags.FLAGS.recordings or '', need_forces=False, subjects=[subject])
  return all(prediction_files.is_complete(folder, trial.name) for trial in trials)


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  config_flags.DEFINE_config_file('config', None, 'A file of configs/.')
  flags.DEFINE_string('workdir', None, 'Folder of the runs.', required=True)
  flags.DEFINE_string(
    'recordings', None, "The recording set, to write every held-out trial's prediction."
  )


def main(argv: list[str]) -> None:
  """Runs the folds."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  config = flags.FLAGS.config
  if config.holdout:
    sys.exit('loso: config.holdout is chosen here, fold by fold; leave it empty')
  root = pathlib.Path(__file__).resolve().parent.parent
  runs = pathlib.Path(flags.FLAGS.workdir)
  predictions = runs / fold_report.PREDICTIONS
  try:
    dataset = voxel_dataset.Dataset(config.data_dir, config.dataset)
  except ValueError as error:
    sys.exit(f'loso: {error}')
  subjects = dataset.subjects
  if len(subjects) < 2:
    sys.exit(f'loso: the only subject is {subjects[0]}; leaving one out needs at least two')
  # What the command line says of the configuration, the file's name apart.
  overrides = [a for a in sys.argv[1:] if a.startswith(('--config', '-config'))]
  for number, subject in enumerate(subjects, start=1):
    run = runs / subject
    done = _finished(run, config.steps)
    if done:
      config.holdout = subject
      try:
        run_settings.refuse_other_run(config, run, dataset)
      except ValueError as error:
        sys.exit(f'loso: {error}')
      print(f'fold {number} of {len(subjects)}, {subject}: done before', flush=True)
    else:
      print(f'fold {number} of {len(subjects)}: {subject} held out', flush=True)
      _call(root, 'grfjax.train', *overrides, f'--config.holdout={subject}', f'--workdir={run}')
      _call(root, 'grfjax.evaluate', f'--workdir={run}')
    if flags.FLAGS.recordings and not (done and _predicted(predictions, subject)):
      _call(
        root, 'grfjax.predict', f'--workdir={run}', f'--recordings={flags.FLAGS.recordings}',
        f'--subjects={subject}', f'--out={predictions}',
      )  # fmt: skip
  found = None
  try:
    folds = {s: evaluation_result.read(runs / s / 'eval.json') for s in subjects}
    if flags.FLAGS.recordings:
      found = held_out_trials.read_held_out_trials(
        predictions, pathlib.Path(flags.FLAGS.recordings), list(subjects)
      )
    print(fold_report.fold_summary(folds, found))
    written = fold_report.write_fold_report(runs, folds, found)
  except (ValueError, OSError) as error:
    sys.exit(f'loso: {error}')
  for path in written:
    print(f'written: {path}')


if __name__ == '__main__':
  define_flags()
  flags.mark_flag_as_required('config')
  signals.run(main, 'loso', grace_s=signals.GRACE_S + 1)  # the fold at work is waited for
