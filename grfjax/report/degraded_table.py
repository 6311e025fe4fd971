"""The table of errors on degraded videos beside those on videos as they were filmed."""

from __future__ import annotations

from grfjax.report import fold_results, text_table


def degraded_table(folds: fold_results.Folds) -> text_table.Table | None:
  """Returns errors by what was done to videos; None where all are as they were filmed.

  Args:
    folds: held-out subject -> its evaluation.
  """
  kinds = sorted({kind for evaluation in folds.values() for kind in evaluation.degraded})
  if not kinds:
    return None
  rows: list[tuple] = []
  for subject, evaluation in folds.items():
    errors = [evaluation.degraded.get(kind) for kind in kinds]
    cells = [None if error is None else error.mae_pct_bw for error in errors]
    rows.append((subject, fold_results.subject_result(folds, subject).mae_pct_bw, *cells))
  if len(rows) > 1:
    columns = list(zip(*rows, strict=True))
    rows.append(('average', *(fold_results.mean(column) for column in columns[1:])))
  return text_table.Table(
    'degraded',
    'Degraded video',
    'MAE of vertical force in stance, % BW, by what was done to the videos.',
    ('held out', 'as filmed', *kinds),
    ('', *('.2f' for _ in range(1 + len(kinds)))),
    tuple(rows),
    (
      'As filmed: the videos of the other tables. A video to which several things were done counts '
      'for each.',
    ),
  )
