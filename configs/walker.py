"""Forces of both legs from a window that follows the walker: the mean of two networks.

The networks are `convolutional` and `recurrent` (their files are beside this one).

    python -m grfjax.train --config=configs/walker.py --workdir=RUN
      --config.data_dir=DATA --config.holdout=SUBJECT

Every field is described in grfjax/training/base_config.py.
"""

import ml_collections

from grfjax.training import base_config


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    arg: '' starts from the networks that come with grfjax (grfjax/pretrained/); 'scratch' starts
      from nothing.
  """
  base_config.check_argument(arg, ('scratch',))
  return base_config.force_regression(
    arg,
    model_init='convolutional,recurrent',
    model={'name': 'walker', 'width': 32, 'features': 128, 'dropout': 0.1},
    clip=64,
    steps=1000 if arg else 200,
  )
