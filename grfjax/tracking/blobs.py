"""Person-sized foreground of one frame."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import cv2
import numpy as np

from grfjax import mask_runs
from grfjax.tracking import background_model

LIT_SHARE = 0.25  # of an upper body is left without shadows, or its clothes are taken for one
MIN_HEIGHT = 0.12  # of the picture: smaller blobs are not a walker

# Over the body's difference to the background: legs that the picture's lower edge cuts differ there
# as much as the body does, while a shadow fades out to its end (the darkest drawn ones to half).
CUT_CONTRAST = 0.75

END_SHARE = 0.2  # of a body's rows are its head, and as many its feet

# Of a body's rows: the lowest ones, the heights over them at which it is looked whether legs are
# apart, and how far from each other and how wide legs are at least.
SOLE_SHARE = 0.012
SHANKS = (0.06, 0.1)
MIN_APART, MIN_LEG = 0.03, 0.025


class Area(NamedTuple):
  """Pixels of the search picture, a margin around them included.

  Attributes:
    row: of the first.
    column: of the first.
    mask: (h, w) bool.
    scale: working pixels a pixel of the search picture.
  """

  row: int
  column: int
  mask: np.ndarray
  scale: int

  def touches(self, left: float, right: float, top: float, bottom: float) -> bool:
    """Returns whether its box has something of another, in working pixels."""
    rows, columns = self.mask.shape
    return (
      self.scale * self.column < right
      and self.scale * (self.column + columns) > left
      and self.scale * self.row < bottom
      and self.scale * (self.row + rows) > top
    )


class Neighbour(NamedTuple):
  """Somebody else, or a part of somebody, in the window of a walker.

  Attributes:
    track: of them.
    area: their pixels, none of which is the walker's.
    is_person: whether they are so tall and so near that they may be taken for the walker.
  """

  track: list[Blob]
  area: Area
  is_person: bool


@dataclasses.dataclass(eq=False)
class Blob:
  """Person-sized foreground; columns and rows in working pixels.

  Attributes:
    frame: index of the frame.
    x: centre column of the upper body.
    top: first row.
    bottom: row after the last.
    left: first column of the upper body.
    right: column after the last of the upper body.
    lit_x: centre column of the upper body without soft shadows beside it; of clothes that could be
      a shadow themselves with them.
    is_cut: whether the picture's lower edge cuts the body, and not its shadow alone.
    is_head_cut: whether its upper edge cuts the body.
    head_width: columns over which the head reaches.
    feet_width: the same of the feet.
    legs_apart: whether two legs are seen beside each other a little above the lowest rows.
    lowest_leg: columns of the narrower of two legs that are beside each other in the lowest rows;
      0 where there are not two.
    changes: mean difference to the frame before, where the blob is; then the same in the following
      frames in which its track has no blob.
    neighbours: others who are in the same window.
    area: its pixels; None once it is known in whose window they are, as they take memory.
    meets: whether it is the last before its track meets another person's.
  """

  frame: int
  x: float
  top: float
  bottom: float
  left: float
  right: float
  lit_x: float
  is_cut: bool = False
  is_head_cut: bool = False
  head_width: float = 0.0
  feet_width: float = 0.0
  legs_apart: bool = False
  lowest_leg: float = 0.0
  changes: list[float] = dataclasses.field(default_factory=list)
  neighbours: list[Neighbour] = dataclasses.field(default_factory=list)
  area: Area | None = None
  meets: bool = False

  @property
  def height(self) -> float:
    """Number of rows."""
    return self.bottom - self.top


class _Body(NamedTuple):
  """A body within its component's box; rows and columns from the box's corner.

  Attributes:
    mask: (h, w) uint8 0 or 1, without what is too far to the side.
    centre: column of the upper body.
    top: first row.
    bottom: row after the last.
    left: first column of the upper body.
    right: column after the last of the upper body.
  """

  mask: np.ndarray
  centre: float
  top: int
  bottom: int
  left: int
  right: int


def find_blobs(
  frame_index: int,
  picture: np.ndarray,
  background: np.ndarray,
  threshold: float,
  scale: int = 1,
) -> list[Blob]:
  """Finds the person-sized connected foreground of a frame.

  Args:
    frame_index: index of the frame.
    picture: (H, W, 3) uint8, the frame's search picture.
    background: (H, W, 3) uint8, that of the background.
    threshold: gray levels of difference above which a pixel is foreground.
    scale: working pixels a pixel of the pictures.
  """
  difference = background_model.difference(picture, background)
  rows = difference.shape[0]
  foreground = (cv2.GaussianBlur(difference, (0, 0), rows / 360) > threshold).astype(np.uint8)
  mask = cv2.morphologyEx(foreground, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
  # Parts of a body that look like the background leave gaps, up to a leg long: join across them.
  high, wide = max(3, rows // 5), max(3, rows // 40)
  left, top, width, height = cv2.boundingRect(mask)  # what moves is a small part of the picture
  if not width:
    return []
  last_row, last_column = top + height + high, left + width + wide
  top, left = max(0, top - high), max(0, left - wide)
  box = slice(top, last_row), slice(left, last_column)
  mask, difference, picture, background = (p[box] for p in (mask, difference, picture, background))
  joined = cv2.dilate(mask, np.ones((high, wide), np.uint8))
  # Labels of 16 bits take half the time.
  count, labels, stats, _ = cv2.connectedComponentsWithStats(
    joined, connectivity=8, ltype=cv2.CV_16U
  )
  blobs = []
  for i in range(1, count):
    x0, y0, w, h = stats[i, :4]
    inside = slice(y0, y0 + h), slice(x0, x0 + w)
    is_here = labels[inside] == i
    body = _find_body(mask[inside] * is_here, MIN_HEIGHT * rows)
    if body is None:
      continue
    column, row = left + x0, top + y0
    whole = body.mask[body.top : body.bottom]
    blobs.append(
      Blob(
        frame=frame_index,
        x=scale * (column + body.centre),
        top=float(scale * (row + body.top)),
        bottom=float(scale * (row + body.bottom)),
        left=float(scale * (column + body.left)),
        right=float(scale * (column + body.right)),
        lit_x=scale * (column + _lit_centre(body, picture[inside], background[inside], threshold)),
        is_head_cut=row + body.top == 0,
        head_width=float(scale * _width(whole)),
        feet_width=float(scale * _width(whole[::-1])),
        legs_apart=_are_apart(whole),
        lowest_leg=float(scale * _lowest_leg(whole)),
        area=Area(int(row), int(column), is_here, scale),
        is_cut=row + body.bottom >= rows - 1 and _is_cut(body.mask, difference[inside]),
      )
    )
  return blobs


def _find_body(mask: np.ndarray, min_height: float) -> _Body | None:
  """Finds the body in a connected component, None where it has not the shape of one.

  Args:
    mask: (h, w) uint8 0 or 1, the component's foreground in its box, which is larger by the reach
      across gaps.
    min_height: rows.
  """
  h, w = mask.shape
  filled_rows = np.flatnonzero(mask.sum(1) >= 2)
  if h < min_height or len(filled_rows) == 0:
    return None
  tall = filled_rows[-1] + 1 - filled_rows[0]  # without the reach
  upper = mask[filled_rows[0] : filled_rows[0] + max(1, tall // 2)].sum(0)
  columns = np.arange(w) + 0.5
  centre = float((upper * columns).sum() / max(upper.sum(), 1))
  # A cast shadow may lie far to one side on the floor: a walker is as wide as a stride.
  mask = mask * (np.abs(columns - centre) < 0.5 * h)
  filled_rows = np.flatnonzero(mask.sum(1) >= 2)
  if len(filled_rows) == 0:
    return None
  # The upper body's: a shadow or a foot beyond the picture's edge moves neither centre nor size.
  narrowed = mask[filled_rows[0] : filled_rows[0] + max(1, tall // 2)].sum(0)
  filled_columns = np.flatnonzero(narrowed >= 0.04 * h)  # noise about a body is thinner
  if len(filled_columns) == 0:
    return None
  top, bottom = filled_rows[0], filled_rows[-1] + 1
  spread = np.sqrt((upper * (columns - centre) ** 2).sum() / max(upper.sum(), 1))
  # The upper body is upright (a rectangle's spread is 0.29 of its width) and no mere scatter.
  if (
    bottom - top < min_height or spread > 0.25 * h
    or float(mask.sum()) < 0.05 * h * (bottom - top)
  ):  # fmt: skip
    return None
  return _Body(mask, centre, top, bottom, filled_columns[0], filled_columns[-1] + 1)


def _width(mask: np.ndarray) -> int:
  """Returns over how many columns the first rows of a body's mask (h, w) reach."""
  columns = np.flatnonzero(mask[: max(1, round(END_SHARE * len(mask)))].sum(0) >= 2)
  return int(columns[-1] + 1 - columns[0]) if len(columns) else 0


def _are_apart(mask: np.ndarray) -> bool:
  """Returns whether there are two legs side by side at all of `SHANKS` of a body's mask (h, w)."""
  rows = len(mask)
  places = [rows - 1 - round(share * rows) for share in SHANKS]
  return all(len(_leg_widths(mask[row - 1 : row + 1], rows)) > 1 for row in places)


def _lowest_leg(mask: np.ndarray) -> int:
  """Returns the width of the narrower of two legs in the lowest rows of a body's mask (h, w)."""
  rows = len(mask)
  widths = _leg_widths(mask[-max(2, round(SOLE_SHARE * rows)) :], rows)
  return min(widths) if len(widths) > 1 else 0


def _leg_widths(part: np.ndarray, rows: int) -> list[int]:
  """Returns the columns of each leg in some rows (k, w) of a body of `rows` rows."""
  ends: list[list[int]] = []
  for start, stop in mask_runs.runs_of_true(np.asarray(part.any(0))):
    if ends and start - ends[-1][1] < MIN_APART * rows:
      ends[-1][1] = stop
    else:
      ends.append([start, stop])
  return [stop - start for start, stop in ends if stop - start >= MIN_LEG * rows]


def _is_cut(mask: np.ndarray, difference: np.ndarray) -> bool:
  """Returns whether what reaches the lower edge is body and no shadow.

  Args:
    mask: (h, w) 0 or 1, the body.
    difference: (h, w), to the background.
  """
  filled_rows = np.flatnonzero(mask.any(1))
  middle = filled_rows[len(filled_rows) // 2]
  body = difference[:middle][mask[:middle] > 0]
  edge = difference[filled_rows[-2] :][mask[filled_rows[-2] :] > 0]
  return bool(np.median(edge) > CUT_CONTRAST * np.median(body))


def _lit_centre(
  body: _Body, picture: np.ndarray, background: np.ndarray, threshold: float
) -> float:
  """Returns the centre column of the upper body without shadows, from the corner of the box.

  Args:
    body: in its box.
    picture: (h, w, 3) uint8, the box's part of the search picture.
    background: (h, w, 3) uint8, that of the background's.
    threshold: gray levels above which a pixel is foreground.
  """
  upper = slice(body.top, (body.top + body.bottom) // 2), slice(body.left, body.right)
  shaded = background_model.difference_to_shaded(picture[upper], background[upper])
  mask = body.mask[upper]
  columns = (mask * (shaded > threshold)).sum(0)
  if columns.sum() < LIT_SHARE * mask.sum():
    return body.centre
  return float(body.left + (columns * (np.arange(len(columns)) + 0.5)).sum() / columns.sum())
