"""Does to the frames of a video what a `Damage` says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from grfjax.degradation import camera_path, light
from grfjax.degradation import damage as damage_lib


@dataclasses.dataclass(frozen=True)
class Geometry:
  """Where what the original's frames show is in the new ones.

  Attributes:
    height: of the picture that the camera sees, before it has fewer pixels.
    width: likewise.
    rows: of the new frames.
    columns: likewise.
    view: what a camera sees that moves; None where it stands still.
    scales: whether the new frames have fewer pixels than the picture.
  """

  height: int
  width: int
  rows: int
  columns: int
  view: camera_path.MovingView | None
  scales: bool

  def place(self, place: np.ndarray, k: int) -> np.ndarray:
    """Returns where places of the original's frame `k` are in the new one.

    Args:
      place: (..., 2) column and row, pixels from the left and upper edge.
      k: the frame's number.
    """
    seen = place if self.view is None else self.view.place(place, k)
    return seen * [self.columns / self.width, self.rows / self.height] if self.scales else seen


def draw_geometry(
  time_s: np.ndarray, height: int, width: int, damage: damage_lib.Damage, rng: np.random.Generator
) -> Geometry:
  """Draws how the camera moves; arguments are those of `film_again`."""
  view = None
  if damage.shake_heights or damage.pan_heights_per_s:
    at = camera_path.instants(np.asarray(time_s, float), damage.shutter)
    view = camera_path.MovingView(camera_path.draw_path(rng, at, damage, height), height, width)
    height, width = view.height, view.width
  rows, columns = (2 * int(damage.rows_share * side / 2) for side in (height, width))
  return Geometry(height, width, rows, columns, view, damage.rows_share < 1)


def film_again(
  frames: Iterable[np.ndarray],
  time_s: np.ndarray,
  height: int,
  width: int,
  damage: damage_lib.Damage,
  rng: np.random.Generator,
  geometry: Geometry | None = None,
) -> Iterator[np.ndarray]:
  """Yields frames as a phone would have filmed what they show.

  A camera that moves needs a border, so that the frames lose as much at each side as it moves
  (`camera_path.MovingView`).

  Args:
    frames: N of (height, width, 3) uint8 RGB.
    time_s: (N,) when each is shown, seconds.
    height: of the frames, pixels.
    width: of the frames, pixels.
    damage: what happens; its `crf` is the encoder's matter.
    rng: draws ways and noise.
    geometry: what `draw_geometry` has drawn already with `rng`; None: it is drawn now.

  Yields:
    N frames (H, W, 3) uint8 RGB, all of the same even height and width.
  """
  time_s = np.asarray(time_s, float)
  if geometry is None:
    geometry = draw_geometry(time_s, height, width, damage, rng)
  view, rows, columns = geometry.view, geometry.rows, geometry.columns
  gain = light.gains(damage, time_s)
  row_gain = light.flicker(damage, time_s, rows, rng.uniform(0, 2 * np.pi))
  noise = None
  if np.isfinite(damage.electrons):
    noise = light.SensorNoise(damage, rows, columns, rng)
  for k, frame in enumerate(frames):
    seen = frame if view is None else view.see(frame, k)
    if damage.focus_heights:
      seen = cv2.GaussianBlur(seen, (0, 0), damage.focus_heights * geometry.height)
    if geometry.scales:
      seen = cv2.resize(seen, (columns, rows), interpolation=cv2.INTER_AREA)
    seen = seen[:rows, :columns]  # H.264 halves both sides
    if damage.lit:
      measured = light.light_of(seen, gain[k], row_gain[k])
      if noise is not None:
        noise.add(measured)
      seen = light.picture_of(measured, damage)
    yield np.ascontiguousarray(seen)
