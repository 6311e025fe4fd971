"""Examines a trial before a data set is built of it, by the steps that a build takes.

Where a build stops at the first thing that is wrong, an examination goes on with what is left: the
forces of a trial whose video cannot be used are looked at all the same.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from grfjax import conventions, errors, mask_runs
from grfjax.data import (
  clip_config,
  findings,
  force_intervals,
  plate_contacts,
  trial_doubts,
  trial_forces,
  trial_labels,
  trial_records,
  voxels,
  walker_views,
)
from grfjax.gait import foot_contacts
from grfjax.io import force_files, recordings, video_file
from grfjax.tracking import tracking_gaps

_CURVE_HZ = 120.0  # of the curves that are kept, fewer where they would be over
_MOST_SAMPLES = 1200
_CURVE_MARGIN_S = 0.2  # that is kept before the first contact and after the last
Span = tuple[float, float]  # seconds: start, end
STATUSES = ('ready', 'doubtful', 'refused')


@dataclasses.dataclass(frozen=True)
class VideoFacts:
  """What a trial's video shows.

  Attributes:
    frames: how many it has.
    duration_s: from its first frame to its last.
    fps: frames a second, by the median interval.
    width: pixels.
    height: pixels.
    direction: +1: the walker goes to the picture's right; -1: to its left; 0: not looked at.
    walk: from when to when the walker is followed; None where nobody can be.
    withheld: within the walk, where the walker is not shown clearly.
    gaps: where somebody may walk but cannot be followed.
  """

  frames: int
  duration_s: float
  fps: float
  width: int
  height: int
  direction: int = 0
  walk: Span | None = None
  withheld: tuple[Span, ...] = ()
  gaps: tuple[tracking_gaps.Gap, ...] = ()


@dataclasses.dataclass(frozen=True)
class PlateFacts:
  """What a trial's plates measured.

  Attributes:
    start_s: the force clock at the video's first frame; None where that is not known: then all
      times are on the force clock, otherwise on the video's.
    uncertainty_s: of start_s.
    recorded: from when to when there are samples.
    time_s: (K,) seconds.
    force: (K, 2, 3) body weights, left and right leg in plate axes, means over 1/60 s; NaN for a
      leg without a plate.
    contacts: leg -> its contacts in order of time, for the legs that have plates.
    peak_bw: leg -> largest vertical force of these means, body weights.
    is_plausible: whether a build would take them; others are only to be looked at.
  """

  start_s: float | None
  uncertainty_s: float
  recorded: Span
  time_s: np.ndarray
  force: np.ndarray
  contacts: dict[str, list[foot_contacts.Contact]]
  peak_bw: dict[str, float]
  is_plausible: bool = True


@dataclasses.dataclass(frozen=True)
class LabelFacts:
  """What a build would know of a trial.

  Attributes:
    pictures: of the walk, at the configuration's rate.
    known: of the (near, far) leg, in how many of them the force is known.
    known_spans: of the (near, far) leg, from when to when.
    intervals: of the (near, far) leg, in how many of them the known vertical force falls into each
      of `force_intervals.INTERVALS`.
    records: how many the trial has.
  """

  pictures: int
  known: tuple[int, int]
  known_spans: tuple[tuple[Span, ...], tuple[Span, ...]]
  intervals: tuple[tuple[int, ...], tuple[int, ...]]
  records: int


@dataclasses.dataclass(frozen=True)
class TrialCheck:
  """A trial, examined.

  Attributes:
    subject: name, as trials.csv has it.
    name: the trial's, likewise.
    line: of trials.csv.
    camera: 'left' or 'right'; '' where the row cannot be used.
    found: errors first, then doubts, then notes.
    video: None where it cannot be read.
    plates: None where they cannot be read.
    labels: None where there are none.
  """

  subject: str
  name: str
  line: int = 0
  camera: str = ''
  found: tuple[findings.Finding, ...] = ()
  video: VideoFacts | None = None
  plates: PlateFacts | None = None
  labels: LabelFacts | None = None

  @property
  def status(self) -> str:
    """One of `STATUSES`."""
    levels = {finding.level for finding in self.found}
    if findings.Level.ERROR in levels:
      return 'refused'
    return 'doubtful' if findings.Level.DOUBT in levels else 'ready'

  @property
  def doubts(self) -> list[findings.Finding]:
    """The doubts alone."""
    return [finding for finding in self.found if finding.level is findings.Level.DOUBT]

  def with_found(self, more: Sequence[findings.Finding]) -> TrialCheck:
    """Returns the same with more findings, none of them twice, in order of their levels."""
    order = list(findings.Level)
    found = sorted(
      dict.fromkeys([*self.found, *more]), key=lambda finding: order.index(finding.level)
    )
    return dataclasses.replace(self, found=tuple(found))


def check_trial(
  trial: recordings.Trial,
  cfg: clip_config.ClipConfig,
  threshold_n: float = conventions.CONTACT_N,
) -> TrialCheck:
  """Examines a trial.

  Args:
    trial: a trial with forces; it may lack video_start_s and contact_frame, of which nothing is
      said here, and then has no labels.
    cfg: how voxels are cut.
    threshold_n: vertical force over which a plate counts as stepped on, newtons.
  """
  found: list[findings.Finding] = []
  view = video = forces = label = None
  with _collected(found, trial), video_file.played_at(trial.speed):
    view = walker_views.read_longest_walk(trial.video, cfg, trial.camera, with_pictures=False)
    trial_records.check_direction(trial.camera, view.direction, str(trial.video))
  if view is not None:
    video = view.video
  else:
    # Which reading the walk has found already.
    with contextlib.suppress(ValueError, OSError), video_file.played_at(trial.speed):
      video = video_file.probe(trial.video)
  is_placed = trial.video_start_s is not None or (
    trial.contact_frame is not None and video is not None
  )
  frame_times_s = np.zeros(0) if video is None else video.time_s
  if is_placed:
    with _collected(found, trial):
      forces = trial_forces.read_trial_forces(trial, frame_times_s, threshold_n)
    if forces is None and found[-1].code == 'force.contact_frame':
      is_placed = False
  if not is_placed:  # the forces may be looked at, though not beside the video
    alone = dataclasses.replace(trial, video_start_s=0.0, contact_frame=None)
    with _collected(found, trial):
      forces = trial_forces.read_trial_forces(alone, frame_times_s, threshold_n)
  if view is not None and forces is not None and is_placed:
    with _collected(found, trial):
      label = trial_records.label_view(forces, view)
  plates = (
    _implausible_plates(trial, frame_times_s, threshold_n)
    if forces is None
    else _plate_facts(forces, is_placed)
  )
  checked = TrialCheck(
    trial.subject.name, trial.name, 0, trial.camera, tuple(found),
    None if video is None else _video_facts(video, view),
    plates,
    None if view is None or label is None else _label_facts(view, label, cfg),
  )  # fmt: skip
  doubts = []
  if view is not None:
    doubts += trial_doubts.of_view(view, cfg, trial.speed)
  if forces is not None:
    doubts += trial_doubts.of_forces(forces)
  if view is not None and forces is not None and label is not None:
    doubts += trial_doubts.of_labels(view, forces, label)
  return checked.with_found(doubts)


@contextlib.contextmanager
def _collected(found: list[findings.Finding], trial: recordings.Trial) -> Iterator[None]:
  """Collects the error that ends the block, placed as a build places it."""
  try:
    with trial_records.placing_errors(trial):
      yield
  except errors.InputError as error:
    found.append(findings.Finding.of_error(error))


def _video_facts(video: video_file.Video, view: walker_views.WalkerViews | None) -> VideoFacts:
  time_s = video.time_s
  facts = VideoFacts(len(time_s), float(time_s[-1]), video.fps, video.width, video.height)
  if view is None:
    return facts
  first, last = view.frame[0], view.frame[-1]
  unclear = ~view.clear[first : last + 1]
  withheld = [
    (float(time_s[first + start]), float(time_s[first + stop - 1]))
    for start, stop in mask_runs.runs_of_true(unclear)
  ]
  walk = (float(view.time_s[0]), float(view.time_s[-1]))
  return dataclasses.replace(
    facts, direction=view.direction, walk=walk, withheld=tuple(withheld), gaps=view.gaps
  )


def _plate_facts(forces: trial_forces.TrialForces, is_placed: bool) -> PlateFacts:
  start_s = forces.video_start_s if is_placed else 0.0
  contacts = trial_doubts.leg_contacts(forces)
  ends = [e - start_s for leg in contacts.values() for c in leg for e in (c.start_s, c.end_s)]
  if is_placed and len(forces.frame_times_s):
    ends += [0.0, float(forces.frame_times_s[-1])]
  recorded = tuple(float(t - start_s) for t in forces.time_s[[0, -1]])
  first = max(min(ends, default=recorded[0]) - _CURVE_MARGIN_S, recorded[0])
  last = min(max(ends, default=recorded[1]) + _CURVE_MARGIN_S, recorded[1])
  count = int(np.clip((last - first) * _CURVE_HZ, 2, _MOST_SAMPLES))
  time_s = np.linspace(first, last, count)
  force = np.full((count, 2, 3), np.nan)
  for leg, newtons in forces.leg_force.items():
    mean, _ = plate_contacts.window_means(forces.time_s, newtons, time_s + start_s)
    force[:, conventions.LEGS.index(leg)] = mean / forces.body_weight_n
  return PlateFacts(
    start_s if is_placed else None,
    forces.uncertainty_s if is_placed else 0.0,
    (recorded[0], recorded[1]),
    time_s,
    force,
    {
      leg: [
        dataclasses.replace(c, start_s=c.start_s - start_s, end_s=c.end_s - start_s) for c in of_leg
      ]
      for leg, of_leg in contacts.items()
    },
    trial_doubts.peaks_bw(forces),
  )


def _implausible_plates(
  trial: recordings.Trial, frame_times_s: np.ndarray, threshold_n: float
) -> PlateFacts | None:
  """Returns what plates measured whose forces are refused; None where they cannot be read."""
  try:
    plates = force_files.read(trial.force, trial.plates, trial.force_format, trial.root)
    leg_force = plate_contacts.leg_forces(plates, plates.legs)
  except errors.InputError:  # which is found already
    return None
  forces = trial_forces.TrialForces(
    trial, frame_times_s, plates.time_s, leg_force, trial.subject.body_mass_kg * conventions.G,
    threshold_n, trial.video_start_s or 0.0, 0.0,
  )  # fmt: skip
  facts = _plate_facts(forces, is_placed=trial.video_start_s is not None)
  return dataclasses.replace(facts, is_plausible=False)


def _label_facts(
  view: walker_views.WalkerViews, label: trial_labels.TrialLabels, cfg: clip_config.ClipConfig
) -> LabelFacts:
  half_s = 0.5 / cfg.fps
  known_spans, intervals = [], []
  for leg in range(2):
    known = label.known[:, leg]
    known_spans.append(
      tuple(
        (float(view.time_s[start] - half_s), float(view.time_s[stop - 1] + half_s))
        for start, stop in mask_runs.runs_of_true(known)
      )
    )
    places = force_intervals.interval_index(label.force[known, leg, 0])
    counted = np.bincount(places, minlength=len(force_intervals.INTERVALS))
    intervals.append(tuple(counted.tolist()))
  near, far = label.known.sum(0).tolist()
  records = len(voxels.voxel_starts(len(view.time_s), label.contact[:, 0], cfg))
  return LabelFacts(
    len(view.time_s),
    (near, far),
    (known_spans[0], known_spans[1]),
    (intervals[0], intervals[1]),
    records,
  )
