"""Trains one fold: `python -m grfjax.train --config=configs/walker.py --workdir=RUN ...`.

A run is a function of (config, data, seed). Started again in the same workdir it goes on from its
newest checkpoint and ends as an undisturbed run does. The held-out subject is never read.
SIGTERM and Ctrl-C end the step, write a checkpoint, and leave with exit code 143 or 130.
"""

from __future__ import annotations

import sys

import jax
from absl import app, flags, logging
from ml_collections import config_flags

from grfjax import errors
from grfjax.evaluation import cross_fitting
from grfjax.io import signals
from grfjax.training import loop


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  config_flags.DEFINE_config_file('config', None, 'A file of configs/.')
  flags.DEFINE_string('workdir', None, "The run's folder.", required=True)
  flags.DEFINE_bool(
    'multihost', False, 'Join the other hosts of this job (jax.distributed) before training.'
  )


def main(argv: list[str]) -> None:
  """Trains the run that the flags describe."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)  # Orbax reports every step of a save
  if flags.FLAGS.multihost:
    jax.distributed.initialize()
  try:
    cross_fitting.train_run(flags.FLAGS.config, flags.FLAGS.workdir)
  except (ValueError, OSError, loop.TrainingError) as error:
    sys.exit(f'grfjax.train: {errors.describe(error)}')
  except signals.StopRequested as stopped:
    if flags.FLAGS.multihost:
      jax.distributed.shutdown()  # which waits for the others
    raise signals.StopRequested(
      stopped.signal, stopped.outcome or 'the same command goes on from the newest checkpoint'
    ) from stopped


if __name__ == '__main__':
  define_flags()
  flags.mark_flag_as_required('config')
  signals.run(main, 'grfjax.train')
