"""3D convolution and pooling in the forms that XLA runs fast.

On a CPU XLA's own 3D convolution is five to ten times slower than the same sum written as a 2D
convolution whose input channels hold the temporal taps. 5 x 5 kernels with many channels go through
`grfjax.models.winograd`, which with 256 channels is four times as fast again. Any other device has
its own kernels for XLA's convolution and gets it. Which form it is, is decided where the program is
lowered for a platform, so that a program for a GPU can be made, and looked at, without one.

`max_pool3d` takes one axis after the other. Values equal those of `jax.lax.conv_general_dilated`
and `flax.linen.max_pool`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from grfjax.models import winograd

Pairs = tuple[tuple[int, int], ...]  # (low, high) for T, H and W
Padding = str | Sequence[tuple[int, int]]  # 'SAME', 'VALID' or pairs
Form = Callable[[jax.Array, jax.Array, Pairs], jax.Array]  # x, kernel, padding -> result

# Input channels from which the transforms of `grfjax.models.winograd` cost less than the products
# they save.
WINOGRAD_CHANNELS = 32


def padding_pairs(padding: Padding, window: Sequence[int]) -> Pairs:
  """Returns (low, high) padding for each axis at stride 1, as `jax.lax` splits it.

  Args:
    padding: 'SAME', 'VALID' or one (low, high) pair for each axis.
    window: the window's length along each axis.

  Raises:
    ValueError: `padding` is another word, or does not hold one pair for each axis.
  """
  if padding == 'SAME':
    return tuple(((k - 1) // 2, k // 2) for k in window)  # the odd one of an even window goes last
  if padding == 'VALID':
    return tuple((0, 0) for _ in window)
  if isinstance(padding, str) or len(padding) != len(window):
    raise ValueError(
      f"padding must be 'SAME', 'VALID' or {len(window)} (low, high) pairs, not {padding!r}"
    )
  return tuple((int(low), int(high)) for low, high in padding)


def _check_fits(
  shape: Sequence[int], window: Sequence[int], pad: Sequence[tuple[int, int]]
) -> None:
  """Raises ValueError where an axis is too short; XLA would return an empty array."""
  for name, n, k, (low, high) in zip('THW', shape, window, pad, strict=True):
    if n + low + high < k:
      raise ValueError(
        f'axis {name}: a window of {k} does not fit into {n} padded by ({low}, {high})'
      )


def conv3d(x: jax.Array, kernel: jax.Array, *, padding: Padding) -> jax.Array:
  """Computes the 3D cross-correlation with stride 1, in the form that suits the platform.

  Args:
    x: (N, T, H, W, C).
    kernel: (kt, kh, kw, C, D), of the same type.
    padding: 'SAME', 'VALID' or three (low, high) pairs for T, H and W.

  Returns:
    (N, T', H', W', D).

  Raises:
    ValueError: shapes or padding do not fit.
  """
  if x.ndim != 5 or kernel.ndim != 5 or x.shape[-1] != kernel.shape[-2]:
    raise ValueError(
      'conv3d expects x (N, T, H, W, C) and a kernel (kt, kh, kw, C, D), not '
      f'{x.shape} and {kernel.shape}'
    )
  pad = padding_pairs(padding, kernel.shape[:3])
  _check_fits(x.shape[1:4], kernel.shape[:3], pad)
  many = kernel.shape[1:3] == (winograd.TAPS,) * 2 and x.shape[-1] >= WINOGRAD_CHANNELS
  return _conv3d(x, kernel, pad, _by_winograd if many else _folded)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _conv3d(x: jax.Array, kernel: jax.Array, pad: Pairs, on_cpu: Form) -> jax.Array:
  """Leaves the choice between `on_cpu` and `native` to the lowering.

  Its gradients are its own: those of a choice would keep what any of the forms needs for them.
  """
  return jax.lax.platform_dependent(
    x, kernel, cpu=_with_padding(on_cpu, pad), default=_with_padding(native, pad)
  )


def _with_padding(form: Form, pad: Pairs) -> Callable[[jax.Array, jax.Array], jax.Array]:
  return lambda x, kernel: form(x, kernel, pad)


def _forward(
  x: jax.Array, kernel: jax.Array, pad: Pairs, on_cpu: Form
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
  return _conv3d(x, kernel, pad, on_cpu), (x, kernel)


def _backward(
  pad: Pairs, on_cpu: Form, kept: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
  def pull(form: Form) -> Callable[..., tuple[jax.Array, jax.Array]]:
    return lambda x, kernel, g: jax.vjp(_with_padding(form, pad), x, kernel)[1](g)

  return jax.lax.platform_dependent(*kept, gradient, cpu=pull(on_cpu), default=pull(native))


_conv3d.defvjp(_forward, _backward)


def native(x: jax.Array, kernel: jax.Array, pad: Pairs) -> jax.Array:
  """Computes `conv3d` by XLA's own 3D convolution."""
  return jax.lax.conv_general_dilated(
    x, kernel, (1, 1, 1), pad, dimension_numbers=('NDHWC', 'DHWIO', 'NDHWC')
  )


def _folded(x: jax.Array, kernel: jax.Array, pad: Pairs) -> jax.Array:
  """Computes `conv3d` in two dimensions, its temporal taps folded into channels."""
  kt, kh, kw, c, d = kernel.shape
  time, *space = pad
  if any(time):
    x = jnp.pad(x, ((0, 0), time, (0, 0), (0, 0), (0, 0)))
  n, t, h, w, _ = x.shape
  t_out = t - kt + 1
  taps = [x[:, i : i + t_out] for i in range(kt)]
  folded = jnp.concatenate(taps, axis=-1).reshape(n * t_out, h, w, kt * c)
  flat = kernel.transpose(1, 2, 0, 3, 4).reshape(kh, kw, kt * c, d)
  y = jax.lax.conv_general_dilated(
    folded, flat, (1, 1), space, dimension_numbers=('NHWC', 'HWIO', 'NHWC')
  )
  return y.reshape(n, t_out, *y.shape[1:])


def _by_winograd(x: jax.Array, kernel: jax.Array, pad: Pairs) -> jax.Array:
  """Computes `conv3d` by Winograd's filtering: all temporal taps of a frame at once, then summed.

  Its kernel has 5 x 5 taps in space.
  """
  kt, kh, kw, c, d = kernel.shape
  time, *space = pad
  n, t = x.shape[:2]
  x = jnp.pad(x, ((0, 0), (0, 0), *space, (0, 0)))
  flat = kernel.transpose(1, 2, 3, 0, 4).reshape(kh, kw, c, kt * d)
  # The transforms lose too much in 16 bits.
  frames = x.reshape(n * t, *x.shape[2:]).astype(jnp.float32)
  parts = winograd.conv2d(frames, flat.astype(jnp.float32)).astype(x.dtype)
  parts = parts.reshape(n, t, *parts.shape[1:3], kt, d)
  parts = jnp.pad(parts, ((0, 0), time, *((0, 0),) * 4))
  t_out = sum(time) + t - kt + 1
  return functools.reduce(jnp.add, [parts[:, i : i + t_out, :, :, i] for i in range(kt)])


def max_pool3d(x: jax.Array, window: Sequence[int], padding: Padding) -> jax.Array:
  """Takes the maximum over a (T, H, W) window with stride 1, one axis after the other.

  Equals `flax.linen.max_pool` in value. Where several entries share the maximum their gradient is
  split among them, where `max_pool` gives it all to the first.

  Args:
    x: (N, T, H, W, C), floating.
    window: (kt, kh, kw).
    padding: 'SAME', 'VALID' or three (low, high) pairs; padding never wins the maximum.

  Returns:
    (N, T', H', W', C).

  Raises:
    ValueError: shapes or padding do not fit.
  """
  if x.ndim != 5 or len(window) != 3:
    raise ValueError(
      f'max_pool3d expects x (N, T, H, W, C) and a window (kt, kh, kw), not {x.shape} and {window}'
    )
  pad = padding_pairs(padding, window)
  _check_fits(x.shape[1:4], window, pad)
  for axis, (k, (low, high)) in enumerate(zip(window, pad, strict=True), start=1):
    if low or high:
      width = [(0, 0)] * x.ndim
      width[axis] = (low, high)
      x = jnp.pad(x, width, constant_values=-jnp.inf)
    x = _running_max(x, k, axis)
  return x


def _running_max(x: jax.Array, k: int, axis: int) -> jax.Array:
  """Takes the maximum over k neighbours: of slices, as their gradient needs no scatter."""
  n = x.shape[axis] - k + 1
  # Spans of 1, 2, 4, ... entries, each made of two of the one before; k in binary says which count.
  span, length, result, covered = x, 1, None, 0
  while True:
    if k & length:
      part = jax.lax.slice_in_dim(span, covered, covered + n, axis=axis)
      result = part if result is None else jnp.maximum(result, part)
      covered += length
    if covered == k:
      assert result is not None
      return result
    m = span.shape[axis] - length
    span = jnp.maximum(
      jax.lax.slice_in_dim(span, 0, m, axis=axis),
      jax.lax.slice_in_dim(span, length, length + m, axis=axis),
    )
    length *= 2


class Conv3D(nn.Module):
  """A Flax layer around `conv3d`, with a bias.

  Attributes:
    features: output channels.
    kernel_size: (kt, kh, kw).
    padding: as in `conv3d`.
    kernel_init: defaults to Glorot uniform, as Keras does.
    dtype: what it computes in; None: that of parameters and input. Its parameters are float32.
  """

  features: int
  kernel_size: tuple[int, int, int]
  padding: Padding = 'SAME'
  kernel_init: Callable[..., Any] = nn.initializers.glorot_uniform()
  dtype: Any = None

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Maps (N, T, H, W, C) to (N, T', H', W', features)."""
    shape = (*self.kernel_size, x.shape[-1], self.features)
    kernel = self.param('kernel', self.kernel_init, shape)
    bias = self.param('bias', nn.initializers.zeros, (self.features,))
    x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=self.dtype)
    return conv3d(x, kernel, padding=self.padding) + bias
