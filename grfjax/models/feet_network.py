"""A network that finds the feet: where each stands, and where the floor presses under it."""

from __future__ import annotations

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from grfjax.models import random_bits, walker_inputs

CELL_ROWS, CELL_COLUMNS = 8, 4  # pixels of a patch, which is square, as a pixel is half as high
LOADED_BW = 0.05  # a leg that carries more is in stance
FORCE_UNITS_BW = (1.0, 0.2, 0.1)  # of (vertical, forward, near side), which makes them alike


class Feet(nn.Module):
  """Estimates where the feet are from the lower half of the window and both legs' forces.

  Each frame's lower half is cut into patches of 8 x 4 pixels (of gray and the difference to the
  background, and their change from the frame before), which dense layers turn into a vector; the
  forces, which say which leg carries, are added. Dilated layers over time then join the vectors of
  about a step. They are dense layers of moved frames: on a CPU faster than convolutions.

  Attributes:
    outputs: numbers returned for each leg and frame.
    width: channels of a patch.
    features: length of a frame's vector.
    dilations: of the layers over time, one each.
    dropout: rate before the dense layers of places and of time.
    dtype: what all dense layers but the last compute in; None: that of parameters and input.
  """

  outputs: int = 4
  width: int = 48
  features: int = 160
  dilations: tuple[int, ...] = (1, 2, 4, 8, 1, 2, 4)
  dropout: float = 0.1
  dtype: Any = None

  legs: ClassVar[int] = 2
  label_slice: ClassVar[slice] = slice(None)
  members: ClassVar[int] = 1
  any_length: ClassVar[bool] = True
  sees_forces: ClassVar[bool] = True

  @nn.compact
  def __call__(
    self, x: jax.Array, *, force: jax.Array, train: bool, valid: jax.Array | None = None
  ) -> jax.Array:
    """Finds the feet.

    Args:
      x: (B, T, H, W, 2) as the networks are called with; H a multiple of 16, W of 4.
      force: (B, T, 2, 3) body weights, leg (near, far); 0 where not known.
      train: whether layers drop out.
      valid: (B, T) bool, False at frames beyond the recording's edge; None: all are valid.

    Returns:
      (B, T, 2, outputs) float32.
    """
    b, t = x.shape[:2]
    mask = jnp.ones((b, t, 1)) if valid is None else valid[..., None].astype(x.dtype)
    if train:
      seeds = jax.random.bits(self.make_rng('dropout'), (1 + len(self.dilations), 2, b))

    def drop(h: jax.Array, layer: int) -> jax.Array:
      return random_bits.dropout(seeds[layer], h, self.dropout) if train else h

    patches = _patches(x[:, :, x.shape[2] // 2 :])
    before = jnp.concatenate([patches[:, :1], patches[:, :-1]], 1)
    h = jnp.concatenate([patches, patches - before], -1)
    h = nn.gelu(nn.Dense(self.width, dtype=self.dtype, name='patches')(h)).reshape(b, t, -1)
    h = nn.Dense(self.features, dtype=self.dtype, name='places')(drop(h, -1))
    in_stance = (force[..., 0] > LOADED_BW).astype(x.dtype)
    loads = (force / jnp.array(FORCE_UNITS_BW, force.dtype)).reshape(b, t, -1)
    loads = jnp.concatenate([loads, in_stance], -1)
    h = h + nn.Dense(self.features, dtype=self.dtype, name='loads')(loads)
    for k, dilation in enumerate(self.dilations):
      y = nn.LayerNorm(name=f'norm_{k}')(h) * mask
      padded = jnp.pad(y, ((0, 0), (dilation, dilation), (0, 0)))
      y = jnp.concatenate([padded[:, :t], y, padded[:, 2 * dilation :]], -1)
      y = nn.gelu(nn.Dense(self.features, dtype=self.dtype, name=f'time_{k}')(y))
      mix = nn.Dense(
        self.features, kernel_init=nn.initializers.zeros, dtype=self.dtype, name=f'mix_{k}'
      )
      h = h + mix(drop(y, k))
    output = nn.Dense(2 * self.outputs, kernel_init=nn.initializers.normal(0.01), name='output')
    exact = jnp.promote_types(h.dtype, jnp.float32)
    return output(nn.LayerNorm(name='norm')(h.astype(exact))).reshape(b, t, 2, self.outputs)


def _patches(x: jax.Array) -> jax.Array:
  """Cuts pictures (B, T, H, W, 2) into patches: (B, T, patches, pixels)."""
  b, t, h, w, _ = x.shape
  planes = jnp.stack(walker_inputs.walker_planes(x), -1)
  rows, columns = h // CELL_ROWS, w // CELL_COLUMNS
  planes = planes.reshape(b, t, rows, CELL_ROWS, columns, CELL_COLUMNS, 2)
  return planes.transpose(0, 1, 2, 4, 3, 5, 6).reshape(b, t, rows * columns, -1)
