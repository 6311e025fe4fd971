"""A video given back with what was found drawn into it: window, force arrows, growing curves.

Everything but `write` is a pure function of pictures and numbers. Frames are decoded, drawn into
and encoded one after the other, so that memory does not grow with the video's length.
"""

from __future__ import annotations

import fractions
import os

import av
import cv2
import numpy as np
import tqdm
from av.video import reformatter

from grfjax import gait, recordings, tracking, video

LONGEST = 1280  # pixels of the picture's longer side, at most
ENOUGH = 960  # of it; larger pictures are halved, which is quickest, where so many are left
COLOURS = {'left': (0, 114, 178), 'right': (213, 94, 0)}  # Okabe and Ito's, as in the figures
BW_OF_BODY = 0.4  # an arrow of one body weight, in body heights
BW_OF_PICTURE = 0.25  # and in rows of a picture in which nobody is followed
ABREAST = (0.2, 0.8)  # where in the window's width the left and the right leg's arrow stand
STRIP = 0.25  # of the shorter side: the strip of curves beneath the picture,
STRIP_ROWS = 120  # or so many where its writing would be too small to read
TOP_BW = 1.5  # of the curves' axis, at least
_CLOCK = fractions.Fraction(1, 90000)  # fine enough for every camera's frame times
_SUBPIXEL = 4  # bits
_LETTERS = {'left': 'L', 'right': 'R'}
_WHITE, _INK, _GREY, _BOX = (255, 255, 255), (40, 40, 40), (215, 215, 215), (240, 228, 66)


def write(
  path: str | os.PathLike[str],
  film: video.Video,
  name: str,
  force: np.ndarray,
  box: np.ndarray,
  direction: np.ndarray,
) -> None:
  """Encodes the annotated video: H.264 in an MP4 that phones and browsers play while it loads.

  It has the video's frames at their own times and no sound.

  Args:
    path: of the file, which a failure leaves unfinished: a temporary one (`files.whole`).
    film: the video, of N frames.
    name: the trial's, written beneath.
    force: (N, 2, axes) body weights: leg (left, right) x (vertical, forward, to the walker's left),
      axes 1 or 3; NaN where there is no estimate.
    box: (N, 4) left, top, width and height of the walker's window in the video's pixels; NaN where
      nobody is followed.
    direction: (N,) +1 where the walker goes to the picture's right, -1 left, 0 not known.

  Raises:
    video.VideoError: a frame cannot be decoded.
    OSError: the file cannot be written.
  """
  rows, columns = size(film.height, film.width)
  box = box * np.tile([columns / film.width, rows / film.height], 2)
  strip = Strip(columns, strip_rows(rows, columns), name, film.time_s, force)
  canvas = np.empty((rows + strip.rows, columns, 3), np.uint8)
  planes = np.empty((canvas.shape[0] * 3 // 2, columns), np.uint8)
  pictures = video.ahead(scaled(frame, rows, columns) for frame in video.frames(film))
  with av.open(os.fspath(path), 'w', format='mp4', options={'movflags': '+faststart'}) as container:
    stream = container.add_stream(
      'libx264', rate=max(1, round(film.fps)), options={'crf': '23', 'preset': 'veryfast'}
    )
    stream.height, stream.width, stream.pix_fmt = *canvas.shape[:2], 'yuv420p'
    stream.time_base = stream.codec_context.time_base = _CLOCK
    # What cvtColor makes: players take large pictures without a word for BT.709.
    stream.codec_context.colorspace = reformatter.Colorspace.SMPTE170M
    stream.codec_context.color_primaries = reformatter.ColorPrimaries.SMPTE170M
    stream.codec_context.color_trc = reformatter.ColorTrc.SMPTE170M
    stream.codec_context.color_range = reformatter.ColorRange.MPEG
    progress = tqdm.tqdm(
      pictures, f'{name}_overlay', len(film.time_s), leave=False, mininterval=1, unit='frame'
    )
    for k, picture in enumerate(progress):
      canvas[:rows] = picture
      draw_window(canvas[:rows], box[k])
      draw_forces(canvas[:rows], box[k], force[k], int(direction[k]))
      strip.draw(canvas[rows:], k)
      cv2.cvtColor(canvas, cv2.COLOR_RGB2YUV_I420, dst=planes)
      frame = av.VideoFrame.from_ndarray(planes, format='yuv420p')
      frame.pts, frame.time_base = round(film.time_s[k] / _CLOCK), _CLOCK
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def size(height: int, width: int) -> tuple[int, int]:
  """Rows and columns, both even, of the picture that is given back."""
  longest = max(height, width)
  halved = float(longest)
  while halved > LONGEST:
    halved /= 2
  scale = (halved if halved >= ENOUGH else min(longest, LONGEST)) / longest
  return 2 * max(1, round(height * scale / 2)), 2 * max(1, round(width * scale / 2))


def strip_rows(rows: int, columns: int) -> int:
  """Rows, even, of the strip beneath a picture of that size."""
  return 2 * round(max(STRIP * min(rows, columns), STRIP_ROWS) / 2)


def scaled(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
  """The picture (H, W, 3) at another size: halved while that leaves enough, then bilinear."""
  while picture.shape[0] >= 2 * rows and picture.shape[1] >= 2 * columns:
    picture = video.half(picture)
  if picture.shape[:2] == (rows, columns):
    return picture
  return cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_LINEAR)


def draw_window(picture: np.ndarray, box: np.ndarray) -> None:
  """Draws the walker's window, (4,) in pixels of (H, W, 3) RGB; nothing where it is NaN."""
  if np.isnan(box).any():
    return
  left, top, width, height = box
  corners = _point(left, top), _point(left + width, top + height)
  for colour, wide in ((_INK, 3), (_BOX, 1)):
    cv2.rectangle(picture, *corners, colour, wide, cv2.LINE_AA, _SUBPIXEL)


def stand(shape: tuple[int, ...], box: np.ndarray) -> tuple[float, np.ndarray, float]:
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
    floor = top + (1 - tracking.FLOOR) * height
    at = left + width * np.array(ABREAST)
    unit = BW_OF_BODY * height / tracking.MARGIN
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
  floor, at, unit = stand(picture.shape, box)
  letter = _letter(picture.shape)
  thickness = max(2, round(min(picture.shape[:2]) / 90))
  for leg, x, (up, *others) in zip(recordings.LEGS, at, force, strict=True):
    if np.isnan(up):
      continue
    top, tick = floor - unit, 1.1 * letter
    for colour, wide in ((_INK, 3), (_WHITE, 1)):
      for ends in (((x, floor), (x, top)), ((x - tick, top), (x + tick, top))):
        a, b = (_point(*end) for end in ends)
        cv2.line(picture, a, b, colour, wide, cv2.LINE_AA, _SUBPIXEL)
    forward = direction * others[0] if others else 0.0
    _arrow(picture, (x, floor), unit * forward, -unit * up, COLOURS[leg], thickness)
    badge = floor + 1.2 * letter
    radius = round(0.9 * letter * 2**_SUBPIXEL)
    cv2.circle(picture, _point(x, badge), radius, COLOURS[leg], -1, cv2.LINE_AA, _SUBPIXEL)
    _write(picture, _LETTERS[leg], x, badge + letter / 2, letter, _WHITE, 0.5)


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
    [_point(*corner) for corner in (tip, neck + 0.5 * head * across, neck - 0.5 * head * across)]
  )
  for ink, edge in ((_WHITE, 2), (colour, 0)):
    if length > head:
      ends = _point(*base), _point(*(neck + along))
      cv2.line(picture, *ends, ink, thickness + edge, cv2.LINE_AA, _SUBPIXEL)
    if edge:
      cv2.polylines(picture, [triangle], True, ink, edge, cv2.LINE_AA, _SUBPIXEL)
    cv2.fillPoly(picture, [triangle], ink, cv2.LINE_AA, _SUBPIXEL)


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
      cv2.line(empty, _point(left, y), _point(right, y), _GREY, 1, cv2.LINE_8, _SUBPIXEL)
      label = '1 BW' if level else '0'
      _write(empty, label, left - 0.5 * letter, y + letter / 2, letter, _INK, 1)
    for seconds in _ticks(time_s[-1], (right - left) / (8 * letter)):
      tick = float(np.interp(seconds, time_s, x))
      cv2.line(
        empty, _point(tick, top), _point(tick, rows - 1.6 * letter), _GREY, 1, cv2.LINE_8, _SUBPIXEL
      )
      _write(empty, f'{seconds:g}', tick, rows - 0.3 * letter, letter, _INK, 0.5)
    title = _shortened(f'{name}: vertical force', letter, right - left - 5 * letter)
    _write(empty, title, left, 1.5 * letter, letter, _INK, 0)
    lane = {leg: bottom + (1.2 + 1.2 * i) * letter for i, leg in enumerate(recordings.LEGS)}
    for leg in recordings.LEGS:
      place = left - 0.5 * letter, lane[leg] + letter / 2
      _write(empty, _LETTERS[leg], *place, letter, COLOURS[leg], 1)
    self._empty = empty

    # What is drawn up to a frame are columns of what is drawn at the end.
    full = empty.copy()
    for contact in gait.contacts(time_s, force):
      start, end = np.interp([contact.start_s, contact.end_s], time_s, x)
      y, half = lane[contact.leg], 0.3 * letter
      corners = _point(start, y - half), _point(end, y + half)
      cv2.rectangle(full, *corners, COLOURS[contact.leg], -1, cv2.LINE_8, _SUBPIXEL)
    for i, leg in enumerate(recordings.LEGS):
      curve = bottom - self.unit * force[:, i, 0]
      seen = np.flatnonzero(np.isfinite(curve))
      for part in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
        line = np.array([_point(*xy) for xy in zip(x[part], curve[part], strict=True)], np.int32)
        cv2.polylines(
          full, [line], False, COLOURS[leg], max(1, round(letter / 6)),
          cv2.LINE_AA, _SUBPIXEL,
        )  # fmt: skip
    self._full = full

  def draw(self, picture: np.ndarray, k: int) -> None:
    """Draws the strip at frame k into (rows, columns, 3) uint8 RGB."""
    now = self.at[k]
    picture[:, : now + 1] = self._full[:, : now + 1]
    picture[:, now + 1 :] = self._empty[:, now + 1 :]
    picture[round(2.2 * self._letter) : round(self.rows - 1.6 * self._letter), now] = _INK
    right = picture.shape[1] - 1.5 * self._letter
    _write(picture, f'{self._time_s[k]:.2f} s', right, 1.5 * self._letter, self._letter, _INK, 1)


def _ticks(until: float, most: float) -> np.ndarray:
  """Round numbers from 0 to `until`, at most so many steps of 1, 2 or 5 and zeros between."""
  least = until / max(most, 1.0)
  power = 10 ** np.floor(np.log10(least))
  step = power * next(m for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))
  return np.arange(int(until / step + 1e-9) + 1) * step


def _letter(shape: tuple[int, ...]) -> float:
  """The height of a capital letter in a picture of that shape, in pixels."""
  return max(8.0, min(shape[:2]) / 40)


def _point(x: float, y: float) -> tuple[int, int]:
  """OpenCV's fixed-point place of one counted from the picture's edges."""
  return round((x - 0.5) * 2**_SUBPIXEL), round((y - 0.5) * 2**_SUBPIXEL)


def _font(letter: float) -> tuple[int, float, int]:
  """Face, scale and thickness of writing whose capitals are so high: 21 pixels at scale 1."""
  return cv2.FONT_HERSHEY_SIMPLEX, letter / 21, max(1, round(letter / 9))


def _wide(text: str, letter: float) -> int:
  return cv2.getTextSize(text, *_font(letter))[0][0]


def _shortened(text: str, letter: float, width: float) -> str:
  """As much of the text as is at most so many pixels wide."""
  if _wide(text, letter) <= width:
    return text
  while text and _wide(f'{text}...', letter) > width:
    text = text[:-1]
  return f'{text}...' if text else ''


def _write(
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
