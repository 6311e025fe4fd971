"""Measures what a device does with the networks: training steps, waiting for data, whole folds.

    bash launch/gpu.sh [--size=quick] [--recordings=RAW] [--out=DIR]

Writes DIR/gpu.md, a table with the device's name that can be pasted into docs/speed.md, and its
numbers as DIR/gpu.json. Any device will do; on a CPU only `--size=quick` ends soon. Where PyTorch
is installed and sees the same card, its step of the paper's network stands beside ours. What finds
too little memory is named in the table, and the rest is measured all the same.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import importlib.util
import math
import multiprocessing
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags, logging

import folds
import measured
from grfjax import loso
from grfjax.data import clip_config, voxel_dataset
from grfjax.io import atomic
from grfjax.models import networks
from grfjax.training import metrics_log, optimizers, sharding, train_step
from peers import workloads


@dataclasses.dataclass(frozen=True)
class Work:
  """A training step to time.

  Attributes:
    name: for the table.
    config: a configuration, file:argument.
    changes: of it, as of `folds.load_config`.
  """

  name: str
  config: str
  changes: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Size:
  """How much is measured.

  Attributes:
    works: the training steps.
    peer: what PyTorch does beside the last of them.
    steps: how often each is timed.
    matrix: rows of the matrices whose product shows the peak.
    fold: configuration of the folds.
    changes: of it.
    people: synthetic walkers, where no recording set is given.
  """

  works: tuple[Work, ...]
  peer: workloads.Work
  steps: int
  matrix: int
  fold: str
  changes: dict[str, Any]
  people: int


_TINY = {
  'batch': 2, 'model.channels': 2, 'model.dense': 8, 'augment.shift': 0.0, 'augment.noise': 0.0
}  # fmt: skip
SIZES = {
  'full': Size(
    works=(
      Work('`walker`, 8 clips', 'walker', {}),
      Work('`walker`, 64 clips', 'walker', {'batch': 64}),
      Work('`mochizuki3d` at full width, 100 voxels', 'mochizuki3d:paper', {}),
    ),
    peer=workloads.Work(
      '`mochizuki3d` at full width, 100 voxels', 'mochizuki3d', 100, 256, 1, 1, 1, {}
    ),
    steps=30,
    matrix=8192,
    fold='walker',
    changes={},
    people=4,
  ),
  'quick': Size(
    works=(Work('`mochizuki3d` at width 2, 2 voxels', 'mochizuki3d:pretrain', _TINY),),
    peer=workloads.Work('`mochizuki3d` at width 2, 2 voxels', 'mochizuki3d', 2, 2, 1, 1, 1, {}),
    steps=2,
    matrix=64,
    fold='mochizuki2d:pretrain',
    changes={**_TINY, 'steps': 2},
    people=2,
  ),
}
WARM_UP = 2  # steps before those that are timed
TORCH_DEVICES = {'gpu': 'cuda', 'cpu': 'cpu'}  # what PyTorch calls JAX's platforms


def _random_batch(config: Any) -> dict[str, np.ndarray]:
  """Returns a batch as a configuration takes it, of noise."""
  clip = clip_config.clip_config(config.dataset)
  t = config.clip or clip.frames
  count = config.batch
  rng = np.random.default_rng(0)
  return {
    'voxel': rng.integers(0, 256, (count, t, *clip.shape[1:]), dtype=np.uint8),
    'force': rng.uniform(0.01, 1.5, (count, t, 2, 3)).astype(np.float32),
    'known': np.ones((count, t, 2), bool),
    'contact': np.ones((count, t, 2), bool),
    'frame': np.tile(np.arange(t, dtype=np.int32), (count, 1)),
    'time_s': np.tile(np.arange(t, dtype=np.float32) / clip.fps, (count, 1)),
  }


def _median_s(call: Callable[[], Any], times: int) -> float:
  """Returns the median of the seconds of a call, after some that do not count."""
  seconds = []
  for k in range(WARM_UP + times):
    start = time.perf_counter()
    jax.block_until_ready(call())
    if k >= WARM_UP:
      seconds.append(time.perf_counter() - start)
  return statistics.median(seconds)


def _peak_flops_per_s(size: int, dtype: str) -> float:
  """Returns the rate of a large matrix product at the precision that layers have."""
  a = jnp.ones((size, size), networks.DTYPES[dtype])
  product = jax.jit(lambda a: a @ a)
  return 2 * size**3 / _median_s(lambda: product(a), 10)


def training_step(work: Work, dtype: str, size: Size, peak: float) -> dict[str, Any]:
  """Times a training step, its batch on the device already.

  Returns:
    The row: name, dtype, ms, samples_per_s, compile_s, and of_peak: the share of `peak` (operations
    a second) that the operations of the layers as they are written make up. A recurrent layer's are
    counted for one moment only, so that of `walker` it is a lower bound.
  """
  config = folds.load_config(work.config, {**work.changes, 'dtype': dtype})
  model, target = networks.network(config)
  _, whole, split = sharding.meshes()
  tx = optimizers.build_optimizer(steps=1000, **config.optimizer)
  batch = _random_batch(config)
  init = train_step.make_init(model=model, tx=tx, shape=batch['voxel'].shape[1:], replicated=whole)
  state = init(jax.random.key(0))
  update = train_step.make_train_step(
    model=model, target=target, tx=tx, augmentations=dict(config.augment), replicated=whole,
    split=split,
  )  # fmt: skip
  arguments = sharding.to_device(batch, split), jax.device_put(jax.random.key(1), whole)
  start = time.perf_counter()
  lowered = update.lower(state, *arguments)  # type: ignore[attr-defined]  # it is jitted
  cost: Any = lowered.cost_analysis()
  compiled = lowered.compile()
  compile_s = time.perf_counter() - start

  def step() -> Any:
    nonlocal state
    state, sums = compiled(state, *arguments)
    return sums

  seconds = _median_s(step, size.steps)
  total, count = jax.device_get(step()['loss'])
  if not math.isfinite(total / count):
    raise RuntimeError(f'{work.name}, {dtype}: the loss is not finite')
  return {
    'work': work.name, 'library': 'grfjax', 'dtype': dtype, 'ms': 1e3 * seconds,
    'samples_per_s': config.batch / seconds, 'compile_s': compile_s,
    'of_peak': float(cost['flops']) / seconds / peak,
  }  # fmt: skip


def training_steps(size: Size, peaks: dict[str, float]) -> Iterator[dict[str, Any]]:
  """Times all training steps; a row of one that fails has `failed`, the reason, and no times.

  Args:
    size: how much.
    peaks: type -> operations a second.
  """
  for work in size.works:
    for dtype, peak in peaks.items():
      try:
        yield training_step(work, dtype, size, peak)
      except jax.errors.JaxRuntimeError as error:  # such as too little memory on the device
        yield _failed(work.name, 'grfjax', dtype, error)


def _failed(work: str, library: str, dtype: str, error: Exception) -> dict[str, Any]:
  (line, *_) = str(error).splitlines() or [type(error).__name__]
  return {'work': work, 'library': library, 'dtype': dtype, 'failed': line[:200]}


def torch_steps(size: Size) -> Iterator[dict[str, Any]]:
  """Times PyTorch's step of the paper's network, where PyTorch sees the same kind of device."""
  device = TORCH_DEVICES.get(jax.default_backend())
  if importlib.util.find_spec('torch') is None or device is None:
    return
  work = size.peer
  # A process of its own, so that the other library's memory is free again.
  with (
    tempfile.TemporaryDirectory() as folder,
    multiprocessing.get_context('spawn').Pool(1) as pool,
  ):
    weights = pathlib.Path(folder) / 'weights.npz'
    _write_weights(work, weights)
    for dtype in networks.DTYPES:
      try:
        seconds = pool.apply(_torch_step_s, (work, weights, device, dtype, size.steps))
      except (RuntimeError, AssertionError, ImportError) as error:  # no device, little memory
        yield _failed(work.name, 'PyTorch', dtype, error)
        continue
      yield {
        'work': work.name, 'library': 'PyTorch', 'dtype': dtype,
        'ms': 1e3 * seconds, 'samples_per_s': work.batch / seconds,
      }  # fmt: skip


def _write_weights(work: workloads.Work, path: pathlib.Path) -> None:
  model = networks.build_network(work.model, channels=work.channels)
  (x,), _ = workloads.data(work)
  params = jax.jit(functools.partial(model.init, train=False))(jax.random.key(0), x[:1])['params']
  arrays: Any = workloads.flatten(params)
  np.savez(path, **arrays)


def _torch_step_s(
  work: workloads.Work, weights: pathlib.Path, device: str, dtype: str, times: int
) -> float:
  from peers import torch_peer  # in its process alone

  peer = torch_peer.Peer(work, weights, device, dtype)
  return _median_s(peer.train, times)  # which waits for the loss


def fold_times(
  data_dir: pathlib.Path, recordings: pathlib.Path, runs: pathlib.Path, size: Size
) -> Iterator[dict[str, Any]]:
  """Runs two folds in this process: trained, evaluated, predicted.

  The second one finds all compiled.

  Yields:
    For each: fold, seconds, and of its training step_ms and data_wait, the share of a step in which
    the device waits for data.
  """
  config = folds.load_config(size.fold, {**size.changes, 'data_dir': str(data_dir)})
  dataset = voxel_dataset.Dataset(config.data_dir, config.dataset)
  every = loso.Folds(config, [], runs, dataset, str(recordings), one_process=True)
  for subject in dataset.subjects[:2]:
    start = time.perf_counter()
    every.run(subject)
    seconds = time.perf_counter() - start
    entry = metrics_log.read_log(runs / subject / 'metrics.jsonl')[-1]
    yield {
      'fold': subject, 'people': len(dataset.subjects), 'steps': config.steps, 'seconds': seconds,
      'step_ms': entry['step_ms'], 'data_wait': entry['data_wait'],
    }  # fmt: skip


def _driver() -> str:
  """Returns the version of the card's driver, '' without a card."""
  with contextlib.suppress(OSError, subprocess.CalledProcessError):
    asked = ['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader']
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return f', driver {found.splitlines()[0]}' if found.strip() else ''
  return ''


def measure(out: pathlib.Path, size: Size, recordings: pathlib.Path | None) -> str:
  """Measures everything.

  Args:
    out: folder for gpu.md, gpu.json and what the folds read and write. The training steps are
      written before the folds begin.
    size: how much.
    recordings: of the folds; None: synthetic ones are made.

  Returns:
    The tables, as in gpu.md.
  """
  shutil.rmtree(out / 'runs', ignore_errors=True)
  out.mkdir(parents=True, exist_ok=True)
  peaks = {dtype: _peak_flops_per_s(size.matrix, dtype) for dtype in networks.DTYPES}
  about = {
    'device': jax.devices()[0].device_kind, 'count': jax.device_count(), 'driver': _driver(),
    'jax': jax.__version__, 'date': datetime.date.today().isoformat(), 'peak': peaks,
  }  # fmt: skip
  steps = [*training_steps(size, peaks), *torch_steps(size)]
  _write(out, about, steps, [])
  if recordings is None:
    recordings = out / 'recordings'
    measured.python(
      '-m', 'grfjax.synth', f'--out={recordings}', f'--subjects={size.people}', '--trials=10'
    )
  dataset = folds.load_config(size.fold, size.changes).dataset
  measured.build(recordings, out / 'data', config=dataset)
  return _write(out, about, steps, list(fold_times(out / 'data', recordings, out / 'runs', size)))


def _write(
  out: pathlib.Path, about: dict[str, Any], steps: list[dict[str, Any]], found: list[dict[str, Any]]
) -> str:
  """Writes what was found, and returns the tables."""
  text = _table(about, steps, found)
  atomic.write_json(out / 'gpu.json', {'about': about, 'steps': steps, 'folds': found})
  with atomic.atomic_file(out / 'gpu.md') as temporary:
    temporary.write_text(text, encoding='utf-8')
  return text


def _table(about: dict[str, Any], steps: list[dict[str, Any]], found: list[dict[str, Any]]) -> str:
  peaks = ', '.join(
    f'{rate / 1e12:.3g} TFLOP/s in {dtype}' for dtype, rate in about['peak'].items()
  )
  lines = [
    f'{about["count"]} x {about["device"]}{about["driver"]}, JAX {about["jax"]}, {about["date"]}. '
    f'A product of large matrices runs at {peaks}.',
    '',
    '| training step | library | computes in | step | samples/s | of that rate | compiling |',
    '|---|---|---|---|---|---|---|',
  ]
  for row in steps:
    if 'failed' in row:
      lines.append(
        f'| {row["work"]} | {row["library"]} | {row["dtype"]} | failed: {row["failed"]} | | | |'
      )
      continue
    share = f'{100 * row["of_peak"]:.1f} %' if 'of_peak' in row else '-'
    compiling = f'{row["compile_s"]:.1f} s' if 'compile_s' in row else '-'
    lines.append(
      f'| {row["work"]} | {row["library"]} | {row["dtype"]} | {row["ms"]:.2f} ms '
      f'| {row["samples_per_s"]:.0f} | {share} | {compiling} |'
    )
  lines += [
    '',
    '| fold, in one process | whole | training step | waiting for data |',
    '|---|---|---|---|',
  ]
  for number, row in enumerate(found, start=1):
    lines.append(
      f'| {number} of {row["people"]} people, {row["steps"]} steps | {row["seconds"]:.1f} s '
      f'| {row["step_ms"]:.1f} ms | {100 * row["data_wait"]:.1f} % |'
    )
  return '\n'.join(lines) + '\n'


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  flags.DEFINE_string('out', 'demo/gpu', 'Folder for gpu.md, gpu.json and the folds.')
  flags.DEFINE_enum('size', 'full', list(SIZES), 'quick: as little as shows that it runs.')
  flags.DEFINE_string(
    'recordings', None, 'The recording set of the folds; default: a synthetic one.'
  )


def main(argv: list[str]) -> None:
  """Measures what the flags say."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)  # Orbax reports every step of a save
  values = flags.FLAGS
  recordings = pathlib.Path(values.recordings) if values.recordings else None
  print(measure(pathlib.Path(values.out), SIZES[values.size], recordings))


if __name__ == '__main__':
  define_flags()
  app.run(main)
