"""Where one shot fades into another: for a while the film shows a mixture of the two."""

from __future__ import annotations

import collections

import cv2
import numpy as np

from grfjax.tracking import film_cuts

# Seconds before and after a picture at which it is looked whether it is a mixture. Of a fade that
# takes longer two pictures within it are mixtures too, and so is each one between them.
REACHES_S = (0.1, 0.2, 0.4, 0.8)
TRIES = 4  # pictures in a reach that are tried

CHANGED = 10.0  # gray levels by which a value changes from the one picture to the other
MIN_MEAN = 4.0  # gray levels by which they differ on average at least
MIN_SHARE = 0.5  # of all values change

# Shares of the second picture in the mixture: of the middle value, and from the first to the third
# quartile of all. Of fades it was under 0.08; where people or the camera move, over 0.16.
MIXED = (0.25, 0.75)
MAX_SPREAD = 0.12

# Share of the picture that changes by more than light: there the second picture must be mixed in as
# well. Where somebody walks while the light changes, it is where the walker was or then is.
MIN_OTHER = 0.1


class Dissolves:
  """Finds fades from one shot to another in frames given one after the other.

  Attributes:
    frames: a frame in the middle of each fade, or of a part of it.
  """

  def __init__(self, fps: float):
    """Begins before the first frame.

    Args:
      fps: frames a second.
    """
    self.frames: list[int] = []
    self._reaches = sorted({max(1, round(reach * fps)) for reach in REACHES_S})
    self._last: collections.deque[np.ndarray] = collections.deque(maxlen=2 * self._reaches[-1] + 1)

  def add(self, frame: int, small: np.ndarray) -> None:
    """Takes the next frame's small picture, as of `film_cuts.small_picture`."""
    self._last.append(small)
    for reach in self._reaches:
      if frame % max(1, reach // TRIES) == 0 and len(self._last) > 2 * reach:
        before, between = self._last[-1 - 2 * reach], self._last[-1 - reach]
        if _is_mixture(between, before, small):
          self.frames.append(frame - reach)
          return


def _is_mixture(between: np.ndarray, before: np.ndarray, after: np.ndarray) -> bool:
  """Returns whether a picture mixes two others of different views, all (h, w, 3) uint8."""
  if cv2.norm(before, after, cv2.NORM_L1) < MIN_MEAN * before.size:
    return False
  first, second = before.astype(np.float32), after.astype(np.float32)
  change = second - first
  changed = np.abs(change) > CHANGED
  if changed.mean() < MIN_SHARE:
    return False
  share = (between[changed] - first[changed]) / change[changed]
  if not _is_one_share(share):
    return False
  other = film_cuts.changed_otherwise(before, after)
  of_other = share[np.broadcast_to(other[..., None], changed.shape)[changed]]
  if other.mean() < MIN_OTHER or not len(of_other) or not _is_one_share(of_other):
    return False
  return not film_cuts.is_moved(before, after)


def _is_one_share(share: np.ndarray) -> bool:
  """Returns whether the shares (N,) of the second picture are about the same, and of a mixture."""
  low, middle, high = np.percentile(share, [25, 50, 75])
  return bool(MIXED[0] < middle < MIXED[1] and high - low < MAX_SPREAD)
