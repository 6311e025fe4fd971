"""The force curves of a whole video, from all walks in it."""

from __future__ import annotations

import pathlib

import numpy as np

from grfjax import conventions
from grfjax.data import trial_records, walker_views
from grfjax.gait import force_curves
from grfjax.inference import trained_run, walk_estimates
from grfjax.tracking import tracking_gaps


def estimate_video(
  run: trained_run.Run, path: pathlib.Path, camera: str = ''
) -> force_curves.ForceCurves:
  """Estimates the forces in a video.

  Args:
    run: a trained network.
    path: the video.
    camera: 'left' or 'right', the walker's side on which the camera stands; '' reads it off the
      walking direction, which only a network that follows the walker can. Who turns round has
      the camera on the other side.

  Raises:
    ValueError: the video cannot be read or nobody walks across it, or the side of the camera is
      missing or contradicts the walk.
  """
  walks: list[tuple[np.ndarray, int, np.ndarray, np.ndarray, np.ndarray]] = []
  reasons: list[str] = []
  for view in walker_views.read_walks(
    path, run.voxel
  ):  # one at a time, so that their pictures need not stay
    if isinstance(view, tracking_gaps.Gap):
      reasons.append(str(view))
      continue
    film = view.video
    if not walks:
      box, direction = np.full_like(view.box, np.nan), np.zeros(len(view.box), int)
    followed = np.isfinite(view.box[:, 0])
    box[followed], direction[followed] = view.box[followed], view.direction
    walks.append(
      (view.time_s, view.direction, view.clear, *walk_estimates.estimate_walk(run, view))
    )
  if not camera and not walks[0][1]:
    raise ValueError(
      f'{path}: --camera is needed (left or right): a network that sees the whole picture does not '
      'know which way the walker goes'
    )
  sides = [{1: 'right', -1: 'left', 0: camera}[direction] for _, direction, *_ in walks]
  if camera and camera not in sides:
    trial_records.check_direction(camera, walks[0][1], str(path))
  *_, force, interval = walks[0]
  near_only = force.shape[1] == 1
  shape = (len(film.time_s), 2, force.shape[2], 1 + interval.shape[3])
  every = np.full(shape, np.nan)  # last the estimate, then its interval
  for side, (time_s, _, clear, force, interval) in zip(sides, walks, strict=True):
    inside = clear & (film.time_s >= time_s[0] - 1e-9) & (film.time_s <= time_s[-1] + 1e-9)
    found = np.concatenate([force[..., None], interval], -1)
    found = np.moveaxis(conventions.camera_to_walker(np.moveaxis(found, -1, 0), side), 0, -1)
    found[..., 1:].sort(-1)  # the ends of an interval change places where the axis is turned
    legs = conventions.near_far_to_legs(side)
    for number in range(found.shape[1]):  # the near leg, and the far leg if the network knows it
      every[inside, legs[number]] = _at(film.time_s[inside], time_s, found[:, number])
  changes = [side for k, side in enumerate(sides) if k == 0 or side != sides[k - 1]]
  said = ', then '.join(changes)
  return force_curves.ForceCurves(
    film.time_s, every[..., 0], every[..., 1:], said, near_only, box, direction, tuple(reasons)
  )


def _at(time_s: np.ndarray, known_s: np.ndarray, values: np.ndarray) -> np.ndarray:
  """Values (K, ...), known at (K,) times, at (N,) others between them: (N, ...)."""
  flat = values.reshape(len(values), -1)
  columns = [np.interp(time_s, known_s, column) for column in flat.T]
  return np.stack(columns, -1).reshape(len(time_s), *values.shape[1:])
