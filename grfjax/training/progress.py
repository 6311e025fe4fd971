"""Messages beside the progress bar."""

from __future__ import annotations

import sys

import tqdm


def say(text: str) -> None:
  """Prints beside the progress bar, on standard error."""
  tqdm.tqdm.write(text, file=sys.stderr)
