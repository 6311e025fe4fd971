"""The intervals of vertical force in which labels are counted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Table IV of Mochizuki and Shibata (2023): tenths of a body weight, of forces rounded to 0.01 BW.
# The first and the last are added here, so that every label falls into some interval.
INTERVALS: tuple[str, ...] = (
  'below 0.01',
  *(f'{low / 100:.2f}-{(low + 9) / 100:.2f}' for low in range(1, 150, 10)),
  'above 1.50',
)


def interval_index(force: npt.ArrayLike) -> npt.NDArray[np.int64]:
  """Maps finite forces (...,) in BW to their places in `INTERVALS`, (...,) int64."""
  hundredths = np.rint(100 * np.asarray(force, np.float64)).astype(np.int64)
  return np.clip((hundredths + 9) // 10, 0, len(INTERVALS) - 1)
