"""Agreement of two ways to measure (Bland and Altman 1986)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LIMITS_SD = 1.96  # so many standard deviations about the mean hold 95 % of a normal distribution


class Agreement(NamedTuple):
  """Agreement of two ways to measure, by Bland and Altman (Lancet 327, 1986); None is undefined.

  Attributes:
    n: number of pairs.
    bias: mean of estimate - reference.
    low: lower 95 % limit of agreement, bias - `LIMITS_SD` sample SD of the differences.
    high: upper 95 % limit of agreement, bias + `LIMITS_SD` sample SD of the differences.
  """

  n: int
  bias: float | None
  low: float | None
  high: float | None


def agreement(pairs: np.ndarray) -> Agreement:
  """Returns bias and limits of agreement, which need at least two pairs.

  Args:
    pairs: (n, 2) reference and estimated values.
  """
  difference = pairs[:, 1] - pairs[:, 0]
  n = len(difference)
  bias = float(difference.mean()) if n else None
  if bias is None or n < 2:
    return Agreement(n, bias, None, None)
  half_width = LIMITS_SD * float(difference.std(ddof=1))
  return Agreement(n, bias, bias - half_width, bias + half_width)
