"""Forces at every frame of one walk."""

from __future__ import annotations

import itertools

import jax
import numpy as np

from grfjax.data import clip_config, input_pipeline, voxels, walker_views
from grfjax.inference import conformal, estimator, leg_turns, trained_run

# Own frames of a clip: the smallest in which a walk fits, as a network that sees all of a walk errs
# least about which leg is which. A few lengths for all, as each is compiled once.
CLIP_HOPS = (200, 440)
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

  Where the network allows it, clips are longer than the records of a data set, as long as the walk.

  Args:
    run: the network.
    views: N pictures of the walk.

  Returns:
    Forces (N, legs, axes), calibrated intervals (N, legs, axes, 2 or 0), and how far the estimates
    differ whose mean the vertical force is (N, legs), as of `leg_turns.combine`; BW.
  """
  clip = _clip_for(run, len(views.time_s))
  batch_size = max(1, BATCH_FRAMES // clip.frames) * jax.local_device_count()
  records = voxels.cut_voxels(views, None, clip)
  parts = []
  while batch := list(itertools.islice(records, batch_size)):
    padded = input_pipeline.pad_batch(batch, batch_size)
    estimates = estimator.estimate_own(clip, run.model, run.estimate, run.params, padded)
    frames = len(batch) * clip.hop if clip.hop else len(batch)
    parts.append([part[: len(batch)].reshape(frames, *part.shape[2:]) for part in estimates])
  force, interval, members = (
    np.concatenate(part)[: len(views.time_s)] for part in zip(*parts, strict=True)
  )
  interval = calibrated_intervals(run, force, interval)
  if run.model.members == 1 or run.model.legs == 1:
    return force, interval, members[..., 0].std(1)
  combined = leg_turns.combine(views.time_s, np.moveaxis(members, 1, 0))
  interval = interval + (combined.force - force)[..., None]
  return combined.force, interval, combined.spread


def _clip_for(run: trained_run.TrainedRun, frames: int) -> clip_config.ClipConfig:
  """Returns the configuration of clips for a walk of so many pictures."""
  if not run.model.any_length:
    return run.clip
  hops = (hop for hop in CLIP_HOPS if hop >= frames)
  return run.clip.longer(next(hops, CLIP_HOPS[-1]))
