"""Writing files so that each is there whole or not at all; reading a log that may be cut short."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import tempfile
from collections.abc import Collection, Iterator
from typing import Any


@contextlib.contextmanager
def whole(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
  """Gives a temporary name beside `path`, renamed to it when the block ends without an error."""
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  # The same ending, as writers of pictures and videos choose the format by it.
  handle, name = tempfile.mkstemp(prefix=f'.{path.stem}-', suffix=path.suffix, dir=path.parent)
  os.close(handle)
  temporary = pathlib.Path(name)
  try:
    yield temporary
    temporary.chmod(0o644)
    temporary.replace(path)
  finally:
    temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def together(folder: str | os.PathLike[str], names: Collection[str]) -> Iterator[pathlib.Path]:
  """Gives a temporary folder whose files move into `folder` when the block ends without an error.

  Args:
    folder: for the files; others in it stay.
    names: of the files that belong together; those that the block did not write are removed.
  """
  folder = pathlib.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  with tempfile.TemporaryDirectory(prefix='.grfjax-', dir=folder) as temporary:
    draft = pathlib.Path(temporary)
    yield draft
    for name in names:
      if (draft / name).exists():
        (draft / name).replace(folder / name)
      else:
        (folder / name).unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
  """Writes UTF-8 text."""
  with whole(path) as temporary:
    temporary.write_text(text, encoding='utf-8')


def write_json(path: str | os.PathLike[str], value: Any) -> None:
  """Writes JSON; raises ValueError on nan and infinity, which JSON does not know."""
  write_text(path, json.dumps(value, indent=1, allow_nan=False) + '\n')


def read_log(path: pathlib.Path) -> list[dict[str, Any]]:
  """Lines of a metrics.jsonl, none where there is none; a last line cut by a crash is left out."""
  lines: list[dict[str, Any]] = []
  for text in path.read_text(encoding='utf-8').splitlines() if path.exists() else []:
    try:
      lines.append(json.loads(text))
    except json.JSONDecodeError:
      break
  return lines
