"""Messages on the terminal."""

from __future__ import annotations

import sys

import tqdm


def notify(text: str) -> None:
  """Prints a message on standard error, above a progress bar if there is one."""
  tqdm.tqdm.write(text, file=sys.stderr)
