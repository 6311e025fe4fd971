"""Random changes of a training batch, on the device: pure functions of (key, batch).

Every augmentation is drawn anew for each clip from a key derived from its own name, so that adding
or removing one leaves the others' draws alone. A strength of 0 takes the augmentation out of the
program: the batch comes back bit for bit.

Labels change with `jitter`, which moves them with the frames, and where soles are in the picture
moves with it. `force_gain`, `force_noise` and `force_drop` are for networks that are shown forces.
Nothing here swaps legs or turns axes: near, far and the near side are the camera's, forward is the
walker's, and a mirrored picture keeps them all (flipping a picture changes neither near and far nor
forward).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from grfjax import errors
from grfjax.models import random_bits

Batch = dict[str, jax.Array]


def augment(
  key: jax.Array,
  batch: Batch,
  *,
  shift: float = 0.0,
  scale: float = 0.0,
  rotation: float = 0.0,
  gain: float = 0.0,
  bias: float = 0.0,
  noise: float = 0.0,
  erase: float = 0.0,
  erase_size: float = 0.3,
  jitter: float = 0.0,
  mirror: float = 0.0,
  force_gain: float = 0.0,
  force_noise: float = 0.0,
  force_drop: float = 0.0,
  photometric_channels: Sequence[int] = (0,),
) -> Batch:
  """Changes each clip at random; all strengths are Python numbers, fixed at compilation.

  Args:
    key: a random key, used up.
    batch: 'voxel' (B, T, H, W, C) float in [0, 1]; where present, 'force' (B, T, 2, 3), 'known'
      (B, T, 2), 'contact' (B, T, 2), 'time_s' (B, T), 'frame' (B, T), 'sole' (B, T, 2, 2), column
      and row from the picture's edges, 'pressure' and 'stand' (B, T, 2, 2), and what of these three
      is known (B, T, 2). Others pass through.
    shift: pixels; each axis moves by up to this much either way.
    scale: size changes by a factor of 1 - scale .. 1 + scale, about the centre.
    rotation: degrees, either way, about the centre.
    gain: contrast: the value is multiplied by 1 - gain .. 1 + gain.
    bias: brightness: -bias .. bias is added.
    noise: standard deviation of white noise, 0 .. noise for each clip, in all channels.
    erase: probability that a clip loses a rectangle, which gets the clip's mean.
    erase_size: largest side of that rectangle, as a part of the picture's.
    jitter: speed changes by a factor of 1 - jitter .. 1 + jitter about a random moment. Forces
      keep their size, though a faster walk has larger peaks: keep this small.
    mirror: probability of a flip left to right; windows normally face one way, so rarely wanted.
    force_gain: standard deviation by which the forces of a leg are stronger or weaker.
    force_noise: standard deviation of white noise, BW, that is added to forces where there are any.
    force_drop: probability that a leg's forces are withheld from a clip: 0.
    photometric_channels: those that `gain` and `bias` concern (gray values, not differences).

  Returns:
    The batch, with the same keys, shapes and types; 'voxel' within [0, 1].

  Raises:
    errors.InputError: a strength is outside its range.
    ValueError: the voxel is not (B, T, H, W, C) of a floating type.
  """
  _check_voxel(batch['voxel'])
  _check_strengths({'shift': shift, 'rotation': rotation, 'bias': bias, 'noise': noise})
  _check_strengths({'gain': gain, 'erase': erase, 'erase_size': erase_size, 'mirror': mirror}, 1)
  _check_strengths({'scale': scale, 'jitter': jitter}, 1, exclusive=True)
  _check_strengths({'force_gain': force_gain, 'force_noise': force_noise})
  _check_strengths({'force_drop': force_drop}, 1)
  batch = dict(batch)
  count = batch['voxel'].shape[0]
  # Of the original clip, as XLA would sample a moved voxel twice for it.
  means = _channel_means(batch['voxel'])
  if jitter:
    rate = 1 + jitter * _uniform(key, 'jitter', (count,), -1, 1)
    batch = resample_time(batch, rate, _uniform(key, 'jitter pivot', (count,), 0, 1))
  x = batch['voxel']
  if mirror:
    flip = _uniform(key, 'mirror', (count, 1, 1, 1, 1), 0, 1) < mirror
    x = jnp.where(flip, x[..., ::-1, :], x)
    if 'sole' in batch:
      column, row = jnp.moveaxis(batch['sole'], -1, 0)
      batch['sole'] = jnp.stack([jnp.where(flip[..., 0], x.shape[3] - column, column), row], -1)
  if shift or scale or rotation:
    x, batch = _move(key, x, batch, shift, scale, rotation)
  if force_gain or force_noise or force_drop:
    batch['force'] = _change_forces(key, batch['force'], force_gain, force_noise, force_drop)
  if erase:
    x = _erase(x, means, _uniform(key, 'erase', (count, 5), 0, 1), erase, erase_size)
  if gain or bias or noise:
    x = _change_values(key, x, gain, bias, noise, photometric_channels)
  return {**batch, 'voxel': x}


def _move(
  key: jax.Array, x: jax.Array, batch: Batch, shift: float, scale: float, rotation: float
) -> tuple[jax.Array, Batch]:
  """Moves, scales and turns each clip at random; strengths as in `augment`, not all 0.

  Returns:
    The moved clips, and the batch with the soles moved likewise.
  """
  count = x.shape[0]
  shifts = shift * _uniform(key, 'shift', (count, 2), -1, 1)
  scales = 1 + scale * _uniform(key, 'scale', (count,), -1, 1)
  angles = jnp.zeros(count)
  if rotation:
    angles = jnp.deg2rad(rotation) * _uniform(key, 'rotation', (count,), -1, 1)
  if 'sole' in batch:
    sole = _moved_points(batch['sole'], x.shape[2:4], shifts, scales, angles)
    batch = {**batch, 'sole': sole}
  if not rotation:
    return shift_and_scale(x, shift=shifts, scale=scales), batch
  return affine(x, shift=shifts, scale=scales, rotation=angles), batch


def _moved_points(
  points: jax.Array, size: tuple[int, ...], shift: jax.Array, scale: jax.Array, rotation: jax.Array
) -> jax.Array:
  """Returns where `affine` moves points (B, T, N, 2), columns and rows from the picture's edges."""
  middle = jnp.array([size[1] / 2, size[0] / 2])
  right, down = jnp.moveaxis(points - middle, -1, 0)
  cos, sin = ((scale * f(rotation))[:, None, None] for f in (jnp.cos, jnp.sin))
  moved = jnp.stack([cos * right - sin * down, sin * right + cos * down], -1)
  return moved + middle + shift[:, None, None, ::-1]


def _change_forces(
  key: jax.Array, force: jax.Array, gain: float, noise: float, drop: float
) -> jax.Array:
  """Changes what is shown of the forces (B, T, legs, axes) at random; strengths as in `augment`."""
  count, _, legs, _ = force.shape
  normal = jax.random.normal(_named_key(key, 'force gain'), (count, 1, legs, 1))
  carries = force[..., :1] > 0
  white = _white_noise(_named_key(key, 'force noise'), force.shape)
  changed = force * (1 + gain * normal) + noise * carries * white
  kept = _uniform(key, 'force drop', (count, 1, legs, 1), 0, 1) >= drop
  return jnp.where(kept, changed, 0)


def _change_values(
  key: jax.Array, x: jax.Array, gain: float, bias: float, noise: float, channels: Sequence[int]
) -> jax.Array:
  """Changes contrast and brightness and adds noise at random; strengths as in `augment`."""
  count = x.shape[0]
  if gain or bias:
    x = photometric(
      x,
      gain=1 + gain * _uniform(key, 'gain', (count,), -1, 1),
      bias=bias * _uniform(key, 'bias', (count,), -1, 1),
      channels=channels,
    )
  if noise:
    sd = noise * _uniform(key, 'noise', (count, 1, 1, 1, 1), 0, 1)
    x = x + sd * _white_noise(_named_key(key, 'noise field'), x.shape)
  return jnp.clip(x, 0, 1)


def shift_and_scale(x: jax.Array, *, shift: jax.Array, scale: jax.Array) -> jax.Array:
  """Does what `affine` does without rotation, as two small matrix products: of rows, of columns.

  Inside a training step these leave each channel by itself in memory, as networks want it; the
  lookups of `affine` alone are faster, but what reads their result is several times slower.

  Args:
    x: (B, T, H, W, C).
    shift: (B, 2) pixels (down, right), of the content.
    scale: (B,) factor; above 1 the content grows.
  """
  row_weights = _interpolation_weights(x.shape[2], shift[:, 0], scale).astype(x.dtype)
  column_weights = _interpolation_weights(x.shape[3], shift[:, 1], scale).astype(x.dtype)
  exact = jax.lax.Precision.HIGHEST
  planes = [
    jnp.einsum('bih,bthj->btij', row_weights, columns, precision=exact)
    for columns in (
      jnp.einsum('bthw,bjw->bthj', x[..., c], column_weights, precision=exact)
      for c in range(x.shape[-1])
    )
  ]
  return jnp.stack(planes, -1)


def _interpolation_weights(count: int, shift: jax.Array, scale: jax.Array) -> jax.Array:
  """Returns how much each pixel (last axis) of a line counts for each pixel of the moved line.

  Args:
    count: N, pixels of the line.
    shift: (B,) pixels.
    scale: (B,) factor about the line's centre.

  Returns:
    (B, N, N).
  """
  position = jnp.arange(count) - (count - 1) / 2
  source = (position - shift[:, None]) / scale[:, None] + (count - 1) / 2
  source = jnp.clip(source, 0, count - 1)
  return jnp.maximum(0, 1 - jnp.abs(source[:, :, None] - jnp.arange(count)))


def affine(x: jax.Array, *, shift: jax.Array, scale: jax.Array, rotation: jax.Array) -> jax.Array:
  """Moves, scales and turns each clip by one bilinear sampling; outside it the edge is repeated.

  Four lookups of whole pixels (all frames and channels in a row) and their weighted sum: 3 to 5 ms
  for (8, 40, 48, 48, 3) on two cores, where two interpolation matrices take 13 or more.

  Args:
    x: (B, T, H, W, C), H and W >= 2.
    shift: (B, 2) pixels (down, right), of the content.
    scale: (B,) factor; above 1 the content grows.
    rotation: (B,) radians; positive turns the content from right to down (clockwise).
  """
  b, t, h, w, c = x.shape
  row = (jnp.arange(h, dtype=x.dtype) - (h - 1) / 2)[:, None] - shift[:, 0, None, None]
  column = (jnp.arange(w, dtype=x.dtype) - (w - 1) / 2)[None, :] - shift[:, 1, None, None]
  cos = (jnp.cos(rotation) / scale)[:, None, None]
  sin = (jnp.sin(rotation) / scale)[:, None, None]
  # Where each pixel comes from, by the inverse map: (B, H, W).
  source_row = jnp.clip(cos * row - sin * column + (h - 1) / 2, 0, h - 1)
  source_column = jnp.clip(sin * row + cos * column + (w - 1) / 2, 0, w - 1)
  top = jnp.minimum(source_row.astype(jnp.int32), h - 2)
  left = jnp.minimum(source_column.astype(jnp.int32), w - 2)
  down, right = source_row - top, source_column - left
  pixels = x.transpose(0, 2, 3, 1, 4).reshape(b, h * w, t * c)
  first = (top * w + left).reshape(b, h * w)
  corners = (
    (0, (1 - down) * (1 - right)), (1, (1 - down) * right), (w, down * (1 - right)),
    (w + 1, down * right),
  )  # fmt: skip
  sampled = sum(
    _take(pixels, first + step) * weight.reshape(b, h * w, 1) for step, weight in corners
  )
  return jnp.asarray(sampled).reshape(b, h, w, t, c).transpose(0, 3, 1, 2, 4)


def photometric(
  x: jax.Array, *, gain: jax.Array, bias: jax.Array, channels: Sequence[int]
) -> jax.Array:
  """Returns gain * x + bias in the given channels: (B, T, H, W, C), (B,), (B,)."""
  chosen = np.zeros(x.shape[-1], bool)
  chosen[list(channels)] = True
  gain, bias = (jnp.asarray(v)[:, None, None, None, None] for v in (gain, bias))
  return jnp.where(chosen, gain * x + bias, x)


def resample_time(batch: Batch, rate: jax.Array, pivot: jax.Array) -> Batch:
  """Plays each clip at another speed, by linear interpolation of frames, forces and times.

  A label is known where all frames that it is made of are, and where it lies within the clip; a
  clip played faster runs out, and its end frames are repeated with nothing known. Contact and frame
  number are the nearest frame's.

  Args:
    batch: as in `augment`.
    rate: (B,) speed factor.
    pivot: (B,) the moment that stays, as a part of the clip's length, 0 .. 1.
  """
  x = batch['voxel']
  frames = x.shape[1]
  fixed = pivot[:, None] * (frames - 1)
  source = fixed + (jnp.arange(frames) - fixed) * rate[:, None]  # (B, T) in frames
  inside = (source > -1e-4) & (source < frames - 1 + 1e-4)  # rounding is not running out
  source = jnp.clip(source, 0, frames - 1)
  low = source.astype(jnp.int32)
  high = jnp.minimum(low + 1, frames - 1)
  fraction = source - low
  nearest = jnp.where(fraction < 0.5, low, high)

  def interpolate(v: jax.Array) -> jax.Array:
    f = fraction.reshape(*fraction.shape, *(1,) * (v.ndim - 2)).astype(v.dtype)
    a, b = _take(v, low), _take(v, high)
    return jnp.where(f == 0, a, a * (1 - f) + b * f)  # b may be unknown and anything

  # One matrix product for the frames; lookups would be fused into, and redone by, what follows.
  weights = jnp.maximum(0, 1 - jnp.abs(source[:, :, None] - jnp.arange(frames)))  # (B, T, T)
  resampled = jnp.matmul(
    weights.astype(x.dtype), x.reshape(*x.shape[:2], -1), precision=jax.lax.Precision.HIGHEST
  )
  result = {**batch, 'voxel': resampled.reshape(x.shape)}
  for name in ('force', 'time_s', 'sole', 'pressure', 'stand'):
    if name in batch:
      result[name] = interpolate(batch[name])
  for name in ('contact', 'frame'):
    if name in batch:
      result[name] = _take(batch[name], nearest)
  exact = (fraction == 0)[..., None]
  for name in ('known', 'sole_known', 'pressure_known', 'stand_known'):
    if name in batch:
      known = batch[name]
      result[name] = _take(known, low) & (exact | _take(known, high)) & inside[..., None]
  return result


def _check_voxel(x: jax.Array) -> None:
  if x.ndim != 5 or not jnp.issubdtype(x.dtype, jnp.floating) or min(x.shape[2:4]) < 2:
    raise ValueError(f'voxel must be (B, T, H, W, C) floating, not {x.shape} {x.dtype}')


def _check_strengths(
  strengths: dict[str, float], most: float = float('inf'), exclusive: bool = False
) -> None:
  """Raises InputError where a strength is negative, not a number, or above `most`.

  Args:
    strengths: name -> value.
    most: the largest value allowed, or with `exclusive` the smallest that is not.
    exclusive: whether a strength must lie below `most`.
  """
  for name, value in strengths.items():
    if not (0 <= value < most or (value == most and not exclusive)):
      expected = '0 or more' if most == float('inf') else f'a value between 0 and {most:g}'
      raise errors.InputError(
        f'config.augment.{name} is {value}, expected {expected}', code='config.augment'
      )


def _named_key(key: jax.Array, name: str) -> jax.Array:
  """Derives a key of its own for each name."""
  return jax.random.fold_in(key, np.uint32(zlib.crc32(name.encode())))


def _uniform(
  key: jax.Array, name: str, shape: tuple[int, ...], low: float, high: float
) -> jax.Array:
  """Draws uniformly from [low, high) with the key of that name."""
  return jax.random.uniform(_named_key(key, name), shape, minval=low, maxval=high)


def _take(x: jax.Array, index: jax.Array) -> jax.Array:
  """Takes each sample's entries: x (B, N, ...), index (B, M) within 0 .. N - 1 -> (B, M, ...)."""
  return jax.vmap(lambda x, i: x.at[i].get(mode='promise_in_bounds'))(x, index)


def _channel_means(x: jax.Array) -> jax.Array:
  """Returns each clip's mean of each channel: (B, T, H, W, C) -> (B, 1, 1, 1, C)."""
  b, t, h, w, c = x.shape
  columns = x.reshape(b, t * h, w * c).mean(1)  # long rows first, as few channels vectorize badly
  return columns.reshape(b, 1, 1, w, c).mean(3, keepdims=True)


def _erase(
  x: jax.Array, fill: jax.Array, draws: jax.Array, probability: float, size: float
) -> jax.Array:
  """Fills one rectangle of each chosen clip.

  Args:
    x: (B, T, H, W, C).
    fill: (B, 1, 1, 1, C) values of the rectangles.
    draws: (B, 5) in [0, 1): whether a clip is chosen; the rectangle's height, width, top, left.
    probability: of a clip to be chosen.
    size: largest side, as a part of the picture's.
  """
  choice, *sides = jnp.moveaxis(draws, 1, 0)[..., None]
  masks = []
  for n, length, position in zip(x.shape[2:4], sides[:2], sides[2:], strict=True):
    length = jnp.maximum(jnp.round(length * size * n), 1)
    first = jnp.floor(position * (n - length + 1))
    index = jnp.arange(n)
    masks.append((index >= first) & (index < first + length))  # (B, n)
  rows, columns = masks
  mask = rows[:, :, None] & columns[:, None, :] & (choice < probability)[:, :, None]
  return jnp.where(mask[:, None, :, :, None], fill, x)


def _white_noise(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
  """Returns noise of mean 0 and variance 1, binomial and so near normal.

  It is the number of ones among 32 hashed bits. `jax.random.normal` takes over twenty times as long
  on a CPU, more than all of the training step's other augmentations.
  """
  seed = jax.random.bits(key, (2, shape[0]))
  ones = jax.lax.population_count(random_bits.hashed_bits(seed, shape))
  return (ones.astype(jnp.float32) - 16) / np.float32(8**0.5)
