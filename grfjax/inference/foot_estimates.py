"""Where the feet are in the window of a walk, by the network that comes along for it."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import ml_collections
import numpy as np

from grfjax.data import clip_config, input_pipeline, voxel_dataset, walker_views
from grfjax.inference import traced_programs
from grfjax.io import run_folder
from grfjax.models import foot_target, networks
from grfjax.training import train_step, weight_files

NETWORK = 'feet'  # of `grfjax.pretrained`
BATCH = 32  # records in a call
PADDED = 128  # walks are padded to a multiple of so many frames, so that few sizes are compiled


@dataclasses.dataclass(frozen=True)
class FeetNetwork:
  """A network that finds feet.

  Attributes:
    clip: how the pictures are cut that it was trained on.
    model: the network.
    target: what its outputs mean.
    params: its parameters.
    estimate: (params, batch) -> outputs (B, T, 2, 4).
  """

  clip: clip_config.ClipConfig
  model: Any
  target: foot_target.FeetTarget
  params: Any
  estimate: Any

  def fits(self, clip: clip_config.ClipConfig) -> bool:
    """Whether pictures that are cut like this are those that it was trained on."""
    names = ('follow', 'rows', 'columns', 'wide', 'fps')
    return all(getattr(clip, name) == getattr(self.clip, name) for name in names)


@functools.cache
def bundled() -> FeetNetwork:
  """Returns the network that comes along; errors are those of `load`."""
  return load(run_folder.RunFolder.find(NETWORK))


def load(folder: run_folder.RunFolder) -> FeetNetwork:
  """Reads a network that finds feet.

  Raises:
    InputError: there is no such run, or it is damaged or estimates something else.
  """
  config = ml_collections.ConfigDict(run_folder.read_json(run_folder.require(folder.config)))
  model, target = networks.network(config)
  if not isinstance(target, foot_target.FeetTarget):
    raise run_folder.RunError(
      f'{folder.config}: the run estimates forces, expected one that finds feet',
      code='run.config',
      file=folder.config,
    )
  params = jax.device_put(weight_files.restore_params(folder).params)
  clip = clip_config.clip_config(config.dataset)
  estimate = traced_programs.kept(_make_estimate(model=model), config.to_json())
  return FeetNetwork(clip, model, target, params, estimate)


def _make_estimate(*, model: Any) -> Any:
  def estimate(params: Any, batch: Any) -> jax.Array:
    return train_step.apply_network(model, params, train_step.scale_voxels(batch), train=False)

  return jax.jit(estimate)


def error_pct_bh(network: FeetNetwork, dataset: voxel_dataset.Dataset, subject: str) -> float:
  """Returns how far off soles are along the picture, given the true forces.

  Args:
    network: the network.
    dataset: of records that it was not trained on.
    subject: one of its subjects.

  Returns:
    The mean absolute error over the frames in which a sole is known, % of body height.
  """
  total, count = 0.0, 0.0
  for batch, records in input_pipeline.eval_batches(dataset.source([subject]), BATCH):
    numbers = {k: v[:records] for k, v in batch.items() if k not in ('subject', 'trial')}
    outputs = network.estimate(network.params, jax.device_put(numbers))
    _, metrics = network.target.loss(outputs, numbers)
    error, frames = (float(v) for v in metrics['sole_ahead_pct_bh'])
    total, count = total + error, count + frames
  return total / count


def find_feet(
  network: FeetNetwork, views: walker_views.WalkerViews, force: np.ndarray
) -> np.ndarray:
  """Finds the feet in every picture of a walk.

  Args:
    network: that fits the pictures.
    views: K pictures of the walk.
    force: (K, 2, 3) estimated body weights, leg (near, far).

  Returns:
    (K, 2, 4): leg (near, far) x (ahead and up, tracked heights; pressure ahead of the sole and on
    the near side, body heights), as in `foot_geometry.FeetInWindow`.
  """
  count = len(views.time_s)
  padding = -count % PADDED

  def padded(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values, np.zeros((padding, *values.shape[1:]), values.dtype)])[None]

  batch = {
    'voxel': padded(views.picture),
    'frame': np.concatenate([np.arange(count), np.full(padding, -1)])[None].astype(np.int32),
    'force': padded(force.astype(np.float32)),
    'known': padded(np.ones((count, 2), bool)),
  }
  outputs = np.asarray(network.estimate(network.params, jax.device_put(batch)))
  return network.target.decode(outputs[0, :count]).astype(np.float64)
