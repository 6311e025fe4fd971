"""Writes files so that each exists whole or not at all.

A file is written under a temporary name, which stays locked while its process works on it. What a
killed process has left is therefore not locked, and the next process that writes the same file
removes it. Windows cannot rename what is open, so that nothing is locked there, and what a killed
process has left stays until somebody removes it.
"""

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

# The errors of writing where space has run out: disk full, over quota, over a limit of file size.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PREFIX = '.grfjax-'  # of every temporary name
_ON_WINDOWS = os.name == 'nt'


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
  """Gives a temporary name beside `path`, renamed to it when the block ends without an error.

  The file is on the disk, not only in memory, before it takes its name. What a killed process has
  left of the same file is removed.

  Yields:
    The temporary name, with the ending of `path`.

  Raises:
    OSError: writing failed; the error names `path`, also where the system's own does not.
  """
  path = pathlib.Path(path)
  prefix = f'{_PREFIX}{path.stem}-'
  with naming_errors(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path.parent, prefix)
    # The same ending, as writers of pictures and videos choose the format by it.
    descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
    os.close(descriptor)
    temporary = pathlib.Path(name)
    try:
      with _in_use(temporary, path):
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

  What a killed process has left of the same files is removed.

  Args:
    folder: where the files are to be; other files in it stay.
    names: the files that belong together; those that the block does not write are removed.

  Yields:
    The temporary folder.
  """
  folder = pathlib.Path(folder)
  prefix = f'{_PREFIX}{next(iter(names), "")}-'
  with naming_errors(folder):
    folder.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=folder) as temporary_name:
      temporary = pathlib.Path(temporary_name)
      with _in_use(temporary, folder):
        yield temporary
        for name in names:
          if (temporary / name).exists():
            (temporary / name).replace(folder / name)
          else:
            (folder / name).unlink(missing_ok=True)
        sync_to_disk(folder)


@contextlib.contextmanager
def atomic_folder(path: pathlib.Path) -> Iterator[pathlib.Path]:
  """Gives a temporary folder beside `path`, renamed to it when the block ends without an error.

  What a killed process has left of the same folder is removed.

  Args:
    path: the absolute path of the folder; where it exists, it must be empty.

  Yields:
    The temporary folder.
  """
  prefix = f'{_PREFIX}{path.name}-'
  with naming_errors(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path.parent, prefix)
    temporary = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
    try:
      with _in_use(temporary, path):
        yield temporary
        for written in [*temporary.rglob('*'), temporary]:
          sync_to_disk(written)
        temporary.chmod(0o755)
        with contextlib.suppress(FileNotFoundError):
          path.rmdir()  # as Windows does not replace even an empty folder
        temporary.replace(path)
        sync_to_disk(path.parent)
    finally:
      shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _in_use(temporary: pathlib.Path, path: pathlib.Path) -> Iterator[None]:
  """Locks a temporary while the block works on it.

  Args:
    temporary: its path.
    path: the final path, which errors name instead.
  """
  descriptor = None if _ON_WINDOWS else os.open(temporary, os.O_RDONLY)
  try:
    if descriptor is not None:
      folder_lock.try_lock(descriptor)
    yield
  except OSError as error:
    raise _with_final_path(error, temporary, path) from error
  finally:
    if descriptor is not None:
      os.close(descriptor)


def _with_final_path(error: OSError, temporary: pathlib.Path, path: pathlib.Path) -> OSError:
  """Returns the error with the final path for the temporary one, which no user knows."""
  name = pathlib.Path(os.fsdecode(error.filename)) if error.filename else None
  if name is not None and name.is_relative_to(temporary):
    return OSError(error.errno, error.strerror, os.fspath(path / name.relative_to(temporary)))
  return error


@contextlib.contextmanager
def naming_errors(path: str | os.PathLike[str]) -> Iterator[None]:
  """Gives `path` to every OSError of the block that names no file, such as that of a full disk."""
  try:
    yield
  except OSError as error:
    if error.filename is None and error.errno is not None:
      raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    raise


def sync_to_disk(path: str | os.PathLike[str]) -> None:
  """Waits until a file, or a folder's list of names, is on the disk."""
  if _ON_WINDOWS:
    if os.path.isdir(path):
      return  # Windows opens no folder
    descriptor = os.open(path, os.O_RDWR)  # and syncs only what may be written
  else:
    descriptor = os.open(path, os.O_RDONLY)
  try:
    os.fsync(descriptor)
  finally:
    os.close(descriptor)


def sha256(path: pathlib.Path) -> str:
  """Returns the hexadecimal SHA-256 digest of a file's contents."""
  with path.open('rb') as file:
    return hashlib.file_digest(file, 'sha256').hexdigest()


def _remove_abandoned(folder: pathlib.Path, prefix: str) -> None:
  """Removes the temporaries of dead processes: those with this prefix that nobody has locked."""
  if _ON_WINDOWS:
    return
  for path in folder.iterdir():
    if not path.name.startswith(prefix):
      continue
    with contextlib.suppress(FileNotFoundError):  # another process has removed it meanwhile
      descriptor = os.open(path, os.O_RDONLY)
      try:
        if folder_lock.try_lock(descriptor):
          shutil.rmtree(path) if path.is_dir() else path.unlink()
      finally:
        os.close(descriptor)


def write_text(path: str | os.PathLike[str], text: str) -> None:
  """Writes a UTF-8 text file, whole or not at all."""
  with atomic_file(path) as temporary:
    temporary.write_text(text, encoding='utf-8')


def write_json(path: str | os.PathLike[str], value: Any) -> None:
  """Writes a JSON file, whole or not at all.

  Raises:
    ValueError: `value` holds nan or infinity, which JSON does not know.
  """
  write_text(path, json.dumps(value, indent=1, allow_nan=False) + '\n')
