"""Checks a run's configuration, and that a run which goes on has the same one and the same data."""

from __future__ import annotations

import json
from typing import Any

import ml_collections
import numpy as np

from grfjax import errors
from grfjax.data import voxel_dataset
from grfjax.io import run_folder
from grfjax.models import networks

# What may differ when a run goes on: how long, how often, where the data lie and who reads them.
MAY_CHANGE = ('steps', 'checkpoint_every', 'log_every', 'data_dir', 'workers')

MOST_WORKERS = 256


class ConfigError(errors.InputError):
  """A configuration that cannot be used, or that is not the one of the run in the folder."""


def check_config(config: ml_collections.ConfigDict) -> None:
  """Checks what neither the network nor the data set checks.

  Raises:
    ConfigError: a value cannot be used; the message names it.
  """
  for name in ('steps', 'checkpoint_every', 'log_every', 'batch'):
    if not (isinstance(config[name], int) and config[name] >= 1):
      raise ConfigError(
        f'config.{name} is {config[name]!r}, expected a whole number of at least 1',
        code='config.value',
      )
  workers = config.get('workers', 0)
  if not (isinstance(workers, int) and 0 <= workers <= MOST_WORKERS):
    raise ConfigError(
      f'config.workers is {workers!r}, expected a whole number up to {MOST_WORKERS}, or 0 for one '
      'of each core',
      code='config.value',
    )
  if config.get('calibrate', 0) and not config.target.get('share', 0):
    raise ConfigError(
      f'config.calibrate is {config.calibrate}, but config.target has no interval (share) to '
      'calibrate',
      code='config.value',
    )
  if not all(0 <= blend <= 1 for blend in config.get('blend', ())):
    raise ConfigError(
      f'config.blend is {config.blend}, expected numbers from 0 to 1', code='config.value'
    )
  average_shift(config)
  if config.target.name == networks.FEET and config.inner:
    raise ConfigError(
      f'config.inner is {config.inner!r}, but a network that finds feet has no error in body '
      'weights to watch; expected no inner subjects',
      code='config.value',
    )
  if config.early_stop.monitor == 'inner_mae_pct_bw' and not config.inner:
    raise ConfigError(
      'config.early_stop.monitor is inner_mae_pct_bw, but config.inner is empty',
      code='config.value',
    )


def training_subjects(
  config: ml_collections.ConfigDict, dataset: voxel_dataset.Dataset
) -> tuple[str, ...]:
  """Returns the subjects that a configuration trains on; errors are those of `Dataset.others`."""
  return dataset.others(config.holdout, config.inner, config.get('people', 0))


def average_shift(config: ml_collections.ConfigDict) -> tuple[float, ...]:
  """Returns the pixels (down, right) by which an estimate's two clips are moved, () for none.

  Raises:
    ConfigError: config.average_shift is neither two numbers nor empty.
  """
  shift = config.get('average_shift', ())
  if not (isinstance(shift, list | tuple) and len(shift) in (0, 2) and np.isfinite(shift).all()):
    raise ConfigError(
      f'config.average_shift is {shift!r}, expected two numbers of pixels, down and right, or ()',
      code='config.value',
    )
  return tuple(shift)


def refuse_other_run(
  config: ml_collections.ConfigDict,
  folder: run_folder.RunFolder,
  dataset: voxel_dataset.Dataset,
) -> None:
  """Refuses to go on with a run of another configuration or of other data.

  What `MAY_CHANGE` names may differ; the data may lie elsewhere.

  Raises:
    ConfigError: the folder holds such a run; the message shows the differences.
  """
  before = run_folder.read_json(folder.config)
  if before is not None:
    now = json.loads(config.to_json_best_effort())
    if isinstance(before, dict):  # versions before the field knew nothing else
      before, now = ({'dtype': 'float32', **each} for each in (before, now))
    if differing := differences(before, now, MAY_CHANGE):
      raise ConfigError(
        f'{folder} holds a run of another configuration ({"; ".join(differing)}); '
        'take another --workdir',
        code='run.other_config',
        file=folder.config,
      )
  refuse_other_data(folder, dataset)


def refuse_other_data(folder: run_folder.RunFolder, dataset: voxel_dataset.Dataset) -> None:
  """Refuses a data set that is not the one which the run in a folder was trained on.

  Raises:
    ConfigError: it is another one; the message shows the differences.
  """
  before = run_folder.read_json(folder.dataset)
  if before is None:
    return  # a run that has not begun, or of a version that did not write it
  if differing := differences(before, dataset.fingerprint):
    raise ConfigError(
      f'{folder} holds a run of another data set ({"; ".join(differing)}); take another '
      '--workdir, or the data set that it was trained on',
      code='run.other_data',
      file=folder.dataset,
    )


def differences(there: Any, here: Any, ignored: tuple[str, ...] = (), name: str = '') -> list[str]:
  """Describes where two JSON values differ, looking into dicts."""
  if isinstance(there, dict) and isinstance(here, dict):
    return [
      line
      for key in sorted(there.keys() | here.keys())
      if key not in ignored
      for line in differences(there.get(key), here.get(key), name=f'{name}.{key}' if name else key)
    ]
  return [] if there == here else [f'{name}: {there!r} there, {here!r} here']
