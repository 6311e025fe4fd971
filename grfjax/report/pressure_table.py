"""The table of the errors of the centre of pressure of held-out trials."""

from __future__ import annotations

from grfjax.evaluation import pressure_errors
from grfjax.report import fold_results, text_table

_KEYS = ('mae_forward_cm', 'mae_side_cm', 'mae_apart_cm')


def pressure_table(errors: dict[str, pressure_errors.PressureErrors]) -> text_table.Table:
  """Returns the errors of each subject, and their average.

  Args:
    errors: held-out subject -> its errors, at least one trial of each.
  """
  results = {subject: result for subject, e in errors.items() if (result := e.result()) is not None}
  rows: list[tuple] = [
    (subject, *(result[key] for key in _KEYS), result['trials'], result['steps'], result['n'])
    for subject, result in results.items()
  ]
  means = (fold_results.mean([r[key] for r in results.values()]) for key in _KEYS)
  rows.append(('average', *means, None, None, None))
  return text_table.Table(
    'pressure_errors',
    'Centre of pressure',
    "Held-out centre of pressure against the plates': mean absolute errors (MAE) over the frames "
    'in which a plate carries the foot.',
    ('held out', 'forward MAE cm', 'to the side MAE cm', 'two stances apart MAE cm', 'trials',
     'steps', 'frames'),
    ('', '.2f', '.2f', '.2f', 'd', 'd', 'd'),
    tuple(rows),
    (
      'Each trial counts once. Where the origin lies nobody can say: one offset a trial, the '
      'median difference over both legs, is taken off.',
      'Two stances apart: how far, along the walk, the median centres of pressure of one foot and '
      'then of the other lie apart.',
    ),
  )  # fmt: skip
