"""Reads a recording set (subjects.csv, trials.csv, videos, force files) into checked trials.

The README describes the layout. `load` opens nothing but the two manifests; videos and force files
are only checked to exist. Whatever cannot be used raises a `RecordingError` that names file, line
and column, what was found and what was expected.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import hashlib
import json
import math
import pathlib

from absl import logging

from grfjax import conventions, errors
from grfjax.io import atomic, delimited_text, manifest_rows

FORCE_EXTENSIONS = ('.csv', '.c3d', '.mot')

# Outside these limits a unit is mistaken (grams, implausible pounds, centimetres), not a person
# unusual: from a newborn to the heaviest and tallest people on record, rounded outwards.
BODY_MASS_KG = (5.0, 300.0)
HEIGHT_M = (0.5, 2.6)


class RecordingError(errors.InputError):
  """A recording set that cannot be used as it is; the message says where and why."""


@dataclasses.dataclass(frozen=True)
class Subject:
  """One person who walks.

  Attributes:
    name: unique in the set without regard to case.
    body_mass_kg: kilograms.
    height_m: metres, or None where it is not given.
  """

  name: str
  body_mass_kg: float
  height_m: float | None


@dataclasses.dataclass(frozen=True)
class Trial:
  """One video with what the set says about it.

  Attributes:
    subject: who walks.
    name: unique in the set without regard to case; fit to be a file's name.
    video: the video file.
    camera: 'left' or 'right', the walker's side on which the camera stands.
    force: the force file, or None (only where forces are not needed).
    plates: the leg that steps on each plate, plate 1 first; empty where not given.
    video_start_s: the force clock at the video's first frame, seconds, or None.
    contact_frame: 0-based, the first frame that shows the foot on plate 1, or None.
    where: 'trials.csv, line 7', for later messages about this trial.
  """

  subject: Subject
  name: str
  video: pathlib.Path
  camera: str
  force: pathlib.Path | None
  plates: tuple[str, ...]
  video_start_s: float | None
  contact_frame: int | None
  where: str


def load(
  root: str | pathlib.Path,
  *,
  need_forces: bool = True,
  subjects: collections.abc.Iterable[str] | None = None,
) -> list[Trial]:
  """Returns the trials of the recording set in `root`, in the file's order.

  Args:
    root: folder with subjects.csv and trials.csv.
    need_forces: whether force, plates and one of video_start_s and contact_frame must be given.
      Without it (prediction) they may be missing or empty, but are checked where they are given.
    subjects: restricts the trials to these subjects. Rows of other subjects are then read for
      their subject and trial name alone, so their files may be absent.

  Raises:
    RecordingError: anything is missing, unreadable, implausible or contradictory.
  """
  root = pathlib.Path(root)
  if not root.is_dir():
    raise RecordingError(
      f'{root}: no such folder; expected a recording set', code='recording.no_folder', file=root
    )
  try:
    known = _read_subjects(root / 'subjects.csv')
    selected = _select_subjects(root / 'subjects.csv', known, subjects)
    return _read_trials(root, known, selected, need_forces)
  except errors.InputError as error:
    raise RecordingError.from_error(error) from error


def digests(trials: collections.abc.Iterable[Trial]) -> dict[str, str]:
  """Returns, for each subject, a hexadecimal digest of what the subject's records are made from.

  The digest covers what the manifests say of the subject's trials, and the contents of their files;
  where files lie, when they were changed and the order of rows do not count.

  Args:
    trials: from `load`.

  Raises:
    RecordingError: a file cannot be read.
  """
  rows: dict[str, list[list[str]]] = {}
  trial_of_video: dict[str, str] = {}  # digest of a video -> name of the last trial that has it
  for trial in trials:
    settings = [
      trial.subject.body_mass_kg, trial.camera, trial.plates, trial.video_start_s,
      trial.contact_frame,
    ]  # fmt: skip
    contents = [_sha256(trial.video), _sha256(trial.force) if trial.force else '']
    if contents[0] in trial_of_video:
      logging.warning(
        '%s: trial %s has the same video as %s; was a row copied and not changed?',
        trial.where, trial.name, trial_of_video[contents[0]],
      )  # fmt: skip
    trial_of_video[contents[0]] = trial.name
    rows.setdefault(trial.subject.name, []).append([trial.name, json.dumps(settings), *contents])
  return {
    subject: hashlib.sha256(json.dumps([subject, sorted(its_rows)]).encode()).hexdigest()
    for subject, its_rows in rows.items()
  }


def _sha256(path: pathlib.Path) -> str:
  try:
    return atomic.sha256(path)
  except OSError as error:
    raise RecordingError(
      f'{path}: {error.strerror or error}', code='recording.unreadable_file', file=path
    ) from error


def _read_subjects(path: pathlib.Path) -> dict[str, Subject]:
  """Returns the subjects of subjects.csv by name, in the file's order."""
  subjects: dict[str, Subject] = {}
  line_of_name: dict[str, int] = {}
  for row in manifest_rows.read(path, ['subject', 'body_mass_kg']):
    name = row.new_name('subject', line_of_name)
    if ',' in name:
      raise row.error(
        'subject', 'a name without a comma (commands take lists such as A,B)', 'recording.bad_name'
      )
    mass = row.number('body_mass_kg', *BODY_MASS_KG, 'kilograms')
    height = row.number('height_m', *HEIGHT_M, 'metres') if row.has('height_m') else None
    subjects[name] = Subject(name, mass, height)
  return subjects


def _select_subjects(
  path: pathlib.Path,
  known: dict[str, Subject],
  requested: collections.abc.Iterable[str] | None,
) -> list[str] | None:
  """Returns the requested subjects, all of them known, or None where all subjects are requested."""
  if requested is None:
    return None
  names = list(requested)
  for name in names:
    if name not in known:
      raise errors.InputError(
        f'{path}: no subject {name!r}; known are {", ".join(known)}',
        code='recording.unknown_subject',
        file=path,
      )
  if not names:
    raise errors.InputError(
      f'no subjects asked for; known are {", ".join(known)}',
      code='recording.no_subjects',
      file=path,
    )
  return names


def _read_trials(
  root: pathlib.Path, subjects: dict[str, Subject], selected: list[str] | None, need_forces: bool
) -> list[Trial]:
  """Returns the trials of trials.csv, or those of the selected subjects, in the file's order."""
  path = root / 'trials.csv'
  required = ['subject', 'trial', 'video', 'camera']
  if need_forces:
    required += ['force', 'plates']
  rows = manifest_rows.read(path, required)
  if need_forces and not {'video_start_s', 'contact_frame'} & set(rows[0].cells):
    raise delimited_text.missing_columns(
      path, 1, 'video_start_s or contact_frame', list(rows[0].cells)
    )
  trials: list[Trial] = []
  line_of_name: dict[str, int] = {}
  for row in rows:
    subject = row.text('subject')
    if subject not in subjects:
      raise row.error(
        'subject', f'a subject of subjects.csv ({", ".join(subjects)})', 'recording.unknown_subject'
      )
    name = row.new_name('trial', line_of_name)
    if selected is None or subject in selected:
      trials.append(_trial(root, row, subjects[subject], name, need_forces))
  if not trials:
    raise errors.InputError(
      f'{path}: no trials of {", ".join(selected or subjects)}',
      code='recording.no_trials',
      file=path,
    )
  return trials


def _trial(
  root: pathlib.Path, row: manifest_rows.Row, subject: Subject, name: str, need_forces: bool
) -> Trial:
  camera = row.text('camera')
  if camera not in conventions.LEGS:
    raise row.error('camera', 'left or right, the side of the walker on which the camera stands')
  video = row.file('video', root)
  force: pathlib.Path | None = None
  plates: tuple[str, ...] = ()
  if need_forces or row.has('force'):
    force = row.file('force', root)
    if force.suffix.lower() not in FORCE_EXTENSIONS:
      raise row.error('force', f'a file ending in {", ".join(FORCE_EXTENSIONS)}', 'force.format')
  if need_forces or row.has('plates'):
    plates = tuple(leg.strip() for leg in row.text('plates').split(';'))
    if not set(plates) <= set(conventions.LEGS):
      raise row.error(
        'plates', 'left or right for every plate, plate 1 first, with semicolons between'
      )
  start_s, contact_frame = _synchronization(row, need_forces)
  where = delimited_text.format_place(pathlib.Path(row.path.name), row.line)
  return Trial(subject, name, video, camera, force, plates, start_s, contact_frame, where)


def _synchronization(row: manifest_rows.Row, required: bool) -> tuple[float | None, int | None]:
  """Returns video_start_s and contact_frame of a row, of which at most one is given."""
  start_s: float | None = None
  if row.has('video_start_s'):
    start_s = row.number('video_start_s', -math.inf, math.inf, 'seconds')
  contact_frame = row.frame('contact_frame') if row.has('contact_frame') else None
  if start_s is not None and contact_frame is not None:
    raise row.error(
      'contact_frame',
      f'one of video_start_s (here {start_s:g}) and contact_frame, not both',
      'recording.synchronization',
    )
  if required and start_s is None and contact_frame is None:
    raise row.error(
      'video_start_s',
      'a value here or in contact_frame; both are empty',
      'recording.synchronization',
    )
  return start_s, contact_frame
