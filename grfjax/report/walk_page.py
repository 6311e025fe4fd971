"""The HTML page of one video's result, and the list of all results; each a file by itself."""

from __future__ import annotations

import pathlib
import urllib.parse
from typing import Any

from grfjax import conventions
from grfjax.gait import contact_comparison, gait_measures
from grfjax.report import html_page, text_table

Content = dict[str, Any]  # of a STEM.json, see `prediction_files.Prediction.content`


_NOT_MEDICAL = (
  'This is research software, not a medical device: do not diagnose or treat anyone by it.'
)

_FORMATS = {'s': '.2f', 'BW': '.2f', 'BW s': '.3f', 'BW/s': '.1f'}  # by unit; others below

_WHOLE = '.0f'

_BW = 'Forces are in body weights (BW): 1 BW is what the person weighs, standing still.'


def walk_page(content: Content, picture: pathlib.Path, words: list[str]) -> str:
  """The page of one video.

  Args:
    content: of its STEM.json.
    picture: its figure, already drawn.
    words: the result in plain sentences.
  """
  about = f'Video: {content["video"]}.'
  if content['subject']:
    about += f' Subject: {content["subject"]}.'
  if content['body_mass_kg'] is not None:
    about += f' Body mass: {content["body_mass_kg"]:g} kg.'
  parts = [
    _numbers(content),
    html_page.section('In short', [about, *words, _BW]),
    html_page.section('What to be careful about', [], _flags(content)),
    html_page.section(
      'Curves', [], html_page.Picture(picture, _alt(content), _caption(content)).html()
    ),
    html_page.section(
      'Numbers',
      [],
      html_page.table_html(_measures(content))
      + ''.join(map(html_page.table_html, _contacts(content))),
    ),
  ]
  if content['errors']:
    parts.append(html_page.section('Against the force plates', _errors(content['errors'])))
  parts += [
    html_page.section('How it was made', _made(content)),
    html_page.section('What the words mean', [], html_page.definitions(_definitions())),
  ]
  return html_page.document(f'Ground reaction forces: {content["name"]}', parts)


def index_page(every: list[Content], failures: list[str]) -> str:
  """The list of all results in a folder, each with a link to its page beside the list.

  Args:
    every: of their STEM.json.
    failures: why trials have no result.
  """
  rows = tuple(
    (
      c['name'], c['subject'], c['summary']['cadence_steps_per_min']['mean'],
      *(c['summary'][leg][name]['mean'] for name in _MAIN for leg in conventions.LEGS),
      c['quality']['mean_total_bw'],
      c['errors'] and c['errors']['vertical']['mae_pct_bw'],
      len(c['quality']['flags']),
    )
    for c in every
  )  # fmt: skip
  columns: tuple[str, ...] = ('trial', 'subject', 'cadence, steps/min')
  columns += tuple(
    f'{leg} {m.label.lower()}, {m.unit}'
    for m in (gait_measures.MEASURES[name] for name in _MAIN)
    for leg in conventions.LEGS
  )
  columns += ('both legs over a stride, BW', 'error, % BW', 'flags')
  formats = ('', '', _WHOLE, *('.2f',) * (2 * len(_MAIN)), '.2f', '.1f', 'd')
  table = text_table.Table(
    'trials',
    f'{len(rows)} results',
    'Means of each; a dash: undefined or not measured.',
    columns,
    formats,
    rows,
    (
      'Both legs over a stride: their mean vertical force together, which physics says is 1. '
      'Error: mean absolute error of vertical force in stance, where force plates told the truth. '
      "Flags: what to be careful about, on the trial's page.",
    ),
  )
  links = {c['name']: urllib.parse.quote(f'{c["name"]}.html') for c in every}
  parts = [html_page.section('Results', [_BW], html_page.table_html(table, links))]
  if failures:
    parts.append(html_page.section('Trials that failed', [], html_page.bullets(failures)))
  parts.append(html_page.section('What not to do with it', [_NOT_MEDICAL]))
  return html_page.document('Ground reaction forces from walking videos', parts)


_MAIN = ('stance_s', 'first_peak_bw', 'second_peak_bw')


def _numbers(content: Content) -> str:
  """The large numbers at the top."""
  summary = content['summary']
  numbers = [(_mean(summary['cadence_steps_per_min'], _WHOLE), 'cadence, steps a minute')]
  for name in _MAIN:
    measure = gait_measures.MEASURES[name]
    both = ' | '.join(_mean(summary[leg][name], '.2f') for leg in conventions.LEGS)
    numbers.append((both, f'{measure.label.lower()} ({measure.unit}), left | right'))
  return html_page.headline(numbers)


def _mean(statistics: dict[str, Any], form: str) -> str:
  return text_table.format_value(statistics['mean'], form)


def _flags(content: Content) -> str:
  flags = content['quality']['flags']
  return html_page.bullets(
    flags or ['Nothing stood out: no gap, and no value that walking excludes.']
  )


def _alt(content: Content) -> str:
  total = content['quality']
  return (
    f'Estimated vertical force of the left and right leg over time, with {total["contacts"]} foot '
    'contacts marked below the curves, and every whole stance of each leg from 0 to 100 %. The '
    'numbers are in the tables below.'
  )


def _caption(content: Content) -> str:
  share = content['run']['interval_share']
  said = 'Left leg blue and solid, right leg orange and dashed; bars: the foot is in contact. '
  if share:
    said += f'Shaded over time: where the true force lies in {share:.0%} of stance. '
  said += 'Below: every whole stance thin, their mean thick, one standard deviation shaded.'
  if content['errors']:
    said += ' Gray: what the force plates measured.'
  return said


def _measures(content: Content) -> text_table.Table:
  """A row a measure."""
  rows = []
  for name, measure in gait_measures.MEASURES.items():
    form = _FORMATS.get(measure.unit, _WHOLE)
    cells: list[str] = []
    for leg in conventions.LEGS:
      found = content['summary'][leg][name]
      cells += [
        text_table.format_value(found['mean'], form),
        text_table.format_value(found['sd'], form),
        str(found['n']),
      ]
    index = content['summary']['symmetry_index_pct'][name]
    rows.append((measure.label, measure.unit, *cells, text_table.format_value(index, '+.0f')))
  return text_table.Table(
    'measures',
    'Measures by leg',
    'Mean, standard deviation (SD) and number of values (n).',
    ('measure', 'unit', 'left mean', 'left SD', 'left n', 'right mean', 'right SD', 'right n',
     'symmetry index, %'),
    ('',) * 9,
    tuple(rows),
  )  # fmt: skip


def _contacts(content: Content) -> list[text_table.Table]:
  """A row a contact: its times in the first table, its forces in the second."""
  every = {**gait_measures.EVENTS, **gait_measures.MEASURES}
  timed = [*gait_measures.EVENTS, 'stance_s', 'step_s', 'stride_s', 'double_support_pct']
  parts = {
    'times': (timed, "In order, on the video's clock; a dash: not seen or not defined."),
    'forces': ([n for n in every if n not in timed], 'A dash: not defined.'),
  }
  return [
    text_table.Table(
      part,
      f'Each foot contact: {part}',
      caption,
      ('contact', *(f'{every[n].label}, {every[n].unit}' for n in names)),
      ('',) * (1 + len(names)),
      tuple(
        (
          f'{number}, {c["leg"]}',
          *(text_table.format_value(c[n], _FORMATS.get(every[n].unit, _WHOLE)) for n in names),
        )
        for number, c in enumerate(content['contacts'], 1)
      ),
    )
    for part, (names, caption) in parts.items()
  ]


def _errors(errors: dict[str, Any]) -> list[str]:
  vertical, contacts = errors['vertical'], errors['contacts']
  if not vertical['n']:
    return ['No frame has both an estimate and a foot on a plate.']
  said = [
    f'Over {vertical["n"]} frames with a foot on a plate the vertical force is '
    f'{vertical["mae_pct_bw"]:.1f} % BW off on average (bias {vertical["bias_pct_bw"]:+.1f} % BW, '
    f'r {text_table.format_value(vertical["r"], ".2f")}).',
    f'Of {contacts["true"]} contacts on the plates {contacts["matched"]} were found, '
    f'{contacts["missed"]} missed; {contacts["invented"]} were invented.',
  ]
  off = []
  for name, (measure, factor) in contact_comparison.ERRORS.items():
    if contacts[name]['n']:
      unit = 'ms' if factor == 1000 else '% BW'
      label = {**gait_measures.EVENTS, **gait_measures.MEASURES}[measure].label.lower()
      off.append(f'{label} {contacts[name]["mae"]:.0f} {unit}')
  return said + ([f'Mean absolute errors: {", ".join(off)}.'] if off else [])


def _made(content: Content) -> list[str]:
  run = content['run']
  people = run['trained_on_subjects']
  model = f'A network ({run["model"]}; step {run["step"]}'
  model += f'; it has learned from {people} people)' if people is not None else ')'
  said = [
    f'{model} estimated the force between foot and ground at every frame of the video, without '
    f"force plates. The camera stood at the walker's {content['camera']}. Made with grfjax "
    f'{content["grfjax"]}.'
  ]
  if run['mae_pct_bw']:
    errors = '; '.join(f'{who}: {value:.1f}' for who, value in run['mae_pct_bw'].items())
    said.append(
      f'Mean absolute error of its vertical force in stance, % BW: {errors}. Whether these are '
      'people before a camera or rendered ones depends on the recordings; the error holds for '
      'people, cameras and rooms like those.'
    )
  else:
    said.append('Its error on people whom it has not seen was not measured.')
  share = run['interval_share']
  said.append(
    f'The interval holds the true force in {share:.0%} of stance frames of people left out of '
    'training.'
    if share
    else 'Its intervals are not calibrated, so none are given.'
  )
  return [*said, _NOT_MEDICAL]


def _definitions() -> list[tuple[str, str]]:
  every = {**gait_measures.EVENTS, **gait_measures.MEASURES, **gait_measures.WALK_MEASURES}
  return [(f'{m.label} ({m.unit})', m.definition) for m in every.values()]
