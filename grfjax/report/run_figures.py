"""Figures of a run and of all folds, as PNG files.

This module, `gait_figures` and `walk_figure` alone import matplotlib.

True forces are grey or black, estimates coloured (Okabe and Ito's colours); the near leg is a solid
line, the far leg a dashed one.
"""

from __future__ import annotations

import pathlib
from typing import Any

import matplotlib
import numpy as np
from matplotlib import axes, cm, colors, figure

from grfjax import conventions
from grfjax.evaluation import error_sums, held_out_estimates
from grfjax.gait import stances
from grfjax.report import style

# Light grey to black by way of blue: in order also without colour.
_DENSITY = colors.LinearSegmentedColormap.from_list('density', ['#c6d4e1', '#3f7fb5', '#08182b'])


def stance_curves(
  one: held_out_estimates.HeldOutEstimates, leg: int
) -> tuple[np.ndarray, np.ndarray, bool]:
  """True and estimated curves of a leg's stances.

  Returns:
    (S, 101, axes) true and estimated, body weights at 0 to 100 % of stance; and whether the stances
    were seen whole. The paper's voxels hold stance frames alone, so that there no stance shows its
    ends: then all are taken that last as long as the usual one (80 % of the median).
  """
  found = stances.find_stances(one.trial, one.frame, one.contact[:, leg])
  whole = [s for s in found if s.whole]
  seen = bool(whole)
  if not whole and found and bool(one.contact[:, leg].all()):
    usual = np.median([len(s.index) for s in found])
    whole = [s for s in found if len(s.index) >= 0.8 * usual]
  count = one.estimate.shape[-1]
  empty = np.empty((0, stances.POINTS, count))
  pairs = [(one.force[s.index, leg, :count], one.estimate[s.index, leg]) for s in whole]
  truth = [stances.resample(t) for t, _ in pairs]
  guess = [stances.resample(e) for _, e in pairs]
  return np.array(truth) if truth else empty, np.array(guess) if guess else empty, seen


def true_against_estimated(
  path: pathlib.Path, every: list[held_out_estimates.HeldOutEstimates], title: str
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
    sums.append(error_sums.sums(estimate, truth, np.ones(len(truth), bool)))
  together = error_sums.Sums()
  for s in sums:
    together = together.merge(s)
  values = np.concatenate([v for pair in pairs for v in pair])
  low = min(0.0, float(values.min(initial=0)))
  high = max(1.3, float(values.max(initial=0))) + 0.05
  with matplotlib.rc_context(style.STYLE):
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
      ax.set_title(f'{style.LEGS[leg]}: {_numbers(sums[leg].result())}')
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
    fig.suptitle(f'{style.plain(title)}: {_numbers(together.result())}', fontsize=10)
    return style.save(fig, path)


def learning_curves(
  path: pathlib.Path, lines: list[dict[str, Any]], held_out_mae: float | None
) -> pathlib.Path:
  """In the spirit of the paper's Fig. 2: loss and error over steps.

  Args:
    path: of the PNG.
    lines: of metrics.jsonl.
    held_out_mae: % BW, at the end, which training never saw; drawn as a level.
  """
  with matplotlib.rc_context(style.STYLE):
    fig = figure.Figure(figsize=(8, 3.6), layout='constrained')
    loss, error = fig.subplots(1, 2)
    mark = {'marker': 'o', 'ms': 3} if len(lines) < 30 else {}
    series(loss, lines, 'loss', color=style.COLOUR[0], lw=1.3, label='training', **mark)
    series(
      error, lines, 'mae_pct_bw', color=style.COLOUR[0], lw=1.3, label='training draws', **mark
    )
    series(
      error, lines, 'inner_mae_pct_bw', color=style.COLOUR[1], ls='--', marker='s', ms=4, lw=1.3,
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
    return style.save(fig, path)


def trial_curves(
  path: pathlib.Path, one: held_out_estimates.HeldOutEstimates, title: str, count: int = 4
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
  with matplotlib.rc_context(style.STYLE):
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
        estimate = style.broken(one.estimate[at, leg, 0], one.frame[at])
        ax.plot(
          time,
          estimate,
          color=style.COLOUR[leg],
          lw=1.3,
          ls=style.LINE[leg],
          label=f'estimated, {style.LEGS[leg]}',
        )
        ax.set_title(f'{style.plain(name)}, {style.LEGS[leg]}: trial {place + 1} of {len(ranked)} '
                     f'by error ({errors[name]:.1f} % BW)', fontsize=8)  # fmt: skip
        ax.margins(x=0.01)
      grid[row][0].set_ylabel('vertical (BW)')
    for ax in grid[-1]:
      ax.set_xlabel("time on the video's clock (s)")
    if len(places):
      lines = [grid[0][0].lines[0], *(ax.lines[1] for ax in grid[0])]
      fig.legend(handles=lines, loc='outside lower center', ncols=3, fontsize=8)
    fig.suptitle(style.plain(title), fontsize=10)
    return style.save(fig, path)


def stance_means(
  path: pathlib.Path, one: held_out_estimates.HeldOutEstimates, title: str
) -> pathlib.Path:
  """Mean and SD of true and estimated force over stance, every axis the network gives."""
  rows = one.estimate.shape[-1]
  with matplotlib.rc_context(style.STYLE):
    fig = figure.Figure(figsize=(1 + 3.6 * one.legs, 0.8 + 2.4 * rows), layout='constrained')
    grid = fig.subplots(rows, one.legs, squeeze=False, sharex=True, sharey='row')
    for leg in range(one.legs):
      truth, guess, whole = stance_curves(one, leg)
      for axis in range(rows):
        ax = grid[axis][leg]
        stance(ax, truth[..., axis], guess[..., axis], leg)
        if leg == 0:
          ax.set_ylabel(f'{conventions.CAMERA_AXES[axis]} force (BW)')
      kind = 'whole stances' if whole or not len(truth) else 'stances, ends not seen'
      grid[0][leg].set_title(f'{style.LEGS[leg]}, {len(truth)} {kind}')
      grid[-1][leg].set_xlabel('stance (%)')
      if len(truth):
        grid[0][leg].legend(fontsize=7, loc='lower center')
    fig.suptitle(f'{style.plain(title)}: mean ± SD over stances', fontsize=10)
    return style.save(fig, path)


def stance(ax: axes.Axes, truth: np.ndarray, guess: np.ndarray, leg: int) -> None:
  """True (S, 101) as a grey band and black line, estimated as coloured lines."""
  if not len(truth):
    ax.text(0.5, 0.5, 'no whole stance', ha='center', va='center', transform=ax.transAxes)
    return
  x = np.linspace(0, 100, truth.shape[1])
  mean, sd = truth.mean(0), truth.std(0)
  ax.fill_between(x, mean - sd, mean + sd, color='#cccccc', lw=0)
  ax.plot(x, mean, color='black', lw=1, label='true')
  mean, sd = guess.mean(0), guess.std(0)
  ax.plot(x, mean, color=style.COLOUR[leg], ls=style.LINE[leg], lw=1.8, label='estimated')
  for edge in (mean - sd, mean + sd):
    ax.plot(x, edge, color=style.COLOUR[leg], ls=':', lw=1)


def series(ax: axes.Axes, lines: list[dict[str, Any]], key: str, **look: Any) -> None:
  points = [(line['step'], line[key]) for line in lines if line.get(key) is not None]
  if points:
    ax.plot(*zip(*points, strict=True), **look)


def _numbers(result: dict[str, Any]) -> str:
  if not result['n']:
    return 'no stance frames'
  r = '–' if result['r'] is None else f'{result["r"]:.3f}'
  return f'r {r}, MAE {result["mae_pct_bw"]:.1f} % BW, {result["n"]} frames'
