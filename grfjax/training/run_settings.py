"""What must stay the same when a run goes on: its configuration and its data."""

from __future__ import annotations

import json
import pathlib
import shutil
from typing import Any

import ml_collections

from grfjax.data import voxel_dataset
from grfjax.inference import estimator, trained_run
from grfjax.training import progress, weight_files

# What may differ when a run goes on: how long, how often, and where the data lie.
MAY_CHANGE = ('steps', 'checkpoint_every', 'log_every', 'data_dir')

SUBJECTS = 'subjects.json'  # in a run's folder: who it knows

DATASET = (
  'dataset.json'  # and the data set that it is learned from, `voxel_dataset.Dataset.fingerprint`
)

DONE = 'done.json'

# Of a run that was done, what no longer holds once it goes on.
_OUTDATED = (
  DONE, trained_run.INTERVAL, weight_files.WEIGHTS, 'weights.sha256', 'calibration', 'eval.json',
  'estimates.npz', 'report.html', 'figures',
)  # fmt: skip


def remove_outdated(folder: pathlib.Path) -> None:
  """A run that was done goes on: what was made of its end goes."""
  gone = [name for name in _OUTDATED if (folder / name).exists()]
  for name in gone:
    if (folder / name).is_dir():
      shutil.rmtree(folder / name)
    else:
      (folder / name).unlink()
  if gone:
    progress.say(
      f'{folder}: the run goes on past its end; removed, as they no longer hold: {", ".join(gone)}'
    )


def check_config(config: ml_collections.ConfigDict) -> None:
  for name in ('steps', 'checkpoint_every', 'log_every', 'batch'):
    if not (isinstance(config[name], int) and config[name] >= 1):
      raise ValueError(f'config.{name} is {config[name]!r}, expected a whole number of at least 1')
  if config.get('calibrate', 0) and not config.target.get('share', 0):
    raise ValueError(
      f'config.calibrate is {config.calibrate}, but config.target has no interval (share) to '
      'calibrate'
    )
  if not all(0 <= blend <= 1 for blend in config.get('blend', ())):
    raise ValueError(f'config.blend is {config.blend}, expected numbers from 0 to 1')
  estimator.average_shift(config)
  if config.early_stop.monitor == 'inner_mae_pct_bw' and not config.inner:
    raise ValueError('config.early_stop.monitor is inner_mae_pct_bw, but config.inner is empty')


def refuse_other_run(
  config: ml_collections.ConfigDict, folder: pathlib.Path, dataset: voxel_dataset.Dataset
) -> None:
  """Raises ValueError where the folder holds a run of another configuration, or of other data.

  The message shows the difference. What `MAY_CHANGE` names may differ; the data may lie elsewhere.
  """
  path = folder / 'config.json'
  if path.exists():
    old, new = json.loads(path.read_text()), json.loads(config.to_json_best_effort())
    if differs := _differences(old, new, MAY_CHANGE):
      raise ValueError(
        f'{folder} holds a run of another configuration ({"; ".join(differs)}); '
        'take another --workdir'
      )
  refuse_other_data(folder, dataset)


def refuse_other_data(folder: pathlib.Path, dataset: voxel_dataset.Dataset) -> None:
  """Raises ValueError where the run in a folder has learned from another data set than this one."""
  path = folder / DATASET
  if not path.exists():
    return  # a run that has not begun, or of a version that did not write it
  if differs := _differences(json.loads(path.read_text()), dataset.fingerprint):
    raise ValueError(
      f'{folder} holds a run of another data set ({"; ".join(differs)}); take another --workdir, '
      'or the data set that it has learned from'
    )


def _differences(there: Any, here: Any, but: tuple[str, ...] = (), name: str = '') -> list[str]:
  """Where two JSON values differ, in words; dicts are looked into."""
  if isinstance(there, dict) and isinstance(here, dict):
    return [
      line
      for k in sorted(there.keys() | here.keys())
      if k not in but
      for line in _differences(there.get(k), here.get(k), name=f'{name}.{k}' if name else k)
    ]
  return [] if there == here else [f'{name}: {there!r} there, {here!r} here']
