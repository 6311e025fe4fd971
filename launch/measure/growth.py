"""Measures what building, training and predicting take at 1, 4, 16 and 64 times the data.

    python launch/measure/growth.py --out=DIR

Time should grow with the data, and neither memory nor the number of open files. Time is CPU time,
as that depends least on what else the machine does. The data are synthetic and made by the script.
Writes DIR/growth.json and DIR/growth.png, and exits with 1 where time grows by over a fifth more
than the data, memory at last still by over a fifth, or files without end.
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

SIZES = (1, 4, 16, 64)
PEOPLE, TRIALS, STEPS, SECONDS = 1, 2, 8, 3  # at size 1
SLACK = 1.2
MOST_FILES = 512  # half of what many systems let a process have


def define_flags() -> None:
  """Defines the flags; not on import, as the flags of several scripts have the same names."""
  flags.DEFINE_string('out', None, 'Folder for the results.', required=True)


def main(argv: list[str]) -> None:
  """Measures, and writes the results and a figure."""
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
      measured.write_set(walks, recordings, PEOPLE * size)
      video = folder / f'video{size}.mp4'
      measured.repeat_video(next((walks / 'videos').iterdir()), video, SECONDS * size)
      run = folder / f'run{size}'
      predicting = ('--workdir', str(run), '--video', str(video), '--out', str(folder / 'curves'))
      for work, command in (
        ('build', functools.partial(measured.build, recordings, data)),
        ('train', functools.partial(train, data, run, STEPS * size)),
        ('predict', functools.partial(measured.python, '-m', 'grfjax.predict', *predicting)),
      ):
        used = command()
        rows.append({'work': work, 'size': size, **used._asdict()})
        print(
          f'{work:<8} x{size:<3} {used.cpu_s:7.1f} s of CPU in {used.seconds:7.1f} s '
          f'{used.memory / 2**20:7.0f} MiB {used.files:5} files',
          flush=True,
        )
  atomic.write_json(out / 'growth.json', rows)
  draw(rows, out / 'growth.png')
  problems = find_problems(rows)
  print('\n'.join([f'written: {out / "growth.json"}, {out / "growth.png"}', *problems]))
  if problems:
    sys.exit(1)


def train(data: pathlib.Path, run: pathlib.Path, steps: int) -> measured.Sample:
  """Trains from nothing; returns what `measured.run` does."""
  shutil.rmtree(run, ignore_errors=True)
  return measured.python(
    '-m', 'grfjax.train', '--config=configs/walker.py:scratch', f'--workdir={run}',
    f'--config.data_dir={data}', f'--config.steps={steps}', '--config.holdout=',
    '--config.calibrate=0',
  )  # fmt: skip


def find_problems(rows: list[dict[str, Any]]) -> list[str]:
  """Says what grows too fast; increments of time are compared, so that starting up is left out."""
  problems = []
  for work in dict.fromkeys(row['work'] for row in rows):
    own = [row for row in rows if row['work'] == work]
    for low, middle, high in zip(own, own[1:], own[2:], strict=False):
      growth = (high['cpu_s'] - middle['cpu_s']) / max(middle['cpu_s'] - low['cpu_s'], 1e-9)
      expected = (high['size'] - middle['size']) / (middle['size'] - low['size'])
      if growth > SLACK * expected:
        problems.append(
          f'{work}: time grows {growth:.1f} times from step to step up to {high["size"]} times the '
          f'data, expected {expected:.1f}'
        )
    # Of the last two sizes, as little data do not fill what is worked on at a time.
    low, high = own[-2:]
    if high['memory'] > SLACK * low['memory']:
      problems.append(
        f'{work}: memory grows {high["memory"] / low["memory"]:.2f} times from {low["size"]} to '
        f'{high["size"]} times the data'
      )
    if high['files'] > MOST_FILES:
      problems.append(f'{work}: {high["files"]} files are open, expected {MOST_FILES} at most')
  return problems


def draw(rows: list[dict[str, Any]], path: pathlib.Path) -> None:
  """Draws time, memory and open files over the size of the data."""
  figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout='constrained')
  labels = {
    'build': f'build ({PEOPLE * TRIALS} trials)',
    'train': f'train ({STEPS} steps)',
    'predict': f'predict ({SECONDS} s of video)',
  }
  for work, label in labels.items():
    own = [row for row in rows if row['work'] == work]
    size = [row['size'] for row in own]
    axes[0].loglog(size, [row['cpu_s'] for row in own], 'o-', label=label)
    axes[1].semilogx(size, [row['memory'] / 2**20 for row in own], 'o-', label=label)
    axes[2].semilogx(size, [row['files'] for row in own], 'o-', label=label)
  axes[0].set(ylabel='CPU seconds, starting up included')
  axes[1].set(ylabel='peak memory (MiB)', ylim=(0, None))
  axes[2].set(ylabel='most open files', ylim=(0, None))
  for ax in axes:
    ax.set_xlabel('times the data')
    ax.set_xticks(SIZES, [str(size) for size in SIZES])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
  axes[0].legend(frameon=False)
  style.save_figure(figure, path)
  plt.close(figure)


if __name__ == '__main__':
  define_flags()
  app.run(main)
