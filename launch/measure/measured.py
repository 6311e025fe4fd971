"""Shared by the scripts that measure: what commands use; videos and sets of any size."""

from __future__ import annotations

import contextlib
import fractions
import os
import pathlib
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import av
import psutil

from grfjax.io import signals

_SELDOM = 10  # samples from one count of open files to the next
ROOT = pathlib.Path(__file__).resolve().parents[2]


class Sample(NamedTuple):
  """What a command used: at a moment, or all in all.

  Attributes:
    seconds: since its start.
    memory: resident bytes of the process without its children. The maximum that the system keeps
      would not do: it begins with the memory of this script.
    files: open file descriptors of the process and its children.
    cpu_s: CPU seconds of the process and of those children that have ended; less than `seconds`
      they depend on what else the machine does.
  """

  seconds: float
  memory: int
  files: int
  cpu_s: float


def watch(
  command: Sequence[str],
  environment: Mapping[str, str],
  *,
  stop_after: float | None = None,
  every: float = 0.05,
) -> list[Sample]:
  """Runs a command from the project's root and samples what it uses until it ends.

  Args:
    command: what to run.
    environment: variables to add to the environment.
    stop_after: seconds after which the command is told to stop (SIGTERM); None: it ends by itself.
    every: seconds between two samples.

  Returns:
    The samples, in order.

  Raises:
    RuntimeError: the command failed, or did not stop when told; the message ends with its output.
  """
  env = {**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '2', **environment}
  with tempfile.TemporaryFile('w+') as output:
    start, stopped, used = time.perf_counter(), False, (0, 0, 0.0)
    samples: list[Sample] = []
    process = psutil.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output)
    while True:
      with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
        resident = process.memory_info().rss
        if resident:
          # Looking for children takes milliseconds, so they are looked for more seldom.
          files = used[1] if len(samples) % _SELDOM else _open_files(process)
          used = resident, files, sum(process.cpu_times()[:4])
      samples.append(Sample(time.perf_counter() - start, *used))
      if stop_after is not None and not stopped and samples[-1].seconds > stop_after:
        process.terminate()
        stopped = True
      try:
        code = process.wait(every)
        break
      except psutil.TimeoutExpired:
        continue
    samples.append(Sample(time.perf_counter() - start, *used))
    if code != (signals.EXIT_CODES[signal.SIGTERM] if stopped else 0):
      output.seek(0)
      raise RuntimeError(f'{" ".join(command)}: exit {code}\n{output.read()[-2000:]}')
  return samples


def _open_files(process: psutil.Process) -> int:
  """Returns how many file descriptors a process and its children have open."""
  count = process.num_fds()
  for child in process.children(recursive=True):
    with contextlib.suppress(psutil.NoSuchProcess):
      count += child.num_fds()
  return count


def run(*command: str, **environment: str) -> Sample:
  """Runs a command to its end; returns its times, and its peak memory and files."""
  samples = watch(command, environment)
  return Sample(
    samples[-1].seconds,
    max(sample.memory for sample in samples),
    max(sample.files for sample in samples),
    samples[-1].cpu_s,
  )


def python(*arguments: str, **environment: str) -> Sample:
  """Runs this Python with arguments; returns what `run` does."""
  return run(sys.executable, *arguments, **environment)


def build(
  recordings: pathlib.Path, data: pathlib.Path, *, config: str = 'walker', **environment: str
) -> Sample:
  """Runs `tfds build` with a configuration; returns what `run` does."""
  tfds = pathlib.Path(sys.executable).with_name('tfds')
  return run(
    str(tfds), 'build', 'datasets/walking_grf', f'--config={config}', '--overwrite',
    f'--manual_dir={recordings}', f'--data_dir={data}', **environment,
  )  # fmt: skip


def repeat_video(source: pathlib.Path, out: pathlib.Path, seconds: float) -> float:
  """Writes a video that repeats another one, without encoding it again.

  Args:
    source: a video with a constant frame rate that begins with a key frame.
    out: the video to write.
    seconds: its least length.

  Returns:
    The length of the new video, seconds.
  """
  with av.open(str(source)) as original, av.open(str(out), 'w') as repeated:
    stream = original.streams.video[0]
    copy = repeated.add_stream_from_template(stream)
    packets = [p for p in original.demux(stream) if p.dts is not None]
    base, rate = stream.time_base, stream.average_rate
    assert base is not None
    assert rate is not None
    length = round(len(packets) / rate / base)
    times = [(p.pts, p.dts) for p in packets]
    count = -int(-seconds // (length * base))
    for k in range(count):
      for packet, (pts, dts) in zip(packets, times, strict=True):
        assert pts is not None
        assert dts is not None
        packet.pts, packet.dts, packet.stream = pts + k * length, dts + k * length, copy
        repeated.mux(packet)
  return float(count * length * fractions.Fraction(base))


def write_set(source: pathlib.Path, out: pathlib.Path, subjects: int) -> None:
  """Writes a recording set that gives the trials of `source`'s first subject to many people."""
  out.mkdir(parents=True)
  for item in source.iterdir():
    if item.name not in ('subjects.csv', 'trials.csv'):
      (out / item.name).symlink_to(item.absolute())
  people = (source / 'subjects.csv').read_text().splitlines()
  head, *rows = (source / 'trials.csv').read_text().splitlines()
  first = people[1].split(',')
  own_rows = [row.split(',') for row in rows if row.split(',')[0] == first[0]]
  names = [f'P{k + 1:02d}' for k in range(subjects)]
  _write_lines(out / 'subjects.csv', [people[0], *(','.join([n, *first[1:]]) for n in names)])
  _write_lines(
    out / 'trials.csv',
    [head, *(','.join([n, f'{n}{row[1]}', *row[2:]]) for n in names for row in own_rows)],
  )


def _write_lines(path: pathlib.Path, lines: Sequence[str]) -> None:
  path.write_text('\n'.join(lines) + '\n')
