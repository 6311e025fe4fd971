"""A table that turns into text, CSV and Markdown."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import re
import textwrap
from typing import Any

NONE = '–'  # what is undefined

_WIDTH = 100  # of a terminal


@dataclasses.dataclass(frozen=True)
class Table:
  """A table; the first column names its rows.

  Attributes:
    name: of its files.
    title: as 'Table III'.
    caption: one sentence.
    columns: headings with units.
    formats: one for each column; '' for text.
    rows: raw values; None is undefined.
    notes: sentences below it.
  """

  name: str
  title: str
  caption: str
  columns: tuple[str, ...]
  formats: tuple[str, ...]
  rows: tuple[tuple[Any, ...], ...]
  notes: tuple[str, ...] = ()

  def cells(self) -> list[list[str]]:
    """Rows as text."""
    return [
      [format_value(v, f) for v, f in zip(row, self.formats, strict=True)] for row in self.rows
    ]

  def text(self) -> str:
    """For a terminal; what is too wide is folded into blocks that repeat the first column."""
    cells = [list(self.columns), *self.cells()]
    widths = [max(len(row[i]) for row in cells) for i in range(len(self.columns))]
    blocks: list[list[int]] = [[]]
    for i in range(1, len(widths)):
      if blocks[-1] and widths[0] + sum(widths[j] + 2 for j in (*blocks[-1], i)) > _WIDTH:
        blocks.append([])
      blocks[-1].append(i)
    parts = textwrap.wrap(f'{self.title}. {self.caption}', _WIDTH)
    for block in blocks:
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
    """Numbers in full; what is undefined is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(self.columns)
    for row in self.rows:
      writer.writerow(
        ['' if v is None else f'{v:.10g}' if isinstance(v, float) else v for v in row]
      )
    return out.getvalue()

  def markdown(self) -> str:
    """A pipe table under its title."""

    def line(cells: list[str]) -> str:
      return '| ' + ' | '.join(_markdown(c) for c in cells) + ' |'

    rule = '|---|' + '---:|' * (len(self.columns) - 1)
    notes = [f'\n{_markdown(note)}' for note in self.notes]
    table = [line(list(self.columns)), rule, *(line(row) for row in self.cells())]
    return '\n'.join([f'**{self.title}.** {_markdown(self.caption)}\n', *table, *notes])


def format_value(value: Any, form: str = '') -> str:
  """A value as text; an en dash where there is none."""
  if value is None:
    return NONE
  text = format(value, form)
  # A rounded zero carries no sign.
  return text[1:] if re.fullmatch(r'[-+]0(\.0+)?', text) else text


def _markdown(text: str) -> str:
  return re.sub(r'([\\`*_\[\]|])', r'\\\1', html.escape(text, quote=False))
