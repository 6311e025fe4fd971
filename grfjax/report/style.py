"""The look of all figures: line styles, fonts, resolution.

True forces are grey or black, estimates coloured (`colours`); line styles and hatches differ as
well. The first leg of a pair (near of near and far, left of left and right) is a blue solid line,
the second an orange dashed one.
"""

from __future__ import annotations

import io
import pathlib
import warnings
from typing import Any

import matplotlib
import numpy as np
from matplotlib import colors, figure

from grfjax.io import atomic
from grfjax.report import colours

LEG_LINES: tuple[Any, Any] = ('-', (0, (5, 1.5)))
NEAR_FAR = ('near leg', 'far leg')
TRUE_LINE: Any = {'color': colours.GREY, 'lw': 4}
BAR_EDGE: Any = {'edgecolor': colours.DARK_GREY, 'lw': 0.5}

# Light grey to black by way of blue: in order also without colour.
DENSITY = colors.LinearSegmentedColormap.from_list('density', ['#c6d4e1', '#3f7fb5', '#08182b'])
TITLE_SIZE = 10
SMALL_SIZE = 8
_DPI = 120

_RC: Any = {
  'font.size': 9, 'axes.titlesize': 9, 'axes.spines.top': False, 'axes.spines.right': False,
  'axes.grid': True, 'grid.color': '#dddddd', 'grid.linewidth': 0.6, 'axes.axisbelow': True,
  'legend.frameon': False, 'hatch.linewidth': 0.6,
}  # fmt: skip


def figure_defaults() -> Any:
  """Returns the context in which every figure is made and saved."""
  return matplotlib.rc_context(_RC)


class Figure(figure.Figure):
  """A figure that looks the same wherever it is drawn, and that notebooks show by themselves."""

  def draw(self, renderer: Any) -> None:
    """Draws it with `figure_defaults`: ticks are made no earlier."""
    with figure_defaults():
      super().draw(renderer)

  def _repr_png_(self) -> bytes:
    # Notebooks show matplotlib's own figures only once pyplot is imported.
    picture = io.BytesIO()
    self.savefig(picture, format='png', dpi=self.dpi)
    return picture.getvalue()


def new_figure(width: float, height: float) -> figure.Figure:
  """Returns an empty figure of that size in inches, whose parts make room for each other."""
  return Figure(figsize=(width, height), layout='constrained')


def leg_line(leg: int) -> dict[str, Any]:
  """Returns colour and line style of leg 0 or 1 for `plot`."""
  return {'color': colours.LEGS[leg], 'ls': LEG_LINES[leg]}


def break_at_gaps(values: np.ndarray, frame: np.ndarray) -> np.ndarray:
  """Returns values (N,) with NaN after each gap in the frames (N,), so that no line bridges it."""
  step = np.diff(frame, prepend=frame[:1])
  return np.where(step > 4 * max(float(np.median(step)), 1), np.nan, values)


def escape_formula(name: str) -> str:
  """Returns a name for matplotlib as it is: a dollar sign would begin a formula."""
  return name.replace('$', r'\$')


def save_figure(fig: figure.Figure, path: pathlib.Path) -> pathlib.Path:
  """Saves a figure as a PNG file, whole or not at all, and returns its path.

  Raises:
    OSError: the file cannot be written.
  """
  with atomic.atomic_file(path) as temporary, warnings.catch_warnings():
    # A name in letters that the font lacks shows boxes in a figure; the tables have it right.
    warnings.filterwarnings('ignore', message='Glyph')
    fig.savefig(temporary, dpi=_DPI, format='png', backend='agg', facecolor='white')
  return path
