"""Of a leave-one-subject-out round: errors of the gait measures, and its best and worst trials."""

from __future__ import annotations

import itertools
import pathlib
import urllib.parse

import numpy as np

from grfjax import conventions
from grfjax.evaluation import held_out_trials
from grfjax.gait import bland_altman, contact_comparison, contact_thresholds, gait_measures
from grfjax.io import video_file
from grfjax.report import agreement_figures, fold_tables, html_page, text_table

NAME = 'gait_errors'

_RANKS = ('', 'second ', 'third ')  # of trials shown at either end

_AGREEMENT = (
  'first_peak_pct_bw',
  'second_peak_pct_bw',
  'stance_ms',
)  # of `contact_comparison.ERRORS`

_RULE = (
  f'One rule, fixed beforehand: in the estimate a foot is in contact while its vertical force is '
  f'above {contact_thresholds.CONTACT_BW:g} BW around a time at which it is above '
  f'{contact_thresholds.LOADED_BW:g} BW; on the '
  f'plates, while they feel over {conventions.CONTACT_N:g} N. Contacts '
  'of a leg are the same if they '
  f'begin within {contact_comparison.MATCH_S:g} s of each other.'
)

_POOLED = (
  'The limits of agreement are of all contacts together, though those of one person are alike: of '
  'few people they say little about the next.'
)

_EARLY = (
  'The network learns forces averaged over 1/60 s around each frame, whose rise begins up to half '
  'of that early: of the bias of initial contact some -8 ms are due to that, and are not corrected.'
)


def compared(
  found: held_out_trials.HeldOutTrials, folds: fold_tables.Folds
) -> dict[str, contact_comparison.ContactComparison]:
  """Subject -> contacts, of networks that know both legs.

  One that knows the near leg, in stance only, cannot tell when a foot meets the floor.
  """
  return {s: c for s, c in found.compared().items() if folds[s]['legs'] == 2}


def table(of: dict[str, contact_comparison.ContactComparison]) -> text_table.Table:
  """A row a subject, then all contacts together.

  Args:
    of: held-out subject -> its contacts.
  """
  together = _together(of)
  result = together.result()
  rows = []
  for name, found in [*((s, c.result()) for s, c in of.items()), ('all', result)]:
    errors = [found[key] for key in contact_comparison.ERRORS]
    first, *others = errors
    rows.append(
      (
        name, found['true'], found['missed_pct'], found['invented_pct'], first['mae'],
        first['bias'], *(e['mae'] for e in others),
      )
    )  # fmt: skip
  # Who has no valley has no peaks either.
  flat = result['first_peak_pct_bw']
  return text_table.Table(
    NAME,
    'Gait measures',
    'Held-out foot contacts against those of the plates: missed and invented in % of the true '
    'ones, and mean absolute errors (MAE) of those found.',
    ('held out', 'true contacts', 'missed %', 'invented %', 'initial contact MAE ms', 'bias ms',
     'toe-off MAE ms', 'stance time MAE ms', 'first peak MAE % BW', 'valley MAE % BW',
     'second peak MAE % BW'),
    ('', 'd', '.1f', '.1f', '.1f', '+.1f', '.1f', '.1f', '.1f', '.1f', '.1f'),
    tuple(rows),
    (
      _RULE,
      _EARLY,
      f'Peaks and valley are those of {flat["n"]} contacts; in {flat["undefined"]} others the '
      'plates show two peaks and the estimate does not.',
      f'{result["unjudged"]} estimated contacts lie where nobody measured, and are not judged.',
    ),
  )  # fmt: skip


def nothing(found: held_out_trials.HeldOutTrials, folds: fold_tables.Folds) -> str:
  """Why there is no table; '' where there is one."""
  if compared(found, folds):
    return ''
  why = (
    'the network knows one leg, in stance only, and cannot tell when a foot meets the floor'
    if found.trials
    else 'force plates tell the truth of no trial'
  )
  return f'No errors of gait measures: {why}.'


def sections(
  folder: pathlib.Path,
  predictions: pathlib.Path,
  found: held_out_trials.HeldOutTrials,
  folds: fold_tables.Folds,
) -> list[str]:
  """The page's sections, HTML.

  Args:
    folder: of the page, for its pictures.
    predictions: folder of the trials' own pages, beside it.
    found: the held-out trials.
    folds: held-out subject -> its eval.json.
  """
  of = compared(found, folds)
  said = [_in_short(_together(of)), _RULE, _POOLED] if of else [nothing(found, folds)]
  pictures = html_page.side_by_side(_agreement_pictures(folder, of)) if of else ''
  parts = [html_page.section('Gait measures', [*said, *left_out(found)], pictures)]
  pictures = html_page.side_by_side(_trial_pictures(folder, predictions, found.trials))
  if found.trials:
    parts.append(
      html_page.section(
        'Worst and best trials',
        [
          'By the mean absolute error of the vertical force over the frames of the trial in which '
          'a plate carries the foot. Left leg blue and solid, right leg orange and dashed; gray: '
          'what the plates measured; the dotted line: the moment of the picture. The pictures show '
          'the people filmed: mind that before this page is passed on.'
        ],
        pictures,
      )
    )
  return parts


def left_out(found: held_out_trials.HeldOutTrials) -> list[str]:
  """A sentence for each reason why trials could not be judged."""
  reasons = sorted((why, name) for name, why in found.unjudged.items())
  said = []
  for why, group in itertools.groupby(reasons, key=lambda pair: pair[0]):
    names = [name for _, name in group]
    who = f'trial {names[0]}' if len(names) == 1 else f'{len(names)} trials, {names[0]} first'
    said.append(f'Not judged ({who}): {why}.')
  return said


def _together(
  of: dict[str, contact_comparison.ContactComparison],
) -> contact_comparison.ContactComparison:
  every = contact_comparison.ContactComparison()
  for one in of.values():
    every = every.merge(one)
  return every


def _in_short(every: contact_comparison.ContactComparison) -> str:
  result = every.result()
  if not result['true']:
    return 'The plates saw no foot contact while the videos ran.'
  said = (
    f'Of {result["true"]} foot contacts on the plates {result["missed"]} were missed '
    f'({result["missed_pct"]:.1f} %), and {result["invented"]} were invented '
    f'({result["invented_pct"]:.1f} %).'
  )
  off = []
  for key, (measure, _) in contact_comparison.ERRORS.items():
    if result[key]['n']:
      label = {**gait_measures.EVENTS, **gait_measures.MEASURES}[measure].label.lower()
      off.append(f'{label} {result[key]["mae"]:.0f} {_unit(key)}')
  return said + (f' Mean absolute errors of those found: {", ".join(off)}.' if off else '')


def _unit(key: str) -> str:
  return 'ms' if key.endswith('_ms') else '% BW'


def _agreement_pictures(
  folder: pathlib.Path, of: dict[str, contact_comparison.ContactComparison]
) -> list[html_page.Picture]:
  """A Bland-Altman plot of each of `_AGREEMENT`."""
  found = []
  for key in _AGREEMENT:
    measure, factor = contact_comparison.ERRORS[key]
    label, unit = gait_measures.MEASURES[measure].label, _unit(key)
    pairs = {s: factor * c.pairs(measure) for s, c in of.items()}
    agreement = bland_altman.agreement(np.concatenate(list(pairs.values())))
    bias, low, high = (text_table.format_value(v, '+.1f') for v in agreement[1:])
    numbers = f'bias {bias} {unit}, 95 % limits of agreement {low} to {high} {unit}'
    found.append(
      html_page.Picture(
        agreement_figures.draw_bland_altman(
          folder / f'bland_altman_{measure}.png', pairs, agreement, label, unit
        ),
        f'Bland-Altman plot of the {label.lower()} of {agreement.n} foot contacts: {numbers}.',
        f'{label}: estimate - true against the mean of both, {agreement.n} contacts; {numbers}.',
      )
    )
  return found


def _trial_pictures(
  folder: pathlib.Path, predictions: pathlib.Path, trials: list[held_out_trials.HeldOutTrial]
) -> list[html_page.Picture]:
  """The worst trials, then the best, the best last; each leads to its own page."""
  errors = [(t.mae_pct_bw, k) for k, t in enumerate(trials) if t.mae_pct_bw is not None]
  count = len(errors)
  ranked = [(place, *error) for place, error in enumerate(sorted(errors, reverse=True))]
  if count > 2 * len(_RANKS):
    ranked = ranked[: len(_RANKS)] + ranked[-len(_RANKS) :]
  found = []
  for slot, (place, error, k) in enumerate(ranked, 1):
    trial = trials[k]
    at = trial.frame
    bad = 2 * place < count
    rank = f'{_RANKS[place]}worst' if bad else f'{_RANKS[count - 1 - place]}best'
    there = predictions / f'{trial.name}.html'
    link = urllib.parse.quote(f'../{predictions.name}/{there.name}') if there.exists() else ''
    found.append(
      html_page.Picture(
        agreement_figures.draw_trial(
          folder / f'trial_{slot}.png',
          video_file.frame(video_file.probe(trial.video), at),
          at,
          trial,
        ),
        f'A frame of trial {trial.name} in mid-walk, above the vertical force of both legs over '
        f'time, estimated and true: {error:.1f} % BW off on average.',
        f'{trial.name} of {trial.subject}: {error:.1f} % BW, the {rank} of {count}',
        link,
      )
    )
  return found
