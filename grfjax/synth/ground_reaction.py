"""Ground reaction of both legs over many steps, and the path that it drives (Newton).

Forces here are in body weights, on a grid of `rate` samples per second. Each footfall's curve is
drawn by itself; `close` then finds the least change of all curves with which every stride ends as
it began: mean vertical force 1, mean forward and sideways force 0, height and side regained.
"""

import dataclasses

import numpy as np
from scipy import interpolate

from grfjax.synth import body, shapes

MODE_CENTRES = (0.24, 0.41, 0.58, 0.75)  # of stance; where the closing change may act
MODE_WIDTH = 0.24
# Mean rise over the height at contact, over step length squared by leg length: 0.5 x 0.4 x 1/8,
# where 1/8 is the compass's and 0.4 what is left of it in walking (Gard SA et al. 2004, J Biomech
# 37:1387: 3 to 4 cm at normal speed).
COMPASS = 0.025
RISE_SLACK = 4.0  # how freely the rise of the body differs from step to step (see `close`)


@dataclasses.dataclass(frozen=True)
class Steps:
  """The footfalls of a walk, in order; legs alternate.

  Attributes:
    leg: (M,) 0 left, 1 right.
    start: (M,) first sample of contact.
    stance: (M,) samples of contact.
    traits: name -> (M,) value at every footfall.
  """

  leg: np.ndarray
  start: np.ndarray
  stance: np.ndarray
  traits: dict[str, np.ndarray]


def plan(
  rng: np.random.Generator,
  traits: dict[str, np.ndarray],
  step_s: float,
  rate: float,
) -> Steps:
  """When each foot is on the floor.

  Args:
    rng: draws the leg that begins and where the first footfall lies between samples.
    traits: name -> (2, M) value for either leg at every footfall.
    step_s: mean time of a step.
    rate: samples per second; contacts begin on a sample, so that strides are exact.
  """
  count = traits['step_time'].shape[1]
  leg = (np.arange(count) + rng.integers(2)) % 2
  mine = {name: values[leg, np.arange(count)] for name, values in traits.items()}
  # The step after a bad leg's landing is short: `step_time` is that of its opposite.
  lengths = step_s * (2 - mine['step_time'])
  pairs = lengths[:-1] + lengths[1:]
  lengths *= 2 * step_s / pairs.mean()
  start = np.round(np.concatenate([[0], np.cumsum(lengths[:-1])]) * rate).astype(int)
  stance = np.round(2 * step_s * mine['stance'] * (2 - mine['step_time']) ** 0.5 * rate).astype(int)
  # Every foot leaves after the next has landed and before it lands itself.
  step = np.append(np.diff(start), round(lengths[-1] * rate))
  following = np.append(step[1:], step[-1])
  stance = np.clip(stance, step + 0.05 * rate, step + 0.7 * following).astype(int)
  return Steps(leg, start, stance, mine)


def curves(steps: Steps, rate: float, step_ratio: float) -> list[np.ndarray]:
  """Each footfall's force before closing: M arrays (stance + 1, 3) in body weights.

  Args:
    steps: the footfalls.
    rate: samples per second.
    step_ratio: step length over leg length; braking and propulsion go with it.
  """
  return [
    _curve(
      {name: float(v[i]) for name, v in steps.traits.items()},
      int(steps.stance[i]),
      rate,
      step_ratio,
      int(steps.leg[i]),
    )
    for i in range(len(steps.leg))
  ]


def _curve(
  trait: dict[str, float],
  stance: int,
  rate: float,
  step_ratio: float,
  leg: int,
) -> np.ndarray:
  """One footfall: (stance + 1, 3) body weights, 0 at both ends; axes as in `body`."""
  t = np.arange(stance + 1) / rate
  u = t * rate / stance
  at1, at0, at2 = trait['peak1_at'], trait['valley_at'], trait['peak2_at']
  first, valley, second = trait['peak1'], trait['valley'], trait['peak2']
  valley = min(valley, first - 0.01, second - 0.01)
  middle = interpolate.CubicHermiteSpline([at1, at0, at2], [first, valley, second], [0, 0, 0])(
    np.clip(u, at1, at2)
  )
  rise = first * (
    trait['jump'] * shapes.smooth(t / trait['jump_s'])
    + (1 - trait['jump']) * shapes.smooth(u / at1)
  )
  fall = second * (1 - shapes.smooth(np.clip((u - at2) / (1 - at2), 0, 1) ** trait['fall']))
  vertical = np.where(u < at1, rise, np.where(u < at2, middle, fall))
  vertical += trait['wobble'] * np.sin(3 * np.pi * (u - at1)) * _window(u, 0.1, 0.9)
  # A heel pad on a mass: a damped oscillation, over before the first peak.
  ring = (
    np.sin(2 * np.pi * trait['ring_hz'] * t)
    * np.exp(-t / trait['ring_decay_s'])
    * trait['ring']
    * (1 - shapes.smooth(u / at1))
  )
  vertical = np.maximum(vertical + ring, 0)

  brake, push = trait['brake'] * step_ratio, trait['push'] * step_ratio
  b, z, p = trait['brake_at'], trait['turn_at'], trait['push_at']
  forward = interpolate.PchipInterpolator(
    [0, b, b + 0.5 * (z - b), z, z + 0.55 * (p - z), p, p + 0.6 * (1 - p), 1],
    [0, -brake, -brake * trait['brake_tail'], 0, push * trait['push_head'], push, 0.42 * push, 0],
  )(u)
  forward += trait['ring_x'] * ring
  m1, mid, m2 = trait['medial1'], trait['medial_mid'], trait['medial2']
  inward = interpolate.PchipInterpolator(
    [0, 0.045, 0.19, 0.45, 0.76, 0.95, 1],
    [0, -trait['lateral'], m1, min(mid, m1, m2), m2, trait['medial_end'], 0],
  )(u)
  return np.stack([forward, -inward if leg == 0 else inward, vertical], -1)


def total(steps: Steps, curve: list[np.ndarray], samples: int) -> np.ndarray:
  """Curves laid on the grid: (samples, 2, 3); what reaches beyond the grid is cut."""
  force = np.zeros((samples, 2, 3))
  for leg, start, piece in zip(steps.leg, steps.start, curve, strict=True):
    piece = piece[: max(samples - start, 0)]
    force[start : start + len(piece), leg] += piece
  return force


def walk_forces(
  steps: Steps,
  rate: float,
  step_ratio: float,
  leg_m: float,
  samples: int,
) -> np.ndarray:
  """Force of both legs, closed: (samples, 2, 3) body weights.

  The grid begins at the first contact; the forces are whole and closed from the second contact
  to the last.
  """
  curve = curves(steps, rate, step_ratio)
  force = total(steps, curve, samples)
  inner = slice(steps.start[1], steps.start[-1])
  # Bring the drawn curves near to closing, so that the last change is small: one factor on the
  # vertical, braking against propulsion, and the mean sideways force of each leg.
  up = 1 / force[inner, :, 2].sum(-1).mean()
  x = force[inner, :, 0]
  brake, push = -x[x < 0].sum(), x[x > 0].sum()
  even = np.sqrt(brake / push)
  sides = np.abs(force[inner, :, 1].sum(0))
  level = np.sqrt(sides.prod())
  for leg, piece in zip(steps.leg, curve, strict=True):
    piece[:, 2] *= up
    piece[:, 0] *= np.where(piece[:, 0] > 0, even, 1 / even)
    piece[:, 1] *= level / sides[leg]
  force = total(steps, curve, samples)
  basis = np.zeros((samples, len(curve) * len(MODE_CENTRES)))
  for i, (start, stance) in enumerate(zip(steps.start, steps.stance, strict=True)):
    piece = _modes(int(stance))[: max(samples - start, 0)]
    k = i * len(MODE_CENTRES)
    basis[start : start + len(piece), k : k + len(MODE_CENTRES)] = piece
  wanted = COMPASS * step_ratio**2 * leg_m / body.GRAVITY * rate**2
  for axis, rest, every in ((0, 0.0, 0), (1, 0.0, 2), (2, 1.0, 1)):
    gain = close(force[:, :, axis].sum(1) - rest, basis, steps.start[1:], every, wanted)
    change = basis * gain
    for leg in (0, 1):
      owner = np.repeat(steps.leg == leg, len(MODE_CENTRES))
      force[:, leg, axis] += change[:, owner].sum(1)
  return force


def close(
  acceleration: np.ndarray,
  basis: np.ndarray,
  contacts: np.ndarray,
  returns: int,
  wanted_rise: float = 0.0,
) -> np.ndarray:
  """Least amounts of `basis` to add so that every stride ends as it began.

  Args:
    acceleration: (N,) any unit.
    basis: (N, K) shapes of allowed change.
    contacts: (n,) samples at which steps begin; a stride is two steps.
    returns: after how many steps the position, too, is regained; 0 never.
    wanted_rise: mean height over a step above the height at contact, in units of acceleration
      times samples squared; only used where every step returns.

  Returns:
    (K,) amounts.
  """
  columns = np.concatenate([acceleration[:, None], basis], 1)
  velocity = np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(columns, 0)])
  first, last = contacts[:-2], contacts[2:]
  rows = velocity[last] - velocity[first]
  start = np.zeros(len(rows))
  soft = np.zeros((len(rows), 0))
  if returns:
    # Position after Verlet steps; the unknown velocity at the first contact is one more column.
    # The body returns to one height at every contact, to one side at every second.
    place = np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(velocity[1:], 0)])
    place -= np.arange(len(place))[:, None] * velocity[contacts[0]]
    first, last = contacts[:-returns], contacts[returns:]
    scale = (last - first).mean()
    rows = np.concatenate([rows, (place[last] - place[first]) / scale])
    start = np.concatenate([start, (last - first) / scale])
    soft = np.zeros((len(rows), 0))
  if returns == 1:
    # Rises between contacts nearly equal, and half way to what legs like compasses would give,
    # so that the knees need not make up for it.
    sums = np.concatenate([np.zeros((1, columns.shape[1])), np.cumsum(place, 0)])
    length = (last - first)[:, None]
    rise = (sums[last] - sums[first]) / length - (place[first] + place[last]) / 2
    rise[:, 0] = (rise[:, 0] - rise[:, 0].mean()) + 0.5 * (rise[:, 0].mean() - wanted_rise)
    rise /= scale
    rows = np.concatenate([rows, rise])
    start = np.concatenate([start, 0 * rise[:, 0]])
    soft = np.zeros((len(rows), len(rise)))
    soft[-len(rise) :] = np.eye(len(rise)) * RISE_SLACK
  matrix = np.concatenate([rows[:, 1:], start[:, None] * 1e4, soft], 1)
  return np.linalg.lstsq(matrix, -rows[:, 0], rcond=None)[0][: basis.shape[1]]


def path(
  acceleration: np.ndarray,
  rate: float,
  contacts: np.ndarray,
  mean_velocity: float,
) -> np.ndarray:
  """Newton: twice summed so that the central second difference is the acceleration itself.

  Args:
    acceleration: (N,) m/s2.
    rate: samples per second.
    contacts: samples of contact; the mean velocity is that over whole strides of them.
    mean_velocity: m/s.

  Returns:
    (N,) metres; over whole strides its mean is 0 after the mean motion is taken away.
  """
  velocity = np.cumsum(acceleration) / rate
  place = np.concatenate([[0], np.cumsum(velocity[:-1])]) / rate
  first, last = contacts[0], contacts[(len(contacts) - 1) // 2 * 2]
  time = np.arange(len(place)) / rate
  drift = (place[last] - place[first]) / (time[last] - time[first])
  place = place + (mean_velocity - drift) * time
  return place - (place - mean_velocity * time)[first:last].mean()


def weight(subject: body.Subject) -> float:
  """Newtons."""
  return subject.mass_kg * body.GRAVITY


def _modes(stance: int) -> np.ndarray:
  """Smooth humps inside stance: (stance + 1, modes)."""
  u = np.linspace(0, 1, stance + 1)[:, None]
  return np.cos(np.clip((u - np.array(MODE_CENTRES)) / MODE_WIDTH, -1, 1) * np.pi / 2) ** 4


def _window(u: np.ndarray, low: float, high: float) -> np.ndarray:
  return shapes.smooth((u - low) / 0.2) * shapes.smooth((high - u) / 0.2)
