"""What a walker takes of the floor's light: the cast shadow and the dark below the feet."""

import dataclasses

import cv2
import numpy as np

from grfjax.synth import body, figure
from grfjax.synth import camera as camera_lib
from grfjax.synth import room as room_lib

_POOL_M = 0.2  # half length of the dim patch below the body
_NEAR_M = 0.16  # a sole this high above the floor no longer darkens it


@dataclasses.dataclass(frozen=True)
class Blot:
  """Soft dark strokes on the floor, as seen in the image.

  Attributes:
    strokes: (n, 2, 2) first and last points, pixels.
    thick: (n,) widths, pixels.
    dark: share of the light that they take.
    blur: softness, pixels.
  """

  strokes: np.ndarray
  thick: np.ndarray
  dark: float
  blur: float

  def extent(self) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest (u, v) that may be darkened."""
    margin = 3 * self.blur + 0.5 * float(self.thick.max()) + 2
    return self.strokes.min(axis=(0, 1)) - margin, self.strokes.max(axis=(0, 1)) + margin

  def darken(self, image: np.ndarray, origin: tuple[int, int]) -> None:
    """Darken `image`, (3, h, w) float32 whose first pixel is `origin` (u, v) of the frame."""
    low, high = self.extent()
    u0, v0 = np.maximum(np.floor(low) - origin, 0).astype(int)
    u1, v1 = np.minimum(np.ceil(high) - origin, (image.shape[2], image.shape[1])).astype(int)
    if u0 >= u1 or v0 >= v1:
      return
    shrink = 2 if self.blur < 6 else 4  # soft things need few pixels
    size = (-(-int(u1 - u0) // shrink), -(-int(v1 - v0) // shrink))
    mask = np.zeros(size[::-1], np.uint8)
    # Ends in sixteenths of a pixel; cv2 cannot draw from far outside.
    ends = (self.strokes - (u0 + origin[0], v0 + origin[1])) * (16 / shrink)
    ends = np.clip(np.rint(ends), -3e4, 3e4).astype(int)
    for (first, last), thick in zip(ends.tolist(), self.thick / shrink, strict=True):
      if thick >= 0.5:
        cv2.line(mask, first, last, 255, max(round(thick), 1), cv2.LINE_AA, 4)
    # The floor is seen at a flat angle, so blur is deeper across than up.
    blur = self.blur / shrink
    soft = cv2.GaussianBlur(mask, (0, 0), max(blur, 0.5), sigmaY=max(0.6 * blur, 0.4))
    soft = cv2.resize(soft, (size[0] * shrink, size[1] * shrink))[: v1 - v0, : u1 - u0]
    image[:, v0:v1, u0:u1] *= 1 - soft * np.float32(self.dark / 255)


def cast(
  room: room_lib.Room,
  camera: camera_lib.Camera,
  girth_m: float,
  joints: np.ndarray,
) -> list[Blot]:
  """The shadows of joints (J, 3), metres."""
  blots = []

  def blot(points, bones, dark: float, soft_m: float) -> None:
    uv, scale = camera.project(points)
    px = float(scale.mean())
    # A limb's shadow on a floor seen at a flat angle is about 0.65 times as thick as the limb.
    thick = np.array([1.3 * radius * girth_m * px for _, _, radius in bones])
    strokes = np.stack([uv[[first, last]] for first, last, _ in bones])
    blots.append(Blot(strokes, thick, dark, max(soft_m * px, 0.7)))

  toward_camera = float(np.sign(camera.position[1]))
  if room.shadow:
    right, up, near = room.sun
    sun = np.array((np.sign(camera.axes[0, 0]) * right, toward_camera * near, up))
    flat = joints - sun * (joints[:, 2:] / sun[2])
    # It ends at the wall.
    flat[:, 1] = toward_camera * np.maximum(toward_camera * flat[:, 1], -room.wall_m)
    blot(flat, figure.SHADOW_BONES, room.shadow, room.shadow_soft_m)
  feet = joints * (1, 1, 0)
  if room.pool:
    middle = feet[body.INDEX['pelvis']]
    blot(middle + np.array(((-_POOL_M, 0, 0), (_POOL_M, 0, 0))), ((0, 1, 0.05),), room.pool, 0.06)
  if room.contact:
    bones = []
    for side in body.SIDES:
      heel, toe = body.INDEX[f'{side}_heel'], body.INDEX[f'{side}_toe']
      for end in (heel, toe):
        bones.append((heel, toe, 0.03 * max(0.0, 1 - float(joints[end, 2]) / _NEAR_M)))
    blot(feet, bones, room.contact, 0.03)
  return blots
