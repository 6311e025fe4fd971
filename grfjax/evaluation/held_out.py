"""Evaluates a run on its held-out subject."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import jax
import numpy as np

from grfjax import conventions
from grfjax.data import voxel_dataset
from grfjax.evaluation import baselines, error_sums, evaluation_result, held_out_estimates
from grfjax.inference import conformal, trained_run, walk_estimates
from grfjax.io import run_folder
from grfjax.training import run_settings


def evaluate_run(
  workdir: str | os.PathLike[str], data_dir: str = ''
) -> evaluation_result.EvaluationResult:
  """Evaluates a run, and writes its eval.json and estimates.npz.

  Args:
    workdir: the run's folder.
    data_dir: where the data set lies now; '' is where the run found it.

  Raises:
    InputError: there is no run, no data set or another one, or no held-out subject.
  """
  run = trained_run.load(workdir)
  subject = run.config.holdout
  if not subject:
    raise evaluation_result.EvaluationError(
      f'{workdir}: the run held nobody out (config.holdout is empty), so there is nobody to '
      'evaluate it on',
      code='evaluation.no_holdout',
      file=run.folder.config,
    )
  dataset = voxel_dataset.Dataset(data_dir or run.config.data_dir, run.config.dataset)
  run_settings.refuse_other_data(run.folder, dataset)
  if dataset.config.fps != run.clip.fps:
    raise evaluation_result.EvaluationError(
      f'the data set has {dataset.config.fps} frames a second, not {run.clip.fps}',
      code='evaluation.frame_rate',
    )
  estimates, degraded = _estimate_by_damage(run, dataset, subject)
  result = evaluation_result.EvaluationResult(
    **_about_run(run, dataset), **_errors(run, dataset, estimates), **_about_training(run.folder),
    **degraded,
  )  # fmt: skip
  held_out_estimates.write_estimates(run.folder.estimates, estimates)
  evaluation_result.write(run.folder.evaluation, result)
  return result


def _estimate_by_damage(
  run: trained_run.TrainedRun, dataset: voxel_dataset.Dataset, subject: str
) -> tuple[held_out_estimates.HeldOutEstimates, dict[str, Any]]:
  """Estimates the held-out subject's frames.

  Returns:
    The estimates of videos as they were filmed, or, where the subject has only others, of all; the
    part of the result with the errors on those others by what was done to them, where there are
    any. A video to which several things were done counts for each.
  """
  estimates = _estimate(run, dataset, subject)
  errors: dict[str, Any] = {}
  for what in sorted({what for done in dataset.degraded.values() for what in done}):
    trials = [trial for trial, done in dataset.degraded.items() if what in done]
    errors[what] = estimates.where(np.isin(estimates.trial, trials)).sums().result()
  as_filmed = ~np.isin(estimates.trial, list(dataset.degraded))
  if estimates.contact[as_filmed].any():
    estimates = estimates.where(as_filmed)
  errors = {what: result for what, result in errors.items() if result['n']}
  return estimates, {'degraded': errors} if errors else {}


def _estimate(
  run: trained_run.TrainedRun, dataset: voxel_dataset.Dataset, subject: str
) -> held_out_estimates.HeldOutEstimates:
  """Estimates the held-out subject's frames, with calibrated intervals."""
  estimates = held_out_estimates.estimate_subject(
    dataset, subject, run.model, run.estimate, run.params
  )
  if not estimates.contact.any():
    raise evaluation_result.EvaluationError(
      f'{subject}: no frame of the held-out subject has a foot on a plate',
      code='evaluation.no_stance',
    )
  intervals = walk_estimates.calibrated_intervals(run, estimates.estimate, estimates.interval)
  return dataclasses.replace(estimates, interval=intervals)


def _about_run(run: trained_run.TrainedRun, dataset: voxel_dataset.Dataset) -> dict[str, Any]:
  """Returns the parts of the result that say what was evaluated."""
  training = run_settings.training_subjects(run.config, dataset)
  return {
    'training_subjects': list(training),
    'model': run.config.model.to_dict(),
    'dataset': run.config.dataset,
    'legs': run.model.legs,
    'parameters': int(sum(p.size for p in jax.tree.leaves(run.params))),
    'step': run.step,
    'damaged': list(run.damaged),
    'voxels': {
      'training': len(dataset.source(training)),
      'held_out': len(dataset.source([run.config.holdout])),
    },
  }


def _errors(
  run: trained_run.TrainedRun,
  dataset: voxel_dataset.Dataset,
  estimates: held_out_estimates.HeldOutEstimates,
) -> dict[str, Any]:
  """Returns the parts of the result that hold errors and frame counts."""
  subject = run.config.holdout
  vertical, contact = estimates.estimate[..., 0], estimates.contact
  total = estimates.sums().result()
  weight_n = dataset.body_mass_kg[subject] * conventions.G
  by_interval = error_sums.sum_errors_by_interval(vertical, estimates.force[..., 0], contact)
  air = estimates.known & ~contact
  air_error = float(100 * np.abs(vertical[air]).mean(dtype=np.float64)) if air.any() else None
  training = run_settings.training_subjects(run.config, dataset)
  baseline_errors = baselines.baseline_errors(dataset, training, estimates)
  return {
    'subjects': {subject: {**total, 'mae_newton': total['mae_pct_bw'] / 100 * weight_n}},
    'frames': {'stance': int(contact.sum()), 'air': int(air.sum())},
    'intervals': {name: sums.result() for name, sums in by_interval.items()},
    'other_axes': {
      conventions.CAMERA_AXES[axis]: estimates.sums(axis).result()
      for axis in range(1, estimates.estimate.shape[-1])
    },
    'prediction_interval': _coverage(run, estimates),
    'air_mean_abs_pct_bw': air_error,
    'baselines': {name: sums.result() for name, sums in baseline_errors.items()},
  }


def _coverage(
  run: trained_run.TrainedRun, estimates: held_out_estimates.HeldOutEstimates
) -> dict[str, Any]:
  """Returns the share promised and each axis's coverage, nothing where there are no intervals."""
  if not estimates.interval.shape[-1]:
    return {}
  coverage = {
    conventions.CAMERA_AXES[axis]: conformal.coverage_result(
      estimates.interval[:, :, axis], estimates.force[..., axis], estimates.contact
    )
    for axis in range(estimates.estimate.shape[-1])
  }
  return {'share': run.config.target.share, **coverage}


def _about_training(folder: run_folder.RunFolder) -> dict[str, Any]:
  """Returns the parts of the result that training and cross-fitting have written down."""
  shares = run_folder.read_json(folder.shares)
  if not isinstance(shares, list | None):
    raise run_folder.damaged(folder.shares, TypeError('expected a list'))
  parts: dict[str, Any] = {'training_intervals': shares or []}
  cross_fitted = run_folder.read_json(folder.intervals) or {}
  # Else there was nothing to choose, and the trained network is that of the fold.
  if len(cross_fitted.get('mae_pct_bw', ())) > 1 or cross_fitted.get('blend', 1) != 1:
    parts['blend'] = {'taken': cross_fitted['blend'], 'mae_pct_bw': cross_fitted['mae_pct_bw']}
  return parts
