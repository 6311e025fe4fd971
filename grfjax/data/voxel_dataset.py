"""The data set that `tfds build` has made: its records by subject."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import tensorflow_datasets as tfds

from grfjax.data import clip_config, subject_lists, trial_records

DATASET = 'walking_grf'

KEPT_BYTES = 96 * 2**20  # of records read last, as reading one takes half a millisecond


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
    self.config = clip_config.clip_config(config_name)
    self.folder = pathlib.Path(data_dir) / DATASET / config_name / trial_records.VERSION
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
      found = (
        f'version {", ".join(others)}, expected {trial_records.VERSION}'
        if others
        else 'no data set'
      )
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
      'version': trial_records.VERSION, 'shape': self.config.shape,
      **dataclasses.asdict(self.config)
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
    own = {'configuration': self.config.name, 'version': trial_records.VERSION, 'voxels': voxels_of}
    self.fingerprint: dict[str, Any] = json.loads(json.dumps({**own, **metadata}))

  def others(self, holdout: str, inner: str = '') -> tuple[str, ...]:
    """The subjects to train on: all but the one held out and the inner validation subjects.

    Args:
      holdout: a name, or ''.
      inner: names with commas between them, or ''.

    Raises:
      DataError: one is not in the set, is both held out and inner, or nobody is left.
    """
    inside = subject_lists.subject_names(inner)
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
