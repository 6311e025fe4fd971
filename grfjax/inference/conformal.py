"""Prediction intervals that hold what they promise, calibrated on people left out of training.

A network's own intervals are too narrow for a person whom it has not seen. Each is widened about
the estimate by one factor an axis, such that the promised share of the frames of people left out
lies inside (split conformal prediction: Vovk V, Gammerman A, Shafer G 2005, Algorithmic Learning
in a Random World; with the network's own width as the yardstick, as in Romano Y, Patterson E,
Candes E 2019, Conformalized quantile regression, NeurIPS).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_MIN_HALF_WIDTH_BW = 1e-3  # no interval is narrower, so that its width can be divided by


def widening_factors(
  estimate: np.ndarray, interval: np.ndarray, force: np.ndarray, mask: np.ndarray, share: float
) -> np.ndarray:
  """Computes by which factor the intervals of each axis must be widened.

  Args:
    estimate: (N, legs, axes) BW, of people left out of training.
    interval: (N, legs, axes, 2) BW, the network's own.
    force: (N, legs, at least axes) BW, the true forces.
    mask: (N, legs) bool, the pairs of frame and leg that count.
    share: of the forces that the widened intervals shall hold, 0 to 1.

  Returns:
    (axes,) factors.

  Raises:
    ValueError: no pair counts.
  """
  if not mask.any():
    raise ValueError('no frame to calibrate the intervals with')
  error = (force[..., : estimate.shape[-1]] - estimate)[mask]
  away = np.maximum(np.abs(interval - estimate[..., None])[mask], _MIN_HALF_WIDTH_BW)
  score = np.maximum(-error / away[..., 0], error / away[..., 1])
  rank = min(len(score), math.ceil(share * (len(score) + 1)))  # of n + 1, as the next one counts
  return np.sort(score, axis=0)[rank - 1]


def widened_intervals(estimate: np.ndarray, interval: np.ndarray, factor: np.ndarray) -> np.ndarray:
  """Widens intervals about the estimate.

  Args:
    estimate: (..., axes) BW.
    interval: (..., axes, 2) BW.
    factor: (axes,) from `widening_factors`.
  """
  away = np.maximum(np.abs(interval - estimate[..., None]), _MIN_HALF_WIDTH_BW) * factor[:, None]
  return estimate[..., None] + away * np.array([-1, 1])


def coverage_result(interval: np.ndarray, force: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
  """Measures how often a force lies inside its interval, and how wide the intervals are.

  Args:
    interval: (N, legs, 2) BW.
    force: (N, legs) BW.
    mask: (N, legs) bool, the pairs of frame and leg that count.

  Returns:
    'covered' (0 to 1) and 'mean_width_pct_bw'; each None where no pair counts.
  """
  if not mask.any():
    return {'covered': None, 'mean_width_pct_bw': None}
  low, high = interval[mask].T.astype(np.float64)
  inside = (low <= force[mask]) & (force[mask] <= high)
  return {
    'covered': float(inside.mean()),
    'mean_width_pct_bw': float(100 * (high - low).mean()),
  }
