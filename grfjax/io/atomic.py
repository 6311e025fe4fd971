"""Writing files so that each is there whole or not at all; one writer to a folder; a cut log."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Collection, Iterator
from typing import Any

from grfjax.io import folder_lock

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what a write without space may say

_TEMPORARY = '.grfjax-'


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
  """Gives a temporary name beside `path`, renamed to it when the block ends without an error.

  The file is on the disk, not only in memory, before it takes its name. What a killed process has
  left of the same file goes.

  Raises:
    OSError: it names `path`, also where the system's does not.
  """
  path = pathlib.Path(path)
  with naming_errors(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent, f'{_TEMPORARY}{path.stem}-')
    # The same ending, as writers of pictures and videos choose the format by it.
    handle, name = tempfile.mkstemp(
      prefix=f'{_TEMPORARY}{path.stem}-', suffix=path.suffix, dir=path.parent
    )
    temporary = pathlib.Path(name)
    try:
      with _draft(handle, temporary, path):
        yield temporary
        temporary.chmod(0o644)
        sync_to_disk(temporary)
        temporary.replace(path)
        sync_to_disk(path.parent)
    finally:
      temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_files(folder: str | os.PathLike[str], names: Collection[str]) -> Iterator[pathlib.Path]:
  """Gives a temporary folder whose files move into `folder` when the block ends without an error.

  What a killed process has left of the same files goes.

  Args:
    folder: for the files; others in it stay.
    names: of the files that belong together; those that the block did not write are removed.
  """
  folder = pathlib.Path(folder)
  prefix = f'{_TEMPORARY}{next(iter(names), "")}-'
  with naming_errors(folder):
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as temporary:
      draft = pathlib.Path(temporary)
      with _draft(os.open(draft, os.O_RDONLY), draft, folder):
        yield draft
        for name in names:
          if (draft / name).exists():
            (draft / name).replace(folder / name)
          else:
            (folder / name).unlink(missing_ok=True)
        sync_to_disk(folder)


@contextlib.contextmanager
def atomic_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """Gives a temporary folder beside `path`, renamed to it when the block ends without an error.

  What a killed process has left of the same folder goes.

  Args:
    path: of the folder, absolute; empty, if it is there.
  """
  prefix = f'{_TEMPORARY}{path.name}-'
  with naming_errors(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent, prefix)
    draft = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
    try:
      with _draft(os.open(draft, os.O_RDONLY), draft, path):
        yield draft
        for found in [*draft.rglob('*'), draft]:
          sync_to_disk(found)
        draft.chmod(0o755)
        draft.replace(path)
        sync_to_disk(path.parent)
    finally:
      shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def _draft(handle: int, draft: pathlib.Path, path: pathlib.Path) -> Iterator[None]:
  """Marks what is open as in use while the block works on it; its errors name `path` instead."""
  try:
    folder_lock.try_lock(handle)
    yield
  except OSError as error:
    raise _moved(error, draft, path) from error
  finally:
    os.close(handle)


def _moved(error: OSError, draft: pathlib.Path, path: pathlib.Path) -> OSError:
  """The error with the name that a file was to have, as nobody knows its temporary one."""
  name = pathlib.Path(os.fsdecode(error.filename)) if error.filename else None
  if name is not None and name.is_relative_to(draft):
    return OSError(error.errno, error.strerror, os.fspath(path / name.relative_to(draft)))
  return error


@contextlib.contextmanager
def naming_errors(path: str | os.PathLike[str]) -> Iterator[None]:
  """Within it an OSError that says no file is given this one: a full disk has no name."""
  try:
    yield
  except OSError as error:
    if error.filename is None and error.errno is not None:
      raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    raise


def sync_to_disk(path: str | os.PathLike[str]) -> None:
  """Waits until a file, or a folder's list of names, is on the disk."""
  handle = os.open(path, os.O_RDONLY)
  try:
    os.fsync(handle)
  finally:
    os.close(handle)


def sha256(path: pathlib.Path) -> str:
  """Of a file's contents, hexadecimal."""
  with path.open('rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


def _sweep(folder: pathlib.Path, prefix: str) -> None:
  """Removes temporaries of dead processes: those that nobody has locked."""
  for path in folder.iterdir():
    if not path.name.startswith(prefix):
      continue
    with contextlib.suppress(FileNotFoundError):  # somebody else was quicker
      handle = os.open(path, os.O_RDONLY)
      try:
        if folder_lock.try_lock(handle):
          shutil.rmtree(path) if path.is_dir() else path.unlink()
      finally:
        os.close(handle)


def write_text(path: str | os.PathLike[str], text: str) -> None:
  """Writes UTF-8 text."""
  with atomic_file(path) as temporary:
    temporary.write_text(text, encoding='utf-8')


def write_json(path: str | os.PathLike[str], value: Any) -> None:
  """Writes JSON; raises ValueError on nan and infinity, which JSON does not know."""
  write_text(path, json.dumps(value, indent=1, allow_nan=False) + '\n')
