"""How a picture lies on the background, and how much brighter it is.

The camera's motion is a homography. It is found by Gauss-Newton steps on the gray values of the
background's strongest edges, in a reduced picture and then in the whole one (inverse compositional
alignment; Baker and Matthews, IJCV 56, 2004). Tukey's weights leave out who walks before the
background; of the steps from far off they are wide at first, so that a sharp edge is not left out
because it is still some pixels away. Where the background has no pattern a weak prior holds: hands
turn and tilt a camera by less than they move it, and not far from one picture to the next.

A wall without an upright edge does not tell how far the picture lies to the side. What little its
gray values seem to tell comes from noise and compression, which stand still in the picture. How
well a shift is known is therefore judged by clear edges alone. If it is not along one direction,
it is held there where it is expected, and only the other is measured.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import NamedTuple

import cv2
import numpy as np

from grfjax.tracking import medians

REDUCTIONS = (4, 1)  # of the pictures that are compared, one after the other
SMOOTHING = 0.8  # sigma in pixels of the whole picture
CELL = 16  # side of a cell, pixels of the whole picture
EDGES_PER_CELL = 8  # the pixels with the steepest gray values of a cell are compared
MIN_EDGE = 0.7  # gray levels a pixel
MIN_EDGE_OVER_NOISE = 1.2  # the same, over the standard deviation of the picture's noise
BORDER = 1 / 40  # of the rows; what lies nearer to the sides is not compared
MAX_STEPS = 30  # at each reduction
LAST_STEPS = (0.1, 0.003)  # whole pixels, at each reduction: a step that is smaller is the last
NEAR = 1.0  # pixels of 360 rows: if a picture lies so near to where it is expected, that is it
TUKEY = 4.685  # over the residuals' standard deviation (Holland and Welsch, 1977)
MIN_SD = 1.0  # gray levels of the residuals
WIDE_SD = 20.0  # the same, at least, at the first step from far off; half of it at each step after
BRIGHTNESS_ERROR = 2.0  # gray levels, by which all edges may differ from the brightness found
CLEAR_EDGE = 2.0  # gray levels a pixel: block patterns of compression are less steep
MAX_SD = 0.15  # pixels of 360 rows: a shift that is known no better is not measured
LESS_KNOWN = 3.0  # over what is usual: then edges are left out that should not be

# Standard deviation of a shift that is not measured, pixels of 360 rows: how far hands shake a
# camera faster than somebody steps. What is slower is no acceleration to speak of.
UNMEASURED_SD = 1.5

MAX_EDGES = 4000  # more of them cost time and tell little
MEDIAN_OF = 1000  # errors, whose middle and spread are wanted; more of them tell little

# Standard deviations of the priors, pixels of 360 rows at the picture's sides: of turning, tilting
# and zooming, and of any motion from where the picture is looked for.
SHAPE_SD, GUESS_SD = 0.5, 2.0
NO_SHAPE_SD = 1e-4  # of a camera that is taken to turn, tilt and zoom no more than can be seen

LIGHT_REDUCTION = 8  # of the pictures whose brightness is compared, as the noise averages out
LIGHT_STEPS = 8
LAST_GAIN_STEP, LAST_LEVEL_STEP = 1e-5, 1e-3  # what is smaller is the last
GAIN_SD = 0.05  # prior of the contrast, which a plain wall does not show
MAX_SHIFT = 0.25  # of the picture's sides: what lies further off is not the background
FIT_LEVELS = 6.0  # gray levels: edges that differ by more do not fit
GOOD_FIT = 0.6  # with this the picture is not looked for elsewhere
GOOD_RELATIVE_FIT = 0.9  # the same over the fit that is usual, where that is lower
MIN_BETTER = 0.05  # by which it must fit better elsewhere
MAX_JUMP = 0.2  # of the rows, from the picture before or from the background's place
MOST_ERROR = 20.0  # gray levels: an edge that is hidden tells no more than this
MIN_PIXELS = 20  # fewer edges tell nothing


@dataclasses.dataclass(frozen=True)
class Alignment:
  """How a picture lies on the background.

  Attributes:
    homography: (3, 3) from the background's pixels (column, row, 1) to the picture's.
    gain: the picture's contrast over the background's.
    offset: gray levels that the picture is brighter by, besides.
    fit: share of the background's edges that are found in the picture, 0 to 1.
    sd: (2,) standard deviations of the shift (right, down), pixels.
    is_held: whether the shift along one direction could not be measured, and is as expected.
  """

  homography: np.ndarray
  gain: float
  offset: float
  fit: float
  sd: np.ndarray
  is_held: bool = False


class Picture:
  """A picture that is aligned, and what is made of it once, however often that is done.

  Attributes:
    gray: (H, W) float32 gray levels.
  """

  def __init__(self, gray: np.ndarray):
    self.gray = gray
    self._reduced: dict[int, np.ndarray] = {}

  def reduced(self, reduction: int) -> np.ndarray:
    """Returns the picture with its sides divided by so much; by 1 it is smoothed: float32."""
    if reduction not in self._reduced:
      self._reduced[reduction] = _reduced(self.gray, reduction)
    return self._reduced[reduction]


class Aligner:
  """Aligns pictures with a background."""

  def __init__(
    self,
    background: np.ndarray,
    *,
    turns: bool,
    usual_fit: float = 1.0,
    usual_sd: float = np.inf,
    holds: bool = False,
  ):
    """Chooses the edges that are compared.

    Args:
      background: (H, W) float32 gray levels.
      turns: whether the camera may turn, tilt and zoom, and not only shift the picture. Where the
        background has little pattern, the shift alone is found more exactly.
      usual_fit: of pictures that are well aligned.
      usual_sd: of their shifts, in pixels, along the direction in which it is larger.
      holds: whether the background does not tell the shift along one direction, which is then held
        in all pictures. The camera may then turn about its axis, but not tilt or zoom, which the
        same background does not tell either.
    """
    self._background = background
    self._free = _free_numbers(turns, holds)
    self._good_fit = min(GOOD_FIT, GOOD_RELATIVE_FIT * usual_fit)
    self._good_sd = np.inf if holds else LESS_KNOWN * usual_sd
    self._max_sd = 0.0 if holds else max(MAX_SD * background.shape[0] / 360, self._good_sd)
    self._light = _Light(background)

  @functools.cached_property
  def _levels(self) -> list[_Level]:
    """The edges at each reduction; not needed where brightness alone is compared."""
    return [
      _Level(self._background, reduction, self._free, last_step)
      for reduction, last_step in zip(REDUCTIONS, LAST_STEPS, strict=True)
    ]

  def align(self, picture: Picture, guess: np.ndarray | None = None) -> Alignment:
    """Aligns a picture.

    Args:
      picture: of the background's size.
      guess: (3, 3) homography of a picture shortly before; None: anywhere is as likely.

    Returns:
      The alignment that fits best. Its fit is 0 where there is none.
    """
    start = np.eye(3) if guess is None else guess
    best = self._align_from(picture, start)
    if guess is None or best.fit < self._good_fit or best.sd.max() > self._good_sd:
      elsewhere = [np.eye(3)] if guess is not None else []
      elsewhere.append(_translation(_phase_shift(self._background, picture.gray)))
      for start in elsewhere:
        other = self._align_from(picture, start)
        # On a plain wall many places fit alike: the nearest is the likeliest.
        shift = other.homography[:2, 2]
        places = (np.zeros(2), shift if guess is None else guess[:2, 2])
        jump = min(np.abs(shift - place).max() for place in places)
        if other.fit > best.fit + MIN_BETTER and jump < MAX_JUMP * picture.gray.shape[0]:
          best = other
    return best

  def follow(
    self,
    picture: Picture,
    before: Alignment,
    expected: np.ndarray,
    *,
    light_changes: bool = False,
    is_light_old: bool = True,
  ) -> Alignment:
    """Aligns the next picture of a film, which mostly lies where it is expected.

    Args:
      picture: of the background's size.
      before: of the picture before.
      expected: (3, 3) homography that this one is expected to have.
      light_changes: whether its brightness is wanted exactly, and compared again at the end.
      is_light_old: whether its brightness is compared even if light does not change, and not taken
        from the picture before.
    """
    light = before.gain, before.offset
    if light_changes or is_light_old:
      light = self._light.compare(picture.gray, expected[:2, 2], before.gain)
    level = self._levels[-1]
    found = level.refine(picture, expected, *light, before.homography, self._max_sd)
    moved = np.abs(found.homography[:2, 2] - expected[:2, 2]).max()
    is_near = moved < NEAR * picture.gray.shape[0] / 360
    if found.fit < self._good_fit or found.sd.max() > self._good_sd or not is_near:
      return self.align(picture, before.homography)
    if light_changes:
      light = self._light.compare(picture.gray, found.homography[:2, 2], light[0])
    return Alignment(found.homography, *light, found.fit, found.sd, found.is_held)

  @property
  def has_edges(self) -> bool:
    """Whether the background has edges enough to tell where a picture lies."""
    return self._levels[-1].has_edges

  def without_motion(self, picture: Picture) -> Alignment:
    """Returns how a picture lies if the camera has not moved: its brightness alone is compared."""
    return Alignment(np.eye(3), *self._light.compare(picture.gray, np.zeros(2)), 1.0, np.zeros(2))

  def with_gray_of(self, background: np.ndarray) -> Aligner:
    """Returns an aligner of the same places, with the gray values of another background there."""
    changed = copy.copy(self)
    changed._light = _Light(background)
    changed._levels = [level.with_gray_of(background) for level in self._levels]
    return changed

  def disagreement(self, picture: Picture, alignment: Alignment) -> np.ndarray:
    """Returns how far (right, down) apart two halves of the edges find a picture, in pixels.

    Unlike the standard deviations, which take the edges' errors for independent, this sees what
    compression does to many neighbouring edges alike.

    Args:
      picture: of the background's size.
      alignment: how it lies by all of the edges.
    """
    where = alignment.homography
    one, other = (
      half.refine(picture, where, alignment.gain, alignment.offset, where, np.inf).homography
      for half in self._halves
    )
    return one[:2, 2] - other[:2, 2]

  @functools.cached_property
  def _halves(self) -> list[_Level]:
    return [self._levels[-1].half(parity) for parity in (0, 1)]

  def error(self, picture: Picture, alignment: Alignment) -> float:
    """Returns by how many gray levels the edges differ on average, each by at most `MOST_ERROR`."""
    return self._levels[-1].error(picture, alignment)

  def _align_from(self, picture: Picture, start: np.ndarray) -> Alignment:
    found, light = _Refined(start, 0.0, np.full(2, np.inf), True), (1.0, 0.0)
    for level in self._levels:
      light = self._light.compare(picture.gray, found.homography[:2, 2])
      found = level.refine(picture, found.homography, *light, start, self._max_sd, first_sd=WIDE_SD)
    largest = MAX_SHIFT * np.array(picture.gray.shape[::-1])
    is_inside = (np.abs(found.homography[:2, 2]) < largest).all()
    fit = found.fit if is_inside else 0.0
    return Alignment(found.homography, *light, fit, found.sd, found.is_held)


class _Refined(NamedTuple):
  """What `_Level.refine` finds; as the attributes of `Alignment` of the same names."""

  homography: np.ndarray
  fit: float
  sd: np.ndarray
  is_held: bool


class _Level:
  """The edges of the reduced background.

  Columns and rows are taken from the picture's middle, in units of half its longer side.
  """

  def __init__(self, background: np.ndarray, reduction: int, free: np.ndarray, last_step: float):
    self._reduction = reduction
    self._last_step = last_step
    reduced = _reduced(background, reduction)
    height, width = reduced.shape
    self._unit = max(height, width) / 2
    self._to_pixels = np.array(
      [[self._unit, 0, (width - 1) / 2], [0, self._unit, (height - 1) / 2], [0, 0, 1]]
    )
    # Between the middles of pixels of the whole and of the reduced picture.
    middle = (reduction - 1) / 2
    to_whole = np.array([[reduction, 0, middle], [0, reduction, middle], [0, 0, 1.0]])
    self._units = to_whole @ self._to_pixels  # from units to whole pixels
    right, down = (
      cv2.Sobel(reduced, cv2.CV_32F, *order, ksize=3, scale=1 / 8) for order in ((1, 0), (0, 1))
    )
    row, column = _strongest_edges(np.hypot(right, down), _noise_sd(reduced), reduction)
    self._points = np.linalg.solve(
      self._to_pixels, np.stack([column, row, np.ones(len(row))])
    ).astype(np.float32)  # (3, P)
    self._gray = reduced[row, column]
    self._is_clear = np.hypot(right, down)[row, column] > CLEAR_EDGE
    # How much the gray value changes with each of the homography's 8 numbers, by whole pixels that
    # these move the picture's side: (8, P).
    x, y = self._points[:2]
    one, zero = np.ones_like(x), np.zeros_like(x)
    motions = np.array(
      [(one, zero), (zero, one), (x, y), (-y, x), (x, -y), (y, x), (x * x, x * y), (x * y, y * y)]
    )
    edges = np.stack([right[row, column], down[row, column]])
    self._steepness = ((motions * edges).sum(1) / reduction).astype(np.float32)
    self._scale = self._unit * reduction  # whole pixels a unit
    enlarged = background.shape[0] / 360
    shape_sd = enlarged * np.where(free, SHAPE_SD, NO_SHAPE_SD)
    self._guess_precision = 1 / (enlarged * GUESS_SD) ** 2
    self._shape_precision = np.diag(np.r_[0.0, 0.0, 1 / shape_sd[2:] ** 2])
    self._held_precision = 1 / (enlarged * NO_SHAPE_SD) ** 2
    self._unmeasured_sd = enlarged * UNMEASURED_SD

  @property
  def has_edges(self) -> bool:
    """What `Aligner.has_edges` says, of this level."""
    return len(self._gray) >= MIN_PIXELS

  def half(self, parity: int) -> _Level:
    """Returns a level with the edges of every other cell, as of a chessboard; `parity` 0 or 1."""
    column, row, _ = np.round(self._to_pixels @ self._points).astype(int)
    side = max(4, CELL // self._reduction)
    chosen = (column // side + row // side) % 2 == parity
    part = copy.copy(self)
    part._points, part._gray = self._points[:, chosen], self._gray[chosen]
    part._steepness, part._is_clear = self._steepness[:, chosen], self._is_clear[chosen]
    return part

  def with_gray_of(self, background: np.ndarray) -> _Level:
    """Returns the same places with the gray values of another background."""
    changed = copy.copy(self)
    column, row, _ = np.round(self._to_pixels @ self._points).astype(int)
    changed._gray = _reduced(background, self._reduction)[row, column]
    return changed

  def refine(
    self,
    picture: Picture,
    start: np.ndarray,
    gain: float,
    offset: float,
    around: np.ndarray,
    max_sd: float,
    first_sd: float = MIN_SD,
  ) -> _Refined:
    """Improves a homography.

    Args:
      picture: of the background's size.
      start: (3, 3) in whole pixels.
      gain: contrast over the background's.
      offset: gray levels that are added.
      around: (3, 3) near which it is likely to be.
      max_sd: pixels; if the shift along one direction is known no better, that is held.
      first_sd: gray levels of the residuals at the first step, at least.
    """
    lost = _Refined(start, 0.0, np.full(2, np.inf), True)
    if not self.has_edges:
      return lost
    reduced = picture.reduced(self._reduction)
    light = gain, offset
    first = self._numbers(self._in_units(around))
    prior = self._shape_precision + self._guess_precision * np.eye(8)
    found = self._converged(reduced, self._in_units(start), *light, first, prior, first_sd)
    if found is None:
      return lost
    homography, fit, covariance = found
    variance, direction = np.linalg.eigh(covariance)
    if is_held := bool(np.sqrt(variance[-1]) > max_sd):
      along = np.outer(direction[:, -1], direction[:, -1])
      prior[:2, :2] += self._held_precision * along
      found = self._converged(reduced, homography, *light, first, prior, MIN_SD)
      if found is None:
        return lost
      homography, fit, covariance = found
      covariance += self._unmeasured_sd**2 * along
    whole = self._units @ homography @ np.linalg.inv(self._units)
    return _Refined(whole, fit, np.sqrt(np.diag(covariance)), is_held)

  def _converged(
    self,
    reduced: np.ndarray,
    homography: np.ndarray,
    gain: float,
    offset: float,
    first: np.ndarray,
    prior: np.ndarray,
    first_sd: float,
  ) -> tuple[np.ndarray, float, np.ndarray] | None:
    """Makes steps until they are small.

    Args:
      reduced: the reduced picture.
      homography: (3, 3) in units, to begin with.
      gain: as of `refine`.
      offset: as of `refine`.
      first: (8,) numbers that are likely.
      prior: (8, 8) precision of the prior: about 0 of the shape, about `first` of the rest.
      first_sd: as of `refine`.

    Returns:
      The homography in units, its fit and the covariance (2, 2) of its shift by clear edges; None
      where the picture hardly shows the background.
    """
    steep = np.float32(gain) * self._steepness
    about = np.linalg.solve(prior, (prior - self._shape_precision) @ first)
    least_sd = first_sd
    for _ in range(MAX_STEPS):
      error, inside = self._errors(reduced, homography, gain, offset)
      if inside.sum() < MIN_PIXELS:
        return None
      sd = max(least_sd, 1.4826 * _median(np.abs(error[inside])))
      weight = np.square(np.maximum(1 - np.square(error / np.float32(TUKEY * sd)), 0))
      weight *= inside
      weighted = steep * weight
      precision = (weighted @ steep.T).astype(np.float64) / sd**2 + prior
      pull = prior @ (self._numbers(homography) - about)
      step = -np.linalg.solve(precision, weighted @ error / sd**2 + pull)
      homography = homography @ self._motion(step)
      homography = homography / homography[2, 2]
      if np.abs(step).max() < self._last_step and least_sd <= MIN_SD:
        break
      least_sd = max(MIN_SD, least_sd / 2)
    clear = weighted[:, self._is_clear] @ steep[:, self._is_clear].T
    covariance = np.linalg.inv(clear.astype(np.float64) / sd**2 + prior)[:2, :2]
    return homography, _fit(error, inside), covariance

  def error(self, picture: Picture, alignment: Alignment) -> float:
    """Returns what `Aligner.error` does."""
    reduced = picture.reduced(self._reduction)
    error, inside = self._errors(
      reduced, self._in_units(alignment.homography), alignment.gain, alignment.offset
    )
    limited = np.where(inside, np.minimum(np.abs(error), MOST_ERROR), MOST_ERROR)
    return float(limited.mean())

  def _errors(
    self, reduced: np.ndarray, homography: np.ndarray, gain: float, offset: float
  ) -> tuple[np.ndarray, np.ndarray]:
    """Returns the edges' errors (P,) in gray levels, and which (P,) are inside the picture."""
    height, width = reduced.shape
    column, row, depth = (self._to_pixels @ homography).astype(np.float32) @ self._points
    column, row = column / depth, row / depth
    inside = (column > 1) & (row > 1) & (column < width - 2) & (row < height - 2)
    found = cv2.remap(reduced, column[None], row[None], cv2.INTER_CUBIC)[0]
    error = found - np.float32(gain) * self._gray - np.float32(offset)
    if not inside.any():
      return error, inside
    # More than brightness is known by would let the one edge of a bare wall lie anywhere.
    common = np.clip(_median(error[inside]), -BRIGHTNESS_ERROR, BRIGHTNESS_ERROR)
    return error - np.float32(common), inside

  def _in_units(self, homography: np.ndarray) -> np.ndarray:
    return np.linalg.solve(self._units, homography @ self._units)

  def _motion(self, numbers: np.ndarray) -> np.ndarray:
    """Returns the homography (3, 3) of 8 numbers, in units."""
    right, down, size, turn, stretch, shear, tilt_x, tilt_y = numbers / self._scale
    return np.array(
      [
        [1 + size + stretch, shear - turn, right],
        [shear + turn, 1 + size - stretch, down],
        [-tilt_x, -tilt_y, 1],
      ]
    )

  def _numbers(self, homography: np.ndarray) -> np.ndarray:
    """Returns the 8 numbers of a homography (3, 3), in units."""
    h = homography / homography[2, 2] - np.eye(3)
    numbers = np.array([
      h[0, 2], h[1, 2], (h[0, 0] + h[1, 1]) / 2, (h[1, 0] - h[0, 1]) / 2,
      (h[0, 0] - h[1, 1]) / 2, (h[0, 1] + h[1, 0]) / 2, -h[2, 0], -h[2, 1],
    ])  # fmt: skip
    return self._scale * numbers


class _Light:
  """The brightness of the background's parts."""

  def __init__(self, background: np.ndarray):
    self._background = _averaged(background, LIGHT_REDUCTION)

  def compare(
    self, picture: np.ndarray, shift: np.ndarray, gain: float = 1.0
  ) -> tuple[float, float]:
    """Returns contrast and offset of a picture over the background.

    Args:
      picture: (H, W) float32 gray levels.
      shift: (2,) about where the background's first pixel is in it.
      gain: the contrast that is expected.
    """
    found = _averages_from(picture, shift)
    known = self._background - self._background.mean()
    powers = np.stack([known * known, known, np.ones_like(known)]).reshape(3, -1)
    found, known = found.ravel(), known.ravel()
    level = _median(found - np.float32(gain) * known)
    for _ in range(LIGHT_STEPS):
      error = found - np.float32(gain) * known - np.float32(level)
      sd = max(0.3, 1.4826 * _median(np.abs(error)))
      weight = np.square(np.maximum(1 - np.square(error / np.float32(TUKEY * sd)), 0))
      prior = (sd / GAIN_SD) ** 2
      squares, products, count = (powers @ weight).tolist()
      equations = [[squares + prior, products], [products, count]]
      values = (powers[1:] @ (weight * found)).astype(float) + [prior, 0]
      before = gain, level
      gain, level = (float(v) for v in np.linalg.solve(equations, values))
      if abs(gain - before[0]) < LAST_GAIN_STEP and abs(level - before[1]) < LAST_LEVEL_STEP:
        break
    return gain, level - gain * float(self._background.mean())


def _median(values: np.ndarray) -> float:
  """Returns about the median of values (N,): that of `MEDIAN_OF` or more of them."""
  return medians.median(values[:: len(values) // MEDIAN_OF or 1])


def _fit(error: np.ndarray, inside: np.ndarray) -> float:
  """Returns the share of edges that fit, 0 to 1, by errors (P,); those outside do not."""
  return float((inside * np.clip(1 - (error / FIT_LEVELS) ** 2, 0, None)).mean())


def _strongest_edges(
  steepness: np.ndarray, noise: float, reduction: int
) -> tuple[np.ndarray, np.ndarray]:
  """Chooses the steepest pixels of each part of a picture.

  Args:
    steepness: (h, w) gray levels a pixel; what is near the sides is set to 0.
    noise: the picture's standard deviation.
    reduction: of the picture.

  Returns:
    Rows (P,) and columns (P,).
  """
  border = max(2, round(BORDER * steepness.shape[0]))
  inner = np.zeros_like(steepness)
  inside = slice(border, -border), slice(border, -border)
  inner[inside] = steepness[inside]
  side = max(4, CELL // reduction)
  rows, columns = inner.shape[0] // side, inner.shape[1] // side
  blocks = inner[: rows * side, : columns * side].reshape(rows, side, columns, side)
  cells = blocks.swapaxes(1, 2).reshape(rows * columns, side * side)
  chosen = np.argpartition(-cells, EDGES_PER_CELL, 1)[:, :EDGES_PER_CELL]
  strong = np.take_along_axis(cells, chosen, 1) > max(MIN_EDGE, MIN_EDGE_OVER_NOISE * noise)
  cell_row, cell_column = np.divmod(np.arange(rows * columns)[:, None], columns)
  row, column = np.divmod(chosen, side)
  rows, columns = (cell_row * side + row)[strong], (cell_column * side + column)[strong]
  every = -(-len(rows) // MAX_EDGES) or 1
  return rows[::every], columns[::every]


def _noise_sd(picture: np.ndarray) -> float:
  """Returns the standard deviation of a picture's noise (Immerkaer, CVIU 64, 1996), by a median."""
  kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
  return 1.4826 * medians.median(np.abs(cv2.filter2D(picture, cv2.CV_32F, kernel))) / 6


def _reduced(picture: np.ndarray, reduction: int) -> np.ndarray:
  if reduction == 1:
    return cv2.GaussianBlur(picture, (0, 0), SMOOTHING)
  return _averaged(picture, reduction)


def _averaged(picture: np.ndarray, reduction: int) -> np.ndarray:
  """Returns the means of squares of pixels; an odd last row or column is left out."""
  height, width = (side // reduction for side in picture.shape)
  whole = picture[: height * reduction, : width * reduction]
  return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


def _averages_from(picture: np.ndarray, start: np.ndarray) -> np.ndarray:
  """Returns the means of squares of pixels, `LIGHT_REDUCTION` wide, that begin between pixels.

  A square that begins further by a part of a pixel gains that part of the row or column after its
  last and loses that of its first. (To interpolate means would take contrast from them.)

  Args:
    picture: (H, W) float32.
    start: (2,) column and row at which the first square begins; beyond it the picture's sides
      repeat.

  Returns:
    (h, w) float32, as many as `_averaged` gives.
  """
  size = LIGHT_REDUCTION
  height, width = (side // size * size for side in picture.shape)
  column, row = (int(first) for first in np.floor(start))
  right, down = (start - (column, row)).astype(np.float32)
  above, left = max(0, -row), max(0, -column)
  below = max(0, row + height + 1 - picture.shape[0])
  right_of = max(0, column + width + 1 - picture.shape[1])
  if above or below or left or right_of:
    picture = cv2.copyMakeBorder(picture, above, below, left, right_of, cv2.BORDER_REPLICATE)
    row, column = row + above, column + left
  picture = picture[row : row + height + 1, column : column + width + 1]
  corners = np.ascontiguousarray(picture[::size, ::size])
  shape = width // size, height // size
  rows = cv2.resize(picture[::size, :-1], (shape[0], shape[1] + 1), interpolation=cv2.INTER_AREA)
  columns = cv2.resize(
    np.ascontiguousarray(picture[:-1, ::size]), (shape[0] + 1, shape[1]),
    interpolation=cv2.INTER_AREA,
  )  # fmt: skip
  return (
    _averaged(picture[:-1, :-1], size)
    + down / size * np.diff(rows, axis=0)
    + right / size * np.diff(columns, axis=1)
    + right * down / size**2 * np.diff(np.diff(corners, axis=0), axis=1)
  )


def _free_numbers(turns: bool, holds: bool) -> np.ndarray:
  """Returns which of a homography's 8 numbers (8,) may differ from those of no motion."""
  right, down, turn = 0, 1, 3
  if turns and not holds:
    return np.ones(8, bool)
  return np.isin(np.arange(8), [right, down, turn] if turns else [right, down])


def _translation(shift: np.ndarray) -> np.ndarray:
  return np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1.0]])


def _phase_shift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
  """Returns how far the edges of one picture lie from those of the other, (right, down) pixels."""
  first, second = (_edges(_averaged(picture, 2)) for picture in (before, after))
  window = cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F)
  return 2 * np.array(cv2.phaseCorrelate(first, second, window)[0])


def _edges(picture: np.ndarray) -> np.ndarray:
  """Returns how steep the gray values of a picture (H, W) are."""
  return np.hypot(cv2.Sobel(picture, cv2.CV_32F, 1, 0), cv2.Sobel(picture, cv2.CV_32F, 0, 1))
