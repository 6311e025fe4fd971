"""The wheel in a fresh environment, used from another folder."""

import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

import pytest
from packaging import requirements

from grfjax.data import trial_records

ROOT = pathlib.Path(__file__).parents[1]
SOURCE = (
  'setup.py', 'setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE', 'grfjax', 'configs', 'datasets'
)  # fmt: skip

pytestmark = pytest.mark.slow


def _needed_distributions(config):
  """Names of what the wheel needs without extras, and of what that needs."""
  found = {}
  waiting = [requirements.Requirement(line) for line in config]
  while waiting:
    wanted = waiting.pop()
    if wanted.marker is not None and not any(
      wanted.marker.evaluate({'extra': extra}) for extra in (wanted.extras or {''})
    ):
      continue
    if wanted.name.lower() not in found:
      distribution = importlib.metadata.distribution(wanted.name)
      found[wanted.name.lower()] = distribution
      waiting += map(requirements.Requirement, distribution.requires or ())
  return found.values()


class Environment:
  """A fresh environment, at first with nothing but what predicting needs."""

  def __init__(self, folder, wheel):
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', folder], check=True)
    self.bin = folder / ('Scripts' if os.name == 'nt' else 'bin')
    self.site = next(folder.rglob('site-packages'))
    self.work = folder.parent / 'elsewhere'
    self.work.mkdir()
    subprocess.run(
      [sys.executable, '-m', 'pip', '--python', self.bin / 'python', 'install', '--quiet',
       '--no-deps', '--no-index', wheel],
      check=True, env=self._variables(),
    )  # fmt: skip
    for distribution in _needed_distributions(self._requirements()):
      for file in distribution.files or ():
        top = file.parts[0]
        if top not in ('..', '__pycache__') and not (self.site / top).exists():
          (self.site / top).symlink_to(distribution.locate_file(top))

  def _variables(self):
    return {name: value for name, value in os.environ.items() if name != 'PYTHONPATH'}

  def _requirements(self):
    (metadata,) = importlib.metadata.distributions(name='grfjax', path=[str(self.site)])
    return [line for line in metadata.requires if 'extra ==' not in line]

  def add_the_rest(self):
    """Lets the environment see all that this one has installed."""
    (self.site / 'rest.pth').write_text(f'{sysconfig.get_path("purelib")}\n')

  def run(self, *command):
    program, *arguments = map(str, command)
    return subprocess.run(
      [self.bin / program, *arguments], cwd=self.work, env=self._variables(), capture_output=True,
      text=True,
    )  # fmt: skip


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
  root = tmp_path_factory.mktemp('install')
  for name in SOURCE:  # a build in the checkout would take up what an earlier one has left
    copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
    copy(ROOT / name, root / name)
  subprocess.run(
    [sys.executable, '-m', 'build', '--wheel', '--no-isolation', '--outdir', root / 'dist', root],
    check=True, capture_output=True,
  )  # fmt: skip
  (wheel,) = (root / 'dist').iterdir()
  assert wheel.stat().st_size < 25e6
  return Environment(root / 'env', wheel)


def test_the_wheel_predicts_checks_and_builds_from_another_folder(installed, recordings_dir):
  done = installed.run('grfjax', '--help')
  assert done.returncode == 0
  assert len(done.stdout.splitlines()) <= 24
  assert max(map(len, done.stdout.splitlines())) <= 80
  version = importlib.metadata.version('grfjax')
  assert installed.run('grfjax', '--version').stdout == f'grfjax {version}\n'

  video = recordings_dir / 'A_1.mp4'
  done = installed.run('grfjax', 'predict', video, '--body_mass_kg=61')
  assert done.returncode == 0, done.stderr
  assert (installed.work / 'predictions/A_1.html').is_file()

  done = installed.run(
    'grfjax', 'check', f'--recordings={recordings_dir}', f'--out={installed.work / "check"}'
  )
  assert done.returncode == 0, done.stderr
  assert (installed.work / 'check/index.html').is_file()

  data_set = installed.work / 'other/walking_grf/walker' / trial_records.VERSION
  data_set.mkdir(parents=True)
  (data_set / 'dataset_info.json').touch()
  done = installed.run(
    'grfjax', 'train', '--config=walker', '--workdir=run', '--config.data_dir=other'
  )
  assert done.returncode == 1
  assert done.stderr.endswith('pip install "grfjax[train]" [install.missing_package]\n')
  done = installed.run('grfjax', 'build', f'--recordings={recordings_dir}', '--data_dir=data')
  assert done.returncode == 1
  assert done.stderr.endswith('pip install "grfjax[build]" [install.missing_package]\n')
  assert not (installed.work / 'data').exists()

  installed.add_the_rest()
  done = installed.run('grfjax', 'build', f'--recordings={recordings_dir}', '--data_dir=data')
  assert done.returncode == 0, done.stderr
  built = installed.work / 'data/walking_grf/walker' / trial_records.VERSION
  assert (built / 'dataset_info.json').is_file()
  done = installed.run(
    'grfjax', 'train', '--config=mochizuki2d:pretrain', '--workdir=run', '--config.data_dir=data',
    '--config.holdout=nobody',
  )  # fmt: skip
  assert '[data.missing]' in done.stderr  # of the data set `mochizuki`; the configuration was found
