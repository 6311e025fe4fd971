"""Fixtures that several tests share: a small recording set and the data set built of it."""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.util
import os
import pathlib
import runpy
import sys
import types
from collections.abc import Callable, Iterable

import filelock
import jax
import making
import pytest
import tensorflow_datasets as tfds
from absl import flags, logging

from grfjax.models import networks, walker_networks

DATASETS = pathlib.Path(__file__).parents[1] / 'datasets'
LONGEST = ('loso_test.py', 'phone_test.py', 'slurm_test.py', 'train_test.py')


def pytest_configure(config: pytest.Config) -> None:
  """Lets one warning pass that TFDS causes in protobuf when a data set is opened."""
  config.addinivalue_line(
    'filterwarnings', r'ignore:label\(\) is deprecated:DeprecationWarning:tensorflow_datasets'
  )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
  """Puts files with long tests first, so that no worker is left alone with one at the end."""
  slow: dict[str, int] = {}
  for item in items:
    slow[item.path.name] = slow.get(item.path.name, 0) + bool(item.get_closest_marker('slow'))
  items.sort(key=lambda item: (item.path.name not in LONGEST, -slow[item.path.name]))


def pytest_collection_finish() -> None:
  """Spares the garbage collector all that was imported, which it would look at again and again."""
  gc.collect()
  gc.freeze()


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """A folder of this session, which all workers share."""
  own = tmp_path_factory.getbasetemp()
  return own.parent if os.environ.get('PYTEST_XDIST_WORKER') else own


def make_once(folder: pathlib.Path, make: Callable[[pathlib.Path], object]) -> pathlib.Path:
  """Has one worker make a folder, which others wait for and then share; tests only read it."""
  with filelock.FileLock(folder.with_suffix('.lock')):
    if not folder.exists():
      partial = folder.with_suffix('.partial')
      partial.mkdir()
      make(partial)
      partial.rename(folder)
  return folder


@pytest.fixture(scope='session', autouse=True)
def compile_once(tmp_path_factory: pytest.TempPathFactory) -> None:
  """Keeps compiled programs for the session: many tests build the same small networks.

  All workers, and the commands that tests start, share them.
  """
  folder = shared_folder(tmp_path_factory) / 'compiled'
  folder.mkdir(exist_ok=True)
  settings = {
    'compilation_cache_dir': str(folder),
    'persistent_cache_min_compile_time_secs': 0.2,
    'compilation_cache_max_size': 2**30,  # with a limit, JAX locks the folder while it writes
    'disable_most_optimizations': True,  # most programs here run a few times only
  }
  for name, value in settings.items():
    jax.config.update(f'jax_{name}', value)
    os.environ[f'JAX_{name.upper()}'] = str(value)
  # The emitters by way of MLIR, and programs in several parts, take three times as long to compile.
  flags = ['--xla_cpu_use_fusion_emitters=false', '--xla_cpu_parallel_codegen_split_count=1']
  os.environ['XLA_FLAGS'] = ' '.join([*os.environ.get('XLA_FLAGS', '').split(), *flags])


@pytest.fixture(scope='session')
def recordings_dir(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """A recording set: 3 subjects x 2 trials (camera left, right) of 70 frames 96 x 64."""
  folder = shared_folder(tmp_path_factory) / 'recordings'
  return make_once(folder, lambda root: making.write_set(root, making.SUBJECTS))


@pytest.fixture(scope='session')
def builder_module() -> types.ModuleType:
  """The data set's builder, found as the tfds command finds it: with datasets/ on the path."""
  if str(DATASETS) not in sys.path:
    sys.path.insert(0, str(DATASETS))
  return importlib.import_module('walking_grf.walking_grf_dataset_builder')


@pytest.fixture(scope='session')
def data_dir(
  recordings_dir: pathlib.Path,
  builder_module: types.ModuleType,
  tmp_path_factory: pytest.TempPathFactory,
) -> pathlib.Path:
  """Both configurations, built of `recordings_dir` without TensorFlow."""

  def build(root: pathlib.Path) -> None:
    for config in ('walker', 'mochizuki'):
      builder = builder_module.Builder(data_dir=root, config=config)
      builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=recordings_dir)
      )

  return make_once(shared_folder(tmp_path_factory) / 'data', build)


def _is_of_absl(flag: str) -> bool:
  return str(flags.FLAGS.find_module_defining_flag(flag)).startswith('absl')


def _remove_flags(names: Iterable[str]) -> None:
  for name in list(names):
    delattr(flags.FLAGS, name)


@pytest.fixture
def call_command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
  """Calls a command in this process, where what it imports is there: (module, *arguments) -> None.

  It raises what makes a process end with 1: SystemExit with the message, or flags.Error.
  """

  def call(name: str, *arguments: object) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    line = [name, *map(str, arguments)]
    monkeypatch.setattr(sys, 'argv', line)
    monkeypatch.setattr(logging, 'set_verbosity', lambda _: None)  # that of the other tests stays
    kept = {name for name in flags.FLAGS if _is_of_absl(name)}
    others = {name: flags.FLAGS[name] for name in set(flags.FLAGS) - kept}
    _remove_flags(others)  # commands share names of flags with scripts that tests import
    try:
      command = runpy.run_path(str(spec.origin))
      command.get('define_flags', lambda: None)()
      command['main'](flags.FLAGS(line))
    finally:
      _remove_flags(set(flags.FLAGS) - kept)
      for flag_name, flag in others.items():
        flags.FLAGS[flag_name] = flag
      flags.FLAGS.unparse_flags()

  return call


@pytest.fixture
def few_layers(monkeypatch: pytest.MonkeyPatch) -> None:
  """Members of `walker` with one layer over time each, as a layer takes seconds to compile."""
  for name, change in (('Convolutional', {'dilations': (1,)}), ('Recurrent', {'layers': 1})):
    network = functools.partial(getattr(walker_networks, name), **change)
    monkeypatch.setattr(walker_networks, name, network)
    monkeypatch.setitem(networks.MODELS, name.lower(), network)
