"""Figures of a run and of all folds, as PNG files.

This module, `gait_figures` and `walk_figure` alone import matplotlib.

True forces are grey or black, estimates coloured (Okabe and Ito's colours); the near leg is a solid
line, the far leg a dashed one.
"""

from __future__ import annotations

import pathlib
import warnings
from typing import Any

import matplotlib
import numpy as np
from matplotlib import axes, cm, colors, figure

from grfjax import baselines, files, inference, metrics, voxels

LEGS = ('near leg', 'far leg')
COLOUR = ('#0072B2', '#D55E00')
LINE: tuple[Any, Any] = ('-', (0, (5, 1.5)))
STYLE: Any = {
  'font.size': 9, 'axes.titlesize': 9, 'axes.spines.top': False, 'axes.spines.right': False,
  'axes.grid': True, 'grid.color': '#dddddd', 'grid.linewidth': 0.6, 'axes.axisbelow': True,
  'legend.frameon': False, 'hatch.linewidth': 0.6,
}  # fmt: skip
# Light grey to black by way of blue: in order also without colour.
_DENSITY = colors.LinearSegmentedColormap.from_list('density', ['#c6d4e1', '#3f7fb5', '#08182b'])
_DPI = 120


def stance_curves(one: inference.Estimates, leg: int) -> tuple[np.ndarray, np.ndarray, bool]:
  """True and estimated curves of a leg's stances.

  Returns:
    (S, 101, axes) true and estimated, body weights at 0 to 100 % of stance; and whether the stances
    were seen whole. The paper's voxels hold stance frames alone, so that there no stance shows its
    ends: then all are taken that last as long as the usual one (80 % of the median).
  """
  found = baselines.stances(one.trial, one.frame, one.contact[:, leg])
  whole = [s for s in found if s.whole]
  seen = bool(whole)
  if not whole and found and bool(one.contact[:, leg].all()):
    usual = np.median([len(s.index) for s in found])
    whole = [s for s in found if len(s.index) >= 0.8 * usual]
  count = one.estimate.shape[-1]
  empty = np.empty((0, baselines.POINTS, count))
  pairs = [(one.force[s.index, leg, :count], one.estimate[s.index, leg]) for s in whole]
  truth = [baselines.resample(t) for t, _ in pairs]
  guess = [baselines.resample(e) for _, e in pairs]
  return np.array(truth) if truth else empty, np.array(guess) if guess else empty, seen


def true_against_estimated(
  path: pathlib.Path, every: list[inference.Estimates], title: str
) -> pathlib.Path:
  """As the paper's Fig. 1, for each leg: where vertical forces of stance frames lie.

  Args:
    path: of the PNG.
    every: held-out subjects.
    title: says whose.
  """
  legs = max((one.legs for one in every), default=1)
  pairs, sums = [], []
  for leg in range(legs):
    having = [(one, one.contact[:, leg]) for one in every if leg < one.legs]
    estimate = np.concatenate([np.zeros(0), *(o.estimate[at, leg, 0] for o, at in having)])
    truth = np.concatenate([np.zeros(0), *(o.force[at, leg, 0] for o, at in having)])
    pairs.append((estimate, truth))
    sums.append(metrics.sums(estimate, truth, np.ones(len(truth), bool)))
  together = metrics.Sums()
  for s in sums:
    together = together.merge(s)
  values = np.concatenate([v for pair in pairs for v in pair])
  low = min(0.0, float(values.min(initial=0)))
  high = max(1.3, float(values.max(initial=0))) + 0.05
  with matplotlib.rc_context(STYLE):
    fig = figure.Figure(figsize=(1 + 3.9 * legs, 4.4), layout='constrained')
    grid = fig.subplots(1, legs, squeeze=False, sharex=True, sharey=True)[0]
    maps = []
    for leg, ax in enumerate(grid):
      estimate, truth = pairs[leg]
      if len(estimate):
        maps.append(
          ax.hexbin(
            estimate, truth, gridsize=55, extent=(low, high, low, high), mincnt=1, linewidths=0.1,
            cmap=_DENSITY,
          )
        )  # fmt: skip
      ax.plot([low, high], [low, high], color='#D55E00', lw=1, ls='--', label='estimated = true')
      ax.set(xlim=(low, high), ylim=(low, high), aspect='equal')
      ax.set_xlabel('estimated vertical force (body weights)')
      ax.set_title(f'{LEGS[leg]}: {_numbers(sums[leg].result())}')
    grid[0].set_ylabel('true vertical force (body weights)')
    grid[0].legend(loc='upper left')
    if maps:
      most = max(float(m.get_array().max()) for m in maps)
      norm = colors.LogNorm(1, max(most, 2))
      for m in maps:
        m.set_norm(norm)
      fig.colorbar(
        cm.ScalarMappable(norm, _DENSITY), ax=list(grid), label='frames', shrink=0.8, format='%d'
      )
    fig.suptitle(f'{plain(title)}: {_numbers(together.result())}', fontsize=10)
    return save(fig, path)


def learning_curves(
  path: pathlib.Path, lines: list[dict[str, Any]], held_out_mae: float | None
) -> pathlib.Path:
  """In the spirit of the paper's Fig. 2: loss and error over steps.

  Args:
    path: of the PNG.
    lines: of metrics.jsonl.
    held_out_mae: % BW, at the end, which training never saw; drawn as a level.
  """
  with matplotlib.rc_context(STYLE):
    fig = figure.Figure(figsize=(8, 3.6), layout='constrained')
    loss, error = fig.subplots(1, 2)
    mark = {'marker': 'o', 'ms': 3} if len(lines) < 30 else {}
    _series(loss, lines, 'loss', color=COLOUR[0], lw=1.3, label='training', **mark)
    _series(error, lines, 'mae_pct_bw', color=COLOUR[0], lw=1.3, label='training draws', **mark)
    _series(
      error, lines, 'inner_mae_pct_bw', color=COLOUR[1], ls='--', marker='s', ms=4, lw=1.3,
      label='inner validation subject',
    )  # fmt: skip
    if held_out_mae is not None:
      error.axhline(
        held_out_mae,
        color='black',
        ls=':',
        label=f'held-out subject at the end: {held_out_mae:.1f}',
      )
    loss.set(xlabel='step', ylabel='training loss', title='Loss')
    error.set(
      xlabel='step', ylabel='mean absolute error (% BW)', title='Error of vertical force in stance'
    )
    error.set_ylim(bottom=0)
    if error.get_legend_handles_labels()[0]:
      error.legend()
    if not lines:
      loss.set_title('Loss: nothing was logged')
    return save(fig, path)


def learning_round(path: pathlib.Path, logs: dict[str, list[dict[str, Any]]]) -> pathlib.Path:
  """The paper's Fig. 2 of every fold: training loss and error over steps.

  Args:
    path: of the PNG.
    logs: held-out subject -> lines of its metrics.jsonl.
  """
  with matplotlib.rc_context(STYLE):
    fig = figure.Figure(figsize=(8, 3.2), layout='constrained')
    axes = fig.subplots(1, 2)
    for k, (subject, lines) in enumerate(logs.items()):
      look = {'color': matplotlib.colormaps['viridis'](k / max(len(logs) - 1, 1)), 'lw': 1.1}
      for ax, name in zip(axes, ('loss', 'mae_pct_bw'), strict=True):
        _series(ax, lines, name, label=plain(subject), **look)
    axes[0].set(xlabel='step', ylabel='training loss', title='Loss')
    axes[1].set(xlabel='step', ylabel='error of the training draws (% BW)', title='Error')
    axes[1].set_ylim(bottom=0)
    axes[0].legend(title='without', ncols=2)
    return save(fig, path)


def curves(
  path: pathlib.Path, one: inference.Estimates, title: str, count: int = 4
) -> pathlib.Path:
  """Vertical force over time for trials from the best estimated to the worst.

  Args:
    path: of the PNG.
    one: a held-out subject.
    title: says whose.
    count: trials at most.
  """
  errors = {}
  for trial in np.unique(one.trial):
    at = (one.trial == trial)[:, None] & one.contact
    if at.any():
      errors[str(trial)] = 100 * np.abs(one.estimate[..., 0] - one.force[..., 0])[at].mean()
  ranked = sorted(errors, key=lambda name: errors[name])
  places = np.unique(np.linspace(0, len(ranked) - 1, min(count, len(ranked))).round().astype(int))
  with matplotlib.rc_context(STYLE):
    rows = max(len(places), 1)
    fig = figure.Figure(figsize=(1 + 4.2 * one.legs, 0.8 + 1.7 * rows), layout='constrained')
    grid = fig.subplots(rows, one.legs, squeeze=False, sharey=True, sharex='row')
    for row, place in enumerate(places):
      name = ranked[place]
      at = np.flatnonzero(one.trial == name)
      time = one.time_s[at]
      for leg, ax in enumerate(grid[row]):
        known = one.known[at, leg]
        truth = np.where(known, one.force[at, leg, 0], np.nan)
        ax.plot(
          time, truth, color='#999999', lw=4, solid_capstyle='butt', label='true, where known'
        )
        estimate = _broken(one.estimate[at, leg, 0], one.frame[at])
        ax.plot(
          time, estimate, color=COLOUR[leg], lw=1.3, ls=LINE[leg], label=f'estimated, {LEGS[leg]}'
        )
        ax.set_title(f'{plain(name)}, {LEGS[leg]}: trial {place + 1} of {len(ranked)} by error'
                     f' ({errors[name]:.1f} % BW)', fontsize=8)  # fmt: skip
        ax.margins(x=0.01)
      grid[row][0].set_ylabel('vertical (BW)')
    for ax in grid[-1]:
      ax.set_xlabel("time on the video's clock (s)")
    if len(places):
      lines = [grid[0][0].lines[0], *(ax.lines[1] for ax in grid[0])]
      fig.legend(handles=lines, loc='outside lower center', ncols=3, fontsize=8)
    fig.suptitle(plain(title), fontsize=10)
    return save(fig, path)


def stance(path: pathlib.Path, one: inference.Estimates, title: str) -> pathlib.Path:
  """Mean and SD of true and estimated force over stance, every axis the network gives."""
  rows = one.estimate.shape[-1]
  with matplotlib.rc_context(STYLE):
    fig = figure.Figure(figsize=(1 + 3.6 * one.legs, 0.8 + 2.4 * rows), layout='constrained')
    grid = fig.subplots(rows, one.legs, squeeze=False, sharex=True, sharey='row')
    for leg in range(one.legs):
      truth, guess, whole = stance_curves(one, leg)
      for axis in range(rows):
        ax = grid[axis][leg]
        _stance(ax, truth[..., axis], guess[..., axis], leg)
        if leg == 0:
          ax.set_ylabel(f'{voxels.AXES[axis]} force (BW)')
      kind = 'whole stances' if whole or not len(truth) else 'stances, ends not seen'
      grid[0][leg].set_title(f'{LEGS[leg]}, {len(truth)} {kind}')
      grid[-1][leg].set_xlabel('stance (%)')
      if len(truth):
        grid[0][leg].legend(fontsize=7, loc='lower center')
    fig.suptitle(f'{plain(title)}: mean ± SD over stances', fontsize=10)
    return save(fig, path)


def stance_grid(path: pathlib.Path, every: dict[str, inference.Estimates]) -> pathlib.Path:
  """Mean vertical force over stance of every held-out subject, near and far leg side by side."""
  legs = max((one.legs for one in every.values()), default=1)
  across = min(max(len(every), 1), 4 if legs == 1 else 2)
  rows = max(-(-len(every) // across), 1)
  with matplotlib.rc_context(STYLE):
    fig = figure.Figure(figsize=(9.6, 0.6 + 2.1 * rows), layout='constrained')
    grid = fig.subplots(rows, across * legs, squeeze=False, sharex=True, sharey=True)
    for ax in grid.flat:
      ax.set_visible(False)
    for k, (subject, one) in enumerate(every.items()):
      for leg in range(one.legs):
        ax = grid[k // across][(k % across) * legs + leg]
        ax.set_visible(True)
        truth, guess, _ = stance_curves(one, leg)
        _stance(ax, truth[..., 0], guess[..., 0], leg)
        ax.set_title(f'{plain(subject)}, {LEGS[leg]} ({len(truth)})')
        ax.tick_params(labelbottom=True)
        if not (k % across or leg):
          ax.set_ylabel('vertical (BW)')
        if k == 0 and len(truth):
          ax.legend(fontsize=6, loc='lower center')
    fig.supxlabel('stance (%); in brackets: stances', fontsize=9)
    return save(fig, path)


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
  with matplotlib.rc_context(STYLE):
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
    ax.set_yticks(range(len(subjects)), [plain(s) for s in subjects])
    ax.invert_yaxis()
    ax.grid(visible=False, axis='y')
    ax.set_xlabel('mean absolute error of vertical force in stance (% BW)')
    fig.legend(loc='outside upper center', ncols=2, fontsize=8)
    return save(fig, path)


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
  with matplotlib.rc_context(STYLE):
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
    return save(fig, path)


def _stance(ax: axes.Axes, truth: np.ndarray, guess: np.ndarray, leg: int) -> None:
  """True (S, 101) as a grey band and black line, estimated as coloured lines."""
  if not len(truth):
    ax.text(0.5, 0.5, 'no whole stance', ha='center', va='center', transform=ax.transAxes)
    return
  x = np.linspace(0, 100, truth.shape[1])
  mean, sd = truth.mean(0), truth.std(0)
  ax.fill_between(x, mean - sd, mean + sd, color='#cccccc', lw=0)
  ax.plot(x, mean, color='black', lw=1, label='true')
  mean, sd = guess.mean(0), guess.std(0)
  ax.plot(x, mean, color=COLOUR[leg], ls=LINE[leg], lw=1.8, label='estimated')
  for edge in (mean - sd, mean + sd):
    ax.plot(x, edge, color=COLOUR[leg], ls=':', lw=1)


def _series(ax: axes.Axes, lines: list[dict[str, Any]], key: str, **look: Any) -> None:
  points = [(line['step'], line[key]) for line in lines if line.get(key) is not None]
  if points:
    ax.plot(*zip(*points, strict=True), **look)


def _broken(values: np.ndarray, frame: np.ndarray) -> np.ndarray:
  """Values (N,) with a nan where frames are missing before, so that no line bridges the gap."""
  gap = np.diff(frame, prepend=frame[:1])
  return np.where(gap > 4 * max(float(np.median(gap)), 1), np.nan, values)


def _numbers(result: dict[str, Any]) -> str:
  if not result['n']:
    return 'no stance frames'
  r = '–' if result['r'] is None else f'{result["r"]:.3f}'
  return f'r {r}, MAE {result["mae_pct_bw"]:.1f} % BW, {result["n"]} frames'


def plain(name: str) -> str:
  """A name as it is: a dollar sign would begin a formula."""
  return name.replace('$', r'\$')


def save(fig: figure.Figure, path: pathlib.Path) -> pathlib.Path:
  with files.whole(path) as temporary, warnings.catch_warnings():
    # A name in letters that the font lacks shows boxes in a figure; the tables have it right.
    warnings.filterwarnings('ignore', message='Glyph')
    fig.savefig(temporary, dpi=_DPI, format='png', backend='agg', facecolor='white')
  return path
