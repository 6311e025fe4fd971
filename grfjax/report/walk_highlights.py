"""What is said of a walk before everything else, for the pages of `predict` and of the application.

These are the values; each page has its own words for them.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from grfjax import conventions
from grfjax.gait import gait_measures

NOT_MEASURED = {'mean': None, 'sd': None, 'n': 0}  # what an earlier version did not know

# A mean of fewer is shown with a doubt: one contact that was measured wrongly decides it, and only
# of three or more it can be told which one stands out.
ENOUGH_VALUES = 3

HEADLINE = ('stance_s', 'first_peak_bw', 'second_peak_bw')  # of each leg, besides the cadence
STEP_LENGTHS = ('step_length_m', 'step_length_bh')  # of which one is said too, metres if known


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
    measures: what is said of each leg: `HEADLINE`, and one of `STEP_LENGTHS` where it is known.
    legs: leg -> measure of `measures` -> mean.
    has_estimate: leg -> whether any frame has an estimate of it.
    asymmetry_pct: measure of `measures` -> symmetry index, left against right, in %; those that are
      defined.
    strides: number of whole strides of both legs.
    total_bw: mean vertical force of both legs together over these strides, which physics says is
      1; None without any.
  """

  camera: str
  cadence: Mean
  speed: Mean
  speed_bh: Mean
  measures: tuple[str, ...]
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
  measures = (*HEADLINE, *_known_step_length(summary))
  return Highlights(
    camera=content['camera'],
    cadence=_mean(summary['cadence_steps_per_min'], None),
    speed=_mean(summary.get('walking_speed_mps', NOT_MEASURED), None),
    speed_bh=_mean(summary.get('walking_speed_bh_per_s', NOT_MEASURED), None),
    measures=measures,
    legs={
      leg: {
        name: _mean(summary[leg][name], mass if name.endswith('_bw') else None) for name in measures
      }
      for leg in conventions.LEGS
    },
    has_estimate={
      leg: quality['without_estimate'][leg] < quality['frames'] for leg in conventions.LEGS
    },
    asymmetry_pct={name: index[name] for name in measures if index[name] is not None},
    strides=quality['strides'],
    total_bw=quality['mean_total_bw'],
  )


def label(measure: str) -> str:
  """Returns the name of a measure of `Highlights.measures`; its unit is said beside it."""
  return gait_measures.MEASURES[STEP_LENGTHS[0] if measure in STEP_LENGTHS else measure].label


def _known_step_length(summary: dict[str, Any]) -> tuple[str, ...]:
  """Returns the name of the step length that is known, in metres if it is; () of none."""
  for name in STEP_LENGTHS:
    if any(summary[leg].get(name, NOT_MEASURED)['n'] for leg in conventions.LEGS):
      return (name,)
  return ()


def _mean(statistics: dict[str, Any], mass_kg: float | None) -> Mean:
  value = statistics['mean']
  known = value is not None and mass_kg is not None
  return Mean(value, statistics['n'], value * mass_kg * conventions.G if known else None)
