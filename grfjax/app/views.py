"""What the templates are given, as `README.md` lists it: texts in the reader's language."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from grfjax.app import charts, rendering, results, store, texts
from grfjax.report import walk_highlights

Values = dict[str, Any]


def walk_view(walk: store.Walk, page: rendering.Page) -> Values:
  """Returns a walk, with the findings of its check as sentences."""
  view = dataclasses.asdict(walk)
  found = view.pop('film_check')
  if found is not None:
    found['findings'] = [
      {'code': f['code'], 'level': f['level'], 'text': texts.finding(f, page.translate)}
      for f in found['findings']
    ]
  return view | {'check': found}


def headline(result: results.WalkResult, page: rendering.Page) -> list[Values]:
  """Returns the measures of a walk, both legs in a row."""
  rows = []
  for measure in results.MEASURES:
    legs = results.legs_of(measure)
    values = [_value(result.value(measure, leg), measure, page) for leg in legs]
    if any(value != rendering.UNDEFINED for value in values):
      rows.append(_named(measure, page) | {'left': values[0], 'right': values[-1]})
  return rows


def short_view(result: results.WalkResult, page: rendering.Page) -> Values:
  """Returns what the report says first as well."""
  short = walk_highlights.highlights(result.content)
  write = lambda mean, measure: _value(math.nan if mean is None else mean, measure, page)
  return {
    'camera': short.camera,
    'cadence': write(short.cadence.value, results.CADENCE),
    'measures': [
      _named(measure, page)
      | {leg: write(short.legs[leg][measure].value, measure) for leg in short.legs}
      for measure in walk_highlights.HEADLINE
    ],
    'legs': [
      {
        'leg': leg,
        'has_estimate': short.has_estimate[leg],
        'contacts': means[walk_highlights.HEADLINE[0]].count,
        'means': [
          _named(measure, page)
          | {
            'text': write(mean.value, measure),
            'newtons': '' if mean.newtons is None else page.number(mean.newtons),
          }
          for measure, mean in means.items()
          if mean.value is not None
        ],
      }
      for leg, means in short.legs.items()
    ],
    'asymmetry': [
      (page.translate(results.MEASURES[measure].label), _signed(index, 0, page))
      for measure, index in short.asymmetry_pct.items()
    ],
    'strides': short.strides,
    'total': '' if short.total_bw is None else page.number(short.total_bw, 2),
  }


def comparison_rows(rows: Sequence[results.Comparison], page: rendering.Page) -> list[Values]:
  """Returns two walks side by side, a row for each measure and leg."""
  return [
    _named(row.measure, page)
    | {
      'leg': page.translate(texts.LEGS[row.leg]) if row.leg else '',
      'first': _value(row.first, row.measure, page),
      'second': _value(row.second, row.measure, page),
      'difference': _value(row.difference, row.measure, page),
      'smallest_change': _value(row.smallest_change, row.measure, page),
      'beyond': row.beyond,
    }
    for row in rows
  ]


def chart_views(drawn: Sequence[charts.Chart], page: rendering.Page) -> list[Values]:
  """Returns charts with their numbers as texts."""
  views = []
  for chart in drawn:
    write = lambda value, measure=chart.measure: _value(value, measure, page)
    names = _named(chart.measure, page)
    change = write(chart.smallest_change)
    legs = [[row[-1][0], row[-1][-1]] for row in chart.table]
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
          (row[0], *map(write, both)) for row, both in zip(chart.table, legs, strict=True)
        ],
      }
    )  # fmt: skip
  return views


def _named(measure: str, page: rendering.Page) -> Values:
  definition = results.MEASURES[measure]
  return {'label': page.translate(definition.label), 'unit': page.translate(definition.unit)}


def _value(value: float, measure: str, page: rendering.Page) -> str:
  return page.number(value, results.DIGITS.get(results.MEASURES[measure].unit, 0))


def _signed(value: float, digits: int, page: rendering.Page) -> str:
  """Returns a number with its sign, but for what is written as 0."""
  shown = round(value, digits) + 0.0  # without the sign of -0.0
  return f'{"+" if shown > 0 else ""}{page.number(shown, digits)}'


def _tick_texts(
  ticks: Sequence[tuple[float, float]], page: rendering.Page
) -> list[tuple[float, str]]:
  """Returns ticks with as many digits as they need."""
  values = [value for _, value in ticks]
  digits = next((d for d in range(4) if np.allclose(np.round(values, d), values)), 4)
  return [(y, page.number(value, digits)) for y, value in ticks]
