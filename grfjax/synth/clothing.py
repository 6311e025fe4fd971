"""What a person wears in one trial."""

import dataclasses
from typing import NamedTuple

import numpy as np

from grfjax.synth import appearance, colours

# Common colours of cloth.
_CLOTHS = (
  (28, 30, 36),
  (48, 50, 56),
  (90, 92, 96),
  (150, 150, 150),
  (225, 225, 222),
  (38, 48, 82),
  (52, 76, 120),
  (88, 116, 158),
  (130, 36, 40),
  (180, 60, 50),
  (62, 82, 58),
  (110, 118, 74),
  (176, 154, 118),
  (112, 86, 62),
  (214, 190, 160),
  (190, 120, 140),
  (66, 120, 124),
  (226, 186, 78),
)
PATTERNS = ('plain', 'stripes', 'bars', 'check', 'blocks')
_Range = tuple[float, float]


class _Top(NamedTuple):
  """A kind of garment for the upper body.

  Attributes:
    weight: how often it is worn, relative to the others.
    sleeve, ease, hem: ranges of `Clothes.sleeve`, `top_ease` and `top_hem`.
  """

  weight: float
  sleeve: _Range
  ease: _Range
  hem: _Range


class _Bottom(NamedTuple):
  """A kind of garment for the legs.

  Attributes:
    weight: how often it is worn, relative to the others.
    leg, ease, hem_ease: ranges of `Clothes.leg`, `leg_ease` and `hem_ease`.
  """

  weight: float
  leg: _Range
  ease: _Range
  hem_ease: _Range


_TOPS = {
  'tee': _Top(4, (0.35, 0.9), (0, 0.014), (-0.16, 0.22)),
  'sleeveless': _Top(1, (0, 0.05), (0, 0.008), (-0.12, 0.24)),
  'longsleeve': _Top(4, (1.5, 2), (0, 0.014), (-0.18, 0.22)),
  'jacket': _Top(2, (1.85, 2.02), (0.006, 0.024), (-0.2, 0.12)),
  'coat': _Top(0.5, (1.9, 2.05), (0.01, 0.03), (-0.75, -0.35)),
}
_BOTTOMS = {
  'trousers': _Bottom(5, (1.85, 2.03), (0.003, 0.016), (0.004, 0.024)),
  'wide': _Bottom(1.2, (1.9, 2.05), (0.008, 0.022), (0.02, 0.045)),
  'leggings': _Bottom(1.6, (1.6, 2), (0, 0.002), (0, 0.001)),
  'shorts': _Bottom(1.8, (0.4, 1.1), (0.003, 0.016), (0.004, 0.024)),
  'tights_shorts': _Bottom(0.8, (0.25, 0.6), (0, 0.002), (0, 0.001)),
  'skirt': _Bottom(1.2, (0.5, 1.6), (0.004, 0.02), (0.005, 0.07)),  # rarely worn by men
}
TOPS, BOTTOMS = tuple(_TOPS), tuple(_BOTTOMS)


@dataclasses.dataclass(frozen=True)
class Clothes:
  """Clothes of one trial. Eases are in girths (`appearance.Appearance.girth_m`).

  Attributes:
    top, bottom, pattern: one of TOPS, BOTTOMS, PATTERNS.
    top_colour, second_colour, bottom_colour, shoe, sole, sock, cap: colours.
    top_ease, leg_ease, hem_ease: thickness of cloth and air over the skin.
    sleeve: where the sleeve ends: 0 shoulder, 1 elbow, 2 wrist.
    leg: where trouser leg, short or skirt ends: 0 hip, 1 knee, 2 ankle.
    top_hem: where the top ends above (+) or below (-) the hips, as a fraction of the trunk.
    stripe_m: period of the pattern.
    wrinkle: strength of folds.
    boot: height of the shoe's shaft as a fraction of the shank.
    sole_share: thickness of the sole as a fraction of the foot's length.
  """

  top: str
  bottom: str
  pattern: str
  top_colour: colours.Colour
  second_colour: colours.Colour
  bottom_colour: colours.Colour
  shoe: colours.Colour
  sole: colours.Colour
  sock: colours.Colour
  cap: colours.Colour
  top_ease: float
  leg_ease: float
  hem_ease: float
  sleeve: float
  leg: float
  top_hem: float
  stripe_m: float
  wrinkle: float
  boot: float
  sole_share: float


def draw_clothes(
  rng: np.random.Generator,
  person: appearance.Appearance,
  female: bool,
  surroundings: tuple[colours.Colour, ...] = (),
) -> Clothes:
  """Draws the clothes of one trial.

  Args:
    rng: source of randomness.
    person: who wears them.
    female: whether skirts are likely.
    surroundings: colours of the room; now and then clothes come close to one of them.
  """

  def cloth() -> colours.Colour:
    p = rng.random()
    if p < 0.12 and surroundings:
      return colours.draw_near(rng, surroundings[rng.integers(len(surroundings))], 18)
    if p < 0.18:
      return colours.draw_near(rng, person.skin, 15)
    if p < 0.55:
      return colours.draw_any(rng)
    return colours.draw_near(rng, _CLOTHS[rng.integers(len(_CLOTHS))], 15)

  def uniform(limits: _Range) -> float:
    return float(rng.uniform(*limits))

  top = colours.pick(rng, {name: kind.weight for name, kind in _TOPS.items()})
  bottom_weights = {name: kind.weight for name, kind in _BOTTOMS.items()}
  bottom = colours.pick(rng, bottom_weights if female else bottom_weights | {'skirt': 0.05})
  top_colour = cloth()
  # Track suits and dresses are of one cloth all over.
  one_cloth = rng.random() < 0.15
  bottom_colour = colours.draw_near(rng, top_colour, 6) if one_cloth else cloth()
  white_shoes = rng.random() >= 0.7
  shoe = colours.draw_near(rng, (235, 235, 235), 8) if white_shoes else cloth()
  return Clothes(
    top=top,
    bottom=bottom,
    pattern=colours.pick(rng, {'plain': 6, 'stripes': 1, 'bars': 0.5, 'check': 0.7, 'blocks': 1}),
    top_colour=top_colour,
    second_colour=cloth(),
    bottom_colour=bottom_colour,
    shoe=shoe,
    sole=colours.draw_near(rng, (235, 232, 226), 10)
    if rng.random() < 0.5
    else colours.draw_near(rng, shoe, 20),
    sock=colours.draw_near(rng, (230, 230, 230), 8) if rng.random() < 0.5 else cloth(),
    cap=cloth(),
    top_ease=uniform(_TOPS[top].ease),
    leg_ease=uniform(_BOTTOMS[bottom].ease),
    hem_ease=uniform(_BOTTOMS[bottom].hem_ease),
    sleeve=uniform(_TOPS[top].sleeve),
    leg=uniform(_BOTTOMS[bottom].leg),
    top_hem=uniform(_TOPS[top].hem),
    stripe_m=uniform((0.03, 0.16)),
    wrinkle=uniform((0.01, 0.05)),
    boot=uniform((0.1, 0.5)) if rng.random() < 0.12 else 0.0,
    sole_share=uniform((0.05, 0.12)),
  )
