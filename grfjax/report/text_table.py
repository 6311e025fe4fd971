"""A table that turns into text, CSV, Markdown and HTML."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import markupsafe

from grfjax.report import html_templates

UNDEFINED = '–'  # stands for a value that is undefined
_WIDTH = 100  # characters of a terminal's line


@dataclasses.dataclass(frozen=True)
class Table:
  """A table whose first column names its rows.

  Attributes:
    name: of its files, without their endings.
    title: such as 'Table III'.
    caption: one sentence.
    columns: headings with units.
    formats: format specification of each column; '' for text.
    rows: raw values; None is undefined.
    notes: sentences below the table.
  """

  name: str
  title: str
  caption: str
  columns: tuple[str, ...]
  formats: tuple[str, ...]
  rows: tuple[tuple[Any, ...], ...]
  notes: tuple[str, ...] = ()

  def cells(self) -> list[list[str]]:
    """Returns the rows as text."""
    return [
      [format_value(v, f) for v, f in zip(row, self.formats, strict=True)] for row in self.rows
    ]

  def text(self) -> str:
    """Returns it for a terminal; one too wide is folded into blocks with the first column each."""
    cells = [list(self.columns), *self.cells()]
    widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
    parts = textwrap.wrap(f'{self.title}. {self.caption}', _WIDTH)
    for block in _blocks(widths):
      lines = [
        '  '.join([row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in block)]).rstrip()
        for row in cells
      ]
      rule = '-' * (widths[0] + sum(widths[i] + 2 for i in block))
      parts.append('\n'.join([lines[0], rule, *lines[1:]]))
    for note in self.notes:
      parts += textwrap.wrap(note, _WIDTH, initial_indent='  ', subsequent_indent='  ')
    return '\n'.join(parts)

  def csv(self) -> str:
    """Returns it as CSV with numbers in full; undefined values are empty cells."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(self.columns)
    for row in self.rows:
      writer.writerow(
        ['' if v is None else f'{v:.10g}' if isinstance(v, float) else v for v in row]
      )
    return out.getvalue()

  def markdown(self) -> str:
    """Returns it as a pipe table under its title."""

    def line(cells: list[str]) -> str:
      return '| ' + ' | '.join(_escape_markdown(c) for c in cells) + ' |'

    rule = '|---|' + '---:|' * (len(self.columns) - 1)
    notes = [f'\n{_escape_markdown(note)}' for note in self.notes]
    table = [line(list(self.columns)), rule, *(line(row) for row in self.cells())]
    return '\n'.join([f'**{self.title}.** {_escape_markdown(self.caption)}\n', *table, *notes])

  def html(self, links: Mapping[str, str] | None = None) -> markupsafe.Markup:
    """Returns it as a part of an HTML page.

    Args:
      links: name of a row -> address that the name leads to.
    """
    return html_templates.render_part('table.html.j2', table=self, links=links or {})


def format_value(value: Any, form: str = '') -> str:
  """Returns a value as text: an en dash for None, and no sign before a rounded zero."""
  if value is None:
    return UNDEFINED
  text = format(value, form)
  return text[1:] if re.fullmatch(r'[-+]0(\.0+)?', text) else text


def _blocks(widths: list[int]) -> list[list[int]]:
  """Groups the columns after the first so that each group fits a line beside the first column."""
  blocks: list[list[int]] = [[]]
  for i in range(1, len(widths)):
    if blocks[-1] and widths[0] + sum(widths[j] + 2 for j in (*blocks[-1], i)) > _WIDTH:
      blocks.append([])
    blocks[-1].append(i)
  return blocks


def _escape_markdown(text: str) -> str:
  return re.sub(r'([\\`*_\[\]|])', r'\\\1', html.escape(text, quote=False))
