"""Video files -> frames on their own clock; the only module that reads video files.

Times are the container's presentation times, counted from the first frame, so that variable frame
rates are right. decord gives them; the pictures, equal to decord's byte for byte, are PyAV's, as
decord decodes ahead without bound for whoever is slower than its own thread (its issues 157, 208
and 304): ten minutes of 1080p took 16 GiB.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import av
import av.error
import decord
import numpy as np

_LEAST_BYTES = 8  # of a frame in a file: its header, and its entry in the index

_NO_TIME = -1e9  # decord gives some -1e17 s where the file has no presentation time

UNREADABLE = (
  decord.DECORDError, decord.DECORDLimitReachedError, av.error.FFmpegError, StopIteration,
  RuntimeError, IndexError,
)  # fmt: skip


class VideoError(ValueError):
  """A video that cannot be used; the message names the file, what was found and expected."""


@dataclasses.dataclass(frozen=True)
class Video:
  """A readable video.

  Attributes:
    path: the file.
    time_s: (N,) float64, each frame's time from the first frame, strictly increasing.
    height: pixel rows, rotation flags obeyed.
    width: pixel columns.
  """

  path: pathlib.Path
  time_s: np.ndarray
  height: int
  width: int

  @property
  def fps(self) -> float:
    """Frames a second: the inverse of the median interval."""
    return 1 / float(np.median(np.diff(self.time_s)))


def _open(path: pathlib.Path) -> decord.VideoReader:
  # One thread: decord's threaded decoder fails on some H.264 files ('Error sending packet').
  return decord.VideoReader(os.fspath(path), ctx=decord.cpu(0), num_threads=1)


def probe(path: str | os.PathLike[str]) -> Video:
  """Opens a video and reads its frame times.

  Raises:
    VideoError: the file is missing, empty, not a video, too narrow, has under two frames, or its
      frame times do not increase.
  """
  path = pathlib.Path(path)
  if path.is_dir():
    raise VideoError(f'{path}: a folder, expected a video file')
  if not path.is_file():
    raise VideoError(f'{path}: no such video file')
  if path.stat().st_size == 0:
    raise VideoError(f'{path}: an empty file, expected a video')
  try:
    _check_container(path)
    reader = _open(path)
    count = len(reader)
    if count < 2:
      raise VideoError(f'{path}: {count} frame(s), expected at least 2')
    time_s = np.asarray(reader.get_frame_timestamp(range(count)), np.float64).reshape(count, -1)
    height, width, channels = reader.next().shape
    fps = float(reader.get_avg_fps())
  except UNREADABLE as error:
    raise VideoError(
      f'{path}: cannot be read as a video, or is cut short ({_first_line(error)})'
    ) from error
  if channels != 3:  # decord takes the padding of narrow rows for a channel
    raise VideoError(f'{path}: {width} x {height} pixels, expected a width of at least 64')
  if (time_s[:, 0] < _NO_TIME).any() and fps > 0:  # H.264 in AVI, whose frames are even
    time_s = np.arange(count)[:, None] / fps
  time_s = _exact(path, time_s[:, 0] - time_s[0, 0])
  steps = np.diff(time_s)
  if not (np.isfinite(time_s).all() and (steps > 0).all()):
    k = int(np.argmin(np.nan_to_num(steps, nan=-1))) + 1
    raise VideoError(
      f'{path}: frame {k} is at {time_s[k]:.4f} s, not after frame {k - 1} at {time_s[k - 1]:.4f} s'
    )
  return Video(path, time_s, height, width)


def _check_container(path: pathlib.Path) -> None:
  """Raises VideoError where decord would fall over: it makes room for the frames that are said."""
  with av.open(os.fspath(path), metadata_errors='replace') as container:
    stream = container.streams.best('video')
    if stream is None:
      kinds = sorted({stream.type for stream in container.streams})
      if not kinds:
        raise VideoError(
          f'{path}: cannot be read as a video, or is cut short (found nothing in it)'
        )
      raise VideoError(f'{path}: no video in it, found {", ".join(kinds)}')
    size = path.stat().st_size
    if stream.frames > size // _LEAST_BYTES:
      raise VideoError(
        f'{path}: is damaged: it says that it has {stream.frames} frames, in {size} bytes'
      )


def _exact(path: pathlib.Path, time_s: np.ndarray) -> np.ndarray:
  """Times of a long video as its packets have them: decord's are float32, 1 ms off after hours."""
  off = 2 * float(np.spacing(np.float32(abs(time_s).max())))
  if off < 1e-5:
    return time_s
  try:
    with av.open(os.fspath(path)) as container:
      stream = container.streams.video[0]
      ticks = sorted(p.pts for p in container.demux(stream) if p.pts is not None)
      base = stream.time_base
  except UNREADABLE:
    return time_s
  if base is None or len(ticks) != len(time_s):
    return time_s
  own = np.array([float((tick - ticks[0]) * base) for tick in ticks])
  return own if (abs(own - time_s) <= off).all() else time_s


def _first_line(error: BaseException) -> str:
  line = (str(error).strip().splitlines() or [type(error).__name__])[0]
  return re.sub(r'^\[[\d:]+\] \S+: ', '', line)[-200:]  # decord's clock and place in its source


@contextlib.contextmanager
def decoder(path: pathlib.Path) -> Iterator[tuple[Any, Any]]:
  """An open PyAV container and its first video stream."""
  with av.open(os.fspath(path), metadata_errors='replace') as container:
    stream: Any = container.streams.best('video')  # as decord chooses
    if stream is None:
      raise VideoError(f'{path}: no video in it')
    stream.thread_type = 'AUTO'
    yield container, stream


def rgb(frame: av.VideoFrame) -> np.ndarray:
  """(H, W, 3) uint8, turned as the file's rotation flag says."""
  picture = frame.to_ndarray(format='rgb24')
  turns = round(frame.rotation / 90)
  return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def frames(video: Video) -> Iterator[np.ndarray]:
  """Yields every frame, (height, width, 3) uint8 RGB.

  Raises:
    VideoError: a frame is damaged or cannot be decoded; the message names it.
  """
  k, count = 0, len(video.time_s)
  try:
    with decoder(video.path) as (container, stream):
      for frame in itertools.islice(container.decode(stream), count):
        if frame.is_corrupt:
          raise VideoError(
            f'{video.path}: frame {k} of {count} is damaged (the decoder had to make up what it '
            'could not read)'
          )
        picture = rgb(frame)
        if picture.shape != (video.height, video.width, 3):
          raise VideoError(
            f'{video.path}: frame {k} is {picture.shape[1]}x{picture.shape[0]} pixels, '
            f'expected {video.width}x{video.height}'
          )
        yield picture
        k += 1
  except UNREADABLE as error:
    raise VideoError(
      f'{video.path}: frame {k} of {count} cannot be decoded ({_first_line(error)})'
    ) from error
  if k < count:
    raise VideoError(f'{video.path}: frame {k} of {count} cannot be decoded (the video ends)')


def frame(video: Video, number: int) -> np.ndarray:
  """One frame by its number from 0, (height, width, 3) uint8 RGB; those before it are decoded too.

  Raises:
    VideoError: it cannot be decoded.
  """
  return next(itertools.islice(frames(video), number, None))
