"""The labels of a file of records without its pictures, in a table beside the file.

Training asks for all labels before its first step. In the records they are compressed together with
the pictures, so that to read them there takes milliseconds of each record.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

SUFFIX = '.labels.npz'


class LabelTable(NamedTuple):
  """The labels of R records of T frames, of the near and of the far leg.

  Attributes:
    force: (R, T, 2) float32, vertical force, body weights.
    known: (R, T, 2) bool, whether it is known.
    contact: (R, T, 2) bool, whether the foot is known to stand on a plate.
  """

  force: np.ndarray
  known: np.ndarray
  contact: np.ndarray


def table_path(records: str | os.PathLike[str]) -> pathlib.Path:
  """Returns where the table of a file of records lies."""
  return pathlib.Path(f'{os.fspath(records)}{SUFFIX}')


def label_table(records: Iterable[Mapping[str, Any]]) -> LabelTable:
  """Returns the labels of records, of each its `force` (T, 2, 3), `known` and `contact` (T, 2)."""
  rows = [(r['force'][..., 0], r['known'], r['contact']) for r in records]
  return LabelTable(*map(np.stack, zip(*rows, strict=True)))


def write(records: str | os.PathLike[str], table: LabelTable) -> None:
  """Writes the table of a file of records, which must be there."""
  np.savez(table_path(records), **table._asdict(), size=os.path.getsize(records))


def read(records: str | os.PathLike[str], shape: tuple[int, int, int]) -> LabelTable | None:
  """Reads the table of a file of records; None where there is none.

  Args:
    records: the file of records.
    shape: of each of the table's arrays, (R, T, 2).

  Raises:
    ValueError: the table is damaged, or not one of this file.
    OSError: it or the file of records cannot be read.
  """
  try:
    with (
      table_path(records).open('rb') as file,
      np.load(file, allow_pickle=False) as columns,
    ):
      table = LabelTable(**{name: columns[name] for name in LabelTable._fields})
      size = int(columns['size'])
  except FileNotFoundError:
    return None
  except Exception as error:  # NumPy and zipfile raise many kinds
    raise ValueError(str(error)) from error
  for name, column in table._asdict().items():
    kind = np.dtype(np.float32 if name == 'force' else bool)
    if column.shape != shape or column.dtype != kind:
      raise ValueError(
        f'{name} is {column.dtype} of shape {column.shape}, expected {kind} of shape {shape}'
      )
  if size != os.path.getsize(records):
    raise ValueError(
      f'it is of a file of {size} bytes, and that beside it has {os.path.getsize(records)}'
    )
  return table
