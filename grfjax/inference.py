"""A trained run -> estimates, for whoever holds voxels: evaluation and prediction share this."""

from __future__ import annotations

import dataclasses
import itertools
import json
import pathlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import jax
import ml_collections
import numpy as np

from grfjax import checkpoint, coverage, data, files, metrics, models, step, targets, voxels

Estimate = step.Estimate  # here, as `Run` has a step of its own

BATCH = 16  # voxels in one call
LONG = 200  # own frames of a clip when predicting: the frames beside them are seen twice
FRAMES = 256  # in one call when predicting
INTERVAL = 'interval.json'  # in a run's folder: by how much its intervals are widened


def network(config: ml_collections.ConfigDict) -> tuple[Any, targets.Target]:
  """The model and the target that a configuration names.

  Raises:
    ValueError: it names something that there is not; the message lists what there is.
  """
  target = targets.build(**_plain(config.target))
  return models.build(outputs=target.outputs, **_plain(config.model)), target


def estimator(config: ml_collections.ConfigDict, model: Any, target: targets.Target) -> Estimate:
  """(params, batch) -> force, interval, as the configuration has it; see `step.make_estimate`."""
  return step.make_estimate(model=model, target=target, shift=average_shift(config))


def average_shift(config: ml_collections.ConfigDict) -> tuple[float, ...]:
  """The configuration's pixels (down, right), or none; see `step.make_estimate`.

  Raises:
    ValueError: it is neither two numbers nor empty.
  """
  shift = config.get('average_shift', ())
  if not (isinstance(shift, list | tuple) and len(shift) in (0, 2) and np.isfinite(shift).all()):
    raise ValueError(
      f'config.average_shift is {shift!r}, expected two numbers of pixels, down and right, or ()'
    )
  return tuple(shift)


def _plain(part: Any) -> dict[str, Any]:
  """Keyword arguments; lists become tuples, as modules must be hashable."""
  return {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in part.items()}


@dataclasses.dataclass(frozen=True)
class Run:
  """A trained network.

  Attributes:
    folder: where it was read.
    config: the run's.
    voxel: how its voxels are cut.
    model: the network.
    target: what its outputs mean.
    params: its parameters, on the device.
    step: after how many steps they were saved.
    estimate: (params, batch) -> force (B, L, legs, axes), interval (..., 2 or 0), body weights.
    widening: (axes,) the factor of the intervals (`grfjax.coverage`); None: not calibrated, and
      none are given.
    damaged: of each newer checkpoint, why it is not the one that was read; in words.
  """

  folder: pathlib.Path
  config: ml_collections.ConfigDict
  voxel: voxels.Config
  model: Any
  target: targets.Target
  params: Any
  step: int
  estimate: Estimate
  widening: np.ndarray | None
  damaged: tuple[str, ...] = ()


def load(workdir: pathlib.Path) -> Run:
  """Reads a run's configuration and its newest undamaged parameters.

  Raises:
    checkpoint.CheckpointError: there is no run in that folder.
    ValueError: its configuration or its intervals cannot be used.
  """
  path = workdir / 'config.json'
  if not path.is_file():
    raise checkpoint.CheckpointError(f'{workdir}: no run there (no config.json); train first')
  try:
    config = ml_collections.ConfigDict(json.loads(path.read_text(encoding='utf-8')))
    model, target = network(config)
    voxel = voxels.config(config.dataset)
    estimate = estimator(config, model, target)
  except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
    said = ' '.join(str(error).split())
    raise ValueError(f'{path}: is not the configuration of a run ({said})') from error
  params, at, damaged = checkpoint.restore_params(workdir)
  path = workdir / INTERVAL
  try:
    widening = np.array(json.loads(path.read_text())['widening']) if path.is_file() else None
  except (ValueError, TypeError, KeyError) as error:
    raise ValueError(f'{path}: does not say how wide intervals are ({error})') from error
  return Run(
    workdir, config, voxel, model, target, jax.device_put(params), at, estimate, widening,
    tuple(f'{text}; step {at} is used' for text in damaged),
  )  # fmt: skip


def estimate_own(
  voxel: voxels.Config,
  model: Any,
  estimate: Estimate,
  params: Any,
  batch: data.Batch,
) -> tuple[np.ndarray, np.ndarray]:
  """Estimates at the frames that are each voxel's own.

  Returns:
    (B, K, legs, axes) forces and (B, K, legs, axes, 2 or 0) the network's own intervals, BW.

  Raises:
    ValueError: an estimate is not finite.
  """
  on_device = jax.device_put({k: batch[k] for k in ('voxel', 'frame')})
  force, interval = jax.device_get(estimate(params, on_device))
  if not (np.isfinite(force).all() and np.isfinite(interval).all()):
    raise ValueError('the network gives estimates that are not finite: its weights are of no use')
  labelled = list(range(voxel.frames)[model.label_slice])
  own = [labelled.index(t) for t in range(voxel.frames)[voxel.own]]
  return force[:, own], interval[:, own]


def calibrated(run: Run, force: np.ndarray, interval: np.ndarray) -> np.ndarray:
  """Intervals (..., axes, 2) as they may be shown; (..., axes, 0) where the run's are not."""
  if run.widening is None or not interval.shape[-1]:
    return interval[..., :0]
  return coverage.widened(force, interval, run.widening)


def predict(run: Run, view: voxels.Views) -> tuple[np.ndarray, np.ndarray]:
  """Forces at every frame of a walk, (N, legs, axes), and their intervals, (..., 2 or 0); BW.

  As from the records of a data set; where the network allows it in longer clips, so that a frame is
  seen once (those near a clip's ends twice). The answer is the same.
  """
  voxel = run.voxel.longer(LONG) if run.model.bounded else run.voxel
  batch = max(1, FRAMES // voxel.frames)
  records = voxels.cut(view, None, voxel)
  parts = []
  while some := list(itertools.islice(records, batch)):
    both = estimate_own(voxel, run.model, run.estimate, run.params, data.pad_batch(some, batch))
    count = len(some) * voxel.hop if voxel.hop else len(some)
    parts.append([part[: len(some)].reshape(count, *part.shape[2:]) for part in both])
  force, interval = (np.concatenate(p)[: len(view.time_s)] for p in zip(*parts, strict=True))
  return force, calibrated(run, force, interval)


@dataclasses.dataclass(frozen=True)
class Estimates:
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

  def sums(self, axis: int = 0) -> metrics.Sums:
    """Sums over stance frames, both legs (or the one the model knows)."""
    return metrics.sums(self.estimate[..., axis], self.force[..., axis], self.contact)


def write_estimates(path: pathlib.Path, estimates: Estimates) -> None:
  """Writes an estimates.npz."""
  with files.whole(path) as temporary:
    np.savez_compressed(temporary, **vars(estimates))


def read_estimates(path: pathlib.Path) -> Estimates:
  """Reads an estimates.npz.

  Raises:
    OSError: there is none.
    ValueError: it is not one.
  """
  names = [f.name for f in dataclasses.fields(Estimates)]
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
  return Estimates(**{name: found[name] for name in names})


def truth(
  dataset: data.Dataset, subject: str, legs: int, batch: int = BATCH
) -> Iterator[tuple[data.Batch, dict[str, np.ndarray]]]:
  """Batches of a subject's records, each with the labels of its own frames flattened."""
  own = dataset.config.own
  for records, count in data.eval_batches(dataset.source([subject]), batch):
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


def held_out(
  dataset: data.Dataset,
  subject: str,
  model: Any,
  estimate: Estimate,
  params: Any,
  batch: int = BATCH,
) -> Estimates:
  """Estimates every frame of one subject, in the order of trials and time; own intervals."""
  parts = []
  for records, flat in truth(dataset, subject, model.legs, batch):
    inside = flat.pop('inside')
    force, interval = (
      part[: len(inside)][inside]
      for part in estimate_own(dataset.config, model, estimate, params, records)
    )
    parts.append({**flat, 'estimate': force, 'interval': interval})
  joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
  joined['trial'] = joined['trial'].astype(str)
  order = np.lexsort((joined['frame'], joined['trial']))
  return Estimates(**{k: v[order] for k, v in joined.items()})
