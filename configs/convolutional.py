"""Both legs from a window that follows the walker, by convolutions over time.

python -m grfjax.train --config=configs/convolutional.py --workdir=RUN
  --config.data_dir=DATA --config.holdout=SUBJECT
"""

import ml_collections


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """The configuration.

  Args:
    arg: '' starts from the network `convolutional` that comes with grfjax; 'scratch' from nothing;
      'pretrain' made that network (grfjax/pretrained/).
  """
  if arg not in ('', 'scratch', 'pretrain'):
    raise ValueError(f"unknown argument {arg!r}; there are 'scratch' and 'pretrain'")
  config = ml_collections.ConfigDict()
  config.data_dir = ''
  config.dataset = 'walker'
  config.holdout = ''  # '': train on everyone
  config.inner = ''  # subjects (A,B) to watch during training, taken out of it
  config.seed = 0
  # A run on other people whose weights training starts from: its folder, or one of
  # grfjax.pretrained; '': none.
  config.model_init = '' if arg else 'convolutional'

  config.model = {'name': 'convolutional', 'width': 32, 'features': 128, 'dropout': 0.1}
  config.target = {'name': 'regression', 'weights': (1.0, 0.5, 0.5), 'share': 0.9}
  # No gain or bias: the walker's gray values are standardised.
  config.augment = {'shift': 2.0, 'scale': 0.04, 'noise': 0.01}
  config.clip = 40  # frames drawn from a record
  config.batch = 8
  config.rebalance = 0.3  # 0: as the data are, 1: every 0.10-BW interval equally often

  config.optimizer = {
    'learning_rate': 3e-3 if arg else 3e-4, 'warmup': 100, 'weight_decay': 0.05,
    'clip_norm': 1.0, 'decay': True, 'muon': bool(arg),
  }  # fmt: skip
  # Pixels down and right, as far in the picture; an estimate is the mean of two, of the clip moved
  # by so much either way. (): of the clip.
  config.average_shift = (1.0, 0.5)
  # Groups of training subjects left out in turn, to calibrate the 90 % intervals; 0: not.
  config.calibrate = 0 if arg == 'pretrain' else 3
  # Parts of the way from the network begun with to the trained one: that which errs least on those
  # groups is taken.
  config.blend = () if arg else (0.0, 0.5, 1.0)
  config.steps = {'': 200, 'scratch': 1000, 'pretrain': 10000}[arg]
  config.log_every = 50
  config.eval_every = 250 if arg else 100  # of the inner subjects; 0: never
  config.checkpoint_every = 1000 if arg == 'pretrain' else 200
  config.early_stop = {'monitor': '', 'patience': 10}
  return config
