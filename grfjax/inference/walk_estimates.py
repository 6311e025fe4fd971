"""Forces at every frame of one walk."""

from __future__ import annotations

import itertools

import jax
import numpy as np

from grfjax.data import input_pipeline, voxels, walker_views
from grfjax.inference import conformal, estimator, trained_run

CLIP_HOP = 200  # own frames of a clip: the frames beside them are looked at twice
BATCH_FRAMES = 256  # in one call of the network, on each device


def calibrated_intervals(
  run: trained_run.TrainedRun, force: np.ndarray, interval: np.ndarray
) -> np.ndarray:
  """Widens the network's intervals as the run was calibrated.

  Args:
    run: the network.
    force: (..., axes) estimates, BW.
    interval: (..., axes, 2 or 0) the network's own intervals, BW.

  Returns:
    (..., axes, 2) BW; (..., axes, 0) of a run that was not calibrated.
  """
  if run.widening is None or not interval.shape[-1]:
    return interval[..., :0]
  return conformal.widened_intervals(force, interval, run.widening)


def estimate_walk(
  run: trained_run.TrainedRun, views: walker_views.WalkerViews
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Estimates the forces at every frame of a walk.

  The result is that of the records of a data set. Where the network allows it, clips are longer, so
  that only the frames near a clip's ends are looked at twice.

  Args:
    run: the network.
    views: N pictures of the walk.

  Returns:
    Forces (N, legs, axes), calibrated intervals (N, legs, axes, 2 or 0), and the spread of the
    estimates whose mean the vertical force is (N, legs); BW.
  """
  clip = run.clip.longer(CLIP_HOP) if run.model.bounded else run.clip
  batch_size = max(1, BATCH_FRAMES // clip.frames) * jax.local_device_count()
  records = voxels.cut_voxels(views, None, clip)
  parts = []
  while batch := list(itertools.islice(records, batch_size)):
    padded = input_pipeline.pad_batch(batch, batch_size)
    estimates = estimator.estimate_own(clip, run.model, run.estimate, run.params, padded)
    frames = len(batch) * clip.hop if clip.hop else len(batch)
    parts.append([part[: len(batch)].reshape(frames, *part.shape[2:]) for part in estimates])
  force, interval, spread = (
    np.concatenate(part)[: len(views.time_s)] for part in zip(*parts, strict=True)
  )
  return force, calibrated_intervals(run, force, interval), spread
