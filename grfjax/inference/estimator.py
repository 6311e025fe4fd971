"""The compiled estimator: voxels to forces and their intervals."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from grfjax.data import clip_config, input_pipeline
from grfjax.models import augmentation, targets
from grfjax.training import run_settings, train_step

Estimate = Callable[[Any, Any], tuple[jax.Array, jax.Array, jax.Array]]


@functools.lru_cache(4)  # a fold's network estimates with what another's has compiled
def make_estimate(*, model: Any, target: targets.Target, shift: tuple[float, ...] = ()) -> Estimate:
  """Compiles (params, batch) -> (force, interval, members), without random augmentation.

  The force is (B, L, legs, axes), the interval (B, L, legs, axes, 2 or 0), both in body weights.
  The members are (B, L, E, legs, axes): the E estimates whose mean the force is, those of the
  network's members and of the moved clips.

  Args:
    model: a network of `grfjax.models.networks`.
    target: what its outputs mean.
    shift: pixels (down, right). The estimate is the mean of two, of the clip moved by so much one
      way and the other: a network that was trained on moved clips has seen few that lie on the
      pixel grid, which are sharper. Empty: the estimate of the clip as it is.
  """

  def estimate_once(params: Any, batch: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns force, interval, and each member's force (members, B, L, legs, axes)."""
    outputs, state = train_step.apply_network(
      model, params, batch, train=False, mutable=['members']
    )
    members = jnp.stack(state['members']['outputs'][0]) if state else outputs[None]
    return target.decode(outputs), target.interval(outputs), target.decode(members)

  def estimate(params: Any, batch: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    batch = train_step.scale_voxels(batch)
    if shift:
      x = batch['voxel']
      moved = jnp.broadcast_to(jnp.array(shift, x.dtype), (len(x), 2))
      clips = [
        augmentation.shift_and_scale(x, shift=by, scale=jnp.ones(len(x))) for by in (moved, -moved)
      ]
    else:
      clips = [batch['voxel']]
    every = [estimate_once(params, {**batch, 'voxel': clip}) for clip in clips]
    force, interval, members = zip(*every, strict=True)
    together = jnp.moveaxis(jnp.concatenate(members), 0, 2)
    return sum(force) / len(every), sum(interval) / len(every), together

  return jax.jit(estimate)


def estimator(config: ml_collections.ConfigDict, model: Any, target: targets.Target) -> Estimate:
  """Returns `make_estimate` with the settings of a configuration."""
  return make_estimate(model=model, target=target, shift=run_settings.average_shift(config))


def on_own_devices(params: Any) -> Any:
  """Puts a network's parameters on all devices of this host, a copy on each.

  What `estimate_own` estimates with them is shared by these devices.
  """
  devices = jax.local_devices()
  if len(devices) == 1:
    return jax.device_put(params)
  mesh = jax.make_mesh(
    (len(devices),), ('data',), axis_types=(jax.sharding.AxisType.Auto,), devices=devices
  )
  return jax.device_put(params, jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec()))


def estimate_own(
  voxel: clip_config.ClipConfig,
  model: Any,
  estimate: Estimate,
  params: Any,
  batch: input_pipeline.Batch,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Estimates forces at the K frames that are each voxel's own.

  Args:
    voxel: how the voxels were cut.
    model: the network.
    estimate: from `make_estimate`.
    params: the network's parameters; the devices of this host on which they lie share the batch.
    batch: of B voxels.

  Returns:
    Forces (B, K, legs, axes), the network's own intervals (B, K, legs, axes, 2 or 0) and the E
    estimates whose mean the forces are (B, K, E, legs, axes), BW.

  Raises:
    ValueError: an estimate is not finite.
  """
  count = len(batch['frame'])
  on_device = _beside(params, {k: batch[k] for k in ('voxel', 'frame')})
  force, interval, members = (part[:count] for part in jax.device_get(estimate(params, on_device)))
  if not (np.isfinite(force).all() and np.isfinite(interval).all()):
    raise ValueError('the network gives estimates that are not finite: its weights are of no use')
  labelled = list(range(voxel.frames)[model.label_slice])
  own = [labelled.index(t) for t in range(voxel.frames)[voxel.own]]
  return force[:, own], interval[:, own], members[:, own]


def _beside(params: Any, batch: input_pipeline.Batch) -> Any:
  """Puts a share of a batch on each device on which the parameters lie.

  Where there are several of this host, the batch's last voxel is repeated until all have as many.
  """
  layout = getattr(jax.tree.leaves(params)[0], 'sharding', None)
  if not isinstance(layout, jax.sharding.NamedSharding) or not layout.is_fully_addressable:
    return jax.device_put(batch)
  if missing := -len(batch['frame']) % layout.mesh.size:
    batch = {k: np.concatenate([v, np.repeat(v[-1:], missing, 0)]) for k, v in batch.items()}
  split = jax.sharding.PartitionSpec(layout.mesh.axis_names[0])
  return jax.device_put(batch, jax.sharding.NamedSharding(layout.mesh, split))
