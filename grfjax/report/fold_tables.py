"""Tables of all folds: I, III and IV of Mochizuki and Shibata (2023), with baselines."""

from __future__ import annotations

import math
import statistics
from typing import Any

from grfjax.data import force_intervals
from grfjax.report import text_table

BASELINES = {'constant': 'constant', 'mean_curve': 'mean curve, true timing'}

MEASURES = ('mae_pct_bw', 'rmse_pct_bw', 'bias_pct_bw', 'r')

PAPER = (
  'Mochizuki and Shibata (2023), five other people: r 0.59, 92.0 N, 15 % BW on average '
  '(10 to 19 % BW); their goal was 5 % BW.'
)

BASELINES_NOTE = (
  "Constant: the training subjects' mean force. Mean curve: their mean force over stance, "
  "stretched to the held-out subject's true contact times, which the network has to find for "
  'itself; it is judged on whole stances only.'
)


Folds = dict[str, dict[str, Any]]


# What eval.json holds, as tables.


def subject_intervals(subject: str, value: dict[str, Any]) -> text_table.Table:
  shares = interval_shares(value)
  return text_table.Table(
    'intervals',
    'By interval',
    'Of the true force (BW): share of training labels, as they are and as drawn; error held out.',
    ('interval', 'labels %', 'drawn %', f'n of {subject}', 'MAE % BW', 'bias % BW'),
    ('', '.1f', '.1f', 'd', '.2f', '+.2f'),
    tuple(
      (name, *shares.get(name, (None, None)), *(r[k] for k in ('n', 'mae_pct_bw', 'bias_pct_bw')))
      for name, r in value['intervals'].items()
    ),
  )


def fold_tables(folds: Folds, minutes: dict[str, float] | None = None) -> list[text_table.Table]:
  """Tables I, III and IV of all folds.

  Args:
    folds: held-out subject -> its eval.json.
    minutes: of training, where known.
  """
  if not folds:
    raise ValueError('no fold to report')
  return [
    _data_table(folds, minutes or {}),
    _error_table(folds),
    _axes_table(folds),
    *(
      [_coverage_table(folds)] if any(v.get('prediction_interval') for v in folds.values()) else []
    ),
    *([_blend_table(folds)] if any(v.get('blend') for v in folds.values()) else []),
    _share_table(folds, 0, 'table_4a_labels', 'IVa', 'Training labels of each fold'),
    _share_table(folds, 1, 'table_4b_drawn', 'IVb', 'Training labels as drawn (rebalanced)'),
    _interval_table(folds),
  ]


def _data_table(folds: Folds, minutes: dict[str, float]) -> text_table.Table:
  return text_table.Table(
    'table_1_data',
    'Table I',
    'Training and held-out data of each fold.',
    ('held out', 'trained on', 'training voxels', 'held-out voxels', 'stance frames', 'air frames',
     'minutes'),
    ('', '', 'd', 'd', 'd', 'd', '.1f'),
    tuple(
      (
        s, _few(v['training_subjects']), v['voxels']['training'], v['voxels']['held_out'],
        v['frames']['stance'], v['frames']['air'], minutes.get(s),
      )
      for s, v in folds.items()
    ),
    (
      f'Frames: of the held-out subject, counted for each leg; {legs_text(folds.values())}.',
      'Minutes: of training, where they are known.',
    ),
  )  # fmt: skip


def _error_table(folds: Folds) -> text_table.Table:
  rows = []
  for subject, value in folds.items():
    result = fold_result(folds, subject)
    rows.append(
      (
        subject,
        result['r'],
        result['mae_newton'],
        result['mae_pct_bw'],
        result['rmse_pct_bw'],
        result['bias_pct_bw'],
        result['n'],
        *(baseline_mae(value, k) for k in BASELINES),
        value['air_mean_abs_pct_bw'],
      )
    )
  columns = list(zip(*rows, strict=True))
  for name, of in (('average', mean), ('SD of subjects', spread)):
    rows.append((name, *(None if i == 6 else of(columns[i]) for i in range(1, len(columns)))))
  return text_table.Table(
    'table_3_errors',
    'Table III',
    f'Error of vertical force in stance, each subject held out once; {legs_text(folds.values())}.',
    ('held out', 'r', 'MAE N', 'MAE % BW', 'RMSE', 'bias', 'n', 'MAE constant', 'MAE mean curve',
     'in the air'),
    ('', '.3f', '.1f', '.2f', '.2f', '+.2f', 'd', '.2f', '.2f', '.2f'),
    tuple(rows),
    (
      'Averages are over subjects, whatever their number of frames. RMSE, bias (estimate - true), '
      'MAE of the baselines and the mean absolute estimate in the air in % BW.',
      BASELINES_NOTE,
      PAPER,
    ),
  )  # fmt: skip


def _axes_table(folds: Folds) -> text_table.Table:
  names = list(dict.fromkeys(axis for v in folds.values() for axis in v['other_axes']))
  rows = []
  for subject, value in folds.items():
    cells = []
    for axis in names:
      result = value['other_axes'].get(axis, {})
      cells += [result.get('mae_pct_bw'), result.get('r')]
    rows.append((subject, *cells))
  columns = list(zip(*rows, strict=True))
  rows.append(('average', *(mean(c) for c in columns[1:])))
  return text_table.Table(
    'other_axes',
    'Other axes',
    'Error of the other components of the force in stance.',
    ('held out', *(f'{axis} {what}' for axis in names for what in ('MAE % BW', 'r'))),
    ('', *(f for _ in names for f in ('.2f', '.3f'))),
    tuple(rows),
    () if names else ('The network gives the vertical force only.',),
  )


def _coverage_table(folds: Folds) -> text_table.Table:
  """How often the prediction intervals hold the force; only of folds that have them."""
  having = {s: v['prediction_interval'] for s, v in folds.items() if v.get('prediction_interval')}
  names = list(dict.fromkeys(k for v in having.values() for k in v if k != 'share'))
  rows = [
    (
      subject,
      *(
        cell
        for axis in names
        for cell in (_percent(v[axis]['covered']), v[axis]['mean_width_pct_bw'])
      ),
    )
    for subject, v in having.items()
  ]
  rows.append(('average', *(mean(c) for c in list(zip(*rows, strict=True))[1:])))
  share = next(iter(having.values()))['share']
  return text_table.Table(
    'prediction_intervals',
    'Prediction intervals',
    f'{share:.0%} intervals in stance: % of the held-out frames whose force lies inside, and their '
    'mean width in % BW.',
    ('held out', *(f'{axis} {what}' for axis in names for what in ('inside', 'width'))),
    ('', *('.1f' for _ in names for _ in range(2))),
    tuple(rows),
    ('Calibrated on training subjects alone, left out in groups.',),
  )


def _blend_table(folds: Folds) -> text_table.Table:
  """How far from the network begun with training was followed; only of folds that could choose."""
  having = {s: v['blend'] for s, v in folds.items() if v.get('blend')}
  blends = list(dict.fromkeys(b for v in having.values() for b in v['mae_pct_bw']))
  return text_table.Table(
    'blend',
    'Training followed',
    'From the network begun with (0) to the trained one (1): MAE in % BW of training subjects left '
    'out of it, and which became the network of the fold.',
    ('held out', *blends, 'taken'),
    ('', *('.2f' for _ in blends), '.3g'),
    tuple((s, *(v['mae_pct_bw'].get(b) for b in blends), v['taken']) for s, v in having.items()),
    ('The learning curves are those of the trained network, taken or not.',),
  )


def _percent(share: float | None) -> float | None:
  return None if share is None else 100 * share


def _share_table(folds: Folds, which: int, name: str, number: str, what: str) -> text_table.Table:
  shares = [interval_shares(v) for v in folds.values()]
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
    f'{what}: % in each interval of the true vertical force (BW), by the subject held out.',
    ('interval', *folds),
    ('', *('.1f' for _ in folds)),
    (*rows, ('all', *sums)),
  )


def _interval_table(folds: Folds) -> text_table.Table:
  rows = []
  for name, result in pooled_intervals(folds).items():
    values = [v['intervals'][name]['mae_pct_bw'] for v in folds.values()]
    defined = [v for v in values if v is not None]
    ends = (min(defined), max(defined)) if defined else (None, None)
    rows.append(
      (name, *(result[k] for k in ('n', 'mae_pct_bw', 'rmse_pct_bw', 'bias_pct_bw')), *ends)
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


def pooled_intervals(folds: Folds) -> dict[str, dict[str, Any]]:
  """Error by interval over the frames of all folds together: interval -> n, MAE, RMSE, bias."""
  result = {}
  for name in force_intervals.INTERVALS:
    parts = [v['intervals'][name] for v in folds.values() if v['intervals'][name]['n']]
    n = sum(p['n'] for p in parts)
    result[name] = {
      'n': n,
      'mae_pct_bw': sum(p['n'] * p['mae_pct_bw'] for p in parts) / n if n else None,
      'rmse_pct_bw': (
        math.sqrt(sum(p['n'] * p['rmse_pct_bw'] ** 2 for p in parts) / n) if n else None
      ),
      'bias_pct_bw': sum(p['n'] * p['bias_pct_bw'] for p in parts) / n if n else None,
    }
  return result


def mean(values: Any) -> float | None:
  """Of what is defined; None where nothing is."""
  defined = [v for v in values if v is not None]
  return statistics.fmean(defined) if defined else None


def spread(values: Any) -> float | None:
  """Sample SD of what is defined; None with fewer than two values."""
  defined = [v for v in values if v is not None]
  return statistics.stdev(defined) if len(defined) > 1 else None


def fold_result(folds: Folds, subject: str) -> dict[str, Any]:
  subjects = folds[subject]['subjects']
  if list(subjects) != [subject]:
    raise ValueError(f'fold {subject}: its eval.json is of {", ".join(subjects) or "nobody"}')
  return subjects[subject]


def baseline_mae(value: dict[str, Any], name: str) -> float | None:
  return value['baselines'].get(name, {}).get('mae_pct_bw')


def interval_shares(value: dict[str, Any]) -> dict[str, tuple[float, float]]:
  """Interval -> % of the training labels, % of the draws."""
  return {
    row['interval']: (100 * row['share'], 100 * row['share_drawn'])
    for row in value['training_intervals']
  }


def _few(names: list[str]) -> str:
  return ', '.join(names) if len(names) <= 6 else f'{len(names)} others'


def legs_text(values: Any) -> str:
  both = {v['legs'] for v in values}
  if both == {1}:
    return 'the near leg (the network knows no other leg, and that one in stance only)'
  return 'both legs' if both == {2} else 'one leg or both, fold by fold'


def model_text(value: dict[str, Any]) -> str:
  rest = ', '.join(f'{k} {v}' for k, v in value['model'].items() if k != 'name')
  return f'{value["model"]["name"]}' + (f' ({rest})' if rest else '')
