"""Shadows of the walker on the floor: the cast shadow, and the dark below feet and body."""

import dataclasses

import cv2
import numpy as np

from grfjax import conventions
from grfjax.synth import body, body_outlines
from grfjax.synth import camera as camera_lib
from grfjax.synth import room as room_lib

_POOL_M = 0.2  # half length of the dark patch below the body
_CONTACT_M = 0.16  # height of a sole above the floor from which it no longer darkens the floor


@dataclasses.dataclass(frozen=True)
class Shadow:
  """Soft dark strokes on the floor, in places of the image.

  Attributes:
    strokes: (n, 2, 2) first and last points, pixels.
    thickness: (n,) widths, pixels.
    darkness: share of the light that they take.
    blur: softness, pixels.
  """

  strokes: np.ndarray
  thickness: np.ndarray
  darkness: float
  blur: float

  def extent(self) -> tuple[np.ndarray, np.ndarray]:
    """Returns the lowest and highest (u, v) that may be darkened."""
    margin = 3 * self.blur + 0.5 * float(self.thickness.max()) + 2
    return self.strokes.min(axis=(0, 1)) - margin, self.strokes.max(axis=(0, 1)) + margin

  def darken(self, image: np.ndarray, origin: tuple[int, int]) -> None:
    """Darkens an image, (3, h, w) float32, whose first pixel is at `origin` (u, v) of the frame."""
    low, high = self.extent()
    u0, v0 = np.maximum(np.floor(low) - origin, 0).astype(int)
    u1, v1 = np.minimum(np.ceil(high) - origin, (image.shape[2], image.shape[1])).astype(int)
    if u0 >= u1 or v0 >= v1:
      return
    shrink = 2 if self.blur < 6 else 4  # soft shadows need few pixels
    size = (-(-int(u1 - u0) // shrink), -(-int(v1 - v0) // shrink))
    mask = np.zeros(size[::-1], np.uint8)
    # Ends are in sixteenths of a pixel; cv2 cannot draw from far outside.
    ends = (self.strokes - (u0 + origin[0], v0 + origin[1])) * (16 / shrink)
    ends = np.clip(np.rint(ends), -3e4, 3e4).astype(int)
    for (first, last), thickness in zip(ends.tolist(), self.thickness / shrink, strict=True):
      if thickness >= 0.5:
        cv2.line(mask, first, last, 255, max(round(thickness), 1), cv2.LINE_AA, 4)
    # The floor is seen at a flat angle, so that the blur is wider than high.
    blur = self.blur / shrink
    soft = cv2.GaussianBlur(mask, (0, 0), max(blur, 0.5), sigmaY=max(0.6 * blur, 0.4))
    soft = cv2.resize(soft, (size[0] * shrink, size[1] * shrink))[: v1 - v0, : u1 - u0]
    image[:, v0:v1, u0:u1] *= 1 - soft * np.float32(self.darkness / 255)


def cast_shadows(
  room: room_lib.Room,
  camera: camera_lib.Camera,
  girth_m: float,
  joints: np.ndarray,
) -> list[Shadow]:
  """Returns the shadows of a walker.

  Args:
    room: the room with its light.
    camera: the camera that sees the shadows.
    girth_m: the walker's `appearance.Appearance.girth_m`.
    joints: (J, 3) metres.
  """
  shadows = []

  def add(points, bones, darkness: float, soft_m: float) -> None:
    uv, scale = camera.project(points)
    px = float(scale.mean())
    # A limb's shadow on a floor seen at a flat angle is about 0.65 times as thick as the limb.
    thickness = np.array([1.3 * radius * girth_m * px for _, _, radius in bones])
    strokes = np.stack([uv[[first, last]] for first, last, _ in bones])
    shadows.append(Shadow(strokes, thickness, darkness, max(soft_m * px, 0.7)))

  toward_camera = float(np.sign(camera.position[1]))
  if room.shadow:
    right, up, near = room.sun
    sun = np.array((np.sign(camera.axes[0, 0]) * right, toward_camera * near, up))
    flat = joints - sun * (joints[:, 2:] / sun[2])
    # The shadow ends at the wall.
    flat[:, 1] = toward_camera * np.maximum(toward_camera * flat[:, 1], -room.wall_m)
    add(flat, body_outlines.SHADOW_BONES, room.shadow, room.shadow_soft_m)
  feet = joints * (1, 1, 0)
  if room.pool:
    middle = feet[body.INDEX['pelvis']]
    add(middle + np.array(((-_POOL_M, 0, 0), (_POOL_M, 0, 0))), ((0, 1, 0.05),), room.pool, 0.06)
  if room.contact:
    bones = []
    for side in conventions.LEGS:
      heel, toe = body.INDEX[f'{side}_heel'], body.INDEX[f'{side}_toe']
      for end in (heel, toe):
        bones.append((heel, toe, 0.03 * max(0.0, 1 - float(joints[end, 2]) / _CONTACT_M)))
    add(feet, bones, room.contact, 0.03)
  return shadows
