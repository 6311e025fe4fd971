"""Tables by held-out subject: Tables I, III and IV of Mochizuki and Shibata (2023), and more."""

from __future__ import annotations

from grfjax import errors
from grfjax.evaluation import evaluation_result
from grfjax.report import degraded_table, fold_results, interval_tables, text_table


def fold_tables(
  folds: fold_results.Folds, minutes: dict[str, float] | None = None
) -> list[text_table.Table]:
  """Returns the tables of a leave-one-subject-out round.

  Args:
    folds: held-out subject -> its evaluation.
    minutes: held-out subject -> minutes of training, where known.

  Raises:
    errors.InputError: there is no fold, or the evaluation of one is of somebody else.
  """
  if not folds:
    raise errors.InputError('there is no fold to report', code='evaluation.no_fold')
  tables = [_data_table(folds, minutes or {}), _error_table(folds), _axes_table(folds)]
  if (degraded := degraded_table.degraded_table(folds)) is not None:
    tables.append(degraded)
  intervals = {subject: evaluation.prediction_interval for subject, evaluation in folds.items()}
  if intervals := {subject: i for subject, i in intervals.items() if i.axes()}:
    tables.append(_coverage_table(intervals))
  blends = {subject: evaluation.blend for subject, evaluation in folds.items()}
  if chosen := {subject: blend for subject, blend in blends.items() if blend is not None}:
    tables.append(_blend_table(chosen))
  return [
    *tables,
    interval_tables.label_shares_table(folds),
    interval_tables.drawn_shares_table(folds),
    interval_tables.errors_table(folds),
  ]


def _data_table(folds: fold_results.Folds, minutes: dict[str, float]) -> text_table.Table:
  return text_table.Table(
    'table_1_data',
    'Table I',
    'Training and held-out data of each fold.',
    ('held out', 'trained on', 'training voxels', 'held-out voxels', 'stance frames', 'air frames',
     'minutes'),
    ('', '', 'd', 'd', 'd', 'd', '.1f'),
    tuple(
      (
        subject, _names_or_count(e.training_subjects), e.voxels.training,
        e.voxels.held_out, e.frames.stance, e.frames.air, minutes.get(subject),
      )
      for subject, e in folds.items()
    ),
    (
      'Frames: of the held-out subject, counted for each leg; '
      f'{fold_results.describe_legs(folds.values())}.',
      'Minutes: of training, where they are known.',
    ),
  )  # fmt: skip


def _names_or_count(names: list[str]) -> str:
  return ', '.join(names) if len(names) <= 6 else f'{len(names)} others'


def _error_table(folds: fold_results.Folds) -> text_table.Table:
  keys = ('r', 'mae_newton', 'mae_pct_bw', 'rmse_pct_bw', 'bias_pct_bw', 'n')
  rows: list[tuple] = []
  for subject, evaluation in folds.items():
    result = fold_results.subject_result(folds, subject)
    rows.append(
      (
        subject,
        *(getattr(result, key) for key in keys),
        *(fold_results.baseline_error(evaluation, name) for name in fold_results.BASELINES),
        evaluation.air_mean_abs_pct_bw,
      )
    )
  columns = list(zip(*rows, strict=True))
  n = 1 + keys.index('n')  # neither averaged nor spread
  for name, statistic in (
    ('average', fold_results.mean), ('SD of subjects', fold_results.sample_sd)
  ):  # fmt: skip
    rows.append(
      (name, *(None if i == n else statistic(columns[i]) for i in range(1, len(columns))))
    )
  return text_table.Table(
    'table_3_errors',
    'Table III',
    'Error of vertical force in stance, each subject held out once; '
    f'{fold_results.describe_legs(folds.values())}.',
    ('held out', 'r', 'MAE N', 'MAE % BW', 'RMSE', 'bias', 'n', 'MAE constant', 'MAE mean curve',
     'in the air'),
    ('', '.3f', '.1f', '.2f', '.2f', '+.2f', 'd', '.2f', '.2f', '.2f'),
    tuple(rows),
    (
      'Averages are over subjects, whatever their number of frames. RMSE, bias (estimate - true), '
      'MAE of the baselines and the mean absolute estimate in the air in % BW.',
      fold_results.BASELINES_NOTE,
      fold_results.PAPER,
    ),
  )  # fmt: skip


def _axes_table(folds: fold_results.Folds) -> text_table.Table:
  axes = list(dict.fromkeys(axis for e in folds.values() for axis in e.other_axes))
  rows = []
  for subject, evaluation in folds.items():
    results = [evaluation.other_axes.get(axis) for axis in axes]
    rows.append((subject, *(getattr(r, key, None) for r in results for key in ('mae_pct_bw', 'r'))))
  return text_table.Table(
    'other_axes',
    'Other axes',
    'Error of the other components of the force in stance.',
    ('held out', *(f'{axis} {measure}' for axis in axes for measure in ('MAE % BW', 'r'))),
    ('', *(form for _ in axes for form in ('.2f', '.3f'))),
    (*rows, _average_row(rows)),
    () if axes else ('The network gives the vertical force only.',),
  )


def _average_row(rows: list[tuple]) -> tuple:
  columns = list(zip(*rows, strict=True))
  return ('average', *(fold_results.mean(column) for column in columns[1:]))


def _coverage_table(
  intervals: dict[str, evaluation_result.PredictionIntervals],
) -> text_table.Table:
  """Returns how often the prediction intervals hold the force, of folds that have intervals."""
  axes = list(dict.fromkeys(key for i in intervals.values() for key in i.axes()))
  rows: list[tuple] = []
  for subject, interval in intervals.items():
    cells: list[float | None] = []
    for axis in axes:
      coverage = interval.axes()[axis]
      covered = None if coverage.covered is None else 100 * coverage.covered
      cells += [covered, coverage.mean_width_pct_bw]
    rows.append((subject, *cells))
  share = next(iter(intervals.values())).share
  return text_table.Table(
    'prediction_intervals',
    'Prediction intervals',
    f'{share:.0%} intervals in stance: % of the held-out frames whose force lies inside, and their '
    'mean width in % BW.',
    ('held out', *(f'{axis} {measure}' for axis in axes for measure in ('inside', 'width'))),
    ('', *('.1f' for _ in axes for _ in range(2))),
    (*rows, _average_row(rows)),
    ('Calibrated on training subjects alone, left out in groups.',),
  )


def _blend_table(blends: dict[str, evaluation_result.Blend]) -> text_table.Table:
  """Returns how far training was followed from the initial network, of folds that could choose."""
  weights = list(dict.fromkeys(weight for b in blends.values() for weight in b.mae_pct_bw))
  return text_table.Table(
    'blend',
    'Training followed',
    'From the network begun with (0) to the trained one (1): MAE in % BW of training subjects left '
    'out of it, and which became the network of the fold.',
    ('held out', *weights, 'taken'),
    ('', *('.2f' for _ in weights), '.3g'),
    tuple(
      (subject, *(b.mae_pct_bw.get(weight) for weight in weights), b.taken)
      for subject, b in blends.items()
    ),
    ('The learning curves are those of the trained network, taken or not.',),
  )
