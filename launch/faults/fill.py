"""Lets the disk fill up while each command works, and checks what the command leaves.

    python launch/faults/fill.py --config=configs/walker.py --config.data_dir=DATA --recordings=RAW
      --out=DIR

Each command runs repeatedly on a small file system in memory (tmpfs: needs root and Linux), with a
little more space each time. Where space is lacking it must exit with a code that is not 0, name the
file in one line, keep the files that were there before, and leave no temporary ones. DIR/fill.json
holds the counts; exits with 1 where anything is wrong. Use a small data set: each command runs ten
times.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from absl import app, flags, logging
from ml_collections import config_flags

from grfjax.io import atomic, signals

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZE = 256 * 2**20  # of the file system, bytes
CACHE = 'compiled'


def commands(
  config: list[str], subject: str, recordings: str, disk: pathlib.Path
) -> dict[str, list[str]]:
  """Returns name -> command; each writes to the disk, where `run` and `runs` are evaluated runs."""
  tfds = pathlib.Path(sys.executable).with_name('tfds')
  grfjax = [sys.executable, '-m']
  run, video = disk / 'run', next(pathlib.Path(recordings).rglob('*.mp4'))
  fold = f'--config.holdout={subject}'
  return {
    'synth': [*grfjax, 'grfjax.synth', f'--out={disk}/raw', '--subjects=1', '--trials=2'],
    'tfds build': [
      str(tfds), 'build', 'datasets/walking_grf', '--config=walker', f'--manual_dir={recordings}',
      f'--data_dir={disk}/data',
    ],
    'train': [*grfjax, 'grfjax.train', *config, fold, f'--workdir={disk}/new'],
    'train on': [*grfjax, 'grfjax.train', *config, fold, f'--workdir={run}', '--config.steps=30'],
    'evaluate': [*grfjax, 'grfjax.evaluate', f'--workdir={run}'],
    'predict': [
      *grfjax, 'grfjax.predict', f'--workdir={run}', f'--video={video}', f'--out={disk}/predicted',
      '--body_mass_kg=60',
    ],
    'predict a set': [
      *grfjax, 'grfjax.predict', f'--workdir={run}', f'--recordings={recordings}',
      f'--out={disk}/predicted',
    ],
    'loso': [
      sys.executable, 'launch/loso.py', *config, f'--workdir={disk}/runs',
      f'--recordings={recordings}',
    ],
    'pretrained': [
      *grfjax, 'grfjax.pretrained', f'--workdir={run}', f'--out={disk}/kept'
    ],
  }  # fmt: skip


def digests(folder: pathlib.Path) -> dict[str, str]:
  """Returns a digest of every file in a folder."""
  return {
    str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
    for p in sorted(folder.rglob('*'))
    if p.is_file()
  }


def free_sizes(most: int = 2**24) -> Iterator[int]:
  """Yields how many bytes are left free, more each time."""
  free = 0
  while free <= most:
    yield free
    free = max(4096, 3 * free)


# Files that a run which is trained on changes, or removes because they belong to its former end.
CHANGES = (
  'metrics.jsonl', 'config.json', 'dataset.json', 'subjects.json', 'shares.json', 'done.json',
  'interval.json', 'eval.json', 'estimates.npz', 'report.html', 'figures/', 'tensorboard/',
  'checkpoints/', '.lock',
)  # fmt: skip


def find_problems(
  name: str, result: subprocess.CompletedProcess, before: dict[str, str], after: dict[str, str]
) -> list[str]:
  """Says what is wrong with how a command ended without space, and with the files it left."""
  output = result.stderr + result.stdout
  problems = []
  if not 0 < result.returncode < 128:
    problems.append(f'exit code {result.returncode}')
  if 'No space left' not in output:
    problems.append('no space is not named')
  if 'Traceback' in output and name != 'tfds build':  # its main function is TFDS's
    problems.append('a traceback')
  changed = [n for n in before if after.get(n) != before[n]]
  if name == 'train on':
    changed = [n for n in changed if not n.removeprefix('run/').startswith(CHANGES)]
  if name == 'evaluate':  # it replaces its files, each whole, one after the other
    changed = [n for n in changed if n not in after]
  if changed:
    problems.append(f'changed or lost: {changed[:3]}')
  if left := [n for n in after if '.grfjax-' in n or 'tmp' in n or 'incomplete' in n]:
    problems.append(f'left over: {left[:3]}')
  return problems


def fill(
  name: str, command: list[str], origin: pathlib.Path, disk: pathlib.Path, env: dict[str, str]
) -> dict[str, Any]:
  """Runs a command with more and more space, until it has enough.

  Args:
    name: the command's name.
    command: the command.
    origin: the folder whose contents are on the disk beforehand.
    disk: an empty folder, where the file system is mounted.
    env: the environment of the process.

  Returns:
    'failed': how often there was not enough space; 'wrong': what was wrong then.
  """
  failed, problems = 0, []
  for free in free_sizes():
    subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SIZE}', 'tmpfs', str(disk)], check=True)
    try:
      shutil.copytree(origin, disk, dirs_exist_ok=True)
      ballast = disk / 'ballast'
      system = os.statvfs(disk)
      with ballast.open('wb') as file:
        file.write(bytes(max(0, system.f_bavail * system.f_bsize - free)))
      before = digests(disk)
      result = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
      )
      after = digests(disk)
    finally:
      subprocess.run(['umount', str(disk)], check=True)
    if not result.returncode:
      break
    failed += 1
    new_problems = find_problems(name, result, before, after)
    last = [line for line in result.stderr.splitlines() if line.strip()][-1:]
    print(f'{name}, {free} bytes free: {last} {new_problems or "correct"}', flush=True)
    problems += [f'{free} bytes free: {problem}' for problem in new_problems]
  else:
    problems.append('it never had enough space')
  return {'failed': failed, 'wrong': problems}


def define_flags() -> None:
  """Defines the flags; not on import, as the flags of several scripts have the same names."""
  config_flags.DEFINE_config_file('config', None, 'A file of configs/.')
  flags.DEFINE_string(
    'recordings', None, 'The recording set from which the data set was built.', required=True
  )
  flags.DEFINE_string('out', None, 'Folder of the results.', required=True)
  flags.DEFINE_list('only', None, 'Names of the commands to run; default: all.')


def main(argv: list[str]) -> None:
  """Runs `fill` for each command."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  if os.geteuid():
    sys.exit('fill: only root can mount a file system')
  out = pathlib.Path(flags.FLAGS.out).absolute()
  origin, disk, recordings = out / 'origin', out / 'disk', os.path.abspath(flags.FLAGS.recordings)
  disk.mkdir(parents=True, exist_ok=True)
  config = [a for a in sys.argv[1:] if a.startswith(('--config', '-config'))]
  env = {'JAX_COMPILATION_CACHE_DIR': str(out / CACHE), **os.environ, 'TF_CPP_MIN_LOG_LEVEL': '2'}
  lines = (pathlib.Path(recordings) / 'subjects.csv').read_text().splitlines()
  subject = lines[1].split(',')[0]
  (origin / 'predicted').mkdir(parents=True, exist_ok=True)
  for name, command in (
    ('loso', commands(config, subject, recordings, origin)['loso']),
    ('run', ['cp', '-r', str(origin / 'runs' / subject), str(origin / 'run')]),
  ):
    if not (origin / name).exists() and subprocess.run(command, cwd=ROOT, env=env).returncode:
      sys.exit(f'fill: {" ".join(command)} failed')
  shutil.rmtree(origin / 'runs/report', ignore_errors=True)
  results = {
    name: fill(name, command, origin, disk, env)
    for name, command in commands(config, subject, recordings, disk).items()
    if not flags.FLAGS.only or name in flags.FLAGS.only
  }
  atomic.write_json(out / 'fill.json', results)
  failures = {name: r['wrong'] for name, r in results.items() if r['wrong']}
  print(f'{sum(r["failed"] for r in results.values())} full disks under {len(results)} commands')
  if failures:
    sys.exit('\n'.join(f'{name}: {text}' for name, texts in failures.items() for text in texts))
  print('each was reported in one line, and kept the files that were there before')


if __name__ == '__main__':
  define_flags()
  flags.mark_flag_as_required('config')
  signals.run(main, 'fill')
