"""Writes a recording set with copies of its videos as a phone would have filmed them.

python -m grfjax.degrade --recordings=RAW --out=DEGRADED --copies=2 --seed=0

The copies are more trials of the same people, with the same forces. Called again, it goes on where
it was stopped.
"""

from __future__ import annotations

import collections
import pathlib
import sys
from concurrent.futures import process

from absl import app, flags

from grfjax import errors
from grfjax.data import clip_config, degraded_copies
from grfjax.degradation import damage
from grfjax.io import signals

_DEFAULT = degraded_copies.Settings()


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  flags.DEFINE_string('recordings', None, 'The recording set.', required=True)
  flags.DEFINE_string(
    'out', None, 'Folder of the set to make: new, empty, or this very set.', required=True
  )
  flags.DEFINE_integer(
    'copies', _DEFAULT.copies, 'Copies of each video.', lower_bound=1, upper_bound=1000
  )
  flags.DEFINE_integer('seed', _DEFAULT.seed, 'Seed of everything drawn.', lower_bound=0)
  flags.DEFINE_list(
    'kinds',
    list(_DEFAULT.kinds),
    'Kinds of damage that may happen, several at once, with commas between: '
    + '; '.join(f'{name}: {kind.help}' for name, kind in damage.KINDS.items())
    + '.',
  )
  flags.DEFINE_bool(
    'copies_only', _DEFAULT.copies_only, 'Write the copies without the videos themselves.'
  )
  flags.DEFINE_string(
    'config', _DEFAULT.config, 'Configuration of the data set that is to be built of them.'
  )
  flags.DEFINE_bool(
    'keep_refused',
    _DEFAULT.keep_refused,
    'Keep copies of which no record can be made, such as those in which nobody can be followed any '
    'more, to measure how often that is. Otherwise they are drawn anew and in the end left out, as '
    'no data set can be built of them.',
  )


def main(argv: list[str]) -> None:
  """Writes the set that the flags describe."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  values = flags.FLAGS
  out = pathlib.Path(values.out)
  try:
    clip_config.clip_config(values.config)  # refused before anything is written
    settings = degraded_copies.Settings(
      copies=values.copies,
      seed=values.seed,
      kinds=damage.check_kinds(values.kinds),
      copies_only=values.copies_only,
      config=values.config,
      keep_refused=values.keep_refused,
    )
    copies = degraded_copies.write_set(pathlib.Path(values.recordings), out, settings)
  except (ValueError, OSError, process.BrokenProcessPool) as error:
    sys.exit(f'grfjax.degrade: {errors.describe(error)}')
  print(_summary(out, copies))


def _summary(out: pathlib.Path, copies: list[degraded_copies.Copy]) -> str:
  made = [copy for copy in copies if copy.damage is not None]
  counts = collections.Counter(kind for copy in made if copy.damage for kind in copy.damage.kinds)
  kinds = ', '.join(f'{kind} {counts[kind]}' for kind in damage.KINDS if counts[kind])
  lines = [f'{out}: {len(made)} copies, {sum(copy.new for copy in made)} of them new ({kinds})']
  if again := sum(bool(copy.refused) for copy in made):
    lines.append(f'{again} were drawn again, as no record could be made of the first draw')
  lines += [
    f'left out: {copy.name}, of which no draw could be used: {copy.refused[-1]}'
    for copy in copies
    if copy.damage is None
  ]
  return '\n'.join(lines)


if __name__ == '__main__':
  define_flags()
  signals.run(main, 'grfjax.degrade')
