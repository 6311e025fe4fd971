"""Writes the parts of the documentation that the program knows best.

python launch/docs_reference.py [--check]

replaces, in docs/commands.md, what stands between `<!-- options: COMMAND -->` and `<!-- end -->` by
the command's flags, and in docs/measures.md the definitions of the gait measures. With --check
nothing is written, and stale pages end with exit code 1.
"""

from __future__ import annotations

import importlib
import pathlib
import re
import sys
from typing import Any

from absl import app, flags

from grfjax.gait import gait_measures

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Of each command, the module that defines its options.
COMMANDS = {
  'predict': 'grfjax.predict',
  'app': 'grfjax.app.__main__',
  'check': 'grfjax.check',
  'synth': 'grfjax.synth.__main__',
  'degrade': 'grfjax.degrade',
  'train': 'grfjax.train',
  'evaluate': 'grfjax.evaluate',
  'loso': 'grfjax.loso',
  'pretrained': 'grfjax.pretrained.__main__',
}
_BLOCK = re.compile(r'(<!-- (options|measures): ?(\w*) -->\n).*?(\n<!-- end -->)', re.S)
_CHECK = flags.DEFINE_bool('check', False, 'Only say whether the pages are as they should be.')


def _sentence(flag: Any) -> str:
  """Returns what a flag (absl.flags.Flag) means, with its range and its default."""
  # absl puts the values of an enumeration before the words.
  parts = [re.sub(r'^<[^>]*>: ', '', ' '.join(flag.help.split()))]
  if values := getattr(flag.parser, 'enum_values', None):
    parts.append(f'One of {", ".join(f"`{value}`" for value in values)}.')
  low, high = (getattr(flag.parser, f'{end}_bound', None) for end in ('lower', 'upper'))
  if high is not None:
    parts.append(f'From {low:g} to {high:g}.')
  elif low is not None:
    parts.append(f'At least {low:g}.')
  if flag.default not in (None, '') and not flag.boolean:
    parts.append(f'Default: `{flag.default_as_str.strip(chr(39))}`.')
  return ' '.join(parts)


def options(name: str) -> str:
  """Returns the options of a command as a list in Markdown.

  Args:
    name: of the module that defines them, on import or by its `define_flags`.
  """
  module = importlib.import_module(name)
  if define := getattr(module, 'define_flags', None):
    define()
  lines = []
  for flag in sorted(flags.FLAGS.get_flags_for_module(name), key=lambda flag: flag.name):
    shown = f'`--{flag.name}`' if flag.boolean else f'`--{flag.name}=...`'
    lines.append(f'- {shown}: {_sentence(flag)}')
    delattr(flags.FLAGS, flag.name)  # commands share names of flags
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
