"""The predicted held-out trials of a leave-one-subject-out round, beside what plates measured."""

from __future__ import annotations

import dataclasses
import functools
import json
import pathlib

import numpy as np
import tqdm

from grfjax import errors
from grfjax.evaluation import plate_reference, pressure_errors
from grfjax.gait import contact_comparison, curve_files, foot_contacts
from grfjax.io import recordings

_SAME_S = 1e-3  # between the times of an initial contact in two files


class PredictionError(errors.InputError):
  """A prediction that cannot be compared with the force plates."""


@dataclasses.dataclass(frozen=True)
class HeldOutTrial:
  """A predicted trial whose forces plates have measured.

  Attributes:
    name: of the trial, and of its prediction's files.
    subject: who walks.
    video: the video file.
    time_s: (N,) times of the video's frames.
    force: (N, 2, axes) estimated forces, as in `force_curves.ForceCurves`.
    reference: forces and contacts that the plates measured.
    step_lengths_m: leg and initial contact, seconds -> step length of the prediction, metres.
    pressure: (N, 2, 2) metres, leg (left, right) x (forward, left), the estimated centre of
      pressure; None where there is none in metres.
  """

  name: str
  subject: str
  video: pathlib.Path
  time_s: np.ndarray
  force: np.ndarray
  reference: plate_reference.PlateReference
  step_lengths_m: dict[tuple[str, float], float] = dataclasses.field(default_factory=dict)
  pressure: np.ndarray | None = None

  @functools.cached_property
  def mae_pct_bw(self) -> float | None:
    """The mean absolute error of the vertical force over stance frames, % BW.

    None where no such frame has an estimate.
    """
    return self.reference.vertical(self.force).result()['mae_pct_bw']

  @functools.cached_property
  def middle_frame(self) -> int:
    """The middle one of the stance frames with an estimate: there the walker is on the plates."""
    with_estimate = self.reference.contact & np.isfinite(self.force[..., 0])
    return int(np.median(np.flatnonzero(with_estimate.any(1))))

  @functools.cached_property
  def contact_comparison(self) -> contact_comparison.ContactComparison:
    """The estimated contacts compared with those on the plates."""
    contacts = foot_contacts.find_contacts(self.time_s, self.force)
    for contact in contacts:
      for (leg, contact_s), length_m in self.step_lengths_m.items():
        # The forces are rounded in the table, which moves a contact by some microseconds.
        if leg == contact.leg and abs(contact_s - contact.measures['contact_s']) < _SAME_S:
          contact.measures['step_length_m'] = length_m
    return self.reference.compare(self.time_s, contacts)

  @functools.cached_property
  def pressure_errors(self) -> pressure_errors.PressureErrors:
    """The errors of the centre of pressure, of no trial where either side does not know it."""
    if self.pressure is None:
      return pressure_errors.PressureErrors()
    return self.reference.compare_pressure(self.time_s, self.pressure)


@dataclasses.dataclass(frozen=True)
class HeldOutTrials:
  """The predicted trials of all held-out subjects.

  Attributes:
    trials: those that can be compared with force plates.
    skipped: name of each other trial -> why it cannot be compared.
  """

  trials: list[HeldOutTrial]
  skipped: dict[str, str]

  def comparisons(self) -> dict[str, contact_comparison.ContactComparison]:
    """Returns subject -> comparison of the contacts of all trials, in the trials' order."""
    comparisons: dict[str, contact_comparison.ContactComparison] = {}
    for trial in self.trials:
      merged = comparisons.get(trial.subject, contact_comparison.ContactComparison())
      comparisons[trial.subject] = merged.merge(trial.contact_comparison)
    return comparisons

  def pressure_errors(self) -> dict[str, pressure_errors.PressureErrors]:
    """Returns subject -> errors of the centre of pressure, in the trials' order.

    Subjects of whom it is not known on both sides are left out.
    """
    found: dict[str, pressure_errors.PressureErrors] = {}
    for trial in self.trials:
      if trial.pressure_errors.frames:
        before = found.get(trial.subject, pressure_errors.PressureErrors())
        found[trial.subject] = before.merge(trial.pressure_errors)
    return found


def read_held_out_trials(
  predictions: pathlib.Path, root: pathlib.Path, subjects: list[str]
) -> HeldOutTrials:
  """Reads the predictions of all trials of some subjects, and what plates measured there.

  Args:
    predictions: folder with a TRIAL.csv for each trial.
    root: the recording set.
    subjects: subjects of the recording set.

  Raises:
    OSError: a prediction is missing.
    InputError: a prediction or the recording set cannot be used.
  """
  held_out = HeldOutTrials([], {})
  trials = recordings.load(root, need_forces=False, subjects=subjects)
  for trial in tqdm.tqdm(trials, desc='compare', unit='trial', mininterval=1):
    path = predictions / f'{trial.name}.csv'
    try:
      text = path.read_text(encoding='utf-8')
      time_s, force = curve_files.from_csv(text)
      pressure = curve_files.pressure_from_csv(text)
    except errors.InputError as error:
      raise error.within(str(path), file=path) from error
    except UnicodeDecodeError as error:
      raise PredictionError(f'{path}: {error}', code='table.encoding', file=path) from error
    try:
      reference = plate_reference.read_plate_reference(trial)
    except (ValueError, OSError) as error:
      held_out.skipped[trial.name] = str(error)
      continue
    if reference is None:
      held_out.skipped[trial.name] = 'no forces, or nothing that places them in time'
      continue
    if len(reference.force) != len(time_s):
      raise PredictionError(
        f'{path}: found {len(time_s)} rows, expected {len(reference.force)}, one for each frame of '
        f'{trial.video.name}; predict it again',
        code='prediction.other_video',
        file=path,
      )
    steps = _read_step_lengths(path.with_suffix('.json'))
    held_out.trials.append(
      HeldOutTrial(
        trial.name, trial.subject.name, trial.video, time_s, force, reference, steps, pressure
      )
    )
  return held_out


def _read_step_lengths(path: pathlib.Path) -> dict[tuple[str, float], float]:
  """Returns the step lengths of a prediction's JSON file; none where there is no such file.

  Raises:
    PredictionError: the file cannot be used.
  """
  if not path.exists():
    return {}
  try:
    contacts = json.loads(path.read_text(encoding='utf-8'))['contacts']
    return {
      (contact['leg'], float(contact['contact_s'])): float(contact['step_length_m'])
      for contact in contacts
      if contact.get('step_length_m') is not None
    }
  except (ValueError, LookupError, TypeError, AttributeError) as error:
    raise PredictionError(
      f'{path}: found no contacts of a prediction ({error!r}); predict it again',
      code='prediction.other_file',
      file=path,
    ) from error
