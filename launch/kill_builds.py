"""Kills builds of a data set at random moments; what is left must be refused, or be whole.

python launch/kill_builds.py --kills=100
python launch/kill_builds.py --kills=10 --command   # the `tfds build` command itself: slow to start

After each kill (SIGKILL) the set is opened as training opens it, and every record is compared with
those of an undisturbed build. Now and then a build is let through: it must clear up and be whole.
"""

from __future__ import annotations

import collections
import importlib
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import tensorflow_datasets as tfds
from absl import app, flags, logging

from grfjax.data import trial_records, voxel_dataset

_KILLS = flags.DEFINE_integer('kills', 100, 'How many builds.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'Of the moments.')
_COMMAND = flags.DEFINE_bool('command', False, 'Kill the `tfds build` command.')
_CONFIG = flags.DEFINE_string('config', 'walker', 'The builder configuration.')

ROOT = pathlib.Path(__file__).resolve().parents[1]
DATASETS = ROOT / 'datasets'
RECORDINGS = DATASETS / 'walking_grf/dummy_data'
_SERVER = multiprocessing.get_context('forkserver')
EVERY = 10  # so often a build is let through


def build(data_dir: str, config: str, overwrite: bool) -> None:
  """Builds in this process, without TensorFlow."""
  quiet = os.open(os.devnull, os.O_WRONLY)
  os.dup2(quiet, 1)
  os.dup2(quiet, 2)
  module = importlib.import_module('walking_grf.walking_grf_dataset_builder')
  modes = tfds.GenerateMode
  how = tfds.download.DownloadConfig(
    manual_dir=RECORDINGS,
    download_mode=(
      modes.REUSE_CACHE_IF_EXISTS if overwrite else modes.REUSE_DATASET_IF_EXISTS
    ),
  )  # fmt: skip
  builder = module.Builder(data_dir=data_dir, config=config)
  builder.download_and_prepare(download_config=how)


def start(data_dir: str, overwrite: bool) -> subprocess.Popen | multiprocessing.process.BaseProcess:
  """Starts a build in a process of its own: of one that has imported all, or the command."""
  if not _COMMAND.value:
    process = _SERVER.Process(target=build, args=(data_dir, _CONFIG.value, overwrite))
    process.start()
    return process
  command = [
    str(pathlib.Path(sys.executable).parent / 'tfds'), 'build', str(DATASETS / 'walking_grf'),
    f'--config={_CONFIG.value}', f'--manual_dir={RECORDINGS}', f'--data_dir={data_dir}',
    *(['--overwrite'] if overwrite else []),
  ]  # fmt: skip
  quiet = subprocess.DEVNULL
  return subprocess.Popen(command, stdout=quiet, stderr=quiet)


def ended(process: subprocess.Popen | multiprocessing.process.BaseProcess) -> int:
  """Waits for it; its exit code, negative where a signal ended it."""
  if isinstance(process, subprocess.Popen):
    return process.wait()
  process.join()
  return process.exitcode or 0


def read(data_dir: str) -> dict[str, np.ndarray]:
  """Every record, as training reads them; raises DataError where they are refused."""
  dataset = voxel_dataset.Dataset(data_dir, _CONFIG.value)
  source = dataset.source(dataset.subjects)
  records = [source[k] for k in range(len(source))]
  return {key: np.stack([record[key] for record in records]) for key in records[0]}


def look(data_dir: str, whole: dict[str, np.ndarray]) -> str:
  """'whole' or 'refused'; exits where neither is so."""
  try:
    found = read(data_dir)
  except voxel_dataset.DataError:
    return 'refused'
  for key, value in whole.items():
    if not np.array_equal(found[key], value):
      sys.exit(f'kill_builds: {data_dir}: half a set was read: {key} differs')
  return 'whole'


def let_through(data_dir: str, overwrite: bool) -> float:
  """Builds undisturbed; returns the seconds it took."""
  begun = time.monotonic()
  code = ended(start(data_dir, overwrite))
  if code:
    sys.exit(f'kill_builds: {data_dir}: a build that was not killed failed ({code})')
  return time.monotonic() - begun


def main(argv: list[str]) -> None:
  """Kills builds and counts what is left."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  sys.path.insert(0, str(DATASETS))
  _SERVER.set_forkserver_preload(['__main__', 'walking_grf.walking_grf_dataset_builder'])
  rng = random.Random(_SEED.value)
  counts: collections.Counter[str] = collections.Counter()
  with tempfile.TemporaryDirectory() as folder:
    there = f'{folder}/data'
    let_through(there, overwrite=False)
    whole = read(there)
    lasts = let_through(there, overwrite=True)
    sets = pathlib.Path(there, voxel_dataset.DATASET, _CONFIG.value)
    for k in range(1, _KILLS.value + 1):
      overwrite = rng.random() < 0.5
      if not overwrite:  # what killed builds have left stays
        shutil.rmtree(sets / trial_records.VERSION, ignore_errors=True)
      process = start(there, overwrite)
      time.sleep(rng.uniform(0.3, 1.05) * lasts)  # it has begun by then
      process.kill()
      when = 'killed' if ended(process) == -signal.SIGKILL else 'too late: it had ended'
      left = 'with a draft' if any(sets.glob('incomplete.*')) else 'without a draft'
      kind = 'overwriting' if overwrite else 'first build'
      counts[f'{kind} {when}, {left}: {look(there, whole)}'] += 1
      if k % EVERY == 0 or k == _KILLS.value:
        let_through(there, overwrite=False)
        rest = sorted(p.name for p in sets.iterdir())
        if look(there, whole) != 'whole' or rest != [trial_records.VERSION]:
          sys.exit(f'kill_builds: {there}: after a rebuild there are {rest}')
        counts['rebuilt: whole, nothing else left'] += 1
  for what, count in sorted(counts.items()):
    print(f'{count:5} {what}')


if __name__ == '__main__':
  app.run(main)
