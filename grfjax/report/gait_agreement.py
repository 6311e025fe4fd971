"""Gait measures of held-out trials against force plates: table, plots, worst and best trials."""

from __future__ import annotations

import functools
import itertools
import pathlib
from typing import Any

import numpy as np

from grfjax import conventions
from grfjax.evaluation import held_out_trials
from grfjax.gait import bland_altman, contact_comparison, contact_thresholds, gait_measures
from grfjax.io import video_file
from grfjax.report import agreement_figures, contact_text, fold_results, page_parts, text_table

Contacts = dict[str, contact_comparison.ContactComparison]  # held-out subject -> its contacts
_RANKS = ('', 'second ', 'third ')  # of the trials shown at either end
_STEP = 'step_length_cm'  # of `contact_comparison.ERRORS`, as the others
_PLOTTED = ('first_peak_pct_bw', 'second_peak_pct_bw', 'stance_ms', _STEP)

_RULE = (
  f'One rule, fixed beforehand: in the estimate a foot is in contact while its vertical force is '
  f'above {contact_thresholds.CONTACT_BW:g} BW around a time at which it is above '
  f'{contact_thresholds.LOADED_BW:g} BW; on the plates, while they feel over '
  f'{conventions.CONTACT_N:g} N. '
  'Contacts of a leg are the same if they begin within '
  f'{contact_comparison.MATCH_S:g} s of each other.'
)

_POOLED = (
  'The limits of agreement are of all contacts together, though those of one person are alike: of '
  'few people they say little about the next.'
)

_EARLY = (
  'The network learns forces averaged over 1/60 s around each frame, whose rise begins up to half '
  'of that early: of the bias of initial contact some -8 ms are due to that, and are not corrected.'
)

_STEP_LENGTHS = (
  'Step lengths are compared where both feet stand on plates whose centre of pressure is known: '
  'between the middles of its ways, forward.'
)

_TRIALS = (
  'By the mean absolute error of the vertical force over the frames of the trial in which a plate '
  'carries the foot. Left leg blue and solid, right leg orange and dashed; gray: what the plates '
  'measured; the dotted line: the moment of the picture. The pictures show the people filmed: mind '
  'that before this page is passed on.'
)


def compare_contacts(trials: held_out_trials.HeldOutTrials, folds: fold_results.Folds) -> Contacts:
  """Returns estimated against true contacts of each subject whose network knows both legs.

  A network that knows the near leg, in stance only, cannot tell when a foot meets the floor.
  """
  return {
    subject: contacts
    for subject, contacts in trials.comparisons().items()
    if fold_results.knows_both_legs(folds[subject])
  }


def agreement_table(contacts: Contacts) -> text_table.Table:
  """Returns the errors of each subject's contacts, and of all contacts together."""
  pooled = _pool(contacts).result()
  keys = [key for key in contact_comparison.ERRORS if key != _STEP or _knows_steps(pooled)]
  rows = []
  for name, result in [*((s, c.result()) for s, c in contacts.items()), ('all', pooled)]:
    initial_contact, *others = [result[key] for key in keys]
    rows.append(
      (
        name, result['true'], result['missed_pct'], result['invented_pct'],
        initial_contact['mae'], initial_contact['bias'], *(error['mae'] for error in others),
      )
    )  # fmt: skip
  # A contact without a valley has no peaks either.
  first_peak = pooled['first_peak_pct_bw']
  count = 5 + len(keys)  # of columns
  return text_table.Table(
    'gait_errors',
    'Gait measures',
    'Held-out foot contacts against those of the plates: missed and invented in % of the true '
    'ones, and mean absolute errors (MAE) of those found.',
    ('held out', 'true contacts', 'missed %', 'invented %', 'initial contact MAE ms', 'bias ms',
     'toe-off MAE ms', 'stance time MAE ms', 'first peak MAE % BW', 'valley MAE % BW',
     'second peak MAE % BW', 'step length MAE cm')[:count],
    ('', 'd', '.1f', '.1f', '.1f', '+.1f', '.1f', '.1f', '.1f', '.1f', '.1f', '.1f')[:count],
    tuple(rows),
    (
      _RULE,
      _EARLY,
      f'Peaks and valley are those of {first_peak["n"]} contacts; in {first_peak["undefined"]} '
      'others the plates show two peaks and the estimate does not.',
      f'{pooled["unjudged"]} estimated contacts lie where nobody measured, and are not judged.',
      *([_STEP_LENGTHS] if _knows_steps(pooled) else []),
    ),
  )  # fmt: skip


def _knows_steps(result: dict[str, Any]) -> bool:
  """Tells whether the plates know any step length of the contacts found."""
  return bool(result[_STEP]['n'] or result[_STEP]['undefined'])


def reason_for_no_table(trials: held_out_trials.HeldOutTrials, folds: fold_results.Folds) -> str:
  """Returns a sentence on why there are no errors of gait measures; '' where there are some."""
  if compare_contacts(trials, folds):
    return ''
  reason = (
    'the network knows one leg, in stance only, and cannot tell when a foot meets the floor'
    if trials.trials
    else 'force plates tell the truth of no trial'
  )
  return f'No errors of gait measures: {reason}.'


def describe_left_out(trials: held_out_trials.HeldOutTrials) -> list[str]:
  """Returns a sentence for each reason why trials could not be evaluated."""
  reasons = sorted((reason, name) for name, reason in trials.skipped.items())
  sentences = []
  for reason, group in itertools.groupby(reasons, key=lambda pair: pair[0]):
    names = [name for _, name in group]
    which = f'trial {names[0]}' if len(names) == 1 else f'{len(names)} trials, {names[0]} first'
    sentences.append(f'Not judged ({which}): {reason}.')
  return sentences


def sections(
  folder: pathlib.Path,
  predictions: pathlib.Path,
  trials: held_out_trials.HeldOutTrials,
  folds: fold_results.Folds,
) -> list[page_parts.Section]:
  """Draws the pictures of the held-out trials and returns the page's sections about them.

  Args:
    folder: of the page, for its pictures.
    predictions: folder of the trials' own pages, beside it.
    trials: the held-out trials.
    folds: held-out subject -> its evaluation.
  """
  contacts = compare_contacts(trials, folds)
  if contacts:
    paragraphs = [_describe_errors(_pool(contacts)), _RULE, _POOLED]
    plots = _draw_agreement(folder, contacts)
  else:
    paragraphs, plots = [reason_for_no_table(trials, folds)], None
  parts = [page_parts.Section('Gait measures', [*paragraphs, *describe_left_out(trials)], plots)]
  if trials.trials:
    pictures = _draw_trials(folder, predictions, trials.trials)
    parts.append(page_parts.Section('Worst and best trials', [_TRIALS], pictures))
  return parts


def _pool(contacts: Contacts) -> contact_comparison.ContactComparison:
  """Returns the contacts of all subjects together."""
  comparison = contact_comparison.ContactComparison
  return functools.reduce(comparison.merge, contacts.values(), comparison())


def _describe_errors(contacts: contact_comparison.ContactComparison) -> str:
  result = contacts.result()
  if not result['true']:
    return 'The plates saw no foot contact while the videos ran.'
  counts = (
    f'Of {result["true"]} foot contacts on the plates {result["missed"]} were missed '
    f'({result["missed_pct"]:.1f} %), and {result["invented"]} were invented '
    f'({result["invented_pct"]:.1f} %).'
  )
  errors = contact_text.list_errors(result)
  return counts + (f' Mean absolute errors of those found: {errors}.' if errors else '')


def _draw_agreement(folder: pathlib.Path, contacts: Contacts) -> list[page_parts.Picture]:
  """Draws a Bland-Altman plot of each of `_PLOTTED`."""
  pictures = []
  for key in _PLOTTED:
    if key == _STEP and not _knows_steps(_pool(contacts).result()):
      continue
    measure, factor = contact_comparison.ERRORS[key]
    label, unit = gait_measures.MEASURES[measure].label, contact_text.error_unit(key)
    pairs = {subject: factor * c.pairs(measure) for subject, c in contacts.items()}
    agreement = bland_altman.agreement(np.concatenate(list(pairs.values())))
    bias, low, high = (text_table.format_value(v, '+.1f') for v in agreement[1:])
    numbers = f'bias {bias} {unit}, 95 % limits of agreement {low} to {high} {unit}'
    pictures.append(
      page_parts.Picture(
        agreement_figures.draw_bland_altman(
          folder / f'bland_altman_{measure}.png', pairs, agreement, label, unit
        ),
        f'Bland-Altman plot of the {label.lower()} of {agreement.n} foot contacts: {numbers}.',
        f'{label}: estimate - true against the mean of both, {agreement.n} contacts; {numbers}.',
      )
    )
  return pictures


def _draw_trials(
  folder: pathlib.Path, predictions: pathlib.Path, trials: list[held_out_trials.HeldOutTrial]
) -> list[page_parts.Picture]:
  """Draws the worst trials, then the best, the best last; each leads to its own page."""
  pictures = []
  for number, (trial, error, rank) in enumerate(_rank_trials(trials), 1):
    page = predictions / f'{trial.name}.html'
    link = page_parts.page_link('..', predictions.name, page.name) if page.exists() else ''
    picture = video_file.frame(video_file.probe(trial.video), trial.middle_frame)
    pictures.append(
      page_parts.Picture(
        agreement_figures.draw_trial(
          folder / f'trial_{number}.png', picture, trial.middle_frame, trial
        ),
        f'A frame of trial {trial.name} in mid-walk, above the vertical force of both legs over '
        f'time, estimated and true: {error:.1f} % BW off on average.',
        f'{trial.name} of {trial.subject}: {error:.1f} % BW, the {rank}',
        link,
      )
    )
  return pictures


def _rank_trials(
  trials: list[held_out_trials.HeldOutTrial],
) -> list[tuple[held_out_trials.HeldOutTrial, float, str]]:
  """Returns the worst and the best trials from worst to best: trial, error in % BW, rank."""
  errors = [(t.mae_pct_bw, k) for k, t in enumerate(trials) if t.mae_pct_bw is not None]
  count = len(errors)
  ranked = list(enumerate(sorted(errors, reverse=True)))
  if count > 2 * len(_RANKS):
    ranked = ranked[: len(_RANKS)] + ranked[-len(_RANKS) :]
  result = []
  for place, (error, k) in ranked:
    rank = f'{_RANKS[place]}worst' if 2 * place < count else f'{_RANKS[count - 1 - place]}best'
    result.append((trials[k], error, f'{rank} of {count}'))
  return result
