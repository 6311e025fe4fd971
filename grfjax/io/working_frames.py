"""A video's frames at working scale, decoded ahead and kept where they fit in memory."""

from __future__ import annotations

import collections
import concurrent.futures
from collections.abc import Iterator

import cv2
import numpy as np

from grfjax.io import video_file

WORKING_ROWS = 360  # at least so many are left; enough for a window of 48 rows on a distant walker

CACHE_BYTES = 256 * 2**20  # a video that fits, at working scale, is decoded once and kept

MIN_KEY_FRAMES = 5  # fewer, spread over a video, are no sample of it

AHEAD = 4  # frames decoded ahead, in a thread of their own


class WorkingFrames:
  """A video's frames at working scale, iterable again and again, decoded ahead in a thread.

  Both sides are halved, by averaging, while `WORKING_ROWS` are left: quick, and it moves nothing by
  parts of a pixel. A short video is decoded once and kept; a long one is decoded anew at each pass,
  so that memory stays bounded.
  """

  def __init__(self, video: video_file.Video):
    self.video = video
    self.halvings = 0
    while video.height >> (self.halvings + 1) >= WORKING_ROWS:
      self.halvings += 1
    self.height = video.height >> self.halvings
    self.width = video.width >> self.halvings
    self._fits = len(video.time_s) * self.height * self.width * 3 <= CACHE_BYTES
    self._cache: list[np.ndarray] | None = None  # there after the first whole pass

  def __iter__(self) -> Iterator[np.ndarray]:
    """Yields (height, width, 3) uint8 RGB."""
    if self._cache is not None:
      yield from self._cache
      return
    seen: list[np.ndarray] = []  # this pass's own: passes may overlap, or be left early
    for frame in decoded_ahead(self._halved(f) for f in video_file.frames(self.video)):
      if self._fits:
        seen.append(frame)
      yield frame
    if self._fits:
      self._cache = seen

  def _halved(self, frame: np.ndarray) -> np.ndarray:
    for _ in range(self.halvings):
      frame = halved(frame)
    return frame

  def sample(self, count: int) -> list[np.ndarray]:
    """At most `count` frames spread over the video.

    Of a video too long to keep they are key frames, which are found without decoding the others; if
    it has too few of them, it is decoded for the sample.
    """
    if not self._fits:
      keys = self._key_frames(count)
      if len(keys) >= MIN_KEY_FRAMES:
        return keys
    total = len(self.video.time_s)
    wanted = set(np.linspace(0, total - 1, min(total, count)).round().astype(int).tolist())
    return [frame for k, frame in enumerate(self) if k in wanted]

  def _key_frames(self, count: int) -> list[np.ndarray]:
    found: dict[int, np.ndarray] = {}
    try:
      with video_file.decoder(self.video.path) as (container, stream):
        for time_s in np.linspace(0, self.video.time_s[-1], count):
          container.seek(int(time_s / stream.time_base) + (stream.start_time or 0), stream=stream)
          frame = next(container.decode(stream))
          if frame.pts not in found:
            found[frame.pts] = self._halved(video_file.rgb(frame))
    except video_file.UNREADABLE:  # no way to seek in this file
      return []
    return list(found.values())


def halved(picture: np.ndarray) -> np.ndarray:
  """Both sides halved by averaging; an odd last row or column is left out."""
  height, width = picture.shape[0] // 2, picture.shape[1] // 2
  even = picture[: 2 * height, : 2 * width]
  return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)


def decoded_ahead(items: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
  """The same items, made some ahead in another thread: decoding releases the interpreter's lock."""
  pool = concurrent.futures.ThreadPoolExecutor(1)
  coming = collections.deque(pool.submit(next, items, None) for _ in range(AHEAD))
  try:
    while (item := coming.popleft().result()) is not None:
      coming.append(pool.submit(next, items, None))
      yield item
  finally:
    pool.shutdown(cancel_futures=True)
