"""People over time: what a change means, what is exported, and that deletion deletes."""

import contextlib
import csv
import dataclasses
import functools
import io
import json
import math
import re
import sqlite3
import zipfile

import app_making
import numpy as np
import pytest
import report_making

from grfjax.app import charts, exports, results, store
from grfjax.gait import repeatability, walker_path, walking_speed


@pytest.fixture
def application(tmp_path):
  with app_making.Application(tmp_path / 'store').running() as application:
    yield application


def test_repeatability_is_that_of_bland_and_altman():
  # Two differences of 0.2 and one triple: squares 0.02 + 0.02 + 0.02 over 4 degrees of freedom.
  groups = [np.array([1.0, 1.2]), np.array([2.0, 2.2]), np.array([0.9, 1.0, 1.1]), np.array([7.0])]
  sd, freedom = repeatability.within_subject_sd(groups)
  assert freedom == 4
  assert sd == pytest.approx(math.sqrt(0.06 / 4))
  assert repeatability.smallest_change(sd) == pytest.approx(1.96 * math.sqrt(2) * sd)
  assert math.isnan(repeatability.within_subject_sd([np.array([1.0])])[0])


def add_repeats(application, count):
  """Adds a person's walks of one day, whose peaks differ from each other by 0.1 by turns."""
  for k in range(count + 1):
    application.add_done(pseudonym='repeats', filmed_on='2026-10-01', peak=1 + 0.1 * (k % 2))


@pytest.mark.parametrize('content', ['{"cut', '[]', '{"summary": {"left": {}}}', None])
def test_damaged_results_of_one_walk_leave_the_others_alone(application, content):
  damaged, other = application.add_done(), application.add_done(pseudonym='other')
  file = application.places.folder_of(damaged) / results.FILES['measures.json']
  if content is None:
    file.unlink()
  else:
    file.write_text(content)
  browser = app_making.Browser(application)
  for walk in (damaged, other):
    assert browser.get(f'/people/{application.places.walk(walk).person}').status_code == 200
    page = browser.get(f'/walks/{walk}')
    assert page.status_code == 200
    assert ('The results of this walk cannot be read' in page.text) == (walk == damaged)
  assert 'cannot be read' in browser.get(f'/walks/{damaged}').text
  assert 'cannot be read' not in browser.get(f'/walks/{other}').text
  with zipfile.ZipFile(io.BytesIO(browser.get('/export.zip').content)) as archive:
    assert archive.testzip() is None


@pytest.mark.parametrize(
  ('path', 'value'),
  [
    (('summary', 'left', 'stance_s', 'n'), None),
    (('summary', 'left', 'stance_s', 'mean'), '0.6'),
    (('summary', 'left', 'stance_s', 'mean'), 10**400),
    (('summary', 'symmetry_index_pct', 'stance_s'), []),
    (('quality', 'mean_total_bw'), '1'),
    (('quality', 'flags'), [None]),
  ],
)
def test_results_of_a_wrong_type_are_damaged(tmp_path, path, value):
  app_making.write_results(tmp_path, flags=('A note.',))
  content = json.loads((tmp_path / results.FILES['measures.json']).read_text())
  results.WalkResult(None, content).check()
  *folders, last = path
  functools.reduce(dict.__getitem__, folders, content)[last] = value
  with pytest.raises((ArithmeticError, TypeError)):
    results.WalkResult(None, content).check()


def test_no_band_is_drawn_before_enough_walks_were_repeated(application):
  add_repeats(application, results.REPEATS_NEEDED - 1)
  walk = application.add_done()
  later = application.add_done(filmed_on='2026-11-20', peak=1.6)
  places = application.places
  person = places.walk(walk).person
  compare = f'/people/{person}/compare?first={walk}&second={later}'
  browser = app_making.Browser(application)

  def known():
    return results.Repeatability(results.read_results(places, places.walks()))

  done = results.read_results(places, places.walks(person)[::-1])
  assert known().repeats == results.REPEATS_NEEDED - 1
  assert math.isnan(known().smallest_change('first_peak_bw'))
  assert not any(s.band for c in charts.draw_charts(done, known()) for s in c.series)
  assert {row.beyond for row in results.compare(*done, known())} == {None}
  assert 'class="band' not in browser.get(f'/people/{person}').text
  assert browser.get(compare).status_code == 200

  application.add_done(pseudonym='repeats', filmed_on='2026-10-01')
  values = [1 + 0.1 * (k % 2) for k in range(results.REPEATS_NEEDED)] + [1.1]
  change = 1.96 * math.sqrt(2) * float(np.std(values, ddof=1))
  assert known().smallest_change('first_peak_bw') == pytest.approx(change)
  assert known().smallest_change(results.CADENCE) == pytest.approx(100 * change)
  rows = {(r.measure, r.leg): r for r in results.compare(*done, known())}
  assert rows['first_peak_bw', 'left'].difference == pytest.approx(0.5)
  assert rows['first_peak_bw', 'left'].beyond
  assert not results.compare(done[0], done[0], known())[0].beyond
  assert browser.get(f'/people/{person}').status_code == 200


def test_walks_of_a_day_are_told_apart_and_differences_agree_with_what_is_shown(application):
  walks = [application.add_done(peak=peak) for peak in (9.84, 10.06)]
  browser = app_making.Browser(application)
  person = f'/people/{application.places.walk(walks[0]).person}'
  assert 'walk 2 of the day' in browser.get(person).text
  assert 'walk 1 of the day' in browser.get(f'/walks/{walks[0]}').text
  text = browser.get(f'{person}/compare?first={walks[0]}&second={walks[1]}').text
  row = re.search(r'Loading rate .*?</tr>', text, re.DOTALL)[0]
  cells = re.findall(r'<td>([\d.+]+)( <span class="n">n&nbsp;2 <b[^>]*>!</b></span>)?</td>', row)
  assert [value for value, _ in cells] == ['9.8', '10.1', '+0.3']
  assert [bool(few) for _, few in cells] == [True, True, False]  # n and a doubt at each mean
  application.places.delete_walk(walks[0])
  assert 'of the day' not in browser.get(f'/walks/{walks[1]}').text


def test_a_chart_shows_each_walk_at_its_date_and_the_band_about_the_first(application):
  add_repeats(application, results.REPEATS_NEEDED)
  for day, peak in (('2026-11-01', 1.0), ('2026-11-11', 1.2), ('2026-11-21', 1.1)):
    application.add_done(filmed_on=day, peak=peak)
  places = application.places
  done = results.read_results(places, places.walks(places.people()[0].id)[::-1])
  known = results.Repeatability(results.read_results(places, places.walks()))
  (chart,) = (c for c in charts.draw_charts(done, known) if c.measure == 'first_peak_bw')
  assert [line.leg for line in chart.series] == ['left', 'right']
  points = chart.series[0].points
  assert [value for *_, value in points] == [1.0, 1.2, 1.1]
  x, y = np.array(points)[:, :2].T
  assert x[1] - x[0] == pytest.approx(x[2] - x[1])  # ten days each
  assert y[0] > y[2] > y[1]  # downwards in a picture
  scale = (y[0] - y[1]) / 0.2
  above, below = map(float, re.match(r'M\d+ ([\d.]+)H\d+V([\d.]+)', chart.series[0].band).groups())
  assert below - y[0] == pytest.approx(scale * chart.smallest_change, abs=0.2)
  assert y[0] - above == pytest.approx(scale * chart.smallest_change, abs=0.2)
  assert chart.x_ticks == [(x[0], '2026-11-01'), (x[1], '2026-11-11'), (x[2], '2026-11-21')]


def test_a_walk_without_a_measure_breaks_nothing(application):
  walk = application.add_done()
  path = application.places.folder_of(walk) / results.FILES['measures.json']
  content = json.loads(path.read_text())
  content['summary']['left']['step_s']['mean'] = content['summary'][results.CADENCE]['mean'] = None
  path.write_text(json.dumps(content))
  browser = app_making.Browser(application)
  person = application.places.walk(walk).person
  for page in (f'/walks/{walk}', f'/people/{person}'):
    assert browser.get(page).status_code == 200
  assert browser.get(f'/people/{person}/compare?first={walk}&second={walk}').status_code == 200


def test_the_zip_holds_everything_and_names_are_no_formulas_or_paths(application):
  first = application.add_done(pseudonym='=HYPERLINK("http://evil")', peak=1.25)
  second = application.add_done(pseudonym='../../Müller', height_m=1.7)
  browser = app_making.Browser(application)
  sent = b'\0\0\0\x14ftypqt  from an iPhone'
  waiting = app_making.walk_of(browser.send(sent, filmed_on='2026-11-02'))
  answer = browser.get('/export.zip')
  archive = zipfile.ZipFile(io.BytesIO(answer.content))
  assert archive.testzip() is None
  assert answer.headers['content-disposition'].startswith('attachment')
  rows = list(csv.DictReader(io.StringIO(archive.read('walks.csv').decode())))
  assert {r['pseudonym'] for r in rows} == {'\'=HYPERLINK("http://evil")', '../../Müller', 'P01'}
  names = set(archive.namelist())
  folders = {row['pseudonym']: row['folder'] for row in rows}
  for pseudonym, folder in folders.items():
    assert re.fullmatch(r'person_\d+/2026-11-\d\d_walk_1', folder)
    film = 'film_as_sent_in.mov' if pseudonym == 'P01' else 'film_as_sent_in'
    files = {film} | (set(results.FILES) if pseudonym != 'P01' else set())
    assert {n.rpartition('/')[2] for n in names if n.startswith(f'{folder}/')} == files
  film = f'{folders["P01"]}/film_as_sent_in.mov'
  assert archive.read(film) == application.places.film_of(waiting).read_bytes()
  for walk, pseudonym in ((first, '\'=HYPERLINK("http://evil")'), (second, '../../Müller')):
    for name, stored in results.FILES.items():
      content = (application.places.folder_of(walk) / stored).read_bytes()
      assert archive.read(f'{folders[pseudonym]}/{name}') == content
  measures = list(csv.DictReader(io.StringIO(archive.read('measures.csv').decode())))
  peaks = [float(r['mean']) for r in measures if r['measure'] == 'first_peak_bw']
  assert sorted(peaks) == [1.1, 1.1, 1.25, 1.25]
  person = application.places.walk(second).person
  own = zipfile.ZipFile(io.BytesIO(browser.get(f'/people/{person}/export.zip').content))
  assert len(own.namelist()) == 2 + 1 + len(results.FILES)


def test_a_zip_is_sent_in_portions_and_leaves_out_what_is_deleted_meanwhile(application):
  gone, large = application.add_done(filmed_on='2026-11-03'), application.add_done()
  places = application.places
  places.film_of(large).write_bytes(np.random.default_rng(0).bytes(5 * exports._PORTION))
  portions = exports.zip_walks(places, places.people(), places.walks())
  taken = [next(portions)]
  places.delete_walk(gone)
  taken += portions
  assert max(map(len, taken)) < 2 * exports._PORTION
  archive = zipfile.ZipFile(io.BytesIO(b''.join(taken)))
  assert archive.testzip() is None
  assert not [name for name in archive.namelist() if '2026-11-03' in name]


def test_deletion_leaves_neither_files_nor_bytes(application):
  secret = 'Pseudonym-that-must-vanish'
  browser, places = app_making.Browser(application), application.places

  def bytes_stored():
    return b''.join(p.read_bytes() for p in places.folder.rglob('*') if p.is_file())

  # Open all the time, as the worker's may be.
  with contextlib.closing(sqlite3.connect(places.folder / 'walks.sqlite3')) as other:
    other.execute('SELECT * FROM people').fetchall()
    walks = [application.add_done(pseudonym=secret, flags=(secret,)) for _ in range(2)]
    kept = application.add_done(pseudonym='kept')
    person = places.walk(walks[0]).person
    assert secret.encode() in bytes_stored()
    assert browser.post(f'/walks/{walks[0]}/delete').headers['location'] == f'/people/{person}'
    assert not places.folder_of(walks[0]).exists()
    assert browser.get(f'/walks/{walks[0]}').status_code == 404
    assert browser.get(f'/walks/{walks[0]}/files/report.html').status_code == 404
    assert browser.events(f'/walks/{walks[1]}')[-1]['state'] == 'done'
    assert browser.post(f'/people/{person}/delete').headers['location'] == '/'
    assert secret.encode() not in bytes_stored()
    assert walks[1].encode() not in bytes_stored()
    # A log that is written ahead would need room for reading too.
    assert [p.name for p in places.folder.glob('walks.sqlite3*')] == ['walks.sqlite3']
  assert [walk.id for walk in places.walks()] == [kept]
  assert browser.post(f'/walks/{kept}/delete').headers['location'] == '/'
  assert places.people() == []


def test_on_a_full_disk_walks_and_people_can_be_deleted(application, monkeypatch):
  places, browser = application.places, app_making.Browser(application)
  walks = [application.add_done(pseudonym=name) for name in ('P01', 'P01', 'P02')]
  reserve, transaction = places.folder / 'reserve', places._transaction

  @contextlib.contextmanager
  def transaction_on_a_full_disk():
    """There is only as much room as the reserve has given up."""
    if reserve.exists():
      raise sqlite3.OperationalError('database or disk is full')
    with transaction() as database:
      yield database

  monkeypatch.setattr(places, '_transaction', transaction_on_a_full_disk)
  assert browser.send().status_code == 507
  size = reserve.stat().st_size
  assert size > 50 * 4096
  for path in (f'/walks/{walks[0]}', f'/people/{places.walk(walks[2]).person}'):
    assert browser.post(f'{path}/delete').status_code == 303
    assert reserve.stat().st_size == size
  assert [walk.id for walk in places.walks()] == [walks[1]]


def test_a_walk_that_is_deleted_while_watched_is_said_to_be_gone(application):
  browser = app_making.Browser(application)
  walk = app_making.walk_of(browser.send())
  with browser.client.stream('GET', f'/walks/{walk}/events') as events:
    lines = events.iter_lines()
    assert next(lines) == 'event: state'
    application.places.delete_walk(walk)
    assert 'event: gone' in list(lines)


def test_a_store_of_another_version_is_not_touched(tmp_path):
  store.Store(tmp_path)
  database = sqlite3.connect(tmp_path / 'walks.sqlite3')
  database.execute('PRAGMA user_version = 99')
  database.close()
  with pytest.raises(ValueError) as error:
    store.Store(tmp_path)
  assert error.value.code == 'app.other_version'


def test_foot_marks_and_the_speed_beside_others_are_on_the_walks_page(application):
  walk, older = application.add_done(), application.add_done()
  force = report_making.walk()
  path = walker_path.WalkerPath(2.5 * np.arange(len(force)), np.full(len(force), 200.0), 1000)
  curves = dataclasses.replace(
    report_making.make_curves(force), path=path, feet=report_making.make_feet(force)
  )
  given = walking_speed.Given(1.7, 66)
  content = report_making.make_prediction(curves, given=given).content
  file = application.places.folder_of(walk) / results.FILES['measures.json']
  file.write_text(json.dumps(content))
  browser = app_making.Browser(application)
  page = browser.get(f'/walks/{walk}', headers={'accept-language': 'de'}).text
  assert page.count('class="sole left"') == page.count('class="sole right"') == 3
  assert 'Fußspuren von oben, maßstäblich: 3 des linken und 3 des rechten Fußes.' in page
  assert 'Schrittlängen, m: 0,68; 0,68; 0,68; 0,68; 0,68"' in page
  assert '(1,24 ± 0,28) von 565 gesunden Menschen ab 60 Jahren' in page
  assert 'Schrittlänge 0,68 m' in page
  old = browser.get(f'/walks/{older}').text  # by a version that did not know the feet
  assert 'class="sole' not in old
  assert 'cannot be read' not in old
  content['foot_marks']['walks'][0]['marks'][0]['forward'] = 'x'
  file.write_text(json.dumps(content))
  assert 'cannot be read' in browser.get(f'/walks/{walk}').text
