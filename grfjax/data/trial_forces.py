"""A trial's force file, read once, checked, and placed on the clock of its video."""

from __future__ import annotations

import dataclasses

import numpy as np
from absl import logging

from grfjax import conventions
from grfjax.data import plate_checks, plate_contacts
from grfjax.io import force_files, recordings


@dataclasses.dataclass(frozen=True)
class TrialForces:
  """The plate forces of a trial.

  Attributes:
    trial: the trial.
    frame_times_s: (F,) times of the video's frames, on the video's clock.
    time_s: (N,) float64, on the clock of the force file.
    leg_force: leg -> (N, 3) newtons in plate axes, for the legs that have plates.
    body_weight_n: the walker's body weight, newtons.
    threshold_n: vertical force over which a plate counts as stepped on, newtons.
    video_start_s: the force clock at the video's first frame.
    uncertainty_s: half a frame interval where the start was placed by `contact_frame`, else 0.
    notes: sentences about what reading the forces changed, assumed or found.
    leg_pressure: leg -> (N, 2) metres, the centre of pressure forward along the walk and to the
      walker's left, NaN where it is not known; no legs where the file does not know it.
    pressure_doubt: a sentence about why the file's centre of pressure is not used, or ''.
  """

  trial: recordings.Trial
  frame_times_s: np.ndarray
  time_s: np.ndarray
  leg_force: dict[str, np.ndarray]
  body_weight_n: float
  threshold_n: float
  video_start_s: float
  uncertainty_s: float
  notes: tuple[str, ...] = ()
  leg_pressure: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
  pressure_doubt: str = ''


def read_trial_forces(
  trial: recordings.Trial,
  frame_times_s: np.ndarray,
  threshold_n: float = conventions.CONTACT_N,
) -> TrialForces:
  """Reads and checks a trial's force file and places its video in time.

  Args:
    trial: a trial with forces, plates, and `video_start_s` or `contact_frame`.
    frame_times_s: (F,) times of the video's frames, on the video's clock.
    threshold_n: vertical force over which a plate counts as stepped on, newtons.

  Raises:
    force_files.ForceError: the force file cannot be used; the message names it.
  """
  plates = force_files.read(trial.force, trial.plates, trial.force_format, trial.root)
  weight = trial.subject.body_mass_kg * conventions.G
  notes = (*plates.notes, *([plates.axes] if plates.axes else []))
  try:
    if not plates.legs:
      raise force_files.ForceError(
        'names no legs, and plates in trials.csv is empty; expected the leg on each plate',
        code='force.legs',
      )
    plate_checks.check_plausible(plates, trial.subject.body_mass_kg)
    if trial.video_start_s is not None:
      start, uncertainty = trial.video_start_s, 0.0
    else:
      assert trial.contact_frame is not None
      start, uncertainty = plate_contacts.find_video_start(
        trial.contact_frame, frame_times_s, plates.force[:, 0], plates.time_s, threshold_n
      )
    leg_force = plate_contacts.leg_forces(plates, plates.legs)
  except force_files.ForceError as error:
    raise error.within(trial.force_name, file=trial.force[0]) from error
  if plate_checks.legs_look_swapped(leg_force, weight):
    logging.warning(
      '%s (trial %s): the floor pushes both feet outwards; are left and right swapped in plates, '
      'or does y not point to the left?',
      trial.where, trial.name,
    )  # fmt: skip
  return TrialForces(
    trial,
    frame_times_s,
    plates.time_s,
    leg_force,
    weight,
    threshold_n,
    start,
    uncertainty,
    notes,
    plate_contacts.leg_pressures(plates, plates.legs),
    plates.pressure_doubt,
  )
