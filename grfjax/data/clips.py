"""A video to the pictures of each walk in it, and pictures to voxels."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from grfjax.data import clip_config, trial_labels
from grfjax.io import video_file, working_frames
from grfjax.tracking import crossings, tracking_gaps, walker_window


def shrunken_frame(frame: np.ndarray, size: int) -> np.ndarray:
  """The paper's picture: gray and shrunk bilinearly.

  Args:
    frame: (H, W, 3) uint8 RGB.
    size: rows and columns of the result.

  Returns:
    (size, size, 1) uint8. Bilinear to the letter (OpenCV's INTER_LINEAR): most pixels are skipped.
  """
  gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
  return cv2.resize(gray, (size, size), interpolation=cv2.INTER_LINEAR)[..., None]


GRAY_MEAN, GRAY_SD = 128, 32  # of the walker's gray values in a `walker` picture

SAME_RATE = 0.02  # a video within 2 % of the configuration's rate is taken frame by frame


@dataclasses.dataclass(frozen=True)
class WalkerViews:
  """What the camera saw of the walker, at the configuration's rate.

  Attributes:
    picture: (N, H, W, C) uint8.
    time_s: (N,) float64 on the video's clock.
    frame: (N,) int32, the video's frame nearest in time.
    video: the file they come from.
    direction: +1 the walker goes to the picture's right, -1 left; 0 not looked at.
    box: (F, 4) float64 for every frame of the video: left, top, width and height of the window in
      the video's own pixels, counted from its edges; NaN where nobody is followed.
    clear: (F,) bool, the frames of the video that can be judged by these pictures.
  """

  picture: np.ndarray
  time_s: np.ndarray
  frame: np.ndarray
  video: video_file.Video
  direction: int
  box: np.ndarray
  clear: np.ndarray


def walks(
  path: pathlib.Path, cfg: clip_config.ClipConfig
) -> Iterator[WalkerViews | tracking_gaps.Gap]:
  """Decodes a video into the configuration's pictures: of each walk across it, in order.

  A configuration that does not follow anybody sees all of the video as one.

  Yields:
    The walks; then the stretches in which nobody can be followed.

  Raises:
    ValueError: the video cannot be read, or nobody can be followed; the message names it.
  """
  film = video_file.probe(path)
  if not cfg.follow:
    picture = np.empty((len(film.time_s), *cfg.shape[1:]), np.uint8)
    for k, frame in enumerate(video_file.frames(film)):
      picture[k] = shrunken_frame(frame, cfg.rows)
    count = len(film.time_s)
    yield _views(
      film, picture, np.arange(count), 0, np.full((count, 4), np.nan), np.ones(count, bool), cfg
    )
    return
  frames = working_frames.WorkingFrames(film)
  try:
    for found in crossings.find_crossings(frames, film.time_s):
      yield found if isinstance(found, tracking_gaps.Gap) else _followed(frames, found, cfg)
  except crossings.NobodyFoundError as error:
    raise error.within(str(path), file=path) from error


def longest(path: pathlib.Path, cfg: clip_config.ClipConfig) -> WalkerViews:
  """The walk that goes furthest; arguments and errors as in `walks`."""
  if not cfg.follow:
    (view,) = walks(path, cfg)
    assert isinstance(view, WalkerViews)  # only who is followed can be lost
    return view
  frames = working_frames.WorkingFrames(video_file.probe(path))
  try:
    crossing = crossings.find_longest(frames, frames.video.time_s)
  except crossings.NobodyFoundError as error:
    raise error.within(str(path), file=path) from error
  return _followed(frames, crossing, cfg)


def _followed(
  frames: working_frames.WorkingFrames, crossing: crossings.Crossing, cfg: clip_config.ClipConfig
) -> WalkerViews:
  picture = np.stack(list(walker_window.windows(crossing, cfg.rows, cfg.columns, cfg.wide)))
  track = crossing.track
  box = np.full((len(frames.video.time_s), 4), np.nan)
  window = walker_window.boxes(track, cfg.rows, cfg.columns, cfg.wide)
  box[track.frame] = window * 2**frames.halvings
  clear = np.zeros(len(box), bool)
  clear[track.frame] = crossing.clear
  box[~clear] = np.nan
  new = ~track.repeats
  picture = standardized(picture)
  picture = picture if new.all() else picture[new]
  return _views(frames.video, picture, track.frame[new], track.direction, box, clear, cfg)


def _views(
  film: video_file.Video,
  picture: np.ndarray,
  frame: np.ndarray,
  direction: int,
  box: np.ndarray,
  clear: np.ndarray,
  cfg: clip_config.ClipConfig,
) -> WalkerViews:
  time_s = film.time_s[frame]
  picture, time_s, nearest = resampled(picture, time_s, cfg.fps, blend=cfg.follow)
  return WalkerViews(picture, time_s, frame[nearest].astype(np.int32), film, direction, box, clear)


def standardized(picture: np.ndarray) -> np.ndarray:
  """Gray counted from the walker's mean over the walk, in standard deviations; in place.

  So neither exposure nor clothes matter, and what a network makes of a frame does not depend on
  which others of the walk it is shown with.

  Args:
    picture: (N, H, W, 2) uint8: gray, and how surely a pixel is the walker's (0 .. 255).

  Returns:
    The same array; gray is `GRAY_MEAN` at the mean and `GRAY_SD` levels a standard deviation;
    what lies over four of them away is held there.
  """
  counts = sum(
    np.bincount(p[..., 0].ravel(), weights=p[..., 1].ravel(), minlength=256) for p in picture
  )
  level = np.arange(256)
  total = max(float(np.sum(counts)), 1.0)
  mean = float(np.sum(counts * level)) / total
  deviation = float(np.sqrt(np.sum(counts * (level - mean) ** 2) / total))
  # The least of a real picture is some gray levels: in an even one, noise is not blown up.
  table = GRAY_MEAN + GRAY_SD * (level - mean) / max(deviation, 6.0)
  picture[..., 0] = np.clip(np.round(table), 0, 255).astype(np.uint8)[picture[..., 0]]
  return picture


def resampled(
  picture: np.ndarray, time_s: np.ndarray, fps: float, *, blend: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Brings pictures to a frame rate by their times.

  Args:
    picture: (N, H, W, C) uint8.
    time_s: (N,) increasing.
    fps: the rate wanted.
    blend: mix the two pictures around each instant (a followed walker moves little between them);
      otherwise take the nearest, each at most once, and keep its own time.

  Returns:
    (M, H, W, C) uint8, their (M,) times and the (M,) index of the picture nearest to each. As they
    are, if the rate is within `SAME_RATE` and steady.
  """
  steps = np.diff(time_s)
  if len(steps) == 0 or np.abs(steps * fps - 1).max() < SAME_RATE:
    return picture, time_s, np.arange(len(time_s))
  grid = np.arange(time_s[0], time_s[-1] + 1e-6, 1 / fps)
  after = np.clip(np.searchsorted(time_s, grid), 1, len(time_s) - 1)
  share = np.clip((grid - time_s[after - 1]) / steps[after - 1], 0, 1)
  nearest = np.where(share < 0.5, after - 1, after)
  if not blend:
    nearest = np.unique(nearest)
    return picture[nearest], time_s[nearest], nearest
  mixed = np.empty((len(grid), *picture.shape[1:]), np.uint8)
  for k, (i, s) in enumerate(zip(after, share, strict=True)):
    mixed[k] = cv2.addWeighted(picture[i - 1], 1 - s, picture[i], s, 0).reshape(mixed[k].shape)
  return mixed, grid, nearest


def cut_voxels(
  view: WalkerViews, label: trial_labels.TrialLabels | None, cfg: clip_config.ClipConfig
) -> Iterator[dict[str, Any]]:
  """Cuts voxels; without labels (prediction) nothing is known and every frame ends a voxel."""
  count = len(view.time_s)
  if label is None:
    nothing = np.zeros((count, 2), bool)
    label = trial_labels.TrialLabels(
      np.zeros((count, 2, 3), np.float32), nothing, nothing, 0.0, 0.0
    )
    wanted = np.ones(count, bool)
  else:
    wanted = label.contact[:, 0]
  for start in voxel_starts(count, wanted, cfg):
    index = np.arange(start, start + cfg.frames)
    inside = (index >= 0) & (index < count)
    at = np.clip(index, 0, count - 1)
    yield {
      'voxel': view.picture[at],
      'force': label.force[at] * inside[:, None, None],
      'known': label.known[at] & inside[:, None],
      'contact': label.contact[at] & inside[:, None],
      'time_s': (view.time_s[at] + (index - at) / cfg.fps).astype(np.float32),
      'frame': np.where(inside, view.frame[at], -1).astype(np.int32),
    }


def voxel_starts(count: int, wanted: np.ndarray, cfg: clip_config.ClipConfig) -> list[int]:
  """First frame of each voxel of a recording of `count` frames; may be negative.

  Clips begin so early that every frame is once among a clip's own (`Config.own`), its middle. The
  paper's voxels end at each frame that is `wanted` (N,).
  """
  lead = cfg.own.start
  if cfg.hop == 0:
    return (np.flatnonzero(wanted) - lead).tolist()
  return list(range(-lead, count - lead, cfg.hop))
