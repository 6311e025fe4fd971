"""A pinhole camera beside the walkway."""

import dataclasses

import numpy as np

HEIGHT_M = 1.0  # over the floor, and
DISTANCE_M = 3.5  # from the plates' centre: Mochizuki et al.'s set-up


@dataclasses.dataclass(frozen=True)
class Camera:
  """Pinhole camera; pixel centres at integers, the axis through the image's middle.

  Attributes:
    position: (3,) metres, walkway axes (x along the walk, y to the walker's left, z up).
    axes: (3, 3), rows: the image's right, the image's down, the viewing direction.
    focal_px: focal length, pixels.
    width, height: of the image, pixels.
  """

  position: np.ndarray
  axes: np.ndarray
  focal_px: float
  width: int
  height: int

  def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points to the image: (..., 3) metres -> (..., 2) pixels right and down, (...) pixels / metre.

    A point behind the camera is treated as if it lay 0.1 m in front of it.
    """
    seen = (points - self.position) @ self.axes.T
    scale = self.focal_px / np.maximum(seen[..., 2], 0.1)
    middle = np.array((self.width - 1, self.height - 1)) / 2
    return middle + seen[..., :2] * scale[..., None], scale

  def rays(self) -> np.ndarray:
    """(H, W, 3) float32: each pixel's direction, not of unit length."""
    u = (np.arange(self.width) - (self.width - 1) / 2) / self.focal_px
    v = (np.arange(self.height) - (self.height - 1) / 2) / self.focal_px
    right, down, forward = self.axes
    rays = u[None, :, None] * right + v[:, None, None] * down + forward
    return rays.astype(np.float32)


def beside(
  side: str,
  width: int,
  height: int,
  focal: float,
  *,
  offset_m: tuple[float, float, float] = (0, 0, 0),
  turn: tuple[float, float, float] = (0, 0, 0),
) -> Camera:
  """The camera at the walker's left or right, looking across the walkway.

  Args:
    side: 'left' (y > 0: the walker goes to the image's left) or 'right'.
    width: of the image, pixels.
    height: likewise.
    focal: focal length over image width.
    offset_m: error of position: along the walk, away from the walkway, up.
    turn: errors of direction, radians: to the image's right, upward, roll (clockwise camera).

  Raises:
    ValueError: no such side.
  """
  if side not in ('left', 'right'):
    raise ValueError(f'camera side {side!r}: not left or right')
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
