"""How fast healthy adults walk on average, from the literature."""

from __future__ import annotations

from typing import NamedTuple

# A meta-analysis of 41 studies of 23,111 healthy people at their usual pace.
SOURCE = 'Bohannon and Andrews 2011, Physiotherapy 97:182-189'


class PublishedSpeed(NamedTuple):
  """Mean walking speeds of healthy people of an age, metres a second.

  Attributes:
    from_years, to_years: the ages, in whole years.
    women_mps: of women.
    men_mps: of men.
    source: where it was published.
  """

  from_years: int
  to_years: int
  women_mps: float
  men_mps: float
  source: str = SOURCE


_SPEEDS = (
  PublishedSpeed(20, 29, 1.34, 1.36),
  PublishedSpeed(30, 39, 1.34, 1.43),
  PublishedSpeed(40, 49, 1.39, 1.43),
  PublishedSpeed(50, 59, 1.31, 1.43),
  PublishedSpeed(60, 69, 1.24, 1.34),
  PublishedSpeed(70, 79, 1.13, 1.26),
  PublishedSpeed(80, 99, 0.94, 0.97),
)


def of_age(age_years: float | None) -> PublishedSpeed | None:
  """Returns the speeds of an age, None where it is not given or nothing is published there."""
  if age_years is None:
    return None
  return next((s for s in _SPEEDS if s.from_years <= age_years < s.to_years + 1), None)
