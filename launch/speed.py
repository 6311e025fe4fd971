"""How long the product's own work takes: predicting, feeding the step, building, starting.

    python launch/speed.py --out=DIR [--recordings=RAW] [--only=building,feeding]

On data it makes itself; building is measured on RAW where it is given. Prints what it finds,
writes DIR/speed.json (rows as in launch/bench.py; `peer` is what the work is compared with) and
exits with 1 where a bar is missed.
"""

from __future__ import annotations

import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
from absl import app, flags
from ml_collections import config_flags

import measured
from grfjax.data import input_pipeline, label_index, voxel_dataset
from grfjax.io import atomic, recordings, video_file
from grfjax.models import networks
from grfjax.training import optimizers, sharding, train_step

_OUT = flags.DEFINE_string('out', None, 'Folder for speed.json.', required=True)
_RECORDINGS = flags.DEFINE_string('recordings', None, 'A recording set to build; default: made.')
WORKS = ('building', 'feeding', 'starting', 'predicting')
_ONLY = flags.DEFINE_list('only', list(WORKS), f'Which of {", ".join(WORKS)}.')
_MINUTES = flags.DEFINE_float('minutes', 10, 'Length of the video for the memory of predicting.')
_CONFIG = config_flags.DEFINE_config_file(
  'config', str(measured.ROOT / 'configs/walker.py'), 'What is trained and predicts.'
)

BLOCK, BLOCKS = 100, 4  # steps fed one way, then the other
GIB = 2**30
DECODE = """
import sys, decord
for path in sys.argv[1:]:
  reader = decord.VideoReader(path)
  for _ in range(len(reader)):
    reader.next()
"""


def predicting(folder: pathlib.Path, minutes: float) -> Iterator[dict[str, Any]]:
  """A 1920 x 1080 video at 60 frames/s: how fast, and how much memory a long one needs."""
  walks = folder / 'hd'
  measured.python(
    '-m', 'grfjax.synth', f'--out={walks}', '--subjects=1', '--trials=1', '--seed=5',
    '--width=1920', '--height=1080',
  )  # fmt: skip
  walk = next((walks / 'videos').iterdir())
  film = folder / 'minute.mp4'
  length = measured.repeated(walk, film, 60)
  annotated = ('-m', 'grfjax.predict', f'--out={folder / "curves"}')
  call = (*annotated, '--nooverlay')
  times, bare = [], []
  for _ in range(3):  # by turns, starting up included
    bare.append(measured.python('-c', DECODE, str(film))[0])
    times.append(measured.python(*call, f'--video={film}')[0])
  seconds, decoding = statistics.median(times), statistics.median(bare)
  print(f'{length:.0f} s of 1080p at 60/s: {seconds:.1f} s; decoding alone {decoding:.1f} s')
  yield _result('predict 1080p, 60/s', 'real time', length / seconds, 2.0)
  yield _result('predict 1080p, 60/s', 'bare decoding', decoding / seconds, 0.5)
  seconds, memory = measured.python(*annotated, f'--video={film}')
  print(f'with the video given back annotated: {seconds:.1f} s, {memory / 2**20:.0f} MiB')
  yield _result('predict and annotate 1080p, 60/s', 'real time', length / seconds, 1.0)
  if minutes:
    long = folder / 'long.mp4'
    length = measured.repeated(walk, long, 60 * minutes)
    seconds, memory = measured.python(*call, f'--video={long}')
    print(f'{length:.0f} s of it: {seconds:.1f} s, {memory / 2**20:.0f} MiB')
    yield _result(f'memory to predict {minutes:g} minutes', '1.5 GiB', 1.5 * GIB / memory, 1.0)


def building(
  folder: pathlib.Path, root: pathlib.Path, data_dir: pathlib.Path
) -> Iterator[dict[str, Any]]:
  """`tfds build` beside decoding the same frames; with two workers beside one."""
  trials = recordings.load(str(root))
  films = [str(trial.video) for trial in trials]
  frames = sum(len(video_file.probe(film).time_s) for film in films)
  one = folder / 'one'
  measured.manifest(root, one, 1)
  rows = (one / 'trials.csv').read_text().splitlines()
  (one / 'trials.csv').write_text('\n'.join(rows[:2]) + '\n')  # one trial: as good as none
  start = measured.build(one, data_dir)[0]
  decoding = measured.python('-c', DECODE, *films)[0] - measured.python('-c', DECODE)[0]
  seconds = {
    workers: measured.build(root, data_dir, GRFJAX_WORKERS=str(workers))[0] - start
    for workers in (1, 2)
  }
  print(
    f'build {len(trials)} trials ({frames} frames): starting up {start:.1f} s; then '
    f'{seconds[1]:.1f} s with one worker, {seconds[2]:.1f} s with two; decoding {decoding:.1f} s'
  )
  yield _result(f'build {len(trials)} trials', 'bare decoding', decoding / seconds[2], 0.25)
  yield _result('build with two workers', 'one worker', seconds[1] / seconds[2], 1.0)


def feeding(root: pathlib.Path, config: Any) -> Iterator[dict[str, Any]]:
  """A training step fed by the stream beside one fed from memory."""
  dataset = voxel_dataset.Dataset(str(root), config.dataset)
  model, target = networks.network(config)
  source = dataset.source(dataset.subjects)
  labels = label_index.index_labels(source, dataset.config.own, model.legs)
  stream = iter(
    input_pipeline.train_stream(
      source, labels, batch=config.batch, clip=config.clip, rebalance=config.rebalance, seed=0
    )
  )
  _, whole, split = sharding.meshes()
  tx = optimizers.build_optimizer(steps=1000, **config.optimizer)
  shape = (config.clip, *dataset.config.shape[1:])
  state = jax.device_put(train_step.init_state(model, tx, shape, jax.random.key(0)), whole)
  key = jax.device_put(jax.random.key(1), whole)
  update = train_step.make_train_step(
    model=model,
    target=target,
    tx=tx,
    augmentations=dict(config.augment),
    replicated=whole,
    split=split,
  )
  kept = [next(stream) for _ in range(8)]
  waited = 0.0

  def steps(count: int, streamed: bool) -> float:
    nonlocal state, waited
    begun = time.perf_counter()
    for k in range(count):
      asked = time.perf_counter()
      batch = next(stream) if streamed else kept[k % len(kept)]
      waited += time.perf_counter() - asked
      state, sums = update(state, sharding.to_device(batch, split), key)
    jax.block_until_ready(sums)
    return (time.perf_counter() - begun) / count

  steps(10, True)
  memory, streamed = [], []
  waited = 0.0
  for _ in range(BLOCKS):
    memory.append(steps(BLOCK, False))
    streamed.append(steps(BLOCK, True))
  a, b = statistics.median(memory), statistics.median(streamed)
  share = waited / (BLOCK * sum(streamed))
  print(
    f'a step: {1e3 * a:.1f} ms from memory, {1e3 * b:.1f} ms streamed; waits {100 * share:.1f} %'
  )
  yield _result('training step, streamed', 'from memory', a / b, 1 / 1.05)
  yield _result('share of time not waiting for data', 'all', 1 - share, 0.95)
  compiled = getattr(update, '_cache_size')()  # noqa: B009, not in its type
  yield _result('compilations of the step', 'one', 1 / compiled, 1.0)


def starting(folder: pathlib.Path, root: pathlib.Path) -> Iterator[dict[str, Any]]:
  """From the command to the end of the first step, all compiled before."""
  for number in (1, 2):
    seconds, _ = measured.python(
      '-m', 'grfjax.train', '--config=configs/walker.py', f'--workdir={folder / f"run{number}"}',
      f'--config.data_dir={root}', '--config.steps=1', '--config.holdout=', '--config.calibrate=0',
      JAX_COMPILATION_CACHE_DIR=str(folder / 'compiled'),
    )  # fmt: skip
    print(f'one step, {"nothing" if number == 1 else "all"} compiled before: {seconds:.1f} s')
  yield _result('start to first step, compiled before', '15 s', 15 / seconds, 1.0)


def _result(work: str, peer: str, ratio: float, bar: float) -> dict[str, Any]:
  row = {'work': work, 'peer': peer, 'ratio': round(ratio, 3), 'bar': round(bar, 3)}
  return row | {'met': ratio >= bar}


def main(argv: list[str]) -> None:
  """Measures everything."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  if unknown := set(_ONLY.value) - set(WORKS):
    raise app.UsageError(f'--only: no {", ".join(sorted(unknown))}; there are {", ".join(WORKS)}')
  results: list[dict[str, Any]] = []
  with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    root = pathlib.Path(_RECORDINGS.value) if _RECORDINGS.value else folder / 'recordings'
    if not _RECORDINGS.value:
      measured.python(
        '-m', 'grfjax.synth', f'--out={root}', '--subjects=4', '--trials=10', '--seed=1'
      )
    data_dir = folder / 'd'
    works: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
      'building': lambda: building(folder, root, data_dir),
      'feeding': lambda: feeding(data_dir, _CONFIG.value),
      'starting': lambda: starting(folder, data_dir),
      'predicting': lambda: predicting(folder, _MINUTES.value),
    }
    if 'building' not in _ONLY.value and {'feeding', 'starting'} & set(_ONLY.value):
      measured.build(root, data_dir)
    for row in (row for name in WORKS if name in _ONLY.value for row in works[name]()):
      results.append(row)
      print(
        f'  {row["work"]}: {row["ratio"]:.2f} x {row["peer"]}, bar {row["bar"]}: '
        f'{"met" if row["met"] else "MISSED"}',
        flush=True,
      )
  atomic.write_json(pathlib.Path(_OUT.value) / 'speed.json', results)
  print(f'written: {pathlib.Path(_OUT.value) / "speed.json"}')
  if not all(row['met'] for row in results):
    sys.exit(1)


if __name__ == '__main__':
  app.run(main)
