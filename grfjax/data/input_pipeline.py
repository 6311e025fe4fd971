"""Batches: an endless, rebalanced training stream, and padded evaluation batches."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from grfjax import errors, extras
from grfjax.data import label_index
from grfjax.io import cores

if TYPE_CHECKING:
  import grain

Batch = dict[str, np.ndarray]


class CachedRecords:
  """Random access to records, of which those read last stay in memory.

  Reading one takes half a millisecond; a network for small pictures asks for them faster.
  """

  def __init__(self, source: Any, batch: int):
    """Wraps a source.

    Args:
      source: from `Dataset.source`.
      batch: samples in a batch; the more are asked for at once, the more are kept: 12 MiB for each,
        1.5 GiB at most.
    """
    self._count = len(source)
    record_bytes = sum(np.asarray(v).nbytes for v in source[0].values())
    kept_bytes = min(1536, 12 * batch) * 2**20
    self._read = functools.lru_cache(max(1, kept_bytes // record_bytes))(source.__getitem__)

  def __len__(self) -> int:
    return self._count

  def __getitem__(self, number: int) -> dict[str, Any]:
    """Returns a record; nobody may write into it."""
    return self._read(number)


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
  workers: int = 0,
) -> grain.IterDataset:
  """Returns an endless stream of batches; sample k is a function of (source, seed, k) alone.

  A label is drawn by its interval, then the clip around it at random: so rare forces come as
  often as wished. Iterators of the stream have `get_state` and `set_state`.

  Args:
    source: `CachedRecords`, or a bare `Dataset.source`, which reads every sample from the disk.
    labels: from `index_labels`.
    batch: samples in a batch, over all processes.
    clip: frames in a sample, at most those of a record.
    rebalance: as in `label_index.interval_probabilities`.
    seed: of the stream.
    process: this host's number.
    processes: how many hosts share each batch.
    workers: threads that read and cut; 0: one for each core. The batches do not depend on it.

  Returns:
    Batches of a record's features, the first axis `batch / processes`, the second `clip`.

  Raises:
    errors.InputError: the processes cannot share a batch evenly, or `rebalance` is out of range;
      or, once a batch is taken, `clip` is longer than a record.
  """
  with extras.needed('train'):
    import grain  # here, as predicting does without it
  if batch % processes:
    raise errors.InputError(
      f'config.batch is {batch}, which {processes} processes cannot share evenly',
      code='config.batch',
    )
  edges = np.cumsum(label_index.interval_probabilities(labels.counts, rebalance))
  edges[-1] = 1.0

  share = batch // processes

  def draw(k: int) -> dict[str, Any]:
    k = k // share * batch + process * share + k % share  # of the batches of all processes
    rng = np.random.default_rng((seed, k))
    interval = int(np.searchsorted(edges, rng.random(), side='right'))
    label = int(rng.integers(labels.first[interval], labels.first[interval + 1]))
    record = source[int(labels.record[label])]
    return _random_crop(record, int(labels.t[label]), clip, rng)

  stream = grain.MapDataset.range(2**60).map(draw).batch(share)
  workers = workers or cores.usable_cores()
  # As many batches are made at a time as are buffered, so fewer would leave threads idle.
  buffered = max(8, workers)
  return stream.to_iter_dataset(
    grain.ReadOptions(num_threads=workers, prefetch_buffer_size=buffered)
  )


def _random_crop(
  record: dict[str, Any], t: int, clip: int, rng: np.random.Generator
) -> dict[str, Any]:
  """Cuts a clip that holds frame t out of a record, at a random position."""
  length = len(record['frame'])
  if not 1 <= clip <= length:
    raise errors.InputError(
      f'config.clip is {clip} frames; a record holds {length}',
      code='config.clip',
    )
  start = int(rng.integers(max(0, t - clip + 1), min(t, length - clip) + 1))
  return {
    k: v[start : start + clip] if isinstance(v, np.ndarray) and v.ndim else v
    for k, v in record.items()
  }


def eval_batches(source: Any, batch: int) -> Iterator[tuple[Batch, int]]:
  """Goes through all records in order.

  Args:
    source: from `Dataset.source`.
    batch: records in a batch.

  Yields:
    A batch, padded to size, and how many of its records count.
  """
  for i in range(0, len(source), batch):
    records = [source[k] for k in range(i, min(i + batch, len(source)))]
    yield pad_batch(records, batch), len(records)


def pad_batch(records: list[dict[str, Any]], batch: int) -> Batch:
  """Stacks records, the last one repeated until there are `batch`."""
  records = records + records[-1:] * (batch - len(records))
  return {k: np.stack([r[k] for r in records]) for k in records[0]}


def sample_names(batch: Batch) -> list[str]:
  """Names the samples of a batch: subject/trial and the first of the sample's frames."""
  return [
    f'{subject}/{trial} from frame {frame[frame >= 0].min(initial=2**31 - 1)}'
    for subject, trial, frame in zip(
      *(np.asarray(batch[k]).astype(str) for k in ('subject', 'trial')), batch['frame'], strict=True
    )
  ]
