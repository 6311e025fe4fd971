"""The report of one run: text, figures and page."""

from __future__ import annotations

import pathlib

from grfjax.evaluation import evaluation_result, held_out_estimates
from grfjax.io import atomic, run_folder
from grfjax.report import (
  degraded_table,
  fold_page,
  fold_results,
  fold_tables,
  interval_tables,
  learning_figures,
  page_parts,
  scatter_figure,
  stance_figures,
  text_table,
  training_time,
  trial_curves_figure,
)
from grfjax.training import metrics_log


def run_summary(evaluation: fold_results.Evaluation) -> str:
  """Returns a run's evaluation as text for the terminal.

  Args:
    evaluation: of the run.
  """
  about = (
    f'{fold_results.describe_network(evaluation, "after step")}; '
    f'trained on {", ".join(evaluation.training_subjects)}'
  )
  degraded = degraded_table.degraded_table({evaluation.subject: evaluation})
  return '\n\n'.join([
    about,
    _subject_table(evaluation).text(),
    interval_tables.subject_intervals_table(evaluation).text(),
    *([degraded.text()] if degraded is not None else []),
  ])  # fmt: skip


def _subject_table(evaluation: fold_results.Evaluation) -> text_table.Table:
  """Returns the errors of network, baselines and other axes on the held-out subject."""
  result, frames, baselines = evaluation.errors, evaluation.frames, evaluation.baselines
  rows: list[tuple[str, evaluation_result.Errors]] = [('network', result)]
  rows += [(name, baselines[k]) for k, name in fold_results.BASELINES.items() if k in baselines]
  rows += [(f'network, {axis} force', r) for axis, r in evaluation.other_axes.items()]
  newton = text_table.format_value(result.mae_newton, '.1f')
  air = text_table.format_value(evaluation.air_mean_abs_pct_bw, '.2f')
  legs = fold_results.describe_legs([evaluation])
  keys = ('mae_pct_bw', 'rmse_pct_bw', 'bias_pct_bw', 'r', 'n')
  return text_table.Table(
    'subject',
    f'{evaluation.subject} held out',
    f'Vertical force over {frames.stance} stance frames of {legs}.',
    ('', 'MAE % BW', 'RMSE % BW', 'bias % BW', 'r', 'n'),
    ('', '.2f', '.2f', '+.2f', '.3f', 'd'),
    tuple((name, *(getattr(r, key) for key in keys)) for name, r in rows),
    (
      f'MAE of the network in newtons: {newton}',
      f'In the air the estimate is {air} % BW off zero on average ({frames.air} frames).',
      *_interval_notes(evaluation),
      fold_results.BASELINES_NOTE,
    ),
  )


def _interval_notes(evaluation: fold_results.Evaluation) -> list[str]:
  """Returns a sentence about the prediction intervals of each axis that has them."""
  intervals = evaluation.prediction_interval
  return [
    f'{intervals.share:.0%} intervals, {axis} force: {100 * r.covered:.1f} % of the frames '
    f'inside, {r.mean_width_pct_bw:.1f} % BW wide on average'
    for axis, r in intervals.axes().items()
    if r.covered is not None
  ]


def draw_run_figures(workdir: pathlib.Path) -> list[page_parts.Picture]:
  """Draws a run's figures into workdir/figures/.

  Returns:
    The figures as pictures for a page.

  Raises:
    OSError: the run is not evaluated (no estimates.npz or eval.json).
    ValueError: one of its files is damaged.
  """
  run = run_folder.RunFolder(workdir)
  evaluation = evaluation_result.read(run.evaluation)
  estimates = held_out_estimates.read_estimates(run.estimates)
  log, error = metrics_log.read_log(run.metrics), evaluation.errors.mae_pct_bw
  folder, title = run.figures, f'{evaluation.subject}, held out'
  return [
    draw_scatter_picture(folder, [estimates], title),
    page_parts.Picture(
      learning_figures.draw_run_learning(folder / 'learning_curves.png', log, error),
      'Training loss and error over steps, and the held-out error as a level.',
      "As the paper's Fig. 2: the loss and the error of the training draws over steps.",
    ),
    page_parts.Picture(
      trial_curves_figure.draw_trial_curves(folder / 'curves.png', estimates, title),
      'True and estimated vertical force of both legs over time in trials from best to worst.',
      'Trials from the best estimated to the worst: true thick and grey, estimated in colour.',
    ),
    page_parts.Picture(
      stance_figures.draw_subject_stances(folder / 'stance.png', estimates, title),
      'True and estimated force of each axis and leg from 0 to 100 % of stance, mean and spread.',
      'Force over stance: true in black with a grey band of one SD; estimated in colour.',
    ),
  ]


def draw_scatter_picture(
  folder: pathlib.Path, subjects: list[held_out_estimates.HeldOutEstimates], title: str
) -> page_parts.Picture:
  """Draws true against estimated force of held-out subjects, as a picture for a page."""
  return page_parts.Picture(
    scatter_figure.draw_true_against_estimated(
      folder / 'true_against_estimated.png', subjects, title
    ),
    'Density of true vertical force against estimated vertical force for each leg, with the line '
    'on which both are equal.',
    "True against estimated vertical force of every held-out stance frame. As in the paper's Fig. "
    '1, the estimate is on the horizontal axis.',
  )


def write_run_report(workdir: pathlib.Path) -> list[pathlib.Path]:
  """Writes a run's figures and its page, workdir/report.html.

  Returns:
    The page, then the figures.

  Raises:
    OSError: the run is not evaluated, or a file cannot be written.
    ValueError: one of the run's files is damaged.
  """
  run = run_folder.RunFolder(workdir)
  evaluation = evaluation_result.read(run.evaluation)
  folds = {evaluation.subject: evaluation}
  pictures = draw_run_figures(workdir)
  minutes = training_time.training_minutes(workdir.parent, [workdir.name])
  atomic.write_text(
    run.page, fold_page.fold_page(folds, fold_tables.fold_tables(folds, minutes), pictures, [])
  )
  return [run.page, *(picture.path for picture in pictures)]
