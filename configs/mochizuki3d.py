"""The paper's 3D CNN on the paper's input: 5 gray frames of 40 x 40, the near leg in stance.

    python -m grfjax.train --config=configs/mochizuki3d.py --workdir=RUN
      --config.data_dir=DATA --config.holdout=SUBJECT

This trains on from a narrowed network that comes with grfjax and knows synthetic walkers. The
argument 'pretrain' (configs/mochizuki3d.py:pretrain) makes such a network; 'paper' is the paper's
own, at full width and from nothing, for a GPU.

Every field is described in grfjax/training/base_config.py.
"""

import ml_collections

from grfjax.training import base_config


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """Returns the configuration; arguments are '', 'pretrain' and 'paper'."""
  base_config.check_argument(arg, ('pretrain', 'paper'))
  return base_config.force_classes(
    arg, model='mochizuki3d', scaling='motion', channels=8, dense=96, steps=12_000
  )
