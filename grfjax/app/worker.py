"""The process that checks and estimates films, one after the other.

python -m grfjax.app.worker FOLDER WORKDIR

It ends when its standard input does, which is when the server ends, however that ends; what it was
at is then queued again. It may be killed at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import os
import pathlib
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from grfjax import errors
from grfjax.app import film_check, store
from grfjax.io import atomic, folder_lock, progress

_LOOK_S = 0.3  # between two looks at an empty queue
_TELL_S = 0.5  # between two notes of progress
_NO_FILM = ('video.unreadable', 'video.no_video')  # codes of files that nobody misses

# From where to where in a job's progress its stages lie, by the job's state.
_STAGES = {
  'checking': {progress.STEADY: (0.0, 0.25), progress.SEARCH: (0.25, 1.0)},
  'estimating': {
    progress.STEADY: (0.0, 0.25),
    progress.SEARCH: (0.25, 0.75),
    progress.DRAW: (0.75, 1.0),
  },
}


@dataclasses.dataclass(frozen=True)
class Tasks:
  """What is done with films.

  Attributes:
    check: (film) -> what is found, as `film_check.check_film`.
    estimate: (film, folder for the results, the walk).
  """

  check: Callable[[pathlib.Path], dict[str, Any]]
  estimate: Callable[[pathlib.Path, pathlib.Path, store.Walk], Any]


class _DeletedError(Exception):
  """The walk was deleted while its film was worked on."""


def tasks(workdir: str) -> Tasks:
  """Returns the check and the estimate by a network, which is what `grfjax.predict` does.

  Args:
    workdir: a run's folder, or the name of a bundled network; it is read when first needed.
  """

  @functools.cache
  def load() -> Any:
    # Here, as JAX takes seconds to import, for which no check need wait.
    from grfjax.inference import trained_run
    from grfjax.io import run_folder

    return trained_run.load(run_folder.RunFolder.find(workdir))

  def estimate(film: pathlib.Path, folder: pathlib.Path, walk: store.Walk) -> None:
    from grfjax.app import poster
    from grfjax.gait import walking_speed
    from grfjax.report import predicting

    given = walking_speed.Given(walk.height_m, walk.age_years)
    predicting.predict_video(load(), film, folder, '', walk.body_mass_kg, given)
    poster.write_poster(folder)

  return Tasks(film_check.check_film, estimate)


def work(places: store.Store, todo: Tasks) -> None:
  """Works off the queue for ever.

  Args:
    places: with the queue.
    todo: what is done.
  """
  is_left = False  # a job, in the state in which it is worked on
  while True:
    try:
      if is_left:
        places.release()
        is_left = False
      busy = work_once(places, todo)
    except sqlite3.OperationalError as error:  # a full disk
      logging.warning('the queue cannot be written: %s', error)
      is_left, busy = True, False
    if not busy:
      time.sleep(_LOOK_S)


def work_once(places: store.Store, todo: Tasks) -> bool:
  """Does the first job of the queue, where there is one, and returns whether there was.

  Raises:
    sqlite3.OperationalError: the queue cannot be written; the job may be left as it was begun.
  """
  job = places.claim()
  if job is None:
    return False
  film = places.film_of(job.id)
  try:
    with progress.told_to(_listener(places, job)):
      if job.state == 'checking':
        places.finish_check(job.id, todo.check(film))
      else:
        todo.estimate(film, places.folder_of(job.id), job)
        places.finish_estimate(job.id)
  except _DeletedError:
    shutil.rmtree(places.folder_of(job.id), ignore_errors=True)
  except sqlite3.OperationalError:  # no fault of the film's
    raise
  except Exception as error:  # whatever it is, the next film may do
    code, detail = _reason(error)
    if code in _NO_FILM:
      film.unlink(missing_ok=True)
    places.fail(job.id, code, detail.replace(str(film), 'the film'))
  return True


def _reason(error: Exception) -> tuple[str, str]:
  if isinstance(error, errors.InputError):
    return error.code, str(error)
  if isinstance(error, OSError) and error.errno in atomic.DISK_FULL:
    return 'app.disk_full', 'the disk is full'
  logging.exception('a job failed')
  return 'app.internal', f'{type(error).__name__}: {error}'


def _listener(places: store.Store, job: store.Walk) -> progress.Listener:
  """Returns what notes the progress of a job, and ends it where its walk was deleted."""
  stages, told_s = _STAGES[job.state], -_TELL_S

  def listen(stage: str, share: float) -> None:
    nonlocal told_s
    now_s = time.monotonic()
    if now_s - told_s >= _TELL_S:
      told_s = now_s
      start, end = stages[stage]
      if not places.set_progress(job.id, stage, start + share * (end - start)):
        raise _DeletedError

  return listen


@contextlib.contextmanager
def alone(folder: pathlib.Path) -> Iterator[None]:
  """Waits until no other worker is at the folder, and keeps others out during the block."""
  with contextlib.ExitStack() as stack:
    while True:
      try:
        stack.enter_context(folder_lock.lock_folder(folder / 'worker'))
        break
      except folder_lock.InUseError:
        time.sleep(_LOOK_S)
    yield


def end_with_input(places: store.Store) -> None:
  """Ends the process when its standard input ends, with what it was at queued again."""
  while os.read(0, 1):
    pass
  places.release()
  os._exit(0)


def serve(folder: pathlib.Path, todo: Tasks) -> None:
  """Is the worker of a folder until the process ends.

  Args:
    folder: of the store.
    todo: what is done with films.
  """
  for name in ('SIGINT', 'SIGTERM', 'SIGBREAK'):  # meant for the server, which then ends this one
    if number := getattr(signal, name, None):
      signal.signal(number, lambda *_: None)  # not ignored: the programs it starts would do so too
  places = store.Store(folder)
  with alone(folder):
    threading.Thread(target=end_with_input, args=(places,), daemon=True).start()
    places.requeue_interrupted()
    work(places, todo)


if __name__ == '__main__':
  os.umask(0o077)
  serve(pathlib.Path(sys.argv[1]), tasks(sys.argv[2]))
