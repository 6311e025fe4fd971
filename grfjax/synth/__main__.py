"""Write a recording set of synthetic walkers.

python -m grfjax.synth --out=RAW --subjects=5 --trials=50 --seed=0
"""

import pathlib
import sys
from concurrent.futures import process

from absl import app, flags

from grfjax.io import signals
from grfjax.synth import recording, styles

_DEFAULT = recording.Settings()
_OUT = flags.DEFINE_string('out', '', 'Folder to make; must be new, empty or this very set.')
_SUBJECTS = flags.DEFINE_integer(
  'subjects', _DEFAULT.subjects, 'People; about half are children.', lower_bound=1
)
_TRIALS = flags.DEFINE_integer('trials', _DEFAULT.trials, 'Walks of each.', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', _DEFAULT.seed, 'Of everything drawn.', lower_bound=0)
_STYLE = flags.DEFINE_enum(
  'style',
  _DEFAULT.style,
  [*styles.STYLES, styles.MIXED],
  '; '.join(f'{name}: {style.help}' for name, style in styles.STYLES.items())
  + '; mixed: half of the people normal, the others anything else.',
)
_WIDTH = flags.DEFINE_integer(
  'width', _DEFAULT.width, 'Of the video, pixels; even.', lower_bound=64, upper_bound=1920
)
_HEIGHT = flags.DEFINE_integer(
  'height', _DEFAULT.height, 'Of the video, pixels; even.', lower_bound=64, upper_bound=1080
)
_FPS = flags.DEFINE_float(
  'fps', _DEFAULT.fps, 'Frames per second.', lower_bound=10, upper_bound=240
)
_PLATES = flags.DEFINE_integer(
  'plates',
  _DEFAULT.plates,
  'Consecutive steps on force plates, one plate each, in mid-view.',
  lower_bound=1,
  upper_bound=4,
)
_WORKERS = flags.DEFINE_integer(
  'workers', 0, 'Processes; 0: one for each core. The set does not depend on it.', lower_bound=0
)

flags.register_validator('out', bool, message='is empty; name the folder to make')
for _name in ('width', 'height'):
  flags.register_validator(
    _name, lambda value: value % 2 == 0, message='must be even: H.264 halves both sides'
  )


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'what is {" ".join(argv[1:])!r}? Flags begin with --')
  settings = recording.Settings(
    subjects=_SUBJECTS.value,
    trials=_TRIALS.value,
    seed=_SEED.value,
    style=_STYLE.value,
    width=_WIDTH.value,
    height=_HEIGHT.value,
    fps=_FPS.value,
    plates=_PLATES.value,
  )
  out = pathlib.Path(_OUT.value)
  try:
    made = recording.write_set(out, settings, _WORKERS.value)
  except (recording.SetExists, OSError, process.BrokenProcessPool) as error:
    sys.exit(f'grfjax.synth: {error}')
  trials = settings.subjects * settings.trials
  print(
    f'{out}: {trials} trials of {settings.subjects} people'
    if made
    else f'{out} already is this set; nothing to do'
  )


if __name__ == '__main__':
  signals.run(main, 'grfjax.synth')
