"""Works on the trials of a recording set on all cores."""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import cv2
from absl import logging

from grfjax.io import cores, pool_worker, recordings

_Result = TypeVar('_Result')


def in_parallel(
  function: Callable[[recordings.Trial], _Result],
  trials: Iterable[recordings.Trial],
  *,
  in_processes: bool = False,
) -> Iterator[tuple[recordings.Trial, _Result]]:
  """Yields each trial in order with what a function makes of it.

  A bounded number of trials is worked on ahead. All cores work, or as many workers as the
  environment variable GRFJAX_WORKERS says. What the function raises is raised at its trial.

  Args:
    function: of a trial; called in other threads or processes.
    trials: the trials.
    in_processes: whether each worker is a process, which takes some seconds to begin but shares no
      interpreter's lock; the function and its results must then be picklable. A build has threads,
      as a process would first import TensorFlow again.
  """
  workers = int(os.environ.get('GRFJAX_WORKERS', 0)) or cores.usable_cores()
  pool: concurrent.futures.Executor
  if in_processes:
    context = multiprocessing.get_context('spawn')  # threads of OpenCV do not survive a fork
    pool = concurrent.futures.ProcessPoolExecutor(workers, context, _begin_process)
  else:
    cv2.setNumThreads(1)  # a trial a core is faster than a picture on all
    pool = concurrent.futures.ThreadPoolExecutor(workers)
  remaining = iter(trials)

  def submit(count: int) -> list[tuple[recordings.Trial, concurrent.futures.Future[_Result]]]:
    return [(trial, pool.submit(function, trial)) for trial in itertools.islice(remaining, count)]

  pending = collections.deque(submit(2 * workers))
  try:
    while pending:
      trial, future = pending.popleft()
      yield trial, future.result()
      pending.extend(submit(1))
  finally:
    pool.shutdown(cancel_futures=True)


def _begin_process() -> None:
  pool_worker.begin()
  logging.set_verbosity(logging.ERROR)
