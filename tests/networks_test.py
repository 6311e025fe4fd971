"""Shapes, sizes and the frames that the networks look at."""

import dataclasses
import functools
import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grfjax import errors
from grfjax.data import clip_config, input_pipeline, voxels, walker_views
from grfjax.inference import estimator, trained_run, walk_estimates
from grfjax.models import networks, paper_networks, targets, walker_networks

SMALL = {'channels': 4, 'dense': 8, 'outputs': 7}


def _count(model, shape):
  """Counts parameters by shape alone: nothing of that size is allocated."""
  variables = jax.eval_shape(
    lambda key, x: model.init(key, x, train=False),
    jax.random.key(0),
    jax.ShapeDtypeStruct(shape, jnp.float32),
  )
  return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(variables['params']))


def _random(shape):
  return jnp.asarray(np.random.default_rng(0).uniform(-0.5, 0.5, shape), jnp.float32)


@pytest.mark.parametrize(
  ('name', 'count'), [('mochizuki3d', 110_526_998), ('mochizuki2d', 38_496_534)]
)
def test_parameters_at_full_width(name, count):
  assert _count(networks.build_network(name), (1, 5, 40, 40, 1)) == count


def test_table_ii_by_hand():
  taps, c = 5 * 5 * 2, 256
  convolutions = taps * 1 * c + c + 3 * (taps * c * c + c)
  flat = 3 * 32 * 32 * c  # (5, 40, 40) after two poolings of (2, 5, 5) with stride 1
  dense = flat * 128 + 128 + 128 * 150 + 150
  assert _count(paper_networks.Mochizuki3D(), (1, 5, 40, 40, 1)) == convolutions + dense


@functools.cache
def _made(name, **kwargs):
  """A small model, its variables, and a batch of one voxel."""
  model = networks.build_network(name, **SMALL, **kwargs)
  x = _random((1, 5, 10, 11, 1))
  return model, jax.jit(functools.partial(model.init, train=False))(jax.random.key(0), x), x


@pytest.mark.parametrize('name', ['mochizuki3d', 'mochizuki2d', 'mochizuki_recurrent'])
def test_shapes_and_contract(name):
  model, variables, x = _made(name)
  assert set(variables) == {'params'}
  y = jax.eval_shape(functools.partial(model.apply, train=False), variables, x)
  assert y.shape == (1, 1, model.legs, model.outputs)
  assert y.dtype == jnp.float32
  assert len(range(5)[model.label_slice]) == y.shape[1]


@pytest.mark.parametrize('name', ['mochizuki3d', 'mochizuki2d', 'mochizuki_recurrent'])
def test_dropout_in_training_only(name):
  model, variables, x = _made(name)
  run = jax.jit(lambda key: model.apply(variables, x, train=True, rngs={'dropout': key}))
  keys = [jax.random.key(i) for i in (1, 2)]
  assert jnp.array_equal(run(keys[0]), run(keys[0]))
  assert not jnp.array_equal(run(keys[0]), run(keys[1]))
  model.apply(variables, x, train=False)  # asks for no random stream


@pytest.mark.parametrize(
  ('name', 'seen'),
  [
    ('mochizuki2d', {4}),
    ('mochizuki3d', {0, 1, 2, 3, 4}),
    ('mochizuki_recurrent', {0, 1, 2, 3, 4}),
  ],
)
def test_2d_sees_the_last_frame_only_and_3d_all_five(name, seen):
  model, variables, x = _made(name)
  gradient = jax.jit(jax.grad(lambda x: (model.apply(variables, x, train=False) ** 2).sum()))(x)
  assert set(np.flatnonzero(jnp.abs(gradient).sum((0, 2, 3, 4)))) == seen


def test_3d_is_table_ii_layer_by_layer():
  """The same network again, from flax's own layers."""
  model, variables, x = _made('mochizuki3d')

  @jax.jit
  def again(p, y):
    for block in '12':
      for layer in '12':
        weights = {'params': p[f'conv{block}_{layer}']}
        y = nn.relu(nn.Conv(4, (2, 5, 5), padding='SAME').apply(weights, y))
      y = nn.max_pool(y, (2, 5, 5), strides=(1, 1, 1), padding='VALID')
    y = nn.relu(y.reshape(1, -1) @ p['dense']['kernel'] + p['dense']['bias'])
    return y @ p['output']['kernel'] + p['output']['bias']

  got = jax.jit(functools.partial(model.apply, train=False))(variables, x)
  np.testing.assert_allclose(got[:, 0, 0], again(variables['params'], x), atol=1e-5)


def test_softmax_reading_and_its_error():
  model, variables, x = _made('mochizuki3d', dense_activation='softmax')
  y, kept = jax.jit(
    lambda v: model.apply(v, x, train=False, capture_intermediates=True, mutable='intermediates')
  )(variables)
  units = nn.softmax(kept['intermediates']['dense']['__call__'][0])
  p = variables['params']['output']
  np.testing.assert_allclose(y[:, 0, 0], units @ p['kernel'] + p['bias'], atol=1e-6)
  with pytest.raises(errors.InputError, match=r"tanh.*'relu', 'softmax'") as caught:
    _made('mochizuki3d', dense_activation='tanh')
  assert caught.value.code == 'config.model'


def _add_background(x):
  """Adds what stands still: the same to each frame."""
  return x + _random(x.shape[2:])[::-1]


def _flicker(x):
  """Brightens each frame by another amount."""
  return x + jnp.arange(5).reshape(1, 5, 1, 1, 1)


@pytest.mark.parametrize(
  ('name', 'scaling', 'change'),
  [
    ('mochizuki3d', 'motion', _add_background),
    ('mochizuki_recurrent', 'motion', _add_background),
    ('mochizuki2d', 'contrast', _flicker),
    ('mochizuki3d', 'contrast', _flicker),
  ],
)
def test_what_a_scaling_takes_out_does_not_matter(name, scaling, change):
  model, variables, x = _made(name, scaling=scaling)
  run = jax.jit(functools.partial(model.apply, train=False))
  np.testing.assert_allclose(run(variables, change(x)), run(variables, x), atol=1e-4)
  model, variables, x = _made(name)
  run = jax.jit(functools.partial(model.apply, train=False))
  assert not np.allclose(run(variables, change(x)), run(variables, x), atol=1e-3)


def test_a_scaling_that_cannot_be_is_refused():
  for name, scaling in (('mochizuki3d', 'white'), ('mochizuki2d', 'motion')):
    with pytest.raises(errors.InputError, match=f"'{scaling}', expected.*contrast") as caught:
      _made(name, scaling=scaling)
    assert caught.value.code == 'config.model'


def test_a_walk_at_once_equals_its_frames_one_by_one_and_its_clips():
  """Work on a frame may be shared among all that see it: the answer is the same."""
  cfg = clip_config.clip_config('walker')
  count = 150
  rng = np.random.default_rng(0)
  # A smooth film, as white noise has no motion.
  film = rng.uniform(0, 255, (8, 24, 12, 2))
  film = np.stack([np.sin(k / 7) * film[k // 20] + (1 - np.sin(k / 7)) * 90 for k in range(count)])
  picture = np.clip(film, 0, 255).astype(np.uint8)
  index, nowhere = np.arange(count, dtype=np.int32), np.full((count, 4), np.nan)
  view = walker_views.WalkerViews(
    picture, np.arange(count) / 60, index, None, 1, nowhere, index >= 0
  )
  model = walker_networks.Convolutional(width=4, features=8, outputs=3)
  apply = jax.jit(functools.partial(model.apply, train=False))

  def answer(variables, records):
    x = jnp.asarray(np.stack([r['voxel'] for r in records]), jnp.float32) / 255 - 0.5
    return np.asarray(apply(variables, x, valid=jnp.stack([r['frame'] >= 0 for r in records])))

  whole = [{'voxel': picture, 'frame': view.frame}]
  init = jax.jit(functools.partial(model.init, train=False))
  variables = init(jax.random.key(0), jnp.zeros((1, count, 24, 12, 2)))
  # The layers before a sum begin at zero, and would let nothing through.
  variables = jax.tree.map(
    lambda p: p if np.asarray(p).any() else 0.3 * rng.standard_normal(p.shape), variables
  )
  expected = answer(variables, whole)[0]
  assert expected.std() > 0.001
  reach = cfg.own.start
  around = dataclasses.replace(cfg, frames=2 * reach + 1, hop=1)
  for voxel in (cfg, cfg.longer(100), around):
    got = answer(variables, list(voxels.cut_voxels(view, None, voxel)))[:, voxel.own]
    got = got.reshape(-1, *expected.shape[1:])[:count]
    np.testing.assert_allclose(got, expected, atol=2e-5 * np.abs(expected).max())
  # And none of the frames around is there in vain.
  x = jnp.asarray(picture, jnp.float32)[None] / 255 - 0.5
  one = lambda x: model.apply(variables, x, train=False)[0, 75].sum()
  counts = np.flatnonzero(jnp.abs(jax.jit(jax.grad(one))(x)).sum((0, 2, 3, 4)))
  assert (counts[0], counts[-1]) == (75 - reach, 75 + reach - 1)


def test_a_recurrent_network_remembers_the_whole_clip_both_ways():
  model = networks.build_network('recurrent', width=4, features=8, layers=1, outputs=1)
  rng = np.random.default_rng(0)
  x = _random((1, 60, 24, 12, 2))
  variables = jax.jit(functools.partial(model.init, train=False))(jax.random.key(0), x)
  variables = jax.tree.map(
    lambda p: p if np.asarray(p).any() else 0.3 * rng.standard_normal(p.shape), variables
  )
  one = lambda x: model.apply(variables, x, train=False)[0, 30].sum()
  counts = np.flatnonzero(jnp.abs(jax.jit(jax.grad(one))(x)).sum((0, 2, 3, 4)))
  assert (counts[0], counts[-1]) == (0, 59)


@pytest.mark.parametrize('name', ['convolutional', 'recurrent'])
def test_a_video_is_estimated_as_the_records_of_a_data_set_are(name, monkeypatch):
  """A network that sees so far gets longer clips; one that takes no others, those of a record."""
  monkeypatch.setattr(walker_networks.Recurrent, 'any_length', False)
  cfg = clip_config.ClipConfig(
    'walker', follow=True, frames=96, hop=40, rows=24, columns=12, fps=60
  )
  rng = np.random.default_rng(0)
  picture = rng.integers(0, 256, (150, 24, 12, 2), dtype=np.uint8)
  index, nowhere = np.arange(150, dtype=np.int32), np.full((150, 4), np.nan)
  view = walker_views.WalkerViews(picture, index / 60, index, None, 1, nowhere, index >= 0)
  target = targets.build_target('regression')
  model = networks.build_network(name, width=4, features=8, outputs=target.outputs)
  init = functools.partial(model.init, train=False)
  variables = jax.eval_shape(init, jax.random.key(0), jnp.zeros((1, 96, 24, 12, 2)))
  params = jax.tree.map(lambda p: 0.3 * rng.standard_normal(p.shape), variables['params'])
  estimate = estimator.make_estimate(model=model, target=target)
  run = trained_run.TrainedRun(None, None, cfg, model, target, params, 0, estimate, None)
  got, *_ = walk_estimates.estimate_walk(run, view)
  records = list(voxels.cut_voxels(view, None, cfg))
  expected, *_ = estimator.estimate_own(
    cfg, model, estimate, params, input_pipeline.pad_batch(records, len(records))
  )
  expected = expected.reshape(-1, *expected.shape[2:])[:150]
  np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())


def test_build_lists_the_names():
  with pytest.raises(errors.InputError, match=r"'mochizuki4d'.*mochizuki2d, mochizuki3d") as caught:
    networks.build_network('mochizuki4d')
  assert caught.value.code == 'config.unknown_model'
