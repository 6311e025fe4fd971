"""Predicts videos and writes what people read of them."""

from __future__ import annotations

import pathlib

import numpy as np
import tqdm

from grfjax.evaluation import plate_reference
from grfjax.inference import trained_run, video_estimate
from grfjax.io import atomic, recordings
from grfjax.report import prediction_files


def predict_set(
  run: trained_run.TrainedRun,
  root: pathlib.Path,
  out: pathlib.Path,
  subjects: list[str] | None,
  *,
  with_overlay: bool = False,
) -> list[str]:
  """Writes every trial's results and the list of all of them into OUT.

  Goes on after a trial that fails, unless the disk is full, and returns why. Forces that a trial
  has are drawn beside the estimate; where they cannot be used, the results say why.
  """
  failures = []
  about = prediction_files.describe_run(run)
  trials = recordings.load(root, need_forces=False, subjects=subjects)
  for trial in tqdm.tqdm(trials, desc='predict', unit='trial', mininterval=1):
    try:
      estimate = video_estimate.estimate_video(run, trial.video, trial.camera)
      true, notes = _truth(trial, estimate.time_s)
      result = prediction_files.Prediction(
        trial.name, trial.video.name, trial.subject.name, estimate, trial.subject.body_mass_kg,
        about, true, (*run.damaged, *notes),
      )  # fmt: skip
      prediction_files.write_prediction(out, result, trial.video if with_overlay else None)
    except (ValueError, OSError) as error:
      if isinstance(error, OSError) and error.errno in atomic.DISK_FULL:
        raise
      failures.append(f'{trial.where} (trial {trial.name}): {error}')
  prediction_files.write_index(out, failures)
  return failures


def _truth(
  trial: recordings.Trial, frame_times_s: np.ndarray
) -> tuple[plate_reference.PlateReference | None, tuple[str, ...]]:
  """What the plates say, and what the reader should know of it."""
  try:
    return plate_reference.read_plate_reference(trial, frame_times_s), ()
  except (ValueError, OSError) as error:
    return None, (f'The forces of this trial could not be used: {error}',)


def predict_video(
  run: trained_run.TrainedRun,
  path: pathlib.Path,
  out: pathlib.Path,
  camera: str,
  body_mass_kg: float | None,
  *,
  with_overlay: bool = True,
) -> str:
  """Writes a video's results into OUT; returns a few lines for the terminal.

  Raises:
    ValueError: as `predict`.
    OSError: a file cannot be written.
  """
  estimate = video_estimate.estimate_video(run, path, camera)
  result = prediction_files.Prediction(
    path.stem,
    path.name,
    '',
    estimate,
    body_mass_kg,
    prediction_files.describe_run(run),
    notes=run.damaged,
  )
  *others, page = prediction_files.write_prediction(out, result, path if with_overlay else None)
  return '\n'.join([
    *prediction_files.sentences(result),
    *(f'Note: {flag}' for flag in result.content['quality']['flags']),
    f'written: {", ".join(str(path) for path in others)}',
    f'page: {page}',
  ])  # fmt: skip
