"""The data set that `tfds build` has made: its records by subject."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

from grfjax import errors, extras
from grfjax.data import clip_config, subject_lists, trial_records

DATASET = 'walking_grf'


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
        f'{", ".join(sorted(subjects)) or "nobody"}, and counted those of '
        f'{", ".join(sorted(counted)) or "nobody"}; {self._rebuild_hint}',
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
    inner_names = subject_lists.subject_names(inner)
    for role, name in (('holdout', holdout), *(('inner', n) for n in inner_names)):
      if name and name not in self.subjects:
        raise DataError(
          f'{role} is {name!r}; the subjects are {", ".join(self.subjects)}',
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
        f'nobody is left to train on: the only subjects are {self.subjects}',
        code='data.no_training_subjects',
      )
    return training

  def source(self, subjects: Sequence[str]) -> Records:
    """Returns random access to the records of some subjects.

    Raises:
      DataError: a subject has none, or their files cannot be read at random.
    """
    missing = [name for name in subjects if name not in self.subjects]
    if missing:
      raise DataError(
        f'{self.folder}: no records of {", ".join(missing)}; found {", ".join(self.subjects)}',
        code='data.unknown_subject',
        file=self.folder,
      )
    split = _joined_splits(subjects)
    try:
      reader = self._builder.as_data_source(split=split)
      files = self._builder.info.splits[split].file_instructions
    except Exception as error:  # TFDS raises many kinds
      raise DataError(
        f'{self.folder}: cannot be read ({_first_line(error)}); {self._rebuild_hint}',
        code='data.unreadable',
        file=self.folder,
      ) from error
    return Records(reader, files, self._rebuild_hint)


def _joined_splits(splits: Sequence[str]) -> Any:
  """Joins several splits. By halves, as TFDS calls itself for every `+` on the way down."""
  import tensorflow_datasets as tfds

  if len(splits) == 1:
    return tfds.core.ReadInstruction(splits[0])
  half = len(splits) // 2
  return _joined_splits(splits[:half]) + _joined_splits(splits[half:])


class Records:
  """Random access to records; a damaged one is refused with the name of its file."""

  def __init__(self, reader: Any, files: Sequence[Any], rebuild_hint: str):
    """Wraps a reader.

    Args:
      reader: a TFDS data source.
      files: TFDS's file instructions: which files hold how many of its records.
      rebuild_hint: what to do if a record is damaged.
    """
    self._reader, self._files, self._rebuild_hint = reader, files, rebuild_hint

  def __len__(self) -> int:
    return len(self._reader)

  def __getitem__(self, number: int) -> dict[str, Any]:
    """Reads a record; raises DataError where it cannot be read as it was written."""
    try:
      return self._reader[number]
    except Exception as error:  # ArrayRecord and TFDS raise many kinds
      file = self._file(number)
      raise DataError(
        f'{file}: a record in it is damaged or missing ({type(error).__name__}: '
        f'{_first_line(error)}); {self._rebuild_hint}',
        code='data.damaged_record',
        file=file,
      ) from error

  def _file(self, number: int) -> str:
    """Returns the name of the file that holds a record."""
    for file in self._files:
      if number < file.examples_in_shard:
        return str(file.filename)
      number -= file.examples_in_shard
    return 'no such record'


def _first_line(error: Exception) -> str:
  return (str(error).splitlines() or [''])[0][:200]
