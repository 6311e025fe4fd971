"""Compiled programs are kept in the user's cache folder, where nothing else is asked for."""

import pathlib

import jax
import pytest

from grfjax.inference import compiled_programs

NAMES = (
  'jax_compilation_cache_dir',
  'jax_compilation_cache_max_size',
  'jax_persistent_cache_min_compile_time_secs',
)


@pytest.fixture
def settings():
  """Nothing is set, and what was set before is set again afterwards."""
  before = {name: getattr(jax.config, name) for name in NAMES}
  jax.config.update('jax_compilation_cache_dir', None)
  yield
  for name, value in before.items():
    jax.config.update(name, value)


@pytest.fixture
def home(tmp_path, monkeypatch):
  monkeypatch.setattr(pathlib.Path, 'home', lambda: tmp_path / 'home')
  for name in ('XDG_CACHE_HOME', 'LOCALAPPDATA'):
    monkeypatch.delenv(name, raising=False)
  return tmp_path / 'home'


def test_programs_are_kept_below_home_by_version_and_processor(settings, home):
  compiled_programs.keep()
  folder = pathlib.Path(jax.config.jax_compilation_cache_dir)
  assert folder.is_dir()
  assert folder.is_relative_to(home)
  assert folder.parts[-3:-1] == ('grfjax', 'compiled')
  assert 0 < jax.config.jax_compilation_cache_max_size <= 2**30


def test_another_folder_that_is_set_stays(settings, home):
  jax.config.update('jax_compilation_cache_dir', 'elsewhere')
  compiled_programs.keep()
  assert jax.config.jax_compilation_cache_dir == 'elsewhere'
  assert not home.exists()


def test_where_nothing_can_be_written_nothing_is_kept(settings, home):
  home.write_text('a file where a folder should be')
  compiled_programs.keep()
  assert jax.config.jax_compilation_cache_dir is None


def test_without_a_home_nothing_is_kept_and_a_relative_folder_is_not_believed(
  settings, home, monkeypatch
):
  def no_home():
    raise RuntimeError('Could not determine home directory.')

  monkeypatch.setattr(compiled_programs.sys, 'platform', 'linux')
  monkeypatch.setenv('XDG_CACHE_HOME', 'relative')
  with monkeypatch.context() as context:
    context.setattr(pathlib.Path, 'home', no_home)
    compiled_programs.keep()
    assert jax.config.jax_compilation_cache_dir is None
  compiled_programs.keep()
  assert pathlib.Path(jax.config.jax_compilation_cache_dir).is_relative_to(home)


def test_a_program_that_was_cut_short_is_removed_so_that_it_is_kept_anew(settings, home):
  compiled_programs.keep()
  folder = pathlib.Path(jax.config.jax_compilation_cache_dir)
  for name in ('whole-cache', 'whole-atime', 'cut-cache'):
    (folder / name).write_text('x')
  jax.config.update('jax_compilation_cache_dir', None)
  compiled_programs.keep()
  assert sorted(path.name for path in folder.iterdir()) == ['whole-atime', 'whole-cache']
