"""How every figure looks."""

from __future__ import annotations

import pathlib
import warnings
from typing import Any

import numpy as np
from matplotlib import figure

from grfjax.io import atomic

LEGS = ('near leg', 'far leg')

COLOUR = ('#0072B2', '#D55E00')

LINE: tuple[Any, Any] = ('-', (0, (5, 1.5)))

STYLE: Any = {
  'font.size': 9, 'axes.titlesize': 9, 'axes.spines.top': False, 'axes.spines.right': False,
  'axes.grid': True, 'grid.color': '#dddddd', 'grid.linewidth': 0.6, 'axes.axisbelow': True,
  'legend.frameon': False, 'hatch.linewidth': 0.6,
}  # fmt: skip

_DPI = 120


def broken(values: np.ndarray, frame: np.ndarray) -> np.ndarray:
  """Values (N,) with a nan where frames are missing before, so that no line bridges the gap."""
  gap = np.diff(frame, prepend=frame[:1])
  return np.where(gap > 4 * max(float(np.median(gap)), 1), np.nan, values)


def plain(name: str) -> str:
  """A name as it is: a dollar sign would begin a formula."""
  return name.replace('$', r'\$')


def save(fig: figure.Figure, path: pathlib.Path) -> pathlib.Path:
  with atomic.atomic_file(path) as temporary, warnings.catch_warnings():
    # A name in letters that the font lacks shows boxes in a figure; the tables have it right.
    warnings.filterwarnings('ignore', message='Glyph')
    fig.savefig(temporary, dpi=_DPI, format='png', backend='agg', facecolor='white')
  return path
