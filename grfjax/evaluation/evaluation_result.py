"""Reads an eval.json back, checked, so that a broken one is named and nothing is made of it."""

from __future__ import annotations

import json
import math
import pathlib
from typing import Any

_COUNT = (int,)

_NUMBER = (int, float)

_MAYBE = (int, float, type(None))  # what is undefined is null

_RESULT = {
  'mae_pct_bw': _MAYBE, 'rmse_pct_bw': _MAYBE, 'bias_pct_bw': _MAYBE, 'r': _MAYBE, 'n': _COUNT,
}  # fmt: skip

_COVERED = {'covered': _MAYBE, 'mean_width_pct_bw': _MAYBE}

# Of what the file must hold. A key `str` stands for any; one that ends in ? may be missing.
_HOLDS = {
  'subjects': {str: {**_RESULT, 'mae_newton': _MAYBE}},
  'training_subjects': [(str,)],
  'model': {'name': (str,)},
  'legs': _COUNT,
  'parameters': _COUNT,
  'step': _COUNT,
  'frames': {'stance': _COUNT, 'air': _COUNT},
  'intervals': {str: _RESULT},
  'training_intervals': [
    {'interval': (str,), 'labels': _COUNT, 'share': _NUMBER, 'share_drawn': _NUMBER}
  ],
  'other_axes': {str: _RESULT},
  'prediction_interval?': {'share?': _NUMBER, str: _COVERED},
  'blend?': {'taken': _NUMBER, 'mae_pct_bw': {str: _MAYBE}},
  'air_mean_abs_pct_bw': _MAYBE,
  'baselines': {str: _RESULT},
}  # fmt: skip


def read(path: pathlib.Path) -> dict[str, Any]:
  """What `held_out.evaluate_run` has written.

  Raises:
    OSError: there is none.
    ValueError: it is not one; the message names the file and the place in it.
  """
  try:
    value = json.loads(path.read_text(encoding='utf-8'))
  except (ValueError, RecursionError) as error:
    raise ValueError(f'{path}: is not JSON ({error}); evaluate the run again') from error
  _check(value, _HOLDS, str(path))
  if len(value['subjects']) != 1:
    raise ValueError(f'{path}, subjects: found {len(value["subjects"])}, expected one')
  return value


def _check(value: Any, holds: Any, where: str) -> None:
  """Raises ValueError where a value is not what it must hold: a dict, a list, or one of types."""
  if isinstance(holds, tuple):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if (
      not isinstance(value, holds)
      or isinstance(value, bool)
      or (number and not math.isfinite(value))
    ):
      names = ', '.join('null' if t is type(None) else t.__name__ for t in holds)
      raise ValueError(f'{where}: found {str(value)[:50]!r}, expected {names}; evaluate it again')
  elif isinstance(holds, list):
    _check_kind(value, list, where)
    for k, item in enumerate(value):
      _check(item, holds[0], f'{where}, {k}')
  else:
    _check_kind(value, dict, where)
    named = {key.removesuffix('?'): key for key in holds if isinstance(key, str)}
    for name, key in named.items():
      if name in value:
        _check(value[name], holds[key], f'{where}, {name}')
      elif name == key:
        raise ValueError(f'{where}: no {name} in it; evaluate the run again')
    for name in set(value) - set(named) if str in holds else ():
      _check(value[name], holds[str], f'{where}, {name}')


def _check_kind(value: Any, kind: type, where: str) -> None:
  if not isinstance(value, kind):
    raise ValueError(f'{where}: found {str(value)[:50]!r}, expected a {kind.__name__}')
