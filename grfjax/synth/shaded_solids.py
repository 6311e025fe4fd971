"""One shaded solid: a bent-profile capsule painted into an image, per pixel.

A solid has an axis in the image and two outlines: its radius towards the walker's front and towards
the back at evenly spaced places along the axis. Across the axis it is round, which gives every
pixel a normal to shade by and a height to merge neighbouring solids by. Image coordinates: u right,
v down, pixel centres at integers.
"""

import dataclasses
import math
from typing import NamedTuple

import cv2
import numpy as np

PLACES = 64  # places along the axis: steps of the outline stay under half a pixel at 1080p


@dataclasses.dataclass(frozen=True)
class Cloth:
  """A solid's surface.

  Attributes:
    colour: (3,) float32 RGB.
    second: (3,) float32 RGB, for the pattern's other half.
    pattern: 'plain', 'stripes' (around), 'bars' (along), 'check', 'blocks', 'sole' (the second
      colour up to `period` below the axis).
    period: of the pattern, pixels.
    wrinkle: strength of folds, 0 to 1.
    gloss: strength of the highlight.
  """

  colour: np.ndarray
  second: np.ndarray
  pattern: str = 'plain'
  period: float = 10.0
  wrinkle: float = 0.0
  gloss: float = 0.0


@dataclasses.dataclass(frozen=True)
class Light:
  """Light in the image's axes.

  Attributes:
    ambient: brightness of a surface turned away from the light.
    direct: brightness that the light adds.
    towards: unit vector to the light: right, down, to the viewer.
  """

  ambient: float
  direct: float
  towards: tuple[float, float, float]


def outline(*knots: tuple[float, float]) -> np.ndarray:
  """(place 0..1, radius) knots -> (PLACES,) float32 radii, joined by a smooth curve."""
  place, radius = np.array(knots, np.float64).T
  x = np.linspace(0, 1, 4 * PLACES)
  fine = np.interp(x, place, radius)
  # A short running mean rounds the corners off; the ends keep their values.
  kernel = np.ones(17) / 17
  smooth = np.convolve(np.pad(fine, 8, mode='edge'), kernel, mode='valid')
  return np.interp(np.linspace(0, 1, PLACES), x, smooth).astype(np.float32)


def folds(rng: np.random.Generator) -> np.ndarray:
  """(256,) float32 of smooth, periodic noise about 0 with unit spread, to shade cloth with."""
  coarse = np.pad(rng.normal(size=(1, 32)), ((0, 0), (4, 4)), mode='wrap')
  noise = cv2.resize(coarse.astype(np.float32), (320, 1), interpolation=cv2.INTER_CUBIC)[0, 32:288]
  return noise / noise.std()


class _Solid(NamedTuple):
  """One `Canvas.add`, with its axis as start, unit direction and length."""

  start: tuple[float, float]
  direction: tuple[float, float]
  length: float
  front: np.ndarray
  back: np.ndarray
  cloth: Cloth
  facing: int
  shade: float
  flat_start: bool
  flat_end: bool
  group: int
  instant: int


class Canvas:
  """Collects solids, back to front, and paints them all at once.

  One at a time, a solid is some 60 array operations on 1,000 pixels, and most of the time is
  their overhead. So the pixels of all solids are laid end to end, shaded together, and only
  what hides what is found solid by solid.
  """

  def __init__(self, light: Light, fold: np.ndarray, soft: float):
    """An empty canvas.

    Args:
      light: what shades the solids.
      fold: see `folds`.
      soft: width of edges, pixels.
    """
    self._light, self._fold, self._soft = light, fold, np.float32(soft)
    self._solids: list[_Solid] = []
    self._group = 0
    self._instant = 0

  def new_group(self) -> None:
    """Start solids that cover whatever came before, however far it stands out.

    Within a group the pixel that stands out farther wins, so that neighbours merge at a joint.
    """
    self._group += 1

  def new_instant(self) -> None:
    """Start another picture: the canvas shows the mean of all, which is motion blur."""
    self._group += 1
    self._instant += 1

  def add(
    self,
    start: np.ndarray,
    end: np.ndarray,
    front: np.ndarray,
    back: np.ndarray,
    cloth: Cloth,
    *,
    facing: int,
    shade: float = 1.0,
    flat_start: bool = False,
    flat_end: bool = False,
  ) -> None:
    """Add one solid.

    Args:
      start: (2,) where the axis begins, whole-frame pixels.
      end: (2,) where it ends.
      front: (PLACES,) radii in pixels towards the walker's front; where negative, there is
        nothing. For an axis pointing down the front is where `facing` says.
      back: (PLACES,) radii towards the back.
      cloth: surface.
      facing: +1 when the walker faces right in the image, -1 left.
      shade: brightness (a limb in the body's shadow is darker).
      flat_start: begin with a straight cut instead of a round end.
      flat_end: end with a straight cut.
    """
    u, v = float(start[0]), float(start[1])
    du, dv = float(end[0]) - u, float(end[1]) - v
    length = max(math.hypot(du, dv), 1e-3)
    self._solids.append(
      _Solid(
        (u, v),
        (du / length, dv / length),
        length,
        front,
        back,
        cloth,
        facing,
        shade,
        flat_start,
        flat_end,
        self._group,
        self._instant,
      )
    )

  def paint(self, image: np.ndarray, origin: tuple[int, int]) -> None:
    """Paint everything added.

    Args:
      image: (3, h, w) float32, changed in place. Planes, because numpy is slow along an axis of 3.
      origin: (u, v) of its first pixel in the whole frame.
    """
    solids = self._solids
    f32 = lambda values: np.array(values, np.float32)
    start = f32([s.start for s in solids]) - f32(origin)
    direction = f32([s.direction for s in solids])
    length = f32([s.length for s in solids])
    facing = f32([s.facing for s in solids])
    # Towards the walker's front: the direction turned by a right angle.
    normal = np.stack((facing * direction[:, 1], -facing * direction[:, 0]), axis=1)
    table = np.stack([np.stack((s.front, s.back)) for s in solids])  # (n, 2, PLACES)
    rows, row_of, first_u, counts = self._spans(
      image.shape[1:], start, direction, normal, length, table
    )
    if not len(rows):
      return
    # counts: pixels of each row; per_solid: of each solid.
    pixel = np.arange(counts.sum(), dtype=np.int32)
    begin = np.cumsum(counts) - counts
    per_solid = np.bincount(row_of, counts, minlength=len(solids)).astype(np.int64)
    column = pixel + np.repeat((first_u - begin).astype(np.int32), counts)
    where = column + np.repeat(rows * image.shape[2], counts)
    spread = lambda values: np.repeat(f32(values), per_solid)
    u = column.astype(np.float32)
    v = rows.astype(np.float32)

    def coordinate(axis: np.ndarray) -> np.ndarray:
      offset = (v - start[row_of, 1]) * axis[row_of, 1] - start[row_of, 0] * axis[row_of, 0]
      return u * spread(axis[:, 0]) + np.repeat(offset, counts)

    along, across = coordinate(direction), coordinate(normal)
    reach = spread(length)
    inside = np.clip(along, 0, reach)
    beyond = along - inside
    place = inside * spread((PLACES - 1) / length)
    place += np.float32(0.5)
    entry = place.astype(np.int32)
    entry += (across < 0).view(np.uint8) * np.int32(PLACES)
    entry += np.repeat(np.arange(len(solids), dtype=np.int32) * (2 * PLACES), per_solid)
    radius = table.ravel()[entry]
    away = np.sqrt(across * across + beyond * beyond)
    cover = radius - away
    far = 1e6  # never cuts
    np.minimum(cover, along + spread([0 if s.flat_start else far for s in solids]), out=cover)
    np.minimum(cover, spread([0 if s.flat_end else far for s in solids]) + reach - along, out=cover)
    cover *= 1 / self._soft
    cover += np.float32(0.5)
    np.clip(cover, 0, 1, out=cover)

    inverse = 1 / np.maximum(radius, np.float32(0.6))
    away *= inverse
    out = np.sqrt(np.maximum(1 - away * away, 0))  # the normal's share towards the viewer
    tone, shine = self._shade(along, across, beyond, out, inverse, direction, normal, spread)
    ends = np.concatenate(([0], np.cumsum(per_solid))).tolist()
    self._merge(image[0].size, ends, where, cover, out * radius)
    self._lay(image, ends, where, cover, tone, shine, along, across, spread)

  def _spans(self, shape, start, direction, normal, length, table):
    """Image rows of all solids' oriented boxes: row, solid, first column, number of columns."""
    h, w = shape
    solids = self._solids
    front, back = np.maximum(table.max(axis=2), 0).T
    cap = self._soft + 1
    round_off = np.maximum(front, back) + cap
    low_along = -np.where([s.flat_start for s in solids], cap, round_off)
    high_along = length + np.where([s.flat_end for s in solids], cap, round_off)
    low_across, high_across = -back - cap, front + cap
    corner_v = np.stack(
      [
        start[:, 1] + a * direction[:, 1] + b * normal[:, 1]
        for a in (low_along, high_along)
        for b in (low_across, high_across)
      ]
    )
    top = np.clip(np.floor(corner_v.min(axis=0)), 0, h).astype(int)
    height = np.clip(np.ceil(corner_v.max(axis=0)) + 1, top, h).astype(int) - top
    row_of = np.repeat(np.arange(len(solids)), height)
    rows = np.arange(height.sum()) + np.repeat(top - (np.cumsum(height) - height), height)
    left, right = np.full(len(rows), 0.0), np.full(len(rows), w - 1.0)
    for axis, low, high in ((direction, low_along, high_along), (normal, low_across, high_across)):
      slope = np.where(np.abs(axis[:, 0]) < 1e-5, 1e-5, axis[:, 0])[row_of]
      rest = (rows - start[row_of, 1]) * axis[row_of, 1]
      one, other = (low[row_of] - rest) / slope, (high[row_of] - rest) / slope
      left = np.maximum(left, np.minimum(one, other) + start[row_of, 0])
      right = np.minimum(right, np.maximum(one, other) + start[row_of, 0])
    first_u = np.ceil(left)
    counts = np.maximum(np.floor(right) - first_u + 1, 0).astype(np.int64)
    kept = counts > 0
    return rows[kept], row_of[kept], first_u[kept], counts[kept]

  def _shade(self, along, across, beyond, out, inverse, direction, normal, spread):
    """Every pixel's brightness and highlight."""
    light, solids = self._light, self._solids
    towards = np.array(light.towards, np.float32)
    shade = np.array([s.shade for s in solids], np.float32)
    lit = across * spread(normal @ towards[:2])
    lit += beyond * spread(direction @ towards[:2])
    lit *= inverse
    lit += out * towards[2]
    np.maximum(lit, np.float32(-0.3), out=lit)
    shine = np.square(np.square(lit))
    shine *= spread([255 * s.cloth.gloss * s.shade for s in solids])
    # Rims see less of the room than what faces the viewer.
    tone = lit * np.float32(light.direct)
    tone += out * np.float32(0.38 * light.ambient)
    tone += np.float32(0.62 * light.ambient)
    tone *= spread(shade)
    lengths = np.array([s.length for s in solids], np.float32)
    fold = along * spread(75 / lengths) + across * spread(45 / lengths)
    bend = self._fold[fold.astype(np.int32) & 255]
    bend *= spread([s.cloth.wrinkle for s in solids])
    bend += np.float32(1)
    tone *= bend
    return tone, shine

  def _merge(self, pixels: int, ends, where, cover, rise) -> None:
    """Within each group, take from every solid's cover what earlier ones stand before."""
    height = np.empty(pixels, np.float32)  # of the current group, towards the viewer
    groups = [s.group for s in self._solids]
    for i, group in enumerate(groups):
      starts = i == 0 or groups[i - 1] != group
      goes_on = i + 1 < len(groups) and groups[i + 1] == group
      if starts and not goes_on:
        continue
      part = slice(ends[i], ends[i + 1])
      at = where[part]
      if starts:
        height.fill(-1e4)
      else:
        front = rise[part] - height[at]
        front *= np.float32(0.7)
        front += np.float32(0.5)
        cover[part] *= np.clip(front, 0, 1, out=front)
      if goes_on:
        height[at] = np.maximum(height[at], rise[part] - (1 - cover[part]) * np.float32(1e4))

  def _lay(self, image, ends, where, cover, tone, shine, along, across, spread) -> None:
    """Lay the solids over the picture: from the front, each where light still comes through."""
    pixels = image.shape[1] * image.shape[2]
    instants = self._instant + 1
    through = np.ones((instants, pixels), np.float32)
    for i in range(len(self._solids) - 1, -1, -1):
      part = slice(ends[i], ends[i + 1])
      at, over = where[part], cover[part]
      layer = through[self._solids[i].instant]
      left = layer[at]
      layer[at] = left * (1 - over)
      over *= left
    through = through.mean(axis=0) if instants > 1 else through[0]
    cover *= np.float32(1 / instants)
    tone *= cover
    shine *= cover
    second = np.zeros_like(tone)
    for i, solid in enumerate(self._solids):
      if solid.cloth.pattern != 'plain':
        part = slice(ends[i], ends[i + 1])
        second[part] = _other_half(solid.cloth, along[part], across[part], solid.length)
    second *= tone
    tone -= second
    for channel, plane in enumerate(image):
      weight = tone * spread([s.cloth.colour[channel] for s in self._solids])
      weight += second * spread([s.cloth.second[channel] for s in self._solids])
      weight += shine
      plane *= through.reshape(plane.shape)
      plane += np.bincount(where, weight, pixels).reshape(plane.shape)


def _other_half(cloth: Cloth, along: np.ndarray, across: np.ndarray, length: float) -> np.ndarray:
  """How much of the pattern's second colour every pixel has: 0 to 1."""
  ring = along * np.float32(2 * np.pi / cloth.period)
  bar = across * np.float32(2 * np.pi / cloth.period)
  sharp = np.float32(cloth.period / 8)  # edges about a pixel wide
  if cloth.pattern == 'stripes':
    return np.clip(np.sin(ring) * sharp + 0.5, 0, 1)
  if cloth.pattern == 'bars':
    return np.clip(np.sin(bar) * sharp + 0.5, 0, 1)
  if cloth.pattern == 'check':
    return 0.5 * (
      np.clip(np.sin(ring) * sharp + 0.5, 0, 1) + np.clip(np.sin(bar) * sharp + 0.5, 0, 1)
    )
  if cloth.pattern == 'blocks':
    return np.clip(along - np.float32(0.55 * length), 0, 1)
  if cloth.pattern == 'sole':
    return np.clip(np.float32(cloth.period) - across, 0, 1)
  raise ValueError(f'no pattern {cloth.pattern!r}')
