"""Reads video files as frames on their own clock; the only module that reads video files.

Times are the container's presentation times, counted from the first frame, so that variable frame
rates are right. PyAV reads both them and the pictures, on every machine it has wheels for. decord,
which gave the times once, has none for Apple's processors and cannot open AV1; where it is
installed (the extras `test` and `bench` of setup.cfg), tests hold frames and times against it.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import itertools
import math
import os
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import av
import av.error
import cv2
import numpy as np
from absl import logging

from grfjax import errors
from grfjax.io import halving

_MIN_BYTES_PER_FRAME = 8  # of a frame in a file: its header, and its entry in the index
_MIN_WIDTH = 64  # pixels

# Formats of single or moving pictures, which FFmpeg opens as it opens videos.
_PICTURES = ('apng', 'gif', 'image2')

_INTERLACED = range(2, 6)  # FFmpeg's AVFieldOrder: top or bottom field first, coded or shown

_SQUARE = 0.005  # encoders round the sides of pictures, and then call pixels 0.9996 wide
_MAX_PIXEL_ASPECT = 4.0  # the widest in use is 2 (anamorphic lenses, half the columns stored)

# Frames this far apart, and so many times as far as most, have a hole between them: in 0.25 s a
# foot may land, and cameras that slow down in poor light stay below that.
HOLE_S = 0.25
HOLE_INTERVALS = 5.0

# Where a file says at how many frames a second it was filmed: com.android.capture.fps.
_CAPTURE_KEY = re.compile(r'capture[._-]?(fps|rate|frame[._-]?rate)$', re.IGNORECASE)
_OTHER_SPEED = 1.8  # a rate so many times the film's is no lack of light
_SLOW_MOTION_FPS = 100.0

_given_speed: contextvars.ContextVar[float | None] = contextvars.ContextVar(
  'given_speed', default=None
)
_told: set[pathlib.Path] = set()  # videos whose stated rate was told; they are opened repeatedly

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
    time_s: (N,) float64, each frame's time from the first frame in real seconds, strictly
      increasing.
    height: pixel rows, rotation flags obeyed, of the picture with square pixels.
    width: pixel columns, likewise.
    ticks: (N,) int64, each frame's presentation time as the file has it, or None where decoded
      frames do not come with theirs (AVI) and are known by their order alone.
    pixel_aspect: how many times as wide as high a pixel of the file is, before it is turned.
    speed: real seconds in a second of the film, by which `time_s` is already multiplied; below 1
      where the film is slowed down.
  """

  path: pathlib.Path
  time_s: np.ndarray
  height: int
  width: int
  ticks: np.ndarray | None = dataclasses.field(default=None, repr=False, compare=False)
  pixel_aspect: float = 1.0
  speed: float = 1.0

  @property
  def fps(self) -> float:
    """Frames a second: the inverse of the median interval."""
    return 1 / float(np.median(np.diff(self.time_s)))


@contextlib.contextmanager
def played_at(speed: float | None) -> Iterator[None]:
  """Has `probe` multiply the times of videos by real seconds per second of film while it lasts.

  Args:
    speed: such as 0.125 for 240 frames a second played at 30; None: what the file says, or 1.

  Raises:
    ValueError: the speed is not a finite number above 0.
  """
  if speed is not None and not 0 < speed < math.inf:
    raise ValueError(f'a speed of {speed:g}, expected a finite number above 0')
  token = _given_speed.set(speed)
  try:
    yield
  finally:
    _given_speed.reset(token)


def probe(path: str | os.PathLike[str]) -> Video:
  """Opens a video and reads its frame times; of the pictures it decodes no more than the first.

  Raises:
    VideoError: the file is missing, empty, not a video, too narrow, interlaced, has under two
      frames, or its frame times do not increase.
  """
  path = pathlib.Path(path)
  _check_file(path)
  try:
    with _opened(path) as (container, stream):
      _check_header(path, container, stream)
      ticks, first = _packet_ticks(path, container, stream)
      by_order = container.format.name == 'avi'
      tick_s, pixel_aspect = stream.time_base, _pixel_aspect(path, stream)
      capture_fps = _capture_fps(container, stream)
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
  speed = _speed(path, time_s, capture_fps) if (np.diff(time_s) > 0).all() else 1.0
  time_s = speed * time_s
  _check_times(path, time_s)
  _check_progressive(path, first, 0)
  height, width = rgb(first, pixel_aspect).shape[:2]
  if width < _MIN_WIDTH:
    raise _error(
      path,
      f'{width} x {height} pixels, expected a width of at least {_MIN_WIDTH}',
      'video.too_narrow',
    )
  return Video(path, time_s, height, width, None if by_order else ticks, pixel_aspect, speed)


def check_no_hole(video: Video) -> None:
  """Raises VideoError where frames are missing for so long that nobody knows what was between.

  What reads a walk out of the frames would else go on across the hole as if it were no more than
  two frames' distance.
  """
  steps = np.diff(video.time_s)
  holes = np.flatnonzero((steps > HOLE_S) & (steps > HOLE_INTERVALS * np.median(steps)))
  if holes.size:
    k = int(holes[0])
    raise _error(
      video.path,
      f'there is no frame for {steps[k]:.2f} s after frame {k} at {video.time_s[k]:.2f} s; '
      f'expected one at least every {max(HOLE_S, HOLE_INTERVALS * np.median(steps)):.2f} s. Cut '
      f'the video in two there (ffmpeg -i IN -t {video.time_s[k] / video.speed:.2f} OUT keeps '
      'what is before)',
      'video.hole',
      k,
    )


def _packet_ticks(
  path: pathlib.Path, container: Any, stream: Any
) -> tuple[np.ndarray, av.VideoFrame | None]:
  """Reads the times of frames off the packets, which is quick.

  AVI knows no presentation times, and what FFmpeg puts in their place is in no order; the times of
  decoding are as many, and as far apart. Elsewhere frames before the first key frame are left out:
  what they were made from is not there, and players leave them out too. So are those outside an
  edit list.

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
    if first_key is None and packet.is_keyframe and not by_order:
      first_key = tick
      ticks.clear()
    if not packet.is_discard and (first_key is None or tick >= first_key):
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
  if stream.codec_context.field_order in _INTERLACED:
    raise _interlaced(path)
  size = path.stat().st_size
  if stream.frames > size // _MIN_BYTES_PER_FRAME:
    raise _error(
      path,
      f'is damaged: it says that it has {stream.frames} frames, in {size} bytes',
      'video.damaged',
    )


def _capture_fps(container: Any, stream: Any) -> float | None:
  """Returns at how many frames a second the camera says it filmed, or None."""
  for key, value in {**container.metadata, **stream.metadata}.items():
    if _CAPTURE_KEY.search(key):
      try:
        fps = float(value)
      except ValueError:
        continue
      if 0 < fps < math.inf:
        return fps
  return None


def _speed(path: pathlib.Path, time_s: np.ndarray, capture_fps: float | None) -> float:
  """Returns real seconds in a second of film: as given, or else as the file says, or else 1.

  A phone that says 60 and wrote 30 frames a second may have slowed the film down, or found the
  light too poor for 60. At slow motion's rates there is no such doubt, nor at time lapse's.
  """
  given = _given_speed.get()
  if given is not None or capture_fps is None:
    return 1.0 if given is None else given
  fps = 1 / float(np.median(np.diff(time_s)))
  speed = fps / capture_fps
  if 1 / _OTHER_SPEED < speed < _OTHER_SPEED:
    return 1.0
  sure = speed > 1 or capture_fps >= _SLOW_MOTION_FPS
  if path not in _told:
    _told.add(path)
    logging.warning(
      '%s: the file says that it was filmed at %g frames a second; it plays %.4g. %s',
      path, capture_fps, fps,
      f'Its times are multiplied by {speed:.4g}; --speed=1 of grfjax.predict takes them as they are'
      if sure
      else f'If it is slowed down, --speed={speed:.4g} of grfjax.predict makes its times real',
    )  # fmt: skip
  return speed if sure else 1.0


def _pixel_aspect(path: pathlib.Path, stream: Any) -> float:
  """Returns a pixel's width by its height; 1 where the file does not say, or all but says so."""
  aspect = float(stream.sample_aspect_ratio or 1)
  if not 1 / _MAX_PIXEL_ASPECT <= aspect <= _MAX_PIXEL_ASPECT:
    raise _error(
      path,
      f'is damaged: it says that its pixels are {aspect:g} times as wide as high',
      'video.damaged',
    )
  return aspect if abs(aspect - 1) > _SQUARE else 1.0


def _check_progressive(path: pathlib.Path, frame: av.VideoFrame, k: int) -> None:
  if frame.interlaced_frame:
    raise _interlaced(path, k)


def _interlaced(path: pathlib.Path, k: int = 0) -> VideoError:
  return _error(
    path,
    f'frame {k} is interlaced: its odd and even rows show two instants; '
    'make whole pictures of them with ffmpeg -i IN -vf bwdif OUT',
    'video.interlaced',
    k,
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
    if stream.codec_context is None:
      raise _unreadable(path, 'found a video of a kind that nothing here can decode')
    yield container, stream


@contextlib.contextmanager
def decoder(path: pathlib.Path) -> Iterator[tuple[Any, Any]]:
  """Gives an open PyAV container and its video stream, decoded by several threads."""
  with _opened(path) as (container, stream):
    stream.thread_type = 'AUTO'
    yield container, stream


def rgb(frame: av.VideoFrame, pixel_aspect: float = 1.0, halvings: int = 0) -> np.ndarray:
  """Returns a frame's picture, (H, W, 3) uint8, turned as the file's rotation flag says.

  Args:
    frame: as decoded.
    pixel_aspect: `Video.pixel_aspect`; rows or columns are added until pixels are square.
    halvings: how often both sides are halved.
  """
  turns = round(frame.rotation / 90)
  if halvings and pixel_aspect == 1:
    small = halving.halved_planes(frame, halvings)
    if small is not None:
      frame, halvings = small, 0
  picture: Any = frame.to_ndarray(format='rgb24')
  if pixel_aspect != 1:
    rows = round(picture.shape[0] / min(pixel_aspect, 1))
    columns = round(picture.shape[1] * max(pixel_aspect, 1))
    picture = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_LINEAR)
  for _ in range(halvings):
    picture = halving.halved(picture)
  return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def frames(video: Video, halvings: int = 0) -> Iterator[np.ndarray]:
  """Yields every frame, (height, width, 3) uint8 RGB.

  Args:
    video: from `probe`.
    halvings: how often both sides are halved, without an odd last row or column.

  Raises:
    VideoError: a frame is damaged, interlaced or cannot be decoded; the message names it.
  """
  k, count = 0, len(video.time_s)
  try:
    with decoder(video.path) as (container, stream):
      for frame in _known_frames(video, container.decode(stream)):
        yield _checked_picture(video, frame, k, halvings)
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


def _checked_picture(video: Video, frame: av.VideoFrame, k: int, halvings: int) -> np.ndarray:
  """Returns the picture of frame k, or raises VideoError where it is damaged or of another size."""
  if frame.is_corrupt:
    raise _error(
      video.path,
      f'frame {k} of {len(video.time_s)} is damaged (the decoder had to make up what it could not '
      'read)',
      'video.damaged',
      k,
    )
  _check_progressive(video.path, frame, k)
  picture = rgb(frame, video.pixel_aspect, halvings)
  height, width = video.height >> halvings, video.width >> halvings
  if picture.shape != (height, width, 3):
    raise _error(
      video.path,
      f'frame {k} is {picture.shape[1] << halvings}x{picture.shape[0] << halvings} pixels, '
      f'expected {width << halvings}x{height << halvings}',
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
