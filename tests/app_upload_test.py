"""What becomes of a film on its way in: too large, cut short, no room, two at once, not a film."""

import concurrent.futures
import errno
import socket
import threading
import time
from collections import namedtuple

import app_making
import pytest

from grfjax.app import store, uploads, worker

LIMIT = 3_000_000  # in place of 4 GB, where that much would have to be sent
BOUNDARY = 'b'


@pytest.fixture(scope='module')
def application(tmp_path_factory):
  folder = tmp_path_factory.mktemp('app')
  with app_making.Application(folder, max_film_bytes=LIMIT).running() as application:
    yield application


@pytest.fixture(scope='module')
def browser(application):
  return app_making.Browser(application)


def part(name, value, filename=''):
  filename = f'; filename="{filename}"' if filename else ''
  head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
  return head.encode() + value + b'\r\n'


def form_start(browser, **fields):
  """Returns a form up to the film's first byte."""
  fields = {'csrf': browser.csrf, **app_making.FORM, **fields}
  parts = b''.join(part(name, value.encode()) for name, value in fields.items())
  return parts + part('film', b'', 'walk.mp4').removesuffix(b'\r\n')


def post_chunks(browser, chunks, **headers):
  """Posts a form whose length is not told before."""
  headers = {'content-type': f'multipart/form-data; boundary={BOUNDARY}', **headers}
  return browser.client.post('/walks', content=iter(chunks), headers=headers)


def nothing_is_left(application, walks):
  return not list(application.places.uploads.iterdir()) and application.places.walks() == walks


def test_a_film_arrives_whole_with_what_is_known_of_the_walker(application, browser):
  film = bytes(range(256)) * 10_000  # more than is written at once, with every byte in it
  walk = app_making.walk_of(browser.send(film, pseudonym='  Ä  b ', age_years='7', filmed_on=''))
  assert application.places.film_of(walk).read_bytes() == film
  found = application.places.walk(walk)
  assert (found.body_mass_kg, found.height_m, found.age_years) == (61.5, 1.7, 7.0)
  assert (found.bytes, found.state, found.filmed_on) == (len(film), 'check_queued', uploads.today())
  assert application.places.person(found.person).pseudonym == 'Ä b'


def test_capital_letters_make_no_other_person(application, browser):
  walks = [app_making.walk_of(browser.send(pseudonym=name)) for name in ('Straße 1', 'STRASSE 1')]
  (person,) = {application.places.walk(walk).person for walk in walks}
  assert application.places.person(person).pseudonym == 'Straße 1'
  other = app_making.walk_of(browser.send(pseudonym='Straße 2'))
  assert application.places.walk(other).person != person


def test_four_gigabytes_are_refused_before_any_of_it_is_read(tmp_path):
  with app_making.Application(tmp_path).running() as application:
    browser = app_making.Browser(application)
    host, port = application.address.removeprefix('http://').split(':')
    with socket.create_connection((host, int(port)), timeout=10) as connection:
      cookie = '; '.join(f'{name}={value}' for name, value in browser.client.cookies.items())
      connection.sendall(
        f'POST /walks HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n'
        f'Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n'
        f'Content-Length: {4 * 10**9}\r\n\r\n'.encode()
      )
      answer = b''
      while b'app.too_large' not in answer:
        received = connection.recv(65536)
        assert received, answer
        answer += received
    assert answer.startswith(b'HTTP/1.1 413 ')
    assert nothing_is_left(application, [])


def test_a_film_that_does_not_tell_its_length_is_refused_at_the_limit(application, browser):
  walks = application.places.walks()
  sent = 0

  def chunks():
    nonlocal sent
    yield form_start(browser)
    for _ in range(100):
      sent += 100_000
      yield b'x' * 100_000
    yield f'\r\n--{BOUNDARY}--\r\n'.encode()

  answer = post_chunks(browser, chunks())
  assert (answer.status_code, 'app.too_large' in answer.text) == (413, True)
  assert nothing_is_left(application, walks)
  largest = [form_start(browser), b'x' * (LIMIT - 1), f'\r\n--{BOUNDARY}--\r\n'.encode()]
  walk = app_making.walk_of(post_chunks(browser, largest))
  assert application.places.walk(walk).bytes == LIMIT - 1


def test_a_disk_without_room_is_told_before_the_film_is_sent(application, browser, monkeypatch):
  walks = application.places.walks()
  usage = namedtuple('usage', 'free')
  free = application.options.reserved_bytes + 2000
  monkeypatch.setattr(uploads.shutil, 'disk_usage', lambda folder: usage(free))
  answer = browser.send(b'x' * 3000)
  assert (answer.status_code, 'app.disk_full' in answer.text) == (507, True)
  assert nothing_is_left(application, walks)
  assert browser.send(b'x' * 100).status_code == 303


@pytest.mark.parametrize('number', [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_leaves_nothing_half(application, browser, monkeypatch, number):
  walks = application.places.walks()

  def write(file, buffer):
    file.write(buffer[:1000])
    raise OSError(number, 'no room')

  monkeypatch.setattr(uploads, '_write', write)
  answer = browser.send(b'x' * 2_000_000)
  assert (answer.status_code, 'app.disk_full' in answer.text) == (507, True)
  assert nothing_is_left(application, walks)


def test_a_tab_closed_in_the_middle_leaves_nothing(application, browser):
  walks = application.places.walks()

  def chunks():
    yield form_start(browser)
    yield b'x' * 2_000_000
    deadline_s = time.monotonic() + 10  # by when the server has taken some of it
    while not list(application.places.uploads.iterdir()):
      assert time.monotonic() < deadline_s
      time.sleep(0.02)
    raise ConnectionError('the tab is closed')

  with pytest.raises(ConnectionError):
    post_chunks(browser, chunks())
  deadline_s = time.monotonic() + 10
  while not nothing_is_left(application, walks):
    assert time.monotonic() < deadline_s
    time.sleep(0.02)


def test_two_tablets_at_once_do_not_disturb_each_other(application):
  tablets = [app_making.Browser(application) for _ in range(2)]
  both_have_begun = threading.Barrier(2)
  films = [bytes([k]) * 2_500_000 for k in (1, 2)]

  def send(tablet, film):
    def chunks():
      yield form_start(tablet, pseudonym='the same')
      yield film[:1_500_000]
      both_have_begun.wait(10)
      yield film[1_500_000:]
      yield f'\r\n--{BOUNDARY}--\r\n'.encode()

    return app_making.walk_of(post_chunks(tablet, chunks()))

  with concurrent.futures.ThreadPoolExecutor(2) as pool:
    walks = list(pool.map(send, tablets, films))
  for walk, film in zip(walks, films, strict=True):
    assert application.places.film_of(walk).read_bytes() == film
  assert len({application.places.walk(walk).person for walk in walks}) == 1


@pytest.mark.parametrize(
  ('fields', 'code'),
  [
    ({'pseudonym': ''}, 'app.pseudonym'), ({'pseudonym': ' \n '}, 'app.pseudonym'),
    ({'pseudonym': 'x' * 61}, 'app.pseudonym'), ({'pseudonym': 'x' * 5000}, 'app.pseudonym'),
    ({'height_m': '1' * 5000}, 'app.height'), ({'filmed_on': '1989-12-31'}, 'app.date'),
    ({'pseudonym': 'a\x00b'}, 'app.pseudonym'),
    ({'body_mass_kg': ''}, 'app.body_mass'), ({'body_mass_kg': 'heavy'}, 'app.body_mass'),
    ({'body_mass_kg': 'nan'}, 'app.body_mass'), ({'body_mass_kg': '4'}, 'app.body_mass'),
    ({'height_m': '170'}, 'app.height'), ({'age_years': '-1'}, 'app.age'),
    ({'filmed_on': '2026-13-01'}, 'app.date'), ({'filmed_on': '2999-01-01'}, 'app.date'),
  ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_refused_before_the_film(application, browser, fields, code):
  walks = application.places.walks()
  answer = post_chunks(
    browser,
    [form_start(browser, **fields), b'x' * 100_000, f'\r\n--{BOUNDARY}--\r\n'.encode()],
    accept='application/json',
  )
  assert (answer.status_code, answer.json()['code']) == (422, code)
  assert nothing_is_left(application, walks)


def test_a_form_that_is_none_is_refused(application, browser):
  walks = application.places.walks()
  end = f'--{BOUNDARY}--\r\n'.encode()
  whole = form_start(browser) + b'x\r\n'
  for chunks in (
    [whole + part('pseudonym', b'late') + end],  # the film is not the last field
    [whole],  # cut short
    [b'nonsense'],
    [part('film', b'x', 'x.mp4') + end],  # before what says who sends it
    [form_start(browser) + b'\r\n' + end],  # an empty film
    [form_start(browser).replace(b'"film"', b'"movie"') + b'x\r\n' + end],
    [part('remark', b'x' * 5000) + end],
    [b''.join(part(f'f{k}', b'x') for k in range(30)) + end],
  ):
    answer = post_chunks(browser, chunks)
    assert answer.status_code in (400, 403, 422), answer.text
    assert nothing_is_left(application, walks)
  assert browser.client.post('/walks', data={'csrf': browser.csrf}).status_code == 400


@pytest.mark.parametrize(
  ('content', 'code'), [(b'GIF89a', 'video.unreadable'), (b'%PDF-1.7 x', 'video.unreadable')]
)
def test_a_file_that_is_no_film_is_named_and_not_kept(application, browser, content, code):
  work = worker.tasks('everyone')
  while worker.work_once(application.places, app_making.quick_tasks()):
    pass
  walk = app_making.walk_of(browser.send(content))
  assert worker.work_once(application.places, work)
  found = application.places.walk(walk)
  assert (found.state, found.code) == ('failed', code)
  assert str(application.places.folder) not in found.detail
  assert not application.places.film_of(walk).exists()
  assert code in browser.get(f'/walks/{walk}').text


def test_what_a_dead_server_left_is_removed_and_whole_films_stay(tmp_path):
  places = store.Store(tmp_path)
  (places.uploads / 'x.part').write_bytes(b'half a film')
  upload = places.uploads / 'y.part'
  upload.write_bytes(b'a film')
  data = store.WalkData('P01', '2026-11-01', 61.5, None, None)
  walk = places.add_walk(upload, data)
  stray = places.folder_of(store.new_id())
  stray.mkdir()  # its row was never written, or was deleted
  again = store.Store(tmp_path)
  again.remove_leftovers()
  assert not list(again.uploads.iterdir())
  assert not stray.exists()
  assert again.film_of(walk).read_bytes() == b'a film'
  assert again.walk(walk).state == 'check_queued'
