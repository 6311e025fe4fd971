"""Tables of all folds: averages, shares, and what is undefined."""

import csv
import io

import numpy as np
import pytest
import report_making

from grfjax import errors
from grfjax.data import force_intervals
from grfjax.evaluation import error_sums, held_out_estimates
from grfjax.report import fold_report, fold_results, fold_tables, run_report, text_table


def rows(table: text_table.Table) -> dict:
  return {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


def by_name(folds: fold_results.Folds) -> dict[str, text_table.Table]:
  return {t.name: t for t in fold_tables.fold_tables(folds)}


GOLDEN = """\
Table III. Error of vertical force in stance, each subject held out once; the near leg (the network
knows no other leg, and that one in stance only).
held out            r  MAE N  MAE % BW  RMSE   bias    n  MAE constant  MAE mean curve  in the air
--------------------------------------------------------------------------------------------------
A               0.900   24.0      4.00  5.00  -1.00  100         20.00            6.00           –
B                   –   48.0      8.00  9.00  +3.00  100         20.00               –           –
average         0.900   36.0      6.00  7.00  +1.00    –         20.00            6.00           –
SD of subjects      –   17.0      2.83  2.83  +2.83    –          0.00               –           –
"""


def test_error_table_to_the_letter():
  text = by_name(report_making.small_folds())['table_3_errors'].text()
  assert text.startswith(GOLDEN)
  assert text in fold_report.fold_summary(report_making.small_folds())


def test_share_columns_sum_to_100():
  every = by_name(report_making.small_folds())
  for name in ('table_4a_labels', 'table_4b_drawn'):
    table = rows(every[name])
    assert set(force_intervals.INTERVALS) | {'all'} == set(table)
    for subject in 'AB':
      parts = [table[n][subject] for n in force_intervals.INTERVALS]
      assert sum(parts) == pytest.approx(100)
      assert table['all'][subject] == pytest.approx(100)
  assert rows(every['table_4a_labels'])['0.81-0.90']['A'] == pytest.approx(75)


def test_degraded_table_is_of_folds_that_have_degraded_video():
  assert 'degraded' not in by_name(report_making.small_folds())
  folds = report_making.small_folds()
  error = {'mae_pct_bw': 7.0, 'rmse_pct_bw': 8.0, 'bias_pct_bw': 0.0, 'r': 0.9, 'n': 50}
  folds['A'] = report_making.changed(folds['A'], degraded={'dark': error})
  assert by_name(folds)['degraded'].rows == (
    ('A', 4.0, 7.0), ('B', 8.0, None), ('average', 6.0, 7.0)
  )  # fmt: skip
  assert 'by what was done' in run_report.run_summary(folds['A'])
  assert 'by what was done' not in run_report.run_summary(folds['B'])


def test_intervals_table_is_of_folds_that_have_them():
  assert 'prediction_intervals' not in by_name(report_making.small_folds())
  folds = report_making.small_folds()
  coverage = {'share': 0.9, 'vertical': {'covered': 0.912, 'mean_width_pct_bw': 24.5}}
  folds['A'] = report_making.changed(folds['A'], prediction_interval=coverage)
  table = by_name(folds)['prediction_intervals']
  assert table.columns == ('held out', 'vertical inside', 'vertical width')
  assert rows(table)['average'] == {
    'held out': 'average', 'vertical inside': pytest.approx(91.2), 'vertical width': 24.5
  }  # fmt: skip


def test_how_far_training_was_followed_is_of_folds_that_could_choose():
  assert 'blend' not in by_name(report_making.small_folds())
  folds = report_making.small_folds()
  blend = {'taken': 0.5, 'mae_pct_bw': {'0': 8.66, '0.5': 5.02, '1': None}}
  folds['B'] = report_making.changed(folds['B'], blend=blend)
  table = by_name(folds)['blend']
  assert table.columns == ('held out', '0', '0.5', '1', 'taken')
  assert table.cells() == [['B', '8.66', '5.02', text_table.UNDEFINED, '0.5']]


def test_shares_unknown_in_one_fold():
  folds = report_making.small_folds()
  folds['B'] = report_making.changed(folds['B'], training_intervals=[])
  last = fold_tables.fold_tables(folds)[3].rows[-1]
  assert last[1] == pytest.approx(100)
  assert last[2] is None


def test_pooled_intervals_weigh_frames():
  pooled = fold_results.pooled_intervals(report_making.small_folds())
  there = pooled['0.81-0.90']
  assert there.n == 400
  assert there.mae_pct_bw == pytest.approx((300 * 4 + 100 * 8) / 400)
  assert there.rmse_pct_bw == pytest.approx(((300 * 16 + 100 * 64) / 400) ** 0.5)
  assert there.bias_pct_bw == pytest.approx(-5)
  assert pooled['1.41-1.50'].mae_pct_bw is None


def test_pooled_intervals_are_those_of_all_frames(tmp_path):
  folds = report_making.made_up_folds(tmp_path, 'A', 'B')
  every = [held_out_estimates.read_estimates(tmp_path / s / 'estimates.npz') for s in folds]
  together = [
    np.concatenate(x)
    for x in zip(*((e.estimate[..., 0], e.force[..., 0], e.contact) for e in every), strict=True)
  ]
  expected = error_sums.sum_errors_by_interval(*together)
  for name, got in fold_results.pooled_intervals(folds).items():
    want = expected[name].result()
    assert got.r is None  # it cannot be pooled from the folds' own
    for key, value in got.model_dump(exclude={'r'}).items():
      assert value == (None if want[key] is None else pytest.approx(want[key])), (name, key)


def test_minutes_are_shown_where_known():
  table = rows(fold_tables.fold_tables(report_making.small_folds(), {'A': 12.25})[0])
  assert table['A']['minutes'] == 12.25
  assert table['B']['minutes'] is None
  assert table['B']['trained on'] == 'A'


def test_csv_is_read_back():
  table = by_name(report_making.small_folds())['table_3_errors']
  got = list(csv.reader(io.StringIO(table.csv())))
  assert tuple(got[0]) == table.columns
  assert got[2][1] == ''  # r of B is undefined
  assert float(got[3][3]) == 6.0


def test_a_fold_of_someone_else_is_refused():
  folds = report_making.small_folds()
  with pytest.raises(errors.InputError, match=r'fold C: its eval\.json is of A') as caught:
    fold_report.fold_summary({'C': folds['A']})
  assert caught.value.code == 'evaluation.wrong_subject'
  with pytest.raises(errors.InputError, match='no fold') as caught:
    fold_report.fold_summary({})
  assert caught.value.code == 'evaluation.no_fold'
