"""What a network's outputs mean: force in body weights (BW) <-> classes, soft labels, numbers.

A target is a frozen dataclass of plain numbers that satisfies `Target`. `force` must be finite also
where it is unknown (a mask does not stop the gradient of a NaN). The leading axes of all arrays may
be any; the last ones count.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from grfjax import errors

_TINY = 1e-30


class Target(Protocol):
  """What training and estimation ask of a target."""

  def __hash__(self) -> int:
    """Equal targets have the same: programs are kept by them."""

  @property
  def outputs(self) -> int:
    """How many numbers the network gives for each leg and label frame."""

  @property
  def axes(self) -> int:
    """How many of (vertical, forward, towards the near side) are estimated: 1 or 3."""

  def loss(self, outputs: jax.Array, force: jax.Array) -> jax.Array:
    """Maps outputs (..., outputs) and force (..., 3) in BW to a loss (...,)."""

  def decode(self, outputs: jax.Array) -> jax.Array:
    """Maps outputs (..., outputs) to force (..., axes) in BW."""

  def interval(self, outputs: jax.Array) -> jax.Array:
    """Returns from where to where the force may lie, in BW, not yet calibrated.

    Args:
      outputs: (..., outputs).

    Returns:
      (..., axes, 2), or (..., axes, 0) where the target has no intervals. They are calibrated by
      `grfjax.inference.conformal`.
    """


def masked_mean(loss: jax.Array, mask: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Returns the (sum, count) whose quotient is the mean of `loss` where `mask` is True.

  Pairs of several batches or devices are added first and divided last. Count may be 0.

  Args:
    loss: (...,).
    mask: (...,) bool, of the same shape.
  """
  if loss.shape != mask.shape:
    raise ValueError(f'loss {loss.shape} and mask {mask.shape} differ in shape')
  return jnp.where(mask, loss, 0).sum(), mask.sum(dtype=loss.dtype)


def smooth_error(error: jax.Array, delta: float = 0.02) -> jax.Array:
  """Returns a smooth absolute error (Huber 1964, over delta): (...,) BW -> (...,) BW.

  It is e^2 / (2 delta) up to |e| = delta and |e| - delta / 2 beyond.
  """
  size = jnp.abs(error)
  square = jnp.minimum(size, delta)  # so that no square of a huge error is ever formed
  return square * square / (2 * delta) + (size - square)


@dataclasses.dataclass(frozen=True)
class Classes:
  """Hard classes of vertical force: the paper's 150, from 0.01 to 1.50 BW by 0.01.

  A force belongs to the nearest class, and to the first or last when it lies outside; `clipped`
  tells which do. Decoding takes the likeliest class, as the paper does.

  Attributes:
    first: the first class's force, BW.
    width: the step from class to class, BW.
    count: number of classes.
  """

  first: float = 0.01
  width: float = 0.01
  count: int = 150

  def __post_init__(self):
    if not (self.width > 0 and self.count >= 2):
      raise _setting_error(f'classes need a positive width and a count of at least 2, not {self}')

  @property
  def outputs(self) -> int:
    return self.count

  @property
  def axes(self) -> int:
    return 1

  def _nearest(self, force: jax.Array) -> jax.Array:
    return jnp.round((force[..., 0] - self.first) / self.width).astype(jnp.int32)

  def labels(self, force: jax.Array) -> jax.Array:
    """Maps force (..., 3) in BW to class numbers (...,) int32 in [0, count)."""
    return jnp.clip(self._nearest(force), 0, self.count - 1)

  def clipped(self, force: jax.Array) -> jax.Array:
    """Maps force (..., 3) in BW to (...,) bool: whether it lies outside every class."""
    nearest = self._nearest(force)
    return (nearest < 0) | (nearest >= self.count)

  def loss(self, outputs: jax.Array, force: jax.Array) -> jax.Array:
    """Returns the cross-entropy with the hard label, nats: (..., count), (..., 3) -> (...,)."""
    label = jax.nn.one_hot(self.labels(force), self.count, dtype=outputs.dtype)
    return _cross_entropy(outputs, label)

  def decode(self, outputs: jax.Array) -> jax.Array:
    """Returns the likeliest class's force, BW: (..., count) -> (..., 1)."""
    return (self.first + self.width * outputs.argmax(-1, keepdims=True)).astype(outputs.dtype)

  def interval(self, outputs: jax.Array) -> jax.Array:
    """Returns an empty array, (..., axes, 0): this target has no intervals."""
    return _no_interval(self, outputs)


@dataclasses.dataclass(frozen=True)
class SoftBins:
  """Soft labels over ordered bins, for one axis or all three: HL-Gauss.

  The label of a force is a normal distribution about it, integrated over each bin and cut off at
  the ends of the range, and the loss its cross-entropy (Imani and White, ICML 2018). A width of
  0.75 bins is the one recommended by Farebrother et al. (ICML 2024). A force outside the range is
  labelled as its end.

  `decode_by='mean'` is the expected force; within 3 sigma of an end the cut label's mean lies
  inward, so the range should be wider than the forces. 'median' favours the mean absolute error.

  Attributes:
    ranges: (low, high) of each axis in BW: one pair (vertical) or three.
    bins: number of bins that each axis's range is cut into.
    sigma: the label's standard deviation, in bins.
    decode_by: 'mean', 'median' or 'argmax'.
    weights: each axis's weight in the loss; all 1 when empty.
    error_weight: weight, for each body weight, of the decoded mean's smooth absolute error
      (`smooth_error`), added to each axis's cross-entropy; 0: none. The cross-entropy alone says
      little of how far a wrong bin is from the right one, and is slow to leave that of the bins'
      own frequencies.
  """

  ranges: tuple[tuple[float, float], ...] = ((-0.05, 1.75),)
  bins: int = 90
  sigma: float = 0.75
  decode_by: str = 'mean'
  weights: tuple[float, ...] = ()
  error_weight: float = 0.0

  def __post_init__(self):
    if len(self.ranges) not in (1, 3) or not all(low < high for low, high in self.ranges):
      raise _setting_error(f'ranges must be one or three (low, high) pairs, not {self.ranges}')
    if not (self.bins >= 2 and self.sigma > 0 and self.error_weight >= 0):
      raise _setting_error(
        'bins must be at least 2, sigma positive and error_weight at least 0, not '
        f'{self.bins}, {self.sigma} and {self.error_weight}'
      )
    if self.decode_by not in ('mean', 'median', 'argmax'):
      raise _setting_error(
        f"decode_by must be 'mean', 'median' or 'argmax', not {self.decode_by!r}"
      )
    if self.weights and len(self.weights) != len(self.ranges):
      raise _setting_error(f'found {len(self.weights)} weights for {len(self.ranges)} axes')

  @property
  def outputs(self) -> int:
    return self.axes * self.bins

  @property
  def axes(self) -> int:
    return len(self.ranges)

  def _grid(self) -> tuple[jax.Array, jax.Array]:
    """Returns each axis's first edge and bin width, BW: (axes,), (axes,)."""
    low = jnp.array([low for low, _ in self.ranges], jnp.float32)
    width = jnp.array([(high - low) / self.bins for low, high in self.ranges], jnp.float32)
    return low, width

  def labels(self, force: jax.Array) -> jax.Array:
    """Maps force (..., 3) in BW to probabilities (..., axes, bins) that sum to one."""
    low, width = self._grid()
    # In bins from the first edge, so that one set of edges serves every axis.
    centre = jnp.clip((force[..., : self.axes] - low) / width, 0, self.bins)
    edges = jnp.arange(self.bins + 1, dtype=centre.dtype)
    cumulative = jax.scipy.special.ndtr((edges - centre[..., None]) / self.sigma)
    mass = jnp.diff(cumulative)
    return mass / mass.sum(-1, keepdims=True)

  def clipped(self, force: jax.Array) -> jax.Array:
    """Maps force (..., 3) in BW to (...,) bool: whether any axis lies outside its range."""
    low = jnp.array([low for low, _ in self.ranges], jnp.float32)
    high = jnp.array([high for _, high in self.ranges], jnp.float32)
    force = force[..., : self.axes]
    return ((force < low) | (force > high)).any(-1)

  def _split(self, outputs: jax.Array) -> jax.Array:
    """Separates the axes: (..., axes * bins) -> (..., axes, bins)."""
    return outputs.reshape(*outputs.shape[:-1], self.axes, self.bins)

  def loss(self, outputs: jax.Array, force: jax.Array) -> jax.Array:
    """Sums the axes' weighted losses: (..., axes * bins), (..., 3) -> (...,).

    Each is a cross-entropy in nats and, with an `error_weight`, the error of the mean.
    """
    losses = _cross_entropy(self._split(outputs), self.labels(force))
    if self.error_weight:
      losses += self.error_weight * smooth_error(force[..., : self.axes] - self._mean(outputs))
    return (losses * jnp.array(self.weights or (1.0,) * self.axes, losses.dtype)).sum(-1)

  def quantile(self, outputs: jax.Array, q: float) -> jax.Array:
    """Returns the force below which the share q lies, BW: (..., axes * bins) -> (..., axes).

    Within a bin the probability is taken as evenly spread. The estimated distribution includes
    the labels' own spread of `sigma` bins.
    """
    p = jax.nn.softmax(self._split(outputs))
    cdf = jnp.cumsum(p, -1)
    k = (cdf >= q * cdf[..., -1:]).argmax(-1, keepdims=True)
    p_k = jnp.take_along_axis(p, k, -1)
    before = jnp.take_along_axis(cdf, k, -1) - p_k
    fraction = jnp.clip((q * cdf[..., -1:] - before) / jnp.maximum(p_k, _TINY), 0, 1)
    low, width = self._grid()
    return low + width * (k + fraction)[..., 0]

  def decode(self, outputs: jax.Array) -> jax.Array:
    """Returns the force in BW: (..., axes * bins) -> (..., axes)."""
    if self.decode_by == 'median':
      return self.quantile(outputs, 0.5)
    if self.decode_by == 'argmax':
      low, width = self._grid()
      return low + width * (self._split(outputs).argmax(-1) + 0.5)
    return self._mean(outputs)

  def _mean(self, outputs: jax.Array) -> jax.Array:
    """Returns the expected force in BW: (..., axes * bins) -> (..., axes)."""
    low, width = self._grid()
    centres = jnp.arange(self.bins, dtype=outputs.dtype) + 0.5
    return low + width * (jax.nn.softmax(self._split(outputs)) * centres).sum(-1)

  def interval(self, outputs: jax.Array) -> jax.Array:
    """Returns an empty array, (..., axes, 0): this target has no intervals."""
    return _no_interval(self, outputs)


@dataclasses.dataclass(frozen=True)
class Regression:
  """The force itself, one axis or three, by `smooth_error`.

  That is close to the mean absolute error, which is what is reported. Outputs of zero mean
  `offset`, and one unit of output is `scale`, so that a fresh network starts in mid-range.

  With a `share`, two more numbers an axis say how far below and above the estimate the force may
  lie. They learn the quantiles of the error that leave out half of 1 - share each, by their own
  (pinball) loss (Koenker and Bassett 1978); the estimate itself is not moved by it.

  Attributes:
    offset: force of a zero output, BW, for each axis: one number (vertical) or three.
    scale: BW for each unit of output, for each axis.
    weights: each axis's weight in the loss; all 1 when empty.
    delta: where the loss turns from square to straight, BW.
    share: share of the forces that the interval should hold, such as 0.9; 0: no interval.
  """

  offset: tuple[float, ...] = (0.5, 0.0, 0.0)
  scale: tuple[float, ...] = (0.5, 0.1, 0.05)
  weights: tuple[float, ...] = ()
  delta: float = 0.02
  share: float = 0.0

  def __post_init__(self):
    if not 0 <= self.share < 1:
      raise _setting_error(f'share must be at least 0 and less than 1, not {self.share}')
    if len(self.offset) not in (1, 3) or len(self.scale) != len(self.offset):
      raise _setting_error(
        f'offset and scale must have 1 or 3 axes each, not {self.offset} and {self.scale}'
      )
    if self.weights and len(self.weights) != len(self.offset):
      raise _setting_error(f'found {len(self.weights)} weights for {len(self.offset)} axes')
    if not (self.delta > 0 and all(s > 0 for s in self.scale)):
      raise _setting_error(f'delta and scale must be positive, not {self.delta} and {self.scale}')

  @property
  def outputs(self) -> int:
    return self.axes * (3 if self.share else 1)

  @property
  def axes(self) -> int:
    return len(self.offset)

  def loss(self, outputs: jax.Array, force: jax.Array) -> jax.Array:
    """Returns the weighted sum of the axes' losses, BW: (..., outputs), (..., 3) -> (...,)."""
    error = force[..., : self.axes] - self.decode(outputs)
    losses = smooth_error(error, self.delta)
    if self.share:
      tail = (1 - self.share) / 2
      error = jax.lax.stop_gradient(error)
      for side, width in zip((-error, error), self._widths(outputs), strict=True):
        losses += jnp.maximum((1 - tail) * (side - width), tail * (width - side))
    return (losses * jnp.array(self.weights or (1.0,) * self.axes, losses.dtype)).sum(-1)

  def decode(self, outputs: jax.Array) -> jax.Array:
    """Returns the force in BW: (..., outputs) -> (..., axes)."""
    dtype = outputs.dtype
    return jnp.array(self.offset, dtype) + jnp.array(self.scale, dtype) * outputs[..., : self.axes]

  def _widths(self, outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns how far below and above the estimate the interval reaches, BW, >= 0: (..., axes)."""
    widths = jax.nn.softplus(outputs[..., self.axes :]) * jnp.array(2 * self.scale, outputs.dtype)
    return widths[..., : self.axes], widths[..., self.axes :]

  def interval(self, outputs: jax.Array) -> jax.Array:
    """Returns the interval's ends, BW: (..., outputs) -> (..., axes, 2), or 0 without a share."""
    if not self.share:
      return _no_interval(self, outputs)
    estimate = self.decode(outputs)
    below, above = self._widths(outputs)
    return jnp.stack([estimate - below, estimate + above], -1)


def _setting_error(message: str) -> errors.InputError:
  return errors.InputError(f'config.target: {message}', code='config.target')


def _no_interval(target: Target, outputs: jax.Array) -> jax.Array:
  return jnp.zeros((*outputs.shape[:-1], target.axes, 0), outputs.dtype)


def _cross_entropy(logits: jax.Array, label: jax.Array) -> jax.Array:
  """Returns -sum(label * log softmax(logits)), where label sums to 1: (..., K) both -> (...,)."""
  # Shifted first: the difference of two huge numbers would otherwise lose every digit.
  shifted = logits - jax.lax.stop_gradient(logits.max(-1, keepdims=True))
  return jax.nn.logsumexp(shifted, axis=-1) - (label * shifted).sum(-1)


TARGETS: dict[str, Callable[..., Any]] = {
  'classes': Classes,
  'soft_bins': SoftBins,
  'regression': Regression,
}


def build_target(name: str, **settings: Any) -> Any:
  """Builds a target.

  Args:
    name: a key of `TARGETS`.
    **settings: the target's fields; lists may stand for tuples.

  Raises:
    errors.InputError: there is no target of that name, or a setting cannot be used.
  """
  if name not in TARGETS:
    raise errors.InputError(
      f'there is no target {name!r}; expected one of {", ".join(sorted(TARGETS))}',
      code='config.unknown_target',
    )
  return TARGETS[name](**{k: _as_tuples(v) for k, v in settings.items()})


def _as_tuples(value: Any) -> Any:
  """Turns lists into tuples: a config read from JSON holds lists, and a target must hash."""
  return tuple(_as_tuples(v) for v in value) if isinstance(value, list | tuple) else value
