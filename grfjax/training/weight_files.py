"""Weights alone, in a file to be handed on."""

from __future__ import annotations

import pathlib
import zipfile
import zlib
from typing import Any

import numpy as np
from flax import traverse_util

from grfjax.io import atomic
from grfjax.training import checkpointing

WEIGHTS = 'weights.npz'  # of a run that is handed on without its checkpoints


def restore_params(workdir: pathlib.Path) -> tuple[Any, int, list[str]]:
  """The newest undamaged parameters as numpy arrays, on whatever device they were trained.

  Returns:
    The parameters, their step, and what is wrong with each newer checkpoint.

  Raises:
    CheckpointError: there are none.
  """
  path = workdir / WEIGHTS
  damaged: list[str] = []
  if path.is_file():
    params, step = _read_weights(path)
  else:
    path, damaged = checkpointing.newest(workdir.absolute() / checkpointing.FOLDER)
    params, step = checkpointing.read(path)[0]['params'], int(path.name)
  try:
    checkpointing.refuse_not_finite(params)
  except checkpointing.NotFiniteError as error:
    raise checkpointing.CheckpointError(f'{path}: {error}') from error
  return params, step, damaged


def write_weights(workdir: pathlib.Path, params: Any, step: int) -> None:
  """Writes parameters alone, for `restore_params`: a file to be handed on, and its digest."""
  arrays = {'/'.join(k): v for k, v in traverse_util.flatten_dict(params).items()}
  with atomic.atomic_file(workdir / WEIGHTS) as temporary:
    np.savez_compressed(temporary, step=step, **arrays)
  path = workdir / WEIGHTS
  atomic.write_text(path.with_suffix('.sha256'), f'{atomic.sha256(path)}  {WEIGHTS}\n')


def _read_weights(path: pathlib.Path) -> tuple[Any, int]:
  digest = path.with_suffix('.sha256')
  if digest.is_file() and digest.read_text('utf-8', 'replace').split()[:1] != [atomic.sha256(path)]:
    raise checkpointing.CheckpointError(
      f'{path} is not what was written: {digest.name} has another SHA-256'
    )
  try:
    with path.open('rb') as opened, np.load(opened, allow_pickle=False) as file:
      arrays = dict(file)
      step = int(arrays.pop('step'))
  except (
    OSError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error
  ) as error:  # fmt: skip
    raise checkpointing.CheckpointError(f'{path}: not a file of weights ({error})') from error
  return traverse_util.unflatten_dict({tuple(k.split('/')): v for k, v in arrays.items()}), step
