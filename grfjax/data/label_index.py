"""An index of the labels that training may draw, by force interval."""

from __future__ import annotations

import concurrent.futures
import dataclasses

import numpy as np

from grfjax import errors
from grfjax.data import force_intervals, voxel_dataset
from grfjax.io import cores


@dataclasses.dataclass(frozen=True)
class LabelIndex:
  """The labels of a source that training may draw, sorted by force interval.

  Attributes:
    record: (N,) int32, the record of each label.
    t: (N,) int16, the frame of each label in its record.
    first: (K + 1,) int64, where each of `force_intervals.INTERVALS` begins among the labels.
  """

  record: np.ndarray
  t: np.ndarray
  first: np.ndarray

  @property
  def counts(self) -> np.ndarray:
    """Number of labels in each interval, (K,)."""
    return np.diff(self.first)


def index_labels(
  source: voxel_dataset.Records, own: slice, legs: int, workers: int = 0
) -> LabelIndex:
  """Lists the labels of a source: each frame once, in the record that has it among its own.

  Args:
    source: from `Dataset.source`.
    own: `clip_config.ClipConfig.own`.
    legs: 2: known forces of both legs; 1: the near leg's in contact, which is all that the paper's
      networks know.
    workers: threads; 0: one for each core.

  Raises:
    DataError: there are no labels, or they cannot be read.
  """

  def read(file: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    table = source.label_table(file)
    usable = (table.known if legs == 2 else table.contact)[:, own, :legs]
    record, t, leg = np.nonzero(usable)
    interval = force_intervals.interval_index(table.force[:, own][record, t, leg])
    # In small types, as there may be hundreds of millions.
    return (
      len(table.force), record.astype(np.int32), (t + own.start).astype(np.int16),
      interval.astype(np.int8),
    )  # fmt: skip

  with concurrent.futures.ThreadPoolExecutor(workers or cores.usable_cores()) as pool:
    found = list(pool.map(read, range(source.file_count)))
  if not any(len(interval) for *_, interval in found):
    raise voxel_dataset.DataError(
      'the training subjects have no frame with a known force', code='data.no_labels'
    )
  first_record = 0
  for records, record, *_ in found:
    record += first_record
    first_record += records
  _, *columns = zip(*found, strict=True)
  record, t, interval = (np.concatenate(parts) for parts in columns)
  order = np.argsort(interval, kind='stable')
  first = np.searchsorted(interval[order], np.arange(len(force_intervals.INTERVALS) + 1))
  return LabelIndex(record[order], t[order], first)


def interval_probabilities(counts: np.ndarray, rebalance: float) -> np.ndarray:
  """Returns how often each interval is drawn: its count to the power 1 - rebalance, normalised.

  Args:
    counts: (K,) labels in each interval.
    rebalance: 0 leaves the data as they are, 1 draws every interval that occurs equally often.

  Raises:
    errors.InputError: `rebalance` is not in 0 .. 1.
  """
  if not 0 <= rebalance <= 1:
    raise errors.InputError(
      f'config.rebalance is {rebalance}, expected 0 to 1', code='config.rebalance'
    )
  weight = np.where(counts > 0, np.maximum(counts, 1) ** (1.0 - rebalance), 0.0)
  return weight / weight.sum()


def interval_shares(labels: LabelIndex, rebalance: float) -> list[tuple[str, int, float, float]]:
  """Returns the rows of the paper's Table IV for a training run.

  Args:
    labels: of the training subjects.
    rebalance: as in `interval_probabilities`.

  Returns:
    For each interval its name, its labels, their share of all labels, and its share of the draws.
  """
  counts = labels.counts
  probabilities = interval_probabilities(counts, rebalance)
  return [
    (name, int(n), float(n / counts.sum()), float(p))
    for name, n, p in zip(force_intervals.INTERVALS, counts, probabilities, strict=True)
  ]
