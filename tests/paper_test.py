"""The paper's table: rows change what they say, figures are what they say, and runs resume."""

import dataclasses
import json

import making
import numpy as np
import pytest
import tensorflow_datasets as tfds

import folds
import paper
from grfjax.data import clip_config, voxel_dataset
from grfjax.evaluation import cross_fitting, held_out_estimates
from grfjax.inference import trained_run
from grfjax.models import networks


def _flat(values, path=''):
  return {
    key: leaf
    for name, value in values.items()
    for key, leaf in (
      _flat(value, f'{path}{name}.').items() if isinstance(value, dict) else [(path + name, value)]
    )
  }


@pytest.mark.parametrize('row', paper.ROWS.values(), ids=paper.ROWS)
@pytest.mark.parametrize('argument', ['pretrain', ''])
def test_a_row_changes_what_it_says_and_can_be_built(row, argument):
  config = paper.load_config(row, argument)
  base = _flat(folds.load_config(f'mochizuki3d:{argument}', {}).to_dict())
  here = _flat(config.to_dict())
  differs = {key for key in base.keys() | here.keys() if base.get(key) != here.get(key)}
  expected = {*row.changes, *(['dataset'] if row.data != 'mochizuki' else [])}
  assert {
    key for key in differs if not any(f'{key}.'.startswith(f'{c}.') for c in expected)
  } == set()
  assert all(any(f'{key}.'.startswith(f'{c}.') for key in differs) for c in expected)
  assert clip_config.clip_config(config.dataset).hop == 0
  network, target = networks.network(config)
  assert network.legs == 1
  assert target.axes == 1


def test_every_row_but_the_base_is_another_one():
  settings = [(repr(row.changes), row.data, row.people) for row in paper.ROWS.values()]
  assert len(set(settings)) == len(settings) == len(paper.ROWS)
  assert len(paper.ROWS) == sum(len(rows) for rows in paper.QUESTIONS.values())


def test_the_quick_rows_are_some_of_all():
  quick, full = (paper.chosen_rows([], size) for size in ('quick', 'full'))
  assert [row for row in full if row in quick] == quick
  assert 0 < len(quick) < len(full) == len(paper.ROWS)
  quick_size = paper.SIZES['quick']
  assert {paper.people_of(row, quick_size) for row in quick} == {16, quick_size.people}


@pytest.mark.parametrize(
  ('choose', 'words'),
  [
    (lambda: paper.chosen_rows(['base', '3d'], 'full'), 'there is no row 3d; there are base, '),
    (lambda: paper.chosen_seeds(['0', 'x']), "--seeds is '0,x', expected whole numbers"),
    (lambda: paper.chosen_seeds([]), "--seeds is '', expected whole numbers"),
  ],
)
def test_wrong_rows_and_seeds_are_refused(choose, words):
  with pytest.raises(paper.PaperError, match=words):
    choose()


def _estimates(estimate, force, contact=True, trial='A_1'):
  estimate, force = np.array(estimate, float), np.array(force, float)
  n = len(force)
  return held_out_estimates.HeldOutEstimates(
    trial=np.full(n, trial),
    frame=np.arange(n),
    time_s=np.arange(n) / 60,
    estimate=estimate[:, None, None],
    interval=np.zeros((n, 1, 1, 0)),
    force=np.stack([force, 9 + force, 9 + force], -1)[:, None],
    known=np.ones((n, 1), bool),
    contact=np.broadcast_to(np.reshape(contact, (-1, 1)), (n, 1)),
  )


def test_errors_are_means_over_subjects_and_split_at_the_papers_limit():
  first = _estimates([0.6, 0.9, 1.1], [0.5, 0.7, 1.1])  # errors 10, 20 and 0 % BW
  second = _estimates([1.0, 1.0, 1.0], [0.71, 1.0, 5.0], [True, True, False])  # a constant
  measured = paper.measure([first, second])
  r = np.corrcoef([0.6, 0.9, 1.1], [0.5, 0.7, 1.1])[0, 1]
  assert measured == pytest.approx(
    {'mae': (10 + 14.5) / 2, 'r': r / 2, 'low': 15.0, 'high': (0 + 29 + 0) / 3}
  )


def test_errors_without_low_forces_are_none_and_without_stance_refused():
  assert paper.measure([_estimates([0.9, 1.0], [0.8, 1.0])])['low'] is None
  with pytest.raises(paper.PaperError, match='B_7: its walker has no frame'):
    paper.measure([_estimates([0.9], [0.8]), _estimates([0.9], [0.8], False, 'B_7')])


def _figures(people, mae, r, **more):
  five = {'mae': mae, 'r': r, 'low': None, 'high': 7.0}
  return {'people': people, 'steps': 2000, 'batch': 128, 'minutes': 1.0, 'five': five, **more}


def _finish(workdir, row, seed, figures):
  path = paper.figures_file(workdir / row / str(seed))
  path.parent.mkdir(parents=True)
  path.write_text(json.dumps(figures))


def test_the_table_collects_what_several_processes_have_finished(tmp_path):
  _finish(tmp_path, '2d', 0, _figures(1024, 11.0, 0.25))
  _finish(tmp_path, 'people0016', 0, _figures(16, 20.0, 0.1))
  _finish(tmp_path, 'people0016', 1, _figures(16, 24.0, 0.3))
  (tmp_path / 'wide' / '0' / 'synthetic').mkdir(parents=True)  # at work
  written = paper.write_results(tmp_path)
  assert [path.name for path in written] == ['paper.md', 'paper.json']
  lines = (tmp_path / 'paper.md').read_text().splitlines()
  assert '| 2D, one frame | 1,024 | 2,000 × 128 | 1 | 11.0 | 0.25 | – | 7.0 |' in lines
  assert (
    '| 16 synthetic walkers | 16 | 2,000 × 128 | 2 | 22.0 ± 2.0 | 0.20 ± 0.10 | – | 7.0 ± 0.0 |'
    in lines
  )
  assert sum(line.startswith('| **') for line in lines) == 2  # questions with a row
  assert list(json.loads((tmp_path / 'paper.json').read_text())) == ['2d', 'people0016']


def test_a_table_of_nothing_is_refused(tmp_path):
  with pytest.raises(paper.PaperError, match='no row is finished'):
    paper.write_results(tmp_path)


def test_the_curve_over_people_says_where_it_meets_the_papers_figures():
  collected = {
    'people0004': {'0': _figures(4, 20.0, 0.1)},
    'people0016': {'0': _figures(16, 14.0, 0.1), '1': _figures(16, 16.0, 0.1)},
    'people0064': {'0': _figures(64, 9.0, 0.1)},
    '2d': {'0': _figures(64, 1.0, 0.1)},  # no point of the curve
  }
  assert paper.describe_curve(collected, 'five') == (
    'Five synthetic walkers: 15 % is reached with about 16 people; '
    '5 % is not reached with 64 people.'
  )
  assert paper.describe_curve(collected, 'tuned') == ''


def test_a_curve_is_crossed_between_the_points_by_the_logarithm():
  curve = [(4, 20.0), (16, 10.0), (64, 12.0)]
  assert paper.crossing(curve, 15.0) == pytest.approx(8.0)
  assert paper.crossing(curve, 25.0) == 4.0
  assert paper.crossing(curve, 9.0) is None


@pytest.fixture
def study(data_dir, tmp_path):
  """Rows of few steps on the three people of the tests' data set."""
  size = paper.Size(people=2, steps=2, batch=2, tuning_steps=1)
  return paper.Study(tmp_path / 'out', str(data_dir), str(data_dir), '', size)


@pytest.fixture(scope='module')
def others_dir(builder_module, tmp_path_factory):
  """A data set of two other people."""
  recordings = tmp_path_factory.mktemp('others')
  making.write_set(recordings, {'D': 50.5, 'E': 70.0})
  root = tmp_path_factory.mktemp('data_others')
  builder_module.Builder(data_dir=root, config='mochizuki').download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir=recordings)
  )
  return str(root)


def test_a_row_that_asks_for_too_many_people_is_skipped(study, capsys):
  paper.run_rows(study, [paper.ROWS['people0004']], [0])
  assert capsys.readouterr().out == (
    'people0004: skipped; it asks for 4 people; the data set mochizuki has 3\n'
  )
  assert not study.workdir.exists()


def test_people_are_as_many_as_there_are_and_the_rest_is_watched(study):
  assert study.people(paper.ROWS['base']) == 2
  assert study.watched(paper.ROWS['base']) == 'C'
  assert study.watched(paper.ROWS['even']) == ''
  all_of_them = dataclasses.replace(study, size=paper.SIZES['full'])
  assert all_of_them.people(paper.ROWS['base']) == 3
  assert all_of_them.watched(paper.ROWS['base']) == ''


def test_people_of_the_training_are_not_tried_on(study):
  with pytest.raises(paper.PaperError, match='A is in the training data') as caught:
    paper.run_rows(study, [paper.ROWS['base']], [0])
  assert caught.value.code == 'run.leak'


def test_a_missing_data_set_is_named_with_its_command_before_anything_is_trained(study, others_dir):
  study = dataclasses.replace(study, five_dir=others_dir)
  with pytest.raises(voxel_dataset.DataError, match=r'grfjax build .*--config=mochizuki_96px'):
    paper.run_rows(study, [paper.ROWS['2d'], paper.ROWS['2d_96px']], [0])
  assert not study.workdir.exists()


@pytest.mark.slow
def test_a_row_is_trained_tried_and_tuned_once(study, others_dir, monkeypatch, capsys):
  small = {'model.channels': 2, 'model.dense': 8}
  row = dataclasses.replace(paper.ROWS['2d'], changes={**paper.ROWS['2d'].changes, **small})
  study = dataclasses.replace(study, five_dir=others_dir)
  figures = study.run_row(row, 0)
  assert not {'tuned', 'held_out'} & figures.keys()
  folder = study.folder(row, 0)
  run = trained_run.load(folder / 'synthetic')
  assert (run.step, run.config.people, run.config.batch) == (2, 2, 2)
  known = json.loads(run.folder.subjects.read_text())
  assert [name for name, _ in known['trained']] == ['A', 'B']
  of_five = held_out_estimates.read_estimates(paper.estimates_file(folder, 'five'))
  assert {trial[0] for trial in of_five.trial} == {'D', 'E'}

  # What was trained is not trained again when there is more to try it on.
  study = dataclasses.replace(study, held_out_dir=others_dir)
  trained = []
  train_run = cross_fitting.train_run
  monkeypatch.setattr(
    cross_fitting, 'train_run', lambda config, run: trained.append(run) or train_run(config, run)
  )
  more = study.run_row(row, 0)
  assert trained == [folder / 'tuned' / subject for subject in 'DE']
  assert more['five'] == figures['five'] == more['held_out']
  assert more['minutes'] > figures['minutes']
  for subject, other in ('D', 'E'), ('E', 'D'):
    fold = trained_run.load(folder / 'tuned' / subject)
    assert (fold.config.holdout, fold.step) == (subject, 1)
    assert fold.config.model_init == str(folder / 'synthetic')
    known = json.loads(fold.folder.subjects.read_text())
    assert [name for name, _ in known['trained']] == [other, 'A', 'B']

  # Nor are walkers held out where that is not asked for.
  assert 'tuned' not in dataclasses.replace(study, tune=False).run_row(row, 1)

  # And nothing is done again once all is finished.
  monkeypatch.setattr(cross_fitting, 'train_run', None)
  monkeypatch.setattr(trained_run, 'load', None)
  paper.run_rows(study, [row], [0])
  assert capsys.readouterr().out.startswith('2d, seed 0: five synthetic walkers ')
  longer = dataclasses.replace(study, size=dataclasses.replace(study.size, steps=3))
  with pytest.raises(paper.PaperError, match='steps was 2, is 3 now'):
    longer.run_row(row, 0)
  longer = dataclasses.replace(study, size=dataclasses.replace(study.size, tuning_steps=9))
  with pytest.raises(paper.PaperError, match='tuning_steps was 1, is 9 now'):
    longer.run_row(row, 0)


def test_figures_are_drawn_of_what_is_there(tmp_path):
  _finish(tmp_path, 'base', 0, _figures(64, 11.0, 0.25))
  folder = tmp_path / 'base' / '0'
  held_out_estimates.write_estimates(
    paper.estimates_file(folder, 'five'), _estimates([0.9, 1.0], [0.8, 1.0])
  )
  assert [p.name for p in paper.write_results(tmp_path)[2:]] == ['paper_fig1.png']
  log = folder / 'synthetic' / 'metrics.jsonl'
  log.parent.mkdir()
  entry = {'step': 5, 'loss': 4.0, 'mae_pct_bw': 20.0, 'inner_mae_pct_bw': 22.0}
  log.write_text(json.dumps(entry) + '\n')
  written = paper.write_results(tmp_path)[2:]
  assert [p.name for p in written] == ['paper_fig1.png', 'paper_fig2.png']
  assert all(p.stat().st_size > 1000 for p in written)
