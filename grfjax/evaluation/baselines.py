"""The mean force curve of the training subjects, which a network must beat."""

from __future__ import annotations

import numpy as np

from grfjax.gait import stances


def mean_curve(curves: list[np.ndarray]) -> np.ndarray:
  """Mean over stances of force curves resampled to `POINTS`.

  Args:
    curves: (K, axes) each, one whole stance.

  Returns:
    (POINTS, axes).
  """
  return np.mean([stances.resample(curve) for curve in curves], axis=0)


def along(curve: np.ndarray, place: np.ndarray) -> np.ndarray:
  """A curve (POINTS, axes) read at places 0 to 1 (K,): (K, axes)."""
  return np.stack(
    [np.interp(place, stances.PHASE, curve[:, i]) for i in range(curve.shape[1])], axis=1
  )
