"""Finds the first step whose loss or gradient is not finite."""

from __future__ import annotations

import jax
import numpy as np

from grfjax.data import input_pipeline
from grfjax.training import train_step


class FiniteCheck:
  """Collects the steps since the last check.

  A check waits for the device, so it is made now and then and not in each step.
  """

  def __init__(self) -> None:
    self._steps: list[tuple[int, input_pipeline.Batch, dict[str, jax.Array]]] = []

  def add(self, step: int, batch: input_pipeline.Batch, sums: train_step.Metrics) -> None:
    """Adds a step and the batch that it was made with, without waiting for the device."""
    names = {k: batch[k] for k in ('subject', 'trial', 'frame')}
    self._steps.append((step, names, {k: sums[k][0] for k in ('loss', 'gradient_norm')}))

  def describe_failure(self) -> str:
    """Describes the first step that was not finite and its batch; '' if all were finite."""
    steps, self._steps = self._steps, []
    every = jax.device_get([values for _, _, values in steps])
    for (step, batch, _), values in zip(steps, every, strict=True):
      if not np.isfinite(list(values.values())).all():
        samples = ', '.join(input_pipeline.sample_names(batch))
        numbers = ', '.join(f'{k} {v}' for k, v in values.items())
        return f'step {step} is not finite ({numbers}); its batch: {samples}'
    return ''
