"""The results of estimated walks: their files, their measures, and how these change over time."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import logging
import math
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from grfjax import conventions
from grfjax.app import store
from grfjax.gait import gait_measures, repeatability
from grfjax.report import foot_marks, speed_scale, walk_highlights

# Repeats from which the smallest change is given: a standard deviation of n degrees of freedom has
# a relative standard error of about 1 / sqrt(2 n), which is 22 % then.
REPEATS_NEEDED = 10

# Name in an address -> name in the walk's folder, as `predict` writes it for the film walk.film,
# and the poster by `poster.write_poster`.
FILES = {
  'report.html': 'walk.html',
  'film.mp4': 'walk_overlay.mp4',
  'poster.jpg': 'walk_poster.jpg',
  'curves.png': 'walk.png',
  'curves.csv': 'walk.csv',
  'walk_grf.mot': 'walk_grf.mot',
  'walk_ExternalLoads.xml': 'walk_ExternalLoads.xml',  # which names the one before
  'measures.json': 'walk.json',
}

CADENCE = 'cadence_steps_per_min'
OF_WALK = (CADENCE, 'walking_speed_mps', 'walking_speed_bh_per_s')  # not of a leg
MEASURES = {
  **gait_measures.MEASURES,
  **{name: gait_measures.WALK_MEASURES[name] for name in OF_WALK},
}

# Results of earlier versions do not have them.
_LENGTHS = (
  'step_length_m', 'step_length_bh', 'stride_length_m', 'stride_length_bh', 'walking_speed_mps',
  'walking_speed_bh_per_s',
)  # fmt: skip
_DIGITS = {  # of a unit's values as shown; others 0
  's': 2, 'BW': 2, 'BW/s': 1, 'BW s': 3, 'm': 2, 'm/s': 2, 'body heights': 2, 'body heights/s': 2,
}  # fmt: skip

ENOUGH_VALUES = walk_highlights.ENOUGH_VALUES


@dataclasses.dataclass(frozen=True)
class WalkResult:
  """What was estimated of a walk.

  Attributes:
    walk: the walk.
    content: of its measures.json.
  """

  walk: store.Walk
  content: dict[str, Any]

  def check(self) -> None:
    """Looks at all that is shown of the results.

    Raises:
      ArithmeticError, LookupError, TypeError, ValueError: something is missing, or is not what it
        should be.
    """
    short = walk_highlights.highlights(self.content)
    numbers = [*short.asymmetry_pct.values(), short.strides, short.total_bw]
    for measure in MEASURES:
      for leg in legs_of(measure):
        numbers += [self._statistics(measure, leg)['mean'], self.count(measure, leg) + 0]
    for number in numbers:
      _ = number is None or math.isfinite(number)  # which takes numbers alone, as pages do
    for text in itertools.chain(*self.flags):
      _ = text + ''
    self.draw_marks()
    speed_scale.draw(self.content)

  def value(self, measure: str, leg: str) -> float:
    """Returns the mean of a measure, NaN where undefined.

    Args:
      measure: of `MEASURES`.
      leg: 'left' or 'right'; '' of a measure in `OF_WALK`.
    """
    mean = self._statistics(measure, leg)['mean']
    return math.nan if mean is None else float(mean)

  def count(self, measure: str, leg: str) -> int:
    """Returns how many contacts (of `OF_WALK`: steps) a mean is of; arguments as in `value`."""
    return self._statistics(measure, leg)['n']

  def _statistics(self, measure: str, leg: str) -> dict[str, Any]:
    statistics = self.content['summary'][leg] if leg else self.content['summary']
    if measure in _LENGTHS and measure not in statistics:
      return walk_highlights.NOT_MEASURED
    return statistics[measure]

  def draw_marks(self) -> list[foot_marks.Drawing]:
    """Returns a drawing of where the feet stood in each walk; none where that is not known."""
    feet = self.content.get('foot_marks')  # results of earlier versions do not have it
    return foot_marks.draw(feet) if feet and feet['walks'] else []

  @property
  def flags(self) -> list[tuple[str, str]]:
    """What to be careful about: (code, English sentence)."""
    quality = self.content['quality']
    return list(zip(quality['flag_codes'], quality['flags'], strict=True))


def digits(measure: str) -> int:
  """Returns to how many decimal places a measure is shown."""
  return _DIGITS.get(MEASURES[measure].unit, 0)


def legs_of(measure: str) -> tuple[str, ...]:
  """Returns the legs that a measure has values of; ('',) of a measure of the whole walk."""
  return ('',) if measure in OF_WALK else tuple(conventions.LEGS)


def files_of(folder: pathlib.Path) -> list[str]:
  """Returns the names in addresses of the files that a walk's folder has."""
  return [name for name, file in FILES.items() if (folder / file).is_file()]


def read_results(places: store.Store, walks: Sequence[store.Walk]) -> list[WalkResult]:
  """Returns the results of those of the walks that are done, in the same order.

  A walk whose file of results is missing or damaged is left out, and named in the log; its own page
  says so, and the others' do not depend on it.
  """
  results = []
  for walk in walks:
    if walk.state == 'done':
      path = places.folder_of(walk.id) / FILES['measures.json']
      try:
        result = WalkResult(walk, json.loads(path.read_text(encoding='utf-8')))
        result.check()
      except (
        OSError,
        ArithmeticError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
      ) as error:
        logging.getLogger(__name__).warning('%s: the results cannot be read: %r', path, error)
        continue
      results.append(result)
  return results


class Repeatability:
  """The smallest change of each measure, from people who were filmed several times on a day."""

  def __init__(self, results: Sequence[WalkResult]):
    """Sorts the walks of everybody by person and day.

    Args:
      results: of all walks.
    """
    self._days: dict[tuple[str, str], list[WalkResult]] = {}
    for result in results:
      self._days.setdefault((result.walk.person, result.walk.filmed_on), []).append(result)

  @property
  def repeats(self) -> int:
    """How many walks there are beyond the first of each person and day."""
    return sum(len(day) - 1 for day in self._days.values())

  @functools.cache  # noqa: B019 - lives as long as a request
  def smallest_change(self, measure: str) -> float:
    """Returns the change of a measure that means something; NaN where it is not known.

    Left and right leg have one, from both; a walk with both legs counts as one repeat.
    """
    legs = legs_of(measure)
    values = [
      np.array([result.value(measure, leg) for result in day])
      for day in self._days.values()
      for leg in legs
    ]
    sd, freedom = repeatability.within_subject_sd(v[np.isfinite(v)] for v in values)
    known = freedom / len(legs) >= REPEATS_NEEDED
    return repeatability.smallest_change(sd) if known else math.nan


@dataclasses.dataclass(frozen=True)
class Comparison:
  """A measure of two walks.

  Attributes:
    measure: of `MEASURES`.
    leg: 'left', 'right' or ''.
    first: value as shown, to the measure's decimal places; NaN where undefined, as below.
    second: likewise.
    smallest_change: that means something, likewise.
    counts: of values that the first and the second are means of.
  """

  measure: str
  leg: str
  first: float
  second: float
  smallest_change: float
  counts: tuple[int, int]

  @property
  def difference(self) -> float:
    """The second walk's value less the first's, so that it agrees with what is shown of both."""
    return round(self.second - self.first, digits(self.measure))

  @property
  def beyond(self) -> bool | None:
    """Whether the difference means something; None where that is not known."""
    if math.isnan(self.difference) or math.isnan(self.smallest_change):
      return None
    return abs(self.difference) > self.smallest_change


def compare(first: WalkResult, second: WalkResult, known: Repeatability) -> list[Comparison]:
  """Returns every measure of two walks that one of them has."""
  rows = [
    Comparison(
      measure, leg,
      round(first.value(measure, leg), digits(measure)),
      round(second.value(measure, leg), digits(measure)),
      round(known.smallest_change(measure), digits(measure)),
      (first.count(measure, leg), second.count(measure, leg)),
    )
    for measure in MEASURES
    for leg in legs_of(measure)
  ]  # fmt: skip
  return [row for row in rows if not (math.isnan(row.first) and math.isnan(row.second))]
