"""Figure: a video's estimated forces on the clock of the plates, to check its start by eye."""

from __future__ import annotations

import collections.abc
import pathlib
from typing import Any

import numpy as np
from matplotlib import axes

from grfjax import conventions
from grfjax.data import force_labels, plate_contacts
from grfjax.evaluation import synchronization
from grfjax.gait import foot_contacts, force_curves
from grfjax.report import colours, style

_WIDTH, _HEIGHT = 7.0, 4.2  # inches
_MARKS_BW = -0.08  # the height at which estimated contacts are marked
_MARGIN_S = 0.3
_CURVE_HZ = 120.0
_RIVAL_LINE: Any = {'color': colours.DARK_GREY, 'lw': 0.8, 'ls': ':'}


def draw_synchronization(
  path: pathlib.Path,
  name: str,
  estimate: force_curves.ForceCurves,
  leg_force: collections.abc.Mapping[str, np.ndarray],
  time_s: np.ndarray,
  body_weight_n: float,
  proposal: synchronization.Proposal,
) -> pathlib.Path:
  """Draws the vertical force of each leg, estimated at the proposed start and on the plates.

  The plates' curves are drawn where they decide the force. Grey areas are contacts on them,
  triangles those in the estimate, dashed lines the video's ends; a second start that fits is
  dotted. Without any start the estimate is not drawn.

  Args:
    path: of the PNG.
    name: the trial's.
    estimate: of the video's N frames.
    leg_force: leg -> (M, 3) newtons in plate axes, for the legs that have plates.
    time_s: (M,) force clock, seconds.
    body_weight_n: newtons.
    proposal: what `synchronization.find_start` said.
  """
  contacts = foot_contacts.find_contacts(estimate.time_s, estimate.force)
  plate_times_s, plates = _plate_curves(leg_force, time_s, body_weight_n)
  with style.figure_defaults():
    fig = style.new_figure(_WIDTH, _HEIGHT)
    panels = fig.subplots(len(conventions.LEGS), 1, sharex=True, sharey=True)
    handles: dict[str, Any] = {}
    for leg, (side, ax) in enumerate(zip(conventions.LEGS, panels, strict=True)):
      if side in leg_force:
        ax.plot(plate_times_s, plates[:, leg], label='plates', **style.TRUE_LINE)
        for c in plate_contacts.find_contacts(time_s, leg_force[side][:, 2]):
          ax.axvspan(c.start_s, c.end_s, color=colours.PALE_GREY, alpha=0.4, lw=0, zorder=0)
      own = [c for c in contacts if c.leg == side]
      for k, candidate in enumerate(proposal.candidates[:2][::-1], 1):
        start = candidate.video_start_s
        if k == len(proposal.candidates[:2]):
          line = {'lw': 1.5, 'label': f'estimated, {side}', **style.leg_line(leg)}
          _draw_marks(ax, own, start, leg)
        else:
          line = {'label': f'at {start:.3f} s, which fits too', **_RIVAL_LINE}
        ax.plot(estimate.time_s + start, estimate.force[:, leg, 0], **line)
      ax.set_ylabel(f'{side}, vertical (BW)')
      drawn, labels = ax.get_legend_handles_labels()
      handles |= dict(zip(labels, drawn, strict=True))
    for ax in panels:
      for end in (0, -1) if proposal.candidates else ():
        ax.axvline(proposal.video_start_s + estimate.time_s[end], color='black', lw=0.8, ls='--')
    panels[-1].set_xlim(*_shown_s(estimate, proposal, time_s))
    panels[-1].set_xlabel('time on the force clock (s)')
    fig.suptitle(_title(name, proposal), fontsize=style.TITLE_SIZE)
    fig.legend(
      list(handles.values()), list(handles), loc='outside lower center', ncols=len(handles),
      fontsize=style.SMALL_SIZE,
    )  # fmt: skip
    return style.save_figure(fig, path)


def _shown_s(
  estimate: force_curves.ForceCurves, proposal: synchronization.Proposal, time_s: np.ndarray
) -> tuple[float, float]:
  """Returns what the figure shows: the video where it may lie, or else all of the forces."""
  starts = [c.video_start_s for c in proposal.candidates[:2]]
  if not starts:
    return float(time_s[0]), float(time_s[-1])
  return min(starts) - _MARGIN_S, max(starts) + float(estimate.time_s[-1]) + _MARGIN_S


def _title(name: str, proposal: synchronization.Proposal) -> str:
  name = style.escape_formula(name)
  if not proposal.candidates:
    return f'{name}: no start is proposed [{proposal.problem}]'
  placed = f'{proposal.video_start_s:.3f} s, misfit {proposal.misfit_pct_bw:.1f} % of body weight'
  if proposal.problem:
    return f'{name}: not proposed [{proposal.problem}]; best {placed}'
  return f'{name}: begins at {placed}, within {1000 * proposal.uncertainty_s:.0f} ms'


def _plate_curves(
  leg_force: collections.abc.Mapping[str, np.ndarray], time_s: np.ndarray, body_weight_n: float
) -> tuple[np.ndarray, np.ndarray]:
  """Returns times (K,) and vertical forces (K, 2) in body weights, as labels have them.

  They are means over a frame's window, and NaN where the plates do not decide the force.
  """
  at_s = np.arange(time_s[0], time_s[-1], 1 / _CURVE_HZ)
  newtons, known, _ = force_labels.label_legs(leg_force, time_s, at_s, body_weight_n)
  return at_s, np.where(known, newtons[..., 2] / body_weight_n, np.nan)


def _draw_marks(
  ax: axes.Axes, contacts: list[foot_contacts.MeasuredContact], start: float, leg: int
) -> None:
  """Marks estimated contacts with a triangle up and toe-offs with one down."""
  for event, marker in (('contact_s', '^'), ('toe_off_s', 'v')):
    times = np.array([c.measures[event] for c in contacts])
    ax.plot(
      times + start, np.full(len(times), _MARKS_BW), lw=0, ms=4, marker=marker, mew=0,
      color=colours.LEGS[leg],
    )  # fmt: skip
