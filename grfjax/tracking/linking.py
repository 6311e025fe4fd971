"""Foreground blobs of successive frames -> tracks of people, each of one person alone.

A blob is linked to the track that would be nearest by now. Where two people come together in one
blob their tracks end, and begin anew once they are apart: who is who cannot be told in between.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

MIN_HEIGHT = 0.12  # of the picture: smaller blobs are not a walker

MIN_TRAVEL = 0.5  # body heights a walker moves sideways; who moves less is a bystander

MIN_SECONDS = 0.5

MAX_GAP = 12  # frames without a blob after which a track is over

WAIT_S = 3.0  # of standing about are kept before a walk

USUAL_FRAMES = 60  # over which a track's usual size is taken

SPEED_FRAMES = 8  # over which its speed is

FPS = 60  # of a faster video, all these frames are so many times as many

# Body heights from a walker's centre to the sides of the window: who is nearer is in it as well.
BESIDE = 0.43

# Of a walker's height: what is smaller is part of somebody, or waves in the wind.
SAME_SIZE = 0.5

# Of a body's difference to the background: legs that the picture's lower edge cuts differ there as
# much as the body does, while a shadow fades out to its end (the darkest drawn ones to half).
CUT = 0.75


@dataclasses.dataclass(eq=False)
class Blob:
  """Person-sized foreground; columns and rows in working pixels.

  Attributes:
    frame: in which.
    x: centre column of the upper body.
    top: first row.
    bottom: after the last.
    left: of the upper body.
    right: of the upper body.
    area: pixels of the searched picture.
    cut: the picture's lower edge cuts the body, and not its shadow alone.
    change: mean difference there to the frame before; then the same in the frames after it in which
      the track has no blob.
    beside: tracks of others who are in the same window.
  """

  frame: int
  x: float
  top: float
  bottom: float
  left: float
  right: float
  area: float
  cut: bool = False
  change: list[float] = dataclasses.field(default_factory=list)
  beside: list[list[Blob]] = dataclasses.field(default_factory=list)

  @property
  def tall(self) -> float:
    """Rows."""
    return self.bottom - self.top


def blobs(frame_index: int, diff: np.ndarray, threshold: float, scale: int = 1) -> list[Blob]:
  """Person-sized connected foreground; places are multiplied by `scale`."""
  rows = diff.shape[0]
  over = (cv2.GaussianBlur(diff, (0, 0), rows / 360) > threshold).astype(np.uint8)
  mask = cv2.morphologyEx(over, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
  # Parts of a body that look like the background leave gaps, up to a leg long: join across them.
  reach = np.ones((max(3, rows // 5), max(3, rows // 40)), np.uint8)
  joined = cv2.dilate(mask, reach)
  left, up, width, height = cv2.boundingRect(joined)  # what moves is a small part of the picture
  if not width:
    return []
  box = slice(up, up + height), slice(left, left + width)
  mask, diff = mask[box], diff[box]
  count, label, stats, _ = cv2.connectedComponentsWithStats(joined[box], connectivity=8)
  found = []
  for i in range(1, count):
    x0, y0, w, h = stats[i, :4]
    if h < MIN_HEIGHT * rows:
      continue
    part = mask[y0 : y0 + h, x0 : x0 + w] * (label[y0 : y0 + h, x0 : x0 + w] == i)
    in_rows = np.flatnonzero(part.sum(1) >= 2)
    if len(in_rows) == 0:
      continue
    tall = in_rows[-1] + 1 - in_rows[0]  # without the reach
    upper = part[in_rows[0] : in_rows[0] + max(1, tall // 2)].sum(0)
    columns = np.arange(w) + 0.5
    centre = float((upper * columns).sum() / max(upper.sum(), 1))
    # A cast shadow may lie far to one side on the floor: a walker is as wide as a stride.
    part = part * (np.abs(columns - centre) < 0.5 * h)
    in_rows = np.flatnonzero(part.sum(1) >= 2)
    if len(in_rows) == 0:
      continue
    # The upper body's: a shadow or a foot beyond the picture's edge moves neither centre nor size.
    body = part[in_rows[0] : in_rows[0] + max(1, tall // 2)].sum(0)
    in_columns = np.flatnonzero(body >= 0.04 * h)  # noise about a body is thinner
    if len(in_columns) == 0:
      continue
    top, bottom = in_rows[0], in_rows[-1] + 1
    spread = np.sqrt((upper * (columns - centre) ** 2).sum() / max(upper.sum(), 1))
    area = float(part.sum())
    # The upper body is upright (a rectangle's spread is 0.29 of its width) and no mere scatter.
    if bottom - top < MIN_HEIGHT * rows or spread > 0.25 * h or area < 0.05 * h * (bottom - top):
      continue
    inside = slice(y0, y0 + h), slice(x0, x0 + w)
    found.append(
      Blob(
        frame_index, scale * (left + x0 + centre), float(scale * (up + y0 + top)),
        float(scale * (up + y0 + bottom)), float(scale * (left + x0 + in_columns[0])),
        float(scale * (left + x0 + in_columns[-1] + 1)), area,
        up + y0 + bottom >= rows - 1 and _is_cut(part, diff[inside]),
      )
    )  # fmt: skip
  return found


def _is_cut(part: np.ndarray, diff: np.ndarray) -> bool:
  """Whether what reaches the lower edge is body; part (h, w) 0 or 1, diff (h, w) differences."""
  in_rows = np.flatnonzero(part.any(1))
  middle = in_rows[len(in_rows) // 2]
  body = diff[:middle][part[:middle] > 0]
  edge = diff[in_rows[-2] :][part[in_rows[-2] :] > 0]
  return bool(np.median(edge) > CUT * np.median(body))


class Linker:
  """Joins blobs of successive frames into tracks: nearest to where the track would be next.

  Attributes:
    live: the tracks that are not over.
    together: (first frame, last) in which two people are one blob.
  """

  def __init__(self, fps: float):
    self._fps = fps
    self._more = max(1, round(fps / FPS))
    self._pairs: list[Blob] = []  # two people each, as last seen
    self.live: list[list[Blob]] = []
    self.together: list[tuple[int, int]] = []

  def add(self, frame: int, here: list[Blob]) -> list[list[Blob]]:
    """Takes the blobs of the next frame; returns the tracks that are over."""
    here = self._without_pairs(frame, here)
    due = [self._due(track, frame) for track in self.live]
    size = [usual_size(track[-self._more * USUAL_FRAMES :]) for track in self.live]
    pairs = []
    for t in range(len(self.live)):
      for b, blob in enumerate(here):
        miss = abs(due[t] - blob.x)
        # Parts of a walker may melt into the wall for a while: their usual size counts.
        if miss < 0.25 * size[t] and 0.6 < blob.tall / size[t] < 1.6:
          pairs.append((miss, t, b))
    mine: dict[int, int] = {}
    for _, t, b in sorted(pairs):
      if t not in mine and b not in mine.values():
        mine[t] = b
    over: list[list[Blob]] = []
    gone: set[int] = set()  # tracks that end here
    shared: set[int] = set()  # blobs of two people
    for b, blob in enumerate(here):
      inside = [
        t for t, track in enumerate(self.live)
        if t not in gone and mine.get(t, b) == b and self.is_person(track)
        and _holds(blob, due[t], track[-1], size[t])
      ]  # fmt: skip
      sizes = [size[t] for t in inside]
      if len(inside) > 1 and min(sizes) > SAME_SIZE * max(sizes):
        apart = min(self.live[t][-1].frame for t in inside)
        over += [[blob for blob in self.live[t] if blob.frame <= apart] for t in inside]
        gone.update(inside)
        shared.add(b)
        self._pairs.append(blob)
        self._note(apart + 1, frame)
    for t, b in mine.items():
      if t not in gone:
        self.live[t].append(here[b])
    new = set(range(len(here))) - shared - set(mine.values())
    self.live = [track for t, track in enumerate(self.live) if t not in gone]
    self.live += [[here[b]] for b in sorted(new)]
    self._look_beside(frame)
    last = frame - self._more * MAX_GAP
    over += [track for track in self.live if track[-1].frame < last]
    self.live = [track for track in self.live if track[-1].frame >= last]
    for track in self.live:
      while track[-1].frame - track[0].frame > WAIT_S * self._fps and travel(track) < MIN_TRAVEL:
        del track[0]
    return over

  def is_person(self, track: list[Blob]) -> bool:
    """Whether it lasts as long as nothing else does."""
    return track[-1].frame - track[0].frame >= MIN_SECONDS * self._fps - 1

  def _due(self, track: list[Blob], frame: int) -> float:
    """The column where it would be in that frame."""
    last, past = track[-1], track[max(0, len(track) - 1 - self._more * SPEED_FRAMES)]
    speed = (last.x - past.x) / max(last.frame - past.frame, 1)
    return last.x + speed * (frame - last.frame)

  def _without_pairs(self, frame: int, here: list[Blob]) -> list[Blob]:
    """The blobs that are not two people still."""
    still: list[Blob] = []
    for pair in self._pairs:
      inside = [b for b in here if abs(b.x - pair.x) < (pair.right - pair.left) / 2 + 0.25 * b.tall]
      if len(inside) == 1:
        self._note(pair.frame, frame)
        still += inside
        here = [b for b in here if b is not inside[0]]
      elif not inside and frame - pair.frame <= self._more * MAX_GAP:
        still.append(pair)
      elif inside:  # apart again
        self._note(pair.frame, frame - 1)
    self._pairs = still
    return here

  def _note(self, first: int, last: int) -> None:
    if self.together and first <= self.together[-1][1] + 1:
      start = min(first, self.together[-1][0])
      self.together[-1] = (start, max(last, self.together[-1][1]))
    else:
      self.together.append((first, last))

  def _look_beside(self, frame: int) -> None:
    seen = [track for track in self.live if track[-1].frame == frame]
    for one in seen:
      a = one[-1]
      for other in seen:
        b = other[-1]
        aside = BESIDE * a.tall
        if (
          other is not one and b.tall > SAME_SIZE * a.tall
          and b.left < a.x + aside and b.right > a.x - aside
          and b.top < a.bottom and b.bottom > a.top
        ):  # fmt: skip
          a.beside.append(other)


def _holds(blob: Blob, x: float, last: Blob, size: float) -> bool:
  """Whether who was last seen as another blob, and is due at column x, is within this one."""
  aside = 0.1 * size
  return (
    blob.left - aside < x < blob.right + aside and blob.top < last.bottom and blob.bottom > last.top
  )


def usual_size(track: list[Blob]) -> float:
  """Median height."""
  return float(np.median([b.tall for b in track]))


def travel(track: list[Blob]) -> float:
  """How far it goes across the picture, in body heights."""
  # The size is the middle's: the picture's edges cut who comes and goes.
  middle = len(track) // 2
  around = track[max(0, middle - USUAL_FRAMES // 2) : middle + USUAL_FRAMES // 2 + 1]
  return abs(track[-1].x - track[0].x) / usual_size(around)
