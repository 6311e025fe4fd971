"""The figure of an examined trial: what its plates measured, beside when its video runs.

Drawn as SVG by a template, without matplotlib: a page has hundreds of them, and they follow its
colours in the dark.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator

import markupsafe
import numpy as np

from grfjax import conventions
from grfjax.data import trial_check
from grfjax.report import html_templates

_WIDTH, _HEIGHT = 720, 262  # of the figure, in its own units
_LEFT, _RIGHT = 52, 710  # of the panels
_VERTICAL = (10, 130)  # top and bottom of the panel of vertical forces
_FORWARD = (142, 192)  # of that of forward forces
_BARS = (200, 214)  # tops of the bars of the left and the right leg
_BAR_HEIGHT = 10
_AXIS = 230
_LEAST_VERTICAL_BW, _LEAST_FORWARD_BW = 1.2, 0.25  # that the panels reach at least
_MOST_TICKS = 9


@dataclasses.dataclass(frozen=True)
class _Box:
  """A rectangle.

  Attributes:
    kind: what it shows, the name of its style.
    x: left edge.
    y: upper edge.
    width: to the right.
    height: downwards.
  """

  kind: str
  x: float
  y: float
  width: float
  height: float


def draw_trial(check: trial_check.TrialCheck) -> markupsafe.Markup:
  """Returns the figure as SVG; '' where there are no forces to draw."""
  plates = check.plates
  if plates is None:
    return markupsafe.Markup('')
  drawing = _Drawing(check, plates)
  return html_templates.render_part(
    'check_figure.html.j2',
    width=_WIDTH,
    height=_HEIGHT,
    left=_LEFT,
    right=_RIGHT,
    axis=_AXIS,
    label=_describe(check, plates),
    boxes=list(drawing.boxes()),
    curves=list(drawing.curves()),
    time_ticks=drawing.time_ticks(),
    force_ticks=list(drawing.force_ticks()),
    bars=[(f'{leg} leg', top + _BAR_HEIGHT - 1) for leg, top in zip('LR', _BARS, strict=True)],
    time_label=_time_label(plates),
  )


def _describe(check: trial_check.TrialCheck, plates: trial_check.PlateFacts) -> str:
  """Returns what the figure shows, for readers who cannot see it."""
  contacts = ' and '.join(
    f'{len(plates.contacts.get(leg, []))} contacts of the {leg} leg' for leg in conventions.LEGS
  )
  return (
    f'Vertical and forward force of both legs in trial {check.name} over time, with {contacts}.'
  )


def _time_label(plates: trial_check.PlateFacts) -> str:
  if plates.start_s is None:
    return "time on the force plates' clock (s); the video has no place on it"
  return "time on the video's clock (s)"


class _Drawing:
  """Places what a figure shows."""

  def __init__(self, check: trial_check.TrialCheck, plates: trial_check.PlateFacts):
    self._check, self._plates = check, plates
    first, last = float(plates.time_s[0]), float(plates.time_s[-1])
    self._video_s = None
    if plates.start_s is not None and check.video is not None:
      self._video_s = (0.0, check.video.duration_s)
      first, last = min(first, 0.0), max(last, check.video.duration_s)
    self._first_s, self._last_s = first, max(last, first + 1e-3)
    self._legs = [leg for leg in conventions.LEGS if leg in plates.contacts]
    sizes = np.nan_to_num(np.abs(plates.force)).max((0, 1))
    self._most_vertical = max(_LEAST_VERTICAL_BW, 1.05 * float(sizes[2]))
    self._most_forward = max(_LEAST_FORWARD_BW, 1.05 * float(sizes[0]))

  def _x(self, time_s: float) -> float:
    share = (time_s - self._first_s) / (self._last_s - self._first_s)
    return round(_LEFT + share * (_RIGHT - _LEFT), 1)

  def _span(self, kind: str, span: trial_check.Span, top: float, bottom: float) -> _Box:
    start, end = (min(max(t, self._first_s), self._last_s) for t in span)
    x = self._x(start)
    return _Box(kind, x, top, round(max(self._x(end) - x, 0.0), 1), bottom - top)

  def boxes(self) -> Iterator[_Box]:
    """Yields the spans of the video, of what is withheld, known, and on a plate."""
    top, bottom = _VERTICAL[0], _FORWARD[1]
    if self._video_s is not None:
      yield self._span('video', self._video_s, top, bottom)
    for span in self._check.video.withheld if self._check.video and self._video_s else ():
      yield self._span('withheld', span, top, bottom)
    if self._check.labels is not None:
      near_far = conventions.near_far_to_legs(self._check.camera)
      for i, leg in enumerate(near_far):
        for span in self._check.labels.known_spans[i]:
          yield self._span(f'known {conventions.LEGS[leg]}', span, *self._bar(leg))
    for name in self._legs:
      for contact in self._plates.contacts[name]:
        leg = conventions.LEGS.index(name)
        low, high = self._bar(leg)
        yield self._span(f'contact {name}', (contact.start_s, contact.end_s), low + 3, high - 3)

  @staticmethod
  def _bar(leg: int) -> tuple[float, float]:
    return _BARS[leg], _BARS[leg] + _BAR_HEIGHT

  def curves(self) -> Iterator[tuple[str, str]]:
    """Yields the curves: kind, and the path of an SVG file."""
    for name in self._legs:
      leg = conventions.LEGS.index(name)
      force = self._plates.force[:, leg]
      yield name, self._path(map(self._vertical_y, force[:, 2].tolist()))
      yield name, self._path(map(self._forward_y, force[:, 0].tolist()))

  def _vertical_y(self, force: float) -> float:
    top, bottom = _VERTICAL
    return bottom - (bottom - top) * force / self._most_vertical

  def _forward_y(self, force: float) -> float:
    top, bottom = _FORWARD
    return (top + bottom) / 2 - (bottom - top) / 2 * force / self._most_forward

  def _path(self, rows: Iterable[float]) -> str:
    parts, pen_is_down = [], False
    for time_s, y in zip(self._plates.time_s.tolist(), rows, strict=True):
      if math.isfinite(y):
        parts.append(f'{"L" if pen_is_down else "M"}{self._x(time_s):.1f} {y:.1f}')
      pen_is_down = math.isfinite(y)
    return ''.join(parts)

  def time_ticks(self) -> list[tuple[float, str]]:
    """Returns places and labels of the axis of time."""
    duration = self._last_s - self._first_s
    steps = (step * 10**power for power in range(-2, 5) for step in (1, 2, 5))
    step = next(s for s in steps if duration / s <= _MOST_TICKS)
    numbers = range(math.ceil(self._first_s / step), math.floor(self._last_s / step) + 1)
    return [(self._x(n * step), f'{n * step:g}') for n in numbers]

  def force_ticks(self) -> Iterator[tuple[float, str]]:
    """Yields rows and labels of the scales of force, body weights."""
    for tenths in range(0, int(10 * self._most_vertical) + 1, 5):
      yield round(self._vertical_y(tenths / 10), 1), f'{tenths / 10:g}'
    yield self._forward_y(0.0), '0'
