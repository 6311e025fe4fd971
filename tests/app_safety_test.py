"""Who may use the application, and what its answers allow a browser to do."""

import asyncio
import base64
import contextlib
import hashlib
import re
import socket
from unittest import mock

import app_making
import pytest
import uvicorn
from uvicorn import server as uvicorn_server

from grfjax.app import connections, network, refusals, rendering, safety, server, settings, texts

NASTY = '<script>alert("x")</script>\'"&'


@pytest.fixture(scope='module')
def application(tmp_path_factory):
  folder = tmp_path_factory.mktemp('app')
  with app_making.Application(folder).running() as application:
    yield application


@pytest.fixture(scope='module')
def browser(application):
  return app_making.Browser(application)


@pytest.fixture(scope='module')
def walk(application):
  return application.add_done(pseudonym=NASTY, flags=(NASTY,))


@pytest.fixture(scope='module')
def pages(application, walk):
  person = application.places.walk(walk).person
  return [
    '/', '/new', f'/new?person={person}', '/how-to-film', f'/walks/{walk}', f'/people/{person}',
    f'/people/{person}/compare?first={walk}&second={walk}', '/nothing-here',
  ]  # fmt: skip


def test_nothing_is_told_without_the_token(application, pages):
  stranger = app_making.Browser(application, opened=False)
  for path in [*pages, '/export.zip']:
    answer = stranger.get(path)
    assert (answer.status_code, 'app.no_session' in answer.text) == (401, True), path
  assert stranger.send().status_code == 401
  wrong = stranger.get('/open/' + 'A' * len(application.options.token))
  assert wrong.status_code == 403
  assert 'set-cookie' not in wrong.headers
  forged = application.options.new_session()[:-1] + 'x'
  assert stranger.get('/', headers={'cookie': f'{safety.COOKIE}={forged}'}).status_code == 401


def test_a_session_of_another_start_is_none(application):
  other = settings.Settings(application.options.folder, application.options.hosts)
  assert not application.options.is_session(other.new_session())
  assert other.token != application.options.token
  assert len(other.token) >= 32


@pytest.mark.parametrize(
  'cookies',
  [
    'x="open; {}',
    'pref={{"a":1}}; {}',
    'name=J\xfcrgen; {}',
    'flag; {}; =b',
    '{}; grfjax_session=bad',
  ],
)
def test_cookies_of_other_programs_on_this_computer_shut_nobody_out(application, cookies):
  session = f'{safety.COOKIE}={application.options.new_session()}'
  stranger = app_making.Browser(application, opened=False)
  header = cookies.format(session).encode('latin-1')
  assert stranger.get('/', headers=[(b'cookie', header)]).status_code == 200


def test_a_form_with_too_many_fields_is_refused():
  with pytest.raises(refusals.Refusal) as refused:
    safety.parse_form(b'&'.join(b'field%d=' % k for k in range(31)))
  assert (refused.value.status, refused.value.code) == (400, 'app.form')


@pytest.mark.parametrize('secure', [False, True])
def test_the_cookie_is_sent_to_nobody_else(application, secure, tmp_path):
  with app_making.Application(tmp_path, secure=secure).running() as other:
    browser = app_making.Browser(other, opened=False)
    parts = browser.get(f'/open/{other.options.token}').headers['set-cookie'].lower().split('; ')
  assert {'httponly', 'samesite=strict'} < set(parts)
  assert ('secure' in parts) == secure


@pytest.mark.parametrize('host', ['evil.example', '127.0.0.1', 'localhost:1', ''])
def test_another_name_for_this_computer_is_refused(browser, host):
  answer = browser.get('/', headers={'host': host})
  assert answer.status_code == 400
  assert 'app.host' in answer.text


def test_localhost_is_this_computer(application, browser):
  port = application.address.rpartition(':')[2]
  assert browser.get('/', headers={'host': f'localhost:{port}'}).status_code == 200


def test_every_form_needs_its_secret(application, browser, walk):
  person = application.places.walk(walk).person
  other = application.options.csrf(application.options.new_session())
  paths = [f'/walks/{walk}/{verb}' for verb in ('estimate', 'again', 'delete')]
  for path in [*paths, f'/people/{person}/delete']:
    for data in ({}, {'csrf': other}):
      answer = browser.client.post(path, data=data)
      assert (answer.status_code, 'app.csrf' in answer.text) == (403, True), path
    assert browser.get(path).status_code == 405
  for csrf in ('', other):
    assert browser.send(csrf=csrf).status_code == 403
  assert application.places.walk(walk) is not None
  assert len(application.places.walks()) == 1


def test_that_list_of_forms_is_whole(application):
  starlette = server.make_application(application.options, application.places)._app
  posts = [r.path for r in starlette.routes if 'POST' in (getattr(r, 'methods', None) or ())]
  assert sorted(posts) == [
    '/people/{person}/delete', '/walks', '/walks/{walk}/again', '/walks/{walk}/delete',
    '/walks/{walk}/estimate',
  ]  # fmt: skip


def test_pages_have_nothing_that_their_policy_forbids(browser, pages):
  for path in pages:
    answer = browser.get(path)
    policy = answer.headers['content-security-policy']
    assert policy.startswith("default-src 'none'"), path
    assert "'unsafe" not in policy
    assert 'http' not in policy
    assert not re.findall(r'<script(?![^>]*\ssrc="/static/)', answer.text), path
    assert not re.findall(r'<style|\sstyle=|\son\w+=|javascript:', answer.text), path
    assert not re.findall(r'(?:src|href|action)="(?!/|#|data:image)', answer.text), path
    assert answer.headers['x-content-type-options'] == 'nosniff'
    assert answer.headers['referrer-policy'] == 'same-origin'
    assert answer.headers['cache-control'] == 'no-store'


def test_names_are_escaped(browser, pages):
  seen = 0
  for path in pages:
    text = browser.get(path).text
    assert '<script>alert' not in text, path
    seen += '&lt;script&gt;alert' in text
  assert seen >= 5


def test_a_report_may_show_its_own_styles_and_nothing_else(browser, walk):
  answer = browser.get(f'/walks/{walk}/files/report.html')
  digest = base64.b64encode(hashlib.sha256(b'p { color: red; }').digest()).decode()
  policy = dict(
    part.split(' ', 1) for part in answer.headers['content-security-policy'].split('; ')
  )
  assert policy['style-src'] == f"'sha256-{digest}'"
  assert policy['default-src'] == "'none'"
  assert 'script-src' not in policy
  assert policy['sandbox'] == 'allow-same-origin'


@pytest.mark.parametrize(
  'path',
  [
    '/walks/{walk}/files/walk.film', '/walks/{walk}/files/..%2f..%2f..%2fwalks.sqlite3',
    '/walks/..%2f{walk}/files/report.html', '/walks/%2e%2e/files/report.html',
    '/static/..%2f__init__.py', '/static/%2e%2e/__init__.py', '/people/..%2f..',
  ],
)  # fmt: skip
def test_addresses_lead_to_no_other_file(browser, walk, path):
  assert browser.get(path.format(walk=walk)).status_code == 404


def test_the_name_of_an_upload_names_no_file(tmp_path):
  with app_making.Application(tmp_path / 'deep' / 'store').running() as application:
    walk = app_making.walk_of(app_making.Browser(application).send())
    assert application.places.film_of(walk).read_bytes() == b'a film'
    files = {path.name for path in tmp_path.rglob('*') if path.is_file()}
  assert 'x.mp4' not in files
  assert re.fullmatch(r'[A-Za-z0-9_-]{22}', walk)


def test_only_this_computer_is_listened_to_and_lan_means_no_public_address():
  (listening,) = network.listen([network.LOCAL], 0)
  with listening:
    assert listening.getsockname()[0] == '127.0.0.1'
    with pytest.raises(ValueError) as error:
      network.listen([network.LOCAL], listening.getsockname()[1])
  assert error.value.code == 'app.port'
  for address in ('8.8.8.8', '0.0.0.0', 'tablet', '::1'):
    with pytest.raises(ValueError) as error:
      network.lan_address(address)
    assert error.value.code == 'app.address'
  assert network.lan_address('192.168.1.20') == '192.168.1.20'
  with pytest.raises(ValueError, match=r'127\.0\.0\.1 can be reached from this computer alone'):
    network.lan_address('127.0.0.1')


def open_and_wait(application, first=b''):
  """Opens a connection, sends the beginning of a request, and returns the connection."""
  host, port = application.address.removeprefix('http://').split(':')
  connection = socket.create_connection((host, int(port)), timeout=10)
  connection.sendall(first)
  return connection


@pytest.mark.parametrize('waits', ['head', 'body'])
def test_who_sends_nothing_more_is_hung_up_on(application, browser, monkeypatch, waits):
  monkeypatch.setattr(connections, 'HEAD_S', 0.2 if waits == 'head' else 60.0)
  monkeypatch.setattr(connections, 'SILENCE_S', 0.2)
  monkeypatch.setattr(connections, '_LOOKS', 2 if waits == 'head' else 600)
  cookie = f'{safety.COOKIE}={browser.client.cookies[safety.COOKIE]}'
  host = application.address.removeprefix('http://')
  head = f'POST /walks/x/again HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n'
  rest = 'Content-Length: 100\r\n\r\ncsrf=' if waits == 'body' else ''
  connection = open_and_wait(application, (head + rest).encode())
  with connection, contextlib.suppress(ConnectionResetError):
    assert connection.recv(1000) == b''
  assert browser.get('/').status_code == 200


def test_many_silent_connections_make_room_for_a_browser(tmp_path):
  with (
    app_making.Application(tmp_path, files=4).running() as application,
    contextlib.ExitStack() as opened,
  ):
    silent = [opened.enter_context(open_and_wait(application)) for _ in range(6)]
    browser = app_making.Browser(application)
    assert browser.get('/').status_code == 200
    with contextlib.suppress(ConnectionResetError):
      assert silent[0].recv(1000) == b''  # it has waited longest


def test_room_is_made_at_once_though_nobody_answers_the_end_of_tls():
  config = uvicorn.Config(lambda: None, lifespan='off', ws='none')
  config.load()
  state, loop = uvicorn_server.ServerState(), asyncio.new_event_loop()
  transports = [mock.Mock(), mock.Mock()]
  for transport in transports:
    transport.get_extra_info.return_value = None
    connections.connection_class(2)(config, state, {}, loop).connection_made(transport)
  loop.close()
  assert [transport.abort.call_count for transport in transports] == [1, 0]


@pytest.mark.parametrize(
  ('accept', 'language'),
  [
    ('', 'en'), ('ja', 'ja'), ('de-CH,de;q=0.9,en;q=0.8', 'de'), ('fr,en;q=0.5,ja;q=0.7', 'ja'),
    ('fr', 'en'), ('de;q=0,en', 'en'), ('de;q=nonsense,ja', 'ja'),
  ],
)  # fmt: skip
def test_the_browser_chooses_the_language(accept, language, browser):
  assert rendering.choose_language(accept) == language
  assert f'<html lang="{language}"' in browser.get('/', headers={'accept-language': accept}).text


def test_refusals_are_told_to_scripts_as_json(browser):
  answer = browser.get('/nothing-here', headers={'accept': 'application/json'})
  assert answer.json()['code'] == refusals.not_found('page').code
  assert answer.json()['message'] == texts.REFUSALS['app.not_found'][0]
