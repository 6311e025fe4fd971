"""Fills the disk under each command, in the midst of its work, and looks at what is left.

    python launch/fill.py --config=configs/walker.py --config.data_dir=DATA --recordings=RAW
      --out=DIR

On a small file system in memory (tmpfs: needs root and Linux) each command has a little more space
left each time. It must exit with a code that is not 0, say in one line which file had no space, and
leave the files that were there before as they were, and no temporary ones. DIR/fill.json holds the
count; exits with 1 where anything is wrong. For a small data set: each command runs ten times.
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

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZE = 256 * 2**20
CACHE = 'compiled'


def commands(
  config: list[str], subject: str, recordings: str, disk: pathlib.Path
) -> dict[str, list[str]]:
  """Name -> arguments; each writes into the disk, where `run` and `runs` are evaluated runs."""
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


def tree(disk: pathlib.Path) -> dict[str, str]:
  """Every file on it -> a digest."""
  return {
    str(p.relative_to(disk)): hashlib.sha256(p.read_bytes()).hexdigest()
    for p in sorted(disk.rglob('*'))
    if p.is_file()
  }


def frees(most: int = 2**24) -> Iterator[int]:
  """Bytes that are left free, less and less tightly."""
  free = 0
  while free <= most:
    yield free
    free = max(4096, 3 * free)


# Of a run that goes on, what belongs to its past and what it takes back.
CHANGES = (
  'metrics.jsonl', 'config.json', 'dataset.json', 'subjects.json', 'shares.json', 'done.json',
  'interval.json', 'eval.json', 'estimates.npz', 'report.html', 'figures/', 'tensorboard/',
  'checkpoints/', '.lock',
)  # fmt: skip


def wrong(
  name: str, done: subprocess.CompletedProcess, before: dict[str, str], after: dict[str, str]
) -> list[str]:
  """What is amiss after a command that had no space left."""
  said = done.stderr + done.stdout
  found = []
  if not 0 < done.returncode < 128:
    found.append(f'exit code {done.returncode}')
  if 'No space left' not in said:
    found.append('no space is not named')
  if 'Traceback' in said and name != 'tfds build':  # whose main function is TFDS's
    found.append('a traceback')
  lost = [n for n in before if after.get(n) != before[n]]
  if name == 'train on':
    lost = [n for n in lost if not n.removeprefix('run/').startswith(CHANGES)]
  if name == 'evaluate':  # each file of its own is whole, old or new
    lost = [n for n in lost if n not in after]
  if lost:
    found.append(f'changed or lost: {lost[:3]}')
  if left := [n for n in after if '.grfjax-' in n or 'tmp' in n or 'incomplete' in n]:
    found.append(f'left over: {left[:3]}')
  return found


def fill(
  name: str, command: list[str], origin: pathlib.Path, disk: pathlib.Path, env: dict[str, str]
) -> dict[str, Any]:
  """Runs a command with more and more space, until it has enough.

  Args:
    name: of the command.
    command: its arguments.
    origin: what is on the disk beforehand.
    disk: an empty folder, to mount it on.
    env: of the process.

  Returns:
    'failed': how often there was not enough space; 'wrong': what was amiss then.
  """
  failed, amiss = 0, []
  for free in frees():
    subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SIZE}', 'tmpfs', str(disk)], check=True)
    try:
      shutil.copytree(origin, disk, dirs_exist_ok=True)
      ballast = disk / 'ballast'
      system = os.statvfs(disk)
      with ballast.open('wb') as file:
        file.write(bytes(max(0, system.f_bavail * system.f_bsize - free)))
      before = tree(disk)
      done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
      after = tree(disk)
    finally:
      subprocess.run(['umount', str(disk)], check=True)
    if not done.returncode:
      break
    failed += 1
    found = wrong(name, done, before, after)
    last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
    print(f'{name}, {free} bytes free: {last} {found or "as it should be"}', flush=True)
    amiss += [f'{free} bytes free: {text}' for text in found]
  else:
    amiss.append('it had never enough')
  return {'failed': failed, 'wrong': amiss}


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  config_flags.DEFINE_config_file('config', None, 'A file of configs/.')
  flags.DEFINE_string('recordings', None, 'The recording set of the data.', required=True)
  flags.DEFINE_string('out', None, 'Folder to make.', required=True)
  flags.DEFINE_list('only', None, 'Of the commands: only these.')


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
  bad = {name: r['wrong'] for name, r in results.items() if r['wrong']}
  print(f'{sum(r["failed"] for r in results.values())} full disks under {len(results)} commands')
  if bad:
    sys.exit('\n'.join(f'{name}: {text}' for name, every in bad.items() for text in every))
  print('each said so in a line, and left what was there before')


if __name__ == '__main__':
  define_flags()
  flags.mark_flag_as_required('config')
  signals.run(main, 'fill')
