"""Where the picture stands still at once, in the middle of somebody's motion, while frames go on.

A film of another rate that was doubled repeats a few frames. Who stands comes to rest little by
little, and a camera's picture has noise even then. A film that hangs has neither.
"""

from __future__ import annotations

import cv2
import numpy as np

from grfjax import mask_runs
from grfjax.io import video_file

# Of the usual change from frame to frame: less is left while the picture stands still (compression
# goes on refining it for some frames), and more there is right before, and right after.
STILL = 0.2
MOVING = 0.35
SUDDEN = (
  2.5  # times the change of the frames before: there somebody has vanished, or the view is new
)

EVEN = 0.8  # of the change of some frames before; of who leaves the picture less is left

BESIDE = 2  # frames before and after, one of which must move
BEFORE = 6  # frames that tell how much is usual before
MAX_FROZEN = 1 / 3  # of a film; a walker who stands still for longer is taken for the background


class FrozenFrames:
  """Finds stretches of repeated pictures in frames given one after the other."""

  def __init__(self, time_s: np.ndarray):
    """Begins before the first frame.

    Args:
      time_s: (N,) of the film's frames.
    """
    self._time_s = time_s
    self._changes = np.zeros(len(time_s))  # of each frame to the one before; the first has none
    self._count = 0

  def add(self, frame: int, before: np.ndarray, picture: np.ndarray) -> None:
    """Takes the next frame's picture, and that of the frame before, (H, W, 3) uint8."""
    self._changes[frame] = cv2.norm(before, picture, cv2.NORM_L1) / picture.size
    self._count = frame + 1

  def intervals(self) -> list[tuple[int, int]]:
    """Returns (first, last) of the frames of each stretch so far that show the same picture."""
    changes = self._changes[1 : self._count]
    if not changes.any():
      return []
    usual = float(np.median(changes[changes > 0.1 * np.percentile(changes, 95)]))
    is_still = changes < STILL * usual
    # A key frame may show the same picture a little otherwise.
    is_still[1:-1] |= (changes < usual)[1:-1] & is_still[:-2] & is_still[2:]
    found = []
    for start, stop in mask_runs.runs_of_true(is_still):
      if self._is_long(start, stop) and self._is_sudden(changes, start, stop, MOVING * usual):
        found.append((start, stop))  # the first shows what the others repeat
    return found

  def is_most(self) -> bool:
    """Returns whether so much of the film stands still that its background cannot be told."""
    return sum(last - first for first, last in self.intervals()) > MAX_FROZEN * len(self._time_s)

  def _is_long(self, start: int, stop: int) -> bool:
    """Returns whether a stretch is one that would be a hole if its frames were missing."""
    length = self._time_s[min(stop + 1, self._count - 1)] - self._time_s[start]
    interval = float(np.median(np.diff(self._time_s)))
    return bool(length > max(video_file.HOLE_S, video_file.HOLE_INTERVALS * interval))

  def _is_sudden(self, changes: np.ndarray, start: int, stop: int, moving: float) -> bool:
    """Returns whether all stops at once, and goes on at once, but for the film's ends."""
    before, after = changes[max(0, start - BESIDE) : start], changes[stop : stop + BESIDE]
    if not len(before) and not len(after):
      return False
    if len(before):
      usual_before = float(np.median(changes[max(0, start - BEFORE) : start]))
      if not max(moving, EVEN * usual_before) <= before.max() <= SUDDEN * usual_before:
        return False
    is_end = self._count == len(self._time_s) and stop == len(changes)
    return bool(after.max() >= moving) if len(after) else is_end
