"""Tables of the results for videos: measures by leg, contacts one by one, and all results."""

from __future__ import annotations

from grfjax import conventions
from grfjax.gait import gait_measures
from grfjax.report import text_table, walk_highlights, walk_prediction

_OF_LEGS = ('step_length_m', *walk_highlights.HEADLINE)  # in the list of all results
WHOLE = '.0f'  # format of whole numbers
_FORMATS = {  # by unit; others `WHOLE`
  's': '.2f', 'BW': '.2f', 'BW s': '.3f', 'BW/s': '.1f', 'm': '.2f', 'body heights': '.2f',
}  # fmt: skip


def measures_table(content: walk_prediction.Content) -> text_table.Table:
  """Returns mean, SD and number of each gait measure by leg, and the legs' symmetry."""
  rows = []
  for name, measure in gait_measures.MEASURES.items():
    form = _FORMATS.get(measure.unit, WHOLE)
    cells: list[str] = []
    for leg in conventions.LEGS:
      statistics = content['summary'][leg][name]
      cells += [
        text_table.format_value(statistics['mean'], form),
        text_table.format_value(statistics['sd'], form),
        _count_cell(statistics['n']),
      ]
    index = content['summary']['symmetry_index_pct'][name]
    rows.append((measure.label, measure.unit, *cells, text_table.format_value(index, '+.0f')))
  return text_table.Table(
    'measures',
    'Measures by leg',
    'Mean, standard deviation (SD) and number of values (n); !: of fewer than '
    f'{walk_highlights.ENOUGH_VALUES}, so that one that was measured wrongly decides the mean.',
    ('measure', 'unit', 'left mean', 'left SD', 'left n', 'right mean', 'right SD', 'right n',
     'symmetry index, %'),
    ('',) * 9,
    tuple(rows),
  )  # fmt: skip


def _count_cell(count: int) -> str:
  return f'{count} !' if 0 < count < walk_highlights.ENOUGH_VALUES else str(count)


def contact_tables(content: walk_prediction.Content) -> list[text_table.Table]:
  """Returns the times of each contact in a first table, its forces in a second."""
  times = (
    *gait_measures.EVENTS, 'stance_s', 'step_s', 'stride_s', 'step_length_m', 'step_length_bh',
    'stride_length_m', 'stride_length_bh', 'double_support_pct',
  )  # fmt: skip
  forces = tuple(name for name in gait_measures.MEASURES if name not in times)
  return [
    _contacts_table(
      content,
      'times and lengths',
      times,
      "In order, on the video's clock; a dash: not seen or not defined.",
    ),
    _contacts_table(content, 'forces', forces, 'A dash: not defined.'),
  ]


def _contacts_table(
  content: walk_prediction.Content, name: str, columns: tuple[str, ...], caption: str
) -> text_table.Table:
  known = gait_measures.EVENTS | gait_measures.MEASURES
  measures = {column: known[column] for column in columns}
  return text_table.Table(
    name,
    f'Each foot contact: {name}',
    caption,
    ('contact', *(f'{measure.label}, {measure.unit}' for measure in measures.values())),
    ('',) * (1 + len(measures)),
    tuple(
      (
        f'{number}, {contact["leg"]}',
        *(
          text_table.format_value(contact[column], _FORMATS.get(measure.unit, WHOLE))
          for column, measure in measures.items()
        ),
      )
      for number, contact in enumerate(content['contacts'], 1)
    ),
  )


def results_table(contents: list[walk_prediction.Content]) -> text_table.Table:
  """Returns the main measures of every result."""
  labels = [
    f'{leg} {measure.label.lower()}, {measure.unit}'
    for measure in (gait_measures.MEASURES[name] for name in _OF_LEGS)
    for leg in conventions.LEGS
  ]
  return text_table.Table(
    'trials',
    f'{len(contents)} result{"" if len(contents) == 1 else "s"}',
    'Means of each; a dash: undefined or not measured.',
    ('trial', 'subject', 'flags', 'error, % BW', 'cadence, steps/min', 'walking speed, m/s',
     *labels, 'both legs over a stride, BW'),
    ('', '', 'd', '.1f', WHOLE, '.2f', *('.2f',) * len(labels), '.2f'),
    tuple(map(_result_row, contents)),
    (
      "Flags: what to be careful about, on the trial's page. "
      'Error: mean absolute error of vertical force in stance, where force plates told the truth. '
      'Both legs over a stride: their mean vertical force together, which physics says is 1.',
    ),
  )  # fmt: skip


def _result_row(content: walk_prediction.Content) -> tuple:
  summary, quality, errors = content['summary'], content['quality'], content['errors']
  return (
    content['name'],
    content['subject'],
    len(quality['flags']),
    errors['vertical']['mae_pct_bw'] if errors else None,
    summary['cadence_steps_per_min']['mean'],
    summary.get('walking_speed_mps', walk_highlights.NOT_MEASURED)['mean'],
    *(
      summary[leg].get(name, walk_highlights.NOT_MEASURED)['mean']
      for name in _OF_LEGS
      for leg in conventions.LEGS
    ),
    quality['mean_total_bw'],
  )
