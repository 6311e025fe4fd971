"""Makes the pictures of README and docs: one synthetic walk, estimated by the network `everyone`.

python launch/docs_pictures.py

writes docs/pictures/walk.webp (the annotated film, at half speed) and docs/pictures/page.png (the
top of the page, photographed by Chromium without a window). The walker is drawn, and so nobody's
film is in them.
"""

from __future__ import annotations

import csv
import pathlib
import shutil
import subprocess
import sys
import tempfile

import av
from absl import app, flags
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
TRIAL = 'S01T01'
SEED = 6
PAGE_PX = (1100, 1290)  # down to the end of the curves over time
_OUT = flags.DEFINE_string('out', str(ROOT / 'docs/pictures'), 'Folder for the pictures.')
_WIDTH = flags.DEFINE_integer('width', 640, 'Width of the film, pixels.')
_BROWSER = flags.DEFINE_string('browser', 'chromium', 'Program that photographs the page.')


def _run(module: str, *arguments: str) -> None:
  subprocess.run([sys.executable, '-m', module, *arguments], cwd=ROOT, check=True)


def write_film(video: pathlib.Path, out: pathlib.Path, width: int) -> None:
  """Writes every second frame of a film as an animated picture, at half speed, without an end."""
  with av.open(str(video)) as container:
    rate = container.streams.video[0].average_rate
    frames = [frame.to_image() for frame in container.decode(video=0)][::2]
  assert rate is not None
  height = round(frames[0].height * width / frames[0].width)
  small = [frame.resize((width, height), Image.Resampling.LANCZOS) for frame in frames]
  duration_ms = [round(4000 / float(rate))] * len(small)
  duration_ms[-1] = 1500  # the whole curves stay for a while
  small[0].save(
    out, save_all=True, append_images=small[1:], duration=duration_ms, loop=0, quality=60, method=2
  )


def photograph(page: pathlib.Path, out: pathlib.Path, browser: str) -> None:
  """Writes a picture of the top of a page, in 256 colours."""
  width, height = PAGE_PX
  subprocess.run(
    [
      browser, '--headless', '--no-sandbox', '--hide-scrollbars', f'--window-size={width},{height}',
      f'--screenshot={out}', page.as_uri(),
    ],
    check=True, capture_output=True,
  )  # fmt: skip
  with Image.open(out) as picture:
    small = picture.convert('RGB').quantize(256)
  small.save(out, optimize=True)


def main(argv: list[str]) -> None:
  """Draws the walker, estimates the forces and writes the pictures."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  if not shutil.which(_BROWSER.value):
    sys.exit(f'docs_pictures: there is no program {_BROWSER.value}; name one with --browser')
  out = pathlib.Path(_OUT.value).absolute()
  out.mkdir(parents=True, exist_ok=True)
  with tempfile.TemporaryDirectory() as folder:
    raw, results = pathlib.Path(folder, 'raw'), pathlib.Path(folder, 'out')
    _run(
      'grfjax.synth', f'--out={raw}', '--subjects=1', '--trials=1', f'--seed={SEED}',
      '--width=960', '--height=540',
    )  # fmt: skip
    with open(raw / 'subjects.csv', encoding='utf-8') as file:
      person = next(csv.DictReader(file))
    video = raw / 'walk.mp4'
    (raw / f'videos/{TRIAL}.mp4').rename(video)
    given = [f'--{name}={person[name]}' for name in ('body_mass_kg', 'height_m')]
    _run('grfjax.predict', f'--video={video}', *given, f'--out={results}')
    write_film(results / 'walk_overlay.mp4', out / 'walk.webp', _WIDTH.value)
    photograph(results / 'walk.html', out / 'page.png', _BROWSER.value)
    print(f'written: {", ".join(str(path) for path in sorted(out.iterdir()))}')


if __name__ == '__main__':
  app.run(main)
