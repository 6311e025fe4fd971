"""The compiled training step: augment, scale, apply, loss, update."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import flax.core
import flax.struct
import jax
import jax.numpy as jnp

from grfjax.models import augmentation, foot_target, targets

if TYPE_CHECKING:
  import optax

Metrics = dict[str, tuple[jax.Array, jax.Array]]  # name -> (sum, count)

# Programs kept for another run of the same settings in this process: that of the next fold, or of
# the next round of cross-fitting.
_KEPT = 4


class TrainState(flax.struct.PyTreeNode):
  """All that a training step changes.

  Attributes:
    step: how many steps are done.
    params: the network's parameters.
    opt_state: the optimizer's state.
  """

  step: jax.Array
  params: Any
  opt_state: optax.OptState


def init_state(
  model: Any, tx: optax.GradientTransformation, shape: tuple[int, ...], key: jax.Array
) -> TrainState:
  """Returns a freshly initialised state for voxels of `shape` (T, H, W, C)."""
  batch = {
    'voxel': jnp.zeros((1, *shape)),
    'frame': jnp.zeros((1, shape[0]), jnp.int32),
    'force': jnp.zeros((1, shape[0], 2, 3)),
    'known': jnp.ones((1, shape[0], 2), bool),
  }
  params = model.init(key, batch['voxel'], train=False, **_beside_pictures(model, batch))['params']
  return TrainState(jnp.zeros((), jnp.int32), params, tx.init(params))


def apply_network(model: Any, params: Any, batch: Any, **kwargs: Any) -> jax.Array:
  """Returns the network's outputs (B, L, legs, outputs) for voxels (B, T, H, W, C) in [0, 1]."""
  inputs = _beside_pictures(model, batch)
  return model.apply({'params': params}, batch['voxel'] - 0.5, **inputs, **kwargs)


def _beside_pictures(model: Any, batch: Any) -> dict[str, jax.Array]:
  """Returns what a network is given beside the pictures: for some, the forces that are known."""
  inputs = {'valid': batch['frame'] >= 0}
  if model.sees_forces:
    inputs['force'] = batch['force'] * batch['known'][..., None]
  return inputs


def scale_voxels(batch: Any) -> Any:
  """Returns the batch with its uint8 voxels scaled to [0, 1]."""
  return {**batch, 'voxel': batch['voxel'].astype(jnp.float32) / 255}


def loss_fn(
  params: Any,
  batch: Any,
  key: jax.Array,
  *,
  model: Any,
  target: targets.Target | foot_target.FeetTarget,
  augmentations: Mapping[str, Any],
) -> tuple[jax.Array, Metrics]:
  """Returns the mean loss over the known labels of a batch, and (sum, count) pairs for the log.

  Args:
    params: the model's parameters.
    batch: `sharding.DEVICE_KEYS`, voxels uint8.
    key: the random key of this step.
    model: a network of `grfjax.models.networks`.
    target: what its outputs mean.
    augmentations: keyword arguments of `augmentation.augment`.
  """
  batch = scale_voxels(batch)
  size = batch['voxel'].shape[2:4]
  if isinstance(target, foot_target.FeetTarget):  # pictures are moved by pixels
    batch['sole'] = target.to_pixels(batch['sole'], size)
  batch = augmentation.augment(jax.random.fold_in(key, 0), batch, **augmentations)
  dropout_key = jax.random.fold_in(key, 1)
  outputs = apply_network(model, params, batch, train=True, rngs={'dropout': dropout_key})
  if isinstance(target, foot_target.FeetTarget):
    return target.loss(outputs, {**batch, 'sole': target.from_pixels(batch['sole'], size)})
  frames = model.label_slice
  force = batch['force'][:, frames, : model.legs]
  known = batch['known'][:, frames, : model.legs]
  stance = known & batch['contact'][:, frames, : model.legs]
  # The paper's networks know stance alone: their first class is 0.01 BW.
  counts = known if model.legs == 2 else stance
  if model.members > 1:
    force, counts, stance = (
      jnp.broadcast_to(a, (model.members, *a.shape)) for a in (force, counts, stance)
    )
  total, count = targets.masked_mean(target.loss(outputs, force), counts)
  error = jnp.abs(target.decode(jax.lax.stop_gradient(outputs))[..., 0] - force[..., 0])
  mean = total / jnp.maximum(count, 1)
  return mean, {'loss': (total, count), 'mae_pct_bw': targets.masked_mean(100 * error, stance)}


@functools.lru_cache(_KEPT)
def make_init(
  *,
  model: Any,
  tx: optax.GradientTransformation,
  shape: tuple[int, ...],
  replicated: jax.sharding.NamedSharding,
) -> Callable[[jax.Array], TrainState]:
  """Compiles `init_state`, from a key to a state with a copy on each device."""
  return jax.jit(lambda key: init_state(model, tx, shape, key), out_shardings=replicated)


def make_train_step(
  *,
  model: Any,
  target: targets.Target,
  tx: optax.GradientTransformation,
  augmentations: Mapping[str, Any],
  replicated: jax.sharding.NamedSharding,
  split: jax.sharding.NamedSharding,
) -> Callable[[TrainState, Any, jax.Array], tuple[TrainState, Metrics]]:
  """Compiles the training step: (state, batch, run's key) -> (state, metrics).

  Called again with equal arguments it returns the same compiled function.

  The old state's memory is donated, except on a CPU: there the buffers shared by old and new state
  make XLA run one operation after the other, which costs a third of a small network's step.
  """
  hashable = {k: tuple(v) if isinstance(v, list) else v for k, v in augmentations.items()}
  return _kept_train_step(model, target, tx, flax.core.freeze(hashable), replicated, split)


@functools.lru_cache(_KEPT)
def _kept_train_step(
  model: Any,
  target: targets.Target,
  tx: optax.GradientTransformation,
  augmentations: Mapping[str, Any],
  replicated: jax.sharding.NamedSharding,
  split: jax.sharding.NamedSharding,
) -> Callable[[TrainState, Any, jax.Array], tuple[TrainState, Metrics]]:
  import optax  # here, as predicting does without it

  def train_step(state: TrainState, batch: Any, key: jax.Array) -> tuple[TrainState, Metrics]:
    key = jax.random.fold_in(key, state.step)
    (_, sums), gradient = jax.value_and_grad(loss_fn, has_aux=True)(
      state.params, batch, key, model=model, target=target, augmentations=augmentations
    )
    updates, opt_state = tx.update(gradient, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    sums['gradient_norm'] = (optax.tree.norm(gradient), jnp.ones(()))
    return TrainState(state.step + 1, params, opt_state), sums

  return jax.jit(
    train_step,
    in_shardings=(replicated, split, replicated),
    out_shardings=(replicated, replicated),
    donate_argnums=() if replicated.mesh.devices.flat[0].platform == 'cpu' else 0,
  )
