"""How many processor cores there are to work on."""

from __future__ import annotations

import os


def usable_cores() -> int:
  """Returns how many cores this process may use, where the system tells; else how many it has."""
  if hasattr(os, 'sched_getaffinity'):  # Linux
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1
