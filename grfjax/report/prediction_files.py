"""What a prediction leaves behind for one video: tables, figure, page and film, together."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import json
import pathlib
from typing import Any

from grfjax import conventions
from grfjax.evaluation import plate_reference
from grfjax.gait import (
  curve_files,
  foot_contacts,
  force_curves,
  gait_measures,
  plausibility,
  summaries,
)
from grfjax.inference import trained_run
from grfjax.io import atomic, video_file
from grfjax.report import fold_tables, overlay, text_table, walk_figure, walk_page

INDEX = 'index.html'

_SUFFIXES = ('.csv', '_grf.mot', '.json', '.png', '_overlay.mp4', '.html')

_ALWAYS = ('.csv', '.json', '.png', '.html')


@dataclasses.dataclass(frozen=True)
class Prediction:
  """A video with its estimate.

  Attributes:
    name: of its files.
    video_name: the video's file name.
    subject: who walks, of a recording set; '' otherwise.
    estimate: the curves.
    body_mass_kg: of the walker; None where not given: nothing is in newtons.
    run: what `about_run` tells of the network.
    true: what plates felt, where there are any.
    notes: what else the reader should know.
  """

  name: str
  video_name: str
  subject: str
  estimate: force_curves.ForceCurves
  body_mass_kg: float | None
  run: dict[str, Any]
  true: plate_reference.PlateReference | None = None
  notes: tuple[str, ...] = ()

  @functools.cached_property
  def contacts(self) -> list[foot_contacts.MeasuredContact]:
    """Of both feet, in order."""
    return foot_contacts.find_contacts(self.estimate.time_s, self.estimate.force)

  @functools.cached_property
  def mot(self) -> str:
    """What STEM_grf.mot holds; '' where there is none."""
    if self.body_mass_kg is None:
      return ''
    return curve_files.to_mot(self.estimate, self.body_mass_kg, f'{self.name}_grf')

  @functools.cached_property
  def content(self) -> dict[str, Any]:
    """What STEM.json holds; None is undefined."""
    judged = plausibility.check_plausibility(self.estimate, self.contacts)
    flags = [*judged.flags, *self.notes]
    flag_codes = [*judged.flag_codes, *['prediction.note'] * len(self.notes)]
    if not self.mot:
      without = self.body_mass_kg is None
      why = 'the body mass is not given' if without else 'no frame has three axes of both legs'
      flags.append(f'There is no OpenSim file (_grf.mot): {why}.')
      flag_codes.append('prediction.no_opensim_file')
    return {
      'grfjax': importlib.metadata.version('grfjax'),
      'name': self.name,
      'video': self.video_name,
      'subject': self.subject or None,
      'camera': self.estimate.camera,
      'body_mass_kg': self.body_mass_kg,
      'run': self.run,
      'quality': dataclasses.asdict(judged) | {'flags': flags, 'flag_codes': flag_codes},
      'errors': self.true.errors(self.estimate, self.contacts) if self.true else None,
      **summaries.as_dict(self.contacts),
    }


def describe_run(run: trained_run.TrainedRun) -> dict[str, Any]:
  """Who made an estimate: model, step, subjects trained on, its errors, its intervals' share.

  Errors are those of the run's eval.json, and of about.json where the network was handed on.

  Returns:
    'model', 'step', 'trained_on_subjects' (None where not written down), 'mae_pct_bw' (of whom ->
    mean absolute error of the vertical force in stance, % BW; {} where it was not measured),
    'interval_share' (None: the intervals are not calibrated, and none are given).

  Raises:
    ValueError: one of those files is broken.
  """
  try:
    return _about_run(run)
  except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
    raise ValueError(
      f'{run.folder}: what its JSON files say of the run cannot be read ({error})'
    ) from error


def _about_run(run: trained_run.TrainedRun) -> dict[str, Any]:
  def read(name: str) -> dict[str, Any]:
    path = run.folder.path / name
    return json.loads(path.read_text(encoding='utf-8')) if path.is_file() else {}

  errors = read('about.json').get('mae_pct_bw', {}) | {
    f'{subject}, held out': result['mae_pct_bw']
    for subject, result in read('eval.json').get('subjects', {}).items()
  }
  trained = read('subjects.json').get('trained')
  return {
    'model': fold_tables.model_text({'model': run.config.model.to_dict()}),
    'step': run.step,
    'trained_on_subjects': None if trained is None else len(trained),
    'mae_pct_bw': errors,
    'interval_share': read(run.folder.intervals.name).get('share'),
  }


def write_prediction(
  folder: pathlib.Path, result: Prediction, film: pathlib.Path | None = None
) -> list[pathlib.Path]:
  """Writes a video's files, all or none of them; what an earlier run left of them goes.

  Args:
    folder: for the files.
    result: what they hold.
    film: the video, to be given back annotated; None: it is not.

  Returns:
    The files, the page last.

  Raises:
    ValueError: the name is the index's.
    OSError: a file cannot be written.
  """
  if f'{result.name}.html'.lower() == INDEX:
    raise ValueError(f'the name {result.name!r} is taken by the list of all results; rename it')
  paths = {suffix: f'{result.name}{suffix}' for suffix in _SUFFIXES}
  with atomic.atomic_files(folder, list(paths.values())) as draft:
    atomic.write_text(draft / paths['.csv'], curve_files.to_csv(result.estimate))
    if result.mot:
      atomic.write_text(draft / paths['_grf.mot'], result.mot)
    atomic.write_json(draft / paths['.json'], result.content)
    drawn = walk_figure.draw(
      draft / paths['.png'], result.estimate, result.contacts, result.body_mass_kg, result.true,
      result.name,
    )  # fmt: skip
    if film is not None:
      estimate = result.estimate
      overlay.write(
        draft / paths['_overlay.mp4'], video_file.probe(film), result.name, estimate.force,
        estimate.box, estimate.direction,
      )  # fmt: skip
    atomic.write_text(
      draft / paths['.html'], walk_page.walk_page(result.content, drawn, sentences(result))
    )
  return [folder / path for path in paths.values() if (folder / path).exists()]


def is_complete(folder: pathlib.Path, name: str) -> bool:
  """Whether a video has all files that every result has."""
  return all((folder / f'{name}{suffix}').exists() for suffix in _ALWAYS)


def write_index(folder: pathlib.Path, failures: list[str]) -> None:
  """Writes folder/index.html, the list of all results there.

  Args:
    folder: as written to by `write`.
    failures: why trials have no result.
  """
  found = []
  for path in sorted(folder.glob('*.json')):
    try:
      content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError:
      continue  # not ours
    if isinstance(content, dict) and {'grfjax', 'summary', 'quality'} <= set(content):
      found.append(content)
  atomic.write_text(folder / INDEX, walk_page.index_page(found, failures))


def sentences(result: Prediction) -> list[str]:
  """The result in a few plain sentences, one a line: cadence, then each leg, then the legs."""
  content = result.content
  summary, judged = content['summary'], content['quality']
  lines = []
  cadence = summary['cadence_steps_per_min']
  said = f"The camera stood at the walker's {result.estimate.camera}."
  if cadence['mean'] is not None:
    said += f' Cadence: {cadence["mean"]:.0f} steps a minute, of {_count(cadence["n"], "step")}.'
  lines.append(said)
  lines += [_leg_words(result, leg) for leg in conventions.LEGS]
  index = summary['symmetry_index_pct']
  compared = [
    f'{gait_measures.MEASURES[name].label.lower()} {text_table.format_value(index[name], "+.0f")} %'
    for name in ('stance_s', 'first_peak_bw', 'second_peak_bw')
    if index[name] is not None
  ]
  if compared:
    lines.append(
      f'Left against right (0 is equal, positive is left larger): {", ".join(compared)}.'
    )
  if judged['mean_total_bw'] is not None:
    lines.append(
      f'Check: over {_count(judged["strides"], "whole stride")} both legs together carry '
      f'{judged["mean_total_bw"]:.2f} BW on average; physics says 1.'
    )
  return lines


def _leg_words(result: Prediction, leg: str) -> str:
  seen = result.estimate.has_estimate[:, conventions.LEGS.index(leg)]
  if not seen.any():
    why = ' (the network knows the near leg alone)' if result.estimate.near_only else ''
    return f'{leg.capitalize()} leg: no estimate{why}.'
  measures = result.content['summary'][leg]
  stance = measures['stance_s']
  if not stance['n']:
    return f'{leg.capitalize()} leg: no whole stance was seen.'
  parts = [f'stance {stance["mean"]:.2f} s, of {_count(stance["n"], "whole contact")}']
  for name in ('first_peak_bw', 'second_peak_bw'):
    mean = measures[name]['mean']
    if mean is not None:
      newton = (
        f' = {mean * result.body_mass_kg * conventions.G:.0f} N' if result.body_mass_kg else ''
      )
      parts.append(f'{gait_measures.MEASURES[name].label.lower()} {mean:.2f} BW{newton}')
  if len(parts) == 1:
    parts.append('without two peaks')
  return f'{leg.capitalize()} leg: {"; ".join(parts)}.'


def _count(n: int, what: str) -> str:
  return f'{n} {what}' + ('' if n == 1 else 's')
