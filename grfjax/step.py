"""The compiled steps: augment, scale, apply, loss, update. Pure; nothing here knows files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib

from grfjax import augment, targets

# What goes to the device; a record's names stay on the host.
DEVICE_KEYS = ('voxel', 'force', 'known', 'contact', 'frame', 'time_s')
Metrics = dict[str, tuple[jax.Array, jax.Array]]  # name -> (sum, count)


class TrainState(flax.struct.PyTreeNode):
  """All that a step changes."""

  step: jax.Array
  params: Any
  opt_state: optax.OptState


def optimizer(
  *,
  steps: int,
  learning_rate: float,
  warmup: int = 0,
  decay: bool = True,
  weight_decay: float = 0.0,
  clip_norm: float = 0.0,
  muon: bool = False,
) -> optax.GradientTransformation:
  """Adam with decoupled weight decay (AdamW; Loshchilov and Hutter 2019), or Muon.

  Args:
    steps: at which a decaying rate reaches 0.
    learning_rate: the highest.
    warmup: steps in which it is reached, from 0.
    decay: along a cosine after the warm-up; otherwise constant.
    weight_decay: of kernels; biases and scales are left alone.
    clip_norm: largest norm of a gradient; 0: no limit.
    muon: kernels' steps are made orthogonal (Jordan K et al. 2024, Muon: an optimizer for hidden
      layers in neural networks), scaled to the size of Adam's (Liu J et al. 2025, Muon is scalable
      for LLM training, arXiv:2502.16982); biases and scales stay with Adam.
  """
  if decay:
    rate: optax.Schedule = optax.warmup_cosine_decay_schedule(
      0.0 if warmup else learning_rate, learning_rate, warmup, max(steps, warmup + 1)
    )
  elif warmup:
    rate = optax.linear_schedule(0.0, learning_rate, warmup)
  else:
    rate = optax.constant_schedule(learning_rate)
  clip = optax.clip_by_global_norm(clip_norm) if clip_norm else optax.identity()
  if muon:
    return optax.chain(
      clip,
      optax.contrib.muon(
        rate,
        weight_decay=weight_decay,
        muon_weight_dimension_numbers=_as_matrices,
        consistent_rms=0.2,  # Liu et al., section 2.2
      ),
    )
  return optax.chain(clip, optax.adamw(rate, weight_decay=weight_decay, mask=_kernels))


def _kernels(params: Any) -> Any:
  return jax.tree.map(lambda p: p.ndim > 1, params)


def _as_matrices(params: Any) -> Any:
  """For Muon: a kernel's axes but the last are one; None for what is not a kernel."""

  def axes(p: Any) -> Any:
    if p.ndim < 2:
      return None
    return optax.contrib.MuonDimensionNumbers(tuple(range(p.ndim - 1)), (p.ndim - 1,))

  return jax.tree.map(axes, params)


def init_state(
  model: Any, tx: optax.GradientTransformation, shape: tuple[int, ...], key: jax.Array
) -> TrainState:
  """A fresh state for voxels of `shape` (T, H, W, C)."""
  x = jnp.zeros((1, *shape))
  params = model.init(key, x, valid=jnp.ones((1, shape[0]), bool), train=False)['params']
  return TrainState(jnp.zeros((), jnp.int32), params, tx.init(params))


def meshes() -> tuple[jax.sharding.Mesh, jax.sharding.NamedSharding, jax.sharding.NamedSharding]:
  """All devices in a row; how a state lies on them (a copy each) and a batch (a share each)."""
  mesh = jax.make_mesh((jax.device_count(),), ('data',), axis_types=(jax.sharding.AxisType.Auto,))
  spec = jax.sharding.PartitionSpec
  named = jax.sharding.NamedSharding
  return mesh, named(mesh, spec()), named(mesh, spec('data'))


def to_device(batch: Mapping[str, np.ndarray], split: jax.sharding.NamedSharding) -> Any:
  """Puts this host's share of a batch on its devices."""
  return {
    k: jax.make_array_from_process_local_data(split, batch[k]) for k in DEVICE_KEYS if k in batch
  }


def _apply(model: Any, params: Any, batch: Any, **kwargs: Any) -> jax.Array:
  """Batch with voxel (B, T, H, W, C) in [0, 1] -> the network's (B, L, legs, outputs)."""
  valid = batch['frame'] >= 0
  return model.apply({'params': params}, batch['voxel'] - 0.5, valid=valid, **kwargs)


def _unit(batch: Any) -> Any:
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
    model: from `grfjax.models`.
    target: what its outputs mean.
    augmentations: keyword arguments of `augment.augment`.
  """
  batch = augment.augment(jax.random.fold_in(key, 0), _unit(batch), **augmentations)
  outputs = _apply(model, params, batch, train=True, rngs={'dropout': jax.random.fold_in(key, 1)})
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


Estimate = Callable[[Any, Any], tuple[jax.Array, jax.Array]]


def make_estimate(*, model: Any, target: targets.Target, shift: tuple[float, ...] = ()) -> Estimate:
  """Compiles (params, batch) -> force, interval; no random augmentation.

  These are (B, L, legs, axes) and (B, L, legs, axes, 2 or 0), in body weights.

  Args:
    model: from `grfjax.models`.
    target: what its outputs mean.
    shift: pixels (down, right); the mean of two estimates is given, of the clip moved by so much
      one way and the other. A network that has learned from moved clips has seen few that lie on
      the pixel grid, which are sharper. Empty: the estimate of the clip as it is.
  """

  def one(params: Any, batch: Any) -> tuple[jax.Array, jax.Array]:
    outputs = _apply(model, params, batch, train=False)
    return target.decode(outputs), target.interval(outputs)

  def estimate(params: Any, batch: Any) -> tuple[jax.Array, jax.Array]:
    batch = _unit(batch)
    if not shift:
      return one(params, batch)
    x = batch['voxel']
    moved = jnp.broadcast_to(jnp.array(shift, x.dtype), (len(x), 2))
    both = [
      one(params, {**batch, 'voxel': augment.shift_and_scale(x, shift=by, scale=jnp.ones(len(x)))})
      for by in (moved, -moved)
    ]
    return jax.tree.map(lambda a, b: (a + b) / 2, *both)

  return jax.jit(estimate)
