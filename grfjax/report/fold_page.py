"""The HTML page of a leave-one-subject-out round, or of one of its runs."""

from __future__ import annotations

from grfjax.report import fold_results, html_templates, page_parts, text_table


def fold_page(
  folds: fold_results.Folds,
  tables: list[text_table.Table],
  pictures: list[page_parts.Picture],
  sections: list[page_parts.Section],
) -> str:
  """Returns the page as HTML.

  Args:
    folds: held-out subject -> its evaluation.
    tables: all tables.
    pictures: of figures that are drawn already.
    sections: between pictures and tables.
  """
  evaluations = list(folds.values())
  models = dict.fromkeys(fold_results.describe_network(e, 'step') for e in evaluations)
  return html_templates.render_page(
    'folds.html.j2',
    title='Ground reaction forces from walking videos: held-out results',
    headline=_headline(folds),
    near_leg_only=not any(map(fold_results.knows_both_legs, evaluations)),
    models='; '.join(models),
    datasets=', '.join(fold_results.dataset_names(folds)),
    subjects=list(folds),
    training_followed=_describe_training_followed(folds),
    comparisons=[
      *(_compare_with_baseline(folds, name) for name in fold_results.BASELINES),
      fold_results.BASELINES_NOTE,
      fold_results.PAPER,
    ],
    pictures=pictures,
    sections=sections,
    tables=tables,
    not_medical=page_parts.NOT_MEDICAL,
  )


def _headline(folds: fold_results.Folds) -> list[tuple[str, str]]:
  """Returns the large numbers at the top: (number, what it is)."""
  errors = fold_results.subject_errors(folds)
  average = text_table.format_value(fold_results.mean(errors), '.1f')
  defined = [error for error in errors if error is not None]
  best, worst = (text_table.format_value(end(defined, default=None), '.1f') for end in (min, max))
  correlation = fold_results.mean(fold_results.subject_correlations(folds))
  return [
    (f'{average} % BW', 'mean absolute error of people the network never saw'),
    (f'{best} to {worst}', 'from the best subject to the worst'),
    (text_table.format_value(correlation, '.2f'), 'correlation r, average'),
    (str(len(folds)), 'subjects, each held out once' if len(folds) > 1 else 'subject, held out'),
  ]


def _describe_training_followed(folds: fold_results.Folds) -> str:
  """Returns in a sentence what share of a fold's own training is in its network."""
  shares = {
    subject: evaluation.blend.taken if evaluation.blend else 1.0
    for subject, evaluation in folds.items()
  }
  (first, *others) = dict.fromkeys(shares.values())
  if others:
    listed = ', '.join(f'{share:.0%} without {subject}' for subject, share in shares.items())
    return f"How much of a fold's own training is in its network: {listed}."
  every = 'every network' if len(folds) > 1 else 'the network'
  if first == 0:
    return (
      f'Nothing of its own training is in {every}: what is judged here is the network that '
      'training began with, which erred less on training subjects left out.'
    )
  return f'{first:.0%} of its own training is in {every}.'


def _compare_with_baseline(folds: fold_results.Folds, name: str) -> str:
  """Returns a sentence about the network against a baseline."""
  label = fold_results.BASELINES[name]
  baselines = (fold_results.baseline_error(evaluation, name) for evaluation in folds.values())
  pairs = [
    (network, baseline)
    for network, baseline in zip(fold_results.subject_errors(folds), baselines, strict=True)
    if network is not None and baseline is not None
  ]
  if not pairs:
    return f'The baseline "{label}" could not be judged: no stance was seen whole.'
  network_errors, baseline_errors = zip(*pairs, strict=True)
  better = sum(network < baseline for network, baseline in pairs)
  return (
    f'Against the baseline "{label}" ({fold_results.mean(baseline_errors):.1f} % BW on average) '
    f'the network ({fold_results.mean(network_errors):.1f} % BW on the same subjects) was better '
    f'in {better} of {len(pairs)} subjects.'
  )
