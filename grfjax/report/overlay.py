"""A video given back with what was found drawn into it: window, force arrows, growing curves.

Everything but `write` is a pure function of pictures and numbers. Frames are decoded, drawn into
and encoded one after the other, so that memory does not grow with the video's length.
"""

from __future__ import annotations

import os

import av
import cv2
import numpy as np
import tqdm
from av.video import reformatter

from grfjax.io import video_file, working_frames
from grfjax.report import overlay_drawing, overlay_strip

LONGEST = 1280  # pixels of the picture's longer side, at most

ENOUGH = 960  # of it; larger pictures are halved, which is quickest, where so many are left


def write(
  path: str | os.PathLike[str],
  film: video_file.Video,
  name: str,
  force: np.ndarray,
  box: np.ndarray,
  direction: np.ndarray,
) -> None:
  """Encodes the annotated video: H.264 in an MP4 that phones and browsers play while it loads.

  It has the video's frames at their own times and no sound.

  Args:
    path: of the file, which a failure leaves unfinished: a temporary one (`atomic.atomic_file`).
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
  strip = overlay_strip.Strip(
    columns, overlay_strip.strip_rows(rows, columns), name, film.time_s, force
  )
  canvas = np.empty((rows + strip.rows, columns, 3), np.uint8)
  planes = np.empty((canvas.shape[0] * 3 // 2, columns), np.uint8)
  pictures = working_frames.decoded_ahead(
    scaled(frame, rows, columns) for frame in video_file.frames(film)
  )
  with av.open(os.fspath(path), 'w', format='mp4', options={'movflags': '+faststart'}) as container:
    stream = container.add_stream(
      'libx264', rate=max(1, round(film.fps)), options={'crf': '23', 'preset': 'veryfast'}
    )
    stream.height, stream.width, stream.pix_fmt = *canvas.shape[:2], 'yuv420p'
    stream.time_base = stream.codec_context.time_base = overlay_strip.CLOCK
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
      overlay_drawing.draw_window(canvas[:rows], box[k])
      overlay_drawing.draw_forces(canvas[:rows], box[k], force[k], int(direction[k]))
      strip.draw(canvas[rows:], k)
      cv2.cvtColor(canvas, cv2.COLOR_RGB2YUV_I420, dst=planes)
      frame = av.VideoFrame.from_ndarray(planes, format='yuv420p')
      frame.pts, frame.time_base = round(film.time_s[k] / overlay_strip.CLOCK), overlay_strip.CLOCK
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


def scaled(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
  """The picture (H, W, 3) at another size: halved while that leaves enough, then bilinear."""
  while picture.shape[0] >= 2 * rows and picture.shape[1] >= 2 * columns:
    picture = working_frames.halved(picture)
  if picture.shape[:2] == (rows, columns):
    return picture
  return cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_LINEAR)
