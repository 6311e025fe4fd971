"""The labels of a trial, forces and places of the feet, on the clock of its video."""

from __future__ import annotations

import dataclasses

import numpy as np

from grfjax import conventions
from grfjax.data import force_labels, plate_contacts, trial_forces, walker_views
from grfjax.io import foot_files, force_files, recordings
from grfjax.tracking import walker_window

MAX_APART_M = 0.3  # the middle of a sole from the centre of pressure under it: over a foot's length


@dataclasses.dataclass(frozen=True)
class TrialLabels:
  """Forces and places of the near and the far leg at N times, as far as they are known.

  Attributes:
    force: (N, 2, 3) float32 body weights: leg (near, far) x `conventions.CAMERA_AXES`; 0 where
      unknown.
    known: (N, 2) bool, whether the plates decide the force.
    contact: (N, 2) bool, whether a plate carries the foot.
    pressure: (N, 2, 2) float32 metres: leg (near, far) x (forward along the walk, towards the near
      side), the centre of pressure from an origin that stands still for a trial; 0 where unknown.
    pressure_known: (N, 2) bool.
    sole: (N, 2, 2) float32 walker's heights: leg x (forward from the window's middle, up from its
      floor line), the middle of the sole in the window that follows the walker
      (`walker_window.to_window`); 0 where unknown.
    sole_known: (N, 2) bool.
    stand: (N, 2, 2) float32 metres: the middle of the sole on the floor, from the origin and on the
      axes of `pressure`; 0 where unknown.
    stand_known: (N, 2) bool.
  """

  force: np.ndarray
  known: np.ndarray
  contact: np.ndarray
  pressure: np.ndarray
  pressure_known: np.ndarray
  sole: np.ndarray
  sole_known: np.ndarray
  stand: np.ndarray
  stand_known: np.ndarray


def no_labels(count: int) -> TrialLabels:
  """Returns labels of `count` times at which nothing is known."""
  unknown, nowhere = np.zeros((count, 2), bool), np.zeros((count, 2, 2), np.float32)
  force = np.zeros((count, 2, 3), np.float32)
  return TrialLabels(force, unknown, unknown, nowhere, unknown, nowhere, unknown, nowhere, unknown)


def label_times(forces: trial_forces.TrialForces, time_s: np.ndarray) -> TrialLabels:
  """Labels times of a trial by its plates: forces and centres of pressure.

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
  contact = contact[:, near_far]
  pressure = plate_contacts.mean_pressures(
    forces.leg_force, forces.leg_pressure, forces.time_s, time_s + start
  )[:, near_far]
  pressure_known = contact & np.isfinite(pressure).all(-1)
  return dataclasses.replace(
    no_labels(len(time_s)),
    force=turned.astype(np.float32),
    known=known[:, near_far],
    contact=contact,
    pressure=_where_known(pressure * towards_near(trial), pressure_known),
    pressure_known=pressure_known,
  )


def with_soles(
  label: TrialLabels, trial: recordings.Trial, view: walker_views.WalkerViews
) -> TrialLabels:
  """Adds where the soles are in the windows and on the floor, as far as the trial says it.

  Args:
    label: of the pictures.
    trial: the trial.
    view: the pictures.

  Raises:
    foot_files.FeetError: the file with the places cannot be used, or contradicts the plates.
  """
  if trial.feet is None:
    return label
  video = view.video
  feet = foot_files.read(trial.feet, video.width, video.height, float(video.time_s[-1]))
  feet, near_far = feet.at(view.time_s), conventions.near_far_to_legs(trial.camera)
  box = view.box_at_pictures()[:, None]
  sole = walker_window.to_window(feet.place[:, near_far], box, view.direction)
  sole_known = np.isfinite(sole).all(-1)
  stand = feet.stand[:, near_far] * towards_near(trial)
  stand_known = np.isfinite(stand).all(-1) & np.isfinite(box[..., 0])
  _check_on_plates(label, trial, stand, stand_known)
  return dataclasses.replace(
    label,
    sole=_where_known(sole, sole_known),
    sole_known=sole_known,
    stand=_where_known(stand, stand_known),
    stand_known=stand_known,
  )


def _check_on_plates(
  label: TrialLabels, trial: recordings.Trial, stand: np.ndarray, stand_known: np.ndarray
) -> None:
  """Raises FeetError where the soles are not where the plates say that the feet press."""
  both = stand_known & label.pressure_known
  apart = np.linalg.norm(stand[both] - label.pressure[both], axis=-1)
  if len(apart) and np.median(apart) > MAX_APART_M:
    raise foot_files.FeetError(
      f'{trial.feet}: on the floor the middles of the soles are {np.median(apart):.2f} m from the '
      f'centres of pressure of {trial.force_name} (median); expected at most {MAX_APART_M:g}: '
      'metres from the origin of the plates, x forward along the walk and y to the left',
      code='recording.feet_floor',
      file=trial.feet,
    )


def towards_near(trial: recordings.Trial) -> np.ndarray:
  """Returns (2,) signs that turn (x, y) of plate axes into (forward, near side), and back."""
  return np.array([1.0, conventions.plates_to_camera(np.eye(3), trial.camera)[1, 2]])


def _where_known(place: np.ndarray, known: np.ndarray) -> np.ndarray:
  """Returns (N, 2, 2) places as float32, 0 where they are not known."""
  return np.where(known[..., None], place, 0).astype(np.float32)
