"""Checkpoints of a run: the state's arrays, and beside them, as JSON, all else that resuming needs.

The only module that imports Orbax. Orbax writes into a temporary folder and renames it, so a
checkpoint is there whole or not at all. Disks err all the same: each checkpoint carries digests of
what it holds, and one that does not match them is passed over for the one before.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pathlib
import re
import shutil
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
from flax import traverse_util
from orbax.checkpoint import v1 as ocp

from grfjax import files

FOLDER = 'checkpoints'  # in a run's folder
WEIGHTS = 'weights.npz'  # of a run that is handed on without its checkpoints
KEEP = 2  # the newest, and one to fall back on
_DIGESTS = 'sha256'  # in a checkpoint's JSON
_T = TypeVar('_T')


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
    _refuse_not_finite(state)
    digests = {
      'params': _digest(state.params), 'state': _digest(state), 'extra': _digest_json(extra)
    }  # fmt: skip
    path = self.folder / str(step)
    try:
      if jax.process_index() == 0:
        self.folder.mkdir(parents=True, exist_ok=True)
      ocp.save(path, state, overwrite=True, custom_metadata={**extra, _DIGESTS: digests})
      if jax.process_index() == 0:
        for found in sorted(path.rglob('*')) + [path, self.folder]:
          files.sync(found)
    except Exception as error:  # TensorStore has kinds of its own for what the system says
      self._tidy()
      raise _system_error(error, path) from error
    self._tidy()

  def restore(self, like: Any) -> tuple[Any, dict[str, Any], list[str]]:
    """The newest state that is undamaged, laid out as `like` (arrays or shapes with sharding).

    Newer ones are removed, as the run will come to them again.

    Returns:
      The state, what belongs to it, and what is wrong with each newer checkpoint.

    Raises:
      CheckpointError: there is none.
    """

    def laid_out(path: pathlib.Path) -> tuple[Any, dict[str, Any]]:
      digests, extra = _extra(ocp.metadata(path))
      state = ocp.load(path, like)
      _refuse_other(_digest(state), digests['state'])
      return state, extra

    step, (state, extra), wrong = _newest(self.folder, laid_out)
    if jax.process_index() == 0:
      for newer in _steps(self.folder):
        if newer > step:
          shutil.rmtree(self.folder / str(newer))
    return state, extra, wrong

  def _tidy(self) -> None:
    """Removes temporaries, and all but the newest checkpoints."""
    if jax.process_index() == 0 and self.folder.is_dir():
      old = [self.folder / str(step) for step in _steps(self.folder)[KEEP:]]
      for path in [*old, *self.folder.glob('*.orbax-checkpoint-tmp*')]:
        shutil.rmtree(path)


def restore_params(workdir: pathlib.Path) -> tuple[Any, int, list[str]]:
  """The newest undamaged parameters as numpy arrays, on whatever device they were trained.

  Returns:
    The parameters, their step, and what is wrong with each newer checkpoint.

  Raises:
    CheckpointError: there are none.
  """
  if (workdir / WEIGHTS).is_file():
    return *_read_weights(workdir / WEIGHTS), []

  step, (state, _), wrong = _newest(workdir.absolute() / FOLDER, read)
  return state['params'], step, wrong


def read(path: pathlib.Path) -> tuple[dict[str, Any], dict[str, Any]]:
  """A checkpoint's arrays as numpy, whatever they were an attribute of, and what belongs to them.

  Args:
    path: absolute, of the one checkpoint.

  Raises:
    Exception: of many kinds, where it is damaged; ValueError where the parameters are not finite.
  """
  metadata = ocp.metadata(path)
  digests, extra = _extra(metadata)
  like = jax.tree.map(lambda a: np.empty(a.shape, a.dtype), metadata.metadata)
  state = ocp.load(path, like)
  _refuse_other(_digest(state['params']), digests['params'])
  _refuse_not_finite(state['params'])
  return state, extra


def _steps(folder: pathlib.Path) -> list[int]:
  """Of the checkpoints in a folder, the newest first."""
  found = [p.name for p in folder.iterdir()] if folder.is_dir() else []
  return sorted((int(n) for n in found if re.fullmatch(r'\d+', n)), reverse=True)


def _newest(folder: pathlib.Path, read: Callable[[pathlib.Path], _T]) -> tuple[int, _T, list[str]]:
  """The newest checkpoint that can be read; its step, itself, and what is wrong with newer ones."""
  steps = _steps(folder)
  if not steps:
    raise CheckpointError(f'{folder}: no checkpoint; train first')
  wrong: list[str] = []
  for step in steps:
    try:
      return step, read(folder / str(step)), wrong
    except Exception as error:  # a damaged file may cause any
      wrong.append(f'{folder / str(step)} is damaged ({_line(error)})')
  raise CheckpointError(f'no usable checkpoint is left: {"; ".join(wrong)}')


def _extra(metadata: Any) -> tuple[dict[str, str], dict[str, Any]]:
  """A checkpoint's digests, and what else belongs to its state, checked."""
  extra = dict(metadata.custom_metadata or {})
  digests = extra.pop(_DIGESTS, None)
  if digests is None:
    raise ValueError('it has no digests: it was saved by an older grfjax, or its metadata are gone')
  _refuse_other(_digest_json(extra), digests['extra'])
  return digests, extra


def _digest(tree: Any) -> str:
  """SHA-256 of a tree's arrays and their names."""
  total = hashlib.sha256()
  for name, leaf in jax.tree.leaves_with_path(tree):
    array = np.asarray(leaf)
    total.update(f'{jax.tree_util.keystr(name)} {array.dtype} {array.shape}'.encode())
    total.update(np.ascontiguousarray(array).data)
  return total.hexdigest()


def _digest_json(value: Any) -> str:
  return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _refuse_other(found: str, expected: str) -> None:
  if found != expected:
    raise ValueError('its content is not what was saved: the SHA-256 differs')


def _refuse_not_finite(tree: Any) -> None:
  broken = [
    jax.tree_util.keystr(name)
    for name, leaf in jax.tree.leaves_with_path(tree)
    if not np.isfinite(np.asarray(leaf)).all()
  ]
  if broken:
    raise NotFiniteError(f'{len(broken)} arrays are not finite, {broken[0]} among them')


def _line(error: BaseException) -> str:
  """An error in one line of a bearable length."""
  text = ' '.join(str(error).split()) or type(error).__name__
  return text if len(text) <= 300 else f'{text[:200]} ... {text[-90:]}'


def _system_error(error: Exception, path: pathlib.Path) -> OSError:
  """What the system said when a checkpoint could not be written, with the checkpoint's name."""
  text = str(error)
  for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO):
    if os.strerror(code) in text or getattr(error, 'errno', None) == code:
      return OSError(code, os.strerror(code), os.fspath(path))
  return OSError(f'{path}: the checkpoint cannot be written: {_line(error)}')


def write_weights(workdir: pathlib.Path, params: Any, step: int) -> None:
  """Writes parameters alone, for `restore_params`: one file, to be handed on."""
  arrays = {'/'.join(k): v for k, v in traverse_util.flatten_dict(params).items()}
  with files.whole(workdir / WEIGHTS) as temporary:
    np.savez_compressed(temporary, step=step, **arrays)


def _read_weights(path: pathlib.Path) -> tuple[Any, int]:
  try:
    with path.open('rb') as opened, np.load(opened, allow_pickle=False) as file:
      arrays = dict(file)
      step = int(arrays.pop('step'))
    params = traverse_util.unflatten_dict({tuple(k.split('/')): v for k, v in arrays.items()})
    _refuse_not_finite(params)
  except Exception as error:  # a damaged file may cause any
    raise CheckpointError(f'{path}: not a file of weights ({_line(error)})') from error
  return params, step
