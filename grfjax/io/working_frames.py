"""A video's frames at working scale, decoded ahead and kept where they fit in memory."""

from __future__ import annotations

import collections
import concurrent.futures
from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from grfjax.io import video_file

WORKING_ROWS = 360  # at least; enough for a window of 48 rows on a distant walker
# A video that fits at working scale is decoded once and kept: 5 s of 1920 x 1080 at 60 frames/s.
CACHE_BYTES = 448 * 2**20
MIN_KEY_FRAMES = 5  # fewer key frames are no sample of a video
AHEAD = 4  # frames that a thread decodes ahead
WORKING_AHEAD = 32  # at working scale: a thread goes on while the windows of a walk are estimated

_Item = TypeVar('_Item')


class WorkingFrames:
  """A video's frames at working scale, iterable again and again, decoded ahead in a thread.

  Both sides are halved by averaging as long as `WORKING_ROWS` rows are left, which is quick and
  shifts nothing by parts of a pixel. A short video is decoded once and kept; a long one is decoded
  anew at each pass, so that memory stays bounded.

  Attributes:
    video: the video.
    halvings: how often both sides are halved.
    height: pixel rows at working scale.
    width: pixel columns at working scale.
  """

  def __init__(self, video: video_file.Video):
    self.video = video
    self.halvings = 0
    while video.height >> (self.halvings + 1) >= WORKING_ROWS:
      self.halvings += 1
    self.height = video.height >> self.halvings
    self.width = video.width >> self.halvings
    self._fits = len(video.time_s) * self.height * self.width * 3 <= CACHE_BYTES
    self._cache: list[np.ndarray] | None = None  # filled by the first whole pass

  def __iter__(self) -> Iterator[np.ndarray]:
    """Yields (height, width, 3) uint8 RGB."""
    if self._cache is not None:
      yield from self._cache
      return
    decoded: list[np.ndarray] = []  # this pass's own: passes may overlap, or be left early
    for frame in decoded_ahead(video_file.frames(self.video, self.halvings), WORKING_AHEAD):
      if self._fits:
        decoded.append(frame)
      yield frame
    if self._fits:
      self._cache = decoded

  def sample(self, count: int) -> list[np.ndarray]:
    """Returns at most `count` frames spread over the video, (height, width, 3) uint8 RGB.

    In a video too long to keep these are key frames, which are read without decoding the others; if
    it has too few of them, the whole video is decoded for the sample.
    """
    if not self._fits:
      key_frames = self._key_frames(count)
      if len(key_frames) >= MIN_KEY_FRAMES:
        return key_frames
    total = len(self.video.time_s)
    wanted = set(np.linspace(0, total - 1, min(total, count)).round().astype(int).tolist())
    return [frame for k, frame in enumerate(self) if k in wanted]

  def _key_frames(self, count: int) -> list[np.ndarray]:
    pictures: dict[int, np.ndarray] = {}  # by presentation time
    try:
      with video_file.decoder(self.video.path) as (container, stream):
        for time_s in np.linspace(0, self.video.time_s[-1] / self.video.speed, count):
          container.seek(int(time_s / stream.time_base) + (stream.start_time or 0), stream=stream)
          frame = next(container.decode(stream))
          if frame.pts not in pictures:
            pictures[frame.pts] = video_file.rgb(frame, self.video.pixel_aspect, self.halvings)
    except video_file.UNREADABLE:  # no way to seek in this file
      return []
    return list(pictures.values())


def decoded_ahead(items: Iterator[_Item], ahead: int = AHEAD) -> Iterator[_Item]:
  """Yields the same items, made so many ahead in a thread: decoding releases Python's lock."""
  pool = concurrent.futures.ThreadPoolExecutor(1)
  futures = collections.deque(pool.submit(next, items, None) for _ in range(ahead))
  try:
    while (item := futures.popleft().result()) is not None:
      futures.append(pool.submit(next, items, None))
      yield item
  finally:
    pool.shutdown(cancel_futures=True)
