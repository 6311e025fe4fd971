"""The force labels of a trial, on the clock of its video."""

from __future__ import annotations

import dataclasses

import numpy as np
from absl import logging

from grfjax import conventions
from grfjax.data import force_labels, plate_checks, plate_contacts
from grfjax.io import force_files, recordings, video_file


@dataclasses.dataclass(frozen=True)
class TrialLabels:
  """What the plates say, at given times.

  Attributes:
    force: (N, 2, 3) float32 body weights: leg (near, far) x `AXES`; 0 where unknown.
    known: (N, 2) bool.
    contact: (N, 2) bool.
    video_start_s: the force clock at the video's first frame.
    uncertainty_s: half a frame interval where the start was placed by `contact_frame`, else 0.
  """

  force: np.ndarray
  known: np.ndarray
  contact: np.ndarray
  video_start_s: float
  uncertainty_s: float


def trial_labels(
  trial: recordings.Trial, time_s: np.ndarray, film: video_file.Video, threshold_n: float
) -> TrialLabels:
  """Forces of the near and far leg at times on the video's clock.

  Args:
    trial: with forces.
    time_s: (N,) seconds from the video's first frame.
    film: the trial's video.
    threshold_n: vertical force over which a plate counts as stepped on.

  Raises:
    forces.ForceError: the force file cannot be used, or does not overlap the video.
  """
  assert trial.force is not None  # recordings.load(need_forces=True) has seen to it
  plates = force_files.read(trial.force, len(trial.plates))
  weight = trial.subject.body_mass_kg * conventions.G
  try:
    plate_checks.check_plausible(plates, trial.subject.body_mass_kg)
    if trial.video_start_s is not None:
      start, uncertainty = trial.video_start_s, 0.0
    else:
      assert trial.contact_frame is not None
      start, uncertainty = plate_contacts.video_start(
        trial.contact_frame, film.time_s, plates.force[:, 0], plates.time_s, threshold_n
      )
    leg_force = plate_contacts.leg_forces(plates, trial.plates)
  except force_files.ForceError as error:
    raise error.within(str(trial.force), file=trial.force) from error
  if plate_checks.look_swapped(leg_force, weight):
    logging.warning(
      '%s (trial %s): the floor pushes both feet outwards; are left and right swapped in plates, '
      'or does y not point to the left?',
      trial.where, trial.name,
    )  # fmt: skip
  force, known, contact = force_labels.leg_labels(
    leg_force, plates.time_s, time_s + start, weight, threshold_n
  )
  if not contact.any():
    raise force_files.ForceError(
      f'{trial.force}: no foot is on a plate while {film.path.name} runs ({start:.3f} to '
      f'{start + film.time_s[-1]:.3f} s on the force clock; the forces run from '
      f'{plates.time_s[0]:.3f} to {plates.time_s[-1]:.3f} s): check video_start_s or contact_frame',
      code='force.no_contact',
      file=trial.force,
    )
  legs = conventions.near_far_to_legs(trial.camera)
  turned = conventions.plates_to_camera(force[:, legs], trial.camera) / weight
  return TrialLabels(
    turned.astype(np.float32), known[:, legs], contact[:, legs], start, uncertainty
  )
