"""Agreement of two ways to measure (Bland and Altman 1986)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LIMITS_SD = 1.96  # holds 95 % of a normal distribution


class Agreement(NamedTuple):
  """Of two ways to measure, as Bland and Altman (Lancet 327, 1986) put it; None is undefined.

  Attributes:
    n: pairs.
    bias: mean of estimate - truth.
    low, high: 95 % limits of agreement, bias -+ `LIMITS_SD` sample SD of the differences.
  """

  n: int
  bias: float | None
  low: float | None
  high: float | None


def agreement(pairs: np.ndarray) -> Agreement:
  """Bias and limits of agreement of (n, 2) true and estimated values; limits need two."""
  difference = pairs[:, 1] - pairs[:, 0]
  n = len(difference)
  bias = float(difference.mean()) if n else None
  if bias is None or n < 2:
    return Agreement(n, bias, None, None)
  reach = LIMITS_SD * float(difference.std(ddof=1))
  return Agreement(n, bias, bias - reach, bias + reach)
