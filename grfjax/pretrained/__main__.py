"""Exports a run's network without its training, to be handed on or bundled with grfjax.

python -m grfjax.pretrained --workdir=RUN --out=grfjax/pretrained/NAME [--half]
"""

from __future__ import annotations

import json
import os
import sys

from absl import app, flags, logging

from grfjax import errors
from grfjax.data import subject_lists
from grfjax.io import atomic, run_folder, signals
from grfjax.training import weight_files

_WORKDIR = flags.DEFINE_string('workdir', None, "The run's folder.", required=True)
_OUT = flags.DEFINE_string('out', None, 'The folder to make.', required=True)
_HALF = flags.DEFINE_bool('half', False, 'Whether to round the weights to 16 bits.')


def export(
  workdir: str | os.PathLike[str], out: str | os.PathLike[str], *, half: bool = False
) -> list[str]:
  """Writes a run's weights, configuration, known subjects and interval widening to a folder.

  Paths of the data and of runs that training started from are left out.

  Args:
    workdir: the run's folder.
    out: the folder to make.
    half: whether weights are rounded to 16 bits.

  Returns:
    Messages for the user.

  Raises:
    InputError: there is no usable run.
    OSError: a file cannot be read or written.
  """
  run, bundle = run_folder.RunFolder(workdir), run_folder.RunFolder(out)
  restored = weight_files.restore_params(run)
  config = run_folder.read_json(run_folder.require(run.config))
  try:
    names = subject_lists.subject_names(config['model_init'])
  except (TypeError, KeyError) as error:
    raise run_folder.damaged(run.config, error) from error
  known = run_folder.read_json(run.subjects)
  weight_files.write_weights(bundle, restored.params, restored.step, half=half)
  model_init = config['model_init'] if set(names) <= set(run_folder.BUNDLED) else ''
  atomic.write_json(bundle.config, config | {'data_dir': '', 'model_init': model_init})
  if known is not None:
    # On one line: a network may know thousands of subjects.
    atomic.write_text(bundle.subjects, json.dumps(known, separators=(',', ':')) + '\n')
  if run.intervals.exists():
    atomic.write_text(bundle.intervals, run.intervals.read_text())
  return [*restored.messages(), f'written: {bundle}, step {restored.step}']


def main(argv: list[str]) -> None:
  """Exports the run that the flags name."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  try:
    print('\n'.join(export(_WORKDIR.value, _OUT.value, half=_HALF.value)))
  except (ValueError, OSError) as error:
    sys.exit(f'grfjax.pretrained: {errors.describe(error)}')


if __name__ == '__main__':
  signals.run(main, 'grfjax.pretrained')
