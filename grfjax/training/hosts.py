"""Several hosts that train one run: how they join, agree, and end when one of them fails.

Each host runs the same program on its own devices (`jax.distributed`). What must be the same on all
of them, though it comes of a file, a clock or a signal, is found out by the first host alone, which
writes the run's files, and told to the others. On one host all this does nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar

import jax

from grfjax import errors
from grfjax.io import console
from grfjax.training import run_settings

_WAIT_MS = 7 * 24 * 3600 * 1000  # for a host that lives; that one has died is found out otherwise
_SHUTDOWN_S = 10
_numbers = itertools.count()
_last_words = ''
_on_abort: Any = None  # kept, as C holds no reference
_Found = TypeVar('_Found')


class HostError(errors.InputError):
  """Another host cannot go on, or has been given other settings; the message says which and why."""


def join(command: str, coordinator: str, processes: int, process: int, heartbeat_s: int) -> None:
  """Joins the hosts of a job; before anything else is done with JAX.

  Of hosts that have joined, all end when one has died: it has sent no heartbeat for `heartbeat_s`
  or, where it is the first one, which listens to the heartbeats, its connections have closed.

  Args:
    command: the command's name, for messages.
    coordinator: HOST:PORT at which the first host listens; '' where SLURM or MPI tells it.
    processes: how many hosts there are; 0 where SLURM or MPI tells it.
    process: the number of this one, from 0; -1 where SLURM or MPI tells it.
    heartbeat_s: seconds.

  Raises:
    HostError: not all of this is given, and there is no SLURM or MPI that tells the rest; or the
      other hosts do not come.
  """
  _end_plainly(command)
  try:
    jax.distributed.initialize(
      coordinator or None,
      processes or None,
      None if process < 0 else process,
      heartbeat_timeout_seconds=heartbeat_s,
      shutdown_timeout_seconds=_SHUTDOWN_S,
    )
  except ValueError as error:
    raise HostError(
      f'--multihost: {error} Start it by srun, or give --coordinator, --processes and --process',
      code='hosts.unknown',
    ) from error
  except RuntimeError as error:
    raise HostError(
      f'--multihost: the hosts have not found each other: {error}', code='hosts.unreachable'
    ) from error


def _end_plainly(command: str) -> None:
  """Has a death among the hosts end this one with a plain message and exit code 1.

  JAX's client aborts the process then, from a thread of its own that Python knows nothing of, so
  that neither an exception nor a handler of `signal.signal` would be heard of.
  """
  global _last_words, _on_abort
  _last_words = (
    f'\n{command}: this host ends, as another one has failed, was killed or cannot be reached; its '
    'own output says why. The newest whole checkpoint is left; the same command on all hosts goes '
    'on from it\n'
  )

  @ctypes.CFUNCTYPE(None, ctypes.c_int)
  def _on_abort(number: int) -> None:
    os.write(2, _last_words.encode())
    os._exit(1)

  ctypes.CDLL(None).signal(int(signal.SIGABRT), _on_abort)


def end(text: str) -> NoReturn:
  """Ends this host, which has failed; the others end at once if not all have failed alike."""
  global _last_words
  _last_words = f'{text}\n'  # the last ones also where the others no longer answer
  leave()
  print(text, file=sys.stderr, flush=True)
  os._exit(1)  # not sys.exit, which waits for what another thread may be waiting for in vain


def leave() -> None:
  """Leaves the hosts of a job once all are done; if they do not come, after `_SHUTDOWN_S`."""
  with contextlib.suppress(jax.errors.JaxRuntimeError):
    jax.distributed.shutdown()


def is_first() -> bool:
  """Returns whether this host writes the files and the messages."""
  return jax.process_index() == 0


def notify(text: str) -> None:
  """Prints a message, on the first host alone."""
  if is_first():
    console.notify(text)


def _tell(key: str, value: Any) -> None:
  _client().key_value_set(key, json.dumps(value))


def _hear(key: str) -> Any:
  return json.loads(_client().blocking_key_value_get(key, _WAIT_MS))


def _client() -> Any:
  from jax._src import distributed  # the way to it; orbax.checkpoint takes the same one

  return distributed.global_state.client


def on_first(find: Callable[[], _Found]) -> _Found:
  """Has the first host find something out, and tells all hosts.

  Args:
    find: returns what JSON can hold.

  Raises:
    HostError: it has failed on the first host.
    ValueError: raised by `find`, on the first host.
    OSError: raised by `find`, on the first host.
  """
  if jax.process_count() == 1:
    return find()
  key = f'grfjax/{next(_numbers)}'
  if is_first():
    try:
      found = find()
    except (ValueError, OSError) as error:
      _tell(key, {'failure': str(error)})
      raise
    _tell(key, {'found': found})
    return found
  outcome = _hear(key)
  _refuse_failure(0, outcome)
  return outcome['found']


@contextlib.contextmanager
def together() -> Iterator[None]:
  """Waits, after the block, for all hosts; what fails on one, fails on all.

  Raises:
    HostError: the block has failed on another host.
    ValueError: raised by the block.
    OSError: raised by the block.
  """
  if jax.process_count() == 1:
    yield
    return
  key = f'grfjax/{next(_numbers)}'
  mine = f'{key}/{jax.process_index()}'
  try:
    yield
  except (ValueError, OSError) as error:
    _tell(mine, {'failure': str(error)})
    raise
  _tell(mine, {})
  for process in range(jax.process_count()):
    _refuse_failure(process, _hear(f'{key}/{process}'))


def require_same(settings: dict[str, Any]) -> None:
  """Refuses hosts that were started with other settings than the first one.

  Args:
    settings: this host's; JSON.

  Raises:
    HostError: a host has other settings; the message shows the differences.
  """
  with together():
    if differing := run_settings.differences(on_first(lambda: settings), settings):
      raise HostError(
        f'other settings than those of host 0 ({"; ".join(differing)})', code='hosts.differ'
      )


def _refuse_failure(process: int, outcome: dict[str, Any]) -> None:
  if 'failure' in outcome:
    raise HostError(f'host {process}: {outcome["failure"]}', code='hosts.failed')
