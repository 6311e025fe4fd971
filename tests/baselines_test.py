"""The mean curve gives back a curve put into it."""

import numpy as np

from grfjax.evaluation import baselines
from grfjax.gait import stances


def test_mean_curve_recovers_a_known_curve():
  # 50 frames lie at 1, 3 ... 99 %, which are points of the curve.
  place = stances.Stance(np.arange(50), whole=True).phase
  curve = np.stack([np.sin(np.pi * place), np.cos(np.pi * place)], axis=1)
  mean = baselines.mean_curve([curve, curve])
  assert mean.shape == (stances.POINTS, 2)
  np.testing.assert_allclose(baselines.read_curve(mean, place), curve, atol=1e-12)


def test_mean_curve_recovers_a_line_whatever_the_lengths():
  def line(k):
    return (1 + 2 * (np.arange(k) + 0.5) / k)[:, None]

  mean = baselines.mean_curve([line(31), line(40), line(44)])
  inside = np.linspace(0.02, 0.98, 50)  # before the first frame a curve stays level
  np.testing.assert_allclose(baselines.read_curve(mean, inside)[:, 0], 1 + 2 * inside, atol=1e-12)


def test_mean_curve_averages():
  a, b = np.full((30, 1), 0.8), np.full((40, 1), 1.2)
  np.testing.assert_allclose(baselines.mean_curve([a, b]), 1.0)
