"""Draws people and their walks: the forces first, then the motion that obeys them.

`draw_subject` draws a body and its habits. `draw_walk` draws one walk of that person: the
footfalls, the force of each foot, the path of the centre of mass by Newton's law, and the pose that
follows it.
"""

import dataclasses

import numpy as np

from grfjax import conventions
from grfjax.synth import (
  anthropometry,
  body,
  body_pose,
  gait_styles,
  ground_reaction,
  leg_kinematics,
  smooth_functions,
  upper_body,
)

CHILD_SHARE = 0.5  # of all subjects; children are under 16 years
TAIL_S = 0.04  # after the last contact: what the landing leg does next shapes its landing


def draw_subject(rng: np.random.Generator, style: str = 'normal') -> body.Subject:
  """Draws one person.

  Args:
    rng: source of randomness.
    style: a key of `gait_styles.STYLES`, or 'mixed': half of the people are normal, the others of
      any other style.

  Raises:
    ValueError: the style is unknown.
  """
  if style == gait_styles.MIXED:
    abnormal = [name for name in gait_styles.STYLES if name != 'normal']
    style = 'normal' if rng.random() < 0.5 else abnormal[rng.integers(len(abnormal))]
  if style not in gait_styles.STYLES:
    known = ', '.join([*gait_styles.STYLES, gait_styles.MIXED])
    raise ValueError(f'unknown style {style!r}; the styles are {known}')
  size = anthropometry.draw_body(rng, child=rng.random() < CHILD_SHARE)
  habits = _draw_habits(rng, gait_styles.STYLES[style], size['age_group'] == 'child')
  return body.Subject(name='', style=style, habits=habits, **size)


def _draw_habits(
  rng: np.random.Generator, style: gait_styles.Style, child: bool
) -> dict[str, float]:
  """Draws the means of all traits of one person.

  Returns:
    'TRAIT_left' and 'TRAIT_right' -> value; 'affected_leg' -> 0 left, 1 right.
  """
  habits: dict[str, float] = {'affected_leg': float(rng.integers(2))}
  severity = rng.uniform(0.5, 1.3)  # of anything abnormal
  faster = 0.0  # than the mean of all people
  for name, trait in gait_styles.TRAITS.items():
    value = trait.mean + trait.person * float(np.clip(rng.standard_normal(), -2.2, 2.2))
    value += severity * style.both.get(name, 0.0)
    if child:
      value += gait_styles.CHILD.get(name, 0.0)
    if name == 'speed':
      value = float(np.clip(value, trait.low, trait.high))
      faster = value - trait.mean
    value += gait_styles.ON_SPEED.get(name, 0.0) * faster
    half = trait.side * float(np.clip(rng.standard_normal(), -2.2, 2.2))
    affected_change = severity * style.affected_leg.get(name, 0.0)
    for leg, side in enumerate(conventions.LEGS):
      change = affected_change if leg == habits['affected_leg'] else 0.0
      habits[f'{name}_{side}'] = float(value + (half if leg == 0 else -half) + change)
  return habits


def draw_walk(
  subject: body.Subject,
  rng: np.random.Generator,
  steps: int = 8,
  rate_hz: float = 1000.0,
) -> body.Walk:
  """Draws one walk of a person, from a contact to the contact some steps later.

  Args:
    subject: who walks.
    rng: source of randomness: the walk's own speed and manner, and those of every step.
    steps: the number of steps.
    rate_hz: samples per second of motion and force.

  Returns:
    The walk; time 0 is the first contact, x = 0 the place of the centre of mass at that time.

  Raises:
    body_pose.UnposableError: the body cannot follow the forces drawn; draw again.
  """
  drawn = draw_forces(subject, rng, steps, rate_hz)
  footfalls, force, velocity = drawn.footfalls, drawn.force, drawn.velocity_m_s
  first, last = int(footfalls.start[1]), int(footfalls.start[-1])
  com = _com_path(footfalls, force, velocity, rate_hz)
  com[:, 0] -= com[first, 0]

  placement = _place_feet(subject, footfalls, com[:, 0], velocity, rate_hz)
  phase = _stride_phase(footfalls, len(force))
  traits = {name: values[:, 0] for name, values in drawn.traits.items()}
  upper = upper_body.move_upper_body(subject, phase[first:], traits)
  joints, height, shift = body_pose.solve_pose(
    subject, footfalls, placement, com[first:], upper, rate_hz
  )
  count = last - first + 1
  rows = zip(
    footfalls.leg,
    footfalls.start - first,
    footfalls.stance,
    placement.heel[:, 0] + shift,
    strict=True,
  )
  contacts = tuple(
    body.Contact(int(leg), start / rate_hz, (start + stance) / rate_hz, float(x))
    for leg, start, stance, x in rows
  )
  return body.Walk(
    subject=subject,
    time_s=np.arange(count) / rate_hz,
    joints=joints[:count],
    force=force[first : last + 1] * ground_reaction.body_weight_n(subject),
    contacts=contacts,
    com=com[first : last + 1] + [0, 0, height],
  )


@dataclasses.dataclass(frozen=True)
class DrawnForces:
  """The forces of a walk, before there is any motion.

  Attributes:
    footfalls: the footfalls; the walk begins with the second and ends with the last.
    force: (samples, 2, 3) body weights, from the first contact on.
    traits: name -> (2, M) value of a trait for either leg at every footfall.
    velocity_m_s: mean forward speed.
  """

  footfalls: ground_reaction.Footfalls
  force: np.ndarray
  traits: dict[str, np.ndarray]
  velocity_m_s: float


def draw_forces(
  subject: body.Subject, rng: np.random.Generator, steps: int = 8, rate_hz: float = 1000.0
) -> DrawnForces:
  """Draws the footfalls of a walk and their forces; arguments as of `draw_walk`."""
  if steps < 2:
    raise ValueError(f'a walk needs at least two steps, not {steps}')
  traits = _draw_traits(subject, rng, steps + 2)
  leg_m = subject.leg_m
  speed = float(traits['speed'].mean())
  step_m = float(traits['step_length'].mean()) * leg_m * speed**0.42
  velocity = speed * float(np.sqrt(conventions.G * leg_m))
  footfalls = ground_reaction.draw_footfalls(rng, traits, step_m / velocity, rate_hz)
  samples = int(footfalls.start[-1]) + round(TAIL_S * rate_hz) + 1
  force = ground_reaction.walk_forces(footfalls, rate_hz, step_m / leg_m, leg_m, samples)
  return DrawnForces(footfalls, force, traits, velocity)


def _draw_traits(
  subject: body.Subject,
  rng: np.random.Generator,
  count: int,
) -> dict[str, np.ndarray]:
  """Draws the traits of either leg at every footfall: name -> (2, count)."""
  unsteady = gait_styles.STYLES[subject.style].unsteady
  faster = 0.0  # than this person's mean
  traits = {}
  for name, trait in gait_styles.TRAITS.items():
    habit = np.array([[subject.habits[f'{name}_{side}']] for side in conventions.LEGS])
    of_walk = trait.walk * float(np.clip(rng.standard_normal(), -2.5, 2.5))
    if name == 'speed':
      faster = of_walk
    value = habit + of_walk + gait_styles.ON_SPEED.get(name, 0.0) * faster
    noise = np.clip(rng.standard_normal((2, count)), -2.5, 2.5) * trait.step * unsteady
    traits[name] = np.clip(value + noise, trait.low, trait.high)
  return traits


def _com_path(
  footfalls: ground_reaction.Footfalls, force: np.ndarray, velocity: float, rate: float
) -> np.ndarray:
  """Returns the path of the centre of mass that forces (N, 2, 3) drive: (N, 3) metres."""
  acceleration = force.sum(1) - np.array([0, 0, 1.0])
  return np.stack(
    [
      ground_reaction.integrate_path(
        acceleration[:, axis] * conventions.G,
        rate,
        footfalls.start[1:],
        velocity if axis == 0 else 0.0,
      )
      for axis in range(3)
    ],
    -1,
  )


def _place_feet(
  subject: body.Subject,
  footfalls: ground_reaction.Footfalls,
  com_x: np.ndarray,
  velocity: float,
  rate: float,
) -> leg_kinematics.Placement:
  """Returns where each heel lands.

  Forward, the centre of mass is on average over stance above the middle of what the foot rolls
  over, so that no moment about it remains; sideways, the heel is half the step width off the line.
  """
  trait = footfalls.traits
  half_way = velocity * footfalls.stance / rate / 2
  ahead = half_way - 0.56 * subject.foot_m + trait['ahead'] * subject.leg_m
  heel_x = com_x[footfalls.start] + ahead
  side = np.where(footfalls.leg == 0, 1.0, -1.0)
  heel_y = side * trait['width'] / 2 * subject.leg_m / 0.9
  yaw = side * trait['toe_out'] * np.pi / 180
  return leg_kinematics.Placement(np.stack([heel_x, heel_y], -1), yaw)


def _stride_phase(footfalls: ground_reaction.Footfalls, samples: int) -> np.ndarray:
  """Returns the smooth phase of the stride, radians: 0 at a left contact, pi at a right one."""
  start, count = footfalls.start, len(footfalls.start)
  step = float(start[-1] - start[0]) / (count - 1)
  knots = np.concatenate([[start[0] - step], start, [start[-1] + step]])
  values = np.pi * (np.arange(-1, count + 1) + footfalls.leg[0])
  return smooth_functions.monotone_curve(knots, values, np.arange(samples))
