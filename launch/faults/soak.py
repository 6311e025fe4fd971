"""Trains, evaluates and predicts repeatedly, to find growing memory and leftover files.

    python launch/faults/soak.py --out=DIR [--minutes=30]

The data are synthetic and made by the script. Each round continues training the same run, evaluates
it and predicts a recording set; the memory of each command is sampled while it works. Then one
training goes on alone for a third of the time. Writes DIR/soak.json and DIR/soak.png, and exits
with 1 where memory grew by over a tenth, from round to round or within the long training, or where
a round left a file that the round before had not left.
"""

from __future__ import annotations

import collections
import pathlib
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
from absl import app, flags

from grfjax.io import atomic
from grfjax.report import style

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'measure'))
import measured

STEPS = 200  # added in each round
EVERY_S = 0.25  # between two samples of memory
SLACK = 1.1
# Files that grow by design: TensorBoard writes one for each start of the training.
GROWS = re.compile(r'events\.out\.tfevents.*')


def count_files(folder: pathlib.Path) -> collections.Counter[str]:
  """Counts the files of each name, where names that differ only in numbers are the same."""
  names = (p.relative_to(folder).as_posix() for p in folder.rglob('*') if p.is_file())
  kept = (n for n in names if not GROWS.search(n))
  return collections.Counter(re.sub(r'[0-9a-f]{32}|\d+', '#', n) for n in kept)


def define_flags() -> None:
  """Defines the flags; not on import, as the flags of several scripts have the same names."""
  flags.DEFINE_string('out', None, 'Folder for the results.', required=True)
  flags.DEFINE_float('minutes', 30, 'Duration of the whole, minutes.', lower_bound=0.1)


def run_rounds(
  folder: pathlib.Path, train: Sequence[str], environment: dict[str, str], seconds: float
) -> tuple[list[dict[str, Any]], list[str]]:
  """Trains on, evaluates and predicts, round after round.

  Args:
    folder: holds the recording set and the run; what rounds leave is looked for here.
    train: arguments of Python that train, without the number of steps.
    environment: variables for the commands.
    seconds: how long; there are two rounds at least.

  Returns:
    Memory and seconds of each command of each round; what rounds left that the one before had not.
  """
  rows: list[dict[str, Any]] = []
  problems: list[str] = []
  start, number, before = time.monotonic(), 0, None
  while time.monotonic() - start < seconds or number < 2:
    number += 1
    for work, arguments in (
      ('train', (*train, f'--config.steps={STEPS * number}')),
      ('evaluate', ('-m', 'grfjax.evaluate', f'--workdir={folder / "run"}')),
      ('predict', (
        '-m', 'grfjax.predict', f'--workdir={folder / "run"}', f'--out={folder / "curves"}',
        f'--recordings={folder / "walks"}', '--overlay',
      )),
    ):  # fmt: skip
      samples = measured.watch((sys.executable, *arguments), environment, every=EVERY_S)
      peak = max(sample.memory for sample in samples)
      rows.append({'round': number, 'work': work, 'bytes': peak, 'seconds': samples[-1].seconds})
    now = count_files(folder)
    if before is not None and number > 2 and now != before:  # two checkpoints are kept
      problems.append(f'round {number} left {dict(now - before)} more, {dict(before - now)} less')
    before = now
    peaks = {row['work']: f'{row["bytes"] / 2**20:.0f} MiB' for row in rows[-3:]}
    print(f'round {number}: {peaks}, {sum(now.values())} files', flush=True)
  return rows, problems


def main(argv: list[str]) -> None:
  """Runs the rounds and the long training, and writes what was found."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  out, minutes = pathlib.Path(flags.FLAGS.out), flags.FLAGS.minutes
  with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    measured.python('-m', 'grfjax.synth', f'--out={folder / "walks"}', '--subjects=2', '--trials=2')
    measured.build(folder / 'walks', folder / 'data')
    scratch = folder / 'tmp'  # in place of the system's folder, to see what is left there
    scratch.mkdir()
    environment = {'TMPDIR': str(scratch)}
    train = (
      '-m', 'grfjax.train', '--config=configs/walker.py', f'--workdir={folder / "run"}',
      f'--config.data_dir={folder / "data"}', '--config.holdout=S01', '--config.calibrate=0',
      '--config.optimizer.decay=False',
    )  # fmt: skip
    rows, problems = run_rounds(folder, train, environment, 40 * minutes)
    long = measured.watch(
      (sys.executable, *train, f'--config.steps={10**7}'),
      environment,
      stop_after=20 * minutes,
      every=EVERY_S,
    )
  problems += find_growth(rows, long)
  atomic.write_json(out / 'soak.json', {'rounds': rows, 'long_training': long, 'wrong': problems})
  draw(rows, long, out / 'soak.png')
  print('\n'.join([*summary(rows, long), f'written: {out / "soak.json"}', *problems]))
  if problems:
    sys.exit(1)


def _thirds(values: list[int]) -> tuple[float, float]:
  """Returns the medians of the first third of the values and of the last."""
  third = max(1, len(values) // 3)
  return statistics.median(values[:third]), statistics.median(values[-third:])


def _bytes_of(rows: list[dict[str, Any]], work: str) -> list[int]:
  return [row['bytes'] for row in rows if row['work'] == work]


def _settled(long: list[measured.Sample]) -> list[int]:
  """Returns the memory after the first quarter of the time, when all is compiled."""
  return [one.memory for one in long if one.seconds > long[-1].seconds / 4]


def find_growth(rows: list[dict[str, Any]], long: list[measured.Sample]) -> list[str]:
  """Says which memory grew by more than `SLACK` allows."""
  series = {work: _bytes_of(rows, work) for work in dict.fromkeys(row['work'] for row in rows)}
  series['the long training'] = _settled(long)
  problems = []
  for name, values in series.items():
    first, last = _thirds(values)
    if last > SLACK * first:
      problems.append(f'{name}: memory grew from {first / 2**20:.0f} to {last / 2**20:.0f} MiB')
  return problems


def summary(rows: list[dict[str, Any]], long: list[measured.Sample]) -> list[str]:
  """Returns a line for each kind of work."""
  lines = []
  for work in dict.fromkeys(row['work'] for row in rows):
    values = _bytes_of(rows, work)
    first, last = (v / 2**20 for v in _thirds(values))
    lines.append(
      f'{work:<9} {len(values)} times: {first:.0f} MiB in the first third, {last:.0f} in the last'
    )
  first, last = (v / 2**20 for v in _thirds(_settled(long)))
  return [
    *lines,
    f'one training of {long[-1].seconds / 60:.0f} min: {first:.0f} MiB, then {last:.0f}',
  ]


def draw(rows: list[dict[str, Any]], long: list[measured.Sample], path: pathlib.Path) -> None:
  """Draws memory by round, and along the long training."""
  figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout='constrained', sharey=True)
  for work in dict.fromkeys(row['work'] for row in rows):
    values = [m / 2**20 for m in _bytes_of(rows, work)]
    axes[0].plot(range(1, len(values) + 1), values, 'o-', label=work, markersize=3)
  axes[0].set(xlabel='round', ylabel='peak memory (MiB)')
  axes[0].legend(frameon=False)
  axes[1].plot([one.seconds / 60 for one in long], [one.memory / 2**20 for one in long])
  axes[1].set(xlabel='minutes of one training', ylim=(0, None))
  for ax in axes:
    ax.grid(alpha=0.3)
  style.save_figure(figure, path)
  plt.close(figure)


if __name__ == '__main__':
  define_flags()
  app.run(main)
