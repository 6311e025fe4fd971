"""The data set that `tfds build` has made: its records by subject."""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from grfjax import errors, extras
from grfjax.data import clip_config, label_tables, subject_lists, trial_records

DATASET = 'walking_grf'
_MOST_OPEN = 256  # files of records; many systems let a process have 1,024


class DataError(errors.InputError):
  """A data set that cannot be used; the message says what was found and expected."""


class Dataset:
  """A data set that `tfds build` has made.

  Attributes:
    config: how its voxels were cut.
    folder: its folder.
    subjects: names, in order.
    body_mass_kg: body mass of each subject.
    degraded: trial -> what was done to its video, of those that are not as they were filmed.
    fingerprint: what distinguishes it from other data sets, in whatever folder: configuration,
      version, voxels of each subject, and what the builder has noted of the recordings; JSON.
  """

  def __init__(self, data_dir: str, config_name: str):
    """Opens a data set.

    Args:
      data_dir: what `tfds build --data_dir` was given.
      config_name: the builder configuration.

    Raises:
      DataError: it is missing or incomplete, or its records mean something else in this version.
      errors.InputError: there is no such configuration.
    """
    self.config = clip_config.clip_config(config_name)
    self.folder = pathlib.Path(data_dir) / DATASET / config_name / trial_records.VERSION
    build_command = (
      f'grfjax build --config={config_name} --recordings=RECORDINGS --data_dir={data_dir or "DATA"}'
    )
    self._rebuild_hint = f'build it again with `{build_command} --overwrite`'
    try:
      exists = bool(data_dir) and (self.folder / 'dataset_info.json').is_file()
    except OSError as error:
      raise DataError(
        f'{self.folder}: {error.strerror}', code='data.unreadable', file=self.folder
      ) from error
    if not exists:
      raise self._missing_error(data_dir, build_command)
    with extras.needed('train'):
      import tensorflow_datasets as tfds  # here, as predicting does without it
    self._builder = self._open(tfds)
    info = self._builder.info
    self._check_configuration(info)
    self._check_complete(info)
    self.subjects: tuple[str, ...] = tuple(sorted(info.splits))
    metadata = dict(info.metadata)
    self.body_mass_kg: dict[str, float] = dict(metadata['body_mass_kg'])
    self.degraded: dict[str, list[str]] = dict(metadata.get('degraded', {}))
    content = {
      'configuration': self.config.name,
      'version': trial_records.VERSION,
      'voxels': {name: split.num_examples for name, split in info.splits.items()},
    }
    self.fingerprint: dict[str, Any] = json.loads(json.dumps({**content, **metadata}))

  def _missing_error(self, data_dir: str, build_command: str) -> DataError:
    """Describes which other versions there are, and how to make this one."""
    root = self.folder.parent
    others = sorted(p.parent.name for p in root.glob('[0-9]*/dataset_info.json') if data_dir)
    if others:
      content = f'version {", ".join(others)}, expected {trial_records.VERSION}'
    else:
      content = 'no data set'
    return DataError(
      f'{root}: {content} there; make it with `{build_command}`',
      code='data.other_version' if others else 'data.missing',
      file=root,
    )

  def _open(self, tfds: Any) -> Any:
    """Opens the data set with TFDS and reads what is asked of it."""
    try:
      builder = tfds.builder_from_directory(str(self.folder))
      info = builder.info
      metadata = dict(info.metadata)
      for key in ('voxel', 'body_mass_kg', 'source', 'frames'):
        dict(metadata[key])
      _ = info.version, info.features['voxel'].shape, sorted(info.splits)
    except Exception as error:  # TFDS raises whatever its parsers do
      raise DataError(
        f'{self.folder}: cannot be read as a data set ({type(error).__name__}: {error}); '
        f'remove the folder and {self._rebuild_hint}',
        code='data.unreadable',
        file=self.folder,
      ) from error
    return builder

  def _check_configuration(self, info: Any) -> None:
    """Raises DataError where the voxels were cut otherwise than this version does."""
    found = {
      'version': str(info.version), 'shape': info.features['voxel'].shape, **info.metadata['voxel']
    }  # fmt: skip
    expected = {
      'version': trial_records.VERSION, 'shape': self.config.shape,
      **dataclasses.asdict(self.config)
    }  # fmt: skip
    differences = [
      f'{key} is {found.get(key)}, expected {expected.get(key)}'
      for key in {**expected, **found}
      if found.get(key) != expected.get(key)
    ]
    if differences:
      raise DataError(
        f'{self.folder}: was built otherwise than this version does: {"; ".join(differences)}; '
        f'{self._rebuild_hint}',
        code='data.other_configuration',
        file=self.folder,
      )

  def _check_complete(self, info: Any) -> None:
    """Raises DataError where not every subject has all of its records and metadata."""
    subjects, counted = set(info.splits), set(info.metadata['frames'])
    if not (
      subjects == set(info.metadata['body_mass_kg']) == set(info.metadata['source']) == counted
    ):
      raise DataError(
        f'{self.folder}: is incomplete: it has records of '
        f'{subject_lists.listed_subjects(sorted(subjects)) or "nobody"}, and counted those of '
        f'{subject_lists.listed_subjects(sorted(counted)) or "nobody"}; {self._rebuild_hint}',
        code='data.incomplete',
        file=self.folder,
      )

  def others(self, holdout: str, inner: str = '', people: int = 0) -> tuple[str, ...]:
    """Returns the subjects to train on: all but the held out and the inner validation subjects.

    Args:
      holdout: a name, or ''.
      inner: names with commas between them, or ''.
      people: how many subjects, the held out one not counted, there are to be at all: the first
        ones; 0: all.

    Raises:
      DataError: one is not in the set, is both held out and inner, there are fewer people, or
        nobody is left.
    """
    inner_names, subjects = set(subject_lists.subject_names(inner)), set(self.subjects)
    for role, name in (('holdout', holdout), *(('inner', n) for n in sorted(inner_names))):
      if name and name not in subjects:
        raise DataError(
          f'{role} is {name!r}; the subjects are {subject_lists.listed_subjects(self.subjects)}',
          code='data.unknown_subject',
        )
    if holdout in inner_names:
      raise DataError(
        f'inner validation subject {holdout!r} is the one held out',
        code='data.holdout_is_inner',
      )
    not_held_out = [s for s in self.subjects if s != holdout]
    if not 0 <= people <= len(not_held_out):
      raise DataError(
        f'config.people is {people}, expected a number up to {len(not_held_out)}, the subjects '
        'that are not held out, or 0 for all of them',
        code='config.value',
      )
    training = tuple(s for s in not_held_out[: people or None] if s not in inner_names)
    if not training:
      raise DataError(
        f'nobody is left to train on: the only subjects are '
        f'{subject_lists.listed_subjects(self.subjects)}',
        code='data.no_training_subjects',
      )
    return training

  def source(self, subjects: Sequence[str]) -> Records:
    """Returns random access to the records of some subjects.

    Raises:
      DataError: a subject has none, or their files cannot be read at random.
    """
    missing = sorted(set(subjects) - set(self.subjects))
    if missing:
      raise DataError(
        f'{self.folder}: no records of {subject_lists.listed_subjects(missing)}; found '
        f'{subject_lists.listed_subjects(self.subjects)}',
        code='data.unknown_subject',
        file=self.folder,
      )
    info = self._builder.info
    if info.file_format.value != 'array_record':
      raise DataError(
        f'{self.folder}: its files are {info.file_format.value}, expected array_record, which can '
        f'be read at random; {self._rebuild_hint}',
        code='data.unreadable',
        file=self.folder,
      )
    try:
      files = [file for name in subjects for file in info.splits[name].file_instructions]
    except Exception as error:  # TFDS raises many kinds
      raise DataError(
        f'{self.folder}: cannot be read ({_first_line(error)}); {self._rebuild_hint}',
        code='data.unreadable',
        file=self.folder,
      ) from error
    return Records(info.features, files, self._rebuild_hint)


class Records:
  """Random access to records; a damaged one is refused with the name of its file.

  However many people there are, each with a file, a bounded number of files is open.
  """

  def __init__(self, features: Any, files: Sequence[Any], rebuild_hint: str):
    """Describes where records are; nothing is opened.

    Args:
      features: TFDS's, of a record.
      files: TFDS's file instructions: which files hold how many of the records.
      rebuild_hint: what to do if a record is damaged.
    """
    self._features, self._rebuild_hint = features, rebuild_hint
    self._files = [str(file.filename) for file in files]
    self._starts = [0, *itertools.accumulate(file.take for file in files)]
    self._reader = functools.lru_cache(_MOST_OPEN)(_open_records)

  def __len__(self) -> int:
    return self._starts[-1]

  def __getitem__(self, number: int) -> dict[str, Any]:
    """Reads a record; raises DataError where it cannot be read as it was written."""
    if not 0 <= number < len(self):
      raise IndexError(f'record {number} of {len(self)}')
    which = bisect.bisect_right(self._starts, number) - 1
    file = self._files[which]
    try:
      # A file that is closed for another one stays open for the threads that still read from it.
      reader = self._reader(file)
      (record,) = reader.read([number - self._starts[which]])
      return self._features.deserialize_example_np(record)
    except Exception as error:  # ArrayRecord and TFDS raise many kinds
      raise DataError(
        f'{file}: a record in it is damaged or missing ({type(error).__name__}: '
        f'{_first_line(error)}); {self._rebuild_hint}',
        code='data.damaged_record',
        file=file,
      ) from error

  @property
  def file_count(self) -> int:
    """Number of files that hold the records."""
    return len(self._files)

  def label_table(self, which: int) -> label_tables.LabelTable:
    """Returns the labels of a file's records; a data set that has no tables is read for them.

    Args:
      which: number of the file.

    Raises:
      DataError: the table, or without one a record, cannot be read as it was written.
    """
    file, start, end = self._files[which], self._starts[which], self._starts[which + 1]
    try:
      table = label_tables.read(file, (end - start, *self._features['known'].shape))
    except (ValueError, OSError) as error:
      path = label_tables.table_path(file)
      raise DataError(
        f'{path}: the table of labels is damaged ({_first_line(error)}); {self._rebuild_hint}',
        code='data.damaged_labels',
        file=path,
      ) from error
    if table is None:
      table = label_tables.label_table(self[number] for number in range(start, end))
    return table


def _open_records(file: str) -> Any:
  """Opens an ArrayRecord file, to be read at random, as `ArrayRecordDataSource` does."""
  from array_record.python import array_record_module  # with the extra `train`, as TFDS

  options = 'readahead_buffer_size:0'
  return array_record_module.ArrayRecordReader(file, options=options, file_reader_buffer_size=2**15)


def _first_line(error: Exception) -> str:
  return (str(error).splitlines() or [''])[0][:200]
