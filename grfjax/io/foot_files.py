"""Reads where the feet stand in a video's picture: what the column `feet` of trials.csv names."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np

from grfjax import conventions, errors
from grfjax.io import manifest_rows

_TIME = 'time_s'
_COLUMNS = [(f'{leg}_column_px', f'{leg}_row_px') for leg in conventions.LEGS]
_EDGE_S = 0.1  # by which times may lie outside the video
_MAX_GAP_S = 0.1  # between two rows between which a foot that stands in both stands, too


class FeetError(errors.InputError):
  """A file of the places of feet that cannot be used; the message names file, row and column."""


@dataclasses.dataclass(frozen=True)
class FootFile:
  """Where the feet stand in the picture.

  Attributes:
    time_s: (N,) seconds from the video's first frame, strictly increasing.
    place: (N, 2, 2) leg (left, right) x (column, row): the middle of the sole, halfway from the
      heel's rear to the toes' front on the floor, in pixels of the video as filmed from its left
      and upper edge; NaN in the air and where it is not known.
  """

  time_s: np.ndarray
  place: np.ndarray

  def at(self, time_s: np.ndarray) -> np.ndarray:
    """Returns the places at (K,) times, (K, 2, 2); NaN but where a foot stands in both rows around.

    In rows further apart than `_MAX_GAP_S` it may have stepped meanwhile: then the time must be
    that of a row.
    """
    after = np.clip(np.searchsorted(self.time_s, time_s), 1, len(self.time_s) - 1)
    before_s, after_s = self.time_s[after - 1], self.time_s[after]
    share = (np.asarray(time_s) - before_s) / (after_s - before_s)
    near = after_s - before_s <= _MAX_GAP_S
    near &= (share >= 0) & (share <= 1)
    share = share[:, None, None]
    mixed = self.place[after - 1] * (1 - share) + self.place[after] * share
    found = np.where(near[:, None, None], mixed, np.nan)
    for row in (after - 1, after):
      same = np.abs(self.time_s[row] - time_s) < 1e-3
      found[same] = self.place[row[same]]
    return found


def to_csv(feet: FootFile) -> str:
  """Returns the text of a file: times to 0.1 ms, places to 0.01 pixels."""
  names = [_TIME, *(name for names in _COLUMNS for name in names)]
  lines = [','.join(names)]
  for time_s, place in zip(feet.time_s, feet.place, strict=True):
    known = np.isfinite(place).all(-1)
    cells = [
      ','.join(f'{value:.2f}' for value in leg) if there else ','
      for leg, there in zip(place, known, strict=True)
    ]
    lines.append(','.join([f'{time_s:.4f}', *cells]))
  return '\n'.join(lines) + '\n'


def read(path: pathlib.Path, width: int, height: int, duration_s: float) -> FootFile:
  """Reads a file with `time_s`, `left_column_px`, `left_row_px`, `right_column_px`, `right_row_px`.

  Cells of a leg are empty while its foot is in the air or out of sight, or nobody knows where it
  stands.

  Args:
    path: the file.
    width: of the video's picture, pixels.
    height: likewise.
    duration_s: from the video's first frame to its last, on the clock of the file.

  Raises:
    FeetError: the file cannot be read, lacks a column, has times that are not the video's, or a
      place outside the picture.
  """
  try:
    rows = manifest_rows.read(path, [_TIME, *(name for names in _COLUMNS for name in names)])
    time_s = np.array([row.number(_TIME, -np.inf, np.inf, 'seconds') for row in rows])
    _check_times(rows, time_s, duration_s)
    place = np.array([[_place(row, names, width, height) for names in _COLUMNS] for row in rows])
  except errors.InputError as error:
    raise FeetError.from_error(error) from error
  return FootFile(time_s, place)


def _check_times(rows: list[manifest_rows.Row], time_s: np.ndarray, duration_s: float) -> None:
  """Raises InputError where times do not increase, or are not within the video."""
  if len(rows) < 2:
    raise rows[0].error(_TIME, 'at least two rows', 'feet.times')
  backward = np.flatnonzero(np.diff(time_s) <= 0)
  if len(backward):
    row = rows[backward[0] + 1]
    raise row.error(_TIME, f'more than the {time_s[backward[0]]:g} before it', 'feet.times')
  outside = np.flatnonzero((time_s < -_EDGE_S) | (time_s > duration_s + _EDGE_S))
  if len(outside):
    expected = (
      f'0 to {duration_s:.3f} seconds, from the first frame of the video to its last (not the '
      "plates' clock, and not milliseconds)"
    )
    raise rows[outside[0]].error(_TIME, expected, 'feet.times')


def _place(
  row: manifest_rows.Row, names: tuple[str, str], width: int, height: int
) -> tuple[float, float]:
  """Returns the column and the row of a foot, NaN where both cells are empty."""
  if not any(map(row.has, names)):
    return np.nan, np.nan
  column, line = (
    row.number(name, 0, most, f"pixels, inside the video's picture of {width} x {height}")
    for name, most in zip(names, (width, height), strict=True)
  )
  return column, line
