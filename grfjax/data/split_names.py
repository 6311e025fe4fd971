"""Which names of subjects can be those of a data set's splits."""

from __future__ import annotations

import pathlib
import re

from grfjax.io import recordings


def check_split_name(subject: str, root: pathlib.Path) -> None:
  """Checks that TFDS can have a split of a subject's name.

  Args:
    subject: the name.
    root: the recording set, for the message.

  Raises:
    recordings.RecordingError: it cannot.
  """
  if not re.fullmatch(r'[A-Za-z]\w*', subject, re.ASCII) or subject.lower() == 'all':
    raise recordings.RecordingError(
      f'subjects.csv: subject {subject!r} cannot name a TFDS split; expected letters, digits and '
      "underscores beginning with a letter, and not 'all'",
      code='recording.bad_name',
      file=root / 'subjects.csv',
      column='subject',
    )
