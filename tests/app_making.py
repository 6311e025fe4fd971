"""A running application for tests, with browsers of its own and jobs that take no time."""

import contextlib
import json
import pathlib
import re
import threading
import time

import httpx
import uvicorn

from grfjax.app import connections, network, results, server, settings, store, worker
from grfjax.gait import gait_measures

CHECK = {
  'verdict': 'good', 'width': 640, 'height': 360, 'fps': 60.0, 'seconds': 4.0, 'slowed': 1.0,
  'camera': 'still', 'walks': 1, 'clear_seconds': 3.0, 'contacts': 4, 'feet': 'visible',
  'findings': [],
}  # fmt: skip
FORM = {'pseudonym': 'P01', 'body_mass_kg': '61.5', 'height_m': '1,7', 'age_years': ''}


class Browser:
  """What a tablet does: it opens the address once, keeps the cookie and sends forms."""

  def __init__(self, application: 'Application', *, opened: bool = True):
    self.client = httpx.Client(base_url=application.address, timeout=30)
    self.csrf = ''
    application.browsers.append(self)
    if opened:
      self.client.get(f'/open/{application.options.token}').raise_for_status()
      self.csrf = re.search(r'name="csrf" value="(\w+)"', self.client.get('/new').text)[1]

  def get(self, path: str, **arguments) -> httpx.Response:
    return self.client.get(path, **arguments)

  def post(self, path: str) -> httpx.Response:
    return self.client.post(path, data={'csrf': self.csrf})

  def send(self, film: bytes = b'a film', **fields: str) -> httpx.Response:
    data = {'csrf': self.csrf, **FORM, **fields}
    return self.client.post('/walks', data=data, files={'film': ('../../etc/x.mp4', film)})

  def events(self, path: str) -> list[dict]:
    """Returns the states that the server tells until it has no more to tell."""
    text = self.get(f'{path}/events').text
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith('data: ')]


class Application:
  """A server that listens, and the store behind it."""

  def __init__(self, folder: pathlib.Path, *, files: int = 1000, **options):
    self.places = store.Store(folder)
    self.browsers: list[Browser] = []
    (self._socket,) = network.listen([network.LOCAL], 0)
    port = self._socket.getsockname()[1]
    self.address = f'http://127.0.0.1:{port}'
    hosts = network.host_names([network.LOCAL], port, secure=False)
    self.options = settings.Settings(folder, hosts, **options)
    application = server.make_application(self.options, self.places)
    self._server = uvicorn.Server(
      uvicorn.Config(
        application,
        http=connections.connection_class(files),
        ws='none', lifespan='off', log_level='critical',
        timeout_graceful_shutdown=1,
      )
    )  # fmt: skip

  @contextlib.contextmanager
  def running(self):
    thread = threading.Thread(target=self._server.run, kwargs={'sockets': [self._socket]})
    thread.start()
    while not self._server.started:
      time.sleep(0.01)
    try:
      yield self
    finally:
      for browser in self.browsers:
        browser.client.close()
      self._server.should_exit = True
      thread.join()

  def add_done(self, **changes) -> str:
    """Adds a walk of which results are there, and returns its id."""
    upload = self.places.uploads / f'{store.new_id()}.part'
    upload.write_bytes(b'a film')
    data = {
      'pseudonym': 'P01', 'filmed_on': '2026-11-01', 'body_mass_kg': 61.5, 'height_m': None,
      'age_years': None,
    }  # fmt: skip
    values = {name: changes.pop(name) for name in [*changes] if name in data}
    walk = self.places.add_walk(upload, store.WalkData(**{**data, **values}))
    write_results(self.places.folder_of(walk), **changes)
    self.places.claim()
    self.places.finish_check(walk, CHECK)
    self.places.finish_estimate(walk)
    return walk


def write_results(folder: pathlib.Path, *, peak: float = 1.1, flags: tuple[str, ...] = ()) -> None:
  """Writes files that look like those of `predict`, with one peak for all that is measured."""
  leg = {name: {'mean': peak, 'sd': None, 'n': 2} for name in gait_measures.MEASURES}
  summary = {
    'left': leg, 'right': leg, **{name: {'mean': 100 * peak, 'n': 3} for name in results.OF_WALK},
    'symmetry_index_pct': dict.fromkeys(gait_measures.MEASURES, 0.0),
  }  # fmt: skip
  content = {
    'camera': 'left',
    'body_mass_kg': 61.5,
    'summary': summary,
    'quality': {
      'frames': 90,
      'without_estimate': {'left': 0, 'right': 0},
      'strides': 1,
      'mean_total_bw': 1.0,
      'flags': list(flags),
      'flag_codes': ['prediction.note'] * len(flags),
    },
  }
  page = '<!doctype html><style>p { color: red; }</style><p>A report</p>'
  for name, file in results.FILES.items():
    text = {'measures.json': json.dumps(content), 'report.html': page}.get(name, f'{name}\n')
    (folder / file).write_text(text, encoding='utf-8')


def write_results_anyway(folder: pathlib.Path) -> None:
  """Writes results though the folder may have been deleted, as a job that goes on would."""
  folder.mkdir(exist_ok=True)
  write_results(folder)


def quick_tasks(**others) -> worker.Tasks:
  """Returns jobs that take no time."""
  quick = {
    'check': lambda film: CHECK,
    'estimate': lambda film, folder, walk: write_results(folder),
  }
  return worker.Tasks(**{**quick, **others})


def walk_of(answer: httpx.Response) -> str:
  """Returns the id of the walk that an upload was answered with."""
  assert answer.status_code == 303, answer.text
  return answer.headers['location'].removeprefix('/walks/')
