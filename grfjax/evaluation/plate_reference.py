"""What the plates felt while a video ran, on the video's clock, to judge its estimate by."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import numpy as np

from grfjax import conventions
from grfjax.data import plate_contacts, trial_labels
from grfjax.evaluation import error_sums
from grfjax.gait import contact_comparison, foot_contacts, force_curves
from grfjax.io import force_files, recordings, video_file


@dataclasses.dataclass(frozen=True)
class PlateReference:
  """Forces of a trial's plates in body weights: leg (left, right) x axes as in `ForceCurves`.

  Attributes:
    force: (N, 2, 3) at the video's frames; NaN where the plates do not decide it.
    contact: (N, 2) bool, a plate carries the foot.
    contacts: of the plates, over 20 N.
    stances: leg -> (n, 101, 3), `foot_contacts.stance_curves` of them.
  """

  force: np.ndarray
  contact: np.ndarray
  contacts: list[foot_contacts.MeasuredContact]
  stances: dict[str, np.ndarray]

  def vertical(self, force: np.ndarray) -> error_sums.Sums:
    """Errors of the vertical force of both legs over stance frames.

    Args:
      force: (N, 2, axes) estimated, of the same video; NaN where there is no estimate.
    """
    mask = self.contact & np.isfinite(force[..., 0])
    return error_sums.sums(np.nan_to_num(force[..., 0]), np.nan_to_num(self.force[..., 0]), mask)

  def compare(
    self, time_s: np.ndarray, found: list[foot_contacts.MeasuredContact]
  ) -> contact_comparison.ContactComparison:
    """Judges the contacts found in an estimate of the same video.

    Args:
      time_s: (N,) of the video's frames.
      found: in the estimate.
    """
    return contact_comparison.compare_contacts(
      found, self.contacts, time_s, np.isfinite(self.force[..., 0])
    )

  def errors(
    self, estimate: force_curves.ForceCurves, found: list[foot_contacts.MeasuredContact]
  ) -> dict[str, Any]:
    """Of the vertical force over stance frames, and of the contacts.

    Args:
      estimate: of the same video.
      found: its contacts.

    Returns:
      'vertical' -> `error_sums.Sums.result` of both legs; 'contacts' -> `gait_errors` result.
    """
    return {
      'vertical': self.vertical(estimate.force).result(),
      'contacts': self.compare(estimate.time_s, found).result(),
    }


def plate_reference_of(trial: recordings.Trial) -> PlateReference | None:
  """Reads a trial's forces; None where it has none, or nothing that places them in time.

  Raises:
    forces.ForceError: the force file cannot be used, or does not overlap the video.
  """
  timed = trial.video_start_s is not None or trial.contact_frame is not None
  if trial.force is None or not trial.plates or not timed:
    return None
  film = video_file.probe(pathlib.Path(trial.video))
  label = trial_labels.trial_labels(trial, film.time_s, film, conventions.CONTACT_N)
  legs = conventions.near_far_to_legs(trial.camera)
  force = conventions.camera_to_walker(label.force[:, legs].astype(np.float64), trial.camera)
  force[~label.known[:, legs]] = np.nan
  plates = force_files.read(trial.force, len(trial.plates))
  weight = trial.subject.body_mass_kg * conventions.G
  full = np.full((len(plates.time_s), 2, 3), np.nan)
  for leg, newtons in plate_contacts.leg_forces(plates, trial.plates).items():
    full[:, conventions.LEGS.index(leg)] = conventions.plates_to_walker(newtons) / weight
  time_s = plates.time_s - label.video_start_s
  contacts = foot_contacts.find_contacts(time_s, full, conventions.CONTACT_N / weight)
  return PlateReference(
    force, label.contact[:, legs], contacts, foot_contacts.stance_curves(time_s, full, contacts)
  )
