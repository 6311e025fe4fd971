"""Forces at every frame of one walk."""

from __future__ import annotations

import itertools

import numpy as np

from grfjax.data import input_pipeline, voxels, walker_views
from grfjax.inference import conformal, estimator, trained_run

LONG = 200  # own frames of a clip when predicting: the frames beside them are seen twice

FRAMES = 256  # in one call when predicting


def calibrated(run: trained_run.Run, force: np.ndarray, interval: np.ndarray) -> np.ndarray:
  """Intervals (..., axes, 2) as they may be shown; (..., axes, 0) where the run's are not."""
  if run.widening is None or not interval.shape[-1]:
    return interval[..., :0]
  return conformal.widened_intervals(force, interval, run.widening)


def estimate_walk(
  run: trained_run.Run, view: walker_views.WalkerViews
) -> tuple[np.ndarray, np.ndarray]:
  """Forces at every frame of a walk, (N, legs, axes), and their intervals, (..., 2 or 0); BW.

  As from the records of a data set; where the network allows it in longer clips, so that a frame is
  seen once (those near a clip's ends twice). The answer is the same.
  """
  voxel = run.voxel.longer(LONG) if run.model.bounded else run.voxel
  batch = max(1, FRAMES // voxel.frames)
  records = voxels.cut_voxels(view, None, voxel)
  parts = []
  while some := list(itertools.islice(records, batch)):
    both = estimator.estimate_own(
      voxel, run.model, run.estimate, run.params, input_pipeline.pad_batch(some, batch)
    )
    count = len(some) * voxel.hop if voxel.hop else len(some)
    parts.append([part[: len(some)].reshape(count, *part.shape[2:]) for part in both])
  force, interval = (np.concatenate(p)[: len(view.time_s)] for p in zip(*parts, strict=True))
  return force, calibrated(run, force, interval)
