"""Gait measures summarised over all contacts: means by leg, cadence, symmetry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from grfjax import conventions
from grfjax.gait import foot_contacts, gait_measures, walking_speed


def summarize(
  contacts: list[foot_contacts.MeasuredContact],
  speed: walking_speed.WalkingSpeed = walking_speed.UNKNOWN,
) -> dict[str, Any]:
  """Computes mean, sample SD and n of each measure by leg, cadence, speed, and symmetry.

  Args:
    contacts: of one or more walks.
    speed: of the same walks.

  Returns:
    leg -> measure -> {'mean', 'sd', 'n'}; 'cadence_steps_per_min', 'walking_speed_mps' and
    'walking_speed_bh_per_s' -> {'mean', 'n'}, n steps; 'symmetry_index_pct' -> measure -> %. What
    is undefined is NaN, such as the SD of fewer than two.
  """
  legs: dict[str, dict[str, dict[str, float]]] = {}
  for leg in conventions.LEGS:
    legs[leg] = {name: _statistics(_values(contacts, name, leg)) for name in gait_measures.MEASURES}
  steps = np.concatenate([_values(contacts, 'step_s', leg) for leg in conventions.LEGS])
  left, right = (legs[leg] for leg in conventions.LEGS)
  return {
    **legs,
    'cadence_steps_per_min': {
      'mean': 60 / float(steps.mean()) if steps.size else math.nan,
      'n': steps.size,
    },
    'walking_speed_mps': {
      'mean': speed.mps,
      'n': 0 if math.isnan(speed.mps) else speed.steps,
    },
    'walking_speed_bh_per_s': {'mean': speed.bh_per_s, 'n': speed.steps},
    'symmetry_index_pct': {
      name: symmetry_index(left[name]['mean'], right[name]['mean'])
      for name in gait_measures.MEASURES
    },
  }


def symmetry_index(left: float, right: float) -> float:
  """Returns 100 (L - R) / (0.5 (L + R)) in %, NaN where L + R is 0."""
  return 100 * (left - right) / (0.5 * (left + right)) if left + right else math.nan


def as_dict(
  contacts: list[foot_contacts.MeasuredContact],
  speed: walking_speed.WalkingSpeed = walking_speed.UNKNOWN,
) -> dict[str, Any]:
  """Returns contacts, their summary and all definitions for a JSON file; None is undefined."""
  definitions = gait_measures.EVENTS | gait_measures.MEASURES | gait_measures.WALK_MEASURES
  return {
    'contacts': [{'leg': c.leg, **_without_nan(c.measures)} for c in contacts],
    'summary': _without_nan(summarize(contacts, speed)),
    'definitions': {name: measure._asdict() for name, measure in definitions.items()},
  }


def _values(contacts: list[foot_contacts.MeasuredContact], name: str, leg: str) -> np.ndarray:
  """Returns a leg's defined values of a measure."""
  values = np.array([c.measures[name] for c in contacts if c.leg == leg], np.float64)
  return values[np.isfinite(values)]


def _statistics(values: np.ndarray) -> dict[str, float]:
  n = values.size
  return {
    'mean': float(values.mean()) if n else math.nan,
    'sd': float(values.std(ddof=1)) if n > 1 else math.nan,
    'n': n,
  }


def _without_nan(value: Any) -> Any:
  if isinstance(value, dict):
    return {name: _without_nan(v) for name, v in value.items()}
  return None if isinstance(value, float) and math.isnan(value) else value
