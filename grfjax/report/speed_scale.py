"""The walking speed on a scale, beside what is published of healthy people of the walker's age.

As in `foot_marks`, the drawing is numbers alone, and the pages have words of their own for it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from grfjax.report import walk_highlights

WIDTH, HEIGHT = 760, 104
_LEFT, _RIGHT = 24, 736  # of the scale
BAND = (30, 56)  # top and bottom
AXIS = 64
_STEP, _LEAST_END = 0.2, 1.6  # of the ticks, and where the scale ends at least


@dataclasses.dataclass(frozen=True)
class Scale:
  """A scale of speeds; every x is a place on it.

  Attributes:
    measure: `walking_speed_mps` or `walking_speed_bh_per_s`.
    value: of the walk.
    x: of that value.
    published: the range, of the JSON file's `published_ranges`; None where there is none.
    band: x of one standard deviation below and above the published mean; None likewise.
    mean: x of that mean; None likewise.
    women, men: x of the published means of the walker's decade; None where there are none.
    ticks: x and value.
    left, right: x of the scale's ends.
  """

  measure: str
  value: float
  x: float
  published: dict[str, Any] | None
  band: tuple[float, float] | None
  mean: float | None
  women: float | None
  men: float | None
  ticks: list[tuple[float, float]]
  left: int = _LEFT
  right: int = _RIGHT


def draw(content: dict[str, Any]) -> Scale | None:
  """Returns the scale; None where there is no speed, or nothing to compare it with.

  Args:
    content: of a walk's JSON file.
  """
  short = walk_highlights.highlights(content)
  in_metres = short.speed.value is not None
  measure = 'walking_speed_mps' if in_metres else 'walking_speed_bh_per_s'
  value = (short.speed if in_metres else short.speed_bh).value
  published = next(
    (r for r in content.get('published_ranges', ()) if r['measure'] == measure), None
  )
  means = content.get('published_speed') if in_metres else None
  if value is None or not (published or means):
    return None
  edges = [published['mean'] + k * published['sd'] for k in (-1, 1)] if published else []
  end = max(_LEAST_END, value, *edges)
  count = int(end / _STEP - 1e-9) + 1

  def x(speed: float) -> float:
    return round(_LEFT + (_RIGHT - _LEFT) * speed / (count * _STEP), 1)

  return Scale(
    measure, value, x(value), published,
    band=(x(edges[0]), x(edges[1])) if edges else None,
    mean=x(published['mean']) if published else None,
    women=x(means['women_mps']) if means else None,
    men=x(means['men_mps']) if means else None,
    ticks=[(x(k * _STEP), round(k * _STEP, 1)) for k in range(count + 1)],
  )  # fmt: skip
