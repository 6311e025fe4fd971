"""New videos -> force curves of both legs: tables, a figure, a page, and the video annotated.

python -m grfjax.predict --workdir=RUN --recordings=RAW --out=DIR [--subjects=A,B]
python -m grfjax.predict --video=walk.mp4 --body_mass_kg=61 --out=DIR

Without --workdir the network `everyone` estimates, which comes along (`grfjax.pretrained`).
"""

from __future__ import annotations

import pathlib
import sys

from absl import app, flags, logging

from grfjax import conventions, pretrained
from grfjax.inference import trained_run
from grfjax.io import recordings, signals, video_file
from grfjax.report import predicting, prediction_files


def define_flags() -> None:
  """Defines the command's flags; not on import, where modules' flags would meet."""
  flags.DEFINE_string('workdir', 'everyone', "The run's folder, or a network that comes along.")
  flags.DEFINE_string('out', None, 'Folder for the results; others in it stay.', required=True)
  flags.DEFINE_string('recordings', None, 'A recording set; forces are not needed.')
  flags.DEFINE_list('subjects', None, 'Of the recording set: only these.')
  flags.DEFINE_string('video', None, 'A single video.')
  flags.DEFINE_enum(
    'camera', None, list(conventions.LEGS), "The walker's side on which the camera stands."
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
    run = trained_run.load(pretrained.folder(flags.FLAGS.workdir))
    if flags.FLAGS.video is not None:
      path = pathlib.Path(flags.FLAGS.video)
      said = predicting.predict_video(
        run, path, out, flags.FLAGS.camera or '', flags.FLAGS.body_mass_kg,
        with_overlay=flags.FLAGS.overlay is not False,
      )  # fmt: skip
      print(said)
      return
    failures = predicting.predict_set(
      run, pathlib.Path(flags.FLAGS.recordings or ''), out, flags.FLAGS.subjects,
      with_overlay=bool(flags.FLAGS.overlay),
    )  # fmt: skip
  except (ValueError, OSError, video_file.VideoError) as error:
    sys.exit(f'grfjax.predict: {error}')
  if failures:
    sys.exit('\n'.join([f'grfjax.predict: {len(failures)} trials failed:', *failures]))
  print(f'written: {out}\npage: {out / prediction_files.INDEX}')


if __name__ == '__main__':
  define_flags()
  signals.run(main, 'grfjax.predict')
