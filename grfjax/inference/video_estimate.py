"""The force curves of a whole video, put together from all walks in it."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import pathlib

import numpy as np

from grfjax import conventions, errors, mask_runs
from grfjax.data import trial_records, walker_views
from grfjax.gait import (
  foot_contacts,
  foot_geometry,
  foot_places,
  force_curves,
  walker_path,
)
from grfjax.inference import foot_estimates, trained_run, trust, walk_estimates
from grfjax.io import video_file
from grfjax.tracking import tracking_gaps, walker_window


class EstimateError(errors.InputError):
  """A video whose forces cannot be estimated as asked."""


@dataclasses.dataclass(frozen=True)
class _Walk:
  """One walk in a video of N frames, estimated at K times.

  Attributes:
    time_s: (K,) seconds from the video's first frame.
    direction: +1 where the walker goes to the picture's right, -1 left, 0 where not looked at.
    box: (N, 4) the walker's window in the video's pixels; NaN where the walker is not followed.
    clear: (N,) bool, the frames that the pictures of this walk can tell about.
    path: where the walker is; None where not followed.
    force: (K, legs, axes) body weights.
    interval: (K, legs, axes, 2 or 0) body weights.
    trust: (K,) 0 to 1; NaN where the network does not tell.
    feet: (K, 2, 4) as of `foot_estimates.find_feet`; None where they are not looked for.
  """

  time_s: np.ndarray
  direction: int
  box: np.ndarray
  clear: np.ndarray
  path: walker_path.WalkerPath | None
  force: np.ndarray
  interval: np.ndarray
  trust: np.ndarray
  feet: np.ndarray | None

  def camera(self, given: str) -> str:
    """Returns the walker's side on which the camera stands, `given` where not looked at."""
    return {1: 'right', -1: 'left', 0: given}[self.direction]


def estimate_video(
  run: trained_run.TrainedRun, path: str | os.PathLike[str], camera: str = ''
) -> force_curves.ForceCurves:
  """Estimates the forces in a video.

  Args:
    run: a trained network.
    path: the video.
    camera: 'left' or 'right', the walker's side on which the camera stands; '' reads it off the
      walking direction, which only a network that follows the walker can. Who turns round has
      the camera on the other side.

  Raises:
    EstimateError: the side of the camera is missing.
    InputError: the video cannot be read, nobody walks across it, or the side of the camera
      contradicts the walk.
  """
  if not camera and not run.clip.follow:
    raise EstimateError(
      f'{path}: --camera is needed (left or right): a network that sees the whole picture does not '
      'know which way the walker goes',
      code='prediction.camera_missing',
      file=path,
    )
  film, walks, gaps = _estimate_walks(run, path, camera)
  cameras = [walk.camera(camera) for walk in walks]
  if camera and camera not in cameras:
    trial_records.check_direction(camera, walks[0].direction, str(path))
  box = np.full((len(film.time_s), 4), np.nan)
  direction = np.zeros(len(film.time_s), int)
  for walk in walks:
    followed = np.isfinite(walk.box[:, 0])
    box[followed], direction[followed] = walk.box[followed], walk.direction
  force, interval, trusted = _at_frames(film.time_s, walks, cameras)
  doubtful = np.any(trusted < trust.MIN_TRUST, axis=1)
  force[doubtful] = interval[doubtful] = np.nan
  feet, paths, oblique = _place_feet(film.time_s, walks, cameras, force)
  return force_curves.ForceCurves(
    time_s=film.time_s,
    force=force,
    interval=interval,
    camera=', then '.join(side for side, _ in itertools.groupby(cameras)),
    near_only=walks[0].force.shape[1] == 1,
    box=box,
    direction=direction,
    path=walker_path.join(paths),
    gaps=tuple(
      sorted(
        (*gaps, *_doubtful_gaps(film.time_s, doubtful), *oblique),
        key=lambda gap: gap.start_s or 0.0,
      )
    ),
    trust=trusted if np.isfinite(trusted).any() else None,
    speed=film.speed,
    feet=feet,
  )


def _estimate_walks(
  run: trained_run.TrainedRun, path: str | os.PathLike[str], camera: str
) -> tuple[video_file.Video, list[_Walk], tuple[force_curves.Gap, ...]]:
  """Estimates each walk by itself, so that the pictures of one at a time are in memory."""
  walks: list[_Walk] = []
  gaps: list[force_curves.Gap] = []
  for views in walker_views.read_walks(pathlib.Path(path), run.clip, camera):
    if isinstance(views, tracking_gaps.Gap):
      gaps.append(force_curves.Gap(views.reason.code, str(views), views.start_s))
    else:
      force, interval, spread = walk_estimates.estimate_walk(run, views)
      film = views.video
      # One network by itself knows no disagreement that would tell it.
      trusted = (
        trust.trust(views.time_s, spread)
        if run.model.members > 1
        else np.full(len(views.time_s), np.nan)
      )
      walks.append(
        _Walk(
          views.time_s, views.direction, views.box, views.clear, views.path, force, interval,
          trusted, _find_feet(run, views, force),
        )
      )  # fmt: skip
  return film, walks, tuple(gaps)


def _find_feet(
  run: trained_run.TrainedRun, views: walker_views.WalkerViews, force: np.ndarray
) -> np.ndarray | None:
  """Returns where the feet are in a walk's pictures; None where they cannot be looked for."""
  if views.path is None or force.shape[1:] != (2, 3):
    return None
  network = foot_estimates.bundled()
  return foot_estimates.find_feet(network, views, force) if network.fits(run.clip) else None


def _place_feet(
  time_s: np.ndarray, walks: list[_Walk], cameras: list[str], force: np.ndarray
) -> tuple[foot_places.FootPlaces | None, list[walker_path.WalkerPath], list[force_curves.Gap]]:
  """Finds where the feet stand at the frames of the video.

  Args:
    time_s: (N,) of the video's frames.
    walks: the walks.
    cameras: the walker's side on which the camera stands, of each walk.
    force: (N, 2, axes) what is given of the forces, leg (left, right).

  Returns:
    Where they stand, None where nobody looked for them; the paths of the walks, by the floor on
    which the feet were found; and which walks lead too much to the camera or away from it.
  """
  parts: list[foot_places.FootPlaces] = []
  paths: list[walker_path.WalkerPath] = []
  gaps: list[force_curves.Gap] = []
  contacts = foot_contacts.find_contacts(time_s, force)
  for walk, camera in zip(walks, cameras, strict=True):
    if walk.path is None:
      continue
    if walk.feet is None:
      paths.append(walk.path)
      continue
    inside = _inside(time_s, walk)
    found = np.full((len(time_s), 2, 4), np.nan)
    found[inside] = _interpolate(time_s[inside], walk.time_s, walk.feet)
    found = found[:, conventions.near_far_to_legs(camera)]
    found[np.isnan(force[..., 0])] = np.nan
    ahead, up, roll, near_side = np.moveaxis(found, -1, 0)
    left = near_side if camera == 'left' else -near_side
    feet = foot_geometry.FeetInWindow(ahead, up, roll, left)
    own = [
      (conventions.LEGS.index(c.leg), inside & (time_s >= c.start_s) & (time_s <= c.end_s))
      for c in contacts
    ]
    floor_up = foot_geometry.floor_up(feet, own)
    paths.append(walk.path if np.isnan(floor_up) else walk.path.with_floor(floor_up))
    parts.append(foot_places.unknown(len(time_s)))
    if np.isfinite(paths[-1].column).sum() < 2:
      continue
    line = foot_geometry.WalkLine(paths[-1], time_s)
    if line.oblique > foot_geometry.MAX_OBLIQUE:
      gaps.append(_oblique_gap(time_s[inside], line.oblique))
    else:
      to_picture = functools.partial(
        walker_window.to_picture, box=walk.box[:, None], direction=walk.direction
      )
      parts[-1] = foot_geometry.foot_places_of(feet, own, line, time_s, to_picture)
  return (foot_places.join(parts) if parts else None), paths, gaps


def _oblique_gap(time_s: np.ndarray, degrees: float) -> force_curves.Gap:
  """Returns why nothing is told of the feet of a walk through the frames at (K,) times."""
  return force_curves.Gap(
    'walker.oblique_feet',
    f'{force_curves.time_span(time_s[0], time_s[-1])} the walk leads {degrees:.0f} degrees to the '
    'camera or away from it, so it is not told where the feet stand',
    float(time_s[0]),
  )


def _inside(time_s: np.ndarray, walk: _Walk) -> np.ndarray:
  """Returns which of (N,) frames of the video a walk's estimates are for."""
  return walk.clear & (time_s >= walk.time_s[0] - 1e-9) & (time_s <= walk.time_s[-1] + 1e-9)


def _at_frames(
  time_s: np.ndarray, walks: list[_Walk], cameras: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Interpolates the walks' estimates at the frames of the video.

  Args:
    time_s: (N,) of the video's frames.
    walks: the walks.
    cameras: the walker's side on which the camera stands, of each walk.

  Returns:
    Forces (N, 2, axes) and intervals (N, 2, axes, 2 or 0), leg (left, right) x (vertical, forward,
    to the walker's left), body weights, and trust (N, 2); NaN where there is no estimate.
  """
  axes, ends = walks[0].force.shape[2], walks[0].interval.shape[3]
  trusted = np.full((len(time_s), 2), np.nan)
  combined = np.full((len(time_s), 2, axes, 1 + ends), np.nan)  # the force, then its interval
  for walk, camera in zip(walks, cameras, strict=True):
    inside = _inside(time_s, walk)
    values = np.concatenate([walk.force[..., None], walk.interval], -1)
    values = np.moveaxis(conventions.camera_to_walker(np.moveaxis(values, -1, 0), camera), 0, -1)
    values[..., 1:].sort(-1)  # the ends of an interval change places where the axis is turned
    legs = conventions.near_far_to_legs(camera)
    for number in range(values.shape[1]):  # the near leg, and the far leg if the network knows it
      trusted[inside, legs[number]] = np.interp(time_s[inside], walk.time_s, walk.trust)
      combined[inside, legs[number]] = _interpolate(time_s[inside], walk.time_s, values[:, number])
  return combined[..., 0], combined[..., 1:], trusted


def _doubtful_gaps(time_s: np.ndarray, doubtful: np.ndarray) -> list[force_curves.Gap]:
  """Returns the intervals of (N,) doubtful frames, and why nothing is given there."""
  return [
    force_curves.Gap(
      'walker.low_trust',
      f'{force_curves.time_span(time_s[start], time_s[stop - 1])} the networks contradict each '
      'other, so nothing is given',
      float(time_s[start]),
    )
    for start, stop in mask_runs.runs_of_true(doubtful)
  ]


def _interpolate(time_s: np.ndarray, known_s: np.ndarray, values: np.ndarray) -> np.ndarray:
  """Interpolates values (K, ...), known at (K,) times, linearly at (N,) others: (N, ...)."""
  flat = values.reshape(len(values), -1)
  columns = [np.interp(time_s, known_s, column) for column in flat.T]
  return np.stack(columns, -1).reshape(len(time_s), *values.shape[1:])
