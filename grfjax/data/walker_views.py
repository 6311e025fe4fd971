"""A video to the pictures of each walk across it."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator

import numpy as np

from grfjax.data import clip_config, pictures
from grfjax.gait import walker_path
from grfjax.io import video_file, working_frames
from grfjax.tracking import crossings, tracking_gaps, walker_window

HEAD_ROOM = 0.01  # of the picture: a head that is not so far below its upper edge may be cut


@dataclasses.dataclass(frozen=True)
class WalkerViews:
  """The pictures of a walk, at the configuration's rate.

  Attributes:
    picture: (N, H, W, C) uint8.
    time_s: (N,) float64 on the video's clock.
    frame: (N,) int32, the video's frame nearest in time.
    video: the video that they come from.
    direction: +1: the walker goes to the picture's right; -1: to its left; 0: not determined.
    box: (F, 4) float64 for every frame of the video: left, top, width and height of the window in
      the video's own pixels, counted from its edges; NaN where nobody is followed.
    clear: (F,) bool, the frames of the video in which the pictures show the walker clearly.
    path: where the walker is in these frames; None where nobody is followed.
    walks: how many walks the video has of which this is the longest; 1 where that is not looked at.
    gaps: where in the video somebody may walk but cannot be followed, likewise.
  """

  picture: np.ndarray
  time_s: np.ndarray
  frame: np.ndarray
  video: video_file.Video
  direction: int
  box: np.ndarray
  clear: np.ndarray
  path: walker_path.WalkerPath | None = None
  walks: int = 1
  gaps: tuple[tracking_gaps.Gap, ...] = ()

  def box_at_pictures(self) -> np.ndarray:
    """Returns (N, 4) where the windows are at the pictures' times, as `box`.

    Between two frames of the video, of which the picture is a mixture, both must show the walker.
    """
    film_s = self.video.time_s
    return np.stack([np.interp(self.time_s, film_s, side) for side in self.box.T], -1)


def read_walks(
  path: pathlib.Path, cfg: clip_config.ClipConfig, camera: str
) -> Iterator[WalkerViews | tracking_gaps.Gap]:
  """Decodes a video into the configuration's pictures: of each walk across it, in order.

  A configuration that does not follow anybody takes all of the video as one walk.

  Args:
    path: the video.
    cfg: how pictures are made.
    camera: 'left' or 'right', the walker's side on which the camera stands. Whole pictures are
      mirrored where it is right, so that everybody walks the same way, as in the paper. Windows on
      the walker face one way by themselves; with them it is not looked at and may be ''.

  Yields:
    The walks; then the gaps in which nobody can be followed.

  Raises:
    video_file.VideoError: the video cannot be read, or has a hole.
    crossings.UnusableFilmError: the film is no single view of a walk past a camera, or nobody can
      be followed; the message names the video.
  """
  video = video_file.probe(path)
  video_file.check_no_hole(video)
  if not cfg.follow:
    yield _whole_pictures(video, cfg, camera)
    return
  frames = working_frames.WorkingFrames(video)
  try:
    for walk in crossings.find_crossings(frames, video.time_s):
      yield walk if isinstance(walk, tracking_gaps.Gap) else _followed_windows(frames, walk, cfg)
  except crossings.UnusableFilmError as error:
    raise error.within(str(path), file=path) from error


def read_longest_walk(
  path: pathlib.Path, cfg: clip_config.ClipConfig, camera: str, *, with_pictures: bool = True
) -> WalkerViews:
  """Reads the walk that goes furthest; errors are those of `read_walks`.

  Args:
    path: the video.
    cfg: how pictures are made.
    camera: as in `read_walks`.
    with_pictures: whether the pictures are wanted; otherwise those of a walker who is followed
      are not made, and black of a single pixel.
  """
  video = video_file.probe(path)
  video_file.check_no_hole(video)
  if not cfg.follow:
    return _whole_pictures(video, cfg, camera)
  frames = working_frames.WorkingFrames(video)
  try:
    found = list(crossings.find_crossings(frames, video.time_s))
  except crossings.UnusableFilmError as error:
    raise error.within(str(path), file=path) from error
  gaps = tuple(gap for gap in found if isinstance(gap, tracking_gaps.Gap))
  view = _followed_windows(frames, crossings.longest(found), cfg, with_pictures)
  return dataclasses.replace(view, walks=len(found) - len(gaps), gaps=gaps)


def _whole_pictures(
  video: video_file.Video, cfg: clip_config.ClipConfig, camera: str
) -> WalkerViews:
  """Shrinks every frame of a video as a whole, mirrored where the camera stands at the right."""
  step = {'left': 1, 'right': -1}[camera]
  count = len(video.time_s)
  picture = np.empty((count, *cfg.shape[1:]), np.uint8)
  for k, frame in enumerate(video_file.frames(video)):
    picture[k] = pictures.shrink(frame, cfg.rows)[:, ::step]
  box, clear = np.full((count, 4), np.nan), np.ones(count, bool)
  return _at_rate(WalkerViews(picture, video.time_s, np.arange(count), video, 0, box, clear), cfg)


def _followed_windows(
  frames: working_frames.WorkingFrames,
  crossing: crossings.Crossing,
  cfg: clip_config.ClipConfig,
  with_pictures: bool = True,
) -> WalkerViews:
  """Cuts the window that follows the walker out of every frame of a crossing."""
  video, track = frames.video, crossing.track
  picture = np.zeros((len(track.frame), 1, 1, 1), np.uint8)
  if with_pictures:
    windows = walker_window.windows(crossing, cfg.rows, cfg.columns, cfg.wide)
    picture = pictures.standardize(np.stack(list(windows)))
  window = walker_window.boxes(track, cfg.rows, cfg.columns, cfg.wide)
  box = np.full((len(video.time_s), 4), np.nan)
  box[track.frame] = _filmed_boxes(window, crossing.to_filmed) * 2**frames.halvings
  clear = np.zeros(len(box), bool)
  clear[track.frame] = crossing.clear
  box[~clear] = np.nan
  path = _walked_path(frames, crossing, clear)
  new = ~track.repeats
  picture, frame = picture if new.all() else picture[new], track.frame[new]
  views = WalkerViews(picture, video.time_s[frame], frame, video, track.direction, box, clear, path)
  return _at_rate(views, cfg)


def _walked_path(
  frames: working_frames.WorkingFrames, crossing: crossings.Crossing, clear: np.ndarray
) -> walker_path.WalkerPath:
  """Returns the path of a crossing.

  Args:
    frames: the video's frames.
    crossing: a walk.
    clear: (F,) bool of the video's frames. Where the picture's upper edge cuts the head, the height
      is not that of the walker either, and there is no path.
  """
  track, scale = crossing.track, 2**frames.halvings
  # Where the track's pixels have the middle of the pictures as filmed, on average.
  middle = np.array([frames.width / 2, frames.height / 2, 1])
  middles = np.linalg.solve(
    crossing.to_filmed, np.broadcast_to(middle[:, None], (len(track.x), 3, 1))
  )
  column = np.full(len(clear), np.nan)
  height = column.copy()
  column[track.frame] = scale * (track.x - np.mean(middles[:, 0, 0] / middles[:, 2, 0]))
  height[track.frame] = scale * track.height / walker_path.TRACKED_OVER_BODY
  head = np.stack([track.x, track.floor - track.height, np.ones(len(track.x))], -1)
  head = np.einsum('kij,kj->ki', crossing.to_filmed, head)
  whole = np.zeros(len(clear), bool)
  whole[track.frame] = head[:, 1] > HEAD_ROOM * frames.height * head[:, 2]
  column[~(clear & whole)] = height[~(clear & whole)] = np.nan
  return walker_path.WalkerPath(column, height, scale * max(frames.width, frames.height))


def _filmed_boxes(box: np.ndarray, to_filmed: np.ndarray) -> np.ndarray:
  """Moves boxes (K, 4) left, top, width, height by homographies (K, 3, 3)."""
  corners = [box[:, :2], box[:, :2] + box[:, 2:]]
  first, last = (
    np.einsum('kij,kj->ki', to_filmed, np.column_stack([c, np.ones(len(c))])) for c in corners
  )
  first, last = first[:, :2] / first[:, 2:], last[:, :2] / last[:, 2:]
  return np.column_stack([first, last - first])


def _at_rate(views: WalkerViews, cfg: clip_config.ClipConfig) -> WalkerViews:
  """Brings the pictures to the configuration's rate."""
  picture, time_s, nearest = pictures.resample(
    views.picture, views.time_s, cfg.fps, blend=cfg.follow
  )
  frame = views.frame[nearest].astype(np.int32)
  return dataclasses.replace(views, picture=picture, time_s=time_s, frame=frame)
