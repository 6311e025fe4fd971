"""Works on the trials of a recording set on all cores."""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import cv2

from grfjax.io import recordings

_Result = TypeVar('_Result')


def in_parallel(
  function: Callable[[recordings.Trial], _Result], trials: Iterable[recordings.Trial]
) -> Iterator[tuple[recordings.Trial, _Result]]:
  """Yields each trial in order with what a function makes of it.

  A bounded number of trials is worked on ahead. All cores work, or as many workers as the
  environment variable GRFJAX_WORKERS says. What the function raises is raised at its trial.

  Args:
    function: of a trial; called in other threads.
    trials: the trials.
  """
  # Threads: decoding and OpenCV release the interpreter's lock, and a process would first import
  # TensorFlow again.
  workers = int(os.environ.get('GRFJAX_WORKERS', 0)) or len(os.sched_getaffinity(0))
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
