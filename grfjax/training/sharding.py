"""How a state and a batch lie on the devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

# What goes to the device for every target; a record's names stay on the host.
DEVICE_KEYS = ('voxel', 'force', 'known', 'contact', 'frame', 'time_s')


def meshes() -> tuple[jax.sharding.Mesh, jax.sharding.NamedSharding, jax.sharding.NamedSharding]:
  """Lays out all devices, of all hosts, in one row for data parallelism.

  Returns:
    The mesh; the layout of a state, a copy on each device; that of a batch, a share on each.
  """
  mesh = jax.make_mesh((jax.device_count(),), ('data',), axis_types=(jax.sharding.AxisType.Auto,))
  spec = jax.sharding.PartitionSpec
  named = jax.sharding.NamedSharding
  return mesh, named(mesh, spec()), named(mesh, spec('data'))


def to_device(
  batch: Mapping[str, np.ndarray],
  split: jax.sharding.NamedSharding,
  more_keys: Sequence[str] = (),
) -> Any:
  """Puts this host's share of a batch on its devices, as one global array for each key.

  Args:
    batch: of records.
    split: the layout of a batch.
    more_keys: what goes there besides `DEVICE_KEYS`.
  """
  return {
    k: jax.make_array_from_process_local_data(split, batch[k])
    for k in (*DEVICE_KEYS, *more_keys)
    if k in batch
  }
