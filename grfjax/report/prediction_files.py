"""Writes the files of a prediction: for each video tables, figure, page and annotated video."""

from __future__ import annotations

import json
import pathlib

from grfjax import errors
from grfjax.gait import curve_files
from grfjax.io import atomic, video_file
from grfjax.report import overlay, walk_figure, walk_index, walk_page, walk_prediction

INDEX = 'index.html'
_SUFFIXES = ('.csv', '_grf.mot', '.json', '.png', '_overlay.mp4', '.html')
_REQUIRED = ('.csv', '.json', '.png', '.html')  # the others not every video has


def write_prediction(
  folder: pathlib.Path,
  prediction: walk_prediction.Prediction,
  video: pathlib.Path | None = None,
) -> list[pathlib.Path]:
  """Writes a video's files, all or none of them; the files of an earlier prediction are removed.

  Args:
    folder: for the files.
    prediction: their content.
    video: the video to annotate; None: no annotated video is written.

  Returns:
    The files, the page last.

  Raises:
    errors.InputError: the name is the index's.
    OSError: a file cannot be written.
  """
  if f'{prediction.name}.html'.lower() == INDEX:
    raise errors.InputError(
      f'the name {prediction.name!r} is taken by the list of all results; rename the video',
      code='prediction.reserved_name',
    )
  names = {suffix: f'{prediction.name}{suffix}' for suffix in _SUFFIXES}
  with atomic.atomic_files(folder, list(names.values())) as draft:
    paths = {suffix: draft / name for suffix, name in names.items()}
    atomic.write_text(
      paths['.csv'], curve_files.to_csv(prediction.estimate, prediction.metres_per_bh)
    )
    if prediction.mot:
      atomic.write_text(paths['_grf.mot'], prediction.mot)
    atomic.write_json(paths['.json'], prediction.content)
    walk_figure.draw_walk(
      paths['.png'], prediction.estimate, prediction.contacts, prediction.body_mass_kg,
      prediction.reference, prediction.name,
    )  # fmt: skip
    if video is not None:
      estimate = prediction.estimate
      overlay.write_annotated_video(
        paths['_overlay.mp4'], video_file.probe(video), prediction.name, estimate.force,
        estimate.box, estimate.direction, estimate.feet.picture if estimate.feet else None,
      )  # fmt: skip
    atomic.write_text(paths['.html'], walk_page.walk_page(prediction, paths['.png']))
  return [folder / name for name in names.values() if (folder / name).exists()]


def is_complete(folder: pathlib.Path, name: str) -> bool:
  """Tells whether a video has all files that every prediction has."""
  return all((folder / f'{name}{suffix}').exists() for suffix in _REQUIRED)


def write_index(folder: pathlib.Path, failures: list[str]) -> None:
  """Writes folder/index.html, the list of all predictions there.

  Args:
    folder: that `write_prediction` has written to.
    failures: a sentence for each trial that could not be predicted.
  """
  contents = []
  for path in sorted(folder.glob('*.json')):
    try:
      content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError:
      continue  # someone else's file
    if isinstance(content, dict) and {'grfjax', 'summary', 'quality'} <= set(content):
      contents.append(content)
  atomic.write_text(folder / INDEX, walk_index.index_page(contents, failures))
