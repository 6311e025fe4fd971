"""Checkpoints of a run: the state's arrays, and beside them, as JSON, all else that resuming needs.

The only module that imports Orbax. Orbax writes into a temporary folder and renames it, so a
checkpoint is there whole or not at all.
"""

from __future__ import annotations

import pathlib
from typing import Any

import jax
import numpy as np
from orbax.checkpoint import v1 as ocp

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
  """The newest checkpoint's parameters as numpy arrays, on whatever device they were trained.

  Raises:
    CheckpointError: there is no checkpoint.
  """
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
