"""Keeps compiled programs in the user's cache folder, so that a second start need not compile."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import platform
import sys
import zlib
from typing import Any

import jax

MAX_BYTES = 256 * 2**20  # then those not used for longest go; one of `everyone` takes 0.2 MB
MIN_COMPILE_S = 0.2  # what compiles faster is not kept


def keep() -> None:
  """Has JAX keep what it compiles from now on, unless it is already told where to, or cannot.

  `JAX_COMPILATION_CACHE_DIR` names another folder, and `JAX_ENABLE_COMPILATION_CACHE=false` keeps
  nothing.
  """
  config: Any = jax.config  # its settings are attributes that it does not declare
  if config.jax_compilation_cache_dir:
    return
  try:
    folder = _user_cache() / 'grfjax' / 'compiled' / _machine()
    folder.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(folder)
  except (OSError, RuntimeError):  # no right to write, or no home
    return
  if os.access(folder, os.W_OK):
    # With a limit of size JAX locks the folder while it writes.
    config.update('jax_compilation_cache_max_size', MAX_BYTES)
    config.update('jax_persistent_cache_min_compile_time_secs', MIN_COMPILE_S)
    config.update('jax_compilation_cache_dir', str(folder))


def folder() -> pathlib.Path | None:
  """Returns where compiled programs are kept; None where they are not, or not in files."""
  config: Any = jax.config
  name = config.jax_compilation_cache_dir
  if not name or '://' in name or not config.jax_enable_compilation_cache:
    return None
  return pathlib.Path(name)


def _user_cache() -> pathlib.Path:
  """Returns where the system keeps a user's files that can be made again.

  Raises:
    RuntimeError: the user has no home, as one whom the system does not know.
  """
  if sys.platform == 'win32':
    local = os.environ.get('LOCALAPPDATA')
    return pathlib.Path(local) if local else pathlib.Path.home() / 'AppData' / 'Local'
  if sys.platform == 'darwin':
    return pathlib.Path.home() / 'Library' / 'Caches'
  named = pathlib.Path(os.environ.get('XDG_CACHE_HOME', ''))
  # The XDG Base Directory Specification has relative paths ignored.
  return named if named.is_absolute() else pathlib.Path.home() / '.cache'


def _remove_unfinished(folder: pathlib.Path) -> None:
  """Removes programs that a full disk or the end of a process has cut short.

  JAX would neither read nor replace them; it notes last when a program was used (`-atime`).
  """
  for program in folder.glob('*-cache'):
    if not program.with_name(program.name.removesuffix('-cache') + '-atime').exists():
      program.unlink(missing_ok=True)


def _machine() -> str:
  """Returns a name for what programs are compiled for: they must not run on another processor.

  A home folder may be shared by computers, and JAX's own key does not tell their processors apart.
  """
  processor = platform.machine() + platform.processor()
  cpuinfo = pathlib.Path('/proc/cpuinfo')
  if cpuinfo.is_file():
    lines = cpuinfo.read_text(encoding='utf-8', errors='replace').splitlines()
    features = [line for line in lines if line.lower().startswith(('flags', 'features'))]
    processor += ''.join(features[:1])
  version = importlib.metadata.version('jaxlib')
  return f'{version}-{zlib.crc32(processor.encode()):08x}'
