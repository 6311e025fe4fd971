"""Posing the body so that its centre of mass follows a given path while the feet stay planted.

Everything is a function of the pelvis path. In stance the foot rolls over heel, flat sole, ball
and toe tip, and the heel rises as far as the knee's bend asks for; in swing, knee bend, direction
of the leg and pitch of the foot run from what they are at toe-off to what they are at landing.
The pelvis is then moved until the centre of mass is where Newton wants it (fixed point; the
error shrinks about tenfold each round, because the pelvis carries nearly the whole mass).
"""

import numpy as np
from scipy import interpolate

from grfjax.synth import body, forces, legs, upper

ROUNDS, SETTLED = 10, 5  # of which the last few leave the landing places alone
COARSE, COARSE_ROUNDS = 8, 24  # every 8th sample
UPPER = ('neck', 'head', 'shoulder', 'elbow', 'wrist', 'hand')


class UnposableError(ValueError):
  """No motion of this body fits the path: the rounds run away from it."""


def pose(
  subject: body.Subject,
  steps: forces.Steps,
  placed: legs.Placement,
  com: np.ndarray,
  above: upper.Upper,
  rate: float,
) -> tuple[np.ndarray, float, np.ndarray]:
  """Joints for every sample from the second contact on.

  Args:
    subject: the body.
    steps: the footfalls; samples count from the first contact.
    placed: where they are.
    com: (N, 3) path of the centre of mass from the second contact on; its height is free.
    above: pelvis orientation and everything that rides on it.
    rate: samples per second.

  Returns:
    joints (N, J, 3); the height to be added to the path, metres; how far along x each footfall
    (M,) was moved from where it was placed, metres.

  Raises:
    UnposableError: the rounds diverge; about one walk in a thousand, of unsteady small children.
  """
  weights = body.joint_weights(subject)
  share = np.array(
    [[weights[body.INDEX[f'{side}_{joint}']] for joint in legs.JOINTS] for side in body.SIDES]
  )
  lead = np.tensordot(weights, above.joints, axes=(0, 1))  # (N, 3); legs at the pelvis
  height = 0.93 * subject.leg_m + 0.04 * subject.height_m
  pelvis = com + [0, 0, height] - lead
  samples = np.arange(len(com))

  # A coarse pass finds the body's height and where feet land, a fine one the path.
  moved: list[np.ndarray | None] = [None, None]
  for every, rounds in ((COARSE, COARSE_ROUNDS), (1, ROUNDS)):
    rows = slice(None, None, every)
    pair = [legs.Leg(subject, steps, placed, leg, len(com), rate, every) for leg in (0, 1)]
    for leg, places in zip(pair, moved, strict=True):
      if places is not None:
        leg.move(places)
    path = pelvis[rows]
    error = np.zeros(3)
    for number in range(rounds):
      path = path + error
      if not np.isfinite(path).all():
        break
      with np.errstate(invalid='ignore', over='ignore'):  # looked at above and below
        parts = [pair[k].solve(path + above.hips[rows, k]) for k in (0, 1)]
      if number < rounds - SETTLED:
        spare = [leg.spare() for leg in pair]
        mean, least = np.array(spare).mean(0)[1], np.array(spare).min(0)[0]
        height += float(min(mean, least))
        for leg in pair:
          leg.step_in()
      now = path + lead[rows]
      for k in (0, 1):
        now = now + np.tensordot(parts[k] - path[:, None], share[k], axes=(1, 0))
      error = com[rows] + [0, 0, height] - now
    if not np.isfinite(path).all():
      raise UnposableError('no motion of this body fits its forces')
    moved = [leg.moved for leg in pair]
    pelvis = pelvis + interpolate.CubicSpline(samples[rows], path - pelvis[rows])(samples)

  joints = above.joints + path[:, None]
  for side, part in zip(body.SIDES, parts, strict=True):
    first = body.INDEX[f'{side}_hip']
    joints[:, first : first + len(legs.JOINTS)] = part
  # What the rounds have left goes into the upper body: exact to rounding.
  rides = [i for i, name in enumerate(body.JOINTS) if name.split('_')[-1] in UPPER]
  left = com + [0, 0, height] - body.centre_of_mass(joints, subject)
  joints[:, rides] += left[:, None] / weights[rides].sum()
  shift = np.zeros(len(steps.leg))
  for leg in pair:
    shift[leg.mine] = leg.moved
  return joints, float(height), shift
