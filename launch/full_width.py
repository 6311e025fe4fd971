"""Runs training steps of the paper's network at full width (256 channels, 110.5 M parameters).

    python launch/full_width.py [--batch=4]

Prints the number of parameters and, for two steps on the same random voxels, the loss before the
step and the seconds.
"""

from __future__ import annotations

import math
import sys
import time

import jax
import numpy as np
from absl import app, flags

from grfjax.data import clip_config
from grfjax.models import networks, targets
from grfjax.training import optimizers, sharding, train_step

_BATCH = flags.DEFINE_integer('batch', 4, 'Voxels in a step.', lower_bound=1)


def main(argv: list[str]) -> None:
  """Runs two steps on random voxels."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  target = targets.build_target('classes')
  model = networks.build_network('mochizuki3d', outputs=target.outputs)
  shape = clip_config.clip_config('mochizuki').shape
  count = _BATCH.value
  rng = np.random.default_rng(0)
  batch: dict[str, np.ndarray] = {
    'voxel': rng.integers(0, 256, (count, *shape), dtype=np.uint8),
    'force': rng.uniform(0.01, 1.5, (count, shape[0], 2, 3)).astype(np.float32),
    'known': np.ones((count, shape[0], 2), bool),
    'contact': np.ones((count, shape[0], 2), bool),
    'frame': np.tile(np.arange(shape[0], dtype=np.int32), (count, 1)),
  }
  _, whole, split = sharding.meshes()
  tx = optimizers.build_optimizer(steps=1, learning_rate=1e-3, decay=False)
  state = jax.jit(lambda k: train_step.init_state(model, tx, shape, k), out_shardings=whole)(
    jax.random.key(0)
  )
  print(f'parameters: {sum(p.size for p in jax.tree.leaves(state.params)):,}', flush=True)
  update = train_step.make_train_step(
    model=model, target=target, tx=tx, augmentations={}, replicated=whole, split=split
  )
  key = jax.device_put(jax.random.key(1), whole)
  on_device = sharding.to_device(batch, split)
  for number in range(2):  # the second shows what the first has learned, and is compiled already
    start_time = time.monotonic()
    state, sums = update(state, on_device, key)
    total, n = jax.device_get(sums['loss'])
    loss = float(total) / float(n)
    print(
      f'step {number}: loss {loss:.4f} (ln 150 = {math.log(150):.4f}), '
      f'{time.monotonic() - start_time:.1f} s',
      flush=True,
    )
    if not math.isfinite(loss):
      sys.exit('the loss is not finite')


if __name__ == '__main__':
  app.run(main)
