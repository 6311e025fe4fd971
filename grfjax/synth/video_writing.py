"""Encodes frames as a video file."""

import os
import pathlib
from collections.abc import Iterable
from fractions import Fraction

import av
import av.error
import cv2
import numpy as np

from grfjax.io import atomic


def write_video(
  path: str | os.PathLike,
  frames: Iterable[np.ndarray],
  fps: float = 60,
  *,
  crf: int = 23,
  preset: str = 'superfast',
) -> int:
  """Encodes frames as H.264; the file is complete, or there is none.

  Args:
    path: the file to write, .mp4.
    frames: (H, W, 3) uint8 RGB, all of the same even width and height.
    fps: frames per second.
    crf: constant rate factor of x264, 0 (lossless) to 51.
    preset: speed of x264.

  Returns:
    The number of frames.

  Raises:
    ValueError: there are no frames, or they are not uint8 RGB, or of different or odd sizes
      (4:2:0 halves both).
    OSError: the folder is missing or cannot be written to.
  """
  path = pathlib.Path(path)
  if not path.parent.is_dir():
    raise FileNotFoundError(f'{path}: there is no folder {path.parent}')
  with atomic.atomic_file(path) as part:
    return _encode(part, path, frames, fps, crf, preset)


def _encode(part, path, frames, fps, crf, preset) -> int:
  count, shape = 0, None
  with av.open(str(part), 'w', format='mp4') as container:
    for frame in frames:
      if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f'{path}: frame {count} is {frame.dtype} {frame.shape}, not uint8 RGB')
      if shape is None:
        shape = frame.shape
        if shape[0] % 2 or shape[1] % 2:
          raise ValueError(
            f'{path}: {shape[1]} x {shape[0]} pixels; H.264 in yuv420p needs even width and height'
          )
        stream = container.add_stream(
          'libx264',
          rate=Fraction(fps).limit_denominator(100_000),
          options={'crf': str(crf), 'preset': preset, 'threads': '1'},
        )
        stream.width, stream.height, stream.pix_fmt = shape[1], shape[0], 'yuv420p'
      if frame.shape != shape:
        raise ValueError(f'{path}: frame {count} is {frame.shape}, but the first one is {shape}')
      planes = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420)  # BT.601, video range
      container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format='yuv420p')))
      count += 1
    if shape is None:
      raise ValueError(f'{path}: there are no frames to write')
    container.mux(stream.encode(None))
  return count


def draw_quality(rng: np.random.Generator) -> int:
  """Draws a constant rate factor, from that of a good camera to that of a badly squeezed clip."""
  return int(rng.integers(18, 33))
