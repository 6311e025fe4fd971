"""Measures one whole stance by itself: times and heights of peaks, loading rate, impulses."""

from __future__ import annotations

import math

import numpy as np

from grfjax.gait import gait_measures


def measure_stance(
  time_s: np.ndarray, force: np.ndarray, start_s: float, end_s: float
) -> dict[str, float]:
  """Measures one whole stance, of straight lines between samples.

  Args:
    time_s: (N,) increasing.
    force: (N, axes) body weights of its leg.
    start_s: initial contact.
    end_s: toe-off.

  Returns:
    Name in `gait_measures.MEASURES` -> value, of those that are defined.
  """
  inside = time_s[(time_s > start_s) & (time_s < end_s)]
  t = np.concatenate([[start_s], inside, [end_s]])
  curves = [np.interp(t, time_s, values) for values in force.T]
  fz = curves[0]
  measures = {'stance_s': end_s - start_s, 'vertical_impulse_bw_s': float(np.trapezoid(fz, t))}
  if len(curves) > 1:
    # As much below as above is what |f| has more than f; exact where a line crosses 0.
    signed, absolute = float(np.trapezoid(curves[1], t)), _integral_of_abs(t, curves[1])
    measures['braking_impulse_bw_s'] = (signed - absolute) / 2
    measures['propulsion_impulse_bw_s'] = (signed + absolute) / 2
  percent = 100 * (t - start_s) / (end_s - start_s)
  if peaks := _find_peaks(percent, fz):
    for name, k in zip(('first_peak', 'valley', 'second_peak'), peaks, strict=True):
      measures[f'{name}_bw'], measures[f'{name}_pct_stance'] = float(fz[k]), float(percent[k])
    measures['loading_rate_bw_per_s'] = _loading_rate(t, fz, peaks[0])
  return measures


def _integral_of_abs(t: np.ndarray, f: np.ndarray) -> float:
  """Returns the integral of |f| of straight lines between samples."""
  a, b = np.abs(f[:-1]), np.abs(f[1:])
  crosses_zero = f[:-1] * f[1:] < 0
  # Two triangles of heights a and b share the step as a to b.
  mean = np.where(crosses_zero, (a**2 + b**2) / np.where(crosses_zero, 2 * (a + b), 1), (a + b) / 2)
  return float((mean * np.diff(t)).sum())


def _find_peaks(percent: np.ndarray, fz: np.ndarray) -> tuple[int, int, int] | None:
  """Returns the indices of first peak, valley and second peak; None where there are no two peaks.

  Args:
    percent: (K,) of stance.
    fz: (K,) body weights.
  """
  maxima = 1 + np.flatnonzero((fz[1:-1] > fz[:-2]) & (fz[1:-1] >= fz[2:]))
  early, late = maxima[percent[maxima] < 50], maxima[percent[maxima] >= 50]
  if not (early.size and late.size):
    return None
  first, second = early[np.argmax(fz[early])], late[np.argmax(fz[late])]
  valley = first + np.argmin(fz[first : second + 1])
  if min(fz[first], fz[second]) - fz[valley] < gait_measures.VALLEY_BW:
    return None
  return int(first), int(valley), int(second)


def _loading_rate(t: np.ndarray, fz: np.ndarray, peak: int) -> float:
  """Returns the slope, BW/s, of the line through two rises before the first peak."""
  low, high = gait_measures.LOADING
  low_s, high_s = _last_rise(t, fz, peak, low), _last_rise(t, fz, peak, high)
  return float((high - low) * fz[peak]) / (high_s - low_s) if high_s > low_s else math.nan


def _last_rise(t: np.ndarray, fz: np.ndarray, peak: int, share: float) -> float:
  """Returns when the curve last rises through a share of its value at sample `peak`, before it.

  It is the start of stance itself where the curve begins above.
  """
  below = np.flatnonzero(fz[:peak] <= share * fz[peak])
  k = below[-1] if below.size else 0
  return float(np.interp(share * fz[peak], fz[k : k + 2], t[k : k + 2]))
