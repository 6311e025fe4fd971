"""Motion of a leg under the path of its hip: planted and rolling in stance, swinging in between.

Shapes of joint angles over the stride: Winter (1991), Perry & Burnfield (2010).
"""

import dataclasses

import numpy as np

from grfjax.synth import body, ground_reaction, smooth_functions

ANKLE_AT, BALL_AT = 0.22, 0.70  # places along the sole, fractions of foot length
KNEE_PEAK_AT = 0.33  # share of swing at which the knee is bent most
ANKLE_PEAK_AT = 0.42  # share of swing at which the ankle has its own angle
LEG_AHEAD, LEG_AHEAD_AT = 0.09, 0.4  # by how many radians the leg swings ahead, and when
ROLL_FROM = 0.95  # cosine of the angle at the ball, between ankle and hip, from which toes roll
LATE_LEAN = 0.42  # radians from upright of the line from ball to hip at toe-off
CLEARANCE_SOFT = 0.006  # metres over which a swinging leg begins to be drawn up
STRAIGHTEST = 0.02  # least bend of a standing knee, radians
MAX_SHIFT = 0.14  # how far a landing place may move back to be reached, of leg length
JOINTS = ('hip', 'knee', 'ankle', 'heel', 'toe')  # in the order of `body.LIMB_JOINTS`


@dataclasses.dataclass(frozen=True)
class Placement:
  """Where the feet are planted.

  Attributes:
    heel: (M, 2) x and y of the heel at each footfall, metres.
    yaw: (M,) direction of the foot, radians from forward to the left.
  """

  heel: np.ndarray
  yaw: np.ndarray


class Leg:
  """One leg over the whole walk: it turns a path of the hip into places of the leg's joints.

  Attributes:
    footfalls: indices of this leg's footfalls.
    shift: how far along x each of them was moved from where it was placed, metres.
  """

  def __init__(
    self,
    subject: body.Subject,
    footfalls: ground_reaction.Footfalls,
    placement: Placement,
    leg: int,
    samples: int,
    rate: float,
    every: int,
  ):
    """Plans stances and swings.

    Args:
      subject: the body.
      footfalls: the footfalls of both legs.
      placement: where they are.
      leg: 0 left, 1 right.
      samples: length of the walk from the second contact on.
      rate: samples per second.
      every: takes one sample of so many.

    Raises:
      ValueError: the walk begins or ends in a swing whose other end is unknown.
    """
    foot = subject.foot_m
    self._thigh, self._shank = subject.thigh_m, subject.shank_m
    self._side = 1.0 if leg == 0 else -1.0
    self._rate, self._every = rate / every, every
    # Points of the sole relative to the ankle when the foot is level: forward, up.
    self._heel = np.array([-ANKLE_AT * foot, -subject.ankle_height_m])
    self._ball = np.array([(BALL_AT - ANKLE_AT) * foot, -subject.ankle_height_m])
    self._toes = (1 - BALL_AT) * foot
    self._scale = subject.leg_m / 0.9
    origin = footfalls.start[1]
    own = np.flatnonzero((footfalls.leg == leg) & (footfalls.start < origin + samples))
    sample = np.arange(0, samples, every) + origin
    owner = own[np.clip(np.searchsorted(footfalls.start[own], sample, 'right') - 1, 0, None)]
    u = (sample - footfalls.start[owner]) / footfalls.stance[owner]
    self._stance = u <= 1
    trait = {name: values[owner] for name, values in footfalls.traits.items()}
    yaw = placement.yaw[owner]
    self._ahead = np.stack([np.cos(yaw), np.sin(yaw), 0 * yaw], -1)
    step = np.append(np.diff(footfalls.start), footfalls.stance[-1] * 0.85)
    # Share of stance at which the other foot lands.
    other_lands = (step / footfalls.stance)[owner]
    self.footfalls = own
    self._footfall_of = np.searchsorted(own, owner)
    self._landing = np.maximum(-(-(footfalls.start[own] - origin) // every), 0)
    self._lands_on_grid = footfalls.start[own] >= origin
    self.shift = np.zeros(len(own))
    self._max_shift = MAX_SHIFT * (self._thigh + self._shank)
    self._plan_stance(u, other_lands, trait, placement.heel[owner])
    self._plan_swing(u, footfalls, trait, own, origin)

  def _plan_stance(self, u, other_lands, trait, heel) -> None:
    """Plans the pitch of foot and toes and the bend of the knee.

    Args:
      u: share of stance of each sample; beyond 1 it is in swing.
      other_lands: share of stance at which the other foot lands.
      trait: name -> value for each sample.
      heel: (N, 2) where the heel is planted.
    """
    rad = np.pi / 180
    rest = np.clip(1 - u / trait['foot_flat_at'], 0, 1)
    self._tiptoe = trait['heel_up'] * rad
    flat = self._tiptoe < 0.01
    self._strike = np.where(flat, trait['foot_strike'] * rad * rest**2 * (1 + 0.4 * (1 - rest)), 0)
    late = np.clip((u - other_lands) / (1 - other_lands), 0, 1)
    self._roll = trait['toe_roll'] * rad * late**2
    self._heel_floor = np.concatenate([heel, 0 * heel[:, :1]], -1)
    foot = self._ball[0] - self._heel[0]
    self._toe_floor = self._heel_floor + (foot + self._toes) * self._ahead
    self._may_roll = smooth_functions.smoothstep((u - 0.62) / 0.15)
    # Bend of the knee that the rising heel keeps: hardly any until the other foot lands.
    before = np.clip((u - other_lands + 0.22) / 0.22, 0, 1)
    share = 0.16 * before**3 + 0.62 * late + 0.22 * late**2
    bend = trait['knee_least'] + (trait['knee_toe_off'] - trait['knee_least']) * share
    self._late_length = self._leg_length(bend * rad)
    self._landing_length = self._leg_length(trait['knee_landing'] * rad)[self._landing]
    self._may_rise = smooth_functions.smoothstep((u - 0.22) / 0.2)
    self._least_bend = trait['knee_least'] * rad
    # In mid-stance the hip alone decides how far the leg reaches; later the heel's rise helps.
    self._mid_stance = self._stance & (u > 0.2) & (u < 0.45)
    self._early_stance = self._stance & (u < 0.18)

  def _plan_swing(self, u, footfalls, trait, own, origin) -> None:
    """Plans knee, ankle and clearance of every sample in swing; arguments as above."""
    count = len(u)
    swing = np.flatnonzero(~self._stance)
    end = (footfalls.start[own] + footfalls.stance[own] - origin) // self._every
    # For each sample in swing: the last sample of the stance before, and the first of the next one.
    number = np.searchsorted(end, swing, 'left') - 1
    last = end[number]
    first = np.append(self._landing[1:], count - 1)[number]
    keep = (last >= 0) & (number + 1 < len(own))
    if not keep.all():
      raise ValueError('the grid begins or ends in a swing whose other end is unknown')
    self._swing, self._swing_last, self._swing_first = swing, last, first
    self._swing_s = (first - last) / self._rate
    self._swing_share = (swing - last) / (first - last)
    self._swing_number = number - number.min(initial=0)
    rad = np.pi / 180
    target = {name: values[swing] for name, values in trait.items()}
    self._knee_peak = target['knee_swing'] * rad
    self._dorsiflexion = target['ankle_swing'] * rad
    self._clearance = target['clearance'] * self._scale
    self._circumduction = target['circumduction'] * self._scale * self._side
    self._hump = 64 * (self._swing_share * (1 - self._swing_share)) ** 3

  def _leg_length(self, bend: np.ndarray) -> np.ndarray:
    """Returns the distance from hip to ankle for a bend of the knee in radians."""
    return np.sqrt(self._thigh**2 + self._shank**2 + 2 * self._thigh * self._shank * np.cos(bend))

  def _knee_bend(self, length: np.ndarray) -> np.ndarray:
    """Returns the bend of the knee, radians, for a distance from hip to ankle."""
    cosine = (length**2 - self._thigh**2 - self._shank**2) / (2 * self._thigh * self._shank)
    return np.arccos(np.clip(cosine, -1, 1))

  def solve(self, hip: np.ndarray) -> np.ndarray:
    """Returns the places of `JOINTS`, (N, 5, 3), for a path of the hip, (N, 3) metres."""
    roll, ball = self._roll_toes(hip)
    pitch = self._strike - self._heel_rise(hip, ball)
    # In stance the foot stands on the edge of the heel or on the ball.
    from_ball = ball - self._foot_point(self._ball, pitch)
    from_heel = self._heel_floor - self._foot_point(self._heel, pitch)
    ankle = np.where((self._strike > 0)[:, None], from_heel, from_ball)
    toe_pitch = np.where(self._strike > 0, pitch, -roll)

    self._offset = ankle - hip
    # Where the hip is some millimetres too far, the foot gives way: bones keep their length.
    length = np.linalg.norm(self._offset, axis=-1, keepdims=True)
    longest = float(self._leg_length(np.array(STRAIGHTEST / 2)))
    ankle = ankle - self._offset / length * smooth_functions.soft_floor(length - longest, 0.0, 1e-4)
    ankle, pitch, toe_pitch = self._add_swing(hip, ankle, pitch, toe_pitch)

    heel = ankle + self._foot_point(self._heel, pitch)
    ball = ankle + self._foot_point(self._ball, pitch)
    toe = ball + self._toes * self._foot_direction(toe_pitch)
    return np.stack([hip, self._knee_place(hip, ankle), ankle, heel, toe], 1)

  def possible_rises(self) -> tuple[float, float]:
    """Returns how far the hip path of the last `solve` could rise, metres.

    Returns:
      Until the first knee in stance is straight; until the least bend of the knees in mid-stance
      is on average that of the person.
    """
    length = np.linalg.norm(self._offset, axis=-1)
    spare = np.full(len(self._landing), np.inf)
    np.minimum.at(
      spare,
      self._footfall_of[self._mid_stance],
      (self._leg_length(self._least_bend) - length)[self._mid_stance],
    )
    limit = self._leg_length(np.array(STRAIGHTEST)) - length
    late = limit[self._stance & ~self._early_stance].min()
    # Early in stance the landing place can still give way (`adjust_landing`).
    possible_shift = np.where(self._lands_on_grid, self.shift + self._max_shift, np.inf).min()
    early = limit[self._early_stance].min() + 0.3 * min(possible_shift, 0.1)
    return float(min(late, early)), float(spare[np.isfinite(spare)].mean())

  def adjust_landing(self) -> None:
    """Moves landing places along x so that the knee lands with its own bend, within limits."""
    # The greatest distance from hip to ankle, from landing until the foot is flat.
    longest = np.zeros(len(self._landing))
    np.maximum.at(
      longest,
      self._footfall_of[self._early_stance],
      np.linalg.norm(self._offset[self._early_stance], axis=-1),
    )
    forward = np.maximum(self._offset[self._landing, 0], 0.1)
    change = 0.6 * (self._landing_length - longest) * longest / forward
    shift = np.clip(
      self.shift + np.where(self._lands_on_grid, change, 0), -self._max_shift, self._max_shift / 2
    )
    if len(shift) > 1 and not self._lands_on_grid[0]:
      shift[0] = shift[1]
    self.set_shift(shift)

  def set_shift(self, shift: np.ndarray) -> None:
    """Sets how far along x each footfall is moved from where it was placed, metres."""
    change = (shift - self.shift)[self._footfall_of]
    self.shift = shift
    self._heel_floor[:, 0] += change
    self._toe_floor[:, 0] += change

  def _roll_toes(self, hip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns how far the toes are pitched down, (N,) radians, and where the ball is then, (N, 3).

    They are pitched at least as far as is the person's own, and far enough for the ankle to come
    near enough to the hip.
    """
    _, flat, square = self._ball_to_hip(hip, self._ball_place(self._roll))
    radius = np.hypot(*self._ball)
    rest = self._late_length**2 - (square - flat**2) - radius**2 * (1 - ROLL_FROM**2)
    missing = flat - radius * ROLL_FROM - np.sqrt(np.maximum(rest, 1e-6))
    missing = self._may_roll * smooth_functions.soft_floor(missing, 0.0, 0.003)
    # The ball rises towards the hip by toes x cos(roll - lean), integrated.
    sine = np.sin(self._roll - LATE_LEAN) + missing / self._toes
    sine = 0.9 - smooth_functions.soft_floor(0.9 - sine, 0.0, 0.03)
    roll = self._roll + self._may_roll * (np.arcsin(sine) + LATE_LEAN - self._roll)
    return roll, self._ball_place(roll)

  def _ball_place(self, roll: np.ndarray) -> np.ndarray:
    """Returns the place of the ball for planted toes that are pitched down."""
    from_toe = -np.cos(roll)[:, None] * self._ahead
    from_toe[:, 2] = np.sin(roll)
    return self._toe_floor + self._toes * from_toe

  def _ball_to_hip(self, hip, ball) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns ball to hip: along the foot, distance in its upright plane, squared distance."""
    offset = hip - ball
    along = (offset * self._ahead).sum(-1)
    return along, np.hypot(along, offset[:, 2]), (offset**2).sum(-1)

  def _heel_rise(self, hip: np.ndarray, ball: np.ndarray) -> np.ndarray:
    """Returns how far the heel is up, radians: where the leg would be too short for its bend."""
    along, flat, square = self._ball_to_hip(hip, ball)
    radius = np.hypot(*self._ball)
    cosine = (square + radius**2 - self._late_length**2) / (2 * radius * flat)
    angle = np.arctan2(hip[:, 2] - ball[:, 2], along) + np.arccos(_soft_limit(cosine))
    level = np.arctan2(-self._ball[1], -self._ball[0])
    rise = level - angle - self._tiptoe
    width = 0.04
    return self._tiptoe + self._may_rise * width * np.logaddexp(0, rise / width)

  def _add_swing(self, hip, ankle, pitch, toe_pitch):
    """Returns ankle, pitch of the foot and pitch of the toes, with those in swing filled in."""
    i, s = self._swing, self._swing_share
    ends = smooth_functions.smoothstep(s / 0.1) * smooth_functions.smoothstep((1 - s) / 0.1)
    offset = ankle - hip
    bend = self._knee_bend(np.linalg.norm(offset, axis=-1))
    lean = np.arctan2(offset[:, 0], -offset[:, 2])
    swing_bend = self._swing_bend(bend, ends)
    swing_lean = self._through_swing(lean, 0.25)
    swing_lean = swing_lean + LEG_AHEAD * self._hump_at(LEG_AHEAD_AT)
    length = self._leg_length(swing_bend)
    side = self._through_swing(ankle[:, 1]) + self._circumduction * self._hump - hip[i, 1]
    down = np.sqrt(np.maximum(length**2 - side**2, 1e-6))
    swing_ankle = hip[i] + np.stack(
      [down * np.sin(swing_lean), side, -down * np.cos(swing_lean)], -1
    )
    # The ankle joint, not the foot, moves evenly through swing.
    joint = self._through_swing(pitch - self._shank_lean(lean, bend), 0.1, 0.1)
    joint = joint + (self._dorsiflexion - self._value_at(joint, ANKLE_PEAK_AT)) * self._hump
    swing_pitch = joint + self._shank_lean(swing_lean, swing_bend)
    toe_bend = self._through_swing(toe_pitch - pitch) * (
      1 - smooth_functions.smoothstep(s / 0.35) * smooth_functions.smoothstep((1 - s) / 0.35)
    )
    swing_toe = swing_pitch + toe_bend
    swing_ankle[:, 2] += self._draw_up(swing_ankle[:, 2], swing_pitch, swing_toe, ends)

    ankle, pitch, toe_pitch = ankle.copy(), pitch.copy(), toe_pitch.copy()
    ankle[i], pitch[i], toe_pitch[i] = swing_ankle, swing_pitch, swing_toe
    return ankle, pitch, toe_pitch

  def _swing_bend(self, bend: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Returns the bend of the knee in swing from that in stance, radians."""
    swing_bend = self._through_swing(bend, 0.8, 0.1)
    peak_change = self._knee_peak - self._value_at(swing_bend, KNEE_PEAK_AT)
    swing_bend = swing_bend + peak_change * self._hump_at(KNEE_PEAK_AT)
    return swing_bend + ends * (smooth_functions.soft_floor(swing_bend, 0.05, 0.03) - swing_bend)

  def _draw_up(self, ankle_z, pitch, toe_pitch, ends) -> np.ndarray:
    """Returns by how much the leg is drawn up in swing, where its sole would near the floor."""
    heel = ankle_z + _rotate(self._heel, pitch)[1]
    ball = ankle_z + _rotate(self._ball, pitch)[1]
    toe = ball + self._toes * np.sin(toe_pitch)
    lowest = -smooth_functions.soft_maximum(np.stack([-heel, -ball, -toe]), CLEARANCE_SOFT)
    missing = 4 * self._swing_share * (1 - self._swing_share) * self._clearance - lowest
    return ends * smooth_functions.soft_floor(missing, 0.0, CLEARANCE_SOFT)

  def _hump_at(self, peak: float) -> np.ndarray:
    """Returns a curve that is 0 at both ends of swing and 1 at a share of it."""
    return (self._swing_share / peak) ** 3 * ((1 - self._swing_share) / (1 - peak)) ** (
      3 * (1 - peak) / peak
    )

  def _value_at(self, values: np.ndarray, share: float) -> np.ndarray:
    """Returns the value that each swing has at a share of it, for all samples of the swing."""
    near = np.abs(self._swing_share - share) < 0.02
    count = np.bincount(self._swing_number[near], minlength=self._swing_number.max() + 1)
    total = np.bincount(self._swing_number[near], values[near], self._swing_number.max() + 1)
    return (total / np.maximum(count, 1))[self._swing_number]

  def _shank_lean(self, lean: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Returns the lean of the shank, radians, from that of the line hip to ankle and the bend."""
    return lean - np.arcsin(self._thigh * np.sin(bend) / self._leg_length(bend))

  def _through_swing(self, values: np.ndarray, leave: float = 1, arrive: float = 1) -> np.ndarray:
    """Interpolates through every swing by a quintic from the stance before to the next one.

    Args:
      values: (N,) of which those in stance count.
      leave: the share of the rate of change that is kept at toe-off.
      arrive: the share that is reached at landing.

    Returns:
      A value for each sample in swing.
    """
    h = max(round(0.010 * self._rate), 1)
    t, s = self._swing_s, self._swing_share
    a, d = values[self._swing_last], values[self._swing_first]
    v0 = leave * (a - values[self._swing_last - h]) * self._rate / h * t
    v1 = (
      arrive * (values[np.minimum(self._swing_first + h, len(values) - 1)] - d) * self._rate / h * t
    )
    s3, s4, s5 = s**3, s**4, s**5
    return (
      a * (1 - 10 * s3 + 15 * s4 - 6 * s5)
      + d * (10 * s3 - 15 * s4 + 6 * s5)
      + v0 * (s - 6 * s3 + 8 * s4 - 3 * s5)
      + v1 * (-4 * s3 + 7 * s4 - 3 * s5)
    )

  def _knee_place(self, hip: np.ndarray, ankle: np.ndarray) -> np.ndarray:
    """Returns the knee: in front of the line from hip to ankle, in the plane of the foot."""
    line = ankle - hip
    length = np.linalg.norm(line, axis=-1, keepdims=True)
    axis = line / length
    length = np.clip(length, 1e-6, self._thigh + self._shank)
    along = (self._thigh**2 - self._shank**2 + length**2) / (2 * length)
    off = np.sqrt(np.maximum(self._thigh**2 - along**2, 0))
    front = self._ahead - (self._ahead * axis).sum(-1, keepdims=True) * axis
    front /= np.linalg.norm(front, axis=-1, keepdims=True)
    return hip + along * axis + off * front

  def _foot_point(self, point: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Returns a point of the foot (forward, up) from the ankle, the foot pitched toe up: (N, 3)."""
    forward, up = _rotate(point, pitch)
    return forward[:, None] * self._ahead + up[:, None] * np.array([0.0, 0.0, 1.0])

  def _foot_direction(self, pitch: np.ndarray) -> np.ndarray:
    """Returns the unit direction of something pitched up, in the upright plane of the foot."""
    return self._foot_point(np.array([1.0, 0.0]), pitch)


def _rotate(point: np.ndarray, pitch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns a point (forward, up) turned up by a pitch in radians."""
  cos, sin = np.cos(pitch), np.sin(pitch)
  return point[0] * cos - point[1] * sin, point[0] * sin + point[1] * cos


def _soft_limit(cosine: np.ndarray) -> np.ndarray:
  """Keeps a cosine below 1, smoothly: the ankle comes no nearer to the hip than the ball allows."""
  return 0.99 - smooth_functions.soft_floor(0.99 - cosine, 0.0, 0.008)
