"""Everything that is stored, as a zip that is made while it is sent."""

from __future__ import annotations

import csv
import io
import math
import pathlib
import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from grfjax.app import results, store

_PORTION = 2**20  # bytes
_FORMULA = tuple('=+-@\t\r')  # a spreadsheet would compute cells that begin so
_TEXTS = ('.html', '.csv', '.mot', '.xml', '.json')  # the other files are compressed already
_FILM = 'film_as_sent_in'
_FILM_KINDS = {  # how a film begins (its first 12 bytes) -> the usual end of its name
  rb'....ftypqt  ': '.mov',
  rb'....(ftyp|moov|mdat|wide|free|skip).*': '.mp4',
  rb'\x1aE\xdf\xa3.*': '.mkv',  # WebM is of this kind too
  rb'RIFF....AVI ': '.avi',
}
_WALK_COLUMNS = (
  'pseudonym', 'filmed_on', 'received', 'body_mass_kg', 'height_m', 'age_years', 'state', 'folder',
)  # fmt: skip


class _Outlet(io.RawIOBase):
  """A file that is only written to, whose content is taken out again as it comes."""

  def __init__(self) -> None:
    super().__init__()
    self._waiting = bytearray()

  def writable(self) -> bool:
    return True

  def write(self, data) -> int:
    self._waiting += data
    return len(data)

  def taken(self) -> bytes:
    """Returns what was written since."""
    data = bytes(self._waiting)
    self._waiting.clear()
    return data


def zip_walks(
  places: store.Store, people: Sequence[store.Person], walks: Sequence[store.Walk]
) -> Iterator[bytes]:
  """Yields a zip with walks.csv, measures.csv and a folder of each walk, in portions.

  The folder holds the film as it was sent in and what `predict` writes. Its name is made of numbers
  and the date alone, as a pseudonym may be no name for a file. What is deleted meanwhile is left
  out.

  Args:
    places: where the files are.
    people: who walks.
    walks: of these.
  """
  folders = _folders(people, walks)
  pseudonyms = {person.id: person.pseudonym for person in people}
  outlet = _Outlet()
  with zipfile.ZipFile(outlet, 'w', zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
    archive.writestr('walks.csv', _walks_table(walks, pseudonyms, folders))
    archive.writestr('measures.csv', _measures_table(places, walks, pseudonyms, folders))
    for walk in walks:
      yield outlet.taken()
      film = places.film_of(walk.id)
      films = {film.name: f'{_FILM}{_film_suffix(film)}'}
      for stored, name in (films | {file: name for name, file in results.FILES.items()}).items():
        path = places.folder_of(walk.id) / stored
        yield from _added(archive, outlet, path, f'{folders[walk.id]}/{name}')
  yield outlet.taken()


def _film_suffix(film: pathlib.Path) -> str:
  """Returns the end of a name by which programs open a film; '' where it is of no known kind."""
  try:
    with film.open('rb') as file:
      start = file.read(12)
  except FileNotFoundError:
    return ''
  kinds = _FILM_KINDS.items()
  return next((end for kind, end in kinds if re.fullmatch(kind, start, re.DOTALL)), '')


def _folders(people: Sequence[store.Person], walks: Sequence[store.Walk]) -> dict[str, str]:
  """Returns the folder in the zip of each walk, by its id; `walks` has the newest first."""
  folders = {}
  for number, person in enumerate(people, 1):
    theirs = [walk for walk in reversed(walks) if walk.person == person.id]
    for count, walk in enumerate(theirs, 1):
      folders[walk.id] = f'person_{number}/{walk.filmed_on}_walk_{count}'
  return folders


def _added(
  archive: zipfile.ZipFile, outlet: _Outlet, path: pathlib.Path, name: str
) -> Iterator[bytes]:
  """Adds a file, if it is there, and yields what that gives."""
  try:
    file = path.open('rb')
  except FileNotFoundError:
    return
  info = zipfile.ZipInfo.from_file(path, name)
  is_text = name.endswith(_TEXTS)
  info.compress_type = zipfile.ZIP_DEFLATED if is_text else zipfile.ZIP_STORED
  with file, archive.open(info, 'w', force_zip64=True) as member:
    while portion := file.read(_PORTION):
      member.write(portion)
      yield outlet.taken()


def _walks_table(
  walks: Sequence[store.Walk], pseudonyms: dict[str, str], folders: dict[str, str]
) -> str:
  rows = [
    (
      pseudonyms[walk.person], walk.filmed_on, walk.received, walk.body_mass_kg, walk.height_m,
      walk.age_years, walk.state, folders[walk.id],
    )
    for walk in walks
  ]  # fmt: skip
  return _csv(_WALK_COLUMNS, rows)


def _measures_table(
  places: store.Store,
  walks: Sequence[store.Walk],
  pseudonyms: dict[str, str],
  folders: dict[str, str],
) -> str:
  rows = []
  for result in results.read_results(places, walks):
    for name, measure in results.MEASURES.items():
      for leg in results.legs_of(name):
        value = result.value(name, leg)
        rows.append((
          pseudonyms[result.walk.person], result.walk.filmed_on, folders[result.walk.id], name,
          measure.unit, leg, '' if math.isnan(value) else f'{value:.6g}',
        ))  # fmt: skip
  return _csv(('pseudonym', 'filmed_on', 'folder', 'measure', 'unit', 'leg', 'mean'), rows)


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  writer.writerow(header)
  for row in rows:
    writer.writerow(f"'{c}" if isinstance(c, str) and c.startswith(_FORMULA) else c for c in row)
  return text.getvalue()
