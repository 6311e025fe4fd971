"""Parameters alone: read from a run's checkpoints, or from a weights file that is handed on."""

from __future__ import annotations

import os
import pathlib
import zipfile
import zlib
from typing import Any, NamedTuple

import numpy as np
from flax import traverse_util

from grfjax.io import atomic, run_folder
from grfjax.training import checkpointing


class RestoredParams(NamedTuple):
  """Parameters of a run.

  Attributes:
    params: a tree of numpy arrays.
    step: after how many steps they were saved.
    damaged: a message on each newer checkpoint that is damaged.
  """

  params: Any
  step: int
  damaged: list[str]

  def messages(self) -> list[str]:
    """Returns what to tell the user of damaged checkpoints."""
    return [f'{text}; step {self.step} is used' for text in self.damaged]


def restore_params(workdir: str | os.PathLike[str]) -> RestoredParams:
  """Reads a run's parameters, on whatever device they were trained.

  They are those of its weights file, if it has one, else of its newest undamaged checkpoint.

  Raises:
    CheckpointError: there are none.
  """
  folder = run_folder.RunFolder(workdir)
  path = folder.weights
  damaged: list[str] = []
  if path.is_file():
    params, step = _read_weights(folder)
  else:
    path, damaged = checkpointing.newest(folder.checkpoints.absolute())
    params, step = checkpointing.read(path)[0]['params'], int(path.name)
  try:
    checkpointing.refuse_not_finite(params)
  except checkpointing.NotFiniteError as error:
    raise checkpointing.CheckpointError(
      f'{path}: {error}', code='checkpoint.not_finite', file=path
    ) from error
  return RestoredParams(params, step, damaged)


def write_weights(
  workdir: str | os.PathLike[str], params: Any, step: int, *, half: bool = False
) -> None:
  """Writes parameters as a weights file, and its digest beside it.

  Args:
    workdir: the run's folder.
    params: a tree of arrays.
    step: after how many steps they were reached.
    half: whether they are rounded to 16 bits, which halves the file; those under 6e-5 lose digits.

  Raises:
    CheckpointError: a weight is too large for 16 bits.
  """
  folder = run_folder.RunFolder(workdir)
  arrays: dict[str, Any] = {
    '/'.join(k): np.asarray(v) for k, v in traverse_util.flatten_dict(params).items()
  }
  if half:
    limit = float(np.finfo(np.float16).max)
    if too_large := [name for name, a in arrays.items() if np.abs(a).max(initial=0) > limit]:
      raise checkpointing.CheckpointError(
        f'{folder}: {too_large[0]} holds a weight over {limit:,.0f}, which 16 bits cannot hold; '
        'export it without --half',
        code='checkpoint.not_finite',
        file=folder.path,
      )
    arrays = {name: array.astype(np.float16) for name, array in arrays.items()}
  with atomic.atomic_file(folder.weights) as temporary:
    np.savez_compressed(temporary, step=step, **arrays)
  digest = f'{atomic.sha256(folder.weights)}  {folder.weights.name}\n'
  atomic.write_text(folder.weights_digest, digest)


def _read_weights(folder: run_folder.RunFolder) -> tuple[Any, int]:
  path, digest = folder.weights, folder.weights_digest
  if digest.is_file() and _first_word(digest) != atomic.sha256(path):
    raise checkpointing.CheckpointError(
      f'{path} is not what was written: {digest.name} has another SHA-256',
      code='checkpoint.damaged',
      file=path,
    )
  try:
    with path.open('rb') as opened, np.load(opened, allow_pickle=False) as file:
      arrays = dict(file)
      step = int(arrays.pop('step'))
  except (
    OSError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error
  ) as error:  # fmt: skip
    raise checkpointing.CheckpointError(
      f'{path}: not a file of weights ({error})', code='checkpoint.damaged', file=path
    ) from error
  arrays = {k: v.astype(np.float32) if v.dtype == np.float16 else v for k, v in arrays.items()}
  return traverse_util.unflatten_dict({tuple(k.split('/')): v for k, v in arrays.items()}), step


def _first_word(path: pathlib.Path) -> str:
  return next(iter(path.read_text('utf-8', 'replace').split()), '')
