"""How bands of a picture move, and how their motion changes. Pure.

By Newton's second law the acceleration of the centre of mass is the total force of both feet, less
weight: the bob of head and trunk, a few hundredths of a pixel a frame, is a trace of the force.
"""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np

STILL = 0.05  # added to the squared gradients of a band, so that an empty one does not move

SPAN = 5  # frames before and after over which a change of speed is fitted


def speeds(x: jax.Array, bands: int, cells: int = 1, valid: jax.Array | None = None) -> jax.Array:
  """How far each band of the picture, and each of its cells, has moved since the frame before.

  The displacement that best explains the change of brightness (Lucas BD, Kanade T 1981, An
  iterative image registration technique, IJCAI 81:674; one iteration, about the mean of both
  frames). True for motions below a pixel; a fast limb only shows its direction.

  Args:
    x: (B, T, H, W), H a multiple of `bands`, W of `cells`.
    bands: the picture is cut into so many strips, one above the other.
    cells: a strip is cut into so many, side by side; 1: it is not.
    valid: (B, T) bool, false at frames beyond the recording's edge. There, and at a clip's first
      frame, the nearest frame's speed stands.

  Returns:
    (B, T, bands, 1 + cells, 2) pixels a frame: down, right. The strip as a whole comes first; it
    stands alone, (B, T, bands, 1, 2), where there is but one cell.
  """
  b, t, h, w = x.shape
  if h % bands or w % cells:
    raise ValueError(f'{h} x {w} pixels cannot be cut into {bands} bands of {cells} cells')
  before = jnp.concatenate([x[:, :1], x[:, :-1]], 1)

  def band(top: int, end: int) -> jax.Array:
    """Sums over rows of products of gradients and change: (B, T, W, 5)."""
    # Row by row and only then along them: a CPU adds whole rows at once.
    now, then = x[:, :, top - 1 : end + 1], before[:, :, top - 1 : end + 1]
    twice, change = now + then, (now - then)[:, :, 1:-1, 1:-1]
    down = (twice[:, :, 2:, 1:-1] - twice[:, :, :-2, 1:-1]) / 4
    right = (twice[:, :, 1:-1, 2:] - twice[:, :, 1:-1, :-2]) / 4
    products = (down * down, right * right, down * right, change * down, change * right)
    return jnp.pad(jnp.stack([p.sum(2) for p in products], -1), ((0, 0), (0, 0), (1, 1), (0, 0)))

  edges = [min(max(1, i * h // bands), h - 1) for i in range(bands + 1)]
  total = jnp.stack([band(*rows) for rows in itertools.pairwise(edges)], 2)
  total = total.reshape(b, t, bands, cells, w // cells, 5).sum(4)
  if cells > 1:
    total = jnp.concatenate([total.sum(3, keepdims=True), total], 3)
  dd, rr, dr, d, r = (total[..., i] for i in range(5))
  dd, rr, d, r = dd + STILL, rr + STILL, -d, -r
  moved = jnp.stack([rr * d - dr * r, dd * r - dr * d], -1) / (dd * rr - dr * dr)[..., None]
  if valid is None:
    valid = jnp.ones((b, t), bool)
  first = jnp.argmax(valid, 1) + 1
  last = t - 1 - jnp.argmax(valid[:, ::-1], 1)
  nearest = jnp.clip(jnp.arange(t), jnp.minimum(first, last)[:, None], last[:, None])
  return jnp.take_along_axis(moved, nearest[:, :, None, None, None], 1)


def accelerations(speed: jax.Array, span: int = SPAN) -> jax.Array:
  """Slope of a line fitted to the speeds around each frame (Savitzky and Golay 1964).

  Args:
    speed: (B, T, ...); before the first frame and after the last it is taken as constant.
    span: frames before and after.

  Returns:
    (B, T, ...), by frame.
  """
  t = speed.shape[1]
  away = np.arange(-span, span + 1)
  around = jnp.pad(speed, ((0, 0), (span, span)) + ((0, 0),) * (speed.ndim - 2), mode='edge')
  weights = away / (away**2).sum()
  return jnp.asarray(sum(float(k) * around[:, i : i + t] for i, k in enumerate(weights)))
