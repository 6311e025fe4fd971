"""Kills a training run repeatedly, and compares its result with that of an undisturbed run.

    python launch/faults/kill.py --config=configs/walker.py --config.data_dir=DATA --out=DIR
      [--kills=20]

Trains DIR/whole without a break, and DIR/killed with SIGKILL at random moments: in turn during the
start, in a step, while a checkpoint is written and, where there are any, in the calibration rounds;
after each kill the same command is started again. Then parameters, optimizer state, logs and
folders are compared to the bit, and DIR/kill.json holds the counts. Exits with 1 where anything
differs.
"""

from __future__ import annotations

import collections
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

CLOCK = ('step_ms', 'data_wait')  # fields of the log that may differ, as they depend on the clock


def start(config: list[str], run: pathlib.Path) -> subprocess.Popen:
  """Starts the training command; its output is appended to RUN.txt."""
  with run.with_suffix('.txt').open('a') as output:
    return subprocess.Popen(
      [sys.executable, '-m', 'grfjax.train', *config, f'--workdir={run}'],
      stdout=output,
      stderr=output,
    )


def progress(run: pathlib.Path) -> tuple[int, int]:
  """Returns how many steps are logged: (of the training, of all calibration rounds)."""

  def last_step(path: pathlib.Path) -> int:
    try:
      lines = metrics_log.read_log(path)
    except OSError:
      return 0
    return lines[-1]['step'] if lines else 0

  rounds = run_folder.RunFolder(run).cross_fitting.glob('*/metrics.jsonl')
  return last_step(run_folder.RunFolder(run).metrics), sum(map(last_step, rounds))


def writes_checkpoint(run: pathlib.Path) -> bool:
  """Returns whether a checkpoint of the run or of a calibration round is being written."""
  tmp = 'checkpoints/*.orbax-checkpoint-tmp*'
  return any(run.glob(tmp)) or any(run.glob(f'calibration/*/{tmp}'))


def _wait(process: subprocess.Popen, condition: Callable[[], bool], pause_s: float) -> bool:
  """Waits until a condition holds; returns False where the process has ended before that."""
  while not condition():
    if process.poll() is not None:
      return False
    time.sleep(pause_s)
  return True


def plan(
  rng: random.Random, kills: int, training: int, calibration: int
) -> list[tuple[str, tuple[int, int]]]:
  """Draws the moments of the kills.

  Args:
    rng: source of randomness.
    kills: how many moments.
    training: steps of the undisturbed training.
    calibration: steps of its calibration rounds.

  Returns:
    Kinds of moments, each with the `progress` that is waited for first, in order of progress.
  """
  kinds = ['start', 'step', 'checkpoint', *(['calibration'] if calibration else [])]
  moments = []
  for k in range(kills):
    kind = kinds[k % len(kinds)]
    late = kind == 'calibration' or (calibration and kind != 'step' and rng.random() < 0.3)
    if late:
      after = (training, int(rng.uniform(0, 0.9) * calibration))
    else:
      after = (int(rng.uniform(0, 0.85) * training), 0)
    moments.append((kind, after))
  return sorted(moments, key=lambda moment: moment[1])


def kill_at(
  process: subprocess.Popen,
  run: pathlib.Path,
  kind: str,
  after: tuple[int, int],
  rng: random.Random,
  start_s: float,
) -> str:
  """Kills a training process at a moment of a kind.

  Args:
    process: the training.
    run: its folder.
    kind: the kind of the moment, see `plan`.
    after: the `progress` that is waited for first.
    rng: draws how much later the kill comes.
    start_s: how long a process takes until its first step.

  Returns:
    What the process really was doing; '' where it had ended before the kill.
  """
  if kind == 'start':
    time.sleep(rng.uniform(0, start_s))
  elif not _wait(process, lambda: progress(run) >= after, 0.005):
    return ''
  if kind == 'checkpoint':
    if not _wait(process, lambda: writes_checkpoint(run), 0.0005):  # it is soon written
      return ''
    time.sleep(rng.uniform(0, 0.02))
  else:
    time.sleep(rng.uniform(0, 0.3))
  process.kill()
  if process.wait() != -9:
    return ''
  if writes_checkpoint(run):
    return 'writing a checkpoint'
  return 'calibrating' if run_folder.RunFolder(run).cross_fitting.exists() else kind


def list_files(run: pathlib.Path) -> list[str]:
  """Lists a run's files: checkpoints as folders, TensorBoard's without the time in their names."""
  files = []
  for path in run.rglob('*'):
    name = path.relative_to(run)
    if name.parts[0] == 'checkpoints':
      if len(name.parts) == 2:
        files.append(str(name))
    elif path.is_file():
      files.append('tensorboard/*' if name.parts[0] == 'tensorboard' else str(name))
  return sorted(files)


def checkpoint_states(run: pathlib.Path) -> dict[str, dict[str, Any]]:
  """Returns all arrays of every checkpoint, and as text whatever else resuming needs."""
  states_by_step: dict[str, dict[str, Any]] = {}
  for path in sorted(
    p for p in (run_folder.RunFolder(run).checkpoints).absolute().iterdir() if p.is_dir()
  ):
    state, extra = checkpointing.read(path)
    leaves = jax.tree.leaves_with_path(state)
    states_by_step[path.name] = {
      jax.tree_util.keystr(k): np.asarray(v).tobytes() for k, v in leaves
    }
    states_by_step[path.name] |= {name: json.dumps(value) for name, value in extra.items()}
  return states_by_step


def board_values(run: pathlib.Path) -> list[tuple[int, str, float]]:
  """Returns (step, name, value) of everything in TensorBoard's files."""
  values = []
  for path in (run_folder.RunFolder(run).tensorboard).iterdir():
    data, offset = path.read_bytes(), 0
    while offset < len(data):
      length = int.from_bytes(data[offset : offset + 8], 'little')
      event = event_pb2.Event.FromString(data[offset + 12 : offset + 12 + length])
      offset += 16 + length
      values += [(event.step, v.tag, v.simple_value) for v in event.summary.value]
  return [value for value in values if value[1] not in CLOCK]


def differences(whole: pathlib.Path, killed: pathlib.Path) -> list[str]:
  """Says in what two runs differ."""

  def lines(run: pathlib.Path) -> list[dict[str, Any]]:
    log = metrics_log.read_log(run_folder.RunFolder(run).metrics)
    return [{k: v for k, v in line.items() if k not in CLOCK} for line in log]

  differing = []
  expected, actual = checkpoint_states(whole), checkpoint_states(killed)
  differing += [
    f'checkpoint {step}: {name}'
    for step in sorted(expected.keys() | actual.keys())
    for name in sorted(expected.get(step, {}).keys() | actual.get(step, {}).keys())
    if expected.get(step, {}).get(name) != actual.get(step, {}).get(name)
  ]
  for name in ('config.json', 'dataset.json', 'subjects.json', 'shares.json', 'done.json'):
    if (whole / name).read_bytes() != (killed / name).read_bytes():
      differing.append(name)
  interval = [r / 'interval.json' for r in (whole, killed)]
  if interval[0].exists() and interval[0].read_bytes() != interval[1].read_bytes():
    differing.append('interval.json')
  if lines(whole) != lines(killed):
    differing.append(f'log: {lines(whole)} against {lines(killed)}')
  if board_values(whole) != board_values(killed):
    differing.append('TensorBoard')
  if list_files(whole) != list_files(killed):
    differing.append(f'files: {sorted(set(list_files(whole)) ^ set(list_files(killed)))}')
  return differing


def disturb(
  config: list[str], out: pathlib.Path, kills: int, seed: int
) -> tuple[collections.Counter[str], list[str]]:
  """Trains an undisturbed and a killed run.

  Args:
    config: the flags of the configuration.
    out: the folder of both runs.
    kills: how many kills.
    seed: seed of their moments.

  Returns:
    What the process was doing when it was killed -> how often; the differences of the runs.

  Raises:
    RuntimeError: a training failed by itself.
  """
  rng = random.Random(seed)
  whole, killed = out / 'whole', out / 'killed'
  for run in (whole, killed):
    shutil.rmtree(run, ignore_errors=True)
  out.mkdir(parents=True, exist_ok=True)
  reached = (0, 0)
  process, start_time, start_s = start(config, whole), time.monotonic(), 0.0
  while process.poll() is None:
    reached = max(reached, progress(whole))
    if reached == (0, 0):
      start_s = time.monotonic() - start_time
    time.sleep(0.02)
  if process.returncode:
    raise RuntimeError(f'the undisturbed run failed; see {whole}.txt')
  counts: collections.Counter[str] = collections.Counter()
  for kind, after in plan(rng, kills, *reached):
    activity = kill_at(start(config, killed), killed, kind, after, rng, start_s)
    if activity:
      counts[activity] += 1
    print(f'{kind}, after steps {after}: {activity or "ended before the kill"}', flush=True)
  if start(config, killed).wait():
    raise RuntimeError(f'the killed run failed; see {killed}.txt')
  return counts, differences(whole, killed)


def define_flags() -> None:
  """Defines the flags; not on import, as the flags of several scripts have the same names."""
  config_flags.DEFINE_config_file('config', None, 'A file of configs/.')
  flags.DEFINE_string('out', None, 'Folder of the runs and the results.', required=True)
  flags.DEFINE_integer('kills', 20, 'How often the training is killed.', lower_bound=1)
  flags.DEFINE_integer('seed', 0, 'Seed of the moments.')


def main(argv: list[str]) -> None:
  """Runs `disturb` from flags."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  out = pathlib.Path(flags.FLAGS.out).absolute()
  config = [a for a in sys.argv[1:] if a.startswith(('--config', '-config'))]
  os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', str(out / 'compiled'))
  try:
    counts, differing = disturb(config, out, flags.FLAGS.kills, flags.FLAGS.seed)
  except RuntimeError as error:
    sys.exit(f'kill: {error}')
  atomic.write_json(out / 'kill.json', {'kills': dict(counts), 'differences': differing})
  print(f'{counts.total()} kills: {dict(counts)}')
  if differing:
    sys.exit('\n'.join(['the runs differ:', *differing]))
  print('parameters, optimizer state, logs and folders are the same to the bit')


if __name__ == '__main__':
  define_flags()
  flags.mark_flag_as_required('config')
  signals.run(main, 'kill')
