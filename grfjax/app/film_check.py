"""Whether a film can be used, found out before anything is estimated.

It looks for the walker as the estimate itself does, and keeps what comes to light on the way.
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

from grfjax.app import results
from grfjax.data import clip_config, trial_doubts
from grfjax.io import video_file, working_frames
from grfjax.tracking import crossings, tracking_gaps, walker_window

_DRAWN_AS = 'walker'  # the configuration whose window the bundled networks look at

# Of adults who walk as they like: a step is some 0.41 statures long, and 0.6 of the stride is
# stance (Perry J, Burnfield J (2010), Gait Analysis, 2nd ed.).
_STRIDE_HEIGHTS = 0.82
_STANCE_STRIDES = 0.6


def check_film(path: pathlib.Path) -> dict[str, Any]:
  """Looks through a film.

  Args:
    path: the film.

  Returns:
    What `README.md` lists as Check, for a JSON column; each finding has 'code', 'level' ('doubt'
    or 'error') and 'numbers', which `texts.finding` makes a sentence of.

  Raises:
    video_file.VideoError: the file is no film, or one that cannot be used at all.
  """
  video = video_file.probe(path)
  video_file.check_no_hole(video)
  walks = _Walks(clip_config.clip_config(_DRAWN_AS))
  frames = working_frames.WorkingFrames(video)
  try:
    for found in crossings.find_crossings(frames, video.time_s):
      walks.add(found, video, 2**frames.halvings)
  except crossings.NobodyFoundError as error:
    walks.gaps += error.gaps
    walks.is_held |= error.moves
  findings = [*_of_film(video), *walks.findings()]
  levels = {finding['level'] for finding in findings}
  return {
    'verdict': 'unusable' if 'error' in levels else 'doubtful' if levels else 'good',
    'width': video.width,
    'height': video.height,
    'fps': video.fps,
    'seconds': float(video.time_s[-1]),
    'slowed': video.speed,
    'camera': walks.camera(),
    'walks': walks.count,
    'clear_seconds': walks.clear_frames / video.fps,
    'contacts': round(walks.contacts),
    'feet': walks.feet(),
    'findings': findings,
  }


class _Walks:
  """What is seen of the walks in a film, one after the other.

  Attributes:
    count: of walks.
    clear_frames: in which a walker is shown clearly.
    contacts: of each foot that will be seen whole, on average, if the strides have their usual
      length.
    gaps: where nobody can be followed.
    is_held: the camera moves; where the walker is followed, it could be held still.
  """

  def __init__(self, clip: clip_config.ClipConfig):
    self._clip = clip
    self.count = self.clear_frames = self._frames = 0
    self.contacts = 0.0
    self.gaps: list[tracking_gaps.Gap] = []
    self.is_held = False
    self._rows: list[float] = []  # of the window, in the film's pixels

  def add(
    self, found: crossings.Crossing | tracking_gaps.Gap, video: video_file.Video, scale: int
  ) -> None:
    """Takes the next walk or gap.

    Args:
      found: a walk or a gap.
      video: the film.
      scale: the film's pixels in a pixel of the walk.
    """
    if isinstance(found, tracking_gaps.Gap):
      self.gaps.append(found)
      return
    self.count += 1
    self._frames += len(found.clear)
    self.clear_frames += int(found.clear.sum())
    height = float(np.median(found.track.height))
    for run in np.ma.clump_unmasked(np.ma.array(found.track.x, mask=~found.clear)):
      strides = float(np.ptp(found.track.x[run])) / height / _STRIDE_HEIGHTS
      self.contacts += max(0.0, strides - _STANCE_STRIDES)
    self.is_held |= not np.allclose(found.to_filmed, np.eye(3))
    boxes = walker_window.boxes(found.track, self._clip.rows, self._clip.columns, self._clip.wide)
    self._rows.append(scale * float(np.median(boxes[:, 3])))

  def camera(self) -> str:
    """Returns how the camera stood: 'still', 'hand_held' or 'moving', too much to be held still."""
    if any(gap.reason == tracking_gaps.CAMERA_MOVES for gap in self.gaps):
      return 'moving'
    return 'hand_held' if self.is_held else 'still'

  def feet(self) -> str:
    """Returns whether the feet are in the picture: 'visible', 'cut' or 'unknown'."""
    if any(gap.reason == tracking_gaps.FEET_CUT for gap in self.gaps):
      return 'cut'
    return 'visible' if self.count else 'unknown'

  def findings(self) -> list[dict[str, Any]]:
    """Returns what is wrong or doubtful."""
    found = []
    if not self.count:
      found.append(_finding('video.no_walker', 'error'))
    for gap in self.gaps:
      span = {'start': f'{gap.start_s:.1f}', 'end': f'{gap.end_s:.1f}'}
      found.append(_finding(gap.reason.code, 'doubt', **span))
    if self.count:
      withheld = 1 - self.clear_frames / self._frames
      if withheld > trial_doubts.WITHHELD:
        found.append(_finding('check.withheld', 'doubt', percent=f'{100 * withheld:.0f}'))
      if round(self.contacts) < results.ENOUGH_VALUES:
        numbers = {'contacts': str(round(self.contacts)), 'enough': str(results.ENOUGH_VALUES)}
        found.append(_finding('check.few_contacts', 'doubt', **numbers))
      rows = min(self._rows)
      if rows < self._clip.rows:
        numbers = {'rows': f'{rows:.0f}', 'expected': str(self._clip.rows)}
        found.append(_finding('check.small_walker', 'doubt', **numbers))
    return found


def _of_film(video: video_file.Video) -> list[dict[str, Any]]:
  found = []
  if video.fps < trial_doubts.FRAME_RATE:
    found.append(_finding('check.frame_rate', 'doubt', fps=f'{video.fps:.3g}'))
  if video.speed != 1:
    found.append(_finding('check.playback_speed', 'doubt', speed=f'{video.speed:.3g}'))
  return found


def _finding(code: str, level: str, **numbers: str) -> dict[str, Any]:
  return {'code': code, 'level': level, 'numbers': numbers}
