"""Reads a recording set (subjects.csv, trials.csv, videos, force files) into checked trials.

The README describes the layout. `load` opens nothing but the two manifests; videos and force files
are only checked to exist. Every complaint is a `RecordingError` that names
file, line and column, what was found and what was expected.
"""

from __future__ import annotations

import collections.abc
import csv
import dataclasses
import hashlib
import io
import json
import math
import pathlib
import re
import unicodedata

from absl import logging

from grfjax import conventions
from grfjax.io import atomic, delimited_text

FORCE_EXTENSIONS = ('.csv', '.c3d', '.mot')


# Outside these a unit is wrong (grams, pounds beyond belief, centimetres), not a person unusual:
# from a newborn to the heaviest and tallest people on record, rounded outwards.
BODY_MASS_KG = (5.0, 300.0)

HEIGHT_M = (0.5, 2.6)


_MAX_NAME_BYTES = 200  # file systems end at 255, and '.csv' or a figure's suffix is added


class RecordingError(ValueError):
  """A recording set that cannot be used as it is; the message says where and why."""


@dataclasses.dataclass(frozen=True)
class Subject:
  """One person: `body_mass_kg` in kilograms, `height_m` in metres or None where not given."""

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
    where: 'trials.csv, line 7', for later complaints about this trial.
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
    raise RecordingError(f'{root}: no such folder; expected a recording set')
  people = _subjects(root / 'subjects.csv')
  wanted = None if subjects is None else list(subjects)
  for name in wanted or ():
    if name not in people:
      raise RecordingError(
        f'{root / "subjects.csv"}: no subject {name!r}; known are {", ".join(people)}'
      )
  if wanted is not None and not wanted:
    raise RecordingError(f'no subjects asked for; known are {", ".join(people)}')
  required = ['subject', 'trial', 'video', 'camera']
  if need_forces:
    required += ['force', 'plates']
  rows = _rows(root / 'trials.csv', required)
  if need_forces and not {'video_start_s', 'contact_frame'} & set(rows[0].cells):
    raise RecordingError(
      f'{root / "trials.csv"}, line 1: no column video_start_s or contact_frame; found '
      f'{delimited_text.listed_columns(list(rows[0].cells))}'
    )
  trials: list[Trial] = []
  seen: dict[str, int] = {}
  for row in rows:
    subject = row.text('subject')
    if subject not in people:
      raise row.error('subject', f'a subject of subjects.csv ({", ".join(people)})')
    name = row.new_name('trial', seen)
    if wanted is None or subject in wanted:
      trials.append(_trial(root, row, people[subject], name, need_forces))
  if not trials:
    raise RecordingError(f'{root / "trials.csv"}: no trials of {", ".join(wanted or people)}')
  return trials


def digests(trials: collections.abc.Iterable[Trial]) -> dict[str, str]:
  """What records are made from, as a hexadecimal digest for each subject.

  Over what the manifests say of the subject's trials and over the contents of their files; where
  files lie, when they were changed and the order of rows do not count.

  Args:
    trials: from `load`.

  Raises:
    RecordingError: a file cannot be read.
  """
  found: dict[str, list[list[str]]] = {}
  seen: dict[str, str] = {}
  for trial in trials:
    said = [
      trial.subject.body_mass_kg, trial.camera, trial.plates, trial.video_start_s,
      trial.contact_frame,
    ]  # fmt: skip
    contents = [_digest(trial.video), _digest(trial.force) if trial.force else '']
    if contents[0] in seen:
      logging.warning(
        '%s: trial %s has the same video as %s; was a row copied and not changed?',
        trial.where, trial.name, seen[contents[0]],
      )  # fmt: skip
    seen[contents[0]] = trial.name
    found.setdefault(trial.subject.name, []).append([trial.name, json.dumps(said), *contents])
  return {
    name: hashlib.sha256(json.dumps([name, sorted(rows)]).encode()).hexdigest()
    for name, rows in found.items()
  }


def _digest(path: pathlib.Path) -> str:
  try:
    return atomic.sha256(path)
  except OSError as e:
    raise RecordingError(f'{path}: {e.strerror or e}') from e


def _subjects(path: pathlib.Path) -> dict[str, Subject]:
  people: dict[str, Subject] = {}
  seen: dict[str, int] = {}
  for row in _rows(path, ['subject', 'body_mass_kg']):
    name = row.new_name('subject', seen)
    if ',' in name:
      raise row.error('subject', 'a name without a comma (commands take lists such as A,B)')
    mass = row.number('body_mass_kg', *BODY_MASS_KG, 'kilograms')
    height = row.number('height_m', *HEIGHT_M, 'metres') if row.has('height_m') else None
    people[name] = Subject(name, mass, height)
  return people


def _trial(root: pathlib.Path, row: _Row, subject: Subject, name: str, need_forces: bool) -> Trial:
  camera = row.text('camera')
  if camera not in conventions.LEGS:
    raise row.error('camera', 'left or right, the side of the walker on which the camera stands')
  video = row.file('video', root)
  force: pathlib.Path | None = None
  plates: tuple[str, ...] = ()
  if need_forces or row.has('force'):
    force = row.file('force', root)
    if force.suffix.lower() not in FORCE_EXTENSIONS:
      raise row.error('force', f'a file ending in {", ".join(FORCE_EXTENSIONS)}')
  if need_forces or row.has('plates'):
    plates = tuple(leg.strip() for leg in row.text('plates').split(';'))
    if not set(plates) <= set(conventions.LEGS):
      raise row.error(
        'plates', 'left or right for every plate, plate 1 first, with semicolons between'
      )
  start = (
    row.number('video_start_s', -math.inf, math.inf, 'seconds')
    if (row.has('video_start_s'))
    else None
  )
  contact = row.frame('contact_frame') if row.has('contact_frame') else None
  if start is not None and contact is not None:
    raise row.error(
      'contact_frame', f'one of video_start_s (here {start:g}) and contact_frame, not both'
    )
  if need_forces and start is None and contact is None:
    raise row.error('video_start_s', 'a value here or in contact_frame; both are empty')
  return Trial(
    subject, name, video, camera, force, plates, start, contact, f'{row.path.name}, line {row.line}'
  )


@dataclasses.dataclass(frozen=True)
class _Row:
  """One line of a manifest; its readers turn a cell into a value or into a complaint."""

  path: pathlib.Path
  line: int
  cells: dict[str, str]
  decimal_comma: bool

  def error(self, column: str, expected: str) -> RecordingError:
    return RecordingError(
      f'{self.path}, line {self.line}, column {column}: found '
      f'{self.cells.get(column, "")!r}, expected {expected}'
    )

  def has(self, column: str) -> bool:
    return bool(self.cells.get(column))

  def text(self, column: str) -> str:
    if not self.has(column):
      raise self.error(column, 'a value; the cell is empty')
    return self.cells[column]

  def number(self, column: str, low: float, high: float, unit: str) -> float:
    text = self.text(column)
    # A semicolon file comes from a spreadsheet that writes 61,5; '1.234,5' stays refused.
    if self.decimal_comma and '.' not in text:
      text = text.replace(',', '.', 1)
    if not delimited_text.NUMBER.fullmatch(text):
      raise self.error(column, f'a number ({unit}, with a decimal point)')
    value = float(text)
    if not math.isfinite(value):
      raise self.error(column, f'a finite number ({unit})')
    if not low <= value <= high:
      raise self.error(column, f'{low:g} to {high:g} {unit}')
    return value

  def frame(self, column: str) -> int:
    text = self.text(column)
    if not re.fullmatch(r'[0-9]{1,9}', text):
      raise self.error(column, 'a whole number, 0 or more (frames are counted from 0)')
    return int(text)

  def new_name(self, column: str, seen: dict[str, int]) -> str:
    """A name that can be a file's name, not yet in `seen` (folded name -> line)."""
    name = self.text(column)
    if any(unicodedata.category(c) in ('Cc', 'Cf', 'Zl', 'Zp') for c in name):
      raise self.error(column, 'a name without control characters')
    if name.startswith('.') or '..' in name:
      raise self.error(column, "a name that neither starts with a dot nor holds '..'")
    if re.search(r'[/\\:*?"<>|]', name):
      raise self.error(column, 'a name without / \\ : * ? " < > | (files are named after it)')
    if len(name.encode()) > _MAX_NAME_BYTES:
      raise self.error(column, f'a name of at most {_MAX_NAME_BYTES} bytes')
    # Folded, because some file systems take A and a for one file.
    folded = unicodedata.normalize('NFC', name).casefold()
    if folded in seen:
      raise self.error(
        column,
        f'a {column} that is not there yet; line {seen[folded]} has it (capitals do not count)',
      )
    seen[folded] = self.line
    return name

  def file(self, column: str, root: pathlib.Path) -> pathlib.Path:
    text = self.text(column)
    windows = pathlib.PureWindowsPath(text)
    if windows.is_absolute() or windows.drive or windows.root or '..' in windows.parts:
      raise self.error(column, "a path inside the recording set: relative, without '..'")
    path = root / text
    try:
      there = path.is_file()
    except (OSError, ValueError):  # too long, or holds a NUL
      there = False
    if not there:
      hint = ' (folders are separated by /)' if '\\' in text else ''
      raise self.error(column, f'a file; there is no {path}{hint}')
    return path


def _rows(path: pathlib.Path, required: list[str]) -> list[_Row]:
  """The non-empty rows of a table that has at least the columns `required`."""
  text = delimited_text.read_text(path)
  separator = delimited_text.delimiter(text.lstrip().partition('\n')[0].partition('\r')[0])
  reader = csv.reader(io.StringIO(text, newline=''), delimiter=separator, strict=True)
  rows: list[_Row] = []
  names: list[str] | None = None
  try:
    for cells in reader:
      cells = [cell.strip() for cell in cells]
      if names is None:
        names = cells
        _check_header(path, names, required)
      elif any(cells):  # spreadsheets leave lines of bare separators
        if len(cells) != len(names):
          raise RecordingError(
            f'{path}, line {reader.line_num}: found {len(cells)} cells, expected {len(names)} as '
            f'in the header (a cell that holds {separator!r} needs quotes)'
          )
        line = dict(zip(names, cells, strict=True))
        rows.append(_Row(path, reader.line_num, line, separator == ';'))
  except csv.Error as e:
    raise RecordingError(f'{path}, line {reader.line_num}: {e}') from e
  if not rows:
    raise RecordingError(f'{path}: no rows; expected the columns {", ".join(required)}')
  return rows


def _check_header(path: pathlib.Path, names: list[str], required: list[str]) -> None:
  missing = [name for name in required if name not in names]
  if missing:
    raise RecordingError(
      f'{path}, line 1: no column {", ".join(missing)}; found '
      f'{delimited_text.listed_columns(names)}'
    )
  for name in names:
    if name and names.count(name) > 1:
      raise RecordingError(
        f'{path}, line 1, column {name}: found {names.count(name)} times, expected once'
      )
