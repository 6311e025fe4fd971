"""Networks for clips that follow the walker: convolutional, recurrent, and their mean.

Their pictures are windows whose pixels are half as high as wide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

import flax.linen as nn
import jax
import jax.numpy as jnp

from grfjax.models import random_bits, walker_inputs


class Convolutional(nn.Module):
  """Estimates both legs' forces at every frame by dilated convolutions over time.

  Each frame becomes a vector on its own: gray, the difference to the background and their change
  from the frame before, cut into patches of 4 x 4, then 3 x 3 of these, by dense layers alone (on
  a CPU matrix products are several times faster than convolutions over few channels), then all
  places together. Dilated convolutions over time then join the vectors of about a step.

  Gray counts where the picture differs from the background, so that the room does not matter.

  A frame's vector also holds how bands of the picture move and accelerate
  (`grfjax.models.optical_flow`): the centre of mass's acceleration is the total force, and a
  network that is shown it learns in a fraction of the steps. Motion is measured in the picture as
  it is, whose pixels are half as high as wide, as the bob of a trunk is a matter of hundredths of a
  pixel; the patches see square pixels.

  Attributes:
    outputs: numbers returned for each leg and frame.
    width: channels of the first patches; the second have three times as many.
    features: length of a frame's vector.
    dilations: dilations of the temporal convolutions, one layer each (each unit reaches two frames
      further each way).
    dropout: rate before each temporal layer.
    dtype: what all dense, convolution and recurrent layers but the last compute in; None: that of
      parameters and input. The motion that the network is shown, parameters, norms, the sums of
      layers and outputs are float32.
  """

  outputs: int = 3
  width: int = 64
  features: int = 128
  dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4)
  dropout: float = 0.2
  dtype: Any = None

  legs: ClassVar[int] = 2
  label_slice: ClassVar[slice] = slice(None)
  members: ClassVar[int] = 1
  any_length: ClassVar[bool] = True
  sees_forces: ClassVar[bool] = False

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, 2), H a multiple of 24, W of 12, to (B, T, 2, outputs)."""
    pictures, motion, mask = walker_inputs.network_inputs(x, valid)
    body = ConvolutionalBody(
      self.outputs, self.width, self.features, self.dilations, self.dropout, self.dtype, name='body'
    )
    return body(pictures, motion, mask, train=train)


class ConvolutionalBody(nn.Module):
  """The learned part of `Convolutional`, after its inputs are prepared.

  Attributes: as in `Convolutional`.
  """

  outputs: int
  width: int
  features: int
  dilations: tuple[int, ...]
  dropout: float
  dtype: Any = None

  @nn.compact
  def __call__(self, x: jax.Array, motion: jax.Array, mask: jax.Array, *, train: bool) -> jax.Array:
    """Maps (B, T, H, W, C), (B, T, M) and (B, T, 1) of 0 or 1 to (B, T, 2, outputs)."""
    b = x.shape[0]
    if train:
      seeds = jax.random.bits(self.make_rng('dropout'), (1 + len(self.dilations), 2, b))

    def drop(h: jax.Array, layer: int) -> jax.Array:
      return random_bits.dropout(seeds[layer], h, self.dropout) if train else h

    x = _frame_features(x, motion, self.width, self.features, lambda h: drop(h, -1), self.dtype)
    for k, dilation in enumerate(self.dilations):
      h = nn.LayerNorm(name=f'norm_{k}')(x) * mask
      convolve = nn.Conv(
        self.features, (3,), kernel_dilation=dilation, dtype=self.dtype, name=f'conv_{k}'
      )
      h = drop(nn.gelu(convolve(h)), k)
      x = x + _mix(self.features, self.dtype, k)(h)
    return _both_legs(x, self.outputs)


class Recurrent(nn.Module):
  """A 3D CNN and recurrent layers: the improvement that the paper's conclusion names.

  Each frame becomes a vector as in `Convolutional`, whose patches are strided 3D convolutions (2
  frames of 4 x 4 pixels, then 3 x 3 of these). Gated recurrent units (Cho K et al. 2014, EMNLP)
  then run over the clip forwards and backwards, as the whole walk is at hand when it is estimated,
  and their states are added to the frames' vectors. Their memory has no end, so an estimate
  depends, a little, on where the clip begins.

  Attributes:
    outputs: numbers returned for each leg and frame.
    width: channels of the first patches; the second have three times as many.
    features: length of a frame's vector, and of the recurrent state in either direction.
    layers: layers of recurrent units, one after the other.
    dropout: rate before each layer.
    dtype: as of `Convolutional`; the recurrent state is float32.
  """

  outputs: int = 3
  width: int = 32
  features: int = 128
  layers: int = 2
  dropout: float = 0.1
  dtype: Any = None

  legs: ClassVar[int] = 2
  label_slice: ClassVar[slice] = slice(None)
  members: ClassVar[int] = 1
  any_length: ClassVar[bool] = True
  sees_forces: ClassVar[bool] = False

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, 2), H a multiple of 24, W of 12, to (B, T, 2, outputs)."""
    pictures, motion, mask = walker_inputs.network_inputs(x, valid)

    def drop(h: jax.Array) -> jax.Array:
      return nn.Dropout(self.dropout, deterministic=not train)(h)

    x = _frame_features(pictures, motion, self.width, self.features, drop, self.dtype)
    for k in range(self.layers):
      h = drop(nn.LayerNorm(name=f'norm_{k}')(x) * mask)
      states = []
      for name, reverse in (('forwards', False), ('backwards', True)):
        cell = nn.GRUCell(self.features, dtype=self.dtype, name=f'{name}_{k}')
        states.append(cast(jax.Array, nn.RNN(cell, reverse=reverse, keep_order=True)(h)))
      x = x + _mix(self.features, self.dtype, k)(jnp.concatenate(states, -1))
    return _both_legs(x, self.outputs)


class Walker(nn.Module):
  """The mean of `Convolutional` and `Recurrent`, which err on different people and frames.

  Attributes:
    outputs: numbers returned for each leg and frame.
    width: channels of the first patches of either network.
    features: length of a frame's vector in either.
    dropout: rate before each layer of either.
    dtype: as of `Convolutional`, of either.
  """

  outputs: int = 3
  width: int = 32
  features: int = 128
  dropout: float = 0.1
  dtype: Any = None

  legs: ClassVar[int] = 2
  label_slice: ClassVar[slice] = slice(None)
  members: ClassVar[int] = 2
  any_length: ClassVar[bool] = True
  sees_forces: ClassVar[bool] = False

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, 2) to (B, T, 2, outputs), or in training to (2, B, T, 2, outputs)."""
    sizes, more = (self.outputs, self.width, self.features), {
      'dropout': self.dropout, 'dtype': self.dtype
    }  # fmt: skip
    convolutional = Convolutional(*sizes, **more, name='convolutional')(x, train=train, valid=valid)
    recurrent = Recurrent(*sizes, **more, name='recurrent')(x, train=train, valid=valid)
    if train:
      return jnp.stack([convolutional, recurrent])  # not along B, which lies on several devices
    self.sow('members', 'outputs', (convolutional, recurrent))  # for how far they differ
    return (convolutional + recurrent) / 2


def _frame_features(
  x: jax.Array,
  motion: jax.Array,
  width: int,
  features: int,
  drop: Callable[[jax.Array], jax.Array],
  dtype: Any,
) -> jax.Array:
  """Makes a vector of each frame and its change from the last: layers of the calling module.

  Args:
    x: (B, T, H, W, C) pictures.
    motion: (B, T, M).
    width: channels of the first patches.
    features: length of a frame's vector.
    drop: dropout before the last layer.
    dtype: what the layers compute in.

  Returns:
    (B, T, features) float32.
  """
  b, t = x.shape[:2]
  # No norms among the patches: on a CPU they would take as long as all the rest of a step.
  x = walker_inputs.cut_patches(x.reshape(b * t, *x.shape[2:]), 4)
  x = x.reshape(b, t, *x.shape[1:])
  x = jnp.concatenate([x, x - jnp.concatenate([x[:, :1], x[:, :-1]], 1)], -1)
  # Flat, as the gradient of a dense layer over several axes takes half as long again.
  grid = (b * t, *x.shape[2:4])
  x = nn.gelu(nn.Dense(width, dtype=dtype, name='patches')(x.reshape(-1, x.shape[-1])))
  x = walker_inputs.cut_patches(x.reshape(*grid, width), 3)
  x = nn.gelu(nn.Dense(3 * width, dtype=dtype, name='blocks')(x.reshape(-1, x.shape[-1])))
  x = nn.Dense(features, dtype=dtype, name='places')(drop(x.reshape(b, t, -1)))
  moving = nn.Dense(features, dtype=dtype, name='moving')(motion)
  exact = jnp.promote_types(x.dtype, jnp.float32)
  return x.astype(exact) + moving.astype(exact)


def _mix(features: int, dtype: Any, number: int) -> nn.Dense:
  """Returns the last part of a layer over time, a layer of the calling module.

  Its kernel is zero: at first the frames' own vectors alone count.
  """
  return nn.Dense(features, kernel_init=nn.initializers.zeros, dtype=dtype, name=f'mix_{number}')


def _both_legs(x: jax.Array, outputs: int) -> jax.Array:
  """Applies the calling module's last layers: (B, T, features) -> (B, T, 2, outputs) float32."""
  small = nn.initializers.normal(0.01)
  output = nn.Dense(2 * outputs, kernel_init=small, name='output')
  x = output(nn.LayerNorm(name='norm')(x))
  return x.reshape(*x.shape[:2], 2, outputs)
