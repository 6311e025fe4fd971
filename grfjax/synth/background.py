"""Paints the picture of the empty room, in front of which the walker is drawn.

It is ray-cast once per video: every pixel finds its place on the floor, on the wall or on a piece
of furniture, in metres, and gets the colour that a procedural pattern has there.
"""

import cv2
import numpy as np

from grfjax.synth import camera as camera_lib
from grfjax.synth import room as room_lib


class _Painter:
  """Lays colours and patterns over a picture of three planes, (3, h, w) float32."""

  def __init__(self, image: np.ndarray, grain: np.ndarray):
    self.image, self._grain = image, grain

  def band(
    self, s: np.ndarray, low: float, high: float, pixel: np.ndarray | np.float32
  ) -> np.ndarray:
    """Returns 1 where low < s < high, else 0, with edges as wide as a pixel (in metres)."""
    return np.clip((s - low) / pixel + 0.5, 0, 1) * np.clip((high - s) / pixel + 0.5, 0, 1)

  def lines(self, s: np.ndarray, period: float, width: float, pixel: np.ndarray) -> np.ndarray:
    """Returns 1 on lines of a width every period; they fade where a pixel is wider than a line."""
    distance = np.abs((s / period) % 1 - 0.5) * period
    wide = np.maximum(width, pixel)
    return np.clip((wide - distance * 2) / (2 * pixel) + 0.5, 0, 1) * np.minimum(width / wide, 1)

  def noise(self, a: np.ndarray, b: np.ndarray, size_m: float) -> np.ndarray:
    """Returns smooth noise of about unit spread, with spots `size_m` wide, at places (a, b)."""
    scale = np.float32(8 / size_m)
    side = self._grain.shape[0]
    return cv2.remap(
      self._grain,
      np.mod(a * scale, side - 1).astype(np.float32),
      np.mod(b * scale, side - 1).astype(np.float32),
      cv2.INTER_LINEAR,
    )

  def blend(self, weight: np.ndarray, colour, tone: np.ndarray | float = 1.0) -> None:
    """Blends a colour times a tone over the picture, with a weight of 0 to 1."""
    weight = weight.astype(np.float32)
    for channel in range(3):
      plane = self.image[channel]
      plane += weight * (np.float32(colour[channel]) * np.asarray(tone, np.float32) - plane)

  def multiply(self, factor: np.ndarray) -> None:
    """Multiplies the brightness."""
    self.image *= factor.astype(np.float32)


def paint_background(
  room: room_lib.Room,
  camera: camera_lib.Camera,
  plates: tuple[room_lib.Rectangle, ...] = (),
) -> np.ndarray:
  """Paints the empty room: (3, H, W) float32, 0 to 255.

  Args:
    room: what to paint.
    camera: the camera that sees it.
    plates: the force plates, metres.
  """
  rng = np.random.default_rng(room.seed)
  view = _View(room, camera)
  # One period and a little more of noise that repeats without a seam.
  coarse = np.pad(rng.normal(size=(64, 64)).astype(np.float32), 8, mode='wrap')
  grain = cv2.resize(coarse, (640, 640), interpolation=cv2.INTER_CUBIC)[64:577, 64:577]
  image = _paint_wall_and_floor(room, view, grain, plates)
  _paint_items(image, room, view, grain)
  return _develop(image, room, camera)


class _View:
  """Where the pixels of the picture lie in the room.

  Attributes:
    rays: (H, W, 3) each pixel's direction.
    side: 1 where the camera stands at the walker's left (y > 0), else -1; the wall is opposite.
  """

  def __init__(self, room: room_lib.Room, camera: camera_lib.Camera):
    self._room, self.camera = room, camera
    self.rays = camera.rays()
    self.side = np.sign(camera.position[1])

  def on_wall(self, gap: float, rays: np.ndarray):
    """Returns places on the upright plane a gap before the wall.

    Args:
      gap: distance between wall and plane, metres.
      rays: (h, w, 3) directions of the pixels.

    Returns:
      x and z, metres; the size of a pixel there, metres.
    """
    c = self.camera.position
    step = np.float32(-self.side * (self._room.wall_m - gap) - c[1]) / rays[..., 1]
    return (
      np.float32(c[0]) + step * rays[..., 0],
      np.float32(c[2]) + step * rays[..., 2],
      step / np.float32(self.camera.focal_px),
    )

  def on_floor(self):
    """Returns places on the floor: x and y, metres; the distance in lengths of the ray."""
    c, rays = self.camera.position, self.rays
    step = np.where(rays[..., 2] < -1e-3, -c[2] / np.minimum(rays[..., 2], -1e-3), 1e3)
    step = step.astype(np.float32)
    return np.float32(c[0]) + step * rays[..., 0], np.float32(c[1]) + step * rays[..., 1], step


def _paint_wall_and_floor(
  room: room_lib.Room,
  view: _View,
  grain: np.ndarray,
  plates: tuple[room_lib.Rectangle, ...],
) -> np.ndarray:
  """Paints the room without furniture: (3, H, W)."""
  shape = (3, *view.rays.shape[:2])
  wall = _Painter(np.zeros(shape, np.float32), grain)
  x, z, pixel = view.on_wall(0.0, view.rays)
  _paint_wall(wall, room, x, z, pixel)
  light_x = room.sun[0] * -view.side * 2.5
  distance = ((x - light_x) / 5) ** 2 + ((z - 1.2 - room.sun[1]) / 3.5) ** 2
  wall.multiply(1 - room.falloff * np.clip(distance, 0, 1.2))

  floor = _Painter(np.zeros(shape, np.float32), grain)
  fx, fy, step = view.on_floor()
  _paint_floor(floor, room, fx, fy, step / np.float32(view.camera.focal_px), plates)
  # The corner between floor and wall gets least light.
  corner = np.abs(fy + view.side * room.wall_m)
  floor.multiply(1 - 0.25 * np.exp(-corner / 0.25))
  floor.multiply(1 - 0.6 * room.falloff * np.clip(((fx - light_x) / 6) ** 2, 0, 1))
  for item in room.items:
    if item.z0 == 0:  # furniture casts a soft shadow on the floor in front of it
      from_foot = np.abs(fy + view.side * (room.wall_m - item.gap_m))
      inside = floor.band(fx, item.x0 - 0.05, item.x1 + 0.05, np.float32(0.1))
      floor.multiply(1 - 0.45 * inside * np.exp(-from_foot / 0.12))
  edge = np.clip(z / pixel + 0.5, 0, 1)
  image = floor.image + edge * (wall.image - floor.image)
  return np.where((z > 0) | (step < 1e2), image, wall.image)


def _paint_items(image: np.ndarray, room: room_lib.Room, view: _View, grain: np.ndarray) -> None:
  """Paints the furniture over a picture, (3, H, W)."""
  h, w = image.shape[1:]
  for item in room.items:
    y = -view.side * (room.wall_m - item.gap_m)
    corners, _ = view.camera.project(
      np.array(
        [(x, y, z) for x in (item.x0 - 0.1, item.x1 + 0.1) for z in (item.z0 - 0.1, item.z1 + 0.4)]
      )
    )
    u0, v0 = np.clip(np.floor(corners.min(0)), 0, (w, h)).astype(int)
    u1, v1 = np.clip(np.ceil(corners.max(0)), 0, (w, h)).astype(int)
    if u0 < u1 and v0 < v1:
      painter = _Painter(image[:, v0:v1, u0:u1], grain)
      _paint_item(painter, item, *view.on_wall(item.gap_m, view.rays[v0:v1, u0:u1]))


def _develop(image: np.ndarray, room: room_lib.Room, camera: camera_lib.Camera) -> np.ndarray:
  """Returns the picture as the camera takes it: blurred, and with its exposure and tint."""
  width = image.shape[2]
  sharp_wide = room.wall_soft_px <= 0.35 and width > 640
  blur = (0.3 if sharp_wide else room.wall_soft_px) * width / 640
  brightness = vignette(room, camera) * np.float32(room.ambient + 0.6 * room.direct)
  for channel in range(3):
    if blur > 0.25:
      image[channel] = cv2.GaussianBlur(image[channel], (0, 0), blur)
    image[channel] *= brightness * np.float32(room.tint[channel])
  return np.clip(image, 0, 255)


def vignette(room: room_lib.Room, camera: camera_lib.Camera) -> np.ndarray:
  """Returns the share of the light that the lens passes, (H, W) float32."""
  u = np.linspace(-1, 1, camera.width, dtype=np.float32)
  v = np.linspace(-1, 1, camera.height, dtype=np.float32)[:, None]
  return 1 - np.float32(room.vignette) * (u * u + v * v) / 2


def _paint_wall(painter: _Painter, room: room_lib.Room, x, z, pixel) -> None:
  """Paints the wall at places x, z, where a pixel is `pixel` metres wide."""
  whole = np.ones_like(x)
  p = room.wall_period_m
  painter.blend(whole, room.wall_colour)
  second = room.wall_second
  if room.wall == 'panels':
    painter.blend(painter.lines(x, max(p, 0.3), 0.012, pixel), second, 0.7)
  elif room.wall == 'bricks':
    row = np.floor(z / 0.075)
    tone = 1 + 0.12 * painter.noise(np.floor((x + 0.11 * (row % 2)) / 0.22) * 7.3, row * 3.1, 0.9)
    painter.blend(whole, room.wall_colour, tone)
    joints = np.maximum(
      painter.lines(z, 0.075, 0.01, pixel), painter.lines(x + 0.11 * (row % 2), 0.22, 0.01, pixel)
    )
    painter.blend(joints, second)
  elif room.wall == 'stripes':
    painter.blend(painter.lines(x, p, 0.5 * p, pixel), second)
  elif room.wall == 'wainscot':
    lower = painter.band(z, -1, 0.6 + 0.5 * p, pixel)
    painter.blend(lower, second)
    painter.blend(painter.band(z, 0.6 + 0.5 * p, 0.66 + 0.5 * p, pixel), second, 0.7)
  elif room.wall == 'tiles':
    grid = np.maximum(painter.lines(x, p, 0.012, pixel), painter.lines(z, p, 0.012, pixel))
    painter.blend(grid, second)
  elif room.wall == 'concrete':
    painter.multiply(1 + 0.1 * painter.noise(x, z, 0.9) + 0.05 * painter.noise(x, z, 0.1))
  elif room.wall == 'curtain':
    painter.multiply(
      0.85
      + 0.18
      * np.sin(x * np.float32(2 * np.pi / (0.3 * p + 0.06)) + 1.5 * painter.noise(x, x * 0, 0.8))
    )
  painter.multiply(1 + room.grain * (painter.noise(x, z, 0.5) + 0.5 * painter.noise(x, z, 0.06)))
  if room.skirting_m:
    painter.blend(painter.band(z, -0.5, room.skirting_m, pixel), second, 0.9)
    painter.blend(painter.band(z, room.skirting_m, room.skirting_m + 0.012, pixel), second, 0.55)


def _paint_floor(
  painter: _Painter,
  room: room_lib.Room,
  x,
  y,
  pixel,
  plates: tuple[room_lib.Rectangle, ...],
) -> None:
  """Paints the floor at places x, y, where a pixel is `pixel` metres wide."""
  whole = np.ones_like(x)
  p = room.floor_period_m
  second = room.floor_second
  pixel_y = pixel * 3  # the floor is seen at a flat angle: a pixel is long in depth
  painter.blend(whole, room.floor_colour)
  if room.floor == 'boards':
    board_m = 0.06 + 0.2 * p
    board = np.floor(y / board_m)
    tone = 1 + 0.1 * painter.noise(board * 5.7, np.floor((x + board * 0.37) / 1.2) * 2.3, 0.9)
    tone += 0.05 * painter.noise(x * 0.15, y * 4, 0.12)
    painter.blend(whole, room.floor_colour, tone)
    painter.blend(painter.lines(y, board_m, 0.005, pixel_y), second, 0.5)
  elif room.floor == 'tiles':
    grid = np.maximum(
      painter.lines(x, p + 0.15, 0.012, pixel), painter.lines(y, p + 0.15, 0.012, pixel_y)
    )
    painter.blend(grid, second)
  elif room.floor == 'checker':
    square = np.sin(x * np.float32(np.pi / (p + 0.1))) * np.sin(y * np.float32(np.pi / (p + 0.1)))
    painter.blend(np.clip(0.5 + square * (p + 0.1) / (3 * pixel), 0, 1), second)
  elif room.floor == 'carpet':
    painter.multiply(1 + 0.06 * painter.noise(x, y, 0.03) + 0.06 * painter.noise(x, y, 0.4))
  elif room.floor == 'speckle':
    painter.blend(np.clip(2 * painter.noise(x, y, 0.12) - 2, 0, 1), second)
  painter.multiply(1 + room.grain * (painter.noise(x, y, 0.6) + 0.5 * painter.noise(x, y, 0.08)))
  if room.plates:
    for x0, x1, y0, y1 in plates:
      inside = painter.band(x, x0, x1, pixel) * painter.band(y, y0, y1, pixel_y)
      inner = painter.band(x, x0 + 0.01, x1 - 0.01, pixel) * painter.band(
        y, y0 + 0.01, y1 - 0.01, pixel_y
      )
      painter.blend(room.plates * 0.8 * inside, room.plate_colour, 0.55)
      painter.blend(room.plates * inner, room.plate_colour)


def _paint_item(painter: _Painter, item: room_lib.Item, x, z, pixel) -> None:
  """Paints a piece of furniture at places x, z, where a pixel is `pixel` metres wide."""
  rect = lambda x0, x1, z0, z1: painter.band(x, x0, x1, pixel) * painter.band(z, z0, z1, pixel)
  x0, x1, z0, z1 = item.x0, item.x1, item.z0, item.z1
  w, h = x1 - x0, z1 - z0
  whole = rect(x0, x1, z0, z1)
  light = 1.05 - 0.12 * np.clip((z1 - z) / h, 0, 1)
  if item.kind == 'table':
    painter.blend(rect(x0, x1, z1 - 0.05, z1), item.colour, light)
    for leg in (x0 + 0.04, x1 - 0.08):
      painter.blend(rect(leg, leg + 0.04, z0, z1 - 0.05), item.colour, 0.75)
    painter.blend(rect(x0 + 0.2 * w, x0 + 0.45 * w, z1, z1 + 0.3), item.second, light)
    return
  if item.gap_m > 0.05 or item.kind in ('cabinet', 'pillar'):
    painter.multiply(1 - 0.2 * rect(x0 - 0.06, x1 + 0.06, z0, z1 + 0.04))
  painter.blend(whole, item.colour, light)
  inner = rect(x0 + 0.05, x1 - 0.05, z0 + 0.05, z1 - 0.05)
  if item.kind == 'picture' and int(1e4 * abs(x0)) % 3 == 0:
    painter.blend(inner, item.second, 1 + 0.2 * painter.noise(x, z, 0.3))
  elif item.kind == 'window':
    painter.blend(inner, (235, 240, 248), 1 + 0.06 * painter.noise(x, z, 0.8))
    painter.blend(whole * painter.lines(x - x0 + w / 4, w / 2, 0.05, pixel), item.colour)
  elif item.kind == 'door':
    for low, high in ((0.1, 0.46), (0.54, 0.92)):
      painter.multiply(1 - 0.14 * rect(x0 + 0.12, x1 - 0.12, low * h, high * h))
    painter.blend(rect(x0 + 0.06, x0 + 0.14, 1.0, 1.03), (190, 190, 185))
    painter.multiply(1 - 0.35 * whole * (1 - rect(x0 + 0.02, x1 - 0.02, 0, z1 - 0.02)))
  elif item.kind == 'board':
    painter.blend(inner, (236, 238, 238) if int(1e4 * abs(x0)) % 2 else item.second)
  elif item.kind == 'shelf':
    books = 0.75 + 0.3 * painter.noise(np.floor(x / 0.05) * 3.3, np.floor(z / 0.33) * 5.1, 0.9)
    painter.blend(inner, item.second, np.clip(books, 0.2, 1.5))
    painter.blend(inner * painter.lines(z - z0, 0.33, 0.03, pixel), item.colour)
  elif item.kind == 'cabinet':
    painter.multiply(1 - 0.4 * whole * painter.lines(x - x0 + w / 4, w / 2, 0.008, pixel))
    painter.multiply(1 - 0.4 * whole * painter.lines(z - z0, h / 3, 0.008, pixel))
  elif item.kind == 'pillar':
    painter.multiply(1 - 0.35 * whole * np.clip(np.abs(x - (x0 + x1) / 2) / w * 2, 0, 1) ** 2)
