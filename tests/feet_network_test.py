"""The network that finds feet: its target, its labels under augmentation, its reach."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grfjax.data import clip_config
from grfjax.models import augmentation, feet_network, foot_target
from grfjax.tracking import walker_window

B, T, H, W = 2, 12, 96, 36
TALL = 1.5


def batch(key=0):
  rng = np.random.default_rng(key)
  shape = (B, T, 2, 2)
  return {
    'voxel': jnp.asarray(rng.random((B, T, H, W, 2)), jnp.float32),
    'frame': jnp.tile(jnp.arange(T), (B, 1)),
    'force': jnp.ones((B, T, 2, 3)),
    'known': jnp.ones((B, T, 2), bool),
    'sole': jnp.asarray(rng.uniform(-0.2, 0.2, shape), jnp.float32),
    'pressure': jnp.asarray(rng.uniform(-0.1, 0.1, shape), jnp.float32),
    'stand': jnp.asarray(rng.uniform(-0.1, 0.1, shape), jnp.float32),
    'height_m': jnp.full(B, TALL),
    **{f'{name}_known': jnp.ones((B, T, 2), bool) for name in ('sole', 'pressure', 'stand')},
  }


def perfect_outputs(target, labels):
  """What decodes to the labels, whose feet are midway between both already."""
  ahead = (labels['pressure'][..., 0] - labels['stand'][..., 0]) / TALL
  aside = labels['pressure'][..., 1] / TALL
  wanted = jnp.concatenate([labels['sole'], jnp.stack([ahead, aside], -1)], -1)
  return wanted / jnp.array(target.scale)


def test_the_loss_is_0_of_the_truth_wherever_the_plates_have_their_origin():
  target, labels = foot_target.FeetTarget(), batch()
  middle = labels['pressure'][..., 1].mean((1, 2), keepdims=True)
  labels['pressure'] = labels['pressure'].at[..., 1].add(-middle)
  right = perfect_outputs(target, labels)
  assert float(target.loss(right, labels)[0]) == pytest.approx(0, abs=1e-3)
  moved = labels | {name: labels[name] + jnp.array([3.0, -2.0]) for name in ('pressure', 'stand')}
  assert float(target.loss(right, moved)[0]) == pytest.approx(0, abs=1e-3)
  off = labels | {'sole': labels['sole'] + jnp.array([0.02, 0.0])}
  total, count = target.loss(right, off)[1]['sole_ahead_pct_bh']
  assert float(total / count) == pytest.approx(2, rel=1e-3)


def test_pixels_are_those_of_the_window_that_follows_the_walker():
  target, clip = foot_target.FeetTarget(), clip_config.clip_config('walker')
  assert (target.margin, target.floor, target.wide) == (
    walker_window.MARGIN, walker_window.FLOOR, clip.wide
  )  # fmt: skip
  soles = batch()['sole']
  there = target.to_pixels(soles, (H, W))
  np.testing.assert_allclose(target.from_pixels(there, (H, W)), soles, atol=1e-6)
  # A sole at the window's middle and on its floor line.
  np.testing.assert_allclose(target.to_pixels(jnp.zeros(2), (H, W)), [W / 2, 0.95 * H], rtol=1e-6)


def test_what_is_not_known_has_no_gradient():
  target, labels = foot_target.FeetTarget(), batch()
  labels['sole_known'] = labels['sole_known'].at[:, :, 1].set(False)
  labels['stand_known'] = labels['stand_known'].at[0].set(False)
  labels['height_m'] = labels['height_m'].at[1].set(0)  # not given
  outputs = jax.random.normal(jax.random.key(0), (B, T, 2, 4))
  gradient = jax.grad(lambda o: target.loss(o, labels)[0])(outputs)
  assert np.isfinite(gradient).all()
  assert (gradient[:, :, 1, :2] == 0).all()
  assert (gradient[:, :, 0, :2] != 0).any()
  assert (gradient[..., 2] == 0).all()
  assert (gradient[1, ..., 3] == 0).all()
  assert (gradient[0, ..., 3] != 0).any()


@pytest.mark.parametrize(
  'strengths', [{'shift': 3.0, 'scale': 0.1}, {'shift': 2.0, 'rotation': 9.0}]
)
def test_soles_move_with_the_picture(strengths):
  spot = np.zeros((B, T, H, W, 2), np.float32)
  row, column = 60, 22
  spot[:, :, row - 2 : row + 3, column - 2 : column + 3] = 1
  labels = batch() | {'voxel': jnp.asarray(spot)}
  labels['sole'] = jnp.full((B, T, 2, 2), 0.5) + jnp.array([column, row])
  moved = augmentation.augment(jax.random.key(3), labels, **strengths)
  picture = np.asarray(moved['voxel'])[:, 0, :, :, 0]
  mass = picture.sum((1, 2))
  seen_row = (picture.sum(2) @ (np.arange(H) + 0.5)) / mass
  seen_column = (picture.sum(1) @ (np.arange(W) + 0.5)) / mass
  seen = np.stack([seen_column, seen_row], -1)
  np.testing.assert_allclose(moved['sole'][:, 0, 0], seen, atol=0.08)
  assert np.abs(np.asarray(moved['sole']) - np.asarray(labels['sole'])).max() > 0.5


def test_forces_shown_are_off_and_sometimes_withheld():
  labels = batch()
  labels['force'] = labels['force'].at[:, :6].set(0)
  changed = augmentation.augment(
    jax.random.key(1), labels, force_gain=0.1, force_noise=0.05, force_drop=0.5
  )['force']
  assert (changed[:, :6] == 0).all()  # none where there is none
  withheld = np.asarray((changed == 0).all((1, 3)))
  assert withheld.any()
  assert not withheld.all()


def test_an_estimate_depends_on_frames_nearby_alone():
  model = feet_network.Feet(width=8, features=16)
  long = jnp.asarray(np.random.default_rng(1).random((1, 96, H, W, 2)), jnp.float32)
  force = jnp.ones((1, 96, 2, 3))
  params = model.init(jax.random.key(0), long, force=force, train=False)
  params = jax.tree.map(lambda p: p + 0.1, params)  # layers over time begin with 0
  reach = sum(model.dilations)
  one = model.apply(params, long, force=force, train=False)
  other = model.apply(params, long.at[:, 60:].set(0), force=force.at[:, 60:].set(0), train=False)
  np.testing.assert_array_equal(one[:, : 60 - reach], other[:, : 60 - reach])
  assert (one[:, 59] != other[:, 59]).all()
