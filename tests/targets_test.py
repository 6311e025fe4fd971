"""Golden values of the targets, in float32 against float64 numpy."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grfjax import errors
from grfjax.models import targets

ALL = [
  targets.Classes(),
  targets.SoftBins(),
  targets.SoftBins(ranges=((-0.05, 1.75), (-0.4, 0.4), (-0.2, 0.2)), bins=40),
  targets.SoftBins(decode_by='median'),
  targets.Regression(),
  targets.Regression(offset=(0.5,), scale=(1.0,)),
  targets.Regression(share=0.9),
]


def _force(vertical, forward=0.0, side=0.0):
  """Force (..., 3) float32 from its parts."""
  parts = np.broadcast_arrays(vertical, forward, side)
  return jnp.asarray(np.stack(parts, -1), jnp.float32)


def _softmax64(logits):
  e = np.exp(np.asarray(logits, np.float64) - np.max(logits, -1, keepdims=True))
  return e / e.sum(-1, keepdims=True)


def _labels64(y, low, high, bins, sigma):
  """HL-Gauss by the letter of Farebrother et al. 2024, appendix A, in float64."""
  edges = np.linspace(low, high, bins + 1)
  scale = math.sqrt(2) * sigma * (high - low) / bins
  cdf = np.array([math.erf((e - min(max(y, low), high)) / scale) for e in edges])
  return np.diff(cdf) / (cdf[-1] - cdf[0])


@pytest.mark.parametrize('target', ALL)
def test_shapes_and_finite_gradients_at_huge_outputs(target):
  assert hash(target) == hash(target)  # may be a static argument
  rng = np.random.default_rng(0)
  force = jnp.asarray(rng.uniform(-1, 2, (2, 4, 2, 3)), jnp.float32)
  outputs = jnp.asarray(rng.normal(size=(2, 4, 2, target.outputs)), jnp.float32)
  assert jax.eval_shape(target.loss, outputs, force).shape == (2, 4, 2)
  assert jax.eval_shape(target.decode, outputs).shape == (2, 4, 2, target.axes)
  run = jax.jit(
    lambda o: (jax.value_and_grad(lambda o: target.loss(o, force).mean())(o), target.decode(o))
  )
  for size in (0.0, 1.0, 1e4, 1e30):
    for leaf in jax.tree.leaves(run(outputs * size)):
      assert jnp.isfinite(leaf).all(), size


def test_class_numbers():
  forces = [0.01, 0.014, 0.016, 0.02, 0.75, 1.0, 1.5, 1.504, 1.52, 0.0, 0.004, -3.0]
  want = [0, 0, 1, 1, 74, 99, 149, 149, 149, 0, 0, 0]
  clipped = [False] * 8 + [True] * 4
  target = targets.Classes()
  np.testing.assert_array_equal(target.labels(_force(forces)), want)
  np.testing.assert_array_equal(target.clipped(_force(forces)), clipped)


def test_every_class_decodes_to_itself():
  target = targets.Classes()
  forces = np.arange(1, 151) / 100
  np.testing.assert_array_equal(target.labels(_force(forces)), np.arange(150))
  decoded = target.decode(jnp.eye(150))
  assert decoded.shape == (150, 1)
  np.testing.assert_allclose(decoded[:, 0], forces, atol=1e-7)


def test_class_round_trip_stays_within_half_a_class():
  target = targets.Classes()
  forces = np.random.default_rng(0).uniform(0.005, 1.505, 1000)
  back = target.decode(jax.nn.one_hot(target.labels(_force(forces)), 150))[:, 0]
  assert np.abs(back - forces).max() < 0.005 + 1e-6


def test_cross_entropy_by_hand():
  target = targets.Classes(first=0.1, width=0.1, count=3)
  outputs = jnp.array([0.0, 1.0, 2.0])
  want = math.log(1 + math.e + math.e**2) - 1
  assert target.loss(outputs, _force(0.2)) == pytest.approx(want, abs=1e-6)
  assert targets.Classes().loss(jnp.zeros(150), _force(0.7)) == pytest.approx(math.log(150))


def test_cross_entropy_against_float64():
  rng = np.random.default_rng(0)
  outputs = rng.normal(scale=5, size=(50, 150)).astype(np.float32)
  forces = rng.uniform(0, 1.6, 50)
  p = _softmax64(outputs)
  want = -np.log(p[np.arange(50), np.clip(np.rint(forces * 100) - 1, 0, 149).astype(int)])
  got = targets.Classes().loss(jnp.asarray(outputs), _force(forces))
  np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
  # d loss / d logits = softmax - label.
  gradient = jax.grad(lambda o: targets.Classes().loss(o, _force(forces)).sum())(
    jnp.asarray(outputs)
  )
  label = np.asarray(targets.Classes().labels(_force(forces)))
  np.testing.assert_allclose(gradient, p - np.eye(150)[label], atol=1e-6)


def test_soft_labels_against_float64():
  target = targets.SoftBins()
  forces = np.array([-0.3, -0.05, 0.0, 0.003, 0.71234, 1.1, 1.75, 4.0])
  got = np.asarray(target.labels(_force(forces)), np.float64)
  assert got.shape == (8, 1, 90)
  np.testing.assert_allclose(got.sum(-1), 1, atol=1e-6)
  want = [_labels64(f, -0.05, 1.75, 90, 0.75) for f in forces]
  np.testing.assert_allclose(got[:, 0], want, atol=2e-6)
  np.testing.assert_array_equal(target.clipped(_force(forces)), np.eye(8)[[0, 7]].sum(0) > 0)


@pytest.mark.parametrize(
  ('decode_by', 'within'), [('mean', 1e-5), ('median', 1.5e-3), ('argmax', 0.0101)]
)
def test_soft_round_trip(decode_by, within):
  target = targets.SoftBins(decode_by=decode_by)
  forces = np.random.default_rng(0).uniform(0.01, 1.69, 500)
  logits = jnp.log(target.labels(_force(forces))[:, 0] + 1e-12)
  assert np.abs(target.decode(logits)[:, 0] - forces).max() < within


def test_the_error_of_the_mean_is_added_to_the_soft_loss():
  settings = {'ranges': ((0.005, 1.505),), 'bins': 150, 'sigma': 5.0}
  outputs = 3 * jax.random.normal(jax.random.key(0), (40, 150))
  force = jnp.stack([jnp.linspace(0.1, 1.4, 40), *jnp.zeros((2, 40))], -1)
  plain = targets.SoftBins(**settings)
  both = targets.SoftBins(**settings, error_weight=20.0)
  mean = _softmax64(np.asarray(outputs)) @ np.linspace(0.01, 1.5, 150)
  size = np.abs(mean - np.asarray(force[:, 0]))
  added = 20 * np.where(size < 0.02, size**2 / 0.04, size - 0.01)
  np.testing.assert_allclose(
    both.loss(outputs, force), plain.loss(outputs, force) + added, rtol=1e-5
  )
  np.testing.assert_array_equal(both.decode(outputs), plain.decode(outputs))
  with pytest.raises(errors.InputError, match='error_weight at least 0'):
    targets.SoftBins(error_weight=-1.0)


def test_soft_round_trip_of_three_axes():
  target = targets.SoftBins(ranges=((-0.1, 1.75), (-0.4, 0.4), (-0.2, 0.2)), bins=60)
  force = _force([0.9, 0.0], [-0.2, 0.15], [0.05, -0.03])
  logits = jnp.log(target.labels(force) + 1e-12).reshape(2, 180)
  np.testing.assert_allclose(target.decode(logits), force, atol=1e-5)


def test_quantiles_by_hand():
  target = targets.SoftBins(ranges=((0.0, 4.0),), bins=4)
  logits = jnp.log(jnp.array([0.1, 0.2, 0.4, 0.3]))
  for q, want in ((0.05, 0.5), (0.1, 1.0), (0.2, 1.5), (0.5, 2.5), (0.85, 3.5), (1.0, 4.0)):
    np.testing.assert_allclose(target.quantile(logits, q), [want], atol=1e-5)
  np.testing.assert_allclose(
    targets.SoftBins(ranges=((0.0, 4.0),), bins=4, decode_by='argmax').decode(logits), [2.5]
  )
  np.testing.assert_allclose(target.decode(logits), [0.05 + 0.3 + 1.0 + 1.05], rtol=1e-6)


def test_soft_loss_against_float64_and_weights():
  ranges, bins = ((-0.05, 1.75), (-0.4, 0.4), (-0.2, 0.2)), 30
  target = targets.SoftBins(ranges=ranges, bins=bins, weights=(1.0, 0.5, 0.25))
  rng = np.random.default_rng(0)
  outputs = rng.normal(scale=3, size=(20, 90)).astype(np.float32)
  force = rng.uniform(-0.2, 0.2, (20, 3)).astype(np.float32)
  want = np.zeros(20)
  for i in range(20):
    for axis, weight in enumerate((1.0, 0.5, 0.25)):
      log_p = np.log(_softmax64(outputs[i, axis * bins : (axis + 1) * bins]))
      want[i] -= weight * (_labels64(force[i, axis], *ranges[axis], bins, 0.75) * log_p).sum()
  np.testing.assert_allclose(target.loss(jnp.asarray(outputs), jnp.asarray(force)), want, rtol=1e-5)


def test_regression_by_hand():
  target = targets.Regression(
    offset=(0.5, 0.0, 0.0), scale=(0.5, 0.1, 0.1), weights=(1.0, 2.0, 0.0), delta=0.2
  )
  outputs = jnp.array([1.0, 1.0, 100.0])  # 1.0, 0.1 and 10 BW
  np.testing.assert_allclose(target.decode(outputs), [1.0, 0.1, 10.0], rtol=1e-6)
  np.testing.assert_allclose(target.decode(jnp.zeros(3)), [0.5, 0.0, 0.0])
  # Vertical error 0.5 is straight: 0.5 - 0.1; forward error 0.1 is square: 0.01 / 0.4.
  want = 0.4 + 2 * 0.025
  assert target.loss(outputs, _force(0.5, 0.0, 0.0)) == pytest.approx(want, abs=1e-6)
  slope = jax.grad(lambda o: target.loss(o, _force(0.5, 0.0, 0.0)))(outputs)
  np.testing.assert_allclose(slope, [0.5, 2 * 0.1 * 0.1 / 0.2, 0.0], atol=1e-6)


def test_masked_mean_sums_and_counts():
  loss = jnp.array([[1.0, jnp.nan], [3.0, 5.0]])
  total, count = targets.masked_mean(loss, jnp.array([[True, False], [False, True]]))
  assert (float(total), float(count)) == (6, 2)
  total, count = targets.masked_mean(loss, jnp.zeros((2, 2), bool))
  assert (float(total), float(count)) == (0, 0)
  with pytest.raises(ValueError, match='shape'):
    targets.masked_mean(loss, jnp.ones((2, 1), bool))


def test_build():
  assert targets.build_target('classes') == targets.Classes()
  target = targets.build_target('soft_bins', ranges=[[0, 2]], bins=10)  # as read back from JSON
  assert target == targets.SoftBins(ranges=((0, 2),), bins=10)
  assert hash(target)
  with pytest.raises(errors.InputError, match=r"'bins'.*classes, regression, soft_bins") as caught:
    targets.build_target('bins')
  assert caught.value.code == 'config.unknown_target'


@pytest.mark.parametrize(
  'make',
  [
    lambda: targets.Classes(count=1),
    lambda: targets.SoftBins(ranges=((1.0, 0.0),)),
    lambda: targets.SoftBins(ranges=((0.0, 1.0), (0.0, 1.0))),
    lambda: targets.SoftBins(decode_by='mode'),
    lambda: targets.SoftBins(weights=(1.0, 1.0)),
    lambda: targets.Regression(offset=(0.0, 0.0)),
    lambda: targets.Regression(delta=0.0),
  ],
)
def test_refuses_settings_that_mean_nothing(make):
  with pytest.raises(errors.InputError, match=r'^config\.target: ') as caught:
    make()
  assert caught.value.code == 'config.target'


def test_interval_learns_the_quantiles_and_leaves_the_estimate_alone():
  """One number for a whole sample: the loss is least where 5 % lie outside on either side."""
  target = targets.Regression(offset=(0.5,), scale=(0.5,), share=0.9)
  rng = np.random.default_rng(0)
  sample = 0.7 + 0.1 * rng.exponential(size=2000)  # lopsided
  force = _force(sample)
  mean = lambda o: target.loss(jnp.broadcast_to(o, (2000, 3)), force).mean()
  outputs = jnp.zeros(3)
  step = jax.jit(lambda o, rate: o - rate * jax.grad(mean)(o))
  for k in range(3000):
    outputs = step(outputs, 0.5 if k < 2000 else 0.02)
  ((low, high),) = target.interval(outputs)
  np.testing.assert_allclose([low, high], np.quantile(sample, [0.05, 0.95]), atol=0.01)
  plain = targets.Regression(offset=(0.5,), scale=(0.5,))
  beside = outputs.at[0].add(0.3)
  both = jax.grad(mean)(beside)[0]
  alone = jax.grad(lambda o: plain.loss(jnp.broadcast_to(o, (2000, 1)), force).mean())(beside[:1])
  assert abs(both) > 0.1
  np.testing.assert_allclose(both, alone[0], rtol=1e-5)


@pytest.mark.parametrize('target', ALL)
def test_interval_holds_the_estimate_or_is_empty(target):
  outputs = jnp.asarray(np.random.default_rng(0).normal(size=(5, 2, target.outputs)), jnp.float32)
  interval, force = target.interval(outputs), target.decode(outputs)
  if not getattr(target, 'share', 0):
    assert interval.shape == (5, 2, target.axes, 0)
  else:
    assert interval.shape == (5, 2, target.axes, 2)
    assert (interval[..., 0] <= force).all()
    assert (force <= interval[..., 1]).all()
