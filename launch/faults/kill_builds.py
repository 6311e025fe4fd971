"""Kills builds of a data set at random moments; what they leave must be refused, or be complete.

    python launch/faults/kill_builds.py --kills=100
    python launch/faults/kill_builds.py --kills=10 --command   # the `tfds build` command: slower

After each kill (SIGKILL) the set is opened as training opens it, and every record is compared with
those of an undisturbed build. Now and then a build is not killed: it must remove what others have
left, and be complete.
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

_KILLS = flags.DEFINE_integer('kills', 100, 'How many builds are killed.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'Seed of the moments.')
_COMMAND = flags.DEFINE_bool('command', False, 'Kill the `tfds build` command itself.')
_CONFIG = flags.DEFINE_string('config', 'walker', 'The builder configuration.')

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATASETS = ROOT / 'datasets'
RECORDINGS = DATASETS / 'walking_grf/dummy_data'
_SERVER = multiprocessing.get_context('forkserver')
EVERY = 10  # after so many kills a build is not killed


def build(data_dir: str, config: str, overwrite: bool) -> None:
  """Builds the data set in this process, without TensorFlow."""
  quiet = os.open(os.devnull, os.O_WRONLY)
  os.dup2(quiet, 1)
  os.dup2(quiet, 2)
  module = importlib.import_module('walking_grf.walking_grf_dataset_builder')
  modes = tfds.GenerateMode
  download_config = tfds.download.DownloadConfig(
    manual_dir=RECORDINGS,
    download_mode=(
      modes.REUSE_CACHE_IF_EXISTS if overwrite else modes.REUSE_DATASET_IF_EXISTS
    ),
  )  # fmt: skip
  builder = module.Builder(data_dir=data_dir, config=config)
  builder.download_and_prepare(download_config=download_config)


def start(data_dir: str, overwrite: bool) -> subprocess.Popen | multiprocessing.process.BaseProcess:
  """Starts a build in a new process: a fork of one that has imported everything, or the command."""
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


def wait_for(process: subprocess.Popen | multiprocessing.process.BaseProcess) -> int:
  """Waits for the end of a process; returns its exit code, negative where a signal ended it."""
  if isinstance(process, subprocess.Popen):
    return process.wait()
  process.join()
  return process.exitcode or 0


def read(data_dir: str) -> dict[str, np.ndarray]:
  """Reads every record as training does.

  Raises:
    voxel_dataset.DataError: the set is refused.
  """
  dataset = voxel_dataset.Dataset(data_dir, _CONFIG.value)
  source = dataset.source(dataset.subjects)
  records = [source[k] for k in range(len(source))]
  return {key: np.stack([record[key] for record in records]) for key in records[0]}


def check(data_dir: str, complete: dict[str, np.ndarray]) -> str:
  """Returns 'whole' or 'refused'; ends the script where records are read that are not complete."""
  try:
    records = read(data_dir)
  except voxel_dataset.DataError:
    return 'refused'
  for key, value in complete.items():
    if not np.array_equal(records[key], value):
      sys.exit(f'kill_builds: {data_dir}: an incomplete data set was read: {key} differs')
  return 'whole'


def build_undisturbed(data_dir: str, overwrite: bool) -> float:
  """Builds without a kill; returns the seconds it took."""
  start_time = time.monotonic()
  code = wait_for(start(data_dir, overwrite))
  if code:
    sys.exit(f'kill_builds: {data_dir}: a build that was not killed failed ({code})')
  return time.monotonic() - start_time


def main(argv: list[str]) -> None:
  """Kills builds and counts what they leave."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  sys.path.insert(0, str(DATASETS))
  _SERVER.set_forkserver_preload(['__main__', 'walking_grf.walking_grf_dataset_builder'])
  rng = random.Random(_SEED.value)
  counts: collections.Counter[str] = collections.Counter()
  with tempfile.TemporaryDirectory() as folder:
    data_dir = f'{folder}/data'
    build_undisturbed(data_dir, overwrite=False)
    complete = read(data_dir)
    duration = build_undisturbed(data_dir, overwrite=True)
    sets = pathlib.Path(data_dir, voxel_dataset.DATASET, _CONFIG.value)
    for k in range(1, _KILLS.value + 1):
      overwrite = rng.random() < 0.5
      if not overwrite:  # drafts of killed builds stay
        shutil.rmtree(sets / trial_records.VERSION, ignore_errors=True)
      process = start(data_dir, overwrite)
      time.sleep(
        rng.uniform(0.3, 1.05) * duration
      )  # after 0.3 of the duration it has begun to build
      process.kill()
      end = 'killed' if wait_for(process) == -signal.SIGKILL else 'too late: it had ended'
      draft = 'with a draft' if any(sets.glob('incomplete.*')) else 'without a draft'
      kind = 'overwriting' if overwrite else 'first build'
      counts[f'{kind} {end}, {draft}: {check(data_dir, complete)}'] += 1
      if k % EVERY == 0 or k == _KILLS.value:
        build_undisturbed(data_dir, overwrite=False)
        rest = sorted(p.name for p in sets.iterdir())
        if check(data_dir, complete) != 'whole' or rest != [trial_records.VERSION]:
          sys.exit(f'kill_builds: {data_dir}: after a rebuild there are {rest}')
        counts['rebuilt: whole, nothing else left'] += 1
  for outcome, count in sorted(counts.items()):
    print(f'{count:5} {outcome}')


if __name__ == '__main__':
  app.run(main)
