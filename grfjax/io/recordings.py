"""Reads a recording set (subjects.csv, trials.csv, videos, force files) into checked trials.

The README describes the layout. Only the two manifests are opened, and files of quiet standing
where a body mass is to come from one; videos and force files are only checked to exist. What cannot
be used is a `RecordingError` that names file, line and column, what was found and what was
expected: `load` raises the first one, `examine` collects them all.
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
from grfjax.io import (
  atomic,
  body_height,
  body_mass,
  delimited_text,
  force_files,
  manifest_rows,
)

# Outside these limits a unit is mistaken (grams, implausible pounds, centimetres), not a person
# unusual: from a newborn to the heaviest and tallest people on record, rounded outwards.
BODY_MASS_KG = (5.0, 300.0)
HEIGHT_M = body_height.LIMITS_M
AGE_YEARS = (0.0, 120.0)

# From a person who fills an 8K picture to one who is 30 pixels high.
SCALE_M_PER_PX = (1e-4, 0.1)

# Real seconds in a second of film: from 2,500 frames a second played at 25 to a tenfold time lapse.
SPEED = (0.01, 10.0)

_MASS_TOLERANCE = 0.05  # clothes, shoes and a meal are less; pounds for kilograms are far more


class RecordingError(errors.InputError):
  """A recording set that cannot be used as it is; the message says where and why."""


@dataclasses.dataclass(frozen=True)
class Subject:
  """One person who walks.

  Attributes:
    name: unique in the set without regard to case.
    body_mass_kg: kilograms.
    height_m: metres, or None where it is not given.
    weighed_kg: what the plates carry in quiet standing; None where there is no file of it.
    age_years: None where it is not given.
  """

  name: str
  body_mass_kg: float
  height_m: float | None
  weighed_kg: float | None = None
  age_years: float | None = None


@dataclasses.dataclass(frozen=True)
class Trial:
  """One video with what the set says about it.

  Attributes:
    subject: who walks.
    name: unique in the set without regard to case; fit to be a file's name.
    video: the video file.
    camera: 'left' or 'right', the walker's side on which the camera stands.
    force: the force file, or several whose plates follow one another; empty only where forces are
      not needed.
    force_format: the name of the files' format (`force_files.read`), '' where it is recognised.
    plates: the leg that steps on each plate, plate 1 first; empty where not given (then the force
      file must name the legs).
    video_start_s: the force clock at the video's first frame, seconds, or None.
    contact_frame: 0-based, the first frame that shows the foot on plate 1, or None.
    root: the recording set.
    where: 'trials.csv, line 7', for later messages about this trial.
    degraded: what was done to the video to make it worse, in words of one's own; empty for a video
      as it was filmed.
    scale_m_per_px: metres in a pixel of the video at the walker's distance; None where not given.
    speed: real seconds in a second of the video, or None: what the file says, or 1.
    feet: the file with the places of the feet in the picture (`foot_files`), or None.
  """

  subject: Subject
  name: str
  video: pathlib.Path
  camera: str
  force: tuple[pathlib.Path, ...]
  force_format: str
  plates: tuple[str, ...]
  video_start_s: float | None
  contact_frame: int | None
  root: pathlib.Path
  where: str
  degraded: tuple[str, ...] = ()
  scale_m_per_px: float | None = None
  speed: float | None = None
  feet: pathlib.Path | None = None

  @property
  def force_name(self) -> str:
    """The force files, for messages."""
    return ', '.join(map(str, self.force))


@dataclasses.dataclass(frozen=True)
class Examined:
  """What a recording set holds.

  Attributes:
    trials: those whose rows can be used, in the file's order.
    problems: what is wrong with the manifests, in the order in which it was found.
  """

  trials: list[Trial]
  problems: list[RecordingError]


def load(
  root: str | pathlib.Path,
  *,
  need_forces: bool = True,
  need_synchronization: bool | None = None,
  subjects: collections.abc.Iterable[str] | None = None,
) -> list[Trial]:
  """Returns the trials of the recording set in `root`, in the file's order.

  Args:
    root: folder with subjects.csv and trials.csv.
    need_forces: whether force and plates must be given. Without it (prediction) they may be missing
      or empty, but are checked where they are given.
    need_synchronization: whether one of video_start_s and contact_frame must be given; None: where
      forces must.
    subjects: restricts the trials to these subjects. Rows of other subjects are then read for
      their subject and trial name alone, so their files may be absent.

  Raises:
    RecordingError: anything is missing, unreadable, implausible or contradictory.
  """
  if need_synchronization is None:
    need_synchronization = need_forces
  examined = _examine(pathlib.Path(root), need_forces, need_synchronization, subjects)
  if examined.problems:
    raise examined.problems[0]
  return examined.trials


def examine(root: str | pathlib.Path, *, need_synchronization: bool = True) -> Examined:
  """Returns the trials of a recording set with forces, and everything that `load` would refuse.

  Args:
    root: folder with subjects.csv and trials.csv.
    need_synchronization: whether one of video_start_s and contact_frame must be given.
  """
  return _examine(pathlib.Path(root), True, need_synchronization, None)


def _examine(
  root: pathlib.Path,
  need_forces: bool,
  need_synchronization: bool,
  subjects: collections.abc.Iterable[str] | None,
) -> Examined:
  if not root.is_dir():
    message = f'{root}: no such folder; expected a recording set'
    return Examined([], [RecordingError(message, code='recording.no_folder', file=root)])
  problems: list[errors.InputError] = []
  trials: list[Trial] = []
  try:
    known = _read_subjects(root, problems)
    selected = _select_subjects(root / 'subjects.csv', known, subjects)
    trials = _read_trials(root, known, selected, need_forces, need_synchronization, problems)
  except errors.InputError as error:  # about a whole file
    problems.append(error)
  return Examined(trials, [RecordingError.from_error(problem) for problem in problems])


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
      trial.contact_frame, *([trial.degraded] if trial.degraded else []),
      *([{'speed': trial.speed}] if trial.speed is not None else []),
    ]  # fmt: skip
    contents = [_sha256(trial.video), *([_sha256(file) for file in trial.force] or [''])]
    if trial.force_format:
      settings.append(trial.force_format)
      own = force_files.own_format(trial.root, trial.force_format)
      contents += [_sha256(own)] if own else []
    if trial.feet is not None:
      contents += ['feet', _sha256(trial.feet)]
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


def _read_subjects(
  root: pathlib.Path, problems: list[errors.InputError]
) -> dict[str, Subject | None]:
  """Returns the subjects of subjects.csv by name, in the file's order.

  Args:
    root: the recording set.
    problems: gets what is wrong with rows; their subjects are None.
  """
  subjects: dict[str, Subject | None] = {}
  line_of_name: dict[str, int] = {}
  path = root / 'subjects.csv'
  rows = manifest_rows.read(path, ['subject'])
  if not {'body_mass_kg', 'static'} & set(rows[0].cells):
    raise delimited_text.missing_columns(path, 1, 'body_mass_kg', list(rows[0].cells))
  for row in rows:
    name = row.cells['subject']
    try:
      name = row.new_name('subject', line_of_name)
      if ',' in name:
        raise row.error(
          'subject',
          'a name without a comma (commands take lists such as A,B)',
          'recording.bad_name',
        )
      weighed = _weigh(root, row) if row.has('static') else None
      mass = _read_body_mass(row, weighed)
      height = _read_height(row) if row.has('height_m') else None
      age = row.number('age_years', *AGE_YEARS, 'years') if row.has('age_years') else None
      subjects[name] = Subject(name, mass, height, weighed, age)
    except errors.InputError as error:
      problems.append(error)
      subjects.setdefault(name, None)
  return subjects


def _weigh(root: pathlib.Path, row: manifest_rows.Row) -> float:
  """Returns the mass that plates carry in a subject's file of quiet standing, kilograms.

  Raises:
    InputError: the file cannot be used, or the mass is implausible.
  """
  weighed = body_mass.weigh(
    tuple(row.files('static', root)), row.cells.get('force_format', ''), root
  )
  low, high = BODY_MASS_KG
  if not low <= weighed <= high:
    raise row.error(
      'static',
      f'quiet standing of {low:g} to {high:g} kilograms; the plates carry {weighed:.4g}',
      'recording.out_of_range',
    )
  return weighed


def _read_body_mass(row: manifest_rows.Row, weighed: float | None) -> float:
  """Returns a subject's mass in kilograms: as given, or else as weighed.

  Raises:
    InputError: there is neither, or they contradict each other.
  """
  if not row.has('body_mass_kg'):
    if weighed is None:
      raise row.error(
        'body_mass_kg', 'kilograms, or a file of quiet standing in static', 'table.empty_cell'
      )
    return weighed
  mass = row.number('body_mass_kg', *BODY_MASS_KG, 'kilograms')
  if weighed is not None and abs(mass - weighed) > _MASS_TOLERANCE * weighed:
    raise row.error(
      'body_mass_kg',
      f'about the {weighed:.4g} kilograms that the plates carry in {row.cells["static"]}',
      'recording.body_mass',
    )
  return mass


def _read_height(row: manifest_rows.Row) -> float:
  """Returns a subject's height in metres.

  Raises:
    InputError: it is none; the message says what it is in metres if it is in another unit.
  """
  height = row.number('height_m', -math.inf, math.inf, 'metres')
  if not body_height.is_possible(height):
    raise row.error('height_m', body_height.expected(height), 'recording.out_of_range')
  return height


def _select_subjects(
  path: pathlib.Path,
  known: collections.abc.Collection[str],
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
  root: pathlib.Path,
  subjects: dict[str, Subject | None],
  selected: list[str] | None,
  need_forces: bool,
  need_synchronization: bool,
  problems: list[errors.InputError],
) -> list[Trial]:
  """Returns the trials of trials.csv, or those of the selected subjects, in the file's order.

  Args:
    root: the recording set.
    subjects: by name; None for those whose rows cannot be used, which are problems already.
    selected: names of subjects, or None for all.
    need_forces: as in `load`.
    need_synchronization: as in `load`.
    problems: gets what is wrong with rows.
  """
  path = root / 'trials.csv'
  required = ['subject', 'trial', 'video', 'camera']
  if need_forces:
    required += ['force', 'plates']
  rows = manifest_rows.read(path, required)
  if need_synchronization and not {'video_start_s', 'contact_frame'} & set(rows[0].cells):
    raise delimited_text.missing_columns(
      path, 1, 'video_start_s or contact_frame', list(rows[0].cells)
    )
  trials: list[Trial] = []
  line_of_name: dict[str, int] = {}
  for row in rows:
    try:
      name = row.text('subject')
      if name not in subjects:
        expected = f'a subject of subjects.csv ({", ".join(subjects)})'
        raise row.error('subject', expected, 'recording.unknown_subject')
      trial_name = row.new_name('trial', line_of_name)
      subject = subjects[name]
      if subject is not None and (selected is None or name in selected):
        trials.append(_trial(root, row, subject, trial_name, need_forces, need_synchronization))
    except errors.InputError as error:
      problems.append(error)
  if not trials and not problems:
    raise errors.InputError(
      f'{path}: no trials of {", ".join(selected or subjects)}',
      code='recording.no_trials',
      file=path,
    )
  return trials


def _trial(
  root: pathlib.Path,
  row: manifest_rows.Row,
  subject: Subject,
  name: str,
  need_forces: bool,
  need_synchronization: bool,
) -> Trial:
  camera = conventions.LEG_NAMES.get(row.text('camera').lower(), '')
  if not camera:
    raise row.error('camera', 'left or right, the side of the walker on which the camera stands')
  video = row.file('video', root)
  force: tuple[pathlib.Path, ...] = ()
  force_format = row.cells.get('force_format', '')
  if need_forces or row.has('force'):
    force = tuple(row.files('force', root))
    for file in force:
      if file.suffix.lower() not in force_files.EXTENSIONS:
        expected = f'a file ending in {", ".join(force_files.EXTENSIONS)}'
        raise row.error('force', expected, 'force.format')
  plates: tuple[str, ...] = ()
  if row.has('plates'):
    plates = _plates(row, camera)
  elif need_forces and not force_files.may_name_legs(force, force_format):
    raise row.error(
      'plates',
      'left or right for every plate, plate 1 first; the force file does not name the legs',
      'table.empty_cell',
    )
  start_s, contact_frame = _synchronization(row, need_synchronization)
  where = delimited_text.format_place(pathlib.Path(row.path.name), row.line)
  scale = None
  if row.has('scale_m_per_px'):
    scale = row.number('scale_m_per_px', *SCALE_M_PER_PX, 'metres a pixel')
  speed = row.number('speed', *SPEED, 'real seconds a second of film') if row.has('speed') else None
  feet = row.file('feet', root) if row.has('feet') else None
  degraded = tuple(what.strip() for what in row.cells.get('degraded', '').split(';'))
  return Trial(
    subject, name, video, camera, force, force_format, plates, start_s, contact_frame, root, where,
    tuple(filter(None, degraded)), scale, speed, feet,
  )  # fmt: skip


def _plates(row: manifest_rows.Row, camera: str) -> tuple[str, ...]:
  """Returns the leg on each plate; near is the leg on the camera's side."""
  far = conventions.LEGS[1 - conventions.LEGS.index(camera)]
  legs = {**conventions.LEG_NAMES, 'near': camera, 'far': far}
  names = [name.strip().lower() for name in row.text('plates').split(';')]
  if not set(names) <= set(legs):
    raise row.error(
      'plates',
      'left or right (or L, R, near, far) for every plate, plate 1 first, with semicolons between',
    )
  return tuple(legs[name] for name in names)


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
      'a value here or in contact_frame; both are empty (python -m grfjax.check --find_sync may '
      'find it)',
      'recording.synchronization',
    )
  return start_s, contact_frame
