"""Renders the HTML templates of `grfjax/report/templates`.

Every value is escaped, and a value that a template needs and does not get is an error.
"""

from __future__ import annotations

import functools
from typing import Any

import jinja2
import markupsafe


@functools.cache
def _environment() -> jinja2.Environment:
  return jinja2.Environment(
    loader=jinja2.PackageLoader('grfjax.report'),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
  )


def render_page(template: str, **values: Any) -> str:
  """Returns a page's template filled in.

  Args:
    template: its file's name.
    **values: what it names.
  """
  return _environment().get_template(template).render(values)


def render_part(template: str, **values: Any) -> markupsafe.Markup:
  """Returns the template of a part filled in, which other templates do not escape again."""
  return markupsafe.Markup(render_page(template, **values))
