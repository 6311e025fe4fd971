"""The held-out trials of a leave-one-subject-out round, predicted, beside what plates felt."""

from __future__ import annotations

import dataclasses
import functools
import pathlib

import numpy as np
import tqdm

from grfjax.evaluation import plate_reference
from grfjax.gait import contact_comparison, curve_files, foot_contacts
from grfjax.io import recordings


@dataclasses.dataclass(frozen=True)
class HeldOutTrial:
  """A trial whose truth is known.

  Attributes:
    name: of the trial, and of its prediction's files.
    subject: who walks.
    video: the video file.
    time_s: (N,) of its frames.
    force: (N, 2, axes) estimated, as in `force_curves.ForceCurves`.
    true: of the plates.
  """

  name: str
  subject: str
  video: pathlib.Path
  time_s: np.ndarray
  force: np.ndarray
  true: plate_reference.PlateReference

  @functools.cached_property
  def mae_pct_bw(self) -> float | None:
    """Of the vertical force over stance frames; None where no such frame has an estimate."""
    return self.true.vertical(self.force).result()['mae_pct_bw']

  @functools.cached_property
  def frame(self) -> int:
    """The middle one of those judged, when the walker is on the plates."""
    judged = (self.true.contact & np.isfinite(self.force[..., 0])).any(1)
    return int(np.median(np.flatnonzero(judged)))

  @functools.cached_property
  def compared(self) -> contact_comparison.ContactComparison:
    """Estimated contacts against those of the plates."""
    return self.true.compare(self.time_s, foot_contacts.find_contacts(self.time_s, self.force))


@dataclasses.dataclass(frozen=True)
class HeldOutTrials:
  """All held-out trials.

  Attributes:
    trials: those whose truth is known.
    unjudged: name of each of the others -> why it cannot be judged.
  """

  trials: list[HeldOutTrial]
  unjudged: dict[str, str]

  def compared(self) -> dict[str, contact_comparison.ContactComparison]:
    """Subject -> contacts of all trials together, in the trials' order."""
    found: dict[str, contact_comparison.ContactComparison] = {}
    for trial in self.trials:
      before = found.get(trial.subject, contact_comparison.ContactComparison())
      found[trial.subject] = before.merge(trial.compared)
    return found


def read_held_out_trials(
  predictions: pathlib.Path, root: pathlib.Path, subjects: list[str]
) -> HeldOutTrials:
  """Reads the predictions of all trials of some subjects, and their forces.

  Args:
    predictions: folder of a TRIAL.csv each.
    root: the recording set.
    subjects: of it.

  Raises:
    OSError: a prediction is missing.
    ValueError: a prediction or the recording set cannot be used.
  """
  found = HeldOutTrials([], {})
  trials = recordings.load(root, need_forces=False, subjects=subjects)
  for trial in tqdm.tqdm(trials, desc='compare', unit='trial', mininterval=1):
    path = predictions / f'{trial.name}.csv'
    try:
      time_s, force = curve_files.from_csv(path.read_text(encoding='utf-8'))
    except ValueError as error:
      raise ValueError(f'{path}: {error}') from error
    try:
      true = plate_reference.read_plate_reference(trial)
    except (ValueError, OSError) as error:
      found.unjudged[trial.name] = str(error)
      continue
    if true is not None and len(true.force) != len(time_s):
      raise ValueError(
        f'{path}: found {len(time_s)} rows, expected {len(true.force)}, one for each frame of '
        f'{trial.video.name}; predict it again'
      )
    if true is None:
      found.unjudged[trial.name] = 'no forces, or nothing that places them in time'
    else:
      found.trials.append(
        HeldOutTrial(trial.name, trial.subject.name, trial.video, time_s, force, true)
      )
  return found
