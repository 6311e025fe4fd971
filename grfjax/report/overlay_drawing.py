"""Drawing into a video frame: the walker's window, force arrows and text."""

from __future__ import annotations

import cv2
import numpy as np

from grfjax import conventions
from grfjax.tracking import walker_window

COLOURS = {'left': (0, 114, 178), 'right': (213, 94, 0)}  # Okabe and Ito's, as in the figures

BW_OF_BODY = 0.4  # an arrow of one body weight, in body heights

BW_OF_PICTURE = 0.25  # and in rows of a picture in which nobody is followed

ABREAST = (0.2, 0.8)  # where in the window's width the left and the right leg's arrow stand

SUBPIXEL = 4  # bits

LETTERS = {'left': 'L', 'right': 'R'}

_WHITE, INK, GREY, _BOX = (255, 255, 255), (40, 40, 40), (215, 215, 215), (240, 228, 66)


def draw_window(picture: np.ndarray, box: np.ndarray) -> None:
  """Draws the walker's window, (4,) in pixels of (H, W, 3) RGB; nothing where it is NaN."""
  if np.isnan(box).any():
    return
  left, top, width, height = box
  corners = point(left, top), point(left + width, top + height)
  for colour, wide in ((INK, 3), (_BOX, 1)):
    cv2.rectangle(picture, *corners, colour, wide, cv2.LINE_AA, SUBPIXEL)


def arrow_feet(shape: tuple[int, ...], box: np.ndarray) -> tuple[float, np.ndarray, float]:
  """Where the arrows stand: as what is known of the feet is which floor they are on.

  Args:
    shape: of the picture.
    box: (4,) the walker's window in its pixels; NaN: the arrows stand in the lower corners.

  Returns:
    Floor row, (2,) columns of the left and the right leg, pixels of one body weight.
  """
  rows, columns = shape[:2]
  letter = _letter(shape)
  if np.isnan(box).any():
    floor, at, unit = float(rows), np.array([0.0, columns]), BW_OF_PICTURE * rows
  else:
    left, top, width, height = box
    floor = top + (1 - walker_window.FLOOR) * height
    at = left + width * np.array(ABREAST)
    unit = BW_OF_BODY * height / walker_window.MARGIN
  # In the picture, with the letters beneath, also while the walker comes and goes.
  at = np.clip(at, [letter, 4.0 * letter], [columns - 4.0 * letter, columns - letter])
  return min(floor, rows - 2.2 * letter), at, unit


def draw_forces(picture: np.ndarray, box: np.ndarray, force: np.ndarray, direction: int) -> None:
  """Draws the force on each leg as an arrow up from the floor, beside a scale of one body weight.

  Args:
    picture: (H, W, 3) uint8 RGB, drawn into.
    box: (4,) as in `stand`.
    force: (2, axes) body weights; a leg's arrow has the direction of (forward, up) where forward
      is estimated and the walking direction known, else it is upright; nothing where NaN.
    direction: +1 the walker goes to the picture's right, -1 left, 0 not known.
  """
  floor, at, unit = arrow_feet(picture.shape, box)
  letter = _letter(picture.shape)
  thickness = max(2, round(min(picture.shape[:2]) / 90))
  for leg, x, (up, *others) in zip(conventions.LEGS, at, force, strict=True):
    if np.isnan(up):
      continue
    top, tick = floor - unit, 1.1 * letter
    for colour, wide in ((INK, 3), (_WHITE, 1)):
      for ends in (((x, floor), (x, top)), ((x - tick, top), (x + tick, top))):
        a, b = (point(*end) for end in ends)
        cv2.line(picture, a, b, colour, wide, cv2.LINE_AA, SUBPIXEL)
    forward = direction * others[0] if others else 0.0
    _arrow(picture, (x, floor), unit * forward, -unit * up, COLOURS[leg], thickness)
    badge = floor + 1.2 * letter
    radius = round(0.9 * letter * 2**SUBPIXEL)
    cv2.circle(picture, point(x, badge), radius, COLOURS[leg], -1, cv2.LINE_AA, SUBPIXEL)
    write_text(picture, LETTERS[leg], x, badge + letter / 2, letter, _WHITE, 0.5)


def _arrow(
  picture: np.ndarray,
  base: tuple[float, float],
  dx: float,
  dy: float,
  colour: tuple[int, int, int],
  thickness: int,
) -> None:
  """An arrow with a white edge from `base` to just (dx, dy) from it; none shorter than a pixel."""
  length = float(np.hypot(dx, dy))
  if length < 1:
    return
  along = np.array([dx, dy]) / length
  across = np.array([-along[1], along[0]])
  head = min(3.5 * thickness, length)
  tip, neck = np.array(base) + length * along, np.array(base) + (length - head) * along
  triangle = np.array(
    [point(*corner) for corner in (tip, neck + 0.5 * head * across, neck - 0.5 * head * across)]
  )
  for ink, edge in ((_WHITE, 2), (colour, 0)):
    if length > head:
      ends = point(*base), point(*(neck + along))
      cv2.line(picture, *ends, ink, thickness + edge, cv2.LINE_AA, SUBPIXEL)
    if edge:
      cv2.polylines(picture, [triangle], True, ink, edge, cv2.LINE_AA, SUBPIXEL)
    cv2.fillPoly(picture, [triangle], ink, cv2.LINE_AA, SUBPIXEL)


def _letter(shape: tuple[int, ...]) -> float:
  """The height of a capital letter in a picture of that shape, in pixels."""
  return max(8.0, min(shape[:2]) / 40)


def point(x: float, y: float) -> tuple[int, int]:
  """OpenCV's fixed-point place of one counted from the picture's edges."""
  return round((x - 0.5) * 2**SUBPIXEL), round((y - 0.5) * 2**SUBPIXEL)


def _font(letter: float) -> tuple[int, float, int]:
  """Face, scale and thickness of writing whose capitals are so high: 21 pixels at scale 1."""
  return cv2.FONT_HERSHEY_SIMPLEX, letter / 21, max(1, round(letter / 9))


def _wide(text: str, letter: float) -> int:
  return cv2.getTextSize(text, *_font(letter))[0][0]


def shortened(text: str, letter: float, width: float) -> str:
  """As much of the text as is at most so many pixels wide."""
  if _wide(text, letter) <= width:
    return text
  while text and _wide(f'{text}...', letter) > width:
    text = text[:-1]
  return f'{text}...' if text else ''


def write_text(
  picture: np.ndarray,
  text: str,
  x: float,
  y: float,
  letter: float,
  colour: tuple[int, int, int],
  share: float,
) -> None:
  """Writes on the line at row y; `share` of the text stands before column x."""
  face, scale, thickness = _font(letter)
  place = round(x - share * _wide(text, letter)), round(y)
  cv2.putText(picture, text, place, face, scale, colour, thickness, cv2.LINE_AA)
