"""Training a run, then cross-fitting: what its training subjects, left out in turn, tell about it.

They tell how wide its prediction intervals must be; and, where the run started from another
network, how far to go from there: a few people may pull a network that knows many away from those
whom it has yet to see.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import ml_collections
import numpy as np

from grfjax.data import subject_lists, voxel_dataset
from grfjax.evaluation import held_out_estimates
from grfjax.inference import conformal, estimator
from grfjax.io import atomic, console, folder_lock, run_folder
from grfjax.models import networks
from grfjax.training import hosts, loop, run_settings, warm_start, weight_files


def train_run(config: ml_collections.ConfigDict, workdir: str | os.PathLike[str]) -> dict[str, Any]:
  """Trains a run, or goes on training it, and cross-fits it.

  Args:
    config: as in `configs/`.
    workdir: the run's folder (`run_folder.RunFolder` describes its files).

  Returns:
    The last entry of the log.

  Raises:
    InputError: the configuration, the data or the folder do not fit, or another process has it.
    loop.TrainingError: a step is not finite.
    OSError: a file cannot be written.
    signals.StopRequested: a signal came; a checkpoint is written.
  """
  folder = run_folder.RunFolder(workdir)
  with contextlib.ExitStack() as stack:
    with hosts.together():
      if hosts.is_first():
        stack.enter_context(_exclusive(folder))
      dataset = voxel_dataset.Dataset(config.data_dir, config.dataset)
      validate = held_out_estimates.inner_validation(config, dataset)
    trained = loop.fit(config, folder, dataset, validate)
    if config.get('calibrate', 0) and not hosts.on_first(folder.intervals.exists):
      cross_fit(config, folder, dataset, trained)
    hosts.on_first(lambda: _end(config, folder, trained))
    return trained.last_entry


@contextlib.contextmanager
def _exclusive(folder: run_folder.RunFolder) -> Iterator[None]:
  """Locks the folder."""
  with folder_lock.lock_folder(folder.path) as locked:
    if not locked:
      console.notify(
        f'{folder}: its file system has no locks; make sure that no other process trains there'
      )
    yield


def _end(
  config: ml_collections.ConfigDict, folder: run_folder.RunFolder, trained: loop.Trained
) -> None:
  """Removes what only the way to the end needed, and writes that the run is done."""
  shutil.rmtree(folder.cross_fitting, ignore_errors=True)
  done = {'step': trained.step, 'stopped_early': trained.stopped_early, 'holdout': config.holdout}
  atomic.write_json(folder.done, done)


def cross_fit(
  config: ml_collections.ConfigDict,
  folder: run_folder.RunFolder,
  dataset: voxel_dataset.Dataset,
  trained: loop.Trained,
) -> None:
  """Trains `config.calibrate` more times, each without a group of the training subjects.

  Of `config.blend`, the blend of the initial and the trained network that errs least on the
  subjects left out (mean over subjects, vertical force in stance) becomes the run's network,
  weights.npz, unless it is the trained one. interval.json holds the errors and by how much the
  intervals must be widened.

  Args:
    config: the run's.
    folder: the run's; the rounds are trained in its folder `cross_fitting`.
    dataset: the data set that it was trained on.
    trained: what its training ended with.
  """
  subjects = run_settings.training_subjects(config, dataset)
  count = min(config.calibrate, len(subjects))
  if count < 2:
    hosts.notify(
      'There are no prediction intervals: calibrating them needs at least two training subjects.'
    )
    return
  groups = [subjects[k::count] for k in range(count)]
  params = jax.device_get(trained.params)
  initial, blends = None, (1.0,)
  if config.model_init:
    initial, _ = warm_start.initial_params(config.model_init, params)
    blends = tuple(config.get('blend', ())) or blends
  estimates = _estimate_left_out(config, folder, dataset, groups, initial, blends)
  if not hosts.is_first():
    return
  errors = {
    blend: float(np.mean([one.sums().result()['mae_pct_bw'] for one in estimates[blend]]))
    for blend in blends
  }
  best = min(errors, key=lambda blend: (errors[blend], -blend))
  pooled = {
    name: np.concatenate([getattr(one, name) for one in estimates[best]])
    for name in ('estimate', 'interval', 'force', 'contact')
  }
  factors = conformal.widening_factors(
    pooled['estimate'], pooled['interval'], pooled['force'], pooled['contact'], config.target.share
  )
  if initial is not None and config.get('blend', ()):
    listed = ', '.join(f'{blend:g}: {error:.2f}' for blend, error in errors.items())
    console.notify(
      'blends with the initial network, and their errors (% BW) on the subjects left out: '
      f'{listed}; best: {best:g}'
    )
  if best != 1:
    weight_files.write_weights(folder, blended(initial, params, best), trained.step)
  atomic.write_json(
    folder.intervals,
    {
      'share': config.target.share,
      'widening': factors.tolist(),
      'left_out': [list(group) for group in groups],
      'stance_frames': int(pooled['contact'].sum()),
      'blend': best,
      'mae_pct_bw': {f'{blend:g}': error for blend, error in errors.items()},
    },
  )


def _estimate_left_out(
  config: ml_collections.ConfigDict,
  folder: run_folder.RunFolder,
  dataset: voxel_dataset.Dataset,
  groups: Sequence[Sequence[str]],
  initial: Any,
  blends: Sequence[float],
) -> dict[float, list[held_out_estimates.HeldOutEstimates]]:
  """Trains a round without each group; on the first host, estimates the group with every blend."""
  model, target = networks.network(config)
  estimate = estimator.estimator(config, model, target)
  estimates: dict[float, list[held_out_estimates.HeldOutEstimates]] = {b: [] for b in blends}
  for number, group in enumerate(groups):
    hosts.notify(
      f'calibrating, round {number + 1} of {len(groups)}: without '
      f'{subject_lists.listed_subjects(group)}'
    )
    without_group = ml_collections.ConfigDict(config.to_dict())
    inner = ','.join(filter(None, [config.inner, *group]))
    without_group.update(calibrate=0, inner=inner, eval_every=0)
    without_group.early_stop.monitor = ''
    round_folder = run_folder.RunFolder(folder.cross_fitting / str(number))
    params = jax.device_get(loop.fit(without_group, round_folder, dataset).params)
    if not hosts.is_first():
      continue
    for blend in blends:
      on_device = estimator.on_own_devices(blended(initial, params, blend))
      estimates[blend] += [
        held_out_estimates.estimate_subject(dataset, name, model, estimate, on_device)
        for name in group
      ]
  return estimates


def blended(initial: Any, trained: Any, blend: float) -> Any:
  """Returns parameters on the line between two networks (Wortsman M et al. 2022, CVPR).

  Args:
    initial: parameters of the network that training started from.
    trained: parameters that it ended with.
    blend: where on the line; 0 is the initial network, 1 the trained one.
  """
  if blend == 1:
    return trained
  return jax.tree.map(lambda a, b: np.asarray(a + blend * (b - a), np.float32), initial, trained)
