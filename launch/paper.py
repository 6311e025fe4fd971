"""Answers the questions that Mochizuki and Shibata (2023) leave open, one row of a table for each.

    python launch/paper.py --workdir=OUT --data_dir=DATA --five_dir=DATA5 [--held_out_dir=REAL]
      [--size=quick] [--rows=base,2d] [--seeds=0]

Every row of `QUESTIONS` changes what it says in `configs/mochizuki3d.py:pretrain`. Its network is
trained on synthetic walkers (DATA), then tried as it is on five others (DATA5) and on the walkers
of REAL. The rows marked `tuned` are also trained on with all walkers of REAL but one, who is then
estimated, each in turn. What is finished is skipped, what was interrupted goes on. Several
processes may work on different rows or seeds in the same OUT; each writes OUT/paper.md,
OUT/paper.json and the figures anew from all that is finished (--table_only does nothing else).
`launch/paper.sh` makes the data sets and calls this.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import pathlib
import statistics
import sys
import time
from typing import Any

import jax
import ml_collections
import numpy as np
from absl import app, flags, logging

import folds
from grfjax import errors
from grfjax.data import voxel_dataset
from grfjax.evaluation import cross_fitting, error_sums, held_out_estimates
from grfjax.inference import trained_run
from grfjax.io import atomic, run_folder, signals
from grfjax.report import learning_figures, scatter_figure
from grfjax.training import loop, metrics_log

LOW_BW = 0.70  # the paper's Fig. 1: forces below are not estimated, those above are
BASE_PEOPLE = 1024
WATCHED = 5  # people beyond those of the training, whose error is watched
BATCH = 128  # voxels that are estimated in one call


@dataclasses.dataclass(frozen=True)
class Row:
  """A row of the table.

  Attributes:
    name: names the row's folder.
    text: what it says.
    changes: what is changed in the configuration, as `folds.load_config` takes it.
    data: the builder configuration.
    people: how many of the synthetic walkers it is trained on; 0: as many as the base row.
    tuned: whether it is also trained on, each walker of the held-out data set left out in turn.
    quick: whether the row belongs to the quick table too.
  """

  name: str
  text: str
  changes: dict[str, Any] = dataclasses.field(default_factory=dict)
  data: str = 'mochizuki'
  people: int = 0
  tuned: bool = False
  quick: bool = False


_2D = {'model.name': 'mochizuki2d', 'model.scaling': 'contrast'}
_REGRESSION = {'name': 'regression', 'offset': (0.8,), 'scale': (0.3,)}
_PAPER = {
  'target': {'name': 'classes'}, 'model.scaling': 'none', 'augment': {}, 'optimizer.warmup': 0,
  'optimizer.decay': False, 'optimizer.clip_norm': 0.0,
}  # fmt: skip
QUESTIONS: dict[str, tuple[Row, ...]] = {
  '3D, 5 frames, 60 a second, 150 soft classes': (
    Row('base', 'as it is', tuned=True, quick=True),
    Row('paper', 'as in the paper: hard classes, gray as it is, not augmented', _PAPER),
  ),
  'What is the time factor worth?': (
    Row('2d', '2D, one frame', _2D, tuned=True, quick=True),
    Row('3frames', '3 frames', data='mochizuki_3frames'),
    Row('9frames', '9 frames', data='mochizuki_9frames'),
  ),
  'Which frame rate of the voxels?': tuple(
    Row(f'{rate}fps', f'{rate} frames a second', data=f'mochizuki_{rate}fps')
    for rate in (30, 20, 15)
  ),
  'Is it the bias of the data?': (
    Row('half_even', 'drawn half evenly from the intervals of force', {'rebalance': 0.5}),
    Row('even', 'drawn evenly from the intervals of force', {'rebalance': 1.0}),
  ),
  'What does augmentation do?': (Row('not_augmented', 'none', {'augment': {}}),),
  'How many people?': tuple(
    Row(f'people{count:04d}', f'{count:,} synthetic walkers', people=count, quick=count == 16)
    for count in (4, 16, 64, 256, 4096)
  ),
  'Classes or numbers?': (
    Row('classes', 'hard classes, the likeliest', {'target': {'name': 'classes'}}),
    Row('soft', 'soft labels without the error of their mean', {'target.error_weight': 0.0}),
    Row('regression', 'regression', {'target': _REGRESSION}),
    Row('softmax', 'softmax on the dense layer', {'model.dense_activation': 'softmax'}),
  ),
  'Which picture?': (
    Row('as_is', 'gray as it is', {'model.scaling': 'none'}),
    Row('contrast', "each picture's contrast made equal, as in 2D", {'model.scaling': 'contrast'}),
    Row(
      'window', 'a window that follows the walker', data='mochizuki_window', people=256, quick=True
    ),
    Row('2d_40px', '2D, 256 people', _2D, people=256),
    Row('2d_96px', '2D, 96 x 96 pixels, 256 people', _2D, data='mochizuki_96px', people=256),
  ),
  'And the network?': (
    Row('recurrent', 'a recurrent layer over the frames', {'model.name': 'mochizuki_recurrent'}),
    Row('wide', '32 channels, not 8', {'model.channels': 32}),
  ),
}  # fmt: skip
ROWS = {row.name: row for rows in QUESTIONS.values() for row in rows}


@dataclasses.dataclass(frozen=True)
class Size:
  """How much is done.

  Attributes:
    people: most synthetic walkers of the rows that ask for no number.
    steps: training steps of each row.
    batch: voxels in a step; 0: as the configuration says.
    tuning_steps: steps of each held-out walker's fold; 0: as the configuration says.
  """

  people: int
  steps: int
  batch: int
  tuning_steps: int


SIZES = {
  'full': Size(people=BASE_PEOPLE, steps=1600, batch=0, tuning_steps=0),
  'quick': Size(people=64, steps=450, batch=32, tuning_steps=20),
}


def people_of(row: Row, size: Size) -> int:
  """Returns how many synthetic walkers a row asks for.

  A row with pictures of its own, for which a data set must be built, has no more than the size.
  """
  if row.data != ROWS['base'].data:
    return min(row.people or size.people, size.people)
  return row.people or size.people


class PaperError(errors.InputError):
  """Rows that cannot be trained or compared."""


@functools.cache
def open_dataset(data_dir: str, name: str) -> voxel_dataset.Dataset:
  """Returns a data set, opened once."""
  return voxel_dataset.Dataset(data_dir, name)


def load_config(row: Row, argument: str) -> ml_collections.ConfigDict:
  """Returns `configs/mochizuki3d.py:argument` with a row's changes."""
  return folds.load_config(f'mochizuki3d:{argument}', {**row.changes, 'dataset': row.data})


def measure(estimates: list[held_out_estimates.HeldOutEstimates]) -> dict[str, float | None]:
  """Returns the errors of the vertical force over stance frames.

  Args:
    estimates: of each subject.

  Returns:
    'mae' (% BW) and 'r', means over subjects, where the r of a constant estimate counts as 0;
    'low' and 'high', the mean absolute errors (% BW) of all frames whose true force is up to
    `LOW_BW`, and above; None without such frames.

  Raises:
    PaperError: a subject has no stance frame.
  """
  results = [one.sums().result() for one in estimates]
  for one, result in zip(estimates, results, strict=True):
    if not result['n']:
      raise PaperError(
        f'{one.trial[0]}: its walker has no frame with the near foot on a plate; remove that '
        'walker from the recordings',
        code='evaluation.no_stance',
      )
  frames = pooled(estimates)
  estimate, force = frames.estimate[..., 0], frames.force[..., 0]
  low = force <= LOW_BW
  by_force = [
    error_sums.sum_errors(estimate, force, frames.contact & mask).result() for mask in (low, ~low)
  ]
  return {
    'mae': statistics.fmean(result['mae_pct_bw'] for result in results),
    'r': statistics.fmean(result['r'] or 0.0 for result in results),
    'low': by_force[0]['mae_pct_bw'],
    'high': by_force[1]['mae_pct_bw'],
  }


@dataclasses.dataclass(frozen=True)
class Study:
  """What is trained, on which data, and where its files go.

  Attributes:
    workdir: the folder of all rows.
    data_dir: data sets of many synthetic walkers.
    five_dir: data sets of others, whom every network is tried on.
    held_out_dir: data sets of measured walkers; ''.
    size: how much is done.
    tune: whether rows marked `tuned` are trained on.
  """

  workdir: pathlib.Path
  data_dir: str
  five_dir: str
  held_out_dir: str
  size: Size
  tune: bool = True

  def folder(self, row: Row, seed: int) -> pathlib.Path:
    """Returns the folder of a row and seed."""
    return self.workdir / row.name / str(seed)

  def people(self, row: Row) -> int:
    """Returns how many synthetic walkers a row is trained on."""
    base = len(open_dataset(self.data_dir, 'mochizuki').subjects)
    return people_of(row, self.size) if row.people else min(base, self.size.people)

  def watched(self, row: Row) -> str:
    """Returns the people whose error is watched, names with commas between; none where all train.

    Only the rows of the curve over people, for the figure of learning.
    """
    rest = open_dataset(self.data_dir, row.data).subjects[self.people(row) :]
    of_curve = row.name == 'base' or row in QUESTIONS['How many people?']
    return ','.join(rest[-WATCHED:]) if of_curve else ''

  def reason_to_skip(self, row: Row) -> str:
    """Returns why a row cannot be trained, '' where it can."""
    there = len(open_dataset(self.data_dir, row.data).subjects)
    people = self.people(row)
    if people > there:
      return f'asks for {people:,} people; the data set {row.data} has {there:,}'
    base = ROWS['base']
    if not row.changes and row.data == base.data and row != base and people == self.people(base):
      return f'is the row `base`, which has {people:,} people here'
    return ''

  def check_data(self, row: Row) -> None:
    """Opens a row's data sets.

    Raises:
      InputError: one is missing or broken, or walkers to be tried on are among the training's.
    """
    training = open_dataset(self.data_dir, row.data).fingerprint['source']
    digests = {str(value) for value in training.values()}
    for folder in filter(None, (self.five_dir, self.held_out_dir)):
      others = open_dataset(folder, row.data)
      known = [n for n, value in others.fingerprint['source'].items() if str(value) in digests]
      if known:
        raise PaperError(
          f'{others.folder}: {known[0]} is in the training data {self.data_dir} too; name data '
          'sets of other people',
          code='run.leak',
          file=others.folder,
        )

  def settings(self, row: Row) -> dict[str, int]:
    """Returns what must be the same for finished figures to be used again."""
    return {
      'people': self.people(row),
      'steps': self.size.steps,
      'batch': self.size.batch or load_config(row, 'pretrain').batch,
    }

  def tuning_steps(self, row: Row) -> int:
    """Returns for how many steps a row is trained on without each held-out walker."""
    return self.size.tuning_steps or load_config(row, '').steps

  def pretrain(self, row: Row, seed: int) -> run_folder.RunFolder:
    """Trains a row's network on synthetic walkers, unless that is done."""
    run = run_folder.RunFolder(self.folder(row, seed) / 'synthetic')
    done = run_folder.read_json(run.done)
    if done is None or done['step'] < self.size.steps:
      config = load_config(row, 'pretrain')
      settings = self.settings(row)
      config.update(
        data_dir=self.data_dir, seed=seed, steps=settings['steps'], batch=settings['batch'],
        people=settings['people'], inner=self.watched(row),
      )  # fmt: skip
      # Twenty points of the curve or more; the error is watched only where metrics are logged.
      config.log_every = min(config.log_every, max(1, config.steps // 20))
      config.eval_every = config.log_every * max(1, config.steps // 20 // config.log_every)
      cross_fitting.train_run(config, run)
      jax.clear_caches()
    return run

  def hold_out_each(
    self, row: Row, seed: int, start: run_folder.RunFolder
  ) -> list[held_out_estimates.HeldOutEstimates]:
    """Trains on from a network without each subject in turn; returns their estimates."""
    estimates = []
    for subject in open_dataset(self.held_out_dir, row.data).subjects:
      config = load_config(row, '')
      config.update(
        data_dir=self.held_out_dir, seed=seed, holdout=subject, model_init=str(start),
        steps=self.tuning_steps(row),
      )  # fmt: skip
      fold = self.folder(row, seed) / 'tuned' / subject
      folds.run_fold(fold, config)
      estimates.append(held_out_estimates.read_estimates(run_folder.RunFolder(fold).estimates))
      jax.clear_caches()
    return estimates

  def estimate_each(
    self, trained: trained_run.TrainedRun, data_dir: str, row: Row
  ) -> list[held_out_estimates.HeldOutEstimates]:
    """Estimates every subject of a data set."""
    dataset = open_dataset(data_dir, row.data)
    return [
      held_out_estimates.estimate_subject(
        dataset, subject, trained.model, trained.estimate, trained.params, BATCH
      )
      for subject in dataset.subjects
    ]

  def run_row(self, row: Row, seed: int) -> dict[str, Any]:
    """Trains and tries a row with one seed, unless that is done; returns its figures.

    Raises:
      InputError: data, folder or finished figures do not fit.
      loop.TrainingError: a step is not finite.
      OSError: a file cannot be read or written.
    """
    folder = self.folder(row, seed)
    path = figures_file(folder)
    figures: dict[str, Any] = run_folder.read_json(path) or self.settings(row)
    self.refuse_other_figures(row, figures, path)
    sets = {'five': self.five_dir, 'held_out': self.held_out_dir}
    missing = [name for name, data_dir in sets.items() if data_dir and name not in figures]
    if self.tune and row.tuned and self.held_out_dir and 'tuned' not in figures:
      missing.append('tuned')
    for name in missing:  # each is kept as soon as it is there
      begun = time.monotonic()
      run = self.pretrain(row, seed)
      if name == 'tuned':
        estimates = self.hold_out_each(row, seed, run)
        figures['tuning_steps'] = self.tuning_steps(row)
      else:
        estimates = self.estimate_each(trained_run.load(run), sets[name], row)
      figures[name] = measure(estimates)
      held_out_estimates.write_estimates(estimates_file(folder, name), pooled(estimates))
      figures['minutes'] = figures.get('minutes', 0.0) + (time.monotonic() - begun) / 60
      atomic.write_json(path, figures)
    return figures

  def refuse_other_figures(self, row: Row, figures: dict[str, Any], path: pathlib.Path) -> None:
    """Refuses figures of other settings than those of now.

    Args:
      row: the row.
      figures: its figures so far.
      path: their file.

    Raises:
      PaperError: they are of other settings.
    """
    settings = self.settings(row)
    if self.tune and 'tuned' in figures:
      settings['tuning_steps'] = self.tuning_steps(row)
    for key, value in settings.items():
      if figures.get(key) != value:
        raise PaperError(
          f'{path}: {key} was {figures.get(key)}, is {value} now; take another --workdir',
          code='run.other_config',
          file=path,
        )


def figures_file(folder: pathlib.Path) -> pathlib.Path:
  """Returns the file with a row's figures."""
  return folder / 'figures.json'


def estimates_file(folder: pathlib.Path, tried: str) -> pathlib.Path:
  """Returns the file with a row's estimates of all subjects, for a key of `TRIED`."""
  return folder / f'{tried}.npz'


def pooled(
  estimates: list[held_out_estimates.HeldOutEstimates],
) -> held_out_estimates.HeldOutEstimates:
  """Joins the estimates of several subjects."""
  names = (field.name for field in dataclasses.fields(held_out_estimates.HeldOutEstimates))
  return held_out_estimates.HeldOutEstimates(
    **{name: np.concatenate([getattr(one, name) for one in estimates]) for name in names}
  )


TRIED = {
  'five': 'five synthetic walkers',
  'held_out': 'held out',
  'tuned': 'held out, trained on with the others',
}
Figures = dict[str, dict[str, dict[str, Any]]]  # row's name -> seed -> figures


def collect_figures(workdir: pathlib.Path) -> Figures:
  """Reads the figures of all finished rows, of whatever process.

  Raises:
    RunError: a file is broken.
  """
  collected: Figures = {}
  for name in ROWS:
    files = sorted(workdir.glob(f'{name}/*/figures.json'))
    figures = {path.parent.name: run_folder.read_json(path) for path in files}
    if figures:
      collected[name] = figures
  return collected


def _mean(values: list[float | None], spec: str) -> str:
  """Formats the mean over seeds and half of the range; a dash where there is none."""
  known = [value for value in values if value is not None]
  if not known:
    return '–'
  spread = f' ± {np.ptp(known) / 2:{spec}}' if len(known) > 1 else ''
  return f'{statistics.fmean(known):{spec}}{spread}'


def format_table(collected: Figures) -> str:
  """Returns the table in Markdown, with the numbers of people at which the curve meets 15 and 5 %.

  Args:
    collected: from `collect_figures`.
  """
  tried = [k for k in TRIED if any(k in f for row in collected.values() for f in row.values())]
  head = ['', 'people', 'steps × voxels', 'seeds']
  for key in tried:
    head += [f'{TRIED[key]}: MAE', 'r', f'to {LOW_BW:.2f} BW', 'above']
  lines = [
    'Errors of the near leg\'s vertical force over stance frames, % BW. MAE and r are means over '
    'subjects (the r of a constant estimate counts as 0); the others are over all frames with such '
    'a true force. ± is half the range over seeds.',
    '',
    f'| {" | ".join(head)} |',
    '|---' * len(head) + '|',
  ]  # fmt: skip
  for question, rows in QUESTIONS.items():
    found = [row for row in rows if row.name in collected]
    if found:
      lines.append(f'| **{question}** |' + ' |' * (len(head) - 1))
    for row in found:
      figures = list(collected[row.name].values())
      people = sorted({f'{f["people"]:,}' for f in figures})
      steps = sorted({f'{f["steps"]:,} × {f["batch"]}' for f in figures})
      cells = [row.text, '; '.join(people), '; '.join(steps), str(len(figures))]
      for key in tried:
        for column, spec in (('mae', '.1f'), ('r', '.2f'), ('low', '.1f'), ('high', '.1f')):
          cells.append(_mean([f[key][column] for f in figures if key in f], spec))
      lines.append(f'| {" | ".join(cells)} |')
  sentences = [describe_curve(collected, key) for key in tried]
  return '\n'.join([*lines, '', *filter(None, sentences)]) + '\n'


def describe_curve(collected: Figures, tried: str) -> str:
  """Says at how many people the error falls to the paper's 15 % and its target of 5 %.

  Args:
    collected: from `collect_figures`.
    tried: a key of `TRIED`.
  """
  curve = []
  for row in (ROWS['base'], *QUESTIONS['How many people?']):
    seeds = [f for f in collected.get(row.name, {}).values() if tried in f]
    if seeds:
      curve.append((seeds[0]['people'], statistics.fmean(f[tried]['mae'] for f in seeds)))
  curve.sort()
  if len(curve) < 2:
    return ''
  parts = []
  for level in (15.0, 5.0):
    people = crossing(curve, level)
    if people is None:
      parts.append(f'{level:.0f} % is not reached with {curve[-1][0]:,} people')
    else:
      parts.append(f'{level:.0f} % is reached with about {people:,.0f} people')
  return f'{TRIED[tried].capitalize()}: {"; ".join(parts)}.'


def crossing(curve: list[tuple[int, float]], level: float) -> float | None:
  """Returns the number of people at which a curve falls to a level, None where it never does.

  Between two points the error is taken to be linear in the logarithm of the number.

  Args:
    curve: (people, error), by people.
    level: the error.
  """
  if curve[0][1] <= level:
    return float(curve[0][0])
  for (people, error), (next_people, next_error) in itertools.pairwise(curve):
    if next_error <= level:
      share = (error - level) / (error - next_error)
      return float(people * (next_people / people) ** share)
  return None


def write_results(workdir: pathlib.Path) -> list[pathlib.Path]:
  """Writes the table and the figures from all that is finished.

  Returns:
    The files.

  Raises:
    PaperError: nothing is finished.
    InputError: a file is broken.
    OSError: a file cannot be written.
  """
  collected = collect_figures(workdir)
  if not collected:
    raise PaperError(f'{workdir}: no row is finished there', code='run.missing', file=workdir)
  table, values = workdir / 'paper.md', workdir / 'paper.json'
  atomic.write_json(values, collected)
  atomic.write_text(table, format_table(collected))
  return [table, values, *draw_figures(workdir, collected)]


def draw_figures(workdir: pathlib.Path, collected: Figures) -> list[pathlib.Path]:
  """Draws what is there of the paper's Fig. 1 and Fig. 2.

  Args:
    workdir: the folder of all rows.
    collected: from `collect_figures`.

  Returns:
    paper_fig1.png, of the base row: the held-out subjects by the runs that were trained on, or else
    those that its network was tried on as it is; and paper_fig2.png, the learning of the rows that
    differ in the number of people.
  """
  written = []
  base = collected.get('base', {})
  best_first = reversed(TRIED)
  files = [estimates_file(workdir / 'base' / seed, key) for key in best_first for seed in base]
  if found := [file for file in files if file.is_file()]:
    path = workdir / 'paper_fig1.png'
    estimates = held_out_estimates.read_estimates(found[0])
    title = TRIED[found[0].stem].capitalize()
    written.append(scatter_figure.draw_true_against_estimated(path, [estimates], title))
  logs = {}
  for row in (*QUESTIONS['How many people?'], ROWS['base']):
    for seed, figures in collected.get(row.name, {}).items():
      log = metrics_log.read_log(
        run_folder.RunFolder(workdir / row.name / seed / 'synthetic').metrics
      )
      if any('inner_mae_pct_bw' in entry for entry in log):
        logs[figures['people']] = log
        break
  if logs:
    titled = {f'{people:,} people': logs[people] for people in sorted(logs)}
    written.append(learning_figures.draw_watched_learning(workdir / 'paper_fig2.png', titled))
  return written


def describe_row(row: Row, seed: int, figures: dict[str, Any]) -> str:
  """Returns a row's figures on one line."""
  parts = [
    f'{TRIED[key]} {figures[key]["mae"]:.1f} % BW, r {figures[key]["r"]:.2f}'
    for key in TRIED
    if key in figures
  ]
  return f'{row.name}, seed {seed}: {"; ".join(parts)}; {figures["minutes"]:.1f} minutes'


def run_rows(study: Study, rows: list[Row], seeds: list[int]) -> None:
  """Runs rows with every seed; says of each on one line what came out, or why it was skipped.

  Raises:
    InputError: data, a folder or finished figures do not fit.
    loop.TrainingError: a step is not finite.
    OSError: a file cannot be read or written.
  """
  runnable = []
  for row in rows:
    if reason := study.reason_to_skip(row):
      print(f'{row.name}: skipped; it {reason}', flush=True)
    else:
      study.check_data(row)
      runnable.append(row)
  for row in runnable:
    for seed in seeds:
      print(describe_row(row, seed, study.run_row(row, seed)), flush=True)
      jax.clear_caches()


def define_flags() -> None:
  """Defines the command's flags; not on import, as commands share names of flags."""
  flags.DEFINE_string('workdir', None, 'Folder of the runs and the table.', required=True)
  flags.DEFINE_string('data_dir', '', 'Data sets of many synthetic walkers.')
  flags.DEFINE_string('five_dir', '', 'Data sets of five others, to try every network on.')
  flags.DEFINE_string('held_out_dir', '', 'Data sets of measured walkers, to try networks on.')
  flags.DEFINE_list('rows', [], f'The rows; all of the size if empty. There are {", ".join(ROWS)}.')
  flags.DEFINE_list('seeds', ['0', '1'], 'Seeds of the training; errors are means over them.')
  flags.DEFINE_enum(
    'size', 'full', list(SIZES), 'quick: fewer rows, people and steps, for two cores.'
  )
  flags.DEFINE_integer('steps', 0, "Training steps of each row; 0: the size's.", lower_bound=0)
  flags.DEFINE_integer(
    'tuning_steps', 0, "Steps of each held-out walker's fold; 0: the size's.", lower_bound=0
  )
  flags.DEFINE_bool('tune', True, 'Whether to train on with the walkers of --held_out_dir.')
  flags.DEFINE_bool('table_only', False, 'Only write and print the table of what is finished.')


def chosen_rows(names: list[str], size: str) -> list[Row]:
  """Returns the rows of these names, or all of a size.

  Raises:
    PaperError: there is no such row.
  """
  if unknown := [name for name in names if name not in ROWS]:
    raise PaperError(
      f'--rows: there is no row {", ".join(unknown)}; there are {", ".join(ROWS)}',
      code='config.value',
    )
  if names:
    return [ROWS[name] for name in names]
  return [row for row in ROWS.values() if row.quick or size == 'full']


def chosen_seeds(texts: list[str]) -> list[int]:
  """Returns seeds as numbers.

  Raises:
    PaperError: one is not a whole number from 0, or there is none.
  """
  if not texts or not all(text.isdecimal() for text in texts):
    raise PaperError(
      f'--seeds is {",".join(texts)!r}, expected whole numbers such as 0,1', code='config.value'
    )
  return [int(text) for text in texts]


def main(argv: list[str]) -> None:
  """Runs the rows that the flags describe and writes the table."""
  if len(argv) > 1:
    raise app.UsageError(f'unexpected argument {argv[1]!r}')
  logging.set_verbosity(logging.WARNING)
  values = flags.FLAGS
  workdir = pathlib.Path(values.workdir)
  try:
    if not values.table_only:
      for name in ('data_dir', 'five_dir'):
        if not values[name].value:
          sys.exit(f'paper: --{name} is missing; name the data sets, or take --table_only')
      rows, seeds = chosen_rows(values.rows, values.size), chosen_seeds(values.seeds)
      size = SIZES[values.size]
      size = dataclasses.replace(
        size,
        steps=values.steps or size.steps,
        tuning_steps=values.tuning_steps or size.tuning_steps,
      )
      if 'JAX_COMPILATION_CACHE_DIR' not in os.environ:  # folds and seeds compile the same
        jax.config.update('jax_compilation_cache_dir', str((workdir / 'compiled').absolute()))
      study = Study(
        workdir, values.data_dir, values.five_dir, values.held_out_dir, size, values.tune
      )
      run_rows(study, rows, seeds)
    written = write_results(workdir)
  except (ValueError, OSError, loop.TrainingError) as error:
    sys.exit(f'paper: {errors.describe(error)}')
  if values.table_only:
    print(written[0].read_text(encoding='utf-8'))
  for path in written:
    print(f'written: {path}')


if __name__ == '__main__':
  define_flags()
  signals.run(main, 'paper')
