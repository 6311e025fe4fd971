"""A trained run, read from its folder."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import jax
import ml_collections
import numpy as np

from grfjax.data import clip_config
from grfjax.inference import estimator
from grfjax.models import networks, targets
from grfjax.training import checkpointing, weight_files

INTERVAL = 'interval.json'  # in a run's folder: by how much its intervals are widened


@dataclasses.dataclass(frozen=True)
class Run:
  """A trained network.

  Attributes:
    folder: where it was read.
    config: the run's.
    voxel: how its voxels are cut.
    model: the network.
    target: what its outputs mean.
    params: its parameters, on the device.
    step: after how many steps they were saved.
    estimate: (params, batch) -> force (B, L, legs, axes), interval (..., 2 or 0), body weights.
    widening: (axes,) the factor of the intervals (`grfjax.inference.conformal`); None: not
      calibrated, and
      none are given.
    damaged: of each newer checkpoint, why it is not the one that was read; in words.
  """

  folder: pathlib.Path
  config: ml_collections.ConfigDict
  voxel: clip_config.ClipConfig
  model: Any
  target: targets.Target
  params: Any
  step: int
  estimate: estimator.Estimate
  widening: np.ndarray | None
  damaged: tuple[str, ...] = ()


def load(workdir: pathlib.Path) -> Run:
  """Reads a run's configuration and its newest undamaged parameters.

  Raises:
    checkpoint.CheckpointError: there is no run in that folder.
    ValueError: its configuration or its intervals cannot be used.
  """
  path = workdir / 'config.json'
  if not path.is_file():
    raise checkpointing.CheckpointError(f'{workdir}: no run there (no config.json); train first')
  try:
    config = ml_collections.ConfigDict(json.loads(path.read_text(encoding='utf-8')))
    model, target = networks.network(config)
    voxel = clip_config.clip_config(config.dataset)
    estimate = estimator.estimator(config, model, target)
  except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
    said = ' '.join(str(error).split())
    raise ValueError(f'{path}: is not the configuration of a run ({said})') from error
  params, at, damaged = weight_files.restore_params(workdir)
  path = workdir / INTERVAL
  try:
    widening = np.array(json.loads(path.read_text())['widening']) if path.is_file() else None
  except (ValueError, TypeError, KeyError) as error:
    raise ValueError(f'{path}: does not say how wide intervals are ({error})') from error
  return Run(
    workdir, config, voxel, model, target, jax.device_put(params), at, estimate, widening,
    tuple(f'{text}; step {at} is used' for text in damaged),
  )  # fmt: skip
