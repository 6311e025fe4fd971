"""Every label that training may draw, by force interval."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from grfjax.data import force_intervals, voxel_dataset


@dataclasses.dataclass(frozen=True)
class LabelIndex:
  """Every label of a source that training may be drawn to, sorted by force interval.

  Attributes:
    record: (N,) int32.
    t: (N,) int16, the frame in the record.
    first: (K + 1,) int64, where each of `force_intervals.INTERVALS` begins.
  """

  record: np.ndarray
  t: np.ndarray
  first: np.ndarray

  @property
  def counts(self) -> np.ndarray:
    """Labels in each interval, (K,)."""
    return np.diff(self.first)


def index_labels(source: Any, own: slice, legs: int) -> LabelIndex:
  """Reads the labels of a source: each frame once, in the record whose own it is.

  Args:
    source: from `Dataset.source`.
    own: `clip_config.ClipConfig.own`.
    legs: 1 counts the near leg alone, in contact (all that the paper's networks know).

  Raises:
    DataError: there are no labels.
  """
  where, when, what = [], [], []
  for i in range(len(source)):
    record = source[i]
    use = (record['known'] if legs == 2 else record['contact'])[own, :legs]
    t, leg = np.nonzero(use)
    where.append(np.full(len(t), i, np.int32))
    when.append((t + own.start).astype(np.int16))
    what.append(force_intervals.interval_index(record['force'][own, :legs, 0][t, leg]))
  interval = np.concatenate(what) if what else np.zeros(0, int)
  if not len(interval):
    raise voxel_dataset.DataError('the training subjects have no frame with a known force')
  order = np.argsort(interval, kind='stable')
  first = np.searchsorted(interval[order], np.arange(len(force_intervals.INTERVALS) + 1))
  return LabelIndex(np.concatenate(where)[order], np.concatenate(when)[order], first)


def interval_probabilities(counts: np.ndarray, rebalance: float) -> np.ndarray:
  """How often each interval is drawn: its count to the power 1 - rebalance, normalised.

  Args:
    counts: (K,) labels in each interval.
    rebalance: 0 leaves the data as they are, 1 draws every interval that occurs equally often.
  """
  if not 0 <= rebalance <= 1:
    raise ValueError(f'rebalance is {rebalance}, expected 0 to 1')
  weight = np.where(counts > 0, np.maximum(counts, 1) ** (1.0 - rebalance), 0.0)
  return weight / weight.sum()


def interval_shares(labels: LabelIndex, rebalance: float) -> list[tuple[str, int, float, float]]:
  """(interval, labels, share of the labels, share of the draws) for the paper's Table IV."""
  counts = labels.counts
  drawn = interval_probabilities(counts, rebalance)
  return [
    (name, int(n), float(n / counts.sum()), float(p))
    for name, n, p in zip(force_intervals.INTERVALS, counts, drawn, strict=True)
  ]
