"""What the log reports of the steps since its last entry: mean metrics and times."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from grfjax.training import train_step


class RunningMeans:
  """Sums up the metrics of steps, on the device, and divides them at the end."""

  def __init__(self) -> None:
    self._sums: train_step.Metrics | None = None

  def add(self, sums: train_step.Metrics) -> None:
    """Adds the (sum, count) pairs of a step, without waiting for the device."""
    self._sums = sums if self._sums is None else jax.tree.map(_add, self._sums, sums)

  def pop(self) -> dict[str, float]:
    """Returns the mean of each metric over the steps added, and starts anew."""
    pairs = jax.device_get(self._sums) or {}
    self._sums = None
    return {name: float(total) / max(float(n), 1) for name, (total, n) in pairs.items()}

  def get_state(self) -> dict[str, list[float]] | None:
    """Returns the sums as JSON, to resume from."""
    if self._sums is None:
      return None
    return {name: list(map(float, pair)) for name, pair in jax.device_get(self._sums).items()}

  def set_state(
    self, state: dict[str, list[float]] | None, layout: jax.sharding.NamedSharding
  ) -> None:
    """Takes over sums from `get_state`.

    Args:
      state: the sums.
      layout: how they lie on the devices.
    """
    if state is None:
      self._sums = None
    else:
      pairs: Any = {name: tuple(map(np.float32, pair)) for name, pair in state.items()}
      self._sums = jax.device_put(pairs, layout)


def _add(a: jax.Array, b: jax.Array) -> jax.Array:
  return a + b


class StepTimer:
  """Measures the duration of steps, and the share of it spent waiting for data."""

  def __init__(self) -> None:
    self.restart()

  def restart(self) -> None:
    """Starts anew, with the next step."""
    self._steps, self._waited_s, self._start_s = 0, 0.0, time.monotonic()

  @contextlib.contextmanager
  def waiting_for_data(self) -> Iterator[None]:
    """Counts a step, and the duration of the block as waiting."""
    start_s = time.monotonic()
    yield
    self._waited_s += time.monotonic() - start_s
    self._steps += 1

  def means(self) -> dict[str, float]:
    """Returns 'step_ms', milliseconds a step, and 'data_wait', the share 0 to 1 of waiting."""
    elapsed_s = time.monotonic() - self._start_s
    return {'step_ms': 1e3 * elapsed_s / self._steps, 'data_wait': self._waited_s / elapsed_s}
