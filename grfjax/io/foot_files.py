"""Reads where the feet stand, in a video's picture and on the floor: `feet` of trials.csv."""

from __future__ import annotations

import csv
import dataclasses
import io
import pathlib
from typing import Self

import numpy as np

from grfjax import conventions, errors
from grfjax.io import manifest_rows

_TIME = 'time_s'
_COLUMNS = [(f'{leg}_column_px', f'{leg}_row_px') for leg in conventions.LEGS]
_FLOOR = [(f'{leg}_x_m', f'{leg}_y_m') for leg in conventions.LEGS]
_LABORATORY_M = 100.0  # from its origin, at most
_EDGE_S = 0.1  # by which times may lie outside the video
_MAX_GAP_S = 0.1  # between two rows between which a foot that stands in both stands, too


class FeetError(errors.InputError):
  """A file of the places of feet that cannot be used; the message names file, row and column."""


@dataclasses.dataclass(frozen=True)
class FootFile:
  """Where the feet stand in the picture and on the floor.

  A place is that of the middle of the sole, halfway from the heel's rear to the toes' front on the
  floor; NaN in the air and where it is not known.

  Attributes:
    time_s: (N,) seconds from the video's first frame, strictly increasing.
    place: (N, 2, 2) leg (left, right) x (column, row): pixels of the video as filmed from its left
      and upper edge.
    stand: (N, 2, 2) leg x (x, y): metres, as the plates' centres of pressure are.
  """

  time_s: np.ndarray
  place: np.ndarray
  stand: np.ndarray

  def at(self, time_s: np.ndarray) -> Self:
    """Returns what is known at (K,) times; NaN but where a foot stands in both rows around.

    In rows further apart than `_MAX_GAP_S` it may have stepped meanwhile: then the time must be
    that of a row.
    """
    after = np.clip(np.searchsorted(self.time_s, time_s), 1, len(self.time_s) - 1)
    before_s, after_s = self.time_s[after - 1], self.time_s[after]
    share = (np.asarray(time_s) - before_s) / (after_s - before_s)
    near = after_s - before_s <= _MAX_GAP_S
    near &= (share >= 0) & (share <= 1)
    share = share[:, None, None]
    found = []
    for values in (self.place, self.stand):
      mixed = values[after - 1] * (1 - share) + values[after] * share
      found.append(np.where(near[:, None, None], mixed, np.nan))
      for row in (after - 1, after):
        same = np.abs(self.time_s[row] - time_s) < 1e-3
        found[-1][same] = values[row[same]]
    return dataclasses.replace(self, time_s=time_s, place=found[0], stand=found[1])


def to_csv(feet: FootFile) -> str:
  """Returns the text of a file: times to 0.1 ms, pixels to 0.01, metres to 0.1 mm."""
  columns = [*zip(_COLUMNS, np.moveaxis(feet.place, 1, 0), [2, 2], strict=True)]
  if np.isfinite(feet.stand).any():
    columns += zip(_FLOOR, np.moveaxis(feet.stand, 1, 0), [4, 4], strict=True)
  text = io.StringIO()
  writer = csv.writer(text, lineterminator='\n')
  writer.writerow([_TIME, *(name for names, *_ in columns for name in names)])
  for k, time_s in enumerate(feet.time_s):
    cells = [
      f'{value:.{decimals}f}' if np.isfinite(values[k]).all() else ''
      for _, values, decimals in columns
      for value in values[k]
    ]
    writer.writerow([f'{time_s:.4f}', *cells])
  return text.getvalue()


def read(path: pathlib.Path, width: int, height: int, duration_s: float) -> FootFile:
  """Reads a file with `time_s`, `left_column_px`, `left_row_px`, `right_column_px`, `right_row_px`.

  It may also have `left_x_m`, `left_y_m`, `right_x_m`, `right_y_m`. Cells of a leg are empty while
  its foot is in the air or out of sight, or nobody knows where it stands.

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
    stand = np.array([[_stand(row, names) for names in _FLOOR] for row in rows])
  except errors.InputError as error:
    raise FeetError.from_error(error) from error
  return FootFile(time_s, place, stand)


def _check_times(rows: list[manifest_rows.Row], time_s: np.ndarray, duration_s: float) -> None:
  """Raises InputError where times do not increase, or are not within the video."""
  if len(rows) < 2:
    raise rows[0].error(_TIME, 'at least two rows', 'recording.feet_times')
  backward = np.flatnonzero(np.diff(time_s) <= 0)
  if len(backward):
    row = rows[backward[0] + 1]
    raise row.error(
      _TIME, f'more than the {time_s[backward[0]]:g} before it', 'recording.feet_times'
    )
  outside = np.flatnonzero((time_s < -_EDGE_S) | (time_s > duration_s + _EDGE_S))
  if len(outside):
    expected = (
      f'0 to {duration_s:.3f} seconds, from the first frame of the video to its last (not the '
      "plates' clock, and not milliseconds)"
    )
    raise rows[outside[0]].error(_TIME, expected, 'recording.feet_times')


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


def _stand(row: manifest_rows.Row, names: tuple[str, str]) -> tuple[float, float]:
  """Returns x and y of a foot on the floor, NaN where both cells are empty or there are none."""
  if not any(map(row.has, names)):
    return np.nan, np.nan
  x, y = (row.number(name, -_LABORATORY_M, _LABORATORY_M, 'metres') for name in names)
  return x, y
