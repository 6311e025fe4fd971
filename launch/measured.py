"""What the measuring scripts share: a command's time and peak memory, and films of any length."""

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

import av
import psutil

from grfjax.io import signals

ROOT = pathlib.Path(__file__).resolve().parent.parent


def watched(
  command: Sequence[str],
  environment: Mapping[str, str],
  *,
  stop_after: float | None = None,
  every: float = 0.05,
) -> list[tuple[float, int]]:
  """Runs a command from the project's root; (seconds since its start, bytes) all the while.

  The bytes are resident ones of the process, without its children. (The system's own maximum would
  not do: it begins with what the script that starts the command has.)

  Args:
    command: what to run.
    environment: more of it.
    stop_after: seconds after which it is told to stop (SIGTERM); None: it ends by itself.
    every: seconds between two looks.

  Raises:
    RuntimeError: it failed, or did not stop as told; the message holds the end of what it said.
  """
  env = {**os.environ, 'TF_CPP_MIN_LOG_LEVEL': '2', **environment}
  with tempfile.TemporaryFile('w+') as said:
    begun, seen, stopped, resident = time.perf_counter(), [], False, 0
    process = psutil.Popen(command, cwd=ROOT, env=env, stdout=said, stderr=said)
    while True:
      with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
        resident = process.memory_info().rss or resident
      seen.append((time.perf_counter() - begun, resident))
      if stop_after is not None and not stopped and seen[-1][0] > stop_after:
        process.terminate()
        stopped = True
      try:
        code = process.wait(every)
        break
      except psutil.TimeoutExpired:
        continue
    seen.append((time.perf_counter() - begun, resident))
    if code != (signals.EXIT_CODES[signal.SIGTERM] if stopped else 0):
      said.seek(0)
      raise RuntimeError(f'{" ".join(command)}: exit {code}\n{said.read()[-2000:]}')
  return seen


def run(*command: str, **environment: str) -> tuple[float, int]:
  """`watched` to its end: its seconds, and the most memory it had, in bytes."""
  seen = watched(command, environment)
  return seen[-1][0], max(memory for _, memory in seen)


def python(*arguments: str, **environment: str) -> tuple[float, int]:
  """`run` of this Python."""
  return run(sys.executable, *arguments, **environment)


def build(recordings: pathlib.Path, data: pathlib.Path, **environment: str) -> tuple[float, int]:
  """`run` of `tfds build` of the `walker` configuration."""
  tfds = pathlib.Path(sys.executable).with_name('tfds')
  return run(
    str(tfds), 'build', 'datasets/walking_grf', '--config=walker', '--overwrite',
    f'--manual_dir={recordings}', f'--data_dir={data}', **environment,
  )  # fmt: skip


def repeated(source: pathlib.Path, out: pathlib.Path, seconds: float) -> float:
  """Writes a film again and again, without encoding anew; returns its length in seconds, or more.

  Args:
    source: a film with a steady frame rate that begins with a key frame.
    out: the film to write.
    seconds: at least so long.
  """
  with av.open(str(source)) as one, av.open(str(out), 'w') as many:
    stream = one.streams.video[0]
    copy = many.add_stream_from_template(stream)
    packets = [p for p in one.demux(stream) if p.dts is not None]
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
        many.mux(packet)
  return float(count * length * fractions.Fraction(base))


def manifest(source: pathlib.Path, out: pathlib.Path, subjects: int) -> None:
  """A recording set with the trials of `source`'s first subject, given to so many people."""
  out.mkdir(parents=True)
  for item in source.iterdir():
    if item.name not in ('subjects.csv', 'trials.csv'):
      (out / item.name).symlink_to(item.absolute())
  people = (source / 'subjects.csv').read_text().splitlines()
  head, *rows = (source / 'trials.csv').read_text().splitlines()
  first = people[1].split(',')
  mine = [row.split(',') for row in rows if row.split(',')[0] == first[0]]
  names = [f'P{k + 1:02d}' for k in range(subjects)]
  _lines(out / 'subjects.csv', [people[0], *(','.join([n, *first[1:]]) for n in names)])
  _lines(
    out / 'trials.csv',
    [head, *(','.join([n, f'{n}{row[1]}', *row[2:]]) for n in names for row in mine)],
  )


def _lines(path: pathlib.Path, lines: Sequence[str]) -> None:
  path.write_text('\n'.join(lines) + '\n')
