"""When training stops: early stopping, and signals that all hosts heed at the same step."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Any

import jax
from jax.experimental import multihost_utils


def pending_stop(pending: Callable[[], signal.Signals | None], step: int) -> signal.Signals | None:
  """Returns the signal that requests to stop after a step, if there is one.

  Of several hosts, all stop after the same step, whichever of them was sent the signal.

  Args:
    pending: returns the signal that this host has been sent, or None.
    step: the step just done.
  """
  if jax.process_count() == 1:
    return pending()
  if pending() == signal.SIGINT:  # JAX tells the other hosts of SIGTERM alone
    signal.raise_signal(signal.SIGTERM)
  return signal.SIGTERM if multihost_utils.reached_preemption_sync_point(step) else None


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
