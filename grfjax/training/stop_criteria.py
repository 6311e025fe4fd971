"""When training stops: early stopping, and signals that all hosts heed at the same step."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable, Mapping
from typing import Any

import jax
from jax.experimental import multihost_utils


@dataclasses.dataclass(frozen=True)
class PendingStop:
  """A signal that asks training to stop.

  Attributes:
    signal: the signal.
    can_save: whether all hosts know of it at the same step, so that they can save together.
  """

  signal: signal.Signals
  can_save: bool


def pending_stop(pending: Callable[[], signal.Signals | None], step: int) -> PendingStop | None:
  """Returns the request to stop after a step, if there is one.

  Args:
    pending: returns the signal that this host has been sent, or None.
    step: the step just done.
  """
  if jax.process_count() > 1 and multihost_utils.reached_preemption_sync_point(step):
    return PendingStop(signal.SIGTERM, can_save=True)
  number = pending()
  return None if number is None else PendingStop(number, can_save=jax.process_count() == 1)


class EarlyStopping:
  """Stops training when a logged metric has not improved for `patience` log entries.

  The last weights are kept, not the best ones. The paper monitors the training loss ('the training
  error was used as the monitor'). The error on an inner validation subject may be monitored
  instead; the held-out subject's never is.

  Attributes:
    state: what resuming needs, JSON.
  """

  def __init__(self, *, monitor: str, patience: int):
    """Starts without an entry.

    Args:
      monitor: the metric's name in the log; '' never stops.
      patience: entries without an improvement after which training stops.
    """
    self._monitor, self._patience = monitor, patience
    self.state: dict[str, Any] = {'best': None, 'waited': 0}

  @property
  def should_stop(self) -> bool:
    """Whether the metric has not improved for `patience` entries."""
    return bool(self._monitor) and self.state['waited'] >= self._patience

  def update(self, metrics: Mapping[str, float]) -> None:
    """Takes an entry of the log into account."""
    if not self._monitor or self._monitor not in metrics:
      return
    value, best = metrics[self._monitor], self.state['best']
    improved = best is None or value < best
    self.state = {
      'best': value if improved else best,
      'waited': 0 if improved else self.state['waited'] + 1,
    }

  def reason(self) -> str:
    """Describes why training stopped."""
    return (
      f'{self._monitor} has not fallen below {self.state["best"]:.4g} in {self._patience} log '
      'entries'
    )
