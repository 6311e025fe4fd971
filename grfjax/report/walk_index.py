"""The HTML page that lists all results in a folder."""

from __future__ import annotations

from grfjax.report import html_templates, page_parts, walk_prediction, walk_tables, walk_text


def index_page(contents: list[walk_prediction.Content], failures: list[str]) -> str:
  """Returns the list of all results, each with a link to its page in the same folder, as HTML.

  Args:
    contents: of the results' JSON files.
    failures: a sentence for each trial without a result.
  """
  return html_templates.render_page(
    'walk_index.html.j2',
    title='Ground reaction forces from walking videos',
    body_weight=walk_text.BODY_WEIGHT,
    table=walk_tables.results_table(contents),
    links={c['name']: page_parts.page_link(f'{c["name"]}.html') for c in contents},
    failures=failures,
    not_medical=page_parts.NOT_MEDICAL,
  )
