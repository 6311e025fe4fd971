"""Evaluates a run on its held-out subject, once: `python -m grfjax.evaluate --workdir=RUN`.

Writes RUN/eval.json (the numbers), RUN/estimates.npz (every frame, for the report) and figures.
"""

from __future__ import annotations

import pathlib
import sys

import jax
from absl import app, flags, logging

from grfjax import errors
from grfjax.evaluation import held_out
from grfjax.io import run_folder, signals
from grfjax.report import run_report


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  flags.DEFINE_string('workdir', None, "The run's folder.", required=True)
  flags.DEFINE_string('data_dir', '', 'Where the data set lies, if it has moved.')


def main(argv: list[str]) -> None:
  """Evaluates the run that the flags describe."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  workdir = pathlib.Path(flags.FLAGS.workdir)
  try:
    value = held_out.evaluate_run(workdir, flags.FLAGS.data_dir)
    written = run_report.write_run_report(workdir)
  except (ValueError, OSError) as error:
    sys.exit(f'grfjax.evaluate: {errors.describe(error)}')
  for text in value.damaged:
    print(f'Note: {text}')
  print(run_report.run_summary(value))
  paths = [run_folder.RunFolder(workdir).evaluation, *written]
  print(f'written: {", ".join(map(str, paths))}')


if __name__ == '__main__':
  jax.config.config_with_absl()
  define_flags()
  signals.run(main, 'grfjax.evaluate')
