"""Errors of foot contacts in words."""

from __future__ import annotations

from typing import Any

from grfjax.gait import contact_comparison, gait_measures


def list_errors(result: dict[str, Any]) -> str:
  """Returns the mean absolute errors that are defined, separated by commas.

  Args:
    result: of `contact_comparison.ContactComparison.result`.
  """
  measures = gait_measures.EVENTS | gait_measures.MEASURES
  return ', '.join(
    f'{measures[measure].label.lower()} {result[key]["mae"]:.0f} {error_unit(key)}'
    for key, (measure, _) in contact_comparison.ERRORS.items()
    if result[key]['n']
  )


def error_unit(key: str) -> str:
  """Returns the unit of one of `contact_comparison.ERRORS`."""
  ends = {'_ms': 'ms', '_pct_bw': '% BW', '_cm': 'cm'}
  return next(unit for end, unit in ends.items() if key.endswith(end))
