"""The HTML page of a leave-one-subject-out round."""

from __future__ import annotations

from grfjax.report import fold_tables, html_page, text_table


def fold_page(
  folds: fold_tables.Folds,
  every: list[text_table.Table],
  pictures: list[html_page.Picture],
  more: list[str],
) -> str:
  """The page.

  Args:
    folds: held-out subject -> its eval.json.
    every: the tables.
    pictures: already drawn.
    more: sections between pictures and tables, HTML.
  """
  results = [fold_tables.fold_result(folds, s) for s in folds]
  values = list(folds.values())
  errors = [r['mae_pct_bw'] for r in results]
  average = text_table.format_value(fold_tables.mean(errors), '.1f')
  names = ', '.join(folds)
  datasets = ', '.join(sorted({v['dataset'] for v in values}))
  models = '; '.join(
    dict.fromkeys(
      f'{fold_tables.model_text(v)}, {v["parameters"]} parameters, step {v["step"]}' for v in values
    )
  )
  numbers = [
    (f'{average} % BW', 'mean absolute error of people the network never saw'),
    (
      f'{text_table.format_value(min(errors), ".1f")} to '
      f'{text_table.format_value(max(errors), ".1f")}',
      'from the best subject to the worst',
    ),
    (
      text_table.format_value(fold_tables.mean([r['r'] for r in results]), '.2f'),
      'correlation r, average',
    ),
    (str(len(folds)), 'subjects, each held out once' if len(folds) > 1 else 'subject, held out'),
  ]  # fmt: skip
  stance_only = (
    ' The network knows the near leg, and that one in stance only: it cannot tell when the foot is '
    'in the air.' if {v['legs'] for v in values} == {1} else ''
  )  # fmt: skip
  what = [
    'A network looked at ordinary videos of people walking past a camera and estimated the force '
    'between foot and ground at every frame, in body weights (BW). Force plates gave the truth.'
    + stance_only,
    f'Model: {models}. Data set: {datasets} as built from the recording set the reader gave; this '
    'page cannot know whether those recordings are of real people or rendered.',
    f'Test: leave one subject out. {len(folds)} {"subjects" if len(folds) > 1 else "subject"} '
    f'({names}); for each, a network was trained on the others alone, and its errors here are on '
    'the one left out.',
  ]
  return html_page.document(
    'Ground reaction forces from walking videos: held-out results',
    [
      html_page.headline(numbers),
      html_page.section('What this is', what),
      html_page.section(
        'Is it better than guessing?',
        [*_against(folds), fold_tables.BASELINES_NOTE, fold_tables.PAPER]
      ),
      *(p.html() for p in pictures),
      *more,
      html_page.section('Tables', []),
      *(html_page.table_html(t) for t in every),
      html_page.section('How to read it, and what not to do with it', [
        'MAE: mean absolute error; RMSE: root mean square error; bias: mean of estimate minus '
        'true; r: Pearson correlation; % BW: percent of body weight (g = 9.80665 m/s2). A dash: '
        'undefined.',
        'The errors hold for people, cameras and rooms like those of the recording set. They say '
        'nothing about other views, about running, or about gait disorders that are not in it.',
        'This is research software, not a medical device: do not diagnose or treat anyone by it.',
      ]),
    ],
  )  # fmt: skip


def _against(folds: fold_tables.Folds) -> list[str]:
  """A sentence for each baseline."""
  said = []
  for key, name in fold_tables.BASELINES.items():
    pairs = [
      (fold_tables.fold_result(folds, s)['mae_pct_bw'], fold_tables.baseline_mae(v, key))
      for s, v in folds.items()
      if fold_tables.baseline_mae(v, key) is not None
    ]
    if not pairs:
      said.append(f'The baseline "{name}" could not be judged: no stance was seen whole.')
      continue
    better = sum(a < b for a, b in pairs)
    said.append(
      f'Against the baseline "{name}" ({fold_tables.mean(b for _, b in pairs):.1f} % BW on '
      'average) the '
      f'network ({fold_tables.mean(a for a, _ in pairs):.1f} % BW on the same subjects) '
      'was better in '
      f'{better} of {len(pairs)} subjects.'
    )
  return said
