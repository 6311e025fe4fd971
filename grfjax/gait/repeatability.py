"""How large a change of a measure must be to mean something, from walks that were repeated.

Bland and Altman, Measuring agreement in method comparison studies, Statistical Methods in Medical
Research 8 (1999), section 2.4 on repeatability: two measurements of one person, between which
nothing has changed, differ by less than 1.96 sqrt(2) within-subject standard deviations in 95 % of
cases.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from grfjax.gait import bland_altman


def within_subject_sd(groups: Iterable[np.ndarray]) -> tuple[float, int]:
  """Returns the standard deviation within groups, and its degrees of freedom.

  Args:
    groups: (n,) repeated values of one person each, under the same conditions.

  Returns:
    The root of the residual mean square of a one-way analysis of variance, NaN without a repeat;
    and how many values there are beyond the first of each group.
  """
  squares, freedom = 0.0, 0
  for values in groups:
    if len(values) > 1:
      squares += float(((values - values.mean()) ** 2).sum())
      freedom += len(values) - 1
  return (math.sqrt(squares / freedom) if freedom else math.nan), freedom


def smallest_change(within_sd: float) -> float:
  """Returns the repeatability coefficient: the change that 95 % of mere repetitions stay below."""
  return bland_altman.LIMITS_SD * math.sqrt(2) * within_sd
