"""Runs work on Apache Beam, and brings back its results."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import apache_beam as beam
from apache_beam.options import pipeline_options

from grfjax import errors
from grfjax.io import atomic

# The description of a pipeline must stay small (Dataflow limits it to some megabytes), so that
# elements lie in files, of which it holds the names.
_ELEMENTS_A_FILE = 500
_CODER = beam.coders.FastPrimitivesCoder()


def parse_options(text: str) -> pipeline_options.PipelineOptions:
  """Returns the options of a pipeline.

  Args:
    text: Beam's flags without their dashes, separated by commas, as `tfds build` takes them:
      'runner=FlinkRunner,flink_master=localhost:8081'.
  """
  return pipeline_options.PipelineOptions(flags=[f'--{option}' for option in text.split(',')])


def run(
  pipeline: beam.Pipeline,
  elements: list[Any],
  steps: Callable[[beam.PCollection], beam.PCollection],
  work: pathlib.Path,
) -> list[Any]:
  """Works on elements, and waits for the results.

  Beam has no way to hand results back, so that a worker writes all of them to one file. An element
  is worked on again where a worker is lost, and sometimes on two workers at once; what the steps
  write must appear whole or not at all.

  Args:
    pipeline: an empty one.
    elements: what is worked on; spread over all workers.
    steps: of the collection of elements; their results are values that JSON knows.
    work: an existing folder, which all workers reach by this absolute path.

  Returns:
    The results, in no particular order.

  Raises:
    errors.PipelineError: the runner could not be started, or gave an element up.
  """
  files = []
  for start in range(0, len(elements), _ELEMENTS_A_FILE):
    files.append(work / f'elements-{start}')
    files[-1].write_bytes(_CODER.encode(elements[start : start + _ELEMENTS_A_FILE]))
  path = work / 'results.json'
  try:
    with pipeline:
      elements_read = pipeline | beam.Create(files) | 'Elements' >> beam.FlatMap(_read_elements)
      # Without the shuffle, a worker may keep all the elements that it has read.
      results = (
        steps(elements_read | 'Spread' >> beam.Reshuffle()) | 'Results' >> beam.combiners.ToList()
      )
      _ = results | 'Hand back' >> beam.Map(_write_results, path)
  except Exception as error:
    raise errors.PipelineError(f'the Beam pipeline failed: {error}') from error
  return json.loads(path.read_text(encoding='utf-8'))


def _read_elements(path: pathlib.Path) -> list[Any]:
  return _CODER.decode(path.read_bytes())


def _write_results(results: list[Any], path: pathlib.Path) -> None:
  atomic.write_json(path, results)
