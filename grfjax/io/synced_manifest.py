"""Writes trials.csv again, with the starts of videos that were found filled in."""

from __future__ import annotations

import codecs
import collections.abc
import csv
import io
import pathlib
from typing import NamedTuple

from grfjax.io import atomic, delimited_text, manifest_rows

NAME = 'trials.synced.csv'  # beside trials.csv
START, UNCERTAINTY = 'video_start_s', 'video_start_uncertainty_s'


class Start(NamedTuple):
  """When a video began.

  Attributes:
    video_start_s: the force clock at the video's first frame.
    uncertainty_s: the start is within this of it about nineteen times in twenty.
  """

  video_start_s: float
  uncertainty_s: float


def write(
  source: pathlib.Path, target: pathlib.Path, starts: collections.abc.Mapping[str, Start]
) -> list[str]:
  """Writes a copy of trials.csv in which the starts that were found stand.

  Rows that have `video_start_s` or `contact_frame` stay as they are, and so do those without a
  start in `starts`. Columns, their order, delimiter, decimal mark, line ends and the byte order
  mark are those of the source; the column `video_start_uncertainty_s` is added at the end, and
  `video_start_s` before it, where they are missing. The file is written whole or not at all.

  Args:
    source: trials.csv.
    target: the copy.
    starts: trial -> what was found.

  Returns:
    The trials that were filled in, in the file's order.

  Raises:
    InputError: the source cannot be read.
    OSError: the copy cannot be written.
    ValueError: a trial of `starts` is not in the source.
  """
  rows = {row.line: row for row in manifest_rows.read(source, ['trial'])}
  if unknown := set(starts) - {row.cells['trial'] for row in rows.values()}:
    raise ValueError(f'not in {source}: {", ".join(sorted(unknown))}')
  text = delimited_text.read_text(source)
  table = list(rows.values())
  delimiter = ';' if table[0].decimal_comma else ','
  mark = _decimal_mark(table)
  reader = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter, strict=True)
  written = io.StringIO(newline='')
  writer = csv.writer(written, delimiter=delimiter, lineterminator=_line_end(text))
  header: list[str] = []
  filled = []
  for cells in reader:
    if not header:
      header = [cell.strip() for cell in cells]
      added = [name for name in (START, UNCERTAINTY) if name not in header]
      header += added
      writer.writerow([*cells, *added])
      continue
    row = rows.get(reader.line_num)
    if row is None:  # a line of bare separators
      writer.writerow(cells)
      continue
    cells += [''] * len(added)
    start = starts.get(row.cells['trial'])
    if start is not None and not row.has(START) and not row.has('contact_frame'):
      filled.append(row.cells['trial'])
      for name, value in ((START, start.video_start_s), (UNCERTAINTY, start.uncertainty_s)):
        cells[header.index(name)] = f'{value:.5f}'.replace('.', mark)
    writer.writerow(cells)
  signature = codecs.BOM_UTF8 if source.read_bytes().startswith(codecs.BOM_UTF8) else b''
  with atomic.atomic_file(target) as temporary:
    temporary.write_bytes(signature + written.getvalue().encode())
  return filled


def _decimal_mark(rows: list[manifest_rows.Row]) -> str:
  """Returns the mark of the starts that are given; where none is, that of the table's kind."""
  marks = [row.decimal_comma and '.' not in row.cells[START] for row in rows if row.has(START)]
  if marks:
    return ',' if all(marks) else '.'
  return ',' if rows[0].decimal_comma else '.'


def _line_end(text: str) -> str:
  for end in ('\r\n', '\n', '\r'):
    if end in text:
      return end
  return '\n'
