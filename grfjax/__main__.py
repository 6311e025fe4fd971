"""The command `grfjax`: one door to all commands of the package.

`grfjax train ...` is `python -m grfjax.train ...`, but for a configuration, which may be given by
its name alone.
"""

from __future__ import annotations

import contextlib
import difflib
import gc
import runpy
import sys
from typing import NamedTuple


class _Command(NamedTuple):
  """A command.

  Attributes:
    help: what it does.
    extra: the extra of the package that it needs, or ''.
    example: its usual arguments.
  """

  help: str
  example: str
  extra: str = ''


_CONFIGURED = '--config=walker --workdir={} --config.data_dir=DATA'
COMMANDS = {
  'predict': _Command('forces of both legs in a video', 'walk.mp4 --body_mass_kg=61'),
  'app': _Command('the same in a browser, for a clinic', '--lan', 'app'),
  'check': _Command('whether recordings with force plates can be used', '--recordings=RAW'),
  'synth': _Command('recordings of synthetic walkers', '--out=RAW --subjects=5 --trials=50'),
  'degrade': _Command('copies of recordings as a phone films', '--recordings=RAW --out=DEGRADED'),
  'build': _Command(
    'a data set of recordings', '--config=walker --recordings=RAW --data_dir=DATA', 'build'
  ),
  'train': _Command('a network, one person held out', _CONFIGURED.format('RUN'), 'train'),
  'evaluate': _Command('its errors on the person held out', '--workdir=RUN', 'train'),
  'loso': _Command('every person held out in turn', _CONFIGURED.format('RUNS'), 'train'),
  'pretrained': _Command('a network without its training', '--workdir=RUN --out=DIR'),
}  # fmt: skip


def _help_text() -> str:
  lines = ['Ground reaction forces of both legs from a side-view walking video.', '']
  for name, command in COMMANDS.items():
    lines += [f'  {name:10}  {command.help}', f'              grfjax {name} {command.example}']
  lines += ['', 'grfjax COMMAND --help lists the options of a command; grfjax --version.']
  return '\n'.join(lines)


def _with_config_file(arguments: list[str]) -> list[str]:
  """Returns the arguments with the configuration's file for its name."""
  from grfjax import shipped  # here, so that --help is quick

  found = []
  rest = iter(arguments)
  for argument in rest:
    if argument in ('--config', '-config'):
      argument = f'--config={next(rest, "")}'
    flag, _, value = argument.partition('=')
    if flag in ('--config', '-config'):
      argument = f'--config={shipped.config_file(value)}'
    found.append(argument)
  return found


def _run(name: str, arguments: list[str]) -> None:
  from grfjax import errors, extras  # here, so that --help is quick

  command = COMMANDS[name]
  try:
    if name in ('train', 'loso'):
      arguments = _with_config_file(arguments)
    sys.argv = [f'grfjax {name}', *arguments]
    if name != 'build':  # which is TFDS's, and not run by `signals.run`
      gc.disable()  # what a command imports is no garbage; `signals.run` enables it
    with extras.needed(command.extra) if command.extra else contextlib.nullcontext():
      runpy.run_module(f'grfjax.{name}', run_name='__main__', alter_sys=True)
  except errors.InputError as error:
    sys.exit(f'grfjax {name}: {errors.describe(error)}')


def main() -> None:
  """Runs the command that the arguments name."""
  name, *arguments = sys.argv[1:] or ['--help']
  if name in COMMANDS:
    _run(name, arguments)
  elif name in ('-h', '--help', 'help'):
    print(_help_text())
  elif name == '--version':
    import importlib.metadata  # here, so that --help is quick

    print(f'grfjax {importlib.metadata.version("grfjax")}')
  else:
    near = difflib.get_close_matches(name, COMMANDS, 1)
    hint = f'; did you mean {near[0]!r}?' if near else ''
    print(f'grfjax: there is no command {name!r}{hint}\n\n{_help_text()}', file=sys.stderr)
    sys.exit(2)


if __name__ == '__main__':
  main()
