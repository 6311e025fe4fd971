"""When training stops: early stopping, and signals that all hosts heed together."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable
from typing import Any

import jax
from jax.experimental import multihost_utils


@dataclasses.dataclass(frozen=True)
class _Stop:
  """A signal, and whether all hosts know of it at the same step, so that they can save together."""

  signal: signal.Signals
  everywhere: bool


def told_to_stop(asked: Callable[[], signal.Signals | None], done: int) -> _Stop | None:
  if jax.process_count() > 1 and multihost_utils.reached_preemption_sync_point(done):
    return _Stop(signal.SIGTERM, everywhere=True)
  number = asked()
  return None if number is None else _Stop(number, everywhere=jax.process_count() == 1)


class EarlyStopping:
  """Stops when a logged number has not fallen for `patience` looks; the last weights are kept.

  The paper watches the training loss ('the training error was used as the monitor'). The number of
  an inner validation subject may be watched instead; never the held-out one's.
  """

  def __init__(self, config: Any):
    self._monitor, self._patience = config.monitor, config.patience
    self.state: dict[str, Any] = {'best': None, 'waited': 0}

  @property
  def stopped(self) -> bool:
    """Whether it is time."""
    return bool(self._monitor) and self.state['waited'] >= self._patience

  def see(self, means: dict[str, float]) -> None:
    """Takes note of a line of the log."""
    if not self._monitor or self._monitor not in means:
      return
    value, best = means[self._monitor], self.state['best']
    better = best is None or value < best
    self.state = {
      'best': value if better else best,
      'waited': 0 if better else self.state['waited'] + 1,
    }

  def why(self) -> str:
    """In words."""
    return f'{self._monitor} has not fallen below {self.state["best"]:.4g} {self._patience} times'
