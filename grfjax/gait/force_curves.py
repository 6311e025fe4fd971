"""The estimated force curves of a video."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from grfjax import mask_runs
from grfjax.gait import foot_places, timed_text, walker_path


def time_span(start_s: float, end_s: float) -> str:
  """Returns from when to when something is, as messages begin with it, by times in seconds."""
  first, last = f'{start_s:.1f}', f'{end_s:.1f}'
  return f'at {first} s' if first == last else f'from {first} to {last} s'


class Gap(timed_text.TimedText):
  """An interval of a video in which somebody may walk but cannot be followed.

  Its code is such as 'walker.camera_moves'; its text says when and why, a sentence without capital
  and full stop. `start_s` is None where it was not told.
  """


@dataclasses.dataclass(frozen=True)
class ForceCurves:
  """Estimated forces at every frame of a video.

  Attributes:
    time_s: (N,) from the first frame.
    force: (N, 2, axes) body weights: leg (left, right) x (vertical, forward, to the walker's
      left); NaN where there is no estimate.
    interval: (N, 2, axes, 2) between which the force lies in 90 % of stance (or in another share
      that the run was calibrated for); (..., 0) where the run was not calibrated.
    camera: the walker's side on which the camera stands; 'left, then right' of who turns round.
    near_only: the network knows no other leg than the near one.
    box: (N, 4) the window that follows the walker: left, top, width and height in the video's own
      pixels; NaN where nobody is followed.
    direction: (N,) int, +1 where the walker goes to the picture's right, -1 left, 0 not known.
    gaps: where somebody may walk but cannot be followed, or nothing is given, and why.
    path: where the walker is in each frame; None where the network follows nobody.
    trust: (N, 2) leg (left, right): how far the vertical force can be trusted, 0 to 1; NaN where
      nobody is followed. Where it is low the force is withheld. None: the network does not tell.
    speed: real seconds in a second of the film, by which `time_s` is multiplied already.
    feet: where the feet stand; None where the network follows nobody.
  """

  time_s: np.ndarray
  force: np.ndarray
  interval: np.ndarray
  camera: str
  near_only: bool
  box: np.ndarray
  direction: np.ndarray
  gaps: tuple[Gap, ...] = ()
  trust: np.ndarray | None = None
  path: walker_path.WalkerPath | None = None
  speed: float = 1.0
  feet: foot_places.FootPlaces | None = None

  @property
  def has_estimate(self) -> np.ndarray:
    """(N, 2) bool: where a leg has an estimate."""
    return np.isfinite(self.force[:, :, 0])

  def walks(self) -> list[slice]:
    """Returns the runs of frames that have an estimate of either leg."""
    return [slice(*run) for run in mask_runs.runs_of_true(np.any(self.has_estimate, axis=1))]

  def count_crossings(self) -> int:
    """Returns how often somebody walks across the picture, however much of it has no estimate."""
    runs = self.walks()
    return len(runs) - sum(self._goes_on(*pair) for pair in itertools.pairwise(runs))

  def _goes_on(self, before: slice, after: slice) -> bool:
    """Returns whether a run of frames is of the same walk as the one before it."""
    ways = self.direction[before.stop - 1 : after.start + 1]
    if ways[0] == 0 or np.any(ways * ways[0] < 0):
      return False
    middle, width = self.box[:, 0] + self.box[:, 2] / 2, self.box[after.start, 2]
    if np.isfinite(middle[before.stop - 1 : after.start + 1]).all():
      return True
    # Lost in between: the same walk if it goes on where the walker would be by then.
    time_s = self.time_s - self.time_s[before.stop - 1]
    pace = (
      np.polyfit(time_s[before], middle[before], 1) if before.stop - before.start > 1 else [0, 0]
    )
    return bool(abs(np.polyval(pace, time_s[after.start]) - middle[after.start]) < width / 2)
