"""How fast healthy adults walk, from the literature."""

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


class PublishedRange(NamedTuple):
  """How a measure of healthy people of an age spreads.

  Attributes:
    measure: its name, of `gait_measures.WALK_MEASURES`.
    from_years: the least age.
    mean: of women and men together, in the measure's unit.
    sd: standard deviation between people.
    people: how many were measured.
    source: where it was published.
  """

  measure: str
  from_years: int
  mean: float
  sd: float
  people: int
  source: str


# Of 565 women and men aged 60 and over, whose speed was also divided by their height.
_RANGES_SOURCE = 'Kasovic, Stefan and Stefan 2021, Clinical Interventions in Aging 16:225-230'
_RANGES = (
  PublishedRange('walking_speed_mps', 60, 1.24, 0.28, 565, _RANGES_SOURCE),
  PublishedRange('walking_speed_bh_per_s', 60, 0.75, 0.17, 565, _RANGES_SOURCE),
)


def ranges_of_age(age_years: float | None) -> tuple[PublishedRange, ...]:
  """Returns the ranges of an age; none where it is not given or nothing is published there."""
  if age_years is None:
    return ()
  return tuple(r for r in _RANGES if age_years >= r.from_years)
