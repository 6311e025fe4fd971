"""New videos -> force curves of both legs: tables, a figure, a page, and the video annotated.

python -m grfjax.predict --workdir=RUN --recordings=RAW --out=DIR [--subjects=A,B]
python -m grfjax.predict --video=walk.mp4 --body_mass_kg=61 --out=DIR

Without --workdir the network `everyone` estimates, which comes along (`grfjax.pretrained`).
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import tqdm
from absl import app, flags, logging

from grfjax import (
  curves,
  files,
  inference,
  lost,
  pretrained,
  recordings,
  results,
  stopping,
  truth,
  video,
  voxels,
)


def predict(run: inference.Run, path: pathlib.Path, camera: str = '') -> curves.Curves:
  """Estimates the forces in a video.

  Args:
    run: a trained network.
    path: the video.
    camera: 'left' or 'right', the walker's side on which the camera stands; '' reads it off the
      walking direction, which only a network that follows the walker can. Who turns round has
      the camera on the other side.

  Raises:
    ValueError: the video cannot be read or nobody walks across it, or the side of the camera is
      missing or contradicts the walk.
  """
  walks: list[tuple[np.ndarray, int, np.ndarray, np.ndarray, np.ndarray]] = []
  reasons: list[str] = []
  for view in voxels.walks(path, run.voxel):  # one at a time, so that their pictures need not stay
    if isinstance(view, lost.Lost):
      reasons.append(str(view))
      continue
    film = view.video
    if not walks:
      box, direction = np.full_like(view.box, np.nan), np.zeros(len(view.box), int)
    followed = np.isfinite(view.box[:, 0])
    box[followed], direction[followed] = view.box[followed], view.direction
    walks.append((view.time_s, view.direction, view.clear, *inference.predict(run, view)))
  if not camera and not walks[0][1]:
    raise ValueError(
      f'{path}: --camera is needed (left or right): a network that sees the whole picture does not '
      'know which way the walker goes'
    )
  sides = [{1: 'right', -1: 'left', 0: camera}[direction] for _, direction, *_ in walks]
  if camera and camera not in sides:
    voxels.check_direction(camera, walks[0][1], str(path))
  *_, force, interval = walks[0]
  near_only = force.shape[1] == 1
  shape = (len(film.time_s), 2, force.shape[2], 1 + interval.shape[3])
  every = np.full(shape, np.nan)  # last the estimate, then its interval
  for side, (time_s, _, clear, force, interval) in zip(sides, walks, strict=True):
    inside = clear & (film.time_s >= time_s[0] - 1e-9) & (film.time_s <= time_s[-1] + 1e-9)
    found = np.concatenate([force[..., None], interval], -1)
    if side == 'right':  # the file's y is to the walker's left
      found[:, :, 2:] *= -1
      found[:, :, 2:, 1:] = found[:, :, 2:, :0:-1]
    near = recordings.LEGS.index(side)
    for leg in range(found.shape[1]):
      every[inside, near if leg == 0 else 1 - near] = _at(
        film.time_s[inside], time_s, found[:, leg]
      )
  changes = [side for k, side in enumerate(sides) if k == 0 or side != sides[k - 1]]
  said = ', then '.join(changes)
  return curves.Curves(
    film.time_s, every[..., 0], every[..., 1:], said, near_only, box, direction, tuple(reasons)
  )


def _at(time_s: np.ndarray, known_s: np.ndarray, values: np.ndarray) -> np.ndarray:
  """Values (K, ...), known at (K,) times, at (N,) others between them: (N, ...)."""
  flat = values.reshape(len(values), -1)
  columns = [np.interp(time_s, known_s, column) for column in flat.T]
  return np.stack(columns, -1).reshape(len(time_s), *values.shape[1:])


def predict_set(
  run: inference.Run,
  root: pathlib.Path,
  out: pathlib.Path,
  subjects: list[str] | None,
  *,
  with_overlay: bool = False,
) -> list[str]:
  """Writes every trial's results and the list of all of them into OUT.

  Goes on after a trial that fails, unless the disk is full, and returns why. Forces that a trial
  has are drawn beside the estimate; where they cannot be used, the results say why.
  """
  failures = []
  about = results.about_run(run)
  trials = recordings.load(root, need_forces=False, subjects=subjects)
  for trial in tqdm.tqdm(trials, desc='predict', unit='trial', mininterval=1):
    try:
      estimate = predict(run, trial.video, trial.camera)
      true, notes = _truth(trial)
      result = results.Result(
        trial.name, trial.video.name, trial.subject.name, estimate, trial.subject.body_mass_kg,
        about, true, (*run.damaged, *notes),
      )  # fmt: skip
      results.write(out, result, trial.video if with_overlay else None)
    except (ValueError, OSError) as error:
      if isinstance(error, OSError) and error.errno in files.FULL:
        raise
      failures.append(f'{trial.where} (trial {trial.name}): {error}')
  results.write_index(out, failures)
  return failures


def _truth(trial: recordings.Trial) -> tuple[truth.Truth | None, tuple[str, ...]]:
  """What the plates say, and what the reader should know of it."""
  try:
    return truth.of_trial(trial), ()
  except (ValueError, OSError) as error:
    return None, (f'The forces of this trial could not be used: {error}',)


def predict_video(
  run: inference.Run,
  path: pathlib.Path,
  out: pathlib.Path,
  camera: str,
  body_mass_kg: float | None,
  *,
  with_overlay: bool = True,
) -> str:
  """Writes a video's results into OUT; returns a few lines for the terminal.

  Raises:
    ValueError: as `predict`.
    OSError: a file cannot be written.
  """
  estimate = predict(run, path, camera)
  result = results.Result(
    path.stem, path.name, '', estimate, body_mass_kg, results.about_run(run), notes=run.damaged
  )
  *others, page = results.write(out, result, path if with_overlay else None)
  return '\n'.join([
    *results.words(result),
    *(f'Note: {flag}' for flag in result.content['quality']['flags']),
    f'written: {", ".join(str(path) for path in others)}',
    f'page: {page}',
  ])  # fmt: skip


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  flags.DEFINE_string('workdir', 'everyone', "The run's folder, or a network that comes along.")
  flags.DEFINE_string('out', None, 'Folder for the results; others in it stay.', required=True)
  flags.DEFINE_string('recordings', None, 'A recording set; forces are not needed.')
  flags.DEFINE_list('subjects', None, 'Of the recording set: only these.')
  flags.DEFINE_string('video', None, 'A single video.')
  flags.DEFINE_enum(
    'camera', None, list(recordings.LEGS), "The walker's side on which the camera stands."
  )
  flags.DEFINE_float('body_mass_kg', None, 'Of the walker, for newtons.', *recordings.BODY_MASS_KG)
  flags.DEFINE_bool(
    'overlay', None, 'Also write the annotated video; unless said, of --video but not --recordings.'
  )


def main(argv: list[str]) -> None:
  """Predicts a recording set or a video, from flags."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  if (flags.FLAGS.recordings is None) == (flags.FLAGS.video is None):
    raise app.UsageError('give one of --recordings and --video')
  logging.set_verbosity(logging.WARNING)
  out = pathlib.Path(flags.FLAGS.out)
  try:
    run = inference.load(pretrained.folder(flags.FLAGS.workdir))
    if flags.FLAGS.video is not None:
      path = pathlib.Path(flags.FLAGS.video)
      said = predict_video(
        run, path, out, flags.FLAGS.camera or '', flags.FLAGS.body_mass_kg,
        with_overlay=flags.FLAGS.overlay is not False,
      )  # fmt: skip
      print(said)
      return
    failures = predict_set(
      run, pathlib.Path(flags.FLAGS.recordings or ''), out, flags.FLAGS.subjects,
      with_overlay=bool(flags.FLAGS.overlay),
    )  # fmt: skip
  except (ValueError, OSError, video.VideoError) as error:
    sys.exit(f'grfjax.predict: {error}')
  if failures:
    sys.exit('\n'.join([f'grfjax.predict: {len(failures)} trials failed:', *failures]))
  print(f'written: {out}\npage: {out / results.INDEX}')


if __name__ == '__main__':
  define_flags()
  stopping.run(main, 'grfjax.predict')
