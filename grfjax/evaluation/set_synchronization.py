"""Finds the starts of a recording set's videos on the clock of their force plates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np

from grfjax import errors
from grfjax.data import findings, set_check, trial_forces
from grfjax.evaluation import synchronization
from grfjax.gait import force_curves
from grfjax.inference import trained_run, video_estimate
from grfjax.io import recordings, video_file

_BY_HAND = 'Give video_start_s or contact_frame of this trial by hand.'
_SWAPPED = 'See which foot steps on which plate in the video, and mend plates.'


@dataclasses.dataclass(frozen=True)
class FoundStart:
  """What the estimated forces of a trial's video say about its start.

  Attributes:
    trial: the trial.
    estimate: of the video.
    proposal: the start.
    given_s: the force clock at the video's first frame as trials.csv has it; None where it does
      not say.
    given_uncertainty_s: half a frame interval where it was placed by `contact_frame`, else 0.
  """

  trial: recordings.Trial
  estimate: force_curves.ForceCurves
  proposal: synchronization.Proposal
  given_s: float | None
  given_uncertainty_s: float

  @property
  def fills(self) -> bool:
    """Whether it is proposed for a trial that has no start."""
    return self.given_s is None and not self.proposal.problem

  @property
  def agrees(self) -> str:
    """What the proposal says of the start that is given, in a word or two."""
    assert self.given_s is not None
    differs = synchronization.disagreement(self.proposal, self.given_s, self.given_uncertainty_s)
    return 'another start' if differs else 'confirmed'

  def finding(self) -> findings.Finding | None:
    """Returns what there is to say; None where the start that is given is confirmed."""
    proposal = self.proposal
    if self.given_s is None:
      if proposal.problem:
        remedy = _SWAPPED if proposal.problem == 'sync.legs_exchanged' else _BY_HAND
        return findings.Finding(
          findings.Level.DOUBT, proposal.problem, _sentence(proposal.sentence), remedy
        )
      return findings.Finding(
        findings.Level.NOTE, 'check.start_found', _sentence(proposal.sentence),
        'See whether the curves lie on each other, then take trials.synced.csv for trials.csv.',
      )  # fmt: skip
    differs = synchronization.disagreement(proposal, self.given_s, self.given_uncertainty_s)
    if not differs:
      return None
    return findings.Finding(
      findings.Level.DOUBT, 'check.other_start', _sentence(differs),
      'The figure shows the curves at the start that was found: where they lie on each other '
      'there, the one in trials.csv is wrong.',
    )  # fmt: skip


def _sentence(text: str) -> str:
  return f'{text[0].upper()}{text[1:]}{"" if text.endswith("?") else "."}'


def plate_forces(trial: recordings.Trial) -> trial_forces.TrialForces:
  """Returns the forces of a trial, on their own clock.

  Raises:
    errors.InputError: they cannot be used.
  """
  alone = dataclasses.replace(trial, video_start_s=0.0, contact_frame=None)
  return trial_forces.read_trial_forces(alone, np.zeros(0))


def find_starts(
  check: set_check.SetCheck,
  run: trained_run.TrainedRun,
  show_progress: Callable[[Iterable, int], Iterable] = lambda trials, count: trials,
  *,
  fixed_camera: bool = False,
) -> tuple[set_check.SetCheck, dict[str, FoundStart]]:
  """Finds the start of every trial whose video and forces can be used.

  Where the camera never moved, the place of the plates in the picture decides between starts that
  fit equally well (`synchronization.settle_by_place`): among trials with the same camera side.

  Args:
    check: the set, examined.
    run: the network that estimates the videos.
    show_progress: is given the trials as they are worked on and their number; returns the former.
    fixed_camera: whether the camera of each side stood still over all trials.

  Returns:
    The same examination with what is to say about starts, and trial -> what was found.
  """
  usable = {
    c.name: c
    for c in check.trials
    if c.plates and c.plates.is_plausible and c.video and c.video.walk
  }
  trials = [
    trial
    for trial in recordings.examine(check.root, need_synchronization=False).trials
    if trial.name in usable
  ]
  more: dict[str, findings.Finding] = {}
  starts: dict[str, FoundStart] = {}
  known_px: dict[str, list[float]] = {}
  for trial in show_progress(trials, len(trials)):
    plates = usable[trial.name].plates
    assert plates is not None
    try:
      with video_file.played_at(trial.speed):
        estimate = video_estimate.estimate_video(run, trial.video)
      forces = plate_forces(trial)
    except errors.InputError as error:
      found = findings.Finding.of_error(error)
      more[trial.name] = dataclasses.replace(found, level=findings.Level.DOUBT, remedy=_BY_HAND)
      continue
    proposal = synchronization.find_start(
      estimate, forces.leg_force, forces.time_s, forces.body_weight_n, forces.threshold_n
    )
    starts[trial.name] = FoundStart(trial, estimate, proposal, plates.start_s, plates.uncertainty_s)
    if plates.start_s is not None:
      place = synchronization.place_px(
        estimate, forces.leg_force, forces.time_s, plates.start_s, forces.threshold_n
      )
      known_px.setdefault(trial.camera, []).append(place)
  if fixed_camera:
    starts = _settled(starts, known_px)
  for name, start in starts.items():
    found_of_start = start.finding()
    if found_of_start is not None:
      more[name] = found_of_start
  checks = [
    c.with_found([more[c.name]]) if c.camera and c.name in more else c for c in check.trials
  ]
  return dataclasses.replace(check, trials=checks), starts


def _settled(
  starts: dict[str, FoundStart], known_px: dict[str, list[float]]
) -> dict[str, FoundStart]:
  """Returns the same, decided by where the plates are, for each side of the camera."""
  settled = dict(starts)
  for camera in {start.trial.camera for start in starts.values()}:
    proposals = {
      name: start.proposal
      for name, start in starts.items()
      if start.trial.camera == camera and start.given_s is None
    }
    decided = synchronization.settle_by_place(proposals, known_px.get(camera, []))
    for name, proposal in decided.items():
      settled[name] = dataclasses.replace(settled[name], proposal=proposal)
  return settled
