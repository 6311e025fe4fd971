"""How a camera moves that is held by hand, and what is left of its pictures.

Hands sway slowly and widely, and tremble fast and little: the way's spectrum falls with frequency,
from the sway of the body (under 1 Hz) to physiological tremor (8 to 12 Hz; Elble and Koller,
"Tremor", 1990).
"""

from __future__ import annotations

import cv2
import numpy as np

from grfjax.degradation import damage as damage_lib

HAND_HZ = (0.25, 12.0)
WAVES = 24  # sines that a hand's way is the sum of
MAX_MARGIN = 0.12  # of the picture's height that a side may lose
INSTANTS = 4  # of one exposure, for a camera that moves over it
_SHARP = 0.25  # pixels over an exposure that leave no blur worth reckoning


def hand_way(rng: np.random.Generator, time_s: np.ndarray, rms: float) -> np.ndarray:
  """Draws the way of a hand along one axis.

  It is a sum of sines whose amplitudes fall with their frequencies, which are spread evenly over
  octaves. Its mean square over all time, not over a short video, is as asked.

  Args:
    rng: draws.
    time_s: (N,) seconds.
    rms: the root mean square.

  Returns:
    (N,) in the unit of `rms`.
  """
  edges = np.geomspace(*HAND_HZ, WAVES + 1)
  hz = rng.uniform(edges[:-1], edges[1:])
  phase = rng.uniform(0, 2 * np.pi, WAVES)
  amplitude = 1 / hz
  amplitude *= rms / np.sqrt((amplitude**2).sum() / 2)
  return (amplitude * np.sin(2 * np.pi * hz * np.asarray(time_s)[..., None] + phase)).sum(-1)


def draw_path(
  rng: np.random.Generator, time_s: np.ndarray, damage: damage_lib.Damage, height: int
) -> np.ndarray:
  """Draws how the picture moves.

  Args:
    rng: draws.
    time_s: (N,) or (N, S) seconds: of frames, or of the instants of each.
    damage: how far it moves.
    height: of the picture, pixels.

  Returns:
    (N, 3) or (N, S, 3): pixels right and down by which what is seen is moved, and radians by which
    it is turned clockwise. The way from the middle of the path is at most `MAX_MARGIN` heights.
  """
  shake = damage.shake_heights
  x, y = (hand_way(rng, time_s, shake) for _ in range(2))
  roll = hand_way(rng, time_s, damage.roll_rad)
  first, last = time_s.min(), time_s.max()
  x += damage.pan_heights_per_s * (time_s - (first + last) / 2)
  for way in (x, y):  # the place where the camera stood at first is nobody's concern
    way -= (way.max() + way.min()) / 2
    way *= min(1.0, MAX_MARGIN / max(np.abs(way).max(), 1e-9))
  roll -= roll.mean()
  return np.stack([x * height, y * height, roll], -1)


def instants(time_s: np.ndarray, shutter: float) -> np.ndarray:
  """Returns the instants over which each exposure is spread, (N, S) seconds.

  Args:
    time_s: (N,) the middle of each exposure.
    shutter: an exposure's length as a share of the time between two frames.
  """
  step = float(np.median(np.diff(time_s))) if len(time_s) > 1 else 0.0
  within = (np.arange(INSTANTS) + 0.5) / INSTANTS - 0.5
  return np.asarray(time_s)[:, None] + step * shutter * within


class MovingView:
  """What a camera that moves sees of a scene: the middle of the picture, which stays inside it."""

  def __init__(self, path: np.ndarray, height: int, width: int):
    """Finds how much of the picture is never left.

    Args:
      path: (N, S, 3) as of `draw_path`, over the instants of each frame.
      height: of the picture, pixels.
      width: of the picture, pixels.
    """
    self._path = path
    turn = np.abs(path[..., 2]).max()
    across = np.abs(path[..., 0]).max() + turn * height / 2
    along = np.abs(path[..., 1]).max() + turn * width / 2
    self._left, self._top = int(np.ceil(across)), int(np.ceil(along))
    self.height = height - 2 * self._top
    self.width = width - 2 * self._left
    self._middle = np.array([(width - 1) / 2, (height - 1) / 2])

  def see(self, frame: np.ndarray, k: int) -> np.ndarray:
    """Returns what is seen of frame `k`: (height, width, 3) uint8, the mean over its exposure."""
    way = self._path[k]
    if np.ptp(way[:, :2], axis=0).max() < _SHARP:
      way = way[INSTANTS // 2 :][:1]
    seen = [cv2.warpAffine(
      frame, self._to_frame(*place), (self.width, self.height),
      flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    ) for place in way]  # fmt: skip
    if len(seen) == 1:
      return seen[0]
    return np.rint(np.mean(seen, axis=0, dtype=np.float32)).astype(np.uint8)

  def place(self, place: np.ndarray, k: int) -> np.ndarray:
    """Returns where in the view places of frame `k` are seen, the mean over its exposure.

    Args:
      place: (..., 2) column and row in the frame, pixels from its left and upper edge.
      k: the frame's number.
    """
    seen = []
    for at in self._path[k]:
      matrix, offset = np.split(self._to_frame(*at), [2], axis=1)
      # Maps count from the middle of the first pixel, and matrices here are rotations.
      seen.append((place - 0.5 - offset[:, 0]) @ matrix + 0.5)
    return np.mean(seen, axis=0)

  def _to_frame(self, right: float, down: float, turn: float) -> np.ndarray:
    """Returns the (2, 3) affine map from places in the view to those in the frame.

    The scene moves right in the view where the view moves left over the frame.
    """
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, sin], [-sin, cos]])
    corner = np.array([self._left, self._top]) - self._middle
    offset = matrix @ (corner - np.array([right, down])) + self._middle
    return np.column_stack([matrix, offset])
