"""A lock that gives one process at a time a folder to itself."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pathlib
import platform
from collections.abc import Iterator

from grfjax.io import atomic

LOCK = '.lock'  # in a folder that one process at a time may work in

_NO_LOCKS = (  # EBADF: NFS locks only what is open for writing
  errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.EBADF,
)  # fmt: skip


class InUseError(ValueError):
  """Another process has the folder; the message names it."""


def try_lock(handle: int) -> bool | None:
  """Locks what is open, as long as it is; False: another process has it, None: no locks here."""
  try:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except OSError as error:
    if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
      return False
    if error.errno in _NO_LOCKS:
      return None
    raise
  return True


@contextlib.contextmanager
def lock_folder(folder: pathlib.Path) -> Iterator[bool]:
  """Has a folder to itself while the block runs; the lock dies with its process, its file stays.

  Yields:
    False: the file system has no locks, and there is none.

  Raises:
    InUseError: another process has the folder.
  """
  path = folder / LOCK
  folder.mkdir(parents=True, exist_ok=True)
  handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
  try:
    taken = try_lock(handle)
    if taken is False:
      who = os.pread(handle, 1000, 0).decode(errors='replace').strip() or 'another process'
      raise InUseError(f'{folder} is in use by {who}; wait until it is done, or stop it')
    with atomic.naming_errors(path):
      os.ftruncate(handle, 0)
      os.pwrite(handle, f'process {os.getpid()} on {platform.node()}\n'.encode(), 0)
    yield bool(taken)
  finally:
    os.close(handle)
