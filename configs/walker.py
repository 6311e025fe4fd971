"""Both legs from a window that follows the walker.

python -m grfjax.train --config=configs/walker.py --workdir=RUN
  --config.data_dir=DATA --config.holdout=SUBJECT
"""

import ml_collections


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """The configuration; 'short' is for a quick look, 'tune' for a start from a run (model_init)."""
  if arg not in ('', 'short', 'tune'):
    raise ValueError(f"unknown argument {arg!r}; there are 'short' and 'tune'")
  config = ml_collections.ConfigDict()
  config.data_dir = ''
  config.dataset = 'walker'
  config.holdout = ''  # '': train on everyone
  config.inner = ''  # a subject to watch during training, taken out of it
  config.seed = 0
  config.model_init = ''  # a run on other people whose weights training starts from

  config.model = {'name': 'walker', 'width': 32, 'features': 128, 'dropout': 0.1}
  config.target = {'name': 'regression', 'weights': (1.0, 0.5, 0.5)}
  # No gain or bias: the network standardises the walker's gray values itself.
  config.augment = {'shift': 1.0, 'scale': 0.04, 'noise': 0.01}
  config.clip = 40  # frames drawn from a record
  config.batch = 8
  config.rebalance = 0.3  # 0: as the data are, 1: every 0.10-BW interval equally often

  config.optimizer = {
    'learning_rate': 1e-3 if arg == 'tune' else 3e-3, 'warmup': 100,
    'weight_decay': 0.05, 'clip_norm': 1.0, 'decay': True,
  }  # fmt: skip
  config.steps = {'': 1000, 'short': 600, 'tune': 400}[arg]
  config.log_every = 50
  config.eval_every = 250  # of the inner subject
  config.checkpoint_every = 250
  config.early_stop = {'monitor': '', 'patience': 10}
  return config
