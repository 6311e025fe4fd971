"""Writes the files of an examined recording set: a page, and the same for programs."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import pathlib
import tempfile
from typing import Any

from grfjax import conventions
from grfjax.data import findings, force_intervals, set_check, trial_check
from grfjax.gait import foot_contacts
from grfjax.io import atomic
from grfjax.report import check_page, check_tables

PAGE, JSON, TABLE = 'index.html', 'check.json', 'check.csv'


def prepare(folder: pathlib.Path) -> None:
  """Makes the folder, and makes sure that files can be written there before any work is done.

  Raises:
    OSError: they cannot.
  """
  with atomic.naming_errors(folder):
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()


def write_check(folder: pathlib.Path, check: set_check.SetCheck) -> pathlib.Path:
  """Writes the page, the table as CSV, and everything as JSON: all of them or none.

  Args:
    folder: for the files; others in it stay.
    check: their content.

  Returns:
    The page.

  Raises:
    OSError: a file cannot be written.
  """
  with atomic.atomic_files(folder, [PAGE, JSON, TABLE]) as draft:
    atomic.write_text(draft / PAGE, check_page.check_page(check))
    atomic.write_text(draft / TABLE, check_tables.trials_table(check).csv())
    atomic.write_json(draft / JSON, content(check))
  return folder / PAGE


def content(check: set_check.SetCheck) -> dict[str, Any]:
  """Returns what the JSON file holds; None is undefined."""
  near, far = check.known()
  return {
    'grfjax': importlib.metadata.version('grfjax'),
    'recordings': str(check.root),
    'config': check.config,
    'can_be_built': not check.errors,
    'trials_by_status': {status: check.count(status) for status in trial_check.STATUSES},
    'known': {'near': near, 'far': far},
    'known_by_interval': {
      name: {'near': counts[0], 'far': counts[1]}
      for name, counts in zip(
        force_intervals.INTERVALS, check.intervals().tolist(), strict=True
      )
    },
    'findings': [_finding(finding) for finding in check.found],
    'trials': [_trial(trial) for trial in check.trials],
  }  # fmt: skip


def _finding(finding: findings.Finding) -> dict[str, Any]:
  return {**dataclasses.asdict(finding), 'level': str(finding.level)}


def _trial(trial: trial_check.TrialCheck) -> dict[str, Any]:
  video, plates, labels = trial.video, trial.plates, trial.labels
  return {
    'trial': trial.name,
    'subject': trial.subject,
    'line': trial.line,
    'camera': trial.camera or None,
    'status': trial.status,
    'findings': [_finding(finding) for finding in trial.found],
    'video': None if video is None else {
      'frames': video.frames,
      'duration_s': video.duration_s,
      'frames_per_s': video.fps,
      'width': video.width,
      'height': video.height,
      'walks_to': {1: 'right', -1: 'left', 0: None}[video.direction],
      'walk_s': video.walk,
      'withheld_s': video.withheld,
      'gaps': [
        {'start_s': gap.start_s, 'end_s': gap.end_s, 'code': gap.reason.code} for gap in video.gaps
      ],
    },
    'plates': None if plates is None else {
      'video_start_s': plates.start_s,
      'uncertainty_s': plates.uncertainty_s,
      'recorded_s': plates.recorded,
      'peak_bw': {leg: plates.peak_bw.get(leg) for leg in conventions.LEGS},
      'contacts': {
        leg: [_contact(contact) for contact in plates.contacts.get(leg, [])]
        for leg in conventions.LEGS
      },
    },
    'labels': None if labels is None else {
      'pictures': labels.pictures,
      'known': {'near': labels.known[0], 'far': labels.known[1]},
      'records': labels.records,
    },
  }  # fmt: skip


def _contact(contact: foot_contacts.Contact) -> dict[str, Any]:
  return dataclasses.asdict(contact)
