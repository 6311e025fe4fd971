"""Poses the body so that its centre of mass follows a given path while the feet stay planted.

Everything is a function of the path of the pelvis. In stance the foot rolls over heel, flat sole,
ball and tip of the toes, and the heel rises as far as the bend of the knee asks for. In swing, the
bend of the knee, the direction of the leg and the pitch of the foot run from what they are at
toe-off to what they are at landing. The pelvis is then moved until the centre of mass is where
Newton's law wants it. This is a fixed-point iteration whose error shrinks about tenfold each round,
because the pelvis carries nearly the whole mass.
"""

import numpy as np
from scipy import interpolate

from grfjax import conventions
from grfjax.synth import body, ground_reaction, leg_kinematics, upper_body

ROUNDS, SETTLED = 10, 5  # the last `SETTLED` rounds leave landing places and height as they are
COARSE, COARSE_ROUNDS = 8, 24  # the coarse pass takes every 8th sample
UPPER_JOINTS = ('neck', 'head', 'shoulder', 'elbow', 'wrist', 'hand')


class UnposableError(ValueError):
  """No motion of this body fits the path: the iteration diverges."""


def solve_pose(
  subject: body.Subject,
  footfalls: ground_reaction.Footfalls,
  placement: leg_kinematics.Placement,
  com: np.ndarray,
  upper: upper_body.UpperBody,
  rate: float,
) -> tuple[np.ndarray, float, np.ndarray]:
  """Finds the joints for every sample from the second contact on.

  Args:
    subject: the body.
    footfalls: the footfalls; their samples count from the first contact.
    placement: where they are.
    com: (N, 3) path of the centre of mass from the second contact on; its height is free.
    upper: orientation of the pelvis and everything that rides on it.
    rate: samples per second.

  Returns:
    The joints (N, J, 3); the height to be added to the path, metres; how far along x each footfall
    (M,) was moved from where it was placed, metres.

  Raises:
    UnposableError: the iteration diverges. This happens to about one walk in a thousand, of
      unsteady small children.
  """
  solver = _Solver(subject, footfalls, placement, com, upper, rate)
  # A coarse pass finds the height of the body and where the feet land, a fine one the path.
  solver.iterate(COARSE, COARSE_ROUNDS)
  solver.iterate(1, ROUNDS)
  shift = np.zeros(len(footfalls.leg))
  for leg in solver.legs:
    shift[leg.footfalls] = leg.shift
  return solver.joints(), float(solver.height), shift


class _Solver:
  """The fixed-point iteration for the path of the pelvis; arguments as of `solve_pose`."""

  def __init__(self, subject, footfalls, placement, com, upper, rate: float):
    self._subject, self._com, self._upper = subject, com, upper
    self._leg_arguments = (subject, footfalls, placement)
    self._rate = rate
    self._weights = body.joint_weights(subject)
    self._leg_weights = np.array(
      [
        [self._weights[body.INDEX[f'{side}_{joint}']] for joint in leg_kinematics.JOINTS]
        for side in conventions.LEGS
      ]
    )
    # What the upper body adds to the centre of mass: (N, 3), as if the legs were at the pelvis.
    self._upper_com = np.tensordot(self._weights, upper.joints, axes=(0, 1))
    self.height = 0.93 * subject.leg_m + 0.04 * subject.height_m
    self._pelvis = com + [0, 0, self.height] - self._upper_com
    self._path = self._pelvis
    self._leg_joints: list[np.ndarray] = []
    self.legs: list[leg_kinematics.Leg] = []

  def iterate(self, every: int, rounds: int) -> None:
    """Moves pelvis, height and landing places for some rounds, on every so many samples.

    Raises:
      UnposableError: the iteration diverges.
    """
    count = len(self._com)
    rows, samples = slice(None, None, every), np.arange(count)
    legs = [
      leg_kinematics.Leg(*self._leg_arguments, leg, count, self._rate, every) for leg in (0, 1)
    ]
    for leg, former in zip(legs, self.legs, strict=False):
      leg.set_shift(former.shift)
    self.legs = legs
    path, error = self._pelvis[rows], np.zeros(3)
    for number in range(rounds):
      path = path + error
      if not np.isfinite(path).all():
        break
      with np.errstate(invalid='ignore', over='ignore'):  # checked above and below
        parts = [legs[k].solve(path + self._upper.hips[rows, k]) for k in (0, 1)]
      if number < rounds - SETTLED:
        self._adjust_height_and_landing()
      com = path + self._upper_com[rows]
      for k in (0, 1):
        com = com + np.tensordot(parts[k] - path[:, None], self._leg_weights[k], axes=(1, 0))
      error = self._com[rows] + [0, 0, self.height] - com
    if not np.isfinite(path).all():
      raise UnposableError('no motion of this body fits its forces')
    self._path, self._leg_joints = path, parts
    change = interpolate.CubicSpline(samples[rows], path - self._pelvis[rows])(samples)
    self._pelvis = self._pelvis + change

  def _adjust_height_and_landing(self) -> None:
    """Raises the body as far as both legs allow, and moves landing places into reach."""
    possible_rises = np.array([leg.possible_rises() for leg in self.legs])
    self.height += float(min(possible_rises.mean(0)[1], possible_rises.min(0)[0]))
    for leg in self.legs:
      leg.adjust_landing()

  def joints(self) -> np.ndarray:
    """Returns the joints of the last, finest iteration: (N, J, 3)."""
    joints = self._upper.joints + self._path[:, None]
    for side, part in zip(conventions.LEGS, self._leg_joints, strict=True):
      first = body.INDEX[f'{side}_hip']
      joints[:, first : first + len(leg_kinematics.JOINTS)] = part
    # The error that the rounds have left goes into the upper body: exact up to rounding.
    upper = [i for i, name in enumerate(body.JOINTS) if name.split('_')[-1] in UPPER_JOINTS]
    error = self._com + [0, 0, self.height] - body.centre_of_mass(joints, self._subject)
    joints[:, upper] += error[:, None] / self._weights[upper].sum()
    return joints
