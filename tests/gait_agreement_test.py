"""Errors of gait measures in the report of all folds: table, Bland-Altman plots, trials, words."""

import csv
import json
import math
import re
import shutil

import html_pages
import making
import numpy as np
import pytest
import report_making

from grfjax import errors
from grfjax.evaluation import held_out_trials, plate_reference
from grfjax.gait import (
  bland_altman,
  contact_comparison,
  curve_files,
  foot_contacts,
  force_curves,
  gait_measures,
)
from grfjax.io import recordings
from grfjax.report import (
  agreement_figures,
  fold_report,
  gait_agreement,
)


def contact(start_s, stance_s=0.6, first=1.1, valley=0.8, second=1.2):
  measures = dict.fromkeys([*gait_measures.EVENTS, *gait_measures.MEASURES], math.nan) | {
    'contact_s': start_s, 'toe_off_s': start_s + stance_s, 'stance_s': stance_s,
    'first_peak_bw': first, 'valley_bw': valley, 'second_peak_bw': second,
  }  # fmt: skip
  return foot_contacts.MeasuredContact(start_s, start_s + stance_s, True, True, 'left', measures)


def made_up_contacts():
  """Of A two found and one invented; of B one found, without peaks, and one missed."""
  flat = contact(0.98, 0.65, math.nan, math.nan, math.nan)
  return {
    'A': contact_comparison.ContactComparison(
      [(contact(1.0), contact(0.99, 0.62, 1.15, 0.8, 1.19)),
       (contact(2.0), contact(2.02, 0.6, 1.08, 0.84, 1.2))],
      invented=[contact(3.0)], unjudged=[contact(4.0)],
    ),
    'B': contact_comparison.ContactComparison([(contact(1.0), flat)], missed=[contact(2.0)]),
  }  # fmt: skip


GOLDEN = """\
Gait measures. Held-out foot contacts against those of the plates: missed and invented in % of the
true ones, and mean absolute errors (MAE) of those found.
held out  true contacts  missed %  invented %  initial contact MAE ms  bias ms  toe-off MAE ms
----------------------------------------------------------------------------------------------
A                     2       0.0        50.0                    15.0     +5.0            15.0
B                     2      50.0         0.0                    20.0    -20.0            30.0
all                   4      25.0        25.0                    16.7     -3.3            20.0
held out  stance time MAE ms  first peak MAE % BW  valley MAE % BW  second peak MAE % BW
----------------------------------------------------------------------------------------
A                       10.0                  3.5              2.0                   0.5
B                       50.0                    –                –                     –
all                     23.3                  3.5              2.0                   0.5
"""


def test_table_to_the_letter():
  table = gait_agreement.agreement_table(made_up_contacts())
  assert table.name == 'gait_errors'
  text = table.text()
  assert text.startswith(GOLDEN)
  said = ' '.join(text.split())
  assert 'above 0.05 BW around a time at which it is above 0.3 BW' in said
  assert 'Peaks and valley are those of 2 contacts; in 1 others' in said
  assert '1 estimated contacts lie where nobody measured' in said
  first, *_ = csv.DictReader(table.csv().splitlines())
  assert float(first['first peak MAE % BW']) == pytest.approx(3.5)


def test_step_lengths_have_a_column_where_the_plates_know_them():
  contacts = made_up_contacts()
  (true, estimate), *_ = contacts['A'].matched
  true.measures['step_length_m'], estimate.measures['step_length_m'] = 0.6, 0.63
  row, *_ = csv.DictReader(gait_agreement.agreement_table(contacts).csv().splitlines())
  assert float(row['step length MAE cm']) == pytest.approx(3)
  assert contacts['A'].result()['step_length_cm']['bias'] == pytest.approx(3)
  table = gait_agreement.agreement_table(made_up_contacts())
  assert 'step length MAE cm' not in table.columns


def with_pressure(root, folder):
  """A copy of a recording set whose plates know where the feet stand, 0.6 m apart, 0.1 m long."""
  root = shutil.copytree(root, folder)
  for trial in recordings.load(root):
    (path,) = trial.force
    names, *rows = csv.reader(path.read_text().splitlines())
    count = sum(name.startswith('fz_') for name in names)
    force = np.array(
      [[float(row[names.index(f'fz_{k + 1}')]) for k in range(count)] for row in rows]
    )
    columns = []
    for k in range(count):
      on = force[:, k] > 20
      x = 0.6 * k + np.interp(np.arange(len(on)), np.flatnonzero(on)[[0, -1]], [0, 0.1])
      columns += [[f'{v:.4f}' if o else '' for v, o in zip(x, on, strict=True)],
                  ['0.05' if o else '' for o in on]]  # fmt: skip
    names += [f'p{axis}_{k + 1}' for k in range(count) for axis in 'xy']
    table = [
      names,
      *([*row, *cells] for row, cells in zip(rows, zip(*columns, strict=True), strict=True)),
    ]
    path.write_text('\n'.join(','.join(row) for row in table) + '\n')
  return root


def test_reported_step_lengths_are_held_against_the_plates(runs, recordings_dir, tmp_path):
  root = with_pressure(recordings_dir, tmp_path / 'with_pressure')
  for trial in read(runs, root, 'A', 'B').trials:
    steps = [c.measures['step_length_m'] for c in trial.reference.contacts]
    assert [round(s, 3) for s in steps if math.isfinite(s)] == [0.6]
    assert all(math.isnan(c.measures['step_length_bh']) for c in trial.reference.contacts)
    contacts = foot_contacts.find_contacts(trial.time_s, trial.force)
    told = [
      {'leg': c.leg, 'contact_s': c.measures['contact_s'] + 1e-5, 'step_length_m': 0.58}
      for c in contacts
    ]
    told[0]['step_length_m'] = None
    (runs / 'predictions' / f'{trial.name}.json').write_text(json.dumps({'contacts': told}))
  found = read(runs, root, 'A', 'B')
  result = found.comparisons()['B'].result()
  assert result['step_length_cm']['n'] == 2
  assert result['step_length_cm']['bias'] == pytest.approx(-2, abs=1e-6)
  page, *_ = fold_report.write_fold_report(runs, folds_of('A', 'B'), found)
  assert 'Bland-Altman plot of the step length of 4 foot contacts: bias -2.0 cm' in page.read_text()
  (runs / 'predictions/A_1.json').write_text('[]')
  with pytest.raises(
    held_out_trials.PredictionError, match=r'A_1\.json: found no contacts'
  ) as caught:
    read(runs, root, 'A')
  assert caught.value.code == 'prediction.other_file'


def test_agreement_by_hand():
  got = bland_altman.agreement(np.array([[1, 1.1], [2, 2.1], [3, 3.4]]))
  sd = math.sqrt((0.1**2 + 0.1**2 + 0.2**2) / 2)
  assert got == (3, pytest.approx(0.2), pytest.approx(0.2 - 1.96 * sd),
                 pytest.approx(0.2 + 1.96 * sd))  # fmt: skip
  assert bland_altman.agreement(np.array([[1.0, 1.5]])) == (1, 0.5, None, None)
  assert bland_altman.agreement(np.empty((0, 2))) == (0, None, None, None)


@pytest.mark.parametrize('pairs', [{'$a$': np.empty((0, 2))}, {'_b': np.array([[1.0, 2.0]])}])
def test_bland_altman_of_next_to_nothing(tmp_path, pairs):
  every = np.concatenate(list(pairs.values()))
  path = agreement_figures.draw_bland_altman(
    tmp_path / 'a.png', pairs, bland_altman.agreement(every), 'Stance time', 'ms'
  )
  assert report_making.is_png(path)


def folds_of(*subjects, legs=2):
  fold = report_making.small_folds()['A']
  return {s: report_making.changed(fold, legs=legs, subjects={s: fold.errors}) for s in subjects}


@pytest.fixture
def runs(recordings_dir, tmp_path):
  """RUNS with predictions of A and B: the truth itself, 0.1 BW too low in A."""
  for trial in recordings.load(recordings_dir, subjects=['A', 'B']):
    force = np.nan_to_num(plate_reference.read_plate_reference(trial).force)
    force[..., 0] -= 0.1 * (trial.subject.name == 'A') * (force[..., 0] > 0.5)
    count = len(force)
    made = force_curves.ForceCurves(
      np.arange(count) / 60, force, force[..., None][..., :0], trial.camera, False,
      np.full((count, 4), np.nan), np.zeros(count, int),
    )  # fmt: skip
    path = tmp_path / 'predictions' / f'{trial.name}.csv'
    path.parent.mkdir(exist_ok=True)
    path.write_text(curve_files.to_csv(made))
  return tmp_path


def read(runs, root, *subjects):
  return held_out_trials.read_held_out_trials(runs / 'predictions', root, list(subjects))


@pytest.mark.parametrize(
  ('damage', 'code', 'line', 'column', 'says'),
  [
    (lambda s: s[: s.rindex('\n', 0, 1200) + 1], 'prediction.other_video', None, None,
     r'A_1\.csv: found \d+ rows, expected 70'),
    (lambda s: s[:1200], 'table.cell_count', 23, None,
     r'A_1\.csv: line \d+: found \d cells, expected 7'),
    (lambda s: '', 'table.syntax', None, None, r'A_1\.csv: is empty, expected a table'),
    (lambda s: s.replace('left_fz_bw', 'left'), 'table.missing_column', 1, 'left_fz_bw',
     r'A_1\.csv: no column left_fz_bw; found time_s'),
    (lambda s: s.replace('\n0.1', '\nx0.1', 1), 'table.not_a_number', 8, 'time_s',
     r'line 8, column time_s: found .x0.1'),
    (lambda s: s.replace('\n0.100000,', '\n0.100000,inf', 1), 'table.not_a_number', 8,
     'left_fz_bw', r'column left_fz_bw: found .inf'),
    (lambda s: s + '"', 'table.syntax', None, None, r'A_1\.csv: is not a table'),
  ],
  ids=['at a line', 'in a line', 'empty', 'column', 'number', 'infinite', 'quote'],
)  # fmt: skip
def test_a_damaged_prediction_is_named(runs, recordings_dir, damage, code, line, column, says):
  path = runs / 'predictions/A_1.csv'
  good = path.read_text()
  path.write_text(damage(good))
  assert path.read_text() != good
  with pytest.raises(errors.InputError, match=says) as caught:
    read(runs, recordings_dir, 'A')
  assert (caught.value.code, caught.value.file) == (code, str(path))
  assert (caught.value.line, caught.value.column) == (line, column)


def test_trials_are_judged_as_their_own_pages_judge_them(runs, recordings_dir):
  found = read(runs, recordings_dir, 'A', 'B')
  assert not found.skipped
  assert {t.subject for t in found.trials} == {'A', 'B'}
  for trial in found.trials:
    assert trial.reference.contact[trial.middle_frame].any()
    assert trial.mae_pct_bw > 5 if trial.subject == 'A' else trial.mae_pct_bw < 0.01
  every = found.comparisons()
  assert list(every) == ['A', 'B']
  result = every['B'].result()
  assert (result['true'], result['missed'], result['invented']) == (4, 0, 0)
  assert result['contact_ms']['mae'] < 15


def test_a_prediction_that_is_missing_or_broken_is_named(runs, recordings_dir):
  with pytest.raises(OSError, match=r'predictions.C'):
    read(runs, recordings_dir, 'C')
  path = min((runs / 'predictions').iterdir())
  path.write_text('time_s,left_fz_bw\n0.0,1.0\n')
  says = rf'{path.name}: no column right_fz_bw; found time_s, left'
  with pytest.raises(errors.InputError, match=says) as caught:
    read(runs, recordings_dir, 'A')
  assert (caught.value.code, caught.value.file) == ('table.missing_column', str(path))


def test_report_has_table_plots_and_trials(runs, recordings_dir):
  found = read(runs, recordings_dir, 'A', 'B')
  folds = folds_of('A', 'B')
  text = fold_report.fold_summary(folds, found)
  assert 'Gait measures. Held-out foot contacts' in text
  assert 'No errors of gait measures' not in text
  names = {p.name for p in fold_report.write_fold_report(runs, folds, found)}
  assert {f'gait_errors.{ending}' for ending in ('txt', 'csv', 'md')} < names
  seen = html_pages.Page((runs / 'report' / 'index.html').read_text())
  assert 'Of 8 foot contacts on the plates 0 were missed (0.0 %)' in seen.text
  assert 'Held-out foot contacts against those of the plates' in seen.text
  alts = [img['alt'] for img in seen.all('img')]
  plots = [alt for alt in alts if alt.startswith('Bland-Altman')]
  assert len(plots) == 3
  assert re.search(r'stance time of 8 foot contacts: bias [-+]\d+\.\d ms, 95 % limits', plots[2])
  assert sum(alt.startswith('A frame of trial') for alt in alts) == 4
  order = [seen.text.index(f'{t.name} of {t.subject}: ') for t in found.trials]
  assert max(order[:2]) < min(order[2:])  # A, the worse, stands first
  assert seen.all('a') == []  # none of the trials has a page


def test_links_and_names_are_escaped(runs, recordings_dir):
  (trial, *_) = read(runs, recordings_dir, 'A').trials
  named = {'name': report_making.HOSTILE, 'subject': '<i>A'}
  hostile = held_out_trials.HeldOutTrials(
    [held_out_trials.HeldOutTrial(**vars_of(trial) | named)], {'<b>x': '<u>why'}
  )
  (runs / 'predictions' / f'{report_making.HOSTILE}.html').touch()
  fold_report.write_fold_report(runs, folds_of('<i>A'), hostile)
  seen = html_pages.Page((runs / 'report' / 'index.html').read_text())
  quoted = '%3Cscript%3Ealert%281%29%3Cscript%3E%20%26%20%22%24x%22%20%27y%27%20%23%3F%25.html'
  assert seen.all('a') == [{'href': f'../predictions/{quoted}'}]
  assert f'{report_making.HOSTILE} of <i>A: ' in seen.text
  assert 'Not judged (trial <b>x): <u>why.' in seen.text
  assert not {'script', 'i', 'u'} & {tag for tag, _ in seen.tags}
  sources = [tag['src'] for tag in seen.all('img')]
  assert all(source.startswith('data:image/png;base64,') for source in sources)


def vars_of(trial):
  return {
    k: getattr(trial, k) for k in ('name', 'subject', 'video', 'time_s', 'force', 'reference')
  }


def test_worst_and_best_are_ranked(tmp_path, monkeypatch):
  class Trial:
    subject, video, middle_frame = 'S', None, 0

    def __init__(self, error):
      self.name, self.mae_pct_bw = f't{error}', error

  monkeypatch.setattr(gait_agreement.video_file, 'probe', lambda _: None)
  monkeypatch.setattr(gait_agreement.video_file, 'frame', lambda *_: None)
  monkeypatch.setattr(agreement_figures, 'draw_trial', lambda path, *_: path)

  def captions(errors):
    found = gait_agreement._draw_trials(tmp_path, tmp_path, [Trial(e) for e in errors])
    assert [p.path.name for p in found] == [f'trial_{k}.png' for k in range(1, len(found) + 1)]
    return [p.caption for p in found]

  assert captions([4.0, 9.0, 1.0, None, 7.0, 2.0, 8.0, 5.0, 5.0]) == [
    't9.0 of S: 9.0 % BW, the worst of 8', 't8.0 of S: 8.0 % BW, the second worst of 8',
    't7.0 of S: 7.0 % BW, the third worst of 8', 't4.0 of S: 4.0 % BW, the third best of 8',
    't2.0 of S: 2.0 % BW, the second best of 8', 't1.0 of S: 1.0 % BW, the best of 8',
  ]  # fmt: skip
  assert captions([1.0, 2.0]) == [
    't2.0 of S: 2.0 % BW, the worst of 2', 't1.0 of S: 1.0 % BW, the best of 2',
  ]  # fmt: skip
  assert captions([]) == []


def test_a_set_without_forces_says_so(runs, recordings_dir, tmp_path):
  root = shutil.copytree(recordings_dir, tmp_path / 'bare')
  rows = list(csv.DictReader((root / 'trials.csv').read_text().splitlines()))
  making.write_manifests(root, making.SUBJECTS, [row | {'force': '', 'plates': ''} for row in rows])
  found = read(runs, root, 'A', 'B')
  assert found.trials == []
  folds = folds_of('A', 'B')
  reason = 'No errors of gait measures: force plates tell the truth of no trial.'
  which = 'Not judged (4 trials, A_1 first): no forces, or nothing that places them in time.'
  text = fold_report.fold_summary(folds, found)
  assert reason in text
  assert which in text
  paths = fold_report.write_fold_report(runs, folds, found)
  assert not any('gait_errors' in p.name for p in paths)
  seen = html_pages.Page(paths[0].read_text())
  assert reason in seen.text
  assert which in seen.text
  assert 'Worst and best trials' not in seen.text


def test_who_knows_the_near_leg_alone_has_no_gait_measures(runs, recordings_dir):
  found = read(runs, recordings_dir, 'A')
  folds = folds_of('A', legs=1)
  text = fold_report.fold_summary(folds, found)
  assert 'Gait measures.' not in text
  assert 'in stance only, and cannot tell when a foot meets the floor' in text
  seen = html_pages.Page(fold_report.write_fold_report(runs, folds, found)[0].read_text())
  assert 'Worst and best trials' in seen.text


def test_forces_that_cannot_be_used_are_left_out(runs, recordings_dir, tmp_path):
  root = shutil.copytree(recordings_dir, tmp_path / 'cut')
  trial = recordings.load(root, subjects=['A'])[0]
  trial.force[0].write_text('time_s,fx_1\n0,1\n')
  found = read(runs, root, 'A')
  assert found.skipped.keys() | {t.name for t in found.trials} == {'A_1', 'A_2'}
  assert trial.name in found.skipped
  assert trial.force[0].name in gait_agreement.describe_left_out(found)[0]
