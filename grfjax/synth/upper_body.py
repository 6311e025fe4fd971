"""Motion of what rides on the pelvis: the pelvis's own orientation, trunk, head and arms."""

import dataclasses

import numpy as np

from grfjax import conventions
from grfjax.synth import body, smooth_functions

RAD = np.pi / 180


@dataclasses.dataclass(frozen=True)
class UpperBody:
  """Places relative to the pelvis, metres.

  Attributes:
    joints: (N, J, 3) in the order of `body.JOINTS`; those of the legs are zero.
    hips: (N, 2, 3) left and right hip joint.
  """

  joints: np.ndarray
  hips: np.ndarray


def move_upper_body(
  subject: body.Subject, phase: np.ndarray, traits: dict[str, np.ndarray]
) -> UpperBody:
  """Moves trunk, head and arms against the legs.

  Args:
    subject: the body.
    phase: (N,) phase of the stride, radians; 0 at a left contact, pi at a right one.
    traits: name -> (left, right) degrees, constant over the walk.
  """
  mean = {name: float(values.mean()) for name, values in traits.items()}
  up, front, left = _trunk_axes(mean, phase)
  neck = subject.trunk_m * up
  nod = RAD * (mean['head_tilt'] + 0.35 * mean['trunk_lean'])
  joints = np.zeros((len(phase), len(body.JOINTS), 3))
  joints[:, body.INDEX['neck']] = neck
  joints[:, body.INDEX['head']] = neck + subject.head_m * np.array([np.sin(nod), 0, np.cos(nod)])
  for leg, name in enumerate(conventions.LEGS):
    outward = (1 - 2 * leg) * left
    shoulder = neck + outward * subject.shoulder_width_m / 2
    leg_phase = phase - np.pi * leg
    of_side = {trait: values[leg] for trait, values in traits.items()}
    arm = _arm(subject, of_side, leg_phase, shoulder, (up, front, outward))
    for joint, place in arm.items():
      joints[:, body.INDEX[f'{name}_{joint}']] = place
  return UpperBody(joints, _hips(subject, mean, traits['hip_hike'], phase))


def _hips(
  subject: body.Subject, mean: dict[str, float], hip_hike: np.ndarray, phase: np.ndarray
) -> np.ndarray:
  """Returns the hip joints relative to the middle of both: (N, 2, 3)."""
  rotation = -mean['pelvis_turn'] * RAD * np.cos(phase - 0.1)
  obliquity = mean['pelvis_list'] * RAD * np.sin(phase + 0.35)
  # Some people lift the hip of a leg whose knee does not bend, while that leg swings.
  obliquity += RAD * hip_hike[0] * np.maximum(-np.sin(phase - 0.2), 0) ** 2
  obliquity -= RAD * hip_hike[1] * np.maximum(np.sin(phase - 0.2), 0) ** 2
  to_left = np.stack(
    [
      -np.cos(obliquity) * np.sin(rotation),
      np.cos(obliquity) * np.cos(rotation),
      np.sin(obliquity),
    ],
    -1,
  )
  return subject.hip_width_m / 2 * np.stack([to_left, -to_left], 1)


def _trunk_axes(
  mean: dict[str, float], phase: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns the unit directions of the trunk, up, and of the chest, front and left: (N, 3) each."""
  lean = RAD * (mean['trunk_lean'] + mean['trunk_nod'] * np.cos(2 * phase - 0.6))
  # The trunk leans over the standing leg: to the left in the first half of the left stride.
  sway = RAD * (mean['trunk_sway'] * np.sin(phase + 0.25) + mean['trunk_shift'])
  up = np.stack([np.sin(lean) * np.cos(sway), np.sin(sway), np.cos(lean) * np.cos(sway)], -1)
  chest = mean['trunk_turn'] * RAD * np.cos(phase - 0.35)
  left = np.stack([-np.sin(chest), np.cos(chest), 0 * chest], -1)
  left -= (left * up).sum(-1, keepdims=True) * up
  left /= np.linalg.norm(left, axis=-1, keepdims=True)
  return up, np.cross(left, up), left


def _arm(
  subject: body.Subject,
  trait: dict[str, float],
  leg_phase: np.ndarray,
  shoulder: np.ndarray,
  axes: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> dict[str, np.ndarray]:
  """Moves an arm.

  Args:
    subject: the body.
    trait: name -> degrees.
    leg_phase: (N,) phase of the stride; 0 when the foot of this side lands.
    shoulder: (N, 3) place of the shoulder.
    axes: directions of the trunk: up, front, and outward from this side.

  Returns:
    joint -> (N, 3) place.
  """
  up, front, outward = axes
  back = np.cos(leg_phase - 2 * np.pi * trait['arm_lag'])  # 1 when the foot of this side lands
  swing = RAD * (trait['arm_rest'] - trait['arm_swing'] * back)
  bend = RAD * (trait['elbow_rest'] - trait['elbow_swing'] * back)
  bend = smooth_functions.soft_floor(bend, 0.02, 0.05)
  out = RAD * trait['arm_out']
  # The upper arm hangs midway between straight down and the direction of the trunk.
  hang = -(up + np.array([0.0, 0.0, 1.0])) / 2
  upper = _arm_direction(swing, out, hang, front, outward)
  lower = _arm_direction(swing + bend, out * 0.35, hang, front, outward)
  fingers = _arm_direction(swing + 1.15 * bend, out * 0.1, hang, front, outward)
  elbow = shoulder + subject.upper_arm_m * upper
  wrist = elbow + subject.forearm_m * lower
  return {
    'shoulder': shoulder,
    'elbow': elbow,
    'wrist': wrist,
    'hand': wrist + subject.hand_m * fingers,
  }


def _arm_direction(swing, out, hang, front, outward) -> np.ndarray:
  """Returns the unit direction of an arm segment, from its angles forward and outward (radians)."""
  swing = np.asarray(swing)[:, None]
  direction = np.cos(swing) * hang + np.sin(swing) * front
  direction = np.cos(out) * direction + np.sin(out) * outward
  return direction / np.linalg.norm(direction, axis=-1, keepdims=True)
