"""Encodes frames as a video file."""

from __future__ import annotations

import functools
import itertools
import os
import pathlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from grfjax.io import atomic

# Ticks a second in which frame times are written: whole numbers of them lie between the frames of
# every usual rate, that of 24000/1001 frames a second included.
TICKS_HZ = 120_000


@functools.cache
def x264_options(crf: int, preset: str) -> dict[str, str]:
  """Returns options of x264 with which the same frames make the same file.

  On processors with AVX-512, x264 reads memory that it has not written (seen with the x264 of PyAV
  18.1), and how a picture is encoded depends on what lies there. Its code for AVX2 does not.

  Args:
    crf: constant rate factor, 0 (lossless) to 51.
    preset: x264's speed.
  """
  cpuinfo = pathlib.Path('/proc/cpuinfo')
  has_avx512 = cpuinfo.is_file() and 'avx512' in cpuinfo.read_text(errors='replace')
  return {'crf': str(crf), 'preset': preset} | ({'x264-params': 'asm=avx2'} if has_avx512 else {})


def write_video(
  path: str | os.PathLike,
  frames: Iterable[np.ndarray],
  fps: float = 60,
  *,
  crf: int = 23,
  preset: str = 'superfast',
  time_s: Sequence[float] | np.ndarray | None = None,
  comment: str = '',
) -> int:
  """Encodes frames as H.264; the file is complete, or there is none.

  Args:
    path: the file to write, .mp4.
    frames: (H, W, 3) uint8 RGB, all of the same even width and height.
    fps: frames per second.
    crf: constant rate factor of x264, 0 (lossless) to 51.
    preset: speed of x264.
    time_s: when each frame is shown, seconds, the first at 0; None: `fps` frames a second.
    comment: of the file, for whoever wants to know what it is.

  Returns:
    The number of frames.

  Raises:
    ValueError: there are no frames, or they are not uint8 RGB, or of different or odd sizes
      (4:2:0 halves both), or not as many as times.
    OSError: the folder is missing or cannot be written to.
  """
  path = pathlib.Path(path)
  if not path.parent.is_dir():
    raise FileNotFoundError(f'{path}: there is no folder {path.parent}')
  ticks: Iterable[int] = itertools.count()
  time_base = 1 / Fraction(fps).limit_denominator(100_000)
  if time_s is not None:
    ticks, time_base = (
      np.rint(np.asarray(time_s) * TICKS_HZ).astype(int).tolist(),
      Fraction(1, TICKS_HZ),
    )
  with atomic.atomic_file(path) as part, av.open(str(part), 'w', format='mp4') as container:
    if comment:
      container.metadata['comment'] = comment
    count, stream = 0, None
    pairs = zip(frames, ticks, strict=time_s is not None)
    for count, (frame, tick) in enumerate(pairs, start=1):
      _check_frame(path, count - 1, frame, stream)
      if stream is None:
        stream = container.add_stream(
          'libx264',
          rate=Fraction(fps).limit_denominator(100_000),
          options=x264_options(crf, preset) | {'threads': '1'},
        )
        stream.height, stream.width = frame.shape[:2]
        stream.pix_fmt = 'yuv420p'
        stream.codec_context.time_base = time_base
      planes: Any = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)  # BT.601, video range
      picture = av.VideoFrame.from_ndarray(planes, format='yuv420p')
      picture.pts, picture.time_base = tick, time_base
      container.mux(stream.encode(picture))
    if stream is None:
      raise ValueError(f'{path}: there are no frames to write')
    container.mux(stream.encode(None))
  return count


def _check_frame(path: pathlib.Path, number: int, frame: np.ndarray, stream: Any) -> None:
  """Raises ValueError where a frame cannot be encoded, or not behind the first one."""
  if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
    raise ValueError(f'{path}: frame {number} is {frame.dtype} {frame.shape}, not uint8 RGB')
  height, width = frame.shape[:2]
  if stream is None and (height % 2 or width % 2):
    raise ValueError(
      f'{path}: {width} x {height} pixels; H.264 in yuv420p needs even width and height'
    )
  if stream is not None and (height, width) != (stream.height, stream.width):
    raise ValueError(
      f'{path}: frame {number} is {width} x {height}, but the first one is '
      f'{stream.width} x {stream.height}'
    )
