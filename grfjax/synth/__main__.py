"""Writes a recording set of synthetic walkers.

python -m grfjax.synth --out=RAW --subjects=5 --trials=50 --seed=0
"""

import pathlib
import sys
from concurrent.futures import process

from absl import app, flags

from grfjax import errors
from grfjax.io import signals
from grfjax.synth import gait_styles, recording_set, trial

_DEFAULT = trial.Settings()
_OUT = flags.DEFINE_string('out', '', 'Folder to make; it must be new, empty, or this very set.')
_SUBJECTS = flags.DEFINE_integer(
  'subjects', _DEFAULT.subjects, 'Number of people; about half are children.', lower_bound=1
)
_TRIALS = flags.DEFINE_integer('trials', _DEFAULT.trials, 'Walks of each person.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', _DEFAULT.seed, 'Seed of everything drawn.', lower_bound=0)
_STYLE = flags.DEFINE_enum(
  'style',
  _DEFAULT.style,
  [*gait_styles.STYLES, gait_styles.MIXED],
  '; '.join(f'{name}: {style.help}' for name, style in gait_styles.STYLES.items())
  + '; mixed: half of the people normal, the others of any other style.',
)
_WIDTH = flags.DEFINE_integer(
  'width', _DEFAULT.width, 'Width of the video, pixels; even.', lower_bound=64, upper_bound=1920
)
_HEIGHT = flags.DEFINE_integer(
  'height', _DEFAULT.height, 'Height of the video, pixels; even.', lower_bound=64, upper_bound=1080
)
_FPS = flags.DEFINE_float(
  'fps', _DEFAULT.fps, 'Frames per second.', lower_bound=10, upper_bound=240
)
_PLATES = flags.DEFINE_integer(
  'plates',
  _DEFAULT.plates,
  'Consecutive steps on force plates, one plate each, in the middle of the view.',
  lower_bound=1,
  upper_bound=4,
)
_CAMERA = flags.DEFINE_enum(
  'camera',
  _DEFAULT.camera,
  list(trial.CAMERAS),
  '; '.join(f'{name}: {what}' for name, what in trial.CAMERAS.items()) + '.',
)
_WORKERS = flags.DEFINE_integer(
  'workers',
  0,
  'Number of processes; 0: one for each core. The set does not depend on it.',
  lower_bound=0,
)
_BEAM = flags.DEFINE_string(
  'beam_pipeline_options',
  '',
  'Options of an Apache Beam pipeline, separated by commas, that writes the set; empty: processes '
  'here. The set does not depend on it.',
)
flags.register_multi_flags_validator(
  ['workers', 'beam_pipeline_options'],
  lambda values: not (values['workers'] and values['beam_pipeline_options']),
  'counts processes here; the options of the pipeline say how many workers it has',
)


def main(argv: list[str]) -> None:
  """Writes the set that the flags describe."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {" ".join(argv[1:])!r}; flags begin with --')
  settings = trial.Settings(
    subjects=_SUBJECTS.value,
    trials=_TRIALS.value,
    seed=_SEED.value,
    style=_STYLE.value,
    width=_WIDTH.value,
    height=_HEIGHT.value,
    fps=_FPS.value,
    plates=_PLATES.value,
    camera=_CAMERA.value,
  )
  out = pathlib.Path(_OUT.value)
  try:
    if not _OUT.value:
      raise errors.InputError('--out is empty; name the folder to make', code='synth.no_folder')
    written = recording_set.write_set(out, settings, _WORKERS.value, _BEAM.value)
  except (errors.InputError, errors.PipelineError, OSError, process.BrokenProcessPool) as error:
    sys.exit(f'grfjax.synth: {errors.describe(error)}')
  if written:
    trials = settings.subjects * settings.trials
    print(f'{out}: {trials} trials of {settings.subjects} people')
  else:
    print(f'{out} already is this set; nothing to do')


if __name__ == '__main__':
  signals.run(main, 'grfjax.synth')
