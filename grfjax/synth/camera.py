"""A pinhole camera beside the walkway: it turns places of the motion into places of a picture."""

import dataclasses

import numpy as np

from grfjax import conventions

# The set-up of Mochizuki et al.: height over the floor, and distance from the plates' centre.
HEIGHT_M = 1.0
DISTANCE_M = 3.5


@dataclasses.dataclass(frozen=True)
class Camera:
  """A pinhole camera; pixel centres are at integers, the axis goes through the image's middle.

  Attributes:
    position: (3,) metres, in axes of the walk (x forward, y to the walker's left, z up).
    axes: (3, 3), its rows are the image's right, the image's down, and the viewing direction.
    focal_px: focal length, pixels.
    width, height: size of the image, pixels.
  """

  position: np.ndarray
  axes: np.ndarray
  focal_px: float
  width: int
  height: int

  def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Projects points onto the image.

    A point behind the camera is treated as if it lay 0.1 m in front of it.

    Args:
      points: (..., 3) metres.

    Returns:
      (..., 2) pixels right and down; (...) pixels per metre.
    """
    in_camera = (points - self.position) @ self.axes.T
    scale = self.focal_px / np.maximum(in_camera[..., 2], 0.1)
    middle = np.array((self.width - 1, self.height - 1)) / 2
    return middle + in_camera[..., :2] * scale[..., None], scale

  def rays(self) -> np.ndarray:
    """Returns each pixel's direction, (H, W, 3) float32, not of unit length."""
    u = (np.arange(self.width) - (self.width - 1) / 2) / self.focal_px
    v = (np.arange(self.height) - (self.height - 1) / 2) / self.focal_px
    right, down, forward = self.axes
    rays = u[None, :, None] * right + v[:, None, None] * down + forward
    return rays.astype(np.float32)


def beside_walkway(
  side: str,
  width: int,
  height: int,
  focal: float,
  *,
  offset_m: tuple[float, float, float] = (0, 0, 0),
  turn: tuple[float, float, float] = (0, 0, 0),
) -> Camera:
  """Returns a camera at the walker's left or right that looks across the walkway.

  Args:
    side: 'left' (y > 0: the walker goes to the image's left) or 'right'.
    width: width of the image, pixels.
    height: height of the image, pixels.
    focal: focal length over image width.
    offset_m: errors of position: along the walk, away from the walkway, up.
    turn: errors of direction, radians: to the image's right, upward, roll (clockwise camera).

  Raises:
    ValueError: `side` is neither.
  """
  if side not in conventions.LEGS:
    raise ValueError(f'camera side {side!r}: neither left nor right')
  sign = 1.0 if side == 'left' else -1.0
  right = np.array((-sign, 0, 0))
  down = np.array((0, 0, -1.0))
  forward = np.array((0, -sign, 0))
  yaw, pitch, roll = turn
  forward, right = (
    np.cos(yaw) * forward + np.sin(yaw) * right,
    np.cos(yaw) * right - np.sin(yaw) * forward,
  )
  forward, down = (
    np.cos(pitch) * forward - np.sin(pitch) * down,
    np.cos(pitch) * down + np.sin(pitch) * forward,
  )
  right, down = (
    np.cos(roll) * right + np.sin(roll) * down,
    np.cos(roll) * down - np.sin(roll) * right,
  )
  position = np.array((offset_m[0], sign * (DISTANCE_M + offset_m[1]), HEIGHT_M + offset_m[2]))
  return Camera(position, np.stack((right, down, forward)), focal * width, width, height)
