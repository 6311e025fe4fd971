"""The compiled estimator: voxels to forces and their intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from grfjax.data import clip_config, input_pipeline
from grfjax.models import augmentation, targets
from grfjax.training import train_step

Estimate = Callable[[Any, Any], tuple[jax.Array, jax.Array]]


def make_estimate(*, model: Any, target: targets.Target, shift: tuple[float, ...] = ()) -> Estimate:
  """Compiles (params, batch) -> force, interval; no random augmentation.

  These are (B, L, legs, axes) and (B, L, legs, axes, 2 or 0), in body weights.

  Args:
    model: from `grfjax.models.walker_networks`.
    target: what its outputs mean.
    shift: pixels (down, right); the mean of two estimates is given, of the clip moved by so much
      one way and the other. A network that has learned from moved clips has seen few that lie on
      the pixel grid, which are sharper. Empty: the estimate of the clip as it is.
  """

  def one(params: Any, batch: Any) -> tuple[jax.Array, jax.Array]:
    outputs = train_step.apply(model, params, batch, train=False)
    return target.decode(outputs), target.interval(outputs)

  def estimate(params: Any, batch: Any) -> tuple[jax.Array, jax.Array]:
    batch = train_step.unit(batch)
    if not shift:
      return one(params, batch)
    x = batch['voxel']
    moved = jnp.broadcast_to(jnp.array(shift, x.dtype), (len(x), 2))
    both = [
      one(
        params,
        {**batch, 'voxel': augmentation.shift_and_scale(x, shift=by, scale=jnp.ones(len(x)))},
      )
      for by in (moved, -moved)
    ]
    return jax.tree.map(lambda a, b: (a + b) / 2, *both)

  return jax.jit(estimate)


def estimator(config: ml_collections.ConfigDict, model: Any, target: targets.Target) -> Estimate:
  """Returns `make_estimate` with the settings of a configuration."""
  return make_estimate(model=model, target=target, shift=average_shift(config))


def average_shift(config: ml_collections.ConfigDict) -> tuple[float, ...]:
  """The configuration's pixels (down, right), or none; see `estimator.make_estimate`.

  Raises:
    ValueError: it is neither two numbers nor empty.
  """
  shift = config.get('average_shift', ())
  if not (isinstance(shift, list | tuple) and len(shift) in (0, 2) and np.isfinite(shift).all()):
    raise ValueError(
      f'config.average_shift is {shift!r}, expected two numbers of pixels, down and right, or ()'
    )
  return tuple(shift)


def estimate_own(
  voxel: clip_config.ClipConfig,
  model: Any,
  estimate: Estimate,
  params: Any,
  batch: input_pipeline.Batch,
) -> tuple[np.ndarray, np.ndarray]:
  """Estimates at the frames that are each voxel's own.

  Returns:
    (B, K, legs, axes) forces and (B, K, legs, axes, 2 or 0) the network's own intervals, BW.

  Raises:
    ValueError: an estimate is not finite.
  """
  on_device = jax.device_put({k: batch[k] for k in ('voxel', 'frame')})
  force, interval = jax.device_get(estimate(params, on_device))
  if not (np.isfinite(force).all() and np.isfinite(interval).all()):
    raise ValueError('the network gives estimates that are not finite: its weights are of no use')
  labelled = list(range(voxel.frames)[model.label_slice])
  own = [labelled.index(t) for t in range(voxel.frames)[voxel.own]]
  return force[:, own], interval[:, own]
