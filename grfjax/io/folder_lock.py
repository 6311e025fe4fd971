"""A lock that gives one process at a time a folder to itself."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import platform
from collections.abc import Iterator

import filelock

from grfjax import errors

# Windows lets nobody else read the byte that is locked, the first one; the text begins behind it.
_TEXT_START = 1
LOCK = '.lock'  # the file that is locked, in a folder that one process at a time may work in

_NO_LOCKS = (  # EBADF: NFS locks only what is open for writing
  errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF,
)  # fmt: skip


class InUseError(errors.InputError):
  """Another process has the folder; the message names that process."""


def try_lock(descriptor: int) -> bool | None:
  """Locks an open file or folder until it is closed, also by the end of the process.

  Args:
    descriptor: of the open file or folder.

  Returns:
    True where it is locked now; False where another process has locked it; None where the file
    system has no locks.
  """
  try:
    return filelock.lock_descriptor(descriptor, blocking=False)
  except OSError as error:
    if error.errno in _NO_LOCKS:
      return None
    raise


@contextlib.contextmanager
def lock_folder(folder: pathlib.Path) -> Iterator[bool]:
  """Gives this process a folder to itself while the block runs.

  The lock dies with its process; the file `LOCK`, which names the process, stays.

  Args:
    folder: made where it does not exist.

  Yields:
    True, or False where the file system has no locks and the folder is not locked.

  Raises:
    InUseError: another process has the folder.
    OSError: the file of the lock cannot be written; the error names that file.
  """
  path = folder / LOCK
  folder.mkdir(parents=True, exist_ok=True)
  descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
  try:
    locked = try_lock(descriptor)
    if locked is False:
      os.lseek(descriptor, _TEXT_START, os.SEEK_SET)
      holder = os.read(descriptor, 1000).decode(errors='replace').strip() or 'another process'
      raise InUseError(
        f'{folder} is in use by {holder}; wait until it has ended, or stop it',
        code='run.in_use',
        file=folder,
      )
    try:
      os.ftruncate(descriptor, 0)
      os.write(descriptor, f'\nprocess {os.getpid()} on {platform.node()}\n'.encode())
    except OSError as error:  # the system names no file where it was given a descriptor
      raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    yield bool(locked)
  finally:
    os.close(descriptor)
