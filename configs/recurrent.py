"""Forces of both legs by the paper's next step, a 3D CNN and recurrent layers, on `walker` input.

    python -m grfjax.train --config=configs/recurrent.py --workdir=RUN
      --config.data_dir=DATA --config.holdout=SUBJECT

Every field is described in grfjax/training/base_config.py.
"""

import ml_collections

from grfjax.training import base_config


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    arg: '' starts from the network `recurrent` that comes with grfjax; 'scratch' starts from
      nothing; 'pretrain' made that network (grfjax/pretrained/).
  """
  base_config.check_argument(arg, ('scratch', 'pretrain'))
  return base_config.force_regression(
    arg,
    model_init='recurrent',
    model={'name': 'recurrent', 'width': 32, 'features': 128, 'layers': 2, 'dropout': 0.1},
    clip=64,
    steps={'': 200, 'scratch': 1000, 'pretrain': 6200}[arg],
  )
