"""What the scripts share that train many folds: configurations with changes, and folds run once."""

from __future__ import annotations

import importlib.util
import json
import pathlib
from typing import Any

import ml_collections

from grfjax import loso
from grfjax.data import voxel_dataset
from grfjax.evaluation import cross_fitting, held_out
from grfjax.io import run_folder
from grfjax.training import run_settings

CONFIGS = pathlib.Path(__file__).resolve().parent.parent / 'configs'


def load_config(name: str, changes: dict[str, Any]) -> ml_collections.ConfigDict:
  """Returns a configuration with values changed.

  Args:
    name: file:argument, such as walker:scratch.
    changes: values by their place, such as model.width; a dict replaces the whole part.
  """
  file, _, argument = name.partition(':')
  spec = importlib.util.spec_from_file_location(file, CONFIGS / f'{file}.py')
  assert spec is not None
  assert spec.loader is not None
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  values = module.get_config(argument).to_dict()
  for key, value in changes.items():
    *path, last = key.split('.')
    part = values
    for step in path:
      part = part[step]
    part[last] = value
  return ml_collections.ConfigDict(values)


def run_fold(folder: pathlib.Path, config: ml_collections.ConfigDict) -> dict[str, Any]:
  """Trains and evaluates a fold, unless that is complete; returns the contents of its eval.json.

  Raises:
    InputError: the configuration, the data or the folder do not fit, or a file in it is broken.
    OSError: a file cannot be written.
  """
  run = run_folder.RunFolder(folder)
  if loso.is_done(run, config.steps):
    dataset = voxel_dataset.Dataset(config.data_dir, config.dataset)
    run_settings.refuse_other_run(config, run, dataset)
  else:
    cross_fitting.train_run(config, folder)
    held_out.evaluate_run(folder)
  return json.loads(run.evaluation.read_text(encoding='utf-8'))
