"""Examines a recording set before a data set is built of it, by the steps that a build takes."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import itertools
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from grfjax import conventions, errors
from grfjax.data import (
  clip_config,
  findings,
  force_intervals,
  subject_lists,
  trial_check,
  trial_records,
  trial_workers,
)
from grfjax.io import atomic, delimited_text, manifest_rows, recordings

_Findings = list[findings.Finding]
_Progress = Callable[[Iterable, int], Iterable]
_TRIALS_FOR_PROCESSES = 20  # fewer are done before processes have begun


@dataclasses.dataclass(frozen=True)
class SetCheck:
  """A recording set, examined.

  Attributes:
    root: the set.
    config: name of the configuration for which it would be built.
    trials: one for each row of trials.csv, in the file's order.
    found: about the set as a whole, errors first, then doubts, then notes. Errors of rows are
      those of the trials too that they keep from being built.
  """

  root: pathlib.Path
  config: str
  trials: list[trial_check.TrialCheck]
  found: _Findings

  @property
  def errors(self) -> _Findings:
    """All errors, each once: a build would raise one of them."""
    every = [*self.found, *(finding for trial in self.trials for finding in trial.found)]
    return [f for f in dict.fromkeys(every) if f.level is findings.Level.ERROR]

  @property
  def subjects(self) -> list[str]:
    """The names of those who walk in trials that can be built."""
    return list(dict.fromkeys(t.subject for t in self.trials if t.status != 'refused'))

  def count(self, status: str) -> int:
    """Returns how many trials have a status."""
    return sum(trial.status == status for trial in self.trials)

  def known(self) -> tuple[int, int]:
    """Returns in how many pictures the force of the (near, far) leg is known."""
    labels = [trial.labels for trial in self.trials if trial.labels]
    return sum(label.known[0] for label in labels), sum(label.known[1] for label in labels)

  def intervals(self) -> np.ndarray:
    """Returns (I, 2) int: known pictures of (near, far) leg by `force_intervals.INTERVALS`."""
    counts = [np.transpose(trial.labels.intervals) for trial in self.trials if trial.labels]
    return sum(counts, np.zeros((len(force_intervals.INTERVALS), 2), int))


def check_set(
  root: pathlib.Path,
  cfg: clip_config.ClipConfig,
  threshold_n: float = conventions.CONTACT_N,
  show_progress: _Progress = lambda results, total: results,
) -> SetCheck:
  """Examines a recording set.

  Args:
    root: the set. Where there is none, or its trials.csv cannot be read, there are no trials.
    cfg: how voxels would be cut.
    threshold_n: vertical force over which a plate counts as stepped on, newtons.
    show_progress: is given the examined trials as they come and their number; returns the former.
  """
  strict = recordings.examine(root)
  trials = recordings.examine(root, need_synchronization=False).trials
  rows = _Rows(root, strict.problems)
  examine = functools.partial(trial_check.check_trial, cfg=cfg, threshold_n=threshold_n)
  many = len(trials) >= _TRIALS_FOR_PROCESSES
  results = show_progress(
    trial_workers.in_parallel(examine, trials, in_processes=many), len(trials)
  )
  checks = {trial.where: check for trial, check in results}
  usable = {trial.where for trial in strict.trials}
  every = []
  for row in rows.trials:
    where = delimited_text.format_place(pathlib.Path(row.path.name), row.line)
    unexamined = trial_check.TrialCheck(row.cells.get('subject', ''), row.cells.get('trial', ''))
    check = dataclasses.replace(checks.get(where, unexamined), line=row.line)
    every.append(check if where in usable else check.with_found(rows.errors(row)))
  more: dict[str, _Findings] = collections.defaultdict(list)
  for name, found in itertools.chain(
    _of_names(root, trials), _of_records(root, every, cfg), _of_same_videos(trials)
  ):
    more[name].append(found)
  # A row that was not examined may have the name of another one.
  every = [c.with_found(more[c.name]) if c.camera else c for c in every]
  of_set = [findings.Finding.of_error(error) for error in strict.problems]
  return SetCheck(root, cfg.name, every, [*of_set, *_of_set(every, trials)])


class _Rows:
  """The rows of trials.csv, and which problems keep each of them from being used."""

  def __init__(self, root: pathlib.Path, problems: Sequence[errors.InputError]):
    self.trials = _read_rows(root / 'trials.csv')
    subject_of = {
      row.line: row.cells.get('subject', '') for row in _read_rows(root / 'subjects.csv')
    }
    lines = {row.line for row in self.trials}
    self._of_line: dict[int, _Findings] = collections.defaultdict(list)
    self._of_subject: dict[str, _Findings] = collections.defaultdict(list)
    self._of_file: _Findings = []
    for problem in problems:
      found = findings.Finding.of_error(problem)
      line = problem.line or 0
      if problem.file == os.fspath(root / 'trials.csv') and line in lines:
        self._of_line[line].append(found)
      elif problem.file == os.fspath(root / 'subjects.csv') and line in subject_of:
        self._of_subject[subject_of[line]].append(found)
      else:
        self._of_file.append(found)

  def errors(self, row: manifest_rows.Row) -> _Findings:
    """Returns why a row that cannot be used cannot."""
    of_subject = self._of_subject.get(row.cells.get('subject', ''))
    return self._of_line.get(row.line) or of_subject or self._of_file


def _read_rows(path: pathlib.Path) -> list[manifest_rows.Row]:
  """Returns the rows of a manifest; none where it is no table, which is a problem already."""
  try:
    return manifest_rows.read(path, [])
  except errors.InputError:
    return []


def _of_names(
  root: pathlib.Path, trials: list[recordings.Trial]
) -> Iterator[tuple[str, findings.Finding]]:
  """Yields trials whose subjects' names cannot be used, and why."""
  for trial in trials:
    try:
      subject_lists.check_split_name(trial.subject.name, root / 'subjects.csv')
    except errors.InputError as error:
      yield trial.name, findings.Finding.of_error(error)


def _of_records(
  root: pathlib.Path, checks: list[trial_check.TrialCheck], cfg: clip_config.ClipConfig
) -> Iterator[tuple[str, findings.Finding]]:
  """Yields the trials of subjects that have no records, though each could be built, and why."""
  for subject in dict.fromkeys(check.subject for check in checks):
    own = [check for check in checks if check.subject == subject]
    labels = [check.labels for check in own if check.labels is not None]
    if len(labels) < len(own):
      continue
    try:
      trial_records.check_has_records(subject, sum(label.records for label in labels), cfg, root)
    except errors.InputError as error:
      yield from ((check.name, findings.Finding.of_error(error)) for check in own)


def _of_same_videos(trials: list[recordings.Trial]) -> Iterator[tuple[str, findings.Finding]]:
  """Yields trials that have the same video as another one."""
  by_size: dict[int, list[recordings.Trial]] = collections.defaultdict(list)
  for trial in trials:
    by_size[trial.video.stat().st_size].append(trial)
  for alike in by_size.values():
    if len(alike) == 1:
      continue
    by_content: dict[str, list[recordings.Trial]] = collections.defaultdict(list)
    for trial in alike:
      with contextlib.suppress(OSError):  # which reading the video has found already
        by_content[atomic.sha256(trial.video)].append(trial)
    for same in by_content.values():
      for trial in same:
        others = ', '.join(other.name for other in same if other is not trial)
        if others:
          yield (
            trial.name,
            findings.Finding(
              findings.Level.DOUBT,
              'check.same_video',
              f'The video is the same as that of {others}.',
              'See whether a row was copied and not changed.',
            ),
          )


def _of_set(
  checks: list[trial_check.TrialCheck], trials: list[recordings.Trial]
) -> Iterator[findings.Finding]:
  """Yields what is doubtful or good to know in the set as a whole; doubts first."""
  subjects = {check.subject for check in checks}
  if len(subjects) == 1:
    yield findings.Finding(
      findings.Level.DOUBT,
      'check.one_subject',
      'There is one subject only: with it held out, nobody is left to train on.',
      'Record more people; an evaluation leaves one of them out.',
    )
  labels = [check.labels for check in checks if check.labels is not None]
  for i, side in enumerate(('near', 'far')):
    if labels and not any(label.known[i] for label in labels):
      yield findings.Finding(
        findings.Level.DOUBT,
        'check.leg_never_known',
        f'The force of the {side} leg is known in no trial: nothing is learned of it.',
        'Let each foot step on a plate of its own in some trials.',
      )
  cameras = {check.camera for check in checks if check.camera}
  if len(cameras) == 1:
    yield findings.Finding(
      findings.Level.NOTE,
      'check.one_camera_side',
      f'The camera stands on the {min(cameras)} of the walker in every trial.',
      'Let people walk both ways, so that each leg is the near one in some trials.',
    )
  if len(subjects) == 2:
    yield findings.Finding(
      findings.Level.NOTE,
      'check.two_subjects',
      'There are two subjects only: with one held out, the other alone is trained on, and there '
      'are no prediction intervals.',
    )
  people = {trial.subject.name: trial.subject for trial in trials}.values()
  for person in people:
    if person.weighed_kg is not None:
      used = 'which is taken'
      if person.body_mass_kg != person.weighed_kg:
        used = f'but {person.body_mass_kg:g} kg, as given, is taken'
      yield findings.Finding(
        findings.Level.NOTE,
        'check.weighed',
        f'Standing still, {person.name} weighs {person.weighed_kg:.1f} kg on the plates, {used}.',
      )
  no_height = [s.name for s in people if s.height_m is None]
  if no_height:
    yield findings.Finding(
      findings.Level.NOTE,
      'check.no_height',
      f'subjects.csv has no height_m of {subject_lists.listed_subjects(no_height)}; without '
      'it their walking speed and stride length are in body heights and not in metres.',
    )
  by_force = collections.Counter(trial.force for trial in trials)
  shared = [force for force, count in by_force.items() if count > 1]
  if shared:
    names = ', '.join(path.name for path in shared[0])
    yield findings.Finding(
      findings.Level.NOTE,
      'check.shared_force',
      f'Several trials name the same force file ({len(shared)} such files; {names} is named by '
      f'{by_force[shared[0]]} trials).',
      'That is right where several cameras filmed one walk; otherwise a row was copied and not '
      'changed.',
    )
