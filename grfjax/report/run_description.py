"""What readers of an estimate should know of the network that made it."""

from __future__ import annotations

import json
from typing import Any

from grfjax import errors
from grfjax.inference import trained_run
from grfjax.report import fold_results


def describe_run(run: trained_run.Run) -> dict[str, Any]:
  """Returns a network's model, step, training, errors, and the share of its intervals.

  The errors are those of the run's eval.json, and those of about.json where the network is one
  that comes along with grfjax.

  Returns:
    'model', 'step', 'trained_on_subjects' (None where not written down), 'mae_pct_bw' (of whom ->
    mean absolute error of the vertical force in stance, % BW; {} where it was not measured),
    'interval_share' (None: the intervals are not calibrated, and none are given).

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


def _read_description(run: trained_run.Run) -> dict[str, Any]:
  def read(name: str) -> dict[str, Any]:
    path = run.folder / name
    return json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}

  maes = read('about.json').get('mae_pct_bw', {}) | {
    f'{subject}, held out': result['mae_pct_bw']
    for subject, result in read('eval.json').get('subjects', {}).items()
  }
  trained = read('subjects.json').get('trained')
  return {
    'model': fold_results.describe_model(run.config.model.to_dict()),
    'step': run.step,
    'trained_on_subjects': None if trained is None else len(trained),
    'mae_pct_bw': maes,
    'interval_share': read(trained_run.INTERVAL).get('share'),
  }
