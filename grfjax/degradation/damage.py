"""Draws what happens to a video: kinds of damage, their ranges, and how much of each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from grfjax import errors

GOOD_CRF = (18, 28)  # constant rate factors of x264 that phones' good settings come near


@dataclasses.dataclass(frozen=True)
class Damage:
  """What happens to one video; what is left at its default does not happen.

  Lengths are in heights of the picture, so that they mean the same in every resolution.

  Attributes:
    kinds: names in `KINDS`, in their order there.
    crf: constant rate factor of x264.
    shake_heights: root mean square of the picture's way right and down, each.
    roll_rad: root mean square of its turning, radians.
    pan_heights_per_s: speed at which the picture moves right.
    shutter: for how much of the time between two frames the camera takes in light while it moves.
    focus_heights: standard deviation of the blur.
    rows_share: rows of the picture by those of the original.
    electrons: how many a white pixel catches; infinite where there is no noise.
    read_electrons: standard deviation of the noise of reading a pixel out.
    brightness: factor of the light that is seen, where white is 1.
    veil: light that is added to all of the picture, where white is 1.
    flicker: amplitude of the lamps' flicker as a share of their light.
    flicker_hz: how often a second pictures become bright and dark.
    flicker_bands: how many dark bands a picture shows at once (the shutter rolls).
    exposure_stops: by how many powers of 2 the exposure changes.
    exposure_from: when it begins to, as a share of the video.
    exposure_s: how long the change takes, seconds.
    red, blue: factors of these colours once it has changed.
  """

  kinds: tuple[str, ...] = ()
  crf: int = GOOD_CRF[0]
  shake_heights: float = 0.0
  roll_rad: float = 0.0
  pan_heights_per_s: float = 0.0
  shutter: float = 0.0
  focus_heights: float = 0.0
  rows_share: float = 1.0
  electrons: float = math.inf
  read_electrons: float = 0.0
  brightness: float = 1.0
  veil: float = 0.0
  flicker: float = 0.0
  flicker_hz: float = 0.0
  flicker_bands: float = 0.0
  exposure_stops: float = 0.0
  exposure_from: float = 0.0
  exposure_s: float = 0.0
  red: float = 1.0
  blue: float = 1.0

  @property
  def lit(self) -> bool:
    """Whether lamps, exposure or noise are not as in a good video."""
    return bool(
      math.isfinite(self.electrons)
      or self.flicker
      or self.exposure_stops
      or self.veil
      or (self.brightness, self.red, self.blue) != (1, 1, 1)
    )

  def amounts(self) -> dict[str, Any]:
    """Returns what is not as in a good video: JSON."""
    good = Damage()
    return {
      field.name: round(value, 6) if isinstance(value, float) else value
      for field in dataclasses.fields(self)
      if field.name != 'kinds' and (value := getattr(self, field.name)) != getattr(good, field.name)
    }


class Kind(NamedTuple):
  """A kind of damage.

  Attributes:
    help: what it is.
    share: of the videos that have it, where all kinds are asked for.
    draw: draws its fields of `Damage`.
    moves: whether the camera moves: a video has one such kind at most.
  """

  help: str
  share: float
  draw: Callable[[np.random.Generator], dict[str, Any]]
  moves: bool = False


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
  return math.exp(rng.uniform(math.log(low), math.log(high)))


def _either_way(rng: np.random.Generator, low: float, high: float) -> float:
  return float(rng.uniform(low, high) * rng.choice((-1, 1)))


def _tremor(rng: np.random.Generator) -> dict[str, Any]:
  return {'shake_heights': _log_uniform(rng, 0.0007, 0.004), 'shutter': rng.uniform(0, 1)}


def _handheld(rng: np.random.Generator) -> dict[str, Any]:
  return {
    'shake_heights': _log_uniform(rng, 0.004, 0.016),
    'roll_rad': math.radians(rng.uniform(0, 0.5)),
    'shutter': rng.uniform(0, 1),
  }


def _pan(rng: np.random.Generator) -> dict[str, Any]:
  return {
    'pan_heights_per_s': _either_way(rng, 0.01, 0.08),
    'shake_heights': _log_uniform(rng, 0.0003, 0.002),
    'shutter': rng.uniform(0, 1),
  }


def _dark(rng: np.random.Generator) -> dict[str, Any]:
  return {
    'electrons': _log_uniform(rng, 40, 600),
    'read_electrons': rng.uniform(1, 4),
    'brightness': _log_uniform(rng, 0.15, 1),
    'veil': rng.uniform(0, 0.03),
  }


def _flicker(rng: np.random.Generator) -> dict[str, Any]:
  return {
    'flicker': _log_uniform(rng, 0.03, 0.2),
    'flicker_hz': _log_uniform(rng, 0.2, 20),
    'flicker_bands': rng.choice((0, 1)) * rng.uniform(0.2, 2),
  }


def _exposure(rng: np.random.Generator) -> dict[str, Any]:
  return {
    'exposure_stops': _either_way(rng, 0.15, 0.8),
    'exposure_from': rng.uniform(0, 0.7),
    'exposure_s': rng.uniform(0.2, 1.5),
    'red': rng.uniform(0.92, 1.08),
    'blue': rng.uniform(0.92, 1.08),
  }


def _blur(rng: np.random.Generator) -> dict[str, Any]:
  return {'focus_heights': _log_uniform(rng, 0.001, 0.005)}


def _resolution(rng: np.random.Generator) -> dict[str, Any]:
  return {'rows_share': rng.uniform(0.5, 0.9)}


def _compression(rng: np.random.Generator) -> dict[str, Any]:
  return {'crf': int(rng.integers(30, 41))}


# Dark rooms and messengers' compression come most often, and are what estimates suffer from most.
KINDS = {
  'dark': Kind('noise and little contrast in the dark', 0.45, _dark),
  'compression': Kind('H.264 at a low bit rate', 0.45, _compression),
  'tremor': Kind('a phone leaned on something, with the hand on it', 0.2, _tremor, moves=True),
  'handheld': Kind('a phone held in the hands', 0.2, _handheld, moves=True),
  'pan': Kind('a slow pan', 0.1, _pan, moves=True),
  'flicker': Kind('lamps on mains', 0.2, _flicker),
  'exposure': Kind('an exposure and a white balance that change', 0.2, _exposure),
  'blur': Kind('out of focus', 0.2, _blur),
  'resolution': Kind('fewer pixels', 0.2, _resolution),
}


def check_kinds(names: Iterable[str]) -> tuple[str, ...]:
  """Returns the kinds in the order of `KINDS`.

  Raises:
    errors.InputError: there is no such kind, or none is named.
  """
  names = list(names)
  for name in names:
    if name not in KINDS:
      raise errors.InputError(
        f'there is no kind of damage {name!r}; there are {", ".join(KINDS)}',
        code='degrade.unknown_kind',
      )
  if not names:
    raise errors.InputError(
      f'no kind of damage is named; there are {", ".join(KINDS)}', code='degrade.unknown_kind'
    )
  return tuple(name for name in KINDS if name in names)


def draw(rng: np.random.Generator, names: tuple[str, ...] = tuple(KINDS)) -> Damage:
  """Draws what happens to a video.

  Args:
    rng: draws.
    names: of the kinds that may happen, in the order of `KINDS`; each happens as often as its
      `share` says, a single one always, and at least one does. One kind at most moves the camera.
  """
  kinds: list[str] = []
  while not kinds:
    kinds = [name for name in names if len(names) == 1 or rng.random() < KINDS[name].share]
    moving = [name for name in kinds if KINDS[name].moves]
    if len(moving) > 1:
      kept = moving[rng.integers(len(moving))]
      kinds = [name for name in kinds if name == kept or name not in moving]
  fields: dict[str, Any] = {'crf': int(rng.integers(GOOD_CRF[0], GOOD_CRF[1] + 1))}
  for name in kinds:
    fields.update(KINDS[name].draw(rng))
  plain: dict[str, Any] = {k: v if k == 'crf' else float(v) for k, v in fields.items()}
  return Damage(kinds=tuple(kinds), **plain)
