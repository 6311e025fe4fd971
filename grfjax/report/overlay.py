"""Writes the annotated video: the walker's window, force arrows, and growing curves beneath.

Everything but `write_annotated_video` is a pure function of pictures and numbers. Frames are
decoded, drawn into and encoded one after the other, so that memory does not grow with the video's
length.
"""

from __future__ import annotations

import os
from typing import Any

import av
import cv2
import numpy as np
import tqdm
from av.video import reformatter

from grfjax.io import halving, progress, video_file, video_writing, working_frames
from grfjax.report import overlay_drawing, overlay_strip

MAX_SIDE = 1280  # pixels of the picture's longer side, at most

# A larger picture is halved, which is quickest, while its longer side keeps at least so many.
MIN_HALVED_SIDE = 960


def write_annotated_video(
  path: str | os.PathLike[str],
  video: video_file.Video,
  name: str,
  force: np.ndarray,
  box: np.ndarray,
  direction: np.ndarray,
  places: np.ndarray | None = None,
) -> None:
  """Encodes the annotated video: H.264 in an MP4 that phones and browsers play while it loads.

  It has the video's frames at their own times and no sound.

  Args:
    path: of the file, which a failure leaves unfinished: a temporary one (`atomic.atomic_file`).
    video: of N frames.
    name: of the trial, written beneath the picture.
    force: (N, 2, axes) body weights: leg (left, right) x (vertical, forward, to the walker's left),
      axes 1 or 3; NaN where there is no estimate.
    box: (N, 4) left, top, width and height of the walker's window in the video's pixels; NaN where
      nobody is followed.
    direction: (N,) +1 where the walker goes to the picture's right, -1 left, 0 not known.
    places: (N, 2, 2) leg x (column, row) of the centre of pressure in the video's pixels, as in
      `foot_places.FootPlaces`; None where the feet are not known.

  Raises:
    video_file.VideoError: a frame cannot be decoded.
    OSError: the file cannot be written.
  """
  rows, columns = annotated_size(video.height, video.width)
  strip = overlay_strip.Strip(
    columns, overlay_strip.strip_rows(rows, columns), name, video.time_s, force
  )
  scale = np.array([columns / video.width, rows / video.height])
  box = box * np.tile(scale, 2)
  places = None if places is None else places * scale
  canvas = np.empty((rows + strip.rows, columns, 3), np.uint8)
  planes = np.empty((canvas.shape[0] * 3 // 2, columns), np.uint8)
  halvings = 0
  while video.height >> (halvings + 1) >= rows and video.width >> (halvings + 1) >= columns:
    halvings += 1
  pictures = working_frames.decoded_ahead(
    resize_picture(frame, rows, columns) for frame in video_file.frames(video, halvings)
  )
  with av.open(os.fspath(path), 'w', format='mp4', options={'movflags': '+faststart'}) as container:
    stream = _add_stream(container, video, canvas.shape)
    bar = tqdm.tqdm(
      pictures, f'{name}_overlay', len(video.time_s), leave=False, mininterval=1, unit='frame'
    )
    for k, picture in enumerate(bar):
      progress.report(progress.DRAW, k / len(video.time_s))
      canvas[:rows] = picture
      overlay_drawing.draw_window(canvas[:rows], box[k])
      overlay_drawing.draw_forces(
        canvas[:rows], box[k], force[k], int(direction[k]), None if places is None else places[k]
      )
      strip.draw_until(canvas[rows:], k)
      cv2.cvtColor(canvas, cv2.COLOR_RGB2YUV_I420, dst=planes)
      frame = av.VideoFrame.from_ndarray(planes, format='yuv420p')
      frame.pts, frame.time_base = round(video.time_s[k] / overlay_strip.CLOCK), overlay_strip.CLOCK
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _add_stream(container: Any, video: video_file.Video, shape: tuple[int, ...]) -> Any:
  """Adds the stream of pictures of that shape (H, W, 3) to the file, and returns it."""
  stream = container.add_stream(
    'libx264', rate=max(1, round(video.fps)), options=video_writing.x264_options(23, 'veryfast')
  )
  stream.height, stream.width, stream.pix_fmt = *shape[:2], 'yuv420p'
  stream.time_base = stream.codec_context.time_base = overlay_strip.CLOCK
  # What cvtColor makes; without it players take large pictures for BT.709.
  stream.codec_context.colorspace = reformatter.Colorspace.SMPTE170M
  stream.codec_context.color_primaries = reformatter.ColorPrimaries.SMPTE170M
  stream.codec_context.color_trc = reformatter.ColorTrc.SMPTE170M
  stream.codec_context.color_range = reformatter.ColorRange.MPEG
  return stream


def annotated_size(height: int, width: int) -> tuple[int, int]:
  """Returns rows and columns, both even, of the annotated picture of a video of that size."""
  longest = max(height, width)
  halved = float(longest)
  while halved > MAX_SIDE:
    halved /= 2
  scale = (halved if halved >= MIN_HALVED_SIDE else min(longest, MAX_SIDE)) / longest
  return 2 * max(1, round(height * scale / 2)), 2 * max(1, round(width * scale / 2))


def resize_picture(picture: np.ndarray, rows: int, columns: int) -> np.ndarray:
  """Returns a picture (H, W, 3) at another size: halved while that suffices, then bilinear."""
  while picture.shape[0] >= 2 * rows and picture.shape[1] >= 2 * columns:
    picture = halving.halved(picture)
  if picture.shape[:2] == (rows, columns):
    return picture
  return cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_LINEAR)
