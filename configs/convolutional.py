"""Forces of both legs from a window that follows the walker, by convolutions over time.

    python -m grfjax.train --config=configs/convolutional.py --workdir=RUN
      --config.data_dir=DATA --config.holdout=SUBJECT

Every field is described in grfjax/training/base_config.py.
"""

import ml_collections

from grfjax.training import base_config


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    arg: '' starts from the network `convolutional` that comes with grfjax; 'scratch' starts from
      nothing; 'pretrain' made that network (grfjax/pretrained/).
  """
  base_config.check_argument(arg, ('scratch', 'pretrain'))
  return base_config.force_regression(
    arg,
    model_init='convolutional',
    model={'name': 'convolutional', 'width': 32, 'features': 128, 'dropout': 0.1},
    clip=40,
    steps={'': 200, 'scratch': 1000, 'pretrain': 10000}[arg],
  )
