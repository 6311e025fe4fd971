"""Smooth functions of which curves of force and motion are built."""

import numpy as np
import numpy.typing as npt
from scipy import interpolate


def smoothstep(x: np.ndarray) -> np.ndarray:
  """Returns 0 below 0, 1 above 1, and between them a cubic with level ends."""
  x = np.clip(x, 0, 1)
  return x * x * (3 - 2 * x)


def monotone_curve(knots: npt.ArrayLike, values: npt.ArrayLike, x: np.ndarray) -> np.ndarray:
  """Evaluates at x a smooth curve through points that never overshoots them (PCHIP)."""
  return interpolate.PchipInterpolator(knots, values)(x)


def soft_floor(values: np.ndarray, floor: float | np.ndarray, width: float) -> np.ndarray:
  """Returns the greater of values and floor, with the corner rounded over a width."""
  return floor + width * np.logaddexp(0, (values - floor) / width)


def soft_maximum(values: np.ndarray, width: float) -> np.ndarray:
  """Returns the greatest along the first axis, with the corners rounded over a width."""
  return width * np.logaddexp.reduce(values / width, axis=0)
