"""New videos -> force curves of both legs, one CSV a video; and the video with them drawn into it.

python -m grfjax.predict --workdir=RUN --recordings=RAW --out=DIR [--subjects=A,B]
python -m grfjax.predict --workdir=RUN --video=walk.mp4 --camera=left --out=DIR
"""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import pathlib
import sys

import numpy as np
import tqdm
from absl import app, flags, logging

from grfjax import files, forces, inference, overlay, pretrained, recordings, video, voxels

DECIMALS = 4  # of a body weight: 0.0001 BW is under a tenth of a newton
_COLUMNS = ('fz', 'fx', 'fy')  # the file's names of voxels.AXES
_PARTS = ('', '_lo', '_hi')  # the estimate, and between what the force lies


@dataclasses.dataclass(frozen=True)
class Curves:
  """Estimated forces at every frame of a video.

  Attributes:
    time_s: (N,) from the first frame.
    force: (N, 2, axes) body weights: leg (left, right) x (vertical, forward, to the walker's
      left); NaN where there is no estimate.
    interval: (N, 2, axes, 2) between which the force lies in 90 % of stance (or what else the run
      was calibrated for); (..., 0) where it was not.
    camera: the walker's side on which the camera stands; 'left, then right' of who turns round.
    near_only: the network knows no other leg than the near one.
    box: (N, 4) the window that follows the walker: left, top, width and height in the video's own
      pixels; NaN where nobody is followed.
    direction: (N,) int, +1 where the walker goes to the picture's right, -1 left, 0 not known.
  """

  time_s: np.ndarray
  force: np.ndarray
  interval: np.ndarray
  camera: str
  near_only: bool
  box: np.ndarray
  direction: np.ndarray


def predict(run: inference.Run, path: pathlib.Path, camera: str = '') -> Curves:
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
  walks: list[tuple[np.ndarray, int, np.ndarray, np.ndarray]] = []
  for view in voxels.walks(path, run.voxel):  # one at a time, so that their pictures need not stay
    film = view.video
    if not walks:
      box, direction = np.full_like(view.box, np.nan), np.zeros(len(view.box), int)
    followed = np.isfinite(view.box[:, 0])
    box[followed], direction[followed] = view.box[followed], view.direction
    walks.append((view.time_s, view.direction, *inference.predict(run, view)))
  if not camera and not walks[0][1]:
    raise ValueError(
      f'{path}: --camera is needed (left or right): a network that sees the whole picture does not '
      'know which way the walker goes'
    )
  sides = [{1: 'right', -1: 'left', 0: camera}[direction] for _, direction, *_ in walks]
  if camera and camera not in sides:
    voxels.check_direction(camera, walks[0][1], str(path))
  near_only = walks[0][2].shape[1] == 1
  shape = (len(film.time_s), 2, walks[0][2].shape[2], 1 + walks[0][3].shape[3])
  curves = np.full(shape, np.nan)  # last the estimate, then its interval
  for side, (time_s, _, force, interval) in zip(sides, walks, strict=True):
    inside = (film.time_s >= time_s[0] - 1e-9) & (film.time_s <= time_s[-1] + 1e-9)
    found = np.concatenate([force[..., None], interval], -1)
    if side == 'right':  # the file's y is to the walker's left
      found[:, :, 2:] *= -1
      found[:, :, 2:, 1:] = found[:, :, 2:, :0:-1]
    near = recordings.LEGS.index(side)
    for leg in range(found.shape[1]):
      curves[inside, near if leg == 0 else 1 - near] = _at(
        film.time_s[inside], time_s, found[:, leg]
      )
  changes = [side for k, side in enumerate(sides) if k == 0 or side != sides[k - 1]]
  camera = ', then '.join(changes)
  return Curves(film.time_s, curves[..., 0], curves[..., 1:], camera, near_only, box, direction)


def _at(time_s: np.ndarray, known_s: np.ndarray, values: np.ndarray) -> np.ndarray:
  """Values (K, ...), known at (K,) times, at (N,) others between them: (N, ...)."""
  flat = values.reshape(len(values), -1)
  columns = [np.interp(time_s, known_s, column) for column in flat.T]
  return np.stack(columns, -1).reshape(len(time_s), *values.shape[1:])


def to_csv(curves: Curves) -> str:
  """The file of the contract: a row a frame; no estimate is an empty cell."""
  axes = curves.force.shape[2]
  columns = {}
  for k, part in enumerate(_PARTS[: 1 + curves.interval.shape[3]]):
    values = curves.force if k == 0 else curves.interval[..., k - 1]
    for leg, axis in itertools.product(range(2), range(axes)):
      columns[f'{recordings.LEGS[leg]}_{_COLUMNS[axis]}{part}_bw'] = values[:, leg, axis]
  # The vertical forces stand first, as every file has them; the intervals last.
  names = sorted(columns, key=lambda n: (any(p in n for p in _PARTS[1:]), 'fz' not in n))
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  writer.writerow(['time_s', *names])
  for time_s, *row in zip(curves.time_s, *(columns[n] for n in names), strict=True):
    cells = ['' if np.isnan(v) else f'{v:.{DECIMALS}f}' for v in row]
    writer.writerow([f'{time_s:.6f}', *cells])
  return text.getvalue()


def write_overlay(path: pathlib.Path, out: pathlib.Path, name: str, curves: Curves) -> pathlib.Path:
  """Writes OUT/NAME_overlay.mp4 of the video at `path`, whole; errors as in `overlay.write`."""
  target = out / f'{name}_overlay.mp4'
  with files.whole(target) as temporary:
    overlay.write(temporary, video.probe(path), name, curves.force, curves.box, curves.direction)
  return target


def predict_set(
  run: inference.Run,
  root: pathlib.Path,
  out: pathlib.Path,
  subjects: list[str] | None,
  *,
  with_overlay: bool = False,
) -> list[str]:
  """Writes OUT/TRIAL.csv, and TRIAL_overlay.mp4 if wanted, for every trial.

  Goes on after a trial that fails, and returns why.
  """
  failures = []
  trials = recordings.load(root, need_forces=False, subjects=subjects)
  for trial in tqdm.tqdm(trials, desc='predict', unit='trial', mininterval=1):
    try:
      curves = predict(run, trial.video, trial.camera)
      if with_overlay:
        write_overlay(trial.video, out, trial.name, curves)
    except (ValueError, OSError) as error:
      failures.append(f'{trial.where} (trial {trial.name}): {error}')
      continue
    files.write_text(out / f'{trial.name}.csv', to_csv(curves))
  return failures


def summary(curves: Curves, body_mass_kg: float | None) -> str:
  """A few lines for the terminal."""
  lines = [f"camera at the walker's {curves.camera}"]
  for i, leg in enumerate(recordings.LEGS):
    fz = curves.force[:, i, 0]
    seen = np.isfinite(fz)
    if not seen.any():
      lines.append(
        f'{leg} leg: no estimate'
        + (' (the network knows the near leg alone)' if curves.near_only else '')
      )
      continue
    peak = float(fz[seen].max())
    newton = f' = {peak * body_mass_kg * forces.G:.0f} N' if body_mass_kg else ''
    lines.append(
      f'{leg} leg: {int(seen.sum())} of {len(fz)} frames estimated, highest vertical force '
      f'{peak:.2f} BW{newton}'
    )
  return '\n'.join(lines)


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  flags.DEFINE_string('workdir', None, "The run's folder.", required=True)
  flags.DEFINE_string('out', None, 'Folder for the results; others in it stay.', required=True)
  flags.DEFINE_string('recordings', None, 'A recording set; forces are not needed.')
  flags.DEFINE_list('subjects', None, 'Of the recording set: only these.')
  flags.DEFINE_string('video', None, 'A single video.')
  flags.DEFINE_enum(
    'camera', None, list(recordings.LEGS), "The walker's side on which the camera stands."
  )
  flags.DEFINE_float(
    'body_mass_kg', None, 'Of the walker, to print newtons.', *recordings.BODY_MASS_KG
  )
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
      curves = predict(run, path, flags.FLAGS.camera or '')
      files.write_text(out / f'{path.stem}.csv', to_csv(curves))
      written = [f'{out / path.stem}.csv']
      if flags.FLAGS.overlay is not False:
        written.append(str(write_overlay(path, out, path.stem, curves)))
      print(summary(curves, flags.FLAGS.body_mass_kg))
      print(f'written: {", ".join(written)}')
      return
    failures = predict_set(
      run, pathlib.Path(flags.FLAGS.recordings or ''), out, flags.FLAGS.subjects,
      with_overlay=bool(flags.FLAGS.overlay),
    )  # fmt: skip
  except (ValueError, OSError, video.VideoError) as error:
    sys.exit(f'grfjax.predict: {error}')
  if failures:
    sys.exit('\n'.join([f'grfjax.predict: {len(failures)} trials failed:', *failures]))
  print(f'written: {out}')


if __name__ == '__main__':
  define_flags()
  app.run(main)
