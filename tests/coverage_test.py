"""Calibrated intervals hold what they promise."""

import numpy as np
import pytest

from grfjax.inference import conformal


def people(rng, count, low=1.0, high=1.0):
  """Errors with a scale that differs from frame to frame, as a network's own intervals say."""
  scale = rng.uniform(0.02, 0.2, (count, 2, 3))
  estimate = rng.uniform(0, 1.2, (count, 2, 3))
  force = estimate + scale * rng.standard_normal((count, 2, 3))
  interval = np.stack([estimate - low * scale, estimate + high * scale], -1)
  return estimate, interval, force


def test_a_share_of_new_frames_lies_inside():
  rng = np.random.default_rng(0)
  estimate, interval, force = people(rng, 4000)
  mask = rng.random((4000, 2)) < 0.7
  factor = conformal.widening_factors(estimate, interval, force, mask, 0.9)
  assert factor == pytest.approx(1.645 * np.ones(3), rel=0.03)  # of the normal distribution
  estimate, interval, force = people(rng, 4000)
  wide = conformal.widened_intervals(estimate, interval, factor)
  for axis in range(3):
    result = conformal.coverage_result(wide[:, :, axis], force[..., axis], np.ones((4000, 2), bool))
    assert result['covered'] == pytest.approx(0.9, abs=0.015)
    assert result['mean_width_pct_bw'] == pytest.approx(100 * 2 * factor[axis] * 0.11, rel=0.03)


def test_each_side_keeps_its_own_width():
  estimate, interval, _ = people(np.random.default_rng(1), 5, low=2.0, high=0.5)
  wide = conformal.widened_intervals(estimate, interval, np.array([1.0, 2.0, 3.0]))
  np.testing.assert_allclose(
    wide - estimate[..., None],
    (interval - estimate[..., None]) * np.array([1.0, 2.0, 3.0])[:, None],
  )


def test_the_rank_by_hand():
  """Nine frames, one leg: 90 % of n + 1 is the ninth, the largest score."""
  error = np.arange(-4, 5) / 100
  estimate = np.zeros((9, 1, 1))
  interval = np.full((9, 1, 1, 2), [-0.02, 0.01])
  mask = np.ones((9, 1), bool)
  factor = conformal.widening_factors(estimate, interval, error[:, None, None], mask, 0.9)
  assert factor == pytest.approx([4.0])  # 0.04 above, over 0.01
  factor = conformal.widening_factors(estimate, interval, error[:, None, None], mask, 0.5)
  assert factor == pytest.approx([1.5])  # scores 0 .5 1 1 1.5 2 2 3 4: the fifth


def test_an_interval_without_width_is_given_one():
  estimate = np.zeros((4, 2, 1))
  interval = np.zeros((4, 2, 1, 2))
  force = np.full((4, 2, 3), 0.1)
  factor = conformal.widening_factors(estimate, interval, force, np.ones((4, 2), bool), 0.9)
  wide = conformal.widened_intervals(estimate, interval, factor)
  assert np.isfinite(wide).all()
  assert (wide[..., 1] >= 0.1 - 1e-9).all()


def test_nothing_to_calibrate_with():
  estimate, interval, force = people(np.random.default_rng(2), 3)
  nobody = np.zeros((3, 2), bool)
  with pytest.raises(ValueError, match='no frame to calibrate'):
    conformal.widening_factors(estimate, interval, force, nobody, 0.9)
  assert conformal.coverage_result(interval[:, :, 0], force[..., 0], nobody) == {
    'covered': None, 'mean_width_pct_bw': None
  }  # fmt: skip
