"""A small picture within the picture: a rectangle of other frames laid over a film.

Its sides are straight to the pixel and stay so where somebody moves at them; before a poster, a
door or a mirror, who passes covers the edge.
"""

from __future__ import annotations

import dataclasses
import itertools

import cv2
import numpy as np

from grfjax.tracking import background_model

MIN_STEP = 10.0  # gray levels from one side of an edge to the other
MIN_LENGTH, MAX_LENGTH = 0.15, 0.6  # of the picture's sides
MIN_ON_EDGE = 0.65  # of a side's pixels have that step
MAX_BEYOND = 0.4  # of as many pixels in the same line beyond its ends
BEYOND = 0.25  # of a side's length
SEARCHED = 24  # straightest columns, and rows, that are tried
TRIED = 8  # rectangles of the clearest edges
MARGIN = 3  # pixels; somebody who moves is looked for so far from the edge, and may blur across it
MIN_ACTIVE = 100  # pixels at its sides, in all pictures, at which something must move
MIN_KEPT = 0.9  # of these still have the edge; of posters and shelves at most 0.7 do


@dataclasses.dataclass(frozen=True)
class Inset:
  """Columns and rows of the rectangle, in pixels of the filmed picture."""

  left: int
  top: int
  right: int
  bottom: int

  def is_near(self, other: Inset) -> bool:
    """Returns whether all sides are where another rectangle's are, give or take a blur."""
    sides = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
    return all(abs(one - two) <= 2 * MARGIN for one, two in sides)

  def holds(self, left: float, top: float, right: float, bottom: float) -> bool:
    """Returns whether a box is within the rectangle, give or take a blur."""
    return (
      left > self.left - MARGIN
      and right < self.right + MARGIN
      and top > self.top - MARGIN
      and bottom < self.bottom + MARGIN
    )

  def touches(self, left: float, top: float, right: float, bottom: float) -> bool:
    """Returns whether a box reaches into the rectangle, or to it."""
    return (
      right > self.left - MARGIN
      and left < self.right + MARGIN
      and bottom > self.top
      and top < self.bottom
    )


def find_inset(sample: list[np.ndarray]) -> Inset | None:
  """Looks for a small picture within the picture.

  Args:
    sample: (H, W, 3) uint8, frames as they were filmed, spread over the film.

  Returns:
    The rectangle in which something moves by itself; None without one.
  """
  background = background_model.median_picture(sample)
  height, width = background.shape[:2]
  # Of [row, column]: whether there is an edge between this pixel and the one before.
  across = _Edges(background)
  down = _Edges(np.ascontiguousarray(background.swapaxes(0, 1)))
  columns = [0, *across.straightest(), width]
  rows = [0, *down.straightest(), height]
  column_pairs, row_pairs = _pairs(columns, width), _pairs(rows, height)
  upright = _sides(across, columns, [(rows[i], rows[j]) for i, j in row_pairs])
  level = _sides(down, rows, [(columns[i], columns[j]) for i, j in column_pairs])
  (left, right), (top, bottom) = column_pairs.T, row_pairs.T
  score = np.minimum(
    np.minimum(upright[:, left], upright[:, right]).T,  # (column pairs, row pairs)
    np.minimum(level[:, top], level[:, bottom]),
  )
  found = [
    Inset(columns[left[i]], rows[top[j]], columns[right[i]], rows[bottom[j]])
    for i, j in zip(
      *np.unravel_index(np.argsort(-score, axis=None, kind='stable'), score.shape), strict=True
    )
    if score[i, j] > MIN_ON_EDGE
  ]
  if not found:
    return None
  moved = [background_model.difference(f, background) > 2 * MIN_STEP for f in sample]
  distinct: list[Inset] = []  # of rectangles that differ by a blur the clearest alone
  for inset in found:
    if not any(inset.is_near(other) for other in distinct):
      distinct.append(inset)
  return next((inset for inset in distinct[:TRIED] if _keeps_edges(sample, moved, inset)), None)


class _Edges:
  """Where in a picture's rows another column's values begin."""

  def __init__(self, picture: np.ndarray):
    """Finds the edges, which are blurred by a pixel at most.

    Args:
      picture: (H, W, 3) uint8.
    """
    step = np.zeros(picture.shape[:2], np.float32)
    step[:, 1:-1] = cv2.absdiff(picture[:, 2:], picture[:, :-2]).max(2)
    near = np.zeros_like(step)
    near[:, 3:-3] = np.minimum(step[:, :-6], step[:, 6:])
    edge = (step > MIN_STEP) & (step > 2 * near)
    self._sums = np.vstack([np.zeros(edge.shape[1], int), np.cumsum(edge, axis=0)]).T.tolist()
    self._rows = len(edge)

  def straightest(self) -> list[int]:
    """Returns the columns that hold the longest straight edges."""
    length = int(MIN_LENGTH * self._rows)
    sums = np.array(self._sums)
    most = (sums[:, length:] - sums[:, :-length]).max(1)
    found = np.flatnonzero(most > MIN_ON_EDGE * length)
    return sorted(found[np.argsort(-most[found], kind='stable')][:SEARCHED].tolist())

  def side(self, column: int, first: int, last: int) -> float:
    """Returns in how much of a side there is an edge; 0 where it goes on beyond the side's ends."""
    if not 0 < column < len(self._sums):
      return 1.0  # the picture's own edge
    sums = self._sums[column]
    reach = max(4, round(BEYOND * (last - first)))
    for start, stop in ((first - reach, first - 2), (last + 2, last + reach)):
      start, stop = max(0, start), min(stop, self._rows)
      if stop > start and sums[stop] - sums[start] > MAX_BEYOND * (stop - start):
        return 0.0
    return (sums[last] - sums[first]) / (last - first)


def _pairs(places: list[int], length: int) -> np.ndarray:
  """Returns (P, 2) numbers of the places between which a rectangle may lie."""
  least, most = MIN_LENGTH * length, MAX_LENGTH * length
  pairs = itertools.combinations(range(len(places)), 2)
  return np.array([(i, j) for i, j in pairs if least < places[j] - places[i] < most], int).reshape(
    -1, 2
  )


def _sides(edges: _Edges, columns: list[int], spans: list[tuple[int, int]]) -> np.ndarray:
  """Returns what `_Edges.side` does of each span and column: (spans, columns)."""
  scores = [[edges.side(column, *span) for column in columns] for span in spans]
  return np.array(scores, float).reshape(len(spans), len(columns))


def _keeps_edges(sample: list[np.ndarray], moved: list[np.ndarray], inset: Inset) -> bool:
  """Returns whether something moves at the sides, and the edges stay where it does.

  Args:
    sample: (H, W, 3) uint8 each.
    moved: (H, W) bool each, what differs from the background.
    inset: the rectangle.
  """
  active_count = kept_count = 0
  height, width = moved[0].shape
  sides = [
    (is_row, at, first, last)
    for is_row, at, end, first, last in (
      (False, inset.left, width, inset.top, inset.bottom),
      (False, inset.right, width, inset.top, inset.bottom),
      (True, inset.top, height, inset.left, inset.right),
      (True, inset.bottom, height, inset.left, inset.right),
    )
    if MARGIN < at < end - MARGIN
  ]
  for frame, change in zip(sample, moved, strict=True):
    for is_row, at, first, last in sides:
      picture, active = (frame.swapaxes(0, 1), change.T) if is_row else (frame, change)
      inside, outside = active[first:last, at + MARGIN], active[first:last, at - MARGIN]
      step = cv2.absdiff(
        np.ascontiguousarray(picture[first:last, at + 1]),
        np.ascontiguousarray(picture[first:last, at - 1]),
      ).max(1)
      moves = inside | outside
      active_count += int(moves.sum())
      kept_count += int((moves & (step > MIN_STEP)).sum())
  return active_count >= MIN_ACTIVE and kept_count > MIN_KEPT * active_count
