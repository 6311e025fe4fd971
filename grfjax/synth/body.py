"""The walker's body: joints, segments, and what one walk consists of.

World axes are the recording set's: x forward along the walk, y to the walker's left, z up; the
floor is z = 0. Metres, seconds, newtons.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

GRAVITY = 9.80665  # m/s2, ISO 80000-3

SIDES = ('left', 'right')  # leg 0, leg 1
LIMB_JOINTS = ('shoulder', 'elbow', 'wrist', 'hand', 'hip', 'knee', 'ankle', 'heel', 'toe')
# pelvis: middle of the hip joints. neck: middle of the shoulder joints. head: vertex.
# hand: fingertip. ankle: lateral malleolus. heel, toe: rear and front lowest point of the sole.
JOINTS = ('pelvis', 'neck', 'head') + tuple(f'{s}_{j}' for s in SIDES for j in LIMB_JOINTS)
INDEX = {name: i for i, name in enumerate(JOINTS)}

# Segments whose masses and centres of mass make up the body: name, first and second joint.
SEGMENTS = (
  ('head', 'head', 'neck'),
  ('trunk', 'neck', 'pelvis'),
) + tuple(
  (f'{s}_{name}', f'{s}_{first}', f'{s}_{second}')
  for s in SIDES
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
  """One person: size, segments and habits of walking.

  Attributes:
    name: the id in the recording set; empty until given one.
    height_m, mass_kg: standing height, mass.
    sex: 'female' or 'male'.
    age_group: 'child' or 'adult'.
    age_years: age; over 20 it no longer changes the proportions.
    style: gait style, a key of `styles.STYLES`.
    trunk_m ... ankle_height_m: segment lengths; trunk is pelvis to neck, head is neck to vertex,
      ankle height is the malleolus over the sole.
    segment_mass: fraction of body mass for each of SEGMENTS, sums to 1.
    segment_com: centre of mass from the first joint, as a fraction, for each of SEGMENTS.
    habits: what the person keeps from walk to walk (see `gait.draw_subject`), by name.
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
    """Hip joint to floor, standing straight."""
    return self.thigh_m + self.shank_m + self.ankle_height_m


class Contact(NamedTuple):
  """One footfall: leg 0 left / 1 right, first and last instant of force, where the heel lands."""

  leg: int
  start_s: float
  end_s: float
  heel_x_m: float


@dataclasses.dataclass(frozen=True)
class Walk:
  """One walk: motion and the forces that it obeys.

  Attributes:
    subject: who walks.
    time_s: (N,) evenly spaced.
    joints: (N, J, 3) metres, in the order of JOINTS.
    force: (N, 2, 3) newtons on the body; leg (left, right) x axis (x, y, z).
    contacts: footfalls by start; the first and last may reach beyond time_s.
    com: (N, 3) metres, the centre of mass's path by Newton's law.
  """

  subject: Subject
  time_s: np.ndarray
  joints: np.ndarray
  force: np.ndarray
  contacts: tuple[Contact, ...]
  com: np.ndarray


def centre_of_mass(joints: np.ndarray, subject: Subject) -> np.ndarray:
  """Mass-weighted centre of the segments: (..., J, 3) -> (..., 3) metres."""
  return np.tensordot(joint_weights(subject), joints, axes=(0, -2))


def joint_weights(subject: Subject) -> np.ndarray:
  """The share of each joint in the centre of mass: (J,), sums to 1."""
  weights = np.zeros(len(JOINTS))
  rows = zip(SEGMENTS, subject.segment_mass, subject.segment_com, strict=True)
  for (_, first, second), mass, com in rows:
    weights[INDEX[first]] += mass * (1 - com)
    weights[INDEX[second]] += mass * com
  return weights


def sample(walk: Walk, time_s: np.ndarray) -> np.ndarray:
  """Joints at any times inside the walk: (K,) seconds -> (K, J, 3) metres, C1 cubic (Catmull-Rom).

  Raises:
    ValueError: a time lies outside the walk.
  """
  time_s = np.asarray(time_s, np.float64)
  start, step = walk.time_s[0], walk.time_s[1] - walk.time_s[0]
  place = (time_s - start) / step
  last = len(walk.time_s) - 1
  if place.size and (place.min() < -1e-6 or place.max() > last + 1e-6):
    raise ValueError(
      f'times {time_s.min():.3f} to {time_s.max():.3f} s, '
      f'but the walk lasts from {start:.3f} to {walk.time_s[-1]:.3f} s'
    )
  i = np.clip(place.astype(int), 0, last - 1)
  u = (place - i)[:, None, None]
  a, b, c, d = (walk.joints[np.clip(i + k, 0, last)] for k in (-1, 0, 1, 2))
  return b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))


def shift(walk: Walk, offset_m: np.ndarray) -> Walk:
  """The same walk, moved: offset (3,) metres."""
  offset_m = np.asarray(offset_m, np.float64)
  contacts = tuple(c._replace(heel_x_m=c.heel_x_m + float(offset_m[0])) for c in walk.contacts)
  return dataclasses.replace(
    walk, joints=walk.joints + offset_m, com=walk.com + offset_m, contacts=contacts
  )
