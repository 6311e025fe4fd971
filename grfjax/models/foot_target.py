"""What the outputs of a network that finds feet mean, and how they are trained."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from grfjax.models import targets

MIN_FRAMES = 6  # of a leg in a clip whose mean error counts
Pair = tuple[jax.Array, jax.Array]  # (sum, count)
Array = TypeVar('Array', jax.Array, np.ndarray)
LABELS = (
  'sole', 'sole_known', 'stand', 'stand_known', 'pressure', 'pressure_known', 'height_m',
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class FeetTarget:
  """Where the sole is in the window, and where the floor presses under it.

  Four numbers of each leg and frame: how far the middle of the sole is ahead of the window's middle
  and up from its floor line, in heights of the walker as tracked; how far the centre of pressure is
  ahead of the middle of the sole, and on the near side of the line midway between the feet, in body
  heights.

  A foot on the floor stands still, and what is wanted of it is the mean over the contact. So the
  loss is the error of each frame and, beside it, that of the mean over a leg's frames of a clip.

  Attributes:
    scale: heights in an output of 1, of each of the four numbers.
    delta: error from which the loss is straight, heights; half as much for means.
    mean_weight: weights of the means in the loss.
    margin: the window's height in heights of the walker.
    floor: its floor line's distance from its lower edge, in its heights.
    wide: width of its pixels over their height.
  """

  scale: tuple[float, ...] = (0.2, 0.05, 0.05, 0.04)
  delta: float = 0.004
  mean_weight: tuple[float, ...] = (1.0, 1.0, 0.0, 1.0)
  margin: float = 1.15
  floor: float = 0.05
  wide: int = 2

  @property
  def outputs(self) -> int:
    return len(self.scale)

  def decode(self, outputs: Array) -> Array:
    """Returns the four numbers, heights: (..., 4) -> (..., 4)."""
    return outputs * np.array(self.scale, outputs.dtype)

  def to_pixels(self, sole: jax.Array, size: tuple[int, int]) -> jax.Array:
    """Returns the column and row, from the window's edges, of soles (..., 2) ahead and up.

    Args:
      sole: heights.
      size: rows and columns of the window.
    """
    pixel = self.margin / size[0]
    column = size[1] / 2 + sole[..., 0] / (self.wide * pixel)
    return jnp.stack([column, (1 - self.floor) * size[0] - sole[..., 1] / pixel], -1)

  def from_pixels(self, place: jax.Array, size: tuple[int, int]) -> jax.Array:
    """The inverse of `to_pixels`."""
    pixel = self.margin / size[0]
    ahead = (place[..., 0] - size[1] / 2) * (self.wide * pixel)
    return jnp.stack([ahead, ((1 - self.floor) * size[0] - place[..., 1]) * pixel], -1)

  def loss(self, outputs: jax.Array, batch: Any) -> tuple[jax.Array, dict[str, Pair]]:
    """Returns the loss of a batch, % of height, and (sum, count) pairs for the log.

    Args:
      outputs: (B, T, 2, 4).
      batch: with `LABELS`: 'sole' (B, T, 2, 2) heights; 'stand' and 'pressure' (B, T, 2, 2) metres;
        what of them is known (B, T, 2); 'height_m' (B,), 0 where it is not known.
    """
    error, known = self._errors(outputs, batch)
    frames = known.sum((0, 1, 2))
    size = jnp.where(known, targets.smooth_error(error, self.delta), 0).sum((0, 1, 2))
    each = size / jnp.maximum(frames, 1)
    count = known.sum(1)
    mean = jnp.where(known, error, 0).sum(1) / jnp.maximum(count, 1)
    counts = count >= MIN_FRAMES
    means = jnp.where(counts, targets.smooth_error(mean, self.delta / 2), 0).sum((0, 1))
    means = means / jnp.maximum(counts.sum((0, 1)), 1)
    loss = 100 * (each.sum() + (means * jnp.array(self.mean_weight, means.dtype)).sum())
    absolute = 100 * jnp.where(known, jnp.abs(error), 0).sum((0, 1, 2))
    names = ('sole_ahead', 'sole_up', 'pressure_ahead', 'pressure_aside')
    metrics = {
      f'{name}_pct_bh': (absolute[k], frames[k].astype(loss.dtype)) for k, name in enumerate(names)
    }
    return loss, {'loss': (loss, jnp.ones((), loss.dtype)), **metrics}

  def _errors(self, outputs: jax.Array, batch: Any) -> tuple[jax.Array, jax.Array]:
    """Returns errors (B, T, 2, 4) in heights, and which of them count, likewise."""
    tall = batch['height_m'][:, None, None]
    pressed = batch['pressure_known'] & (tall > 0)
    tall = jnp.where(tall > 0, tall, 1)
    forward, near_side = jnp.moveaxis(batch['pressure'], -1, 0)
    # The line midway between the feet, which both must show.
    count = pressed.sum(1)
    middle = jnp.where(pressed, near_side, 0).sum(1) / jnp.maximum(count, 1)
    both = (count >= MIN_FRAMES).all(-1)[:, None, None]
    aside = (near_side - middle.mean(-1)[:, None, None]) / tall
    ahead = (forward - batch['stand'][..., 0]) / tall
    wanted = jnp.concatenate([batch['sole'], jnp.stack([ahead, aside], -1)], -1)
    known = jnp.stack(
      [batch['sole_known'], batch['sole_known'], pressed & batch['stand_known'], pressed & both], -1
    )
    return jnp.where(known, self.decode(outputs) - wanted, 0), known
