"""Measures what each lever of our networks is worth: one is changed at a time.

    python launch/ablate.py --workdir=RUNS --data_dir=DATA --subjects=A,B [--seeds=0,1]

Trains and evaluates every row of `LEVERS` with each of the subjects held out, skips runs that are
complete, and writes RUNS/ablations.md.
"""

from __future__ import annotations

import pathlib
import statistics
import sys
from typing import Any

import jax
from absl import app, flags

import folds
from grfjax.data import voxel_dataset
from grfjax.io import atomic, signals

_WORKDIR = flags.DEFINE_string('workdir', None, 'Folder of the runs.', required=True)
_DATA_DIR = flags.DEFINE_string(
  'data_dir', None, 'A data set of the configuration `walker`.', required=True
)
_SUBJECTS = flags.DEFINE_list(
  'subjects', None, 'The subjects that are held out in turn.', required=True
)
_SEEDS = flags.DEFINE_list('seeds', ['0'], 'Seeds of the training; errors are means over them.')

SOFT = {
  'name': 'soft_bins', 'bins': 60, 'weights': (1.0, 0.5, 0.5),
  'ranges': ((-0.1, 1.6), (-0.4, 0.4), (-0.2, 0.2)),
}  # fmt: skip
# Row of the table -> (configuration file:argument, the values that are changed).
LEVERS: dict[str, tuple[str, dict[str, Any]]] = {
  'as it is: from synthetic walkers, 200 steps': ('walker', {}),
  '`convolutional` alone': ('convolutional', {}),
  '`recurrent` alone': ('recurrent', {}),
  'estimated once, not the mean of two': ('walker', {'average_shift': ()}),
  'tuned at 3 times the rate': ('walker', {'optimizer.learning_rate': 1e-3}),
  'tuned without augmentation': ('walker', {'augment': {}}),
  'tuned without rebalancing': ('walker', {'rebalance': 0.0}),
  'tuned with full rebalancing': ('walker', {'rebalance': 1.0}),
  '`convolutional` from nothing, 1,000 steps': ('convolutional:scratch', {}),
  'likewise, seeing 6 frames either side': ('convolutional:scratch', {'model.dilations': ()}),
  'likewise, soft bins, mean': ('convolutional:scratch', {'target': SOFT}),
  "likewise, the paper's 150 classes": ('convolutional:scratch', {'target': {'name': 'classes'}}),
}  # fmt: skip


def main(argv: list[str]) -> None:
  """Runs every row and writes the table."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  known = voxel_dataset.Dataset(_DATA_DIR.value, 'walker').subjects
  if unknown := [s for s in _SUBJECTS.value if s not in known]:
    sys.exit(f'ablate: no subject {", ".join(unknown)}; there are {", ".join(known)}')
  runs = pathlib.Path(_WORKDIR.value)
  head = ['lever', *_SUBJECTS.value, 'mean MAE', 'mean r', 'in the air']
  lines = [f'| {" | ".join(head)} |', '|---' * len(head) + '|']
  for number, (lever, (name, changes)) in enumerate(LEVERS.items()):
    errors, other_measures = [], []
    for subject in _SUBJECTS.value:
      evaluations = []
      for seed in _SEEDS.value:
        config = folds.load_config(name, changes)
        config.update(
          data_dir=_DATA_DIR.value, holdout=subject, seed=int(seed), calibrate=0, eval_every=0
        )
        evaluations.append(folds.run_fold(runs / f'{number:02d}_{subject}_{seed}', config))
        jax.clear_caches()
      errors.append(statistics.fmean(v['subjects'][subject]['mae_pct_bw'] for v in evaluations))
      other_measures += [
        (v['subjects'][subject]['r'] or 0, v['air_mean_abs_pct_bw']) for v in evaluations
      ]
    r, air = (statistics.fmean(column) for column in zip(*other_measures, strict=True))
    cells = [f'{e:.2f}' for e in (*errors, statistics.fmean(errors))]
    lines.append(f'| {" | ".join([lever, *cells, f"{r:.3f}", f"{air:.2f}"])} |')
    print(lines[-1], flush=True)
  atomic.write_text(runs / 'ablations.md', '\n'.join(lines) + '\n')
  print(f'written: {runs / "ablations.md"}')


if __name__ == '__main__':
  signals.run(main, 'ablate')
