"""The force labels of a trial, on the clock of its video."""

from __future__ import annotations

import dataclasses

import numpy as np

from grfjax import conventions
from grfjax.data import force_labels, trial_forces
from grfjax.io import force_files


@dataclasses.dataclass(frozen=True)
class TrialLabels:
  """Forces of the near and the far leg at N times, as far as the plates decide them.

  Attributes:
    force: (N, 2, 3) float32 body weights: leg (near, far) x `conventions.CAMERA_AXES`; 0 where
      unknown.
    known: (N, 2) bool, whether the plates decide the force.
    contact: (N, 2) bool, whether a plate carries the foot.
  """

  force: np.ndarray
  known: np.ndarray
  contact: np.ndarray


def no_labels(count: int) -> TrialLabels:
  """Returns labels of `count` times at which nothing is known."""
  unknown = np.zeros((count, 2), bool)
  return TrialLabels(np.zeros((count, 2, 3), np.float32), unknown, unknown)


def label_times(forces: trial_forces.TrialForces, time_s: np.ndarray) -> TrialLabels:
  """Labels times of a trial.

  Args:
    forces: the trial's.
    time_s: (N,) seconds from the video's first frame.

  Raises:
    force_files.ForceError: no foot is on a plate at any of these times.
  """
  trial, start = forces.trial, forces.video_start_s
  force, known, contact = force_labels.label_legs(
    forces.leg_force, forces.time_s, time_s + start, forces.body_weight_n, forces.threshold_n
  )
  if not contact.any():
    raise force_files.ForceError(
      f'{trial.force_name}: no foot is on a plate while {trial.video.name} runs ({start:.3f} to '
      f'{start + forces.frame_times_s[-1]:.3f} s on the force clock; the forces run from '
      f'{forces.time_s[0]:.3f} to {forces.time_s[-1]:.3f} s): check video_start_s or contact_frame',
      code='force.no_contact',
      file=trial.force[0],
    )
  near_far = conventions.near_far_to_legs(trial.camera)
  turned = conventions.plates_to_camera(force[:, near_far], trial.camera) / forces.body_weight_n
  return TrialLabels(turned.astype(np.float32), known[:, near_far], contact[:, near_far])
