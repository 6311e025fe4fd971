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
    return f'{text}: grfjax build takes the set for {check.config}.'
  return f'{text}; grfjax build would refuse the set as it is.'


def in_short(check: set_check.SetCheck) -> list[str]:
  """Returns the most important sentences about a set."""
  near, far = check.known()
  subjects = {trial.subject for trial in check.trials}
  counts = ', '.join(f'{check.count(status)} {status}' for status in trial_check.STATUSES)
  return [
    verdict(check),
    f'{_number(len(check.trials), "trial")} of {_number(len(subjects), "subject")}: {counts}.',
    f'The force of the near leg is known in {_number(near, "frame")}, that of the far leg in '
    f'{far:,}.',
  ]


def _number(count: int, of: str) -> str:
  return f'{count:,} {of}{"" if count == 1 else "s"}'


def by_kind(
  check: set_check.SetCheck, level: findings.Level
) -> list[tuple[list[str], findings.Finding]]:
  """Returns all findings of a level: names of trials, and what the first of them has.

  Findings of one code are one kind, but for notes of the reading, which say different things.
  There are no names for what concerns the set.
  """
  found = [('', f) for f in check.found]
  found += [(check_tables.name_of(t), f) for t in check.trials for f in t.found]
  grouped: dict[tuple[str, str], tuple[dict[str, None], findings.Finding]] = {}
  for name, finding in found:
    if finding.level is level:
      kind = finding.code, finding.text if finding.code == 'check.force_note' else ''
      names, _ = grouped.setdefault(kind, ({}, finding))
      names |= {name: None} if name else {}
  return [(list(names), finding) for names, finding in grouped.values()]


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
  parts += _listed('Errors: grfjax build would refuse the set', errors)
  for level, heading in ((findings.Level.DOUBT, 'Doubts'), (findings.Level.NOTE, 'Notes')):
    parts += _listed(heading, (_of_kind(*of) for of in by_kind(check, level)))
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


def _of_kind(names: list[str], first: findings.Finding) -> str:
  """Returns what is found of one kind: the first of them in full, the others by name."""
  text = str(first)
  if not names:
    return text
  if len(names) == 1:
    return f'{names[0]}: {text}'
  named = ', '.join(names[1:_MOST_NAMED]) + (' ...' if len(names) > _MOST_NAMED else '')
  return f'{names[0]}: {text} The same in {_number(len(names) - 1, "other trial")}: {named}'


def how_to_use(
  check: set_check.SetCheck,
  synced: pathlib.Path,
  starts: Mapping[str, set_synchronization.FoundStart],
) -> str:
  """Returns what to do with the starts that were found.

  Args:
    check: the set.
    synced: the copy with the starts.
    starts: trial -> when its video began.
  """
  filled = sum(start.fills for start in starts.values())
  missing = sum(start.given_s is None for start in starts.values()) - filled
  manifest = str(check.root / 'trials.csv')
  if not filled:
    text = f'{synced}: no start was filled in'
  else:
    text = (
      f'{synced}: the start of {_number(filled, "trial")} filled in. See on the page whether the '
      f'curves lie on each other, then: {shlex.join(["cp", str(synced), manifest])}'
    )
    ready = sum(_would_be_built(trial, starts) for trial in check.trials)
    text += f'\n{ready} of {len(check.trials)} trials can be built with it'
  if missing:
    text += f'\n{_number(missing, "trial")} without a start: none was found that is sure'
  return text


def _would_be_built(
  trial: trial_check.TrialCheck, starts: Mapping[str, set_synchronization.FoundStart]
) -> bool:
  """Whether nothing but a missing start, which was found, keeps a trial from being built."""
  codes = {f.code for f in trial.found if f.level is findings.Level.ERROR}
  found = trial.name in starts and starts[trial.name].fills
  return not codes or (found and codes == {'recording.synchronization'})
