"""The colours of all figures and of the annotated video.

They are those of Okabe and Ito, which readers with colour vision deficiency can tell apart.
"""

from __future__ import annotations

BLUE, VERMILION, GREEN, PURPLE = '#0072B2', '#D55E00', '#009E73', '#CC79A7'
SKY_BLUE, ORANGE, YELLOW = '#56B4E9', '#E69F00', '#F0E442'
DARK_GREY, GREY, LIGHT_GREY, PALE_GREY = '#333333', '#999999', '#bbbbbb', '#cccccc'
LEGS = (BLUE, VERMILION)


def rgb(colour: str) -> tuple[int, int, int]:
  """Returns a colour '#RRGGBB' as three numbers from 0 to 255, as OpenCV takes it."""
  red, green, blue = bytes.fromhex(colour.removeprefix('#'))
  return red, green, blue
