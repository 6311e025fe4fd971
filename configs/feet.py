"""Where the feet stand, from a window that follows the walker and both legs' forces.

The network comes with grfjax and is asked beside every network that follows the walker. It is
trained on people whose feet are known in the picture (`feet` in trials.csv), as synthetic ones are:

    python -m grfjax.train --config=configs/feet.py --workdir=RUN --config.data_dir=DATA

Every field is described in grfjax/training/base_config.py.
"""

import ml_collections

from grfjax.training import base_config


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """Returns the configuration; there is no argument."""
  base_config.check_argument(arg, ())
  return base_config.feet()
