"""What `bench.py` times: networks, their inputs and labels, and the weights of all peers."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]

# The body of `configs/convolutional.py` at its training batch: 8 clips of 40 windows halved to
# 48 x 36, gray and difference; speeds and accelerations of 6 strips and 3 cells in each, 2 planes,
# 2 directions.
CONVOLUTIONAL: dict[str, Any] = {
  'outputs': 3, 'width': 32, 'features': 128, 'dilations': (1, 2, 4, 8, 1, 2, 4), 'dropout': 0.1,
}  # fmt: skip
CLIPS, FRAMES, ROWS, COLUMNS, PLANES, MOVING = 8, 40, 48, 36, 2, 192
LEARNING_RATE = 1e-3
NORM_EPSILON = 1e-6  # of flax's LayerNorm


@dataclasses.dataclass(frozen=True)
class Work:
  """One network at one size.

  Attributes:
    name: for the table.
    model: 'mochizuki3d' or 'convolutional'.
    batch: voxels in a step; for `convolutional`, frames, each of which has a label.
    channels: channels of `mochizuki3d`.
    starts: how many processes each peer has, one after the other.
    rounds: how many turns each process has.
    turn: steps in a turn.
    required: peer -> the least ratio of our training throughput to the peer's.
  """

  name: str
  model: str
  batch: int
  channels: int
  starts: int
  rounds: int
  turn: int
  required: dict[str, float]


WORKS = (
  Work(
    'mochizuki3d, width 32, batch 4', 'mochizuki3d', 4, 32, 3, 4, 3, {'torch': 0.7, 'keras': 1.0}
  ),
  Work(
    'mochizuki3d, width 256, batch 4', 'mochizuki3d', 4, 256, 1, 4, 1, {'torch': 0.7, 'keras': 1.0}
  ),
  Work(
    'convolutional body', 'convolutional', CLIPS * FRAMES, 0, 5, 5, 15, {'torch': 1.0, 'keras': 1.3}
  ),
)


def data(work: Work) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
  """Returns random float32 inputs, and labels: classes (N,) or forces (clips, frames, 2, 3)."""
  rng = np.random.default_rng(0)
  if work.model == 'mochizuki3d':
    x = rng.uniform(-0.5, 0.5, (work.batch, 5, 40, 40, 1)).astype(np.float32)
    return (x,), rng.integers(0, 150, work.batch).astype(np.int32)
  x = rng.standard_normal((CLIPS, FRAMES, ROWS, COLUMNS, PLANES)).astype(np.float32)
  motion = rng.standard_normal((CLIPS, FRAMES, MOVING)).astype(np.float32)
  visible = np.ones((CLIPS, FRAMES, 1), np.float32)
  return (x, motion, visible), rng.standard_normal((CLIPS, FRAMES, 2, 3)).astype(np.float32)


def read_weights(path: pathlib.Path) -> Arrays:
  """Reads the weights that `peers.ours` wrote; their names are like 'layer/kernel'."""
  with np.load(path, allow_pickle=False) as arrays:
    return dict(arrays)


def flatten(params: Any) -> Arrays:
  """Returns nested parameters as NumPy arrays, by their paths."""
  out: Arrays = {}
  for name, value in params.items():
    if hasattr(value, 'items'):
      out |= {f'{name}/{k}': v for k, v in flatten(value).items()}
    else:
      out[name] = np.asarray(value)
  return out
