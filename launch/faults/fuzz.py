"""Hands damaged files to everything that reads files: only documented errors may be raised.

    python launch/faults/fuzz.py --minutes=30 [--readers=c3d,video] [--out=FOLDER]

Every file is a good one with a few edits. Each reader works in a process of its own with bounded
memory and time, so that crashes, hangs and excessive memory are noticed as well. Files that cause
any of these are kept in FOLDER. tests/fuzz_test.py is a short form with the same edits, made with
Hypothesis.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
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
from collections.abc import Iterable
from typing import Any

from absl import app, flags, logging

import file_edits
import file_readers

SECONDS = 60  # for one file; the slowest good one takes under a second
MEMORY = 4 * 2**30  # of a process, with its libraries
BATCH = 400  # files read by one process


def feed(
  reader: file_readers.Reader, path: pathlib.Path, good: bytes, edits: Iterable[file_edits.Edit]
) -> str:
  """Puts an edited file in the place of a good one, reads it, and puts the good one back.

  Returns:
    'read', 'refused', or what went wrong.
  """
  path.write_bytes(file_edits.apply_edits(good, edits))
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


def _batch(name: str, folder: str, first: int, report: Any) -> None:
  """Reads many files in this process; reports (number, outcome, peak memory) after each."""
  resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
  resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
  quiet = os.open(os.devnull, os.O_WRONLY)
  os.dup2(quiet, 1)
  os.dup2(quiet, 2)
  logging.set_verbosity(logging.FATAL)
  root = pathlib.Path(tempfile.mkdtemp(dir=folder))
  reader = file_readers.READERS[name]
  good = [(path, path.read_bytes()) for path in reader.seeds(root)]
  for number in range(first, first + BATCH):
    path, data, edits = _case(good, name, number)
    signal.alarm(SECONDS)
    report.send((number, feed(reader, path, data, edits), _peak_memory()))
  signal.alarm(0)
  shutil.rmtree(root)


def _case(
  good: list[tuple[pathlib.Path, bytes]], name: str, number: int
) -> tuple[pathlib.Path, bytes, list[file_edits.Edit]]:
  """Returns the file of a number: a path, its good contents, and the edits."""
  rng = random.Random(f'{name} {number}')
  path, data = rng.choice(good)
  return path, data, file_edits.draw_edits(rng)


def _peak_memory() -> int:
  """Returns the peak memory of this process, bytes."""
  # Not the maximum of getrusage, which begins with that of the process that started this one.
  status = pathlib.Path('/proc/self/status').read_text()
  (kib,) = re.findall(r'VmHWM:\s+(\d+)', status)
  return 1024 * int(kib)


@dataclasses.dataclass
class Result:
  """What a reader did.

  Attributes:
    counts: how many files were read, refused, or 'BAD'.
    memory: peak memory, bytes.
    bad: what went wrong -> the number of the first file with which it did.
  """

  counts: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
  memory: int = 0
  bad: dict[str, int] = dataclasses.field(default_factory=dict)

  def add(self, number: int, outcome: str) -> None:
    """Counts a file by its outcome."""
    good = outcome in ('read', 'refused')
    self.counts[outcome if good else 'BAD'] += 1
    if not good:
      self.bad.setdefault(outcome, number)


def run(name: str, seconds: float, first: int = 0, most: int = sys.maxsize) -> Result:
  """Feeds a reader in processes of their own.

  Args:
    name: a key of `file_readers.READERS`.
    seconds: how long; at least one file is read.
    first: the number of the first file.
    most: how many files at most.
  """
  context = multiprocessing.get_context('spawn')
  result, deadline, number = Result(), time.monotonic() + seconds, first
  with tempfile.TemporaryDirectory() as folder:
    while True:
      receiver, sender = context.Pipe(duplex=False)
      process = context.Process(target=_batch, args=(name, folder, number, sender))
      process.start()
      sender.close()
      try:
        while True:
          number, outcome, memory = receiver.recv()
          result.add(number, outcome)
          result.memory = max(result.memory, memory)
          number += 1
          if number - first >= most or time.monotonic() > deadline:
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
  """Writes the file of a number into a folder, for inspection; returns its path."""
  with tempfile.TemporaryDirectory() as scratch:
    good = [(p, p.read_bytes()) for p in file_readers.READERS[name].seeds(pathlib.Path(scratch))]
    path, data, edits = _case(good, name, number)
  folder.mkdir(parents=True, exist_ok=True)
  kept = folder / f'{name}-{number}-{path.name}'
  kept.write_bytes(file_edits.apply_edits(data, edits))
  return kept


def define_flags() -> None:
  """Defines the flags; not on import, as the flags of several scripts have the same names."""
  flags.DEFINE_float('minutes', 10.0, 'Duration in all, shared by the readers.')
  flags.DEFINE_list('readers', None, 'Names of the readers to feed; default: all.')
  flags.DEFINE_string('out', None, 'Folder for the files with which something went wrong.')
  flags.DEFINE_integer('seed', 0, 'Seed of the edits.')


def main(argv: list[str]) -> None:
  """Feeds the readers in turn and prints what they did."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  readers = file_readers.READERS
  names = flags.FLAGS.readers or list(readers)
  unknown = [name for name in names if name not in readers]
  if unknown:
    sys.exit(f'fuzz: no reader {", ".join(unknown)}; there are {", ".join(readers)}')
  failed = False
  print(f'{"reader":12} {"files":>8} {"read":>8} {"refused":>8} {"bad":>6} {"MB":>6}', flush=True)
  for name in names:
    result = run(name, 60 * flags.FLAGS.minutes / len(names), first=flags.FLAGS.seed * 10**9)
    counts = result.counts
    print(
      f'{name:12} {counts.total():8} {counts["read"]:8} {counts["refused"]:8} {counts["BAD"]:6} '
      f'{result.memory / 1e6:6.0f}',
      flush=True,
    )
    for outcome, number in itertools.islice(result.bad.items(), 20):
      failed = True
      where = (
        f'; kept: {keep(name, number, pathlib.Path(flags.FLAGS.out))}' if flags.FLAGS.out else ''
      )
      print(f'  file {number}: {outcome}{where}', flush=True)
  sys.exit(1 if failed else 0)


if __name__ == '__main__':
  define_flags()
  app.run(main)
