"""What the templates are given, as `README.md` lists it: texts in the reader's language."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from grfjax import conventions
from grfjax.app import charts, rendering, results, store, texts
from grfjax.report import speed_scale, walk_highlights

Values = dict[str, Any]


def numbers_of_day(walks: Sequence[store.Walk]) -> dict[str, int]:
  """Returns id -> 1, 2, ... of the walks of a day in the order in which they came; 0 if alone.

  Args:
    walks: all of a person, the newest first.
  """
  days: dict[str, list[str]] = {}
  for walk in reversed(walks):
    days.setdefault(walk.filmed_on, []).append(walk.id)
  return {
    walk: number if len(day) > 1 else 0
    for day in days.values()
    for number, walk in enumerate(day, 1)
  }


def walk_view(walk: store.Walk, page: rendering.Page, of_day: int = 0) -> Values:
  """Returns a walk, with the findings of its check as sentences.

  Args:
    walk: the walk.
    page: of the reader.
    of_day: its number, of `numbers_of_day`.
  """
  view = dataclasses.asdict(walk)
  found = view.pop('film_check')
  if found is not None:
    found.setdefault('contacts', None)  # of a check by an older version
    found['findings'] = [
      {'code': f['code'], 'level': f['level'], 'text': texts.finding(f, page.translate)}
      for f in found['findings']
    ]
  return view | {'check': found, 'of_day': of_day}


def headline(result: results.WalkResult, page: rendering.Page) -> list[Values]:
  """Returns the measures of a walk, both legs in a row."""
  rows = []
  for measure in results.MEASURES:
    legs = results.legs_of(measure)
    means = [
      _mean(result.value(measure, leg), result.count(measure, leg), measure, page) for leg in legs
    ]
    if any(mean['count'] for mean in means):
      rows.append(_named(measure, page) | {'legs': means})
  return rows


def short_view(result: results.WalkResult, page: rendering.Page) -> Values:
  """Returns what the report says first as well."""
  short = walk_highlights.highlights(result.content)
  return {
    'camera': short.camera,
    'cadence': _highlight(short.cadence, results.CADENCE, page),
    'speed': _speed(short, page),
    'published': _published(result.content.get('published_speed'), page),
    'scale': _scale(result, page),
    'marks': _marks(result, page),
    'measures': [
      _named(measure, page)
      | {'legs': [_highlight(means[measure], measure, page) for means in short.legs.values()]}
      for measure in short.measures
    ],
    'legs': [
      {
        'leg': leg,
        'has_estimate': short.has_estimate[leg],
        'means': [
          _named(measure, page) | _highlight(mean, measure, page) for measure, mean in means.items()
        ],
      }
      for leg, means in short.legs.items()
    ],
    'asymmetry': [
      (page.translate(walk_highlights.label(measure)), _signed(index, 0, page))
      for measure, index in short.asymmetry_pct.items()
    ],
    'strides': short.strides,
    'total': '' if short.total_bw is None else page.number(short.total_bw, 2),
  }


def _speed(short: walk_highlights.Highlights, page: rendering.Page) -> Values:
  """Returns the walking speed in metres, or else in body heights."""
  in_metres = short.speed.value is not None
  measure = 'walking_speed_mps' if in_metres else 'walking_speed_bh_per_s'
  mean = short.speed if in_metres else short.speed_bh
  return _named(measure, page) | _highlight(mean, measure, page)


def _published(speed: Values | None, page: rendering.Page) -> Values | None:
  """Returns how fast people of the walker's age walk; None where that is not known."""
  if speed is None:
    return None
  digits = results.digits('walking_speed_mps')
  return speed | {name: page.number(speed[name], digits) for name in ('women_mps', 'men_mps')}


def _scale(result: results.WalkResult, page: rendering.Page) -> Values | None:
  """Returns the walking speed beside what is published; None where there is nothing beside it."""
  scale = speed_scale.draw(result.content)
  if scale is None:
    return None
  digits = results.digits(scale.measure)
  published = scale.published
  return {
    'drawing': scale,
    'height': speed_scale.HEIGHT, 'width': speed_scale.WIDTH,
    'band': speed_scale.BAND, 'axis': speed_scale.AXIS,
    'value': page.number(scale.value, digits),
    'unit': page.translate(results.MEASURES[scale.measure].unit),
    'ticks': [(x, page.number(value, 1)) for x, value in scale.ticks],
    'range': published and published | {
      'mean': page.number(published['mean'], digits), 'sd': page.number(published['sd'], digits),
    },
  }  # fmt: skip


def _marks(result: results.WalkResult, page: rendering.Page) -> Values | None:
  """Returns where the feet stood, with lengths as texts; None where that is not known."""
  drawings = result.draw_marks()
  if not drawings:
    return None
  unit = result.content['foot_marks']['unit']
  return {
    'unit': page.translate(unit),
    'walks': [
      {
        'drawing': drawing,
        'steps': [(step, page.number(step.length, 2)) for step in drawing.steps],
        'bar': page.number(drawing.bar[0], 1),
        'counts': [sum(mark.leg == leg for mark in drawing.marks) for leg in conventions.LEGS],
      }
      for drawing in drawings
    ],
  }


def _highlight(mean: walk_highlights.Mean, measure: str, page: rendering.Page) -> Values:
  value = math.nan if mean.value is None else mean.value
  newtons = '' if mean.newtons is None else page.number(mean.newtons)
  return _mean(value, mean.count, measure, page) | {'newtons': newtons}


def comparison_rows(rows: Sequence[results.Comparison], page: rendering.Page) -> list[Values]:
  """Returns two walks side by side, a row for each measure and leg."""
  return [
    _named(row.measure, page)
    | {
      'leg': page.translate(texts.LEGS[row.leg]) if row.leg else '',
      'first': _mean(row.first, row.counts[0], row.measure, page),
      'second': _mean(row.second, row.counts[1], row.measure, page),
      'difference': _signed(row.difference, results.digits(row.measure), page),
      'smallest_change': _value(row.smallest_change, row.measure, page),
      'beyond': row.beyond,
    }
    for row in rows
  ]


def chart_views(
  drawn: Sequence[charts.Chart], page: rendering.Page, of_day: dict[str, int]
) -> list[Values]:
  """Returns charts with their numbers as texts; `of_day` is of `numbers_of_day`."""
  views = []
  for chart in drawn:
    write = lambda value, measure=chart.measure: _value(value, measure, page)
    names = _named(chart.measure, page)
    change = write(chart.smallest_change)
    views.append(
      names
      | {
        'name': chart.measure,
        'definition': results.MEASURES[chart.measure].definition,
        'width': charts.WIDTH, 'height': charts.HEIGHT,
        'left': charts.LEFT, 'right': charts.RIGHT, 'top': charts.TOP, 'bottom': charts.BOTTOM,
        'x_ticks': chart.x_ticks,
        'y_ticks': _tick_texts(chart.y_ticks, page),
        'series': [
          {
            'leg': line.leg,
            'points': [(x, y, write(value)) for x, y, value in line.points],
            'path': line.path,
            'band': line.band,
          }
          for line in chart.series
        ],
        'smallest_change': '' if change == rendering.UNDEFINED else f'{change} {names["unit"]}',
        'table': [
          (walk.filmed_on, of_day[walk.id], [write(value) for value in values])
          for walk, values in chart.table
        ],
      }
    )  # fmt: skip
  return views


def _named(measure: str, page: rendering.Page) -> Values:
  definition = results.MEASURES[measure]
  return {'label': page.translate(definition.label), 'unit': page.translate(definition.unit)}


def _value(value: float, measure: str, page: rendering.Page) -> str:
  return page.number(value, results.digits(measure))


def _mean(value: float, count: int, measure: str, page: rendering.Page) -> Values:
  """Returns a mean with the number of values that it rests on, and whether these are few."""
  return {
    'text': _value(value, measure, page),
    'count': count,
    'few': 0 < count < results.ENOUGH_VALUES,
  }


def _signed(value: float, digits: int, page: rendering.Page) -> str:
  """Returns a number with its sign, but for what is written as 0; `UNDEFINED` of NaN."""
  shown = round(value, digits) + 0.0  # without the sign of -0.0
  return f'{"+" if shown > 0 else ""}{page.number(shown, digits)}'


def _tick_texts(
  ticks: Sequence[tuple[float, float]], page: rendering.Page
) -> list[tuple[float, str]]:
  """Returns ticks with as many digits as they need."""
  values = [value for _, value in ticks]
  digits = next((d for d in range(4) if np.allclose(np.round(values, d), values)), 4)
  return [(y, page.number(value, digits)) for y, value in ticks]
