"""`python -m grfjax.app` as a clinic starts it."""

import contextlib
import datetime
import json
import re
import signal
import ssl
import subprocess
import sys
import time

import app_making
import httpx
import psutil
import pytest

from grfjax.app import certificate
from grfjax.gait import walking_speed
from grfjax.inference import trained_run
from grfjax.io import run_folder
from grfjax.report import predicting


@contextlib.contextmanager
def started(folder, *flags):
  """Starts the command; yields its process and the address that it prints."""
  command = [sys.executable, '-m', 'grfjax.app', f'--folder={folder}', '--port=0', *flags]
  process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
  try:
    lines = []
    for line in process.stdout:
      lines.append(line)
      if found := re.match(r'\s+(https?://(\S+):\d+)(/open/\S+)', line):
        break
    yield process, found
  finally:
    process.kill()
    process.wait()
    process.stdout.close()


def test_https_by_a_certificate_of_its_own_and_an_orderly_end(tmp_path):
  with started(tmp_path / 'store', '--https') as (process, found):
    trusted = ssl.create_default_context(cafile=tmp_path / 'store' / 'tls' / 'certificate.pem')
    with httpx.Client(base_url=found[1], verify=trusted) as browser:
      cookie = browser.get(found[3]).headers['set-cookie'].lower()
      assert 'secure' in cookie.split('; ')
      assert browser.get('/').status_code == 200
    listening = [c.laddr for c in psutil.Process(process.pid).net_connections('tcp')]
    assert {address.ip for address in listening} == {'127.0.0.1'}
    workers = psutil.Process(process.pid).children()
    second = subprocess.run(
      [sys.executable, '-m', 'grfjax.app', f'--folder={tmp_path / "store"}', '--port=0'],
      capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert 'run.in_use' in second.stderr
    assert second.returncode == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    assert not psutil.wait_procs(workers, 30)[1]
  assert not (tmp_path / 'store').stat().st_mode & 0o077
  assert not (tmp_path / 'store' / 'tls' / 'key.pem').stat().st_mode & 0o077


def test_the_certificate_is_kept_until_it_no_longer_does(tmp_path, monkeypatch):
  files = certificate.ensure_certificate(tmp_path, ['127.0.0.1'])
  first = files[0].read_bytes()
  assert certificate.ensure_certificate(tmp_path, ['127.0.0.1'])[0].read_bytes() == first
  certificate.ensure_certificate(tmp_path, ['127.0.0.1', '192.168.1.20'])
  second = files[0].read_bytes()
  assert second != first
  assert re.fullmatch('([0-9A-F]{2}:){31}[0-9A-F]{2}', certificate.fingerprint(files[0]))

  class Later(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
      return super().now(tz) + datetime.timedelta(days=380)

  monkeypatch.setattr(certificate.datetime, 'datetime', Later)
  certificate.ensure_certificate(tmp_path, ['127.0.0.1'])
  assert files[0].read_bytes() != second


class Tablet(app_making.Browser):
  """A browser at the command."""

  def __init__(self, found):
    self.client = httpx.Client(base_url=found[1], timeout=60)
    self.client.get(found[3]).raise_for_status()
    self.csrf = re.search(r'name="csrf" value="(\w+)"', self.client.get('/new').text)[1]

  def state(self, walk):
    """Returns the state that events tell first."""
    with self.client.stream('GET', f'{walk}/events') as events:
      data = (line for line in events.iter_lines() if line.startswith('data: '))
      return json.loads(next(data)[6:])['state']

  def wait_for(self, walk, *states):
    deadline_s = time.monotonic() + 300
    while (state := self.state(walk)) not in states:
      assert time.monotonic() < deadline_s, state
      time.sleep(0.1)


@pytest.mark.slow
def test_a_film_becomes_the_report_of_predict_though_the_server_is_killed(recordings_dir, tmp_path):
  store = tmp_path / 'store'
  film = (recordings_dir / 'A_1.mp4').read_bytes()
  with started(store) as (process, found):
    tablet = Tablet(found)
    with contextlib.closing(tablet.client):
      walk = tablet.send(film).headers['location']
      tablet.wait_for(walk, 'checked')
      assert 'check.small_walker' in tablet.get(walk).text
      assert tablet.post(f'{walk}/estimate').status_code == 303
      tablet.wait_for(walk, 'estimating')
    (worker,) = psutil.Process(process.pid).children()
    process.kill()
    assert not psutil.wait_procs([worker], 30)[1]  # it ends though nobody told it to
  with started(store) as (process, found):
    tablet = Tablet(found)
    with contextlib.closing(tablet.client):
      tablet.wait_for(walk, 'done', 'failed')
      curves = tablet.get(f'{walk}/files/curves.csv').text
      report = tablet.get(f'{walk}/files/report.html')
      part = tablet.get(f'{walk}/files/film.mp4', headers={'range': 'bytes=4-7'})
      assert 'report.html' in tablet.get(walk).text
  assert (part.status_code, part.content) == (206, b'ftyp')
  assert "style-src 'sha256-" in report.headers['content-security-policy']
  (tmp_path / 'walk.film').write_bytes(film)
  run = trained_run.load(run_folder.RunFolder.find('everyone'))
  given = walking_speed.Given(height_m=1.7)
  predicting.predict_video(
    run, tmp_path / 'walk.film', tmp_path / 'out', '', 61.5, given, with_overlay=False
  )
  assert curves == (tmp_path / 'out' / 'walk.csv').read_text(encoding='utf-8')
