"""Figures of a round's gait measures: Bland-Altman plots, and a trial with a frame of its video."""

from __future__ import annotations

import pathlib

import matplotlib
import numpy as np
from matplotlib import figure

from grfjax import conventions
from grfjax.evaluation import held_out_trials
from grfjax.gait import bland_altman
from grfjax.report import style

# Okabe and Ito's, but for the pale yellow; with five marks they tell 35 people apart.
_COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00', '#333333')

_MARKS = 'os^Dv'

_WIDTH = 4.2  # of a figure, inches: small ones, that stay readable on a phone


def draw_bland_altman(
  path: pathlib.Path,
  pairs: dict[str, np.ndarray],
  agreement: bland_altman.Agreement,
  label: str,
  unit: str,
) -> pathlib.Path:
  """Difference against mean, with bias and 95 % limits of agreement.

  Args:
    path: of the PNG.
    pairs: subject -> (n, 2) true and estimated values.
    agreement: of all of them.
    label: of the measure.
    unit: of the values.
  """
  with matplotlib.rc_context(style.STYLE):
    below = 0.2 * -(-len(pairs) // 4)  # of the legend, four names a row
    fig = figure.Figure(figsize=(_WIDTH, 3.3 + below), layout='constrained')
    ax = fig.subplots()
    marks = []
    for k, values in enumerate(pairs.values()):
      marks += ax.plot(
        values.mean(1), values[:, 1] - values[:, 0], lw=0, ms=4, alpha=0.6, mew=0,
        marker=_MARKS[k % len(_MARKS)], color=_COLOURS[k % len(_COLOURS)],
      )  # fmt: skip
    for value, dashes, name in (
      (agreement.high, '--', 'upper limit'), (agreement.bias, '-', 'bias'),
      (agreement.low, '--', 'lower limit'),
    ):  # fmt: skip
      if value is not None:
        ax.axhline(value, color='black', lw=1, ls=dashes)
        ax.annotate(
          f'{name} {value:+.1f}', (1, value), (-2, 2), xycoords=('axes fraction', 'data'),
          textcoords='offset points', ha='right', fontsize=8,
          bbox={'fc': 'white', 'ec': 'none', 'alpha': 0.7, 'pad': 0.5},
        )  # fmt: skip
    ax.axhline(0, color='#999999', lw=0.8, ls=':')
    ax.margins(y=0.15)
    ax.set(xlabel=f'mean of both ({unit})', ylabel=f'estimate - true ({unit})', title=label)
    names = [style.plain(subject) for subject in pairs]
    fig.legend(marks, names, loc='outside lower center', ncols=4, fontsize=7, handletextpad=0.1)
    return style.save(fig, path)


def draw_trial(
  path: pathlib.Path, picture: np.ndarray, at: int, one: held_out_trials.HeldOutTrial
) -> pathlib.Path:
  """A frame of a trial's video above its vertical forces.

  Args:
    path: of the PNG.
    picture: (H, W, 3) uint8, the frame.
    at: its number.
    one: the trial.
  """
  with matplotlib.rc_context(style.STYLE):
    fig = figure.Figure(figsize=(_WIDTH, 4.3), layout='constrained')
    top, bottom = fig.subplots(2, 1, height_ratios=[3, 2])
    top.imshow(picture)
    top.set_axis_off()
    bottom.plot(one.time_s, one.true.force[..., 0], color='#999999', lw=4, solid_capstyle='butt')
    for leg in range(len(conventions.LEGS)):
      bottom.plot(
        one.time_s, one.force[:, leg, 0], color=style.COLOUR[leg], ls=style.LINE[leg], lw=1.5
      )
    bottom.axvline(one.time_s[at], color='black', lw=1, ls=':')
    bottom.margins(x=0.01)
    bottom.set(xlabel="time on the video's clock (s)", ylabel='vertical (BW)')
    return style.save(fig, path)
