"""A trial of a recording set to voxel records."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from absl import logging

from grfjax import conventions, errors
from grfjax.data import clip_config, trial_forces, trial_labels, voxels, walker_views
from grfjax.io import recordings, video_file

VERSION = '4.1.0'  # of the records; changes when their meaning does
SAME_PICTURES = ('3.1.0', '4.0.0', VERSION)  # the versions whose pictures mean the same as now


def check_direction(trial_camera: str, direction: int, where: str) -> None:
  """Checks that the walk goes the way that the side of the camera implies.

  Args:
    trial_camera: 'left' or 'right', the walker's side on which the camera stands.
    direction: +1: the walker goes to the picture's right; -1: to its left; 0: not determined.
    where: what the message begins with, such as the video's path.

  Raises:
    errors.InputError: the two contradict each other.
  """
  expected = -1 if trial_camera == 'left' else 1
  if direction and direction != expected:
    side = {1: 'right', -1: 'left'}
    raise errors.InputError(
      f'{where}: camera is {trial_camera!r}, so the walker should go to the {side[expected]} of '
      f'the picture, but goes to the {side[direction]}; correct the camera (the option, or '
      'the column of trials.csv), or the video is mirrored',
      code='recording.camera_side',
      file=where,
      column='camera',
    )


@contextlib.contextmanager
def placing_errors(trial: recordings.Trial) -> Iterator[None]:
  """Puts the manifest's line and the trial's name before the errors of the block.

  Raises:
    errors.InputError: whatever the block finds wrong with the trial.
  """
  where = f'{trial.where} (trial {trial.name})'
  try:
    yield
  except errors.InputError as error:
    raise error.within(where) from error
  except (ValueError, OSError) as error:
    raise recordings.RecordingError(f'{where}: {error}', code='recording.unusable_trial') from error


def check_has_records(
  subject: str, count: int, cfg: clip_config.ClipConfig, root: pathlib.Path
) -> None:
  """Checks that a subject has records: a data set has no empty split.

  Args:
    subject: name.
    count: records of all its trials.
    cfg: how voxels are cut.
    root: the recording set, for the message.

  Raises:
    recordings.RecordingError: there are none.
  """
  if not count:
    raise recordings.RecordingError(
      f'trials.csv: subject {subject!r} has no record in {cfg.name}, which has one for each frame '
      'in which a plate carries the near leg; expected a trial with a stance of the near leg: '
      'check plates and camera, or leave the subject out',
      code='recording.no_records',
      file=root / 'trials.csv',
    )


def record_key(record: dict[str, Any], number: int) -> str:
  """Returns the key of a record, of whose hash TFDS makes the order of a split's records.

  Args:
    record: from `trial_records`.
    number: its place there, from 0.
  """
  return f'{record["trial"]}/{number:06d}'


def count_frames(records: Iterable[dict[str, Any]]) -> tuple[int, tuple[int, int]]:
  """Counts each frame of a trial once, as voxels overlap.

  Args:
    records: of one trial, from `trial_records`.

  Returns:
    The number of frames; in how many of them the force of the near and of the far leg is known.
  """
  known, frames = np.zeros(2, int), 0
  counted: set[int] = {-1}
  for record in records:
    new = [t for t, frame in enumerate(record['frame'].tolist()) if frame not in counted]
    counted.update(record['frame'].tolist())
    known += record['known'][new].sum(0)
    frames += len(new)
  return frames, (int(known[0]), int(known[1]))


def label_view(
  forces: trial_forces.TrialForces, view: walker_views.WalkerViews
) -> trial_labels.TrialLabels:
  """Labels the pictures of a trial; nothing is known where they do not show the walker clearly.

  Raises:
    errors.InputError: no foot is on a plate in any of them, or the file of the feet cannot be
      used.
  """
  label = trial_labels.label_times(forces, view.time_s)
  clear = view.clear[view.frame]  # elsewhere the picture does not show what the plates measured
  # Whole pictures have no window, and where the feet stand is asked of windows alone.
  placed = label.pressure_known & np.isfinite(view.box_at_pictures()[:, :1])
  label = dataclasses.replace(
    label,
    known=label.known & clear[:, None],
    pressure=label.pressure * placed[..., None],
    pressure_known=placed,
  )
  return trial_labels.with_soles(label, forces.trial, view)


def trial_records(
  trial: recordings.Trial, cfg: clip_config.ClipConfig, threshold_n: float = conventions.CONTACT_N
) -> list[dict[str, Any]]:
  """Turns a trial into records.

  Args:
    trial: a trial with forces.
    cfg: how voxels are cut.
    threshold_n: vertical force over which a plate counts as stepped on, newtons.

  Returns:
    One dict for each voxel: voxel (T, H, W, C) uint8; force (T, 2, 3) float32 body weights; known,
    contact (T, 2) bool; pressure and stand (T, 2, 2) float32 metres, sole (T, 2, 2) float32
    walker's heights, pressure_known, stand_known, sole_known (T, 2) bool, as in
    `trial_labels.TrialLabels`; time_s (T,) float32; frame (T,) int32, -1 where the voxel reaches
    over the recording's edge (there the edge's picture is repeated and nothing is known);
    height_m float32, of the subject, 0 where not known; subject, trial.

  Raises:
    errors.InputError: the video or the forces cannot be used; the message names the manifest's
      line and the file.
  """
  with placing_errors(trial), video_file.played_at(trial.speed):
    view = walker_views.read_longest_walk(trial.video, cfg, trial.camera)
    check_direction(trial.camera, view.direction, str(trial.video))
    forces = trial_forces.read_trial_forces(trial, view.video.time_s, threshold_n)
    label = label_view(forces, view)
  if forces.uncertainty_s:
    logging.info(
      '%s: contact_frame %s puts the video at %.4f s of the force clock, give or take %.1f ms',
      trial.name, trial.contact_frame, forces.video_start_s, 1e3 * forces.uncertainty_s,
    )  # fmt: skip
  return [
    {
      **voxel,
      'height_m': np.float32(trial.subject.height_m or 0),
      'subject': trial.subject.name,
      'trial': trial.name,
    }
    for voxel in voxels.cut_voxels(view, label, cfg)
  ]
