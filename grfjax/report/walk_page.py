"""The HTML page of one video's result."""

from __future__ import annotations

import pathlib

from grfjax import conventions
from grfjax.gait import gait_measures
from grfjax.report import (
  foot_marks,
  html_templates,
  page_parts,
  speed_scale,
  text_table,
  walk_highlights,
  walk_prediction,
  walk_tables,
  walk_text,
)


def walk_page(prediction: walk_prediction.Prediction, figure: pathlib.Path) -> str:
  """Returns the page as HTML.

  Args:
    prediction: the result.
    figure: PNG of its curves.
  """
  content = prediction.content
  measures = gait_measures.EVENTS | gait_measures.MEASURES | gait_measures.WALK_MEASURES
  return html_templates.render_page(
    'walk.html.j2',
    title=f'Ground reaction forces: {content["name"]}',
    headline=_headline(walk_highlights.highlights(content)),
    summary=[
      walk_text.describe_recording(content),
      *walk_text.result_sentences(prediction),
      walk_text.BODY_WEIGHT,
    ],
    flags=content['quality']['flags'],
    scale=speed_scale.draw(content),
    published=content['published_speed'],
    unit=content['foot_marks']['unit'] if content['foot_marks'] else '',
    marks=_foot_marks(content),
    picture=page_parts.Picture(figure, _describe_figure(content), _caption(content)),
    tables=[walk_tables.measures_table(content), *walk_tables.contact_tables(content)],
    errors=walk_text.describe_errors(content),
    origin=walk_text.describe_origin(content),
    measures=list(measures.values()),
  )


def _headline(short: walk_highlights.Highlights) -> list[tuple[str, str]]:
  """Returns the large numbers at the top: (number, what it is)."""
  cadence = text_table.format_value(short.cadence.value, walk_tables.WHOLE)
  numbers = [(cadence, 'cadence, steps a minute')]
  if short.speed.value is not None:
    numbers.append((f'{short.speed.value:.2f}', 'walking speed, m/s'))
  elif short.speed_bh.value is not None:
    numbers.append((f'{short.speed_bh.value:.2f}', 'walking speed, body heights a second'))
  for name in short.measures:
    measure = gait_measures.MEASURES[name]
    means = (short.legs[leg][name].value for leg in conventions.LEGS)
    both = ' | '.join(text_table.format_value(mean, '.2f') for mean in means)
    numbers.append((both, f'{walk_highlights.label(name).lower()} ({measure.unit}), left | right'))
  return numbers


def _foot_marks(content: walk_prediction.Content) -> list[tuple[foot_marks.Drawing, str]]:
  """Returns each walk's foot marks, and what they show for readers who cannot see it."""
  feet = content['foot_marks']
  if not (feet and feet['walks']):
    return []
  drawings = foot_marks.draw(feet)
  alone = len(drawings) == 1
  return [
    (drawing, _describe_marks(drawing, feet['unit'], '' if alone else f' in walk {number}'))
    for number, drawing in enumerate(drawings, 1)
  ]


def _describe_marks(drawing: foot_marks.Drawing, unit: str, where: str) -> str:
  counts = ' and '.join(
    f'{sum(mark.leg == leg for mark in drawing.marks)} of the {leg} foot'
    for leg in conventions.LEGS
  )
  steps = ', '.join(f'{step.leg} {step.length:.2f}' for step in drawing.steps) or 'none known'
  return f'Foot marks{where}, seen from above and to scale: {counts}. Steps, {unit}: {steps}.'


def _describe_figure(content: walk_prediction.Content) -> str:
  """Returns what the figure shows, for readers who cannot see it."""
  return (
    'Estimated vertical force of the left and right leg over time, with '
    f'{content["quality"]["contacts"]} foot contacts marked below the curves, and every whole '
    'stance of each leg from 0 to 100 %. The numbers are in the tables below.'
  )


def _caption(content: walk_prediction.Content) -> str:
  share = content['run']['interval_share']
  parts = ['Left leg blue and solid, right leg orange and dashed; bars: the foot is in contact.']
  if share:
    parts.append(f'Shaded over time: where the true force lies in {share:.0%} of stance.')
  parts.append('Below: every whole stance thin, their mean thick, one standard deviation shaded.')
  if content['errors']:
    parts.append('Gray: what the force plates measured.')
  return ' '.join(parts)
