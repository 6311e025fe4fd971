"""What readers of an estimate should know of the network that made it."""

from __future__ import annotations

import pathlib
from typing import Any

from grfjax import errors
from grfjax.inference import trained_run
from grfjax.io import run_folder


def describe_run(run: trained_run.TrainedRun) -> dict[str, Any]:
  """Returns a network's model, step, training, errors, and the share of its intervals.

  The errors are those of the run's eval.json, and those of about.json where the network is one
  that comes along with grfjax.

  Returns:
    'model', 'step', 'what' (what about.json says that it is; None without one),
    'trained_on_subjects' (with those of networks that it began from; None where not written down),
    'training_followed' (share of its own training that was taken, 0 to 1; None where there was
    nothing to choose), 'mae_pct_bw' (of whom -> mean absolute error of the vertical force in
    stance, % BW; {} where it was not measured), 'interval_share' (None: the intervals are not
    calibrated, and none are given).

  Raises:
    errors.InputError: one of the run's files is damaged.
  """
  try:
    return _read_description(run)
  except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
    raise errors.InputError(
      f'{run.folder}: what its JSON files say of the run cannot be read ({error})',
      code='run.damaged_file',
      file=run.folder,
    ) from error


def describe_model(model: dict[str, Any]) -> str:
  """Returns a model's name, its settings in brackets.

  Args:
    model: 'name' and settings, as in a configuration and in eval.json.
  """
  settings = ', '.join(f'{key} {value}' for key, value in model.items() if key != 'name')
  return f'{model["name"]}' + (f' ({settings})' if settings else '')


def _read_description(run: trained_run.TrainedRun) -> dict[str, Any]:
  def read(path: pathlib.Path) -> dict[str, Any]:
    value = run_folder.read_json(path)
    return {} if value is None else value

  about, cross_fitted = read(run.folder.about), read(run.folder.intervals)
  maes = about.get('mae_pct_bw', {}) | {
    f'{subject}, held out': result['mae_pct_bw']
    for subject, result in read(run.folder.evaluation).get('subjects', {}).items()
  }
  trained = read(run.folder.subjects).get('trained')
  return {
    'model': describe_model(run.config.model.to_dict()),
    'step': run.step,
    'what': about.get('what'),
    'trained_on_subjects': None if trained is None else len(trained),
    'training_followed': cross_fitted.get('blend'),
    'mae_pct_bw': maes,
    'interval_share': cross_fitted.get('share'),
  }
