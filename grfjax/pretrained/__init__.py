"""Networks that come with grfjax: runs without their training, by name.

    synthetic: `walker` on synthetic walkers alone (seed 2), for training to start from.
    recurrent: the network of that name on synthetic walkers alone (seed 3), likewise.
    everyone: `synthetic`, trained on with eight rendered children whose forces are real: for
      estimating people of whom no force was ever measured.

How each was made, and its errors, stand in its about.json.
"""

from __future__ import annotations

import pathlib

ROOT = pathlib.Path(__file__).parent
NAMES = ('synthetic', 'recurrent', 'everyone')


def folder(run: str) -> pathlib.Path:
  """Of a run: the one named so here, else the path itself (write ./synthetic for a path)."""
  return ROOT / run if run in NAMES else pathlib.Path(run)
