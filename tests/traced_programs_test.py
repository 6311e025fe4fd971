"""A traced program is read again, gives the same bits, and is never that of something else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from grfjax.inference import estimator, traced_programs, trained_run
from grfjax.io import run_folder
from grfjax.models import networks


@pytest.fixture
def folder(tmp_path):
  """A folder where programs are kept."""
  before = jax.config.jax_compilation_cache_dir
  jax.config.update('jax_compilation_cache_dir', str(tmp_path))
  yield tmp_path / 'traced'
  jax.config.update('jax_compilation_cache_dir', before)


class Start:
  """What a process makes of a function of weights and a batch when it starts."""

  def __init__(self, settings='', factor=2):
    self.traced = 0

    def estimate(params, batch):
      self.traced += 1
      return jnp.tanh(batch['x'] @ params['w']) * factor, batch['x'].sum()

    self.traces_itself = jax.jit(estimate)
    self.estimate = traced_programs.kept(jax.jit(estimate), settings)


def arguments(seed=0, rows=3, dtype=np.float32):
  rng = np.random.default_rng(seed)
  return jax.device_put((
    {'w': rng.normal(size=(5, 4)).astype(np.float32)},
    {'x': rng.normal(size=(rows, 5)).astype(dtype)},
  ))  # fmt: skip


def same(ours, theirs):
  return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(ours, theirs, strict=True))


def test_a_later_start_does_not_trace_and_gives_the_same_bits(folder):
  first, second = Start(), Start()
  estimated = first.estimate(*arguments())
  assert first.traced == 1
  assert same(estimated, first.traces_itself(*arguments()))
  assert same(estimated, second.estimate(*arguments()))
  assert second.traced == 0


def test_a_program_that_was_read_takes_other_weights(folder):
  Start().estimate(*arguments())
  start = Start()
  start.estimate(*arguments())
  estimated = start.estimate(*arguments(seed=1))
  assert start.traced == 0
  assert same(estimated, start.traces_itself(*arguments(seed=1)))


@pytest.mark.parametrize(
  'damage',
  [lambda b: b[:-1], lambda b: b[:16], lambda b: b'', lambda b: b'\0' + b[1:],
   lambda b: b[:200] + bytes([b[200] ^ 1]) + b[201:]],
)  # fmt: skip
def test_a_damaged_program_is_made_again(folder, damage):
  estimated = Start().estimate(*arguments())
  (path,) = folder.iterdir()
  path.write_bytes(damage(path.read_bytes()))
  for traced in (1, 0):
    start = Start()
    assert same(estimated, start.estimate(*arguments()))
    assert start.traced == traced


def test_a_program_under_the_name_of_another_is_made_again(folder):
  Start().estimate(*arguments())
  (path,) = folder.iterdir()
  content = path.read_bytes()
  Start(factor=3, settings='three').estimate(*arguments())
  (other,) = set(folder.iterdir()) - {path}
  other.write_bytes(content)
  start = Start(factor=3, settings='three')
  assert same(start.estimate(*arguments()), start.traces_itself(*arguments()))


@pytest.mark.parametrize('kind', [{'rows': 4}, {'dtype': np.float16}])
def test_what_is_traced_for_other_arguments_is_another_program(folder, kind):
  Start().estimate(*arguments())
  start = Start()
  assert same(start.estimate(*arguments(**kind)), start.traces_itself(*arguments(**kind)))
  assert len(list(folder.iterdir())) == 2


def test_other_settings_code_versions_and_options_are_another_program(folder, monkeypatch):
  changes = [
    lambda m: None,
    lambda m: m.setattr(traced_programs, '_digest_of_code', lambda package: 'other code'),
    lambda m: m.setattr(traced_programs.importlib.metadata, 'version', lambda name: '99'),
    lambda m: m.setattr(traced_programs.jax, 'default_backend', lambda: 'another'),
  ]
  for change in changes:
    with monkeypatch.context() as context:
      change(context)
      start = Start()
      start.estimate(*arguments())
      assert start.traced == 1
  with jax.default_matmul_precision('highest'):
    start = Start()
    start.estimate(*arguments())
    assert start.traced == 1
  start = Start(settings='other', factor=3)
  start.estimate(*arguments())
  assert start.traced == 1
  assert len(list(folder.iterdir())) == len(changes) + 2


def test_the_digest_of_code_heeds_names_and_contents(tmp_path):
  digests = set()
  for number, files in enumerate([{'a.py': '1', 'b.py': ''}, {'a.py': '', 'b.py': '1'},
                                  {'a.py': '2', 'b.py': ''}, {'a.py': '1'}]):  # fmt: skip
    package = tmp_path / str(number)
    package.mkdir()
    for name, content in files.items():
      (package / name).write_text(content)
    digests.add(traced_programs._digest_of_code(package))
  assert len(digests) == 4


def test_those_not_used_for_longest_go(folder, monkeypatch):
  monkeypatch.setattr(traced_programs, 'MAX_COUNT', 2)
  for settings in ('a', 'b', 'a', 'c'):
    Start(settings).estimate(*arguments())
  assert len(list(folder.iterdir())) == 2
  used, unused = Start('a'), Start('b')
  used.estimate(*arguments())
  unused.estimate(*arguments())
  assert (used.traced, unused.traced) == (0, 1)


def test_where_nothing_is_kept_or_can_be_written_it_is_traced(folder):
  folder.write_text('a file where a folder should be')
  start = Start()
  assert same(start.estimate(*arguments()), start.traces_itself(*arguments()))
  folder.unlink()
  for setting, value in [
    ('jax_compilation_cache_dir', None),
    ('jax_enable_compilation_cache', False),
  ]:
    before = getattr(jax.config, setting)
    jax.config.update(setting, value)
    Start().estimate(*arguments())
    jax.config.update(setting, before)
  assert not folder.exists()


def test_a_function_that_cannot_be_exported_is_called_itself(folder):
  @jax.jit
  def with_callback(x):
    return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

  x = jnp.ones(3)
  np.testing.assert_array_equal(traced_programs.kept(with_callback, '')(x), with_callback(x))


def test_with_several_devices_it_is_traced(folder, monkeypatch):
  monkeypatch.setattr(traced_programs.jax, 'device_count', lambda: 4)
  Start().estimate(*arguments())
  assert not folder.exists()


def test_a_network_is_not_traced_by_a_second_start(folder, monkeypatch):
  network = run_folder.RunFolder.find('mochizuki2d')
  first = trained_run.load(network)
  rng = np.random.default_rng(0)
  batch = jax.device_put({
    'voxel': rng.integers(0, 256, (1, *first.clip.shape)).astype(np.uint8),
    'frame': np.arange(first.clip.frames, dtype=np.int32)[None],
  })  # fmt: skip
  estimated = first.estimate(first.params, batch)
  assert len(list(folder.iterdir())) == 1
  traced = estimator.estimator(first.config, first.model, first.target)(first.params, batch)
  monkeypatch.delattr(traced_programs.export, 'export')
  second = trained_run.load(network)
  assert same(second.estimate(second.params, batch), estimated)
  assert same(traced, estimated)


def test_nothing_is_kept_of_networks_whose_code_is_elsewhere(folder, monkeypatch):
  class Own:
    pass

  monkeypatch.setitem(networks.MODELS, 'own', Own)
  Start().estimate(*arguments())
  assert not folder.exists()
  start = Start(factor=3)
  assert same(start.estimate(*arguments()), start.traces_itself(*arguments()))
