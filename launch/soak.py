"""Trains, evaluates and predicts again and again: does memory grow, are files left over?

    python launch/soak.py --out=DIR [--minutes=30]

On data it makes itself. Each round goes on training one and the same run, evaluates it and predicts
a recording set; the memory of each command is sampled while it works. Then one training goes on
alone for a third of the time. Writes DIR/soak.json and DIR/soak.png and exits with 1 where memory
grew by over a tenth, from round to round or within the long training, or where a round left a file
that the one before had not.
"""

from __future__ import annotations

import collections
import pathlib
import re
import statistics
import sys
import tempfile
import time
from typing import Any

import matplotlib.pyplot as plt
from absl import app, flags

import measured
from grfjax.io import atomic
from grfjax.report import style

STEPS = 200  # more in each round
EVERY_S = 0.25  # how often memory is looked at
SLACK = 1.1
# What grows by design: a line for each look at the training, and TensorBoard's file of each start.
GROWS = re.compile(r'events\.out\.tfevents.*')


def left(folder: pathlib.Path) -> collections.Counter[str]:
  """How many files of each name there are, numbers in names put aside."""
  names = (p.relative_to(folder).as_posix() for p in folder.rglob('*') if p.is_file())
  kept = (n for n in names if not GROWS.search(n))
  return collections.Counter(re.sub(r'[0-9a-f]{32}|\d+', '#', n) for n in kept)


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  flags.DEFINE_string('out', None, 'Folder for the results.', required=True)
  flags.DEFINE_float('minutes', 30, 'How long.', lower_bound=0.1)


def main(argv: list[str]) -> None:
  """Works, watches and judges."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  out, minutes = pathlib.Path(flags.FLAGS.out), flags.FLAGS.minutes
  rows: list[dict[str, Any]] = []
  wrong: list[str] = []
  with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    measured.python('-m', 'grfjax.synth', f'--out={folder / "walks"}', '--subjects=2', '--trials=2')
    measured.build(folder / 'walks', folder / 'data')
    scratch = folder / 'tmp'  # what is left in the system's folder for temporary files
    scratch.mkdir()
    environment = {'TMPDIR': str(scratch)}
    train = (
      '-m', 'grfjax.train', '--config=configs/walker.py', f'--workdir={folder / "run"}',
      f'--config.data_dir={folder / "data"}', '--config.holdout=S01', '--config.calibrate=0',
      '--config.optimizer.decay=False',
    )  # fmt: skip
    begun, number, before = time.monotonic(), 0, None
    while time.monotonic() - begun < 40 * minutes or number < 2:
      number += 1
      for work, arguments in (
        ('train', (*train, f'--config.steps={STEPS * number}')),
        ('evaluate', ('-m', 'grfjax.evaluate', f'--workdir={folder / "run"}')),
        ('predict', (
          '-m', 'grfjax.predict', f'--workdir={folder / "run"}', f'--out={folder / "curves"}',
          f'--recordings={folder / "walks"}', '--overlay',
        )),
      ):  # fmt: skip
        seen = measured.watched((sys.executable, *arguments), environment, every=EVERY_S)
        rows.append(
          {'round': number, 'work': work, 'bytes': max(m for _, m in seen), 'seconds': seen[-1][0]}
        )
      now = left(folder)
      if before is not None and number > 2 and now != before:  # two checkpoints are kept
        wrong.append(f'round {number} left {dict(now - before)} more, {dict(before - now)} less')
      before = now
      last = {row['work']: f'{row["bytes"] / 2**20:.0f} MiB' for row in rows[-3:]}
      print(f'round {number}: {last}, {sum(now.values())} files', flush=True)
    long = measured.watched(
      (sys.executable, *train, f'--config.steps={10**7}'),
      environment,
      stop_after=20 * minutes,
      every=EVERY_S,
    )
  wrong += complaints(rows, long)
  atomic.write_json(out / 'soak.json', {'rounds': rows, 'long_training': long, 'wrong': wrong})
  draw(rows, long, out / 'soak.png')
  print('\n'.join([*summary(rows, long), f'written: {out / "soak.json"}', *wrong]))
  if wrong:
    sys.exit(1)


def _thirds(values: list[int]) -> tuple[float, float]:
  """Medians of the first third and of the last."""
  third = max(1, len(values) // 3)
  return statistics.median(values[:third]), statistics.median(values[-third:])


def _of(rows: list[dict[str, Any]], work: str) -> list[int]:
  return [row['bytes'] for row in rows if row['work'] == work]


def _settled(long: list[tuple[float, int]]) -> list[int]:
  """Memory once all is compiled: after the first quarter of the time."""
  return [m for t, m in long if t > long[-1][0] / 4]


def complaints(rows: list[dict[str, Any]], long: list[tuple[float, int]]) -> list[str]:
  """What grew."""
  series = {work: _of(rows, work) for work in dict.fromkeys(row['work'] for row in rows)}
  series['the long training'] = _settled(long)
  found = []
  for what, values in series.items():
    first, last = _thirds(values)
    if last > SLACK * first:
      found.append(f'{what}: memory grew from {first / 2**20:.0f} to {last / 2**20:.0f} MiB')
  return found


def summary(rows: list[dict[str, Any]], long: list[tuple[float, int]]) -> list[str]:
  """A line for each kind of work."""
  lines = []
  for work in dict.fromkeys(row['work'] for row in rows):
    values = _of(rows, work)
    first, last = (v / 2**20 for v in _thirds(values))
    lines.append(
      f'{work:<9} {len(values)} times: {first:.0f} MiB in the first third, {last:.0f} in the last'
    )
  first, last = (v / 2**20 for v in _thirds(_settled(long)))
  return [*lines, f'one training of {long[-1][0] / 60:.0f} min: {first:.0f} MiB, then {last:.0f}']


def draw(rows: list[dict[str, Any]], long: list[tuple[float, int]], path: pathlib.Path) -> None:
  """Memory by round, and along the long training."""
  figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout='constrained', sharey=True)
  for work in dict.fromkeys(row['work'] for row in rows):
    values = [m / 2**20 for m in _of(rows, work)]
    axes[0].plot(range(1, len(values) + 1), values, 'o-', label=work, markersize=3)
  axes[0].set(xlabel='round', ylabel='peak memory (MiB)')
  axes[0].legend(frameon=False)
  axes[1].plot([t / 60 for t, _ in long], [m / 2**20 for _, m in long])
  axes[1].set(xlabel='minutes of one training', ylim=(0, None))
  for ax in axes:
    ax.grid(alpha=0.3)
  style.save_figure(figure, path)
  plt.close(figure)


if __name__ == '__main__':
  define_flags()
  app.run(main)
