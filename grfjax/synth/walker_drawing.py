"""Lays a walker's body and clothes on a canvas, back to front, from projected joints."""

from typing import NamedTuple

import numpy as np

from grfjax import conventions
from grfjax.synth import (
  appearance,
  body_outlines,
  clothing,
  colours,
  head_drawing,
  projected_walker,
  shaded_solids,
)


class _Cover(NamedTuple):
  """The cloth over a part of a limb.

  Attributes:
    share: how much of the part is covered, from its first joint on.
    outline: radii of the cloth, metres.
  """

  share: float
  outline: body_outlines.Outline


class WalkerDrawing:
  """One person in the clothes of one trial."""

  def __init__(
    self,
    person: appearance.Appearance,
    clothes: clothing.Clothes,
    tint: np.ndarray,
    far_shade: float,
  ):
    """Prepares the outlines.

    Args:
      person: the person.
      clothes: what the person wears.
      tint: (3,) colour of the light and exposure of the camera, factors on every colour.
      far_shade: brightness of the leg and the arm in the body's shadow.
    """
    self._person, self._clothes, self._tint, self._far_shade = person, clothes, tint, far_shade
    limb = np.float32(person.girth_m * person.limbs)
    girth = np.float32(person.girth_m)
    self._thigh, self._shank = (
      body_outlines.scaled(body_outlines.THIGH, limb),
      body_outlines.scaled(body_outlines.SHANK, limb),
    )
    self._upper_arm, self._forearm = (
      body_outlines.scaled(body_outlines.UPPER_ARM, limb),
      body_outlines.scaled(body_outlines.FOREARM, limb),
    )
    self._hand = body_outlines.scaled(body_outlines.HAND, girth)
    trunk = self._trunk()
    ease = np.float32(girth * clothes.top_ease)
    self._top = trunk[0] + ease, trunk[1] + ease
    waist = np.float32(girth * min(clothes.leg_ease, 0.006))
    front, back = (body_outlines.first_part(r[::-1], 0.3)[::-1] + waist for r in trunk)
    self._pelvis = front, back
    self._sleeve = [
      self._cover(part, start, clothes.sleeve, clothes.top_ease * 0.8, clothes.top_ease * 1.1)
      for start, part in enumerate((self._upper_arm, self._forearm))
    ]
    self._trouser_leg = [
      self._cover(part, start, clothes.leg, clothes.leg_ease, clothes.hem_ease)
      for start, part in enumerate((self._thigh, self._shank))
    ]

  def _trunk(self) -> body_outlines.Outline:
    """Returns the outlines of the trunk, metres."""
    person, outlines = self._person, body_outlines
    trunk = np.float32(person.girth_m * person.trunk)
    belly = 1 + np.float32(person.belly - 1) * outlines.BELLY
    bust = np.float32(person.bust) * outlines.BUST
    seat = 1 + np.float32(person.hips - 1) * outlines.SEAT
    return trunk * (outlines.TRUNK[0] * belly + bust), trunk * (outlines.TRUNK[1] * seat)

  def _cover(
    self, part: body_outlines.Outline, start: int, end: float, ease: float, hem_ease: float
  ) -> _Cover | None:
    """Returns the cloth over a part of a limb; None where it ends before the part.

    Args:
      part: outlines of the part, metres.
      start: 0 for the upper part of the limb, 1 for the lower.
      end: where the cloth ends: 1 at the end of the upper part, 2 at the end of the lower.
      ease: distance of the cloth from the skin at the beginning of the limb, in girths.
      hem_ease: the same at the hem.
    """
    share = min(end - start, 1.0) if start == 0 else end - start
    if share <= 0.02:
      return None
    distance = ease + (hem_ease - ease) * ((start + share * body_outlines.ALONG) / end) ** 2
    distance = np.float32(self._person.girth_m) * distance.astype(np.float32)
    front, back = (body_outlines.first_part(r, share) + distance for r in part)
    return _Cover(share, (front, back))

  def _surface(
    self,
    colour: colours.Colour,
    second: colours.Colour | None = None,
    pattern: str = 'plain',
    period: float = 10.0,
    wrinkle: float = 0.0,
    gloss: float = 0.0,
  ) -> shaded_solids.Surface:
    tinted = lambda c: (np.asarray(c) * self._tint).astype(np.float32)
    return shaded_solids.Surface(
      tinted(colour), tinted(second or colour), pattern, period, wrinkle, gloss
    )

  def draw(self, walker: projected_walker.ProjectedWalker) -> None:
    """Lays the walker on its canvas, the far side first."""
    self._add_arm(walker, walker.far, self._far_shade)
    self._add_legs(walker)
    self._add_torso(walker)
    head_drawing.add_head(walker, self._person, self._clothes, self._surface)
    self._add_arm(walker, walker.near, 1.0)

  def _add_legs(self, walker: projected_walker.ProjectedWalker) -> None:
    clothes = self._clothes
    cloth = self._surface(clothes.bottom_colour, wrinkle=clothes.wrinkle)
    skirt = clothes.bottom == 'skirt'
    for side, shade in ((walker.far, self._far_shade), (walker.near, 1.0)):
      px = walker.scale(f'{side}_knee')
      hip, knee, ankle = (walker.at(f'{side}_{name}') for name in ('hip', 'knee', 'ankle'))
      skin = self._surface(self._person.skin, gloss=0.04)
      if clothes.bottom == 'tights_shorts':
        skin = self._surface(clothes.sock)
      walker.canvas.new_group()
      if clothes.leg < 1.9 or skirt:
        walker.add(knee, ankle, body_outlines.scaled(self._shank, px), skin, shade=shade)
        walker.add(hip, knee, body_outlines.scaled(self._thigh, px), skin, shade=shade)
      self._add_shoe(walker, side, shade)
      walker.canvas.new_group()
      if skirt:
        continue
      if side == walker.near:
        self._add_hips(walker, cloth)
      for (start, end), cover in zip(((hip, knee), (knee, ankle)), self._trouser_leg, strict=True):
        _add_cover(walker, start, end, cover, px, cloth, shade, hem=start is knee)
    if skirt:
      self._add_hips(walker, cloth)
      self._add_drape(walker, cloth, clothes.leg, clothes.hem_ease)

  def _add_shoe(self, walker: projected_walker.ProjectedWalker, side: str, shade: float) -> None:
    clothes = self._clothes
    heel, toe, ankle = (walker.at(f'{side}_{name}') for name in ('heel', 'toe', 'ankle'))
    px = walker.scale(f'{side}_heel')
    knee = walker.at(f'{side}_knee')
    foot = toe - heel
    length = np.float32(np.hypot(*foot))
    instep = heel + 0.3 * foot + 0.45 * (ankle - (heel + 0.3 * foot))
    sock = self._surface(clothes.sock)
    ankle_radius = 0.021 * self._person.girth_m * px
    ankle_outline = body_outlines.constant(ankle_radius, ankle_radius)
    walker.canvas.new_group()
    sock_start = ankle + 0.12 * (knee - ankle)
    walker.add(sock_start, instep, ankle_outline, sock, shade=shade, flat_start=True)
    walker.canvas.new_group()
    shoe = self._surface(
      clothes.shoe, clothes.sole, 'sole', float(length * clothes.sole_share), gloss=0.05
    )
    if clothes.boot:
      shaft = body_outlines.scaled(ankle_outline, np.float32(1.25))
      shaft_start = ankle + clothes.boot * (knee - ankle)
      leather = self._surface(clothes.shoe, gloss=0.05)
      walker.add(shaft_start, instep, shaft, leather, shade=shade, flat_start=True)
    # The foot turns with heel and toe: its upper side is the front side of the solid.
    outline = length * body_outlines.SHOE_UPPER, length * body_outlines.SOLE
    walker.add(heel, toe, outline, shoe, shade=shade)

  def _add_hips(
    self, walker: projected_walker.ProjectedWalker, cloth: shaded_solids.Surface
  ) -> None:
    neck, pelvis = walker.at('neck'), walker.at('pelvis')
    px = walker.scale('pelvis')
    waist = pelvis + 0.3 * (neck - pelvis)
    walker.add(waist, pelvis, body_outlines.scaled(self._pelvis, px), cloth, flat_start=True)

  def _add_drape(
    self,
    walker: projected_walker.ProjectedWalker,
    cloth: shaded_solids.Surface,
    leg: float,
    ease: float,
  ) -> None:
    """Lays cloth around both thighs, from the hips to `leg` (1 knee, 2 ankle)."""
    px = walker.scale('pelvis')
    neck, pelvis = walker.at('neck'), walker.at('pelvis')
    ends = []
    for side in conventions.LEGS:
      hip, knee, ankle = (walker.at(f'{side}_{name}') for name in ('hip', 'knee', 'ankle'))
      ends.append(hip + leg * (knee - hip) if leg <= 1 else knee + (leg - 1) * (ankle - knee))
    top, bottom = pelvis + 0.12 * (neck - pelvis), (ends[0] + ends[1]) / 2
    axis = bottom - top
    normal = walker.facing * np.array((axis[1], -axis[0])) / max(float(np.hypot(*axis)), 1e-3)
    spread = float(abs((ends[0] - ends[1]) @ normal)) / 2
    part, share = (self._thigh, leg) if leg <= 1 else (self._shank, leg - 1)
    last = shaded_solids.PLACES - 1
    limb_place, trunk_place = min(int(share * last), last), int(0.9 * last)
    hem = spread + px * np.float32(self._person.girth_m * ease)
    slack = px * np.float32(self._person.girth_m * 0.004)
    radii = []
    for trunk, limb in zip(self._top, part, strict=True):
      # Straight from the seat to the hem, outside the swell of the thigh.
      hem_change = hem + px * limb[limb_place] - px * trunk[trunk_place]
      radii.append(px * trunk[trunk_place] + slack + body_outlines.ALONG * hem_change)
    walker.add(top, bottom, (radii[0], radii[1]), cloth, flat_start=True, flat_end=True)

  def _add_torso(self, walker: projected_walker.ProjectedWalker) -> None:
    clothes, person = self._clothes, self._person
    px = walker.scale('pelvis')
    neck, pelvis, vertex = walker.at('neck'), walker.at('pelvis'), walker.at('head')
    skin = self._surface(person.skin)
    walker.canvas.new_group()
    throat_radius = 0.031 * person.girth_m * px
    throat = body_outlines.constant(throat_radius, throat_radius)
    up = (vertex - neck) / max(float(np.hypot(*(vertex - neck))), 1e-3)
    jaw = vertex - up * (person.head_m * 0.7 * px)
    walker.add(jaw, neck, throat, skin, shade=0.85)
    walker.canvas.new_group()
    cloth = self._top_surface(clothes.pattern, px)
    hem = max(clothes.top_hem, 0.0)
    front, back = (px * body_outlines.first_part(r, 1 - hem) for r in self._top)
    if clothes.top_hem < 0:
      length = float(np.hypot(*(neck - pelvis)))
      thigh = float(np.hypot(*(walker.at(f'{walker.near}_knee') - walker.at(f'{walker.near}_hip'))))
      leg = min(-clothes.top_hem * length / max(thigh, 1.0), 0.95)
      self._add_drape(walker, cloth, leg, clothes.top_ease)
    walker.add(neck, pelvis + hem * (neck - pelvis), (front, back), cloth, flat_end=True)
    yoke_radius = (0.032 + clothes.top_ease) * person.girth_m * px
    yoke = body_outlines.constant(yoke_radius, yoke_radius)
    far_shoulder, near_shoulder = (
      walker.at(f'{side}_shoulder') for side in (walker.far, walker.near)
    )
    walker.add(far_shoulder, near_shoulder, yoke, self._surface(clothes.top_colour))

  def _top_surface(self, pattern: str, px: np.float32) -> shaded_solids.Surface:
    clothes = self._clothes
    period = max(float(clothes.stripe_m * px), 3.0)
    return self._surface(
      clothes.top_colour, clothes.second_colour, pattern, period, clothes.wrinkle
    )

  def _add_arm(self, walker: projected_walker.ProjectedWalker, side: str, shade: float) -> None:
    clothes = self._clothes
    shoulder, elbow, wrist, hand = (
      walker.at(f'{side}_{name}') for name in ('shoulder', 'elbow', 'wrist', 'hand')
    )
    px = walker.scale(f'{side}_elbow')
    skin = self._surface(self._person.skin, gloss=0.03)
    walker.canvas.new_group()
    walker.add(wrist, hand, body_outlines.scaled(self._hand, px), skin, shade=shade)
    if clothes.sleeve < 1.95:
      walker.add(elbow, wrist, body_outlines.scaled(self._forearm, px), skin, shade=shade)
      walker.add(shoulder, elbow, body_outlines.scaled(self._upper_arm, px), skin, shade=shade)
    walker.canvas.new_group()
    # Patterns look torn on thin sleeves that move against the trunk: sleeves are plain or striped.
    cloth = self._top_surface('stripes' if clothes.pattern == 'stripes' else 'plain', px)
    for (start, end), cover in zip(((shoulder, elbow), (elbow, wrist)), self._sleeve, strict=True):
      _add_cover(walker, start, end, cover, px, cloth, shade, hem=start is elbow)


def _add_cover(
  walker: projected_walker.ProjectedWalker,
  start: np.ndarray,
  end: np.ndarray,
  cover: _Cover | None,
  px: np.float32,
  cloth: shaded_solids.Surface,
  shade: float,
  hem: bool,
) -> None:
  """Lays cloth over the part of a limb from start to end; `hem`: it always ends with a hem."""
  if cover is None:
    return
  walker.add(
    start,
    start + cover.share * (end - start),
    body_outlines.scaled(cover.outline, px),
    cloth,
    shade=shade,
    flat_end=cover.share != 1 or hem,
  )
