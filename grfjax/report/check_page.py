"""The HTML page of an examined recording set."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Mapping

import markupsafe

from grfjax.data import findings, set_check, trial_check
from grfjax.evaluation import set_synchronization
from grfjax.report import check_figure, check_tables, check_text, html_templates, page_parts


@dataclasses.dataclass(frozen=True)
class _TrialSection:
  """What the page shows of a trial.

  Attributes:
    anchor: of the section.
    name: the trial's.
    status: 'refused', 'doubtful' or 'ready'.
    subject: who walks.
    about: sentences.
    found: errors, doubts and notes.
    figure: the plates' forces; '' where there are none.
    picture: of the start that was found; None where it was not looked for.
  """

  anchor: str
  name: str
  status: str
  subject: str
  about: list[str]
  found: list[findings.Finding]
  figure: markupsafe.Markup
  picture: page_parts.Picture | None


def check_page(
  check: set_check.SetCheck,
  starts: Mapping[str, set_synchronization.FoundStart],
  pictures: Mapping[str, pathlib.Path],
) -> str:
  """Returns the page as HTML.

  Args:
    check: the set.
    starts: trial -> when its video began, where that was looked for.
    pictures: trial -> PNG of that, for the same trials.
  """
  sections = [
    _section(k, trial, pictures.get(trial.name) if trial.camera else None)
    for k, trial in enumerate(check.trials)
  ]
  near, far = check.known()
  numbers = [(str(check.count(status)), f'trials {status}') for status in trial_check.STATUSES]
  numbers += [
    (str(len({trial.subject for trial in check.trials})), 'subjects'),
    (f'{near:,} | {far:,}', 'frames with known force, near | far leg'),
  ]
  kinds = [
    (first.code, first.text, first.remedy, names)
    for level in (findings.Level.DOUBT, findings.Level.NOTE)
    for names, first in check_text.by_kind(check, level)
  ]
  return html_templates.render_page(
    'check.html.j2',
    title='Recording set, checked',
    headline=numbers,
    summary=[f'{check.root}, for the configuration {check.config}.', *check_text.in_short(check)],
    errors=check.errors,
    kinds=kinds,
    table=check_tables.narrow_trials_table(check),
    links={section.name: f'#{section.anchor}' for section in sections},
    starts=check_tables.starts_table(starts) if starts else None,
    intervals=check_tables.intervals_table(check),
    sections=sections,
  )


def _section(
  number: int, trial: trial_check.TrialCheck, picture: pathlib.Path | None
) -> _TrialSection:
  return _TrialSection(
    f'trial-{number + 1}',
    check_tables.name_of(trial),
    trial.status,
    trial.subject,
    list(_about(trial)),
    list(trial.found),
    check_figure.draw_trial(trial),
    None if picture is None else page_parts.Picture(
      picture,
      'Vertical force of each leg on the plates, and as estimated in the video from the start that '
      'was found.',
      'Gray line: the plates, where they decide the force; gray areas: contacts on them. Coloured: '
      'estimated in the video, as it lies from the best start that was found; triangles: estimated '
      'contacts and toe-offs; dashed: the ends of the video; dotted: the next best start, if it '
      'fits too. Where a start is right, the curves rise and fall together.',
    ),
  )  # fmt: skip


def _about(trial: trial_check.TrialCheck) -> list[str]:
  """Returns sentences about a trial."""
  parts = []
  video, plates, labels = trial.video, trial.plates, trial.labels
  if video is not None:
    parts.append(
      f'Video of {video.duration_s:.2f} s, {video.frames} frames of {video.width} x '
      f'{video.height} at {video.fps:.4g} a second.'
    )
    if video.walk is not None:
      side = {1: " to the picture's right", -1: " to the picture's left", 0: ''}
      start, end = video.walk
      parts.append(f'The walk goes{side[video.direction]} from {start:.2f} to {end:.2f} s.')
  if plates is not None:
    start, end = plates.recorded
    clock = "the video's" if plates.start_s is not None else 'their own'
    parts.append(f'Forces from {start:.2f} to {end:.2f} s on {clock} clock.')
    if plates.start_s is not None:
      parts.append(
        f'The video starts at {plates.start_s:.4f} s of the force clock'
        + (f', give or take {1e3 * plates.uncertainty_s:.1f} ms.' if plates.uncertainty_s else '.')
      )
  if labels is not None:
    near, far = labels.known
    parts.append(
      f'Of {labels.pictures} frames the force of the near leg is known in {near}, of the far leg '
      f'in {far}; {labels.records} records.'
    )
  return [' '.join(parts)] if parts else []
