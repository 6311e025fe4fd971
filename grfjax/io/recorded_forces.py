"""Forces as a file holds them, before `force_files` turns them into plate axes."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np


class Axes(enum.Enum):
  """What is known of a file's axes.

  PLATE: it says x forward along the walk, y to the walker's left, z up.
  OPENSIM: x and z horizontal, y up, right-handed.
  LABORATORY: any axis may be up and any forward, and the sign may be that of the action on the
    plate.
  """

  PLATE = 'plate'
  OPENSIM = 'opensim'
  LABORATORY = 'laboratory'


@dataclasses.dataclass(frozen=True)
class RecordedForces:
  """Forces of P plates on one clock, in the file's own axes.

  Attributes:
    time_s: (N,) float64, strictly increasing.
    force: (N, P, 3) float64, newtons, finite.
    axes: what is known of the axes.
    pressure: (N, P, 3) metres, centre of pressure on the same axes, which may hold NaN; or None.
    legs: (P,) the leg that the file itself names for each plate, 'left' or 'right'; '' where it
      names none.
    notes: sentences, complete and without the file's name, about what was changed or assumed.
    pressure_is_given: whether the file is made to hold `pressure`, so that one that cannot be true
      is a fault of the file; else it only comes along.
  """

  time_s: np.ndarray
  force: np.ndarray
  axes: Axes
  pressure: np.ndarray | None = None
  legs: tuple[str, ...] = ()
  notes: tuple[str, ...] = ()
  pressure_is_given: bool = False
