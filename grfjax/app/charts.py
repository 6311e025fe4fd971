"""Measures over time as places in a picture, which a template draws as SVG."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Sequence

import numpy as np
from matplotlib import ticker

from grfjax.app import results, store

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 68, 624, 16, 220  # the plot's edges
_MARGIN = 0.08  # of the values' range, above and below
_LEAST = 0.05  # of the value: what hardly changes is not drawn as if it did
_DATE_WIDTH = 150.0  # of a date below the plot, as large as a phone needs it


@dataclasses.dataclass(frozen=True)
class Series:
  """A leg's values over time.

  Attributes:
    leg: 'left', 'right' or ''.
    points: (x, y, value) in order of time.
    path: an SVG path through them.
    band: an SVG path of the smallest change about the first value; '' where it is not known.
  """

  leg: str
  points: list[tuple[float, float, float]]
  path: str
  band: str


@dataclasses.dataclass(frozen=True)
class Chart:
  """A measure over time.

  Attributes:
    measure: of `results.MEASURES`.
    smallest_change: NaN where it is not known.
    x_ticks: (x, date as 'YYYY-MM-DD').
    y_ticks: (y, value).
    series: of each leg.
    table: (walk, values of each leg) of each walk, the oldest first.
  """

  measure: str
  smallest_change: float
  x_ticks: list[tuple[float, str]]
  y_ticks: list[tuple[float, float]]
  series: list[Series]
  table: list[tuple[store.Walk, list[float]]]


def draw_charts(walks: Sequence[results.WalkResult], known: results.Repeatability) -> list[Chart]:
  """Returns a chart of every measure that any of a person's walks has.

  Args:
    walks: of one person, the oldest first.
    known: the smallest changes.
  """
  charts = []
  for measure in results.MEASURES:
    legs = results.legs_of(measure)
    values = np.array([[walk.value(measure, leg) for leg in legs] for walk in walks])
    if np.isfinite(values).any():
      filmed = [walk.walk for walk in walks]
      charts.append(_chart(measure, filmed, values, known.smallest_change(measure)))
  return charts


def _chart(measure: str, walks: list[store.Walk], values: np.ndarray, change: float) -> Chart:
  """Lays a measure out.

  Args:
    measure: its name.
    walks: K, the oldest first.
    values: (K, legs).
    change: the smallest that means something, or NaN.
  """
  legs = results.legs_of(measure)
  dates = [walk.filmed_on for walk in walks]
  first = [column[np.isfinite(column)][:1] for column in values.T]
  half = 0.0 if math.isnan(change) else change
  shown = np.concatenate([values[np.isfinite(values)], *(f + half for f in first), *(
    f - half for f in first
  )])  # fmt: skip
  low, high = _range(float(shown.min()), float(shown.max()))
  y = lambda value: round(BOTTOM - (value - low) / (high - low) * (BOTTOM - TOP), 1)
  x = _places(dates)
  series = []
  for leg, column, start in zip(legs, values.T, first, strict=True):
    points = [(x[k], y(v), float(v)) for k, v in enumerate(column) if math.isfinite(v)]
    path = 'M' + 'L'.join(f'{a} {b}' for a, b, _ in points) if points else ''
    band = ''
    if start.size and half:
      above, below = y(start[0] + half), y(start[0] - half)
      band = f'M{LEFT} {above}H{RIGHT}V{below}H{LEFT}Z'
    series.append(Series(leg, points, path, band))
  ticks = ticker.MaxNLocator(5).tick_values(low, high)
  return Chart(
    measure,
    change,
    _x_ticks(x, dates),
    [(y(v), float(v)) for v in ticks if low <= v <= high],
    series,
    [(walk, row.tolist()) for walk, row in zip(walks, values, strict=True)],
  )


def _range(low: float, high: float) -> tuple[float, float]:
  """Returns values a little below and above."""
  margin = max(_MARGIN * (high - low), _LEAST * abs(high)) or 1.0
  return low - margin, high + margin


def _x_ticks(places: list[float], dates: list[str]) -> list[tuple[float, str]]:
  """Returns the newest date, and of the others those that have room beside each other."""
  ticks: list[tuple[float, str]] = []
  for x, date in sorted(set(zip(places, dates, strict=True)), reverse=True):
    if not ticks or ticks[-1][0] - x >= _DATE_WIDTH:
      ticks.append((x, date))
  return ticks[::-1]


def _places(dates: list[str]) -> list[float]:
  """Returns the columns of dates; of a single one the middle."""
  days = [datetime.date.fromisoformat(date).toordinal() for date in dates]
  span = max(days) - min(days)
  if not span:
    return [(LEFT + RIGHT) / 2] * len(days)
  return [round(LEFT + 20 + (day - min(days)) / span * (RIGHT - LEFT - 40), 1) for day in days]
