"""Lists of subjects as text."""

from __future__ import annotations

from collections.abc import Sequence


def subject_names(listed: str) -> list[str]:
  """Subjects from a text that has commas between them; '' is nobody."""
  return [name.strip() for name in listed.split(',') if name.strip()]


def listed_subjects(names: Sequence[str]) -> str:
  """Subjects for people to read: all of at most 20, else how many, the first and the last."""
  if len(names) <= 20:
    return ', '.join(names)
  return f'{len(names)} subjects ({names[0]} ... {names[-1]})'
