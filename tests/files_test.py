"""Files that are there whole or not at all, and folders that one process has to itself."""

import contextlib
import errno
import os
import signal
import subprocess
import sys

import pytest

from grfjax.io import atomic, folder_lock

KILLED = """
import os, pathlib, signal
from grfjax.io import atomic, folder_lock
folder = pathlib.Path({!r})
with atomic.{} as part:
  {}
  os.kill(os.getpid(), signal.SIGKILL)
"""


def _killed(folder, call, body):
  done = subprocess.run([sys.executable, '-c', KILLED.format(str(folder), call, body)], check=False)
  assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
  ('call', 'body', 'again'),
  [
    ("atomic_file(folder / 'a.txt')", "part.write_text('half')", lambda f: atomic.atomic_file(f /
    'a.txt')),
    (
      "atomic_files(folder, ['a.txt'])", "(part / 'b').write_text('half')",
      lambda f: atomic.atomic_files(f, ['a.txt']),
    ),
    (
      "atomic_folder(folder / 'a')", "(part / 'b').write_text('half')",
      lambda f: atomic.atomic_folder(f / 'a'),
    ),
  ],
  ids=['file', 'files', 'folder'],
)  # fmt: skip
def test_what_a_killed_process_leaves_goes_with_the_next(tmp_path, call, body, again):
  (tmp_path / 'a.txt').write_text('old')
  _killed(tmp_path, call, body)
  assert (tmp_path / 'a.txt').read_text() == 'old'
  assert len(list(tmp_path.glob('.grfjax-*'))) == 1
  one, other = again(tmp_path), again(tmp_path)
  one.__enter__()
  assert len(list(tmp_path.glob('.grfjax-*'))) == 1
  other.__enter__()  # who lives keeps what is his
  assert len(list(tmp_path.glob('.grfjax-*'))) == 2
  error = RuntimeError()
  for context in (one, other):
    with contextlib.suppress(RuntimeError):
      context.__exit__(RuntimeError, error, None)
  assert [p.name for p in tmp_path.iterdir()] == ['a.txt']


@pytest.mark.parametrize('place', ['write', 'fsync', 'rename'])
def test_a_full_disk_is_named_and_the_old_file_stays(tmp_path, monkeypatch, place):
  path = tmp_path / 'a.txt'
  atomic.write_text(path, 'old')

  def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  if place == 'fsync':
    monkeypatch.setattr(atomic.os, 'fsync', full)
  if place == 'rename':
    monkeypatch.setattr(atomic.pathlib.Path, 'replace', full)

  def write():
    with atomic.atomic_file(path) as part:
      part.write_text('new')
      if place == 'write':
        full()

  with pytest.raises(OSError, match=f"No space left on device: '{path}'"):
    write()
  assert path.read_text() == 'old'
  assert os.listdir(tmp_path) == ['a.txt']


def test_an_error_names_the_file_that_was_to_be_and_no_temporary(tmp_path):
  for context, name in (
    (atomic.atomic_file(tmp_path / 'a.txt'), ''),
    (atomic.atomic_files(tmp_path, ['b.txt']), 'b.txt'),
    (atomic.atomic_folder(tmp_path / 'c'), 'd.txt'),
  ):
    with pytest.raises(OSError, match=r'there') as error, context as part:
      raise OSError(errno.EACCES, 'not there', str(part / name))
    assert '.grfjax-' not in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_lock_dies_with_its_process(tmp_path):
  holder = subprocess.Popen(
    [
      sys.executable, '-c',
      'import pathlib, time\nfrom grfjax.io import folder_lock\n'
      f'with folder_lock.lock_folder(pathlib.Path({str(tmp_path)!r})):\n  print(flush=True)\n'
      '  time.sleep(60)',
    ],
    stdout=subprocess.PIPE,
  )  # fmt: skip
  holder.stdout.readline()
  with (
    pytest.raises(
      folder_lock.InUseError, match=f'{tmp_path} is in use by process {holder.pid} on '
    ) as caught,
    folder_lock.lock_folder(tmp_path),
  ):
    pass
  assert (caught.value.code, caught.value.file) == ('run.in_use', str(tmp_path))
  holder.kill()
  holder.communicate()
  with folder_lock.lock_folder(tmp_path) as locked:
    assert locked
    with pytest.raises(folder_lock.InUseError), folder_lock.lock_folder(tmp_path):
      pass
  with folder_lock.lock_folder(tmp_path):
    pass
  assert os.listdir(tmp_path) == [folder_lock.LOCK]


def test_a_lock_file_that_cannot_be_written_is_named(tmp_path, monkeypatch):
  def full(*args):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(folder_lock.os, 'ftruncate', full)
  with (
    pytest.raises(OSError, match=f"No space left on device: '{tmp_path}/.lock'"),
    folder_lock.lock_folder(tmp_path),
  ):
    pass


def test_a_file_system_without_locks_is_told_apart(tmp_path, monkeypatch):
  def refuse(*args, **kwargs):
    raise OSError(errno.ENOLCK, 'No locks available')

  monkeypatch.setattr(folder_lock.filelock, 'lock_descriptor', refuse)
  with folder_lock.lock_folder(tmp_path) as locked:
    assert locked is False
  atomic.write_text(tmp_path / 'a.txt', 'text')
  assert (tmp_path / 'a.txt').read_text() == 'text'
