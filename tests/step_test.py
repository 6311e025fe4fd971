"""The compiled step: one compilation, the same on one device and on four, and it can learn."""

import functools
import os
import pathlib
import re
import subprocess
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grfjax.inference import estimator
from grfjax.models import networks, targets
from grfjax.training import optimizers, sharding, train_step

SHAPE = (8, 24, 24, 2)  # T, H, W, C
AUGMENT = {'shift': 1.0, 'scale': 0.05, 'gain': 0.2, 'noise': 0.02}


def _batch(count=4, seed=0):
  rng = np.random.default_rng(seed)
  t = SHAPE[0]
  return {
    'voxel': rng.integers(0, 256, (count, *SHAPE), dtype=np.uint8),
    'force': rng.random((count, t, 2, 3), np.float32),
    'known': rng.random((count, t, 2)) < 0.8,
    'contact': rng.random((count, t, 2)) < 0.9,
    'frame': np.tile(np.arange(t, dtype=np.int32), (count, 1)),
    'time_s': np.tile(np.arange(t, dtype=np.float32) / 60, (count, 1)),
  }


def _setup(
  dropout=0.1, rate=3e-3, steps=100, augment=AUGMENT, name='convolutional', dtype=jnp.float32
):
  target = targets.build_target('regression')
  more = {'convolutional': {'dilations': (1, 2)}, 'recurrent': {'layers': 1}}.get(name, {})
  model = networks.build_network(
    name, outputs=target.outputs, width=8, features=16, dropout=dropout, dtype=dtype, **more
  )
  tx = optimizers.build_optimizer(steps=steps, learning_rate=rate, warmup=5, clip_norm=1.0)
  _, replicated, split = sharding.meshes()
  state = jax.jit(lambda k: train_step.init_state(model, tx, SHAPE, k), out_shardings=replicated)(
    jax.random.key(0)
  )
  update = train_step.make_train_step(
    model=model, target=target, tx=tx, augmentations=augment, replicated=replicated, split=split
  )
  key = jax.device_put(jax.random.key(1), replicated)
  return state, update, key, split, model, target


def test_one_compilation_for_many_steps():
  state, update, key, split, *_ = _setup()
  for k in range(3):
    with jax.transfer_guard('allow'):
      batch = sharding.to_device(_batch(seed=k), split)
    state, _ = update(state, batch, key)
  assert update._cache_size() == 1
  assert int(state.step) == 3


# Not of walker: its members' gradients are their own (below).
@pytest.mark.parametrize('name', ['convolutional', 'recurrent'])
def test_learns_eight_clips_by_heart(name):
  state, update, key, split, *_ = _setup(0.0, rate=1e-2, steps=300, augment={}, name=name)
  batch = sharding.to_device(_batch(8), split)
  errors = []
  for _ in range(300):
    state, sums = update(state, batch, key)
    errors.append(float(sums['mae_pct_bw'][0] / sums['mae_pct_bw'][1]))
  # Uniform noise as the label has a mean absolute deviation of 25 % from its median.
  assert errors[0] > 20
  assert errors[-1] < 8


def test_it_learns_in_16_bits_and_keeps_its_parameters_in_32():
  state, update, key, split, model, target = _setup(0.0, rate=1e-2, augment={}, dtype=jnp.bfloat16)
  batch = sharding.to_device(_batch(4), split)
  losses = []
  for _ in range(25):
    state, sums = update(state, batch, key)
    losses.append(float(sums['loss'][0] / sums['loss'][1]))
  assert np.isfinite(losses).all()
  assert losses[-1] < 0.8 * losses[0]
  assert {p.dtype for p in jax.tree.leaves(state.params)} == {jnp.dtype('float32')}
  estimate = estimator.make_estimate(model=model, target=target)
  assert {x.dtype for x in estimate(state.params, batch)} == {jnp.dtype('float32')}


@pytest.mark.parametrize(
  ('name', 'in_32_bits'),
  # The last layer; of the recurrent network's state nothing is multiplied in 32 bits.
  [('walker', 2), ('mochizuki3d', 1)],
)
def test_in_16_bits_all_layers_but_the_last_multiply_in_16(name, in_32_bits):
  paper = name == 'mochizuki3d'
  small = {'channels': 2, 'dense': 4} if paper else {'width': 4, 'features': 8}
  model = networks.build_network(name, outputs=3, dtype=jnp.bfloat16, **small)
  x = jax.ShapeDtypeStruct((1, 5, 24, 24, 1 if paper else 2), jnp.float32)
  valid = jax.ShapeDtypeStruct((1, 5), jnp.bool_)
  params = jax.eval_shape(
    lambda x, valid: model.init(jax.random.key(0), x, train=False, valid=valid), x, valid
  )
  apply = jax.jit(lambda params, x, valid: model.apply(params, x, train=False, valid=valid))
  text = apply.trace(params, x, valid).lower(lowering_platforms=('cuda',)).as_text()
  products = re.findall(
    r'stablehlo\.(?:dot_general|convolution).*: \(tensor<\S*x(bf16|f32)>,', text
  )
  assert products.count('f32') == in_32_bits
  assert products.count('bf16') == len(products) - in_32_bits > 4
  assert jax.eval_shape(apply, params, x, valid).dtype == jnp.float32


def test_unknown_labels_do_not_count():
  state, update, key, split, *_ = _setup()
  batch = _batch()
  other = dict(batch, force=np.where(batch['known'][..., None], batch['force'], 7.0))
  results = []
  for b in (batch, other):
    fresh = jax.tree.map(jnp.copy, state)
    after, sums = update(fresh, sharding.to_device(b, split), key)
    results.append((after.params, sums))
  jax.tree.map(np.testing.assert_array_equal, *results)


@pytest.mark.parametrize('name', ['convolutional', 'recurrent', 'walker'])
def test_frames_beyond_the_edge_do_not_reach_others(name):
  """What a padded frame shows must not change the frames inside, but for the first difference."""
  state, _, _, _, model, target = _setup(dropout=0.0, name=name)
  estimate = estimator.make_estimate(model=model, target=target)
  batch = _batch(2)
  batch['frame'][:, 6:] = -1
  again = dict(batch, voxel=batch['voxel'].copy())
  again['voxel'][:, 6:] = np.roll(batch['voxel'][:, 6:], 5, axis=3)  # the same gray values
  a = np.asarray(estimate(state.params, batch)[0])
  b = np.asarray(estimate(state.params, again)[0])
  np.testing.assert_allclose(a[:, :6], b[:, :6], atol=1e-5)


def _gradient(params, batch, model, target):
  loss = functools.partial(train_step.loss_fn, model=model, target=target, augmentations={})
  return jax.jit(jax.grad(loss, has_aux=True))(params, batch, jax.random.key(0))[0]


@pytest.mark.usefixtures('few_layers')
def test_members_are_averaged_and_learn_by_themselves():
  target = targets.build_target('regression')
  model = networks.build_network(
    'walker', outputs=target.outputs, width=8, features=16, dropout=0.0
  )
  init = functools.partial(model.init, train=False)
  shapes = jax.eval_shape(init, jax.random.key(0), jnp.zeros((1, *SHAPE)))['params']
  rng = np.random.default_rng(0)
  params = jax.tree.map(lambda p: 0.3 * rng.standard_normal(p.shape, np.float32), shapes)
  batch = _batch(2)
  alone, gradients = {}, {}
  for name in ('convolutional', 'recurrent'):
    member = networks.build_network(name, outputs=target.outputs, width=8, features=16, dropout=0.0)
    estimate = estimator.make_estimate(model=member, target=target)
    alone[name] = np.asarray(estimate(params[name], batch)[0])
    gradients[name] = _gradient(params[name], batch, member, target)
  both = estimator.make_estimate(model=model, target=target)(params, batch)[0]
  np.testing.assert_allclose(both, sum(alone.values()) / 2, atol=1e-4)
  assert np.abs(alone['convolutional'] - alone['recurrent']).max() > 0.01
  got = _gradient(params, batch, model, target)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b / 2, atol=1e-5), got, gradients)


def test_an_average_is_of_the_clip_moved_both_ways():
  state, _, _, _, model, target = _setup(dropout=0.0)
  batch = _batch(2)
  x = batch['voxel']
  down = np.pad(x, ((0, 0), (0, 0), (2, 0), (1, 0), (0, 0)), mode='edge')[:, :, :-2, :-1]
  up = np.pad(x, ((0, 0), (0, 0), (0, 2), (0, 1), (0, 0)), mode='edge')[:, :, 2:, 1:]
  plain = estimator.make_estimate(model=model, target=target)
  two = [np.asarray(plain(state.params, dict(batch, voxel=v))[0]) for v in (down, up)]
  got = estimator.make_estimate(model=model, target=target, shift=(2.0, 1.0))(state.params, batch)[
    0
  ]
  np.testing.assert_allclose(got, (two[0] + two[1]) / 2, atol=1e-5)
  assert np.abs(two[0] - two[1]).max() > 1e-3


def test_a_key_is_used_for_one_step_only():
  state, update, key, split, *_ = _setup()
  batch = sharding.to_device(_batch(), split)
  copy = jax.tree.map(jnp.copy, state)
  _, first = update(copy, batch, key)
  later = state.replace(step=state.step + 1)
  _, second = update(later, batch, key)
  assert float(first['loss'][0]) != float(second['loss'][0])


def _three_steps(devices):
  """Parameters after three steps on so many devices, the last loss, and estimates of 6 voxels."""
  assert jax.device_count() == devices
  state, update, key, split, model, target = _setup()
  for k in range(3):
    state, sums = update(state, sharding.to_device(_batch(seed=k), split), key)
  leaves = [np.asarray(x).ravel() for x in jax.tree.leaves(state.params)]
  estimate = estimator.make_estimate(model=model, target=target, shift=(1.0, 0.5))
  params = estimator.on_own_devices(jax.device_get(state.params))
  batch = _batch(6)  # which four devices cannot share evenly
  shared = estimator._beside(params, batch)['voxel']
  assert len({shard.device for shard in shared.addressable_shards}) == devices
  assert shared.addressable_shards[0].data.shape[0] == -(-6 // devices)
  clip = types.SimpleNamespace(frames=SHAPE[0], own=slice(None))
  estimates = estimator.estimate_own(clip, model, estimate, params, batch)
  assert len(estimates[0]) == 6
  return np.concatenate(
    [*leaves, np.asarray(sums['loss']).ravel(), *(part.ravel() for part in estimates)]
  )


def _collectives(devices):
  """What a step of a network with several members sends between devices."""
  target = targets.build_target('regression')
  model = networks.build_network('walker', outputs=target.outputs, width=4, features=8)
  _, replicated, split = sharding.meshes()
  loss = functools.partial(train_step.loss_fn, model=model, target=target, augmentations={})
  shapes = jax.eval_shape(
    functools.partial(model.init, train=False), jax.random.key(0), jnp.zeros((1, *SHAPE))
  )['params']
  gradient = jax.jit(
    jax.grad(loss, has_aux=True),
    in_shardings=(replicated, split, replicated),
    out_shardings=replicated,
  )
  batch = sharding.to_device(_batch(devices), split)
  text = gradient.lower(shapes, batch, jax.random.key(0)).compile().as_text()
  return set(re.findall(r'(all-reduce|all-gather|all-to-all|collective-permute)\(', text))


_FOUR = """
import sys
sys.path.insert(0, {tests!r})
import numpy as np, step_test
np.save({out!r}, step_test._three_steps(4))
assert step_test._collectives(4) == {{'all-reduce'}}, step_test._collectives(4)
"""


@pytest.mark.slow
def test_four_devices_give_what_one_gives(tmp_path):
  out = str(tmp_path / 'four.npy')
  code = _FOUR.format(tests=str(pathlib.Path(__file__).parent), out=out)
  xla_flags = f'{os.environ["XLA_FLAGS"]} --xla_force_host_platform_device_count=4'
  env = dict(os.environ, XLA_FLAGS=xla_flags, JAX_PLATFORMS='cpu')
  subprocess.run([sys.executable, '-c', code], check=True, env=env)
  np.testing.assert_allclose(_three_steps(1), np.load(out), rtol=2e-4, atol=2e-5)


def test_weight_decay_spares_biases():
  tx = optimizers.build_optimizer(steps=10, learning_rate=0.1, weight_decay=0.5, decay=False)
  params = {'kernel': jnp.ones((2, 2)), 'bias': jnp.ones(2)}
  zero = jax.tree.map(jnp.zeros_like, params)
  updates, _ = tx.update(zero, tx.init(params), params)
  np.testing.assert_allclose(updates['kernel'], -0.05)
  np.testing.assert_array_equal(updates['bias'], 0)


def test_muon_turns_a_kernels_gradient_into_a_rotation_and_leaves_biases_to_adam():
  rng = np.random.default_rng(0)
  gradient = {
    'kernel': jnp.asarray(rng.normal(size=(3, 4, 8)) * rng.uniform(0.3, 1, 8), jnp.float32),
    'bias': jnp.asarray([3.0, -0.02, 0.5]),
  }
  params = jax.tree.map(jnp.zeros_like, gradient)
  tx = optimizers.build_optimizer(steps=10, learning_rate=0.1, decay=False, muon=True)
  update, _ = tx.update(gradient, tx.init(params), params)
  flat = np.asarray(gradient['kernel']).reshape(12, 8)
  u, _, v = np.linalg.svd(flat, full_matrices=False)
  turned = -np.asarray(update['kernel']).reshape(12, 8) / (0.1 * 0.2 * np.sqrt(12))
  # Five rounds of Newton and Schulz bring singular values near 1, not to it.
  along = np.diag(u.T @ turned @ v.T)
  assert (along > 0.6).all()
  assert (along < 1.3).all()
  np.testing.assert_allclose(u @ np.diag(along) @ v, turned, atol=1e-4)
  first = 0.1 * (1 + 0.9 * 0.1 / (1 - 0.9**2))  # Adam's with Nesterov's look ahead
  np.testing.assert_allclose(update['bias'], [-first, first, -first], rtol=1e-3)
