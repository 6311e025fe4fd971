"""Gait measures summarised over all contacts: means by leg, cadence, symmetry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from grfjax import conventions
from grfjax.gait import foot_contacts, gait_measures


def summarize(found: list[foot_contacts.Contact]) -> dict[str, Any]:
  """Mean, sample SD and n of each measure by leg, cadence, and the legs' symmetry.

  Args:
    found: contacts of one or more walks.

  Returns:
    leg -> measure -> {'mean', 'sd', 'n'}; 'cadence_steps_per_min' -> {'mean', 'n'}, n steps;
    'symmetry_index_pct' -> measure -> %. What is undefined is NaN: the SD of fewer than two.
  """
  legs: dict[str, dict[str, dict[str, float]]] = {}
  for leg in conventions.LEGS:
    legs[leg] = {name: _statistics(_values(found, name, leg)) for name in gait_measures.MEASURES}
  steps = np.concatenate([_values(found, 'step_s', leg) for leg in conventions.LEGS])
  left, right = (legs[leg] for leg in conventions.LEGS)
  return {
    **legs,
    'cadence_steps_per_min': {
      'mean': 60 / float(steps.mean()) if steps.size else math.nan,
      'n': steps.size,
    },
    'symmetry_index_pct': {
      name: symmetry_index(left[name]['mean'], right[name]['mean'])
      for name in gait_measures.MEASURES
    },
  }


def symmetry_index(left: float, right: float) -> float:
  """100 (L - R) / (0.5 (L + R)) in %, NaN where L + R is 0; see `OF_WALK`."""
  return 100 * (left - right) / (0.5 * (left + right)) if left + right else math.nan


def as_dict(found: list[foot_contacts.Contact]) -> dict[str, Any]:
  """Contacts, `summary` and the definitions of all measures for a JSON file; None is undefined."""
  return {
    'contacts': [{'leg': c.leg, **_without_nan(c.measures)} for c in found],
    'summary': _without_nan(summarize(found)),
    'definitions': {
      n: m._asdict()
      for n, m in {
        **gait_measures.EVENTS,
        **gait_measures.MEASURES,
        **gait_measures.OF_WALK,
      }.items()
    },
  }


def _values(found: list[foot_contacts.Contact], name: str, leg: str) -> np.ndarray:
  """A leg's defined values of a measure."""
  values = np.array([c.measures[name] for c in found if c.leg == leg], np.float64)
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
