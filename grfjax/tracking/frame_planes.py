"""The gray and difference planes of the frames that windows may yet be cut from."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from grfjax.tracking import background_model

PLANES_BYTES = 512 * 2**20  # kept of crossings that are not over; a longer one is decoded again


class FramePlanes:
  """Gray and difference of the frames that windows may yet be cut from."""

  def __init__(self, frames: background_model.Frames, back: np.ndarray):
    self._frames, self._back = frames, back
    self._kept: dict[int, np.ndarray] = {}

  def _planes(self, frame: np.ndarray) -> np.ndarray:
    return cv2.merge(
      [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), background_model.difference(frame, self._back)]
    )

  def add(self, k: int, frame: np.ndarray) -> None:
    self._kept[k] = self._planes(frame)
    if len(self._kept) * self._kept[k].nbytes > PLANES_BYTES:
      del self._kept[next(iter(self._kept))]

  def forget(self, before: int) -> None:
    while self._kept and next(iter(self._kept)) < before:
      del self._kept[next(iter(self._kept))]

  def of(self, frame: np.ndarray) -> Iterable[np.ndarray]:
    """Those of a track's frames; the video is decoded again where they were too many to keep."""
    if frame[0] in self._kept:
      return [self._kept[k] for k in frame.tolist()]
    return _Again(self, frame)


@dataclasses.dataclass(frozen=True)
class _Again:
  """Planes of a track's frames from another pass over the video."""

  planes: FramePlanes
  frame: np.ndarray

  def __iter__(self) -> Iterator[np.ndarray]:
    some = itertools.islice(self.planes._frames, int(self.frame[0]), int(self.frame[-1]) + 1)
    return (self.planes._planes(frame) for frame in some)
