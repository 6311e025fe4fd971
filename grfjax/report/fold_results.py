"""Reads the results of evaluated runs (eval.json): of one run, and over all folds of a round."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable

from grfjax import errors
from grfjax.data import force_intervals
from grfjax.evaluation import evaluation_result
from grfjax.report import run_description

Evaluation = evaluation_result.EvaluationResult
Folds = dict[str, Evaluation]  # held-out subject -> evaluation of the run without that subject
BASELINES = {'constant': 'constant', 'mean_curve': 'mean curve, true timing'}

BASELINES_NOTE = (
  "Constant: the training subjects' mean force. Mean curve: their mean force over stance, "
  "stretched to the held-out subject's true contact times, which the network has to find for "
  'itself; it is judged on whole stances only.'
)

PAPER = (
  'Mochizuki and Shibata (2023), five other people: r 0.59, 92.0 N, 15 % BW on average '
  '(10 to 19 % BW); their goal was 5 % BW.'
)


def subject_result(folds: Folds, subject: str) -> evaluation_result.SubjectErrors:
  """Returns the errors on the held-out subject of a fold.

  Raises:
    errors.InputError: the fold's evaluation is of somebody else.
  """
  evaluation = folds[subject]
  if evaluation.subject != subject:
    raise errors.InputError(
      f'fold {subject}: its eval.json is of {evaluation.subject}', code='evaluation.wrong_subject'
    )
  return evaluation.errors


def subject_errors(folds: Folds) -> list[float | None]:
  """Returns the mean absolute error of each fold's held-out subject, % BW."""
  return [subject_result(folds, subject).mae_pct_bw for subject in folds]


def subject_correlations(folds: Folds) -> list[float | None]:
  """Returns the correlation of estimated with true force in each fold."""
  return [subject_result(folds, subject).r for subject in folds]


def baseline_error(evaluation: Evaluation, name: str) -> float | None:
  """Returns the mean absolute error of a baseline, % BW; None where it was not evaluated."""
  baseline = evaluation.baselines.get(name)
  return None if baseline is None else baseline.mae_pct_bw


def interval_shares(evaluation: Evaluation) -> dict[str, tuple[float, float]]:
  """Returns force interval -> % of the training labels in it, and % of the labels as drawn."""
  return {
    row.interval: (100 * row.share, 100 * row.share_drawn) for row in evaluation.training_intervals
  }


def interval_errors(folds: Folds) -> dict[str, list[float | None]]:
  """Returns force interval -> mean absolute error of each fold in it, % BW."""
  return {
    name: [evaluation.intervals[name].mae_pct_bw for evaluation in folds.values()]
    for name in force_intervals.INTERVALS
  }


def pooled_intervals(folds: Folds) -> dict[str, evaluation_result.Errors]:
  """Returns force interval -> errors over the frames of all folds together, r left out."""
  pooled = {}
  for name in force_intervals.INTERVALS:
    parts = [e.intervals[name] for e in folds.values() if e.intervals[name].n]
    mean_square = _weighted_mean(parts, lambda part: (part.rmse_pct_bw or 0.0) ** 2)
    pooled[name] = evaluation_result.Errors(
      n=sum(part.n for part in parts),
      mae_pct_bw=_weighted_mean(parts, lambda part: part.mae_pct_bw or 0.0),
      rmse_pct_bw=None if mean_square is None else math.sqrt(mean_square),
      bias_pct_bw=_weighted_mean(parts, lambda part: part.bias_pct_bw or 0.0),
      r=None,
    )
  return pooled


def _weighted_mean(
  parts: list[evaluation_result.Errors], value: Callable[[evaluation_result.Errors], float]
) -> float | None:
  """Returns the mean of a value over the frames of all parts; None without any frame."""
  n = sum(part.n for part in parts)
  return sum(part.n * value(part) for part in parts) / n if n else None


def dataset_names(folds: Folds) -> list[str]:
  """Returns the data sets of the folds, in order and each once."""
  return sorted({evaluation.dataset for evaluation in folds.values()})


def knows_both_legs(evaluation: Evaluation) -> bool:
  """Tells whether a network knows both legs; else it knows the near one, in stance only."""
  return evaluation.legs == 2


def describe_legs(evaluations: Iterable[Evaluation]) -> str:
  """Returns in words which legs the networks know."""
  legs = {evaluation.legs for evaluation in evaluations}
  if legs == {1}:
    return 'the near leg (the network knows no other leg, and that one in stance only)'
  return 'both legs' if legs == {2} else 'one leg or both, fold by fold'


def describe_network(evaluation: Evaluation, step: str) -> str:
  """Returns a run's model, its number of parameters, and its step after the given words."""
  model = run_description.describe_model(evaluation.model)
  return f'{model}, {evaluation.parameters} parameters, {step} {evaluation.step}'


def mean(values: Iterable[float | None]) -> float | None:
  """Returns the mean of the defined values; None where there is none."""
  defined = [v for v in values if v is not None]
  return statistics.fmean(defined) if defined else None


def sample_sd(values: Iterable[float | None]) -> float | None:
  """Returns the sample SD of the defined values; None with fewer than two of them."""
  defined = [v for v in values if v is not None]
  return statistics.stdev(defined) if len(defined) > 1 else None
