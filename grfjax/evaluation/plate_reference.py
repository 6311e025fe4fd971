"""The forces that plates measured while a video ran, on the video's clock, to score it by."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from grfjax import conventions
from grfjax.data import trial_forces, trial_labels
from grfjax.evaluation import error_sums, pressure_errors
from grfjax.gait import contact_comparison, foot_contacts, force_curves, step_lengths
from grfjax.io import force_files, recordings, video_file


@dataclasses.dataclass(frozen=True)
class PlateReference:
  """Forces of a trial's plates in body weights: leg (left, right) x axes as in `ForceCurves`.

  Attributes:
    force: (N, 2, 3) at the video's frames; NaN where the plates do not decide it.
    contact: (N, 2) bool, whether a plate carries the foot.
    contacts: contacts on the plates, over 20 N; with step lengths where the plates tell the centre
      of pressure.
    stances: leg -> (n, 101, 3), `foot_contacts.stance_curves` of these contacts.
    pressure: (N, 2, 2) metres, leg (left, right) x (forward, left), the centre of pressure at the
      video's frames; NaN where the plates do not know it.
  """

  force: np.ndarray
  contact: np.ndarray
  contacts: list[foot_contacts.MeasuredContact]
  stances: dict[str, np.ndarray]
  pressure: np.ndarray

  def vertical(self, force: np.ndarray) -> error_sums.ErrorSums:
    """Sums the errors of the vertical force of both legs over stance frames.

    Args:
      force: (N, 2, axes) estimates of the same video; NaN where there is no estimate.
    """
    mask = self.contact & np.isfinite(force[..., 0])
    return error_sums.sum_errors(
      np.nan_to_num(force[..., 0]), np.nan_to_num(self.force[..., 0]), mask
    )

  def compare(
    self, time_s: np.ndarray, contacts: list[foot_contacts.MeasuredContact]
  ) -> contact_comparison.ContactComparison:
    """Compares the contacts of an estimate of the same video with those on the plates.

    Args:
      time_s: (N,) times of the video's frames.
      contacts: contacts in the estimate.
    """
    return contact_comparison.compare_contacts(
      contacts, self.contacts, time_s, np.isfinite(self.force[..., 0])
    )

  def compare_pressure(
    self, time_s: np.ndarray, pressure: np.ndarray
  ) -> pressure_errors.PressureErrors:
    """Compares an estimated centre of pressure, (N, 2, 2) metres, with that of the plates."""
    return pressure_errors.compare(pressure, self.pressure, time_s, self.contacts)

  def errors(
    self,
    estimate: force_curves.ForceCurves,
    contacts: list[foot_contacts.MeasuredContact],
    metres_per_bh: float = math.nan,
  ) -> dict[str, Any]:
    """Returns the errors of the vertical force, of the contacts, and of the centre of pressure.

    Args:
      estimate: an estimate of the same video.
      contacts: its contacts.
      metres_per_bh: metres in a body height; NaN where not known.

    Returns:
      'vertical' -> `error_sums.ErrorSums.result` of both legs over stance frames; 'contacts' ->
      `contact_comparison.ContactComparison.result`; 'pressure' ->
      `pressure_errors.PressureErrors.result`, None where either side does not know it in metres.
    """
    pressure = pressure_errors.PressureErrors()
    if estimate.feet is not None:
      given = np.where(estimate.has_estimate[..., None], estimate.feet.pressure, np.nan)
      pressure = self.compare_pressure(estimate.time_s, metres_per_bh * given)
    return {
      'vertical': self.vertical(estimate.force).result(),
      'contacts': self.compare(estimate.time_s, contacts).result(),
      'pressure': pressure.result(),
    }


def read_plate_reference(
  trial: recordings.Trial, frame_times_s: np.ndarray | None = None
) -> PlateReference | None:
  """Reads a trial's forces, if it has any.

  Args:
    trial: of a recording set.
    frame_times_s: (N,) times of the video's frames, or None to read them from the video.

  Returns:
    None where the trial has no forces, or nothing that places them in time.

  Raises:
    force_files.ForceError: the force file cannot be used, or does not overlap the video.
    video_file.VideoError: the video cannot be read.
  """
  timed = trial.video_start_s is not None or trial.contact_frame is not None
  named = trial.plates or force_files.may_name_legs(trial.force, trial.force_format)
  if not (trial.force and named and timed):
    return None
  if frame_times_s is None:
    with video_file.played_at(trial.speed):
      frame_times_s = video_file.probe(trial.video).time_s
  plates = trial_forces.read_trial_forces(trial, frame_times_s)
  label = trial_labels.label_times(plates, frame_times_s)
  near_far = conventions.near_far_to_legs(trial.camera)
  force = conventions.camera_to_walker(label.force[:, near_far].astype(np.float64), trial.camera)
  force[~label.known[:, near_far]] = np.nan
  weight = plates.body_weight_n
  full_rate = np.full((len(plates.time_s), 2, 3), np.nan)
  for leg, newtons in plates.leg_force.items():
    full_rate[:, conventions.LEGS.index(leg)] = conventions.plates_to_walker(newtons) / weight
  time_s = plates.time_s - plates.video_start_s
  contacts = foot_contacts.find_contacts(time_s, full_rate, conventions.CONTACT_N / weight)
  stances = foot_contacts.stance_curves(time_s, full_rate, contacts)
  contacts = _with_step_lengths(contacts, time_s, full_rate, plates.leg_pressure)
  pressure = trial_labels.towards_near(trial) * label.pressure[:, near_far].astype(np.float64)
  pressure[~label.pressure_known[:, near_far]] = np.nan
  return PlateReference(force, label.contact[:, near_far], contacts, stances, pressure)


def _with_step_lengths(
  contacts: list[foot_contacts.MeasuredContact],
  time_s: np.ndarray,
  force: np.ndarray,
  leg_pressure: dict[str, np.ndarray],
) -> list[foot_contacts.MeasuredContact]:
  """Measures the steps between contacts on plates by their centres of pressure, metres.

  Args:
    contacts: on the plates.
    time_s: (N,).
    force: (N, 2, 3); NaN for a leg without a plate.
    leg_pressure: of `trial_forces.TrialForces`.
  """
  pressure = np.full((len(time_s), 2, 2), np.nan)
  for leg, places in leg_pressure.items():
    pressure[:, conventions.LEGS.index(leg)] = places
  soles = step_lengths.soles_of_pressure(contacts, time_s, pressure)
  known = np.isfinite(force[..., 0])
  return step_lengths.measure(contacts, time_s, soles, known, metres=1.0, body_heights=float('nan'))
