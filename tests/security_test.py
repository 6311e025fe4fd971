"""What a file from elsewhere, or a name in it, cannot do."""

import ast
import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = sorted(
  p for folder in ('grfjax', 'datasets', 'configs', 'launch') for p in (ROOT / folder).rglob('*.py')
)
# Modules that run what they read, and calls that do.
UNSAFE_MODULES = {
  'pickle',
  'dill',
  'cloudpickle',
  'marshal',
  'shelve',
  'joblib',
  'yaml',
  'jsonpickle',
}
UNSAFE_CALLS = {
  'socket.socket',
  'socket.create_connection',
  'socket.create_server',
  'eval',
  'exec',
  'compile',
  '__import__',
  'os.system',
  'os.popen',
  'cv2.FileStorage',
}
NETWORK_MODULES = {'requests', 'http', 'ftplib', 'urllib.request', 'httpx', 'aiohttp'}
# The application listens, and asks the system for this computer's address: a datagram socket is
# connected, which sends nothing.
ALLOWED_CALLS = {'grfjax/app/network.py': {'socket.create_server', 'socket.socket'}}
# TensorBoard's writer hands its events through a pipe to a thread of its own.
OWN_EVENTS = ("('tensorboardX.proto.", "('builtins', 'object')")

# A command in an interpreter that notes every attempt to reach a network, to start a program, or to
# unpickle anything by name.
WATCHED = """
import json, runpy, sys
from absl import app, flags

seen = []
WATCH = ('socket.connect', 'socket.getaddrinfo', 'urllib.Request', 'pickle.find_class',
         'subprocess.Popen', 'os.system', 'os.exec', 'os.posix_spawn', 'os.fork')

def note(event, args):
  if event in WATCH:
    seen.append([event, repr(args)[:200]])

sys.addaudithook(note)
module, *arguments = json.loads(sys.argv[1])
sys.argv = [module, *arguments]
try:
  runpy.run_module(module, run_name='__main__')
except SystemExit as error:
  if error.code:
    raise
print('seen', json.dumps(seen))
"""

# A command cannot ask for fewer layers, each of which takes seconds to compile.
FEW_LAYERS = """
import sys

sys.path.append({!r})
import convolutional

def get_config():
  config = convolutional.get_config('scratch')
  config.model.dilations = (1,)
  return config
"""


def _unsafe(tree):
  """(line, what) of each import or call that reads data as code, or reaches a network."""
  for node in ast.walk(tree):
    if isinstance(node, ast.Import | ast.ImportFrom):
      module = getattr(node, 'module', None)
      for name in [module] if module else [a.name for a in node.names]:
        if name.split('.')[0] in UNSAFE_MODULES or name in NETWORK_MODULES:
          yield node.lineno, name
    if isinstance(node, ast.Call):
      called = ast.unparse(node.func)
      if called in UNSAFE_CALLS:
        yield node.lineno, called
      if called == 'np.load':
        pickle = [k.value for k in node.keywords if k.arg == 'allow_pickle']
        if not (pickle and isinstance(pickle[0], ast.Constant) and pickle[0].value is False):
          yield node.lineno, 'np.load without allow_pickle=False'
      if any(k.arg == 'shell' for k in node.keywords):
        yield node.lineno, 'a shell'


def test_data_are_never_read_as_code():
  found = {}
  for path in SOURCES:
    name = path.relative_to(ROOT).as_posix()
    called = list(_unsafe(ast.parse(path.read_text(encoding='utf-8'))))
    found[name] = [what for what in called if what[1] not in ALLOWED_CALLS.get(name, ())]
  assert {k: v for k, v in found.items() if v} == {}


@pytest.mark.parametrize(
  'line',
  ['import pickle', 'from urllib.request import urlopen', 'eval(text)', 'np.load(path)',
   'np.load(path, allow_pickle=True)', 'subprocess.run(line, shell=True)', 'import yaml'],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(line):
  assert list(_unsafe(ast.parse(line)))


@pytest.mark.slow
def test_commands_neither_reach_out_nor_unpickle(data_dir, recordings_dir, tmp_path):
  run = tmp_path / 'run'
  config = tmp_path / 'few_layers.py'
  config.write_text(FEW_LAYERS.format(str(ROOT / 'configs')))
  commands = [
    ['grfjax.train', f'--config={config}', f'--workdir={run}', f'--config.data_dir={data_dir}',
     '--config.holdout=A', '--config.steps=2', '--config.calibrate=0', '--config.batch=2',
     '--config.clip=16', '--config.model.width=4', '--config.model.features=8'],
    ['grfjax.evaluate', f'--workdir={run}'],
    ['grfjax.predict', f'--workdir={run}', f'--recordings={recordings_dir}', '--subjects=A',
     f'--out={tmp_path / "out"}', '--overlay'],
    ['grfjax.synth', f'--out={tmp_path / "walks"}', '--subjects=1', '--trials=1', '--workers=1',
     '--width=160', '--height=120'],
  ]  # fmt: skip
  for command in commands:
    done = subprocess.run(
      [sys.executable, '-c', WATCHED, json.dumps(command)],
      capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout.rpartition('seen ')[2])
    assert [s for s in seen if not s[1].startswith(OWN_EVENTS)] == [], command[0]
