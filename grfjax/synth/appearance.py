"""How a person looks in every trial: skin, hair and build."""

import dataclasses

import numpy as np

from grfjax.synth import body, colours

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
HAIR_STYLES = ('short', 'bald', 'long', 'bun', 'ponytail', 'afro', 'cap', 'scarf')


@dataclasses.dataclass(frozen=True)
class Appearance:
  """What a person keeps from trial to trial.

  Attributes:
    skin, hair: colours.
    hair_style: one of HAIR_STYLES.
    girth_m: the unit in which thicknesses of trunk and limbs are given. It is stature scaled by the
      square root of mass / height (cross-sections grow with mass per length), and equals stature
      at 38.4 kg/m.
    trunk, limbs, belly, hips: ratios to the mean build.
    bust: its prominence, in girths.
    head_m: height of the head, from chin to vertex.
    head_wide: ratio of the head's depth to that of the mean head.
  """

  skin: colours.Colour
  hair: colours.Colour
  hair_style: str
  girth_m: float
  trunk: float
  limbs: float
  belly: float
  hips: float
  bust: float
  head_m: float
  head_wide: float


def draw_appearance(rng: np.random.Generator, subject: body.Subject) -> Appearance:
  """Draws skin, hair and build of one person."""
  tone = rng.uniform(0, len(_SKINS) - 1)
  lighter = int(tone)
  skin = np.array(_SKINS[lighter]) * (1 - tone % 1) + np.array(_SKINS[lighter + 1]) * (tone % 1)
  female = subject.sex == 'female'
  child = subject.age_group == 'child'
  natural = _HAIRS[:-2] if child else _HAIRS  # the last two are gray
  hair = colours.draw_any(rng) if rng.random() < 0.2 else natural[rng.integers(len(natural))]
  hair_styles = {
    'short': 0.3 if female else 0.6,
    'long': 0.25 if female else 0.05,
    'bun': 0.12 * female + 0.01,
    'ponytail': 0.2 * female + 0.02,
    'afro': 0.05,
    'cap': 0.06,
    'scarf': 0.07 * female + 0.003,
    'bald': 0.001 if female or child else 0.1,
  }
  mass_per_length = subject.mass_kg / subject.height_m  # 38.4 kg/m: 66 kg at 1.72 m
  # The head hardly grows with stature: 0.20 m at 1.2 m, 0.23 m at 1.75 m (Snyder 1977, UM-HSRI).
  head = (0.145 + 0.047 * subject.height_m) * rng.normal(1, 0.03)
  return Appearance(
    skin=colours.draw_near(rng, (skin[0], skin[1], skin[2]), 8),
    hair=colours.draw_near(rng, hair, 12),
    hair_style=colours.pick(rng, hair_styles),
    girth_m=1.72 * float(np.sqrt(mass_per_length / 38.4)),
    trunk=float(rng.normal(1, 0.05)),
    limbs=float(rng.normal(1, 0.06)),
    belly=float(np.clip(rng.normal(1 + 0.03 * (mass_per_length - 38.4) / 8, 0.08), 0.85, 1.4)),
    hips=float(rng.normal(1.06 if female else 0.98, 0.05)),
    bust=float(rng.uniform(0.005, 0.02)) if female and not child else 0.0,
    head_m=float(head),
    head_wide=float(rng.normal(1, 0.04)),
  )
