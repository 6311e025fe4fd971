"""The report of a leave-one-subject-out round: its files."""

import csv
import io

import html_pages
import pytest
import report_making

from grfjax.report import fold_report


def test_minutes_are_those_of_all_steps_of_a_run(tmp_path):
  folds = report_making.made_up_folds(tmp_path, 'A', 'B')
  (tmp_path / 'B' / 'metrics.jsonl').unlink()
  fold_report.write_fold_report(tmp_path, folds)
  text = (tmp_path / 'report' / 'table_1_data.csv').read_text()
  a, b = csv.DictReader(io.StringIO(text))
  assert (a['minutes'], b['minutes']) == ('12.5', '')


def test_the_report_has_every_table_whole(tmp_path):
  folds = report_making.made_up_folds(tmp_path, 'A', 'B', legs=1, axes=1)
  paths = fold_report.write_fold_report(tmp_path, folds)
  assert len(paths) == 1 + 3 * 7
  assert {p.suffix for p in paths} == {'.html', '.txt', '.csv', '.md'}
  there = {p.name for p in (tmp_path / 'report').iterdir()}
  assert {p.name for p in paths} <= there
  assert all(p.endswith(('.html', '.txt', '.csv', '.md', '.png')) for p in there)
  assert not any(name.startswith('.') for name in there)
  assert '12.5' in (tmp_path / 'report' / 'table_1_data.txt').read_text()


def test_a_report_without_estimates_or_defined_numbers(tmp_path):
  page, *_ = fold_report.write_fold_report(tmp_path, report_making.small_folds())
  seen = html_pages.check_page(page.read_text(encoding='utf-8'))
  assert len(seen.all('img')) == 2  # those that need no frames
  assert 'None' not in seen.text
  assert 'nan' not in seen.text
  assert 'better in 1 of 1 subjects' in seen.text


@pytest.mark.parametrize(
  ('taken', 'said'),
  [
    ((None, None), '100% of its own training is in every network.'),
    ((0, 0), 'Nothing of its own training is in every network: what is judged here is the network'),
    ((0.5, 0.5), '50% of its own training is in every network.'),
    ((0, None), 'own training is in its network: 0% without A, 100% without B.'),
  ],
)
def test_the_page_says_how_much_of_their_own_training_is_in_the_networks(tmp_path, taken, said):
  folds = report_making.small_folds()
  for subject, share in zip(folds, taken, strict=True):
    if share is not None:
      blend = {'taken': share, 'mae_pct_bw': {'0': 5.02, '0.5': 5.02, '1': 8.66}}
      folds[subject] = report_making.changed(folds[subject], blend=blend)
  page, *_ = fold_report.write_fold_report(tmp_path, folds)
  text = ' '.join(html_pages.check_page(page.read_text(encoding='utf-8')).text.split())
  assert said in text
  assert text.index(said) < text.index('Is it better than guessing?')
