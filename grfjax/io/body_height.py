"""Body heights: their limits, and what a number in another unit is in metres."""

from __future__ import annotations

LIMITS_M = (0.5, 2.6)
_UNITS_M = {'millimetres': 0.001, 'centimetres': 0.01, 'inches': 0.0254, 'feet': 0.3048}


def is_possible(height_m: float) -> bool:
  """Tells whether somebody may be so tall."""
  low, high = LIMITS_M
  return low <= height_m <= high


def expected(value: float) -> str:
  """Returns what is expected of a height, and what a value that is refused may mean.

  Args:
    value: what was given for metres.

  Returns:
    Such as '0.5 to 2.6 metres (175 centimetres are 1.75 metres)'.
  """
  meant = [
    f'{value:g} {unit} are {value * metres:.2f} metres'
    for unit, metres in _UNITS_M.items()
    if is_possible(value * metres)
  ]
  text = '{:g} to {:g} metres'.format(*LIMITS_M)
  return f'{text} ({", ".join(meant)})' if meant else text
