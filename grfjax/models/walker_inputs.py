"""What the walker networks are given of a clip: the walker alone, and how it moves."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from grfjax.models import optical_flow

BANDS, CELLS = 6, 3  # strips of the window whose motion is measured, and parts of a strip


def network_inputs(x: jax.Array, valid: jax.Array | None) -> tuple[jax.Array, jax.Array, jax.Array]:
  """Prepares a clip for the networks.

  Args:
    x: (B, T, H, W, 2) as the networks are called with.
    valid: (B, T) bool, False at frames beyond the recording's edge; None: all are valid.

  Returns:
    pictures (B, T, H / 2, W, 2) of the walker, motion (B, T, M) of its parts, and mask (B, T, 1),
    1 where a frame is valid and 0 where it is not.

  Raises:
    ValueError: H is not a multiple of 24, or W not one of 12.
  """
  if x.shape[2] % 24 or x.shape[3] % 12:
    raise ValueError(
      f'a picture must have a multiple of 24 rows and of 12 columns, but has {x.shape[2:4]}'
    )
  planes = walker_planes(x)
  # Nothing is known beyond the recording's edge, as beyond the clip's, where SAME pads with 0.
  mask = jnp.ones((*x.shape[:2], 1)) if valid is None else valid[..., None].astype(x.dtype)
  return jnp.stack([_halve_rows(plane) for plane in planes], -1), _motion(planes, valid), mask


def cut_patches(x: jax.Array, size: int) -> jax.Array:
  """Cuts pictures into squares: (N, H, W, C) -> (N, H / size, W / size, size * size * C)."""
  n, h, w, c = x.shape
  x = x.reshape(n, h // size, size, w // size, size, c).transpose(0, 1, 3, 2, 4, 5)
  return x.reshape(n, h // size, w // size, size * size * c)


def walker_planes(x: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Returns the gray of the walker alone, and where the walker is.

  Args:
    x: (B, T, H, W, 2) in -0.5 .. 0.5: gray, standardised (`grfjax.data.pictures`); how surely a
      pixel is the walker's.

  Returns:
    Two planes (B, T, H, W), kept apart, as few channels in a row vectorize badly.
  """
  gray, presence = x[..., 0], x[..., 1] + 0.5
  return presence * gray * 4, 2 * presence - 0.3


def _motion(planes: tuple[jax.Array, ...], valid: jax.Array | None) -> jax.Array:
  """Measures speeds and accelerations of bands and their cells, compressed by arcsinh.

  They are in heights of the window: a trunk's are some thousandths and ten-thousandths of it, a
  leg's a hundred times as large.

  Args:
    planes: each (B, T, H, W).
    valid: (B, T) bool, or None.

  Returns:
    (B, T, M).
  """
  height = planes[0].shape[2]
  speed = (
    jnp.stack([optical_flow.speeds(plane, BANDS, CELLS, valid) for plane in planes], -1) / height
  )
  acceleration = optical_flow.accelerations(speed)
  motion = jnp.stack([jnp.arcsinh(speed / 0.002), jnp.arcsinh(acceleration / 0.0002)], -1)
  return motion.reshape(*speed.shape[:2], -1)


def _halve_rows(x: jax.Array) -> jax.Array:
  """Averages every two rows, which makes pixels square: (B, T, H, W) -> (B, T, H / 2, W)."""
  b, t, h, w = x.shape
  return x.reshape(b, t, h // 2, 2, w).mean(3)
