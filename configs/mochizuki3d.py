"""The paper's 3D CNN on the paper's input: 5 gray frames of 40 x 40, the near leg in stance.

    python -m grfjax.train --config=configs/mochizuki3d.py --workdir=RUN
      --config.data_dir=DATA --config.holdout=SUBJECT

The argument 'narrow' (configs/mochizuki3d.py:narrow) takes 8 channels instead of 256, a smaller
batch, fewer steps and Muon, for a CPU; results from it are a narrowed network's.
"""

import ml_collections


def get_config(arg: str = '') -> ml_collections.ConfigDict:
  """The configuration; arg 'narrow' is for a CPU."""
  if arg not in ('', 'narrow'):
    raise ValueError(f"unknown argument {arg!r}; there is 'narrow'")
  narrow = arg == 'narrow'
  config = ml_collections.ConfigDict()
  config.data_dir = ''
  config.dataset = 'mochizuki'
  config.holdout = ''  # '': train on everyone
  config.inner = ''  # subjects (A,B) to watch during training, taken out of it
  config.seed = 0
  config.model_init = ''  # a run on other people whose weights training starts from

  config.model = {
    'name': 'mochizuki3d', 'channels': 8 if narrow else 256, 'dense': 128, 'dropout': 0.3,
    'dense_activation': 'relu',
  }  # fmt: skip
  config.target = {'name': 'classes', 'first': 0.01, 'width': 0.01, 'count': 150}
  config.augment = {}
  config.clip = 0  # the whole record
  config.batch = 16 if narrow else 100
  config.rebalance = 0.0  # the paper's is the data as they are

  # Keras's default Adam; the paper names none. Narrowed, the network learns nothing by it in as
  # many steps as a CPU has time for.
  config.optimizer = {
    'learning_rate': 3e-3 if narrow else 1e-3, 'warmup': 50 if narrow else 0, 'weight_decay': 0.0,
    'clip_norm': 0.0, 'decay': False, 'muon': narrow,
  }  # fmt: skip
  config.steps = 500 if narrow else 40_000  # the paper: 500 epochs of about 8,000 voxels
  config.log_every = 50 if narrow else 80
  config.eval_every = 500
  config.checkpoint_every = 400
  # The paper stops on the training error; it gives no patience.
  config.early_stop = {'monitor': 'loss', 'patience': 100 if narrow else 10}
  return config
