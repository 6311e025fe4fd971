"""2D convolution with 5 x 5 kernels by Winograd's minimal filtering, for many channels.

Winograd S (1980) Arithmetic complexity of computations, SIAM; Lavin A, Gray S (2016) Fast
algorithms for convolutional neural networks, CVPR, section 4. Each 4 x 4 block of the result comes
from an 8 x 8 tile of the input with 64 products a pair of channels, where the sum as it is written
takes 400. The products of all tiles are 64 matrix products, which XLA runs near the machine's peak
on a CPU, while its convolution reaches half of it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

TAPS = 5  # of a kernel, each way
BLOCK = 4  # of the result, each way
TILE = BLOCK + TAPS - 1  # of the input, each way
_POINTS = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)  # and infinity; small, so that rounding stays so


def _transforms() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns the matrices of one axis: for filter g and data d, result = a @ ((k @ g) * (t @ d)).

  They form the product of two polynomials from its values at `_POINTS`, read backwards (Toom and
  Cook).

  Returns:
    a (BLOCK, TILE), k (TILE, TAPS), t (TILE, TILE), float64.
  """

  def values(terms: int) -> np.ndarray:
    highest = np.eye(terms)[-1:]  # the value at infinity
    return np.concatenate([np.vander(_POINTS, terms, increasing=True), highest])

  k, t = values(TAPS), np.linalg.inv(values(TILE)).T
  # Any factor may move between them; matrices of like size round least.
  scale = np.sqrt(np.abs(t).max(1, keepdims=True) / np.abs(k).max(1, keepdims=True))
  return values(BLOCK).T, k * scale, t / scale


_RESULT, _KERNEL, _DATA = (np.kron(m, m).astype(np.float32) for m in _transforms())


@jax.checkpoint  # the transformed tiles are four times the input: made again rather than kept
def conv2d(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """Computes the 2D cross-correlation with stride 1 and no padding.

  Equals `jax.lax.conv_general_dilated` but for rounding: within some 1e-5 of the largest result.

  Args:
    x: (N, H, W, C) float32.
    kernel: (5, 5, C, D).

  Returns:
    (N, H - 4, W - 4, D).

  Raises:
    ValueError: the kernel is not 5 x 5.
  """
  if kernel.shape[:2] != (TAPS, TAPS):
    raise ValueError(f'found a kernel of shape {kernel.shape}, expected {TAPS} x {TAPS} taps')
  n, height, width, c = x.shape
  d = kernel.shape[-1]
  h, w = height - TAPS + 1, width - TAPS + 1
  rows, columns = -(-h // BLOCK), -(-w // BLOCK)
  tiles = _tiles(x, rows, columns)
  # Hidden from XLA, which lays constants out in a way that makes these products three times slower.
  to_result, from_kernel, from_data = jax.lax.optimization_barrier((_RESULT, _KERNEL, _DATA))
  data = (from_data @ tiles.reshape(TILE**2, -1)).reshape(TILE**2, -1, c)
  taps = (from_kernel @ kernel.reshape(TAPS**2, -1)).reshape(TILE**2, c, d)
  products = jnp.einsum('ztc,zcd->ztd', data, taps)
  y = to_result @ products.reshape(TILE**2, -1)
  y = y.reshape(BLOCK, BLOCK, n, rows, columns, d).transpose(2, 3, 0, 4, 1, 5)
  return y.reshape(n, rows * BLOCK, columns * BLOCK, d)[:, :h, :w]


def _tiles(x: jax.Array, rows: int, columns: int) -> jax.Array:
  """Cuts x (N, H, W, C) into overlapping tiles: (TILE, TILE, N, rows, columns, C)."""
  n, height, width, c = x.shape
  pad = ((0, 0), (0, (rows + 1) * BLOCK - height), (0, (columns + 1) * BLOCK - width), (0, 0))
  x = jnp.pad(x, pad).reshape(n, rows + 1, BLOCK, columns + 1, BLOCK, c)
  x = x.transpose(2, 4, 0, 1, 3, 5)  # (BLOCK, BLOCK, N, rows + 1, columns + 1, C)
  # A tile is a block with its neighbours to the right and below.
  x = jnp.concatenate([x[..., :-1, :], x[..., 1:, :]], 1)
  return jnp.concatenate([x[..., :-1, :, :], x[..., 1:, :, :]], 0)
