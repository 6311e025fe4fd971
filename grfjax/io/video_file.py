"""Reads video files as frames on their own clock; the only module that reads video files.

Times are the container's presentation times, counted from the first frame, so that variable frame
rates are right. decord gives them; the pictures, equal to decord's byte for byte, are PyAV's, as
decord decodes ahead without bound for a reader slower than its own thread (its issues 157, 208 and
304): ten minutes of 1080p took 16 GiB.
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

from grfjax import errors

_MIN_BYTES_PER_FRAME = 8  # of a frame in a file: its header, and its entry in the index
_MIN_WIDTH = 64  # pixels; decord pads narrower rows
_NO_TIME = -1e9  # decord gives some -1e17 s where the file has no presentation time

# What decord and PyAV raise on files that they cannot read.
UNREADABLE = (
  decord.DECORDError, decord.DECORDLimitReachedError, av.error.FFmpegError, StopIteration,
  RuntimeError, IndexError,
)  # fmt: skip


class VideoError(errors.InputError):
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


def probe(path: str | os.PathLike[str]) -> Video:
  """Opens a video and reads its frame times.

  Raises:
    VideoError: the file is missing, empty, not a video, too narrow, has under two frames, or its
      frame times do not increase.
  """
  path = pathlib.Path(path)
  _check_file(path)
  try:
    _check_container(path)
    # One thread: decord's threaded decoder fails on some H.264 files ('Error sending packet').
    reader = decord.VideoReader(os.fspath(path), ctx=decord.cpu(0), num_threads=1)
    count = len(reader)
    if count < 2:
      raise _error(path, f'{count} frame(s), expected at least 2', 'video.too_short')
    time_s = np.asarray(reader.get_frame_timestamp(range(count)), np.float64).reshape(count, -1)
    height, width, channels = reader.next().shape
    fps = float(reader.get_avg_fps())
  except UNREADABLE as error:
    raise _error(
      path,
      f'cannot be read as a video, or is cut short ({_first_line(error)})',
      'video.unreadable',
    ) from error
  if channels != 3:  # decord takes the padding of narrow rows for a channel
    raise _error(
      path,
      f'{width} x {height} pixels, expected a width of at least {_MIN_WIDTH}',
      'video.too_narrow',
    )
  if (time_s[:, 0] < _NO_TIME).any() and fps > 0:  # H.264 in AVI, whose frames are even
    time_s = np.arange(count)[:, None] / fps
  exact_s = _exact_times(path, time_s[:, 0] - time_s[0, 0])
  _check_times(path, exact_s)
  return Video(path, exact_s, height, width)


def _error(
  path: pathlib.Path, message: str, code: str, frame_number: int | None = None
) -> VideoError:
  return VideoError(f'{path}: {message}', code=code, file=path, frame=frame_number)


def _check_file(path: pathlib.Path) -> None:
  if path.is_dir():
    raise _error(path, 'a folder, expected a video file', 'video.no_file')
  if not path.is_file():
    raise _error(path, 'no such video file', 'video.no_file')
  if path.stat().st_size == 0:
    raise _error(path, 'an empty file, expected a video', 'video.unreadable')


def _check_container(path: pathlib.Path) -> None:
  """Raises VideoError where decord would crash: it allocates as many frames as the file states."""
  with av.open(os.fspath(path), metadata_errors='replace') as container:
    stream = container.streams.best('video')
    if stream is None:
      kinds = sorted({stream.type for stream in container.streams})
      if not kinds:
        raise _error(
          path,
          'cannot be read as a video, or is cut short (found nothing in it)',
          'video.unreadable',
        )
      raise _error(path, f'no video in it, found {", ".join(kinds)}', 'video.no_video')
    size = path.stat().st_size
    if stream.frames > size // _MIN_BYTES_PER_FRAME:
      raise _error(
        path,
        f'is damaged: it says that it has {stream.frames} frames, in {size} bytes',
        'video.damaged',
      )


def _exact_times(path: pathlib.Path, time_s: np.ndarray) -> np.ndarray:
  """Returns a long video's frame times as its packets have them.

  decord's times are float32, which are 1 ms off after hours.

  Args:
    path: the file.
    time_s: (N,) seconds from the first frame, decord's.

  Returns:
    (N,) seconds; decord's own where they are exact, or where the packets do not agree with them.
  """
  rounding_s = 2 * float(np.spacing(np.float32(abs(time_s).max())))
  if rounding_s < 1e-5:
    return time_s
  try:
    with av.open(os.fspath(path)) as container:
      stream = container.streams.video[0]
      ticks = sorted(p.pts for p in container.demux(stream) if p.pts is not None)
      tick_s = stream.time_base
  except UNREADABLE:
    return time_s
  if tick_s is None or len(ticks) != len(time_s):
    return time_s
  packet_s = np.array([float((tick - ticks[0]) * tick_s) for tick in ticks])
  return packet_s if (abs(packet_s - time_s) <= rounding_s).all() else time_s


def _check_times(path: pathlib.Path, time_s: np.ndarray) -> None:
  steps = np.diff(time_s)
  if not (np.isfinite(time_s).all() and (steps > 0).all()):
    k = int(np.argmin(np.nan_to_num(steps, nan=-1))) + 1
    raise _error(
      path,
      f'frame {k} is at {time_s[k]:.4f} s, not after frame {k - 1} at {time_s[k - 1]:.4f} s',
      'video.frame_times',
      k,
    )


def _first_line(error: BaseException) -> str:
  """Returns the first line of an error's message without decord's clock and place in its source."""
  line = (str(error).strip().splitlines() or [type(error).__name__])[0]
  return re.sub(r'^\[[\d:]+\] \S+: ', '', line)[-200:]


@contextlib.contextmanager
def decoder(path: pathlib.Path) -> Iterator[tuple[Any, Any]]:
  """Gives an open PyAV container and its first video stream."""
  with av.open(os.fspath(path), metadata_errors='replace') as container:
    stream: Any = container.streams.best('video')  # as decord chooses
    if stream is None:
      raise _error(path, 'no video in it', 'video.no_video')
    stream.thread_type = 'AUTO'
    yield container, stream


def rgb(frame: av.VideoFrame) -> np.ndarray:
  """Returns a frame's picture, (H, W, 3) uint8, turned as the file's rotation flag says."""
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
        yield _checked_picture(video, frame, k)
        k += 1
  except UNREADABLE as error:
    raise _error(
      video.path,
      f'frame {k} of {count} cannot be decoded ({_first_line(error)})',
      'video.damaged',
      k,
    ) from error
  if k < count:
    raise _error(
      video.path, f'frame {k} of {count} cannot be decoded (the video ends)', 'video.damaged', k
    )


def _checked_picture(video: Video, frame: av.VideoFrame, k: int) -> np.ndarray:
  """Returns the picture of frame k, or raises VideoError where it is damaged or of another size."""
  if frame.is_corrupt:
    raise _error(
      video.path,
      f'frame {k} of {len(video.time_s)} is damaged (the decoder had to make up what it could not '
      'read)',
      'video.damaged',
      k,
    )
  picture = rgb(frame)
  if picture.shape != (video.height, video.width, 3):
    raise _error(
      video.path,
      f'frame {k} is {picture.shape[1]}x{picture.shape[0]} pixels, '
      f'expected {video.width}x{video.height}',
      'video.frame_size',
      k,
    )
  return picture


def frame(video: Video, number: int) -> np.ndarray:
  """Returns one frame, (height, width, 3) uint8 RGB; the frames before it are decoded too.

  Args:
    video: from `probe`.
    number: of the frame, from 0.

  Raises:
    VideoError: the frame, or one before it, cannot be decoded.
  """
  return next(itertools.islice(frames(video), number, None))
