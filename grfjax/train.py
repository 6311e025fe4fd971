"""Trains one fold: `python -m grfjax.train --config=configs/walker.py --workdir=RUN ...`.

A run is a function of (config, data, seed). Started again in the same workdir it goes on from its
newest checkpoint and ends as an undisturbed run does. The held-out subject is never read.
SIGTERM and Ctrl-C end the step, write a checkpoint, and leave with exit code 143 or 130.

With --multihost several hosts train one run, each with its devices and its share of every batch;
`srun` tells them of each other, or --coordinator, --processes and --process do. RUN must be on a
file system that all see. If one of them fails, all end; the same command goes on.
"""

from __future__ import annotations

import sys

import jax
from absl import app, flags, logging
from ml_collections import config_flags

from grfjax import errors
from grfjax.evaluation import cross_fitting
from grfjax.io import signals
from grfjax.training import hosts, loop


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  config_flags.DEFINE_config_file('config', None, 'A file of configs/.')
  flags.DEFINE_string('workdir', None, "The run's folder.", required=True)
  flags.DEFINE_bool(
    'multihost', False, 'Train together with the other hosts of this job (jax.distributed).'
  )
  flags.DEFINE_string(
    'coordinator', '', 'With --multihost: HOST:PORT of the first host; srun and mpirun tell it.'
  )
  flags.DEFINE_integer(
    'processes', 0, 'With --multihost: how many hosts; 0: srun and mpirun tell it.', lower_bound=0
  )
  flags.DEFINE_integer(
    'process', -1, 'With --multihost: number of this host, the first is 0; -1: srun and mpirun '
    'tell it.', lower_bound=-1,
  )  # fmt: skip
  flags.DEFINE_integer(
    'heartbeat_s', 30, 'With --multihost: a host that is silent for so many seconds has died; the '
    'others end.', lower_bound=1,
  )  # fmt: skip


def main(argv: list[str]) -> None:
  """Trains the run that the flags describe."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)  # Orbax reports every step of a save
  given = flags.FLAGS
  try:
    if given.multihost:
      hosts.join(
        'grfjax.train', given.coordinator, given.processes, given.process, given.heartbeat_s
      )
    cross_fitting.train_run(given.config, given.workdir)
  except (ValueError, OSError, loop.TrainingError) as error:
    text = f'grfjax.train: {errors.describe(error)}'
    if given.multihost:
      hosts.end(text)
    sys.exit(text)
  except signals.StopRequested as stopped:
    if given.multihost and stopped.outcome:  # all stop after the same step
      hosts.leave()
    raise signals.StopRequested(
      stopped.signal, stopped.outcome or 'the same command goes on from the newest checkpoint'
    ) from stopped
  if given.multihost:
    hosts.leave()


if __name__ == '__main__':
  jax.config.config_with_absl()
  define_flags()
  flags.mark_flag_as_required('config')
  signals.run(main, 'grfjax.train')
