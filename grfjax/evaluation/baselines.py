"""What a network must beat: a constant force, and the mean force curve with the true timing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grfjax.data import voxel_dataset
from grfjax.evaluation import error_sums, held_out_estimates
from grfjax.gait import stances


def baseline_errors(
  dataset: voxel_dataset.Dataset,
  training_subjects: Sequence[str],
  held_out: held_out_estimates.HeldOutEstimates,
) -> dict[str, error_sums.ErrorSums]:
  """Computes the errors of both baselines on the held-out subject.

  Args:
    dataset: the data set.
    training_subjects: the baselines are made of their labels.
    held_out: the held-out subject's labels.

  Returns:
    'constant': errors of the training subjects' mean force; 'mean_curve': of their mean curve,
    stretched to the true contact times, on whole stances; it is left out where no training stance
    was seen whole.
  """
  legs = held_out.contact.shape[1]
  curves: list[np.ndarray] = []
  total, count = 0.0, 0
  for subject in training_subjects:
    labels = _subject_labels(dataset, subject, legs)
    total += float(labels['force'][..., 0][labels['contact']].sum(dtype=np.float64))
    count += int(labels['contact'].sum())
    for leg in range(legs):
      curves += [labels['force'][s.index, leg] for s in _whole_stances(labels, leg)]
  truth = held_out.force[..., 0]
  constant = np.full(truth.shape, total / count)
  baselines = {'constant': error_sums.sum_errors(constant, truth, held_out.contact)}
  if curves:
    estimate, judged = _stretched_to_stances(mean_curve(curves), held_out)
    baselines['mean_curve'] = error_sums.sum_errors(estimate, truth, judged)
  return baselines


def _stretched_to_stances(
  curve: np.ndarray, held_out: held_out_estimates.HeldOutEstimates
) -> tuple[np.ndarray, np.ndarray]:
  """Stretches a curve to each whole stance; of one that the recording cuts, timing is unknown.

  Returns:
    Vertical force (N, legs), BW, and (N, legs) bool, whether the frame is in a whole stance.
  """
  estimate = np.zeros(held_out.contact.shape)
  judged = np.zeros(held_out.contact.shape, bool)
  for leg in range(held_out.contact.shape[1]):
    for stance in _whole_stances(vars(held_out), leg):
      estimate[stance.index, leg] = read_curve(curve, stance.phase)[:, 0]
      judged[stance.index, leg] = True
  return estimate, judged


def mean_curve(curves: Sequence[np.ndarray]) -> np.ndarray:
  """Returns the mean (POINTS, axes) of force curves (K, axes), each of one whole stance."""
  return np.mean([stances.resample(curve) for curve in curves], axis=0)


def read_curve(curve: np.ndarray, places: np.ndarray) -> np.ndarray:
  """Interpolates a curve (POINTS, axes) over stance at (K,) places from 0 to 1: (K, axes)."""
  columns = [np.interp(places, stances.PHASE, curve[:, i]) for i in range(curve.shape[1])]
  return np.stack(columns, axis=1)


def _whole_stances(labels: Mapping[str, np.ndarray], leg: int) -> list[stances.Stance]:
  every = stances.find_stances(labels['trial'], labels['frame'], labels['contact'][:, leg])
  return [stance for stance in every if stance.whole]


def _subject_labels(
  dataset: voxel_dataset.Dataset, subject: str, legs: int
) -> dict[str, np.ndarray]:
  """Returns the labels of a subject's own frames, in order of trials and time."""
  parts = [labels for _, labels in held_out_estimates.labelled_batches(dataset, subject, legs)]
  joined = {k: np.concatenate([part[k] for part in parts]) for k in parts[0] if k != 'inside'}
  order = np.lexsort((joined['frame'], joined['trial']))
  return {k: v[order] for k, v in joined.items()}
