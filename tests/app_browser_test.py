"""The local web application in a real browser: three widths, three languages, with and without script.

What the worker would find out is made up here (`_Worker`), so that no test waits for an estimate.
GRFJAX_SCREENSHOTS names a folder for pictures of every page.
"""

import datetime
import os
import pathlib
import re
import shutil
import socket
import threading
import time

import making
import numpy as np
import pytest
import report_making

from grfjax.report import prediction_files

uvicorn = pytest.importorskip('uvicorn')
sync_api = pytest.importorskip('playwright.sync_api')
axe = pytest.importorskip('axe_playwright_python.sync_playwright')

from grfjax.app import server, settings, store  # noqa: E402 - needs what may not be installed

_CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), '')
pytestmark = pytest.mark.skipif(not _CHROMIUM, reason='no Chromium on PATH')

PHONE = {'viewport': {'width': 360, 'height': 740}, 'has_touch': True, 'is_mobile': True}
TABLET = {'viewport': {'width': 820, 'height': 1180}, 'has_touch': True, 'is_mobile': True}
DESKTOP = {'viewport': {'width': 1440, 'height': 900}}
WIDTHS = {'phone': PHONE, 'tablet': TABLET, 'desktop': DESKTOP}
LANGUAGES = {'en': 'en-GB', 'ja': 'ja-JP', 'de': 'de-DE'}
HEADINGS = {'en': 'People', 'ja': '対象者', 'de': 'Personen'}
TARGET_PX = 44  # height of what a finger presses: Web Content Accessibility Guidelines 2.5.5

# What the made-up worker does with a film, told by the body mass that was entered.
GOOD_KG, DOUBTFUL_KG, UNUSABLE_KG, FAILING_KG, WAITING_KG = 61.0, 62.0, 63.0, 64.0, 65.0

_CHECK = {
  'verdict': 'good', 'width': 1920, 'height': 1080, 'fps': 60.0, 'seconds': 12.4, 'slowed': 1.0,
  'camera': 'still', 'walks': 2, 'clear_seconds': 8.2, 'feet': 'visible', 'findings': [],
}  # fmt: skip
_DOUBTFUL = _CHECK | {
  'verdict': 'doubtful', 'fps': 30.0, 'camera': 'hand_held', 'slowed': 0.125,
  'findings': [{'code': 'check.frame_rate', 'level': 'doubt', 'numbers': {'fps': '30'}}],
}  # fmt: skip
_UNUSABLE = _CHECK | {
  'verdict': 'unusable', 'walks': 0, 'clear_seconds': 0.0, 'feet': 'unknown',
  'findings': [{'code': 'video.no_walker', 'level': 'error', 'numbers': {}}],
}  # fmt: skip


class _Worker(threading.Thread):
  """Takes jobs as the worker does, and ends them with made-up results.

  Attributes:
    go: unset, a walk of `WAITING_KG` stays in the middle of its estimate.
  """

  def __init__(self, places: store.Store, results: pathlib.Path):
    super().__init__(daemon=True)
    self.go = threading.Event()
    self._places, self._results, self._over = places, results, threading.Event()

  def run(self) -> None:
    while not self._over.is_set():
      walk = self._places.claim()
      if walk is None:
        time.sleep(0.02)
      elif walk.state == 'checking':
        found = {DOUBTFUL_KG: _DOUBTFUL, UNUSABLE_KG: _UNUSABLE}.get(walk.body_mass_kg, _CHECK)
        self._places.finish_check(walk.id, found)
      else:
        self._places.set_progress(walk.id, 'search', 0.4)
        if walk.body_mass_kg == FAILING_KG:
          self._places.fail(walk.id, 'video.hole', 'walk.film: frames are missing for 0.4 s')
          continue
        if walk.body_mass_kg == WAITING_KG:
          self.go.wait()
        shutil.copytree(self._results, self._places.folder_of(walk.id), dirs_exist_ok=True)
        self._places.finish_estimate(walk.id)

  def stop(self) -> None:
    self._over.set()
    self.go.set()
    self.join()


class App:
  """The served application.

  Attributes:
    address: of the server.
    film: a file to send.
    walks: name -> path of the page of a walk in that state.
    person: path of the page of somebody with three walks that are done.
  """

  def __init__(self, address, token, places, worker, film):
    self.address, self.places, self.worker, self.film = address, places, worker, film
    self.open = f'{address}/open/{token}'
    days = [datetime.date(2026, 9, 3), datetime.date(2026, 10, 8), datetime.date(2026, 11, 27)]
    first = [self.add('P07', GOOD_KG, day) for day in days]
    self.walks = {
      'checked': self.add('P08', GOOD_KG),
      'doubtful': self.add('P08', DOUBTFUL_KG),
      'unusable': self.add('P09', UNUSABLE_KG),
      'failed': self.add('P09', FAILING_KG),
    }
    self._wait([*first, *self.walks.values()], 'checked')
    for walk in (*first, self.walks['failed']):
      places.queue_job(walk, 'estimate_queued', 'checked')
    self._wait(first, 'done')
    self._wait([self.walks['failed']], 'failed')
    self.walks = {name: f'/walks/{walk}' for name, walk in self.walks.items()}
    self.walks['done'] = f'/walks/{first[-1]}'
    self.person = f'/people/{places.walk(first[0]).person}'
    self.compare = f'{self.person}/compare?first={first[0]}&second={first[-1]}'

  def add(self, pseudonym, mass, day=datetime.date(2026, 11, 28)):
    upload = self.places.uploads / 'film'
    shutil.copyfile(self.film, upload)
    return self.places.add_walk(
      upload, store.WalkData(pseudonym, day.isoformat(), mass, 1.73, 54.0)
    )

  def _wait(self, walks, state):
    give_up = time.monotonic() + 20
    while any(self.places.walk(walk).state != state for walk in walks):
      assert time.monotonic() < give_up
      time.sleep(0.02)

  @property
  def pages(self):
    """Name -> path of every page."""
    return {
      'people': '/', 'new': '/new', 'how_to_film': '/how-to-film', 'person': self.person,
      'compare': self.compare, 'nothing': '/walks/nothing',
      **{f'walk_{name}': path for name, path in self.walks.items()},
    }  # fmt: skip


@pytest.fixture(scope='module')
def app(tmp_path_factory):
  """A server on a free port with people and walks in every state."""
  folder = tmp_path_factory.mktemp('app')
  results = folder / 'results'
  results.mkdir()
  force = report_making.walk()
  force[:12] = np.nan
  curves = report_making.make_curves(force, camera='right', band=0.1)
  prediction_files.write_prediction(results, report_making.make_prediction(curves))
  frames = (making.room(180, 320, seed) for seed in range(12))
  film = making.write_video(results / 'walk_overlay.mp4', frames)
  with socket.create_server(('127.0.0.1', 0)) as listening:
    host = f'127.0.0.1:{listening.getsockname()[1]}'
    options = settings.Settings(folder / 'data', frozenset({host}))
    places = store.Store(options.folder)
    worker = _Worker(places, results)
    worker.start()
    config = uvicorn.Config(server.make_application(options, places), log_level='warning')
    serving = uvicorn.Server(config)
    thread = threading.Thread(target=serving.run, kwargs={'sockets': [listening]}, daemon=True)
    thread.start()
    yield App(f'http://{host}', options.token, places, worker, film)
    serving.should_exit = True
    worker.stop()
    thread.join()


@pytest.fixture(scope='module')
def browser():
  with sync_api.sync_playwright() as playwright:
    yield playwright.chromium.launch(executable_path=_CHROMIUM, args=['--no-sandbox'])


@pytest.fixture
def visit(app, browser):
  """Opens pages, each in a session of its own; what a page logs as an error fails the test."""
  contexts, errors = [], []

  def open_page(path='/', *, language='en', **options):
    context = browser.new_context(
      base_url=app.address, locale=LANGUAGES[language], **(DESKTOP | options)
    )
    contexts.append(context)
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on('pageerror', lambda error: errors.append(str(error)))
    page.on('console', lambda said: errors.append(said.text) if said.type == 'error' else None)
    page.goto(app.open)
    page.wait_for_url('/')
    page.goto(path)
    return page

  yield open_page
  for context in contexts:
    context.close()
  # What a test asks for on purpose (404, 400) is logged as well.
  assert [e for e in errors if 'Failed to load resource' not in e] == []


def picture(page, name):
  if folder := os.environ.get('GRFJAX_SCREENSHOTS'):
    page.screenshot(path=pathlib.Path(folder) / f'{name}.png', full_page=True)
