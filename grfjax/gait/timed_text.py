"""A sentence for people with a code for programs, which knows from when on it holds."""

from __future__ import annotations

from typing import NamedTuple, Self


class _CodeAndText(NamedTuple):
  code: str
  text: str


class TimedText(_CodeAndText):
  """A pair (code, text); two with the same pair are the same, whenever they begin.

  Attributes:
    code: short and stable, 'area.reason', for programs.
    text: a sentence for people.
    start_s: from when on it is about the video; None where it is about all of it.
  """

  start_s: float | None = None

  def __new__(cls, code: str, text: str, start_s: float | None = None) -> Self:
    """Makes a pair of the first two, which also has the third."""
    made = super().__new__(cls, code, text)
    made.start_s = start_s
    return made
