"""Measures the speed of predicting, feeding the training step, building and starting.

    python launch/measure/speed.py --out=DIR [--recordings=RAW] [--only=building,feeding]

The data are synthetic and made by the script, but building is measured on RAW where it is given.
Prints the results and writes DIR/speed.json (rows as of launch/measure/bench.py; `peer` is what the
work is compared with); exits with 1 where a requirement is missed.
"""

from __future__ import annotations

import itertools
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
from absl import app, flags
from ml_collections import config_flags

import comparisons
import measured
from grfjax.data import input_pipeline, label_index, voxel_dataset
from grfjax.io import recordings, video_file
from grfjax.models import networks
from grfjax.training import device_batches, optimizers, sharding, train_step

_OUT = flags.DEFINE_string('out', None, 'Folder for speed.json.', required=True)
_RECORDINGS = flags.DEFINE_string(
  'recordings', None, 'A recording set to build; default: a synthetic one.'
)
WORKS = ('building', 'feeding', 'starting', 'predicting')
_ONLY = flags.DEFINE_list('only', list(WORKS), f'What to measure, of {", ".join(WORKS)}.')
_MINUTES = flags.DEFINE_float(
  'minutes', 10, 'Length of the video that shows the memory of predicting; 0: none.'
)
_CONFIG = config_flags.DEFINE_config_file(
  'config', str(measured.ROOT / 'configs/walker.py'), 'What is trained and predicts.'
)

BLOCK, BLOCKS = 100, 4  # steps fed from memory, then as many from the stream; how often
GIB = 2**30
DECODE = """
import sys, decord
for path in sys.argv[1:]:
  reader = decord.VideoReader(path)
  for _ in range(len(reader)):
    reader.next()
"""


def predicting(folder: pathlib.Path, minutes: float) -> Iterator[dict[str, Any]]:
  """Measures predicting a 1920 x 1080 video at 60 frames/s, and the memory for a long one."""
  walks = folder / 'hd'
  measured.python(
    '-m', 'grfjax.synth', f'--out={walks}', '--subjects=1', '--trials=1', '--seed=5',
    '--width=1920', '--height=1080',
  )  # fmt: skip
  walk = next((walks / 'videos').iterdir())
  video = folder / 'minute.mp4'
  length = measured.repeat_video(walk, video, 60)
  with_overlay = ('-m', 'grfjax.predict', f'--out={folder / "curves"}')
  without_overlay = (*with_overlay, '--nooverlay')
  times, decoding_times = [], []
  for _ in range(3):  # by turns, starting up included
    decoding_times.append(measured.python('-c', DECODE, str(video))[0])
    times.append(measured.python(*without_overlay, f'--video={video}')[0])
  seconds, decoding = statistics.median(times), statistics.median(decoding_times)
  print(f'{length:.0f} s of 1080p at 60/s: {seconds:.1f} s; decoding alone {decoding:.1f} s')
  yield comparisons.comparison('predict 1080p, 60/s', 'real time', length / seconds, 2.0)
  yield comparisons.comparison('predict 1080p, 60/s', 'bare decoding', decoding / seconds, 0.5)
  seconds, memory, *_ = measured.python(*with_overlay, f'--video={video}')
  print(f'with the annotated video: {seconds:.1f} s, {memory / 2**20:.0f} MiB')
  yield comparisons.comparison(
    'predict and annotate 1080p, 60/s', 'real time', length / seconds, 1.0
  )
  if minutes:
    long = folder / 'long.mp4'
    length = measured.repeat_video(walk, long, 60 * minutes)
    seconds, memory, *_ = measured.python(*without_overlay, f'--video={long}')
    print(f'{length:.0f} s of it: {seconds:.1f} s, {memory / 2**20:.0f} MiB')
    yield comparisons.comparison(
      f'memory to predict {minutes:g} minutes', '1.5 GiB', 1.5 * GIB / memory, 1.0
    )


def building(
  folder: pathlib.Path, root: pathlib.Path, data_dir: pathlib.Path
) -> Iterator[dict[str, Any]]:
  """Compares `tfds build` with decoding the same frames, and two workers with one."""
  trials = recordings.load(str(root))
  videos = [str(trial.video) for trial in trials]
  frames = sum(len(video_file.probe(video).time_s) for video in videos)
  single = folder / 'one'
  measured.write_set(root, single, 1)
  rows = (single / 'trials.csv').read_text().splitlines()
  (single / 'trials.csv').write_text('\n'.join(rows[:2]) + '\n')  # one trial: mostly starting up
  start = measured.build(single, data_dir)[0]
  decoding = measured.python('-c', DECODE, *videos)[0] - measured.python('-c', DECODE)[0]
  seconds = {
    workers: measured.build(root, data_dir, GRFJAX_WORKERS=str(workers))[0] - start
    for workers in (1, 2)
  }
  print(
    f'build {len(trials)} trials ({frames} frames): starting up {start:.1f} s; then '
    f'{seconds[1]:.1f} s with one worker, {seconds[2]:.1f} s with two; decoding {decoding:.1f} s'
  )
  yield comparisons.comparison(
    f'build {len(trials)} trials', 'bare decoding', decoding / seconds[2], 0.25
  )
  yield comparisons.comparison('build with two workers', 'one worker', seconds[1] / seconds[2], 1.0)


def feeding(root: pathlib.Path, config: Any) -> Iterator[dict[str, Any]]:
  """Compares training steps fed by the stream of batches with steps fed from memory."""
  dataset = voxel_dataset.Dataset(str(root), config.dataset)
  model, target = networks.network(config)
  records = dataset.source(dataset.subjects)
  source = input_pipeline.CachedRecords(records, config.batch)
  labels = label_index.index_labels(records, dataset.config.own, model.legs)
  _, whole, split = sharding.meshes()
  batches = input_pipeline.train_stream(
    source, labels, batch=config.batch, clip=config.clip, rebalance=config.rebalance, seed=0
  )
  stream = device_batches.ahead(batches, split)
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
  in_memory = list(itertools.islice(iter(batches), 8))
  waited = 0.0

  def steps(count: int, streamed: bool) -> float:
    nonlocal state, waited
    start = time.perf_counter()
    for k in range(count):
      if streamed:
        request = time.perf_counter()
        _, batch = next(stream)
        waited += time.perf_counter() - request
      else:
        batch = sharding.to_device(in_memory[k % len(in_memory)], split)
      state, sums = update(state, batch, key)
    jax.block_until_ready(sums)
    return (time.perf_counter() - start) / count

  steps(10, True)
  from_memory, streamed = [], []
  waited = 0.0
  for _ in range(BLOCKS):
    from_memory.append(steps(BLOCK, False))
    streamed.append(steps(BLOCK, True))
  a, b = statistics.median(from_memory), statistics.median(streamed)
  share = waited / (BLOCK * sum(streamed))
  print(
    f'a step: {1e3 * a:.1f} ms from memory, {1e3 * b:.1f} ms streamed; '
    f'it waits {100 * share:.1f} % of the time'
  )
  yield comparisons.comparison('training step, streamed', 'from memory', a / b, 1 / 1.05)
  yield comparisons.comparison('share of time not waiting for data', 'all', 1 - share, 0.95)
  compiled = getattr(update, '_cache_size')()  # noqa: B009, not in its type
  yield comparisons.comparison('compilations of the step', 'one', 1 / compiled, 1.0)


def starting(folder: pathlib.Path, root: pathlib.Path) -> Iterator[dict[str, Any]]:
  """Measures the time from the command to the end of the first step, all compiled before."""
  for number in (1, 2):
    seconds, *_ = measured.python(
      '-m', 'grfjax.train', '--config=configs/walker.py', f'--workdir={folder / f"run{number}"}',
      f'--config.data_dir={root}', '--config.steps=1', '--config.holdout=', '--config.calibrate=0',
      JAX_COMPILATION_CACHE_DIR=str(folder / 'compiled'),
    )  # fmt: skip
    print(f'one step, {"nothing" if number == 1 else "all"} compiled before: {seconds:.1f} s')
  yield comparisons.comparison('start to first step, compiled before', '15 s', 15 / seconds, 1.0)


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
      required = comparisons.passed_or_missed(row)
      print(f'  {row["work"]}: {row["ratio"]:.2f} x {row["peer"]}{required}', flush=True)
  comparisons.write(pathlib.Path(_OUT.value) / 'speed.json', results)


if __name__ == '__main__':
  app.run(main)
