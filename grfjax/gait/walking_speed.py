"""How far and how fast somebody walks, from the place and height in the picture.

The body's own height is the yardstick.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from grfjax.gait import foot_contacts, walker_path


@dataclasses.dataclass(frozen=True)
class Given:
  """What somebody says of a walk, which lengths and comparisons need.

  Attributes:
    height_m: body height, metres; None where not given.
    age_years: None where not given.
    scale_m_per_px: metres in a pixel of the film as filmed, at the walker's distance; None where
      not given. Where it is, metres come from it and not from the height.
  """

  height_m: float | None = None
  age_years: float | None = None
  scale_m_per_px: float | None = None


NOTHING = Given()


@dataclasses.dataclass(frozen=True)
class WalkingSpeed:
  """How fast somebody walks.

  Attributes:
    mps: metres a second; NaN where it is withheld, or metres are not known.
    bh_per_s: body heights a second; NaN where it is withheld.
    steps: number of steps over which it is the mean.
    scaled_height_m: how tall the walker is by the scale that was given, metres; NaN without one.
    withheld: why there is none, a sentence's end; '' where there is one.
  """

  mps: float
  bh_per_s: float
  steps: int
  scaled_height_m: float = math.nan
  withheld: str = ''


UNKNOWN = WalkingSpeed(math.nan, math.nan, 0)


def measure(
  contacts: list[foot_contacts.MeasuredContact],
  time_s: np.ndarray,
  path: walker_path.WalkerPath | None,
  given: Given,
) -> tuple[list[foot_contacts.MeasuredContact], WalkingSpeed]:
  """Measures the mean speed over all steps, and how long the strides are.

  Args:
    contacts: of both feet, of `foot_contacts.find_contacts`.
    time_s: (N,) of the frames.
    path: the walker's, over the same frames; None where nobody is followed.
    given: what is known of the walk.

  Returns:
    The contacts with their stride lengths, and the speed.
  """
  if path is None:
    return contacts, _withheld('the network looks at the whole picture and follows nobody')
  steps = [
    (c.measures['contact_s'] - c.measures['step_s'], c.measures['contact_s'])
    for c in contacts
    if math.isfinite(c.measures['step_s'])
  ]
  if not steps:
    return contacts, _withheld('no initial contacts of both feet, one after the other, were seen')
  ways = np.array([_way(path, time_s, *step) for step in steps])
  seen = np.isfinite(ways)
  if not seen.any():
    return contacts, _withheld('the walker is not seen from head to foot throughout any step')
  seconds = float(np.diff(np.array(steps)[seen]).sum())
  starts_s, ends_s = np.array(steps)[seen].T[..., None]
  metres = metres_per_body_height(path, given, ((time_s >= starts_s) & (time_s <= ends_s)).any(0))
  with_lengths = []
  for contact in contacts:
    start_s, stride_s = contact.measures['contact_s'], contact.measures['stride_s']
    way = _way(path, time_s, start_s, start_s + stride_s) if math.isfinite(stride_s) else math.nan
    lengths = {'stride_length_m': metres * way, 'stride_length_bh': way}
    with_lengths.append(dataclasses.replace(contact, measures=contact.measures | lengths))
  per_s = float(ways[seen].sum()) / seconds
  scaled_height_m = math.nan if given.scale_m_per_px is None else metres
  return with_lengths, WalkingSpeed(metres * per_s, per_s, int(seen.sum()), scaled_height_m)


def _withheld(reason: str) -> WalkingSpeed:
  return dataclasses.replace(UNKNOWN, withheld=reason)


def _way(path: walker_path.WalkerPath, time_s: np.ndarray, start_s: float, end_s: float) -> float:
  """Returns how far the walker goes between two times, body heights.

  NaN where the walker is not followed throughout.
  """
  first = max(int(np.searchsorted(time_s, start_s, 'right')) - 1, 0)
  frames = slice(first, int(np.searchsorted(time_s, end_s, 'left')) + 1)
  places, known_s = path.places()[frames], time_s[frames]
  if not np.isfinite(places).all():
    return math.nan
  ends = [[np.interp(t, known_s, column) for column in places.T] for t in (start_s, end_s)]
  return math.dist(*ends)


def metres_per_body_height(
  path: walker_path.WalkerPath | None, given: Given, frames: np.ndarray | None = None
) -> float:
  """Returns metres in a body height; NaN where nothing tells them.

  Args:
    path: the walker's through N frames; None where nobody is followed.
    given: what is known of the walk. Where a scale is, the height is that by it, on average over
      the frames in which the walker is followed, or
    frames: (N,) bool, over these.
  """
  if given.scale_m_per_px is None:
    return math.nan if given.height_m is None else given.height_m
  if path is None or not np.isfinite(path.height).any():
    return math.nan
  height = path.height if frames is None else path.height[frames]
  return given.scale_m_per_px * float(np.nanmean(height))
