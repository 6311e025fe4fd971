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


def render(template: str, **values: Any) -> markupsafe.Markup:
  """Returns a template filled in, as HTML that other templates take without escaping it again.

  Args:
    template: its file's name.
    **values: what it names.
  """
  return markupsafe.Markup(_environment().get_template(template).render(values))
