"""A trained run, read from its folder."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import ml_collections
import numpy as np

from grfjax.data import clip_config, trial_records
from grfjax.inference import compiled_programs, estimator, traced_programs
from grfjax.io import run_folder
from grfjax.models import networks, targets
from grfjax.training import weight_files


@dataclasses.dataclass(frozen=True)
class TrainedRun:
  """A trained network.

  Attributes:
    folder: where it was read.
    config: the run's configuration.
    clip: how its voxels are cut.
    model: the network.
    target: what the network's outputs mean.
    params: its parameters, on all devices of this host.
    step: after how many steps they were saved.
    estimate: (params, batch) -> force (B, L, legs, axes), interval (..., 2 or 0), body weights.
    widening: (axes,) the factors of the intervals (`grfjax.inference.conformal`); None where they
      are not calibrated, and then no intervals are given.
    damaged: a message on each newer checkpoint that is damaged.
  """

  folder: run_folder.RunFolder
  config: ml_collections.ConfigDict
  clip: clip_config.ClipConfig
  model: Any
  target: targets.Target
  params: Any
  step: int
  estimate: estimator.Estimate
  widening: np.ndarray | None
  damaged: tuple[str, ...] = ()


def load(workdir: str | os.PathLike[str]) -> TrainedRun:
  """Reads a run's configuration and its newest undamaged parameters.

  What is traced and compiled for it is kept (`traced_programs`, `compiled_programs`).

  Raises:
    run_folder.RunError: there is no run in that folder, or its configuration or its intervals
      cannot be used.
    checkpointing.CheckpointError: it has no usable weights.
  """
  folder = run_folder.RunFolder(workdir)
  run_folder.require(folder.config)
  compiled_programs.keep()
  try:
    config = ml_collections.ConfigDict(json.loads(folder.config.read_text(encoding='utf-8')))
    model, target = networks.network(config)
    clip = clip_config.clip_config(config.dataset)
    estimate = None if model.sees_forces else estimator.estimator(config, model, target)
  except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
    reason = ' '.join(str(error).split())
    if isinstance(error, KeyError):
      reason = f'there is no {reason}'
    raise run_folder.RunError(
      f'{folder.config}: is not the configuration of a run ({reason})',
      code='run.config',
      file=folder.config,
    ) from error
  if estimate is None:
    raise run_folder.RunError(
      f'{folder}: finds the feet and estimates no forces; expected a run that estimates them, such '
      'as everyone (which asks the network feet by itself)',
      code='run.config',
      file=folder.config,
    )
  _refuse_other_pictures(folder, clip)
  restored = weight_files.restore_params(folder)
  return TrainedRun(
    folder, config, clip, model, target, estimator.on_own_devices(restored.params), restored.step,
    traced_programs.kept(estimate, config.to_json()), _read_widening(folder, target.axes),
    tuple(restored.messages()),
  )  # fmt: skip


def _refuse_other_pictures(folder: run_folder.RunFolder, clip: clip_config.ClipConfig) -> None:
  """Refuses a run on whole pictures of another version, which may not have been mirrored."""
  trained_on = run_folder.read_json(folder.dataset)
  version = trained_on.get('version') if isinstance(trained_on, dict) else None
  if not clip.follow and version not in (None, *trial_records.SAME_PICTURES):
    raise run_folder.RunError(
      f'{folder.dataset}: the run was trained on records of version {version}, whose pictures mean '
      f'something else than those of {trial_records.VERSION}; build the data set and train again',
      code='run.other_version',
      file=folder.dataset,
    )


def _read_widening(folder: run_folder.RunFolder, axes: int) -> np.ndarray | None:
  try:
    if not folder.intervals.is_file():
      return None
    widening = np.array(json.loads(folder.intervals.read_text(encoding='utf-8'))['widening'], float)
    if widening.shape != (axes,) or not (np.isfinite(widening).all() and (widening > 0).all()):
      raise ValueError(f'expected a positive number for each of {axes} axes')
    return widening
  except (ValueError, TypeError, KeyError) as error:
    raise run_folder.RunError(
      f'{folder.intervals}: does not say how wide intervals are ({error})',
      code='run.intervals',
      file=folder.intervals,
    ) from error
