"""Joint moments of a synthetic walker's legs by Newton's and Euler's laws, segment by segment.

It shares nothing with OpenSim: places of joints, forces and centres of pressure go in, and the
moment at each joint is what the segments beneath it need besides the floor's force
(Winter DA 2009, Biomechanics and Motor Control of Human Movement, chapter 5, in three dimensions).
"""

from __future__ import annotations

import numpy as np
from scipy import signal

from grfjax import conventions
from grfjax.synth import body, leg_kinematics

JOINTS = ('ankle', 'knee', 'hip')  # from the floor up
FILTER_HZ = 12.0  # of the places; a walker's own motion is slower, see `smooth`

# Radii of gyration about the axis to the side and about the long axis, over segment length: de Leva
# P (1996), J Biomech 29:1223, table 4.
RADII = {
  'female': {'thigh': (0.369, 0.162), 'shank': (0.271, 0.093), 'foot': (0.299, 0.139)},
  'male': {'thigh': (0.329, 0.149), 'shank': (0.255, 0.103), 'foot': (0.257, 0.124)},
}
_BODY_INDEX = {name: k for k, (name, _, _) in enumerate(body.SEGMENTS)}
_SEGMENTS = (('foot', 'heel', 'toe'), ('shank', 'knee', 'ankle'), ('thigh', 'hip', 'knee'))


def mass_and_com(subject: body.Subject, segment: str) -> tuple[float, float]:
  """Returns a segment's mass, kg, and its centre's share of the way from its first joint.

  Args:
    subject: whose segment.
    segment: 'foot', 'shank' or 'thigh', which both legs have alike.
  """
  k = _BODY_INDEX[f'left_{segment}']
  return subject.segment_mass[k] * subject.mass_kg, subject.segment_com[k]


def smooth(values: np.ndarray, rate_hz: float) -> np.ndarray:
  """Returns (N, ...) samples without what is faster than `FILTER_HZ`, and without a delay.

  A synthetic walker's foot turns by a degree in no time when it lands; nobody's accelerations do.
  """
  sos = signal.butter(2, FILTER_HZ, fs=rate_hz, output='sos')
  return signal.sosfiltfilt(sos, values, axis=0)


def joint_moments(
  walk: body.Walk, force_n: np.ndarray, pressure_m: np.ndarray
) -> dict[tuple[str, str], np.ndarray]:
  """Returns the moment about the side axis of each joint.

  The moment is what the segment above does to the one beneath, about an axis to the walker's right:
  at ankle and knee the one about which the knee bends, at the hip the line through both hips. The
  foot is rigid; its own toes weigh next to nothing.

  Args:
    walk: the motion.
    force_n: (N, 2, 3) the floor's force on each foot (left, right), newtons, axes as in `walk`.
    pressure_m: (N, 2, 2) its centres on the floor, metres; NaN in the air, where force is 0.

  Returns:
    (side, joint) -> (N,) newton metres.
  """
  rate_hz = 1 / float(walk.time_s[1] - walk.time_s[0])
  joints = smooth(walk.joints, rate_hz)
  radii = RADII[walk.subject.sex]
  hip_axis = joints[:, body.INDEX['right_hip']] - joints[:, body.INDEX['left_hip']]
  hip_axis /= np.linalg.norm(hip_axis, axis=1, keepdims=True)
  moments = {}
  for leg, side in enumerate(conventions.LEGS):
    place = {name: joints[:, body.INDEX[f'{side}_{name}']] for name in body.LIMB_JOINTS[4:]}
    knee_axis = side_axis(place)
    place['toe'] = place['heel'] + walk.subject.foot_m * sole_direction(walk.subject, place)
    # Beneath the joint: the force of what is above on what is beneath, and where the floor's acts.
    floor = force_n[:, leg]
    point = np.nan_to_num(np.pad(pressure_m[:, leg], ((0, 0), (0, 1))))
    from_beneath, moment = floor, np.zeros_like(floor)
    at = np.where(np.any(floor, axis=1, keepdims=True), point, place['ankle'])
    for joint, (segment, first, second) in zip(JOINTS, _SEGMENTS, strict=True):
      mass, share = mass_and_com(walk.subject, segment)
      along = place[second] - place[first]
      length = np.linalg.norm(along, axis=1, keepdims=True)
      direction, centre = along / length, place[first] + share * along
      inertia = mass * (radii[segment][0] * length.mean()) ** 2
      needed = mass * (_second_derivative(centre, rate_hz) + [0, 0, conventions.G])
      turning = inertia * np.cross(direction, _second_derivative(direction, rate_hz))
      here = place[joint]
      # The moments about this joint: of the segment's own motion, less what comes from beneath.
      moment = (
        turning + np.cross(centre - here, needed) - np.cross(at - here, from_beneath) + moment
      )
      from_beneath, at = from_beneath - needed, here
      moments[side, joint] = (moment * (hip_axis if joint == 'hip' else knee_axis)).sum(1)
  return moments


def side_axis(place: dict[str, np.ndarray]) -> np.ndarray:
  """Returns the axis about which the knee bends, (N, 3), to the walker's right.

  Args:
    place: joint -> (N, 3) of one leg.
  """
  axis = np.cross(heading(place), place['hip'] - place['ankle'])
  return axis / np.linalg.norm(axis, axis=1, keepdims=True)


def heading(place: dict[str, np.ndarray]) -> np.ndarray:
  """Returns where a foot points, level with the floor, (N, 3): the upright plane of its joints.

  Whether the sole lies on the floor, stands upright or goes past that, forward is forward.

  Args:
    place: joint -> (N, 3) of one leg.
  """
  points = np.stack([place[name][:, :2] for name in ('heel', 'ankle', 'toe')], 1)
  x, y = np.moveaxis(points - points.mean(1, keepdims=True), -1, 0)
  angle = np.arctan2(2 * (x * y).sum(1), (x**2 - y**2).sum(1)) / 2
  return np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)


def sole_direction(subject: body.Subject, place: dict[str, np.ndarray]) -> np.ndarray:
  """Returns the direction of a rigid foot's sole, heel to front, (N, 3), from ankle and heel.

  Args:
    subject: whose foot.
    place: joint -> (N, 3) of one leg.
  """
  ahead = heading(place)
  to_heel = place['heel'] - place['ankle']
  level = np.arctan2(-subject.ankle_height_m, -leg_kinematics.ANKLE_AT * subject.foot_m)
  pitch = np.arctan2(to_heel[:, 2], (to_heel * ahead).sum(1)) - level
  return np.cos(pitch)[:, None] * ahead + np.sin(pitch)[:, None] * [0, 0, 1]


def _second_derivative(values: np.ndarray, rate_hz: float) -> np.ndarray:
  return np.gradient(np.gradient(values, axis=0), axis=0) * rate_hz**2
