"""Networks for clips that follow the walker: convolutional, recurrent, and their mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, cast

import flax.linen as nn
import jax
import jax.numpy as jnp

from grfjax.models import optical_flow, random_bits

BANDS, CELLS = 6, 3  # strips of the window that move on their own, and their parts


class Convolutional(nn.Module):
  """Both legs' forces at every frame of a clip that follows the walker.

  Each frame becomes a vector on its own: gray, the difference to the background and their change
  from the frame before, cut into patches of 4 x 4, then 3 x 3 of these, by dense layers alone (on
  a CPU matrix products are several times faster than convolutions over few channels), then all
  places together. Dilated convolutions over time then join the vectors of about a step.

  Gray counts where the picture differs from the background, so that the room does not matter.

  Beside the patches stands how bands of the picture move and accelerate
  (`grfjax.models.optical_flow`): the
  centre of mass's acceleration is the total force, and a network that is shown it learns in a
  fraction of the steps. That is measured in the picture as it is, whose pixels are half as high as
  wide, as the bob of a trunk is a matter of hundredths of a pixel; the patches see square ones.

  Attributes:
    outputs: numbers out for each leg and frame.
    width: channels of the first patches; the second have three times as many.
    features: length of a frame's vector.
    dilations: of the temporal convolutions (two frames further each way for every unit).
    dropout: the rate before each temporal layer.
  """

  outputs: int = 3
  width: int = 64
  features: int = 128
  dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4)
  dropout: float = 0.2

  legs: ClassVar[int] = 2
  label_slice: ClassVar[slice] = slice(None)
  members: ClassVar[int] = 1
  bounded: ClassVar[bool] = True

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, 2), H a multiple of 24, W of 12, to (B, T, 2, outputs)."""
    x, moving, seen = _views(x, valid)
    body = ConvolutionalBody(
      self.outputs, self.width, self.features, self.dilations, self.dropout, name='body'
    )
    return body(x, moving, seen, train=train)


class ConvolutionalBody(nn.Module):
  """What `Convolutional` learns: pictures and their motion in, numbers out. Attributes as there."""

  outputs: int
  width: int
  features: int
  dilations: tuple[int, ...]
  dropout: float

  @nn.compact
  def __call__(self, x: jax.Array, moving: jax.Array, seen: jax.Array, *, train: bool) -> jax.Array:
    """Maps (B, T, H, W, C), (B, T, M) and (B, T, 1) of 0 or 1 to (B, T, 2, outputs)."""
    b = x.shape[0]
    if train:
      seeds = jax.random.bits(self.make_rng('dropout'), (1 + len(self.dilations), 2, b))

    def drop(h: jax.Array, layer: int) -> jax.Array:
      return random_bits.dropout(seeds[layer], h, self.dropout) if train else h

    x = _frames(x, moving, self.width, self.features, lambda h: drop(h, -1))
    for k, dilation in enumerate(self.dilations):
      h = nn.LayerNorm(name=f'norm_{k}')(x) * seen
      convolve = nn.Conv(self.features, (3,), kernel_dilation=dilation, name=f'conv_{k}')
      h = drop(nn.gelu(convolve(h)), k)
      # Begins at zero: at first the frames' own vectors alone count.
      x = x + nn.Dense(self.features, kernel_init=nn.initializers.zeros, name=f'mix_{k}')(h)
    return _both_legs(x, self.outputs)


class Recurrent(nn.Module):
  """A 3D CNN and a recurrent layer: the improvement that the paper's conclusion names.

  Each frame becomes a vector as in `Convolutional`, whose patches are strided 3D convolutions (2
  frames of 4 x 4 pixels, then 3 x 3 of these). Gated recurrent units (Cho K et al. 2014, EMNLP)
  then run over the clip forwards and backwards, as the whole walk is there when it is estimated,
  and what they remember is added to the frames' vectors. What is remembered has no end, so an
  estimate depends, a little, on where the clip begins.

  Attributes:
    outputs: numbers out for each leg and frame.
    width: channels of the first patches; the second have three times as many.
    features: length of a frame's vector, and of the recurrent state in either direction.
    layers: of recurrent units, one after the other.
    dropout: the rate before each layer.
  """

  outputs: int = 3
  width: int = 32
  features: int = 128
  layers: int = 2
  dropout: float = 0.1

  legs: ClassVar[int] = 2
  label_slice: ClassVar[slice] = slice(None)
  members: ClassVar[int] = 1
  bounded: ClassVar[bool] = False

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, 2), H a multiple of 24, W of 12, to (B, T, 2, outputs)."""
    x, moving, seen = _views(x, valid)

    def drop(h: jax.Array) -> jax.Array:
      return nn.Dropout(self.dropout, deterministic=not train)(h)

    x = _frames(x, moving, self.width, self.features, drop)
    for k in range(self.layers):
      h = drop(nn.LayerNorm(name=f'norm_{k}')(x) * seen)
      ways = []
      for name, back in (('forwards', False), ('backwards', True)):
        units = nn.RNN(nn.GRUCell(self.features, name=f'{name}_{k}'), reverse=back, keep_order=True)
        ways.append(cast(jax.Array, units(h)))
      mix = nn.Dense(self.features, kernel_init=nn.initializers.zeros, name=f'mix_{k}')
      x = x + mix(jnp.concatenate(ways, -1))
    return _both_legs(x, self.outputs)


class Walker(nn.Module):
  """The mean of `Convolutional` and `Recurrent`, which err on different people and frames.

  Attributes:
    outputs: numbers out for each leg and frame.
    width: channels of the first patches of either.
    features: length of a frame's vector in either.
    dropout: the rate before each layer of either.
  """

  outputs: int = 3
  width: int = 32
  features: int = 128
  dropout: float = 0.1

  legs: ClassVar[int] = 2
  label_slice: ClassVar[slice] = slice(None)
  members: ClassVar[int] = 2
  bounded: ClassVar[bool] = False

  @nn.compact
  def __call__(self, x: jax.Array, *, train: bool, valid: jax.Array | None = None) -> jax.Array:
    """Maps (B, T, H, W, 2) as its members do to (B, T, 2, outputs), if not in training."""
    one = Convolutional(
      self.outputs, self.width, self.features, dropout=self.dropout, name='convolutional'
    )(x, train=train, valid=valid)
    other = Recurrent(
      self.outputs, self.width, self.features, dropout=self.dropout, name='recurrent'
    )(x, train=train, valid=valid)
    return jnp.concatenate([one, other]) if train else (one + other) / 2


def _views(x: jax.Array, valid: jax.Array | None) -> tuple[jax.Array, jax.Array, jax.Array]:
  """A clip as the networks see it: the walker (B, T, H, W, 2), how it moves, what is known.

  Raises:
    ValueError: height is no multiple of 24, or width none of 12.
  """
  if x.shape[2] % 24 or x.shape[3] % 12:
    raise ValueError(f'height must be a multiple of 24, width of 12; they are {x.shape[2:4]}')
  planes = _figure(x)
  # Nothing is known beyond the recording's edge, as beyond the clip's, where SAME pads with 0.
  seen = jnp.ones((*x.shape[:2], 1)) if valid is None else valid[..., None].astype(x.dtype)
  return jnp.stack([_halved(plane) for plane in planes], -1), _movement(planes, valid), seen


def _frames(
  x: jax.Array,
  moving: jax.Array,
  width: int,
  features: int,
  drop: Callable[[jax.Array], jax.Array],
) -> jax.Array:
  """Each frame, and its change from the one before, as a vector: layers of the calling module.

  Maps (B, T, H, W, C) and (B, T, M) to (B, T, features).
  """
  b, t = x.shape[:2]
  # No norms among the patches: on a CPU they would take as long as all the rest of a step.
  x = _patches(x.reshape(b * t, *x.shape[2:]), 4)
  x = x.reshape(b, t, *x.shape[1:])
  x = jnp.concatenate([x, x - jnp.concatenate([x[:, :1], x[:, :-1]], 1)], -1)
  # Flat, as the gradient of a dense layer over several axes takes half as long again.
  places = (b * t, *x.shape[2:4])
  x = nn.gelu(nn.Dense(width, name='patches')(x.reshape(-1, x.shape[-1])))
  x = _patches(x.reshape(*places, width), 3)
  x = nn.gelu(nn.Dense(3 * width, name='blocks')(x.reshape(-1, x.shape[-1])))
  x = nn.Dense(features, name='places')(drop(x.reshape(b, t, -1)))
  return x + nn.Dense(features, name='moving')(moving)


def _both_legs(x: jax.Array, outputs: int) -> jax.Array:
  """(B, T, features) -> (B, T, 2, outputs): the last layers of the calling module."""
  small = nn.initializers.normal(0.01)
  x = nn.Dense(2 * outputs, kernel_init=small, name='output')(nn.LayerNorm(name='norm')(x))
  return x.reshape(*x.shape[:2], 2, outputs)


def _figure(x: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Gray of the walker alone; and where the walker is.

  Args:
    x: (B, T, H, W, 2) in -0.5 .. 0.5: gray, standardised (`clips.standardized`); how surely a
      pixel is the walker's.

  Returns:
    Two planes (B, T, H, W): kept apart, as few channels in a row vectorize badly.
  """
  gray, here = x[..., 0], x[..., 1] + 0.5
  return here * gray * 4, 2 * here - 0.3


def _movement(planes: tuple[jax.Array, ...], valid: jax.Array | None) -> jax.Array:
  """Planes (B, T, H, W) -> (B, T, M): speeds, accelerations of bands and their cells; compressed.

  In heights of the window: a trunk's are some thousandths and ten-thousandths of it, a leg's a
  hundred times as large.
  """
  height = planes[0].shape[2]
  speed = (
    jnp.stack([optical_flow.speeds(plane, BANDS, CELLS, valid) for plane in planes], -1) / height
  )
  acceleration = optical_flow.accelerations(speed)
  both = jnp.stack([jnp.arcsinh(speed / 0.002), jnp.arcsinh(acceleration / 0.0002)], -1)
  return both.reshape(*speed.shape[:2], -1)


def _halved(x: jax.Array) -> jax.Array:
  """(B, T, H, W) -> (B, T, H / 2, W): the mean of every two rows, whose pixels are square."""
  b, t, h, w = x.shape
  return x.reshape(b, t, h // 2, 2, w).mean(3)


def _patches(x: jax.Array, size: int) -> jax.Array:
  """(N, H, W, C) -> (N, H / size, W / size, size * size * C)."""
  n, h, w, c = x.shape
  x = x.reshape(n, h // size, size, w // size, size, c).transpose(0, 1, 3, 2, 4, 5)
  return x.reshape(n, h // size, w // size, size * size * c)
