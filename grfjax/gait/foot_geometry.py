"""From where feet are in the walker's window to where they stand on the floor.

The walker goes along a straight line on a level floor, at whose distance from the camera the person
is as tall in the picture as the path says (`walker_path`). A foot stands a little to the side of
that line, so nearer to the camera or farther away, and the line may lead to the camera or away from
it. A foot at a column c of the picture lies on the plane through the camera and that column; where
this plane and the foot's own distance from the line meet is where it stands.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from grfjax.gait import foot_places, walker_path

MIN_SEEN_S = 0.15  # a foot that is seen on the floor for less is not placed
# Of the places that the frames of a contact say, body heights: 1.4826 times the median deviation,
# the standard deviation of normal scatter. It is 0.003 to 0.012 in films of real people; from here
# on the foot is not placed.
MAX_SCATTER_BH = 0.04

# Of a walk to straight past the camera, degrees: at 20 steps of synthetic walkers are 2 cm off, at
# 30 they are 5.
MAX_OBLIQUE = 25.0


@dataclasses.dataclass(frozen=True)
class FeetInWindow:
  """Where the feet of one walk are in the window that follows it, in N frames of a video.

  NaN where not estimated.

  Attributes:
    ahead: (N, 2) leg (left, right): the middle of the sole ahead of the window's middle, the way
      the walker goes, heights as tracked.
    up: (N, 2) likewise, over the window's floor line.
    roll: (N, 2) the centre of pressure ahead of the middle of the sole, body heights.
    aside: (N, 2) the centre of pressure to the walker's left of the line of the walk, body heights.
  """

  ahead: np.ndarray
  up: np.ndarray
  roll: np.ndarray
  aside: np.ndarray


class WalkLine:
  """The straight line on the floor along which a walk goes.

  Attributes:
    path: the walker's.
    along: (2,) unit vector of its direction: to the picture's right, away from the camera.
    left: (2,) unit vector to the walker's left.
    progress: (N,) how far along it the body is, body heights.
  """

  def __init__(self, path: walker_path.WalkerPath, time_s: np.ndarray):
    """Fits the line to where the walker is.

    Args:
      path: of one walk through N frames, of which at least two are known.
      time_s: (N,) of the frames.
    """
    places = path.places()
    known = np.isfinite(places).all(1)
    velocity = np.polyfit(time_s[known], places[known], 1)[0]
    self.path, self._places = path, places
    self.along = velocity / np.linalg.norm(velocity)
    # Seen from above, with the camera looking along the second axis.
    self.left = np.array([-self.along[1], self.along[0]])
    self.progress = places @ self.along

  @property
  def oblique(self) -> float:
    """How much it leads to the camera or away from it, degrees from straight past it."""
    return float(np.degrees(np.arctan2(abs(self.along[1]), abs(self.along[0]))))

  def stand(self, ahead: np.ndarray, aside: np.ndarray) -> np.ndarray:
    """Returns how far along the line feet stand that are seen ahead of the window's middle.

    Args:
      ahead: (N, 2) body heights in the picture at the walker's distance.
      aside: (N, 2) to the walker's left of the line, body heights.

    Returns:
      (N, 2) body heights.
    """
    side, away = self._places[:, :1], self._places[:, 1:]
    slope = (side + np.sign(self.along[0]) * ahead) / away  # of the ray from the camera
    to_side = slope * (away + aside * self.left[1]) - side - aside * self.left[0]
    return self.progress[:, None] + to_side / (self.along[0] - slope * self.along[1])

  def seen_ahead(self, frames: np.ndarray, stand: np.ndarray, aside: float) -> np.ndarray:
    """Returns how far ahead of the window's middle a place on the floor is seen: as of `stand`.

    Args:
      frames: (K,) numbers of frames.
      stand: (K,) along the line, body heights.
      aside: to the walker's left of it, body heights.
    """
    side, away = self._places[frames].T
    ahead = stand - self.progress[frames]
    to_side = side + ahead * self.along[0] + aside * self.left[0]
    farther = away + ahead * self.along[1] + aside * self.left[1]
    return np.sign(self.along[0]) * (to_side / farther * away - side)


Contacts = Sequence[tuple[int, np.ndarray]]  # leg (0 left, 1 right) and (N,) bool frames, of each


def floor_up(feet: FeetInWindow, contacts: Contacts) -> float:
  """Returns how far the floor midway between the feet is over the window's floor line.

  Returns:
    Heights as tracked: the mean of both legs' medians, or the one leg's that is known, or NaN.
  """
  of_legs = []
  for leg in (0, 1):
    up = np.concatenate(
      [[], *(feet.up[frames, leg] for number, frames in contacts if number == leg)]
    )
    if np.isfinite(up).any():
      of_legs.append(np.nanmedian(up))
  return float(np.mean(of_legs)) if of_legs else np.nan


def foot_places_of(
  feet: FeetInWindow,
  contacts: Contacts,
  line: WalkLine,
  time_s: np.ndarray,
  to_picture: Callable[[np.ndarray], np.ndarray],
) -> foot_places.FootPlaces:
  """Returns where the feet of one walk stand.

  A foot stands still while it is on the floor, so its place is the median of what all frames of a
  contact say. Where they contradict each other, or are few, it is not known.

  Args:
    feet: of N frames.
    contacts: of both feet.
    line: along which the walk goes.
    time_s: (N,) of the frames.
    to_picture: from places (N, 2, 2) ahead of the window's middle and up from its floor line,
      heights as tracked, to columns and rows of the video as filmed.
  """
  places = foot_places.unknown(len(time_s))
  in_window = places.picture.copy()
  stands = line.stand(feet.ahead * line.path.tracked_over_body, feet.aside)
  for leg, in_contact in contacts:
    frames = np.flatnonzero(in_contact & np.isfinite(stands[:, leg]))
    if not len(frames) or time_s[frames[-1]] - time_s[frames[0]] < MIN_SEEN_S:
      continue
    stand, side, up = (float(np.median(v[frames, leg])) for v in (stands, feet.aside, feet.up))
    if 1.4826 * np.median(np.abs(stands[frames, leg] - stand)) > MAX_SCATTER_BH:
      continue
    pressed = stand + feet.roll[frames, leg]
    places.sole[frames, leg] = stand, side
    places.pressure[frames, leg] = np.stack([pressed, feet.aside[frames, leg]], -1)
    ahead = line.seen_ahead(frames, pressed, side) / line.path.tracked_over_body
    in_window[frames, leg] = np.stack([ahead, np.full_like(ahead, up)], -1)
  return dataclasses.replace(places, picture=to_picture(in_window))
