"""The folded convolution and the axis-wise pooling against jax's and flax's own."""

import re

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grfjax.models import conv3d

CASES = [
  # x (N, T, H, W, C), kernel (kt, kh, kw), channels out, padding
  ((2, 5, 9, 8, 3), (2, 5, 5), 4, 'SAME'),
  ((2, 5, 9, 8, 3), (2, 5, 5), 4, 'VALID'),
  ((1, 4, 6, 7, 2), (4, 2, 6), 3, 'SAME'),
  ((1, 3, 6, 6, 1), (1, 3, 3), 2, 'SAME'),
  ((2, 3, 5, 5, 2), (3, 1, 1), 2, 'VALID'),
  ((2, 4, 6, 5, 2), (3, 3, 2), 2, ((2, 0), (0, 1), (1, 1))),
]


def _random(shape, seed=0):
  return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def _reference(x, kernel, padding):
  return jax.lax.conv_general_dilated(
    x, kernel, (1, 1, 1), padding, dimension_numbers=('NDHWC', 'DHWIO', 'NDHWC')
  )


def _value_and_pull(f, *args):
  """The value, and the gradients that a fixed cotangent gives, from one compiled program."""

  @jax.jit
  def run(args):
    value, pull = jax.vjp(f, *args)
    weights = jnp.sin(jnp.arange(value.size, dtype=value.dtype)).reshape(value.shape)
    return value, *pull(weights)

  return run(args)


@pytest.mark.parametrize(('shape', 'size', 'features', 'padding'), CASES)
def test_conv3d_equals_lax_in_value_and_gradients(shape, size, features, padding):
  x, kernel = _random(shape), _random((*size, shape[-1], features), 1)
  got = _value_and_pull(lambda x, k: conv3d.conv3d(x, k, padding=padding), x, kernel)
  want = _value_and_pull(lambda x, k: _reference(x, k, padding), x, kernel)
  for g, w in zip(got, want, strict=True):  # value, d/dx, d/dkernel
    assert g.shape == w.shape
    np.testing.assert_allclose(g, w, rtol=1e-5, atol=5e-5)


@pytest.mark.parametrize(('platform', 'dimensions'), [('cpu', 2), ('cuda', 3), ('tpu', 3)])
def test_the_platform_for_which_it_is_lowered_chooses_the_form(platform, dimensions):
  """Of the value and of both gradients, whatever device this test has."""
  x, kernel = _random((1, 3, 6, 6, 2)), _random((2, 5, 5, 2, 3))

  def loss(x, kernel):
    return (conv3d.conv3d(x, kernel, padding='SAME') ** 2).sum()

  gradient = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
  text = gradient.trace(x, kernel).lower(lowering_platforms=(platform,)).as_text()
  spaces = re.findall(r'stablehlo\.convolution.*dim_numbers = \[([^\]]*)\]x', text)
  assert [len(axes.split(', ')) - 2 for axes in spaces] == [dimensions] * 3


def test_both_forms_have_the_same_gradients():
  x, kernel = _random((2, 4, 8, 7, 3)), _random((2, 5, 5, 3, 4), 1)
  pad = conv3d.padding_pairs('SAME', kernel.shape[:3])
  forms = [lambda x, k, form=form: form(x, k, pad) for form in (conv3d._folded, conv3d.native)]
  for ours, theirs in zip(*(_value_and_pull(form, x, kernel) for form in forms), strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=5e-5)


def test_conv3d_by_hand():
  x = jnp.arange(1.0, 4.0).reshape(1, 3, 1, 1, 1)
  kernel = jnp.array([10.0, 1.0]).reshape(2, 1, 1, 1, 1)
  got = conv3d.conv3d(x, kernel, padding='SAME')  # an even window's padding goes last
  np.testing.assert_array_equal(got.ravel(), [12, 23, 30])


def test_conv3d_refuses_what_does_not_fit():
  x = jnp.zeros((1, 2, 5, 5, 1))
  with pytest.raises(ValueError, match='axis T: a window of 3'):
    conv3d.conv3d(x, jnp.zeros((3, 3, 3, 1, 1)), padding='VALID')
  with pytest.raises(ValueError, match='SAME'):
    conv3d.conv3d(x, jnp.zeros((1, 3, 3, 1, 1)), padding='same')
  with pytest.raises(ValueError, match='kernel'):
    conv3d.conv3d(x, jnp.zeros((1, 3, 3, 2, 1)), padding='SAME')


def test_layer_has_glorot_bounds_and_zero_bias():
  layer = conv3d.Conv3D(8, (2, 5, 5))
  x = _random((1, 3, 6, 6, 4))
  params = jax.jit(layer.init)(jax.random.key(0), x)['params']
  assert params['kernel'].shape == (2, 5, 5, 4, 8)
  limit = np.sqrt(6 / (50 * 4 + 50 * 8))  # Keras counts the receptive field in both fans
  assert 0.95 * limit < jnp.abs(params['kernel']).max() <= limit
  assert not params['bias'].any()
  shifted = {'kernel': params['kernel'], 'bias': params['bias'] + 2}
  np.testing.assert_allclose(
    layer.apply({'params': shifted}, x), _reference(x, params['kernel'], 'SAME') + 2, atol=1e-5
  )


@pytest.mark.parametrize('padding', ['SAME', 'VALID', ((1, 0), (0, 2), (1, 1))])
@pytest.mark.parametrize('window', [(2, 5, 5), (3, 2, 4), (1, 1, 7), (2, 6, 3)])
def test_max_pool3d_equals_flax_in_value_and_gradient(window, padding):
  x = _random((2, 4, 9, 8, 3))
  got = _value_and_pull(lambda x: conv3d.max_pool3d(x, window, padding), x)
  want = _value_and_pull(lambda x: nn.max_pool(x, window, strides=(1, 1, 1), padding=padding), x)
  np.testing.assert_array_equal(got[0], want[0])
  np.testing.assert_allclose(got[1], want[1], atol=1e-5)  # without ties it has one home only


def test_max_pool3d_conserves_gradient_at_ties():
  x = jnp.zeros((1, 2, 6, 6, 1))
  pooled = lambda x: conv3d.max_pool3d(x, (2, 5, 5), 'VALID').sum()
  assert jax.grad(pooled)(x).sum() == pytest.approx(4)  # as many as there are outputs


def test_max_pool3d_refuses_a_window_that_does_not_fit():
  with pytest.raises(ValueError, match='axis W'):
    conv3d.max_pool3d(jnp.zeros((1, 2, 6, 4, 1)), (2, 5, 5), 'VALID')
