"""A subject's estimates beside the labels of its records."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import ml_collections
import numpy as np

from grfjax.data import input_pipeline, subject_lists, voxel_dataset
from grfjax.evaluation import error_sums
from grfjax.inference import estimator
from grfjax.io import atomic
from grfjax.models import targets


def inner_check(
  config: ml_collections.ConfigDict,
  dataset: voxel_dataset.Dataset,
  model: Any,
  target: targets.Target,
) -> Any:
  """A function params -> MAE on the inner validation subjects, or None."""
  if not (config.inner and config.eval_every):
    return None
  estimate = estimator.estimator(config, model, target)

  def check(params: Any) -> float:
    sums = [
      estimate_subject(dataset, name, model, estimate, params, config.batch).sums()
      for name in subject_lists.subject_names(config.inner)
    ]
    return functools.reduce(error_sums.Sums.merge, sums).result()['mae_pct_bw']

  return check


BATCH = 16  # voxels in one call


@dataclasses.dataclass(frozen=True)
class HeldOutEstimates:
  """A subject's estimates beside the truth: all its trials' frames, one after the other.

  Attributes:
    trial: (N,) names.
    frame: (N,) int, the video's frame.
    time_s: (N,) on the video's clock.
    estimate: (N, legs, axes) body weights.
    interval: (N, legs, axes, 2) from where to where the force may lie, body weights; 0 for 2
      where there is none.
    force: (N, legs, 3) body weights.
    known: (N, legs) bool.
    contact: (N, legs) bool.
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
    """1: the near leg alone."""
    return self.contact.shape[1]

  def sums(self, axis: int = 0) -> error_sums.Sums:
    """Sums over stance frames, both legs (or the one the model knows)."""
    return error_sums.sums(self.estimate[..., axis], self.force[..., axis], self.contact)


def write_estimates(path: pathlib.Path, estimates: HeldOutEstimates) -> None:
  """Writes an estimates.npz."""
  with atomic.atomic_file(path) as temporary:
    np.savez_compressed(temporary, **vars(estimates))


def read_estimates(path: pathlib.Path) -> HeldOutEstimates:
  """Reads an estimates.npz.

  Raises:
    OSError: there is none.
    ValueError: it is not one.
  """
  names = [f.name for f in dataclasses.fields(HeldOutEstimates)]
  try:
    with path.open('rb') as file, np.load(file, allow_pickle=False) as arrays:
      found = dict(arrays)
  except (
    ValueError, TypeError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error
  ) as error:  # fmt: skip
    raise ValueError(f'{path}: is damaged ({error}); evaluate the run again') from error
  missing = sorted(set(names) - set(found))
  if missing:
    raise ValueError(f'{path}: no {", ".join(missing)} in it')
  return HeldOutEstimates(**{name: found[name] for name in names})


def labelled_batches(
  dataset: voxel_dataset.Dataset, subject: str, legs: int, batch: int = BATCH
) -> Iterator[tuple[input_pipeline.Batch, dict[str, np.ndarray]]]:
  """Batches of a subject's records, each with the labels of its own frames flattened."""
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
  """Estimates every frame of one subject, in the order of trials and time; own intervals."""
  parts = []
  for records, flat in labelled_batches(dataset, subject, model.legs, batch):
    inside = flat.pop('inside')
    force, interval = (
      part[: len(inside)][inside]
      for part in estimator.estimate_own(dataset.config, model, estimate, params, records)
    )
    parts.append({**flat, 'estimate': force, 'interval': interval})
  joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
  joined['trial'] = joined['trial'].astype(str)
  order = np.lexsort((joined['frame'], joined['trial']))
  return HeldOutEstimates(**{k: v[order] for k, v in joined.items()})
