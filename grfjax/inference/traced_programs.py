"""Keeps traced programs beside the compiled ones, so that a second start need not trace a network.

Tracing takes longer than loading what is compiled, and holds Python's lock meanwhile. What is kept
is StableHLO as `jax.export` serializes it; parameters are arguments and no part of it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import pathlib
import platform
from collections.abc import Callable
from typing import Any

import jax
from jax import export

from grfjax.inference import compiled_programs
from grfjax.io import atomic
from grfjax.models import networks

MAX_COUNT = 64  # then those not used for longest go; one takes 0.1 MB
_SUFFIX = '.stablehlo'
_PACKAGE = pathlib.Path(__file__).parents[1]
_VERSIONS = ('grfjax', 'jax', 'jaxlib', 'flax', 'numpy')  # what traces, and what is traced


def kept(function: Any, settings: str) -> Callable[..., Any]:
  """Returns a compiled function that is traced only where no earlier process has traced it.

  Traced now or before, it is the same program and gives the same bits. Where compiled programs are
  not kept, the process has several devices, or networks or targets have been added whose code is
  not looked at, it is the function itself that is called.

  Args:
    function: of arrays, as `jax.jit` returns it.
    settings: all that decides what it computes, but for its arguments and the code.
  """
  programs: dict[Any, Callable[..., Any]] = {}

  def call(*arguments: Any) -> Any:
    leaves, structure = jax.tree.flatten(arguments)
    kind = structure, *((leaf.shape, leaf.dtype) for leaf in leaves)
    if kind not in programs:
      programs[kind] = _program(function, settings, arguments)
    return programs[kind](*arguments)

  return call


def _program(function: Any, settings: str, arguments: tuple[Any, ...]) -> Callable[..., Any]:
  """Returns the function's program for arguments like these."""
  folder = compiled_programs.folder()
  if folder is None or jax.device_count() > 1 or not networks.are_own():
    return function
  path = folder / 'traced' / (_key(function, settings, arguments) + _SUFFIX)
  program = _read(path)
  if program is None:
    try:
      program = bytes(export.export(function)(*arguments).serialize())
    except (ValueError, NotImplementedError):  # JAX does not export every operation of every device
      return function
    _write(path, program)
  return jax.jit(export.deserialize(bytearray(program)).call)


def _key(function: Any, settings: str, arguments: tuple[Any, ...]) -> str:
  """Returns a name for all that decides what is traced."""
  config: Any = jax.config
  decisive = (
    f'{function.__module__}.{function.__qualname__}',
    settings,
    str(jax.tree.map(jax.typeof, arguments)),
    jax.default_backend(),
    # What a context manager has set is an attribute alone.
    sorted((name, repr(getattr(config, name, value))) for name, value in config.values.items()),
    [importlib.metadata.version(name) for name in _VERSIONS],
    platform.python_version(),
    _digest_of_code(_PACKAGE),
  )
  return hashlib.sha256(repr(decisive).encode()).hexdigest()


@functools.cache
def _digest_of_code(package: pathlib.Path) -> str:
  """Returns a digest of a package's source: of all of it, as who knows what is traced."""
  digest = hashlib.sha256()
  for path in sorted(package.rglob('*.py')):
    digest.update(path.relative_to(package).as_posix().encode() + b'\0' + path.read_bytes() + b'\0')
  return digest.hexdigest()


def _read(path: pathlib.Path) -> bytes | None:
  """Returns a program as `_write` has written it; None where there is none, or it is damaged."""
  try:
    content = path.read_bytes()
  except OSError:
    return None
  with contextlib.suppress(OSError):
    os.utime(path)  # it was used just now
  program = content[hashlib.sha256().digest_size :]
  return program if content == _signed(path, program) else None


def _write(path: pathlib.Path, program: bytes) -> None:
  """Writes a program and removes those not used for longest; what cannot be written is not kept."""
  with contextlib.suppress(OSError):
    with atomic.atomic_file(path) as temporary:
      temporary.write_bytes(_signed(path, program))
    programs = sorted(path.parent.glob(f'*{_SUFFIX}'), key=lambda other: other.stat().st_mtime_ns)
    for other in programs[:-MAX_COUNT]:
      other.unlink(missing_ok=True)


def _signed(path: pathlib.Path, program: bytes) -> bytes:
  """Returns a program behind a digest of it and its name."""
  return hashlib.sha256(path.name.encode() + program).digest() + program
