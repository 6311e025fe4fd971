"""What is said of a walk before everything else, for the pages of `predict` and of the application.

These are the values; each page has its own words for them.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from grfjax import conventions

NOT_MEASURED = {'mean': None, 'sd': None, 'n': 0}  # what an earlier version did not know

HEADLINE = ('stance_s', 'first_peak_bw', 'second_peak_bw')  # of each leg, besides the cadence


@dataclasses.dataclass(frozen=True)
class Mean:
  """The mean of a measure.

  Attributes:
    value: in the measure's unit; None where undefined.
    count: of values that it is the mean of.
    newtons: the same of a force in body weights, where the body mass is known; else None.
  """

  value: float | None
  count: int
  newtons: float | None


@dataclasses.dataclass(frozen=True)
class Highlights:
  """What matters most of a walk.

  Attributes:
    camera: the walker's side on which the camera stood, as in `force_curves.ForceCurves`.
    cadence: steps a minute.
    speed: walking speed, metres a second.
    speed_bh: walking speed, body heights a second.
    legs: leg -> measure of `HEADLINE` -> mean.
    has_estimate: leg -> whether any frame has an estimate of it.
    asymmetry_pct: measure of `HEADLINE` -> symmetry index, left against right, in %; those that are
      defined.
    strides: number of whole strides of both legs.
    total_bw: mean vertical force of both legs together over these strides, which physics says is
      1; None without any.
  """

  camera: str
  cadence: Mean
  speed: Mean
  speed_bh: Mean
  legs: dict[str, dict[str, Mean]]
  has_estimate: dict[str, bool]
  asymmetry_pct: dict[str, float]
  strides: int
  total_bw: float | None


def highlights(content: dict[str, Any]) -> Highlights:
  """Returns what matters most of a walk.

  Args:
    content: of the walk's JSON file.
  """
  summary, quality, mass = content['summary'], content['quality'], content['body_mass_kg']
  index = summary['symmetry_index_pct']
  return Highlights(
    camera=content['camera'],
    cadence=_mean(summary['cadence_steps_per_min'], None),
    speed=_mean(summary.get('walking_speed_mps', NOT_MEASURED), None),
    speed_bh=_mean(summary.get('walking_speed_bh_per_s', NOT_MEASURED), None),
    legs={
      leg: {
        name: _mean(summary[leg][name], mass if name.endswith('_bw') else None) for name in HEADLINE
      }
      for leg in conventions.LEGS
    },
    has_estimate={
      leg: quality['without_estimate'][leg] < quality['frames'] for leg in conventions.LEGS
    },
    asymmetry_pct={name: index[name] for name in HEADLINE if index[name] is not None},
    strides=quality['strides'],
    total_bw=quality['mean_total_bw'],
  )


def _mean(statistics: dict[str, Any], mass_kg: float | None) -> Mean:
  value = statistics['mean']
  known = value is not None and mass_kg is not None
  return Mean(value, statistics['n'], value * mass_kg * conventions.G if known else None)
