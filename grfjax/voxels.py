"""A trial -> records: what the camera saw, joined with what the plates felt.

Two builder configurations (`CONFIGS`): `mochizuki`, the paper's input to the letter, and `walker`,
clips of a window that follows the walker.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from absl import logging

from grfjax import forces, lost, recordings, tracking, video

VERSION = '3.0.0'  # of the records; another where they come to mean something else
AXES = ('vertical', 'forward', 'near side')  # the order of the last axis of `force`
GRAY_MEAN, GRAY_SD = 128, 32  # of the walker's gray values in a `walker` picture
SAME_RATE = 0.02  # a video within 2 % of the configuration's rate is taken frame by frame


@dataclasses.dataclass(frozen=True)
class Config:
  """How voxels are cut.

  Attributes:
    name: of the configuration.
    follow: a window that follows the walker (gray and difference to the background), or the whole
      picture (gray).
    frames: T, frames in a voxel.
    hop: frames between the starts of successive clips; beside its own so many a clip holds at
      least what `models.Convolutional` looks at around a frame. 0: one voxel for every frame of the
      near leg's stance, which is its last frame.
    rows: height of the voxel's pictures.
    columns: width.
    fps: frames a second; other videos are brought to it by time.
    wide: width of a followed window's pixel over its height.
  """

  name: str
  follow: bool
  frames: int
  hop: int
  rows: int
  columns: int
  fps: float
  wide: int = 1

  @property
  def channels(self) -> int:
    """Gray alone, or gray and difference."""
    return 2 if self.follow else 1

  @property
  def shape(self) -> tuple[int, int, int, int]:
    """(T, H, W, C) of a voxel."""
    return self.frames, self.rows, self.columns, self.channels

  @property
  def own(self) -> slice:
    """The frames of a voxel that no other voxel of the recording counts as its own."""
    if self.hop == 0:
      return slice(self.frames - 1, self.frames)
    lead = (self.frames - self.hop) // 2
    return slice(lead, lead + self.hop)

  def longer(self, hop: int) -> Config:
    """The same with more own frames in a clip; as many beside them (nothing if not in clips)."""
    if self.hop == 0:
      return self
    return dataclasses.replace(self, frames=self.frames - self.hop + hop, hop=hop)


CONFIGS = {
  'mochizuki': Config('mochizuki', follow=False, frames=5, hop=0, rows=40, columns=40, fps=60),
  # Twice as fine from top to bottom: there the body's bob shows the vertical force.
  'walker': Config('walker', follow=True, frames=96, hop=40, rows=96, columns=36, fps=60, wide=2),
}


def config(name: str) -> Config:
  """The configuration of that name, such as mochizuki, or mochizuki_20fps at another rate.

  Raises:
    ValueError: no such configuration; the message lists the names.
  """
  base, _, rate = name.partition('_')
  if base not in CONFIGS or not re.fullmatch(r'([1-9]\d{0,2}fps)?', rate) or name.endswith('_'):
    raise ValueError(
      f'no builder configuration {name!r}; there are {", ".join(CONFIGS)}, and each at another '
      'rate, such as walker_30fps'
    )
  if not rate:
    return CONFIGS[base]
  return dataclasses.replace(CONFIGS[base], name=name, fps=int(rate.removesuffix('fps')))


@dataclasses.dataclass(frozen=True)
class Views:
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
  video: video.Video
  direction: int
  box: np.ndarray
  clear: np.ndarray


def walks(path: pathlib.Path, cfg: Config) -> Iterator[Views | lost.Lost]:
  """Decodes a video into the configuration's pictures: of each walk across it, in order.

  A configuration that does not follow anybody sees all of the video as one.

  Yields:
    The walks; then the stretches in which nobody can be followed.

  Raises:
    ValueError: the video cannot be read, or nobody can be followed; the message names it.
  """
  film = video.probe(path)
  if not cfg.follow:
    picture = np.empty((len(film.time_s), *cfg.shape[1:]), np.uint8)
    for k, frame in enumerate(video.frames(film)):
      picture[k] = video.whole_window(frame, cfg.rows)
    count = len(film.time_s)
    yield _views(
      film, picture, np.arange(count), 0, np.full((count, 4), np.nan), np.ones(count, bool), cfg
    )
    return
  frames = video.WorkingFrames(film)
  try:
    for found in tracking.crossings(frames, film.time_s):
      yield found if isinstance(found, lost.Lost) else _followed(frames, found, cfg)
  except tracking.NobodyFoundError as error:
    raise tracking.NobodyFoundError(f'{path}: {error}') from error


def longest(path: pathlib.Path, cfg: Config) -> Views:
  """The walk that goes furthest; arguments and errors as in `walks`."""
  if not cfg.follow:
    (view,) = walks(path, cfg)
    assert isinstance(view, Views)  # only who is followed can be lost
    return view
  frames = video.WorkingFrames(video.probe(path))
  try:
    crossing = tracking.longest(frames, frames.video.time_s)
  except tracking.NobodyFoundError as error:
    raise tracking.NobodyFoundError(f'{path}: {error}') from error
  return _followed(frames, crossing, cfg)


def _followed(frames: video.WorkingFrames, crossing: tracking.Crossing, cfg: Config) -> Views:
  picture = np.stack(list(tracking.windows(crossing, cfg.rows, cfg.columns, cfg.wide)))
  track = crossing.track
  box = np.full((len(frames.video.time_s), 4), np.nan)
  window = tracking.boxes(track, cfg.rows, cfg.columns, cfg.wide)
  box[track.frame] = window * 2**frames.halvings
  clear = np.zeros(len(box), bool)
  clear[track.frame] = crossing.clear
  box[~clear] = np.nan
  new = ~track.repeats
  picture = standardised(picture)
  picture = picture if new.all() else picture[new]
  return _views(frames.video, picture, track.frame[new], track.direction, box, clear, cfg)


def _views(
  film: video.Video,
  picture: np.ndarray,
  frame: np.ndarray,
  direction: int,
  box: np.ndarray,
  clear: np.ndarray,
  cfg: Config,
) -> Views:
  time_s = film.time_s[frame]
  picture, time_s, nearest = at_rate(picture, time_s, cfg.fps, blend=cfg.follow)
  return Views(picture, time_s, frame[nearest].astype(np.int32), film, direction, box, clear)


def standardised(picture: np.ndarray) -> np.ndarray:
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


def at_rate(
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


@dataclasses.dataclass(frozen=True)
class Labels:
  """What the plates say, at given times.

  Attributes:
    force: (N, 2, 3) float32 body weights: leg (near, far) x `AXES`; 0 where unknown.
    known: (N, 2) bool.
    contact: (N, 2) bool.
    video_start_s: the force clock at the video's first frame.
    uncertainty_s: half a frame interval where the start was placed by `contact_frame`, else 0.
  """

  force: np.ndarray
  known: np.ndarray
  contact: np.ndarray
  video_start_s: float
  uncertainty_s: float


def labels(
  trial: recordings.Trial, time_s: np.ndarray, film: video.Video, threshold_n: float
) -> Labels:
  """Forces of the near and far leg at times on the video's clock.

  Args:
    trial: with forces.
    time_s: (N,) seconds from the video's first frame.
    film: the trial's video.
    threshold_n: vertical force over which a plate counts as stepped on.

  Raises:
    forces.ForceError: the force file cannot be used, or does not overlap the video.
  """
  assert trial.force is not None  # recordings.load(need_forces=True) has seen to it
  plates = forces.read(trial.force, len(trial.plates))
  weight = trial.subject.body_mass_kg * forces.G
  try:
    forces.check_plausible(plates, trial.subject.body_mass_kg)
    if trial.video_start_s is not None:
      start, uncertainty = trial.video_start_s, 0.0
    else:
      assert trial.contact_frame is not None
      start, uncertainty = forces.video_start(
        trial.contact_frame, film.time_s, plates.force[:, 0], plates.time_s, threshold_n
      )
    leg_force = forces.leg_forces(plates, trial.plates)
  except forces.ForceError as error:
    raise forces.ForceError(f'{trial.force}: {error}') from error
  if forces.look_swapped(leg_force, weight):
    logging.warning(
      '%s (trial %s): the floor pushes both feet outwards; are left and right swapped in plates, '
      'or does y not point to the left?',
      trial.where, trial.name,
    )  # fmt: skip
  force, known, contact = forces.labels(
    leg_force, plates.time_s, time_s + start, weight, threshold_n
  )
  if not contact.any():
    raise forces.ForceError(
      f'{trial.force}: no foot is on a plate while {film.path.name} runs ({start:.3f} to '
      f'{start + film.time_s[-1]:.3f} s on the force clock; the forces run from '
      f'{plates.time_s[0]:.3f} to {plates.time_s[-1]:.3f} s): check video_start_s or contact_frame'
    )
  near = recordings.LEGS.index(trial.camera)
  side = 1 if trial.camera == 'left' else -1  # y points to the walker's left
  legs = [near, 1 - near]
  turned = force[:, legs][..., [2, 0, 1]] * np.array([1, 1, side]) / weight
  return Labels(turned.astype(np.float32), known[:, legs], contact[:, legs], start, uncertainty)


def check_direction(trial_camera: str, direction: int, where: str) -> None:
  """Raises ValueError where the side of the camera contradicts the walk."""
  expected = -1 if trial_camera == 'left' else 1
  if direction and direction != expected:
    side = {1: 'right', -1: 'left'}
    raise ValueError(
      f'{where}: camera is {trial_camera!r}, so the walker should go to the {side[expected]} of '
      f'the picture, but goes to the {side[direction]}; correct the camera (the option, or '
      'the column of trials.csv), or the video is mirrored'
    )


def records(
  trial: recordings.Trial, cfg: Config, threshold_n: float = forces.CONTACT_N
) -> list[dict[str, Any]]:
  """Turns a trial into records (the features of the contract).

  Returns:
    One dict a voxel: voxel (T, H, W, C) uint8; force (T, 2, 3) float32 body weights; known,
    contact (T, 2) bool; time_s (T,) float32; frame (T,) int32, -1 where the voxel reaches over the
    recording's edge (there the edge's picture is repeated and nothing is known); subject, trial.

  Raises:
    ValueError: the video or forces cannot be used; the message names manifest line and file.
  """
  try:
    view = longest(trial.video, cfg)
    if cfg.follow:
      check_direction(trial.camera, view.direction, str(trial.video))
    label = labels(trial, view.time_s, view.video, threshold_n)
    clear = view.clear[view.frame]  # elsewhere the picture does not show what the plates felt
    label = dataclasses.replace(label, known=label.known & clear[:, None])
  except (ValueError, OSError) as error:
    raise ValueError(f'{trial.where} (trial {trial.name}): {error}') from error
  if label.uncertainty_s:
    logging.info(
      '%s: contact_frame %s puts the video at %.4f s of the force clock, give or take %.1f ms',
      trial.name, trial.contact_frame, label.video_start_s, 1e3 * label.uncertainty_s,
    )  # fmt: skip
  return [
    {**voxel, 'subject': trial.subject.name, 'trial': trial.name} for voxel in cut(view, label, cfg)
  ]


def cut(view: Views, label: Labels | None, cfg: Config) -> Iterator[dict[str, Any]]:
  """Cuts voxels; without labels (prediction) nothing is known and every frame ends a voxel."""
  count = len(view.time_s)
  if label is None:
    nothing = np.zeros((count, 2), bool)
    label = Labels(np.zeros((count, 2, 3), np.float32), nothing, nothing, 0.0, 0.0)
    wanted = np.ones(count, bool)
  else:
    wanted = label.contact[:, 0]
  for start in starts(count, wanted, cfg):
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


def starts(count: int, wanted: np.ndarray, cfg: Config) -> list[int]:
  """First frame of each voxel of a recording of `count` frames; may be negative.

  Clips begin so early that every frame is once among a clip's own (`Config.own`), its middle. The
  paper's voxels end at each frame that is `wanted` (N,).
  """
  lead = cfg.own.start
  if cfg.hop == 0:
    return (np.flatnonzero(wanted) - lead).tolist()
  return list(range(-lead, count - lead, cfg.hop))
