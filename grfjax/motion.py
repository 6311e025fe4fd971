"""How bands of a picture move, and how their motion changes. Pure.

By Newton's second law the acceleration of the centre of mass is the total force of both feet, less
weight: the bob of head and trunk, a few hundredths of a pixel a frame, is a trace of the force.
"""

import jax
import jax.numpy as jnp
import numpy as np

STILL = 0.05  # added to the squared gradients of a band, so that an empty one does not move
SPAN = 5  # frames before and after over which a change of speed is fitted


def speeds(x: jax.Array, bands: int, valid: jax.Array | None = None) -> jax.Array:
  """How far each band of the picture has moved since the frame before.

  The displacement that best explains the change of brightness (Lucas BD, Kanade T 1981, An
  iterative image registration technique, IJCAI 81:674; one iteration, about the mean of both
  frames). True for motions below a pixel; a fast limb only shows its direction.

  Args:
    x: (B, T, H, W), H a multiple of `bands`.
    bands: the picture is cut into so many strips, one above the other.
    valid: (B, T) bool, false at frames beyond the recording's edge. There, and at a clip's first
      frame, the nearest frame's speed stands.

  Returns:
    (B, T, bands, 2) pixels a frame: down, right.
  """
  b, t, h, _ = x.shape
  if h % bands:
    raise ValueError(f'a height of {h} cannot be cut into {bands} bands')
  before = jnp.concatenate([x[:, :1], x[:, :-1]], 1)
  twice, change = x + before, x - before
  down = (twice[:, :, 2:, 1:-1] - twice[:, :, :-2, 1:-1]) / 4
  right = (twice[:, :, 1:-1, 2:] - twice[:, :, 1:-1, :-2]) / 4
  change = change[:, :, 1:-1, 1:-1]

  def total(v: jax.Array) -> jax.Array:
    rows = jnp.pad(v.sum(3), ((0, 0), (0, 0), (1, 1)))
    return rows.reshape(b, t, bands, h // bands).sum(3)

  dd, rr, dr = total(down * down) + STILL, total(right * right) + STILL, total(down * right)
  d, r = -total(change * down), -total(change * right)
  moved = jnp.stack([rr * d - dr * r, dd * r - dr * d], -1) / (dd * rr - dr * dr)[..., None]
  if valid is None:
    valid = jnp.ones((b, t), bool)
  first = jnp.argmax(valid, 1) + 1
  last = t - 1 - jnp.argmax(valid[:, ::-1], 1)
  nearest = jnp.clip(jnp.arange(t), jnp.minimum(first, last)[:, None], last[:, None])
  return jnp.take_along_axis(moved, nearest[:, :, None, None], 1)


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
