"""Evaluates a run on its held-out subject."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import jax
import numpy as np

from grfjax import conventions
from grfjax.data import voxel_dataset
from grfjax.evaluation import baselines, error_sums, held_out_estimates
from grfjax.gait import stances
from grfjax.inference import conformal, trained_run, walk_estimates
from grfjax.io import atomic
from grfjax.training import run_settings


def evaluate_run(workdir: pathlib.Path, data_dir: str = '') -> dict[str, Any]:
  """Evaluates a run.

  Args:
    workdir: the run's folder.
    data_dir: where the data set lies now; '' is where the run found it.

  Returns:
    What eval.json holds: for the held-out subject the errors of vertical force over stance frames
    (`mae_pct_bw`, `rmse_pct_bw`, `bias_pct_bw`, `r`, `n`, `mae_newton`), by force interval, of the
    other axes, in the air, and of two baselines made from the training subjects; how often the
    prediction interval holds the force, and how wide it is; `blend`, how far from the network begun
    with training was followed, and why; `step`, after which the weights were saved, and `damaged`,
    why they are not the newest.

  Raises:
    ValueError: no run, no data set or another one, or no held-out subject.
  """
  run = trained_run.load(workdir)
  subject = run.config.holdout
  if not subject:
    raise ValueError(
      f'{workdir}: the run held nobody out (config.holdout is empty), so there is nobody to '
      'evaluate it on'
    )
  dataset = voxel_dataset.Dataset(data_dir or run.config.data_dir, run.config.dataset)
  training = dataset.others(subject, run.config.inner)
  run_settings.refuse_other_data(workdir, dataset)
  if dataset.config.fps != run.voxel.fps:
    raise ValueError(f'the data set has {dataset.config.fps} frames a second, not {run.voxel.fps}')
  held = held_out_estimates.estimate_subject(dataset, subject, run.model, run.estimate, run.params)
  held = dataclasses.replace(
    held, interval=walk_estimates.calibrated(run, held.estimate, held.interval)
  )
  if not held.contact.any():
    raise ValueError(f'{subject}: no frame of the held-out subject has a foot on a plate')
  result = held.sums().result()
  newton = dataset.body_mass_kg[subject] * conventions.G
  result['mae_newton'] = result['mae_pct_bw'] / 100 * newton
  intervals = error_sums.sums_by_interval(held.estimate[..., 0], held.force[..., 0], held.contact)
  air = held.known & ~held.contact
  others = {
    conventions.CAMERA_AXES[axis]: held.sums(axis).result()
    for axis in range(1, held.estimate.shape[-1])
  }
  value = {
    'subjects': {subject: result},
    'training_subjects': list(training),
    'model': run.config.model.to_dict(),
    'dataset': run.config.dataset,
    'legs': run.model.legs,
    'parameters': int(sum(p.size for p in jax.tree.leaves(run.params))),
    'step': run.step,
    'damaged': list(run.damaged),
    'voxels': {
      'training': len(dataset.source(training)),
      'held_out': len(dataset.source([subject])),
    },
    'frames': {'stance': int(held.contact.sum()), 'air': int(air.sum())},
    'intervals': {name: s.result() for name, s in intervals.items()},
    'training_intervals': _intervals(workdir),
    'other_axes': others,
    'prediction_interval': _coverage(run, held),
    'air_mean_abs_pct_bw': (
      float(100 * np.abs(held.estimate[..., 0][air]).mean(dtype=np.float64)) if air.any() else None
    ),
    'baselines': _baselines(dataset, training, held),
  }
  if chosen := _blend(workdir):
    value['blend'] = chosen
  held_out_estimates.write_estimates(workdir / 'estimates.npz', held)
  atomic.write_json(workdir / 'eval.json', value)
  return value


def _coverage(run: trained_run.Run, held: held_out_estimates.HeldOutEstimates) -> dict[str, Any]:
  """The share promised, and of each axis how much is covered; empty where there is no interval."""
  if not held.interval.shape[-1]:
    return {}
  axes = {
    conventions.CAMERA_AXES[axis]: conformal.coverage_result(
      held.interval[:, :, axis], held.force[..., axis], held.contact
    )
    for axis in range(held.estimate.shape[-1])
  }
  return {'share': run.config.target.share, **axes}


def _intervals(workdir: pathlib.Path) -> list[dict[str, Any]]:
  """Shares of the force intervals in training, as `grfjax.train` has written them."""
  path = workdir / 'shares.json'
  return json.loads(path.read_text()) if path.exists() else []


def _blend(workdir: pathlib.Path) -> dict[str, Any]:
  """What cross-fitting has chosen from; empty where there was nothing to choose."""
  path = workdir / trained_run.INTERVAL
  value = json.loads(path.read_text()) if path.is_file() else {}
  if len(value.get('mae_pct_bw', ())) < 2:
    return {}
  return {'taken': value['blend'], 'mae_pct_bw': value['mae_pct_bw']}


def _baselines(
  dataset: voxel_dataset.Dataset,
  training: tuple[str, ...],
  held: held_out_estimates.HeldOutEstimates,
) -> dict[str, Any]:
  """Errors of the training subjects' mean force, and of their mean curve with true timing."""
  legs = held.contact.shape[1]
  curves: list[np.ndarray] = []
  total, count = 0.0, 0
  for subject in training:
    flat = _joined(dataset, subject, legs)
    total += float(flat['force'][..., 0][flat['contact']].sum(dtype=np.float64))
    count += int(flat['contact'].sum())
    for leg in range(legs):
      for stance in _stances(flat, leg):
        if stance.whole:
          curves.append(flat['force'][stance.index, leg])
  truth, stance_frames = held.force[..., 0], held.contact
  result = {
    'constant': error_sums.sums(np.full(truth.shape, total / count), truth, stance_frames).result()
  }
  if curves:
    curve = baselines.mean_curve(curves)
    guess, use = np.zeros(truth.shape), np.zeros(truth.shape, bool)
    flat = {k: getattr(held, k) for k in ('trial', 'frame', 'contact')}
    for leg in range(legs):
      for stance in _stances(flat, leg):
        if stance.whole:  # of a stance cut by the recording's edge the timing is not known
          guess[stance.index, leg] = baselines.along(curve, stance.phase)[:, 0]
          use[stance.index, leg] = True
    result['mean_curve'] = error_sums.sums(guess, truth, use).result()
  return result


def _stances(flat: dict[str, np.ndarray], leg: int) -> list[stances.Stance]:
  return stances.find_stances(flat['trial'], flat['frame'], flat['contact'][:, leg])


def _joined(dataset: voxel_dataset.Dataset, subject: str, legs: int) -> dict[str, np.ndarray]:
  """Labels of a subject's own frames, in the order of trials and time."""
  parts = [flat for _, flat in held_out_estimates.labelled_batches(dataset, subject, legs)]
  joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0] if k != 'inside'}
  order = np.lexsort((joined['frame'], joined['trial']))
  return {k: v[order] for k, v in joined.items()}
