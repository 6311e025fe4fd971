"""Video files -> frames on their own clock; the only module that imports decord.

Times are the container's presentation times, counted from the first frame, so that variable frame
rates are right. Frames come one after the other: seeking is slow and, in decord, not reliable.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Iterator

import cv2
import decord
import numpy as np

WORKING_ROWS = 480  # enough for a window of 96 rows on a walker half as tall as the picture
CACHE_BYTES = 256 * 2**20  # frames kept at working scale; a longer video is decoded again instead


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
    VideoError: the file is missing, empty, not a video, has under two frames, or its frame times
      do not increase.
  """
  path = pathlib.Path(path)
  if not path.is_file():
    raise VideoError(f'{path}: no such video file')
  if path.stat().st_size == 0:
    raise VideoError(f'{path}: an empty file, expected a video')
  try:
    reader = _open(path)
    count = len(reader)
    time_s = np.asarray(reader.get_frame_timestamp(range(count)), np.float64).reshape(count, -1)
    height, width = reader.next().shape[:2] if count else (0, 0)
  except (decord.DECORDError, StopIteration, RuntimeError) as error:
    raise VideoError(f'{path}: cannot be read as a video ({_first_line(error)})') from error
  if count < 2:
    raise VideoError(f'{path}: {count} frames, expected at least 2')
  time_s = time_s[:, 0] - time_s[0, 0]
  steps = np.diff(time_s)
  if not (np.isfinite(time_s).all() and (steps > 0).all()):
    k = int(np.argmin(np.nan_to_num(steps, nan=-1))) + 1
    raise VideoError(
      f'{path}: frame {k} is at {time_s[k]:.4f} s, not after frame {k - 1} at {time_s[k - 1]:.4f} s'
    )
  return Video(path, time_s, height, width)


def _first_line(error: BaseException) -> str:
  return (str(error).strip().splitlines() or [type(error).__name__])[0][-200:]


def frames(video: Video) -> Iterator[np.ndarray]:
  """Yields every frame, (height, width, 3) uint8 RGB.

  Raises:
    VideoError: a frame cannot be decoded; the message names it.
  """
  k = 0
  try:
    reader = _open(video.path)
    for k in range(len(video.time_s)):
      frame = reader.next().asnumpy()
      if frame.shape != (video.height, video.width, 3):
        raise VideoError(
          f'{video.path}: frame {k} is {frame.shape[1]}x{frame.shape[0]} pixels, '
          f'expected {video.width}x{video.height}'
        )
      yield frame
  except (decord.DECORDError, StopIteration) as error:
    raise VideoError(
      f'{video.path}: frame {k} of {len(video.time_s)} cannot be decoded ({_first_line(error)})'
    ) from error


class WorkingFrames:
  """A video's frames at working scale, iterable again and again.

  Frames taller than `WORKING_ROWS` are averaged over area. They are kept in memory while they fit
  into `CACHE_BYTES`; a longer video is decoded again at each pass, so memory stays bounded.
  """

  def __init__(self, video: Video):
    self.video = video
    self.scale = min(1.0, WORKING_ROWS / video.height)
    self.height = round(video.height * self.scale)
    self.width = round(video.width * self.scale)
    fits = len(video.time_s) * self.height * self.width * 3 <= CACHE_BYTES
    self._cache: list[np.ndarray] | None = [] if fits else None

  def __iter__(self) -> Iterator[np.ndarray]:
    """Yields (height, width, 3) uint8 RGB."""
    if self._cache and len(self._cache) == len(self.video.time_s):
      yield from self._cache
      return
    if self._cache is not None:
      self._cache = []  # a pass that was left early is begun again
    for frame in frames(self.video):
      if self.scale < 1:
        frame = cv2.resize(frame, (self.width, self.height), interpolation=cv2.INTER_AREA)
      if self._cache is not None:
        self._cache.append(frame)
      yield frame


def whole_window(frame: np.ndarray, size: int) -> np.ndarray:
  """The paper's picture: gray and shrunk bilinearly.

  Args:
    frame: (H, W, 3) uint8 RGB.
    size: rows and columns of the result.

  Returns:
    (size, size, 1) uint8. Bilinear to the letter (OpenCV's INTER_LINEAR): most pixels are skipped.
  """
  gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
  return cv2.resize(gray, (size, size), interpolation=cv2.INTER_LINEAR)[..., None]
