"""Writes the splits of a data set on Apache Beam: a trial is an element, then a subject.

TFDS's own writer for Beam makes some 90 transforms of every split, 120 kB of a description that
Dataflow limits to some megabytes, and cuts shards at other records than its local writer. Here one
pipeline of a few transforms serves any number of splits, and the local writer writes each of them,
so that files are the same to the byte.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import cv2
import tensorflow_datasets as tfds
from absl import logging
from tensorflow_datasets.core import example_serializer, naming
from tensorflow_datasets.core import writer as tfds_writer
from tensorflow_datasets.core.utils import shard_utils

from grfjax import errors
from grfjax.data import clip_config, trial_records
from grfjax.io import beam_pipeline, recordings


@dataclasses.dataclass(frozen=True)
class Plan:
  """What every worker must know.

  Attributes:
    root: the recording set, which all workers reach by this absolute path.
    cfg: how voxels are cut.
    threshold_n: vertical force over which a plate counts as stepped on, newtons.
    features: the features of a record.
    template: how files are named, and the folder that they are written to.
    shard_config: how many shards there are.
    example_writer: writes a file.
    ignore_duplicates: whether records of the same key are one.
  """

  root: pathlib.Path
  cfg: clip_config.ClipConfig
  threshold_n: float
  features: tfds.features.FeaturesDict
  template: naming.ShardedFileTemplate
  shard_config: shard_utils.ShardConfig
  example_writer: tfds_writer.ExampleWriter
  ignore_duplicates: bool


@dataclasses.dataclass(frozen=True)
class Split:
  """A split that is written.

  Attributes:
    shard_lengths: records in each file.
    size: of all records, bytes.
    trials: number of trials.
    frames: number of frames, each counted once.
    known: in how many of them the force of the near and of the far leg is known.
  """

  shard_lengths: list[int]
  size: int
  trials: int
  frames: int
  known: list[int]


@dataclasses.dataclass(frozen=True)
class _Record:
  key: str
  example: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class _Trial:
  number: int  # in the order of all trials
  frames: int = 0
  known: tuple[int, int] = (0, 0)
  error: errors.InputError | None = None


def write_splits(
  trials: list[recordings.Trial], plan: Plan, pipeline: beam.Pipeline
) -> dict[str, Split]:
  """Writes one split for each subject.

  Args:
    trials: the subjects' one after the other.
    plan: what every worker must know.
    pipeline: an empty one.

  Returns:
    The splits by their subjects' names, in the order of `trials`.

  Raises:
    recordings.RecordingError: a trial cannot be used, or a subject has no record: the first of
      these in the order of `trials`. Every further one is named in the log.
    errors.PipelineError: the pipeline failed.
  """
  folder = pathlib.Path(plan.template.data_dir)
  with tempfile.TemporaryDirectory(prefix='.grfjax-beam-', dir=folder) as work_name:
    work = pathlib.Path(work_name)
    written = beam_pipeline.run(
      pipeline,
      list(enumerate(trials)),
      lambda numbered: (
        numbered
        | 'Records' >> beam.FlatMap(_make_records, plan)
        | 'Of a subject' >> beam.GroupByKey()
        | 'Files' >> beam.Map(_write_split, plan, work, folder)
      ),
      work,
    )
  faults = sorted((fault for split in written for fault in split['faults']), key=lambda f: f[0])
  if faults:
    logging.error('%d of %d trials cannot be used', len(faults), len(trials))
    for _, message, fields in faults[1:]:
      logging.error('%s [%s]', message, fields['code'])
    _, message, fields = faults[0]
    raise recordings.RecordingError(message, **fields)
  splits = {split['subject']: Split(**split['split']) for split in written}
  return {name: splits[name] for name in dict.fromkeys(trial.subject.name for trial in trials)}


def _make_records(
  numbered: tuple[int, recordings.Trial], plan: Plan
) -> Iterator[tuple[str, _Record | _Trial]]:
  """Yields the records of a trial, and what is said of the trial, with the subject's name.

  A trial that cannot be used is a result, as Beam would try it again, and then lose its code.
  """
  number, trial = numbered
  subject = trial.subject.name
  cv2.setNumThreads(1)  # a trial a core is faster than a picture on all
  try:
    records = trial_records.trial_records(trial, plan.cfg, plan.threshold_n)
  except errors.InputError as error:
    yield subject, _Trial(number, error=error)
    return
  for k, record in enumerate(records):
    yield subject, _Record(trial_records.record_key(record, k), record)
  yield subject, _Trial(number, *trial_records.count_frames(records))


def _write_split(
  group: tuple[str, Iterable[_Record | _Trial]],
  plan: Plan,
  work: pathlib.Path,
  folder: pathlib.Path,
) -> dict[str, Any]:
  """Writes the files of a subject, unless one of its trials cannot be used.

  Args:
    group: the subject's name; the records and trials in any order.
    plan: what every worker must know.
    work: where files are written before they take their names.
    folder: where they then are.

  Returns:
    The subject's name; the fields of `Split`; the faults, each as the trial's number, a message and
    the other arguments of an `errors.InputError`.
  """
  subject, items = group
  trials: list[_Trial] = []
  record_count = 0
  with tempfile.TemporaryDirectory(prefix=f'{subject}-', dir=work) as attempt_name:
    attempt = pathlib.Path(attempt_name)
    writer = tfds_writer.Writer(
      serializer=example_serializer.ExampleSerializer(plan.features.get_serialized_info()),
      filename_template=plan.template.replace(split=subject, data_dir=attempt),
      hash_salt=subject,
      disable_shuffling=False,
      example_writer=plan.example_writer,
      shard_config=plan.shard_config,
      ignore_duplicates=plan.ignore_duplicates,
    )
    for item in items:
      if isinstance(item, _Trial):
        trials.append(item)
      else:
        record_count += 1
        writer.write(item.key, plan.features.encode_example(item.example))
    faults = [(trial.number, trial.error) for trial in trials if trial.error is not None]
    if not faults:
      try:
        trial_records.check_has_records(subject, record_count, plan.cfg, plan.root)
      except errors.InputError as error:
        faults = [(max(trial.number for trial in trials), error)]
    if faults:
      return {'subject': subject, 'faults': [(n, str(e), _fields(e)) for n, e in faults]}
    shard_lengths, size = writer.finalize()
    for path in attempt.iterdir():
      os.replace(path, folder / path.name)
  known = [sum(trial.known[leg] for trial in trials) for leg in range(2)]
  frames = sum(trial.frames for trial in trials)
  split = Split(shard_lengths, size, len(trials), frames, known)
  return {'subject': subject, 'faults': [], 'split': dataclasses.asdict(split)}


def _fields(error: errors.InputError) -> dict[str, Any]:
  return {name: getattr(error, name) for name in ('code', 'file', 'line', 'column', 'frame')}
