"""TFDS builder: a recording set -> voxel records, one split per subject.

Thin on purpose: the work is in `grfjax.voxels`.
"""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
import itertools
import os
import re
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from grfjax import forces, recordings, voxels


@dataclasses.dataclass
class WalkingGrfConfig(tfds.core.BuilderConfig):
  """A builder configuration; its name says how voxels are cut (`grfjax.voxels.config`).

  Attributes:
    contact_n: vertical force in newtons over which a plate counts as stepped on.
  """

  contact_n: float = forces.CONTACT_N

  def voxel(self) -> voxels.Config:
    """How the voxels of this configuration are cut."""
    return voxels.config(self.name)


class Builder(tfds.core.GeneratorBasedBuilder):
  """Voxels of walking with the ground reaction forces of both legs."""

  VERSION = tfds.core.Version('2.0.0')
  RELEASE_NOTES = {  # noqa: RUF012
    '1.0.0': 'First release.',
    '2.0.0': 'walker: clips of 96 frames, gray standardised over the walk.',
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
    # TFDS would take TFRecord, which cannot be read at random.
    super().__init__(file_format=file_format or tfds.core.FileFormat.ARRAY_RECORD, **kwargs)

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
          'time_s': tfds.features.Tensor(shape=(t,), dtype=np.float32, encoding='bytes'),
          'frame': tfds.features.Tensor(shape=(t,), dtype=np.int32, encoding='bytes'),
          'subject': tfds.features.Text(),
          'trial': tfds.features.Text(),
        }
      ),
      supervised_keys=None,
      metadata=tfds.core.MetadataDict(),
    )

  def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
    trials = recordings.load(dl_manager.manual_dir)
    by_subject: dict[str, list[recordings.Trial]] = {}
    for trial in trials:
      by_subject.setdefault(trial.subject.name, []).append(trial)
    for name in by_subject:
      if not re.fullmatch(r'[A-Za-z]\w*', name, re.ASCII) or name.lower() == 'all':
        raise recordings.RecordingError(
          f'subjects.csv: subject {name!r} cannot name a TFDS split; expected letters, digits and '
          "underscores beginning with a letter, and not 'all'"
        )
    cfg = self.builder_config.voxel()
    self.info.metadata.update(
      body_mass_kg={name: t[0].subject.body_mass_kg for name, t in by_subject.items()},
      trials={name: len(t) for name, t in by_subject.items()},
      fps=cfg.fps,
      contact_n=self.builder_config.contact_n,
      frames={},
      known={},
    )
    return {name: self._generate_examples(name, mine) for name, mine in by_subject.items()}

  def _generate_examples(
    self, subject: str, trials: list[recordings.Trial]
  ) -> Iterator[tuple[str, dict[str, Any]]]:
    known, frames = np.zeros(2, int), 0
    for records in _parallel(trials, self.builder_config.voxel(), self.builder_config.contact_n):
      seen: set[int] = {-1}  # voxels overlap: count each frame of the trial once
      for k, record in enumerate(records):
        new = [t for t, frame in enumerate(record['frame'].tolist()) if frame not in seen]
        seen.update(record['frame'].tolist())
        known += record['known'][new].sum(0)
        frames += len(new)
        yield f'{record["trial"]}/{k:06d}', record
    self.info.metadata['frames'][subject] = frames
    self.info.metadata['known'][subject] = {'near': int(known[0]), 'far': int(known[1])}
    logging.info(
      '%s: %d trials, %d frames; force known in %d frames of the near leg, %d of the far leg',
      subject, len(trials), frames, *known,
    )  # fmt: skip


def _parallel(
  trials: list[recordings.Trial], cfg: voxels.Config, contact_n: float
) -> Iterator[list[dict[str, Any]]]:
  """Records of each trial in order, a bounded number ahead.

  On all cores, or by so many workers as the environment variable GRFJAX_WORKERS says.
  """
  # Threads: decoding and OpenCV release the interpreter's lock, and a process would first import
  # TensorFlow again.
  workers = int(os.environ.get('GRFJAX_WORKERS', 0)) or len(os.sched_getaffinity(0))
  cv2.setNumThreads(1)  # a trial a core is quicker than a picture on all
  pool = concurrent.futures.ThreadPoolExecutor(workers)
  todo = iter(trials)

  def submit(count: int) -> list[concurrent.futures.Future]:
    return [
      pool.submit(voxels.records, trial, cfg, contact_n) for trial in itertools.islice(todo, count)
    ]

  ahead = collections.deque(submit(2 * workers))
  try:
    while ahead:
      yield ahead.popleft().result()
      ahead.extend(submit(1))
  finally:
    pool.shutdown(cancel_futures=True)
