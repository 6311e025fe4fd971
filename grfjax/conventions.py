"""The conventions that every part shares: legs, gravity, the contact threshold, and axes.

Forces are the ground's reaction on the body. They occur in four systems of axes:

    plates   (x forward along the walk, y to the walker's left, z up): force files, plate forces
    camera   (vertical, forward, towards the near side): records, labels and the network's output
    walker   (vertical, forward, to the walker's left): force curves of a video, and their files
    OpenSim  (x forward, y up, z to the walker's right): external force files (.mot)

A leg is called left or right, or, as the camera sees it, near or far: near is the leg on the side
on which the camera stands.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LEGS = ('left', 'right')
# What files call them, in small letters.
LEG_NAMES = {'left': 'left', 'l': 'left', 'right': 'right', 'r': 'right'}
CAMERA_AXES = ('vertical', 'forward', 'near side')  # the last axis of a record's `force`
G = 9.80665  # m/s2, standard gravity (ISO 80000-3)
CONTACT_N = 20.0  # newtons: a plate whose vertical force is greater carries a foot


def near_far_to_legs(camera: str) -> list[int]:
  """Returns where (near, far) stand among `LEGS`; the list is its own inverse permutation.

  Args:
    camera: 'left' or 'right', the walker's side on which the camera stands.
  """
  near = LEGS.index(camera)
  return [near, 1 - near]


def plates_to_walker(force: npt.ArrayLike) -> np.ndarray:
  """Turns (..., 3) forces from plate axes (forward, left, up) to (vertical, forward, left)."""
  return np.asarray(force)[..., [2, 0, 1]]


def walker_to_plates(force: npt.ArrayLike) -> np.ndarray:
  """Turns (..., 3) forces from (vertical, forward, left) to plate axes (forward, left, up)."""
  force = np.asarray(force)
  return np.stack([force[..., 1], force[..., 2], force[..., 0]], -1)


def camera_to_walker(force: npt.ArrayLike, camera: str) -> np.ndarray:
  """Turns (vertical, forward, near side) into (vertical, forward, left), or its first axes.

  Args:
    force: (..., 1 to 3).
    camera: 'left' or 'right', the walker's side on which the camera stands.
  """
  force = np.asarray(force)
  return force * _near_side_sign(camera)[: force.shape[-1]]


def walker_to_camera(force: npt.ArrayLike, camera: str) -> np.ndarray:
  """Turns (vertical, forward, left) into (vertical, forward, near side), or its first axes.

  Args:
    force: (..., 1 to 3).
    camera: 'left' or 'right', the walker's side on which the camera stands.
  """
  return camera_to_walker(force, camera)  # the near side is the left, or its opposite


def plates_to_camera(force: npt.ArrayLike, camera: str) -> np.ndarray:
  """Turns (..., 3) forces from plate axes to (vertical, forward, near side)."""
  return walker_to_camera(plates_to_walker(force), camera)


def camera_to_plates(force: npt.ArrayLike, camera: str) -> np.ndarray:
  """Turns (..., 3) forces from (vertical, forward, near side) to plate axes."""
  return walker_to_plates(camera_to_walker(force, camera))


def walker_to_opensim(force: npt.ArrayLike) -> np.ndarray:
  """Turns (..., 3) forces from (vertical, forward, left) to OpenSim's (forward, up, right)."""
  force = np.asarray(force)
  return np.stack([force[..., 1], force[..., 0], -force[..., 2]], -1)


def opensim_to_walker(force: npt.ArrayLike) -> np.ndarray:
  """Turns (..., 3) forces from OpenSim's (forward, up, right) to (vertical, forward, left)."""
  force = np.asarray(force)
  return np.stack([force[..., 1], force[..., 0], -force[..., 2]], -1)


def opensim_to_plates(force: npt.ArrayLike) -> np.ndarray:
  """Turns (..., 3) forces from OpenSim's (forward, up, right) to plate axes."""
  return walker_to_plates(opensim_to_walker(force))


def plates_to_opensim(force: npt.ArrayLike) -> np.ndarray:
  """Turns (..., 3) forces from plate axes to OpenSim's (forward, up, right)."""
  return walker_to_opensim(plates_to_walker(force))


def _near_side_sign(camera: str) -> np.ndarray:
  return np.array([1, 1, {'left': 1, 'right': -1}[camera]])
