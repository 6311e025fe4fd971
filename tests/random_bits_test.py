"""Random bits from a hash, and dropout by them."""

import jax
import numpy as np
import pytest

from grfjax.models import random_bits


def _seed(key: int, samples: int) -> jax.Array:
  return jax.random.bits(jax.random.key(key), (2, samples))


def test_every_bit_is_fair_and_independent_of_its_neighbours():
  words = np.asarray(random_bits.hashed_bits(_seed(0, 4), (4, 20_000)))
  each = ((words[..., None] >> np.arange(32)) & 1).reshape(-1, 32).astype(float)
  assert np.abs(each.mean(0) - 0.5).max() < 0.008  # 4.5 standard deviations
  apart = np.corrcoef(each.T) - np.eye(32)
  assert np.abs(apart).max() < 0.02
  assert np.abs(np.corrcoef(words.astype(float)) - np.eye(4)).max() < 0.03


def test_bits_follow_from_the_seed():
  one, two = (random_bits.hashed_bits(_seed(key, 2), (2, 50)) for key in (0, 1))
  np.testing.assert_array_equal(one, random_bits.hashed_bits(_seed(0, 2), (2, 50)))
  assert (np.asarray(one) != np.asarray(two)).mean() > 0.99


@pytest.mark.parametrize('rate', [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
  x = np.full((3, 200, 100), 2.0, np.float32)
  y = np.asarray(random_bits.dropout(_seed(0, 3), x, rate))
  assert set(np.unique(y)) == {0, np.float32(2 / (1 - rate))}
  assert (y == 0).mean() == pytest.approx(rate, abs=0.005)
  assert y.mean() == pytest.approx(2, rel=0.03)


def test_dropout_of_nothing_is_nothing():
  x = np.ones((2, 3), np.float32)
  assert random_bits.dropout(_seed(0, 2), x, 0.0) is x
