"""Ground reaction forces of both legs over many steps, and the path that they drive (Newton).

This is the first link of the chain forces -> motion -> pictures. Forces are in body weights, on a
grid of `rate` samples per second. The curve of each footfall is made from its own traits;
`closing_amounts` then finds the least change of all curves with which every stride ends as it
began: with a mean vertical force of 1, mean forward and sideways forces of 0, and the body at the
same height and side.
"""

import dataclasses

import numpy as np
from scipy import interpolate

from grfjax import conventions
from grfjax.synth import body, smooth_functions

# Where the closing change may act: centres and half width of humps, as shares of stance.
MODE_CENTRES = (0.24, 0.41, 0.58, 0.75)
MODE_WIDTH = 0.24
# Mean rise of the body over its height at contact, divided by step length squared over leg length:
# 0.5 x 0.4 x 1/8, where 1/8 is that of legs like a pair of compasses, and 0.4 the part of it that
# walking keeps (Gard SA et al. 2004, J Biomech 37:1387: 3 to 4 cm at normal speed).
COMPASS_RISE = 0.025
RISE_SLACK = 4.0  # how freely the rise of the body may differ from step to step


@dataclasses.dataclass(frozen=True)
class Footfalls:
  """The footfalls of a walk in order; legs alternate.

  Attributes:
    leg: (M,) 0 left, 1 right.
    start: (M,) first sample of contact.
    stance: (M,) number of samples of contact.
    traits: name -> (M,) value of a trait at every footfall.
  """

  leg: np.ndarray
  start: np.ndarray
  stance: np.ndarray
  traits: dict[str, np.ndarray]


def draw_footfalls(
  rng: np.random.Generator,
  traits: dict[str, np.ndarray],
  step_s: float,
  rate: float,
) -> Footfalls:
  """Draws when each foot is on the floor.

  Args:
    rng: draws which leg begins.
    traits: name -> (2, M) value of a trait for either leg at every footfall.
    step_s: mean time of a step, seconds.
    rate: samples per second; contacts begin on a sample, so that strides are exact.
  """
  count = traits['step_time'].shape[1]
  leg = (np.arange(count) + rng.integers(2)) % 2
  own = {name: values[leg, np.arange(count)] for name, values in traits.items()}
  # The step after the landing of an affected leg is short: `step_time` is that of the other leg.
  times = step_s * (2 - own['step_time'])
  pairs = times[:-1] + times[1:]
  times *= 2 * step_s / pairs.mean()
  start = np.round(np.concatenate([[0], np.cumsum(times[:-1])]) * rate).astype(int)
  stance = np.round(2 * step_s * own['stance'] * (2 - own['step_time']) ** 0.5 * rate).astype(int)
  # Every foot leaves the floor after the other one has landed, and before it lands again.
  step = np.append(np.diff(start), round(times[-1] * rate))
  next_step = np.append(step[1:], step[-1])
  stance = np.clip(stance, step + 0.05 * rate, step + 0.7 * next_step).astype(int)
  return Footfalls(leg, start, stance, own)


def footfall_curves(footfalls: Footfalls, rate: float, step_ratio: float) -> list[np.ndarray]:
  """Returns the force of each footfall before closing: M arrays (stance + 1, 3), body weights.

  Args:
    footfalls: the footfalls.
    rate: samples per second.
    step_ratio: step length over leg length; braking and propulsion are proportional to it.
  """
  return [
    _curve(
      {name: float(v[i]) for name, v in footfalls.traits.items()},
      int(footfalls.stance[i]),
      rate,
      step_ratio,
      int(footfalls.leg[i]),
    )
    for i in range(len(footfalls.leg))
  ]


def _curve(
  trait: dict[str, float],
  stance: int,
  rate: float,
  step_ratio: float,
  leg: int,
) -> np.ndarray:
  """Returns the force of a footfall: (stance + 1, 3) body weights, 0 at both ends."""
  t = np.arange(stance + 1) / rate
  u = t * rate / stance
  # A heel pad under a mass: a damped oscillation that is over before the first peak.
  ring = (
    np.sin(2 * np.pi * trait['ring_hz'] * t)
    * np.exp(-t / trait['ring_decay_s'])
    * trait['ring']
    * (1 - smooth_functions.smoothstep(u / trait['peak1_at']))
  )
  forward = _forward(trait, u, step_ratio) + trait['ring_x'] * ring
  inward = _inward(trait, u)
  vertical = np.maximum(_vertical(trait, t, u) + ring, 0)
  return np.stack([forward, -inward if leg == 0 else inward, vertical], -1)


def _vertical(trait: dict[str, float], t: np.ndarray, u: np.ndarray) -> np.ndarray:
  """Returns the vertical force without the heel strike, for seconds t and shares of stance u."""
  at1, at0, at2 = trait['peak1_at'], trait['valley_at'], trait['peak2_at']
  first, valley, second = trait['peak1'], trait['valley'], trait['peak2']
  valley = min(valley, first - 0.01, second - 0.01)
  middle = interpolate.CubicHermiteSpline([at1, at0, at2], [first, valley, second], [0, 0, 0])(
    np.clip(u, at1, at2)
  )
  rise = first * (
    trait['jump'] * smooth_functions.smoothstep(t / trait['jump_s'])
    + (1 - trait['jump']) * smooth_functions.smoothstep(u / at1)
  )
  fall = second * (
    1 - smooth_functions.smoothstep(np.clip((u - at2) / (1 - at2), 0, 1) ** trait['fall'])
  )
  vertical = np.where(u < at1, rise, np.where(u < at2, middle, fall))
  vertical += trait['wobble'] * np.sin(3 * np.pi * (u - at1)) * _window(u, 0.1, 0.9)
  return vertical


def _forward(trait: dict[str, float], u: np.ndarray, step_ratio: float) -> np.ndarray:
  """Returns the forward force without the heel strike: braking, then propulsion."""
  brake, push = trait['brake'] * step_ratio, trait['push'] * step_ratio
  b, z, p = trait['brake_at'], trait['turn_at'], trait['push_at']
  return interpolate.PchipInterpolator(
    [0, b, b + 0.5 * (z - b), z, z + 0.55 * (p - z), p, p + 0.6 * (1 - p), 1],
    [0, -brake, -brake * trait['brake_tail'], 0, push * trait['push_head'], push, 0.42 * push, 0],
  )(u)


def _inward(trait: dict[str, float], u: np.ndarray) -> np.ndarray:
  """Returns the force towards the other leg."""
  m1, mid, m2 = trait['medial1'], trait['medial_mid'], trait['medial2']
  return interpolate.PchipInterpolator(
    [0, 0.045, 0.19, 0.45, 0.76, 0.95, 1],
    [0, -trait['lateral'], m1, min(mid, m1, m2), m2, trait['medial_end'], 0],
  )(u)


def lay_on_grid(footfalls: Footfalls, curves: list[np.ndarray], samples: int) -> np.ndarray:
  """Returns the force of both legs, (samples, 2, 3); what reaches beyond the grid is cut."""
  force = np.zeros((samples, 2, 3))
  for leg, start, curve in zip(footfalls.leg, footfalls.start, curves, strict=True):
    curve = curve[: max(samples - start, 0)]
    force[start : start + len(curve), leg] += curve
  return force


def walk_forces(
  footfalls: Footfalls,
  rate: float,
  step_ratio: float,
  leg_m: float,
  samples: int,
) -> np.ndarray:
  """Returns the closed force of both legs: (samples, 2, 3) body weights.

  The grid begins at the first contact; the forces are complete and closed from the second contact
  to the last.

  Args:
    footfalls: the footfalls.
    rate: samples per second.
    step_ratio: step length over leg length.
    leg_m: leg length, metres.
    samples: length of the grid.
  """
  curves = footfall_curves(footfalls, rate, step_ratio)
  _balance(footfalls, curves, lay_on_grid(footfalls, curves, samples))
  force = lay_on_grid(footfalls, curves, samples)
  basis = _change_basis(footfalls, samples)
  mean_rise = COMPASS_RISE * step_ratio**2 * leg_m / conventions.G * rate**2
  for axis, weight, returns in ((0, 0.0, 0), (1, 0.0, 2), (2, 1.0, 1)):
    acceleration = force[:, :, axis].sum(1) - weight
    change = basis * closing_amounts(acceleration, basis, footfalls.start[1:], returns, mean_rise)
    for leg in (0, 1):
      of_leg = np.repeat(footfalls.leg == leg, len(MODE_CENTRES))
      force[:, leg, axis] += change[:, of_leg].sum(1)
  return force


def _balance(footfalls: Footfalls, curves: list[np.ndarray], force: np.ndarray) -> None:
  """Scales curves in place so that they nearly close, which keeps the closing change small.

  One factor for all vertical forces, one that evens braking and propulsion, and one for each leg
  that evens the sideways forces.

  Args:
    footfalls: the footfalls.
    curves: the force of each, changed in place.
    force: `curves` on the grid.
  """
  inner = slice(footfalls.start[1], footfalls.start[-1])
  vertical = 1 / force[inner, :, 2].sum(-1).mean()
  x = force[inner, :, 0]
  braking, propulsion = -x[x < 0].sum(), x[x > 0].sum()
  forward = np.sqrt(braking / propulsion)
  sideways = np.abs(force[inner, :, 1].sum(0))
  mean_sideways = np.sqrt(sideways.prod())
  for leg, curve in zip(footfalls.leg, curves, strict=True):
    curve[:, 2] *= vertical
    curve[:, 0] *= np.where(curve[:, 0] > 0, forward, 1 / forward)
    curve[:, 1] *= mean_sideways / sideways[leg]


def _change_basis(footfalls: Footfalls, samples: int) -> np.ndarray:
  """Returns the allowed changes of force, (samples, M x modes): humps inside each stance."""
  modes = len(MODE_CENTRES)
  basis = np.zeros((samples, len(footfalls.leg) * modes))
  for i, (start, stance) in enumerate(zip(footfalls.start, footfalls.stance, strict=True)):
    humps = _humps(int(stance))[: max(samples - start, 0)]
    basis[start : start + len(humps), i * modes : (i + 1) * modes] = humps
  return basis


def closing_amounts(
  acceleration: np.ndarray,
  basis: np.ndarray,
  contacts: np.ndarray,
  returns: int,
  mean_rise: float = 0.0,
) -> np.ndarray:
  """Returns the least amounts of `basis` to add so that every stride ends as it began.

  Args:
    acceleration: (N,) in any unit.
    basis: (N, K) shapes of the allowed change.
    contacts: (n,) samples at which steps begin; a stride is two steps.
    returns: after how many steps the position, too, is regained; 0: never.
    mean_rise: mean height over a step above the height at contact, in the unit of acceleration
      times samples squared; used only where every step returns.

  Returns:
    (K,) amounts.
  """
  columns = np.concatenate([acceleration[:, None], basis], 1)
  velocity = _cumulative(columns)
  first, last = contacts[:-2], contacts[2:]
  rows = velocity[last] - velocity[first]
  # The velocity at the first contact is unknown where positions count: one more column.
  start = np.zeros(len(rows))
  slack = np.zeros((len(rows), 0))
  if returns:
    # Positions after Verlet steps. The body returns to the same height at every contact, and to
    # the same side at every second one.
    position = _cumulative(velocity[1:])
    position -= np.arange(len(position))[:, None] * velocity[contacts[0]]
    first, last = contacts[:-returns], contacts[returns:]
    scale = (last - first).mean()
    rows = np.concatenate([rows, (position[last] - position[first]) / scale])
    start = np.concatenate([start, (last - first) / scale])
    slack = np.zeros((len(rows), 0))
  if returns == 1:
    # Rises between contacts are nearly equal, and half way to what legs like compasses would
    # give, so that the knees need not make up for it.
    rise = _rises(position, first, last)
    rise[:, 0] = (rise[:, 0] - rise[:, 0].mean()) + 0.5 * (rise[:, 0].mean() - mean_rise)
    rise /= scale
    rows = np.concatenate([rows, rise])
    start = np.concatenate([start, 0 * rise[:, 0]])
    slack = np.zeros((len(rows), len(rise)))
    slack[-len(rise) :] = np.eye(len(rise)) * RISE_SLACK
  matrix = np.concatenate([rows[:, 1:], start[:, None] * 1e4, slack], 1)
  return np.linalg.lstsq(matrix, -rows[:, 0], rcond=None)[0][: basis.shape[1]]


def _cumulative(values: np.ndarray) -> np.ndarray:
  """Returns the sums along the first axis, from a row of zeros on: (N + 1, ...)."""
  return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, 0)])


def _rises(position: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
  """Returns the mean position between samples `first` and `last`, above that at both of them."""
  sums = _cumulative(position)
  length = (last - first)[:, None]
  return (sums[last] - sums[first]) / length - (position[first] + position[last]) / 2


def integrate_path(
  acceleration: np.ndarray,
  rate: float,
  contacts: np.ndarray,
  mean_velocity: float,
) -> np.ndarray:
  """Integrates twice, so that the central second difference is the acceleration itself.

  Args:
    acceleration: (N,) m/s2.
    rate: samples per second.
    contacts: samples of contact; `mean_velocity` is the mean over whole strides between them.
    mean_velocity: m/s.

  Returns:
    (N,) metres; without the mean motion its mean over whole strides is 0.
  """
  velocity = np.cumsum(acceleration) / rate
  position = np.concatenate([[0], np.cumsum(velocity[:-1])]) / rate
  first, last = contacts[0], contacts[(len(contacts) - 1) // 2 * 2]
  time = np.arange(len(position)) / rate
  drift = (position[last] - position[first]) / (time[last] - time[first])
  position = position + (mean_velocity - drift) * time
  return position - (position - mean_velocity * time)[first:last].mean()


def body_weight_n(subject: body.Subject) -> float:
  """Returns the weight of a person, newtons."""
  return subject.mass_kg * conventions.G


def _humps(stance: int) -> np.ndarray:
  """Returns smooth humps inside a stance: (stance + 1, modes)."""
  u = np.linspace(0, 1, stance + 1)[:, None]
  return np.cos(np.clip((u - np.array(MODE_CENTRES)) / MODE_WIDTH, -1, 1) * np.pi / 2) ** 4


def _window(u: np.ndarray, low: float, high: float) -> np.ndarray:
  """Returns 1 well between low and high, 0 outside, with smooth edges."""
  return smooth_functions.smoothstep((u - low) / 0.2) * smooth_functions.smoothstep(
    (high - u) / 0.2
  )
