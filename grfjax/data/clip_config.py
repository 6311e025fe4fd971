"""How voxels are cut: the configurations of the data set's builder."""

from __future__ import annotations

import dataclasses
import re

from grfjax import errors


@dataclasses.dataclass(frozen=True)
class ClipConfig:
  """How voxels are cut. A data set's metadata hold every field by its name.

  Attributes:
    name: name of the configuration.
    follow: True: pictures are a window that follows the walker (gray, and difference to the
      background); False: they are the whole picture (gray), mirrored where the camera stands at
      the walker's right.
    frames: T, frames in a voxel.
    hop: frames between the starts of successive clips, which are a clip's own frames; beside them
      a clip holds at least what `walker_networks.Convolutional` looks at around a frame. 0: one
      voxel for every frame of the near leg's stance, which is its last frame.
    rows: height of the voxel's pictures.
    columns: width of the voxel's pictures.
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
    """1 for gray alone, 2 for gray and difference."""
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

  def longer(self, hop: int) -> ClipConfig:
    """Returns the same with `hop` own frames in a clip and as many frames beside them.

    A configuration that is not cut into clips is returned as it is.
    """
    if self.hop == 0:
      return self
    return dataclasses.replace(self, frames=self.frames - self.hop + hop, hop=hop)


CLIP_CONFIGS = {
  'mochizuki': ClipConfig('mochizuki', follow=False, frames=5, hop=0, rows=40, columns=40, fps=60),
  # The paper's network on a window that follows the walker, as large as the paper's picture.
  'mochizuki_window': ClipConfig(
    'mochizuki_window', follow=True, frames=5, hop=0, rows=40, columns=40, fps=60
  ),
  # Twice as fine from top to bottom: there the body's bob shows the vertical force.
  'walker': ClipConfig(
    'walker', follow=True, frames=96, hop=40, rows=96, columns=36, fps=60, wide=2
  ),
}
_NAME = re.compile(
  r'(?P<base>[a-z_]+?)(_(?P<frames>[1-9]\d?)frames)?(_(?P<pixels>[1-9]\d{1,2})px)?'
  r'(_(?P<fps>[1-9]\d{0,2})fps)?'
)


def clip_config(name: str) -> ClipConfig:
  """Returns a configuration by its name.

  Args:
    name: such as mochizuki; mochizuki_9frames_96px_20fps for the same with other frames in a voxel,
      pixels a side, or frames a second. walker can have another rate only.

  Raises:
    errors.InputError: there is no configuration of that name; the message lists the names.
  """
  parts = _NAME.fullmatch(name)
  base = CLIP_CONFIGS.get(parts['base']) if parts else None
  if parts is None or base is None or (base.hop and (parts['frames'] or parts['pixels'])):
    raise errors.InputError(
      f'there is no builder configuration {name!r}; expected one of {", ".join(CLIP_CONFIGS)}, '
      'or one of these at another rate, such as walker_30fps, or mochizuki with other frames or '
      'pixels, such as mochizuki_9frames_96px',
      code='config.unknown_dataset',
    )
  pixels = int(parts['pixels'] or 0)
  return dataclasses.replace(
    base,
    name=name,
    frames=int(parts['frames'] or base.frames),
    rows=pixels or base.rows,
    columns=pixels or base.columns,
    fps=int(parts['fps'] or base.fps),
  )
