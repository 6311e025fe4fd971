"""The local web application in a real browser: widths, languages, with and without script.

What the worker would find out is made up here (`_Worker`), so that no test waits for an estimate.
GRFJAX_SCREENSHOTS names a folder for pictures of every page.
"""

import datetime
import os
import pathlib
import re
import shutil
import threading
import time

import app_making
import making
import numpy as np
import pytest
import report_making

from grfjax import errors
from grfjax.app import poster, store, worker
from grfjax.report import prediction_files

sync_api = pytest.importorskip('playwright.sync_api')
expect = sync_api.expect
axe = pytest.importorskip('axe_playwright_python.sync_playwright')

_CHROMIUM = next(
  filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), ''
)
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

_DOUBTFUL = app_making.CHECK | {
  'verdict': 'doubtful', 'fps': 30.0, 'camera': 'hand_held', 'slowed': 0.125, 'walks': 2,
  'findings': [{'code': 'check.frame_rate', 'level': 'doubt', 'numbers': {'fps': '30'}}],
}  # fmt: skip
_UNUSABLE = app_making.CHECK | {
  'verdict': 'unusable', 'walks': 0, 'clear_seconds': 0.0, 'feet': 'unknown',
  'findings': [{'code': 'video.no_walker', 'level': 'error', 'numbers': {}}],
}  # fmt: skip


class _Worker(threading.Thread):
  """Works off the queue with made-up results.

  Attributes:
    go: unset, a walk of `WAITING_KG` stays in the middle of its estimate.
  """

  def __init__(self, places: store.Store, results: pathlib.Path):
    super().__init__()
    self.go = threading.Event()
    self._places, self._results, self._over = places, results, threading.Event()

  def run(self) -> None:
    todo = worker.Tasks(self._check, self._estimate)
    while not self._over.is_set():
      if not worker.work_once(self._places, todo):
        time.sleep(0.1)

  def stop(self) -> None:
    self._over.set()
    self.go.set()
    self.join()

  def _check(self, film):
    mass = self._places.walk(film.parent.name).body_mass_kg
    return {DOUBTFUL_KG: _DOUBTFUL, UNUSABLE_KG: _UNUSABLE}.get(mass, app_making.CHECK)

  def _estimate(self, film, folder, walk):
    self._places.set_progress(film.parent.name, 'search', 0.4)
    if walk.body_mass_kg == FAILING_KG:
      raise errors.InputError('frames are missing for 0.4 s', code='video.hole')
    if walk.body_mass_kg == WAITING_KG:
      self.go.wait()
    shutil.copytree(self._results, folder, dirs_exist_ok=True)


class App:
  """The served application.

  Attributes:
    address: of the server.
    film: a file to send.
    walks: name -> path of the page of a walk in that state.
    person: path of the page of somebody with three walks that are done.
  """

  def __init__(self, running, works, film):
    self.address, self.places = running.address, running.places
    self.open = f'{running.address}/open/{running.options.token}'
    self.worker, self.film = works, film
    days = [datetime.date(2026, 9, 3), datetime.date(2026, 10, 8), datetime.date(2026, 11, 27)]
    first = [self.add('P07', GOOD_KG, day) for day in days]
    self.walks = {
      'doubtful': self.add('P08', DOUBTFUL_KG),
      'unusable': self.add('P09', UNUSABLE_KG),
      'failed': self.add('P09', FAILING_KG),
    }
    self._wait([self.walks['doubtful'], self.walks['unusable']], 'checked')
    self._wait(first, 'done')
    self._wait([self.walks['failed']], 'failed')
    self.walks = {name: f'/walks/{walk}' for name, walk in self.walks.items()}
    self.walks['done'] = f'/walks/{first[-1]}'
    self.person = f'/people/{self.places.walk(first[0]).person}'
    self.compare = f'{self.person}/compare?first={first[0]}&second={first[-1]}'

  def add(self, pseudonym, mass, day=datetime.date(2026, 11, 28)):
    upload = self.places.uploads / 'film'
    shutil.copyfile(self.film, upload)
    return self.places.add_walk(
      upload, store.WalkData(pseudonym, day.isoformat(), mass, 1.73, 54.0)
    )

  def _wait(self, walks, state):
    give_up = time.monotonic() + 60
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
  poster.write_poster(results)
  with app_making.Application(folder / 'data').running() as running:
    works = _Worker(running.places, results)
    works.start()
    yield App(running, works, film)
    works.stop()


@pytest.fixture(scope='module')
def browser():
  expect.set_options(timeout=60_000)
  with sync_api.sync_playwright() as playwright:
    yield playwright.chromium.launch(executable_path=_CHROMIUM, args=['--no-sandbox'])


@pytest.fixture
def visit(app, browser):
  """Opens pages, each in a session of its own; what a page logs as an error fails the test."""
  contexts, said = [], []

  def open_page(path='/', *, language='en', **options):
    context = browser.new_context(
      base_url=app.address, locale=LANGUAGES[language], **(DESKTOP | options)
    )
    contexts.append(context)
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.on('pageerror', lambda error: said.append(str(error)))
    page.on('console', lambda line: said.append(line.text) if line.type == 'error' else None)
    page.goto(app.open)
    page.wait_for_url('/')
    page.goto(path)
    return page

  yield open_page
  for context in contexts:
    context.close()
  # What a test asks for on purpose (404, 400) is logged as well.
  assert [line for line in said if 'Failed to load resource' not in line] == []


def picture(page, name):
  if folder := os.environ.get('GRFJAX_SCREENSHOTS'):
    page.screenshot(path=pathlib.Path(folder) / f'{name}.png', full_page=True)


def start(page, app, mass, pseudonym='P10'):
  """Fills in the form of a new walk, but for the film."""
  page.goto('/new')
  page.get_by_label('Pseudonym').fill(pseudonym)
  page.get_by_label('Body mass').fill(f'{mass:g}')
  page.get_by_label('Height').fill('1,73')


@pytest.mark.parametrize(
  ('width', 'language', 'scheme'),
  [('phone', 'ja', 'light'), ('tablet', 'de', 'light'), ('desktop', 'en', 'dark')],
)
def test_every_page_fits_and_is_accessible(app, visit, width, language, scheme):
  page = visit(language=language, color_scheme=scheme, **WIDTHS[width])
  checker = axe.Axe()
  for name, path in app.pages.items():
    page.goto(path)
    for summary in page.locator('summary').all():  # what is folded up counts as well
      if summary.is_visible():
        summary.click()
    assert page.locator('html').get_attribute('lang') == language
    assert page.locator('h1').count() == 1
    root = page.evaluate('[document.documentElement.scrollWidth, innerWidth]')
    assert root[0] <= root[1], f'{name} scrolls sideways'
    low = page.evaluate(_LOW_TARGETS, TARGET_PX)
    assert low == [], f'{name}: too low for a finger: {low}'
    if width != 'tablet':  # light and dark once each: a look takes most of a second
      found = checker.run(page)
      assert found.violations_count == 0, f'{name}: {found.generate_report()}'
    picture(page, f'{width}_{language}_{name}')


# Buttons, fields and links of their own; links within a sentence are exempt (WCAG 2.5.5).
_LOW_TARGETS = """(least) => [...document.querySelectorAll(
  'button, .button, input:not([type=hidden]), select, summary, header a, ul.list a'
)].filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < least)
  .map((e) => e.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize('language', LANGUAGES)
def test_the_browser_chooses_the_language(app, visit, language):
  page = visit(language=language)
  assert page.locator('h1').inner_text() == HEADINGS[language]
  page.goto(app.walks['done'])
  mass, date = (
    page.locator('.facts').last.locator('dd').first.inner_text(),
    page.locator('h1').inner_text(),
  )
  assert mass == {'en': '61.0 kg', 'ja': '61.0 kg', 'de': '61,0 kg'}[language]
  expected = {'en': '27 Nov 2026', 'ja': '2026年11月27日', 'de': '27. Nov. 2026'}[language]
  assert expected in date
  flag = page.locator('#careful li').first
  assert {'en': '12 of 204', 'ja': '204フレームのうち12', 'de': '12 von 204'}[language] in (
    flag.inner_text()
  )
  assert flag.locator('[lang=en]').count() == 0


def test_from_a_film_to_the_report(app, visit):
  app.worker.go.clear()
  page = visit(**PHONE)
  start(page, app, WAITING_KG)
  camera = page.get_by_label('Film now with this device')
  for name in ('Film now with this device', 'Choose a film'):  # without scrolling
    place = page.get_by_label(name).bounding_box()
    assert place['y'] + place['height'] < PHONE['viewport']['height']
  picture(page, 'phone_en_new')
  assert camera.get_attribute('capture') == 'environment'
  # Of the two inputs the last one used counts, and only one film is sent.
  page.get_by_label('Choose a film').set_input_files(app.film)
  camera.set_input_files(app.film)
  assert page.get_by_label('Choose a film').input_value() == ''
  page.get_by_role('button', name='Send and check').click()
  # Nothing stands out, so that the estimate begins by itself.
  page.get_by_role('heading', name='This film can be used').wait_for()
  page.get_by_role('heading', name='In progress').wait_for()
  expect(page.get_by_text('the result will be here')).to_be_visible()
  bar = page.get_by_role('progressbar')
  expect(bar).to_have_attribute('value', '0.4')
  said = 'Following the walker and estimating the forces.'
  expect(page.get_by_role('status')).to_have_text(said)
  assert axe.Axe().run(page).violations_count == 0
  picture(page, 'phone_en_estimating')
  app.worker.go.set()  # the page follows by itself
  page.get_by_role('heading', name='What is withheld').wait_for()
  assert page.locator('.panel li').first.inner_text().startswith('12 of 204 frames')
  row = page.get_by_role('row', name=re.compile('^Stance time')).inner_text()
  assert row.split().count('0.59') == row.split().count('3') == 2  # each mean with its n
  page.get_by_text('Read the report here').click()
  report = page.frame_locator('iframe')
  report.get_by_role('heading', name='In short').wait_for()
  headline = report.locator('.headline dd').all_inner_texts()  # what both pages say first
  shown = page.locator('.large dd').all_inner_texts()
  assert [text.partition('\n')[0].strip() for text in shown] == headline
  assert page.locator('video').evaluate('(v) => v.error') is None
  poster_address = page.locator('video').get_attribute('poster')
  assert page.request.get(poster_address).headers['content-type'] == 'image/jpeg'
  for link in page.locator('.files a').all():
    assert page.request.get(link.get_attribute('href')).ok
  picture(page, 'phone_en_done')


def test_the_whole_way_without_script(app, visit):
  app.worker.go.set()
  page = visit(java_script_enabled=False)
  assert page.locator('h1').inner_text() == 'People'  # led on from the address with the token
  start(page, app, DOUBTFUL_KG, 'P11')
  assert not page.get_by_label('Film now').is_visible()
  page.get_by_label('Choose a film').set_input_files(app.film)
  page.get_by_role('button', name='Send and check').click()
  wait_without_script(page, 'This film can be used, with reservations')
  page.get_by_role('button', name='Estimate the forces').click()
  wait_without_script(page, 'Measures')
  page.get_by_text('Delete this walk').click()
  page.get_by_role('button', name='Yes, delete for good').click()
  page.wait_for_url('/')
  assert page.get_by_text('P11').count() == 0


def wait_without_script(page, heading):
  """Reloads the page, as it asks the browser to do every 5 s, until the heading is there."""
  while not (found := page.get_by_role('heading', name=heading, exact=True)).is_visible():
    assert page.locator('head meta[http-equiv=refresh]').get_attribute('content') == '5'
    page.reload()
  assert found.is_visible()


def test_the_whole_way_by_keyboard(app, visit):
  app.worker.go.set()
  page = visit()
  page.on('filechooser', lambda chooser: chooser.set_files(app.film))

  def tab_to(text):
    """Presses Tab until what has the focus says so, and sees to it that the focus shows."""
    for _ in range(40):
      page.keyboard.press('Tab')
      name = page.evaluate(_FOCUSED)
      if name.startswith(text):
        style = 'getComputedStyle(document.activeElement).outlineStyle'
        assert page.evaluate(style) == 'solid', f'{text} does not show that it has the focus'
        return
    raise AssertionError(f'Tab does not lead to {text}')

  tab_to('Skip to the content')
  tab_to('New walk')
  page.keyboard.press('Enter')
  page.wait_for_url('/new')
  tab_to('Choose a film')  # the first thing of the form
  page.keyboard.press('Space')
  expect(page.get_by_label('Choose a film')).not_to_have_value('')
  for label, text in (('Pseudonym', 'P12'), ('Body mass', '62'), ('Height', '1.6'), ('Age', '40')):
    tab_to(label)
    page.keyboard.type(text)
  tab_to('Send and check')
  page.keyboard.press('Enter')
  page.get_by_role('heading', name='This film can be used, with reservations').wait_for()
  tab_to('Estimate the forces')
  page.keyboard.press('Enter')
  page.get_by_role('heading', name='What is withheld').wait_for()
  tab_to('Delete this walk')
  page.keyboard.press('Enter')
  tab_to('Yes, delete')
  page.keyboard.press('Enter')
  page.wait_for_url('/')


_FOCUSED = """() => { const e = document.activeElement;
  return (e.labels?.length ? e.labels[0].innerText : e.innerText).trim(); }"""


def test_what_cannot_be_sent_is_said_in_place(app, visit):
  page = visit()
  alert = page.get_by_role('alert')
  start(page, app, 900)
  page.get_by_label('Choose a film').set_input_files(app.film)
  page.get_by_role('button', name='Send and check').click()
  expect(alert).to_contain_text('app.body_mass')
  assert page.evaluate('document.activeElement.getAttribute("role")') == 'alert'
  assert page.get_by_label('Body mass').input_value() == '900'  # nothing is typed in twice
  page.get_by_label('Body mass').fill('61')
  page.locator('form[data-sent]').evaluate('(form) => { form.dataset.maxBytes = 1000; }')
  page.get_by_role('button', name='Send and check').click()
  expect(alert).to_contain_text('too large')
  picture(page, 'desktop_en_refused')


def test_an_upload_can_be_stopped(app, visit):
  page = visit()
  before = len(app.places.walks())
  start(page, app, GOOD_KG)
  page.get_by_label('Choose a film').set_input_files(app.film)
  page.route('**/walks', lambda route: None)  # an answer that never comes
  page.get_by_role('button', name='Send and check').click()
  page.get_by_role('progressbar').wait_for()
  picture(page, 'desktop_en_sending')
  page.get_by_role('button', name='Stop sending').click()
  expect(page.get_by_role('progressbar')).to_be_hidden()
  expect(page.get_by_role('button', name='Send and check')).to_be_enabled()
  assert len(app.places.walks()) == before


def test_walks_over_time_and_side_by_side(app, visit):
  page = visit(app.person)
  assert page.locator('svg.chart:visible').count() == 6
  first = page.locator('svg.chart').first
  assert first.locator('circle title').all_text_contents() == ['0.59'] * 3
  assert '3 Sep 2026' in first.text_content()
  assert page.get_by_label('Second walk').locator('option:checked').inner_text() == '3: 27 Nov 2026'
  page.get_by_role('button', name='Compare').click()
  page.wait_for_load_state()  # its style decides where lines end
  row = page.get_by_role('row', name=re.compile('^Stance time left'))
  assert row.locator('td').all_inner_texts() == ['0.59\nn\xa03'] * 2 + ['0.00']
  assert page.locator('video').count() == 2
  page.goto(app.person)
  with page.expect_download() as download:
    page.get_by_role('link', name='Export all walks').click()
  assert download.value.path().read_bytes()[:2] == b'PK'
