"""What a prediction leaves behind: all files or none, and no other's."""

import json
import re

import numpy as np
import pytest
import report_making

from grfjax import errors
from grfjax.gait import gait_measures
from grfjax.report import prediction_files, style


def files_of(name):
  return {f'{name}{s}' for s in ('.csv', '_grf.mot', '.json', '.png', '.html')}


def test_json_holds_what_a_program_needs(tmp_path):
  force = report_making.walk()
  force[:12] = np.nan
  prediction_files.write_prediction(
    tmp_path,
    report_making.make_prediction(report_making.make_curves(force, camera='right', band=0.1)),
  )
  told = json.loads((tmp_path / 'walk.json').read_text())
  assert told['video'] == 'walk.mp4'
  assert told['camera'] == 'right'
  assert told['body_mass_kg'] == 60
  assert told['run'] == report_making.RUN
  assert told['errors'] is None
  assert re.fullmatch(r'\d+\.\d+.*', told['grfjax'])
  assert told['quality']['frames'] == len(force)
  assert told['quality']['without_estimate'] == {'left': 12, 'right': 12}
  assert told['quality']['flag_codes'] == [
    'gait.frames_without_estimate',
    'gait.no_walking_speed',
  ]
  assert len(told['contacts']) == 6
  assert told['summary']['cadence_steps_per_min']['mean'] == pytest.approx(120, abs=1)
  assert set(told['definitions']) >= set(gait_measures.MEASURES)


def test_a_second_run_replaces_only_its_own(tmp_path):
  (tmp_path / 'walk_overlay.txt').write_text('mine')
  first = report_making.make_curves(report_making.walk())
  prediction_files.write_prediction(tmp_path, report_making.make_prediction(first, 'other'))
  written = prediction_files.write_prediction(tmp_path, report_making.make_prediction(first))
  assert {p.name for p in written} == files_of('walk')
  assert written[-1].name == 'walk.html'
  before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
  assert set(before) == files_of('walk') | files_of('other') | {'walk_overlay.txt'}
  written = prediction_files.write_prediction(
    tmp_path,
    report_making.make_prediction(
      report_making.make_curves(report_making.walk(steps=4)), mass=None
    ),
  )
  after = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
  # Without a mass there are no newtons, and none of an earlier run stay.
  assert set(before) - set(after) == {'walk_grf.mot'}
  assert {p.name for p in written} == files_of('walk') - {'walk_grf.mot'}
  assert {n for n in after if after[n] != before[n]} == {p.name for p in written}
  assert 'no OpenSim file (_grf.mot): the body mass is not given' in after['walk.html'].decode()


def test_a_failing_figure_leaves_nothing_and_what_was_there(tmp_path, monkeypatch):
  prediction_files.write_prediction(
    tmp_path, report_making.make_prediction(report_making.make_curves(report_making.walk()))
  )
  before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

  def fail(self, path, **_):
    path.write_bytes(b'half')
    raise OSError('disk full')

  monkeypatch.setattr(style.figure.Figure, 'savefig', fail)
  for name in ('walk', 'new'):
    with pytest.raises(OSError, match='disk full'):
      prediction_files.write_prediction(
        tmp_path,
        report_making.make_prediction(report_making.make_curves(report_making.walk(steps=4)), name),
      )
  assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


@pytest.mark.parametrize('name', ['index', 'Index'])
def test_the_indexs_name_is_taken(tmp_path, name):
  with pytest.raises(errors.InputError, match=f"'{name}' is taken") as caught:
    prediction_files.write_prediction(
      tmp_path, report_making.make_prediction(report_making.make_curves(report_making.walk()), name)
    )
  assert caught.value.code == 'prediction.reserved_name'
  assert list(tmp_path.iterdir()) == []


def test_tables_alone_are_no_complete_prediction(tmp_path):
  (tmp_path / 'walk.csv').touch()
  assert not prediction_files.is_complete(tmp_path, 'walk')
  for suffix in ('.json', '.png', '.html'):
    assert not prediction_files.is_complete(tmp_path, 'walk')
    (tmp_path / f'walk{suffix}').touch()
  assert prediction_files.is_complete(tmp_path, 'walk')  # the others not every video has
