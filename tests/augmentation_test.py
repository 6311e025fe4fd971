"""Golden values of the augmentations, and what they must leave alone."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grfjax import errors
from grfjax.models import augmentation

EACH = {
  'shift': 2.5,
  'scale': 0.1,
  'rotation': 5.0,
  'gain': 0.2,
  'bias': 0.1,
  'noise': 0.05,
  'erase': 1.0,
  'jitter': 0.2,
  'mirror': 1.0,
}


def _batch(b=3, t=6, h=10, w=12, c=2):
  rng = np.random.default_rng(0)
  time = jnp.tile(jnp.arange(t) / 30, (b, 1))
  return {
    'voxel': jnp.asarray(rng.uniform(0.2, 0.8, (b, t, h, w, c)), jnp.float32),
    'force': jnp.asarray(rng.uniform(-0.2, 1.2, (b, t, 2, 3)), jnp.float32),
    'known': jnp.asarray(rng.uniform(size=(b, t, 2)) < 0.8),
    'contact': jnp.asarray(rng.uniform(size=(b, t, 2)) < 0.6),
    'time_s': time.astype(jnp.float32),
    'frame': jnp.tile(jnp.arange(t, dtype=jnp.int32), (b, 1)),
    'other': jnp.arange(b),
  }


@functools.cache
def _run(**strengths):
  """The batch after the augmentations, compiled, with one fixed key."""
  run = jax.jit(functools.partial(augmentation.augment, **strengths))
  return run(jax.random.key(7), _batch())


def _affine(x, shift=(0.0, 0.0), scale=1.0, rotation=0.0):
  b = x.shape[0]
  return jax.jit(augmentation.affine)(
    x,
    shift=np.tile(np.float32(shift), (b, 1)),
    scale=np.full(b, scale, np.float32),
    rotation=np.full(b, rotation, np.float32),
  )


def test_strength_zero_is_bit_equal():
  got, want = _run(), _batch()
  assert set(got) == set(want)
  for name in want:
    np.testing.assert_array_equal(got[name], want[name], strict=True)


@pytest.mark.parametrize('name', sorted(EACH))
def test_each_alone_changes_the_voxel_within_bounds_and_keeps_labels(name):
  got, want = _run(**{name: EACH[name]}), _batch()
  assert {k: (v.shape, v.dtype) for k, v in got.items()} == {
    k: (v.shape, v.dtype) for k, v in want.items()
  }
  for sample in range(3):
    assert not jnp.array_equal(got['voxel'][sample], want['voxel'][sample])
  assert 0 <= got['voxel'].min() <= got['voxel'].max() <= 1
  if name != 'jitter':
    for label in ('force', 'known', 'contact', 'time_s', 'frame', 'other'):
      np.testing.assert_array_equal(got[label], want[label])


def test_draws_depend_on_key_and_sample_but_not_on_other_augmentations():
  # The bias alone, seen as a difference from the original.
  shift_of = lambda batch: (batch['voxel'] - _batch()['voxel'])[:, 0, 0, 0, 0]
  alone = shift_of(_run(bias=0.1))
  assert len(set(np.round(np.asarray(alone), 5))) == 3
  with_mirror_of_none = shift_of(_run(bias=0.1, mirror=1e-9, erase=1e-9))
  np.testing.assert_array_equal(alone, with_mirror_of_none)
  other = augmentation.augment(jax.random.key(8), _batch(), bias=0.1)
  assert not jnp.allclose(shift_of(other), alone)
  names = [
    'jitter',
    'jitter pivot',
    'mirror',
    'shift',
    'scale',
    'rotation',
    'erase',
    'gain',
    'bias',
    'noise',
    'noise field',
  ]
  keys = [
    tuple(jax.random.key_data(augmentation._named_key(jax.random.key(0), n)).tolist())
    for n in names
  ]
  assert len(set(keys)) == len(names)


@pytest.mark.parametrize('shift', [(2, 0), (0, 3), (-1, 2), (3, -4)])
def test_integer_shift_is_exact_and_the_edge_goes_on(shift):
  x = _batch()['voxel']
  down, right = shift
  rows = np.clip(np.arange(10) - down, 0, 9)
  columns = np.clip(np.arange(12) - right, 0, 11)
  want = np.asarray(x)[:, :, rows][:, :, :, columns]
  np.testing.assert_array_equal(_affine(x, shift=shift), want)


def test_half_a_pixel_averages_neighbours():
  x = _batch()['voxel']
  got = _affine(x, shift=(0.0, 0.5))
  np.testing.assert_allclose(got[:, :, :, 1:], (x[:, :, :, 1:] + x[:, :, :, :-1]) / 2, atol=1e-6)
  np.testing.assert_allclose(got[:, :, :, 0], x[:, :, :, 0], atol=1e-6)


def test_no_rotation_and_no_scale_is_exact():
  x = _batch()['voxel']
  np.testing.assert_array_equal(_affine(x), x)


def test_quarter_turn_is_clockwise():
  x = _batch(h=9, w=9)['voxel']
  np.testing.assert_allclose(
    _affine(x, rotation=np.pi / 2), jnp.rot90(x, -1, axes=(2, 3)), atol=1e-5
  )


def test_scale_keeps_the_centre_and_stretches_a_ramp():
  ramp = jnp.broadcast_to(jnp.arange(11.0)[:, None] / 10, (1, 1, 11, 7))[..., None]
  got = _affine(ramp, scale=2.0)[0, 0, :, 3, 0]
  np.testing.assert_allclose(got, 0.5 + (np.arange(11) - 5) / 20, atol=1e-6)
  small = _affine(ramp, scale=0.5)[0, 0, :, 3, 0]
  np.testing.assert_allclose(small, np.clip(0.5 + (np.arange(11) - 5) / 5, 0, 1), atol=1e-6)


def test_affine_is_bilinear_and_applies_scale_and_rotation_before_shift():
  """A plane stays a plane, and its value follows the inverse map (away from the edge)."""
  row, column = np.mgrid[0:21, 0:25].astype(np.float64)
  plane = lambda r, c: 0.5 + 0.01 * (r - 10) - 0.015 * (c - 12)
  x = jnp.asarray(plane(row, column), jnp.float32)[None, None, :, :, None]
  angle, size, (down, right) = 0.1, 1.1, (0.7, -1.2)
  got = _affine(x, shift=(down, right), scale=size, rotation=angle)[0, 0, :, :, 0]
  r, c = row - 10 - down, column - 12 - right
  want = plane(
    10 + (np.cos(angle) * r - np.sin(angle) * c) / size,
    12 + (np.sin(angle) * r + np.cos(angle) * c) / size,
  )
  np.testing.assert_allclose(got[5:-5, 5:-5], want[5:-5, 5:-5], atol=1e-5)


@pytest.mark.parametrize(
  ('shift', 'scale'), [((0.6, -1.3), 1.0), ((0.0, 0.0), 0.9), ((-2, 1), 1.2)]
)
def test_shift_and_scale_is_affine_without_rotation(shift, scale):
  x = _batch()['voxel']
  got = jax.jit(augmentation.shift_and_scale)(
    x, shift=np.tile(np.float32(shift), (3, 1)), scale=np.full(3, scale, np.float32)
  )
  np.testing.assert_allclose(got, _affine(x, shift=shift, scale=scale), atol=1e-5)


def test_gain_and_bias_concern_their_channels_only():
  x = _batch()['voxel']
  gain, bias = jnp.array([1.5, 0.5, 1.0]), jnp.array([0.1, 0.0, -0.2])
  got = augmentation.photometric(x, gain=gain, bias=bias, channels=(1,))
  np.testing.assert_array_equal(got[..., 0], x[..., 0])
  np.testing.assert_allclose(got[0, ..., 1], 1.5 * x[0, ..., 1] + 0.1, rtol=1e-6)
  np.testing.assert_allclose(got[1, ..., 1], 0.5 * x[1, ..., 1], rtol=1e-6)
  np.testing.assert_allclose(got[2, ..., 1], x[2, ..., 1] - 0.2, rtol=1e-5)


def test_noise_is_white_near_normal_and_differs_between_samples():
  z = np.asarray(augmentation._white_noise(jax.random.key(0), (4, 10, 32, 32, 2)), np.float64)
  assert abs(z.mean()) < 0.01
  assert z.std() == pytest.approx(1, abs=0.01)
  assert np.mean(np.abs(z) < 1) == pytest.approx(0.67, abs=0.05)  # in steps of 0.35
  flat = z.reshape(4, -1)
  assert np.abs(np.corrcoef(flat) - np.eye(4)).max() < 0.03
  for axis in range(1, 5):  # neighbours in time, space and channel
    n = z.shape[axis]
    pair = z.take(range(1, n), axis) * z.take(range(n - 1), axis)
    assert abs(pair.mean()) < 0.02


def test_erase_fills_a_rectangle_with_the_clips_mean():
  got, want = _run(erase=1.0, erase_size=0.5)['voxel'], _batch()['voxel']
  for g, w in zip(np.asarray(got), np.asarray(want), strict=True):
    changed = (g != w).any((0, 3))
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    assert changed[box].all()
    assert len(rows) <= 5
    assert len(columns) <= 6
    mean = w.mean((0, 1, 2))
    np.testing.assert_allclose(g[:, *box], np.broadcast_to(mean, g[:, *box].shape), rtol=1e-5)


def test_mirror_flips_the_picture_only():
  np.testing.assert_array_equal(_run(mirror=1.0)['voxel'], _batch()['voxel'][:, :, :, ::-1])


def test_jitter_moves_labels_with_frames():
  """Voxel, force and time made linear in time stay on one line, and nothing known is held."""
  b, t = 4, 9
  batch = _batch(b=b, t=t)
  line = jnp.broadcast_to(jnp.arange(t) / 10, (b, t))
  batch['voxel'] = jnp.broadcast_to(line[:, :, None, None, None], batch['voxel'].shape)
  batch['force'] = jnp.broadcast_to(line[:, :, None, None], batch['force'].shape)
  batch['time_s'] = line
  batch['known'] = jnp.ones_like(batch['known'])
  rate, pivot = jnp.array([1.0, 0.5, 1.25, 2.0]), jnp.array([0.3, 0.0, 1.0, 0.5])
  got = jax.jit(augmentation.resample_time)(batch, rate, pivot)
  source = np.array(
    [
      [p * 8 + (i - p * 8) * r for i in range(t)]
      for r, p in zip(rate.tolist(), pivot.tolist(), strict=True)
    ]
  )
  want = np.clip(source, 0, 8) / 10
  np.testing.assert_allclose(got['time_s'], want, atol=1e-6)
  np.testing.assert_allclose(got['force'][..., 1, 2], want, atol=1e-6)
  np.testing.assert_allclose(got['voxel'][..., 3, 4, 1], want, atol=1e-6)
  inside = (source > -1e-6) & (source < 8 + 1e-6)
  np.testing.assert_array_equal(got['known'][..., 0], inside)
  assert np.abs(np.asarray(got['frame']) / 10 - want).max() <= 0.05 + 1e-6


def test_jitter_knows_only_what_all_its_frames_know():
  batch = {
    'voxel': jnp.zeros((1, 4, 2, 2, 1)),
    'force': jnp.array([1.0, 2.0, jnp.nan, 4.0]).reshape(1, 4, 1, 1) * jnp.ones((1, 4, 2, 3)),
    'known': jnp.array([True, True, False, True])[None, :, None] & jnp.ones((1, 4, 2), bool),
    'contact': jnp.array([False, True, True, False])[None, :, None] & jnp.ones((1, 4, 2), bool),
  }
  got = jax.jit(augmentation.resample_time)(
    batch, jnp.array([0.5]), jnp.array([0.0])
  )  # 0, 0.5, 1, 1.5
  np.testing.assert_array_equal(got['known'][0, :, 0], [True, True, True, False])
  np.testing.assert_array_equal(got['force'][0, :3, 0, 0], [1.0, 1.5, 2.0])
  np.testing.assert_array_equal(got['contact'][0, :, 0], [False, True, True, True])
  same = jax.jit(augmentation.resample_time)(batch, jnp.array([1.0]), jnp.array([0.4]))
  for name in batch:
    np.testing.assert_array_equal(same[name], batch[name])


@pytest.mark.parametrize(
  'bad', [{'scale': 1.0}, {'noise': -0.1}, {'erase': 1.5}, {'jitter': float('nan')}]
)
def test_refuses_strengths_without_meaning(bad):
  with pytest.raises(errors.InputError, match=next(iter(bad))) as caught:
    augmentation.augment(jax.random.key(0), _batch(), **bad)
  assert caught.value.code == 'config.augment'


def test_refuses_uint8():
  with pytest.raises(ValueError, match='uint8'):
    augmentation.augment(jax.random.key(0), {'voxel': jnp.zeros((1, 2, 4, 4, 1), jnp.uint8)})
