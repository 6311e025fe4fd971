"""Where each foot stood along a walk, seen from above and to scale: as data, and as a drawing.

A drawing is numbers alone, so that the pages of `predict` and of the application have the same one,
each with its own words.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from grfjax.gait import foot_contacts, force_curves, step_lengths

# Length of a foot in body heights (Winter, Biomechanics and Motor Control of Human Movement, 2009,
# after Drillis and Contini 1966): marks are drawn so long, as how long the foot is nobody measures.
FOOT_BH = 0.152
_DECIMALS = 4  # of a metre or a body height

# The outline of a left sole, seen from above: (forward, left) in foot lengths from its middle.
_OUTLINE = np.array([
  (-0.50, 0.00), (-0.48, 0.07), (-0.42, 0.12), (-0.30, 0.14), (-0.10, 0.14), (0.05, 0.16),
  (0.20, 0.19), (0.30, 0.19), (0.40, 0.14), (0.47, 0.06), (0.50, -0.03), (0.49, -0.10),
  (0.43, -0.15), (0.32, -0.18), (0.20, -0.18), (0.05, -0.13), (-0.10, -0.10), (-0.30, -0.12),
  (-0.42, -0.11), (-0.48, -0.06),
])  # fmt: skip

# A drawing's units are those of an SVG's view box.
WIDTH = 760
_MARGIN = 12
_MOST_PER_BH = 300.0  # units in a body height, at most: short walks are not drawn large
_LETTER_ROOM, _RULER_AT, _BELOW_RULER = 20, 32, 36
_BARS = (1.0, 0.5, 0.2, 0.1)  # lengths of the scale bar, the longest that has room
_BAR_WIDTH = 170  # units that it may take


def describe(
  estimate: force_curves.ForceCurves,
  contacts: list[foot_contacts.MeasuredContact],
  metres_per_bh: float,
) -> dict[str, Any] | None:
  """Returns where each foot stood, for a JSON file.

  Args:
    estimate: the curves of a video.
    contacts: of both feet, measured.
    metres_per_bh: metres in a body height; NaN where not known.

  Returns:
    'unit' ('m' or 'body heights'), 'foot_length' in that unit, and 'walks', each with axes of its
    own: 'marks', each with 'contact' (its number, from 1), 'leg', 'whole' (whether both its ends
    were seen), 'forward' and 'left' (the middle of the sole), 'step_length' (None where not known)
    and 'pressure', the way of the centre of pressure, (forward, left) of each frame. None where
    nobody knows where the feet stand.
  """
  if estimate.feet is None:
    return None
  unit, scale = ('body heights', 1.0) if math.isnan(metres_per_bh) else ('m', metres_per_bh)
  key = 'step_length_m' if unit == 'm' else 'step_length_bh'
  walks = []
  for frames in estimate.walks():
    time_s = estimate.time_s[frames]
    marks = []
    for number, contact in enumerate(contacts, 1):
      if not time_s[0] <= (contact.start_s + contact.end_s) / 2 <= time_s[-1]:
        continue
      sole = step_lengths.contact_mean(contact, time_s, scale * estimate.feet.sole[frames])
      if np.isfinite(sole).all():
        pressure = scale * estimate.feet.pressure[frames]
        way = step_lengths.contact_places(contact, time_s, pressure)
        step = contact.measures[key]
        marks.append({
          'contact': number,
          'leg': contact.leg,
          'whole': contact.is_whole,
          'forward': round(float(sole[0]), _DECIMALS),
          'left': round(float(sole[1]), _DECIMALS),
          'step_length': round(step, _DECIMALS) if math.isfinite(step) else None,
          'pressure': np.round(way, _DECIMALS).tolist(),
        })  # fmt: skip
    if marks:
      walks.append({'marks': marks})
  return {'unit': unit, 'foot_length': round(FOOT_BH * scale, _DECIMALS), 'walks': walks}


@dataclasses.dataclass(frozen=True)
class Mark:
  """A foot on the floor.

  Attributes:
    leg: 'left' or 'right'.
    whole: whether both ends of the contact were seen.
    outline: (P, 2) of the sole, x and y of the drawing.
    pressure: (K, 2) the way of the centre of pressure, likewise.
    letter: x and y of the leg's letter, its middle and its base line.
  """

  leg: str
  whole: bool
  outline: np.ndarray
  pressure: np.ndarray
  letter: tuple[float, float]

  @property
  def outline_path(self) -> str:
    """The sole as the path of an SVG."""
    return f'{_path(self.outline)}Z'

  @property
  def pressure_path(self) -> str:
    """The way of the centre of pressure likewise."""
    return _path(self.pressure)


@dataclasses.dataclass(frozen=True)
class Step:
  """A step on the ruler below the marks.

  Attributes:
    leg: that makes it.
    start, end: x of the middles of the other foot's and of this foot's sole.
    length: in the unit of the marks.
  """

  leg: str
  start: float
  end: float
  length: float


@dataclasses.dataclass(frozen=True)
class Drawing:
  """The marks of a walk, which goes to the right.

  Attributes:
    width, height: of the drawing.
    marks: in order of time.
    steps: those whose length is known.
    ruler: y of the steps.
    bar: length of the scale bar in the unit of the marks, and x of its two ends.
  """

  width: int
  height: int
  marks: list[Mark]
  steps: list[Step]
  ruler: float
  bar: tuple[float, float, float]


def draw(content: dict[str, Any]) -> list[Drawing]:
  """Returns a drawing of each walk, all to one scale.

  Args:
    content: of `describe`, with a walk at least.
  """
  foot = content['foot_length']
  walks = [walk['marks'] for walk in content['walks']]
  spans = [np.array([_reach(mark) for mark in marks]) for marks in walks]
  extents = [np.ptp(span.reshape(-1, 2), axis=0) + [foot, 0.4 * foot] for span in spans]
  longest = max(extent[0] for extent in extents)
  scale = min((WIDTH - 2 * _MARGIN) / longest, _MOST_PER_BH * FOOT_BH / foot)
  return [
    _draw_walk(marks, span.reshape(-1, 2), foot, scale)
    for marks, span in zip(walks, spans, strict=True)
  ]


def _reach(mark: dict[str, Any]) -> np.ndarray:
  """Returns the least and the greatest place (2, 2) of a sole and its centre of pressure."""
  places = np.array([(mark['forward'], mark['left']), *mark['pressure']])
  return np.stack([places.min(0), places.max(0)])


def _draw_walk(
  marks: list[dict[str, Any]], places: np.ndarray, foot: float, scale: float
) -> Drawing:
  """Places the marks of a walk.

  Args:
    marks: of `describe`.
    places: (K, 2) least and greatest places of these.
    foot: length of a foot.
    scale: units of the drawing in one of theirs.
  """
  first = places[:, 0].min() - foot / 2
  leftmost, rightmost = places[:, 1].max() + 0.2 * foot, places[:, 1].min() - 0.2 * foot

  def place(points: np.ndarray) -> np.ndarray:
    x = _MARGIN + scale * (points[..., 0] - first)
    y = _LETTER_ROOM + scale * (leftmost - points[..., 1])
    return np.stack([x, y], -1).round(1)

  floor = _LETTER_ROOM + scale * (leftmost - rightmost)
  drawn, steps, before = [], [], None
  for mark in marks:
    is_left = mark['leg'] == 'left'
    middle = np.array([mark['forward'], mark['left']])
    outline = place(middle + foot * _OUTLINE * [1, 1 if is_left else -1])
    x = float(place(middle)[0])
    # The left foot's letter stands above it, the right one's below.
    y = float(outline[:, 1].min() - 5 if is_left else outline[:, 1].max() + 13)
    way = np.array(mark['pressure']).reshape(-1, 2)
    drawn.append(Mark(mark['leg'], mark['whole'], outline, place(way), (x, round(y, 1))))
    if mark['step_length'] is not None and before is not None:
      steps.append(Step(mark['leg'], before, x, mark['step_length']))
    before = x
  ruler = round(floor + _RULER_AT, 1)
  bar = next((b for b in _BARS if b * scale <= _BAR_WIDTH), _BARS[-1])
  height = math.ceil(ruler + _BELOW_RULER)
  return Drawing(
    WIDTH, height, drawn, steps, ruler, (bar, _MARGIN, round(_MARGIN + bar * scale, 1))
  )


def _path(points: np.ndarray) -> str:
  return 'M' + 'L'.join(f'{x:g} {y:g}' for x, y in points) if len(points) else ''
