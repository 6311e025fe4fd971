"""Reads video files as frames on their own clock; the only module that reads video files.

Times are the container's presentation times, counted from the first frame, so that variable frame
rates are right. PyAV reads both them and the pictures, on every machine it has wheels for. decord,
which gave the times once, has none for Apple's processors and cannot open AV1; where it is
installed (the extras `test` and `bench` of setup.cfg), tests hold frames and times against it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import av
import av.error
import numpy as np

from grfjax import errors

_MIN_BYTES_PER_FRAME = 8  # of a frame in a file: its header, and its entry in the index
_MIN_WIDTH = 64  # pixels

# Formats of single or moving pictures, which FFmpeg opens as it opens videos.
_PICTURES = ('apng', 'gif', 'image2')

_NO_TIMES = 0x80  # FFmpeg's AVFMT_NOTIMESTAMPS: it makes times up, of 25 frames a second

# What PyAV raises on files that it cannot read.
UNREADABLE = (av.error.FFmpegError, EOFError, StopIteration, RuntimeError, IndexError)


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
    ticks: (N,) int64, each frame's presentation time as the file has it, or None where decoded
      frames do not come with theirs (AVI) and are known by their order alone.
  """

  path: pathlib.Path
  time_s: np.ndarray
  height: int
  width: int
  ticks: np.ndarray | None = dataclasses.field(default=None, repr=False, compare=False)

  @property
  def fps(self) -> float:
    """Frames a second: the inverse of the median interval."""
    return 1 / float(np.median(np.diff(self.time_s)))


def probe(path: str | os.PathLike[str]) -> Video:
  """Opens a video and reads its frame times; of the pictures it decodes no more than the first.

  Raises:
    VideoError: the file is missing, empty, not a video, too narrow, has under two frames, or its
      frame times do not increase.
  """
  path = pathlib.Path(path)
  _check_file(path)
  try:
    with _opened(path) as (container, stream):
      _check_header(path, container, stream)
      ticks, first = _packet_ticks(path, container, stream)
      by_order = container.format.name == 'avi'
      tick_s = stream.time_base
    if not by_order and not (np.diff(ticks) > 0).all():  # packets that are no frame, or half one
      ticks = _decoded_ticks(path)
  except UNREADABLE as error:
    raise _unreadable(path, _first_line(error)) from error
  if len(ticks) == 0:
    raise _unreadable(path, 'found no frame in it')
  if len(ticks) < 2:
    raise _error(path, f'{len(ticks)} frame(s), expected at least 2', 'video.too_short')
  if first is None or tick_s is None:
    raise _unreadable(path, 'no frame can be decoded')
  time_s = (ticks - ticks[0]) * (tick_s.numerator / tick_s.denominator)
  _check_times(path, time_s)
  height, width = rgb(first).shape[:2]
  if width < _MIN_WIDTH:
    raise _error(
      path,
      f'{width} x {height} pixels, expected a width of at least {_MIN_WIDTH}',
      'video.too_narrow',
    )
  return Video(path, time_s, height, width, None if by_order else ticks)


def _packet_ticks(
  path: pathlib.Path, container: Any, stream: Any
) -> tuple[np.ndarray, av.VideoFrame | None]:
  """Reads the times of frames off the packets, which is quick.

  AVI knows no presentation times, and what FFmpeg puts in their place is in no order; the times of
  decoding are as many, and as far apart. Frames before the first key frame are left out: what they
  were made from is not there, and players leave them out too. So are those outside an edit list.

  Returns:
    (N,) int64 ticks in ascending order, and the first frame.

  Raises:
    VideoError: packets have no times, or the last one ends in the middle.
  """
  by_order = container.format.name == 'avi'
  ticks: list[int] = []
  first, first_key, cut = None, None, False
  for packet in container.demux(stream):
    if first is None:
      first = next(iter(packet.decode()), None)
    if not packet.size:
      continue
    cut = packet.is_corrupt
    tick = packet.dts if by_order else packet.pts
    if tick is None:
      raise _unreadable(path, 'its frames have no times')
    if first_key is None and packet.is_keyframe:
      first_key = tick
      ticks.clear()
    if not packet.is_discard and (by_order or first_key is None or tick >= first_key):
      ticks.append(tick)
  if cut:
    raise _unreadable(path, 'its last frame is not there to its end')
  return np.array(sorted(ticks), np.int64), first


def _decoded_ticks(path: pathlib.Path) -> np.ndarray:
  """Decodes the whole video for the times of its frames, (N,) int64."""
  ticks = []
  with decoder(path) as (container, stream):
    for frame in container.decode(stream):
      if frame.pts is None:
        raise _unreadable(path, 'its frames have no times')
      ticks.append(frame.pts)
  return np.array(ticks, np.int64)


def _error(
  path: pathlib.Path, message: str, code: str, frame_number: int | None = None
) -> VideoError:
  return VideoError(f'{path}: {message}', code=code, file=path, frame=frame_number)


def _unreadable(path: pathlib.Path, why: str) -> VideoError:
  return _error(path, f'cannot be read as a video, or is cut short ({why})', 'video.unreadable')


def _check_file(path: pathlib.Path) -> None:
  if path.is_dir():
    raise _error(path, 'a folder, expected a video file', 'video.no_file')
  if not path.is_file():
    raise _error(path, 'no such video file', 'video.no_file')
  if path.stat().st_size == 0:
    raise _error(path, 'an empty file, expected a video', 'video.unreadable')


def _check_header(path: pathlib.Path, container: Any, stream: Any) -> None:
  """Raises VideoError where the file holds pictures, or a header that cannot be true."""
  kind = container.format.name
  if kind in _PICTURES or kind.endswith('_pipe'):
    raise _unreadable(path, f'found a picture: {kind}')
  if container.format.flags & _NO_TIMES:
    raise _unreadable(path, 'its frames have no times')
  size = path.stat().st_size
  if stream.frames > size // _MIN_BYTES_PER_FRAME:
    raise _error(
      path,
      f'is damaged: it says that it has {stream.frames} frames, in {size} bytes',
      'video.damaged',
    )


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
  """Returns the first line of an error's message."""
  return (str(error).strip().splitlines() or [type(error).__name__])[0][-200:]


@contextlib.contextmanager
def _opened(path: pathlib.Path) -> Iterator[tuple[Any, Any]]:
  with av.open(os.fspath(path), metadata_errors='replace') as container:
    stream: Any = container.streams.best('video')
    if stream is None:
      kinds = sorted({stream.type for stream in container.streams})
      if not kinds:
        raise _unreadable(path, 'found nothing in it')
      raise _error(path, f'no video in it, found {", ".join(kinds)}', 'video.no_video')
    yield container, stream


@contextlib.contextmanager
def decoder(path: pathlib.Path) -> Iterator[tuple[Any, Any]]:
  """Gives an open PyAV container and its video stream, decoded by several threads."""
  with _opened(path) as (container, stream):
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
      for frame in _known_frames(video, container.decode(stream)):
        yield _checked_picture(video, frame, k)
        k += 1
  except UNREADABLE as error:
    raise _undecodable(video, k, _first_line(error)) from error
  if k < count:
    raise _undecodable(video, k, 'the video ends')


def _known_frames(video: Video, decoded: Iterator[Any]) -> Iterator[Any]:
  """Yields the frames that have a time; raises VideoError where the decoder leaves one out."""
  if video.ticks is None:
    yield from itertools.islice(decoded, len(video.time_s))
    return
  number = {tick: k for k, tick in enumerate(video.ticks.tolist())}
  k = 0
  for frame in decoded:
    found = number.get(frame.pts)
    if found is None or found < k:  # before the first key frame, or given twice
      continue
    if found > k:
      raise _undecodable(video, k, 'the decoder leaves it out')
    yield frame
    k += 1
    if k == len(number):
      return


def _undecodable(video: Video, k: int, why: str) -> VideoError:
  count = len(video.time_s)
  return _error(video.path, f'frame {k} of {count} cannot be decoded ({why})', 'video.damaged', k)


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
