"""Writes the records of a data set so that the same records make the same files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from tensorflow_datasets.core import writer
from tensorflow_datasets.proto import tf_example_pb2


class RecordWriter(writer.ExampleWriter):
  """TFDS's writer, with the features of a record in a fixed order.

  TFDS serialises a record with its features in an order that differs between processes: protobuf
  promises none for a map.
  """

  def write(
    self, path: str | os.PathLike[str], examples: Iterable[tuple[Any, bytes]]
  ) -> list[Any] | None:
    """Writes a file.

    Args:
      path: the file.
      examples: a key and a serialised tf.train.Example of each record, in order.

    Returns:
      Where each record lies, for formats that say so.
    """
    return super().write(path, ((key, _in_order(example)) for key, example in examples))


def _in_order(example: bytes) -> bytes:
  return tf_example_pb2.Example.FromString(example).SerializeToString(deterministic=True)
