"""A walker's body and clothes as solids, painted back to front from projected joints.

Outlines are half thicknesses seen from the side, in girths (`look.Look.girth_m`), scaled from
adult girths and breadths: Gordon et al. 2014, 2012 Anthropometric Survey of U.S. Army Personnel
(ANSUR II), NATICK/TR-15/007.
"""

import numpy as np

from grfjax.synth import body, solids
from grfjax.synth import look as look_lib

_THIGH = (
  solids.outline((0, 0.048), (0.25, 0.052), (0.6, 0.044), (0.9, 0.035), (1, 0.034)),
  solids.outline((0, 0.062), (0.15, 0.058), (0.4, 0.048), (0.8, 0.035), (1, 0.032)),
)
_SHANK = (
  solids.outline((0, 0.034), (0.2, 0.030), (0.6, 0.023), (0.9, 0.019), (1, 0.020)),
  solids.outline((0, 0.032), (0.25, 0.040), (0.4, 0.038), (0.7, 0.026), (0.92, 0.020), (1, 0.022)),
)
_UPPER_ARM = (
  solids.outline((0, 0.031), (0.3, 0.029), (0.6, 0.027), (1, 0.022)),
  solids.outline((0, 0.031), (0.4, 0.028), (1, 0.023)),
)
_FOREARM = (
  solids.outline((0, 0.022), (0.25, 0.024), (0.6, 0.019), (1, 0.015)),
  solids.outline((0, 0.023), (0.25, 0.023), (0.6, 0.018), (1, 0.015)),
)
_HAND = (
  solids.outline((0, 0.014), (0.25, 0.020), (0.5, 0.022), (0.75, 0.014), (1, 0.007)),
  solids.outline((0, 0.014), (0.3, 0.017), (0.6, 0.017), (0.85, 0.012), (1, 0.006)),
)
# Trunk: 0 at the base of the neck, 1 at the hips.
_TRUNK = (
  solids.outline(
    (0, 0.034), (0.1, 0.050), (0.3, 0.067), (0.5, 0.061), (0.72, 0.056), (0.9, 0.054), (1, 0.050)
  ),
  solids.outline(
    (0, 0.038), (0.12, 0.058), (0.3, 0.063), (0.55, 0.048), (0.7, 0.049), (0.88, 0.064), (1, 0.067)
  ),
)
_BUST = solids.outline((0, 0), (0.15, 0.1), (0.32, 1), (0.45, 0.4), (0.55, 0), (1, 0))
_BELLY = solids.outline((0, 0), (0.35, 0.1), (0.65, 1), (0.85, 0.9), (1, 0.4))
_SEAT = solids.outline((0, 0), (0.6, 0), (0.88, 1), (1, 1))
# Head: 0 at the vertex, 1 at the chin; in head heights.
_FACE = solids.outline(
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
_SKULL = solids.outline(
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
_HAIR_FRONT = solids.outline(
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
_HAIR_BACK = solids.outline(
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
_HAIR_LONG = solids.outline(
  (0, 0.13), (0.03, 0.22), (0.1, 0.35), (0.2, 0.45), (0.35, 0.53), (0.6, 0.52), (1, 0.46)
)
_SCARF_FRONT = solids.outline(
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
_UPPER = solids.outline(
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
_SOLE = solids.outline((0, 0.005), (0.08, 0.02), (0.4, 0.008), (0.7, 0.022), (0.9, 0.016), (1, 0.0))
_RAMP = np.linspace(0, 1, solids.PLACES, dtype=np.float32)


def _upto(radii: np.ndarray, share: float) -> np.ndarray:
  """The outline's first `share`, stretched to the full number of places."""
  return np.interp(_RAMP * share, _RAMP, radii).astype(np.float32)


class Figure:
  """One person in one trial's clothes."""

  def __init__(
    self, look: look_lib.Look, clothes: look_lib.Clothes, tint: np.ndarray, far_shade: float
  ):
    """Prepare outlines.

    Args:
      look: the person.
      clothes: what the person wears.
      tint: (3,) the light's colour and the camera's exposure, a factor on every colour.
      far_shade: brightness of the leg and arm in the body's shadow.
    """
    self._look, self._clothes, self._tint, self._far_shade = look, clothes, tint, far_shade
    limb = np.float32(look.girth_m * look.limbs)
    trunk = np.float32(look.girth_m * look.trunk)
    girth = np.float32(look.girth_m)
    scale = lambda pair, by: tuple(np.float32(by) * r for r in pair)
    self._thigh, self._shank = scale(_THIGH, limb), scale(_SHANK, limb)
    self._upper_arm, self._forearm = scale(_UPPER_ARM, limb), scale(_FOREARM, limb)
    self._hand = scale(_HAND, girth)
    self._trunk = (
      trunk
      * (_TRUNK[0] * (1 + np.float32(look.belly - 1) * _BELLY) + np.float32(look.bust) * _BUST),
      trunk * (_TRUNK[1] * (1 + np.float32(look.hips - 1) * _SEAT)),
    )
    ease = np.float32(girth * clothes.top_ease)
    self._top = tuple(r + ease for r in self._trunk)
    waist = np.float32(girth * min(clothes.leg_ease, 0.006))
    self._pelvis = tuple(_upto(r[::-1], 0.3)[::-1] + waist for r in self._trunk)
    self._sleeve = [
      self._cover(part, start, clothes.sleeve, clothes.top_ease * 0.8, clothes.top_ease * 1.1)
      for start, part in enumerate((self._upper_arm, self._forearm))
    ]
    self._leg = [
      self._cover(part, start, clothes.leg, clothes.leg_ease, clothes.hem_ease)
      for start, part in enumerate((self._thigh, self._shank))
    ]

  def _cover(self, part, start: int, end: float, ease: float, hem_ease: float):
    """The cloth over limb part `start` (0 upper, 1 lower): (share covered, front, back), metres."""
    share = min(end - start, 1.0) if start == 0 else end - start
    if share <= 0.02:
      return None
    grown = ease + (hem_ease - ease) * ((start + share * _RAMP) / end) ** 2
    grown = np.float32(self._look.girth_m) * grown.astype(np.float32)
    return share, *(_upto(r, share) + grown for r in part)

  def _cloth(
    self,
    colour: look_lib.Colour,
    second: look_lib.Colour | None = None,
    pattern: str = 'plain',
    period: float = 10.0,
    wrinkle: float = 0.0,
    gloss: float = 0.0,
  ) -> solids.Cloth:
    tinted = lambda c: (np.asarray(c) * self._tint).astype(np.float32)
    return solids.Cloth(tinted(colour), tinted(second or colour), pattern, period, wrinkle, gloss)

  def draw(
    self, canvas: solids.Canvas, uv: np.ndarray, scale: np.ndarray, facing: int, near: str
  ) -> None:
    """Add the walker to a canvas.

    Args:
      canvas: empty.
      uv: (J, 2) joints in the whole frame, pixels.
      scale: (J,) pixels per metre at each joint.
      facing: +1 when the walker faces right in the image, -1 left.
      near: the side nearer to the camera, 'left' or 'right'; the far side is painted first.
    """
    far = 'right' if near == 'left' else 'left'
    at = lambda name: uv[body.INDEX[name]]
    size = lambda name: np.float32(scale[body.INDEX[name]])
    self._arm(canvas, at, size, facing, far, self._far_shade)
    self._legs(canvas, at, size, facing, near, far)
    self._torso(canvas, at, size, facing, near, far)
    self._head(canvas, at, size, facing)
    self._arm(canvas, at, size, facing, near, 1.0)

  def _legs(self, canvas, at, size, facing, near, far) -> None:
    clothes = self._clothes
    cloth = self._cloth(clothes.bottom_colour, wrinkle=clothes.wrinkle)
    skirt = clothes.bottom == 'skirt'
    for side, shade in ((far, self._far_shade), (near, 1.0)):
      px = size(f'{side}_knee')
      hip, knee, ankle = (at(f'{side}_{name}') for name in ('hip', 'knee', 'ankle'))
      skin = self._cloth(self._look.skin, gloss=0.04)
      if clothes.bottom == 'tights_shorts':
        skin = self._cloth(clothes.sock)
      canvas.new_group()
      if clothes.leg < 1.9 or skirt:
        canvas.add(knee, ankle, *(px * r for r in self._shank), skin, facing=facing, shade=shade)
        canvas.add(hip, knee, *(px * r for r in self._thigh), skin, facing=facing, shade=shade)
      self._shoe(canvas, at, size, facing, side, shade)
      canvas.new_group()
      if skirt:
        continue
      if side == near:
        self._hips(canvas, at, size, facing, cloth)
      for (start, end), cover in zip(((hip, knee), (knee, ankle)), self._leg, strict=True):
        if cover is None:
          continue
        share, front, back = cover
        hem = share != 1 or start is knee
        canvas.add(
          start,
          start + share * (end - start),
          px * front,
          px * back,
          cloth,
          facing=facing,
          shade=shade,
          flat_end=hem,
        )
    if skirt:
      self._hips(canvas, at, size, facing, cloth)
      self._drape(canvas, at, size, facing, cloth, clothes.leg, self._clothes.hem_ease)

  def _shoe(self, canvas, at, size, facing, side, shade) -> None:
    clothes = self._clothes
    heel, toe, ankle = (at(f'{side}_{name}') for name in ('heel', 'toe', 'ankle'))
    px = size(f'{side}_heel')
    knee = at(f'{side}_knee')
    foot = toe - heel
    length = np.float32(np.hypot(*foot))
    instep = heel + 0.3 * foot + 0.45 * (ankle - (heel + 0.3 * foot))
    sock = self._cloth(clothes.sock)
    girth = np.full(solids.PLACES, 0.021 * self._look.girth_m * px, np.float32)
    canvas.new_group()
    canvas.add(
      ankle + 0.12 * (knee - ankle),
      instep,
      girth,
      girth,
      sock,
      facing=facing,
      shade=shade,
      flat_start=True,
    )
    canvas.new_group()
    shoe = self._cloth(
      clothes.shoe, clothes.sole, 'sole', float(length * clothes.sole_share), gloss=0.05
    )
    if clothes.boot:
      shaft = girth * np.float32(1.25)
      canvas.add(
        ankle + clothes.boot * (knee - ankle),
        instep,
        shaft,
        shaft,
        self._cloth(clothes.shoe, gloss=0.05),
        facing=facing,
        shade=shade,
        flat_start=True,
      )
    # The foot turns with heel and toe: its upper side is the solid's front side.
    canvas.add(heel, toe, length * _UPPER, length * _SOLE, shoe, facing=facing, shade=shade)

  def _hips(self, canvas, at, size, facing, cloth) -> None:
    neck, pelvis = at('neck'), at('pelvis')
    px = size('pelvis')
    canvas.add(
      pelvis + 0.3 * (neck - pelvis),
      pelvis,
      *(px * r for r in self._pelvis),
      cloth,
      facing=facing,
      flat_start=True,
    )

  def _drape(self, canvas, at, size, facing, cloth, leg: float, ease: float) -> None:
    """Cloth around both thighs from the hips to `leg` (1 knee, 2 ankle)."""
    px = size('pelvis')
    neck, pelvis = at('neck'), at('pelvis')
    ends = []
    for side in body.SIDES:
      hip, knee, ankle = (at(f'{side}_{name}') for name in ('hip', 'knee', 'ankle'))
      ends.append(hip + leg * (knee - hip) if leg <= 1 else knee + (leg - 1) * (ankle - knee))
    top, bottom = pelvis + 0.12 * (neck - pelvis), (ends[0] + ends[1]) / 2
    axis = bottom - top
    normal = facing * np.array((axis[1], -axis[0])) / max(float(np.hypot(*axis)), 1e-3)
    spread = float(abs((ends[0] - ends[1]) @ normal)) / 2
    part, share = (self._thigh, leg) if leg <= 1 else (self._shank, leg - 1)
    place = min(int(share * (solids.PLACES - 1)), solids.PLACES - 1)
    trunk = int(0.9 * (solids.PLACES - 1))
    hem = spread + px * np.float32(self._look.girth_m * ease)
    slack = px * np.float32(self._look.girth_m * 0.004)
    sides = []
    for body_part, limb in zip(self._top, part, strict=True):
      # Straight from the seat to the hem, over the thigh's own swell.
      sides.append(
        px * body_part[trunk] + slack + _RAMP * (hem + px * limb[place] - px * body_part[trunk])
      )
    canvas.add(
      top, bottom, sides[0], sides[1], cloth, facing=facing, flat_start=True, flat_end=True
    )

  def _torso(self, canvas, at, size, facing, near, far) -> None:
    clothes, look = self._clothes, self._look
    px = size('pelvis')
    neck, pelvis, vertex = at('neck'), at('pelvis'), at('head')
    skin = self._cloth(look.skin)
    canvas.new_group()
    throat = np.full(solids.PLACES, 0.031 * look.girth_m * px, np.float32)
    up = (vertex - neck) / max(float(np.hypot(*(vertex - neck))), 1e-3)
    jaw = vertex - up * (look.head_m * 0.7 * px)
    canvas.add(jaw, neck, throat, throat, skin, facing=facing, shade=0.85)
    canvas.new_group()
    cloth = self._cloth(
      clothes.top_colour,
      clothes.second_colour,
      clothes.pattern,
      max(float(clothes.stripe_m * px), 3.0),
      clothes.wrinkle,
    )
    hem = max(clothes.top_hem, 0.0)
    front, back = (px * _upto(r, 1 - hem) for r in self._top)
    if clothes.top_hem < 0:
      length = float(np.hypot(*(neck - pelvis)))
      thigh = float(np.hypot(*(at(f'{near}_knee') - at(f'{near}_hip'))))
      self._drape(
        canvas,
        at,
        size,
        facing,
        cloth,
        min(-clothes.top_hem * length / max(thigh, 1.0), 0.95),
        clothes.top_ease,
      )
    canvas.add(
      neck, pelvis + hem * (neck - pelvis), front, back, cloth, facing=facing, flat_end=True
    )
    yoke = np.full(solids.PLACES, (0.032 + clothes.top_ease) * look.girth_m * px, np.float32)
    canvas.add(
      at(f'{far}_shoulder'),
      at(f'{near}_shoulder'),
      yoke,
      yoke,
      self._cloth(clothes.top_colour),
      facing=facing,
    )

  def _arm(self, canvas, at, size, facing, side, shade) -> None:
    clothes = self._clothes
    shoulder, elbow, wrist, hand = (
      at(f'{side}_{name}') for name in ('shoulder', 'elbow', 'wrist', 'hand')
    )
    px = size(f'{side}_elbow')
    skin = self._cloth(self._look.skin, gloss=0.03)
    canvas.new_group()
    canvas.add(wrist, hand, *(px * r for r in self._hand), skin, facing=facing, shade=shade)
    if clothes.sleeve < 1.95:
      canvas.add(elbow, wrist, *(px * r for r in self._forearm), skin, facing=facing, shade=shade)
      canvas.add(
        shoulder, elbow, *(px * r for r in self._upper_arm), skin, facing=facing, shade=shade
      )
    canvas.new_group()
    # Patterns look torn on thin sleeves that move against the trunk: sleeves are plain or striped.
    striped = clothes.pattern == 'stripes'
    cloth = self._cloth(
      clothes.top_colour,
      clothes.second_colour,
      'stripes' if striped else 'plain',
      max(float(clothes.stripe_m * px), 3.0),
      clothes.wrinkle,
    )
    for (start, end), cover in zip(((shoulder, elbow), (elbow, wrist)), self._sleeve, strict=True):
      if cover is None:
        continue
      share, front, back = cover
      canvas.add(
        start,
        start + share * (end - start),
        px * front,
        px * back,
        cloth,
        facing=facing,
        shade=shade,
        flat_end=share != 1 or start is elbow,
      )

  def _head(self, canvas, at, size, facing) -> None:
    look, clothes = self._look, self._clothes
    px = size('head')
    vertex, neck = at('head'), at('neck')
    tall = np.float32(look.head_m * px)
    down = (neck - vertex) / max(float(np.hypot(*(neck - vertex))), 1e-3)
    ahead = facing * np.array((down[1], -down[0]))
    chin = vertex + down * tall
    wide = np.float32(tall * look.head_wide)
    place = lambda along, across: vertex + down * (along * tall) + ahead * (across * wide)
    skin, hair = self._cloth(look.skin, gloss=0.04), self._cloth(look.hair, wrinkle=0.12)
    flat = lambda r: np.full(solids.PLACES, r * tall, np.float32)
    style = look.hair_style
    canvas.new_group()
    if style in ('long', 'scarf'):  # what falls behind the neck
      fall = hair if style == 'long' else self._cloth(clothes.cap, wrinkle=0.1)
      canvas.add(place(0.5, -0.2), place(1.25, -0.22), flat(0.2), flat(0.26), fall, facing=facing)
      canvas.new_group()
    elif style == 'ponytail':
      canvas.add(place(0.4, -0.5), place(1.1, -0.62), flat(0.07), flat(0.09), hair, facing=facing)
    elif style == 'bun':
      canvas.add(place(0.2, -0.45), place(0.25, -0.5), flat(0.15), flat(0.15), hair, facing=facing)
    canvas.add(vertex, chin, wide * _FACE, wide * _SKULL, skin, facing=facing, flat_start=True)
    dark = self._cloth((0.4 * look.skin[0], 0.35 * look.skin[1], 0.35 * look.skin[2]))
    if tall > 40:  # smaller than that, eye and mouth are less than a pixel
      canvas.new_group()
      canvas.add(place(0.5, 0.29), place(0.5, 0.34), flat(0.025), flat(0.025), dark, facing=facing)
      canvas.add(place(0.82, 0.3), place(0.82, 0.38), flat(0.012), flat(0.012), dark, facing=facing)
    canvas.new_group()
    if style == 'scarf':
      canvas.add(
        vertex - 0.03 * tall * down,
        place(1.1, 0),
        wide * _SCARF_FRONT,
        wide * _HAIR_LONG,
        self._cloth(clothes.cap, wrinkle=0.08),
        facing=facing,
        flat_start=True,
      )
      return
    if style == 'bald':
      pass
    elif style == 'cap':
      cap = self._cloth(clothes.cap)
      half = lambda radii: np.where(_RAMP < 0.42, 1.06 * radii, np.float32(-1))
      canvas.add(
        vertex - 0.03 * tall * down,
        chin,
        wide * half(_FACE),
        wide * half(_SKULL),
        cap,
        facing=facing,
        flat_start=True,
      )
      canvas.add(
        place(0.33, 0.3), place(0.38, 0.68), flat(0.035), flat(0.035), cap, facing=facing, shade=0.9
      )
      back = np.where(_RAMP > 0.36, _HAIR_BACK, np.float32(-1))
      canvas.add(
        vertex,
        chin,
        wide * _HAIR_FRONT * (_RAMP > 0.45) - (_RAMP <= 0.45),
        wide * back,
        hair,
        facing=facing,
      )
    else:
      grown = np.float32({'afro': 1.3}.get(style, 1.0))
      back = _HAIR_LONG if style == 'long' else _HAIR_BACK
      top = vertex - down * tall * (0.03 + 0.35 * (grown - 1))
      canvas.add(
        top,
        chin,
        wide * grown * _HAIR_FRONT,
        wide * grown * back,
        hair,
        facing=facing,
        flat_start=True,
      )
    if style != 'long':
      ear = self._cloth(look.skin)
      canvas.new_group()
      canvas.add(
        place(0.5, -0.03),
        place(0.62, -0.02),
        flat(0.06),
        flat(0.07),
        ear,
        facing=facing,
        shade=0.88,
      )


def _shadow_bones() -> tuple[tuple[int, int, float], ...]:
  bones = [('neck', 'pelvis', 0.06), ('head', 'neck', 0.05)]
  for side in body.SIDES:
    for a, b, r in (
      ('hip', 'knee', 0.048),
      ('knee', 'ankle', 0.03),
      ('heel', 'toe', 0.022),
      ('shoulder', 'elbow', 0.028),
      ('elbow', 'hand', 0.02),
    ):
      bones.append((f'{side}_{a}', f'{side}_{b}', r))
  return tuple((body.INDEX[a], body.INDEX[b], r) for a, b, r in bones)


# What throws the walker's shadow: first joint, second joint, mean radius in girths.
SHADOW_BONES = _shadow_bones()
