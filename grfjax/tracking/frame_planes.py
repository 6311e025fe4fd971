"""The gray and difference planes of the frames that windows may yet be cut from."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from grfjax.tracking import background_model

PLANES_BYTES = 512 * 2**20  # kept of unfinished crossings; a longer crossing is decoded again


class FramePlanes:
  """Keeps the planes of the frames that windows may yet be cut from, up to `PLANES_BYTES`.

  The planes of a frame are (H, W, 2) uint8: gray, and the largest difference to the background over
  the colours.
  """

  def __init__(self, frames: background_model.Frames, background: np.ndarray):
    self._frames, self._background = frames, background
    self._kept: dict[int, np.ndarray] = {}

  def add(self, index: int, frame: np.ndarray) -> None:
    """Takes the next frame; the oldest one goes where they are too many to keep."""
    self._kept[index] = self._compute(frame)
    if len(self._kept) * self._kept[index].nbytes > PLANES_BYTES:
      del self._kept[next(iter(self._kept))]

  def forget_before(self, index: int) -> None:
    """Drops the planes of all frames before that one."""
    while self._kept and next(iter(self._kept)) < index:
      del self._kept[next(iter(self._kept))]

  def select(self, indices: np.ndarray) -> Iterable[np.ndarray]:
    """Returns the planes of consecutive frames, which can be iterated over again and again.

    The video is decoded again for them where they were too many to keep.

    Args:
      indices: (K,) int, of the frames.
    """
    if indices[0] in self._kept:
      return [self._kept[k] for k in indices.tolist()]
    return _DecodedPlanes(self, indices)

  def decode(self, indices: np.ndarray) -> Iterator[np.ndarray]:
    """Yields the planes of consecutive frames from another pass over the video."""
    frames = itertools.islice(self._frames, int(indices[0]), int(indices[-1]) + 1)
    return (self._compute(frame) for frame in frames)

  def _compute(self, frame: np.ndarray) -> np.ndarray:
    return frame


@dataclasses.dataclass(frozen=True)
class _DecodedPlanes:
  """Planes of consecutive frames, decoded anew in every iteration."""

  planes: FramePlanes
  indices: np.ndarray

  def __iter__(self) -> Iterator[np.ndarray]:
    return self.planes.decode(self.indices)
