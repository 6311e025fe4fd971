"""A trained run -> estimates, for whoever holds voxels: evaluation and prediction share this."""

from __future__ import annotations

import dataclasses
import itertools
import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import jax
import ml_collections
import numpy as np

from grfjax import checkpoint, data, files, metrics, models, step, targets, voxels

BATCH = 16  # voxels in one call
LONG = 200  # own frames of a clip when predicting: the frames beside them are seen twice
FRAMES = 256  # in one call when predicting


def network(config: ml_collections.ConfigDict) -> tuple[Any, targets.Target]:
  """The model and the target that a configuration names.

  Raises:
    ValueError: it names something that there is not; the message lists what there is.
  """
  target = targets.build(**_plain(config.target))
  return models.build(outputs=target.outputs, **_plain(config.model)), target


def _plain(part: Any) -> dict[str, Any]:
  """Keyword arguments; lists become tuples, as modules must be hashable."""
  return {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in part.items()}


@dataclasses.dataclass(frozen=True)
class Run:
  """A trained network.

  Attributes:
    config: the run's.
    voxel: how its voxels are cut.
    model: the network.
    target: what its outputs mean.
    params: its parameters, on the device.
    step: after how many steps they were saved.
    estimate: (params, batch) -> (B, L, legs, axes) body weights.
  """

  config: ml_collections.ConfigDict
  voxel: voxels.Config
  model: Any
  target: targets.Target
  params: Any
  step: int
  estimate: Callable[[Any, Any], jax.Array]


def load(workdir: pathlib.Path) -> Run:
  """Reads a run's configuration and newest parameters.

  Raises:
    checkpoint.CheckpointError: there is no run in that folder.
  """
  path = workdir / 'config.json'
  if not path.is_file():
    raise checkpoint.CheckpointError(f'{workdir}: no run there (no config.json); train first')
  config = ml_collections.ConfigDict(json.loads(path.read_text()))
  model, target = network(config)
  params, at = checkpoint.restore_params(workdir)
  estimate = step.make_estimate(model=model, target=target)
  voxel = voxels.config(config.dataset)
  return Run(config, voxel, model, target, jax.device_put(params), at, estimate)


def estimate_own(
  voxel: voxels.Config,
  model: Any,
  estimate: Callable[[Any, Any], jax.Array],
  params: Any,
  batch: data.Batch,
) -> np.ndarray:
  """Forces at the frames that are each voxel's own: (B, K, legs, axes) body weights."""
  on_device = jax.device_put({k: batch[k] for k in ('voxel', 'frame')})
  force = np.asarray(estimate(params, on_device))
  labelled = list(range(voxel.frames)[model.label_slice])
  own = [labelled.index(t) for t in range(voxel.frames)[voxel.own]]
  return force[:, own]


def predict(run: Run, view: voxels.Views) -> np.ndarray:
  """Forces at every frame of a walk: (N, legs, axes) body weights.

  As from the records of a data set, but in longer clips, so that a frame is seen once (those near
  a clip's ends twice); the answer is the same.
  """
  voxel = run.voxel.longer(LONG)
  batch = max(1, FRAMES // voxel.frames)
  records = voxels.cut(view, None, voxel)
  parts = []
  while some := list(itertools.islice(records, batch)):
    force = estimate_own(voxel, run.model, run.estimate, run.params, data.pad_batch(some, batch))
    parts.append(force[: len(some)].reshape(-1, *force.shape[2:]))
  return np.concatenate(parts)[: len(view.time_s)]


@dataclasses.dataclass(frozen=True)
class Estimates:
  """A subject's estimates beside the truth: all its trials' frames, one after the other.

  Attributes:
    trial: (N,) names.
    frame: (N,) int, the video's frame.
    time_s: (N,) on the video's clock.
    estimate: (N, legs, axes) body weights.
    force: (N, legs, 3) body weights.
    known: (N, legs) bool.
    contact: (N, legs) bool.
  """

  trial: np.ndarray
  frame: np.ndarray
  time_s: np.ndarray
  estimate: np.ndarray
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
  with np.load(path, allow_pickle=False) as arrays:
    names = [f.name for f in dataclasses.fields(Estimates)]
    missing = sorted(set(names) - set(arrays.files))
    if missing:
      raise ValueError(f'{path}: no {", ".join(missing)} in it')
    return Estimates(**{name: arrays[name] for name in names})


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
  estimate: Callable[[Any, Any], jax.Array],
  params: Any,
  batch: int = BATCH,
) -> Estimates:
  """Estimates every frame of one subject, in the order of trials and time."""
  parts = []
  for records, flat in truth(dataset, subject, model.legs, batch):
    inside = flat.pop('inside')
    force = estimate_own(dataset.config, model, estimate, params, records)
    parts.append({**flat, 'estimate': force[: len(inside)][inside]})
  joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}
  joined['trial'] = joined['trial'].astype(str)
  order = np.lexsort((joined['frame'], joined['trial']))
  return Estimates(**{k: v[order] for k, v in joined.items()})
