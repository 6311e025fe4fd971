"""Checkpoints of a run: the state's arrays, and beside them, as JSON, all else that resuming needs.

    checkpoints/STEP/         what Orbax writes, into a temporary folder that is then renamed
    checkpoints/STEP.sha256   digests of its files, written last: without it there is no checkpoint

The only module that imports Orbax. Disks err: a checkpoint that does not match its digests (as
`sha256sum -c STEP.sha256` says) is passed over for the one before.
"""

from __future__ import annotations

import errno
import os
import pathlib
import re
import shutil
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from orbax.checkpoint import v1 as ocp

from grfjax.io import atomic

FOLDER = 'checkpoints'  # in a run's folder

KEEP = 2  # the newest, and one to fall back on


class CheckpointError(ValueError):
  """No usable checkpoint; the message says where it was looked for."""


class NotFiniteError(ValueError):
  """A state holds nan or infinity; the message names the arrays."""


class Checkpoints:
  """The checkpoints in a run's folder, for the process that trains it."""

  def __init__(self, workdir: pathlib.Path):
    """Opens them; what killed processes have left half-written, or half-removed, goes."""
    self.folder = workdir.absolute() / FOLDER
    self._tidy()

  def latest(self) -> int | None:
    """The newest checkpoint's step, or None."""
    return next(iter(_steps(self.folder)), None)

  def save(self, step: int, state: Any, extra: dict[str, Any]) -> None:
    """Saves a state and what belongs to it (JSON); returns when it is on disk.

    Raises:
      NotFiniteError: the state is not finite; nothing is written.
      OSError: it cannot be written; what was there before stays.
    """
    refuse_not_finite(state)
    path = self.folder / str(step)
    try:
      if jax.process_index() == 0:
        self.folder.mkdir(parents=True, exist_ok=True)
        _digests_of(path).unlink(missing_ok=True)
        _refuse_full(path, state)
      ocp.save(path, state, overwrite=True, custom_metadata=extra)
      if jax.process_index() == 0:
        for found in [*path.rglob('*'), path, self.folder]:
          atomic.sync_to_disk(found)
        digests = [f'{atomic.sha256(p)}  {p.relative_to(self.folder)}' for p in _files(path)]
        atomic.write_text(_digests_of(path), '\n'.join([*digests, '']))
    except Exception as error:  # TensorStore has kinds of its own for what the system says
      self._tidy()
      raise _system_error(error, path) from error
    self._tidy()
    if jax.process_count() > 1:
      multihost_utils.sync_global_devices(os.fspath(path))  # it is not there without its digests

  def restore(self, like: Any) -> tuple[Any, dict[str, Any], list[str]]:
    """The newest state that is undamaged, laid out as `like` (arrays or shapes with sharding).

    Newer ones are removed, as the run will come to them again.

    Returns:
      The state, what belongs to it, and what is wrong with each newer checkpoint.

    Raises:
      CheckpointError: there is none.
    """
    path, damaged = newest(self.folder)
    extra = dict(ocp.metadata(path).custom_metadata or {})
    state = ocp.load(path, like)
    if jax.process_index() == 0:
      for step in _steps(self.folder):
        if step > int(path.name):
          _remove(self.folder / str(step))
    return state, extra, damaged

  def _tidy(self) -> None:
    """Removes temporaries, unfinished checkpoints, and all but the newest."""
    if jax.process_index() or not self.folder.is_dir():
      return
    kept = {str(step) for step in _steps(self.folder)[:KEEP]}
    for path in self.folder.iterdir():
      if path.name.removesuffix('.sha256') not in kept:
        _remove(path)


def read(path: pathlib.Path) -> tuple[dict[str, Any], dict[str, Any]]:
  """A checkpoint's arrays as numpy, whatever they were an attribute of, and what belongs to them.

  Args:
    path: absolute, of an undamaged one.
  """
  metadata = ocp.metadata(path)
  like = jax.tree.map(lambda a: np.empty(a.shape, a.dtype), metadata.metadata)
  return ocp.load(path, like), dict(metadata.custom_metadata or {})


def newest(folder: pathlib.Path) -> tuple[pathlib.Path, list[str]]:
  """The newest checkpoint that is undamaged, and what is wrong with each newer one."""
  steps = _steps(folder)
  if not steps:
    raise CheckpointError(f'{folder}: no checkpoint; train first')
  damaged: list[str] = []
  for step in steps:
    path = folder / str(step)
    wrong = _wrong(path)
    if not wrong:
      return path, damaged
    damaged.append(f'{path} is damaged ({wrong})')
  raise CheckpointError(f'no usable checkpoint is left: {"; ".join(damaged)}')


def _wrong(path: pathlib.Path) -> str:
  """What is wrong with a checkpoint's files; '' if they are as they were written."""
  try:
    lines = _digests_of(path).read_text('utf-8', 'replace').splitlines()
    expected = {name: digest for digest, _, name in (line.partition('  ') for line in lines)}
    there = {str(p.relative_to(path.parent)): p for p in _files(path)}
    for name in sorted(expected.keys() | there.keys()):
      if name not in there:
        return f'{name!r} is missing'
      if name not in expected:
        return f'{name!r} is not in {_digests_of(path).name}'
      if atomic.sha256(there[name]) != expected[name]:
        return f'{name!r} is not what was written: its SHA-256 differs'
  except OSError as error:
    return str(error)
  return '' if expected else f'{_digests_of(path).name} is empty'


def _steps(folder: pathlib.Path) -> list[int]:
  """Of the finished checkpoints in a folder, the newest first."""
  found = [p.name for p in folder.iterdir()] if folder.is_dir() else []
  return sorted((int(n[:-7]) for n in found if re.fullmatch(r'\d+\.sha256', n)), reverse=True)


def _digests_of(path: pathlib.Path) -> pathlib.Path:
  return path.with_name(f'{path.name}.sha256')


def _files(path: pathlib.Path) -> list[pathlib.Path]:
  return sorted(p for p in path.rglob('*') if p.is_file())


def _remove(path: pathlib.Path) -> None:
  """Removes a checkpoint, its digests first, or anything else of its folder."""
  if path.is_dir():
    _digests_of(path).unlink(missing_ok=True)
    shutil.rmtree(path)
  else:
    path.unlink(missing_ok=True)


def _refuse_full(path: pathlib.Path, state: Any) -> None:
  """Looks for space beforehand, as Orbax tells of a full disk late, and at length."""
  leaves = jax.tree.leaves(state)
  needed = sum(leaf.nbytes for leaf in leaves) + 4096 * (len(leaves) + 32)
  if shutil.disk_usage(path.parent).free < needed:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))


def refuse_not_finite(tree: Any) -> None:
  broken = [
    jax.tree_util.keystr(name)
    for name, leaf in jax.tree.leaves_with_path(tree)
    if not np.isfinite(np.asarray(leaf)).all()
  ]
  if broken:
    raise NotFiniteError(f'{len(broken)} arrays are not finite, {broken[0]} among them')


def _system_error(error: Exception, path: pathlib.Path) -> OSError:
  """What the system said when a checkpoint could not be written, with the checkpoint's name."""
  text = ' '.join(str(error).split())
  for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO):
    if os.strerror(code) in text or getattr(error, 'errno', None) == code:
      return OSError(code, os.strerror(code), os.fspath(path))
  return OSError(f'{path}: the checkpoint cannot be written: {text[:300]}')
