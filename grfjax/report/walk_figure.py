"""Figure of one video: both legs' forces over time, and every whole stance from 0 to 100 %."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import numpy as np
from matplotlib import axes, figure, lines, patches

from grfjax import conventions
from grfjax.evaluation import plate_reference
from grfjax.gait import contact_thresholds, foot_contacts, force_curves
from grfjax.report import colours, style

_AXES = ('vertical', 'forward')  # components drawn, where the network estimates them
_HEIGHTS = (2.2, 1.4)  # of their panels, inches
_WIDTH = 10.0  # of the figure, inches
_ROW_S = 8.0  # seconds of walking that share a row of the figure
_NARROW_S = 0.8  # a panel has room for one time below it if it is narrower
_MIN_PANEL_S = 0.5  # width of a panel at least, seconds

# A bar of contact for each leg, from where to where below the curves, body weights.
_BARS = ((-0.08, 0.0), (-0.2, -0.12))
_TICK = 0.02  # by how much the marks of initial contact and toe-off are longer
_BELOW_BARS = 0.04


def draw_walk(
  path: pathlib.Path,
  estimate: force_curves.ForceCurves,
  contacts: list[foot_contacts.MeasuredContact],
  body_mass_kg: float | None,
  reference: plate_reference.PlateReference | None,
  title: str,
) -> pathlib.Path:
  """Draws a video's curves into a PNG, and returns its path; the rest as in `make_figure`."""
  fig = make_figure(estimate, contacts, body_mass_kg, reference, title)
  with style.figure_defaults():
    return style.save_figure(fig, path)


def make_figure(
  estimate: force_curves.ForceCurves,
  contacts: list[foot_contacts.MeasuredContact],
  body_mass_kg: float | None,
  reference: plate_reference.PlateReference | None,
  title: str,
) -> figure.Figure:
  """Draws a video's curves.

  Args:
    estimate: the curves.
    contacts: of both feet, found in the curves.
    body_mass_kg: of the walker; None: no scale of newtons.
    reference: drawn too, where given.
    title: plain text.
  """
  drawing = _Drawing(estimate, contacts, body_mass_kg, reference)
  rows = drawing.rows()
  panels = sum(_HEIGHTS[: drawing.axis_count])
  heights = [0.5 + panels] * len(rows) + [0.75 + panels]
  with style.figure_defaults():
    fig = style.new_figure(_WIDTH, 0.6 + sum(heights))
    parts = fig.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for part, walks in zip(parts, rows, strict=False):
      drawing.draw_row(part, walks, same_scale=len(rows) > 1)
    drawing.draw_stances(parts[-1])
    fig.suptitle(
      f'{style.escape_formula(title)}: estimated ground reaction force', fontsize=style.TITLE_SIZE
    )
    fig.legend(
      handles=drawing.legend(), loc='outside lower center', ncols=6, fontsize=style.SMALL_SIZE
    )
  return fig


@dataclasses.dataclass(frozen=True)
class _Drawing:
  """Draws the parts of the figure; attributes as in `make_figure`."""

  estimate: force_curves.ForceCurves
  contacts: list[foot_contacts.MeasuredContact]
  body_mass_kg: float | None
  reference: plate_reference.PlateReference | None

  @property
  def axis_count(self) -> int:
    """How many components of the force are drawn."""
    return min(self.estimate.force.shape[2], len(_AXES))

  def rows(self) -> list[list[slice]]:
    """Returns the walks, as many in a row as `_ROW_S` has room for; one row at least."""
    rows: list[list[slice]] = [[]]
    for walk in self.estimate.walks():
      if rows[-1] and sum(self._duration_s(w) for w in (*rows[-1], walk)) > _ROW_S:
        rows.append([])
      rows[-1].append(walk)
    return rows

  def _duration_s(self, walk: slice) -> float:
    return float(np.ptp(self.estimate.time_s[walk]))

  def draw_row(self, part: figure.SubFigure, walks: list[slice], same_scale: bool) -> None:
    """Draws walks side by side, a panel for each component.

    Args:
      part: of the figure.
      walks: their frames.
      same_scale: whether there are other rows, with which this one shares its scale of time.
    """
    if not walks:
      part.text(0.5, 0.5, 'no estimate', ha='center')
      return
    widths = [max(self._duration_s(walk), _MIN_PANEL_S) for walk in walks]
    if same_scale and sum(widths) < _ROW_S:
      widths.append(_ROW_S - sum(widths))
    grid = part.subplots(
      self.axis_count, len(widths), squeeze=False, sharex='col', sharey='row', width_ratios=widths,
      height_ratios=_HEIGHTS[: self.axis_count],
    )  # fmt: skip
    for ax in grid[:, len(walks) :].flat:
      ax.set_visible(False)
    for column, walk in enumerate(walks):
      for axis, ax in enumerate(grid[:, column]):
        self._draw_curves(ax, walk, axis)
      grid[-1][column].set_xlabel('time (s)')
      if widths[column] < _NARROW_S:
        grid[-1][column].locator_params(axis='x', nbins=1, min_n_ticks=1)
    for axis in range(self.axis_count):
      grid[axis][0].set_ylabel(f'{_AXES[axis]} (BW)')
      self._add_newtons(grid[axis][len(walks) - 1])
    bottom = grid[0][0].get_ylim()[0]
    for ax, walk in zip(grid[0], walks, strict=False):
      self._draw_contact_bars(ax, walk, bottom)

  def _draw_curves(self, ax: axes.Axes, walk: slice, axis: int) -> None:
    """Draws a component of both legs' force over the time of a walk."""
    time_s = self.estimate.time_s[walk]
    if self.reference:
      true = self.reference.force[walk, :, axis]
      ax.plot(time_s, true, solid_capstyle='butt', **style.TRUE_LINE)
    for leg in range(len(conventions.LEGS)):
      if self.estimate.interval.shape[3]:
        low, high = self.estimate.interval[walk, leg, axis].T
        ax.fill_between(time_s, low, high, color=colours.LEGS[leg], alpha=0.2, lw=0)
      ax.plot(time_s, self.estimate.force[walk, leg, axis], lw=1.5, **style.leg_line(leg))
    ax.margins(x=0.01)

  def _draw_contact_bars(self, ax: axes.Axes, walk: slice, bottom: float) -> None:
    """Draws when each foot is in contact, below the curves; an end that was not seen is open."""
    time_s = self.estimate.time_s[walk]
    for contact in self.contacts:
      middle_s = (contact.start_s + contact.end_s) / 2
      if not time_s[0] <= middle_s <= time_s[-1]:
        continue
      leg = conventions.LEGS.index(contact.leg)
      low, high = (bottom + edge for edge in _BARS[leg])
      ax.fill_between(
        [contact.start_s, contact.end_s], low, high, color=colours.LEGS[leg], lw=0, alpha=0.75
      )
      for event_s, whole in (
        (contact.start_s, contact.whole_start), (contact.end_s, contact.whole_end)
      ):  # fmt: skip
        if whole:
          ax.plot([event_s, event_s], [low - _TICK, high + _TICK], color='black', lw=1.2)
      # The word is longer than the bar of a shorter contact.
      if contact.end_s - contact.start_s > contact_thresholds.MIN_STANCE_S:
        ax.text(
          middle_s, (low + high) / 2, contact.leg, color='white', fontsize=6.5, ha='center',
          va='center_baseline', weight='bold', clip_on=True,
        )  # fmt: skip
    ax.set_ylim(bottom=bottom + _BARS[1][0] - _BELOW_BARS)

  def draw_stances(self, part: figure.SubFigure) -> None:
    """Draws every whole stance from 0 to 100 %, a column for each leg, with mean and SD."""
    grid = part.subplots(
      self.axis_count, len(conventions.LEGS), squeeze=False, sharex=True, sharey='row',
      height_ratios=_HEIGHTS[: self.axis_count],
    )  # fmt: skip
    curves = foot_contacts.stance_curves(self.estimate.time_s, self.estimate.force, self.contacts)
    for leg, name in enumerate(conventions.LEGS):
      for axis in range(self.axis_count):
        ax = grid[axis][leg]
        if self.reference:
          for true in self.reference.stances[name][..., axis]:
            ax.plot(true, **style.TRUE_LINE)
        _draw_mean_and_sd(ax, curves[name][..., axis], leg)
        if leg == 0:
          ax.set_ylabel(f'{_AXES[axis]} (BW)')
        else:
          self._add_newtons(ax)
      n = len(curves[name])
      stances = f'{n} whole stance{"" if n == 1 else "s"}'
      grid[0][leg].set_title(f'{name} leg, {stances}' + (': mean ± SD' if n > 1 else ''))
      grid[-1][leg].set_xlabel('stance (%)')
      grid[-1][leg].set_xlim(0, 100)

  def _add_newtons(self, ax: axes.Axes) -> None:
    """Adds a scale of newtons at the right, where the body mass is known."""
    if self.body_mass_kg is None:
      return
    weight = self.body_mass_kg * conventions.G
    functions: Any = (lambda bw: bw * weight, lambda newton: newton / weight)
    scale = ax.secondary_yaxis('right', functions=functions)
    scale.spines['right'].set_visible(True)
    scale.set_ylabel('N')

  def legend(self) -> list[Any]:
    """Returns the legend's handles."""
    handles: list[Any] = [
      lines.Line2D([], [], lw=1.5, label=f'{name} leg', **style.leg_line(leg))
      for leg, name in enumerate(conventions.LEGS)
    ]
    if self.estimate.interval.shape[3]:
      handles.append(patches.Patch(color=colours.BLUE, alpha=0.2, label='prediction interval'))
    handles.append(patches.Patch(color=colours.BLUE, alpha=0.75, label='foot in contact'))
    handles.append(
      lines.Line2D(
        [], [], color='black', lw=0, marker='|', ms=9, mew=1.2, label='initial contact, toe-off'
      )
    )
    if self.reference:
      handles.append(lines.Line2D([], [], label='true, where known', **style.TRUE_LINE))
    return handles


def _draw_mean_and_sd(ax: axes.Axes, stances: np.ndarray, leg: int) -> None:
  """Draws (n, 101) body weights, each thin, their mean thick, one standard deviation shaded."""
  if not len(stances):
    ax.text(0.5, 0.5, 'no whole stance', ha='center', va='center', transform=ax.transAxes)
    return
  colour = colours.LEGS[leg]
  if len(stances) > 1:
    mean, sd = stances.mean(0), stances.std(0, ddof=1)
    ax.fill_between(np.arange(len(mean)), mean - sd, mean + sd, color=colour, alpha=0.25, lw=0)
    for curve in stances:
      ax.plot(curve, color=colour, lw=0.5)
  ax.plot(stances.mean(0), lw=2, **style.leg_line(leg))
