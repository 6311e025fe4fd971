"""Figures: held-out true and estimated force over stance, of one subject and of all."""

from __future__ import annotations

import pathlib

import numpy as np
from matplotlib import axes

from grfjax import conventions
from grfjax.evaluation import held_out_estimates
from grfjax.gait import stances
from grfjax.report import colours, style

_USUAL_SHARE = 0.8  # of the median stance: stances at least as long count as whole


def stance_curves(
  subject: held_out_estimates.HeldOutEstimates, leg: int
) -> tuple[np.ndarray, np.ndarray, bool]:
  """Returns the true and estimated curves of a leg's whole stances.

  Returns:
    (S, 101, axes) true and estimated, body weights at 0 to 100 % of stance; and whether the data
    show where stances begin and end. The paper's voxels hold stance frames alone, so that there no
    stance shows its ends: then all are taken that last as long as the usual one (80 % of the
    median).
  """
  leg_stances = stances.find_stances(subject.trial, subject.frame, subject.contact[:, leg])
  whole = [stance for stance in leg_stances if stance.whole]
  shows_ends = bool(whole)
  if not whole and leg_stances and bool(subject.contact[:, leg].all()):
    usual = np.median([len(stance.index) for stance in leg_stances])
    whole = [stance for stance in leg_stances if len(stance.index) >= _USUAL_SHARE * usual]
  count = subject.estimate.shape[-1]
  empty = np.empty((0, stances.POINTS, count))
  true = [stances.resample(subject.force[s.index, leg, :count]) for s in whole]
  estimated = [stances.resample(subject.estimate[s.index, leg]) for s in whole]
  return (
    np.array(true) if true else empty, np.array(estimated) if estimated else empty, shows_ends
  )  # fmt: skip


def draw_subject_stances(
  path: pathlib.Path, subject: held_out_estimates.HeldOutEstimates, title: str
) -> pathlib.Path:
  """Draws mean and SD of true and estimated force over stance, each axis the network estimates."""
  rows = subject.estimate.shape[-1]
  with style.figure_defaults():
    fig = style.new_figure(1 + 3.6 * subject.legs, 0.8 + 2.4 * rows)
    grid = fig.subplots(rows, subject.legs, squeeze=False, sharex=True, sharey='row')
    for leg in range(subject.legs):
      true, estimated, shows_ends = stance_curves(subject, leg)
      for axis in range(rows):
        ax = grid[axis][leg]
        _draw_mean_and_sd(ax, true[..., axis], estimated[..., axis], leg)
        if leg == 0:
          ax.set_ylabel(f'{conventions.CAMERA_AXES[axis]} force (BW)')
      kind = 'whole stances' if shows_ends or not len(true) else 'stances, ends not seen'
      grid[0][leg].set_title(f'{style.NEAR_FAR[leg]}, {len(true)} {kind}')
      grid[-1][leg].set_xlabel('stance (%)')
      if len(true):
        grid[0][leg].legend(fontsize=7, loc='lower center')
    fig.suptitle(
      f'{style.escape_formula(title)}: mean ± SD over stances', fontsize=style.TITLE_SIZE
    )
    return style.save_figure(fig, path)


def draw_stance_grid(
  path: pathlib.Path, subjects: dict[str, held_out_estimates.HeldOutEstimates]
) -> pathlib.Path:
  """Draws mean vertical force over stance of every subject, near and far leg side by side.

  Args:
    path: of the PNG.
    subjects: held-out subject -> estimates.
  """
  legs = max((subject.legs for subject in subjects.values()), default=1)
  across = min(max(len(subjects), 1), 4 if legs == 1 else 2)
  rows = max(-(-len(subjects) // across), 1)
  with style.figure_defaults():
    fig = style.new_figure(9.6, 0.6 + 2.1 * rows)
    grid = fig.subplots(rows, across * legs, squeeze=False, sharex=True, sharey=True)
    for ax in grid.flat:
      ax.set_visible(False)
    for k, (name, subject) in enumerate(subjects.items()):
      row, column = divmod(k, across)
      for leg in range(subject.legs):
        ax = grid[row][column * legs + leg]
        ax.set_visible(True)
        true, estimated, _ = stance_curves(subject, leg)
        _draw_mean_and_sd(ax, true[..., 0], estimated[..., 0], leg)
        ax.set_title(f'{style.escape_formula(name)}, {style.NEAR_FAR[leg]} ({len(true)})')
        ax.tick_params(labelbottom=True)
        if column == leg == 0:
          ax.set_ylabel('vertical (BW)')
        if k == 0 and len(true):
          ax.legend(fontsize=6, loc='lower center')
    fig.supxlabel('stance (%); in brackets: stances', fontsize=9)
    return style.save_figure(fig, path)


def _draw_mean_and_sd(ax: axes.Axes, true: np.ndarray, estimated: np.ndarray, leg: int) -> None:
  """Draws true (S, 101) as a black line in a grey band, estimated (S, 101) as coloured lines."""
  if not len(true):
    ax.text(0.5, 0.5, 'no whole stance', ha='center', va='center', transform=ax.transAxes)
    return
  x = np.linspace(0, 100, true.shape[1])
  mean, sd = true.mean(0), true.std(0)
  ax.fill_between(x, mean - sd, mean + sd, color=colours.PALE_GREY, lw=0)
  ax.plot(x, mean, color='black', lw=1, label='true')
  mean, sd = estimated.mean(0), estimated.std(0)
  ax.plot(x, mean, lw=1.8, label='estimated', **style.leg_line(leg))
  for edge in (mean - sd, mean + sd):
    ax.plot(x, edge, color=colours.LEGS[leg], ls=':', lw=1)
