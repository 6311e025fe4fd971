"""The metrics against numpy, whole and merged."""

import jax
import numpy as np
import pytest

from grfjax.data import force_intervals
from grfjax.evaluation import error_sums


def _data(n=1000, seed=0):
  rng = np.random.default_rng(seed)
  truth = rng.uniform(-0.1, 1.7, n)
  estimate = truth + rng.normal(scale=0.1, size=n) + 0.03
  return estimate.astype(np.float32), truth.astype(np.float32), rng.uniform(size=n) < 0.8


def test_by_hand():
  result = error_sums.sum_errors([0.5, 1.0, 9.0], [0.4, 1.2, 0.0], [True, True, False]).result()
  assert result['mae_pct_bw'] == pytest.approx(15)
  assert result['rmse_pct_bw'] == pytest.approx(100 * np.sqrt(0.05 / 2))
  assert result['bias_pct_bw'] == pytest.approx(-5)
  assert result['r'] == pytest.approx(1)
  assert result['n'] == 2
  assert isinstance(result['n'], int)


def test_against_numpy():
  estimate, truth, mask = _data()
  got = error_sums.sum_errors(estimate, truth, mask).result()
  x, y = estimate[mask].astype(np.float64), truth[mask].astype(np.float64)
  assert got['mae_pct_bw'] == pytest.approx(100 * np.abs(x - y).mean(), rel=1e-12)
  assert got['rmse_pct_bw'] == pytest.approx(100 * np.sqrt(((x - y) ** 2).mean()), rel=1e-12)
  assert got['bias_pct_bw'] == pytest.approx(100 * (x - y).mean(), rel=1e-12)
  assert got['r'] == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-12)
  assert got['n'] == mask.sum()


def test_merged_equals_whole():
  estimate, truth, mask = _data()
  whole = error_sums.sum_errors(estimate, truth, mask)
  merged = error_sums.ErrorSums()
  for part in np.split(np.arange(1000), [1, 2, 50, 400, 401]):
    merged = merged.merge(error_sums.sum_errors(estimate[part], truth[part], mask[part]))
  merged = merged.merge(error_sums.ErrorSums())
  for got, want in zip(jax.tree.leaves(merged), jax.tree.leaves(whole), strict=True):
    assert got == pytest.approx(want, rel=1e-12)


def test_r_far_from_zero_keeps_its_digits():
  estimate, truth, mask = (a.astype(np.float64) for a in _data())
  mask = mask > 0
  far = error_sums.ErrorSums()
  for part in np.array_split(np.arange(1000), 7):
    far = far.merge(error_sums.sum_errors(estimate[part] + 1e6, truth[part] + 1e6, mask[part]))
  want = error_sums.sum_errors(estimate, truth, mask).result()['r']
  assert far.result()['r'] == pytest.approx(want, abs=1e-8)


@pytest.mark.parametrize(
  ('estimate', 'truth'),
  [([0.1] * 7, np.linspace(0, 1, 7)), (np.linspace(0, 1, 7), [0.3] * 7), ([0.0] * 7, [0.0] * 7)],
)
def test_r_of_a_constant_is_none(estimate, truth):
  mask = np.ones(7, bool)
  whole = error_sums.sum_errors(estimate, truth, mask)
  parts = error_sums.ErrorSums()
  for i in range(7):
    parts = parts.merge(error_sums.sum_errors(estimate[i : i + 1], truth[i : i + 1], mask[:1]))
  for each in (whole, parts):
    assert each.result()['r'] is None
    assert np.isfinite(each.result()['mae_pct_bw'])


def test_nothing_gives_none():
  result = error_sums.sum_errors([0.1], [0.2], [False]).result()
  assert result == {'mae_pct_bw': None, 'rmse_pct_bw': None, 'bias_pct_bw': None, 'r': None, 'n': 0}
  assert error_sums.sum_errors([0.1], [0.2], [True]).result()['r'] is None


def test_refuses_bad_input_but_not_where_masked():
  good = error_sums.sum_errors([np.nan, 0.5], [0.2, 0.4], [False, True]).result()
  assert good['mae_pct_bw'] == pytest.approx(10)
  with pytest.raises(ValueError, match='finite'):
    error_sums.sum_errors([np.nan], [0.2], [True])
  with pytest.raises(ValueError, match='shapes'):
    error_sums.sum_errors([0.1, 0.2], [0.2], [True])
  with pytest.raises(ValueError, match='bool'):
    error_sums.sum_errors([0.1], [0.2], [1])


def test_interval_labels_are_table_iv():
  assert len(force_intervals.INTERVALS) == 17
  assert force_intervals.INTERVALS[1:4] == ('0.01-0.10', '0.11-0.20', '0.21-0.30')
  assert force_intervals.INTERVALS[-2:] == ('1.41-1.50', 'above 1.50')


def test_interval_of_every_class():
  for hundredths in range(1, 151):
    name = force_intervals.INTERVALS[force_intervals.interval_index(np.float32(hundredths / 100))]
    low, high = (round(100 * float(v)) for v in name.split('-'))
    assert low <= hundredths <= high
  ends = force_intervals.interval_index([-5.0, 0.0, 0.004, 0.006, 1.504, 1.506, 30.0])
  np.testing.assert_array_equal(ends, [0, 0, 0, 1, 15, 16, 16])


def test_intervals_lose_nothing_and_merge():
  estimate, truth, mask = _data()
  whole = error_sums.sum_errors_by_interval(estimate, truth, mask)
  assert sum(s.count for s in whole.values()) == mask.sum()
  a, b = slice(0, 300), slice(300, None)
  one, two = (error_sums.sum_errors_by_interval(estimate[k], truth[k], mask[k]) for k in (a, b))
  total = error_sums.ErrorSums()
  for name in force_intervals.INTERVALS:
    merged = one[name].merge(two[name])
    assert merged.result() == pytest.approx(whole[name].result(), rel=1e-9)
    total = total.merge(merged)
  assert total.result() == pytest.approx(
    error_sums.sum_errors(estimate, truth, mask).result(), rel=1e-9
  )
  truth[~mask] = np.nan  # unknown truth may be anything
  assert error_sums.sum_errors_by_interval(estimate, truth, mask)['0.11-0.20'].count > 0
