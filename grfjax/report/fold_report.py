"""The report of a leave-one-subject-out round: text, tables, figures and page."""

from __future__ import annotations

import pathlib

from grfjax.data import force_intervals
from grfjax.evaluation import held_out_estimates, held_out_trials
from grfjax.io import atomic, run_folder
from grfjax.report import (
  error_figures,
  fold_page,
  fold_results,
  fold_tables,
  gait_agreement,
  learning_figures,
  page_parts,
  pressure_table,
  run_report,
  stance_figures,
  text_table,
  training_time,
)
from grfjax.training import metrics_log

PREDICTIONS = 'predictions'  # folder of the held-out trials' predictions, beside the folds' runs


def fold_summary(
  folds: fold_results.Folds, trials: held_out_trials.HeldOutTrials | None = None
) -> str:
  """Returns the tables as text for the terminal.

  Args:
    folds: held-out subject -> its evaluation.
    trials: the held-out trials beside the plates' forces, where they were predicted.
  """
  tables = fold_tables.fold_tables(folds) + _gait_tables(folds, trials)
  parts = [table.text() for table in tables]
  if trials:
    if reason := gait_agreement.reason_for_no_table(trials, folds):
      parts.append(reason)
    parts += gait_agreement.describe_left_out(trials)
  return '\n\n'.join(parts)


def write_fold_report(
  runs: pathlib.Path,
  folds: fold_results.Folds,
  trials: held_out_trials.HeldOutTrials | None = None,
) -> list[pathlib.Path]:
  """Writes runs/report/: tables (.txt, .csv, .md), figures (.png) and index.html.

  Args:
    runs: holds each fold's run as SUBJECT/; metrics.jsonl, estimates.npz are used if there. The
      page leads to the trials' own in `PREDICTIONS`, where they are.
    folds: held-out subject -> its evaluation.
    trials: the held-out trials beside the plates' forces, where they were predicted.

  Returns:
    index.html and the tables' files.
  """
  folder = runs / 'report'
  minutes = training_time.training_minutes(runs, folds)
  tables = fold_tables.fold_tables(folds, minutes) + _gait_tables(folds, trials)
  run_of = {subject: run_folder.RunFolder(runs / subject) for subject in folds}
  estimates = {
    subject: held_out_estimates.read_estimates(run.estimates)
    for subject, run in run_of.items()
    if run.estimates.exists()
  }
  logs = {subject: metrics_log.read_log(run.metrics) for subject, run in run_of.items()}
  written = [path for table in tables for path in _write_table(folder, table)]
  pictures = [
    _draw_subject_errors(folder, folds),
    *_draw_estimates(folder, estimates),
    _draw_interval_errors(folder, folds),
    *_draw_learning(folder, logs),
  ]
  sections = gait_agreement.sections(folder, runs / PREDICTIONS, trials, folds) if trials else []
  page = folder / 'index.html'
  atomic.write_text(page, fold_page.fold_page(folds, tables, pictures, sections))
  return [page, *written]


def _gait_tables(
  folds: fold_results.Folds, trials: held_out_trials.HeldOutTrials | None
) -> list[text_table.Table]:
  if trials is None:
    return []
  contacts = gait_agreement.compare_contacts(trials, folds)
  tables = [gait_agreement.agreement_table(contacts)] if contacts else []
  pressures = trials.pressure_errors()
  return tables + ([pressure_table.pressure_table(pressures)] if pressures else [])


def _write_table(folder: pathlib.Path, table: text_table.Table) -> list[pathlib.Path]:
  texts = {'txt': table.text() + '\n', 'csv': table.csv(), 'md': table.markdown() + '\n'}
  paths = []
  for ending, text in texts.items():
    paths.append(folder / f'{table.name}.{ending}')
    atomic.write_text(paths[-1], text)
  return paths


def _draw_subject_errors(folder: pathlib.Path, folds: fold_results.Folds) -> page_parts.Picture:
  errors = fold_results.subject_errors(folds)
  average = text_table.format_value(fold_results.mean(errors), '.1f')
  methods = {
    'network': errors,
    'mean curve of the others, true timing': [
      fold_results.baseline_error(evaluation, 'mean_curve') for evaluation in folds.values()
    ],
    'constant': [
      fold_results.baseline_error(evaluation, 'constant') for evaluation in folds.values()
    ],
  }
  return page_parts.Picture(
    error_figures.draw_subject_errors(folder / 'mae_by_subject.png', list(folds), methods),
    f'Bars: mean absolute error of {len(folds)} held-out subjects, {average} % of body weight on '
    'average, beside two baselines. The numbers are in Table III.',
    'Held-out error of each subject: the network against two baselines.',
  )


def _draw_estimates(
  folder: pathlib.Path, estimates: dict[str, held_out_estimates.HeldOutEstimates]
) -> list[page_parts.Picture]:
  if not estimates:
    return []
  whose = f'{len(estimates)} subjects' if len(estimates) > 1 else next(iter(estimates))
  return [
    run_report.draw_scatter_picture(folder, list(estimates.values()), f'{whose}, held out'),
    page_parts.Picture(
      stance_figures.draw_stance_grid(folder / 'stance_by_subject.png', estimates),
      'For each held-out subject and leg, the mean true and estimated vertical force from 0 to '
      '100 % of stance.',
      'Mean vertical force over stance: true in black with a grey band of one SD; estimated in '
      'colour, solid for the near leg and dashed for the far leg, dotted lines one SD away.',
    ),
  ]


def _draw_interval_errors(folder: pathlib.Path, folds: fold_results.Folds) -> page_parts.Picture:
  shares = [fold_results.interval_shares(evaluation) for evaluation in folds.values()]
  labels, drawn = (
    [
      fold_results.mean(s[name][k] for s in shares if name in s)
      for name in force_intervals.INTERVALS
    ]
    for k in (0, 1)
  )
  pooled = fold_results.pooled_intervals(folds)
  return page_parts.Picture(
    error_figures.draw_interval_errors(
      folder / 'mae_by_interval.png',
      {name: result.mae_pct_bw for name, result in pooled.items()},
      fold_results.interval_errors(folds),
      labels,
      drawn,
    ),
    'Bars: held-out error in each tenth of a body weight of true force, above the share of '
    'training labels in it. The numbers are in Table IV.',
    'Where the error lies, and how much of the training data lies there (mean over folds).',
  )


def _draw_learning(
  folder: pathlib.Path, logs: dict[str, learning_figures.Log]
) -> list[page_parts.Picture]:
  logs = {subject: log for subject, log in logs.items() if log}
  if not logs:
    return []
  return [
    page_parts.Picture(
      learning_figures.draw_fold_learning(folder / 'learning_curves.png', logs),
      'Training loss and error of the training draws over steps, a line for each fold.',
      "As the paper's Fig. 2: training of every fold, named by the subject it was without.",
    )
  ]
