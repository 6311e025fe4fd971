"""Drawing people and walks: force first, then the motion that obeys it.

`draw_subject` draws a body and its habits; `walk` draws one walk of that person: the footfalls,
each foot's force, the centre of mass's path by Newton's law, and the pose that follows it.
"""

import dataclasses

import numpy as np

from grfjax.synth import anthropometry, body, forces, legs, pose, shapes, styles, upper

CHILDREN = 0.5  # share of subjects under 16
TAIL_S = 0.04  # after the last contact: what the landing leg does next shapes its landing


def draw_subject(rng: np.random.Generator, style: str = 'normal') -> body.Subject:
  """One person.

  Args:
    rng: source of chance.
    style: a key of `styles.STYLES`, or 'mixed': half normal, otherwise any other.

  Raises:
    ValueError: no such style.
  """
  if style == styles.MIXED:
    others = [name for name in styles.STYLES if name != 'normal']
    style = 'normal' if rng.random() < 0.5 else others[rng.integers(len(others))]
  if style not in styles.STYLES:
    raise ValueError(f'no style {style!r}; there are: {", ".join([*styles.STYLES, styles.MIXED])}')
  size = anthropometry.draw_body(rng, child=rng.random() < CHILDREN)
  change = styles.STYLES[style]
  habits: dict[str, float] = {'bad_leg': float(rng.integers(2))}
  severity = rng.uniform(0.5, 1.3)  # of anything abnormal
  faster = 0.0
  for name, trait in styles.TRAITS.items():
    value = trait.mean + trait.person * float(np.clip(rng.standard_normal(), -2.2, 2.2))
    value += severity * change.both.get(name, 0.0)
    if size['age_group'] == 'child':
      value += styles.CHILD.get(name, 0.0)
    if name == 'speed':
      value = float(np.clip(value, trait.low, trait.high))
      faster = value - trait.mean
    value += styles.ON_SPEED.get(name, 0.0) * faster
    half = trait.side * float(np.clip(rng.standard_normal(), -2.2, 2.2))
    worse = severity * change.bad_leg.get(name, 0.0)
    for leg, side in enumerate(body.SIDES):
      bad = worse if leg == habits['bad_leg'] else 0.0
      habits[f'{name}_{side}'] = float(value + (half if leg == 0 else -half) + bad)
  return body.Subject(name='', style=style, habits=habits, **size)


def walk(
  subject: body.Subject,
  rng: np.random.Generator,
  steps: int = 8,
  rate_hz: float = 1000.0,
) -> body.Walk:
  """One walk of a person: from a contact, over so many steps, to a contact.

  Args:
    subject: who walks.
    rng: source of chance: the walk's own speed and manner, and every step's.
    steps: how many.
    rate_hz: samples per second of motion and force.

  Returns:
    The walk; time 0 is the first contact, x = 0 the centre of mass's place then.

  Raises:
    pose.UnposableError: the body cannot follow the forces drawn; draw again.
  """
  drawn = draw_forces(subject, rng, steps, rate_hz)
  plan, force, velocity = drawn.plan, drawn.force, drawn.velocity_m_s
  origin, final = int(plan.start[1]), int(plan.start[-1])
  contacts = plan.start[1:]
  push = force.sum(1) - np.array([0, 0, 1.0])
  com = np.stack(
    [
      forces.path(push[:, k] * body.GRAVITY, rate_hz, contacts, velocity if k == 0 else 0.0)
      for k in range(3)
    ],
    -1,
  )
  com[:, 0] -= com[origin, 0]

  placed = _place(subject, plan, com[:, 0], velocity, rate_hz)
  phase = _phase(plan, len(force))
  manner = {name: values[:, 0] for name, values in drawn.traits.items()}
  inner = slice(origin, None)
  above = upper.upper_body(subject, phase[inner], manner)
  joints, height, shift = pose.pose(subject, plan, placed, com[inner], above, rate_hz)
  kept = final - origin + 1
  time = np.arange(kept) / rate_hz
  rows = zip(plan.leg, plan.start - origin, plan.stance, placed.heel[:, 0] + shift, strict=True)
  falls = tuple(
    body.Contact(int(leg), start / rate_hz, (start + stance) / rate_hz, float(x))
    for leg, start, stance, x in rows
  )
  return body.Walk(
    subject=subject,
    time_s=time,
    joints=joints[:kept],
    force=force[origin : final + 1] * forces.weight(subject),
    contacts=falls,
    com=com[origin : final + 1] + [0, 0, height],
  )


@dataclasses.dataclass(frozen=True)
class Drawn:
  """Forces of a walk before there is any motion.

  Attributes:
    plan: the footfalls; what counts begins with the second and ends with the last.
    force: (samples, 2, 3) body weights, from the first contact on.
    traits: name -> (2, M) for either leg at every footfall.
    velocity_m_s: mean forward speed.
  """

  plan: forces.Steps
  force: np.ndarray
  traits: dict[str, np.ndarray]
  velocity_m_s: float


def draw_forces(
  subject: body.Subject, rng: np.random.Generator, steps: int = 8, rate_hz: float = 1000.0
) -> Drawn:
  """What the feet will do and with what force, for so many steps."""
  if steps < 2:
    raise ValueError(f'a walk needs two steps at least, not {steps}')
  traits = _draw_traits(subject, rng, steps + 2)
  leg_m = subject.leg_m
  speed = float(traits['speed'].mean())
  step_m = float(traits['step_length'].mean()) * leg_m * speed**0.42
  velocity = speed * float(np.sqrt(body.GRAVITY * leg_m))
  plan = forces.plan(rng, traits, step_m / velocity, rate_hz)
  samples = int(plan.start[-1]) + round(TAIL_S * rate_hz) + 1
  force = forces.walk_forces(plan, rate_hz, step_m / leg_m, leg_m, samples)
  return Drawn(plan, force, traits, velocity)


def _draw_traits(
  subject: body.Subject,
  rng: np.random.Generator,
  count: int,
) -> dict[str, np.ndarray]:
  """Traits of either leg at every footfall: name -> (2, count)."""
  unsteady = styles.STYLES[subject.style].unsteady
  faster = 0.0
  drawn = {}
  for name, trait in styles.TRAITS.items():
    habit = np.array([[subject.habits[f'{name}_{side}']] for side in body.SIDES])
    today = trait.walk * float(np.clip(rng.standard_normal(), -2.5, 2.5))
    if name == 'speed':
      faster = today
    value = habit + today + styles.ON_SPEED.get(name, 0.0) * faster
    noise = np.clip(rng.standard_normal((2, count)), -2.5, 2.5) * trait.step * unsteady
    drawn[name] = np.clip(value + noise, trait.low, trait.high)
  return drawn


def _place(
  subject: body.Subject,
  plan: forces.Steps,
  com_x: np.ndarray,
  velocity: float,
  rate: float,
) -> legs.Placement:
  """Where each heel lands.

  Forward, the centre of mass is over the middle of what the foot rolls over, averaged over
  stance (no moment about it remains); sideways, half the step width off the line.
  """
  trait = plan.traits
  half = velocity * plan.stance / rate / 2
  ahead = half - 0.56 * subject.foot_m + trait['ahead'] * subject.leg_m
  heel_x = com_x[plan.start] + ahead
  side = np.where(plan.leg == 0, 1.0, -1.0)
  heel_y = side * trait['width'] / 2 * subject.leg_m / 0.9
  return legs.Placement(np.stack([heel_x, heel_y], -1), side * trait['toe_out'] * np.pi / 180)


def _phase(plan: forces.Steps, samples: int) -> np.ndarray:
  """Radians through the stride, smooth: 0 at a left contact, pi at a right one."""
  step = float(plan.start[-1] - plan.start[0]) / (len(plan.start) - 1)
  knots = np.concatenate([[plan.start[0] - step], plan.start, [plan.start[-1] + step]])
  values = np.pi * (np.arange(-1, len(plan.start) + 1) + plan.leg[0])
  return shapes.monotone(knots, values, np.arange(samples))
