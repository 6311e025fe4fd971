"""Voxel records on disk -> batches: one subject held out, classes rebalanced, streamed.

The only module that reads TFDS data sets and uses Grain. The held-out subject's records are never
opened for training.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import grain
import numpy as np
import tensorflow_datasets as tfds

from grfjax import metrics, voxels

DATASET = 'walking_grf'
KEPT_BYTES = 96 * 2**20  # of records read last, as reading one takes half a millisecond
Batch = dict[str, np.ndarray]


class DataError(ValueError):
  """A data set that cannot be used; the message says what was found and expected."""


class Dataset:
  """A data set that `tfds build` has made.

  Attributes:
    config: how its voxels were cut.
    folder: where it lies.
    subjects: names, in order.
    body_mass_kg: of each subject.
    fingerprint: what tells it from others, wherever it lies: configuration, version, voxels of each
      subject, and what the builder has noted of the recordings; JSON.
  """

  def __init__(self, data_dir: str, config_name: str):
    """Opens it.

    Args:
      data_dir: what `tfds build --data_dir` was given.
      config_name: the builder configuration.

    Raises:
      DataError: it is not there or not whole, or records mean something else in this version.
    """
    self.config = voxels.config(config_name)
    self.folder = pathlib.Path(data_dir) / DATASET / config_name / voxels.VERSION
    build = (
      f'tfds build datasets/{DATASET} --config={config_name} --manual_dir=RECORDINGS '
      f'--data_dir={data_dir or "DATA"}'
    )
    self._again = f'build it again with `{build} --overwrite`'
    try:
      there = bool(data_dir) and (self.folder / 'dataset_info.json').is_file()
    except OSError as error:
      raise DataError(f'{self.folder}: {error.strerror}') from error
    if not there:
      root = self.folder.parent
      others = sorted(p.parent.name for p in root.glob('[0-9]*/dataset_info.json') if data_dir)
      found = f'version {", ".join(others)}, expected {voxels.VERSION}' if others else 'no data set'
      raise DataError(f'{root}: {found} there; make it with `{build}`')
    self._open()

  def _open(self) -> None:
    try:
      self._builder = tfds.builder_from_directory(str(self.folder))
      info = self._builder.info
      metadata = dict(info.metadata)
      shape = info.features['voxel'].shape
      found = {'version': str(info.version), 'shape': shape, **metadata['voxel']}
      self.subjects: tuple[str, ...] = tuple(sorted(info.splits))
      self.body_mass_kg: dict[str, float] = dict(metadata['body_mass_kg'])
      made_from = set(metadata['source'])
      counted = set(metadata['frames'])
    except Exception as error:  # TFDS raises whatever its parsers do
      raise DataError(
        f'{self.folder}: cannot be read as a data set ({type(error).__name__}: {error}); '
        f'remove the folder and {self._again}'
      ) from error
    expected = {
      'version': voxels.VERSION, 'shape': self.config.shape, **dataclasses.asdict(self.config)
    }  # fmt: skip
    differs = [
      f'{key} is {found.get(key)}, expected {expected.get(key)}'
      for key in {**expected, **found}
      if found.get(key) != expected.get(key)
    ]
    if differs:
      raise DataError(
        f'{self.folder}: was built otherwise than this version does: {"; ".join(differs)}; '
        f'{self._again}'
      )
    if not set(self.subjects) == set(self.body_mass_kg) == made_from == counted:
      raise DataError(
        f'{self.folder}: is not whole: it has records of {", ".join(self.subjects) or "nobody"}, '
        f'and counted those of {", ".join(sorted(counted)) or "nobody"}; {self._again}'
      )
    voxels_of = {name: split.num_examples for name, split in info.splits.items()}
    own = {'configuration': self.config.name, 'version': voxels.VERSION, 'voxels': voxels_of}
    self.fingerprint: dict[str, Any] = json.loads(json.dumps({**own, **metadata}))

  def others(self, holdout: str, inner: str = '') -> tuple[str, ...]:
    """The subjects to train on: all but the one held out and the inner validation subjects.

    Args:
      holdout: a name, or ''.
      inner: names with commas between them, or ''.

    Raises:
      DataError: one is not in the set, is both held out and inner, or nobody is left.
    """
    inside = names(inner)
    for role, name in (('holdout', holdout), *(('inner', n) for n in inside)):
      if name and name not in self.subjects:
        raise DataError(f'{role} is {name!r}; the subjects are {", ".join(self.subjects)}')
    if holdout in inside:
      raise DataError(f'inner validation subject {holdout!r} is the one held out')
    left = tuple(s for s in self.subjects if s != holdout and s not in inside)
    if not left:
      raise DataError(f'nobody is left to train on: the only subjects are {self.subjects}')
    return left

  def source(self, subjects: Sequence[str]) -> Records:
    """Random access to the records of some subjects.

    Raises:
      DataError: one has none, or their files cannot be read at random.
    """
    missing = [name for name in subjects if name not in self.subjects]
    if missing:
      raise DataError(
        f'{self.folder}: no records of {", ".join(missing)}; found {", ".join(self.subjects)}'
      )
    split = _joined(subjects)
    try:
      read = self._builder.as_data_source(split=split)
      files = self._builder.info.splits[split].file_instructions
    except Exception as error:  # TFDS's are of many kinds
      said = (str(error).splitlines() or [''])[0][:200]
      raise DataError(f'{self.folder}: cannot be read ({said}); {self._again}') from error
    return Records(read, files, self._again)


def _joined(splits: Sequence[str]) -> Any:
  """Several splits as one. By halves, as TFDS calls itself for every `+` on the way down."""
  if len(splits) == 1:
    return tfds.core.ReadInstruction(splits[0])
  half = len(splits) // 2
  return _joined(splits[:half]) + _joined(splits[half:])


class Records:
  """Random access to records; a damaged one is refused with the name of its file."""

  def __init__(self, read: Any, files: Sequence[Any], again: str):
    """Args: what TFDS reads them by, in which files they lie, what to do if one is damaged."""
    self._read, self._files, self._again = read, files, again

  def __len__(self) -> int:
    return len(self._read)

  def __getitem__(self, number: int) -> dict[str, Any]:
    """Raises DataError where the record cannot be read as it was written."""
    try:
      return self._read[number]
    except Exception as error:  # ArrayRecord's and TFDS's are of many kinds
      said = (str(error).splitlines() or [''])[0][:200]
      raise DataError(
        f'{self._file(number)}: a record in it is damaged or missing ({type(error).__name__}: '
        f'{said}); {self._again}'
      ) from error

  def _file(self, number: int) -> str:
    for file in self._files:
      if number < file.examples_in_shard:
        return str(file.filename)
      number -= file.examples_in_shard
    return 'no such record'


def names(listed: str) -> list[str]:
  """Subjects from a text that has commas between them; '' is nobody."""
  return [name.strip() for name in listed.split(',') if name.strip()]


def listed(names: Sequence[str]) -> str:
  """Subjects for people to read: all of at most 20, else how many, the first and the last."""
  if len(names) <= 20:
    return ', '.join(names)
  return f'{len(names)} subjects ({names[0]} ... {names[-1]})'


@dataclasses.dataclass(frozen=True)
class Index:
  """Every label of a source that training may be drawn to, sorted by force interval.

  Attributes:
    record: (N,) int32.
    t: (N,) int16, the frame in the record.
    first: (K + 1,) int64, where each of `metrics.INTERVALS` begins.
  """

  record: np.ndarray
  t: np.ndarray
  first: np.ndarray

  @property
  def counts(self) -> np.ndarray:
    """Labels in each interval, (K,)."""
    return np.diff(self.first)


def index(source: Any, own: slice, legs: int) -> Index:
  """Reads the labels of a source: each frame once, in the record whose own it is.

  Args:
    source: from `Dataset.source`.
    own: `voxels.Config.own`.
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
    what.append(metrics.interval(record['force'][own, :legs, 0][t, leg]))
  interval = np.concatenate(what) if what else np.zeros(0, int)
  if not len(interval):
    raise DataError('the training subjects have no frame with a known force')
  order = np.argsort(interval, kind='stable')
  first = np.searchsorted(interval[order], np.arange(len(metrics.INTERVALS) + 1))
  return Index(np.concatenate(where)[order], np.concatenate(when)[order], first)


def probabilities(counts: np.ndarray, rebalance: float) -> np.ndarray:
  """How often each interval is drawn: its count to the power 1 - rebalance, normalised.

  Args:
    counts: (K,) labels in each interval.
    rebalance: 0 leaves the data as they are, 1 draws every interval that occurs equally often.
  """
  if not 0 <= rebalance <= 1:
    raise ValueError(f'rebalance is {rebalance}, expected 0 to 1')
  weight = np.where(counts > 0, np.maximum(counts, 1) ** (1.0 - rebalance), 0.0)
  return weight / weight.sum()


def train_stream(
  source: Any,
  labels: Index,
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
  edges = np.cumsum(probabilities(labels.counts, rebalance))
  edges[-1] = 1.0
  size = sum(np.asarray(v).nbytes for v in source[0].values())
  read = functools.lru_cache(max(1, KEPT_BYTES // size))(source.__getitem__)

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


def ids(batch: Batch) -> list[str]:
  """What each sample of a batch is of: subject/trial and the first of its frames."""
  return [
    f'{subject}/{trial} from frame {frame[frame >= 0].min(initial=2**31 - 1)}'
    for subject, trial, frame in zip(
      *(np.asarray(batch[k]).astype(str) for k in ('subject', 'trial')), batch['frame'], strict=True
    )
  ]


def shares(labels: Index, rebalance: float) -> list[tuple[str, int, float, float]]:
  """(interval, labels, share of the labels, share of the draws) for the paper's Table IV."""
  counts = labels.counts
  drawn = probabilities(counts, rebalance)
  return [
    (name, int(n), float(n / counts.sum()), float(p))
    for name, n, p in zip(metrics.INTERVALS, counts, drawn, strict=True)
  ]
