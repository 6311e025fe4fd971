"""Lists of subjects as text."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_LISTED = 20


def subject_names(text: str) -> list[str]:
  """Returns the subjects that a text names with commas between them; '' names nobody."""
  return [name.strip() for name in text.split(',') if name.strip()]


def listed_subjects(names: Sequence[str]) -> str:
  """Lists subjects for people to read: all of at most 20, else the number, first and last."""
  if len(names) <= _MOST_LISTED:
    return ', '.join(names)
  return f'{len(names)} subjects ({names[0]} ... {names[-1]})'
