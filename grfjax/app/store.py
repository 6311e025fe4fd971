"""The list of people and walks, and the queue: a SQLite database and a folder for each walk.

The server and the worker share it. Every change is one transaction; a walk is in the list once its
film is whole on the disk, so that what has been acknowledged is not lost. What is deleted is
overwritten in the database (`secure_delete`).

On a disk that others have filled everything can still be looked at and deleted: reading writes
nothing, as it would with a write-ahead log, and deleting gives up a file that is kept for that.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from typing import Any

from grfjax import errors
from grfjax.io import atomic

MAX_ATTEMPTS = 3  # of a job during which the worker died; the film may be what kills it
FINAL = ('checked', 'done', 'failed')  # states that stay until somebody does something
_QUEUED = {'checking': 'check_queued', 'estimating': 'estimate_queued'}
_RUNNING = {queued: running for running, queued in _QUEUED.items()}

# Given up while something is deleted. The journal of a transaction holds the pages that it changes:
# some 50 pages of 4 KiB where somebody with a hundred walks is deleted.
_RESERVE_BYTES = 2 * 2**20

_VERSION = 1
_SCHEMA = """
CREATE TABLE people (id TEXT PRIMARY KEY, pseudonym TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE walks (
  id TEXT PRIMARY KEY,
  person TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
  filmed_on TEXT NOT NULL,
  received TEXT NOT NULL,
  body_mass_kg REAL NOT NULL,
  height_m REAL,
  age_years REAL,
  bytes INTEGER NOT NULL,
  state TEXT NOT NULL,
  turn INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  stage TEXT NOT NULL DEFAULT '',
  progress REAL NOT NULL DEFAULT 0,
  film_check TEXT NOT NULL DEFAULT 'null',
  code TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX walks_person ON walks (person);
CREATE INDEX walks_state ON walks (state);
"""


@dataclasses.dataclass(frozen=True)
class Person:
  """Somebody who walks.

  Attributes:
    id: unguessable.
    pseudonym: as typed in.
    walks: how many there are.
    last_date: of the newest walk, 'YYYY-MM-DD'.
    working: how many of the walks are queued, checked or estimated now.
  """

  id: str
  pseudonym: str
  walks: int
  last_date: str
  working: int


@dataclasses.dataclass(frozen=True)
class WalkData:
  """What is known of a walk before its film is looked at.

  Attributes:
    pseudonym: who walks.
    filmed_on: 'YYYY-MM-DD'.
    body_mass_kg: kilograms.
    height_m: metres, or None.
    age_years: years, or None.
  """

  pseudonym: str
  filmed_on: str
  body_mass_kg: float
  height_m: float | None
  age_years: float | None


@dataclasses.dataclass(frozen=True)
class Walk:
  """A film and how far it has come.

  Attributes:
    id: unguessable.
    person: id of who walks.
    filmed_on: 'YYYY-MM-DD'.
    received: 'YYYY-MM-DD HH:MM', local time.
    body_mass_kg: kilograms.
    height_m: metres, or None.
    age_years: years, or None.
    bytes: of the film.
    state: 'check_queued', 'checking', 'checked', 'estimate_queued', 'estimating', 'done' or
      'failed'.
    turn: place in the queue; lower comes first.
    attempts: how often the present job was begun.
    stage: of `grfjax.io.progress`, or ''.
    progress: 0 to 1, of the job.
    film_check: what `film_check.check_film` found, or None.
    code: why it failed, or ''.
    detail: likewise, in English.
  """

  id: str
  person: str
  filmed_on: str
  received: str
  body_mass_kg: float
  height_m: float | None
  age_years: float | None
  bytes: int
  state: str
  turn: int
  attempts: int
  stage: str
  progress: float
  film_check: dict[str, Any] | None
  code: str
  detail: str


def new_id() -> str:
  """Returns an id that nobody can guess: 128 random bits, 22 letters."""
  return secrets.token_urlsafe(16)


class Store:
  """The database and the folders of films and results.

  Attributes:
    folder: that holds everything.
    uploads: folder of films that are not whole yet.
  """

  def __init__(self, folder: pathlib.Path):
    """Opens the store, or makes a new one.

    Raises:
      errors.InputError: the database was made by another version.
      OSError: the folder cannot be written.
    """
    self.folder = folder
    self.uploads = folder / 'uploads'
    self._walks = folder / 'walks'
    self._database = folder / 'walks.sqlite3'
    self._reserve = folder / 'reserve'
    for path in (folder, self.uploads, self._walks):
      path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with self._connected() as database:
      database.execute('PRAGMA journal_mode = DELETE')  # earlier versions wrote ahead
    with self._transaction() as database:
      (version,) = database.execute('PRAGMA user_version').fetchone()
      if version == 0:
        for statement in _SCHEMA.split(';'):
          database.execute(statement)
        database.execute(f'PRAGMA user_version = {_VERSION}')
      elif version != _VERSION:
        raise errors.InputError(
          f'{self._database}: is of version {version}, expected {_VERSION}; it was made by another '
          'version of grfjax',
          code='app.other_version',
          file=self._database,
        )
    self._keep_reserve()

  def folder_of(self, walk: str) -> pathlib.Path:
    """Returns the folder of a walk's film and results."""
    return self._walks / walk

  def film_of(self, walk: str) -> pathlib.Path:
    """Returns the film of a walk, whose name never comes from outside."""
    return self.folder_of(walk) / 'walk.film'

  def remove_leftovers(self) -> None:
    """Removes half uploads and folders without a walk, which only a dead process has left."""
    with self._connected() as database:
      known = {row['id'] for row in database.execute('SELECT id FROM walks')}
    for path in self.uploads.iterdir():
      path.unlink()
    for path in self._walks.iterdir():
      if path.name not in known:
        shutil.rmtree(path)

  def add_walk(self, upload: pathlib.Path, data: WalkData) -> str:
    """Takes a whole film into the list and queues its check.

    Args:
      upload: the film, in `uploads`; it is moved.
      data: what is known of it.

    Returns:
      The walk's id.
    """
    walk, size = new_id(), upload.stat().st_size
    film = self.film_of(walk)
    film.parent.mkdir(mode=0o700)
    upload.replace(film)
    for path in (film.parent, self._walks):
      atomic.sync_to_disk(path)
    with self._transaction() as database:
      person = _person_called(database, data.pseudonym)
      received = datetime.datetime.now().isoformat(' ', 'minutes')
      database.execute(
        'INSERT INTO walks (id, person, filmed_on, received, body_mass_kg, height_m, age_years,'
        " bytes, state, turn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'check_queued', ?)",
        (
          walk, person, data.filmed_on, received, data.body_mass_kg, data.height_m,
          data.age_years, size, _next_turn(database),
        ),
      )  # fmt: skip
    return walk

  def people(self) -> list[Person]:
    """Returns everybody, the one with the newest walk first."""
    with self._connected() as database:
      return [Person(**row) for row in database.execute(_PEOPLE.format(where=''))]

  def person(self, person: str) -> Person | None:
    """Returns somebody, or None where there is nobody of this id."""
    with self._connected() as database:
      row = database.execute(_PEOPLE.format(where='WHERE people.id = ?'), (person,)).fetchone()
    return Person(**row) if row else None

  def walk(self, walk: str) -> Walk | None:
    """Returns a walk, or None where there is none of this id."""
    with self._connected() as database:
      row = database.execute('SELECT * FROM walks WHERE id = ?', (walk,)).fetchone()
    return _as_walk(row) if row else None

  def walks(self, person: str | None = None) -> list[Walk]:
    """Returns the walks of somebody, or of everybody; the newest first."""
    where, values = ('WHERE person = ?', (person,)) if person else ('', ())
    with self._connected() as database:
      rows = database.execute(
        f'SELECT * FROM walks {where} ORDER BY filmed_on DESC, received DESC, rowid DESC', values
      ).fetchall()
    return [_as_walk(row) for row in rows]

  def walks_before(self, walk: Walk) -> int:
    """Returns how many walks the worker takes before a queued one."""
    with self._connected() as database:
      queue = [row['id'] for row in database.execute(_QUEUE)]
      (running,) = database.execute(
        f'SELECT count(*) FROM walks WHERE state IN {tuple(_QUEUED)}'
      ).fetchone()
    return running + queue.index(walk.id) if walk.id in queue else 0

  def queue_job(self, walk: str, state: str, allowed: str) -> bool:
    """Queues a job of a walk.

    Args:
      walk: its id.
      state: 'check_queued' or 'estimate_queued'.
      allowed: the state that it must be in.

    Returns:
      False where it is in another state, as of two that press a button at once.
    """
    with self._transaction() as database:
      changed = database.execute(
        "UPDATE walks SET state = ?, turn = ?, attempts = 0, stage = '', progress = 0, code = '',"
        " detail = '' WHERE id = ? AND state = ?",
        (state, _next_turn(database), walk, allowed),
      )
      return changed.rowcount == 1

  def delete_walk(self, walk: str) -> None:
    """Deletes a walk with its film and results, and its person where it was the last walk."""
    with self._deletion([walk]) as database:
      database.execute('DELETE FROM walks WHERE id = ?', (walk,))
      database.execute('DELETE FROM people WHERE id NOT IN (SELECT person FROM walks)')

  def delete_person(self, person: str) -> None:
    """Deletes somebody with all walks."""
    walks: list[str] = []
    with self._deletion(walks) as database:
      rows = database.execute('SELECT id FROM walks WHERE person = ?', (person,))
      walks += [row['id'] for row in rows]
      database.execute('DELETE FROM people WHERE id = ?', (person,))

  def requeue_interrupted(self) -> None:
    """Queues what a dead worker was at; after `MAX_ATTEMPTS` that is a failure."""
    with self._transaction() as database:
      database.execute(
        "UPDATE walks SET state = 'failed', code = 'app.worker_died', detail = ?"
        f' WHERE state IN {tuple(_QUEUED)} AND attempts >= ?',
        (
          f'the worker ended in the middle {MAX_ATTEMPTS} times, as when memory runs out',
          MAX_ATTEMPTS,
        ),
      )
      for running, queued in _QUEUED.items():
        database.execute('UPDATE walks SET state = ? WHERE state = ?', (queued, running))

  def release(self) -> None:
    """Puts back what the worker is at, as if it had not begun: it is told to stop."""
    with self._transaction() as database:
      for running, queued in _QUEUED.items():
        database.execute(
          "UPDATE walks SET state = ?, attempts = attempts - 1, stage = '', progress = 0"
          ' WHERE state = ?',
          (queued, running),
        )

  def claim(self) -> Walk | None:
    """Takes the next job of the queue: checks first, which are short and waited for."""
    with self._transaction() as database:
      row = database.execute(_QUEUE).fetchone()
      if row is None:
        return None
      database.execute(
        "UPDATE walks SET state = ?, attempts = attempts + 1, stage = '', progress = 0"
        ' WHERE id = ?',
        (_RUNNING[row['state']], row['id']),
      )
      return _as_walk(database.execute('SELECT * FROM walks WHERE id = ?', (row['id'],)).fetchone())

  def set_progress(self, walk: str, stage: str, progress: float) -> bool:
    """Notes how far a job is; False where the walk was deleted meanwhile."""
    with self._transaction() as database:
      changed = database.execute(
        'UPDATE walks SET stage = ?, progress = ? WHERE id = ?', (stage, progress, walk)
      )
      return changed.rowcount == 1

  def finish_check(self, walk: str, found: dict[str, Any]) -> None:
    """Notes what a check found, and queues the estimate where nobody need be asked before."""
    state, progress = ('estimate_queued', 0) if found['verdict'] == 'good' else ('checked', 1)
    self._finish(
      walk, f"state = '{state}', progress = {progress}, attempts = 0, film_check = ?",
      json.dumps(found, allow_nan=False),
    )  # fmt: skip

  def finish_estimate(self, walk: str) -> None:
    """Notes that a walk's results are there."""
    self._finish(walk, "state = 'done', progress = 1")

  def fail(self, walk: str, code: str, detail: str) -> None:
    """Notes why a job failed."""
    self._finish(walk, "state = 'failed', progress = 1, code = ?, detail = ?", code, detail)

  def _finish(self, walk: str, change: str, *values: str) -> None:
    """Changes a walk whose job is over, or removes what the job wrote after it was deleted."""
    with self._transaction() as database:
      changed = database.execute(
        f"UPDATE walks SET stage = '', {change} WHERE id = ?", (*values, walk)
      )
      if changed.rowcount == 0:
        shutil.rmtree(self.folder_of(walk), ignore_errors=True)

  @contextlib.contextmanager
  def _deletion(self, walks: list[str]) -> Iterator[sqlite3.Connection]:
    """A transaction that has room on a full disk, and then removes the folders of walks."""
    self._reserve.unlink(missing_ok=True)
    try:
      with self._transaction() as database:
        yield database
      for walk in walks:
        shutil.rmtree(self.folder_of(walk), ignore_errors=True)
    finally:
      self._keep_reserve()

  def _keep_reserve(self) -> None:
    """Makes the file that the next deletion gives up, as large as there is room."""
    try:
      if self._reserve.stat().st_size == _RESERVE_BYTES:
        return
    except FileNotFoundError:
      pass
    with contextlib.suppress(OSError):  # the disk is full; another deletion or start makes it
      self._reserve.write_bytes(os.urandom(_RESERVE_BYTES))  # takes as much room as it is long

  @contextlib.contextmanager
  def _connected(self) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(self._database, timeout=10, isolation_level=None)
    try:
      database.row_factory = sqlite3.Row
      database.execute('PRAGMA foreign_keys = ON')
      database.execute('PRAGMA secure_delete = ON')
      database.execute('PRAGMA temp_store = MEMORY')
      database.execute('PRAGMA synchronous = FULL')
      yield database
    finally:
      database.close()

  @contextlib.contextmanager
  def _transaction(self) -> Iterator[sqlite3.Connection]:
    with self._connected() as database:
      database.execute('BEGIN IMMEDIATE')
      try:
        yield database
      except BaseException:
        if database.in_transaction:  # a full disk has ended it already
          database.execute('ROLLBACK')
        raise
      database.execute('COMMIT')


_PEOPLE = f"""
SELECT people.id AS id, pseudonym, count(walks.id) AS walks, max(filmed_on) AS last_date,
  sum(state NOT IN {FINAL}) AS working
FROM people JOIN walks ON walks.person = people.id {{where}}
GROUP BY people.id ORDER BY last_date DESC, max(received) DESC, pseudonym
"""
_QUEUE = f"""
SELECT id, state FROM walks WHERE state IN {tuple(_RUNNING)}
ORDER BY state = 'estimate_queued', turn
"""


def _person_called(database: sqlite3.Connection, pseudonym: str) -> str:
  """Returns the id of somebody, who is added where there is nobody of this pseudonym.

  Capital and small letters make no difference: phones begin a field with a capital.
  """
  ids = {row['pseudonym']: row['id'] for row in database.execute('SELECT * FROM people')}
  if pseudonym in ids:  # also where an earlier version has taken in both
    return ids[pseudonym]
  for known, person in ids.items():
    if known.casefold() == pseudonym.casefold():
      return person
  person = new_id()
  database.execute('INSERT INTO people VALUES (?, ?)', (person, pseudonym))
  return person


def _next_turn(database: sqlite3.Connection) -> int:
  return int(database.execute('SELECT coalesce(max(turn), 0) + 1 FROM walks').fetchone()[0])


def _as_walk(row: sqlite3.Row) -> Walk:
  return Walk(**{**dict(row), 'film_check': json.loads(row['film_check'])})
