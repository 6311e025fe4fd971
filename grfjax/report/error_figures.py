"""Figures: held-out errors by subject and by interval of the true force."""

from __future__ import annotations

import pathlib

import numpy as np
from matplotlib import axes

from grfjax.report import colours, style


def draw_subject_errors(
  path: pathlib.Path, subjects: list[str], errors: dict[str, list[float | None]]
) -> pathlib.Path:
  """Draws the held-out error of every subject, of the network and of baselines.

  Args:
    path: of the PNG.
    subjects: one group of bars each.
    errors: method -> % BW of each subject, the network first; None: no bar.
  """
  bars = ((colours.BLUE, ''), (colours.ORANGE, '///'), (colours.LIGHT_GREY, '...'))
  with style.figure_defaults():
    fig = style.new_figure(7.5, 1.3 + 0.24 * len(errors) * len(subjects))
    ax = fig.subplots()
    thickness = 0.8 / len(errors)
    for k, (method, values) in enumerate(errors.items()):
      y = np.arange(len(subjects)) - 0.4 + (k + 0.5) * thickness
      colour, hatch = bars[k % len(bars)]
      widths = [0 if value is None else value for value in values]
      ax.barh(y, widths, thickness, color=colour, hatch=hatch, label=method, **style.BAR_EDGE)
      for row, value in zip(y, values, strict=True):
        text = ' –' if value is None else f' {value:.1f}'
        ax.text(value or 0, row, text, va='center', fontsize=7)
    ax.axvline(5, color='black', ls=':', lw=1, label="the paper's goal, 5 % BW")
    ax.set_yticks(range(len(subjects)), [style.escape_formula(name) for name in subjects])
    ax.invert_yaxis()
    ax.grid(visible=False, axis='y')
    ax.set_xlabel('mean absolute error of vertical force in stance (% BW)')
    fig.legend(loc='outside upper center', ncols=2, fontsize=style.SMALL_SIZE)
    return style.save_figure(fig, path)


def draw_interval_errors(
  path: pathlib.Path,
  pooled: dict[str, float | None],
  folds: dict[str, list[float | None]],
  labels: list[float | None],
  drawn: list[float | None],
) -> pathlib.Path:
  """Draws the held-out error by interval of the true force above the intervals' training data.

  Args:
    path: of the PNG.
    pooled: interval -> error over all folds, % BW.
    folds: interval -> error of each fold, % BW, drawn as dots.
    labels: share of the training labels in each interval, %, mean over folds.
    drawn: share of the labels as drawn after rebalancing, %.
  """
  with style.figure_defaults():
    fig = style.new_figure(9, 5.6)
    top, bottom = fig.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    _draw_errors(top, pooled, folds)
    x = np.arange(len(pooled))
    for shares, shift, hatch, colour, label in (
      (labels, -0.2, '', colours.GREY, 'training labels'),
      (drawn, 0.2, '///', colours.ORANGE, 'drawn after rebalancing'),
    ):
      bottom.bar(
        x + shift, [share or 0 for share in shares], 0.38, color=colour, hatch=hatch, label=label,
        **style.BAR_EDGE,
      )  # fmt: skip
    bottom.set_ylabel('share (%)')
    bottom.set_xlabel('true vertical force (body weights)')
    bottom.set_xticks(
      x, list(pooled), rotation=60, ha='right', rotation_mode='anchor', fontsize=style.SMALL_SIZE
    )
    bottom.legend()
    for ax in (top, bottom):
      ax.grid(visible=False, axis='x')
    return style.save_figure(fig, path)


def _draw_errors(
  ax: axes.Axes, pooled: dict[str, float | None], folds: dict[str, list[float | None]]
) -> None:
  heights = [mae or 0 for mae in pooled.values()]
  ax.bar(
    np.arange(len(pooled)), heights, 0.75, color=colours.SKY_BLUE, label='all held-out frames',
    **style.BAR_EDGE,
  )  # fmt: skip
  for k, interval in enumerate(pooled):
    dots = [mae for mae in folds[interval] if mae is not None]
    label = 'one held-out subject' if k == 0 else '_'
    ax.plot([k] * len(dots), dots, 'o', color='black', ms=2.5, alpha=0.6, label=label)
  ax.set_ylabel('mean absolute error (% BW)')
  ax.legend()
  ax.set_title('Held-out error of vertical force in stance, by interval of the true force')
