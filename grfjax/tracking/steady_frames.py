"""A video's frames as a camera that stands still, in light that does not change, would show them.

Some frames spread over the video tell whether the camera moves and the light changes. If neither
does, the frames come out as they are. Otherwise each is aligned with the background, moved to where
the background lies and brought to its brightness. Moving a whole frame is what costs most: at once
this is done to the reduced picture alone in which walkers are searched for, and to the frame itself
only where it is asked for.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from grfjax.io import cores, progress, working_frames
from grfjax.tracking import alignment, background_model, film_cuts, medians

ROUNDS = 3  # of aligning the sample and taking its median anew; more while that helps
MOST_ROUNDS = 6
HELPS = 0.98  # what is left of the edges' errors over the round before

# Most that is left of the edges' errors in a sample that moves, once it is aligned, over what they
# are unaligned: of cameras that stand still 0.89 and more was found, of moving ones at most 0.86.
MOVING_RATIO = 0.875
NOT_MOVING_RATIO = 0.955  # after the first round; then there are no others
TURNING_RATIO = 0.97  # the same where the camera turns too, over where it is only shifted
LIGHT_CHANGE = 2.5  # gray levels of the background's mean; smaller changes are left alone
SAME_LIGHT = 8  # frames after which brightness is compared again where the light does not change
MIN_FIT = 0.55  # a frame is lost with less than so much of the sample's median fit
MAX_CANVAS = 0.5  # of a side, that the frames together may reach beyond one of them


@dataclasses.dataclass(frozen=True)
class _Canvas:
  """The picture that holds all frames where the background lies.

  Attributes:
    left: columns before the background's first.
    top: rows before its first.
    width: columns.
    height: rows.
  """

  left: int
  top: int
  width: int
  height: int

  def to_background(self) -> np.ndarray:
    """Returns the homography (3, 3) from the canvas's pixels to the background's."""
    return _shift(-self.left, -self.top)


class Box(NamedTuple):
  """A part of a picture, in whole pixels."""

  left: int
  top: int
  width: int
  height: int

  @property
  def rows(self) -> slice:
    """The part's rows."""
    return slice(self.top, self.top + self.height)

  @property
  def columns(self) -> slice:
    """The part's columns."""
    return slice(self.left, self.left + self.width)


class SearchFrame(NamedTuple):
  """A frame and what is searched in it.

  Attributes:
    picture: (h, w, 3) uint8, the frame's search picture (`background_model`), held still.
    filmed: (H, W, 3) uint8, the frame as it was filmed, of which `SteadyFrames.part` holds a part
      still.
    small: the frame as it was filmed, as of `film_cuts.small_picture`.
  """

  picture: np.ndarray
  filmed: np.ndarray
  small: np.ndarray


class SteadyFrames:
  """The frames of a video, held still; as they are where the camera and the light are still.

  Attributes:
    moves: whether the camera moves.
    light_changes: whether the light changes.
    lost: numbers of the frames looked at so far of which it cannot be told how the camera stood.
    everything: the whole picture that holds all frames where the background lies.
  """

  def __init__(self, frames: background_model.Frames):
    """Looks at some of the frames.

    Args:
      frames: as they were filmed.
    """
    self._frames = frames
    self._alignments: list[alignment.Alignment] = []
    self._aligning = threading.Lock()
    self.lost: list[int] = []
    sample = frames.sample(background_model.BACKGROUND_FRAMES)
    found = _align_sample([_picture(frame) for frame in sample])
    self._colour: int | None = None
    if found.holds and not (found.moves and _is_told(found)):
      found, self._colour = _better_in_colour(sample, found)
    background, aligned = found.background, found.aligned
    self._shape = background.shape
    self.moves = found.moves
    self.light_changes = bool(np.ptp([_level(a, background) for a in aligned]) > 2 * LIGHT_CHANGE)
    self.everything = Box(0, 0, self._shape[1], self._shape[0])
    if not self.is_changed:
      self._sample = sample
      return
    self._first = aligned[0].homography  # a sample begins with the film's first frame
    usual_fit = float(np.median([a.fit for a in aligned]))
    self._aligner = alignment.Aligner(
      background, turns=found.turns, usual_fit=usual_fit, holds=found.holds,
      usual_sd=float(np.percentile([a.sd.max() for a in aligned], 25)),
    )  # fmt: skip
    # The force is in how the walker goes up and down: that of the camera must be told.
    self._is_untold = self.moves and not _is_told(found)
    self._min_fit = MIN_FIT * usual_fit
    self._canvas = _canvas([a.homography for a in aligned], self._shape)
    self.everything = Box(0, 0, self._canvas.width, self._canvas.height)
    shape = (self._canvas.height, self._canvas.width, 3)
    halves = [np.full(shape, fill, np.uint8) for fill in (0, 255)]
    moved = [self._moved(f, a, self.everything) for f, a in zip(sample, aligned, strict=True)]
    # What a frame does not show is taken for dark and for bright by turns, so that the median of
    # the others stays.
    self._background = background_model.median_picture(
      [_completed(picture, halves[k % 2]) for k, picture in enumerate(moved)]
    )
    self._reduced_background = _with_fourth(background_model.reduced(self._background))
    self._sample = [_completed(picture, self._background) for picture in moved]

  @property
  def is_changed(self) -> bool:
    """Whether frames come out otherwise than they were filmed."""
    return self.moves or self.light_changes

  def sample(self, count: int) -> list[np.ndarray]:
    """Returns at most `count` of the sampled frames, held still."""
    return self._sample[:: -(-len(self._sample) // count)]

  def __iter__(self) -> Iterator[np.ndarray]:
    """Yields each whole frame, held still, (H, W, 3) uint8 RGB, as of `for_search`."""
    for number, frame in enumerate(self.for_search()):
      yield self.part(number, frame.filmed, self.everything)

  def for_search(self) -> Iterator[SearchFrame]:
    """Yields each frame and its search picture, held still; a lost one as the one before it lay."""
    if self.is_changed:
      yield from working_frames.decoded_ahead(self._searched(), working_frames.WORKING_AHEAD)
    else:
      for frame in self._frames:
        reduced = background_model.reduced(frame)
        picture = background_model.smoothed(reduced)
        yield SearchFrame(picture, frame, film_cuts.small_picture(reduced))

  def filmed(self) -> Iterator[np.ndarray]:
    """Yields each frame as it was filmed, (H, W, 3) uint8 RGB."""
    return iter(self._frames)

  def part(
    self, number: int, filmed: np.ndarray, box: Box, *, to_be_averaged: bool = False
  ) -> np.ndarray:
    """Returns a part of a frame, held still, (height, width, 3) uint8.

    Args:
      number: of a frame that has been iterated over.
      filmed: the frame as it was filmed.
      box: the part, in pixels held still.
      to_be_averaged: whether what comes of it is the mean of squares of some pixels; then it is
        moved by linear interpolation, several times as quickly.
    """
    if not self.is_changed:
      return filmed if box == self.everything else filmed[box.rows, box.columns]
    moved = self._moved(filmed, self._alignments[number], box, is_linear=to_be_averaged)
    return _completed(moved, self._background[box.rows, box.columns])

  def _searched(self) -> Iterator[SearchFrame]:
    for number, frame in enumerate(self._frames):
      with self._aligning:  # another pass may be at the same frame
        if number == len(self._alignments):
          self._align(number, frame)
      picture = self._search_picture(frame, self._alignments[number])
      yield SearchFrame(picture, frame, film_cuts.small_picture(frame))

  def to_filmed(self, number: int) -> np.ndarray:
    """Returns the homography (3, 3) from a frame's held still pixels to those it was filmed with.

    Args:
      number: of a frame that has been iterated over.
    """
    if not self.is_changed:
      return np.eye(3)
    return self._alignments[number].homography @ self._canvas.to_background()

  def sides(self, number: int) -> tuple[float, float]:
    """Returns the columns held still at which a frame that has been iterated over ends."""
    if not self.moves:
      return 0.0, float(self._shape[1])
    x, _ = _corners(self.to_filmed(number), self._shape)
    return float(x[:2].max()), float(x[2:].min())

  def _align(self, number: int, frame: np.ndarray) -> None:
    """Finds how the next frame lies, and notes whether it is lost."""
    before = self._alignments[-1].homography if self._alignments else self._first
    picture = _picture(frame, self._colour)
    if self.moves and not self._alignments:
      found = self._aligner.align(picture, before)
    elif self.moves:
      expected = self._expected(before)
      found = self._aligner.follow(
        picture, self._alignments[-1], expected, light_changes=self.light_changes,
        is_light_old=number % SAME_LIGHT == 0,
      )  # fmt: skip
    else:
      found = self._aligner.without_motion(picture)
    if self._is_untold or found.fit < self._min_fit:
      self.lost.append(number)
      found = dataclasses.replace(found, homography=before)
    self._alignments.append(found)

  def _expected(self, before: np.ndarray) -> np.ndarray:
    """Returns where the next frame lies if the camera goes on as it went between the last two."""
    expected = before.copy()
    if len(self._alignments) > 1:
      expected[:2, 2] += before[:2, 2] - self._alignments[-2].homography[:2, 2]
    return expected

  def _moved(
    self, frame: np.ndarray, found: alignment.Alignment, box: Box, *, is_linear: bool = False
  ) -> _Moved:
    """Returns a part of a frame where the background lies.

    Args:
      frame: (h, w, 3) uint8.
      found: how it lies.
      box: the part.
      is_linear: whether it is interpolated linearly, not by cubic functions.
    """
    if not self.moves:
      return _Moved(self._relit(frame[box.rows, box.columns], found), None)
    frame = self._relit(frame, found)
    to_filmed = found.homography @ self._canvas.to_background() @ _shift(box.left, box.top)
    size = box.width, box.height
    if not is_linear:
      return _moved(frame, to_filmed, size, cv2.INTER_CUBIC)
    moved = _moved(_with_fourth(frame), to_filmed, size, cv2.INTER_LINEAR)
    return moved._replace(picture=cv2.cvtColor(moved.picture, cv2.COLOR_RGBA2RGB))

  def _search_picture(self, frame: np.ndarray, found: alignment.Alignment) -> np.ndarray:
    """Returns the search picture of a frame where the background lies.

    It is moved and reduced at once: each of its pixels is the mean of a square of the frame's,
    interpolated linearly.
    """
    size = background_model.search_reduction(self._canvas.height)
    if not self.moves or size == 1:
      moved = self._moved(frame, found, self.everything)
      return background_model.search_picture(_completed(moved, self._background))
    frame = _with_fourth(self._relit(frame, found))
    means = cv2.blur(frame, (size, size), anchor=(0, 0))  # of the square whose first pixel it is
    middle = (size - 1) / 2
    to_whole = np.array([[size, 0, middle], [0, size, middle], [0, 0, 1.0]])
    to_filmed = found.homography @ self._canvas.to_background() @ to_whole
    height, width = self._reduced_background.shape[:2]
    moved = _moved(means, _shift(-middle, -middle) @ to_filmed, (width, height), cv2.INTER_LINEAR)
    picture = cv2.cvtColor(_completed(moved, self._reduced_background), cv2.COLOR_RGBA2RGB)
    return background_model.smoothed(picture)

  def _relit(self, frame: np.ndarray, found: alignment.Alignment) -> np.ndarray:
    """Returns a frame with the background's brightness."""
    if not self.light_changes:
      return frame
    levels = (np.arange(256) - found.offset) / found.gain
    return cv2.LUT(frame, np.clip(np.round(levels), 0, 255).astype(np.uint8))


def _with_fourth(picture: np.ndarray) -> np.ndarray:
  """Returns a picture with a fourth colour: OpenCV interpolates four linearly faster than three."""
  return cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA)


def _shift(right: float, down: float) -> np.ndarray:
  """Returns the homography (3, 3) that moves places."""
  return np.array([[1, 0, right], [0, 1, down], [0, 0, 1.0]])


class _Moved(NamedTuple):
  """A part of a picture elsewhere.

  Attributes:
    picture: (H, W, C) uint8.
    shown: (H, W) uint8, 1 where the picture that is moved reaches; None where it does everywhere.
  """

  picture: np.ndarray
  shown: np.ndarray | None


def _moved(
  picture: np.ndarray, to_picture: np.ndarray, size: tuple[int, int], interpolation: int
) -> _Moved:
  """Returns a picture elsewhere.

  Args:
    picture: (h, w, C) uint8.
    to_picture: (3, 3) homography to its pixels from those of the result.
    size: columns and rows of the result.
    interpolation: OpenCV's.
  """
  # Not BORDER_TRANSPARENT: it mixes the picture's last two pixels with what is at other places.
  moved = cv2.warpPerspective(
    picture, to_picture, size, flags=interpolation | cv2.WARP_INVERSE_MAP,
    borderMode=cv2.BORDER_REPLICATE,
  )  # fmt: skip
  rows, columns = picture.shape[:2]
  x, y = np.array(_corners(to_picture, (rows - 1, columns - 1)))[:, [0, 1, 3, 2]]
  shown = np.zeros(moved.shape[:2], np.uint8)
  cv2.fillConvexPoly(shown, np.round(np.stack([x, y], 1)).astype(np.int32), 1)
  return _Moved(moved, None if shown.all() else shown)


def _completed(moved: _Moved, beyond: np.ndarray) -> np.ndarray:
  """Returns a picture that is moved, and what lies beyond it, (H, W, C) uint8 each."""
  if moved.shown is None:
    return moved.picture
  return cv2.copyTo(moved.picture, moved.shown, beyond.copy())


class _Sample(NamedTuple):
  """How the sampled frames lie.

  Attributes:
    background: (H, W) in gray levels.
    aligned: how each lies on it.
    moves: whether the camera moves.
    turns: whether it turns.
    holds: whether the background does not tell the shift along one direction.
  """

  background: np.ndarray
  aligned: list[alignment.Alignment]
  moves: bool = False
  turns: bool = False
  holds: bool = False


class _Round(NamedTuple):
  """What a round of aligning comes to.

  Attributes:
    aligned: how each frame lies.
    background: (H, W), the median of the frames that lie so.
    ratio: what is left of the edges' errors over what they are if the camera stands still.
    aligner: with that background.
  """

  aligned: list[alignment.Alignment]
  background: np.ndarray
  ratio: float
  aligner: alignment.Aligner


def _align_sample(pictures: list[alignment.Picture]) -> _Sample:
  """Aligns some frames with their common background."""
  still = _median(pictures, _still_alignments(pictures, pictures[len(pictures) // 2].gray))
  unmoved = _still_alignments(pictures, still)
  best = _best_round(pictures, still, unmoved, None)
  holds = float(np.median([a.sd.max() for a in best.aligned])) > _max_sd(still.shape)
  if best.ratio <= MOVING_RATIO and holds:
    best = _best_round(pictures, still, unmoved, None, holds=True)
  if best.ratio > MOVING_RATIO:
    return _Sample(still, unmoved, holds=holds)
  turned = _best_round(pictures, still, unmoved, best.aligned, turns=True, holds=holds)
  # Few edges fit better if the camera may turn, too, and yet do not tell how.
  turns = turned.ratio < TURNING_RATIO * best.ratio and _are_agreed(pictures, turned)
  if turns:
    best = turned
  return _Sample(best.background, best.aligned, True, turns, holds)


def _better_in_colour(sample: list[np.ndarray], found: _Sample) -> tuple[_Sample, int | None]:
  """Aligns frames by the colour that shows most, where a wall and a floor are equally bright.

  Args:
    sample: (H, W, 3) uint8 each.
    found: what their gray levels tell.

  Returns:
    What that colour tells, and which it is; `found` and None if it tells no more.
  """
  background = background_model.median_picture(sample)
  steepness = [cv2.Sobel(c, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8) for c in cv2.split(background)]
  colour = int(np.argmax([np.square(s).sum() for s in steepness]))
  other = _align_sample([_picture(frame, colour) for frame in sample])
  return (other, colour) if other.moves and _is_told(other) else (found, None)


def _is_told(found: _Sample) -> bool:
  """Returns whether it is known how far up and down half of the frames lie."""
  return float(np.median([a.sd[1] for a in found.aligned])) < _max_sd(found.background.shape)


def _are_agreed(pictures: list[alignment.Picture], found: _Round) -> bool:
  """Returns whether two halves of the edges tell the same shifts of most frames."""
  apart = list(map(found.aligner.disagreement, pictures, found.aligned))
  sd = 1.4826 * np.median(np.abs(apart), 0) / 2  # of the mean of both
  return bool(sd.max() < _max_sd(found.background.shape))


def _max_sd(shape: tuple[int, ...]) -> float:
  """Returns the most that a shift's standard deviation may be, in pixels, by a picture's shape."""
  return alignment.MAX_SD * shape[0] / 360


def _best_round(
  pictures: list[alignment.Picture],
  still: np.ndarray,
  unmoved: list[alignment.Alignment],
  start: list[alignment.Alignment] | None,
  *,
  turns: bool = False,
  holds: bool = False,
) -> _Round:
  """Aligns pictures and takes their median by turns.

  Args:
    pictures: of some frames.
    still: their median (H, W) unaligned.
    unmoved: how they lie on that if the camera stands still.
    start: alignments to begin with; None: unaligned.
    turns: whether the camera may turn.
    holds: whether the background does not tell the shift along one direction.

  Returns:
    The best round.
  """
  guesses = [a.homography for a in start] if start else [np.eye(3)] * len(pictures)
  background = _median(pictures, start) if start else still
  aligner = alignment.Aligner(background, turns=turns, holds=holds)
  best = _Round(start or [], still, np.inf, aligner)
  for number in range(MOST_ROUNDS):
    aligned = list(map(aligner.align, pictures, guesses))
    guesses = [a.homography for a in aligned]
    progress.report(progress.STEADY, (number + 1 + MOST_ROUNDS * turns) / (2 * MOST_ROUNDS))
    background = _median(pictures, aligned)
    aligner = alignment.Aligner(background, turns=turns, holds=holds)
    ratio = _error_ratio(pictures, still, unmoved, aligner, aligned)
    helps = ratio < HELPS * best.ratio
    if ratio < best.ratio:
      best = _Round(aligned, background, ratio, aligner)
    if start is None and best.ratio > NOT_MOVING_RATIO:
      break  # far from moving: more rounds would only take time
    if number + 1 >= ROUNDS and not helps:
      break
  return best


def _median(pictures: list[alignment.Picture], aligned: list[alignment.Alignment]) -> np.ndarray:
  """Returns the median (H, W) of pictures, moved and brought to the same brightness."""

  def moved(picture: alignment.Picture, found: alignment.Alignment) -> np.ndarray:
    gray = picture.gray
    where = cv2.warpPerspective(
      gray, found.homography, gray.shape[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
      borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return (where - found.offset) / found.gain

  # To align is too many short steps for threads, which would wait for Python's lock; this is not.
  with concurrent.futures.ThreadPoolExecutor(cores.usable_cores()) as pool:
    return medians.median_picture(list(pool.map(moved, pictures, aligned)))


def _error_ratio(
  pictures: list[alignment.Picture],
  still: np.ndarray,
  unmoved: list[alignment.Alignment],
  aligner: alignment.Aligner,
  aligned: list[alignment.Alignment],
) -> float:
  """Returns the mean error of the background's edges, aligned over unaligned."""
  if not aligner.has_edges:
    return 1.0
  left = sum(map(aligner.error, pictures, aligned))
  before = sum(map(aligner.with_gray_of(still).error, pictures, unmoved))
  return float(left / max(before, 1e-6))


def _still_alignments(
  pictures: list[alignment.Picture], background: np.ndarray
) -> list[alignment.Alignment]:
  """Returns how the frames lie if the camera stands still."""
  return list(map(alignment.Aligner(background, turns=False).without_motion, pictures))


def _level(found: alignment.Alignment, background: np.ndarray) -> float:
  """Returns the mean gray level of the background as a frame shows it."""
  return found.gain * float(background.mean()) + found.offset


def _canvas(homographies: list[np.ndarray], shape: tuple[int, int]) -> _Canvas:
  """Returns the canvas that holds all frames, but for what is far off.

  Args:
    homographies: from the background's pixels to each frame's.
    shape: (H, W) of a frame.
  """
  height, width = shape
  x, y = np.stack([_corners(h, shape) for h in homographies], 1)
  left, right, top, bottom = (
    int(np.clip(np.ceil(reach), 0, MAX_CANVAS * side))
    for reach, side in (
      (-x.min(), width), (x.max() - width, width), (-y.min(), height), (y.max() - height, height),
    )
  )  # fmt: skip
  return _Canvas(left, top, width + left + right, height + top + bottom)


def _corners(to_filmed: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
  """Returns where the corners of a filmed picture lie, held still.

  Args:
    to_filmed: (3, 3) homography to the filmed picture's pixels.
    shape: (H, W) of the picture.

  Returns:
    (2, 4) columns and rows of the corners at the left, then of those at the right.
  """
  height, width = shape
  corners = np.array([[0, 0, width, width], [0, height, 0, height], [1, 1, 1, 1.0]])
  x, y, depth = np.linalg.solve(to_filmed, corners)
  return np.stack([x, y]) / depth


def _picture(frame: np.ndarray, colour: int | None = None) -> alignment.Picture:
  """Returns the gray levels of a frame, or those of one of its colours."""
  gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) if colour is None else frame[..., colour]
  return alignment.Picture(gray.astype(np.float32))
