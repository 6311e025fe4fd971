"""What Windows and macOS lack is needed nowhere: neither by an import nor to estimate a film."""

import pathlib
import subprocess
import sys

# In a process of its own: imports every module, then runs a command, without what is hidden.
WITHOUT_UNIX = """
import importlib, importlib.abc, os, pkgutil, signal, sys

MODULES = {'fcntl', 'grp', 'pty', 'pwd', 'resource', 'syslog', 'termios', 'tty'}
OS = ('chown', 'fchmod', 'fork', 'forkpty', 'geteuid', 'getloadavg', 'getpgid', 'getuid', 'killpg',
      'mkfifo', 'posix_fallocate', 'pread', 'pwrite', 'sched_getaffinity', 'setsid', 'statvfs')
SIGNAL = ('SIGALRM', 'SIGCHLD', 'SIGHUP', 'SIGKILL', 'SIGUSR1', 'alarm', 'pause', 'pthread_kill',
          'setitimer', 'sigwait')

class Hidden(importlib.abc.MetaPathFinder):
  def find_spec(self, name, path=None, target=None):
    if name in MODULES:
      raise ModuleNotFoundError(f'No module named {name!r}', name=name)

for name in MODULES:
  sys.modules.pop(name, None)
sys.meta_path.insert(0, Hidden())
for module, names in ((os, OS), (signal, SIGNAL)):
  for name in names:
    delattr(module, name)

import grfjax

# A command's main module defines flags, which one process can do for one command only.
for module in pkgutil.walk_packages(grfjax.__path__, 'grfjax.'):
  if not module.name.endswith('.__main__'):
    importlib.import_module(module.name)

from grfjax import __main__ as command
from grfjax.io import atomic, cores

assert cores.usable_cores() == os.cpu_count()
atomic._ON_WINDOWS = True
sys.argv = ['grfjax', *sys.argv[1:]]
command.main()
"""


def test_all_is_imported_and_a_film_estimated_without_what_only_unix_has(recordings_dir, tmp_path):
  video = pathlib.Path(recordings_dir) / 'A_1.mp4'
  done = subprocess.run(
    [
      sys.executable, '-c', WITHOUT_UNIX, 'predict', str(video), '--workdir=mochizuki2d',
      '--camera=left', f'--out={tmp_path}', '--nooverlay',
    ],
    capture_output=True, text=True,
  )  # fmt: skip
  assert done.returncode == 0, done.stderr
  curves = (tmp_path / f'{video.stem}.csv').read_text(encoding='utf-8').splitlines()
  assert len(curves) == 1 + 70
