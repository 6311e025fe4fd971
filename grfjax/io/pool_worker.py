"""What a process of a pool does before its first task."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

import cv2


def begin() -> None:
  """Leaves Ctrl-C to the parent process, takes one thread, and ends when the parent has ended.

  A parent that is killed, or that ends itself at once, cannot tell its workers; without this they
  would wait for it for ever and hold its output open.
  """
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  cv2.setNumThreads(1)
  threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
  parent = multiprocessing.parent_process()
  if parent is not None:
    parent.join()
    os._exit(1)
