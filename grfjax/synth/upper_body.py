"""Pelvis orientation, trunk, head and arms: what rides on the pelvis."""

import dataclasses

import numpy as np

from grfjax.synth import body, shapes


@dataclasses.dataclass(frozen=True)
class Upper:
  """What rides on the pelvis: joints (N, J, 3) and hips (N, 2, 3) relative to the pelvis.

  Joints of the legs are zero here.
  """

  joints: np.ndarray
  hips: np.ndarray


def upper_body(subject: body.Subject, phase: np.ndarray, trait: dict[str, np.ndarray]) -> Upper:
  """Trunk, head and arms in counter-swing to the legs.

  Args:
    subject: the body.
    phase: (N,) radians; 0 at a left contact, pi at the right one.
    trait: name -> (left, right) degrees, constant over the walk.
  """
  rad = np.pi / 180
  one = {name: float(values.mean()) for name, values in trait.items()}
  count = len(phase)
  hip = subject.hip_width_m / 2
  turn = -one['pelvis_turn'] * rad * np.cos(phase - 0.1)
  tilt = one['pelvis_list'] * rad * np.sin(phase + 0.35)
  # Some hike the hip of a leg that will not bend, while it swings.
  tilt += rad * trait['hip_hike'][0] * np.maximum(-np.sin(phase - 0.2), 0) ** 2
  tilt -= rad * trait['hip_hike'][1] * np.maximum(np.sin(phase - 0.2), 0) ** 2
  across = np.stack([-np.cos(tilt) * np.sin(turn), np.cos(tilt) * np.cos(turn), np.sin(tilt)], -1)
  hips = hip * np.stack([across, -across], 1)

  lean = rad * (one['trunk_lean'] + one['trunk_nod'] * np.cos(2 * phase - 0.6))
  # Over the standing leg: to the left in the first half of the left stride.
  sway = rad * (one['trunk_sway'] * np.sin(phase + 0.25) + one['trunk_shift'])
  up = np.stack([np.sin(lean) * np.cos(sway), np.sin(sway), np.cos(lean) * np.cos(sway)], -1)
  neck = subject.trunk_m * up
  chest = one['trunk_turn'] * rad * np.cos(phase - 0.35)
  side = np.stack([-np.sin(chest), np.cos(chest), 0 * chest], -1)
  side -= (side * up).sum(-1, keepdims=True) * up
  side /= np.linalg.norm(side, axis=-1, keepdims=True)
  front = np.cross(side, up)

  nod = rad * (one['head_tilt'] + 0.35 * one['trunk_lean'])
  head = neck + subject.head_m * np.array([np.sin(nod), 0, np.cos(nod)])

  joints = np.zeros((count, len(body.JOINTS), 3))
  joints[:, body.INDEX['neck']] = neck
  joints[:, body.INDEX['head']] = head
  for leg, name in enumerate(body.SIDES):
    outward = (1 - 2 * leg) * side
    back = np.cos(phase - np.pi * leg - 2 * np.pi * trait['arm_lag'][leg])  # 1: own foot lands
    swing = rad * (trait['arm_rest'][leg] - trait['arm_swing'][leg] * back)
    bend = rad * (trait['elbow_rest'][leg] - trait['elbow_swing'][leg] * back)
    bend = shapes.soft_floor(bend, 0.02, 0.05)
    out = rad * trait['arm_out'][leg]
    shoulder = neck + outward * subject.shoulder_width_m / 2
    # The upper arm hangs from the upright, half following the trunk's lean.
    hang = -(up + np.array([0.0, 0.0, 1.0])) / 2
    upper = _arm(swing, out, hang, front, outward)
    lower = _arm(swing + bend, out * 0.35, hang, front, outward)
    fingers = _arm(swing + 1.15 * bend, out * 0.1, hang, front, outward)
    elbow = shoulder + subject.upper_arm_m * upper
    wrist = elbow + subject.forearm_m * lower
    for joint, place in (
      ('shoulder', shoulder),
      ('elbow', elbow),
      ('wrist', wrist),
      ('hand', wrist + subject.hand_m * fingers),
    ):
      joints[:, body.INDEX[f'{name}_{joint}']] = place
  return Upper(joints, hips)


def _arm(swing, out, hang, front, outward) -> np.ndarray:
  """Unit direction of an arm segment: forward by swing and outward by out, radians."""
  swing = np.asarray(swing)[:, None]
  line = np.cos(swing) * hang + np.sin(swing) * front
  line = np.cos(out) * line + np.sin(out) * outward
  return line / np.linalg.norm(line, axis=-1, keepdims=True)
