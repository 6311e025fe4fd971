"""Writes the files of an examined recording set: a page, and the same for programs."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import math
import pathlib
import tempfile
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from grfjax import conventions
from grfjax.data import findings, force_intervals, set_check, trial_check
from grfjax.evaluation import set_synchronization
from grfjax.gait import foot_contacts
from grfjax.io import atomic, synced_manifest
from grfjax.report import check_page, check_tables, synchronization_figure

PAGE, JSON, TABLE = 'index.html', 'check.json', 'check.csv'


def prepare(folder: pathlib.Path) -> None:
  """Makes the folder, and makes sure that files can be written there before any work is done.

  Raises:
    OSError: they cannot.
  """
  with atomic.naming_errors(folder):
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()


def write_check(
  folder: pathlib.Path,
  check: set_check.SetCheck,
  starts: Mapping[str, set_synchronization.FoundStart] = MappingProxyType({}),
) -> pathlib.Path:
  """Writes the page, the table as CSV, and everything as JSON: all of them or none.

  Args:
    folder: for the files; others in it stay.
    check: their content.
    starts: trial -> when its video began, where that was looked for; also written as
      trials.synced.csv, and a figure of each.

  Returns:
    The page.

  Raises:
    OSError: a file cannot be written.
  """
  figures = {name: f'start_{name}.png' for name in starts}
  synced = [synced_manifest.NAME] if starts else []
  with atomic.atomic_files(folder, [PAGE, JSON, TABLE, *figures.values(), *synced]) as draft:
    pictures = {name: _draw_start(draft / figures[name], start) for name, start in starts.items()}
    if starts:
      found = {
        name: synced_manifest.Start(start.proposal.video_start_s, start.proposal.uncertainty_s)
        for name, start in starts.items()
        if start.fills
      }
      synced_manifest.write(check.root / 'trials.csv', draft / synced_manifest.NAME, found)
    atomic.write_text(draft / PAGE, check_page.check_page(check, starts, pictures))
    atomic.write_text(draft / TABLE, check_tables.trials_table(check).csv())
    atomic.write_json(draft / JSON, content(check, starts))
  return folder / PAGE


def _draw_start(path: pathlib.Path, start: set_synchronization.FoundStart) -> pathlib.Path:
  forces = set_synchronization.plate_forces(start.trial)
  return synchronization_figure.draw_synchronization(
    path, start.trial.name, start.estimate, forces.leg_force, forces.time_s, forces.body_weight_n,
    start.proposal,
  )  # fmt: skip


def content(
  check: set_check.SetCheck, starts: Mapping[str, set_synchronization.FoundStart]
) -> dict[str, Any]:
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
      for name, counts in zip(force_intervals.INTERVALS, check.intervals().tolist(), strict=True)
    },
    'findings': [_finding(finding) for finding in check.found],
    'trials': [
      {**_trial(trial), 'start': _start(starts.get(trial.name) if trial.camera else None)}
      for trial in check.trials
    ],
  }


def _start(start: set_synchronization.FoundStart | None) -> dict[str, Any] | None:
  if start is None:
    return None
  proposal = start.proposal
  numbers = {
    'video_start_s': proposal.video_start_s,
    'uncertainty_s': proposal.uncertainty_s,
    'misfit_pct_bw': proposal.misfit_pct_bw,
  }
  return {
    **{name: number if math.isfinite(number) else None for name, number in numbers.items()},
    'problem': proposal.problem or None,
  }


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
      'is_plausible': plates.is_plausible,
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
