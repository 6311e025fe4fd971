"""Time and memory at 1, 4 and 16 times the data: building, training, predicting.

    python launch/growth.py --out=DIR

Time should grow with the data and memory not at all. Works on data it makes itself; writes
DIR/growth.json and DIR/growth.png, and exits with 1 where time grows faster than the data or
memory by over a fifth.
"""

from __future__ import annotations

import functools
import pathlib
import shutil
import sys
import tempfile
from typing import Any

import matplotlib.pyplot as plt
from absl import app, flags

import measured
from grfjax.io import atomic
from grfjax.report import style

SIZES = (1, 4, 16)
PEOPLE, TRIALS, STEPS, SECONDS = 4, 4, 100, 10  # at 1
# How often each is done; the quickest counts, as whatever else the machine does only adds.
TIMES = {1: 2, 4: 2, 16: 1}
SLACK = 1.2


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  flags.DEFINE_string('out', None, 'Folder for the results.', required=True)


def main(argv: list[str]) -> None:
  """Measures and draws."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  out = pathlib.Path(flags.FLAGS.out)
  rows: list[dict[str, Any]] = []
  with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    walks = folder / 'walks'
    measured.python(
      '-m', 'grfjax.synth', f'--out={walks}', '--subjects=1', f'--trials={TRIALS}', '--seed=1'
    )
    for size in SIZES:
      recordings, data = folder / f'recordings{size}', folder / f'data{size}'
      measured.manifest(walks, recordings, PEOPLE * size)
      film = folder / f'film{size}.mp4'
      measured.repeated(next((walks / 'videos').iterdir()), film, SECONDS * size)
      run = folder / f'run{size}'
      predicting = ('--workdir', str(run), '--video', str(film), '--out', str(folder / 'curves'))
      for work, done in (
        ('build', functools.partial(measured.build, recordings, data)),
        ('train', functools.partial(train, data, run, STEPS * size)),
        ('predict', functools.partial(measured.python, '-m', 'grfjax.predict', *predicting)),
      ):
        seconds, memory = min(done() for _ in range(TIMES[size]))
        rows.append({'work': work, 'size': size, 'seconds': seconds, 'bytes': memory})
        print(f'{work:<8} x{size:<3} {seconds:7.1f} s {memory / 2**20:7.0f} MiB', flush=True)
  atomic.write_json(out / 'growth.json', rows)
  draw(rows, out / 'growth.png')
  wrong = complaints(rows)
  print('\n'.join([f'written: {out / "growth.json"}, {out / "growth.png"}', *wrong]))
  if wrong:
    sys.exit(1)


def train(data: pathlib.Path, run: pathlib.Path, steps: int) -> tuple[float, int]:
  """Seconds and bytes of so many steps from nothing."""
  shutil.rmtree(run, ignore_errors=True)
  return measured.python(
    '-m', 'grfjax.train', '--config=configs/walker.py:scratch', f'--workdir={run}',
    f'--config.data_dir={data}', f'--config.steps={steps}', '--config.holdout=',
    '--config.calibrate=0',
  )  # fmt: skip


def complaints(rows: list[dict[str, Any]]) -> list[str]:
  """What grows too fast. Time is compared by its increments, so that starting up does not count."""
  found = []
  for work in dict.fromkeys(row['work'] for row in rows):
    low, middle, high = (row for row in rows if row['work'] == work)
    growth = (high['seconds'] - middle['seconds']) / max(middle['seconds'] - low['seconds'], 1e-9)
    due = (high['size'] - middle['size']) / (middle['size'] - low['size'])
    if growth > SLACK * due:
      found.append(f'{work}: time grows {growth:.1f} times from step to step, expected {due:.1f}')
    if high['bytes'] > SLACK * low['bytes']:
      found.append(f'{work}: memory grows {high["bytes"] / low["bytes"]:.2f} times')
  return found


def draw(rows: list[dict[str, Any]], path: pathlib.Path) -> None:
  """Time and memory over the size of the data."""
  figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout='constrained')
  what = {
    'build': f'build ({PEOPLE} people x {TRIALS} trials)',
    'train': f'train ({STEPS} steps)',
    'predict': f'predict ({SECONDS} s of video)',
  }
  for work, label in what.items():
    mine = [row for row in rows if row['work'] == work]
    size = [row['size'] for row in mine]
    axes[0].plot(size, [row['seconds'] for row in mine], 'o-', label=label)
    axes[1].plot(size, [row['bytes'] / 2**20 for row in mine], 'o-', label=label)
  axes[0].set(xlabel='times the data', ylabel='seconds, starting up included')
  axes[1].set(xlabel='times the data', ylabel='peak memory (MiB)', ylim=(0, None))
  for ax in axes:
    ax.set_xticks(SIZES)
    ax.grid(alpha=0.3)
  axes[0].legend(frameon=False)
  style.save_figure(figure, path)
  plt.close(figure)


if __name__ == '__main__':
  define_flags()
  app.run(main)
