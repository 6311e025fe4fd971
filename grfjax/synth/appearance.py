"""How a synthetic walker looks: skin, hair and build for life, clothes for a trial.

Colours are RGB, 0 to 255, as they appear under neutral light.
"""

import colorsys
import dataclasses

import numpy as np

from grfjax.synth import body

Colour = tuple[float, float, float]

# Skin from light to dark: the range of the Monk skin tone scale, https://skintone.google.
_SKINS = (
  (244, 226, 210),
  (236, 203, 176),
  (215, 168, 132),
  (188, 138, 100),
  (150, 103, 72),
  (112, 74, 52),
  (78, 52, 40),
  (52, 38, 32),
)
_HAIRS = (
  (28, 24, 22),
  (45, 32, 25),
  (74, 50, 34),
  (112, 78, 48),
  (168, 130, 82),
  (205, 175, 125),
  (140, 70, 40),
  (130, 128, 126),
  (205, 203, 200),
)
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
HAIR_STYLES = ('short', 'bald', 'long', 'bun', 'ponytail', 'afro', 'cap', 'scarf')
TOPS = ('tee', 'sleeveless', 'longsleeve', 'jacket', 'coat')
BOTTOMS = ('trousers', 'wide', 'leggings', 'shorts', 'tights_shorts', 'skirt')
PATTERNS = ('plain', 'stripes', 'bars', 'check', 'blocks')


@dataclasses.dataclass(frozen=True)
class Look:
  """What a person keeps from trial to trial.

  Attributes:
    skin, hair: colours.
    hair_style: one of HAIR_STYLES.
    girth_m: the thickness unit of trunk and limbs: stature scaled by the square root of
      mass / height (cross-sections grow with mass per length), equal to it at 38.4 kg/m.
    trunk, limbs, belly, hips, bust: ratios to the mean build; bust in girths.
    head_m: chin to vertex.
    head_wide: ratio of head depth to the mean head's.
  """

  skin: Colour
  hair: Colour
  hair_style: str
  girth_m: float
  trunk: float
  limbs: float
  belly: float
  hips: float
  bust: float
  head_m: float
  head_wide: float


@dataclasses.dataclass(frozen=True)
class Clothes:
  """What a person wears in one trial. Eases and lengths are in girths or fractions of a limb.

  Attributes:
    top, bottom, pattern: one of TOPS, BOTTOMS, PATTERNS.
    top_colour ... cap: colours.
    top_ease, leg_ease, hem_ease: cloth beyond the skin, in girths.
    sleeve: where the sleeve ends: 0 shoulder, 1 elbow, 2 wrist.
    leg: where the trouser leg, short or skirt ends: 0 hip, 1 knee, 2 ankle.
    top_hem: where the top ends, as a fraction of the trunk above (+) or below (-) the hips.
    stripe_m: period of the pattern.
    wrinkle: strength of folds.
    boot: height of the shoe's shaft as a fraction of the shank.
    sole_share: sole thickness as a fraction of the foot's length.
  """

  top: str
  bottom: str
  pattern: str
  top_colour: Colour
  second_colour: Colour
  bottom_colour: Colour
  shoe: Colour
  sole: Colour
  sock: Colour
  cap: Colour
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


def hsv(h: float, s: float, v: float) -> Colour:
  """Hue, saturation, value, each 0 to 1, as an RGB colour."""
  r, g, b = colorsys.hsv_to_rgb(h % 1, s, v)
  return 255 * r, 255 * g, 255 * b


def any_colour(rng: np.random.Generator) -> Colour:
  """Any hue, from gray to shrill, dark to bright."""
  return hsv(rng.random(), rng.beta(1.3, 1.3), rng.uniform(0.12, 1))


def near_colour(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
  """`colour`, lighter or darker as a whole and a little off in each channel (0 to 255)."""
  moved = np.asarray(colour) * rng.uniform(1 - spread / 100, 1 + spread / 100)
  moved = np.clip(moved + rng.normal(0, spread / 4, 3), 6, 252)
  return float(moved[0]), float(moved[1]), float(moved[2])


def pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
  """One of the names, with the probabilities given by its weights."""
  p = np.array(list(weights.values()))
  return str(rng.choice(list(weights), p=p / p.sum()))


def draw_look(rng: np.random.Generator, subject: body.Subject) -> Look:
  """Skin, hair and build of one person."""
  tone = rng.uniform(0, len(_SKINS) - 1)
  low = int(tone)
  mixed = np.array(_SKINS[low]) * (1 - tone % 1) + np.array(_SKINS[low + 1]) * (tone % 1)
  female = subject.sex == 'female'
  child = subject.age_group == 'child'
  natural = _HAIRS[:-2] if child else _HAIRS  # the last two are gray
  hair = any_colour(rng) if rng.random() < 0.2 else natural[rng.integers(len(natural))]
  styles = {
    'short': 0.3 if female else 0.6,
    'long': 0.25 if female else 0.05,
    'bun': 0.12 * female + 0.01,
    'ponytail': 0.2 * female + 0.02,
    'afro': 0.05,
    'cap': 0.06,
    'scarf': 0.07 * female + 0.003,
    'bald': 0.001 if female or child else 0.1,
  }
  linear = subject.mass_kg / subject.height_m  # 38.4 kg/m: 66 kg at 1.72 m
  # The head hardly grows with stature: 0.20 m at 1.2 m, 0.23 m at 1.75 m (Snyder 1977, UM-HSRI).
  head = (0.145 + 0.047 * subject.height_m) * rng.normal(1, 0.03)
  return Look(
    skin=near_colour(rng, (mixed[0], mixed[1], mixed[2]), 8),
    hair=near_colour(rng, hair, 12),
    hair_style=pick(rng, styles),
    girth_m=1.72 * float(np.sqrt(linear / 38.4)),
    trunk=float(rng.normal(1, 0.05)),
    limbs=float(rng.normal(1, 0.06)),
    belly=float(np.clip(rng.normal(1 + 0.03 * (linear - 38.4) / 8, 0.08), 0.85, 1.4)),
    hips=float(rng.normal(1.06 if female else 0.98, 0.05)),
    bust=float(rng.uniform(0.005, 0.02)) if female and not child else 0.0,
    head_m=float(head),
    head_wide=float(rng.normal(1, 0.04)),
  )


def draw_clothes(
  rng: np.random.Generator,
  look: Look,
  female: bool,
  surroundings: tuple[Colour, ...] = (),
) -> Clothes:
  """Clothes for one trial.

  Args:
    rng: the source of chance.
    look: who wears them.
    female: whether skirts are likely.
    surroundings: colours of the room; now and then clothes come close to one of them.
  """

  def cloth() -> Colour:
    p = rng.random()
    if p < 0.12 and surroundings:
      return near_colour(rng, surroundings[rng.integers(len(surroundings))], 18)
    if p < 0.18:
      return near_colour(rng, look.skin, 15)
    if p < 0.55:
      return any_colour(rng)
    return near_colour(rng, _CLOTHS[rng.integers(len(_CLOTHS))], 15)

  top = pick(rng, {'tee': 4, 'sleeveless': 1, 'longsleeve': 4, 'jacket': 2, 'coat': 0.5})
  bottom = pick(
    rng,
    {
      'trousers': 5,
      'wide': 1.2,
      'leggings': 1.6,
      'shorts': 1.8,
      'tights_shorts': 0.8,
      'skirt': 1.2 if female else 0.05,
    },
  )
  sleeve = {
    'tee': (0.35, 0.9),
    'sleeveless': (0, 0.05),
    'longsleeve': (1.5, 2),
    'jacket': (1.85, 2.02),
    'coat': (1.9, 2.05),
  }[top]
  top_ease = {
    'tee': (0, 0.014),
    'sleeveless': (0, 0.008),
    'longsleeve': (0, 0.014),
    'jacket': (0.006, 0.024),
    'coat': (0.01, 0.03),
  }[top]
  hem = {
    'tee': (-0.16, 0.22),
    'sleeveless': (-0.12, 0.24),
    'longsleeve': (-0.18, 0.22),
    'jacket': (-0.2, 0.12),
    'coat': (-0.75, -0.35),
  }[top]
  leg = {
    'trousers': (1.85, 2.03),
    'wide': (1.9, 2.05),
    'leggings': (1.6, 2),
    'shorts': (0.4, 1.1),
    'tights_shorts': (0.25, 0.6),
    'skirt': (0.5, 1.6),
  }[bottom]
  leg_ease = {
    'trousers': (0.003, 0.016),
    'wide': (0.008, 0.022),
    'leggings': (0, 0.002),
    'shorts': (0.003, 0.016),
    'tights_shorts': (0, 0.002),
    'skirt': (0.004, 0.02),
  }[bottom]
  hem_ease = {
    'trousers': (0.004, 0.024),
    'wide': (0.02, 0.045),
    'leggings': (0, 0.001),
    'shorts': (0.004, 0.024),
    'tights_shorts': (0, 0.001),
    'skirt': (0.005, 0.07),
  }[bottom]
  top_colour = cloth()
  # Track suits and dresses: one cloth all over.
  bottom_colour = near_colour(rng, top_colour, 6) if rng.random() < 0.15 else cloth()
  shoe = cloth() if rng.random() < 0.7 else near_colour(rng, (235, 235, 235), 8)
  return Clothes(
    top=top,
    bottom=bottom,
    pattern=pick(rng, {'plain': 6, 'stripes': 1, 'bars': 0.5, 'check': 0.7, 'blocks': 1}),
    top_colour=top_colour,
    second_colour=cloth(),
    bottom_colour=bottom_colour,
    shoe=shoe,
    sole=near_colour(rng, (235, 232, 226), 10)
    if rng.random() < 0.5
    else near_colour(rng, shoe, 20),
    sock=near_colour(rng, (230, 230, 230), 8) if rng.random() < 0.5 else cloth(),
    cap=cloth(),
    top_ease=float(rng.uniform(*top_ease)),
    leg_ease=float(rng.uniform(*leg_ease)),
    hem_ease=float(rng.uniform(*hem_ease)),
    sleeve=float(rng.uniform(*sleeve)),
    leg=float(rng.uniform(*leg)),
    top_hem=float(rng.uniform(*hem)),
    stripe_m=float(rng.uniform(0.03, 0.16)),
    wrinkle=float(rng.uniform(0.01, 0.05)),
    boot=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.12 else 0.0,
    sole_share=float(rng.uniform(0.05, 0.12)),
  )
