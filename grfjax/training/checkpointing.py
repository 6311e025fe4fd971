"""Checkpoints of a run: the train state's arrays, and, as JSON, all else that resuming needs.

    checkpoints/STEP/         what Orbax writes, into a temporary folder that is then renamed
    checkpoints/STEP.sha256   digests of its files, written last: without it there is no checkpoint

A checkpoint is written while training goes on. Of several hosts each writes its share, into a
folder that all see, and the first one does the rest.

This is the only module that imports Orbax, where it is needed, as that takes a second. Disks err: a
checkpoint that does not match its digests (as `sha256sum -c STEP.sha256` says) is passed over for
the one before.
"""

from __future__ import annotations

import concurrent.futures
import errno
import os
import pathlib
import re
import shutil
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from grfjax import errors
from grfjax.io import atomic, run_folder
from grfjax.training import hosts

KEEP = 2  # the newest, and one to fall back on


class CheckpointError(errors.InputError):
  """There is no usable checkpoint; the message says where it was looked for."""


class NotFiniteError(ValueError):
  """A train state holds nan or infinity; the message names the arrays."""


class Restored(NamedTuple):
  """A checkpoint that was read.

  Attributes:
    state: the train state.
    extra: what was saved beside it, JSON.
    damaged: a message on each newer checkpoint that is damaged.
  """

  state: Any
  extra: dict[str, Any]
  damaged: list[str]


class Checkpoints:
  """The checkpoints in a run's folder, for the process that trains the run; to be closed."""

  def __init__(self, workdir: str | os.PathLike[str]):
    """Opens them, and removes what killed processes have left half-written or half-removed."""
    self.folder = run_folder.RunFolder(workdir).checkpoints.absolute()
    self._writer = concurrent.futures.ThreadPoolExecutor(1, 'checkpoint')
    self._written: concurrent.futures.Future[None] | None = None
    self._tidy()

  def latest(self) -> int | None:
    """Returns the newest whole checkpoint's step, or None where there is none."""
    return next(iter(_steps(self.folder)), None)

  def save(self, step: int, state: Any, extra: dict[str, Any]) -> None:
    """Begins to save a train state and what belongs to it; returns once the state is copied.

    All hosts must call it. `wait` tells when both are on the disk.

    Args:
      step: how many steps are done.
      state: a tree of arrays on the devices.
      extra: JSON.

    Raises:
      NotFiniteError: the state is not finite; nothing is written.
      OSError: this checkpoint, or the one before, cannot be written; earlier ones stay.
    """
    from orbax.checkpoint import v1 as ocp

    self.wait()
    refuse_not_finite(state)
    path = self.folder / str(step)
    try:
      if hosts.is_first():
        self.folder.mkdir(parents=True, exist_ok=True)
        _digest_file(path).unlink(missing_ok=True)
        _refuse_full_disk(path, state)
      response = ocp.save_async(path, state, overwrite=True, custom_metadata=extra)
    except Exception as error:  # TensorStore has exceptions of its own for the system's errors
      self._tidy()
      raise _system_error(error, path) from error
    self._written = self._writer.submit(self._finish, path, response)

  def _finish(self, path: pathlib.Path, response: Any) -> None:
    """Waits, beside the training, until Orbax has written a checkpoint; adds the digests."""
    try:
      response.result()
      if hosts.is_first():
        for written in [*path.rglob('*'), path, self.folder]:
          atomic.sync_to_disk(written)
        digests = [f'{atomic.sha256(p)}  {p.relative_to(self.folder)}' for p in _files(path)]
        atomic.write_text(_digest_file(path), '\n'.join([*digests, '']))
    except Exception as error:
      raise _system_error(error, path) from error
    finally:
      self._tidy()

  def refuse_failure(self) -> None:
    """Raises the OSError of a checkpoint that could not be written, without waiting for one."""
    if self._written is not None and self._written.done():
      self.wait()

  def wait(self) -> None:
    """Waits for the checkpoint that is being written.

    Raises:
      OSError: it cannot be written; earlier ones stay.
    """
    written, self._written = self._written, None
    if written is not None:
      written.result()

  def close(self) -> None:
    """Does what `wait` does, and ends the writing."""
    try:
      self.wait()
    finally:
      self._writer.shutdown()

  def restore(self, like: Any) -> Restored:
    """Reads the newest undamaged checkpoint and removes newer ones, as the run will redo them.

    All hosts must call it; the first one chooses.

    Args:
      like: a tree of arrays, or of shapes with sharding, in whose layout the state is returned.

    Raises:
      CheckpointError: there is none.
    """
    from orbax.checkpoint import v1 as ocp

    step, damaged = hosts.on_first(self._newest)
    path = self.folder / step
    extra = dict(ocp.metadata(path).custom_metadata or {})
    state = ocp.load(path, like)
    if hosts.is_first():
      for newer in _steps(self.folder):
        if newer > int(step):
          _remove(self.folder / str(newer))
    return Restored(state, extra, damaged)

  def _newest(self) -> tuple[str, list[str]]:
    path, damaged = newest(self.folder)
    return path.name, damaged

  def _tidy(self) -> None:
    """Removes temporaries, unfinished checkpoints, and all but the newest `KEEP`."""
    if not (hosts.is_first() and self.folder.is_dir()):
      return
    kept = {str(step) for step in _steps(self.folder)[:KEEP]}
    for path in self.folder.iterdir():
      if path.name.removesuffix('.sha256') not in kept:
        _remove(path)


def read(path: pathlib.Path) -> tuple[dict[str, Any], dict[str, Any]]:
  """Reads a checkpoint without knowing its structure.

  Args:
    path: absolute, of an undamaged checkpoint.

  Returns:
    The state as nested dicts of numpy arrays, and what was saved beside it.
  """
  from orbax.checkpoint import v1 as ocp

  metadata = ocp.metadata(path)
  like = jax.tree.map(lambda a: np.empty(a.shape, a.dtype), metadata.metadata)
  return ocp.load(path, like), dict(metadata.custom_metadata or {})


def newest(folder: pathlib.Path) -> tuple[pathlib.Path, list[str]]:
  """Finds the newest undamaged checkpoint.

  Returns:
    Its path, and a message on each newer checkpoint that is damaged.

  Raises:
    CheckpointError: there is none.
  """
  steps = _steps(folder)
  if not steps:
    raise CheckpointError(
      f'{folder}: no checkpoint; train first', code='checkpoint.missing', file=folder
    )
  damaged: list[str] = []
  for step in steps:
    path = folder / str(step)
    damage = _damage(path)
    if not damage:
      return path, damaged
    damaged.append(f'{path} is damaged ({damage})')
  raise CheckpointError(
    f'no usable checkpoint is left: {"; ".join(damaged)}', code='checkpoint.damaged', file=folder
  )


def _damage(path: pathlib.Path) -> str:
  """Describes how a checkpoint's files differ from what was written; '' if they do not."""
  try:
    lines = _digest_file(path).read_text('utf-8', 'replace').splitlines()
    expected = {name: digest for digest, _, name in (line.partition('  ') for line in lines)}
    present = {str(p.relative_to(path.parent)): p for p in _files(path)}
    for name in sorted(expected.keys() | present.keys()):
      if name not in present:
        return f'{name!r} is missing'
      if name not in expected:
        return f'{name!r} is not in {_digest_file(path).name}'
      if atomic.sha256(present[name]) != expected[name]:
        return f'{name!r} is not what was written: its SHA-256 differs'
  except OSError as error:
    return str(error)
  return '' if expected else f'{_digest_file(path).name} is empty'


def _steps(folder: pathlib.Path) -> list[int]:
  """Lists the steps of the finished checkpoints in a folder, the newest first."""
  names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
  return sorted((int(n[:-7]) for n in names if re.fullmatch(r'\d+\.sha256', n)), reverse=True)


def _digest_file(path: pathlib.Path) -> pathlib.Path:
  return path.with_name(f'{path.name}.sha256')


def _files(path: pathlib.Path) -> list[pathlib.Path]:
  return sorted(p for p in path.rglob('*') if p.is_file())


def _remove(path: pathlib.Path) -> None:
  """Removes a checkpoint, its digests first, or anything else that lies in its folder."""
  if path.is_dir():
    _digest_file(path).unlink(missing_ok=True)
    shutil.rmtree(path)
  else:
    path.unlink(missing_ok=True)


def _refuse_full_disk(path: pathlib.Path, state: Any) -> None:
  """Looks for space beforehand, as Orbax reports a full disk late and at length."""
  leaves = jax.tree.leaves(state)
  needed = sum(leaf.nbytes for leaf in leaves) + 4096 * (len(leaves) + 32)
  if shutil.disk_usage(path.parent).free < needed:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(path))


def refuse_not_finite(tree: Any) -> None:
  """Raises NotFiniteError where an array of the tree holds nan or infinity.

  Arrays are looked at where they are: on the device, or in the host's memory.
  """
  leaves = jax.tree.leaves(tree)
  if all(isinstance(leaf, jax.Array) for leaf in leaves):
    finite = jax.device_get(_are_finite(leaves))
  else:
    finite = [np.isfinite(leaf).all() for leaf in leaves]
  names = [jax.tree_util.keystr(name) for name, _ in jax.tree.leaves_with_path(tree)]
  broken = [name for name, fine in zip(names, finite, strict=True) if not fine]
  if broken:
    raise NotFiniteError(f'{len(broken)} arrays are not finite, {broken[0]} among them')


@jax.jit
def _are_finite(arrays: list[jax.Array]) -> list[jax.Array]:
  return [jnp.isfinite(array).all() for array in arrays]


def _system_error(error: Exception, path: pathlib.Path) -> OSError:
  """Returns the system's error behind a failed save, with the checkpoint's name."""
  text = ' '.join(str(error).split())
  for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO):
    if os.strerror(code) in text or getattr(error, 'errno', None) == code:
      return OSError(code, os.strerror(code), os.fspath(path))
  return OSError(f'{path}: the checkpoint cannot be written: {text[:300]}')
