"""A trial of a recording set to voxel records."""

from __future__ import annotations

import dataclasses
from typing import Any

from absl import logging

from grfjax import conventions
from grfjax.data import clip_config, clips, trial_labels
from grfjax.io import recordings

VERSION = '3.0.0'  # of the records; another where they come to mean something else


def check_direction(trial_camera: str, direction: int, where: str) -> None:
  """Raises ValueError where the side of the camera contradicts the walk."""
  expected = -1 if trial_camera == 'left' else 1
  if direction and direction != expected:
    side = {1: 'right', -1: 'left'}
    raise ValueError(
      f'{where}: camera is {trial_camera!r}, so the walker should go to the {side[expected]} of '
      f'the picture, but goes to the {side[direction]}; correct the camera (the option, or '
      'the column of trials.csv), or the video is mirrored'
    )


def trial_records(
  trial: recordings.Trial, cfg: clip_config.ClipConfig, threshold_n: float = conventions.CONTACT_N
) -> list[dict[str, Any]]:
  """Turns a trial into records (the features of the contract).

  Returns:
    One dict a voxel: voxel (T, H, W, C) uint8; force (T, 2, 3) float32 body weights; known,
    contact (T, 2) bool; time_s (T,) float32; frame (T,) int32, -1 where the voxel reaches over the
    recording's edge (there the edge's picture is repeated and nothing is known); subject, trial.

  Raises:
    ValueError: the video or forces cannot be used; the message names manifest line and file.
  """
  try:
    view = clips.longest(trial.video, cfg)
    if cfg.follow:
      check_direction(trial.camera, view.direction, str(trial.video))
    label = trial_labels.trial_labels(trial, view.time_s, view.video, threshold_n)
    clear = view.clear[view.frame]  # elsewhere the picture does not show what the plates felt
    label = dataclasses.replace(label, known=label.known & clear[:, None])
  except (ValueError, OSError) as error:
    raise ValueError(f'{trial.where} (trial {trial.name}): {error}') from error
  if label.uncertainty_s:
    logging.info(
      '%s: contact_frame %s puts the video at %.4f s of the force clock, give or take %.1f ms',
      trial.name, trial.contact_frame, label.video_start_s, 1e3 * label.uncertainty_s,
    )  # fmt: skip
  return [
    {**voxel, 'subject': trial.subject.name, 'trial': trial.name}
    for voxel in clips.cut_voxels(view, label, cfg)
  ]
