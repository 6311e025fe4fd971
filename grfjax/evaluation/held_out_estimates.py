"""A subject's estimates beside the labels of its records."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import ml_collections
import numpy as np

from grfjax import errors
from grfjax.data import input_pipeline, subject_lists, voxel_dataset
from grfjax.evaluation import error_sums
from grfjax.inference import estimator
from grfjax.io import atomic
from grfjax.models import networks


class EstimatesError(errors.InputError):
  """A file of estimates that cannot be used."""


def inner_validation(
  config: ml_collections.ConfigDict, dataset: voxel_dataset.Dataset
) -> Callable[[Any], float] | None:
  """Returns a function from parameters to the error on the inner validation subjects.

  The error is the mean absolute error of the vertical force over stance frames, % BW. None where
  the configuration has no inner subjects, or does not ask for it.
  """
  if not (config.inner and config.eval_every):
    return None
  model, target = networks.network(config)
  estimate = estimator.estimator(config, model, target)

  def validate(params: Any) -> float:
    sums = [
      estimate_subject(dataset, name, model, estimate, params, config.batch).sums()
      for name in subject_lists.subject_names(config.inner)
    ]
    return functools.reduce(error_sums.ErrorSums.merge, sums).result()['mae_pct_bw']

  return validate


BATCH = 16  # voxels in one call


@dataclasses.dataclass(frozen=True)
class HeldOutEstimates:
  """A subject's estimates beside its labels: the N frames of all its trials, one after the other.

  Attributes:
    trial: (N,) names of the trials.
    frame: (N,) int, number of the frame in its video.
    time_s: (N,) time of the frame on the video's clock.
    estimate: (N, legs, axes) estimated force, body weights.
    interval: (N, legs, axes, 2) the ends between which the force may lie, body weights;
      (N, legs, axes, 0) where the network gives none.
    force: (N, legs, 3) true force, body weights.
    known: (N, legs) bool, whether the plates decide the force.
    contact: (N, legs) bool, whether the foot is on a plate.
  """

  trial: np.ndarray
  frame: np.ndarray
  time_s: np.ndarray
  estimate: np.ndarray
  interval: np.ndarray
  force: np.ndarray
  known: np.ndarray
  contact: np.ndarray

  @property
  def legs(self) -> int:
    """The number of legs that the network knows; 1 is the near leg alone."""
    return self.contact.shape[1]

  def where(self, frames: np.ndarray) -> HeldOutEstimates:
    """Returns the estimates of some frames, (N,) bool."""
    return HeldOutEstimates(**{name: array[frames] for name, array in vars(self).items()})

  def sums(self, axis: int = 0) -> error_sums.ErrorSums:
    """Sums up the errors of one axis over stance frames of the legs that the network knows."""
    return error_sums.sum_errors(self.estimate[..., axis], self.force[..., axis], self.contact)


def write_estimates(path: pathlib.Path, estimates: HeldOutEstimates) -> None:
  """Writes estimates to an .npz file."""
  with atomic.atomic_file(path) as temporary:
    np.savez_compressed(temporary, **vars(estimates))


def read_estimates(path: pathlib.Path) -> HeldOutEstimates:
  """Reads what `write_estimates` has written.

  Raises:
    OSError: there is no such file.
    EstimatesError: it is damaged, or another kind of file.
  """
  names = [f.name for f in dataclasses.fields(HeldOutEstimates)]
  try:
    with path.open('rb') as file, np.load(file, allow_pickle=False) as arrays:
      content = dict(arrays)
  except (
    ValueError, TypeError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error
  ) as error:  # fmt: skip
    raise EstimatesError(
      f'{path}: is damaged ({error}); evaluate the run again',
      code='evaluation.damaged',
      file=path,
    ) from error
  missing = sorted(set(names) - set(content))
  if missing:
    raise EstimatesError(
      f'{path}: no {", ".join(missing)} in it', code='evaluation.damaged', file=path
    )
  return HeldOutEstimates(**{name: content[name] for name in names})


def labelled_batches(
  dataset: voxel_dataset.Dataset, subject: str, legs: int, batch: int = BATCH
) -> Iterator[tuple[input_pipeline.Batch, dict[str, np.ndarray]]]:
  """Yields batches of a subject's records, each with the labels of its own frames, flattened."""
  own = dataset.config.own
  for records, count in input_pipeline.eval_batches(dataset.source([subject]), batch):
    real = {k: v[:count] for k, v in records.items()}
    inside = real['frame'][:, own] >= 0
    flat = {
      'inside': inside,
      'trial': np.broadcast_to(real['trial'][:, None], inside.shape)[inside],
      'frame': real['frame'][:, own][inside],
      'time_s': real['time_s'][:, own][inside],
      'force': real['force'][:, own, :legs][inside],
      'known': real['known'][:, own, :legs][inside],
      'contact': real['contact'][:, own, :legs][inside],
    }
    yield records, flat


def estimate_subject(
  dataset: voxel_dataset.Dataset,
  subject: str,
  model: Any,
  estimate: estimator.Estimate,
  params: Any,
  batch: int = BATCH,
) -> HeldOutEstimates:
  """Estimates every frame of a subject, in order of trials and time; intervals uncalibrated."""
  parts = []
  for records, flat in labelled_batches(dataset, subject, model.legs, batch):
    inside = flat.pop('inside')
    force, interval, _ = (
      part[: len(inside)][inside]
      for part in estimator.estimate_own(dataset.config, model, estimate, params, records)
    )
    parts.append({**flat, 'estimate': force, 'interval': interval})
  joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
  joined['trial'] = joined['trial'].astype(str)
  order = np.lexsort((joined['frame'], joined['trial']))
  return HeldOutEstimates(**{k: v[order] for k, v in joined.items()})
