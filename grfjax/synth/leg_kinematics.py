"""A leg on its hip's path: planted and rolling in stance, swinging between.

Shapes of joint angles over the stride: Winter (1991), Perry & Burnfield (2010).
"""

import dataclasses

import numpy as np

from grfjax.synth import body, forces, shapes

ANKLE_AT, BALL_AT = 0.22, 0.70  # along the sole, fractions of foot length
KNEE_PEAK_AT = 0.33  # of swing
LEG_AHEAD, LEG_AHEAD_AT = 0.09, 0.4  # radians by which the leg swings early, and when
ROLL_FROM = 0.95  # cosine, at the hip's side of the ball, beyond which the toes roll on
LATE_LEAN = 0.42  # radians from upright of the line ball to hip at toe-off
CLEARANCE_SOFT = 0.006  # metres over which the drawing up of a swinging leg sets in
STRAIGHTEST = 0.02  # radians of bend that a standing knee keeps
MOVE = 0.14  # of leg length: how far a landing place may move back to be reached
JOINTS = ('hip', 'knee', 'ankle', 'heel', 'toe')  # in the order of `body.LIMB_JOINTS`


@dataclasses.dataclass(frozen=True)
class Placement:
  """Where feet are planted: heel (M, 2) metres and direction of the foot (M,) radians."""

  heel: np.ndarray
  yaw: np.ndarray


class Leg:
  """One leg over the whole walk: hip path -> hip, knee, ankle, heel and toe."""

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
    self.toe_floor = self.heel_floor + (foot + self.toes) * self.ahead
    self.may_roll = shapes.smooth((u - 0.62) / 0.15)
    # Bend of the knee that the rising heel keeps: hardly any until the other foot lands.
    x = np.clip((u - other + 0.22) / 0.22, 0, 1)
    y = np.clip((u - other) / (1 - other), 0, 1)
    share = 0.16 * x**3 + 0.62 * y + 0.22 * y**2
    bend = trait['knee_least'] + (trait['knee_toe_off'] - trait['knee_least']) * share
    self.late_length = self._length(bend * rad)
    self.landing_length = self._length(trait['knee_landing'] * rad)[self.landing]
    self.may_rise = shapes.smooth((u - 0.22) / 0.2)
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
    roll, ball = self._roll_over(hip)
    pitch = self.strike - self._rise(hip, ball)
    # Planted: ankle over the heel's edge, or over the ball.
    from_ball = ball - self._turn(self.ball, pitch)
    from_heel = self.heel_floor - self._turn(self.heel, pitch)
    ankle = np.where((self.strike > 0)[:, None], from_heel, from_ball)
    toe_pitch = np.where(self.strike > 0, pitch, -roll)

    self.offset = ankle - hip
    # The last millimetres: the foot gives way, not the length of the bones.
    length = np.linalg.norm(self.offset, axis=-1, keepdims=True)
    most = float(self._length(np.array(STRAIGHTEST / 2)))
    ankle = ankle - self.offset / length * shapes.soft_floor(length - most, 0.0, 1e-4)
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
    limit = self._length(np.array(STRAIGHTEST)) - length
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
    self.toe_floor[:, 0] += shift

  def _roll_over(self, hip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the toes are pitched down, radians, and where that puts the ball: (N,), (N, 3).

    At least as the person does it, and as far as it takes for the ankle to come near enough to
    the hip.
    """
    _, flat, square = self._from_ball(hip, self._ball(self.roll))
    radius = np.hypot(*self.ball)
    rest = self.late_length**2 - (square - flat**2) - radius**2 * (1 - ROLL_FROM**2)
    missing = flat - radius * ROLL_FROM - np.sqrt(np.maximum(rest, 1e-6))
    missing = self.may_roll * shapes.soft_floor(missing, 0.0, 0.003)
    # The ball rises towards the hip by toes x cos(roll - lean), integrated.
    sine = np.sin(self.roll - LATE_LEAN) + missing / self.toes
    sine = 0.9 - shapes.soft_floor(0.9 - sine, 0.0, 0.03)
    roll = self.roll + self.may_roll * (np.arcsin(sine) + LATE_LEAN - self.roll)
    return roll, self._ball(roll)

  def _ball(self, roll: np.ndarray) -> np.ndarray:
    """Place of the ball, toes planted and pitched down."""
    back = -np.cos(roll)[:, None] * self.ahead
    back[:, 2] = np.sin(roll)
    return self.toe_floor + self.toes * back

  def _from_ball(self, hip, ball) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ball to hip: along the foot, in the foot's upright plane, and squared in space."""
    away = hip - ball
    along = (away * self.ahead).sum(-1)
    return along, np.hypot(along, away[:, 2]), (away**2).sum(-1)

  def _rise(self, hip: np.ndarray, ball: np.ndarray) -> np.ndarray:
    """How far the heel is up, radians: where the leg would else be too short for its bend."""
    along, flat, square = self._from_ball(hip, ball)
    radius = np.hypot(*self.ball)
    cosine = (square + radius**2 - self.late_length**2) / (2 * radius * flat)
    angle = np.arctan2(hip[:, 2] - ball[:, 2], along) + np.arccos(_soft_limit(cosine))
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
    ends = shapes.smooth(s / 0.1) * shapes.smooth((1 - s) / 0.1)
    fly_bend = fly_bend + ends * (shapes.soft_floor(fly_bend, 0.05, 0.03) - fly_bend)
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
      1 - shapes.smooth(s / 0.35) * shapes.smooth((1 - s) / 0.35)
    )
    fly_toe = fly_pitch + straight

    heel = fly[:, 2] + _rotate(self.heel, fly_pitch)[1]
    ball = fly[:, 2] + _rotate(self.ball, fly_pitch)[1]
    toe = ball + self.toes * np.sin(fly_toe)
    lowest = -shapes.soft_most(np.stack([-heel, -ball, -toe]), CLEARANCE_SOFT)
    # Draw the leg up wherever the sole would come too near to the floor.
    short = 4 * s * (1 - s) * self.need - lowest
    fly[:, 2] += ends * shapes.soft_floor(short, 0.0, CLEARANCE_SOFT)

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


def _rotate(point: np.ndarray, pitch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  cos, sin = np.cos(pitch), np.sin(pitch)
  return point[0] * cos - point[1] * sin, point[0] * sin + point[1] * cos


def _soft_limit(cosine: np.ndarray) -> np.ndarray:
  """Below 1, smoothly: the ankle cannot come nearer to the hip than the line to the ball."""
  return 0.99 - shapes.soft_floor(0.99 - cosine, 0.0, 0.008)
