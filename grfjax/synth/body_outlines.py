"""Shapes of the body, clothes and hair: outlines of the solids that `walker_drawing` lays.

Each part has two outlines, towards the walker's front and back: half thicknesses as seen from the
side, along the part from its first joint to its second. They are in girths
(`appearance.Appearance.girth_m`), scaled from adult girths and breadths in Gordon et al. 2014, 2012
Anthropometric Survey of U.S. Army Personnel (ANSUR II), NATICK/TR-15/007.
"""

import numpy as np

from grfjax import conventions
from grfjax.synth import body, shaded_solids

Outline = tuple[np.ndarray, np.ndarray]  # radii towards the front and the back

THIGH = (
  shaded_solids.outline((0, 0.048), (0.25, 0.052), (0.6, 0.044), (0.9, 0.035), (1, 0.034)),
  shaded_solids.outline((0, 0.062), (0.15, 0.058), (0.4, 0.048), (0.8, 0.035), (1, 0.032)),
)
SHANK = (
  shaded_solids.outline((0, 0.034), (0.2, 0.030), (0.6, 0.023), (0.9, 0.019), (1, 0.020)),
  shaded_solids.outline(
    (0, 0.032), (0.25, 0.040), (0.4, 0.038), (0.7, 0.026), (0.92, 0.020), (1, 0.022)
  ),
)
UPPER_ARM = (
  shaded_solids.outline((0, 0.031), (0.3, 0.029), (0.6, 0.027), (1, 0.022)),
  shaded_solids.outline((0, 0.031), (0.4, 0.028), (1, 0.023)),
)
FOREARM = (
  shaded_solids.outline((0, 0.022), (0.25, 0.024), (0.6, 0.019), (1, 0.015)),
  shaded_solids.outline((0, 0.023), (0.25, 0.023), (0.6, 0.018), (1, 0.015)),
)
HAND = (
  shaded_solids.outline((0, 0.014), (0.25, 0.020), (0.5, 0.022), (0.75, 0.014), (1, 0.007)),
  shaded_solids.outline((0, 0.014), (0.3, 0.017), (0.6, 0.017), (0.85, 0.012), (1, 0.006)),
)
# Trunk: 0 at the base of the neck, 1 at the hips.
TRUNK = (
  shaded_solids.outline(
    (0, 0.034), (0.1, 0.050), (0.3, 0.067), (0.5, 0.061), (0.72, 0.056), (0.9, 0.054), (1, 0.050)
  ),
  shaded_solids.outline(
    (0, 0.038), (0.12, 0.058), (0.3, 0.063), (0.55, 0.048), (0.7, 0.049), (0.88, 0.064), (1, 0.067)
  ),
)
BUST = shaded_solids.outline((0, 0), (0.15, 0.1), (0.32, 1), (0.45, 0.4), (0.55, 0), (1, 0))
BELLY = shaded_solids.outline((0, 0), (0.35, 0.1), (0.65, 1), (0.85, 0.9), (1, 0.4))
SEAT = shaded_solids.outline((0, 0), (0.6, 0), (0.88, 1), (1, 1))
# Head: 0 at the vertex, 1 at the chin; in head heights.
FACE = shaded_solids.outline(
  (0, 0.10),
  (0.03, 0.18),
  (0.1, 0.28),
  (0.2, 0.37),
  (0.33, 0.41),
  (0.5, 0.41),
  (0.59, 0.48),
  (0.64, 0.44),
  (0.7, 0.40),
  (0.8, 0.39),
  (0.92, 0.36),
  (1, 0.2),
)
SKULL = shaded_solids.outline(
  (0, 0.12),
  (0.03, 0.2),
  (0.1, 0.30),
  (0.2, 0.40),
  (0.35, 0.46),
  (0.5, 0.46),
  (0.66, 0.40),
  (0.78, 0.28),
  (0.9, 0.14),
  (1, 0.06),
)
HAIR_FRONT = shaded_solids.outline(
  (0, 0.10),
  (0.03, 0.2),
  (0.1, 0.32),
  (0.18, 0.40),
  (0.26, 0.40),
  (0.32, 0.05),
  (0.5, -0.02),
  (0.6, -0.3),
  (1, -1),
)
HAIR_BACK = shaded_solids.outline(
  (0, 0.13),
  (0.03, 0.22),
  (0.1, 0.35),
  (0.2, 0.45),
  (0.35, 0.51),
  (0.5, 0.50),
  (0.66, 0.42),
  (0.74, 0.3),
  (0.8, -0.3),
  (1, -1),
)
HAIR_LONG = shaded_solids.outline(
  (0, 0.13), (0.03, 0.22), (0.1, 0.35), (0.2, 0.45), (0.35, 0.53), (0.6, 0.52), (1, 0.46)
)
SCARF_FRONT = shaded_solids.outline(
  (0, 0.12),
  (0.05, 0.26),
  (0.12, 0.36),
  (0.2, 0.42),
  (0.28, 0.36),
  (0.4, 0.22),
  (0.7, 0.22),
  (0.85, 0.32),
  (1, 0.40),
)
# Shoe: 0 at the heel, 1 at the toe; upper and sole, in foot lengths.
SHOE_UPPER = shaded_solids.outline(
  (0, 0.05),
  (0.03, 0.16),
  (0.1, 0.26),
  (0.25, 0.30),
  (0.36, 0.29),
  (0.5, 0.22),
  (0.7, 0.17),
  (0.86, 0.15),
  (0.96, 0.12),
  (1, 0.06),
)
SOLE = shaded_solids.outline(
  (0, 0.005), (0.08, 0.02), (0.4, 0.008), (0.7, 0.022), (0.9, 0.016), (1, 0.0)
)
ALONG = np.linspace(0, 1, shaded_solids.PLACES, dtype=np.float32)  # places along an outline


def first_part(radii: np.ndarray, share: float) -> np.ndarray:
  """Returns the first share of an outline, stretched to the full number of places."""
  return np.interp(ALONG * share, ALONG, radii).astype(np.float32)


def scaled(outline: Outline, factor: np.float32) -> Outline:
  """Returns an outline multiplied by a factor."""
  front, back = outline
  return factor * front, factor * back


def constant(front: float | np.floating, back: float | np.floating) -> Outline:
  """Returns an outline of one radius towards the front and one towards the back."""
  places = shaded_solids.PLACES
  return np.full(places, front, np.float32), np.full(places, back, np.float32)


def _shadow_bones() -> tuple[tuple[int, int, float], ...]:
  """Returns (first joint, second joint, mean radius in girths) of the parts that cast a shadow."""
  bones = [('neck', 'pelvis', 0.06), ('head', 'neck', 0.05)]
  for side in conventions.LEGS:
    for a, b, r in (
      ('hip', 'knee', 0.048),
      ('knee', 'ankle', 0.03),
      ('heel', 'toe', 0.022),
      ('shoulder', 'elbow', 0.028),
      ('elbow', 'hand', 0.02),
    ):
      bones.append((f'{side}_{a}', f'{side}_{b}', r))
  return tuple((body.INDEX[a], body.INDEX[b], r) for a, b, r in bones)


SHADOW_BONES = _shadow_bones()
