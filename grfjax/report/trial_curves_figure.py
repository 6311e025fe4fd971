"""Figure: true and estimated force over time in trials from the best estimated to the worst."""

from __future__ import annotations

import pathlib

import numpy as np
from matplotlib import axes

from grfjax.evaluation import held_out_estimates
from grfjax.report import style


def draw_trial_curves(
  path: pathlib.Path,
  subject: held_out_estimates.HeldOutEstimates,
  title: str,
  max_trials: int = 4,
) -> pathlib.Path:
  """Draws vertical force over time in trials from the best estimated to the worst.

  Args:
    path: of the PNG.
    subject: a held-out subject.
    title: whose estimates these are.
    max_trials: how many trials are shown at most.
  """
  errors = _trial_errors(subject)
  ranked = sorted(errors, key=lambda name: errors[name])
  count = min(max_trials, len(ranked))
  shown = np.unique(np.linspace(0, len(ranked) - 1, count).round().astype(int))
  with style.figure_defaults():
    rows = max(len(shown), 1)
    fig = style.new_figure(1 + 4.2 * subject.legs, 0.8 + 1.7 * rows)
    grid = fig.subplots(rows, subject.legs, squeeze=False, sharey=True, sharex='row')
    for row, rank in zip(grid, shown, strict=False):
      name = ranked[rank]
      for leg, ax in enumerate(row):
        _draw_leg(ax, subject, np.flatnonzero(subject.trial == name), leg)
        ax.set_title(
          f'{style.escape_formula(name)}, {style.NEAR_FAR[leg]}: trial {rank + 1} of {len(ranked)} '
          f'by error ({errors[name]:.1f} % BW)',
          fontsize=style.SMALL_SIZE,
        )
      row[0].set_ylabel('vertical (BW)')
    for ax in grid[-1]:
      ax.set_xlabel("time on the video's clock (s)")
    if len(shown):
      lines = [grid[0][0].lines[0], *(ax.lines[1] for ax in grid[0])]
      fig.legend(handles=lines, loc='outside lower center', ncols=3, fontsize=style.SMALL_SIZE)
    fig.suptitle(style.escape_formula(title), fontsize=style.TITLE_SIZE)
    return style.save_figure(fig, path)


def _trial_errors(subject: held_out_estimates.HeldOutEstimates) -> dict[str, float]:
  """Returns the mean absolute error of each trial that has stance frames, % BW."""
  errors = {}
  for trial in np.unique(subject.trial):
    stance = (subject.trial == trial)[:, None] & subject.contact
    if stance.any():
      difference = np.abs(subject.estimate[..., 0] - subject.force[..., 0])
      errors[str(trial)] = 100 * difference[stance].mean()
  return errors


def _draw_leg(
  ax: axes.Axes, subject: held_out_estimates.HeldOutEstimates, index: np.ndarray, leg: int
) -> None:
  """Draws one leg's panel of the trial whose frames are at `index`."""
  time_s = subject.time_s[index]
  true = np.where(subject.known[index, leg], subject.force[index, leg, 0], np.nan)
  estimate = style.break_at_gaps(subject.estimate[index, leg, 0], subject.frame[index])
  ax.plot(time_s, true, label='true, where known', solid_capstyle='butt', **style.TRUE_LINE)
  label = f'estimated, {style.NEAR_FAR[leg]}'
  ax.plot(time_s, estimate, lw=1.3, label=label, **style.leg_line(leg))
  ax.margins(x=0.01)
