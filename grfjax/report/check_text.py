"""An examined recording set in words."""

from __future__ import annotations

import pathlib
import shlex
import textwrap
from collections.abc import Iterable, Mapping

from grfjax.data import findings, set_check, trial_check
from grfjax.evaluation import set_synchronization
from grfjax.report import check_tables

_WIDTH = 100  # characters of a terminal's line
_MOST_NAMED = 6  # trials behind a doubt in the terminal


def verdict(check: set_check.SetCheck) -> str:
  """Returns how many trials can be built, and whether the set can."""
  count = len(check.trials) - check.count('refused')
  text = f'{count} of {len(check.trials)} trials can be built'
  if not check.errors:
    return f'{text}: tfds build takes the set for {check.config}.'
  return f'{text}; tfds build would refuse the set as it is.'


def in_short(check: set_check.SetCheck) -> list[str]:
  """Returns the most important sentences about a set."""
  near, far = check.known()
  subjects = {trial.subject for trial in check.trials}
  counts = ', '.join(f'{check.count(status)} {status}' for status in trial_check.STATUSES)
  return [
    verdict(check),
    f'{_number(len(check.trials), "trial")} of {_number(len(subjects), "subject")}: {counts}.',
    f'The force of the near leg is known in {_number(near, "picture")}, that of the far leg in '
    f'{far:,}.',
  ]


def _number(count: int, of: str) -> str:
  return f'{count:,} {of}{"" if count == 1 else "s"}'


def by_code(
  check: set_check.SetCheck, level: findings.Level
) -> dict[str, list[tuple[str, findings.Finding]]]:
  """Returns code -> (name of the trial, finding) of all findings of a level.

  The name is '' for what concerns the set.
  """
  found = [('', f) for f in check.found]
  found += [(check_tables.name_of(t), f) for t in check.trials for f in t.found]
  grouped: dict[str, list[tuple[str, findings.Finding]]] = {}
  for name, finding in found:
    if finding.level is level:
      grouped.setdefault(finding.code, []).append((name, finding))
  return grouped


def terminal_text(
  check: set_check.SetCheck, starts: Mapping[str, set_synchronization.FoundStart]
) -> str:
  """Returns the tables, every error, and each kind of doubt and note.

  Args:
    check: the set.
    starts: trial -> when its video began, where that was looked for.
  """
  parts = [check_tables.narrow_trials_table(check).text()]
  if starts:
    parts += ['', check_tables.starts_table(starts).text()]
  errors = [str(error) for error in check.errors]
  parts += _listed('Errors: tfds build would refuse the set', errors)
  for level, heading in ((findings.Level.DOUBT, 'Doubts'), (findings.Level.NOTE, 'Notes')):
    parts += _listed(heading, (_of_code(of) for of in by_code(check, level).values()))
  return '\n'.join(parts)


def _listed(heading: str, sentences: Iterable[str]) -> list[str]:
  lines = [
    textwrap.fill(
      sentence, _WIDTH, initial_indent='- ', subsequent_indent='  ', break_long_words=False,
      break_on_hyphens=False,
    )
    for sentence in sentences
  ]  # fmt: skip
  return ['', f'{heading}:', *lines] if lines else []


def _of_code(found: list[tuple[str, findings.Finding]]) -> str:
  """Returns what is found of one kind: the first of them in full, the others by name."""
  names = list(dict.fromkeys(name for name, _ in found if name))
  text = str(found[0][1])
  if not names:
    return text
  if len(names) == 1:
    return f'{names[0]}: {text}'
  named = ', '.join(names[1:_MOST_NAMED]) + (' ...' if len(names) > _MOST_NAMED else '')
  return f'{names[0]}: {text} The same code in {_number(len(names) - 1, "other trial")}: {named}'


def how_to_use(
  manifest: pathlib.Path,
  synced: pathlib.Path,
  starts: Mapping[str, set_synchronization.FoundStart],
) -> str:
  """Returns what to do with the starts that were found.

  Args:
    manifest: trials.csv.
    synced: the copy with the starts.
    starts: trial -> when its video began.
  """
  filled = sum(start.fills for start in starts.values())
  missing = sum(start.given_s is None for start in starts.values()) - filled
  if not filled:
    text = f'{synced}: no start was filled in'
  else:
    text = (
      f'{synced}: the start of {_number(filled, "trial")} filled in. See on the page whether the '
      f'curves lie on each other, then: cp {shlex.quote(str(synced))} {shlex.quote(str(manifest))}'
    )
  if missing:
    text += f'\n{_number(missing, "trial")} without a start: none was found that is sure'
  return text
