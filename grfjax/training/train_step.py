"""The compiled training step: augment, scale, apply, loss, update."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax
import optax.contrib

from grfjax.models import augmentation, targets

Metrics = dict[str, tuple[jax.Array, jax.Array]]  # name -> (sum, count)


class TrainState(flax.struct.PyTreeNode):
  """All that a step changes."""

  step: jax.Array
  params: Any
  opt_state: optax.OptState


def init_state(
  model: Any, tx: optax.GradientTransformation, shape: tuple[int, ...], key: jax.Array
) -> TrainState:
  """A fresh state for voxels of `shape` (T, H, W, C)."""
  x = jnp.zeros((1, *shape))
  params = model.init(key, x, valid=jnp.ones((1, shape[0]), bool), train=False)['params']
  return TrainState(jnp.zeros((), jnp.int32), params, tx.init(params))


def apply(model: Any, params: Any, batch: Any, **kwargs: Any) -> jax.Array:
  """Batch with voxel (B, T, H, W, C) in [0, 1] -> the network's (B, L, legs, outputs)."""
  valid = batch['frame'] >= 0
  return model.apply({'params': params}, batch['voxel'] - 0.5, valid=valid, **kwargs)


def unit(batch: Any) -> Any:
  return {**batch, 'voxel': batch['voxel'].astype(jnp.float32) / 255}


def loss_fn(
  params: Any,
  batch: Any,
  key: jax.Array,
  *,
  model: Any,
  target: targets.Target,
  augmentations: Mapping[str, Any],
) -> tuple[jax.Array, Metrics]:
  """Mean loss over the known labels of a batch, and sums for the log.

  Args:
    params: of the model.
    batch: `DEVICE_KEYS`, voxel uint8.
    key: for this step alone.
    model: from `grfjax.models.walker_networks`.
    target: what its outputs mean.
    augmentations: keyword arguments of `augmentation.augment`.
  """
  batch = augmentation.augment(jax.random.fold_in(key, 0), unit(batch), **augmentations)
  outputs = apply(model, params, batch, train=True, rngs={'dropout': jax.random.fold_in(key, 1)})
  frames = model.label_slice
  force = batch['force'][:, frames, : model.legs]
  known = batch['known'][:, frames, : model.legs]
  stance = known & batch['contact'][:, frames, : model.legs]
  # The paper's networks know stance alone: their first class is 0.01 BW.
  counts = known if model.legs == 2 else stance
  force, counts, stance = (jnp.concatenate([a] * model.members) for a in (force, counts, stance))
  total, count = targets.masked_mean(target.loss(outputs, force), counts)
  error = jnp.abs(target.decode(jax.lax.stop_gradient(outputs))[..., 0] - force[..., 0])
  mean = total / jnp.maximum(count, 1)
  return mean, {'loss': (total, count), 'mae_pct_bw': targets.masked_mean(100 * error, stance)}


def make_train_step(
  *,
  model: Any,
  target: targets.Target,
  tx: optax.GradientTransformation,
  augmentations: Mapping[str, Any],
  whole: jax.sharding.NamedSharding,
  split: jax.sharding.NamedSharding,
) -> Callable[[TrainState, Any, jax.Array], tuple[TrainState, Metrics]]:
  """Compiles (state, batch, run's key) -> (state, metrics).

  The state's memory is given up, but on a CPU: there the buffers shared by old and new state make
  XLA run one operation after the other, which costs a third of a small network's step.
  """

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
    in_shardings=(whole, split, whole),
    out_shardings=(whole, whole),
    donate_argnums=() if jax.default_backend() == 'cpu' else 0,
  )
