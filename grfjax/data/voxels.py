"""Cuts the pictures of a walk, and their labels, into voxels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from grfjax.data import clip_config, trial_labels, walker_views


def cut_voxels(
  view: walker_views.WalkerViews,
  label: trial_labels.TrialLabels | None,
  cfg: clip_config.ClipConfig,
) -> Iterator[dict[str, Any]]:
  """Cuts voxels out of a walk.

  Args:
    view: the pictures.
    label: labels at the pictures' times; None (prediction): nothing is known, and where voxels end
      at a frame of stance, every frame ends one.
    cfg: how voxels are cut.

  Yields:
    A voxel's features as in `trial_records.trial_records`, but for subject and trial.
  """
  count = len(view.time_s)
  if label is None:
    label = trial_labels.no_labels(count)
    last_frames = np.ones(count, bool)
  else:
    last_frames = label.contact[:, 0]
  for start in voxel_starts(count, last_frames, cfg):
    index = np.arange(start, start + cfg.frames)
    inside = (index >= 0) & (index < count)
    source = np.clip(index, 0, count - 1)  # beyond the recording's edge, the edge is repeated
    yield {
      'voxel': view.picture[source],
      'force': label.force[source] * inside[:, None, None],
      'known': label.known[source] & inside[:, None],
      'contact': label.contact[source] & inside[:, None],
      'pressure': label.pressure[source] * inside[:, None, None],
      'pressure_known': label.pressure_known[source] & inside[:, None],
      'sole': label.sole[source] * inside[:, None, None],
      'sole_known': label.sole_known[source] & inside[:, None],
      'stand': label.stand[source] * inside[:, None, None],
      'stand_known': label.stand_known[source] & inside[:, None],
      'time_s': (view.time_s[source] + (index - source) / cfg.fps).astype(np.float32),
      'frame': np.where(inside, view.frame[source], -1).astype(np.int32),
    }


def voxel_starts(count: int, last_frames: np.ndarray, cfg: clip_config.ClipConfig) -> list[int]:
  """Returns the first frame of each voxel of a recording; it may be negative.

  Clips begin so early that every frame is once among a clip's own (`ClipConfig.own`), its middle.
  The paper's voxels end at each frame that `last_frames` marks.

  Args:
    count: N, frames of the recording.
    last_frames: (N,) bool.
    cfg: how voxels are cut.
  """
  lead = cfg.own.start
  if cfg.hop == 0:
    return (np.flatnonzero(last_frames) - lead).tolist()
  return list(range(-lead, count - lead, cfg.hop))
