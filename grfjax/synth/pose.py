"""Posing the body so that its centre of mass follows a given path while the feet stay planted.

Everything is a function of the pelvis path. In stance the foot rolls over heel, flat sole, ball
and toe tip, and the heel rises as far as the knee's bend asks for; in swing, knee bend, direction
of the leg and pitch of the foot run from what they are at toe-off to what they are at landing.
The pelvis is then moved until the centre of mass is where Newton wants it (fixed point; the
error shrinks about tenfold each round, because the pelvis carries nearly the whole mass).
Shapes of joint angles over the stride: Winter (1991), Perry & Burnfield (2010).
"""

import dataclasses

import numpy as np
from scipy import interpolate

from grfjax.synth import body, forces

ROUNDS, SETTLED = 10, 5  # of which the last few leave the landing places alone
COARSE, COARSE_ROUNDS = 8, 24  # every 8th sample
ANKLE_AT, BALL_AT = 0.22, 0.70  # along the sole, fractions of foot length
KNEE_PEAK_AT = 0.33  # of swing
LEG_AHEAD, LEG_AHEAD_AT = 0.09, 0.4  # radians by which the leg swings early, and when
STRAIGHTEST = 0.02  # radians of bend that a standing knee keeps
MOVE = 0.14  # of leg length: how far a landing place may move back to be reached


@dataclasses.dataclass(frozen=True)
class Placement:
  """Where feet are planted: heel (M, 2) metres and direction of the foot (M,) radians."""

  heel: np.ndarray
  yaw: np.ndarray


def pose(
  subject: body.Subject,
  steps: forces.Steps,
  placed: Placement,
  com: np.ndarray,
  upper: 'Upper',
  rate: float,
) -> tuple[np.ndarray, float, np.ndarray]:
  """Joints for every sample from the second contact on.

  Args:
    subject: the body.
    steps: the footfalls; samples count from the first contact.
    placed: where they are.
    com: (N, 3) path of the centre of mass from the second contact on; its height is free.
    upper: pelvis orientation and everything above, relative to the pelvis.
    rate: samples per second.

  Returns:
    joints (N, J, 3); the height to be added to the path, metres; how far along x each footfall
    (M,) was moved from where it was placed, metres.
  """
  weights = body.joint_weights(subject)
  share = np.array(
    [[weights[body.INDEX[f'{side}_{joint}']] for joint in Leg.JOINTS] for side in body.SIDES]
  )
  # Legs are still at the pelvis (zero) here.
  above = np.tensordot(weights, upper.joints, axes=(0, 1))
  height = 0.93 * subject.leg_m + 0.04 * subject.height_m
  pelvis = com + [0, 0, height] - above

  # A coarse pass finds the body's height and where feet land, a fine one the path.
  moved = [np.zeros(0), np.zeros(0)]
  joints = upper.joints.copy()
  for stride, rounds in ((COARSE, COARSE_ROUNDS), (1, ROUNDS)):
    rows = slice(None, None, stride)
    legs = [Leg(subject, steps, placed, leg, len(com), rate, stride) for leg in (0, 1)]
    if stride == 1:
      for leg in (0, 1):
        legs[leg].move(moved[leg])
    path = pelvis[rows]
    for number in range(rounds):
      parts = [legs[leg].solve(path + upper.hips[rows, leg]) for leg in (0, 1)]
      if number < rounds - SETTLED:
        spare = [legs[leg].spare() for leg in (0, 1)]
        height += min(np.mean([mean for _, mean in spare]), min(least for least, _ in spare))
        for leg in (0, 1):
          legs[leg].step_in()
      now = path + above[rows]
      for leg in (0, 1):
        now = now + np.tensordot(parts[leg] - path[:, None], share[leg], axes=(1, 0))
      error = com[rows] + [0, 0, height] - now
      path = path + error
      if stride == 1 and number == rounds - 1:
        path = path - error  # `parts` belong to the path before
    if stride > 1:
      moved = [legs[leg].moved for leg in (0, 1)]
      pelvis = pelvis + interpolate.CubicSpline(np.arange(len(com))[rows], path - pelvis[rows])(
        np.arange(len(com))
      )
  joints += path[:, None]
  for leg, side in enumerate(body.SIDES):
    first = body.INDEX[f'{side}_hip']
    joints[:, first : first + 5] = parts[leg]
  # What the rounds have left (under a millimetre) goes into the upper body: exact to rounding.
  rides = [
    i
    for i, name in enumerate(body.JOINTS)
    if name in ('neck', 'head') or name.split('_')[-1] in ('shoulder', 'elbow', 'wrist', 'hand')
  ]
  left = com + [0, 0, height] - body.centre_of_mass(joints, subject)
  joints[:, rides] += left[:, None] / weights[rides].sum()
  shift = np.zeros(len(steps.leg))
  for leg in (0, 1):
    shift[legs[leg].mine] = legs[leg].moved
  return joints, height, shift


class Leg:
  """One leg over the whole walk: hip path -> hip, knee, ankle, heel and toe."""

  JOINTS = ('hip', 'knee', 'ankle', 'heel', 'toe')

  def __init__(
    self,
    subject: body.Subject,
    steps: forces.Steps,
    placed: Placement,
    leg: int,
    samples: int,
    rate: float,
    every: int,
  ):
    foot = subject.foot_m
    self.thigh, self.shank = subject.thigh_m, subject.shank_m
    self.side = 1.0 if leg == 0 else -1.0
    self.rate, self.every = rate / every, every
    # Points of the sole from the ankle, foot level: forward, up.
    self.heel = np.array([-ANKLE_AT * foot, -subject.ankle_height_m])
    self.ball = np.array([(BALL_AT - ANKLE_AT) * foot, -subject.ankle_height_m])
    self.toes = (1 - BALL_AT) * foot
    self.scale = subject.leg_m / 0.9
    origin = steps.start[1]
    mine = np.flatnonzero((steps.leg == leg) & (steps.start < origin + samples))
    sample = np.arange(0, samples, every) + origin
    owner = mine[np.clip(np.searchsorted(steps.start[mine], sample, 'right') - 1, 0, None)]
    u = (sample - steps.start[owner]) / steps.stance[owner]
    self.stance = u <= 1
    trait = {name: values[owner] for name, values in steps.traits.items()}
    yaw = placed.yaw[owner]
    self.ahead = np.stack([np.cos(yaw), np.sin(yaw), 0 * yaw], -1)
    step = np.append(np.diff(steps.start), steps.stance[-1] * 0.85)
    other = (step / steps.stance)[owner]  # when, in stance, the other foot lands
    self.mine = mine
    self.fall = np.searchsorted(mine, owner)
    self.landing = np.maximum(-(-(steps.start[mine] - origin) // every), 0)
    self.landed = steps.start[mine] >= origin
    self.moved = np.zeros(len(mine))
    self.most_moved = MOVE * (self.thigh + self.shank)
    self._plan_stance(u, other, trait, placed.heel[owner])
    self._plan_swing(u, steps, trait, mine, origin)

  def _plan_stance(self, u, other, trait, heel) -> None:
    rad = np.pi / 180
    rest = np.clip(1 - u / trait['foot_flat_at'], 0, 1)
    self.tiptoe = trait['heel_up'] * rad
    flat = self.tiptoe < 0.01
    self.strike = np.where(flat, trait['foot_strike'] * rad * rest**2 * (1 + 0.4 * (1 - rest)), 0)
    late = np.clip((u - other) / (1 - other), 0, 1)
    roll = trait['toe_roll'] * rad * late**2
    self.roll = roll
    self.heel_floor = np.concatenate([heel, 0 * heel[:, :1]], -1)
    foot = self.ball[0] - self.heel[0]
    reach = foot + self.toes * (1 - np.cos(roll))
    self.ball_place = self.heel_floor + reach[:, None] * self.ahead
    self.ball_place[:, 2] = self.toes * np.sin(roll)
    # Bend of the knee that the rising heel keeps: hardly any until the other foot lands.
    x = np.clip((u - other + 0.22) / 0.22, 0, 1)
    y = np.clip((u - other) / (1 - other), 0, 1)
    share = 0.16 * x**3 + 0.62 * y + 0.22 * y**2
    bend = trait['knee_least'] + (trait['knee_toe_off'] - trait['knee_least']) * share
    self.late_length = self._length(bend * rad)
    self.landing_length = self._length(trait['knee_landing'] * rad)[self.landing]
    self.may_rise = forces.smooth((u - 0.22) / 0.2)
    self.least_bend = trait['knee_least'] * rad
    # Where the hip alone decides how far the leg reaches; later the heel's rise helps.
    self.free = self.stance & (u > 0.2) & (u < 0.45)
    self.early = self.stance & (u < 0.18)

  def _plan_swing(self, u, steps, trait, mine, origin) -> None:
    count = len(u)
    swing = np.flatnonzero(~self.stance)
    end = (steps.start[mine] + steps.stance[mine] - origin) // self.every
    # For each swing sample: the last sample of the stance before and the first of the next.
    number = np.searchsorted(end, swing, 'left') - 1
    last = end[number]
    first = np.append(self.landing[1:], count - 1)[number]
    keep = (last >= 0) & (number + 1 < len(mine))
    if not keep.all():
      raise ValueError('the grid begins or ends in a swing whose other end is unknown')
    self.swing, self.last, self.first = swing, last, first
    self.span = (first - last) / self.rate
    self.s = (swing - last) / (first - last)
    self.group = number - number.min(initial=0)
    rad = np.pi / 180
    target = {name: values[swing] for name, values in trait.items()}
    self.peak = target['knee_swing'] * rad
    self.dorsiflexion = target['ankle_swing'] * rad
    self.need = target['clearance'] * self.scale
    self.swerve = target['circumduction'] * self.scale * self.side
    self.hump = 64 * (self.s * (1 - self.s)) ** 3

  def _length(self, bend: np.ndarray) -> np.ndarray:
    """Hip to ankle, for a bend of the knee in radians."""
    return np.sqrt(self.thigh**2 + self.shank**2 + 2 * self.thigh * self.shank * np.cos(bend))

  def _bend(self, length: np.ndarray) -> np.ndarray:
    cosine = (length**2 - self.thigh**2 - self.shank**2) / (2 * self.thigh * self.shank)
    return np.arccos(np.clip(cosine, -1, 1))

  def solve(self, hip: np.ndarray) -> np.ndarray:
    """Hip path (N, 3) -> joints (N, 5, 3)."""
    pitch = self.strike - self._rise(hip)
    # Planted: ankle over the heel's edge, or over the ball.
    from_ball = self.ball_place - self._turn(self.ball, pitch)
    from_heel = self.heel_floor - self._turn(self.heel, pitch)
    ankle = np.where((self.strike > 0)[:, None], from_heel, from_ball)
    toe_pitch = np.where(self.strike > 0, pitch, -self.roll)

    self.offset = ankle - hip
    ankle, pitch, toe_pitch = self._fly(hip, ankle, pitch, toe_pitch)

    heel = ankle + self._turn(self.heel, pitch)
    ball = ankle + self._turn(self.ball, pitch)
    toe = ball + self.toes * self._direction(toe_pitch)
    return np.stack([hip, self._knee(hip, ankle), ankle, heel, toe], 1)

  def spare(self) -> tuple[float, float]:
    """How far the hip of `solve` could rise in early stance, metres.

    Until the first knee is straight, and until the knees' least bend is on average as the person
    has it.
    """
    length = np.linalg.norm(self.offset, axis=-1)
    free = np.full(len(self.landing), np.inf)
    np.minimum.at(free, self.fall[self.free], (self._length(self.least_bend) - length)[self.free])
    limit = self._length(STRAIGHTEST) - length
    late = limit[self.stance & ~self.early].min()
    # Early in stance the landing place can still give way (`step_in`).
    room = np.where(self.landed, self.moved + self.most_moved, np.inf).min()
    early = limit[self.early].min() + 0.3 * min(room, 0.1)
    return float(min(late, early)), float(free[np.isfinite(free)].mean())

  def step_in(self) -> None:
    """Move landing places along x until the knee lands with its own bend, within limits."""
    # The straightest moment, from landing until the foot is flat.
    longest = np.zeros(len(self.landing))
    np.maximum.at(longest, self.fall[self.early], np.linalg.norm(self.offset[self.early], axis=-1))
    forward = np.maximum(self.offset[self.landing, 0], 0.1)
    wish = 0.6 * (self.landing_length - longest) * longest / forward
    moved = np.clip(
      self.moved + np.where(self.landed, wish, 0), -self.most_moved, self.most_moved / 2
    )
    if len(moved) > 1 and not self.landed[0]:
      moved[0] = moved[1]
    self.move(moved)

  def move(self, places: np.ndarray) -> None:
    """Set how far along x each footfall is from where it was placed at first."""
    shift = (places - self.moved)[self.fall]
    self.moved = places
    self.heel_floor[:, 0] += shift
    self.ball_place[:, 0] += shift

  def _rise(self, hip: np.ndarray) -> np.ndarray:
    """How far the heel is up, radians: where the leg would else be too short for its bend."""
    away = hip - self.ball_place
    along = (away * self.ahead).sum(-1)
    square = (away**2).sum(-1)
    flat = np.hypot(along, away[:, 2])
    radius = np.hypot(*self.ball)
    cosine = (square + radius**2 - self.late_length**2) / (2 * radius * flat)
    angle = np.arctan2(away[:, 2], along) + np.arccos(_soft_limit(cosine))
    level = np.arctan2(-self.ball[1], -self.ball[0])
    wanted = level - angle - self.tiptoe
    soft = 0.04
    return self.tiptoe + self.may_rise * soft * np.logaddexp(0, wanted / soft)

  def _fly(self, hip, ankle, pitch, toe_pitch):
    """Fill in swing."""
    i, s, hump = self.swing, self.s, self.hump
    offset = ankle - hip
    bend = self._bend(np.linalg.norm(offset, axis=-1))
    lean = np.arctan2(offset[:, 0], -offset[:, 2])
    fly_bend = self._between(bend, 0.8, 0.1)
    at = KNEE_PEAK_AT
    fly_bend = fly_bend + (self.peak - self._at(fly_bend, at)) * self._hump(at)
    fly_bend = _soft_floor(fly_bend, 0.03, 0.02)
    length = self._length(fly_bend)
    fly_lean = self._between(lean, 0.25)
    fly_lean = fly_lean + LEG_AHEAD * self._hump(LEG_AHEAD_AT)
    side = self._between(ankle[:, 1]) + self.swerve * hump - hip[i, 1]
    down = np.sqrt(np.maximum(length**2 - side**2, 1e-6))
    fly = hip[i] + np.stack([down * np.sin(fly_lean), side, -down * np.cos(fly_lean)], -1)
    # The ankle joint, not the foot, moves evenly through swing.
    joint = self._between(pitch - self._shank(lean, bend), 0.1, 0.1)
    joint = joint + (self.dorsiflexion - self._at(joint, 0.42)) * hump
    fly_pitch = joint + self._shank(fly_lean, fly_bend)
    straight = self._between(toe_pitch - pitch) * (
      1 - forces.smooth(s / 0.35) * forces.smooth((1 - s) / 0.35)
    )
    fly_toe = fly_pitch + straight

    heel = fly[:, 2] + _rotate(self.heel, fly_pitch)[1]
    ball = fly[:, 2] + _rotate(self.ball, fly_pitch)[1]
    toe = ball + self.toes * np.sin(fly_toe)
    lowest = np.minimum(np.minimum(heel, ball), toe)
    # Draw the leg up wherever the sole would come too near to the floor.
    short = 4 * s * (1 - s) * self.need - lowest
    ends = forces.smooth(s / 0.08) * forces.smooth((1 - s) / 0.08)
    fly[:, 2] += ends * _soft_floor(short, 0.0, 0.003)

    ankle, pitch, toe_pitch = ankle.copy(), pitch.copy(), toe_pitch.copy()
    ankle[i], pitch[i], toe_pitch[i] = fly, fly_pitch, fly_toe
    return ankle, pitch, toe_pitch

  def _hump(self, at: float) -> np.ndarray:
    """0 at both ends of swing, 1 at one moment."""
    return (self.s / at) ** 3 * ((1 - self.s) / (1 - at)) ** (3 * (1 - at) / at)

  def _at(self, values: np.ndarray, s: float) -> np.ndarray:
    """The value that each swing has at one moment of it, for all of the swing's samples."""
    near = np.abs(self.s - s) < 0.02
    number = np.bincount(self.group[near], minlength=self.group.max() + 1)
    total = np.bincount(self.group[near], values[near], self.group.max() + 1)
    return (total / np.maximum(number, 1))[self.group]

  def _shank(self, lean: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Lean of the shank, radians, from that of the line hip to ankle and the knee's bend."""
    return lean - np.arcsin(self.thigh * np.sin(bend) / self._length(bend))

  def _between(self, values: np.ndarray, leave: float = 1, arrive: float = 1) -> np.ndarray:
    """Through every swing: quintic from end to end, with these shares of the stances' rates."""
    h = max(round(0.010 * self.rate), 1)
    t, s = self.span, self.s
    a, d = values[self.last], values[self.first]
    v0 = leave * (a - values[self.last - h]) * self.rate / h * t
    v1 = arrive * (values[np.minimum(self.first + h, len(values) - 1)] - d) * self.rate / h * t
    s3, s4, s5 = s**3, s**4, s**5
    return (
      a * (1 - 10 * s3 + 15 * s4 - 6 * s5)
      + d * (10 * s3 - 15 * s4 + 6 * s5)
      + v0 * (s - 6 * s3 + 8 * s4 - 3 * s5)
      + v1 * (-4 * s3 + 7 * s4 - 3 * s5)
    )

  def _knee(self, hip: np.ndarray, ankle: np.ndarray) -> np.ndarray:
    """The knee in front of the line from hip to ankle, in the plane of the foot's direction."""
    line = ankle - hip
    length = np.linalg.norm(line, axis=-1, keepdims=True)
    axis = line / length
    length = np.clip(length, 1e-6, self.thigh + self.shank)
    along = (self.thigh**2 - self.shank**2 + length**2) / (2 * length)
    off = np.sqrt(np.maximum(self.thigh**2 - along**2, 0))
    front = self.ahead - (self.ahead * axis).sum(-1, keepdims=True) * axis
    front /= np.linalg.norm(front, axis=-1, keepdims=True)
    return hip + along * axis + off * front

  def _turn(self, point: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """A point of the foot (forward, up) from the ankle, foot pitched toe up: (N, 3)."""
    forward, up = _rotate(point, pitch)
    return forward[:, None] * self.ahead + up[:, None] * np.array([0.0, 0.0, 1.0])

  def _direction(self, pitch: np.ndarray) -> np.ndarray:
    return self._turn(np.array([1.0, 0.0]), pitch)


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
    bend = _soft_floor(bend, 0.02, 0.05)
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


def _rotate(point: np.ndarray, pitch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  cos, sin = np.cos(pitch), np.sin(pitch)
  return point[0] * cos - point[1] * sin, point[0] * sin + point[1] * cos


def _soft_floor(values: np.ndarray, floor: float, soft: float) -> np.ndarray:
  return floor + soft * np.logaddexp(0, (values - floor) / soft)


def _soft_limit(cosine: np.ndarray) -> np.ndarray:
  """Below 1, smoothly: the ankle cannot come nearer to the hip than the line to the ball."""
  return 0.99 - _soft_floor(0.99 - cosine, 0.0, 0.008)
