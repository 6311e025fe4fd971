"""How bands of a picture move, and how their motion changes: the method of Lucas and Kanade.

By Newton's second law the acceleration of the centre of mass is the total force of both feet, less
weight: the bob of head and trunk, a few hundredths of a pixel a frame, is a trace of the force.
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np

REGULARISATION = 0.05  # added to the squared gradients of a band, so that an empty one stays still
SPAN = 5  # frames before and after over which a change of speed is fitted


def speeds(x: jax.Array, bands: int, cells: int = 1, valid: jax.Array | None = None) -> jax.Array:
  """Returns how far each band of the picture, and each of its cells, moved since the last frame.

  This is the displacement that best explains the change of brightness (Lucas BD, Kanade T 1981, An
  iterative image registration technique, IJCAI 81:674; one iteration, about the mean of both
  frames). It is accurate for motions below a pixel; of a fast limb it shows the direction only.

  Args:
    x: (B, T, H, W), H a multiple of `bands`, W of `cells`.
    bands: how many strips the picture is cut into, one above the other.
    cells: how many parts a strip is cut into, side by side; 1: it is not cut.
    valid: (B, T) bool, False at frames beyond the recording's edge. There, and at a clip's first
      frame, the result is the nearest other frame's speed.

  Returns:
    (B, T, bands, 1 + cells, 2) pixels a frame: down, right. The strip as a whole comes first; it
    is the only entry, (B, T, bands, 1, 2), where there is but one cell.

  Raises:
    ValueError: the picture cannot be cut into that many bands and cells.
  """
  b, t, h, w = x.shape
  if h % bands or w % cells:
    raise ValueError(f'{h} x {w} pixels cannot be cut into {bands} bands of {cells} cells')
  before = jnp.concatenate([x[:, :1], x[:, :-1]], 1)
  edges = [min(max(1, i * h // bands), h - 1) for i in range(bands + 1)]
  sums = jnp.stack([_gradient_products(x, before, *rows) for rows in itertools.pairwise(edges)], 2)
  sums = sums.reshape(b, t, bands, cells, w // cells, 5).sum(4)
  if cells > 1:
    sums = jnp.concatenate([sums.sum(3, keepdims=True), sums], 3)
  moved = _least_squares_displacement(sums)
  if valid is None:
    valid = jnp.ones((b, t), bool)
  first = jnp.argmax(valid, 1) + 1
  last = t - 1 - jnp.argmax(valid[:, ::-1], 1)
  nearest = jnp.clip(jnp.arange(t), jnp.minimum(first, last)[:, None], last[:, None])
  return jnp.take_along_axis(moved, nearest[:, :, None, None, None], 1)


def _gradient_products(x: jax.Array, before: jax.Array, top: int, end: int) -> jax.Array:
  """Sums products of gradients and changes over the rows `top` to `end`.

  Args:
    x: (B, T, H, W).
    before: (B, T, H, W), for each frame the one before it.
    top: first row, at least 1.
    end: row after the last, at most H - 1.

  Returns:
    (B, T, W, 5): down * down, right * right, down * right, change * down, change * right, where
    'down' and 'right' are gradients of the mean of both frames; 0 in the first and last column.
  """
  # Row by row and only then along them: a CPU adds whole rows at once.
  now, then = x[:, :, top - 1 : end + 1], before[:, :, top - 1 : end + 1]
  both, change = now + then, (now - then)[:, :, 1:-1, 1:-1]
  down = (both[:, :, 2:, 1:-1] - both[:, :, :-2, 1:-1]) / 4
  right = (both[:, :, 1:-1, 2:] - both[:, :, 1:-1, :-2]) / 4
  products = (down * down, right * right, down * right, change * down, change * right)
  return jnp.pad(jnp.stack([p.sum(2) for p in products], -1), ((0, 0), (0, 0), (1, 1), (0, 0)))


def _least_squares_displacement(sums: jax.Array) -> jax.Array:
  """Solves the 2 x 2 normal equations by Cramer's rule: sums (..., 5) -> (down, right) (..., 2)."""
  dd, rr, dr, d, r = (sums[..., i] for i in range(5))
  dd, rr, d, r = dd + REGULARISATION, rr + REGULARISATION, -d, -r
  return jnp.stack([rr * d - dr * r, dd * r - dr * d], -1) / (dd * rr - dr * dr)[..., None]


def accelerations(speed: jax.Array, span: int = SPAN) -> jax.Array:
  """Returns the slope of a line fitted to the speeds around each frame (Savitzky and Golay 1964).

  Args:
    speed: (B, T, ...); before the first frame and after the last it is taken as constant.
    span: how many frames before and after are fitted.

  Returns:
    (B, T, ...), by frame.
  """
  t = speed.shape[1]
  offsets = np.arange(-span, span + 1)
  padded = jnp.pad(speed, ((0, 0), (span, span)) + ((0, 0),) * (speed.ndim - 2), mode='edge')
  weights = offsets / (offsets**2).sum()
  return jnp.asarray(sum(float(k) * padded[:, i : i + t] for i, k in enumerate(weights)))
