"""Networks that come with grfjax: runs without their training, by name.

    convolutional, recurrent: the networks of these names on synthetic walkers alone (seeds 2 and
      3), for training to start from.
    everyone: `walker`, which is both, trained on with eight rendered children whose forces are
      real: for estimating people of whom no force was ever measured.

How each was made, and its errors, stand in its about.json.
"""

from __future__ import annotations

import pathlib

ROOT = pathlib.Path(__file__).parent
NAMES = ('convolutional', 'recurrent', 'everyone')


def folder(run: str) -> pathlib.Path:
  """Of a run: the one named so here, else the path itself (write ./recurrent for a path)."""
  return ROOT / run if run in NAMES else pathlib.Path(run)
