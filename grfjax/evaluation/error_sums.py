"""Sums over estimates and truth that merge, and the errors divided out of them."""

from __future__ import annotations

from typing import Any

import flax.struct
import numpy as np
import numpy.typing as npt

from grfjax.data import force_intervals


@flax.struct.dataclass
class ErrorSums:
  """Sums over (estimate, truth) pairs in BW, which merge to those of the pairs taken together.

  Attributes:
    count: pairs.
    abs_error, error, square_error: sums of |e|, e and e^2 with e = estimate - truth.
    mean_estimate, mean_truth: means; 0 when there are no pairs.
    m2_estimate, m2_truth, co: sums of squared and mixed deviations from these means. Deviations
      merge without cancellation (Chan, Golub and LeVeque 1979), where raw sums would lose digits.
  """

  count: float = 0.0
  abs_error: float = 0.0
  error: float = 0.0
  square_error: float = 0.0
  mean_estimate: float = 0.0
  mean_truth: float = 0.0
  m2_estimate: float = 0.0
  m2_truth: float = 0.0
  co: float = 0.0

  def merge(self, other: ErrorSums) -> ErrorSums:
    """Returns the sums over the pairs of both."""
    n, m = self.count, other.count
    if not n or not m:
      return self if n else other
    apart_estimate = other.mean_estimate - self.mean_estimate
    apart_truth = other.mean_truth - self.mean_truth
    share = m / (n + m)
    return ErrorSums(
      count=n + m,
      abs_error=self.abs_error + other.abs_error,
      error=self.error + other.error,
      square_error=self.square_error + other.square_error,
      mean_estimate=self.mean_estimate + share * apart_estimate,
      mean_truth=self.mean_truth + share * apart_truth,
      m2_estimate=self.m2_estimate + other.m2_estimate + n * share * apart_estimate**2,
      m2_truth=self.m2_truth + other.m2_truth + n * share * apart_truth**2,
      co=self.co + other.co + n * share * apart_estimate * apart_truth,
    )

  def result(self) -> dict[str, Any]:
    """Returns MAE, RMSE and bias (estimate - truth) in % BW, Pearson's r, and n.

    What is undefined is None: everything without pairs, r when either side is constant.
    """
    n = int(self.count)
    if not n:
      return {'mae_pct_bw': None, 'rmse_pct_bw': None, 'bias_pct_bw': None, 'r': None, 'n': 0}
    return {
      'mae_pct_bw': float(100 * self.abs_error / n),
      'rmse_pct_bw': float(100 * np.sqrt(self.square_error / n)),
      'bias_pct_bw': float(100 * self.error / n),
      'r': self._r(n),
      'n': n,
    }

  def _r(self, n: int) -> float | None:
    for m2, mean in ((self.m2_estimate, self.mean_estimate), (self.m2_truth, self.mean_truth)):
      # A constant's deviations are rounding errors of its mean, not exactly zero.
      if np.sqrt(m2 / n) <= 1e-12 * abs(mean) or not m2:
        return None
    # Two roots, as the product of two small numbers may underflow.
    r = self.co / (np.sqrt(self.m2_estimate) * np.sqrt(self.m2_truth))
    return float(np.clip(r, -1, 1))


def sum_errors(estimate: npt.ArrayLike, truth: npt.ArrayLike, mask: npt.ArrayLike) -> ErrorSums:
  """Sums up the errors of the pairs where `mask` is true.

  Args:
    estimate: (...,) estimated forces, BW.
    truth: (...,) true forces, BW.
    mask: (...,) bool, the pairs that count.

  Raises:
    ValueError: when shapes differ, or a pair that counts is not finite.
  """
  estimate, truth, mask = np.asarray(estimate), np.asarray(truth), np.asarray(mask)
  if not estimate.shape == truth.shape == mask.shape:
    raise ValueError(f'shapes differ: {estimate.shape}, {truth.shape}, {mask.shape}')
  if mask.dtype != bool:
    raise ValueError(f'mask must be bool, not {mask.dtype}')  # ints would index
  x, y = estimate[mask].astype(np.float64), truth[mask].astype(np.float64)
  if not x.size:
    return ErrorSums()
  if not (np.isfinite(x).all() and np.isfinite(y).all()):
    raise ValueError('an estimate or a truth that counts is not finite')
  error = x - y
  from_mean_x, from_mean_y = x - x.mean(), y - y.mean()
  return ErrorSums(
    count=float(x.size),
    abs_error=float(np.abs(error).sum()),
    error=float(error.sum()),
    square_error=float(np.square(error).sum()),
    mean_estimate=float(x.mean()),
    mean_truth=float(y.mean()),
    m2_estimate=float(np.square(from_mean_x).sum()),
    m2_truth=float(np.square(from_mean_y).sum()),
    co=float((from_mean_x * from_mean_y).sum()),
  )


def sum_errors_by_interval(
  estimate: npt.ArrayLike, truth: npt.ArrayLike, mask: npt.ArrayLike
) -> dict[str, ErrorSums]:
  """Returns `sum_errors` for each of the `INTERVALS` of the true force, also for empty ones."""
  mask = np.asarray(mask)
  place = force_intervals.interval_index(np.where(mask, truth, 0))
  return {
    name: sum_errors(estimate, truth, mask & (place == i))
    for i, name in enumerate(force_intervals.INTERVALS)
  }
