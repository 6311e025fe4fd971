"""The queue survives whatever happens to the worker, the server, the walk or the tab."""

import os
import pathlib
import signal
import sqlite3
import sys
import threading
import time
import types

import app_making
import pytest

from grfjax.app import store, worker, worker_process
from grfjax.io import progress

DOUBTFUL = app_making.CHECK | {
  'verdict': 'doubtful',
  'findings': [{'code': 'check.frame_rate', 'level': 'doubt', 'numbers': {'fps': '25'}}],
}

# A worker whose estimate begins, says so, and then goes on for ever.
SCRIPT = """
import pathlib, sys, time
import app_making
from grfjax.app import worker
folder = pathlib.Path(sys.argv[1])
def estimate(film, out, walk):
  with (folder / 'begun').open('a') as file:
    file.write('x')
  time.sleep(1000)
worker.serve(folder, app_making.quick_tasks(estimate=estimate))
"""


def wait_until(condition, seconds=150):
  deadline_s = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < deadline_s
    time.sleep(0.02)


def add_walk(places, pseudonym='P01', film=b'a film'):
  upload = places.uploads / f'{store.new_id()}.part'
  upload.write_bytes(film)
  return places.add_walk(upload, store.WalkData(pseudonym, '2026-11-01', 61.5, None, None))


def queue_estimate(places):
  walk = add_walk(places)
  assert places.claim().id == walk
  places.finish_check(walk, app_making.CHECK)
  return walk


def worker_command(folder):
  return [sys.executable, '-c', SCRIPT, str(folder)]


@pytest.fixture
def places(tmp_path, monkeypatch):
  monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(pathlib.Path(__file__).parent), *sys.path]))
  return store.Store(tmp_path / 'store')


def begun(places):
  path = places.folder / 'begun'
  return len(path.read_text()) if path.exists() else 0


def test_a_worker_killed_in_the_middle_is_replaced_and_ends_with_its_server(
  places, monkeypatch, caplog
):
  monkeypatch.setattr(worker_process, '_PAUSE_S', 0.01)
  walk = queue_estimate(places)
  with worker_process.kept_running(worker_command(places.folder)) as process_id:
    wait_until(lambda: begun(places) == 1)
    os.kill(process_id(), signal.SIGTERM)  # as a service is stopped: the server ends it
    time.sleep(0.2)
    assert 'has ended' not in caplog.text
    os.kill(process_id(), signal.SIGKILL)
    wait_until(lambda: begun(places) == 2)
    found = places.walk(walk)
    assert (found.state, found.attempts) == ('estimating', 2)
  # Its input has ended, as it does with a server that is killed: that is no fault of the film's.
  found = places.walk(walk)
  assert (found.state, found.attempts) == ('estimate_queued', 1)
  assert worker.work_once(places, app_making.quick_tasks())
  assert places.walk(walk).state == 'done'
  assert places.film_of(walk).read_bytes() == b'a film'


def test_a_film_that_kills_the_worker_fails_after_three_times(places):
  walk = queue_estimate(places)
  for attempt in range(store.MAX_ATTEMPTS):
    assert places.claim().attempts == attempt + 1
    places.requeue_interrupted()  # what the next worker does first
  found = places.walk(walk)
  assert (found.state, found.code) == ('failed', 'app.worker_died')
  assert places.claim() is None
  assert places.queue_job(walk, 'estimate_queued', 'failed')
  assert places.claim().attempts == 1
  assert places.film_of(walk).exists()


def test_one_film_that_fails_does_not_stop_the_next(places, caplog):
  def check(film):
    if film.read_bytes() == b'bad':
      raise MemoryError('too large')
    return app_making.CHECK

  bad, good = add_walk(places, film=b'bad'), add_walk(places)
  todo = app_making.quick_tasks(check=check)
  assert [worker.work_once(places, todo) for _ in range(4)] == [True, True, True, False]
  assert (places.walk(bad).state, places.walk(bad).code) == ('failed', 'app.internal')
  assert places.walk(good).state == 'done'
  assert places.film_of(bad).exists()
  assert 'too large' in caplog.text


def test_what_a_full_disk_has_interrupted_is_done_when_there_is_room(places, monkeypatch, caplog):
  class OverError(BaseException):
    pass

  walk, checks, rests = add_walk(places), [], iter(range(2))

  def check(film):
    checks.append(film)
    if len(checks) == 1:
      raise sqlite3.OperationalError('database or disk is full')  # of a note of progress
    return app_making.CHECK

  def rest(seconds):
    if next(rests, None) is None:
      raise OverError

  monkeypatch.setattr(worker, 'time', types.SimpleNamespace(sleep=rest, monotonic=time.monotonic))
  with pytest.raises(OverError):
    worker.work(places, app_making.quick_tasks(check=check))
  assert (places.walk(walk).state, len(checks)) == ('done', 2)
  assert 'disk is full' in caplog.text


def test_checks_come_before_estimates_and_each_in_turn(places):
  estimate = queue_estimate(places)
  checks = [add_walk(places) for _ in range(2)]
  assert [places.walks_before(places.walk(w)) for w in (*checks, estimate)] == [0, 1, 2]
  assert [places.claim().id for _ in range(3)] == [*checks, estimate]


def test_a_walk_deleted_while_it_is_worked_on_leaves_nothing(places):
  walk = queue_estimate(places)

  def estimate(film, folder, _):
    progress.report(progress.SEARCH, 0.5)
    places.delete_walk(walk)
    app_making.write_results_anyway(folder)
    time.sleep(worker._TELL_S)
    progress.report(progress.DRAW, 0.5)
    raise AssertionError('it went on')

  worker.work_once(places, app_making.quick_tasks(estimate=estimate))
  assert not places.folder_of(walk).exists()

  late = queue_estimate(places)  # deleted after the last note of progress

  def estimate_late(film, folder, walk):
    places.delete_walk(late)
    app_making.write_results_anyway(folder)

  worker.work_once(places, app_making.quick_tasks(estimate=estimate_late))
  assert not places.folder_of(late).exists()
  assert places.people() == []


def test_progress_is_told_by_events_and_by_a_reload_and_needs_no_tab(tmp_path):
  with app_making.Application(tmp_path).running() as application:
    places = application.places
    browser, closed = (app_making.Browser(application) for _ in range(2))
    walk = queue_estimate(places)
    go_on = threading.Event()

    def estimate(film, folder, walk):
      progress.report(progress.SEARCH, 0.5)
      assert go_on.wait(30)
      app_making.write_results(folder)

    def look():
      wait_until(lambda: places.walk(walk).progress == 0.5)
      page = browser.get(f'/walks/{walk}').text
      assert '0.5' in page
      with closed.client.stream('GET', f'/walks/{walk}/events') as events:
        assert '"progress": 0.5' in ''.join(
          line for line, _ in zip(events.iter_lines(), range(2), strict=False)
        )
      closed.client.close()
      go_on.set()

    looking = threading.Thread(target=look)
    looking.start()
    worker.work_once(places, app_making.quick_tasks(estimate=estimate))
    looking.join()
    assert browser.events(f'/walks/{walk}') == [{'state': 'done', 'stage': '', 'progress': 1.0}]
    assert 'report.html' in browser.get(f'/walks/{walk}').text


def test_a_walk_is_estimated_once_though_two_press_the_button(tmp_path):
  with app_making.Application(tmp_path).running() as application:
    tablets = [app_making.Browser(application) for _ in range(2)]
    walk = app_making.walk_of(tablets[0].send())
    assert tablets[0].post(f'/walks/{walk}/estimate').status_code == 409  # not checked yet
    unusable = app_making.CHECK | {'verdict': 'unusable'}
    worker.work_once(application.places, app_making.quick_tasks(check=lambda film: unusable))
    assert tablets[0].post(f'/walks/{walk}/estimate').status_code == 409
    application.places.finish_check(walk, DOUBTFUL)
    answers = [tablet.post(f'/walks/{walk}/estimate').status_code for tablet in tablets]
    assert answers == [303, 409]
    assert application.places.walk(walk).state == 'estimate_queued'


def test_a_film_in_which_nothing_stands_out_is_estimated_though_nobody_comes_back(tmp_path):
  with app_making.Application(tmp_path).running() as application:
    places, browser = application.places, app_making.Browser(application)
    walk = app_making.walk_of(browser.send())
    assert worker.work_once(places, app_making.quick_tasks())
    found = places.walk(walk)
    assert (found.state, found.progress, found.attempts) == ('estimate_queued', 0, 0)
    assert worker.work_once(places, app_making.quick_tasks())
    assert places.walk(walk).state == 'done'


def test_where_something_stands_out_the_film_waits_for_somebody(tmp_path):
  with app_making.Application(tmp_path).running() as application:
    places, browser = application.places, app_making.Browser(application)
    walk = app_making.walk_of(browser.send())
    todo = app_making.quick_tasks(check=lambda film: DOUBTFUL)
    assert [worker.work_once(places, todo) for _ in range(2)] == [True, False]
    page = browser.get(f'/walks/{walk}').text
    assert 'Nothing has been estimated yet' in page
    assert f'action="/walks/{walk}/estimate"' in page
    assert browser.post(f'/walks/{walk}/estimate').status_code == 303
    assert worker.work_once(places, todo)
    assert places.walk(walk).state == 'done'
