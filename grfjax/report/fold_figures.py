"""Figures of all folds of a leave-one-subject-out round."""

from __future__ import annotations

import pathlib
from typing import Any

import matplotlib
import numpy as np
from matplotlib import figure

from grfjax.evaluation import held_out_estimates
from grfjax.report import run_figures, style


def learning_round(path: pathlib.Path, logs: dict[str, list[dict[str, Any]]]) -> pathlib.Path:
  """The paper's Fig. 2 of every fold: training loss and error over steps.

  Args:
    path: of the PNG.
    logs: held-out subject -> lines of its metrics.jsonl.
  """
  with matplotlib.rc_context(style.STYLE):
    fig = figure.Figure(figsize=(8, 3.2), layout='constrained')
    axes = fig.subplots(1, 2)
    for k, (subject, lines) in enumerate(logs.items()):
      look = {'color': matplotlib.colormaps['viridis'](k / max(len(logs) - 1, 1)), 'lw': 1.1}
      for ax, name in zip(axes, ('loss', 'mae_pct_bw'), strict=True):
        run_figures.series(ax, lines, name, label=style.plain(subject), **look)
    axes[0].set(xlabel='step', ylabel='training loss', title='Loss')
    axes[1].set(xlabel='step', ylabel='error of the training draws (% BW)', title='Error')
    axes[1].set_ylim(bottom=0)
    axes[0].legend(title='without', ncols=2)
    return style.save(fig, path)


def stance_grid(
  path: pathlib.Path, every: dict[str, held_out_estimates.HeldOutEstimates]
) -> pathlib.Path:
  """Mean vertical force over stance of every held-out subject, near and far leg side by side."""
  legs = max((one.legs for one in every.values()), default=1)
  across = min(max(len(every), 1), 4 if legs == 1 else 2)
  rows = max(-(-len(every) // across), 1)
  with matplotlib.rc_context(style.STYLE):
    fig = figure.Figure(figsize=(9.6, 0.6 + 2.1 * rows), layout='constrained')
    grid = fig.subplots(rows, across * legs, squeeze=False, sharex=True, sharey=True)
    for ax in grid.flat:
      ax.set_visible(False)
    for k, (subject, one) in enumerate(every.items()):
      for leg in range(one.legs):
        ax = grid[k // across][(k % across) * legs + leg]
        ax.set_visible(True)
        truth, guess, _ = run_figures.stance_curves(one, leg)
        run_figures.stance(ax, truth[..., 0], guess[..., 0], leg)
        ax.set_title(f'{style.plain(subject)}, {style.LEGS[leg]} ({len(truth)})')
        ax.tick_params(labelbottom=True)
        if not (k % across or leg):
          ax.set_ylabel('vertical (BW)')
        if k == 0 and len(truth):
          ax.legend(fontsize=6, loc='lower center')
    fig.supxlabel('stance (%); in brackets: stances', fontsize=9)
    return style.save(fig, path)


def subject_bars(
  path: pathlib.Path, subjects: list[str], series: dict[str, list[float | None]]
) -> pathlib.Path:
  """Held-out error of every subject, network and baselines.

  Args:
    path: of the PNG.
    subjects: rows.
    series: name -> % BW for each subject; the network first. None: no bar.
  """
  looks = (('#0072B2', ''), ('#E69F00', '///'), ('#bbbbbb', '...'))
  with matplotlib.rc_context(style.STYLE):
    height = 1.3 + 0.24 * len(series) * len(subjects)
    fig = figure.Figure(figsize=(7.5, height), layout='constrained')
    ax = fig.subplots()
    thick = 0.8 / len(series)
    for k, (name, values) in enumerate(series.items()):
      y = np.arange(len(subjects)) - 0.4 + (k + 0.5) * thick
      colour, hatch = looks[k % len(looks)]
      width = [0 if v is None else v for v in values]
      ax.barh(y, width, thick, color=colour, hatch=hatch, edgecolor='#333333', lw=0.5, label=name)
      for at, v in zip(y, values, strict=True):
        ax.text(v or 0, at, ' –' if v is None else f' {v:.1f}', va='center', fontsize=7)
    ax.axvline(5, color='black', ls=':', lw=1, label="the paper's goal, 5 % BW")
    ax.set_yticks(range(len(subjects)), [style.plain(s) for s in subjects])
    ax.invert_yaxis()
    ax.grid(visible=False, axis='y')
    ax.set_xlabel('mean absolute error of vertical force in stance (% BW)')
    fig.legend(loc='outside upper center', ncols=2, fontsize=8)
    return style.save(fig, path)


def interval_bars(
  path: pathlib.Path,
  pooled: dict[str, dict[str, Any]],
  folds: dict[str, list[float | None]],
  labels: list[float | None],
  drawn: list[float | None],
) -> pathlib.Path:
  """Held-out error by interval of the true force, above how often training saw the interval.

  Args:
    path: of the PNG.
    pooled: interval -> its result (metrics) over all folds.
    folds: interval -> % BW of each fold, drawn as dots.
    labels: share of the training labels for each interval, %, mean over folds.
    drawn: share of the draws after rebalancing, %.
  """
  names = list(pooled)
  x = np.arange(len(names))
  with matplotlib.rc_context(style.STYLE):
    fig = figure.Figure(figsize=(9, 5.6), layout='constrained')
    top, bottom = fig.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    mae = [pooled[n]['mae_pct_bw'] for n in names]
    top.bar(x, [m or 0 for m in mae], 0.75, color='#56B4E9', edgecolor='#333333', lw=0.5,
            label='all held-out frames')  # fmt: skip
    for k, name in enumerate(names):
      dots = [v for v in folds[name] if v is not None]
      top.plot([k] * len(dots), dots, 'o', color='black', ms=2.5, alpha=0.6,
               label='one held-out subject' if k == 0 else '_')  # fmt: skip
    top.set_ylabel('mean absolute error (% BW)')
    top.legend()
    top.set_title('Held-out error of vertical force in stance, by interval of the true force')
    for values, shift, hatch, colour, label in (
      (labels, -0.2, '', '#999999', 'training labels'),
      (drawn, 0.2, '///', '#E69F00', 'drawn after rebalancing'),
    ):
      bottom.bar(x + shift, [v or 0 for v in values], 0.38, color=colour, hatch=hatch, lw=0.5,
                 edgecolor='#333333', label=label)  # fmt: skip
    bottom.set_ylabel('share (%)')
    bottom.set_xlabel('true vertical force (body weights)')
    bottom.set_xticks(x, names, rotation=60, ha='right', rotation_mode='anchor', fontsize=8)
    bottom.legend()
    for ax in (top, bottom):
      ax.grid(visible=False, axis='x')
    return style.save(fig, path)
