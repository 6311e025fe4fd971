"""Makes the networks ready in a thread, while a video is decoded and its walker is looked for."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
from typing import Any

import numpy as np

from grfjax.data import walker_views
from grfjax.inference import foot_estimates, trained_run, walk_estimates
from grfjax.io import signals, video_file


def made_ready(run: trained_run.TrainedRun) -> trained_run.TrainedRun:
  """Begins to make a run's network, and that which finds feet, ready for a walk of usual length.

  Loading what was traced and compiled takes most of a second, tracing and compiling it several.

  Args:
    run: a trained network.

  Returns:
    The same, whose first estimate waits until the networks are ready.
  """
  if not run.clip.follow:
    return run  # such a network needs no walker to be looked for, and asks for no feet
  pool = concurrent.futures.ThreadPoolExecutor(1)
  ready = pool.submit(_estimate_empty_walk, run)
  pool.shutdown(wait=False)
  signals.leave_behind(ready)

  def estimate(params: Any, batch: Any) -> Any:
    concurrent.futures.wait([ready])  # what was wrong, if anything, is wrong again now
    return run.estimate(params, batch)

  return dataclasses.replace(run, estimate=estimate)


def _estimate_empty_walk(run: trained_run.TrainedRun) -> None:
  count = walk_estimates.CLIP_HOPS[0]
  time_s = np.arange(count) / run.clip.fps
  picture = np.zeros((count, *run.clip.shape[1:]), np.uint8)
  video = video_file.Video(pathlib.Path(), time_s, *picture.shape[1:3])
  views = walker_views.WalkerViews(
    picture, time_s, np.arange(count, dtype=np.int32), video, 1, np.zeros((count, 4)),
    np.ones(count, bool),
  )  # fmt: skip
  force, _, _ = walk_estimates.estimate_walk(run, views)
  feet = foot_estimates.bundled()
  if force.shape[1:] == (2, 3) and feet.fits(run.clip):
    foot_estimates.find_feet(feet, views, force)
