"""Writes the trials of a synthetic set on Apache Beam: a person with all trials is an element."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import tempfile
from typing import Any

import apache_beam as beam
import cv2

from grfjax.io import beam_pipeline
from grfjax.synth import trial


def write_trials(
  root: pathlib.Path, settings: trial.Settings, options: str
) -> tuple[list[int], list[trial.WrittenTrial]]:
  """Writes the files of every trial.

  Args:
    root: the absolute path of the set, which all workers reach; it has the folders of a set.
    settings: of the set.
    options: as of `beam_pipeline.parse_options`.

  Returns:
    For each person, how many were drawn before, none of whose walks could be posed; the trials.
  """
  pipeline = beam.Pipeline(options=beam_pipeline.parse_options(options))
  with tempfile.TemporaryDirectory(prefix='.grfjax-beam-', dir=root) as work_name:
    work = pathlib.Path(work_name)
    people = beam_pipeline.run(
      pipeline,
      list(range(settings.subjects)),
      lambda indices: indices | 'Trials' >> beam.Map(_write_person, root, settings, work),
      work,
    )
  people.sort(key=lambda person: person['index'])
  return (
    [person['draw'] for person in people],
    [trial.WrittenTrial(*written) for person in people for written in person['trials']],
  )


def _write_person(
  index: int, root: pathlib.Path, settings: trial.Settings, work: pathlib.Path
) -> dict[str, Any]:
  """Writes all trials of a person to `work`, and moves them to `root` when they are whole."""
  cv2.setNumThreads(1)  # a person a core is faster than a picture on all
  for draw in range(trial.MAX_PEOPLE_DRAWS):
    with tempfile.TemporaryDirectory(prefix=f'{index}-', dir=work) as attempt_name:
      attempt = pathlib.Path(attempt_name)
      trial.make_folders(attempt)
      trials = _write_all(attempt, settings, index, draw)
      if trials is not None:
        for path in [path for path in attempt.rglob('*') if path.is_file()]:
          os.replace(path, root / path.relative_to(attempt))
        return {
          'index': index,
          'draw': draw,
          'trials': [dataclasses.astuple(written) for written in trials],
        }
  raise trial.cannot_walk(index)


def _write_all(
  root: pathlib.Path, settings: trial.Settings, person: int, draw: int
) -> list[trial.WrittenTrial] | None:
  """Writes the trials of a person; None where no walk of one of them can be posed."""
  trials = []
  for number in range(settings.trials):
    written = trial.write_trial(trial.Task(root, settings, person, number, draw))
    if written is None:
      return None
    trials.append(written)
  return trials
