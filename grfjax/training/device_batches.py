"""Batches that lie on the devices before a step asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax

from grfjax.data import input_pipeline
from grfjax.training import sharding

if TYPE_CHECKING:
  import grain

DEPTH = 2  # batches on the devices beside the one that is trained on

# What stays on the host: whose samples a batch has, for messages.
_NAMES = ('subject', 'trial', 'frame')


def ahead(
  stream: grain.IterDataset, split: jax.sharding.NamedSharding, more_keys: Sequence[str] = ()
) -> Any:
  """Puts a stream's batches on the devices, in a thread, while the steps before them are made.

  Args:
    stream: from `input_pipeline.train_stream`.
    split: the layout of a batch, a share on each device.
    more_keys: as in `sharding.to_device`.

  Returns:
    An endless iterator of (names, batch): whose samples they are, for `finite_check`, and what
    `sharding.to_device` makes of the batch. Its state, from `get_state`, is that of the stream
    after the batches that were taken, not those that wait. `close` ends the thread.
  """
  import grain  # here, as predicting does without it

  def put(batch: input_pipeline.Batch) -> tuple[input_pipeline.Batch, Any]:
    return {name: batch[name] for name in _NAMES}, sharding.to_device(batch, split, more_keys)

  on_devices = stream.map(put)
  return iter(grain.experimental.ThreadPrefetchIterDataset(on_devices, prefetch_buffer_size=DEPTH))
