"""Names of subjects: in lists as text, and of the splits of a data set."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Sequence

from grfjax.io import recordings

_MOST_LISTED = 20


def subject_names(text: str) -> list[str]:
  """Returns the subjects that a text names with commas between them; '' names nobody."""
  return [name.strip() for name in text.split(',') if name.strip()]


def listed_subjects(names: Sequence[str]) -> str:
  """Lists subjects for people to read: all of at most 20, else the number, first and last."""
  if len(names) <= _MOST_LISTED:
    return ', '.join(names)
  return f'{len(names)} subjects ({names[0]} ... {names[-1]})'


def check_split_name(subject: str, manifest: pathlib.Path) -> None:
  """Checks that TFDS can have a split of a subject's name: it reads splits as expressions.

  Args:
    subject: the name.
    manifest: the subjects.csv that has it, for the message.

  Raises:
    RecordingError: it cannot, as with `all`, `train[0]`, `1` and `Müller`.
  """
  if not re.fullmatch(r'[A-Za-z]\w*', subject, re.ASCII) or subject.lower() == 'all':
    raise recordings.RecordingError(
      f'{manifest.name}: subject {subject!r} cannot name a TFDS split; expected letters (A to Z), '
      "digits and underscores beginning with a letter, and not 'all'; rename the subject in "
      f'{manifest.name} and trials.csv',
      code='recording.bad_name',
      file=manifest,
      column='subject',
    )
