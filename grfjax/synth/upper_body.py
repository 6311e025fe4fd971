"""Motion of what rides on the pelvis: the pelvis's own orientation, trunk, head and arms."""

import dataclasses

import numpy as np

from grfjax import conventions
from grfjax.synth import body, smooth_functions


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
  rad = np.pi / 180
  mean = {name: float(values.mean()) for name, values in traits.items()}
  count = len(phase)
  hip = subject.hip_width_m / 2
  rotation = -mean['pelvis_turn'] * rad * np.cos(phase - 0.1)
  obliquity = mean['pelvis_list'] * rad * np.sin(phase + 0.35)
  # Some people lift the hip of a leg whose knee does not bend, while that leg swings.
  obliquity += rad * traits['hip_hike'][0] * np.maximum(-np.sin(phase - 0.2), 0) ** 2
  obliquity -= rad * traits['hip_hike'][1] * np.maximum(np.sin(phase - 0.2), 0) ** 2
  to_left = np.stack(
    [
      -np.cos(obliquity) * np.sin(rotation),
      np.cos(obliquity) * np.cos(rotation),
      np.sin(obliquity),
    ],
    -1,
  )
  hips = hip * np.stack([to_left, -to_left], 1)

  lean = rad * (mean['trunk_lean'] + mean['trunk_nod'] * np.cos(2 * phase - 0.6))
  # The trunk leans over the standing leg: to the left in the first half of the left stride.
  sway = rad * (mean['trunk_sway'] * np.sin(phase + 0.25) + mean['trunk_shift'])
  up = np.stack([np.sin(lean) * np.cos(sway), np.sin(sway), np.cos(lean) * np.cos(sway)], -1)
  neck = subject.trunk_m * up
  chest = mean['trunk_turn'] * rad * np.cos(phase - 0.35)
  side = np.stack([-np.sin(chest), np.cos(chest), 0 * chest], -1)
  side -= (side * up).sum(-1, keepdims=True) * up
  side /= np.linalg.norm(side, axis=-1, keepdims=True)
  front = np.cross(side, up)

  nod = rad * (mean['head_tilt'] + 0.35 * mean['trunk_lean'])
  head = neck + subject.head_m * np.array([np.sin(nod), 0, np.cos(nod)])

  joints = np.zeros((count, len(body.JOINTS), 3))
  joints[:, body.INDEX['neck']] = neck
  joints[:, body.INDEX['head']] = head
  for leg, name in enumerate(conventions.LEGS):
    outward = (1 - 2 * leg) * side
    back = np.cos(
      phase - np.pi * leg - 2 * np.pi * traits['arm_lag'][leg]
    )  # 1 when the foot of this side lands
    swing = rad * (traits['arm_rest'][leg] - traits['arm_swing'][leg] * back)
    bend = rad * (traits['elbow_rest'][leg] - traits['elbow_swing'][leg] * back)
    bend = smooth_functions.soft_floor(bend, 0.02, 0.05)
    out = rad * traits['arm_out'][leg]
    shoulder = neck + outward * subject.shoulder_width_m / 2
    # The upper arm hangs midway between straight down and the direction of the trunk.
    hang = -(up + np.array([0.0, 0.0, 1.0])) / 2
    upper = _arm_direction(swing, out, hang, front, outward)
    lower = _arm_direction(swing + bend, out * 0.35, hang, front, outward)
    fingers = _arm_direction(swing + 1.15 * bend, out * 0.1, hang, front, outward)
    elbow = shoulder + subject.upper_arm_m * upper
    wrist = elbow + subject.forearm_m * lower
    for joint, place in (
      ('shoulder', shoulder),
      ('elbow', elbow),
      ('wrist', wrist),
      ('hand', wrist + subject.hand_m * fingers),
    ):
      joints[:, body.INDEX[f'{name}_{joint}']] = place
  return UpperBody(joints, hips)


def _arm_direction(swing, out, hang, front, outward) -> np.ndarray:
  """Returns the unit direction of an arm segment, from its angles forward and outward (radians)."""
  swing = np.asarray(swing)[:, None]
  direction = np.cos(swing) * hang + np.sin(swing) * front
  direction = np.cos(out) * direction + np.sin(out) * outward
  return direction / np.linalg.norm(direction, axis=-1, keepdims=True)
