"""Writes the files of a prediction: for each video tables, figure, page and annotated video."""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
import re

import numpy as np

from grfjax import errors
from grfjax.gait import curve_files, force_curves, opensim_files
from grfjax.io import atomic, video_file
from grfjax.report import overlay, walk_index, walk_page, walk_prediction

INDEX = 'index.html'
_SUFFIXES = ('.csv', '.json', '.png', '_overlay.mp4', '.html')
_REQUIRED = ('.csv', '.json', '.png', '.html')  # the others not every video has
_LATER_WALK = re.compile(r'(.+)_walk[1-9][0-9]*')  # as `opensim_files.walk_name` calls it


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
    errors.InputError: the name is the index's, or files of walks have the names of another video's.
    OSError: a file cannot be written.
  """
  if f'{prediction.name}.html'.lower() == INDEX:
    raise errors.InputError(
      f'the name {prediction.name!r} is taken by the list of all results; rename the video',
      code='prediction.reserved_name',
    )
  for_opensim = opensim_files.make_files(prediction.mots, prediction.name)
  _check_names(folder, prediction.name, len(prediction.mots))
  names = {suffix: f'{prediction.name}{suffix}' for suffix in _SUFFIXES}
  first_walk = opensim_files.file_names(prediction.name)
  former = _later_walks(folder, prediction.name)
  csv, *others = names.values()
  files = list(dict.fromkeys([csv, *first_walk, *for_opensim, *former, *others]))
  with atomic.atomic_files(folder, files) as draft:
    paths = {suffix: draft / name for suffix, name in names.items()}
    atomic.write_text(
      paths['.csv'], curve_files.to_csv(prediction.estimate, prediction.metres_per_bh)
    )
    for name, text in for_opensim.items():
      atomic.write_text(draft / name, text)
    atomic.write_json(paths['.json'], prediction.content)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:  # the encoder leaves cores idle
      figure = pool.submit(_draw_figure, paths['.png'], prediction)
      if video is not None:
        estimate = prediction.estimate
        overlay.write_annotated_video(
          paths['_overlay.mp4'], video_file.probe(video), prediction.name, estimate.force,
          estimate.box, estimate.direction, _places_of_feet(estimate),
        )  # fmt: skip
      figure.result()
    atomic.write_text(paths['.html'], walk_page.walk_page(prediction, paths['.png']))
  return [folder / name for name in files if (folder / name).exists()]


def _draw_figure(path: pathlib.Path, prediction: walk_prediction.Prediction) -> None:
  from grfjax.report import walk_figure  # here, as Matplotlib takes long to import

  walk_figure.draw_walk(
    path, prediction.estimate, prediction.contacts, prediction.body_mass_kg, prediction.reference,
    prediction.name,
  )  # fmt: skip


def _places_of_feet(estimate: force_curves.ForceCurves) -> np.ndarray | None:
  """Returns where the feet are in the picture, (N, 2, 2); None where they are known nowhere."""
  if estimate.feet is None or np.isnan(estimate.feet.picture).all():
    return None
  return estimate.feet.picture


def _check_names(folder: pathlib.Path, name: str, walks: int) -> None:
  """Raises where the OpenSim files of a later walk have the names of another video's."""
  names = [opensim_files.walk_name(name, number) for number in range(2, walks + 1)]
  others = [other for other in names if _is_predicted(folder, other)]
  earlier = _LATER_WALK.fullmatch(name)
  own = folder / opensim_files.file_names(name)[0]
  if earlier and own.exists() and not _is_predicted(folder, name):
    others += [earlier[1]] if _is_predicted(folder, earlier[1]) else []
  if others:
    raise errors.InputError(
      f'{folder}: OpenSim files of the videos {others[0]!r} and {name!r} would have the same name, '
      'as one of them shows several walks; rename a video',
      code='prediction.reserved_name',
    )


def _later_walks(folder: pathlib.Path, name: str) -> list[str]:
  """Returns the OpenSim files of later walks that an earlier prediction of this name has left."""
  suffixes = '|'.join(map(re.escape, opensim_files.SUFFIXES))
  files = (re.fullmatch(f'(.+)({suffixes})', path.name) for path in sorted(folder.glob('*')))
  walks = ((file[0], file[1], _LATER_WALK.fullmatch(file[1])) for file in files if file)
  return [
    file
    for file, walk, later in walks
    if later and later[1] == name and not _is_predicted(folder, walk)
  ]


def _is_predicted(folder: pathlib.Path, name: str) -> bool:
  """Tells whether there is a prediction of a video of this name."""
  return (folder / f'{name}.json').exists()


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
