"""Checkpoints of a run: the state's arrays, and beside them, as JSON, all else that resuming needs.

The only module that imports Orbax. Orbax writes into a temporary folder and renames it, so a
checkpoint is there whole or not at all.
"""

from __future__ import annotations

import pathlib
import zipfile
import zlib
from typing import Any

import jax
import numpy as np
from flax import traverse_util
from orbax.checkpoint import v1 as ocp

from grfjax import files

WEIGHTS = 'weights.npz'  # of a run that is handed on without its checkpoints
KEEP = 2  # the newest, and one to fall back on


class CheckpointError(ValueError):
  """No usable checkpoint; the message says where it was looked for."""


class Checkpoints:
  """The checkpoints in a run's folder."""

  def __init__(self, workdir: pathlib.Path):
    self.folder = workdir.absolute() / 'checkpoints'
    policies = ocp.training.preservation_policies
    self._checkpointer = ocp.training.Checkpointer(
      self.folder,
      save_decision_policy=ocp.training.save_decision_policies.FixedIntervalPolicy(1),
      preservation_policy=policies.LatestN(KEEP),
      cleanup_tmp_directories=True,
    )

  def latest(self) -> int | None:
    """The newest checkpoint's step, or None."""
    newest = self._checkpointer.latest
    return None if newest is None else newest.step

  def save(self, step: int, state: Any, extra: dict[str, Any]) -> None:
    """Saves a state and what belongs to it (JSON); returns when it is on disk."""
    self._checkpointer.save(step, state, custom_metadata=extra)

  def restore(self, like: Any) -> tuple[Any, dict[str, Any]]:
    """The newest state, laid out as `like` (arrays or shapes with sharding), and its extra.

    Raises:
      CheckpointError: there is none.
    """
    step = self.latest()
    if step is None:
      raise CheckpointError(f'{self.folder}: no checkpoint; train first')
    state = self._checkpointer.load(step, like)
    metadata = self._checkpointer.metadata(step)
    return state, dict(metadata.custom_metadata or {})

  def close(self) -> None:
    """Waits for whatever is being written."""
    self._checkpointer.close()


def restore_params(workdir: pathlib.Path) -> tuple[Any, int]:
  """The newest parameters as numpy arrays, on whatever device they were trained, and their step.

  Raises:
    CheckpointError: there are none.
  """
  if (workdir / WEIGHTS).is_file():
    return _read_weights(workdir / WEIGHTS)
  folder = workdir / 'checkpoints'
  if not folder.is_dir():
    raise CheckpointError(f'{folder}: no checkpoint; train first')
  checkpoints = Checkpoints(workdir)
  try:
    step = checkpoints.latest()
    if step is None:
      raise CheckpointError(f'{folder}: no checkpoint; train first')
    shapes = checkpoints._checkpointer.metadata(step).metadata
    like = jax.tree.map(lambda a: np.empty(a.shape, a.dtype), shapes)
    state = checkpoints._checkpointer.load(step, like)
  finally:
    checkpoints.close()
  return state['params'], step


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
  except (
    OSError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error
  ) as error:  # fmt: skip
    raise CheckpointError(f'{path}: not a file of weights ({error})') from error
  return traverse_util.unflatten_dict({tuple(k.split('/')): v for k, v in arrays.items()}), step
