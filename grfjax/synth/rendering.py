"""Motion to frames: a synthetic walker seen by a camera, and the video file.

`draw_look` and `draw_room` draw what lasts for a person and for a trial, `render` yields the
frames, `write_video` encodes them. Everything is a function of its arguments and the generator's
state.
"""

import math
import os
import pathlib
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import av.error
import cv2
import numpy as np

from grfjax.io import atomic
from grfjax.synth import backdrop, body, figure, shadow, solids
from grfjax.synth import look as look_lib
from grfjax.synth import room as room_lib

draw_look = look_lib.draw_look
draw_clothes = look_lib.draw_clothes
draw_room = room_lib.draw_room
Look = look_lib.Look
Clothes = look_lib.Clothes
Room = room_lib.Room

BLUR_STEP_PX = 3.0  # motion between two instants of one exposure that still looks smooth
MOST_INSTANTS = 4  # of one exposure


def render(
  walk: body.Walk,
  time_s: np.ndarray,
  camera_side: str,
  look: look_lib.Look,
  room: room_lib.Room,
  rng: np.random.Generator,
  width: int = 640,
  height: int = 360,
  *,
  plates: Iterable[room_lib.Rect] = (),
  clothes: look_lib.Clothes | None = None,
) -> Iterator[np.ndarray]:
  """Frames of a walk.

  Args:
    walk: the motion, plates' centre at x = y = 0.
    time_s: (K,) the middle of each frame's exposure, on the walk's clock.
    camera_side: 'left' or 'right' of the walker.
    look: the person.
    room: the trial's surroundings and camera.
    rng: draws clothes (if not given) and noise.
    width: of the frames, pixels.
    height: likewise.
    plates: force plates' (x0, x1, y0, y1), metres.
    clothes: what the person wears; drawn from `rng` by default.

  Yields:
    (height, width, 3) uint8 RGB.

  Raises:
    ValueError: a frame's time lies outside the walk, or no such side.
  """
  return _Scene(walk, camera_side, look, room, rng, width, height, tuple(plates), clothes).frames(
    np.asarray(time_s, np.float64)
  )


class _Scene:
  """What stays the same over a video's frames."""

  def __init__(self, walk, side, person, surroundings, rng, width, height, plates, clothes):
    if width < 16 or height < 16:
      raise ValueError(f'frames of {width} x {height} pixels: the least is 16 x 16')
    self._walk, self._side, self._room = walk, side, surroundings
    self._camera = surroundings.camera(side, width, height)
    if clothes is None:
      clothes = look_lib.draw_clothes(
        rng,
        person,
        walk.subject.sex == 'female',
        (surroundings.wall_colour, surroundings.floor_colour),
      )
    self._figure = figure.Figure(
      person, clothes, np.asarray(surroundings.tint), surroundings.far_shade
    )
    self._girth = person.girth_m
    self._light = surroundings.light()
    self._fold = solids.folds(rng)
    self._soft = max(surroundings.soft_px * width / 640, 0.8)
    self._back = backdrop.paint(surroundings, self._camera, plates)  # (3, H, W)
    self._back8 = cv2.merge([cv2.convertScaleAbs(plane) for plane in self._back])  # (H, W, 3)
    self._gain = backdrop.vignette(surroundings, self._camera)
    self._rng = rng
    self._noise = _noise_field(rng, surroundings, width, height)

  def frames(self, time_s: np.ndarray) -> Iterator[np.ndarray]:
    """See `render`."""
    return self._frames(time_s, body.sample(self._walk, time_s))

  def _frames(self, time_s: np.ndarray, joints: np.ndarray) -> Iterator[np.ndarray]:
    instants = self._instants(time_s, joints)
    for k, now in enumerate(time_s):
      half = 0.5 * self._room.shutter_s * (1 - 1 / instants[k])
      times = np.clip(
        now + np.linspace(-half, half, instants[k]), self._walk.time_s[0], self._walk.time_s[-1]
      )
      moments = body.sample(self._walk, times) if instants[k] > 1 else joints[k : k + 1]
      yield self._frame(joints[k], moments)

  def _instants(self, time_s: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """How many instants each exposure needs: (K,) int."""
    if len(time_s) < 2:
      return np.ones(len(time_s), int)
    uv, _ = self._camera.project(joints)
    speed = np.abs(np.gradient(uv, time_s, axis=0)).max(axis=(1, 2))  # pixels per second
    step = BLUR_STEP_PX * max(1.0, self._camera.width / 640)
    return np.clip(np.ceil(speed * self._room.shutter_s / step), 1, MOST_INSTANTS).astype(int)

  def _frame(self, middle: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """One frame from joints (J, 3) at mid-exposure and (S, J, 3) over it."""
    uv, scale = self._camera.project(moments)
    margin = 0.16 * self._girth * float(scale.max())
    walker = self._box(uv.min(axis=(0, 1)) - margin, uv.max(axis=(0, 1)) + margin)
    blots = shadow.cast(self._room, self._camera, self._girth, middle)
    boxes = [box for box in (walker, *(self._box(*blot.extent()) for blot in blots)) if box]
    frame = self._back8.copy()
    if boxes:
      u0, v0 = (min(box[i] for box in boxes) for i in (0, 1))
      u1, v1 = (max(box[i] for box in boxes) for i in (2, 3))
      part = self._back[:, v0:v1, u0:u1].copy()
      for blot in blots:
        blot.darken(part, (u0, v0))
      if walker:
        self._paint_walker(
          part[:, walker[1] - v0 : walker[3] - v0, walker[0] - u0 : walker[2] - u0],
          walker[:2],
          uv,
          scale,
        )
      # Rounds and clips to 8 bits.
      frame[v0:v1, u0:u1] = cv2.merge([cv2.convertScaleAbs(np.maximum(plane, 0)) for plane in part])
    return self._with_noise(frame)

  def _box(self, low: np.ndarray, high: np.ndarray) -> tuple[int, int, int, int] | None:
    """The pixels between two points: first column and row, those after the last; None if none."""
    u0, v0 = (max(math.floor(c), 0) for c in low)
    u1, v1 = (
      min(math.ceil(high[0]) + 1, self._camera.width),
      min(math.ceil(high[1]) + 1, self._camera.height),
    )
    return (u0, v0, u1, v1) if u0 < u1 and v0 < v1 else None

  def _paint_walker(
    self, image: np.ndarray, origin: tuple[int, int], uv: np.ndarray, scale: np.ndarray
  ) -> None:
    """Paint the walker over `image`, (3, h, w): the mean over the exposure's instants."""
    middle = image.shape[1] // 2 + origin[1], image.shape[2] // 2 + origin[0]
    gain = float(self._gain[middle])
    light = solids.Light(self._light.ambient * gain, self._light.direct * gain, self._light.towards)
    facing = -1 if self._side == 'left' else 1
    canvas = solids.Canvas(light, self._fold, self._soft)
    for instant in range(len(uv)):
      if instant:
        canvas.new_instant()
      self._figure.draw(canvas, uv[instant], scale[instant], facing, self._side)
    canvas.paint(image, origin)

  def _with_noise(self, frame: np.ndarray) -> np.ndarray:
    if self._noise is None:
      return frame
    h, w = frame.shape[:2]
    dv, du = self._rng.integers(0, 64, 2)
    return cv2.add(frame, self._noise[dv : dv + h, du : du + w], dtype=cv2.CV_8U)


def _noise_field(rng, surroundings, width: int, height: int) -> np.ndarray | None:
  """(H + 64, W + 64, 3) int8 to cut each frame's noise from; None if there is none."""
  if surroundings.noise < 0.05:
    return None
  shape = (height + 64, width + 64)
  gray = rng.standard_normal((*shape, 1), np.float32)
  field = 0.8 * gray + 0.6 * rng.standard_normal((*shape, 3), np.float32)
  if surroundings.noise_grain_px:
    field = cv2.GaussianBlur(field, (0, 0), surroundings.noise_grain_px)
    field /= field.std()
  return np.clip(np.rint(field * surroundings.noise), -127, 127).astype(np.int8)


def write_video(
  path: str | os.PathLike,
  frames: Iterable[np.ndarray],
  fps: float = 60,
  *,
  crf: int = 23,
  preset: str = 'superfast',
) -> int:
  """Encode frames as H.264, whole or not at all.

  Args:
    path: the file to make, .mp4.
    frames: (H, W, 3) uint8 RGB, all of one even width and height.
    fps: frames per second.
    crf: x264's constant rate factor, 0 (perfect) to 51.
    preset: x264's speed.

  Returns:
    The number of frames.

  Raises:
    ValueError: no frames, frames of different or odd sizes (4:2:0 halves both), or not uint8 RGB.
    OSError: the folder is missing or cannot be written.
  """
  path = pathlib.Path(path)
  if not path.parent.is_dir():
    raise FileNotFoundError(f'{path}: there is no folder {path.parent}')
  with atomic.atomic_file(path) as part:
    return _encode(part, path, frames, fps, crf, preset)


def _encode(part, path, frames, fps, crf, preset) -> int:
  count, size = 0, None
  with av.open(str(part), 'w', format='mp4') as container:
    for frame in frames:
      if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f'{path}: frame {count} is {frame.dtype} {frame.shape}, not uint8 RGB')
      if size is None:
        size = frame.shape
        if size[0] % 2 or size[1] % 2:
          raise ValueError(
            f'{path}: {size[1]} x {size[0]} pixels; H.264 in yuv420p needs even width and height'
          )
        stream = container.add_stream(
          'libx264',
          rate=Fraction(fps).limit_denominator(100_000),
          options={'crf': str(crf), 'preset': preset, 'threads': '1'},
        )
        stream.width, stream.height, stream.pix_fmt = size[1], size[0], 'yuv420p'
      if frame.shape != size:
        raise ValueError(f'{path}: frame {count} is {frame.shape}, the first one {size}')
      planes = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)  # BT.601, video range
      container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format='yuv420p')))
      count += 1
    if size is None:
      raise ValueError(f'{path}: no frames to write')
    container.mux(stream.encode(None))
  return count


def quality(rng: np.random.Generator) -> int:
  """A trial's constant rate factor: from a good camera's to a badly squeezed clip."""
  return int(rng.integers(18, 33))
