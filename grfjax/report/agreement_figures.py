"""Figures of held-out trials: Bland-Altman plots of gait measures; a trial and its video."""

from __future__ import annotations

import pathlib

import numpy as np
from matplotlib import axes

from grfjax import conventions
from grfjax.evaluation import held_out_trials
from grfjax.gait import bland_altman
from grfjax.report import colours, style

# Without the pale yellow; with five markers they tell 35 people apart.
_COLOURS = (
  colours.BLUE, colours.VERMILION, colours.GREEN, colours.PURPLE, colours.SKY_BLUE, colours.ORANGE,
  colours.DARK_GREY,
)  # fmt: skip
_MARKERS = 'os^Dv'
_WIDTH = 4.2  # inches: small figures stay readable on a phone


def draw_bland_altman(
  path: pathlib.Path,
  pairs: dict[str, np.ndarray],
  agreement: bland_altman.Agreement,
  label: str,
  unit: str,
) -> pathlib.Path:
  """Draws difference against mean, with bias and 95 % limits of agreement.

  Args:
    path: of the PNG.
    pairs: subject -> (n, 2) true and estimated values.
    agreement: of the values of all subjects.
    label: of the measure.
    unit: of the values.
  """
  with style.figure_defaults():
    legend_height = 0.2 * -(-len(pairs) // 4)  # four names a row
    fig = style.new_figure(_WIDTH, 3.3 + legend_height)
    ax = fig.subplots()
    markers = []
    for k, values in enumerate(pairs.values()):
      markers += ax.plot(
        values.mean(1), values[:, 1] - values[:, 0], lw=0, ms=4, alpha=0.6, mew=0,
        marker=_MARKERS[k % len(_MARKERS)], color=_COLOURS[k % len(_COLOURS)],
      )  # fmt: skip
    _draw_level(ax, agreement.high, '--', 'upper limit')
    _draw_level(ax, agreement.bias, '-', 'bias')
    _draw_level(ax, agreement.low, '--', 'lower limit')
    ax.axhline(0, color=colours.GREY, lw=0.8, ls=':')
    ax.margins(y=0.15)
    ax.set(xlabel=f'mean of both ({unit})', ylabel=f'estimate - true ({unit})', title=label)
    fig.legend(
      markers, [style.escape_formula(subject) for subject in pairs], loc='outside lower center',
      ncols=4, fontsize=7, handletextpad=0.1,
    )  # fmt: skip
    return style.save_figure(fig, path)


def _draw_level(ax: axes.Axes, value: float | None, line: str, name: str) -> None:
  if value is None:
    return
  ax.axhline(value, color='black', lw=1, ls=line)
  ax.annotate(
    f'{name} {value:+.1f}', (1, value), (-2, 2), xycoords=('axes fraction', 'data'),
    textcoords='offset points', ha='right', fontsize=style.SMALL_SIZE,
    bbox={'fc': 'white', 'ec': 'none', 'alpha': 0.7, 'pad': 0.5},
  )  # fmt: skip


def draw_trial(
  path: pathlib.Path, picture: np.ndarray, frame: int, trial: held_out_trials.HeldOutTrial
) -> pathlib.Path:
  """Draws a frame of a trial's video above the trial's vertical forces.

  Args:
    path: of the PNG.
    picture: (H, W, 3) uint8, the frame.
    frame: its number.
    trial: the trial.
  """
  with style.figure_defaults():
    fig = style.new_figure(_WIDTH, 4.3)
    top, bottom = fig.subplots(2, 1, height_ratios=[3, 2])
    top.imshow(picture)
    top.set_axis_off()
    bottom.plot(
      trial.time_s, trial.reference.force[..., 0], solid_capstyle='butt', **style.TRUE_LINE
    )
    for leg in range(len(conventions.LEGS)):
      bottom.plot(trial.time_s, trial.force[:, leg, 0], lw=1.5, **style.leg_line(leg))
    bottom.axvline(trial.time_s[frame], color='black', lw=1, ls=':')
    bottom.margins(x=0.01)
    bottom.set(xlabel="time on the video's clock (s)", ylabel='vertical (BW)')
    return style.save_figure(fig, path)
