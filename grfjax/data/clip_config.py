"""How voxels are cut: the builder's configurations."""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class ClipConfig:
  """How voxels are cut.

  Attributes:
    name: of the configuration.
    follow: a window that follows the walker (gray and difference to the background), or the whole
      picture (gray).
    frames: T, frames in a voxel.
    hop: frames between the starts of successive clips; beside its own so many a clip holds at
      least what `walker_networks.Convolutional` looks at around a frame. 0: one voxel for every
      frame of the
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

  def longer(self, hop: int) -> ClipConfig:
    """The same with more own frames in a clip; as many beside them (nothing if not in clips)."""
    if self.hop == 0:
      return self
    return dataclasses.replace(self, frames=self.frames - self.hop + hop, hop=hop)


CLIP_CONFIGS = {
  'mochizuki': ClipConfig('mochizuki', follow=False, frames=5, hop=0, rows=40, columns=40, fps=60),
  # Twice as fine from top to bottom: there the body's bob shows the vertical force.
  'walker': ClipConfig(
    'walker', follow=True, frames=96, hop=40, rows=96, columns=36, fps=60, wide=2
  ),
}


def clip_config(name: str) -> ClipConfig:
  """The configuration of that name, such as mochizuki, or mochizuki_20fps at another rate.

  Raises:
    ValueError: no such configuration; the message lists the names.
  """
  base, _, rate = name.partition('_')
  if (
    base not in CLIP_CONFIGS or not re.fullmatch(r'([1-9]\d{0,2}fps)?', rate) or name.endswith('_')
  ):
    raise ValueError(
      f'no builder configuration {name!r}; there are {", ".join(CLIP_CONFIGS)}, '
      'and each at another '
      'rate, such as walker_30fps'
    )
  if not rate:
    return CLIP_CONFIGS[base]
  return dataclasses.replace(CLIP_CONFIGS[base], name=name, fps=int(rate.removesuffix('fps')))
