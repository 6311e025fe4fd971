"""Makes small films of a drawn figure, and recording sets of them, for tests.

`python tests/making.py` rewrites datasets/walking_grf/dummy_data/, which is made here too.
"""

from __future__ import annotations

import dataclasses
import fractions
import pathlib
import shutil
import struct
from collections.abc import Iterable

import av
import cv2
import numpy as np

from grfjax.io import video_writing

DUMMY_DATA = pathlib.Path(__file__).parents[1] / 'datasets/walking_grf/dummy_data'
SUBJECTS = {'A': 61.5, 'B': 48.0, 'C': 75.25}  # body masses of the sets made here, kg
G = 9.80665
CLOTHES = ((60, 40, 160), (30, 30, 50), (230, 180, 150))  # shirt, trousers, skin
STEPS = {'left': (0.25, 0.5), 'right': (0.65, 0.5)}  # contact start, how long; film clock, seconds


def room(height: int, width: int, seed: int = 0) -> np.ndarray:
  """A cluttered wall and a floor, (height, width, 3) uint8."""
  rng = np.random.default_rng(seed)
  wall = cv2.GaussianBlur(rng.uniform(40, 220, (height, width, 3)).astype(np.float32), (0, 0), 2)
  wall = 130 + 2.0 * (wall - 130)
  for _ in range(12):
    w, h = rng.integers(width // 20, width // 5), rng.integers(height // 20, height // 4)
    x, y = rng.integers(0, width), rng.integers(0, height)
    cv2.rectangle(wall, (int(x), int(y)), (int(x + w), int(y + h)), rng.uniform(60, 200, 3), -1)
  wall[int(0.88 * height) :] = 0.5 * wall[int(0.88 * height) :] + 60
  return np.clip(wall, 0, 255).astype(np.uint8)


def figure(
  canvas: np.ndarray,
  x: float,
  floor: float,
  tall: float,
  phase: float,
  *,
  bob: float = 0.0,
  clothes: tuple = CLOTHES,
) -> None:
  """Draws someone in side view.

  Args:
    canvas: (H, W, 3) uint8, drawn into.
    x: column of the trunk's middle; 0 is the picture's edge, not the middle of its first pixel.
    floor: row of the soles.
    tall: from there to the top of the head when `bob` is 0.
    phase: of the stride, radians; legs and arms swing alike to both sides.
    bob: pixels by which all but the feet is raised.
    clothes: colours of shirt, trousers and skin.
  """
  shirt, trousers, skin = clothes
  swing = 0.17 * tall * np.sin(phase)
  leg, arm = max(2, round(0.09 * tall)), max(1, round(0.06 * tall))

  def point(dx: float, up: float, raised: bool = True) -> tuple[int, int]:
    row = floor - up * tall - (bob if raised else 0)
    return round((x + dx - 0.5) * 16), round((row - 0.5) * 16)

  def line(a: tuple[int, int], b: tuple[int, int], colour: tuple, thickness: int) -> None:
    cv2.line(canvas, a, b, colour, thickness, cv2.LINE_AA, shift=4)

  sole = leg / 2 / tall  # a line reaches half its thickness below its end
  for side in (-1, 1):
    line(point(0, 0.5), point(side * swing, sole, raised=False), trousers, leg)
  half = 0.09 * tall
  trunk = np.array([point(-half, 0.84), point(half, 0.84), point(half, 0.46), point(-half, 0.46)])
  cv2.fillPoly(canvas, [trunk], shirt, cv2.LINE_AA, shift=4)
  for side in (-1, 1):
    line(point(0, 0.8), point(-side * swing, 0.45), skin, arm)
  radius = round(0.08 * tall * 16)
  cv2.circle(canvas, point(0, 0.92), radius, skin, -1, cv2.LINE_AA, shift=4)


class Frames:
  """Pictures in memory, as tracking wants them; `chosen` are those that it samples from."""

  def __init__(self, pictures: Iterable[np.ndarray]):
    self.pictures = list(pictures)
    self.chosen = self.pictures

  def __iter__(self):
    return iter(self.pictures)

  def sample(self, count: int) -> list[np.ndarray]:
    """At most so many, spread over all."""
    last = len(self.chosen) - 1
    return [self.chosen[round(k)] for k in np.linspace(0, last, min(count, last + 1))]


@dataclasses.dataclass(frozen=True)
class Film:
  """Frames of a walk, and where the walker truly is.

  Attributes:
    frames: (N, H, W, 3) uint8.
    time_s: (N,).
    x: (N,) the trunk's middle.
    floor: row of the soles.
    tall: height in pixels.
  """

  frames: np.ndarray
  time_s: np.ndarray
  x: np.ndarray
  floor: float
  tall: float


def film(
  count: int = 70,
  *,
  height: int = 64,
  width: int = 96,
  fps: float = 60,
  time_s: np.ndarray | None = None,
  direction: int = 1,
  noise: float = 2.0,
  bob: float = 0.0,
  bob_hz: float = 2.0,
  clothes: tuple = CLOTHES,
  background: np.ndarray | None = None,
  seed: int = 0,
) -> Film:
  """Someone walks once across the picture, whole in it all the time."""
  rng = np.random.default_rng((seed, 7))
  time_s = np.arange(count) / fps if time_s is None else np.asarray(time_s)
  back = room(height, width, seed) if background is None else background
  tall, floor = round(0.68 * height), round(0.92 * height)
  share = (time_s - time_s[0]) / (time_s[-1] - time_s[0])
  edge = 0.3 * tall
  x = edge + share * (width - 2 * edge)
  if direction < 0:
    x = width - x
  frames = []
  for t, column in zip(time_s, x, strict=True):
    frame = back.copy()
    up = bob * np.sin(2 * np.pi * bob_hz * t)
    figure(frame, column, floor, tall, 2 * np.pi * t, bob=up, clothes=clothes)
    frames.append(noisy(frame, noise, rng))
  return Film(np.stack(frames), time_s, x, floor, tall)


def noisy(frame: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
  """A camera's noise, `noise` gray levels."""
  apart = noise * rng.standard_normal(frame.shape, np.float32)
  return np.clip(frame + apart + 0.5, 0, 255).astype(np.uint8)


def write_video(
  path: pathlib.Path,
  frames: Iterable[np.ndarray],
  *,
  fps: float = 60,
  time_s: np.ndarray | None = None,
  crf: int = 12,
  key_every: int = 250,
  **options: str,
) -> pathlib.Path:
  """Writes H.264 with a presentation time for each frame, to 1/90000 s.

  Args:
    path: the file.
    frames: (H, W, 3) uint8 each, even sizes.
    fps: of the frames, unless
    time_s: gives their times.
    crf: x264's quality.
    key_every: frames between key frames, at most.
    **options: of the container, such as movflags.
  """
  clock = fractions.Fraction(1, 90000)
  with av.open(str(path), 'w', options=options) as container:
    x264 = video_writing.x264_options(crf, 'veryfast') | {'threads': '1', 'g': str(key_every)}
    stream = container.add_stream('libx264', rate=round(fps), options=x264)
    stream.pix_fmt, stream.time_base, stream.codec_context.time_base = 'yuv420p', clock, clock
    for k, rgb in enumerate(frames):
      if k == 0:
        stream.height, stream.width = rgb.shape[:2]
      frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format='rgb24')
      frame.pts = round((k / fps if time_s is None else time_s[k]) / clock)
      frame.time_base = clock
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
  return path


def turn(path: pathlib.Path, rows: int) -> None:
  """Flags a quarter turn clockwise, as a phone held upright writes it."""
  data = bytearray(path.read_bytes())
  matrix = data.find(b'tkhd') + 4 + 40  # ISO 14496-12, 8.3.2: past the header of version 0
  one = 1 << 16
  assert struct.unpack('>9i', data[matrix : matrix + 36]) == (one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
  data[matrix : matrix + 36] = struct.pack('>9i', 0, one, 0, -one, 0, 0, rows * one, 0, 1 << 30)
  path.write_bytes(data)


def step_forces(
  time_s: np.ndarray, mass_kg: float, steps: dict[str, tuple[float, float]] | None = None
) -> np.ndarray:
  """Two-peaked steps, one a plate: (N, P, 3) newtons, x forward, y left, z up."""
  plates = []
  for leg, (start, lasts) in (steps or STEPS).items():
    u = (time_s - start) / lasts
    z = 1.1 * np.sin(np.pi * u) + 0.3 * np.sin(3 * np.pi * u)
    x = -0.2 * np.sin(2 * np.pi * u)
    y = 0.05 * np.sin(np.pi * u) * (-1 if leg == 'left' else 1)  # the floor pushes inwards
    plates.append(np.stack([x, y, z], -1) * ((u > 0) & (u < 1))[:, None])
  return np.stack(plates, 1) * mass_kg * G


def write_forces(path: pathlib.Path, time_s: np.ndarray, force: np.ndarray) -> pathlib.Path:
  """A CSV force file of (N, P, 3) newtons."""
  names = [f'f{axis}_{p + 1}' for p in range(force.shape[1]) for axis in 'xyz']
  table = np.column_stack([time_s, force.reshape(len(time_s), -1)])
  formats = ['%.4f'] + ['%.2f'] * len(names)
  np.savetxt(path, table, formats, ',', header=','.join(['time_s', *names]), comments='')
  return path


TRIAL = {
  'subject': 'A', 'trial': 'A_1', 'video': 'A_1.mp4', 'camera': 'left', 'force': 'A_1.csv',
  'plates': 'left;right', 'video_start_s': 0, 'contact_frame': '',
}  # fmt: skip


def write_manifests(root: pathlib.Path, mass_kg: dict[str, float], trials: list[dict]) -> None:
  """subjects.csv and trials.csv; a trial's missing columns are those of `TRIAL`."""
  people = [f'{name},{mass}' for name, mass in mass_kg.items()]
  (root / 'subjects.csv').write_text('\n'.join(['subject,body_mass_kg', *people]) + '\n')
  rows = [','.join(str({**TRIAL, **trial}[k]) for k in TRIAL) for trial in trials]
  (root / 'trials.csv').write_text('\n'.join([','.join(TRIAL), *rows]) + '\n')


def write_set(
  root: pathlib.Path,
  mass_kg: dict[str, float],
  *,
  trials: int = 2,
  count: int = 70,
  force_hz: int = 250,
  crf: int = 12,
  offset_s: float = 3.1,
) -> pathlib.Path:
  """A recording set: each subject walks past a camera on the left and on the right in turn.

  Args:
    root: an existing folder.
    mass_kg: subject -> body mass.
    trials: of each subject.
    count: frames of a video, 96 x 64 at 60 fps.
    force_hz: samples a second of the plates.
    crf: the videos' quality.
    offset_s: the force clock at each video's first frame.
  """
  rows = []
  for s, (name, mass) in enumerate(mass_kg.items()):
    for k in range(trials):
      trial, camera = f'{name}_{k + 1}', ('left', 'right')[k % 2]
      walk = film(count, direction=-1 if camera == 'left' else 1, seed=10 * s + k)
      write_video(root / f'{trial}.mp4', walk.frames, crf=crf)
      time_s = np.arange(round(1.45 * force_hz)) / force_hz - 0.1
      force = step_forces(time_s, mass)
      write_forces(root / f'{trial}.csv', time_s + offset_s, force)
      rows.append({
        'subject': name, 'trial': trial, 'video': f'{trial}.mp4', 'camera': camera,
        'force': f'{trial}.csv', 'video_start_s': offset_s,
      })  # fmt: skip
  write_manifests(root, mass_kg, rows)
  return root


def main() -> None:
  """Writes the builder test's dummy data, under 200 KB."""
  shutil.rmtree(DUMMY_DATA, ignore_errors=True)
  DUMMY_DATA.mkdir()
  write_set(DUMMY_DATA, {name: SUBJECTS[name] for name in 'AB'}, force_hz=100, crf=23)
  print(sum(path.stat().st_size for path in DUMMY_DATA.iterdir()), 'bytes in', DUMMY_DATA)


if __name__ == '__main__':
  main()
