"""The strip of growing force curves beneath an annotated video."""

from __future__ import annotations

import fractions

import cv2
import numpy as np

from grfjax import conventions
from grfjax.gait import foot_contacts
from grfjax.report import overlay_drawing

STRIP = 0.25  # of the shorter side: the strip of curves beneath the picture,

STRIP_ROWS = 120  # or so many where its writing would be too small to read

TOP_BW = 1.5  # of the curves' axis, at least

CLOCK = fractions.Fraction(1, 90000)  # fine enough for every camera's frame times


def strip_rows(rows: int, columns: int) -> int:
  """Rows, even, of the strip beneath a picture of that size."""
  return 2 * round(max(STRIP * min(rows, columns), STRIP_ROWS) / 2)


class Strip:
  """Both legs' vertical force over the whole video's time, up to a frame.

  Attributes:
    rows: its height.
    at: (N,) int, the column of each frame's time.
    baseline: the row of 0 BW.
    unit: rows of one body weight.
  """

  def __init__(self, columns: int, rows: int, name: str, time_s: np.ndarray, force: np.ndarray):
    self.rows = rows
    self._time_s = time_s
    letter = self._letter = rows / 13
    left, right = 4.2 * letter, columns - 1.5 * letter
    top, bottom = 2.2 * letter, rows - 4.6 * letter
    x = left + (right - left) * time_s / time_s[-1]
    self.at = np.round(x).astype(int)
    self.baseline = bottom
    highest = float(np.nanmax(force[..., 0], initial=TOP_BW))
    self.unit = (bottom - top) / highest

    empty = np.full((rows, columns, 3), 255, np.uint8)
    for level in (0, 1):
      y = bottom - level * self.unit
      cv2.line(
        empty,
        overlay_drawing.point(left, y),
        overlay_drawing.point(right, y),
        overlay_drawing.GREY,
        1,
        cv2.LINE_8,
        overlay_drawing.SUBPIXEL,
      )
      label = '1 BW' if level else '0'
      overlay_drawing.write_text(
        empty, label, left - 0.5 * letter, y + letter / 2, letter, overlay_drawing.INK, 1
      )
    for seconds in _ticks(time_s[-1], (right - left) / (8 * letter)):
      tick = float(np.interp(seconds, time_s, x))
      cv2.line(
        empty,
        overlay_drawing.point(tick, top),
        overlay_drawing.point(tick, rows - 1.6 * letter),
        overlay_drawing.GREY,
        1,
        cv2.LINE_8,
        overlay_drawing.SUBPIXEL,
      )
      overlay_drawing.write_text(
        empty, f'{seconds:g}', tick, rows - 0.3 * letter, letter, overlay_drawing.INK, 0.5
      )
    title = overlay_drawing.shortened(f'{name}: vertical force', letter, right - left - 5 * letter)
    overlay_drawing.write_text(empty, title, left, 1.5 * letter, letter, overlay_drawing.INK, 0)
    lane = {leg: bottom + (1.2 + 1.2 * i) * letter for i, leg in enumerate(conventions.LEGS)}
    for leg in conventions.LEGS:
      place = left - 0.5 * letter, lane[leg] + letter / 2
      overlay_drawing.write_text(
        empty, overlay_drawing.LETTERS[leg], *place, letter, overlay_drawing.COLOURS[leg], 1
      )
    self._empty = empty

    # What is drawn up to a frame are columns of what is drawn at the end.
    full = empty.copy()
    for contact in foot_contacts.find_contacts(time_s, force):
      start, end = np.interp([contact.start_s, contact.end_s], time_s, x)
      y, half = lane[contact.leg], 0.3 * letter
      corners = overlay_drawing.point(start, y - half), overlay_drawing.point(end, y + half)
      cv2.rectangle(
        full,
        *corners,
        overlay_drawing.COLOURS[contact.leg],
        -1,
        cv2.LINE_8,
        overlay_drawing.SUBPIXEL,
      )
    for i, leg in enumerate(conventions.LEGS):
      curve = bottom - self.unit * force[:, i, 0]
      seen = np.flatnonzero(np.isfinite(curve))
      for part in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
        line = np.array(
          [overlay_drawing.point(*xy) for xy in zip(x[part], curve[part], strict=True)], np.int32
        )
        cv2.polylines(
          full, [line], False, overlay_drawing.COLOURS[leg], max(1, round(letter / 6)),
          cv2.LINE_AA, overlay_drawing.SUBPIXEL,
        )  # fmt: skip
    self._full = full

  def draw(self, picture: np.ndarray, k: int) -> None:
    """Draws the strip at frame k into (rows, columns, 3) uint8 RGB."""
    now = self.at[k]
    picture[:, : now + 1] = self._full[:, : now + 1]
    picture[:, now + 1 :] = self._empty[:, now + 1 :]
    picture[round(2.2 * self._letter) : round(self.rows - 1.6 * self._letter), now] = (
      overlay_drawing.INK
    )
    right = picture.shape[1] - 1.5 * self._letter
    overlay_drawing.write_text(
      picture,
      f'{self._time_s[k]:.2f} s',
      right,
      1.5 * self._letter,
      self._letter,
      overlay_drawing.INK,
      1,
    )


def _ticks(until: float, most: float) -> np.ndarray:
  """Round numbers from 0 to `until`, at most so many steps of 1, 2 or 5 and zeros between."""
  least = until / max(most, 1.0)
  power = 10 ** np.floor(np.log10(least))
  step = power * next(m for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))
  return np.arange(int(until / step + 1e-9) + 1) * step
