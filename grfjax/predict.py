"""Estimates the forces of both legs in new videos: tables, a figure, a page, an annotated video.

python -m grfjax.predict --workdir=RUN --recordings=RAW --out=DIR [--subjects=A,B]
python -m grfjax.predict walk.mp4 --body_mass_kg=61 [--out=DIR]

Without --workdir the bundled network `everyone` estimates them.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
import sys

import jax
from absl import app, flags, logging

from grfjax import conventions, errors
from grfjax.gait import walking_speed
from grfjax.inference import ready_networks, trained_run
from grfjax.io import body_height, recordings, run_folder, signals, video_file
from grfjax.report import predicting, prediction_files

_GIVEN = tuple(field.name for field in dataclasses.fields(walking_speed.Given))  # also flags


def _check_height(height_m: float | None) -> bool:
  """Refuses a height that nobody has, with what it is in metres if it is in another unit."""
  if height_m is not None and not body_height.is_possible(height_m):
    raise flags.ValidationError(f'expected {body_height.expected(height_m)}, found {height_m:g}')
  return True


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  flags.DEFINE_string('workdir', 'everyone', "A run's folder, or the name of a bundled network.")
  flags.DEFINE_string('out', 'predictions', 'Folder for the results; other results in it stay.')
  flags.DEFINE_string('recordings', None, 'A recording set; forces are not needed.')
  flags.DEFINE_list('subjects', None, 'Subjects of the recording set to predict; all without it.')
  flags.DEFINE_string(
    'video', None, 'A single video; may also be given without the name of this flag.'
  )
  flags.DEFINE_enum(
    'camera', None, list(conventions.LEGS), "The walker's side on which the camera stands."
  )
  flags.DEFINE_float(
    'body_mass_kg',
    None,
    'Body mass of the walker, for forces in newtons.',
    *recordings.BODY_MASS_KG,
  )
  flags.DEFINE_float(
    'height_m',
    None,
    'Body height of the walker, for speed, steps and places in metres: 0.5 to 2.6.',
  )
  flags.register_validator('height_m', _check_height)
  flags.DEFINE_float(
    'age_years',
    None,
    'Age of the walker, beside whose walking speed published ones are then told.',
    *recordings.AGE_YEARS,
  )
  flags.DEFINE_float(
    'scale_m_per_px',
    None,
    "Metres in a pixel of --video as filmed, at the walker's distance, for lengths by it and not "
    'by the body height.',
    *recordings.SCALE_M_PER_PX,
  )
  flags.DEFINE_float(
    'speed',
    None,
    'Real seconds in a second of the film of --video: 0.125 for 240 frames a second played at 30. '
    'By default what the file says, or 1.',
  )
  flags.DEFINE_bool(
    'overlay',
    None,
    'Write the annotated video too; by default for --video, but not for --recordings.',
  )


def main(argv: list[str]) -> None:
  """Predicts the recording set or the video that the flags name."""
  videos = [*argv[1:], *([flags.FLAGS.video] if flags.FLAGS.video is not None else [])]
  if len(videos) > 1:
    raise app.UsageError(f'unexpected argument {videos[1]!r}; one video at a time')
  if (flags.FLAGS.recordings is None) != bool(videos):
    raise app.UsageError('give a video or --recordings')
  for name in ('body_mass_kg', *_GIVEN):
    value = getattr(flags.FLAGS, name)
    if value is not None and math.isnan(value):
      raise app.UsageError(f'--{name} is nan, expected a number')  # passes any range check
  speed = flags.FLAGS.speed
  if speed is not None and not 0 < speed < math.inf:
    raise app.UsageError(f'--speed is {speed:g}, expected a finite number above 0')
  for name in ('speed', *_GIVEN):
    if getattr(flags.FLAGS, name) is not None and not videos:
      raise app.UsageError(f'--{name} goes with a video alone')
  logging.set_verbosity(logging.WARNING)
  out = pathlib.Path(flags.FLAGS.out)
  try:
    run = trained_run.load(run_folder.RunFolder.find(flags.FLAGS.workdir))
    if videos:
      path = pathlib.Path(videos[0])
      with video_file.played_at(speed):
        lines = predicting.predict_video(
          ready_networks.made_ready(run), path, out, flags.FLAGS.camera or '',
          flags.FLAGS.body_mass_kg,
          walking_speed.Given(**{name: getattr(flags.FLAGS, name) for name in _GIVEN}),
          with_overlay=flags.FLAGS.overlay is not False,
        )  # fmt: skip
      print(lines)
      return
    failures = predicting.predict_set(
      run, pathlib.Path(flags.FLAGS.recordings or ''), out, flags.FLAGS.subjects,
      with_overlay=bool(flags.FLAGS.overlay),
    )  # fmt: skip
  except (ValueError, OSError) as error:
    sys.exit(f'grfjax.predict: {errors.describe(error)}')
  if failures:
    sys.exit('\n'.join([f'grfjax.predict: {len(failures)} trials failed:', *failures]))
  print(f'written: {out}\npage: {out / prediction_files.INDEX}')


if __name__ == '__main__':
  jax.config.config_with_absl()
  define_flags()
  signals.run(main, 'grfjax.predict')
