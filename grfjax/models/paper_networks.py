"""The networks of Mochizuki and Shibata (2023): the 3D CNN, without time, and with recurrence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import flax.linen as nn
import jax

from grfjax import errors
from grfjax.models import conv3d

_glorot = nn.initializers.glorot_uniform()


class PaperNetwork(nn.Module):
  """What the paper's networks share: they estimate the near leg's force at a voxel's last frame.

  Attributes:
    outputs: numbers returned for the near leg's force; 150 classes in the paper.
    channels: channels of every convolution.
    dense: units of the fully connected layer.
    dropout: rate after each pooling.
    dense_activation: 'relu' or 'softmax', of the fully connected layer.
    scaling: how the gray values are scaled; a key of `SCALINGS`.
    dtype: what all layers but the last compute in; None: that of parameters and input. Parameters
      and outputs are float32.
  """

  outputs: int = 150
  channels: int = 256
  dense: int = 128
  dropout: float = 0.3
  dense_activation: str = 'relu'
  scaling: str = 'none'
  dtype: Any = None

  legs: ClassVar[int] = 1
  label_slice: ClassVar[slice] = slice(-1, None)  # the voxel's last frame
  members: ClassVar[int] = 1
  any_length: ClassVar[bool] = True
  sees_forces: ClassVar[bool] = False


class Mochizuki3D(PaperNetwork):
  """The 3D CNN of Mochizuki and Shibata (HEALTHINFO 2023), Table II and section II-A.

  Two times [convolution, convolution, pooling, dropout], a dense layer, and the output layer's
  logits. Kernels 5 x 5 x 2 (H, W, T), 256 channels, stride 1, pooling 5 x 5 x 2 with stride 1,
  dropout 0.3, dense 128, 150 classes. At full width on (5, 40, 40, 1): 110,526,998 parameters.

  The paper leaves some points open. What is chosen here:
    Padding: without any padding the five frames run out in the second block. Here convolutions are
      padded ('SAME') and pooling is not: pooling keeps Keras's default, so only the layer that
      must depart from it does. (All padded: 272 M parameters; pooling alone padded: 28.7 M.)
    'The all-coupled layer uses Softmax': the output layer is fully connected and a classifier, so
      the softmax is taken to be its own, and lives in the cross-entropy; the 128 units get ReLU,
      as the convolutions do. `dense_activation='softmax'` is the other reading; it squeezes
      everything through 128 numbers that sum to one.
    Initialisation: Keras's defaults, Glorot uniform kernels and zero biases.
  """

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, C), T >= 3 and H, W >= 9, to (B, 1, 1, outputs); `valid` is not used."""
    x = _scaled(x, self.scaling)
    x = _blocks(x, 2, self, train)
    return _dense_and_output(x, self)


class MochizukiRecurrent(PaperNetwork):
  """`Mochizuki3D` with what the paper names as next, 'a layer of recurrent neural network'.

  After the two blocks a dense layer looks at each of the frames that are left by itself, and a
  gated recurrent unit (Cho K et al. 2014, EMNLP) runs over them; its last state goes to the output
  layer.

  `dense` is also the size of the recurrent state.
  """

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, C), T >= 3 and H, W >= 9, to (B, 1, 1, outputs); `valid` is not used."""
    x = _scaled(x, self.scaling)
    x = _blocks(x, 2, self, train)
    x = x.reshape(*x.shape[:2], -1)
    x = _activation(self.dense_activation)(
      nn.Dense(self.dense, kernel_init=_glorot, dtype=self.dtype, name='dense')(x)
    )
    states: Any = nn.RNN(nn.GRUCell(self.dense, dtype=self.dtype), name='recurrent')(x)
    x = nn.Dense(self.outputs, kernel_init=_glorot, name='output')(states[:, -1])
    return x[:, None, None, :]


class Mochizuki2D(PaperNetwork):
  """A single-image baseline: `Mochizuki3D` without the time axis, on the voxel's last frame.

  It stands for the authors' earlier report (IIPB-4-12, 2023, in Japanese), whose layer table is
  not in the 2023 paper; so it differs from the 3D network in the time axis alone, and comparing
  the two measures what time brings. At full width on 40 x 40: 38,496,534 parameters.
  """

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, C), H and W >= 9, to (B, 1, 1, outputs); `valid` is not used."""
    x = _scaled(x[:, -1:], self.scaling)
    x = _blocks(x, 1, self, train)
    return _dense_and_output(x, self)


def _motion(x: jax.Array) -> jax.Array:
  """Takes the mean of the frames out of each, times 4, about the size of gray: (B, T, H, W, C)."""
  return 4 * (x - x.mean(1, keepdims=True))


def _contrast(x: jax.Array) -> jax.Array:
  """Gives each picture the mean 0 and a standard deviation of nearly 0.25: (B, T, H, W, C)."""
  mean = x.mean((2, 3, 4), keepdims=True)
  # 0.02: the noise of a dull picture is not blown up, and one of a single gray is not 0 / 0.
  return 0.25 * (x - mean) / (x.std((2, 3, 4), keepdims=True) + 0.02)


# What is done with a voxel before the first convolution; the paper says nothing of it.
SCALINGS: dict[str, Callable[[jax.Array], jax.Array]] = {
  'none': lambda x: x,
  'motion': _motion,
  'contrast': _contrast,
}


def _scaled(x: jax.Array, scaling: str) -> jax.Array:
  """Scales voxels (B, T, H, W, C); 'motion' of a single frame is refused, as nothing is left."""
  if scaling not in SCALINGS or (scaling == 'motion' and x.shape[1] == 1):
    raise errors.InputError(
      f'scaling is {scaling!r}, expected one of {sorted(SCALINGS)}, and not motion for a network '
      'that looks at a single frame',
      code='config.model',
    )
  return SCALINGS[scaling](x)


def _blocks(x: jax.Array, span: int, network: PaperNetwork, train: bool) -> jax.Array:
  """Applies the calling module's two blocks of two convolutions, pooling and dropout.

  Args:
    x: (B, T, H, W, C).
    span: frames that a kernel and a pooling window hold.
    network: the calling module.
    train: whether dropout is at work.

  Returns:
    (B, T - 2 (span - 1), H - 8, W - 8, channels).
  """
  for block in (1, 2):
    for layer in (1, 2):
      name = f'conv{block}_{layer}'
      convolve = conv3d.Conv3D(
        network.channels, (span, 5, 5), 'SAME', dtype=network.dtype, name=name
      )
      x = nn.relu(convolve(x))
    x = conv3d.max_pool3d(x, (span, 5, 5), 'VALID')
    x = nn.Dropout(network.dropout, deterministic=not train)(x)
  return x


def _dense_and_output(x: jax.Array, network: PaperNetwork) -> jax.Array:
  """Applies the calling module's last layers: (B, ...) -> (B, 1, 1, outputs).

  The paper: 'After smoothing [flattening] ... the fully connected layer ..., and then the output
  layer'.
  """
  x = x.reshape(x.shape[0], -1)
  dense = nn.Dense(network.dense, kernel_init=_glorot, dtype=network.dtype, name='dense')
  x = _activation(network.dense_activation)(dense(x))
  x = nn.Dense(network.outputs, kernel_init=_glorot, name='output')(x)
  return x[:, None, None, :]


def _activation(name: str) -> Callable[[jax.Array], jax.Array]:
  activations = {'relu': nn.relu, 'softmax': nn.softmax}
  if name not in activations:
    raise errors.InputError(
      f'dense_activation is {name!r}, expected one of {sorted(activations)}',
      code='config.model',
    )
  return activations[name]
