"""What training subjects that are left out in turn tell of a run that has ended.

How wide its intervals must be; and, where it began with another network, how far to go from there:
a few people may pull a network that knows many away from those it has yet to see.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import numpy as np

from grfjax.data import subject_lists, voxel_dataset
from grfjax.evaluation import held_out_estimates
from grfjax.inference import conformal, trained_run
from grfjax.io import atomic
from grfjax.training import weight_files


def blended(begun: Any, trained: Any, blend: float) -> Any:
  """Parameters so far on the way from one network to another (Wortsman M et al. 2022, CVPR).

  Args:
    begun: parameters of the network that training began with.
    trained: those it ended with.
    blend: 0 gives the first, 1 the second.
  """
  if blend == 1:
    return trained
  return jax.tree.map(lambda a, b: np.asarray(a + blend * (b - a), np.float32), begun, trained)


def calibrate(
  config: ml_collections.ConfigDict,
  folder: pathlib.Path,
  dataset: voxel_dataset.Dataset,
  subjects: tuple[str, ...],
  *,
  trained: Any,
  step: int,
  begun: Any | None,
  train: Callable[[ml_collections.ConfigDict, pathlib.Path], Any],
  say: Callable[[str], None],
) -> None:
  """Trains `config.calibrate` more times, each without a group of subjects, and judges by these.

  Of `config.blend`, the blend that errs least on those left out (mean over subjects, vertical force
  in stance) becomes the run's network, weights.npz, unless it is 1; interval.json says all of it.

  Args:
    config: of the run.
    folder: the run's; the rounds lie in its folder calibration.
    dataset: that it has learned from.
    subjects: those it has learned from, two or more.
    trained: its parameters.
    step: after how many steps.
    begun: those it began with; None: with nothing, and it is not blended.
    train: trains a run in a folder.
    say: tells the user how far it is.
  """
  count = min(config.calibrate, len(subjects))
  groups = [subjects[k::count] for k in range(count)]
  blends = tuple(config.get('blend', ())) if begun is not None else ()
  held: dict[float, list[held_out_estimates.HeldOutEstimates]] = {
    blend: [] for blend in blends or (1.0,)
  }
  for k, group in enumerate(groups):
    say(f'calibrating, {k + 1} of {len(groups)}: without {subject_lists.listed_subjects(group)}')
    without = ml_collections.ConfigDict(config.to_dict())
    without.update(calibrate=0, inner=','.join(filter(None, [config.inner, *group])), eval_every=0)
    without.early_stop.monitor = ''
    path = folder / 'calibration' / str(k)
    train(without, path)
    run = trained_run.load(path)
    for blend, so_far in held.items():
      params = jax.device_put(blended(begun, jax.device_get(run.params), blend))
      so_far += [
        held_out_estimates.estimate_subject(dataset, name, run.model, run.estimate, params)
        for name in group
      ]
  errors = {
    blend: float(np.mean([one.sums().result()['mae_pct_bw'] for one in some]))
    for blend, some in held.items()
  }
  best = min(errors, key=lambda blend: (errors[blend], -blend))
  every = {
    name: np.concatenate([getattr(one, name) for one in held[best]])
    for name in ('estimate', 'interval', 'force', 'contact')
  }
  factor = conformal.widening_factors(
    every['estimate'], every['interval'], every['force'], every['contact'], config.target.share
  )
  if jax.process_index():
    return
  if blends:
    told = ', '.join(f'{blend:g}: {error:.2f}' for blend, error in errors.items())
    say(f'blended with the network begun with, error on those left out: {told}; taken: {best:g}')
  if best != 1:
    weight_files.write_weights(folder, blended(begun, trained, best), step)
  atomic.write_json(
    folder / trained_run.INTERVAL,
    {
      'share': config.target.share,
      'widening': factor.tolist(),
      'left_out': [list(group) for group in groups],
      'stance_frames': int(every['contact'].sum()),
      'blend': best,
      'mae_pct_bw': {f'{blend:g}': error for blend, error in errors.items()},
    },
  )
