"""Lays a walker's head on a canvas: face, hair, hat or scarf."""

import numpy as np

from grfjax.synth import appearance, body_outlines, clothing, projected_walker, shaded_solids


def add_head(
  walker: projected_walker.ProjectedWalker,
  person: appearance.Appearance,
  clothes: clothing.Clothes,
  make_surface: projected_walker.SurfaceMaker,
) -> None:
  """Lays the head on the walker's canvas."""
  _HeadDrawing(walker, person, clothes, make_surface).draw()


class _HeadDrawing:
  """A head at one instant; arguments as of `add_head`."""

  def __init__(
    self,
    walker: projected_walker.ProjectedWalker,
    person: appearance.Appearance,
    clothes: clothing.Clothes,
    make_surface: projected_walker.SurfaceMaker,
  ):
    self._walker, self._person, self._clothes = walker, person, clothes
    self._make_surface = make_surface
    self._vertex, neck = walker.at('head'), walker.at('neck')
    offset = neck - self._vertex
    self._height = np.float32(person.head_m * walker.scale('head'))
    self._down = offset / max(float(np.hypot(*offset)), 1e-3)
    self._forward = walker.facing * np.array((self._down[1], -self._down[0]))
    self._chin = self._vertex + self._down * self._height
    self._depth = np.float32(self._height * person.head_wide)

  def _place(self, along: float, across: float) -> np.ndarray:
    """Returns the place at shares of the head's height from the vertex and of its depth forward."""
    return (
      self._vertex + self._down * (along * self._height) + self._forward * (across * self._depth)
    )

  def _add_blob(
    self,
    start: tuple[float, float],
    end: tuple[float, float],
    front: float,
    back: float,
    surface: shaded_solids.Surface,
    shade: float = 1.0,
  ) -> None:
    """Lays a solid with two radii, shares of the head's height, between places on the head."""
    self._walker.add(
      self._place(*start),
      self._place(*end),
      body_outlines.constant(front * self._height, back * self._height),
      surface,
      shade=shade,
    )

  def draw(self) -> None:
    """Lays the head on the canvas."""
    canvas, person = self._walker.canvas, self._person
    hair = self._make_surface(person.hair, wrinkle=0.12)
    canvas.new_group()
    self._add_behind_neck(hair)
    self._add_face()
    canvas.new_group()
    if person.hair_style == 'scarf':
      self._add_scarf()
      return
    if person.hair_style == 'cap':
      self._add_cap(hair)
    elif person.hair_style != 'bald':
      self._add_hair(hair)
    if person.hair_style != 'long':
      ear = self._make_surface(person.skin)
      canvas.new_group()
      self._add_blob((0.5, -0.03), (0.62, -0.02), 0.06, 0.07, ear, shade=0.88)

  def _add_behind_neck(self, hair: shaded_solids.Surface) -> None:
    """Lays the hair or cloth that falls or stands out behind the head."""
    style = self._person.hair_style
    if style in ('long', 'scarf'):
      scarf = style == 'scarf'
      surface = self._make_surface(self._clothes.cap, wrinkle=0.1) if scarf else hair
      self._add_blob((0.5, -0.2), (1.25, -0.22), 0.2, 0.26, surface)
      self._walker.canvas.new_group()
    elif style == 'ponytail':
      self._add_blob((0.4, -0.5), (1.1, -0.62), 0.07, 0.09, hair)
    elif style == 'bun':
      self._add_blob((0.2, -0.45), (0.25, -0.5), 0.15, 0.15, hair)

  def _add_face(self) -> None:
    skin = self._make_surface(self._person.skin, gloss=0.04)
    self._walker.add(
      self._vertex,
      self._chin,
      body_outlines.scaled((body_outlines.FACE, body_outlines.SKULL), self._depth),
      skin,
      flat_start=True,
    )
    if self._height > 40:  # in a smaller head, eye and mouth are less than a pixel
      r, g, b = self._person.skin
      dark = self._make_surface((0.4 * r, 0.35 * g, 0.35 * b))
      self._walker.canvas.new_group()
      self._add_blob((0.5, 0.29), (0.5, 0.34), 0.025, 0.025, dark)
      self._add_blob((0.82, 0.3), (0.82, 0.38), 0.012, 0.012, dark)

  def _add_scarf(self) -> None:
    self._walker.add(
      self._vertex - 0.03 * self._height * self._down,
      self._place(1.1, 0),
      body_outlines.scaled((body_outlines.SCARF_FRONT, body_outlines.HAIR_LONG), self._depth),
      self._make_surface(self._clothes.cap, wrinkle=0.08),
      flat_start=True,
    )

  def _add_cap(self, hair: shaded_solids.Surface) -> None:
    along = body_outlines.ALONG
    cap = self._make_surface(self._clothes.cap)
    upper_half = lambda radii: np.where(along < 0.42, 1.06 * radii, np.float32(-1))
    self._walker.add(
      self._vertex - 0.03 * self._height * self._down,
      self._chin,
      (
        self._depth * upper_half(body_outlines.FACE),
        self._depth * upper_half(body_outlines.SKULL),
      ),
      cap,
      flat_start=True,
    )
    self._add_blob((0.33, 0.3), (0.38, 0.68), 0.035, 0.035, cap, shade=0.9)
    back = np.where(along > 0.36, body_outlines.HAIR_BACK, np.float32(-1))
    front = self._depth * body_outlines.HAIR_FRONT * (along > 0.45) - (along <= 0.45)
    self._walker.add(self._vertex, self._chin, (front, self._depth * back), hair)

  def _add_hair(self, hair: shaded_solids.Surface) -> None:
    style = self._person.hair_style
    size = np.float32({'afro': 1.3}.get(style, 1.0))
    back = body_outlines.HAIR_LONG if style == 'long' else body_outlines.HAIR_BACK
    self._walker.add(
      self._vertex - self._down * self._height * (0.03 + 0.35 * (size - 1)),
      self._chin,
      body_outlines.scaled((body_outlines.HAIR_FRONT, back), self._depth * size),
      hair,
      flat_start=True,
    )
