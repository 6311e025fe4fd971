"""What HTML pages are made of: pictures and sections, filled into the templates' macros."""

from __future__ import annotations

import base64
import dataclasses
import pathlib
import urllib.parse
from collections.abc import Sequence

NOT_MEDICAL = (
  'This is research software, not a medical device: do not diagnose or treat anyone by it.'
)


@dataclasses.dataclass(frozen=True)
class Picture:
  """A PNG file that a page holds within itself.

  Attributes:
    path: the PNG file.
    alt: what it shows, for readers who cannot see it.
    caption: the sentence below it.
    link: address that the caption leads to; '' for none.
  """

  path: pathlib.Path
  alt: str
  caption: str
  link: str = ''

  @property
  def data_uri(self) -> str:
    """The file's content as an address."""
    return f'data:image/png;base64,{base64.b64encode(self.path.read_bytes()).decode()}'


@dataclasses.dataclass(frozen=True)
class Section:
  """A heading, paragraphs, and pictures side by side below them.

  Attributes:
    heading: plain text.
    paragraphs: plain text.
    pictures: None where the section has no place for pictures.
  """

  heading: str
  paragraphs: Sequence[str]
  pictures: Sequence[Picture] | None = None


def page_link(*parts: str) -> str:
  """Returns the relative address of a page from the parts of its path."""
  return urllib.parse.quote('/'.join(parts))
