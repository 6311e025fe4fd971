"""Runs of True in a mask: where something holds without a break."""

from __future__ import annotations

import numpy as np


def runs_of_true(mask: np.ndarray) -> list[tuple[int, int]]:
  """Returns every maximal run of True as (first index, index after the last).

  Args:
    mask: (N,) bool.
  """
  edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
  return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
