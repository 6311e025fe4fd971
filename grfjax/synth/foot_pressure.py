"""Where the floor presses under the feet of a synthetic walker.

While the foot carries, shank and foot together roll over the floor like a wheel: seen from the
shank, the centre of pressure moves along an arc whose centre lies on the shank's axis (Hansen AH,
Childress DS, Knox EH 2004, Roll-over shapes of human locomotor systems, Clin Biomech 19:407). So
it is as far in front of the ankle as the shank leans forward. It never leaves the part of the sole
that is on the floor: the heel at first, the forefoot once the heel is up.
"""

import numpy as np

from grfjax import conventions
from grfjax.synth import body, smooth_functions

# The radius of the arc over body height: Hansen AH, Childress DS (2004), Effects of shoe heel
# height on biologic rollover characteristics during walking, J Rehabil Res Dev 41:547.
ARC_OVER_HEIGHT = 0.19
# Places along the sole, shares of its length from the heel: the middle of the heel's pad, of the
# metatarsal heads, and of the great toe's pad; and over what length a limit is rounded.
HEEL_PAD, FOREFOOT, GREAT_TOE, ROUNDED = 0.10, 0.70, 0.85, 0.04
# Shares of the foot's length: a heel so high over the floor carries nothing any more; the great toe
# and the metatarsal heads share until the great toe alone carries; toes so high carry nothing yet.
HEEL_LIFTED, TOES_LIFTED = 0.14, 0.10
ON_TOE = (0.25, 0.65)
# Outwards from the foot's middle line at places along it, shares of its length: the pressure runs
# along the outer half of the sole and ends under the great toe (Perry J, Burnfield JM 2010, Gait
# Analysis).
ALONG = (0.0, 0.15, 0.45, 0.65, 0.85, 1.0)
OUTWARDS = (0.0, 0.01, 0.035, 0.02, -0.03, -0.06)
MID_STANCE = 0.35  # share of stance in which the whole sole is on the floor


def centre_of_pressure(walk: body.Walk) -> np.ndarray:
  """Returns the centre of pressure under each foot on the floor.

  Args:
    walk: the walk.

  Returns:
    (N, 2, 2) metres: leg (left, right) x (x, y); NaN while a foot is in the air.
  """
  pressure = np.full((len(walk.time_s), 2, 2), np.nan)
  for leg, side in enumerate(conventions.LEGS):
    carries = walk.force[:, leg, 2] > 0
    knee, ankle, heel, toe = (
      walk.joints[carries, body.INDEX[f'{side}_{name}']]
      for name in ('knee', 'ankle', 'heel', 'toe')
    )
    pressure[carries, leg] = _under_foot(walk.subject, leg, knee, ankle, heel, toe)
  return pressure


def _under_foot(subject, leg: int, knee, ankle, heel, toe) -> np.ndarray:
  """Returns the centre of pressure (K, 2) of a foot on the floor, from joints (K, 3)."""
  foot = subject.foot_m
  ahead = toe[:, :2] - heel[:, :2]
  ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
  # The tip of the toes stays in place once the sole is down, and the heel until then; from there
  # lengths count along the flat foot, in shares of its length.
  heel_m, toe_m = heel[:, 2] / foot, toe[:, 2] / foot
  planted = smooth_functions.smoothstep(toe_m / TOES_LIFTED)[:, None]
  rear = planted * heel[:, :2] + (1 - planted) * (toe[:, :2] - foot * ahead)
  shank = ankle - knee
  lean = np.arctan2((shank[:, :2] * -ahead).sum(1), -shank[:, 2])  # of the knee, forward
  radius = ARC_OVER_HEIGHT * subject.height_m - subject.ankle_height_m
  along = (((ankle[:, :2] - rear) * ahead).sum(1) + radius * np.sin(lean)) / foot
  unloaded = smooth_functions.smoothstep(heel_m / HEEL_LIFTED)
  first = HEEL_PAD + (FOREFOOT - HEEL_PAD) * unloaded
  on_toe = smooth_functions.smoothstep((heel_m - ON_TOE[0]) / (ON_TOE[1] - ON_TOE[0]))
  last = FOREFOOT + ROUNDED + (GREAT_TOE - FOREFOOT - ROUNDED) * on_toe
  last = last + (first - last) * planted[:, 0]
  along = smooth_functions.soft_floor(along, first, ROUNDED)
  along = last - smooth_functions.soft_floor(last - along, 0.0, ROUNDED)
  outwards = foot * smooth_functions.monotone_curve(ALONG, OUTWARDS, np.clip(along, 0, 1))
  side = 1.0 if leg == 0 else -1.0
  left = np.stack([-ahead[:, 1], ahead[:, 0]], 1)
  return rear + (foot * along)[:, None] * ahead + (side * outwards)[:, None] * left


def sole_middles(walk: body.Walk) -> np.ndarray:
  """Returns where each footfall stands: the middle of the sole, (contacts, 2) metres, x and y.

  NaN for a footfall of which the walk does not hold the middle of stance.
  """
  middles = np.full((len(walk.contacts), 2), np.nan)
  for k, contact in enumerate(walk.contacts):
    time_s = contact.start_s + MID_STANCE * (contact.end_s - contact.start_s)
    if not walk.time_s[0] <= time_s <= walk.time_s[-1]:
      continue
    joints = body.joints_at(walk, np.array([time_s]))[0]
    side = conventions.LEGS[contact.leg]
    heel, toe = (joints[body.INDEX[f'{side}_{name}'], :2] for name in ('heel', 'toe'))
    ahead = (toe - heel) / np.linalg.norm(toe - heel)
    middles[k] = toe - walk.subject.foot_m / 2 * ahead
  return middles
