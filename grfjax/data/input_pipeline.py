"""Batches: an endless, rebalanced training stream, and padded evaluation batches."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import grain
import numpy as np

from grfjax.data import label_index, voxel_dataset

Batch = dict[str, np.ndarray]


def train_stream(
  source: Any,
  labels: label_index.LabelIndex,
  *,
  batch: int,
  clip: int,
  rebalance: float,
  seed: int,
  process: int = 0,
  processes: int = 1,
) -> grain.IterDataset:
  """An endless stream of batches; sample k is a function of (source, seed, k) alone.

  A label is drawn by its interval, then the clip around it at random: so rare forces come as
  often as wished. Iterators of the stream have `get_state` and `set_state`.

  Args:
    source: from `Dataset.source`.
    labels: from `index`.
    batch: samples in a batch, over all processes.
    clip: frames in a sample, at most those of a record.
    rebalance: see `probabilities`.
    seed: of the stream.
    process: this host's number.
    processes: how many hosts share each batch.

  Returns:
    Batches of a record's features, the first axis `batch / processes`, the second `clip`.
  """
  if batch % processes:
    raise ValueError(f'batch {batch} cannot be shared by {processes} processes')
  edges = np.cumsum(label_index.interval_probabilities(labels.counts, rebalance))
  edges[-1] = 1.0
  size = sum(np.asarray(v).nbytes for v in source[0].values())
  read = functools.lru_cache(max(1, voxel_dataset.KEPT_BYTES // size))(source.__getitem__)

  def draw(k: int) -> dict[str, Any]:
    rng = np.random.default_rng((seed, k))
    interval = int(np.searchsorted(edges, rng.random(), side='right'))
    at = int(rng.integers(labels.first[interval], labels.first[interval + 1]))
    record = read(int(labels.record[at]))
    return _crop(record, int(labels.t[at]), clip, rng)

  stream = grain.MapDataset.range(2**60).map(draw)
  stream = stream.slice(slice(process, None, processes)).batch(batch // processes)
  return stream.to_iter_dataset(grain.ReadOptions(num_threads=2, prefetch_buffer_size=8))


def _crop(record: dict[str, Any], t: int, clip: int, rng: np.random.Generator) -> dict[str, Any]:
  """A clip of the record that holds frame t, at a random place within it."""
  length = len(record['frame'])
  if not 1 <= clip <= length:
    raise ValueError(f'clip is {clip} frames; a record holds {length}')
  start = int(rng.integers(max(0, t - clip + 1), min(t, length - clip) + 1))
  return {
    k: v[start : start + clip] if isinstance(v, np.ndarray) and v.ndim else v
    for k, v in record.items()
  }


def eval_batches(source: Any, batch: int) -> Iterator[tuple[Batch, int]]:
  """All records in order; yields each batch, padded to size, and how many of it count."""
  for i in range(0, len(source), batch):
    real = [source[k] for k in range(i, min(i + batch, len(source)))]
    yield pad_batch(real, batch), len(real)


def pad_batch(records: list[dict[str, Any]], batch: int) -> Batch:
  """Stacks records, the last one repeated until there are `batch`."""
  records = records + records[-1:] * (batch - len(records))
  return {k: np.stack([r[k] for r in records]) for k in records[0]}


def sample_names(batch: Batch) -> list[str]:
  """What each sample of a batch is of: subject/trial and the first of its frames."""
  return [
    f'{subject}/{trial} from frame {frame[frame >= 0].min(initial=2**31 - 1)}'
    for subject, trial, frame in zip(
      *(np.asarray(batch[k]).astype(str) for k in ('subject', 'trial')), batch['frame'], strict=True
    )
  ]
