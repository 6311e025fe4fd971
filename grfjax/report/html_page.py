"""The parts of an HTML page that needs no other file."""

from __future__ import annotations

import base64
import dataclasses
import html
import pathlib

from grfjax.report import text_table


@dataclasses.dataclass(frozen=True)
class Picture:
  """A PNG on the page.

  Attributes:
    path: of the file.
    alt: what it shows, for who cannot see it.
    caption: the sentence below it.
    link: where the caption leads; '' nowhere.
  """

  path: pathlib.Path
  alt: str
  caption: str
  link: str = ''

  def html(self) -> str:
    """With the picture inside the page."""
    data = base64.b64encode(self.path.read_bytes()).decode()
    caption = html.escape(self.caption)
    if self.link:
      caption = f'<a href="{html.escape(self.link)}">{caption}</a>'
    return (
      f'<figure><img src="data:image/png;base64,{data}" alt="{html.escape(self.alt)}">\n'
      f'<figcaption>{caption}</figcaption></figure>\n'
    )


def side_by_side(pictures: list[Picture]) -> str:
  """Pictures in rows of as many as there is room for."""
  return '<div class="grid">\n' + ''.join(p.html() for p in pictures) + '</div>\n'


def table_html(table: text_table.Table, links: dict[str, str] | None = None) -> str:
  """With caption and scopes, in a box that scrolls sideways on a phone.

  Args:
    table: of plain text.
    links: a row's name -> where it leads.
  """

  def name(text: str) -> str:
    link = (links or {}).get(text)
    escaped = html.escape(text)
    return f'<a href="{html.escape(link)}">{escaped}</a>' if link else escaped

  head = ''.join(f'<th scope="col">{html.escape(c)}</th>' for c in table.columns)
  body = '\n'.join(
    f'<tr><th scope="row">{name(row[0])}</th>'
    + ''.join(f'<td>{html.escape(c)}</td>' for c in row[1:])
    + '</tr>'
    for row in table.cells()
  )
  notes = ''.join(f'<p class="note">{html.escape(n)}</p>\n' for n in table.notes)
  title = html.escape(table.title)
  return (
    f'<div class="scroll" role="region" tabindex="0" aria-label="{title}">\n<table>\n'
    f'<caption><span><b>{title}.</b> {html.escape(table.caption)}</span></caption>\n'
    f'<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>\n{notes}'
  )


def document(title: str, parts: list[str]) -> str:
  """The whole of it.

  Args:
    title: plain text.
    parts: HTML, from `section`, `table_html` and `Picture.html`.
  """
  title = html.escape(title)
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    f'<meta name="color-scheme" content="light dark">\n<title>{title}</title>\n'
    f'<style>{_CSS}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n'
    + ''.join(parts)
    + '</main>\n</body>\n</html>\n'
  )


def section(heading: str, paragraphs: list[str], rest: str = '') -> str:
  """A heading, paragraphs of plain text, and the HTML below them."""
  return (
    f'<h2>{html.escape(heading)}</h2>\n'
    + ''.join(f'<p>{html.escape(p)}</p>\n' for p in paragraphs)
    + rest
  )


def bullets(items: list[str]) -> str:
  """A list of plain text."""
  return '<ul>\n' + ''.join(f'<li>{html.escape(item)}</li>\n' for item in items) + '</ul>\n'


def definitions(pairs: list[tuple[str, str]]) -> str:
  """A list of (word, what it means), plain text."""
  return (
    '<dl>\n'
    + ''.join(
      f'<dt>{html.escape(word)}</dt>\n<dd>{html.escape(what)}</dd>\n' for word, what in pairs
    )
    + '</dl>\n'
  )


def headline(numbers: list[tuple[str, str]]) -> str:
  """A row of large numbers: (number, what it is)."""
  return (
    '<dl class="headline">'
    + ''.join(
      f'<div><dt>{html.escape(what)}</dt><dd>{html.escape(number)}</dd></div>'
      for number, what in numbers
    )
    + '</dl>\n'
  )


_CSS = """
:root { --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --shade: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15181c; --ink: #e6e9ec; --soft: #a0a8b0; --line: #3a414a; --shade: #1f242a; }
}
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; }
h2 { font-size: 1.2rem; margin-top: 2rem; }
p, li, dd { max-width: 44rem; }
a { color: inherit; }
dl:not(.headline) dt { font-weight: 600; margin-top: 0.5rem; }
dl:not(.headline) dd { margin-left: 1rem; }
.scroll { overflow-x: auto; margin: 1.5rem 0 0.5rem; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: 0.4rem; }
caption span { display: block; max-width: min(44rem, calc(100vw - 2.5rem)); }
th, td { padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: right;
  overflow-wrap: normal; }
td { white-space: nowrap; }
thead th { vertical-align: bottom; background: var(--shade); }
th[scope=row] { text-align: left; font-weight: 600; white-space: nowrap; }
thead th:first-child { text-align: left; }
.note, figcaption { color: var(--soft); font-size: 0.9rem; margin: 0.3rem 0; }
figure { margin: 1.5rem 0; }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
.grid { display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
.grid figure { margin: 0; }
/* A wide figure's letters are too small on a phone: it scrolls sideways, as tables do. */
@media screen and (max-width: 40rem) {
  main > figure { overflow-x: auto; }
  main > figure img { max-width: none; width: 42rem; }
}
.headline { display: flex; flex-wrap: wrap; gap: 0.8rem; margin: 1rem 0; }
.headline div { background: var(--shade); border: 1px solid var(--line); border-radius: 6px;
  padding: 0.6rem 1rem; flex: 1 1 10rem; display: flex; flex-direction: column-reverse;
  justify-content: flex-end; }
.headline dt { color: var(--soft); font-size: 0.85rem; }
.headline dd { margin: 0; font-size: 1.5rem; font-weight: 600; }
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --shade: #f4f4f4; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding: 0.15rem 0.3rem; }
  th[scope=row], td { white-space: normal; }
  figure, tr, .headline, li { break-inside: avoid; }
  h2, caption, dt { break-after: avoid; }
  img { max-height: 24cm; }
}
"""
