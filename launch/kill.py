"""Kills a run again and again, and compares what it comes to with an undisturbed one.

    python launch/kill.py --config=configs/walker.py --config.data_dir=DATA --out=DIR [--kills=20]

Trains DIR/whole in one go and DIR/killed with SIGKILL at random moments: in turn in the start, in a
step, while a checkpoint is written and, where there are any, in the calibration rounds; after each
the same command again. Then parameters, optimizer state, logs and folders are compared to the bit;
DIR/kill.json holds the count. Exits with 1 where anything differs.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from absl import app, flags, logging
from ml_collections import config_flags
from tensorboardX.proto import event_pb2

from grfjax.io import atomic, run_folder, signals
from grfjax.training import checkpointing, metrics_log

CLOCK = ('step_ms', 'data_wait')  # of a log's line, what may differ


def start(config: list[str], run: pathlib.Path) -> subprocess.Popen:
  """The command, its output appended to RUN.txt."""
  with run.with_suffix('.txt').open('a') as said:
    return subprocess.Popen(
      [sys.executable, '-m', 'grfjax.train', *config, f'--workdir={run}'], stdout=said, stderr=said
    )


def progress(run: pathlib.Path) -> tuple[int, int]:
  """Steps that the log and those of the calibration rounds know of: (training, calibration)."""

  def last(path: pathlib.Path) -> int:
    try:
      lines = metrics_log.read_log(path)
    except OSError:
      return 0
    return lines[-1]['step'] if lines else 0

  rounds = (run / 'calibration').glob(f'*/{"metrics.jsonl"}')
  return last(run_folder.RunFolder(run).metrics), sum(map(last, rounds))


def writing(run: pathlib.Path) -> bool:
  """Whether a checkpoint is being written, of the run or of a calibration round."""
  tmp = f'{"checkpoints"}/*.orbax-checkpoint-tmp*'
  return any(run.glob(tmp)) or any(run.glob(f'calibration/*/{tmp}'))


def _wait(process: subprocess.Popen, until: Callable[[], bool]) -> bool:
  """Waits for it; False: the process has ended before."""
  while not until():
    if process.poll() is not None:
      return False
    time.sleep(0.0005)
  return True


def plan(
  rng: random.Random, kills: int, training: int, calibration: int
) -> list[tuple[str, tuple[int, int]]]:
  """Kinds of moments and the progress from which on they are waited for, in order."""
  kinds = ['start', 'step', 'checkpoint', *(['calibration'] if calibration else [])]
  found = []
  for k in range(kills):
    kind = kinds[k % len(kinds)]
    late = kind == 'calibration' or (calibration and kind != 'step' and rng.random() < 0.3)
    at = (training, int(rng.uniform(0, 0.9) * calibration)) if late else (0, 0)
    found.append((kind, at if late else (int(rng.uniform(0, 0.85) * training), 0)))
  return sorted(found, key=lambda one: one[1])


def strike(
  process: subprocess.Popen,
  run: pathlib.Path,
  kind: str,
  at: tuple[int, int],
  rng: random.Random,
  start_s: float,
) -> str:
  """Kills the process at such a moment; says what it was really doing, '' if it ended before.

  Args:
    process: trains.
    run: its folder.
    kind: of the moment, as in `plan`.
    at: the progress from which on it is waited for.
    rng: decides by how much later.
    start_s: how long a process takes until its first step.
  """
  if kind == 'start':
    time.sleep(rng.uniform(0, start_s))
  elif not _wait(process, lambda: progress(run) >= at):
    return ''
  if kind == 'checkpoint':
    if not _wait(process, lambda: writing(run)):
      return ''
    time.sleep(rng.uniform(0, 0.02))
  else:
    time.sleep(rng.uniform(0, 0.3))
  process.kill()
  if process.wait() != -9:
    return ''
  if writing(run):
    return 'writing a checkpoint'
  return 'calibrating' if (run / 'calibration').exists() else kind


def tree(run: pathlib.Path) -> list[str]:
  """All files of a run, TensorBoard's without the time in its name, checkpoints' as folders."""
  found = []
  for path in run.rglob('*'):
    name = path.relative_to(run)
    if name.parts[0] == 'checkpoints':
      if len(name.parts) == 2:
        found.append(str(name))
    elif path.is_file():
      found.append(f'{"tensorboard"}/*' if name.parts[0] == 'tensorboard' else str(name))
  return sorted(found)


def states(run: pathlib.Path) -> dict[str, dict[str, Any]]:
  """Of every checkpoint all arrays, and what else resuming needs, as text."""
  found: dict[str, dict[str, Any]] = {}
  for path in sorted(
    p for p in (run_folder.RunFolder(run).checkpoints).absolute().iterdir() if p.is_dir()
  ):
    state, extra = checkpointing.read(path)
    leaves = jax.tree.leaves_with_path(state)
    found[path.name] = {jax.tree_util.keystr(k): np.asarray(v).tobytes() for k, v in leaves}
    found[path.name] |= {name: json.dumps(value) for name, value in extra.items()}
  return found


def scalars(run: pathlib.Path) -> list[tuple[int, str, float]]:
  """What TensorBoard's files hold."""
  found = []
  for path in (run_folder.RunFolder(run).tensorboard).iterdir():
    data, at = path.read_bytes(), 0
    while at < len(data):
      length = int.from_bytes(data[at : at + 8], 'little')
      event = event_pb2.Event.FromString(data[at + 12 : at + 12 + length])
      at += 16 + length
      found += [(event.step, v.tag, v.simple_value) for v in event.summary.value]
  return [one for one in found if one[1] not in CLOCK]


def differences(whole: pathlib.Path, killed: pathlib.Path) -> list[str]:
  """In what two runs differ, in words."""

  def lines(run: pathlib.Path) -> list[dict[str, Any]]:
    every = metrics_log.read_log(run_folder.RunFolder(run).metrics)
    return [{k: v for k, v in line.items() if k not in CLOCK} for line in every]

  found = []
  one, other = states(whole), states(killed)
  found += [
    f'checkpoint {step}: {name}'
    for step in sorted(one.keys() | other.keys())
    for name in sorted(one.get(step, {}).keys() | other.get(step, {}).keys())
    if one.get(step, {}).get(name) != other.get(step, {}).get(name)
  ]
  for name in ('config.json', 'dataset.json', 'subjects.json', 'shares.json', 'done.json'):
    if (whole / name).read_bytes() != (killed / name).read_bytes():
      found.append(name)
  interval = [r / 'interval.json' for r in (whole, killed)]
  if interval[0].exists() and interval[0].read_bytes() != interval[1].read_bytes():
    found.append('interval.json')
  if lines(whole) != lines(killed):
    found.append(f'log: {lines(whole)} against {lines(killed)}')
  if scalars(whole) != scalars(killed):
    found.append('TensorBoard')
  if tree(whole) != tree(killed):
    found.append(f'files: {sorted(set(tree(whole)) ^ set(tree(killed)))}')
  return found


def disturb(
  config: list[str], out: pathlib.Path, kills: int, seed: int
) -> tuple[dict[str, int], list[str]]:
  """Trains both; returns what the kills met (-> how often), and the differences."""
  rng = random.Random(seed)
  whole, killed = out / 'whole', out / 'killed'
  for run in (whole, killed):
    shutil.rmtree(run, ignore_errors=True)
  out.mkdir(parents=True, exist_ok=True)
  reached = (0, 0)
  process, begun, start_s = start(config, whole), time.monotonic(), 0.0
  while process.poll() is None:
    reached = max(reached, progress(whole))
    if reached == (0, 0):
      start_s = time.monotonic() - begun
    time.sleep(0.02)
  if process.returncode:
    raise RuntimeError(f'the undisturbed run failed; see {whole}.txt')
  met: dict[str, int] = {}
  for kind, at in plan(rng, kills, *reached):
    if what := strike(start(config, killed), killed, kind, at, rng, start_s):
      met[what] = met.get(what, 0) + 1
    print(f'{kind} from {at} on: {what or "it had ended before"}', flush=True)
  if start(config, killed).wait():
    raise RuntimeError(f'the killed run failed; see {killed}.txt')
  return met, differences(whole, killed)


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  config_flags.DEFINE_config_file('config', None, 'A file of configs/.')
  flags.DEFINE_string('out', None, 'Folder to make.', required=True)
  flags.DEFINE_integer('kills', 20, 'How often.', lower_bound=1)
  flags.DEFINE_integer('seed', 0, 'Of the moments.')


def main(argv: list[str]) -> None:
  """Runs `disturb` from flags."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  out = pathlib.Path(flags.FLAGS.out).absolute()
  config = [a for a in sys.argv[1:] if a.startswith(('--config', '-config'))]
  os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', str(out / 'compiled'))
  try:
    met, found = disturb(config, out, flags.FLAGS.kills, flags.FLAGS.seed)
  except RuntimeError as error:
    sys.exit(f'kill: {error}')
  atomic.write_json(out / 'kill.json', {'kills': met, 'differences': found})
  print(f'{sum(met.values())} kills: {met}')
  if found:
    sys.exit('\n'.join(['the runs differ:', *found]))
  print('parameters, optimizer state, logs and folders are the same to the bit')


if __name__ == '__main__':
  define_flags()
  flags.mark_flag_as_required('config')
  signals.run(main, 'kill')
