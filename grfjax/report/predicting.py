"""Predicts the trials of a recording set, or a single video, and writes the results."""

from __future__ import annotations

import pathlib

import numpy as np
import tqdm

from grfjax.evaluation import plate_reference
from grfjax.gait import walking_speed
from grfjax.inference import trained_run, video_estimate
from grfjax.io import atomic, recordings, video_file
from grfjax.report import prediction_files, run_description, walk_prediction, walk_text


def predict_set(
  run: trained_run.TrainedRun,
  root: pathlib.Path,
  out: pathlib.Path,
  subjects: list[str] | None,
  *,
  with_overlay: bool = False,
) -> list[str]:
  """Writes every trial's results and the list of all of them.

  Goes on after a trial that fails, unless the disk is full. Forces that a trial has are drawn
  beside the estimate; where they cannot be used, the results give the reason.

  Args:
    run: the network.
    root: the recording set.
    out: folder for the results.
    subjects: of the recording set; None: all.
    with_overlay: whether to write annotated videos.

  Returns:
    A sentence for each trial that failed.

  Raises:
    ValueError: the recording set or the run cannot be used.
    OSError: the disk is full.
  """
  failures = []
  description = run_description.describe_run(run)
  trials = recordings.load(root, need_forces=False, subjects=subjects)
  for trial in tqdm.tqdm(trials, desc='predict', unit='trial', mininterval=1):
    try:
      with video_file.played_at(trial.speed):
        estimate = video_estimate.estimate_video(run, trial.video, trial.camera)
        reference, notes = _plate_reference(trial, estimate.time_s)
        prediction = walk_prediction.Prediction(
          trial.name, trial.video.name, trial.subject.name, estimate, trial.subject.body_mass_kg,
          description, reference, (*run.damaged, *notes), _given(trial),
        )  # fmt: skip
        prediction_files.write_prediction(out, prediction, trial.video if with_overlay else None)
    except (ValueError, OSError) as error:
      if isinstance(error, OSError) and error.errno in atomic.DISK_FULL:
        raise
      failures.append(f'{trial.where} (trial {trial.name}): {error}')
  prediction_files.write_index(out, failures)
  return failures


def _given(trial: recordings.Trial) -> walking_speed.Given:
  subject = trial.subject
  return walking_speed.Given(subject.height_m, subject.age_years, trial.scale_m_per_px)


def _plate_reference(
  trial: recordings.Trial, frame_times_s: np.ndarray
) -> tuple[plate_reference.PlateReference | None, tuple[str, ...]]:
  """Returns what the plates measured, if anything, and a note where it cannot be used."""
  try:
    return plate_reference.read_plate_reference(trial, frame_times_s), ()
  except (ValueError, OSError) as error:
    return None, (f'The forces of this trial could not be used: {error}',)


def predict_walk(
  run: trained_run.TrainedRun,
  path: pathlib.Path,
  camera: str,
  body_mass_kg: float | None,
  given: walking_speed.Given = walking_speed.NOTHING,
) -> walk_prediction.Prediction:
  """Returns a video's result.

  Args:
    run: the network.
    path: the video.
    camera: 'left' or 'right', the walker's side on which the camera stands; '' finds it out.
    body_mass_kg: of the walker; None: nothing is in newtons.
    given: height and age of the walker, and the film's scale.

  Raises:
    ValueError: the video or the run cannot be used, as `video_estimate.estimate_video` tells.
  """
  estimate = video_estimate.estimate_video(run, path, camera)
  description = run_description.describe_run(run)
  return walk_prediction.Prediction(
    path.stem, path.name, '', estimate, body_mass_kg, description, notes=run.damaged, given=given
  )


def predict_video(
  run: trained_run.TrainedRun,
  path: pathlib.Path,
  out: pathlib.Path,
  camera: str,
  body_mass_kg: float | None,
  given: walking_speed.Given = walking_speed.NOTHING,
  *,
  with_overlay: bool = True,
) -> str:
  """Writes a video's results.

  Args:
    run: the network.
    path: the video.
    out: folder for the results.
    camera: as in `predict_walk`.
    body_mass_kg: likewise.
    given: likewise.
    with_overlay: whether to write the annotated video.

  Returns:
    A few lines for the terminal: the result in short, and the files.

  Raises:
    ValueError: as in `predict_walk`.
    OSError: a file cannot be written.
  """
  prediction = predict_walk(run, path, camera, body_mass_kg, given)
  *others, page = prediction_files.write_prediction(out, prediction, path if with_overlay else None)
  return '\n'.join([
    walk_text.in_short(prediction),
    f'written: {", ".join(str(path) for path in others)}',
    f'page: {page}',
  ])  # fmt: skip
