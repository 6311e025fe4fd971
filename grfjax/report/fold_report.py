"""The report of a leave-one-subject-out round: text, tables, figures and page."""

from __future__ import annotations

import pathlib

from grfjax.data import force_intervals
from grfjax.evaluation import held_out_estimates, held_out_trials
from grfjax.io import atomic
from grfjax.report import (
  agreement_report,
  fold_figures,
  fold_page,
  fold_tables,
  html_page,
  run_figures,
  run_report,
  text_table,
)
from grfjax.training import metrics_log

PREDICTIONS = 'predictions'  # of held-out trials, beside the folds' runs


# All folds.


def loso_text(folds: fold_tables.Folds, found: held_out_trials.HeldOutTrials | None = None) -> str:
  """The tables for a terminal.

  Args:
    folds: held-out subject -> its eval.json.
    found: the trials' predictions beside the plates' truth, where they were made.
  """
  parts = [table.text() for table in fold_tables.fold_tables(folds) + _gait_tables(folds, found)]
  if found:
    parts += [text for text in (agreement_report.nothing(found, folds),) if text]
    parts += agreement_report.left_out(found)
  return '\n\n'.join(parts)


def _gait_tables(
  folds: fold_tables.Folds, found: held_out_trials.HeldOutTrials | None
) -> list[text_table.Table]:
  of = agreement_report.compared(found, folds) if found else {}
  return [agreement_report.table(of)] if of else []


def write_loso(
  runs: pathlib.Path, folds: fold_tables.Folds, found: held_out_trials.HeldOutTrials | None = None
) -> list[pathlib.Path]:
  """Writes runs/report/: tables (.txt, .csv, .md), figures (.png) and index.html.

  Args:
    runs: holds each fold's run as SUBJECT/; metrics.jsonl, estimates.npz are used if there. The
      page leads to the trials' own in `PREDICTIONS`, where they are.
    folds: held-out subject -> its eval.json.
    found: the trials' predictions beside the plates' truth, where they were made.

  Returns:
    index.html and the tables' files.
  """
  folder = runs / 'report'
  every = fold_tables.fold_tables(folds, run_report.minutes(runs, folds)) + _gait_tables(
    folds, found
  )
  estimates = {
    s: held_out_estimates.read_estimates(runs / s / 'estimates.npz')
    for s in folds
    if (runs / s / 'estimates.npz').exists()
  }
  written = [folder / 'index.html']
  for table in every:
    for ending, text in (
      ('txt', table.text() + '\n'), ('csv', table.csv()), ('md', table.markdown() + '\n')
    ):  # fmt: skip
      written.append(folder / f'{table.name}.{ending}')
      atomic.write_text(written[-1], text)
  pictures = _pictures(folder, folds, estimates)
  logs = {s: metrics_log.read_log(runs / s / 'metrics.jsonl') for s in folds}
  if logs := {s: lines for s, lines in logs.items() if lines}:
    pictures.append(
      html_page.Picture(
        fold_figures.learning_round(folder / 'learning_curves.png', logs),
        'Training loss and error of the training draws over steps, a line for each fold.',
        "As the paper's Fig. 2: training of every fold, named by the subject it was without.",
      )
    )
  more = agreement_report.sections(folder, runs / PREDICTIONS, found, folds) if found else []
  atomic.write_text(folder / 'index.html', fold_page.fold_page(folds, every, pictures, more))
  return written


# The page.


def _pictures(
  folder: pathlib.Path,
  folds: fold_tables.Folds,
  estimates: dict[str, held_out_estimates.HeldOutEstimates],
) -> list[html_page.Picture]:
  results = {s: fold_tables.fold_result(folds, s) for s in folds}
  error = text_table.format_value(
    fold_tables.mean([r['mae_pct_bw'] for r in results.values()]), '.1f'
  )
  series = {
    'network': [r['mae_pct_bw'] for r in results.values()],
    'mean curve of the others, true timing': [
      fold_tables.baseline_mae(v, 'mean_curve') for v in folds.values()
    ],
    'constant': [fold_tables.baseline_mae(v, 'constant') for v in folds.values()],
  }
  found = [
    html_page.Picture(
      fold_figures.subject_bars(folder / 'mae_by_subject.png', list(folds), series),
      f'Bars: mean absolute error of {len(folds)} held-out subjects, {error} % of body weight on '
      'average, beside two baselines. The numbers are in Table III.',
      'Held-out error of each subject: the network against two baselines.',
    )
  ]
  if estimates:
    whose = f'{len(estimates)} subjects' if len(estimates) > 1 else next(iter(estimates))
    found += [
      html_page.Picture(
        run_figures.true_against_estimated(
          folder / 'true_against_estimated.png', list(estimates.values()), f'{whose}, held out'
        ),
        *run_report.SCATTER,
      ),
      html_page.Picture(
        fold_figures.stance_grid(folder / 'stance_by_subject.png', estimates),
        'For each held-out subject and leg, the mean true and estimated vertical force from 0 to '
        '100 % of stance.',
        'Mean vertical force over stance: true in black with a grey band of one SD; estimated in '
        'colour, solid for the near leg and dashed for the far leg, dotted lines one SD away.',
      ),
    ]
  shares = [fold_tables.interval_shares(v) for v in folds.values()]
  labels, drawn = (
    [fold_tables.mean(s[n][k] for s in shares if n in s) for n in force_intervals.INTERVALS]
    for k in (0, 1)
  )
  found.append(
    html_page.Picture(
      fold_figures.interval_bars(
        folder / 'mae_by_interval.png',
        fold_tables.pooled_intervals(folds),
        {
          n: [v['intervals'][n]['mae_pct_bw'] for v in folds.values()]
          for n in force_intervals.INTERVALS
        },
        labels,
        drawn,
      ),
      'Bars: held-out error in each tenth of a body weight of true force, above the share of '
      'training labels in it. The numbers are in Table IV.',
      'Where the error lies, and how much of the training data lies there (mean over folds).',
    )
  )
  return found
