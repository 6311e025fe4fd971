"""Draws into a video frame: the walker's window, force arrows and text."""

from __future__ import annotations

import cv2
import numpy as np

from grfjax import conventions
from grfjax.report import colours
from grfjax.tracking import walker_window

Colour = tuple[int, int, int]

COLOURS = {
  leg: colours.rgb(colour) for leg, colour in zip(conventions.LEGS, colours.LEGS, strict=True)
}

BW_OF_BODY = 0.4  # length of an arrow of one body weight, in body heights
BW_OF_PICTURE = 0.25  # and in rows of a picture in which nobody is followed
FOOT_COLUMNS = (0.2, 0.8)  # of the left and the right leg's arrow, as shares of the window's width
LETTERS = {'left': 'L', 'right': 'R'}
INK, GRID, WHITE = (40, 40, 40), (215, 215, 215), (255, 255, 255)
_WINDOW = colours.rgb(colours.YELLOW)
_SUBPIXEL_BITS = 4  # OpenCV's fixed-point coordinates
_OUTLINED = ((INK, 3), (WHITE, 1))  # colour and thickness of a line and its edge


def draw_window(picture: np.ndarray, box: np.ndarray) -> None:
  """Draws the walker's window, (4,) in pixels of (H, W, 3) RGB; nothing where it is NaN."""
  if np.isnan(box).any():
    return
  left, top, width, height = box
  corners = fixed_point(left, top), fixed_point(left + width, top + height)
  for colour, thickness in ((INK, 3), (_WINDOW, 1)):
    cv2.rectangle(picture, *corners, colour, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def arrow_feet(shape: tuple[int, ...], box: np.ndarray) -> tuple[float, np.ndarray, float]:
  """Returns where the arrows stand: all that is known of the feet is which floor they are on.

  Args:
    shape: of the picture.
    box: (4,) the walker's window in its pixels; NaN: the arrows stand in the lower corners.

  Returns:
    Row of the floor, (2,) columns of the left and the right leg, pixels of one body weight.
  """
  rows, columns = shape[:2]
  letter = _letter_height(shape)
  if np.isnan(box).any():
    floor, feet, unit = float(rows), np.array([0.0, columns]), BW_OF_PICTURE * rows
  else:
    left, top, width, height = box
    floor = top + (1 - walker_window.FLOOR) * height
    feet = left + width * np.array(FOOT_COLUMNS)
    unit = BW_OF_BODY * height / walker_window.MARGIN
  # In the picture, with the letters beneath, also while the walker comes and goes.
  feet = np.clip(feet, [letter, 4.0 * letter], [columns - 4.0 * letter, columns - letter])
  return min(floor, rows - 2.2 * letter), feet, unit


def draw_forces(
  picture: np.ndarray,
  box: np.ndarray,
  force: np.ndarray,
  direction: int,
  places: np.ndarray | None = None,
) -> None:
  """Draws the force on each leg as an arrow up from the floor, beside a scale of one body weight.

  The arrow stands under the foot, and a foot in the air, or one that was not found, has none. Where
  nobody looked for the feet, arrows stand beside the walker.

  Args:
    picture: (H, W, 3) uint8 RGB, drawn into.
    box: (4,) as in `arrow_feet`.
    force: (2, axes) body weights; a leg's arrow has the direction of (forward, up) where forward
      is estimated and the walking direction known, else it is upright; nothing where NaN.
    direction: +1 the walker goes to the picture's right, -1 left, 0 not known.
    places: (2, 2) leg x (column, row) of the centre of pressure in the picture; NaN where it is not
      known; None: the feet are known nowhere in the film.
  """
  floor, feet, unit = arrow_feet(picture.shape, box)
  letter = _letter_height(picture.shape)
  thickness = max(2, round(min(picture.shape[:2]) / 90))
  for i, (leg, x, (up, *horizontal)) in enumerate(zip(conventions.LEGS, feet, force, strict=True)):
    y = floor
    if np.isnan(up):
      continue
    if places is not None:
      if np.isnan(places[i]).any():
        continue
      x, y = places[i]
    _draw_scale(picture, x, y, unit, tick=1.1 * letter)
    forward = direction * horizontal[0] if horizontal else 0.0
    _draw_arrow(picture, (x, y), unit * forward, -unit * up, COLOURS[leg], thickness)
    _draw_badge(picture, leg, x, min(y + 1.2 * letter, picture.shape[0] - letter), letter)


def _draw_scale(picture: np.ndarray, x: float, floor: float, unit: float, tick: float) -> None:
  """Draws an upright line of one body weight with a tick at its top."""
  top = floor - unit
  for colour, thickness in _OUTLINED:
    for ends in (((x, floor), (x, top)), ((x - tick, top), (x + tick, top))):
      start, end = (fixed_point(*point) for point in ends)
      cv2.line(picture, start, end, colour, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_badge(picture: np.ndarray, leg: str, x: float, y: float, letter: float) -> None:
  """Draws the leg's letter on a disc around that point."""
  radius = round(0.9 * letter * 2**_SUBPIXEL_BITS)
  cv2.circle(
    picture, fixed_point(x, y), radius, COLOURS[leg], cv2.FILLED, cv2.LINE_AA, _SUBPIXEL_BITS
  )
  write_text(picture, LETTERS[leg], x, y + letter / 2, letter, WHITE, 0.5)


def _draw_arrow(
  picture: np.ndarray,
  base: tuple[float, float],
  dx: float,
  dy: float,
  colour: Colour,
  thickness: int,
) -> None:
  """Draws an arrow with a white edge from `base` to (dx, dy) from it; none shorter than a pixel."""
  length = float(np.hypot(dx, dy))
  if length < 1:
    return
  along = np.array([dx, dy]) / length
  across = np.array([-along[1], along[0]])
  head = min(3.5 * thickness, length)
  tip, neck = np.array(base) + length * along, np.array(base) + (length - head) * along
  corners = (tip, neck + 0.5 * head * across, neck - 0.5 * head * across)
  triangle = np.array([fixed_point(*corner) for corner in corners])
  for ink, edge in ((WHITE, 2), (colour, 0)):
    if length > head:
      ends = fixed_point(*base), fixed_point(*(neck + along))
      cv2.line(picture, *ends, ink, thickness + edge, cv2.LINE_AA, _SUBPIXEL_BITS)
    if edge:
      cv2.polylines(picture, [triangle], True, ink, edge, cv2.LINE_AA, _SUBPIXEL_BITS)
    cv2.fillPoly(picture, [triangle], ink, cv2.LINE_AA, _SUBPIXEL_BITS)


def draw_line(
  picture: np.ndarray,
  points: np.ndarray,
  colour: Colour,
  thickness: int = 1,
  kind: int = cv2.LINE_8,
) -> None:
  """Draws a line through points (N, 2) of (x, y)."""
  line = np.array([fixed_point(*point) for point in points], np.int32)
  cv2.polylines(picture, [line], False, colour, thickness, kind, _SUBPIXEL_BITS)


def fill_rectangle(
  picture: np.ndarray, left: float, top: float, right: float, bottom: float, colour: Colour
) -> None:
  """Fills a rectangle."""
  corners = fixed_point(left, top), fixed_point(right, bottom)
  cv2.rectangle(picture, *corners, colour, cv2.FILLED, cv2.LINE_8, _SUBPIXEL_BITS)


def fixed_point(x: float, y: float) -> tuple[int, int]:
  """Returns a point, counted from the picture's edges, in OpenCV's fixed-point coordinates."""
  return round((x - 0.5) * 2**_SUBPIXEL_BITS), round((y - 0.5) * 2**_SUBPIXEL_BITS)


def _letter_height(shape: tuple[int, ...]) -> float:
  """Returns the height of a capital letter in a picture of that shape, in pixels."""
  return max(8.0, min(shape[:2]) / 40)


def _font(letter: float) -> tuple[int, float, int]:
  """Returns face, scale and thickness of text by its capitals' height: 21 pixels at scale 1."""
  return cv2.FONT_HERSHEY_SIMPLEX, letter / 21, max(1, round(letter / 9))


def _text_width(text: str, letter: float) -> int:
  return cv2.getTextSize(text, *_font(letter))[0][0]


def shorten_text(text: str, letter: float, width: float) -> str:
  """Returns as much of the text as fits in that many pixels."""
  if _text_width(text, letter) <= width:
    return text
  while text and _text_width(f'{text}...', letter) > width:
    text = text[:-1]
  return f'{text}...' if text else ''


def write_text(
  picture: np.ndarray,
  text: str,
  x: float,
  y: float,
  letter: float,
  colour: Colour,
  share: float,
) -> None:
  """Writes text.

  Args:
    picture: (H, W, 3) uint8 RGB, written into.
    text: what to write.
    x: column of the picture, see `share`.
    y: row of the text's base line.
    letter: height of a capital letter, in pixels.
    colour: of the text.
    share: of the text that stands left of column x: 0, 0.5 or 1.
  """
  face, scale, thickness = _font(letter)
  corner = round(x - share * _text_width(text, letter)), round(y)
  cv2.putText(picture, text, corner, face, scale, colour, thickness, cv2.LINE_AA)
