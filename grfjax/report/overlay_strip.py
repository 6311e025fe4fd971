"""The strip of growing force curves beneath an annotated video."""

from __future__ import annotations

import fractions

import cv2
import numpy as np

from grfjax import conventions, mask_runs
from grfjax.gait import foot_contacts
from grfjax.report import overlay_drawing

HEIGHT = 0.25  # of the strip, as a share of the picture's shorter side
MIN_ROWS = 120  # of the strip: below that its writing would be too small to read
TOP_BW = 1.5  # upper end of the curves' axis, at least
CLOCK = fractions.Fraction(1, 90000)  # seconds, fine enough for every camera's frame times


def strip_rows(rows: int, columns: int) -> int:
  """Returns the rows, an even number, of the strip beneath a picture of that size."""
  return 2 * round(max(HEIGHT * min(rows, columns), MIN_ROWS) / 2)


class Strip:
  """Both legs' vertical force over the whole video's time, up to a frame.

  Attributes:
    rows: its height.
    frame_columns: (N,) int, the column of each frame's time.
    baseline: the row of 0 BW.
    unit: rows of one body weight.
  """

  def __init__(self, columns: int, rows: int, name: str, time_s: np.ndarray, force: np.ndarray):
    """Draws the strip at the video's start and at its end.

    Args:
      columns: of the strip.
      rows: of the strip.
      name: of the trial.
      time_s: (N,) of the video's frames.
      force: (N, 2, axes) body weights; NaN where there is no estimate.
    """
    self.rows = rows
    self._time_s = time_s
    letter = self._letter = rows / 13
    self._left, self._right = 4.2 * letter, columns - 1.5 * letter
    self._top, self.baseline = 2.2 * letter, rows - 4.6 * letter
    self._x = self._left + (self._right - self._left) * time_s / time_s[-1]
    self.frame_columns = np.round(self._x).astype(int)
    highest = float(np.nanmax(force[..., 0], initial=TOP_BW))
    self.unit = (self.baseline - self._top) / highest
    self._lanes = {  # row of the middle of each leg's bars of contact
      leg: self.baseline + (1.2 + 1.2 * i) * letter for i, leg in enumerate(conventions.LEGS)
    }
    self._empty = np.full((rows, columns, 3), 255, np.uint8)
    self._draw_grid(name)
    # What is drawn up to a frame are columns of what is drawn at the end.
    self._full = self._empty.copy()
    self._draw_contacts(force)
    self._draw_curves(force)

  def _draw_grid(self, name: str) -> None:
    """Draws lines and labels of 0 and 1 BW and of times, the title and the legs' letters."""
    letter, left, right = self._letter, self._left, self._right
    for level, label in ((0, '0'), (1, '1 BW')):
      y = self.baseline - level * self.unit
      line = np.array([(left, y), (right, y)])
      overlay_drawing.draw_line(self._empty, line, overlay_drawing.GRID)
      self._write(label, left - 0.5 * letter, y + letter / 2, 1)
    for seconds in _ticks(self._time_s[-1], (right - left) / (8 * letter)):
      x = float(np.interp(seconds, self._time_s, self._x))
      line = np.array([(x, self._top), (x, self.rows - 1.6 * letter)])
      overlay_drawing.draw_line(self._empty, line, overlay_drawing.GRID)
      self._write(f'{seconds:g}', x, self.rows - 0.3 * letter, 0.5)
    title = f'{name}: vertical force'
    title = overlay_drawing.shorten_text(title, letter, right - left - 5 * letter)
    self._write(title, left, 1.5 * letter, 0)
    for leg, y in self._lanes.items():
      colour = overlay_drawing.COLOURS[leg]
      text = overlay_drawing.LETTERS[leg]
      self._write(text, left - 0.5 * letter, y + letter / 2, 1, colour)

  def _write(
    self,
    text: str,
    x: float,
    y: float,
    share: float,
    colour: overlay_drawing.Colour = overlay_drawing.INK,
  ) -> None:
    overlay_drawing.write_text(self._empty, text, x, y, self._letter, colour, share)

  def _draw_contacts(self, force: np.ndarray) -> None:
    """Draws a bar for each contact in its leg's lane."""
    half = 0.3 * self._letter
    for contact in foot_contacts.find_contacts(self._time_s, force):
      start, end = np.interp([contact.start_s, contact.end_s], self._time_s, self._x)
      y = self._lanes[contact.leg]
      colour = overlay_drawing.COLOURS[contact.leg]
      overlay_drawing.fill_rectangle(self._full, start, y - half, end, y + half, colour)

  def _draw_curves(self, force: np.ndarray) -> None:
    thickness = max(1, round(self._letter / 6))
    for i, leg in enumerate(conventions.LEGS):
      y = self.baseline - self.unit * force[:, i, 0]
      points = np.stack([self._x, y], 1)
      for start, end in mask_runs.runs_of_true(np.isfinite(y)):
        colour = overlay_drawing.COLOURS[leg]
        overlay_drawing.draw_line(self._full, points[start:end], colour, thickness, cv2.LINE_AA)

  def draw_until(self, picture: np.ndarray, frame: int) -> None:
    """Draws the strip at a frame into (rows, columns, 3) uint8 RGB."""
    now, letter = self.frame_columns[frame], self._letter
    picture[:, : now + 1] = self._full[:, : now + 1]
    picture[:, now + 1 :] = self._empty[:, now + 1 :]
    cursor = slice(round(self._top), round(self.rows - 1.6 * letter))
    picture[cursor, now] = overlay_drawing.INK
    text = f'{self._time_s[frame]:.2f} s'
    right = picture.shape[1] - 1.5 * letter
    overlay_drawing.write_text(picture, text, right, 1.5 * letter, letter, overlay_drawing.INK, 1)


def _ticks(end: float, max_steps: float) -> np.ndarray:
  """Returns round numbers from 0 to `end`: steps of 1, 2 or 5 and zeros, at most so many."""
  smallest = end / max(max_steps, 1.0)
  power = 10 ** np.floor(np.log10(smallest))
  step = power * next(m for m in (1, 2, 5, 10) if m * power >= smallest * (1 - 1e-9))
  return np.arange(int(end / step + 1e-9) + 1) * step
