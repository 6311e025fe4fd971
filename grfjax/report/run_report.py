"""The report of one run: text, figures and page."""

from __future__ import annotations

import pathlib
from typing import Any

from grfjax.evaluation import evaluation_result, held_out_estimates
from grfjax.io import atomic
from grfjax.report import fold_page, fold_tables, html_page, run_figures, text_table
from grfjax.training import metrics_log

# One subject.


def run_text(value: dict[str, Any]) -> str:
  """Says what eval.json holds.

  Args:
    value: what `held_out.evaluate_run` returns.
  """
  ((subject, result),) = value['subjects'].items()
  frames = value['frames']
  names = ', '.join(value['training_subjects'])
  found = value['baselines']
  rows = [('network', result)]
  rows += [(name, found[k]) for k, name in fold_tables.BASELINES.items() if k in found]
  rows += [(f'network, {axis} force', r) for axis, r in value['other_axes'].items()]
  newton = text_table.format_value(result['mae_newton'], '.1f')
  air = text_table.format_value(value['air_mean_abs_pct_bw'], '.2f')
  table = text_table.Table(
    'subject',
    f'{subject} held out',
    f'Vertical force over {frames["stance"]} stance frames of {fold_tables.legs_text([value])}.',
    ('', 'MAE % BW', 'RMSE % BW', 'bias % BW', 'r', 'n'),
    ('', '.2f', '.2f', '+.2f', '.3f', 'd'),
    tuple((name, *(r[k] for k in fold_tables.MEASURES), r['n']) for name, r in rows),
    (
      f'MAE of the network in newtons: {newton}',
      f'In the air the estimate is {air} % BW off zero on average ({frames["air"]} frames).',
      *_interval_notes(value),
      fold_tables.BASELINES_NOTE,
    ),
  )
  about = (
    f'{fold_tables.model_text(value)}, {value["parameters"]} parameters, '
    f'after step {value["step"]}; '
    f'trained on {names}'
  )
  return '\n\n'.join([about, table.text(), fold_tables.subject_intervals(subject, value).text()])


def _interval_notes(value: dict[str, Any]) -> list[str]:
  found = value.get('prediction_interval') or {}
  return [
    f'{found["share"]:.0%} intervals, {axis} force: {100 * r["covered"]:.1f} % of the frames '
    f'inside, {r["mean_width_pct_bw"]:.1f} % BW wide on average'
    for axis, r in found.items()
    if axis != 'share' and r['covered'] is not None
  ]


def draw_run_figures(workdir: pathlib.Path) -> list[pathlib.Path]:
  """Draws a run's figures into workdir/figures/.

  Raises:
    OSError: the run is not evaluated (no estimates.npz or eval.json).
    ValueError: one of its files is broken.
  """
  value = evaluation_result.read(workdir / 'eval.json')
  ((subject, result),) = value['subjects'].items()
  one = held_out_estimates.read_estimates(workdir / 'estimates.npz')
  folder, who = workdir / 'figures', f'{subject}, held out'
  return [
    run_figures.true_against_estimated(folder / 'true_against_estimated.png', [one], who),
    run_figures.learning_curves(
      folder / 'learning_curves.png',
      metrics_log.read_log(workdir / 'metrics.jsonl'),
      result['mae_pct_bw'],
    ),
    run_figures.trial_curves(folder / 'curves.png', one, who),
    run_figures.stance_means(folder / 'stance.png', one, who),
  ]


def write_run(workdir: pathlib.Path) -> list[pathlib.Path]:
  """Writes a run's figures and its page, workdir/report.html; errors as in `run_figures`.

  Returns:
    The page, then the figures.
  """
  value = evaluation_result.read(workdir / 'eval.json')
  (subject,) = value['subjects']
  scatter, learning, curves, stance = draw_run_figures(workdir)
  pictures = [
    html_page.Picture(scatter, *SCATTER),
    html_page.Picture(
      learning,
      'Training loss and error over steps, and the held-out error as a level.',
      "As the paper's Fig. 2: the loss and the error of the training draws over steps.",
    ),
    html_page.Picture(
      curves,
      'True and estimated vertical force of both legs over time in trials from best to worst.',
      'Trials from the best estimated to the worst: true in black, estimated in colour.',
    ),
    html_page.Picture(
      stance,
      'True and estimated force of each axis and leg from 0 to 100 % of stance, mean and spread.',
      'Force over stance: true in black with a grey band of one SD; estimated in colour.',
    ),
  ]
  folds = {subject: value}
  every = fold_tables.fold_tables(folds, minutes(workdir.parent, {workdir.name: value}))
  written = workdir / 'report.html'
  atomic.write_text(written, fold_page.fold_page(folds, every, pictures, []))
  return [written, scatter, learning, curves, stance]


SCATTER = (
  'Density of true vertical force against estimated vertical force for each leg, with the line on '
  'which both are equal.',
  "True against estimated vertical force of every held-out stance frame. As in the paper's Fig. 1, "
  'the estimate is on the horizontal axis.',
)


def minutes(runs: pathlib.Path, folds: fold_tables.Folds) -> dict[str, float]:
  """Of training, summed over its steps, so that a fold that was cut short and went on is right."""
  found = {}
  for subject in folds:
    done, milliseconds = 0, 0.0
    for line in metrics_log.read_log(runs / subject / 'metrics.jsonl'):
      milliseconds += (line['step'] - done) * line['step_ms']
      done = line['step']
    if done:
      found[subject] = milliseconds / 60_000
  return found
