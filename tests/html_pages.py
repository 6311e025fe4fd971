"""Reads HTML pages in tests: their tags and text, and what holds for every page."""

import html.parser
import re

VOID = {'meta', 'img', 'br', 'hr', 'input'}


class Page(html.parser.HTMLParser):
  """Checks that tags balance; keeps them and the text."""

  def __init__(self, text: str):
    super().__init__()
    self.open: list[str] = []
    self.tags: list[tuple[str, dict]] = []
    self.text = ''
    self.feed(text)
    self.close()
    assert self.open == []

  def handle_starttag(self, tag, attrs):
    assert len(dict(attrs)) == len(attrs)  # no attribute twice
    self.tags.append((tag, dict(attrs)))
    if tag not in VOID:
      self.open.append(tag)

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.text += data

  def all(self, tag: str) -> list[dict]:
    return [attrs for name, attrs in self.tags if name == tag]


def check_page(text: str, links=()) -> Page:
  """Checks what holds for every page.

  Args:
    text: of the page.
    links: all addresses that the page leads to.
  """
  seen = Page(text)
  assert text.startswith('<!doctype html>\n')
  assert not re.search(r'https?:|url\(|@import', text)
  targets = [a[k] for _, a in seen.tags for k in ('src', 'href') if k in a]
  assert [t for t in targets if not t.startswith('data:image/png;base64,')] == list(links)
  assert not {'script', 'link', 'iframe', 'object', 'base'} & {t for t, _ in seen.tags}
  assert not any(name.startswith('on') for _, attrs in seen.tags for name in attrs)
  assert len(seen.all('h1')) == len(seen.all('main')) == len(seen.all('title')) == 1
  headings = [int(t[1]) for t, _ in seen.tags if re.fullmatch('h[1-6]', t)]
  assert headings[0] == 1
  assert set(headings[1:]) == {2}
  assert seen.all('html') == [{'lang': 'en'}]
  assert {'charset': 'utf-8'} in seen.all('meta')
  assert all(th.get('scope') in ('col', 'row') for th in seen.all('th'))
  assert len(seen.all('caption')) == len(seen.all('table'))
  assert all(len(img['alt']) > 20 for img in seen.all('img'))
  for words in ('prefers-color-scheme: dark', '@media print', 'name="viewport"'):
    assert words in text
  assert not re.search(r'\b(nan|None|Undefined)\b', seen.text)
  return seen
