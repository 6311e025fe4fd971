"""TFDS builder: a recording set -> voxel records, one split per subject.

Thin on purpose: the work is in `grfjax.data.trial_records`.

A data set exists completely or not at all: TFDS builds it in a folder `incomplete.*` and renames
that. What a killed build leaves is removed by the next, and a data set is reused only for the
recordings that it was built from.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import pathlib
import shutil
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from grfjax import conventions, errors, extras
from grfjax.data import clip_config, record_writer, subject_lists, trial_records, trial_workers
from grfjax.io import folder_lock, recordings


@dataclasses.dataclass
class WalkingGrfConfig(tfds.core.BuilderConfig):
  """A builder configuration; its name says how voxels are cut (`grfjax.data.clip_config`).

  Attributes:
    contact_n: vertical force over which a plate counts as stepped on, newtons.
  """

  contact_n: float = conventions.CONTACT_N

  def voxel(self) -> clip_config.ClipConfig:
    """Returns how the voxels of this configuration are cut."""
    return clip_config.clip_config(self.name)


class StaleError(errors.InputError):
  """The existing data set was built from something else; the message says what differs."""


_TrialRecords = tuple[recordings.Trial, list[dict[str, Any]]]  # a trial and its records


class Builder(tfds.core.GeneratorBasedBuilder):
  """Voxels of walking with the ground reaction forces of both legs."""

  VERSION = tfds.core.Version(trial_records.VERSION)
  RELEASE_NOTES = {  # noqa: RUF012
    '1.0.0': 'First release.',
    '2.0.0': 'walker: clips of 96 frames, gray standardised over the walk.',
    '2.1.0': 'The metadata say how voxels are cut, and from what each subject was built.',
    '3.0.0': 'walker: windows of 96 x 36, not 48 x 36, pixels: twice as fine from top to bottom.',
    '3.1.0': 'mochizuki: pictures of a camera at the right are mirrored: all walk the same way.',
    '4.0.0': 'Where the feet stand: pressure, sole and stand, and what is known of them; height_m.',
    '4.1.0': 'walker: shadows on the floor near the feet are no difference to the background.',
  }
  BUILDER_CONFIGS = [  # noqa: RUF012
    WalkingGrfConfig(
      name='mochizuki',
      description="The paper's input: whole frame, gray, 40 x 40, 5 frames, near leg in stance.",
    ),
    WalkingGrfConfig(
      name='walker',
      description='Clips of 96 frames of a window that follows the walker, both legs.',
    ),
  ]
  MANUAL_DOWNLOAD_INSTRUCTIONS = """
  --manual_dir is a recording set: subjects.csv, trials.csv, videos and force files, as the README
  of grfjax describes, or as `python -m grfjax.synth` writes it.
  """

  def __init__(self, *, file_format: Any = None, **kwargs: Any):
    _report_errors_in_one_line()
    # TFDS would take TFRecord, which cannot be read at random.
    super().__init__(file_format=file_format or tfds.core.FileFormat.ARRAY_RECORD, **kwargs)

  def download_and_prepare(
    self,
    *,
    download_config: tfds.download.DownloadConfig | None = None,
    **kwargs: Any,
  ) -> None:
    """Builds the data set, or keeps the existing one if it is of the same recordings.

    Raises:
      RecordingError: the recordings cannot be used.
      StaleError: there is one, but of other recordings or of another configuration.
      RuntimeError: another process is building it.
    """
    download_config = download_config or tfds.download.DownloadConfig()
    folder = pathlib.Path(self.data_path)
    trials: list[recordings.Trial] = []
    if download_config.manual_dir is not None:  # before anything is written
      trials = _load(pathlib.Path(download_config.manual_dir))
    with _alone(folder.parent):
      self._remove_leftovers(folder)
      if folder.exists() and not download_config.download_mode.overwrite_dataset:
        if download_config.manual_dir is None:
          logging.warning(
            '%s: exists already; not compared with any recordings (no --manual_dir)', folder
          )
        else:
          self._check_source(trials)
          logging.info('%s: exists already, of these recordings; nothing to do', folder)
      super().download_and_prepare(download_config=download_config, **kwargs)

  def _remove_leftovers(self, folder: pathlib.Path) -> None:
    """Removes what builds that were killed have left."""
    for leftover in folder.parent.glob('incomplete.*'):
      logging.warning('removing %s, which a build that was stopped has left', leftover)
      shutil.rmtree(leftover)
    if folder.exists() and not self.is_prepared():
      logging.warning('removing %s, which is not a complete data set', folder)
      shutil.rmtree(folder)

  def _check_source(self, trials: list[recordings.Trial]) -> None:
    """Raises StaleError where the existing data set was not built from these trials."""
    metadata, expected = self.info.metadata, self._source_metadata(trials)
    differences = [
      f'{key} is {metadata.get(key)} in the data set, {expected[key]} now'
      for key in ('voxel', 'contact_n')
      if metadata.get(key) != expected[key]
    ]
    old, new = metadata.get('source', {}), expected['source']
    for change, names in (
      ('new', [s for s in new if s not in old]),
      ('gone', [s for s in old if s not in new]),
      ('changed', [s for s in new if s in old and old[s] != new[s]]),
    ):
      if names:
        differences.append(f'{change}: {", ".join(names)}')
    if differences:
      raise StaleError(
        f'{self.data_path}: was built from other recordings or otherwise '
        f'({"; ".join(differences)}); build again with --overwrite, or into another --data_dir',
        code='data.stale',
        file=self.data_path,
      )

  def _source_metadata(self, trials: list[recordings.Trial]) -> dict[str, Any]:
    """Returns what decides the records, as the metadata hold it."""
    return {
      'voxel': dataclasses.asdict(self.builder_config.voxel()),
      'contact_n': self.builder_config.contact_n,
      'source': recordings.digests(trials),
    }

  def _info(self) -> tfds.core.DatasetInfo:
    cfg = self.builder_config.voxel()
    t = cfg.frames
    return self.dataset_info_from_configs(
      features=tfds.features.FeaturesDict(
        {
          'voxel': tfds.features.Tensor(shape=cfg.shape, dtype=np.uint8, encoding='bytes'),
          'force': tfds.features.Tensor(shape=(t, 2, 3), dtype=np.float32, encoding='bytes'),
          'known': tfds.features.Tensor(shape=(t, 2), dtype=np.bool_, encoding='bytes'),
          'contact': tfds.features.Tensor(shape=(t, 2), dtype=np.bool_, encoding='bytes'),
          'pressure': tfds.features.Tensor(shape=(t, 2, 2), dtype=np.float32, encoding='bytes'),
          'pressure_known': tfds.features.Tensor(shape=(t, 2), dtype=np.bool_, encoding='bytes'),
          'sole': tfds.features.Tensor(shape=(t, 2, 2), dtype=np.float32, encoding='bytes'),
          'sole_known': tfds.features.Tensor(shape=(t, 2), dtype=np.bool_, encoding='bytes'),
          'stand': tfds.features.Tensor(shape=(t, 2, 2), dtype=np.float32, encoding='bytes'),
          'stand_known': tfds.features.Tensor(shape=(t, 2), dtype=np.bool_, encoding='bytes'),
          'height_m': tfds.features.Scalar(dtype=np.float32),
          'time_s': tfds.features.Tensor(shape=(t,), dtype=np.float32, encoding='bytes'),
          'frame': tfds.features.Tensor(shape=(t,), dtype=np.int32, encoding='bytes'),
          'subject': tfds.features.Text(),
          'trial': tfds.features.Text(),
        }
      ),
      supervised_keys=None,
      metadata=tfds.core.MetadataDict(),
    )

  def _example_writer(self) -> record_writer.RecordWriter:
    return record_writer.RecordWriter(self.info.file_format)

  def _download_and_prepare(
    self,
    dl_manager: tfds.download.DownloadManager,
    download_config: tfds.download.DownloadConfig,
  ) -> None:
    """Builds all splits: on Beam where its options or a runner are given, or else here."""
    if download_config.beam_options is None and download_config.beam_runner is None:
      super()._download_and_prepare(dl_manager, download_config)
    else:
      self._build_on_beam(dl_manager, download_config)

  def _build_on_beam(
    self,
    dl_manager: tfds.download.DownloadManager,
    download_config: tfds.download.DownloadConfig,
  ) -> None:
    """Builds all splits in a pipeline of Beam; the same files as without.

    Raises:
      RecordingError: the recordings cannot be used.
      InputError: Beam is not installed.
      ValueError: an option is given that would make another data set than without Beam.
    """
    if download_config.nondeterministic_order or download_config.max_examples_per_split is not None:
      raise ValueError(
        'a build on Beam has neither nondeterministic_order nor max_examples_per_split'
      )
    with extras.needed('beam'):
      import apache_beam as beam

      from grfjax.data import beam_splits
    manual_dir = _manual_dir(dl_manager).absolute()
    by_subject = self._read_trials(manual_dir)
    plan = beam_splits.Plan(
      root=manual_dir,
      cfg=self.builder_config.voxel(),
      threshold_n=self.builder_config.contact_n,
      features=self.info.features,
      template=self._get_filename_template(next(iter(by_subject))).replace(
        data_dir=self.data_path.absolute()
      ),
      shard_config=download_config.get_shard_config(),
      example_writer=self._example_writer(),
      ignore_duplicates=download_config.ignore_duplicates,
    )
    pipeline = beam.Pipeline(download_config.beam_runner, download_config.beam_options)
    in_order = list(itertools.chain.from_iterable(by_subject.values()))
    infos = []
    for name, split in beam_splits.write_splits(in_order, plan, pipeline).items():
      self._note_split(name, split.trials, split.frames, split.known)
      infos.append(
        tfds.core.SplitInfo(
          name=name,
          shard_lengths=split.shard_lengths,
          num_bytes=split.size,
          filename_template=self._get_filename_template(name),
        )
      )
    self.info.set_splits(tfds.core.SplitDict(infos))

  def _read_trials(self, manual_dir: pathlib.Path) -> dict[str, list[recordings.Trial]]:
    """Returns the trials of each subject, and notes in the metadata what they are."""
    trials = _load(manual_dir)
    by_subject: dict[str, list[recordings.Trial]] = {}
    for trial in trials:
      by_subject.setdefault(trial.subject.name, []).append(trial)
    degraded = {trial.name: list(trial.degraded) for trial in trials if trial.degraded}
    self.info.metadata.update(
      body_mass_kg={name: t[0].subject.body_mass_kg for name, t in by_subject.items()},
      trials={name: len(t) for name, t in by_subject.items()},
      fps=self.builder_config.voxel().fps,
      **self._source_metadata(trials),
      **({'degraded': degraded} if degraded else {}),
      frames={},
      known={},
    )
    return by_subject

  def _note_split(self, subject: str, trials: int, frames: int, known: list[int]) -> None:
    """Notes in the metadata how many frames a subject has; `known` of the near, the far leg."""
    self.info.metadata['frames'][subject] = frames
    self.info.metadata['known'][subject] = {'near': known[0], 'far': known[1]}
    logging.info(
      '%s: %d trials, %d frames; force known in %d frames of the near leg, %d of the far leg',
      subject, trials, frames, *known,
    )  # fmt: skip

  def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
    manual_dir = _manual_dir(dl_manager)
    by_subject = self._read_trials(manual_dir)
    cfg = self.builder_config.voxel()
    # One stream for all splits, which are written one after the other: while one is sorted and
    # written, the next one's trials are at work.
    in_order = [trial for group in by_subject.values() for trial in group]
    threshold_n = self.builder_config.contact_n
    stream = trial_workers.in_parallel(
      lambda trial: trial_records.trial_records(trial, cfg, threshold_n), in_order
    )
    groups = itertools.groupby(stream, key=lambda result: result[0].subject.name)
    return {name: self._generate_examples(name, groups, manual_dir) for name in by_subject}

  def _generate_examples(
    self,
    subject: str,
    groups: Iterator[tuple[str, Iterator[_TrialRecords]]],
    manual_dir: pathlib.Path,
  ) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the records of a subject, and notes in the metadata how many frames they are.

    Args:
      subject: the split's name.
      groups: the subjects in order, each with its trials; the next one is `subject`'s.
      manual_dir: the recording set.
    """
    name, trials = next(groups)
    assert name == subject, 'splits are not written in order'
    trial_count, record_count, frames, known = 0, 0, 0, [0, 0]
    for _, records in trials:
      for k, record in enumerate(records):
        yield trial_records.record_key(record, k), record
      trial_count += 1
      record_count += len(records)
      new_frames, new_known = trial_records.count_frames(records)
      frames += new_frames
      known = [a + b for a, b in zip(known, new_known, strict=True)]
    trial_records.check_has_records(subject, record_count, self.builder_config.voxel(), manual_dir)
    self._note_split(subject, trial_count, frames, known)


def _manual_dir(dl_manager: tfds.download.DownloadManager) -> pathlib.Path:
  """Returns the folder of the recording set."""
  try:
    return pathlib.Path(dl_manager.manual_dir)
  except AssertionError as error:  # TFDS's own folder for it is empty
    raise recordings.RecordingError(
      'no recording set was named; give its folder as --manual_dir', code='recording.no_folder'
    ) from error


def _load(manual_dir: pathlib.Path) -> list[recordings.Trial]:
  """Returns the trials of a recording set whose subjects can all name a split."""
  trials = recordings.load(manual_dir)
  for name in dict.fromkeys(trial.subject.name for trial in trials):
    subject_lists.check_split_name(name, manual_dir / 'subjects.csv')
  return trials


def _report_errors_in_one_line() -> None:
  """Lets the `tfds` command end with a line instead of a traceback where the input is at fault.

  The command's main function is TFDS's and catches nothing, so that what ends it is printed by
  Python's hook. Errors are raised as ever, and a program that imports this module keeps its hook.
  """
  if 'tensorflow_datasets.scripts.cli.main' not in sys.modules:
    return
  previous = sys.excepthook

  def report(
    error_class: type[BaseException], error: BaseException, trace: types.TracebackType | None
  ) -> None:
    if isinstance(error, errors.InputError | errors.PipelineError):
      print(f'tfds build: {" ".join(errors.describe(error).split())}', file=sys.stderr)
    else:
      previous(error_class, error, trace)

  sys.excepthook = report


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
  """Keeps other builds out of a folder; the system lets go of it even if this one is killed."""
  folder.mkdir(parents=True, exist_ok=True)
  handle = os.open(folder, os.O_RDONLY)
  try:
    # Not folder_lock.lock_folder, whose file would lie among the versions of the data set.
    locked = folder_lock.try_lock(handle)
    if locked is None:
      logging.warning('%s: the file system has no locks; run one build at a time there', folder)
    if locked is False:
      raise RuntimeError(f'{folder}: another build is at work there; wait for it')
    yield
  finally:
    os.close(handle)
