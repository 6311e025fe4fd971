"""What the files in configs/ share: the fields of a configuration, and the values common to them.

A configuration file calls one of these functions with what is its own.
"""

from __future__ import annotations

from typing import Any

import ml_collections


def check_argument(arg: str, known: tuple[str, ...]) -> None:
  """Refuses an unknown argument of a configuration file (what follows the colon).

  Raises:
    ValueError: `arg` is neither empty nor one of `known`.
  """
  if arg and arg not in known:
    names = ' and '.join(map(repr, known)) or 'none'
    raise ValueError(f'unknown argument {arg!r}; there {"are" if len(known) > 1 else "is"} {names}')


def _base(dataset: str, model_init: str, model: dict[str, Any]) -> ml_collections.ConfigDict:
  """Returns the fields that say what is trained, on which data and from which weights."""
  config = ml_collections.ConfigDict()
  config.data_dir = ''
  config.dataset = dataset
  config.holdout = ''  # '': train on everyone
  config.inner = ''  # subjects (A,B) to watch during training, taken out of it
  config.seed = 0
  # Runs on other people whose weights training starts from, one for each part of the network or
  # one of the whole (A,B): folders, or names of networks in grfjax.pretrained; '': none.
  config.model_init = model_init
  config.model = model  # the network's name in grfjax.models.networks, and its arguments
  # What dense, convolution and recurrent layers compute in: float32 or bfloat16, which a GPU
  # multiplies several times faster. Parameters, motion, the last layer and the loss are float32.
  config.dtype = 'float32'
  config.workers = 0  # threads that read the training data; 0: one for each core
  return config


def force_regression(
  arg: str, *, model_init: str, model: dict[str, Any], clip: int, steps: int
) -> ml_collections.ConfigDict:
  """Returns a configuration that estimates all forces of both legs from a window on the walker.

  Args:
    arg: '' trains on from other networks; 'scratch' trains from nothing, quickly; 'pretrain' makes
      a network that others start from.
    model_init: the networks that '' starts from.
    model: the network's name and its arguments.
    clip: how many frames are drawn from a record.
    steps: how many training steps.
  """
  config = _base('walker', '' if arg else model_init, model)
  config.target = {'name': 'regression', 'weights': (1.0, 0.5, 0.5), 'share': 0.9}
  # No gain or bias: the walker's gray values are standardised.
  config.augment = {'shift': 2.0, 'scale': 0.04, 'noise': 0.01}
  config.clip = clip  # frames drawn from a record
  config.batch = 8
  config.rebalance = 0.3  # 0: as the data are, 1: every 0.10-BW interval equally often
  config.optimizer = {
    'learning_rate': 3e-3 if arg else 3e-4, 'warmup': 100, 'weight_decay': 0.05,
    'clip_norm': 1.0, 'decay': True, 'muon': bool(arg),
  }  # fmt: skip
  # Pixels down and right, equally far in the picture, as a window's pixel is half as high as wide.
  # An estimate is the mean of two, of the clip moved by so much either way. (): of the clip itself.
  config.average_shift = (1.0, 0.5)
  # Groups of training subjects left out in turn, to calibrate the 90 % intervals; 0: none.
  config.calibrate = 0 if arg == 'pretrain' else 3
  # Shares of the way from the weights at the start to the trained ones: the share with the least
  # error on the groups left out is taken.
  config.blend = () if arg else (0.0, 0.5, 1.0)
  config.steps = steps
  config.log_every = 50
  config.eval_every = 250 if arg else 100  # of the inner subjects; 0: never
  config.checkpoint_every = 1000 if arg == 'pretrain' else 200
  config.early_stop = {'monitor': '', 'patience': 10}
  return config


def force_classes(
  arg: str, *, model: str, scaling: str, channels: int, dense: int, steps: int
) -> ml_collections.ConfigDict:
  """Returns a configuration of the paper, which classifies the near leg's vertical force.

  Its classes are the paper's 150, from 0.01 to 1.50 BW. Labels are soft over them and the estimate
  is their mean, except for 'paper', which learns hard labels and takes the likeliest class.

  Args:
    arg: '' trains on from the network of the same name that comes with grfjax; 'pretrain' makes it,
      narrowed, from synthetic walkers; 'paper' is the paper's own, at full width and from nothing.
    model: the network's name.
    scaling: how a narrowed network scales its pictures.
    channels: a narrowed network's, of the paper's 256.
    dense: units of a narrowed network's fully connected layer, of the paper's 128.
    steps: how many training steps 'pretrain' takes.
  """
  paper, tune = arg == 'paper', arg == ''
  network = {
    'name': model, 'channels': 256 if paper else channels, 'dense': 128 if paper else dense,
    'dropout': 0.3, 'dense_activation': 'relu', 'scaling': 'none' if paper else scaling,
  }  # fmt: skip
  config = _base('mochizuki', model if tune else '', network)
  config.people = 0  # train on the first so many subjects only; 0: on all
  if paper:
    config.target = {'name': 'classes', 'first': 0.01, 'width': 0.01, 'count': 150}
  else:
    # Labels with a standard deviation of 0.05 BW; both parts of the loss begin alike, at 3 to 5.
    config.target = {
      'name': 'soft_bins', 'ranges': ((0.005, 1.505),), 'bins': 150, 'sigma': 5.0,
      'error_weight': 20.0,
    }  # fmt: skip
  config.augment = {} if paper else {'shift': 2.0, 'noise': 0.01}
  config.clip = 0  # the whole record
  config.batch = {'paper': 100, 'pretrain': 128, '': 32}[arg]
  config.rebalance = 0.0  # the paper takes the data as they are
  # The paper names no optimizer; 'paper' takes Keras's default Adam.
  config.optimizer = {
    'learning_rate': 3e-4 if tune else 1e-3, 'warmup': 0 if paper else 100, 'weight_decay': 0.0,
    'clip_norm': 0.0 if paper else 1.0, 'decay': not paper, 'muon': False,
  }  # fmt: skip
  # The paper: 500 epochs of about 8,000 voxels.
  config.steps = {'paper': 40_000, 'pretrain': steps, '': 200}[arg]
  config.log_every = 80 if paper else 50
  config.eval_every = 500
  config.checkpoint_every = 400
  # The paper stops on the training error; it gives no patience.
  config.early_stop = {'monitor': 'loss' if paper else '', 'patience': 10}
  return config


def feet() -> ml_collections.ConfigDict:
  """Returns a configuration that finds the feet in a window on the walker."""
  config = _base('walker', '', {'name': 'feet', 'width': 48, 'features': 160, 'dropout': 0.1})
  config.target = {'name': 'feet'}
  # In use, the forces that the network is shown are estimates: off by some hundredths.
  config.augment = {
    'shift': 2.0, 'scale': 0.04, 'noise': 0.01, 'force_gain': 0.06, 'force_noise': 0.03,
    'force_drop': 0.15,
  }  # fmt: skip
  config.clip = 80  # frames drawn from a record
  config.batch = 16
  config.rebalance = 0.0
  config.optimizer = {
    'learning_rate': 3e-3, 'warmup': 100, 'weight_decay': 0.02, 'clip_norm': 1.0, 'decay': True,
    'muon': False,
  }  # fmt: skip
  config.steps = 2400
  config.log_every = 50
  config.eval_every = 0
  config.checkpoint_every = 200
  config.early_stop = {'monitor': '', 'patience': 10}
  return config
