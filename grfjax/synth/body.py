"""The walker's body (joints and segments), a subject, and a walk.

Every link of the chain forces -> motion -> pictures uses these. Axes are those of the force plates:
x forward along the walk, y to the walker's left, z up; the floor is z = 0. Units are metres,
seconds and newtons.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from grfjax import conventions

LIMB_JOINTS = ('shoulder', 'elbow', 'wrist', 'hand', 'hip', 'knee', 'ankle', 'heel', 'toe')
# pelvis: middle of both hip joints. neck: middle of both shoulder joints. head: vertex.
# hand: fingertip. ankle: lateral malleolus. heel, toe: rear and front lowest point of the sole.
JOINTS = ('pelvis', 'neck', 'head') + tuple(
  f'{s}_{j}' for s in conventions.LEGS for j in LIMB_JOINTS
)
INDEX = {name: i for i, name in enumerate(JOINTS)}

# Segments whose masses and centres of mass make up the body: name, first and second joint.
SEGMENTS = (
  ('head', 'head', 'neck'),
  ('trunk', 'neck', 'pelvis'),
) + tuple(
  (f'{s}_{name}', f'{s}_{first}', f'{s}_{second}')
  for s in conventions.LEGS
  for name, first, second in (
    ('upper_arm', 'shoulder', 'elbow'),
    ('forearm', 'elbow', 'wrist'),
    ('hand', 'wrist', 'hand'),
    ('thigh', 'hip', 'knee'),
    ('shank', 'knee', 'ankle'),
    ('foot', 'heel', 'toe'),
  )
)


@dataclasses.dataclass(frozen=True)
class Subject:
  """One person: size, segments, and habits of walking.

  Attributes:
    name: the name in the recording set; empty until it is given.
    height_m, mass_kg: standing height and mass.
    sex: 'female' or 'male'.
    age_group: 'child' or 'adult'.
    age_years: age; over 20 years it no longer changes the proportions.
    style: the style of gait, a key of `gait_styles.STYLES`.
    trunk_m ... ankle_height_m: segment lengths; trunk is pelvis to neck, head is neck to vertex,
      ankle height is the malleolus over the sole.
    segment_mass: fraction of body mass for each of SEGMENTS, sums to 1.
    segment_com: centre of mass from the first joint, as a fraction, for each of SEGMENTS.
    habits: name -> value of what the person keeps from walk to walk; see `walks.draw_subject`.
  """

  name: str
  height_m: float
  mass_kg: float
  sex: str
  age_group: str
  age_years: float
  style: str
  head_m: float
  trunk_m: float
  shoulder_width_m: float
  upper_arm_m: float
  forearm_m: float
  hand_m: float
  hip_width_m: float
  thigh_m: float
  shank_m: float
  ankle_height_m: float
  foot_m: float
  segment_mass: tuple[float, ...]
  segment_com: tuple[float, ...]
  habits: dict[str, float]

  @property
  def leg_m(self) -> float:
    """Height of the hip joint over the floor, standing straight."""
    return self.thigh_m + self.shank_m + self.ankle_height_m


class Contact(NamedTuple):
  """One footfall.

  Attributes:
    leg: 0 left, 1 right.
    start_s, end_s: first and last instant of force.
    heel_x_m: where the heel lands.
  """

  leg: int
  start_s: float
  end_s: float
  heel_x_m: float


@dataclasses.dataclass(frozen=True)
class Walk:
  """One walk: the motion, and the forces that it obeys.

  Attributes:
    subject: who walks.
    time_s: (N,) evenly spaced times.
    joints: (N, J, 3) metres, in the order of JOINTS.
    force: (N, 2, 3) newtons on the body: leg (left, right), axis (x, y, z).
    contacts: footfalls in order; the first and the last may reach beyond `time_s`.
    com: (N, 3) metres, the path of the centre of mass by Newton's law.
  """

  subject: Subject
  time_s: np.ndarray
  joints: np.ndarray
  force: np.ndarray
  contacts: tuple[Contact, ...]
  com: np.ndarray


def centre_of_mass(joints: np.ndarray, subject: Subject) -> np.ndarray:
  """Returns the centre of mass of joints: (..., J, 3) -> (..., 3) metres."""
  return np.tensordot(joint_weights(subject), joints, axes=(0, -2))


def joint_weights(subject: Subject) -> np.ndarray:
  """Returns the weight of each joint in the centre of mass: (J,), with a sum of 1."""
  weights = np.zeros(len(JOINTS))
  rows = zip(SEGMENTS, subject.segment_mass, subject.segment_com, strict=True)
  for (_, first, second), mass, com in rows:
    weights[INDEX[first]] += mass * (1 - com)
    weights[INDEX[second]] += mass * com
  return weights


def joints_at(walk: Walk, time_s: np.ndarray) -> np.ndarray:
  """Interpolates joints at any times of the walk with Catmull-Rom cubics.

  Args:
    walk: the walk.
    time_s: (K,) seconds.

  Returns:
    (K, J, 3) metres.

  Raises:
    ValueError: a time lies outside the walk.
  """
  time_s = np.asarray(time_s, np.float64)
  start, step = walk.time_s[0], walk.time_s[1] - walk.time_s[0]
  position = (time_s - start) / step  # in samples
  last = len(walk.time_s) - 1
  if position.size and (position.min() < -1e-6 or position.max() > last + 1e-6):
    raise ValueError(
      f'times {time_s.min():.3f} to {time_s.max():.3f} s, '
      f'but the walk lasts from {start:.3f} to {walk.time_s[-1]:.3f} s'
    )
  i = np.clip(position.astype(int), 0, last - 1)
  u = (position - i)[:, None, None]
  a, b, c, d = (walk.joints[np.clip(i + k, 0, last)] for k in (-1, 0, 1, 2))
  return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))


def move_walk(walk: Walk, offset_m: np.ndarray) -> Walk:
  """Returns the same walk, moved by (3,) metres."""
  offset_m = np.asarray(offset_m, np.float64)
  contacts = tuple(c._replace(heel_x_m=c.heel_x_m + float(offset_m[0])) for c in walk.contacts)
  return dataclasses.replace(
    walk, joints=walk.joints + offset_m, com=walk.com + offset_m, contacts=contacts
  )
