"""Says everything that can be said of a recording set before a data set is built of it.

python -m grfjax.check --recordings=RAW

Writes a page, a table and a JSON file to RAW/check, and exits with 1 if `grfjax build` would refuse
the set. With --find_sync it also looks for the start of each video on the clock of the plates, by
the forces that the bundled network `everyone` estimates, and writes trials.synced.csv.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable, Iterable

import tqdm
from absl import app, flags, logging

from grfjax import errors
from grfjax.data import clip_config, set_check
from grfjax.evaluation import set_synchronization
from grfjax.inference import trained_run
from grfjax.io import run_folder, signals, synced_manifest
from grfjax.report import check_files, check_text


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  flags.DEFINE_string('recordings', None, 'The recording set.', required=True)
  flags.DEFINE_string('out', None, 'Folder for page, table and JSON; RAW/check without it.')
  flags.DEFINE_string(
    'config', 'walker', 'Configuration of the data set for which the recordings are meant.'
  )
  flags.DEFINE_bool(
    'find_sync', False, 'Look for the start of each video on the clock of the plates.'
  )
  flags.DEFINE_bool(
    'fixed_camera',
    False,
    'With --find_sync: the camera of each side stood still over all trials, so that the place of '
    'the plates in the picture decides where a video shows more steps than the plates. Needs three '
    'trials of a side that are clear or have a start.',
  )


def main(argv: list[str]) -> None:
  """Checks the recording set that the flags name."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  if flags.FLAGS.fixed_camera and not flags.FLAGS.find_sync:
    raise app.UsageError('--fixed_camera goes with --find_sync alone')
  logging.set_verbosity(logging.ERROR)  # warnings of the reading are among the notes
  root = pathlib.Path(flags.FLAGS.recordings)
  out = pathlib.Path(flags.FLAGS.out or root / 'check')
  try:
    cfg = clip_config.clip_config(flags.FLAGS.config)
    if (root / 'trials.csv').is_file():
      check_files.prepare(out)
    check = set_check.check_set(root, cfg, show_progress=_progress('check'))
    starts: dict[str, set_synchronization.FoundStart] = {}
    if not check.trials:
      sys.exit('\n'.join(f'grfjax.check: {error}' for error in check.errors))
    if flags.FLAGS.find_sync:
      run = trained_run.load(run_folder.RunFolder.find('everyone'))
      check, starts = set_synchronization.find_starts(
        check, run, _progress('find_sync'), fixed_camera=flags.FLAGS.fixed_camera
      )
    page = check_files.write_check(out, check, starts)
  except (ValueError, OSError) as error:
    sys.exit(f'grfjax.check: {errors.describe(error)}')
  print(check_text.terminal_text(check, starts), end='\n\n')
  if starts:
    print(check_text.how_to_use(check, out / synced_manifest.NAME, starts))
  print(f'page: {page}\n{check_text.verdict(check)}')
  if check.errors:
    sys.exit(1)


def _progress(what: str) -> Callable[[Iterable, int], Iterable]:
  return lambda results, count: tqdm.tqdm(
    results, desc=what, total=count, unit='trial', mininterval=1
  )


if __name__ == '__main__':
  define_flags()
  signals.run(main, 'grfjax.check')
