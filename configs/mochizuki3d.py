"""The paper's 3D CNN on the paper's input: 5 gray frames of 40 x 40, the near leg in stance.

    python -m grfjax.train --config=configs/mochizuki3d.py --workdir=RUN
      --config.data_dir=DATA --config.holdout=SUBJECT

The argument 'narrow' (configs/mochizuki3d.py:narrow) takes 8 channels instead of 256, a smaller
batch, fewer steps and Muon, for a CPU; results from it are a narrowed network's.

Every field is described in grfjax/training/base_config.py.
"""

import ml_collections

from grfjax.training import base_config


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """Returns the configuration; the argument 'narrow' is for a CPU."""
  base_config.check_argument(arg, ('narrow',))
  return base_config.force_classes(arg, model='mochizuki3d')
