"""Tables by interval of the true vertical force: where training data and errors lie."""

from __future__ import annotations

import math

from grfjax.data import force_intervals
from grfjax.report import fold_results, text_table


def subject_intervals_table(evaluation: fold_results.Evaluation) -> text_table.Table:
  """Returns the training labels and held-out errors of one run in each interval."""
  shares = fold_results.interval_shares(evaluation)
  return text_table.Table(
    'intervals',
    'By interval',
    'Of the true force (BW): share of training labels, as they are and as drawn; error held out.',
    ('interval', 'labels %', 'drawn %', f'n of {evaluation.subject}', 'MAE % BW', 'bias % BW'),
    ('', '.1f', '.1f', 'd', '.2f', '+.2f'),
    tuple(
      (
        name,
        *shares.get(name, (None, None)),
        result.n,
        result.mae_pct_bw,
        result.bias_pct_bw,
      )
      for name, result in evaluation.intervals.items()
    ),
  )


def label_shares_table(folds: fold_results.Folds) -> text_table.Table:
  """Returns Table IVa: the training labels of each fold in each interval."""
  return _shares_table(folds, 0, 'table_4a_labels', 'IVa', 'Training labels of each fold')


def drawn_shares_table(folds: fold_results.Folds) -> text_table.Table:
  """Returns Table IVb: the training labels as drawn after rebalancing."""
  return _shares_table(folds, 1, 'table_4b_drawn', 'IVb', 'Training labels as drawn (rebalanced)')


def _shares_table(
  folds: fold_results.Folds, which: int, name: str, number: str, content: str
) -> text_table.Table:
  shares = [fold_results.interval_shares(evaluation) for evaluation in folds.values()]
  rows = [
    (interval, *(s[interval][which] if interval in s else None for s in shares))
    for interval in force_intervals.INTERVALS
  ]
  sums = [
    None if any(v is None for v in column) else math.fsum(column)
    for column in list(zip(*rows, strict=True))[1:]
  ]
  return text_table.Table(
    name,
    f'Table {number}',
    f'{content}: % in each interval of the true vertical force (BW), by the subject held out.',
    ('interval', *folds),
    ('', *('.1f' for _ in folds)),
    (*rows, ('all', *sums)),
  )


def errors_table(folds: fold_results.Folds) -> text_table.Table:
  """Returns Table IVc: errors by interval over the frames of all held-out subjects."""
  rows = []
  maes = fold_results.interval_errors(folds)
  for name, result in fold_results.pooled_intervals(folds).items():
    defined = [mae for mae in maes[name] if mae is not None]
    extremes = (min(defined), max(defined)) if defined else (None, None)
    rows.append(
      (name, result.n, result.mae_pct_bw, result.rmse_pct_bw, result.bias_pct_bw, *extremes)
    )
  return text_table.Table(
    'table_4c_error_by_interval',
    'Table IVc',
    'Held-out error by interval of the true vertical force (BW), frames of all subjects together.',
    ('interval', 'n', 'MAE % BW', 'RMSE % BW', 'bias % BW', "best subject's MAE",
     "worst subject's MAE"),
    ('', 'd', '.2f', '.2f', '+.2f', '.2f', '.2f'),
    tuple(rows),
  )  # fmt: skip
