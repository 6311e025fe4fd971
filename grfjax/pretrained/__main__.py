"""Keeps a run's network without its training, as those in grfjax/pretrained/ are kept.

python -m grfjax.pretrained --workdir=RUN --out=grfjax/pretrained/NAME
"""

from __future__ import annotations

import json
import pathlib
import sys

from absl import app, flags, logging

from grfjax import pretrained
from grfjax.data import subject_lists
from grfjax.inference import trained_run
from grfjax.io import atomic, signals
from grfjax.training import run_settings, weight_files

_WORKDIR = flags.DEFINE_string('workdir', None, "The run's folder.", required=True)
_OUT = flags.DEFINE_string('out', None, 'The folder to make.', required=True)


def main(argv: list[str]) -> None:
  """Copies weights, configuration, who the run knows, and its intervals' widening."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  run, out = pathlib.Path(_WORKDIR.value), pathlib.Path(_OUT.value)
  try:
    params, step, damaged = weight_files.restore_params(run)
    weight_files.write_weights(out, params, step)
    config = json.loads((run / 'config.json').read_text())
    # Where data and the run before it lay is nobody's.
    known = all(
      name in pretrained.NAMES for name in subject_lists.subject_names(config['model_init'])
    )
    begun = config['model_init'] if known else ''
    atomic.write_json(out / 'config.json', config | {'data_dir': '', 'model_init': begun})
    for name in (run_settings.SUBJECTS, trained_run.INTERVAL):
      if (run / name).exists():
        atomic.write_text(out / name, (run / name).read_text())
  except (ValueError, OSError) as error:
    sys.exit(f'grfjax.pretrained: {error}')
  for text in damaged:
    print(f'Note: {text}')
  print(f'written: {out}, step {step}')


if __name__ == '__main__':
  signals.run(main, 'grfjax.pretrained')
