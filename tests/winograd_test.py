"""Winograd's filtering against the plain sum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grfjax.models import conv3d, winograd


def _plain(x, kernel):
  return jax.lax.conv_general_dilated(
    x, kernel, (1, 1), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC')
  )


@pytest.mark.parametrize(('height', 'width'), [(5, 5), (12, 12), (9, 14), (8, 7)])
def test_equals_the_plain_sum_in_value_and_gradients(height, width):
  rng = np.random.default_rng(0)
  x = jnp.asarray(rng.normal(size=(2, height, width, 7)), jnp.float32)
  kernel = jnp.asarray(rng.normal(size=(5, 5, 7, 3)), jnp.float32)
  shape = (2, height - 4, width - 4, 3)
  pull = jnp.asarray(rng.normal(size=shape), jnp.float32)
  results = []
  for function in (winograd.conv2d, _plain):
    value, back = jax.vjp(function, x, kernel)
    assert value.shape == shape
    results.append((value, *back(pull)))
  for ours, theirs in zip(*results, strict=True):
    np.testing.assert_allclose(ours, theirs, atol=5e-5 * float(jnp.abs(theirs).max()))


def test_rounds_to_the_fifth_digit_with_many_channels():
  rng = np.random.default_rng(1)
  x, kernel = rng.uniform(0, 1, (1, 16, 16, 256)), rng.normal(size=(5, 5, 256, 8))
  windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), (1, 2))
  exact = np.einsum('nhwcij,ijcd->nhwd', windows, kernel)  # float64
  ours = winograd.conv2d(jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32))
  assert np.abs(ours - exact).max() < 5e-5 * np.abs(exact).max()


def test_other_kernels_are_refused():
  with pytest.raises(ValueError, match='5 x 5'):
    winograd.conv2d(jnp.zeros((1, 8, 8, 1)), jnp.zeros((3, 5, 1, 1)))


@pytest.mark.parametrize('padding', ['SAME', 'VALID', ((1, 0), (2, 0), (0, 3))])
@pytest.mark.parametrize('taps', [1, 2, 3])
def test_conv3d_takes_it_for_many_channels(padding, taps, monkeypatch):
  rng = np.random.default_rng(2)
  x = jnp.asarray(rng.normal(size=(2, 4, 8, 6, 5)), jnp.float32)
  kernel = jnp.asarray(rng.normal(size=(taps, 5, 5, 5, 3)), jnp.float32)
  folded = conv3d.conv3d(x, kernel, padding=padding)
  monkeypatch.setattr(conv3d, 'WINOGRAD_CHANNELS', 5)
  np.testing.assert_allclose(conv3d.conv3d(x, kernel, padding=padding), folded, atol=1e-3)
