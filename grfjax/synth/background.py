"""The picture of an empty room.

It is ray-cast once per video: every pixel finds its place on the floor, on the wall or on a piece
of furniture, in metres, and procedural patterns are laid there.
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
    """1 where low < s < high, with edges one pixel (in metres) wide."""
    return np.clip((s - low) / pixel + 0.5, 0, 1) * np.clip((high - s) / pixel + 0.5, 0, 1)

  def lines(self, s: np.ndarray, period: float, width: float, pixel: np.ndarray) -> np.ndarray:
    """Lines of `width` every `period`; they fade where a pixel is wider than they are."""
    off = np.abs((s / period) % 1 - 0.5) * period
    wide = np.maximum(width, pixel)
    return np.clip((wide - off * 2) / (2 * pixel) + 0.5, 0, 1) * np.minimum(width / wide, 1)

  def noise(self, a: np.ndarray, b: np.ndarray, size_m: float) -> np.ndarray:
    """Smooth noise of about unit spread whose spots are `size_m` wide."""
    scale = np.float32(8 / size_m)
    side = self._grain.shape[0]
    return cv2.remap(
      self._grain,
      np.mod(a * scale, side - 1).astype(np.float32),
      np.mod(b * scale, side - 1).astype(np.float32),
      cv2.INTER_LINEAR,
    )

  def lay(self, where: np.ndarray, colour, tone: np.ndarray | float = 1.0) -> None:
    """Blend a colour (times a tone) over the picture."""
    where = where.astype(np.float32)
    for channel in range(3):
      plane = self.image[channel]
      plane += where * (np.float32(colour[channel]) * np.asarray(tone, np.float32) - plane)

  def dim(self, factor: np.ndarray) -> None:
    self.image *= factor.astype(np.float32)


def paint(
  room: room_lib.Room,
  camera: camera_lib.Camera,
  plates: tuple[room_lib.Rect, ...] = (),
) -> np.ndarray:
  """The empty room: (3, H, W) float32, 0 to 255.

  Args:
    room: what to paint.
    camera: seen by.
    plates: force plates' (x0, x1, y0, y1), metres.
  """
  rng = np.random.default_rng(room.seed)
  rays = camera.rays()
  c = camera.position
  sign = np.sign(c[1])
  h, w = rays.shape[:2]
  # One period and a little more of noise that repeats without a seam.
  coarse = np.pad(rng.normal(size=(64, 64)).astype(np.float32), 8, mode='wrap')
  grain = cv2.resize(coarse, (640, 640), interpolation=cv2.INTER_CUBIC)[64:577, 64:577]
  painter = _Painter(np.zeros((3, h, w), np.float32), grain)

  def plane(gap: float, rays: np.ndarray):
    """Places (x, z) on the upright plane `gap` before the wall; metres per pixel there."""
    step = np.float32(-sign * (room.wall_m - gap) - c[1]) / rays[..., 1]
    return (
      np.float32(c[0]) + step * rays[..., 0],
      np.float32(c[2]) + step * rays[..., 2],
      step / np.float32(camera.focal_px),
    )

  x, z, pixel = plane(0.0, rays)
  _paint_wall(painter, room, x, z, pixel)
  light_x = room.sun[0] * -sign * 2.5
  away = ((x - light_x) / 5) ** 2 + ((z - 1.2 - room.sun[1]) / 3.5) ** 2
  painter.dim(1 - room.falloff * np.clip(away, 0, 1.2))
  on_wall = z > 0

  step = np.where(rays[..., 2] < -1e-3, -c[2] / np.minimum(rays[..., 2], -1e-3), 1e3)
  step = step.astype(np.float32)
  fx, fy = np.float32(c[0]) + step * rays[..., 0], np.float32(c[1]) + step * rays[..., 1]
  wall_image, painter.image = painter.image, np.zeros((3, h, w), np.float32)
  _paint_floor(painter, room, fx, fy, step / np.float32(camera.focal_px), plates)
  # The corner between floor and wall gets least light.
  corner = np.abs(fy + sign * room.wall_m)
  painter.dim(1 - 0.25 * np.exp(-corner / 0.25))
  painter.dim(1 - 0.6 * room.falloff * np.clip(((fx - light_x) / 6) ** 2, 0, 1))
  for item in room.items:
    if item.z0 == 0:  # furniture throws a soft shadow on the floor before it
      from_foot = np.abs(fy + sign * (room.wall_m - item.gap_m))
      inside = painter.band(fx, item.x0 - 0.05, item.x1 + 0.05, np.float32(0.1))
      painter.dim(1 - 0.45 * inside * np.exp(-from_foot / 0.12))
  edge = np.clip(z / pixel + 0.5, 0, 1)
  image = painter.image + edge * (wall_image - painter.image)
  image = np.where(on_wall | (step < 1e2), image, wall_image)

  for item in room.items:
    y = -sign * (room.wall_m - item.gap_m)
    corners, _ = camera.project(
      np.array(
        [(x, y, z) for x in (item.x0 - 0.1, item.x1 + 0.1) for z in (item.z0 - 0.1, item.z1 + 0.4)]
      )
    )
    u0, v0 = np.clip(np.floor(corners.min(0)), 0, (w, h)).astype(int)
    u1, v1 = np.clip(np.ceil(corners.max(0)), 0, (w, h)).astype(int)
    if u0 < u1 and v0 < v1:
      _paint_item(
        _Painter(image[:, v0:v1, u0:u1], grain), item, *plane(item.gap_m, rays[v0:v1, u0:u1])
      )
  blur = (room.wall_soft_px if room.wall_soft_px > 0.35 or w <= 640 else 0.3) * w / 640
  bright = vignette(room, camera) * np.float32(room.ambient + 0.6 * room.direct)
  for channel in range(3):
    if blur > 0.25:
      image[channel] = cv2.GaussianBlur(image[channel], (0, 0), blur)
    image[channel] *= bright * np.float32(room.tint[channel])
  return np.clip(image, 0, 255)


def vignette(room: room_lib.Room, camera: camera_lib.Camera) -> np.ndarray:
  """(H, W) float32: what the lens leaves of the light."""
  u = np.linspace(-1, 1, camera.width, dtype=np.float32)
  v = np.linspace(-1, 1, camera.height, dtype=np.float32)[:, None]
  return 1 - np.float32(room.vignette) * (u * u + v * v) / 2


def _paint_wall(painter: _Painter, room: room_lib.Room, x, z, pixel) -> None:
  whole = np.ones_like(x)
  p = room.wall_period_m
  painter.lay(whole, room.wall_colour)
  second = room.wall_second
  if room.wall == 'panels':
    painter.lay(painter.lines(x, max(p, 0.3), 0.012, pixel), second, 0.7)
  elif room.wall == 'bricks':
    row = np.floor(z / 0.075)
    tone = 1 + 0.12 * painter.noise(np.floor((x + 0.11 * (row % 2)) / 0.22) * 7.3, row * 3.1, 0.9)
    painter.lay(whole, room.wall_colour, tone)
    joints = np.maximum(
      painter.lines(z, 0.075, 0.01, pixel), painter.lines(x + 0.11 * (row % 2), 0.22, 0.01, pixel)
    )
    painter.lay(joints, second)
  elif room.wall == 'stripes':
    painter.lay(painter.lines(x, p, 0.5 * p, pixel), second)
  elif room.wall == 'wainscot':
    low = painter.band(z, -1, 0.6 + 0.5 * p, pixel)
    painter.lay(low, second)
    painter.lay(painter.band(z, 0.6 + 0.5 * p, 0.66 + 0.5 * p, pixel), second, 0.7)
  elif room.wall == 'tiles':
    grid = np.maximum(painter.lines(x, p, 0.012, pixel), painter.lines(z, p, 0.012, pixel))
    painter.lay(grid, second)
  elif room.wall == 'concrete':
    painter.dim(1 + 0.1 * painter.noise(x, z, 0.9) + 0.05 * painter.noise(x, z, 0.1))
  elif room.wall == 'curtain':
    painter.dim(
      0.85
      + 0.18
      * np.sin(x * np.float32(2 * np.pi / (0.3 * p + 0.06)) + 1.5 * painter.noise(x, x * 0, 0.8))
    )
  painter.dim(1 + room.grain * (painter.noise(x, z, 0.5) + 0.5 * painter.noise(x, z, 0.06)))
  if room.skirting_m:
    painter.lay(painter.band(z, -0.5, room.skirting_m, pixel), second, 0.9)
    painter.lay(painter.band(z, room.skirting_m, room.skirting_m + 0.012, pixel), second, 0.55)


def _paint_floor(
  painter: _Painter,
  room: room_lib.Room,
  x,
  y,
  pixel,
  plates: tuple[room_lib.Rect, ...],
) -> None:
  whole = np.ones_like(x)
  p = room.floor_period_m
  second = room.floor_second
  pixel_y = pixel * 3  # the floor is seen at a flat angle: a pixel is long in depth
  painter.lay(whole, room.floor_colour)
  if room.floor == 'boards':
    wide = 0.06 + 0.2 * p
    board = np.floor(y / wide)
    tone = 1 + 0.1 * painter.noise(board * 5.7, np.floor((x + board * 0.37) / 1.2) * 2.3, 0.9)
    tone += 0.05 * painter.noise(x * 0.15, y * 4, 0.12)
    painter.lay(whole, room.floor_colour, tone)
    painter.lay(painter.lines(y, wide, 0.005, pixel_y), second, 0.5)
  elif room.floor == 'tiles':
    grid = np.maximum(
      painter.lines(x, p + 0.15, 0.012, pixel), painter.lines(y, p + 0.15, 0.012, pixel_y)
    )
    painter.lay(grid, second)
  elif room.floor == 'checker':
    square = np.sin(x * np.float32(np.pi / (p + 0.1))) * np.sin(y * np.float32(np.pi / (p + 0.1)))
    painter.lay(np.clip(0.5 + square * (p + 0.1) / (3 * pixel), 0, 1), second)
  elif room.floor == 'carpet':
    painter.dim(1 + 0.06 * painter.noise(x, y, 0.03) + 0.06 * painter.noise(x, y, 0.4))
  elif room.floor == 'speckle':
    painter.lay(np.clip(2 * painter.noise(x, y, 0.12) - 2, 0, 1), second)
  painter.dim(1 + room.grain * (painter.noise(x, y, 0.6) + 0.5 * painter.noise(x, y, 0.08)))
  if room.plates:
    for x0, x1, y0, y1 in plates:
      inside = painter.band(x, x0, x1, pixel) * painter.band(y, y0, y1, pixel_y)
      kernel = painter.band(x, x0 + 0.01, x1 - 0.01, pixel) * painter.band(
        y, y0 + 0.01, y1 - 0.01, pixel_y
      )
      painter.lay(room.plates * 0.8 * inside, room.plate_colour, 0.55)
      painter.lay(room.plates * kernel, room.plate_colour)


def _paint_item(painter: _Painter, item: room_lib.Item, x, z, pixel) -> None:
  rect = lambda x0, x1, z0, z1: painter.band(x, x0, x1, pixel) * painter.band(z, z0, z1, pixel)
  x0, x1, z0, z1 = item.x0, item.x1, item.z0, item.z1
  w, h = x1 - x0, z1 - z0
  whole = rect(x0, x1, z0, z1)
  light = 1.05 - 0.12 * np.clip((z1 - z) / h, 0, 1)
  if item.kind == 'table':
    painter.lay(rect(x0, x1, z1 - 0.05, z1), item.colour, light)
    for leg in (x0 + 0.04, x1 - 0.08):
      painter.lay(rect(leg, leg + 0.04, z0, z1 - 0.05), item.colour, 0.75)
    painter.lay(rect(x0 + 0.2 * w, x0 + 0.45 * w, z1, z1 + 0.3), item.second, light)
    return
  if item.gap_m > 0.05 or item.kind in ('cabinet', 'pillar'):
    painter.dim(1 - 0.2 * rect(x0 - 0.06, x1 + 0.06, z0, z1 + 0.04))
  painter.lay(whole, item.colour, light)
  inner = rect(x0 + 0.05, x1 - 0.05, z0 + 0.05, z1 - 0.05)
  if item.kind == 'picture' and int(1e4 * abs(x0)) % 3 == 0:
    painter.lay(inner, item.second, 1 + 0.2 * painter.noise(x, z, 0.3))
  elif item.kind == 'window':
    painter.lay(inner, (235, 240, 248), 1 + 0.06 * painter.noise(x, z, 0.8))
    painter.lay(whole * painter.lines(x - x0 + w / 4, w / 2, 0.05, pixel), item.colour)
  elif item.kind == 'door':
    for low, high in ((0.1, 0.46), (0.54, 0.92)):
      painter.dim(1 - 0.14 * rect(x0 + 0.12, x1 - 0.12, low * h, high * h))
    painter.lay(rect(x0 + 0.06, x0 + 0.14, 1.0, 1.03), (190, 190, 185))
    painter.dim(1 - 0.35 * whole * (1 - rect(x0 + 0.02, x1 - 0.02, 0, z1 - 0.02)))
  elif item.kind == 'board':
    painter.lay(inner, (236, 238, 238) if int(1e4 * abs(x0)) % 2 else item.second)
  elif item.kind == 'shelf':
    books = 0.75 + 0.3 * painter.noise(np.floor(x / 0.05) * 3.3, np.floor(z / 0.33) * 5.1, 0.9)
    painter.lay(inner, item.second, np.clip(books, 0.2, 1.5))
    painter.lay(inner * painter.lines(z - z0, 0.33, 0.03, pixel), item.colour)
  elif item.kind == 'cabinet':
    painter.dim(1 - 0.4 * whole * painter.lines(x - x0 + w / 4, w / 2, 0.008, pixel))
    painter.dim(1 - 0.4 * whole * painter.lines(z - z0, h / 3, 0.008, pixel))
  elif item.kind == 'pillar':
    painter.dim(1 - 0.35 * whole * np.clip(np.abs(x - (x0 + x1) / 2) / w * 2, 0, 1) ** 2)
