"""Hands broken files to everything that reads files: only documented errors may come out.

python launch/fuzz.py --minutes=30 [--readers=c3d,video] [--out=FOLDER]

Every file is a good one with a few edits. Each reader works in a process of its own, whose memory
and time are bounded: a crash, a hang and a hunger for memory are found as well. What was found is
kept in FOLDER. The short form of it is tests/fuzz_test.py, by Hypothesis, with the same edits.
"""

from __future__ import annotations

import collections
import dataclasses
import importlib
import itertools
import json
import multiprocessing
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from absl import app, flags, logging

from grfjax import conventions
from grfjax.gait import curve_files
from grfjax.io import atomic, force_files, recordings, video_file
from grfjax.training import metrics_log

ROOT = pathlib.Path(__file__).resolve().parents[1]
SECONDS = 60  # one file; the slowest good one takes under a second
MEMORY = 4 * 2**30  # of a process, with its libraries
BATCH = 400  # files read by one process

# --- edits

# What tables break on, and counts that formats break on.
TOKENS = (
  b'', b'nan', b'-inf', b'1e999', b'-1', b'0', b'1_0', b'0x1F', b'1,5', b'1.000,5', b'"', b"'",
  b';', b',', b'\t', b'\n', b'\r\n', b'\0', b'\xef\xbb\xbf', b'\xff\xfe', b'\xe9', b'..', b'../x',
  b'/etc/passwd', b'\\', b'<b>', b'&', b'left', b'right', b'left;left', b'time_s', b'fz_1', b'{',
  b'}', b'[', b'null', b'true', b'""', b'9' * 40, '\u0663\u202e\u2028'.encode(), b'\x00\x00',
  b'\xff\xff', b'\xff\xff\xff\xff', b'\x7f\xff\xff\xff', b'\x00\x00\x00\x80', b'\x01\x00',
)  # fmt: skip
KINDS = ('flip', 'put', 'insert', 'cell', 'cut', 'drop', 'twice', 'zero', 'line', 'lines')


@dataclasses.dataclass(frozen=True)
class Edit:
  """One change of a file.

  Attributes:
    kind: of `KINDS`.
    where: 0 to 1, of the file's length.
    token: what is put there.
    size: how many bytes, or which bit.
  """

  kind: str
  where: float
  token: bytes
  size: int


def edited(data: bytes, edits: Iterable[Edit]) -> bytes:
  """The file after all edits."""
  for e in edits:
    at = min(int(e.where * len(data)), max(len(data) - 1, 0))
    if e.kind == 'flip' and data:
      data = data[:at] + bytes([data[at] ^ 1 << e.size % 8]) + data[at + 1 :]
    elif e.kind == 'put':
      data = data[:at] + e.token + data[at + len(e.token) :]
    elif e.kind == 'insert':
      data = data[:at] + e.token + data[at:]
    elif e.kind == 'cell':  # from one separator to the next
      start = max(data.rfind(mark, 0, at) for mark in (b',', b'\n', b'\t', b':'))
      ends = [k for mark in (b',', b'\n', b'\t', b'}') if (k := data.find(mark, at)) >= 0]
      data = data[: start + 1] + e.token + data[min(ends, default=len(data)) :]
    elif e.kind == 'cut':
      data = data[:at]
    elif e.kind == 'drop':
      data = data[:at] + data[at + e.size :]
    elif e.kind == 'twice':
      data = data[:at] + data[at : at + e.size] + data[at:]
    elif e.kind == 'zero':
      data = data[:at] + bytes(len(data[at : at + e.size])) + data[at + e.size :]
    else:
      lines = data.split(b'\n')
      k = min(int(e.where * len(lines)), len(lines) - 1)
      data = b'\n'.join(
        lines[:k] + lines[k : k + 1] * (2 if e.kind == 'lines' else 0) + lines[k + 1 :]
      )
  return data


def drawn(rng: random.Random) -> list[Edit]:
  """A few edits; half of the time near the file's beginning or end, where formats keep counts."""
  where = (rng.random, lambda: 0.1 * rng.random() ** 2, lambda: 1 - 0.1 * rng.random() ** 2)
  return [
    Edit(
      rng.choice(KINDS if k else [kind for kind in KINDS if kind != 'cut' or rng.random() < 0.3]),
      where[rng.choice([0, 0, 1, 2])](), rng.choice(TOKENS), rng.choice([1, 2, 4, 16, 64, 600]),
    )
    for k in range(rng.choice([1, 1, 1, 2, 3, 8]))
  ]  # fmt: skip


# --- readers


@dataclasses.dataclass(frozen=True)
class Reader:
  """What is fed.

  Attributes:
    seeds: makes good files in a folder that is its own; name in there -> where the file is.
    read: reads the folder's file again; it gets the file that has been edited.
    errors: that it is documented to raise.
  """

  seeds: Callable[[pathlib.Path], list[pathlib.Path]]
  read: Callable[[pathlib.Path], Any]
  errors: tuple[type[BaseException], ...]


def making() -> Any:
  """The tests' makers of files."""
  if str(ROOT / 'tests') not in sys.path:
    sys.path.insert(0, str(ROOT / 'tests'))
  return importlib.import_module('making')


def plates() -> Any:
  """The tests' writers of force files."""
  making()
  return importlib.import_module('plates')


def _manifests(name: str) -> Callable[[pathlib.Path], list[pathlib.Path]]:
  def seeds(folder: pathlib.Path) -> list[pathlib.Path]:
    for file in ('A_1.mp4', 'A_2.mp4', 'A_1.csv', 'A_2.csv'):
      (folder / file).touch()
    rows = [{}, {'trial': 'A_2', 'video': 'A_2.mp4', 'force': 'A_2.csv', 'camera': 'right'}]
    making().write_manifests(folder, {'A': 61.5, 'B': 70}, rows)
    return [folder / name]

  return seeds


def _forces(kind: str) -> Callable[[pathlib.Path], list[pathlib.Path]]:
  def seeds(folder: pathlib.Path) -> list[pathlib.Path]:
    time_s, force = plates().two_steps(100, 1.6)
    write = getattr(plates(), f'write_{kind}')
    every: list[dict[str, Any]]
    if kind == 'c3d':
      every = [{'kind': k, 'rate': 100, 'units': ['N', 'Nmm']} for k in (1, 2, 3, 4)]
    elif kind == 'csv':
      every = [{}, {'separator': ';', 'newline': '\r\n'}]
    else:
      every = [{}, {'names': '{}_ground_force_v'}]
    return [write(folder / f'{k}.{kind}', time_s, force, **o) for k, o in enumerate(every)]

  return seeds


def _videos(folder: pathlib.Path) -> list[pathlib.Path]:
  import av

  walk, written = making().film(20), []
  written.append(making().write_video(folder / 'a.mp4', walk.frames, key_every=5))
  written.append(making().write_video(folder / 'b.mp4', walk.frames, movflags='faststart'))
  for name, codec, pixels in (
    ('c.avi', 'mjpeg', 'yuvj420p'), ('d.webm', 'libvpx-vp9', 'yuv420p'),
    ('e.mov', 'libx265', 'yuv420p'),
  ):  # fmt: skip
    written.append(folder / name)
    with av.open(str(written[-1]), 'w') as container:
      options = {'x265-params': 'log-level=none'} if codec == 'libx265' else {}
      stream: Any = container.add_stream(codec, rate=50, options=options)
      stream.width, stream.height, stream.pix_fmt = 96, 64, pixels
      for rgb in walk.frames:
        container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format='rgb24')))
      container.mux(stream.encode(None))
  return written


def _decode(path: pathlib.Path) -> None:
  for _ in video_file.frames(video_file.probe(path)):
    pass


def _predictions(folder: pathlib.Path) -> list[pathlib.Path]:
  path = folder / 'walk.csv'
  names = [f'{leg}_{axis}_bw' for leg in conventions.LEGS for axis in ('fz', 'fx', 'fy')]
  rows = [f'{k / 60:.6f},' + (',' * 5 if k < 5 else '1.0312,0.1,-0.02,,,') for k in range(60)]
  path.write_text('\n'.join([','.join(['time_s', *names]), *rows]) + '\n')
  return [path]


def _logs(folder: pathlib.Path) -> list[pathlib.Path]:
  path = folder / 'metrics.jsonl'
  rows = [{'step': k, 'loss': 0.1 / k, 'mae_pct_bw': 9.5, 'step_ms': 41.2} for k in range(1, 30)]
  path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
  return [path]


def _evaluations(folder: pathlib.Path) -> list[pathlib.Path]:
  one = {'mae_pct_bw': 5.4, 'rmse_pct_bw': 7.5, 'bias_pct_bw': -1.0, 'r': 0.97, 'n': 300}
  none = {**dict.fromkeys(one, None), 'n': 0}
  value = {
    'subjects': {'A': {**one, 'mae_newton': 31.5}},
    'training_subjects': ['B', 'C'],
    'model': {'name': 'walker', 'legs': 2, 'channels': [24, 64]},
    'dataset': 'walker', 'legs': 2, 'parameters': 648594, 'step': 600,
    'voxels': {'training': 40, 'held_out': 20},
    'frames': {'stance': 300, 'air': 100},
    'intervals': {'0.01-0.10': none, '0.11-0.20': one},
    'training_intervals': [
      {'interval': '0.01-0.10', 'labels': 10, 'share': 0.1, 'share_drawn': 0.2}
    ],
    'other_axes': {'forward': one},
    'prediction_interval': {
      'share': 0.9, 'vertical': {'covered': 0.91, 'mean_width_pct_bw': 25.0}
    },
    'air_mean_abs_pct_bw': 0.2,
    'baselines': {'constant': one, 'mean_curve': one},
  }  # fmt: skip
  atomic.write_json(folder / 'eval.json', value)
  return [folder / 'eval.json']


def _read_evaluation(path: pathlib.Path) -> None:
  from grfjax.evaluation import evaluation_result
  from grfjax.report import run_report

  run_report.run_summary(evaluation_result.read(path))


def _estimates(folder: pathlib.Path) -> list[pathlib.Path]:
  import numpy as np

  from grfjax.evaluation import held_out_estimates

  count, path = 40, folder / 'estimates.npz'
  labels = np.ones((count, 2), bool)
  one = held_out_estimates.HeldOutEstimates(
    np.array(['A_1'] * count), np.arange(count), np.arange(count) / 60,
    np.ones((count, 2, 3)), np.ones((count, 2, 3, 2)), np.ones((count, 2, 3)), labels, labels,
  )  # fmt: skip
  held_out_estimates.write_estimates(path, one)
  return [path]


def _read_estimates(path: pathlib.Path) -> None:
  from grfjax.evaluation import held_out_estimates

  held_out_estimates.read_estimates(path)


def _runs(folder: pathlib.Path) -> list[pathlib.Path]:
  shutil.copytree(ROOT / 'grfjax/pretrained/convolutional', folder / 'run')
  return [p for p in sorted((folder / 'run').iterdir()) if p.suffix in ('.json', '.npz')]


def _read_run(path: pathlib.Path) -> None:
  from grfjax.inference import trained_run
  from grfjax.report import run_description

  run_description.describe_run(trained_run.load(path.parent))


def _configuration(folder: pathlib.Path) -> list[pathlib.Path]:
  path = folder / 'overrides'
  path.write_text(
    '--config.steps=20\n--config.batch=8\n--config.holdout=A\n--config.rebalance=0.5\n'
    '--config.early_stop.monitor=loss\n--config.optimizer.learning_rate=0.001\n--config.model.name=walker\n'
    '--config.dataset=walker\n--config.target.name=regression\n'
  )
  return [path]


def _read_configuration(path: pathlib.Path) -> None:
  """As the command line does, and what training looks at before the data."""
  from ml_collections import config_flags

  from grfjax.data import clip_config
  from grfjax.models import networks
  from grfjax.training import run_settings

  values = flags.FlagValues()
  lines = path.read_text(encoding='utf-8').splitlines()
  command = ['train', f'--config={ROOT / "configs/walker.py"}', *filter(None, lines)]
  config_flags.DEFINE_config_file('config', None, '', values, sys_argv=command)
  try:
    values(command)
  except (AttributeError, KeyError) as error:  # how ml_collections says that there is no such name
    raise ValueError(str(error)) from error
  clip_config.clip_config(values.config.dataset)
  run_settings.check_config(values.config)
  networks.network(values.config)


def _data_set(folder: pathlib.Path) -> list[pathlib.Path]:
  import tensorflow_datasets as tfds

  if str(ROOT / 'datasets') not in sys.path:
    sys.path.insert(0, str(ROOT / 'datasets'))
  module = importlib.import_module('walking_grf.walking_grf_dataset_builder')
  config = tfds.download.DownloadConfig(manual_dir=ROOT / 'datasets/walking_grf/dummy_data')
  builder = module.Builder(data_dir=folder, config='mochizuki')
  builder.download_and_prepare(download_config=config)
  return sorted(p for p in pathlib.Path(builder.data_path).iterdir() if 'example' not in p.name)


def _read_data_set(path: pathlib.Path) -> None:
  from grfjax.data import voxel_dataset

  dataset = voxel_dataset.Dataset(str(path.parents[3]), 'mochizuki')
  source = dataset.source(dataset.subjects)
  for k in range(len(source)):
    source[k]


READERS = {
  'subjects': Reader(
    _manifests('subjects.csv'), lambda path: recordings.load(path.parent),
    (recordings.RecordingError,),
  ),
  'trials': Reader(
    _manifests('trials.csv'), lambda path: recordings.load(path.parent),
    (recordings.RecordingError,),
  ),
  'csv': Reader(_forces('csv'), force_files.read, (force_files.ForceError,)),
  'mot': Reader(_forces('mot'), force_files.read, (force_files.ForceError,)),
  'c3d': Reader(_forces('c3d'), force_files.read, (force_files.ForceError,)),
  'video': Reader(_videos, _decode, (video_file.VideoError,)),
  'prediction': Reader(
    _predictions, lambda path: curve_files.from_csv(path.read_text(encoding='utf-8')), (ValueError,)
  ),
  'log': Reader(_logs, metrics_log.read_log, (ValueError,)),
  'evaluation': Reader(_evaluations, _read_evaluation, (ValueError,)),
  'estimates': Reader(_estimates, _read_estimates, (ValueError, OSError)),
  'run': Reader(_runs, _read_run, (ValueError,)),
  'overrides': Reader(_configuration, _read_configuration, (ValueError, OSError, flags.Error)),
  'data set': Reader(_data_set, _read_data_set, (ValueError,)),
}  # fmt: skip


def feed(reader: Reader, path: pathlib.Path, good: bytes, edits: Iterable[Edit]) -> str:
  """Reads a file with edits in its place, and puts it back; 'read', 'refused', or what is wrong."""
  path.write_bytes(edited(good, edits))
  try:
    with warnings.catch_warnings():
      warnings.simplefilter('ignore')
      reader.read(path)
  except reader.errors as error:
    return 'refused' if str(error).strip() else f'an error without a message: {error!r}'
  except BaseException as error:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f'{type(error).__name__} at {pathlib.Path(last.filename).name}:{last.lineno}: {error}'
  finally:
    path.write_bytes(good)
  return 'read'


# --- in processes of their own


def _batch(name: str, folder: str, first: int, report: Any) -> None:
  """Reads many files; before each says its number, after it what became of it."""
  resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
  quiet = os.open(os.devnull, os.O_WRONLY)
  os.dup2(quiet, 1)
  os.dup2(quiet, 2)
  logging.set_verbosity(logging.FATAL)
  root = pathlib.Path(tempfile.mkdtemp(dir=folder))
  reader = READERS[name]
  good = [(path, path.read_bytes()) for path in reader.seeds(root)]
  for number in range(first, first + BATCH):
    path, data, edits = _case(good, name, number)
    signal.alarm(SECONDS)
    report.send((number, feed(reader, path, data, edits), _peak()))
  signal.alarm(0)
  shutil.rmtree(root)


def _case(
  good: list[tuple[pathlib.Path, bytes]], name: str, number: int
) -> tuple[pathlib.Path, bytes, list[Edit]]:
  rng = random.Random(f'{name} {number}')
  path, data = rng.choice(good)
  return path, data, drawn(rng)


def _peak() -> int:
  # Not getrusage's maximum, which begins at that of the process that started this one.
  status = pathlib.Path('/proc/self/status').read_text()
  (kib,) = re.findall(r'VmHWM:\s+(\d+)', status)
  return 1024 * int(kib)


@dataclasses.dataclass
class Result:
  """Of a reader: how often what became of a file, the most memory, and the numbers of bad ones."""

  counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
  memory: int = 0
  bad: dict[str, int] = dataclasses.field(default_factory=dict)

  def add(self, number: int, what: str) -> None:
    """Notes what became of a file."""
    self.counts[what if what in ('read', 'refused') else 'BAD'] += 1
    if what not in ('read', 'refused'):
      self.bad.setdefault(what, number)


def run(name: str, seconds: float, first: int = 0, most: int = sys.maxsize) -> Result:
  """Feeds a reader for some time; at least one file."""
  context = multiprocessing.get_context('spawn')
  result, until, number = Result(), time.monotonic() + seconds, first
  with tempfile.TemporaryDirectory() as folder:
    while True:
      ours, theirs = context.Pipe(duplex=False)
      process = context.Process(target=_batch, args=(name, folder, number, theirs))
      process.start()
      theirs.close()
      try:
        while True:
          number, what, memory = ours.recv()
          result.add(number, what)
          result.memory = max(result.memory, memory)
          number += 1
          if number - first >= most or time.monotonic() > until:
            process.kill()
            process.join()
            return result
      except EOFError:
        process.join()
        if process.exitcode:
          cause = 'hang' if process.exitcode == -signal.SIGALRM else 'crash'
          result.add(number, f'{cause}: exit code {process.exitcode}')
          number += 1


def keep(name: str, number: int, folder: pathlib.Path) -> pathlib.Path:
  """Writes the file of a number, to be looked at."""
  with tempfile.TemporaryDirectory() as scratch:
    good = [(p, p.read_bytes()) for p in READERS[name].seeds(pathlib.Path(scratch))]
    path, data, edits = _case(good, name, number)
  folder.mkdir(parents=True, exist_ok=True)
  kept = folder / f'{name}-{number}-{path.name}'
  kept.write_bytes(edited(data, edits))
  return kept


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  flags.DEFINE_float('minutes', 10.0, 'In all, shared by the readers.')
  flags.DEFINE_list('readers', None, 'Only these.')
  flags.DEFINE_string('out', None, 'Keeps the files that something was found with.')
  flags.DEFINE_integer('seed', 0, 'Of the edits.')


def main(argv: list[str]) -> None:
  """Feeds the readers in turn and counts."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  names = flags.FLAGS.readers or list(READERS)
  unknown = [name for name in names if name not in READERS]
  if unknown:
    sys.exit(f'fuzz: no reader {", ".join(unknown)}; there are {", ".join(READERS)}')
  found = False
  print(f'{"reader":12} {"files":>8} {"read":>8} {"refused":>8} {"bad":>6} {"MB":>6}', flush=True)
  for name in names:
    result = run(name, 60 * flags.FLAGS.minutes / len(names), first=flags.FLAGS.seed * 10**9)
    counts = result.counts
    print(
      f'{name:12} {counts.total():8} {counts["read"]:8} {counts["refused"]:8} {counts["BAD"]:6} '
      f'{result.memory / 1e6:6.0f}',
      flush=True,
    )
    for what, number in itertools.islice(result.bad.items(), 20):
      found = True
      where = (
        f'; kept: {keep(name, number, pathlib.Path(flags.FLAGS.out))}' if flags.FLAGS.out else ''
      )
      print(f'  file {number}: {what}{where}', flush=True)
  sys.exit(1 if found else 0)


if __name__ == '__main__':
  define_flags()
  app.run(main)
