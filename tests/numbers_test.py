"""Sums, steps and times against float64: where float32 is used, how far off it may be."""

import math

import jax
import jax.numpy as jnp
import making
import numpy as np
import optax
import pytest
import step_test

from grfjax.evaluation import error_sums
from grfjax.io import video_file
from grfjax.models import targets
from grfjax.training import optimizers, sharding, train_step


def test_a_loss_over_a_million_labels():
  rng = np.random.default_rng(0)
  loss = rng.lognormal(0, 2, (1000, 1000)).astype(np.float32)  # from tiny to huge
  mask = rng.random(loss.shape) < 0.7
  total, count = jax.jit(targets.masked_mean)(loss, mask)
  assert float(count) == mask.sum()
  assert float(total) == pytest.approx(math.fsum(loss[mask].tolist()), rel=1e-6)


def test_the_logs_sums_over_many_steps():
  """As training adds them: a line of the log over 1,000 steps of 20,000 labels."""
  rng = np.random.default_rng(1)
  masked_mean = jax.jit(targets.masked_mean)
  mask = np.ones(20_000, bool)
  total, count, exact = jnp.float32(0), jnp.float32(0), []
  for size in rng.lognormal(0, 1, 1000):
    loss = (size * rng.random(20_000)).astype(np.float32)
    step_total, step_count = masked_mean(loss, mask)
    total, count = total + step_total, count + step_count
    exact.append(float(loss.sum(dtype=np.float64)))
  assert float(count) == pytest.approx(20e6, rel=1e-6)
  assert float(total) == pytest.approx(math.fsum(exact), rel=1e-5)


def test_errors_over_a_million_frames():
  """MAE, RMSE, bias and r, merged from 1,000 parts, of a force far from 0 beside its spread."""
  rng = np.random.default_rng(2)
  truth = (100 + 0.3 * rng.standard_normal(1_000_000)).astype(np.float32)
  estimate = (truth + 0.05 * rng.standard_normal(truth.shape)).astype(np.float32)
  whole = error_sums.ErrorSums()
  for x, y in zip(np.split(estimate, 1000), np.split(truth, 1000), strict=True):
    whole = whole.merge(error_sums.sum_errors(x, y, np.ones(x.shape, bool)))
  found = whole.result()
  exact = np.asarray(estimate, np.longdouble), np.asarray(truth, np.longdouble)
  error = exact[0] - exact[1]
  apart = [v - v.mean() for v in exact]
  expected = {
    'mae_pct_bw': 100 * abs(error).mean(),
    'rmse_pct_bw': 100 * np.sqrt((error**2).mean()),
    'bias_pct_bw': 100 * error.mean(),
    'r': (apart[0] * apart[1]).mean() / np.sqrt((apart[0] ** 2).mean() * (apart[1] ** 2).mean()),
  }
  for name, value in expected.items():
    assert found[name] == pytest.approx(float(value), rel=1e-9), name
  assert found['n'] == 1_000_000


def test_a_gradient_beside_that_of_float64():
  """Float32 with the backend's own matrix products: loss and gradient of a whole network."""
  state, _, key, _, model, target = step_test._setup(dropout=0.0)
  batch = {k: v for k, v in step_test._batch().items() if k in sharding.DEVICE_KEYS}

  def gradient(params):
    kwargs = {'model': model, 'target': target, 'augmentations': {}}
    (loss, _), found = jax.value_and_grad(train_step.loss_fn, has_aux=True)(
      params, batch, key, **kwargs
    )
    return loss, found

  loss, found = jax.device_get(jax.jit(gradient)(state.params))
  with jax.enable_x64(True):
    params = jax.tree.map(lambda p: np.asarray(p, np.float64), state.params)
    exact_loss, exact = jax.device_get(jax.jit(gradient)(params))
  assert exact_loss.dtype == np.float64
  assert float(loss) == pytest.approx(float(exact_loss), rel=1e-5)
  norm = math.sqrt(sum(float(np.square(g).sum()) for g in jax.tree.leaves(exact)))
  apart = jax.tree.map(lambda a, b: float(np.square(a - b).sum()), found, exact)
  assert math.sqrt(sum(jax.tree.leaves(apart))) < 1e-4 * norm


def test_the_optimizer_beside_float64():
  """Adam's moments and weights after 500 steps of gradients that differ a thousandfold in size."""
  rng = np.random.default_rng(3)
  scale = 10.0 ** rng.uniform(-3, 0, (20, 30))
  gradients = rng.standard_normal((500, 20, 30)) * scale
  weights = {}
  for dtype in (np.float32, np.float64):
    with jax.enable_x64(dtype == np.float64):
      tx = optimizers.build_optimizer(
        steps=500, learning_rate=3e-3, warmup=50, weight_decay=0.05, clip_norm=1.0
      )
      params = {'w': jnp.ones((20, 30), dtype)}
      state, update = tx.init(params), jax.jit(tx.update)
      for gradient in gradients:
        change, state = update({'w': jnp.asarray(gradient, dtype)}, state, params)
        params = optax.apply_updates(params, change)
      weights[dtype] = np.asarray(params['w'])
  assert weights[np.float64].dtype == np.float64
  moved = np.abs(weights[np.float64] - 1)
  assert moved.max() > 0.1
  assert np.abs(weights[np.float32] - weights[np.float64]).max() < 1e-5 * moved.max() + 1e-6


def test_frame_times_hours_into_a_video(tmp_path):
  """Float32 has steps of 1 ms there, a sixteenth of a frame."""
  time_s = 600 * np.arange(20) + np.arange(20) / 60
  film = making.write_video(tmp_path / 'long.mp4', making.film(20).frames, time_s=time_s)
  np.testing.assert_allclose(video_file.probe(film).time_s, time_s, rtol=0, atol=1e-5)
