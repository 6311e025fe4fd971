"""Writes the records of a data set and their labels: the same records make the same files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from tensorflow_datasets.core import writer
from tensorflow_datasets.proto import tf_example_pb2

from grfjax.data import label_tables

# As the builder's features have them.
_STORED = {'force': ('<f4', (-1, 2, 3)), 'known': ('?', (-1, 2)), 'contact': ('?', (-1, 2))}


class RecordWriter(writer.ExampleWriter):
  """TFDS's writer, with the features of a record in a fixed order, and a table of labels.

  TFDS serialises a record with its features in an order that differs between processes: protobuf
  promises none for a map.
  """

  def write(
    self, path: str | os.PathLike[str], examples: Iterable[tuple[Any, bytes]]
  ) -> list[Any] | None:
    """Writes a file of records, and its table of `label_tables`.

    Args:
      path: the file.
      examples: a key and a serialised tf.train.Example of each record, in order.

    Returns:
      Where each record lies, for formats that say so.
    """
    labels: list[dict[str, np.ndarray]] = []

    def in_order() -> Iterator[tuple[Any, bytes]]:
      for key, serialised in examples:
        example = tf_example_pb2.Example.FromString(serialised)
        labels.append(_labels(example))
        yield key, example.SerializeToString(deterministic=True)

    positions = super().write(path, in_order())
    label_tables.write(path, label_tables.label_table(labels))
    return positions


def _labels(example: tf_example_pb2.Example) -> dict[str, np.ndarray]:
  """Returns the labels of a record, whose arrays are stored as their bytes."""
  return {
    name: np.frombuffer(example.features.feature[name].bytes_list.value[0], kind).reshape(shape)
    for name, (kind, shape) in _STORED.items()
  }
