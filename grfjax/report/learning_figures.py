"""Figures: loss and error over the steps of training, of one run and of several."""

from __future__ import annotations

import pathlib
from typing import Any

import matplotlib
from matplotlib import axes

from grfjax.report import colours, style

Log = list[dict[str, Any]]  # lines of a run's metrics.jsonl


def draw_run_learning(path: pathlib.Path, log: Log, held_out_mae: float | None) -> pathlib.Path:
  """Draws a run's loss and error over steps, in the spirit of the paper's Fig. 2.

  Args:
    path: of the PNG.
    log: of the run.
    held_out_mae: % BW, after training, which never used that subject; drawn as a level.
  """
  with style.figure_defaults():
    fig = style.new_figure(8, 3.6)
    loss, error = fig.subplots(1, 2)
    marks = {'marker': 'o', 'ms': 3} if len(log) < 30 else {}
    _plot_metric(loss, log, 'loss', color=colours.BLUE, lw=1.3, label='training', **marks)
    _plot_metric(
      error, log, 'mae_pct_bw', color=colours.BLUE, lw=1.3, label='training draws', **marks
    )
    _plot_metric(
      error, log, 'inner_mae_pct_bw', color=colours.VERMILION, ls='--', marker='s', ms=4, lw=1.3,
      label='inner validation subject',
    )  # fmt: skip
    if held_out_mae is not None:
      label = f'held-out subject at the end: {held_out_mae:.1f}'
      error.axhline(held_out_mae, color='black', ls=':', label=label)
    loss.set(xlabel='step', ylabel='training loss', title='Loss')
    error.set(
      xlabel='step', ylabel='mean absolute error (% BW)', title='Error of vertical force in stance'
    )
    error.set_ylim(bottom=0)
    if error.get_legend_handles_labels()[0]:
      error.legend()
    if not log:
      loss.set_title('Loss: nothing was logged')
    return style.save_figure(fig, path)


def draw_fold_learning(path: pathlib.Path, logs: dict[str, Log]) -> pathlib.Path:
  """Draws training loss and error over steps of every fold, as the paper's Fig. 2.

  Args:
    path: of the PNG.
    logs: held-out subject -> its run's log.
  """
  with style.figure_defaults():
    fig = style.new_figure(8, 3.2)
    loss, error = fig.subplots(1, 2)
    for k, (subject, log) in enumerate(logs.items()):
      line = {'color': matplotlib.colormaps['viridis'](k / max(len(logs) - 1, 1)), 'lw': 1.1}
      for ax, name in ((loss, 'loss'), (error, 'mae_pct_bw')):
        _plot_metric(ax, log, name, label=style.escape_formula(subject), **line)
    loss.set(xlabel='step', ylabel='training loss', title='Loss')
    error.set(xlabel='step', ylabel='error of the training draws (% BW)', title='Error')
    error.set_ylim(bottom=0)
    loss.legend(title='without', ncols=2)
    return style.save_figure(fig, path)


def draw_watched_learning(path: pathlib.Path, logs: dict[str, Log]) -> pathlib.Path:
  """Draws the error on training and on validation data over steps, as the paper's Fig. 2.

  Args:
    path: of the PNG.
    logs: title of a panel -> log of a run that watched inner validation subjects.
  """
  with style.figure_defaults():
    fig = style.new_figure(1 + 2.6 * len(logs), 3.4)
    panels = fig.subplots(1, len(logs), squeeze=False, sharex=True, sharey=True)[0]
    for panel, (title, log) in zip(panels, logs.items(), strict=True):
      _plot_metric(panel, log, 'mae_pct_bw', color=colours.BLUE, lw=1.3, label='training draws')
      _plot_metric(
        panel, log, 'inner_mae_pct_bw', color=colours.VERMILION, ls='--', marker='s', ms=3, lw=1.3,
        label='validation subjects',
      )  # fmt: skip
      panel.set(xlabel='step', title=title)
    panels[0].set_ylabel('mean absolute error (% BW)')
    panels[0].set_ylim(bottom=0)
    panels[0].legend()
    return style.save_figure(fig, path)


def _plot_metric(ax: axes.Axes, log: Log, key: str, **line: Any) -> None:
  points = [(entry['step'], entry[key]) for entry in log if entry.get(key) is not None]
  if points:
    ax.plot(*zip(*points, strict=True), **line)
