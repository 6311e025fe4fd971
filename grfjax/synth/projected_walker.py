"""A walker's joints in the picture, with the canvas on which the body is laid."""

from typing import Protocol

import numpy as np

from grfjax.synth import body, body_outlines, colours, shaded_solids


class SurfaceMaker(Protocol):
  """Makes the surface of a solid in the light of the picture; see `shaded_solids.Surface`."""

  def __call__(
    self,
    colour: colours.Colour,
    second: colours.Colour | None = None,
    pattern: str = 'plain',
    period: float = 10.0,
    wrinkle: float = 0.0,
    gloss: float = 0.0,
  ) -> shaded_solids.Surface: ...


class ProjectedWalker:
  """One instant of a walk in the picture.

  Attributes:
    canvas: where solids are added.
    facing: +1 when the walker faces right in the image, -1 left.
    near, far: the sides of the body nearer to the camera and farther from it, 'left' or 'right'.
  """

  def __init__(
    self,
    canvas: shaded_solids.Canvas,
    uv: np.ndarray,
    scale: np.ndarray,
    facing: int,
    near: str,
  ):
    """Takes joints (J, 2) in pixels of the whole frame, and (J,) pixels per metre at each."""
    self.canvas, self.facing = canvas, facing
    self.near, self.far = near, 'right' if near == 'left' else 'left'
    self._uv, self._scale = uv, scale

  def at(self, joint: str) -> np.ndarray:
    """Returns the place of a joint, (2,) pixels."""
    return self._uv[body.INDEX[joint]]

  def scale(self, joint: str) -> np.float32:
    """Returns pixels per metre at a joint."""
    return np.float32(self._scale[body.INDEX[joint]])

  def add(
    self,
    start: np.ndarray,
    end: np.ndarray,
    outline: body_outlines.Outline,
    surface: shaded_solids.Surface,
    *,
    shade: float = 1.0,
    flat_start: bool = False,
    flat_end: bool = False,
  ) -> None:
    """Adds a solid with an outline in pixels; else as `shaded_solids.Canvas.add`."""
    self.canvas.add(
      start,
      end,
      *outline,
      surface,
      facing=self.facing,
      shade=shade,
      flat_start=flat_start,
      flat_end=flat_end,
    )
