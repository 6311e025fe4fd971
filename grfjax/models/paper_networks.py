"""The networks of Mochizuki and Shibata (2023): the 3D CNN, and the same without time."""

from __future__ import annotations

from typing import ClassVar

import flax.linen as nn
import jax

from grfjax import errors
from grfjax.models import conv3d

_glorot = nn.initializers.glorot_uniform()


class Mochizuki3D(nn.Module):
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

  Attributes:
    outputs: numbers returned for the near leg's force; 150 classes in the paper.
    channels: channels of every convolution.
    dense: units of the fully connected layer.
    dropout: rate after each pooling.
    dense_activation: 'relu' or 'softmax', of the fully connected layer.
  """

  outputs: int = 150
  channels: int = 256
  dense: int = 128
  dropout: float = 0.3
  dense_activation: str = 'relu'

  legs: ClassVar[int] = 1
  label_slice: ClassVar[slice] = slice(-1, None)  # the voxel's last frame
  members: ClassVar[int] = 1
  bounded: ClassVar[bool] = True

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, C), T >= 3 and H, W >= 9, to (B, 1, 1, outputs); `valid` is not used."""
    for block in (1, 2):
      for layer in (1, 2):
        name = f'conv{block}_{layer}'
        x = nn.relu(conv3d.Conv3D(self.channels, (2, 5, 5), 'SAME', name=name)(x))
      x = conv3d.max_pool3d(x, (2, 5, 5), 'VALID')
      x = nn.Dropout(self.dropout, deterministic=not train)(x)
    return _dense_and_output(x, self.dense, self.outputs, self.dense_activation)


class Mochizuki2D(nn.Module):
  """A single-image baseline: `Mochizuki3D` without the time axis, on the voxel's last frame.

  It stands for the authors' earlier report (IIPB-4-12, 2023, in Japanese), whose layer table is
  not in the 2023 paper; so it differs from the 3D network in the time axis alone, and comparing
  the two measures what time brings. At full width on 40 x 40: 38,496,534 parameters.

  Attributes: as in `Mochizuki3D`.
  """

  outputs: int = 150
  channels: int = 256
  dense: int = 128
  dropout: float = 0.3
  dense_activation: str = 'relu'

  legs: ClassVar[int] = 1
  label_slice: ClassVar[slice] = slice(-1, None)
  members: ClassVar[int] = 1
  bounded: ClassVar[bool] = True

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, C), H and W >= 9, to (B, 1, 1, outputs); `valid` is not used."""
    x = x[:, -1:]
    for block in (1, 2):
      for layer in (1, 2):
        name = f'conv{block}_{layer}'
        x = nn.relu(conv3d.Conv3D(self.channels, (1, 5, 5), 'SAME', name=name)(x))
      x = conv3d.max_pool3d(x, (1, 5, 5), 'VALID')
      x = nn.Dropout(self.dropout, deterministic=not train)(x)
    return _dense_and_output(x, self.dense, self.outputs, self.dense_activation)


def _dense_and_output(x: jax.Array, dense: int, outputs: int, activation: str) -> jax.Array:
  """Applies the calling module's last layers: (B, ...) -> (B, 1, 1, outputs).

  The paper: 'After smoothing [flattening] ... the fully connected layer ..., and then the output
  layer'.
  """
  activations = {'relu': nn.relu, 'softmax': nn.softmax}
  if activation not in activations:
    raise errors.InputError(
      f'dense_activation is {activation!r}, expected one of {sorted(activations)}',
      code='config.model',
    )
  x = x.reshape(x.shape[0], -1)
  x = activations[activation](nn.Dense(dense, kernel_init=_glorot, name='dense')(x))
  x = nn.Dense(outputs, kernel_init=_glorot, name='output')(x)
  return x[:, None, None, :]
