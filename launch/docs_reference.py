"""Writes the parts of the documentation that the program knows best.

python launch/docs_reference.py [--check]

replaces, in docs/commands.md, what stands between `<!-- options: COMMAND -->` and `<!-- end -->` by
the options that the command itself tells (its --helpxml), and in docs/measures.md the definitions
of the gait measures. With --check nothing is written, and stale pages end with exit code 1.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from xml.etree import ElementTree

from absl import app, flags

from grfjax.gait import gait_measures

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Of each command, what Python is given to start it.
COMMANDS = {
  'predict': ('-m', 'grfjax.predict'),
  'check': ('-m', 'grfjax.check'),
  'synth': ('-m', 'grfjax.synth'),
  'train': ('-m', 'grfjax.train'),
  'evaluate': ('-m', 'grfjax.evaluate'),
  'loso': ('launch/loso.py',),
  'pretrained': ('-m', 'grfjax.pretrained'),
}
_BLOCK = re.compile(r'(<!-- (options|measures): ?(\w*) -->\n).*?(\n<!-- end -->)', re.S)
_CHECK = flags.DEFINE_bool('check', False, 'Only say whether the pages are as they should be.')


def _sentence(flag: ElementTree.Element) -> str:
  """Returns what a flag means, with its range and its default."""
  # absl puts the values of an enumeration before the words.
  meaning = re.sub(r'^<[^>]*>: ', '', ' '.join((flag.findtext('meaning') or '').split()))
  parts = [meaning]
  values = [value.text or '' for value in flag.iter('enum_value')]
  if values:
    parts.append(f'One of {", ".join(f"`{value}`" for value in values)}.')
  bounds = flag.findtext('lower_bound'), flag.findtext('upper_bound')
  match [f'{float(bound):g}' if bound else '' for bound in bounds]:
    case [low, ''] if low:
      parts.append(f'At least {low}.')
    case [low, high] if low:
      parts.append(f'From {low} to {high}.')
  default = flag.findtext('default')
  if default and flag.findtext('type') != 'bool':
    parts.append(f'Default: `{default}`.')
  return ' '.join(parts)


def options(arguments: tuple[str, ...]) -> str:
  """Returns the options of a command as a list in Markdown.

  Args:
    arguments: what Python is given to start it.

  Raises:
    ElementTree.ParseError: the command does not tell its options.
  """
  answer = subprocess.run(
    [sys.executable, *arguments, '--helpxml'], cwd=ROOT, capture_output=True, text=True, check=False
  )  # absl ends with 1 after it has helped
  lines = []
  for flag in ElementTree.fromstring(answer.stdout).iter('flag'):
    if flag.findtext('key') != 'yes':
      continue
    name = flag.findtext('name')
    shown = f'`--{name}`' if flag.findtext('type') == 'bool' else f'`--{name}=...`'
    lines.append(f'- {shown}: {_sentence(flag)}')
  return '\n'.join(lines)


def measures() -> str:
  """Returns the definitions of the gait measures as a table in Markdown."""
  defined = {**gait_measures.EVENTS, **gait_measures.MEASURES, **gait_measures.WALK_MEASURES}
  rows = [
    f'| `{name}` | {measure.label} | {measure.unit} | {measure.definition} |'
    for name, measure in defined.items()
  ]
  return '\n'.join(['| in files | name | unit | definition |', '|---|---|---|---|', *rows])


def _fill(match: re.Match[str]) -> str:
  text = options(COMMANDS[match[3]]) if match[2] == 'options' else measures()
  return f'{match[1]}\n{text}\n{match[4]}'


def main(argv: list[str]) -> None:
  """Writes the pages, or says which are stale."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  stale = []
  for name in ('commands.md', 'measures.md'):
    path = ROOT / 'docs' / name
    page = path.read_text(encoding='utf-8')
    fresh = _BLOCK.sub(_fill, page)
    if fresh != page:
      stale.append(name)
      if not _CHECK.value:
        path.write_text(fresh, encoding='utf-8')
  if stale and _CHECK.value:
    sys.exit(f'docs/{", docs/".join(stale)}: stale; run python launch/docs_reference.py')


if __name__ == '__main__':
  app.run(main)
