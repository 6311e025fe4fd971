"""Finds the first step whose loss or gradient is not finite."""

from __future__ import annotations

import jax
import numpy as np

from grfjax.data import input_pipeline
from grfjax.training import train_step


class FiniteCheck:
  """The steps since one last looked: what they were of, and numbers that tell if they were finite.

  Looking waits for the device, so it is not done in each step.
  """

  def __init__(self) -> None:
    self._steps: list[tuple[int, input_pipeline.Batch, dict[str, jax.Array]]] = []

  def add(self, done: int, batch: input_pipeline.Batch, sums: train_step.Metrics) -> None:
    """Takes note of a step, without waiting for it."""
    names = {k: batch[k] for k in ('subject', 'trial', 'frame')}
    self._steps.append((done, names, {k: sums[k][0] for k in ('loss', 'gradient_norm')}))

  def wrong(self) -> str:
    """Says which step was the first that was not finite, and what it was of; '' if all were."""
    steps, self._steps = self._steps, []
    for done, batch, device in steps:
      values = {k: float(v) for k, v in jax.device_get(device).items()}
      if not np.isfinite(list(values.values())).all():
        of = ', '.join(input_pipeline.sample_names(batch))
        told = ', '.join(f'{k} {v}' for k, v in values.items())
        return f'step {done} is not finite ({told}); its batch: {of}'
    return ''
