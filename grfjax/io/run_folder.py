"""The files of a run: the only place that knows their names."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any, Self

from grfjax import errors

# Networks that come with grfjax, each a run without its training.
BUNDLED = ('convolutional', 'recurrent', 'everyone', 'feet', 'mochizuki3d', 'mochizuki2d')
BUNDLED_ROOT = pathlib.Path(__file__).parent.parent / 'pretrained'


class RunError(errors.InputError):
  """A run that is not there, or whose files cannot be used."""


class RunFolder:
  """A run's folder, with an attribute for each file in it. Nothing is opened or made.

  Attributes:
    path: the folder.
    config: the configuration with which the run was trained.
    dataset: the fingerprint of the data set that it was trained on.
    subjects: the subjects that the network knows, by name and body mass.
    shares: how the training labels spread over the force intervals.
    checkpoints: folder of the checkpoints from which training resumes.
    metrics: the log, a JSON line an entry.
    tensorboard: folder of the same log for TensorBoard.
    cross_fitting: folder of the rounds in which training subjects are left out; gone at the end.
    intervals: by how much the prediction intervals are widened, and what that was measured on.
    weights: parameters alone, of a network that is blended or handed on.
    done: written when training has ended.
    about: where a bundled network comes from, and its errors.
    evaluation: errors on the held-out subject.
    estimates: the estimate of every frame of the held-out subject.
    page: the report of the run.
    figures: folder of its figures.
  """

  def __init__(self, path: str | os.PathLike[str]):
    self.path = pathlib.Path(path)
    self.config = self.path / 'config.json'
    self.dataset = self.path / 'dataset.json'
    self.subjects = self.path / 'subjects.json'
    self.shares = self.path / 'shares.json'
    self.checkpoints = self.path / 'checkpoints'
    self.metrics = self.path / 'metrics.jsonl'
    self.tensorboard = self.path / 'tensorboard'
    self.cross_fitting = self.path / 'calibration'
    self.intervals = self.path / 'interval.json'
    self.weights = self.path / 'weights.npz'
    self.done = self.path / 'done.json'
    self.about = self.path / 'about.json'
    self.evaluation = self.path / 'eval.json'
    self.estimates = self.path / 'estimates.npz'
    self.page = self.path / 'report.html'
    self.figures = self.path / 'figures'

  def __fspath__(self) -> str:
    return str(self.path)

  def __str__(self) -> str:
    return str(self.path)

  @classmethod
  def find(cls, run: str | os.PathLike[str]) -> Self:
    """Returns the folder of a run, or of the bundled network of that name.

    Args:
      run: a path, or one of `BUNDLED` (write ./recurrent for a folder of such a name).
    """
    return cls(BUNDLED_ROOT / run if run in BUNDLED else run)

  @property
  def weights_digest(self) -> pathlib.Path:
    """The file with the SHA-256 of `weights`."""
    return self.weights.with_suffix('.sha256')

  @property
  def made_at_the_end(self) -> tuple[pathlib.Path, ...]:
    """What training and evaluation make once training has ended; void if training goes on."""
    return (
      self.done, self.intervals, self.weights, self.weights_digest, self.cross_fitting,
      self.evaluation, self.estimates, self.page, self.figures,
    )  # fmt: skip


def require(file: pathlib.Path) -> pathlib.Path:
  """Returns a file that every run has.

  Raises:
    RunError: there is no such file, so that its folder holds no run.
  """
  if not file.is_file():
    raise RunError(
      f'{file.parent}: no run there (no {file.name}); train first', code='run.missing', file=file
    )
  return file


def read_json(path: pathlib.Path) -> Any:
  """Returns what a JSON file holds, or None where there is no such file.

  Raises:
    RunError: it is not JSON.
  """
  if not path.is_file():
    return None
  try:
    return json.loads(path.read_text(encoding='utf-8'))
  except (ValueError, RecursionError) as error:
    raise damaged(path, error) from error


def damaged(path: pathlib.Path, error: Exception) -> RunError:
  """Returns the error for a file of a run that does not hold what it should.

  Args:
    path: the file.
    error: what was found out.
  """
  reason = f'no {error}' if isinstance(error, KeyError) else str(error)
  return RunError(f'{path}: is damaged ({reason})', code='run.damaged_file', file=path)
