"""What an examination of a recording set finds: errors, doubts and notes."""

from __future__ import annotations

import dataclasses
import enum

from grfjax import errors


class Level(enum.StrEnum):
  """How much a finding matters."""

  ERROR = 'error'  # a build would refuse it
  DOUBT = 'doubt'  # a build takes it, but it is likely not what was meant, or worth little
  NOTE = 'note'  # good to know


@dataclasses.dataclass(frozen=True)
class Finding:
  """Something to know about a recording set or one of its trials.

  Attributes:
    level: how much it matters.
    code: short and stable, 'area.reason'; those of errors are `errors.InputError.code`.
    text: a sentence about what was found.
    remedy: a sentence about what to do; '' where the text says it.
    file: the file at fault, or None.
    line: its line, counted from 1, or None.
    column: the name of its column, or None.
    frame: the video's frame, counted from 0, or None.
  """

  level: Level
  code: str
  text: str
  remedy: str = ''
  file: str | None = None
  line: int | None = None
  column: str | None = None
  frame: int | None = None

  @classmethod
  def of_error(cls, error: errors.InputError) -> Finding:
    """Returns what an error of a build says."""
    return cls(
      Level.ERROR, error.code, str(error), '', error.file, error.line, error.column, error.frame
    )

  def __str__(self) -> str:
    return ' '.join([self.text, *([self.remedy] if self.remedy else []), f'[{self.code}]'])
