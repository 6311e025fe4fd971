"""Draws the room of a trial, as numbers: walls, floor, furniture, light and camera."""

import dataclasses

import numpy as np

from grfjax.synth import camera as camera_lib
from grfjax.synth import colours, shaded_solids

WALLS = ('plain', 'panels', 'bricks', 'stripes', 'wainscot', 'tiles', 'concrete', 'curtain')
FLOORS = ('plain', 'boards', 'tiles', 'carpet', 'checker', 'speckle')
Rectangle = tuple[float, float, float, float]  # of a force plate: x0, x1, y0, y1, metres


@dataclasses.dataclass(frozen=True)
class Item:
  """Something flat, upright and parallel to the walkway: on the wall or in front of it.

  Attributes:
    kind: 'picture', 'window', 'door', 'board', 'shelf', 'cabinet', 'table', 'pillar', 'box'.
    x0, x1, z0, z1: extents along the wall and up, metres.
    gap_m: distance in front of the wall.
    colour, second: colours.
  """

  kind: str
  x0: float
  x1: float
  z0: float
  z1: float
  gap_m: float
  colour: colours.Colour
  second: colours.Colour


@dataclasses.dataclass(frozen=True)
class Room:
  """Everything in a trial but the walker and the clothes.

  Attributes:
    wall, floor: one of WALLS, FLOORS.
    wall_colour, wall_second, floor_colour, floor_second: colours.
    wall_m: distance of the wall beyond the walkway's middle.
    wall_period_m, floor_period_m: periods of the patterns.
    skirting_m: height of the skirting board; 0 for none.
    grain: strength of stains and grain.
    items: furniture, farthest first.
    sun: unit vector to the main light: along the image's right, up, towards the camera.
    ambient, direct: brightness in the shade, and what the main light adds.
    falloff: darkening of the walls away from the light, 0 to 1.
    vignette: darkening of the corners, 0 to 1.
    shadow, shadow_soft_m: darkness of the cast shadow, 0 to 1, and its blur.
    contact, pool: darkness below the feet, and of a wide soft patch below the body, 0 to 1.
    far_shade: brightness of the limbs on the side away from the camera.
    tint: (R, G, B) factors: white balance and exposure.
    noise, noise_grain_px: standard deviation of noise in 8-bit steps, and the size of its grain.
    soft_px: width of edges in a picture 640 pixels wide, from lens and processing.
    wall_soft_px: the same for the background.
    shutter_s: exposure time.
    focal: focal length over the image's width.
    offset_m, turn: errors of the camera, see `camera.beside_walkway`.
    plates, plate_colour: visibility of the force plates, 0 to 1, and their colour.
    seed: seed of grain and noise.
  """

  wall: str
  floor: str
  wall_colour: colours.Colour
  wall_second: colours.Colour
  floor_colour: colours.Colour
  floor_second: colours.Colour
  wall_m: float
  wall_period_m: float
  floor_period_m: float
  skirting_m: float
  grain: float
  items: tuple[Item, ...]
  sun: tuple[float, float, float]
  ambient: float
  direct: float
  falloff: float
  vignette: float
  shadow: float
  shadow_soft_m: float
  contact: float
  pool: float
  far_shade: float
  tint: tuple[float, float, float]
  noise: float
  noise_grain_px: float
  soft_px: float
  wall_soft_px: float
  shutter_s: float
  focal: float
  offset_m: tuple[float, float, float]
  turn: tuple[float, float, float]
  plates: float
  plate_colour: colours.Colour
  seed: int

  def camera(self, side: str, width: int, height: int) -> camera_lib.Camera:
    """Returns the trial's camera with its errors."""
    return camera_lib.beside_walkway(
      side, width, height, self.focal, offset_m=self.offset_m, turn=self.turn
    )

  def light(self) -> shaded_solids.Light:
    """Returns the light in the image's axes."""
    return shaded_solids.Light(self.ambient, self.direct, (self.sun[0], -self.sun[1], self.sun[2]))


def draw_room(rng: np.random.Generator) -> Room:
  """Draws a room, its light and the camera in it."""
  sober = rng.random() < 0.45
  if sober:  # painted walls and usual floors
    value = rng.uniform(0.35, 0.97)
    wall = colours.from_hsv(rng.random(), rng.uniform(0, 0.15), value)
    floor = colours.from_hsv(rng.uniform(0.02, 0.14), rng.uniform(0.05, 0.6), rng.uniform(0.2, 0.8))
    if rng.random() < 0.4:
      floor = colours.from_hsv(rng.random(), rng.uniform(0, 0.12), rng.uniform(0.15, 0.85))
  else:
    wall, floor = colours.draw_any(rng), colours.draw_any(rng)
  wall_m = float(rng.uniform(0.7, 4))
  plain = rng.random() < 0.4
  elevation = rng.uniform(0.35, 1.4)
  bearing = rng.uniform(-np.pi / 2, np.pi / 2)  # 0: from the camera, which never faces the light
  bearing *= 0.85
  sun = (
    float(np.cos(elevation) * np.sin(bearing)),
    float(np.sin(elevation)),
    float(np.cos(elevation) * np.cos(bearing)),
  )
  ambient = float(rng.uniform(0.5, 0.9))
  tint = rng.uniform(0.85, 1.2) * np.exp(rng.normal(0, 0.04, 3))
  grainy = rng.random() < 0.5
  small = lambda sd: float(np.clip(rng.normal(0, sd), -2.5 * sd, 2.5 * sd))
  focal = float(rng.uniform(0.62, 0.95))
  offset = (small(0.12), small(0.12), small(0.04))
  # People who set up a camera keep the feet in view: the shadow of the near foot, 3.2 m away,
  # stays above the lower edge of a 16:9 frame.
  lowest = np.arctan(0.475 * 9 / 16 / focal) - np.arctan((1 + offset[2]) / (3.2 + offset[1]))
  return Room(
    wall='plain' if plain else str(rng.choice(WALLS)),
    floor='plain' if plain and rng.random() < 0.7 else str(rng.choice(FLOORS)),
    wall_colour=wall,
    wall_second=colours.draw_near(rng, wall, 25) if rng.random() < 0.75 else colours.draw_any(rng),
    floor_colour=floor,
    floor_second=colours.draw_near(rng, floor, 25) if rng.random() < 0.8 else colours.draw_any(rng),
    wall_m=wall_m,
    wall_period_m=float(rng.uniform(0.08, 1.3)),
    floor_period_m=float(rng.uniform(0.08, 0.7)),
    skirting_m=float(rng.uniform(0.05, 0.15)) if rng.random() < 0.4 else 0.0,
    grain=float(rng.uniform(0, 0.08)) if grainy else float(rng.uniform(0, 0.02)),
    items=_draw_items(rng, wall, wall_m),
    sun=sun,
    ambient=ambient,
    direct=float(rng.uniform(0.25, 0.6) + 0.5 * max(0.0, 0.65 - ambient)),
    falloff=float(rng.uniform(0, 0.4)),
    vignette=float(rng.uniform(0, 0.25)),
    shadow=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.75 else 0.0,
    shadow_soft_m=float(rng.uniform(0.015, 0.12)),
    contact=float(rng.uniform(0.15, 0.6)),
    pool=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.4 else 0.0,
    far_shade=float(rng.uniform(0.66, 0.97)),
    tint=(float(tint[0]), float(tint[1]), float(tint[2])),
    noise=float(rng.uniform(0.5, 5) if rng.random() < 0.6 else rng.uniform(0, 1.5)),
    noise_grain_px=float(rng.choice((0.0, 0.6, 1.0))),
    soft_px=float(rng.uniform(0.9, 2.2)),
    wall_soft_px=float(rng.choice((0.3, 0.8, 1.6))),
    shutter_s=float(np.exp(rng.uniform(np.log(1 / 1000), np.log(1 / 60)))),
    focal=focal,
    offset_m=offset,
    turn=(small(0.02), float(min(small(0.015), lowest)), small(0.012)),
    plates=float(rng.uniform(0.1, 1)) if rng.random() < 0.6 else 0.0,
    plate_colour=colours.draw_near(rng, floor, 30)
    if rng.random() < 0.6
    else colours.from_hsv(rng.random(), rng.uniform(0, 0.3), rng.uniform(0.2, 0.9)),
    seed=int(rng.integers(2**31)),
  )


def _draw_items(rng: np.random.Generator, wall: colours.Colour, wall_m: float) -> tuple[Item, ...]:
  """Draws doors, pictures and furniture: 0 to 8 of them, anywhere in view."""
  if rng.random() < 0.12:
    return ()
  reach = 0.5 * (3.5 + wall_m) / 0.62
  flat_only = rng.random() < 0.35  # bare coloured sheets on the wall
  # Ranges of width, height and bottom, metres; how far in front of the wall, a share of the space.
  sizes = {
    'picture': ((0.2, 1.2), (0.2, 1.2), (0.3, 2), 0),
    'window': ((0.6, 2), (0.8, 1.5), (0.7, 1), 0),
    'door': ((0.75, 1.1), (1.9, 2.2), (0, 0), 0),
    'board': ((1, 2.4), (0.8, 1.2), (0.8, 1.1), 0),
    'shelf': ((0.6, 1.4), (0.8, 2.1), (0, 0.3), 0.05),
    'cabinet': ((0.4, 1.5), (0.6, 1.9), (0, 0), 0.3),
    'table': ((0.8, 1.8), (0.68, 0.8), (0, 0), 0.5),
    'pillar': ((0.15, 0.5), (3, 3.2), (0, 0), 0.2),
    'box': ((0.2, 0.7), (0.2, 0.9), (0, 0), 0.6),
  }
  items = []
  for _ in range(int(rng.integers(1, 9))):
    kind = 'picture' if flat_only else str(rng.choice(list(sizes)))
    width, height, bottom, forward = sizes[kind]
    x = rng.uniform(-reach, reach)
    w, h, z = rng.uniform(*width), rng.uniform(*height), rng.uniform(*bottom)
    colour = colours.draw_any(rng) if rng.random() < 0.5 else colours.draw_near(rng, wall, 35)
    gap = forward * rng.random() * max(wall_m - 0.7, 0)
    items.append(
      Item(
        kind,
        float(x - w / 2),
        float(x + w / 2),
        float(z),
        float(z + h),
        float(gap),
        colour,
        colours.draw_any(rng),
      )
    )
  return tuple(sorted(items, key=lambda item: item.gap_m))
