"""Tables of an examined recording set."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from grfjax import conventions
from grfjax.data import force_intervals, set_check, trial_check
from grfjax.evaluation import set_synchronization
from grfjax.report import text_table

_SIDES = {1: 'right', -1: 'left', 0: None}
_PAIR = ' | '
_NOTE = (
  'walks to: side of the picture that the walker goes to. fps: frames a second. contacts, peak: on '
  'the plates, of left and right leg, over the whole force file; BW: body weight. known: in how '
  'many frames of the walk the force is known, of near and far leg.'
)
# Columns of the table for programs; those of pairs have the name of the pair, and of its part.
_COLUMNS = (
  ('trial', ''), ('subject', ''), ('status', ''), ('camera', ''), ('walks to', ''),
  ('video (s)', '.2f'), ('fps', '.4g'), ('contacts left', 'd'), ('contacts right', 'd'),
  ('peak left (BW)', '.2f'), ('peak right (BW)', '.2f'), ('known near', 'd'), ('known far', 'd'),
  ('doubts', 'd'),
)  # fmt: skip
_PAIRED = (
  'trial', 'subject', 'status', 'walks to', 'video (s)', 'fps', 'contacts', 'peak (BW)', 'known',
  'doubts',
)  # fmt: skip


def trials_table(check: set_check.SetCheck) -> text_table.Table:
  """Returns a row for each row of trials.csv, a column for each number."""
  names, formats = zip(*_COLUMNS, strict=True)
  rows = tuple(_row(trial) for trial in check.trials)
  return text_table.Table('check', 'Trials', _caption(check), names, formats, rows, (_NOTE,))


def narrow_trials_table(check: set_check.SetCheck) -> text_table.Table:
  """Returns the same for people: both legs in a column, and no more than a terminal's line has."""
  full = trials_table(check)
  rows = []
  for trial, subject, status, _, side, seconds, fps, *pairs, doubts in full.cells():
    joined = [_PAIR.join(pairs[k : k + 2]) for k in range(0, len(pairs), 2)]
    rows.append((trial, subject, status, side, seconds, fps, *joined, doubts))
  return dataclasses.replace(full, columns=_PAIRED, formats=('',) * len(_PAIRED), rows=tuple(rows))


def _caption(check: set_check.SetCheck) -> str:
  return f'What a build for {check.config} would make of them.'


def name_of(trial: trial_check.TrialCheck) -> str:
  """Returns a trial's name, or where a row without a name is."""
  return trial.name or f'line {trial.line}'


def _row(trial: trial_check.TrialCheck) -> tuple[Any, ...]:
  video, plates, labels = trial.video, trial.plates, trial.labels
  contacts = [len(plates.contacts.get(leg, ())) if plates else None for leg in conventions.LEGS]
  peaks = [plates.peak_bw.get(leg) if plates else None for leg in conventions.LEGS]
  return (
    name_of(trial),
    trial.subject,
    trial.status,
    trial.camera or None,
    _SIDES[video.direction] if video else None,
    video.duration_s if video else None,
    video.fps if video else None,
    *contacts,
    *peaks,
    *(labels.known if labels else (None, None)),
    len(trial.doubts),
  )


def intervals_table(check: set_check.SetCheck) -> text_table.Table:
  """Returns how the known vertical forces are spread."""
  counts = check.intervals()
  rows = (*zip(force_intervals.INTERVALS, *counts.T.tolist(), strict=True),)
  near, far = check.known()
  return text_table.Table(
    'known_forces',
    'Known forces',
    'Frames in which the vertical force is known, by its size.',
    ('vertical force (BW)', 'near leg', 'far leg'),
    ('', 'd', 'd'),
    (*rows, ('all', near, far)),
  )


def starts_table(
  starts: Mapping[str, set_synchronization.FoundStart],
) -> text_table.Table:
  """Returns when the videos began, as their estimated forces tell."""
  rows = []
  for name, start in starts.items():
    best = start.proposal.best
    numbers = [best.video_start_s, 1e3 * best.uncertainty_s, best.misfit_pct_bw]
    rows.append((
      name,
      start.given_s,
      *(number if math.isfinite(number) else None for number in numbers),
      start.proposal.problem or ('proposed' if start.given_s is None else start.agrees),
    ))  # fmt: skip
  return text_table.Table(
    'starts',
    'Starts of the videos',
    'On the force clock, read off the forces that are estimated in the video.',
    ('trial', 'in trials.csv (s)', 'found (s)', 'within (ms)', 'misfit (% BW)', 'result'),
    ('', '.4f', '.4f', '.0f', '.1f', ''),
    tuple(rows),
    ('misfit: mean absolute difference of estimate and plates while a foot is on one.',),
  )
