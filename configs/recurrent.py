"""Both legs by the paper's next step: a 3D CNN and a recurrent layer.

python -m grfjax.train --config=configs/recurrent.py --workdir=RUN
  --config.data_dir=DATA --config.holdout=SUBJECT
"""

import ml_collections


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """The configuration; it takes no argument."""
  if arg:
    raise ValueError(f'unknown argument {arg!r}; there is none')
  config = ml_collections.ConfigDict()
  config.data_dir = ''
  config.dataset = 'walker'
  config.holdout = ''  # '': train on everyone
  config.inner = ''  # subjects (A,B) to watch during training, taken out of it
  config.seed = 0
  config.model_init = ''  # a run on other people whose weights training starts from

  config.model = {'name': 'recurrent', 'channels': (16, 32), 'features': 128, 'dropout': 0.3}
  config.target = {'name': 'regression', 'weights': (1.0, 0.5, 0.5)}
  config.augment = {'shift': 1.0, 'scale': 0.04, 'noise': 0.01}
  config.clip = 40  # frames drawn from a record
  config.batch = 8
  config.rebalance = 0.3  # 0: as the data are, 1: every 0.10-BW interval equally often

  config.optimizer = {
    'learning_rate': 1e-3, 'warmup': 100, 'weight_decay': 0.05, 'clip_norm': 1.0, 'decay': True,
  }  # fmt: skip
  config.steps = 600
  config.log_every = 50
  config.eval_every = 250  # of the inner subjects; 0: never
  config.checkpoint_every = 200
  config.early_stop = {'monitor': '', 'patience': 10}
  return config
