"""Smooth building blocks of curves."""

import numpy as np
from scipy import interpolate


def smooth(x: np.ndarray) -> np.ndarray:
  """0 below 0, 1 above 1, between them with level ends."""
  x = np.clip(x, 0, 1)
  return x * x * (3 - 2 * x)


def monotone(knots: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
  """Smooth curve through points that never overshoots them (PCHIP)."""
  return interpolate.PchipInterpolator(knots, values)(at)


def soft_floor(values: np.ndarray, floor: float, soft: float) -> np.ndarray:
  """The greater of values and floor, rounded over a width of `soft`."""
  return floor + soft * np.logaddexp(0, (values - floor) / soft)


def soft_most(values: np.ndarray, soft: float) -> np.ndarray:
  """The greatest along the first axis, its corners rounded over a width of `soft`."""
  return soft * np.logaddexp.reduce(values / soft, axis=0)
