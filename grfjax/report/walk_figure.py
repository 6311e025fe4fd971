"""The figure of one video: both legs' forces over time, and every whole stance laid together.

The left leg is a blue solid line, the right leg an orange dashed one; true forces are grey.
"""

from __future__ import annotations

import pathlib
from typing import Any

import matplotlib
import numpy as np
from matplotlib import axes, figure, lines, patches

from grfjax import conventions
from grfjax.evaluation import plate_reference
from grfjax.gait import contact_thresholds, foot_contacts, force_curves
from grfjax.report import style

_AXES = ('vertical', 'forward')  # what is drawn of each force, where the network gives it

_HEIGHTS = (2.2, 1.4)  # of their panels, inches

_WIDTH = 10.0  # of the figure

_LINE_S = 8.0  # of walking, side by side on one line of the figure

_TRUE = '#999999'

_BARS = ((-0.08, 0.0), (-0.2, -0.12))  # a bar a leg, from there to there below the curves, BW


def draw(
  path: pathlib.Path,
  estimate: force_curves.ForceCurves,
  found: list[foot_contacts.MeasuredContact],
  body_mass_kg: float | None,
  true: plate_reference.PlateReference | None,
  title: str,
) -> pathlib.Path:
  """Draws a video's curves.

  Args:
    path: of the PNG.
    estimate: the curves.
    found: their contacts.
    body_mass_kg: None: no newtons.
    true: drawn too.
    title: plain text.
  """
  count = min(estimate.force.shape[2], len(_AXES))
  rows = _lines(estimate)
  heights = [0.5 + sum(_HEIGHTS[:count])] * len(rows) + [0.75 + sum(_HEIGHTS[:count])]
  with matplotlib.rc_context(style.STYLE):
    fig = figure.Figure(figsize=(_WIDTH, 0.6 + sum(heights)), layout='constrained')
    parts = fig.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for part, row in zip(parts, rows, strict=False):
      _time_line(part, row, count, estimate, found, body_mass_kg, true)
    _stances(parts[-1], count, estimate, found, body_mass_kg, true)
    fig.suptitle(f'{style.plain(title)}: estimated ground reaction force', fontsize=10)
    fig.legend(
      handles=_legend(estimate, true), loc='outside lower center', ncols=6, fontsize=8,
    )  # fmt: skip
    return style.save(fig, path)


def _lines(estimate: force_curves.ForceCurves) -> list[list[slice]]:
  """The walks, as many on a line as `_LINE_S` has room for; one line at least."""
  rows: list[list[slice]] = [[]]
  for walk in estimate.walks():
    if rows[-1] and sum(_lasts(estimate, w) for w in (*rows[-1], walk)) > _LINE_S:
      rows.append([])
    rows[-1].append(walk)
  return rows


def _lasts(estimate: force_curves.ForceCurves, walk: slice) -> float:
  return float(np.ptp(estimate.time_s[walk]))


def _time_line(
  part: figure.SubFigure,
  row: list[slice],
  count: int,
  estimate: force_curves.ForceCurves,
  found: list[foot_contacts.MeasuredContact],
  body_mass_kg: float | None,
  true: plate_reference.PlateReference | None,
) -> None:
  """Walks side by side on one scale of time, a panel an axis."""
  if not row:
    part.text(0.5, 0.5, 'no estimate', ha='center')
    return
  widths = [max(_lasts(estimate, walk), 0.5) for walk in row]
  if len(_lines(estimate)) > 1 and sum(widths) < _LINE_S:  # one scale of time for all lines
    widths.append(_LINE_S - sum(widths))
  grid = part.subplots(
    count, len(widths), squeeze=False, sharex='col', sharey='row', width_ratios=widths,
    height_ratios=_HEIGHTS[:count],
  )  # fmt: skip
  for ax in grid[:, len(row) :].flat:
    ax.set_visible(False)
  for column, walk in enumerate(row):
    time_s = estimate.time_s[walk]
    for axis, ax in enumerate(grid[:, column]):
      if true:
        ax.plot(time_s, true.force[walk, :, axis], color=_TRUE, lw=4, solid_capstyle='butt')
      for leg in range(2):
        if estimate.interval.shape[3]:
          low, high = estimate.interval[walk, leg, axis].T
          ax.fill_between(time_s, low, high, color=style.COLOUR[leg], alpha=0.2, lw=0)
        ax.plot(time_s, estimate.force[walk, leg, axis], lw=1.5, **_look(leg))
      ax.margins(x=0.01)
    grid[-1][column].set_xlabel('time (s)')
  for axis in range(count):
    grid[axis][0].set_ylabel(f'{_AXES[axis]} (BW)')
    _newtons(grid[axis][len(row) - 1], body_mass_kg)
  below = grid[0][0].get_ylim()[0]
  for column, walk in enumerate(row):
    _bars(grid[0][column], [c for c in found if _inside(c, estimate.time_s[walk])], below)


def _inside(contact: foot_contacts.MeasuredContact, time_s: np.ndarray) -> bool:
  return time_s[0] <= (contact.start_s + contact.end_s) / 2 <= time_s[-1]


def _bars(ax: axes.Axes, found: list[foot_contacts.MeasuredContact], below: float) -> None:
  """When each foot is in contact, below the curves; an end that was not seen is open."""
  for c in found:
    leg = conventions.LEGS.index(c.leg)
    low, high = (below + edge for edge in _BARS[leg])
    ax.fill_between([c.start_s, c.end_s], low, high, color=style.COLOUR[leg], lw=0,
                    alpha=0.75)  # fmt: skip
    for at_s, whole in ((c.start_s, c.whole_start), (c.end_s, c.whole_end)):
      if whole:
        ax.plot([at_s, at_s], [low - 0.02, high + 0.02], color='black', lw=1.2)
    if c.end_s - c.start_s > contact_thresholds.MIN_STANCE_S:  # else the word is too long
      ax.text((c.start_s + c.end_s) / 2, (low + high) / 2, c.leg, color='white', fontsize=6.5,
              ha='center', va='center_baseline', weight='bold', clip_on=True)  # fmt: skip
  ax.set_ylim(bottom=below + _BARS[1][0] - 0.04)


def _stances(
  part: figure.SubFigure,
  count: int,
  estimate: force_curves.ForceCurves,
  found: list[foot_contacts.MeasuredContact],
  body_mass_kg: float | None,
  true: plate_reference.PlateReference | None,
) -> None:
  """Every whole stance from 0 to 100 %, a leg a column, with mean and SD."""
  grid = part.subplots(count, 2, squeeze=False, sharex=True, sharey='row',
                       height_ratios=_HEIGHTS[:count])  # fmt: skip
  laid = foot_contacts.stance_curves(estimate.time_s, estimate.force, found)
  for leg, name in enumerate(conventions.LEGS):
    for axis in range(count):
      ax = grid[axis][leg]
      if true:
        for curve in true.stances[name][..., axis]:
          ax.plot(curve, color=_TRUE, lw=4)
      _mean_and_sd(ax, laid[name][..., axis], leg)
      if leg == 0:
        ax.set_ylabel(f'{_AXES[axis]} (BW)')
      else:
        _newtons(ax, body_mass_kg)
    n = len(laid[name])
    grid[0][leg].set_title(
      f'{name} leg, {n} whole stance{"" if n == 1 else "s"}' + (': mean ± SD' if n > 1 else '')
    )
    grid[-1][leg].set_xlabel('stance (%)')
    grid[-1][leg].set_xlim(0, 100)


def _mean_and_sd(ax: axes.Axes, stances: np.ndarray, leg: int) -> None:
  """Of (n, 101) body weights, beside each of them."""
  if not len(stances):
    ax.text(0.5, 0.5, 'no whole stance', ha='center', va='center', transform=ax.transAxes)
    return
  if len(stances) > 1:
    mean, sd = stances.mean(0), stances.std(0, ddof=1)
    ax.fill_between(np.arange(len(mean)), mean - sd, mean + sd, color=style.COLOUR[leg],
                    alpha=0.25, lw=0)  # fmt: skip
    for curve in stances:
      ax.plot(curve, color=style.COLOUR[leg], lw=0.5)
  ax.plot(stances.mean(0), lw=2, **_look(leg))


def _newtons(ax: axes.Axes, body_mass_kg: float | None) -> None:
  """A second scale at the right."""
  if body_mass_kg is None:
    return
  weight = body_mass_kg * conventions.G
  scale: Any = (lambda bw: bw * weight, lambda newton: newton / weight)
  other = ax.secondary_yaxis('right', functions=scale)
  other.spines['right'].set_visible(True)
  other.set_ylabel('N')


def _look(leg: int) -> dict[str, Any]:
  return {'color': style.COLOUR[leg], 'ls': style.LINE[leg]}


def _legend(
  estimate: force_curves.ForceCurves, true: plate_reference.PlateReference | None
) -> list[Any]:
  handles: list[Any] = [
    lines.Line2D([], [], lw=1.5, label=f'{leg} leg', **_look(k))
    for k, leg in enumerate(conventions.LEGS)
  ]
  if estimate.interval.shape[3]:
    handles.append(patches.Patch(color=style.COLOUR[0], alpha=0.2, label='prediction interval'))
  handles.append(patches.Patch(color=style.COLOUR[0], alpha=0.75, label='foot in contact'))
  handles.append(
    lines.Line2D([], [], color='black', lw=0, marker='|', ms=9, mew=1.2,
                 label='initial contact, toe-off')
  )  # fmt: skip
  if true:
    handles.append(lines.Line2D([], [], color=_TRUE, lw=4, label='true, where known'))
  return handles
