"""grfjax's own networks and optimizer."""

from __future__ import annotations

import functools
import math
import pathlib
import time
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import optax

from grfjax.models import conv3d, networks, walker_networks
from grfjax.training import optimizers, train_step
from peers import workloads


class Peer:
  """Compiled training and inference of one network."""

  def __init__(self, work: workloads.Work, weights: pathlib.Path):
    """Draws the weights and writes them to the file `weights` for the other peers."""
    inputs, labels = workloads.data(work)
    self._inputs, self._labels = jax.device_put(inputs), jax.device_put(labels)
    if work.model == 'convolutional':
      model: Any = walker_networks.ConvolutionalBody(**workloads.CONVOLUTIONAL)
    else:
      model = networks.build_network('mochizuki3d', channels=work.channels)
    init = functools.partial(model.init, train=False)
    params = jax.jit(init)(jax.random.key(0), *self._inputs)['params']
    # Layers that start at zero would hide a mistake in whatever comes before them.
    rng = np.random.default_rng(1)
    params = jax.tree.map(
      lambda p: p if np.asarray(p).any() else rng.normal(0, 0.02, p.shape).astype(np.float32),
      params,
    )
    arrays: Any = workloads.flatten(params)
    np.savez(weights, **arrays)
    tx = optimizers.build_optimizer(steps=1000, learning_rate=workloads.LEARNING_RATE, decay=False)
    self._state = train_step.TrainState(jnp.zeros((), jnp.int32), params, tx.init(params))
    key = jax.random.key(1)

    def loss_fn(params: Any, inputs: Any, labels: jax.Array, key: jax.Array) -> jax.Array:
      y = model.apply({'params': params}, *inputs, train=True, rngs={'dropout': key})
      if work.model == 'convolutional':
        return jnp.abs(y - labels).mean()
      return optax.softmax_cross_entropy_with_integer_labels(y[:, 0, 0], labels).mean()

    def train(state: train_step.TrainState, inputs: Any, labels: jax.Array) -> Any:
      dropout = jax.random.fold_in(key, state.step)
      loss, gradient = jax.value_and_grad(loss_fn)(state.params, inputs, labels, dropout)
      updates, opt_state = tx.update(gradient, state.opt_state, state.params)
      params = optax.apply_updates(state.params, updates)
      return train_step.TrainState(state.step + 1, params, opt_state), loss

    def forward(params: Any, inputs: Any) -> jax.Array:
      y = model.apply({'params': params}, *inputs, train=False)
      return y if work.model == 'convolutional' else y[:, 0, 0]

    self._train = jax.jit(train).lower(
      self._state, self._inputs, self._labels
    ).compile()  # fmt: skip
    self._forward = jax.jit(forward).lower(params, self._inputs).compile()
    # The operations of the layers as they are defined; Winograd's filtering does with fewer.
    with mock.patch.object(conv3d, 'WINOGRAD_CHANNELS', math.inf):
      direct = jax.jit(lambda *a: train(*a)).lower(self._state, self._inputs, self._labels)
    cost: Any = direct.cost_analysis()
    self.flops = float(cost['flops'])

  def train(self) -> float:
    """Makes one training step; returns its loss."""
    self._state, loss = self._train(self._state, self._inputs, self._labels)
    return float(loss)

  def forward(self) -> np.ndarray:
    """Returns the network's outputs."""
    return np.asarray(self._forward(self._state.params, self._inputs))


def matmul_flops_per_s(size: int = 2048) -> float:
  """Returns the machine's best rate of several in a large product of float32 matrices."""
  a = jnp.ones((size, size), jnp.float32)
  product = jax.jit(jnp.matmul)
  jax.block_until_ready(product(a, a))
  return 2 * size**3 / min(_seconds(lambda: jax.block_until_ready(product(a, a))) for _ in range(9))


def _seconds(call: Any) -> float:
  start = time.perf_counter()
  call()
  return time.perf_counter() - start
