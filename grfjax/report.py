"""What a run and a leave-one-subject-out round come to: text, tables, figures and the HTML page.

Tables I, III and IV are those of Mochizuki and Shibata (2023), with baselines beside the network.
"""

from __future__ import annotations

import pathlib
from typing import Any

from grfjax import evaluation, figures, files, gait_report, inference, judged, metrics, page, tables

PREDICTIONS = 'predictions'  # of held-out trials, beside the folds' runs

# One subject.


def subject_text(value: dict[str, Any]) -> str:
  """Says what eval.json holds.

  Args:
    value: what `evaluate.evaluate` returns.
  """
  ((subject, result),) = value['subjects'].items()
  frames = value['frames']
  names = ', '.join(value['training_subjects'])
  found = value['baselines']
  rows = [('network', result)]
  rows += [(name, found[k]) for k, name in tables.BASELINES.items() if k in found]
  rows += [(f'network, {axis} force', r) for axis, r in value['other_axes'].items()]
  newton = tables.show(result['mae_newton'], '.1f')
  air = tables.show(value['air_mean_abs_pct_bw'], '.2f')
  table = tables.Table(
    'subject',
    f'{subject} held out',
    f'Vertical force over {frames["stance"]} stance frames of {tables.legs_text([value])}.',
    ('', 'MAE % BW', 'RMSE % BW', 'bias % BW', 'r', 'n'),
    ('', '.2f', '.2f', '+.2f', '.3f', 'd'),
    tuple((name, *(r[k] for k in tables.MEASURES), r['n']) for name, r in rows),
    (
      f'MAE of the network in newtons: {newton}',
      f'In the air the estimate is {air} % BW off zero on average ({frames["air"]} frames).',
      *_interval_notes(value),
      tables.BASELINES_NOTE,
    ),
  )
  about = (
    f'{tables.model_text(value)}, {value["parameters"]} parameters, after step {value["step"]}; '
    f'trained on {names}'
  )
  return '\n\n'.join([about, table.text(), tables.subject_intervals(subject, value).text()])


def _interval_notes(value: dict[str, Any]) -> list[str]:
  found = value.get('prediction_interval') or {}
  return [
    f'{found["share"]:.0%} intervals, {axis} force: {100 * r["covered"]:.1f} % of the frames '
    f'inside, {r["mean_width_pct_bw"]:.1f} % BW wide on average'
    for axis, r in found.items()
    if axis != 'share' and r['covered'] is not None
  ]


def run_figures(workdir: pathlib.Path) -> list[pathlib.Path]:
  """Draws a run's figures into workdir/figures/.

  Raises:
    OSError: the run is not evaluated (no estimates.npz or eval.json).
    ValueError: one of its files is broken.
  """
  value = evaluation.read(workdir / 'eval.json')
  ((subject, result),) = value['subjects'].items()
  one = inference.read_estimates(workdir / 'estimates.npz')
  folder, who = workdir / 'figures', f'{subject}, held out'
  return [
    figures.true_against_estimated(folder / 'true_against_estimated.png', [one], who),
    figures.learning_curves(
      folder / 'learning_curves.png',
      files.read_log(workdir / 'metrics.jsonl'),
      result['mae_pct_bw'],
    ),
    figures.curves(folder / 'curves.png', one, who),
    figures.stance(folder / 'stance.png', one, who),
  ]


def write_run(workdir: pathlib.Path) -> list[pathlib.Path]:
  """Writes a run's figures and its page, workdir/report.html; errors as in `run_figures`.

  Returns:
    The page, then the figures.
  """
  value = evaluation.read(workdir / 'eval.json')
  (subject,) = value['subjects']
  scatter, learning, curves, stance = run_figures(workdir)
  pictures = [
    page.Picture(scatter, *_SCATTER),
    page.Picture(
      learning,
      'Training loss and error over steps, and the held-out error as a level.',
      "As the paper's Fig. 2: the loss and the error of the training draws over steps.",
    ),
    page.Picture(
      curves,
      'True and estimated vertical force of both legs over time in trials from best to worst.',
      'Trials from the best estimated to the worst: true in black, estimated in colour.',
    ),
    page.Picture(
      stance,
      'True and estimated force of each axis and leg from 0 to 100 % of stance, mean and spread.',
      'Force over stance: true in black with a grey band of one SD; estimated in colour.',
    ),
  ]
  folds = {subject: value}
  every = tables.of_round(folds, _minutes(workdir.parent, {workdir.name: value}))
  written = workdir / 'report.html'
  files.write_text(written, page.of_round(folds, every, pictures, []))
  return [written, scatter, learning, curves, stance]


_SCATTER = (
  'Density of true vertical force against estimated vertical force for each leg, with the line on '
  'which both are equal.',
  "True against estimated vertical force of every held-out stance frame. As in the paper's Fig. 1, "
  'the estimate is on the horizontal axis.',
)

# All folds.


def loso_text(folds: tables.Folds, found: judged.Round | None = None) -> str:
  """The tables for a terminal.

  Args:
    folds: held-out subject -> its eval.json.
    found: the trials' predictions beside the plates' truth, where they were made.
  """
  parts = [table.text() for table in tables.of_round(folds) + _gait_tables(folds, found)]
  if found:
    parts += [text for text in (gait_report.nothing(found, folds),) if text]
    parts += gait_report.left_out(found)
  return '\n\n'.join(parts)


def _gait_tables(folds: tables.Folds, found: judged.Round | None) -> list[tables.Table]:
  of = gait_report.compared(found, folds) if found else {}
  return [gait_report.table(of)] if of else []


def write_loso(
  runs: pathlib.Path, folds: tables.Folds, found: judged.Round | None = None
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
  every = tables.of_round(folds, _minutes(runs, folds)) + _gait_tables(folds, found)
  estimates = {
    s: inference.read_estimates(runs / s / 'estimates.npz')
    for s in folds
    if (runs / s / 'estimates.npz').exists()
  }
  written = [folder / 'index.html']
  for table in every:
    for ending, text in (
      ('txt', table.text() + '\n'), ('csv', table.csv()), ('md', table.markdown() + '\n')
    ):  # fmt: skip
      written.append(folder / f'{table.name}.{ending}')
      files.write_text(written[-1], text)
  pictures = _pictures(folder, folds, estimates)
  logs = {s: files.read_log(runs / s / 'metrics.jsonl') for s in folds}
  if logs := {s: lines for s, lines in logs.items() if lines}:
    pictures.append(
      page.Picture(
        figures.learning_round(folder / 'learning_curves.png', logs),
        'Training loss and error of the training draws over steps, a line for each fold.',
        "As the paper's Fig. 2: training of every fold, named by the subject it was without.",
      )
    )
  more = gait_report.sections(folder, runs / PREDICTIONS, found, folds) if found else []
  files.write_text(folder / 'index.html', page.of_round(folds, every, pictures, more))
  return written


def _minutes(runs: pathlib.Path, folds: tables.Folds) -> dict[str, float]:
  """Of training, summed over its steps, so that a fold that was cut short and went on is right."""
  found = {}
  for subject in folds:
    done, milliseconds = 0, 0.0
    for line in files.read_log(runs / subject / 'metrics.jsonl'):
      milliseconds += (line['step'] - done) * line['step_ms']
      done = line['step']
    if done:
      found[subject] = milliseconds / 60_000
  return found


# The page.


def _pictures(
  folder: pathlib.Path, folds: tables.Folds, estimates: dict[str, inference.Estimates]
) -> list[page.Picture]:
  results = {s: tables.fold_result(folds, s) for s in folds}
  error = tables.show(tables.mean([r['mae_pct_bw'] for r in results.values()]), '.1f')
  series = {
    'network': [r['mae_pct_bw'] for r in results.values()],
    'mean curve of the others, true timing': [
      tables.baseline_mae(v, 'mean_curve') for v in folds.values()
    ],
    'constant': [tables.baseline_mae(v, 'constant') for v in folds.values()],
  }
  found = [
    page.Picture(
      figures.subject_bars(folder / 'mae_by_subject.png', list(folds), series),
      f'Bars: mean absolute error of {len(folds)} held-out subjects, {error} % of body weight on '
      'average, beside two baselines. The numbers are in Table III.',
      'Held-out error of each subject: the network against two baselines.',
    )
  ]
  if estimates:
    whose = f'{len(estimates)} subjects' if len(estimates) > 1 else next(iter(estimates))
    found += [
      page.Picture(
        figures.true_against_estimated(
          folder / 'true_against_estimated.png', list(estimates.values()), f'{whose}, held out'
        ),
        *_SCATTER,
      ),
      page.Picture(
        figures.stance_grid(folder / 'stance_by_subject.png', estimates),
        'For each held-out subject and leg, the mean true and estimated vertical force from 0 to '
        '100 % of stance.',
        'Mean vertical force over stance: true in black with a grey band of one SD; estimated in '
        'colour, solid for the near leg and dashed for the far leg, dotted lines one SD away.',
      ),
    ]
  shares = [tables.interval_shares(v) for v in folds.values()]
  labels, drawn = (
    [tables.mean(s[n][k] for s in shares if n in s) for n in metrics.INTERVALS] for k in (0, 1)
  )
  found.append(
    page.Picture(
      figures.interval_bars(
        folder / 'mae_by_interval.png',
        tables.pooled_intervals(folds),
        {n: [v['intervals'][n]['mae_pct_bw'] for v in folds.values()] for n in metrics.INTERVALS},
        labels,
        drawn,
      ),
      'Bars: held-out error in each tenth of a body weight of true force, above the share of '
      'training labels in it. The numbers are in Table IV.',
      'Where the error lies, and how much of the training data lies there (mean over folds).',
    )
  )
  return found
