"""A canvas of shaded solids, of which the picture of a walker is made.

A solid is a capsule with an axis in the image and two outlines: its radii towards the walker's
front and back at evenly spaced places along the axis. Across the axis it is round, so that every
pixel has a normal for shading, and a height by which neighbouring solids merge. Image coordinates:
u right, v down, pixel centres at integers.
"""

import dataclasses
import math
from typing import NamedTuple

import cv2
import numpy as np

PLACES = 64  # along the axis: so many that an outline's steps stay under half a pixel at 1080p


@dataclasses.dataclass(frozen=True)
class Surface:
  """A solid's surface.

  Attributes:
    colour: (3,) float32 RGB.
    second: (3,) float32 RGB, for the pattern's other half.
    pattern: 'plain', 'stripes' (around), 'bars' (along), 'check', 'blocks', 'sole' (the second
      colour up to `period` below the axis).
    period: period of the pattern, pixels.
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
    ambient: brightness of a surface that is turned away from the light.
    direct: the brightness that the light adds.
    towards: unit vector to the light: right, down, to the viewer.
  """

  ambient: float
  direct: float
  towards: tuple[float, float, float]


def outline(*knots: tuple[float, float]) -> np.ndarray:
  """Joins (place 0 to 1, radius) knots by a smooth curve: (PLACES,) float32 radii."""
  place, radius = np.array(knots, np.float64).T
  x = np.linspace(0, 1, 4 * PLACES)
  fine = np.interp(x, place, radius)
  # A short running mean rounds the corners off; the ends keep their values.
  kernel = np.ones(17) / 17
  smooth = np.convolve(np.pad(fine, 8, mode='edge'), kernel, mode='valid')
  return np.interp(np.linspace(0, 1, PLACES), x, smooth).astype(np.float32)


def draw_folds(rng: np.random.Generator) -> np.ndarray:
  """Draws smooth, periodic noise about 0 with unit spread that shades cloth: (256,) float32."""
  coarse = np.pad(rng.normal(size=(1, 32)), ((0, 0), (4, 4)), mode='wrap')
  noise = cv2.resize(coarse.astype(np.float32), (320, 1), interpolation=cv2.INTER_CUBIC)[0, 32:288]
  return noise / noise.std()


class _Solid(NamedTuple):
  """The arguments of a `Canvas.add`, with the axis as start, unit direction and length."""

  start: tuple[float, float]
  direction: tuple[float, float]
  length: float
  front: np.ndarray
  back: np.ndarray
  surface: Surface
  facing: int
  shade: float
  flat_start: bool
  flat_end: bool
  group: int
  instant: int


class Canvas:
  """Collects solids, back to front, and paints them all at once.

  A solid takes some 60 array operations on 1,000 pixels, and one at a time most of the time would
  be their overhead. So the pixels of all solids are laid end to end and shaded together; only
  which solid hides which is decided solid by solid.
  """

  def __init__(self, light: Light, folds: np.ndarray, edge_px: float):
    """Makes an empty canvas.

    Args:
      light: the light that shades the solids.
      folds: see `draw_folds`.
      edge_px: width of edges, pixels.
    """
    self._light, self._folds, self._edge_px = light, folds, np.float32(edge_px)
    self._solids: list[_Solid] = []
    self._group = 0
    self._instant = 0

  def new_group(self) -> None:
    """Begins a group of solids that covers all groups before, however far those stand out.

    Within a group the pixel that stands out farther wins, so that neighbours merge at a joint.
    """
    self._group += 1

  def new_instant(self) -> None:
    """Begins another picture; the canvas shows the mean of all, which is motion blur."""
    self._group += 1
    self._instant += 1

  def add(
    self,
    start: np.ndarray,
    end: np.ndarray,
    front: np.ndarray,
    back: np.ndarray,
    surface: Surface,
    *,
    facing: int,
    shade: float = 1.0,
    flat_start: bool = False,
    flat_end: bool = False,
  ) -> None:
    """Adds a solid.

    Args:
      start: (2,) where the axis begins, pixels of the whole frame.
      end: (2,) where it ends.
      front: (PLACES,) radii in pixels towards the walker's front; where negative, there is
        nothing. Of an axis that points down, the front is on the side that `facing` tells.
      back: (PLACES,) radii towards the back.
      surface: colours and pattern.
      facing: +1 when the walker faces right in the image, -1 left.
      shade: brightness; a limb in the body's shadow is darker.
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
        surface,
        facing,
        shade,
        flat_start,
        flat_end,
        self._group,
        self._instant,
      )
    )

  def paint(self, image: np.ndarray, origin: tuple[int, int]) -> None:
    """Paints all solids.

    Args:
      image: (3, h, w) float32, changed in place. It is three planes, because NumPy is slow along an
        axis of 3.
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
    # How many pixels each row has: `counts`; each solid: `per_solid`.
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
    beyond = along - inside  # how far before the start or after the end
    radius = self._radii(table, inside, across, spread((PLACES - 1) / length), per_solid)
    distance = np.sqrt(across * across + beyond * beyond)
    cover = self._cover(radius - distance, along, reach, spread)

    inverse = 1 / np.maximum(radius, np.float32(0.6))
    distance *= inverse
    out = np.sqrt(np.maximum(1 - distance * distance, 0))  # the normal's part towards the viewer
    tone, shine = self._shade(along, across, beyond, out, inverse, direction, normal, spread)
    ends = np.concatenate(([0], np.cumsum(per_solid))).tolist()
    self._hide_within_groups(image[0].size, ends, where, cover, out * radius)
    self._blend(image, ends, where, cover, tone, shine, along, across, spread)

  def _radii(self, table, inside, across, places_per_px, per_solid) -> np.ndarray:
    """Looks up the radius of the solid at every pixel, on the pixel's side of the axis."""
    place = inside * places_per_px
    place += np.float32(0.5)
    entry = place.astype(np.int32)
    entry += (across < 0).view(np.uint8) * np.int32(PLACES)
    entry += np.repeat(np.arange(len(table), dtype=np.int32) * (2 * PLACES), per_solid)
    return table.ravel()[entry]

  def _cover(self, depth, along, reach, spread) -> np.ndarray:
    """Returns how much of every pixel is covered, 0 to 1, from its depth inside the outline."""
    far = 1e6  # beyond every solid: no straight cut
    cover = depth
    np.minimum(cover, along + spread([0 if s.flat_start else far for s in self._solids]), out=cover)
    end = spread([0 if s.flat_end else far for s in self._solids])
    np.minimum(cover, end + reach - along, out=cover)
    cover *= 1 / self._edge_px
    cover += np.float32(0.5)
    return np.clip(cover, 0, 1, out=cover)

  def _spans(self, shape, start, direction, normal, length, table):
    """Returns the image rows of all solids' boxes: row, solid, first column, number of columns."""
    h, w = shape
    solids = self._solids
    front, back = np.maximum(table.max(axis=2), 0).T
    cap = self._edge_px + 1
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
      a, b = (low[row_of] - rest) / slope, (high[row_of] - rest) / slope
      left = np.maximum(left, np.minimum(a, b) + start[row_of, 0])
      right = np.minimum(right, np.maximum(a, b) + start[row_of, 0])
    first_u = np.ceil(left)
    counts = np.maximum(np.floor(right) - first_u + 1, 0).astype(np.int64)
    keep = counts > 0
    return rows[keep], row_of[keep], first_u[keep], counts[keep]

  def _shade(self, along, across, beyond, out, inverse, direction, normal, spread):
    """Returns brightness and highlight of every pixel."""
    light, solids = self._light, self._solids
    towards = np.array(light.towards, np.float32)
    shade = np.array([s.shade for s in solids], np.float32)
    lit = across * spread(normal @ towards[:2])
    lit += beyond * spread(direction @ towards[:2])
    lit *= inverse
    lit += out * towards[2]
    np.maximum(lit, np.float32(-0.3), out=lit)
    shine = np.square(np.square(lit))
    shine *= spread([255 * s.surface.gloss * s.shade for s in solids])
    # Rims receive less light from the room than what faces the viewer.
    tone = lit * np.float32(light.direct)
    tone += out * np.float32(0.38 * light.ambient)
    tone += np.float32(0.62 * light.ambient)
    tone *= spread(shade)
    lengths = np.array([s.length for s in solids], np.float32)
    fold = along * spread(75 / lengths) + across * spread(45 / lengths)
    bend = self._folds[fold.astype(np.int32) & 255]
    bend *= spread([s.surface.wrinkle for s in solids])
    bend += np.float32(1)
    tone *= bend
    return tone, shine

  def _hide_within_groups(self, pixels: int, ends, where, cover, rise) -> None:
    """Reduces the cover of every solid where earlier ones of its group stand out farther."""
    height = np.empty(pixels, np.float32)  # of the current group, towards the viewer
    groups = [s.group for s in self._solids]
    for i, group in enumerate(groups):
      first = i == 0 or groups[i - 1] != group
      continues = i + 1 < len(groups) and groups[i + 1] == group
      if first and not continues:
        continue
      part = slice(ends[i], ends[i + 1])
      pixel = where[part]
      if first:
        height.fill(-1e4)
      else:
        front = rise[part] - height[pixel]
        front *= np.float32(0.7)
        front += np.float32(0.5)
        cover[part] *= np.clip(front, 0, 1, out=front)
      if continues:
        height[pixel] = np.maximum(height[pixel], rise[part] - (1 - cover[part]) * np.float32(1e4))

  def _blend(self, image, ends, where, cover, tone, shine, along, across, spread) -> None:
    """Blends the solids over the picture, from the front, each where light still comes through."""
    pixels = image.shape[1] * image.shape[2]
    instants = self._instant + 1
    through = np.ones((instants, pixels), np.float32)
    for i in range(len(self._solids) - 1, -1, -1):
      part = slice(ends[i], ends[i + 1])
      pixel, over = where[part], cover[part]
      layer = through[self._solids[i].instant]
      rest = layer[pixel]
      layer[pixel] = rest * (1 - over)
      over *= rest
    through = through.mean(axis=0) if instants > 1 else through[0]
    cover *= np.float32(1 / instants)
    tone *= cover
    shine *= cover
    second = np.zeros_like(tone)
    for i, solid in enumerate(self._solids):
      if solid.surface.pattern != 'plain':
        part = slice(ends[i], ends[i + 1])
        second[part] = _second_share(solid.surface, along[part], across[part], solid.length)
    second *= tone
    tone -= second
    for channel, plane in enumerate(image):
      weight = tone * spread([s.surface.colour[channel] for s in self._solids])
      weight += second * spread([s.surface.second[channel] for s in self._solids])
      weight += shine
      plane *= through.reshape(plane.shape)
      plane += np.bincount(where, weight, pixels).reshape(plane.shape)


def _second_share(
  surface: Surface, along: np.ndarray, across: np.ndarray, length: float
) -> np.ndarray:
  """Returns the share of the pattern's second colour in every pixel: 0 to 1."""
  ring = along * np.float32(2 * np.pi / surface.period)
  bar = across * np.float32(2 * np.pi / surface.period)
  sharp = np.float32(surface.period / 8)  # edges about a pixel wide
  if surface.pattern == 'stripes':
    return np.clip(np.sin(ring) * sharp + 0.5, 0, 1)
  if surface.pattern == 'bars':
    return np.clip(np.sin(bar) * sharp + 0.5, 0, 1)
  if surface.pattern == 'check':
    return 0.5 * (
      np.clip(np.sin(ring) * sharp + 0.5, 0, 1) + np.clip(np.sin(bar) * sharp + 0.5, 0, 1)
    )
  if surface.pattern == 'blocks':
    return np.clip(along - np.float32(0.55 * length), 0, 1)
  if surface.pattern == 'sole':
    return np.clip(np.float32(surface.period) - across, 0, 1)
  raise ValueError(f'unknown pattern {surface.pattern!r}')
