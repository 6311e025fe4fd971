"""The report: averages, tables, figures and the page, from made-up runs."""

import csv
import html.parser
import io
import json
import pathlib
import re

import numpy as np
import pytest

from grfjax.data import force_intervals
from grfjax.evaluation import error_sums, held_out_estimates
from grfjax.io import atomic
from grfjax.report import (
  fold_report,
  fold_results,
  fold_tables,
  run_report,
  stance_figures,
  style,
  text_table,
)

STANCE = 36  # frames


def made_up_run(
  folder: pathlib.Path, subject: str, *, seed: int = 0, legs: int = 2, axes: int = 3
) -> dict:
  """Writes estimates.npz, metrics.jsonl and eval.json as a run has them; returns the last."""
  rng = np.random.default_rng(seed)
  place = (np.arange(STANCE) + 0.5) / STANCE
  hump = 1.1 * np.sin(np.pi * place) ** 0.4 - 0.25 * np.exp(-(((place - 0.5) / 0.15) ** 2))
  brake = -0.2 * np.sin(2 * np.pi * place)
  trials, length = 6, 150
  force = np.zeros((trials, length, 2, 3), np.float32)
  known = np.ones((trials, length, 2), bool)
  contact = np.zeros((trials, length, 2), bool)
  for t in range(trials):
    for leg in range(2):
      for at in (10 + 30 * leg + t, 78 + 30 * leg + t):
        here = slice(at, at + STANCE)
        force[t, here, leg, 0] = hump * rng.normal(1, 0.05)
        force[t, here, leg, 1] = brake
        force[t, here, leg, 2] = 0.05 * hump
        contact[t, here, leg] = True
    known[t, -10:] = False
  contact &= known
  force *= known[..., None]
  noise = rng.normal(0, 0.05, (trials, length, 2, 3)).cumsum(1) * 0.2
  estimate = (force + noise + rng.normal(0, 0.02))[..., :legs, :axes].astype(np.float32)
  flat = {
    'trial': np.repeat([f'walk{t}' for t in range(trials)], length),
    'frame': np.tile(np.arange(length), trials),
    'time_s': np.tile(np.arange(length) / 60, trials).astype(np.float32),
    'estimate': estimate.reshape(-1, legs, axes),
    'interval': (estimate[..., None] + [-0.1, 0.1]).reshape(-1, legs, axes, 2),
    'force': force[:, :, :legs].reshape(-1, legs, 3),
    'known': known[:, :, :legs].reshape(-1, legs),
    'contact': contact[:, :, :legs].reshape(-1, legs),
  }
  with atomic.atomic_file(folder / 'estimates.npz') as temporary:
    np.savez_compressed(temporary, **flat)
  lines = [
    {'step': s, 'loss': 2 / s**0.5, 'mae_pct_bw': 30 / s**0.3, 'step_ms': 500.0, 'data_wait': 0.1}
    | ({'inner_mae_pct_bw': 35 / s**0.25} if s % 250 == 0 else {})
    for s in range(50, 1501, 50)
  ]
  atomic.write_text(folder / 'metrics.jsonl', ''.join(json.dumps(line) + '\n' for line in lines))
  pairs = flat['estimate'][..., 0], flat['force'][..., 0], flat['contact']
  result = error_sums.sums(*pairs).result()
  counts = rng.dirichlet(np.ones(len(force_intervals.INTERVALS)))
  value = {
    'subjects': {subject: result | {'mae_newton': result['mae_pct_bw'] * 6}},
    'training_subjects': ['B', 'C', 'D'],
    'model': {'name': 'walker', 'width': 64},
    'dataset': 'walker',
    'legs': legs,
    'parameters': 123456,
    'step': 1500,
    'voxels': {'training': 900, 'held_out': 300},
    'frames': {
      'stance': int(flat['contact'].sum()),
      'air': int((flat['known'] & ~flat['contact']).sum()),
    },
    'intervals': {k: s.result() for k, s in error_sums.sums_by_interval(*pairs).items()},
    'training_intervals': [
      {'interval': n, 'labels': round(1e4 * p), 'share': p, 'share_drawn': 1 / 17}
      for n, p in zip(force_intervals.INTERVALS, counts.tolist(), strict=True)
    ],
    'other_axes': {
      name: error_sums.sums(
        flat['estimate'][..., k], flat['force'][..., k], flat['contact']
      ).result()
      for k, name in ((1, 'forward'), (2, 'near side'))
      if k < axes
    },
    'air_mean_abs_pct_bw': 1.5,
    'prediction_interval': {'share': 0.9}
    | {
      name: {'covered': 0.91, 'mean_width_pct_bw': 20.0}
      for name in ('vertical', 'forward', 'near side')[:axes]
    },
    'baselines': {
      'constant': result | {'mae_pct_bw': 22.0, 'r': None},
      'mean_curve': result | {'mae_pct_bw': 5.5},
    },
  }
  atomic.write_json(folder / 'eval.json', value)
  return value


@pytest.fixture
def round_of(tmp_path):
  """Makes RUNS and folds of the given subjects."""

  def make(*subjects, **how):
    folds = {}
    for seed, subject in enumerate(subjects):
      folds[subject] = made_up_run(tmp_path / subject, subject, seed=seed, **how)
    return tmp_path, folds

  return make


def small_folds() -> dict:
  """Two folds with numbers that are easy to average."""

  def fold(subject, mae, r, curve, share):
    result = {
      'mae_pct_bw': mae, 'rmse_pct_bw': mae + 1, 'bias_pct_bw': mae - 5, 'r': r, 'n': 100,
      'mae_newton': 6 * mae,
    }  # fmt: skip
    nothing = error_sums.Sums().result()
    intervals = {name: nothing for name in force_intervals.INTERVALS}
    n = {4.0: 300, 8.0: 100}[mae]
    intervals['0.81-0.90'] = {
      'mae_pct_bw': mae,
      'rmse_pct_bw': mae,
      'bias_pct_bw': -mae,
      'r': None,
      'n': n,
    }
    shares = [0.0] * 17
    shares[9], shares[1] = share, 1 - share
    return {
      'subjects': {subject: result},
      'training_subjects': ['A' if subject == 'B' else 'B'],
      'model': {'name': 'cnn3d'},
      'dataset': 'mochizuki',
      'legs': 1,
      'parameters': 10,
      'step': 7,
      'voxels': {'training': 800, 'held_out': 200},
      'frames': {'stance': 100, 'air': 0},
      'intervals': intervals,
      'training_intervals': [
        {'interval': name, 'labels': 1, 'share': s, 'share_drawn': 1 / 17}
        for name, s in zip(force_intervals.INTERVALS, shares, strict=True)
      ],
      'other_axes': {},
      'air_mean_abs_pct_bw': None,
      'baselines': {'constant': {**result, 'mae_pct_bw': 20.0, 'r': None}}
      | ({'mean_curve': {**result, 'mae_pct_bw': curve}} if curve else {}),
    }

  return {'A': fold('A', 4.0, 0.9, 6.0, 0.75), 'B': fold('B', 8.0, None, None, 0.5)}


def rows(table: text_table.Table) -> dict:
  return {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


def by_name(folds: dict) -> dict[str, text_table.Table]:
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
  text = by_name(small_folds())['table_3_errors'].text()
  assert text.startswith(GOLDEN)
  assert text in fold_report.fold_summary(small_folds())


def test_share_columns_sum_to_100():
  every = by_name(small_folds())
  for name in ('table_4a_labels', 'table_4b_drawn'):
    table = rows(every[name])
    assert set(force_intervals.INTERVALS) | {'all'} == set(table)
    for subject in 'AB':
      parts = [table[n][subject] for n in force_intervals.INTERVALS]
      assert sum(parts) == pytest.approx(100)
      assert table['all'][subject] == pytest.approx(100)
  assert rows(every['table_4a_labels'])['0.81-0.90']['A'] == pytest.approx(75)


def test_intervals_table_is_of_folds_that_have_them():
  assert 'prediction_intervals' not in by_name(small_folds())
  folds = small_folds()
  folds['A']['prediction_interval'] = {
    'share': 0.9, 'vertical': {'covered': 0.912, 'mean_width_pct_bw': 24.5}
  }  # fmt: skip
  table = by_name(folds)['prediction_intervals']
  assert table.columns == ('held out', 'vertical inside', 'vertical width')
  assert rows(table)['average'] == {
    'held out': 'average', 'vertical inside': pytest.approx(91.2), 'vertical width': 24.5
  }  # fmt: skip


def test_how_far_training_was_followed_is_of_folds_that_could_choose():
  assert 'blend' not in by_name(small_folds())
  folds = small_folds()
  folds['B']['blend'] = {'taken': 0.5, 'mae_pct_bw': {'0': 8.66, '0.5': 5.02, '1': None}}
  table = by_name(folds)['blend']
  assert table.columns == ('held out', '0', '0.5', '1', 'taken')
  assert table.cells() == [['B', '8.66', '5.02', text_table.UNDEFINED, '0.5']]


def test_shares_unknown_in_one_fold():
  folds = small_folds()
  folds['B']['training_intervals'] = []
  last = fold_tables.fold_tables(folds)[3].rows[-1]
  assert last[1] == pytest.approx(100)
  assert last[2] is None


def test_pooled_intervals_weigh_frames():
  pooled = fold_results.pooled_intervals(small_folds())
  there = pooled['0.81-0.90']
  assert there['n'] == 400
  assert there['mae_pct_bw'] == pytest.approx((300 * 4 + 100 * 8) / 400)
  assert there['rmse_pct_bw'] == pytest.approx(((300 * 16 + 100 * 64) / 400) ** 0.5)
  assert there['bias_pct_bw'] == pytest.approx(-5)
  assert pooled['1.41-1.50']['mae_pct_bw'] is None


def test_pooled_intervals_are_those_of_all_frames(round_of):
  runs, folds = round_of('A', 'B')
  every = [held_out_estimates.read_estimates(runs / s / 'estimates.npz') for s in folds]
  together = [
    np.concatenate(x)
    for x in zip(*((e.estimate[..., 0], e.force[..., 0], e.contact) for e in every), strict=True)
  ]
  expected = error_sums.sums_by_interval(*together)
  for name, got in fold_results.pooled_intervals(folds).items():
    want = expected[name].result()
    for key, value in got.items():
      assert value == (None if want[key] is None else pytest.approx(want[key])), (name, key)


def test_minutes_are_those_of_all_steps_of_a_run(round_of):
  runs, folds = round_of('A', 'B')
  (runs / 'B' / 'metrics.jsonl').unlink()
  fold_report.write_fold_report(runs, folds)
  text = (runs / 'report' / 'table_1_data.csv').read_text()
  a, b = csv.DictReader(io.StringIO(text))
  assert (a['minutes'], b['minutes']) == ('12.5', '')


def test_minutes_are_shown_where_known():
  table = rows(fold_tables.fold_tables(small_folds(), {'A': 12.25})[0])
  assert table['A']['minutes'] == 12.25
  assert table['B']['minutes'] is None
  assert table['B']['trained on'] == 'A'


def test_wide_tables_fold_and_repeat_their_first_column():
  names = tuple(f'subject{k:02}' for k in range(30))
  table = text_table.Table('t', 'T', 'c', ('interval', *names), ('', *['.1f'] * 30),
                       (('0.01-0.10', *range(30)),))  # fmt: skip
  lines = table.text().splitlines()
  assert max(map(len, lines)) <= 100
  assert sum(line.startswith('0.01-0.10') for line in lines) > 1
  assert all(name in table.text() for name in names)


def test_csv_is_read_back():
  table = by_name(small_folds())['table_3_errors']
  got = list(csv.reader(io.StringIO(table.csv())))
  assert tuple(got[0]) == table.columns
  assert got[2][1] == ''  # r of B is undefined
  assert float(got[3][3]) == 6.0


def test_markdown_escapes_names():
  table = text_table.Table('t', 'T', 'c', ('a', 'b'), ('', '.1f'), (('<b>x|_y', None),))
  assert table.markdown().splitlines()[-1] == r'| &lt;b&gt;x\|\_y | – |'


def test_negative_zero_has_no_sign():
  assert text_table.format_value(-0.001, '.2f') == '0.00'
  assert text_table.format_value(-0.1, '.1f') == '-0.1'
  assert text_table.format_value(None, '.1f') == '–'


def test_subject_text_says_everything(tmp_path):
  value = made_up_run(tmp_path, 'A')
  text = run_report.run_summary(value)
  result = value['subjects']['A']
  for number in ('mae_pct_bw', 'rmse_pct_bw'):
    assert f'{result[number]:.2f}' in text
  for words in ('A held out', 'both legs', 'constant', 'mean curve', 'near side', 'In the air',
                '123456 parameters', 'B, C, D', '0.81-0.90'):  # fmt: skip
    assert words in text


def test_subject_text_of_one_leg_without_extras():
  value = small_folds()['B']
  text = run_report.run_summary(value)
  assert 'in stance only' in text
  assert 'mean curve, true timing' not in text  # it could not be judged
  assert 'None' not in text
  assert 'nan' not in text


def test_a_fold_of_someone_else_is_refused():
  folds = small_folds()
  with pytest.raises(ValueError, match=r'fold C: its eval\.json is of A'):
    fold_report.fold_summary({'C': folds['A']})
  with pytest.raises(ValueError, match='no fold'):
    fold_report.fold_summary({})


def is_png(path: pathlib.Path) -> bool:
  return path.read_bytes()[:8] == b'\x89PNG\r\n\x1a\n' and path.stat().st_size > 5000


@pytest.mark.parametrize(('legs', 'axes'), [(2, 3), (1, 1)])
def test_run_figures(tmp_path, legs, axes):
  made_up_run(tmp_path, 'su$b$ject', legs=legs, axes=axes)  # not a formula
  paths = [picture.path for picture in run_report.draw_run_figures(tmp_path)]
  assert [p.name for p in paths] == [
    'true_against_estimated.png', 'learning_curves.png', 'curves.png', 'stance.png'
  ]  # fmt: skip
  assert all(is_png(p) for p in paths)
  assert {p.name for p in (tmp_path / 'figures').iterdir()} == {p.name for p in paths}


def test_a_runs_page(tmp_path):
  run = tmp_path / 'A'
  run.mkdir()
  made_up_run(run, 'A')
  written = run_report.write_run_report(run)
  assert written[0] == run / 'report.html'
  seen = Page(written[0].read_text(encoding='utf-8'))
  assert len(seen.all('img')) == 4
  assert all(len(img['alt']) > 20 for img in seen.all('img'))
  for words in ('1 subject (A)', 'subject, held out', '12.5', 'not a medical device'):
    assert words in seen.text


def test_run_figures_without_a_log(tmp_path):
  made_up_run(tmp_path, 'A', legs=1, axes=1)
  atomic.write_text(
    tmp_path / 'metrics.jsonl', '{"step": 50, "loss": 1.0, "mae_pct_bw": 9.0}\n{"st'
  )
  run_report.draw_run_figures(tmp_path)
  (tmp_path / 'metrics.jsonl').unlink()
  assert all(is_png(picture.path) for picture in run_report.draw_run_figures(tmp_path))


def test_a_broken_estimates_file_is_named(tmp_path):
  made_up_run(tmp_path, 'A', legs=1, axes=1)
  np.savez(tmp_path / 'estimates.npz', trial=np.zeros(1))
  with pytest.raises(ValueError, match=r'estimates\.npz: no contact, estimate'):
    run_report.draw_run_figures(tmp_path)


def test_a_failed_figure_leaves_nothing(tmp_path, monkeypatch):
  made_up_run(tmp_path, 'A', legs=1, axes=1)

  def fail(self, path, **_):
    path.write_bytes(b'half')
    raise OSError('disk full')

  monkeypatch.setattr(style.figure.Figure, 'savefig', fail)
  with pytest.raises(OSError, match='disk full'):
    run_report.draw_run_figures(tmp_path)
  assert list((tmp_path / 'figures').iterdir()) == []


def test_stances_without_seen_ends(tmp_path):
  """The paper's voxels: stance frames alone, so no stance shows its ends."""
  made_up_run(tmp_path, 'A', legs=1, axes=1)
  one = held_out_estimates.read_estimates(tmp_path / 'estimates.npz')
  truth, guess, whole = stance_figures.stance_curves(one, 0)
  assert whole
  assert truth.shape == guess.shape == (12, 101, 1)
  at = one.contact[:, 0]
  cut = held_out_estimates.HeldOutEstimates(**{k: v[at] for k, v in vars(one).items()})
  truth_cut, _, whole = stance_figures.stance_curves(cut, 0)
  assert not whole
  np.testing.assert_array_equal(truth_cut, truth)


class Page(html.parser.HTMLParser):
  """What tags a page has, and its text."""

  def __init__(self, text: str):
    super().__init__()
    self.tags: list[tuple[str, dict]] = []
    self.text = ''
    self.feed(text)

  def handle_starttag(self, tag, attrs):
    self.tags.append((tag, dict(attrs)))

  def handle_data(self, data):
    self.text += data

  def all(self, tag: str) -> list[dict]:
    return [attrs for name, attrs in self.tags if name == tag]


def test_page_is_self_contained_and_escapes(round_of):
  runs, folds = round_of('A', '<b>x', 'a&b"c', legs=1, axes=1)
  for value in folds.values():
    value['training_subjects'] = ['<script>alert(1)</script>']
    value['dataset'] = '<i>walker'
    value['model'] = {'name': '<u>net'}
  paths = fold_report.write_fold_report(runs, folds)
  assert paths[0] == runs / 'report' / 'index.html'
  text = paths[0].read_text(encoding='utf-8')
  seen = Page(text)
  assert not {'i', 'u', 'script', 'link', 'iframe'} & {t for t, _ in seen.tags}
  assert len(seen.all('b')) == len(seen.all('table'))  # captions' titles, no name's
  assert not re.search(r'(?:src|href)="(?!data:image/png;base64,)|url\(|@import|https?://', text)
  for words in ('<b>x', 'a&b"c', '<script>alert(1)</script>', '<u>net', 'not a medical device',
                'Data set: <i>walker as built from the recording set the reader gave',
                'in stance only', 'leave one subject out'):  # fmt: skip
    assert words in seen.text
  assert len(seen.all('caption')) == len(seen.all('table')) == 7
  assert all(th.get('scope') in ('col', 'row') for th in seen.all('th'))
  assert len(seen.all('img')) == 5
  assert all(len(img['alt']) > 20 for img in seen.all('img'))
  assert 'prefers-color-scheme: dark' in text
  assert any(meta.get('name') == 'viewport' for meta in seen.all('meta'))


def test_write_loso_writes_every_table_whole(round_of):
  runs, folds = round_of('A', 'B', legs=1, axes=1)
  paths = fold_report.write_fold_report(runs, folds)
  assert len(paths) == 1 + 3 * 7
  assert {p.suffix for p in paths} == {'.html', '.txt', '.csv', '.md'}
  there = {p.name for p in (runs / 'report').iterdir()}
  assert {p.name for p in paths} <= there
  assert all(p.endswith(('.html', '.txt', '.csv', '.md', '.png')) for p in there)
  assert not any(name.startswith('.') for name in there)
  assert '12.5' in (runs / 'report' / 'table_1_data.txt').read_text()


def test_write_loso_without_estimates_or_defined_numbers(tmp_path):
  seen = Page(fold_report.write_fold_report(tmp_path, small_folds())[0].read_text(encoding='utf-8'))
  assert len(seen.all('img')) == 2  # those that need no frames
  assert 'None' not in seen.text
  assert 'nan' not in seen.text
  assert 'better in 1 of 1 subjects' in seen.text
