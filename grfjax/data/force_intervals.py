"""The intervals of vertical force that labels are counted in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Table IV of Mochizuki and Shibata (2023): tenths of a body weight, of forces rounded to 0.01 BW;
# the ends are ours, so that no label falls out of the table unseen.
INTERVALS: tuple[str, ...] = (
  'below 0.01',
  *(f'{low / 100:.2f}-{(low + 9) / 100:.2f}' for low in range(1, 150, 10)),
  'above 1.50',
)


def interval_index(force: npt.ArrayLike) -> npt.NDArray[np.int64]:
  """Maps finite force (...,) in BW to its place in `INTERVALS`: (...,) int64."""
  hundredths = np.rint(100 * np.asarray(force, np.float64)).astype(np.int64)
  return np.clip((hundredths + 9) // 10, 0, len(INTERVALS) - 1)
