"""The gray and difference planes of the frames that windows may yet be cut from."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import cv2
import numpy as np

from grfjax.tracking import background_model, blobs, steady_frames

# Kept of unfinished crossings; a longer crossing is decoded again.
KEPT_BYTES = 768 * 2**20

# Boxes of more rows are averaged to windows of less than a quarter of them (96 rows of `walker`).
AVERAGED_ROWS = 400


class FramePlanes:
  """Keeps the frames that windows may yet be cut from, up to `KEPT_BYTES`.

  The planes of a frame are (2, H, W) uint8: gray, and the largest difference to the background over
  the colours, near the feet to the background in that shadow which explains it best. Frames are
  kept as they were filmed, and planes are made of no more than a window shows.
  """

  def __init__(self, frames: steady_frames.SteadyFrames, background: np.ndarray):
    self._frames, self._background = frames, background
    self._kept: dict[int, np.ndarray] = {}

  def add(self, index: int, filmed: np.ndarray) -> None:
    """Takes the next frame; the oldest one goes where they are too many to keep."""
    self._kept[index] = filmed
    if len(self._kept) * self._kept[index].nbytes > KEPT_BYTES:
      del self._kept[next(iter(self._kept))]

  def forget_before(self, index: int) -> None:
    """Drops all frames before that one."""
    while self._kept and next(iter(self._kept)) < index:
      del self._kept[next(iter(self._kept))]

  def select(self, indices: np.ndarray, emptied: Mapping[int, Sequence[blobs.Area]]) -> WalkPlanes:
    """Returns the planes of consecutive frames.

    Args:
      indices: (K,) int, of the frames.
      emptied: frame -> pixels that show the background instead, such as a reflection's.
    """
    first, last = int(indices[0]), int(indices[-1])
    kept = None
    if first in self._kept:
      kept = [self._kept[k] for k in range(first, last + 1)]
    return WalkPlanes(self, first, last, kept, emptied)

  def kept(self, indices: np.ndarray) -> np.ndarray:
    """Returns those of (K,) frames that are still kept."""
    return indices[np.isin(indices, list(self._kept))]

  def differences(self, indices: np.ndarray, scale: int) -> Iterator[np.ndarray]:
    """Yields how far frames that are kept differ from the background, (h, w) uint8.

    Args:
      indices: (K,) int, of the frames.
      scale: pixels of a frame that become one.
    """
    height, width = self._background.shape[:2]
    part = steady_frames.Box(0, 0, width, height)
    for index in indices.tolist():
      difference = self._compute(index, self._kept[index], part, height)[1]
      size = (width // scale, height // scale)
      yield cv2.resize(difference, size, interpolation=cv2.INTER_AREA)

  def filmed_again(self, first: int, last: int) -> Iterator[np.ndarray]:
    """Yields frames as they were filmed, from another pass over the video."""
    return itertools.islice(self._frames.filmed(), first, last + 1)

  def planes(
    self,
    first: int,
    filmed: Iterable[np.ndarray],
    boxes: Iterable[np.ndarray],
    ankles: np.ndarray,
    emptied: Mapping[int, Sequence[blobs.Area]],
  ) -> Iterator[np.ndarray]:
    """Yields what `WalkPlanes.around` does.

    Args:
      first: number of the first frame.
      filmed: each as it was filmed.
      boxes: (4,) each.
      ankles: (K,) rows.
      emptied: as in `select`.
    """
    planes = np.zeros((2, *self._background.shape[:2]), np.uint8)
    for index, (frame, box) in enumerate(zip(filmed, boxes, strict=True), first):
      part = self._pixels(box)
      ankle = int(np.clip(ankles[index - first] - part.top, 0, part.height))
      planes[:, part.rows, part.columns] = self._compute(index, frame, part, ankle)
      for area in emptied.get(index, ()):
        self._empty(planes, area)
      yield planes

  def _empty(self, planes: np.ndarray, area: blobs.Area) -> None:
    """Puts the background where an area of the search picture is, in planes (2, H, W)."""
    mask = np.kron(area.mask, np.ones((area.scale, area.scale), bool))
    rows, columns = np.nonzero(mask)
    rows, columns = rows + area.scale * area.row, columns + area.scale * area.column
    inside = (rows < planes.shape[1]) & (columns < planes.shape[2])
    at = rows[inside], columns[inside]
    planes[0][at] = cv2.cvtColor(self._background[at][None], cv2.COLOR_RGB2GRAY)[0]
    planes[1][at] = 0

  def _compute(
    self, index: int, filmed: np.ndarray, part: steady_frames.Box, ankle: int
  ) -> tuple[np.ndarray, np.ndarray]:
    frame = self._frames.part(index, filmed, part, to_be_averaged=part.height > AVERAGED_ROWS)
    background = self._background[part.rows, part.columns]
    difference = background_model.difference(frame, background)
    if ankle < part.height:
      difference[ankle:] = cv2.min(
        difference[ankle:], background_model.difference_to_shaded(
          frame[ankle:], background[ankle:], background_model.DARKEST_ON_FLOOR
        )
      )  # fmt: skip
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), difference

  def _pixels(self, box: np.ndarray) -> steady_frames.Box:
    """Returns the part of the picture from which a box (4,), or what repeats beyond, is made."""
    sides = self._background.shape[1::-1]
    first = [int(np.clip(b - 2, 0, side - 1)) for b, side in zip(box[:2], sides, strict=True)]
    last = [
      int(np.clip(b + 3, start + 1, side))
      for b, start, side in zip(box[:2] + box[2:], first, sides, strict=True)
    ]
    return steady_frames.Box(first[0], first[1], last[0] - first[0], last[1] - first[1])


class WalkPlanes:
  """The planes of a walk's frames; made anew each time that they are asked for."""

  def __init__(
    self,
    planes: FramePlanes,
    first: int,
    last: int,
    kept: list[np.ndarray] | None,
    emptied: Mapping[int, Sequence[blobs.Area]],
  ):
    """Notes of which frames they are.

    Args:
      planes: of the video.
      first: number of the first frame.
      last: of the last.
      kept: what is kept of them; None: they were too many to keep, and are decoded again.
      emptied: as in `FramePlanes.select`.
    """
    self._planes, self._first, self._last, self._kept = planes, first, last, kept
    self._emptied = emptied

  def around(self, boxes: np.ndarray, ankles: np.ndarray) -> Iterator[np.ndarray]:
    """Yields (2, H, W) uint8 for each of K frames, right in its box and what repeats beyond.

    Args:
      boxes: (K, 4) left, top, width and height, as of `walker_window.boxes`.
      ankles: (K,) rows from which on shadows on the floor are taken away.
    """
    filmed = self._kept or self._planes.filmed_again(self._first, self._last)
    return self._planes.planes(self._first, filmed, boxes, ankles, self._emptied)
