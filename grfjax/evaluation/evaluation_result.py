"""What an evaluation on a held-out subject comes to, as eval.json holds it."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping
from typing import Any, Self

import pydantic

from grfjax import errors
from grfjax.data import force_intervals
from grfjax.io import atomic


class EvaluationError(errors.InputError):
  """An eval.json that cannot be used."""


class _Checked(pydantic.BaseModel):
  """Values of exactly the types written down; numbers are finite, and what is undefined is None."""

  model_config = pydantic.ConfigDict(
    strict=True, frozen=True, extra='allow', allow_inf_nan=False, protected_namespaces=()
  )


class Errors(_Checked):
  """Errors of a force over n frames, % BW, and Pearson's r (`error_sums.ErrorSums.result`)."""

  mae_pct_bw: float | None
  rmse_pct_bw: float | None
  bias_pct_bw: float | None
  r: float | None
  n: int


class SubjectErrors(Errors):
  """Errors of the vertical force over stance frames, and the mean absolute error in newtons."""

  mae_newton: float | None


class Coverage(_Checked):
  """How often a force lies inside its interval (0 to 1), and how wide the intervals are, % BW."""

  covered: float | None
  mean_width_pct_bw: float | None

  @pydantic.model_validator(mode='after')
  def _both_or_none(self) -> Self:
    if (self.covered is None) != (self.mean_width_pct_bw is None):
      raise ValueError('found one of covered and mean_width_pct_bw, expected both or none')
    return self


class PredictionIntervals(_Checked):
  """Coverage of the prediction intervals; beside `share` an attribute for each axis.

  Attributes:
    share: of the forces that the intervals are to hold, 0 to 1; None without intervals.
  """

  __pydantic_extra__: dict[str, Coverage] = pydantic.Field(init=False)
  share: float | None = None

  @pydantic.model_validator(mode='after')
  def _share_of_axes(self) -> Self:
    if self.axes() and self.share is None:
      raise ValueError('found intervals without the share of the forces that they are to hold')
    return self

  def axes(self) -> dict[str, Coverage]:
    """Returns the coverage of each axis, none without intervals."""
    return self.__pydantic_extra__


class IntervalShare(_Checked):
  """How many training labels lie in an interval of force, and their shares (0 to 1).

  Attributes:
    interval: name of the interval (`force_intervals.INTERVALS`).
    labels: how many labels.
    share: of all labels.
    share_drawn: of the labels drawn, after rebalancing.
  """

  interval: str
  labels: int
  share: float
  share_drawn: float


class Blend(_Checked):
  """Which blend of the initial and the trained network was taken, and the errors of all (% BW)."""

  taken: int | float  # as in config.blend, where 0 and 1 may be whole numbers
  mae_pct_bw: dict[str, float | None]


class VoxelCounts(_Checked):
  """How many voxels the training subjects have, and the held-out one."""

  training: int
  held_out: int


class FrameCounts(_Checked):
  """How many frames were evaluated: with the foot on a plate, and surely in the air."""

  stance: int
  air: int


class EvaluationResult(_Checked):
  """The evaluation of a run on its held-out subject.

  Attributes:
    subjects: the held-out subject -> errors of the vertical force over stance frames.
    training_subjects: the subjects that the run was trained on.
    model: the network's name, and what else it was built with.
    dataset: name of the data set's configuration.
    legs: how many legs the network knows.
    parameters: how many parameters it has.
    step: after how many steps they were saved.
    damaged: a message on each newer checkpoint that is damaged.
    voxels: how many voxels of the training subjects and of the held-out one.
    frames: how many frames were evaluated.
    intervals: interval of the true force -> errors of the vertical force.
    training_intervals: how the training labels spread over the intervals.
    other_axes: axis -> errors over stance frames.
    prediction_interval: coverage of the prediction intervals.
    air_mean_abs_pct_bw: mean absolute estimate of the vertical force in the air, % BW.
    baselines: baseline -> its errors of the vertical force.
    blend: what cross-fitting chose from, where it could choose.
    degraded: what was done to videos -> errors of the vertical force on those videos, which count
      nowhere else where the subject has others.
  """

  subjects: dict[str, SubjectErrors]
  training_subjects: list[str]
  model: dict[str, Any]
  dataset: str
  legs: int
  parameters: int
  step: int
  damaged: list[str] = []
  voxels: VoxelCounts
  frames: FrameCounts
  intervals: dict[str, Errors]
  training_intervals: list[IntervalShare]
  other_axes: dict[str, Errors]
  prediction_interval: PredictionIntervals = PredictionIntervals()
  air_mean_abs_pct_bw: float | None
  baselines: dict[str, Errors]
  blend: Blend | None = None
  degraded: dict[str, Errors] = {}

  @pydantic.field_validator('subjects')
  @classmethod
  def _one_subject(cls, subjects: dict[str, SubjectErrors]) -> dict[str, SubjectErrors]:
    if len(subjects) != 1:
      raise ValueError(f'found {len(subjects)} subjects, expected one')
    return subjects

  @pydantic.field_validator('model')
  @classmethod
  def _named(cls, model: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(model.get('name'), str):
      raise ValueError('found no name of the network')
    return model

  @pydantic.field_validator('intervals')
  @classmethod
  def _every_interval(cls, intervals: dict[str, Errors]) -> dict[str, Errors]:
    if missing := [name for name in force_intervals.INTERVALS if name not in intervals]:
      raise ValueError(f'found no errors in the interval {missing[0]}')
    return intervals

  @property
  def subject(self) -> str:
    """The held-out subject."""
    return next(iter(self.subjects))

  @property
  def errors(self) -> SubjectErrors:
    """Errors of the vertical force over the held-out subject's stance frames."""
    return self.subjects[self.subject]

  def to_json(self) -> dict[str, Any]:
    """Returns what eval.json holds."""
    return self.model_dump(exclude_unset=True)


def read(path: pathlib.Path) -> EvaluationResult:
  """Reads an eval.json.

  Raises:
    OSError: there is no such file.
    EvaluationError: it is another kind of file, or broken; the message names the place in it.
  """
  try:
    value = json.loads(path.read_text(encoding='utf-8'))
  except (ValueError, RecursionError) as error:
    raise EvaluationError(
      f'{path}: is not JSON ({error}); evaluate the run again', code='evaluation.damaged', file=path
    ) from error
  try:
    return EvaluationResult.model_validate(value)
  except pydantic.ValidationError as error:
    first = error.errors()[0]
    place = ', '.join([str(path), *map(str, first['loc'])])
    raise EvaluationError(
      f'{place}: {_describe(first)}; evaluate the run again',
      code='evaluation.damaged',
      file=path,
    ) from error


def _describe(problem: Mapping[str, Any]) -> str:
  """Returns what is wrong with a value, for a message that names its place."""
  if problem['type'] == 'missing':
    return 'is missing'
  if problem['type'] == 'value_error':
    return str(problem['ctx']['error'])
  expected = problem['msg'].replace('Input should be', 'expected')
  if problem['type'] in ('model_type', 'dict_type'):
    expected = 'expected a JSON object'
  return f'{expected}, found {str(problem["input"])[:50]!r}'


def write(path: pathlib.Path, result: EvaluationResult) -> None:
  """Writes an eval.json."""
  atomic.write_json(path, result.to_json())
