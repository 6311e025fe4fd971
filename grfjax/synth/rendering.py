"""Renders the frames of a walk: a synthetic walker in a room, as a camera sees it.

Everything is a function of the arguments and of the state of the random generator.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from grfjax.synth import (
  appearance,
  background,
  body,
  clothing,
  floor_shadows,
  projected_walker,
  shaded_solids,
  walker_drawing,
)
from grfjax.synth import room as room_lib

BLUR_STEP_PX = 3.0  # motion between two instants of one exposure that still looks smooth
MAX_INSTANTS = 4  # of one exposure


def render(
  walk: body.Walk,
  time_s: np.ndarray,
  camera_side: str,
  person: appearance.Appearance,
  room: room_lib.Room,
  rng: np.random.Generator,
  width: int = 640,
  height: int = 360,
  *,
  plates: Iterable[room_lib.Rectangle] = (),
  clothes: clothing.Clothes | None = None,
) -> Iterator[np.ndarray]:
  """Renders the frames of a walk.

  Args:
    walk: the motion; the centre of the force plates is at x = y = 0.
    time_s: (K,) the middle of each frame's exposure, on the walk's clock.
    camera_side: 'left' or 'right', the walker's side on which the camera stands.
    person: how the walker looks.
    room: the trial's surroundings and camera.
    rng: draws clothes (if none are given) and noise.
    width: width of the frames, pixels.
    height: height of the frames, pixels.
    plates: the force plates, metres.
    clothes: what the walker wears; drawn from `rng` by default.

  Yields:
    (height, width, 3) uint8 RGB.

  Raises:
    ValueError: a time lies outside the walk, or there is no such side, or frames are too small.
  """
  if width < 16 or height < 16:
    raise ValueError(f'frames of {width} x {height} pixels: the smallest are 16 x 16')
  if clothes is None:
    surroundings = (room.wall_colour, room.floor_colour)
    clothes = clothing.draw_clothes(rng, person, walk.subject.sex == 'female', surroundings)
  scene = _Scene(walk, camera_side, person, clothes, room, rng, width, height, tuple(plates))
  return scene.frames(np.asarray(time_s, np.float64))


class _Box(NamedTuple):
  """Pixels of the frame: first column and row, and those after the last."""

  u0: int
  v0: int
  u1: int
  v1: int


class _Scene:
  """What stays the same over the frames of a video; arguments as of `render`."""

  def __init__(self, walk, side, person, clothes, room, rng, width, height, plates):
    self._walk, self._side, self._room = walk, side, room
    self._camera = room.camera(side, width, height)
    self._drawing = walker_drawing.WalkerDrawing(
      person, clothes, np.asarray(room.tint), room.far_shade
    )
    self._girth = person.girth_m
    self._light = room.light()
    self._folds = shaded_solids.draw_folds(rng)
    self._edge_px = max(room.soft_px * width / 640, 0.8)
    self._background = background.paint_background(room, self._camera, plates)  # (3, H, W)
    self._background_8bit = _to_8bit(self._background)
    self._vignette = background.vignette(room, self._camera)
    self._rng = rng
    self._noise = _draw_noise(rng, room, width, height)

  def frames(self, time_s: np.ndarray) -> Iterator[np.ndarray]:
    """Returns the frames at (K,) seconds, see `render`."""
    return self._frames(time_s, body.joints_at(self._walk, time_s))

  def _frames(self, time_s: np.ndarray, joints: np.ndarray) -> Iterator[np.ndarray]:
    counts = self._instants(time_s, joints)
    for k, middle in enumerate(time_s):
      half = 0.5 * self._room.shutter_s * (1 - 1 / counts[k])
      times = np.clip(
        middle + np.linspace(-half, half, counts[k]), self._walk.time_s[0], self._walk.time_s[-1]
      )
      moments = body.joints_at(self._walk, times) if counts[k] > 1 else joints[k : k + 1]
      yield self._frame(joints[k], moments)

  def _instants(self, time_s: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Returns how many instants each exposure needs: (K,) int."""
    if len(time_s) < 2:
      return np.ones(len(time_s), int)
    uv, _ = self._camera.project(joints)
    speed = np.abs(np.gradient(uv, time_s, axis=0)).max(axis=(1, 2))  # pixels per second
    step = BLUR_STEP_PX * max(1.0, self._camera.width / 640)
    return np.clip(np.ceil(speed * self._room.shutter_s / step), 1, MAX_INSTANTS).astype(int)

  def _frame(self, middle: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Renders a frame from joints (J, 3) in mid-exposure and (S, J, 3) over the exposure."""
    uv, scale = self._camera.project(moments)
    margin = 0.16 * self._girth * float(scale.max())
    walker_box = self._box(uv.min(axis=(0, 1)) - margin, uv.max(axis=(0, 1)) + margin)
    shadows = floor_shadows.cast_shadows(self._room, self._camera, self._girth, middle)
    boxes = [box for box in (walker_box, *(self._box(*s.extent()) for s in shadows)) if box]
    frame = self._background_8bit.copy()
    if boxes:
      u0, v0 = (min(box[i] for box in boxes) for i in (0, 1))
      u1, v1 = (max(box[i] for box in boxes) for i in (2, 3))
      part = self._background[:, v0:v1, u0:u1].copy()
      for shadow in shadows:
        shadow.darken(part, (u0, v0))
      if walker_box:
        rows = slice(walker_box.v0 - v0, walker_box.v1 - v0)
        columns = slice(walker_box.u0 - u0, walker_box.u1 - u0)
        self._paint_walker(part[:, rows, columns], walker_box[:2], uv, scale)
      frame[v0:v1, u0:u1] = _to_8bit(np.maximum(plane, 0) for plane in part)
    return self._add_noise(frame)

  def _box(self, low: np.ndarray, high: np.ndarray) -> _Box | None:
    """Returns the pixels between two points; None where there are none."""
    u0, v0 = (max(math.floor(c), 0) for c in low)
    u1, v1 = (
      min(math.ceil(high[0]) + 1, self._camera.width),
      min(math.ceil(high[1]) + 1, self._camera.height),
    )
    return _Box(u0, v0, u1, v1) if u0 < u1 and v0 < v1 else None

  def _paint_walker(
    self, image: np.ndarray, origin: tuple[int, int], uv: np.ndarray, scale: np.ndarray
  ) -> None:
    """Paints the walker over an image, (3, h, w): the mean over the exposure's instants."""
    middle = image.shape[1] // 2 + origin[1], image.shape[2] // 2 + origin[0]
    gain = float(self._vignette[middle])
    light = shaded_solids.Light(
      self._light.ambient * gain, self._light.direct * gain, self._light.towards
    )
    facing = -1 if self._side == 'left' else 1
    canvas = shaded_solids.Canvas(light, self._folds, self._edge_px)
    for instant in range(len(uv)):
      if instant:
        canvas.new_instant()
      self._drawing.draw(
        projected_walker.ProjectedWalker(canvas, uv[instant], scale[instant], facing, self._side)
      )
    canvas.paint(image, origin)

  def _add_noise(self, frame: np.ndarray) -> np.ndarray:
    if self._noise is None:
      return frame
    h, w = frame.shape[:2]
    dv, du = self._rng.integers(0, 64, 2)
    return cv2.add(frame, self._noise[dv : dv + h, du : du + w], dtype=cv2.CV_8U)


def _to_8bit(planes: Iterable[np.ndarray]) -> np.ndarray:
  """Rounds and clips three planes, (H, W), to 8 bits: (H, W, 3)."""
  return cv2.merge([cv2.convertScaleAbs(plane) for plane in planes])


def _draw_noise(rng, room: room_lib.Room, width: int, height: int) -> np.ndarray | None:
  """Draws (H + 64, W + 64, 3) int8 to cut the noise of each frame from; None for no noise."""
  if room.noise < 0.05:
    return None
  shape = (height + 64, width + 64)
  gray = rng.standard_normal((*shape, 1), np.float32)
  field = 0.8 * gray + 0.6 * rng.standard_normal((*shape, 3), np.float32)
  if room.noise_grain_px:
    field = cv2.GaussianBlur(field, (0, 0), room.noise_grain_px)
    field /= field.std()
  return np.clip(np.rint(field * room.noise), -127, 127).astype(np.int8)
