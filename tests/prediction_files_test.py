"""What a prediction leaves behind: all files or none, and no other's."""

import dataclasses
import json
import re

import numpy as np
import pytest
import report_making

from grfjax import errors
from grfjax.app import texts
from grfjax.gait import foot_places, gait_measures, walking_speed
from grfjax.report import prediction_files, style, walk_figure, walk_page

OPENSIM = ('_grf.mot', '_ExternalLoads.xml')
ENDINGS = ('.csv', *OPENSIM, '.json', '.png', '.html')


def files_of(name):
  return {f'{name}{s}' for s in ENDINGS}


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
    'prediction.no_centre_of_pressure',
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
  assert set(before) - set(after) == {f'walk{ending}' for ending in OPENSIM}
  assert {p.name for p in written} == files_of('walk') - {f'walk{ending}' for ending in OPENSIM}
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


@pytest.fixture
def without_pictures(monkeypatch):
  """Spares the time of figures and pages."""
  monkeypatch.setattr(walk_figure, 'draw_walk', lambda path, *_: path.touch())
  monkeypatch.setattr(walk_page, 'walk_page', lambda *_: '')


def two_walks():
  """Curves of a video with two walks."""
  force = report_making.walk()
  return report_making.make_curves(np.concatenate([force, np.full((30, 2, 3), np.nan), force]))


@pytest.mark.usefixtures('without_pictures')
def test_every_walk_has_opensim_files_and_none_of_an_earlier_prediction_stay(tmp_path):
  (tmp_path / 'walk_walk2_notes.xml').write_text('mine')
  written = prediction_files.write_prediction(tmp_path, report_making.make_prediction(two_walks()))
  later = {f'walk_walk2{ending}' for ending in OPENSIM}
  assert {p.name for p in written} == files_of('walk') | later
  one = report_making.make_prediction(report_making.make_curves(report_making.walk()))
  written = prediction_files.write_prediction(tmp_path, one)
  assert {p.name for p in written} == files_of('walk')
  assert {p.name for p in tmp_path.iterdir()} == files_of('walk') | {'walk_walk2_notes.xml'}


@pytest.mark.usefixtures('without_pictures')
def test_a_later_walk_is_not_taken_for_another_video(tmp_path):
  one, two = report_making.make_curves(report_making.walk()), two_walks()

  def write(curves, name, folder):
    prediction_files.write_prediction(folder, report_making.make_prediction(curves, name))

  write(one, 'walk_walk2', tmp_path / 'other first')
  write(two, 'walk', tmp_path / 'walks first')
  write(one, 'walk_walk3', tmp_path / 'walks first')  # which has no third walk
  for curves, name, folder in ((two, 'walk', 'other first'), (one, 'walk_walk2', 'walks first')):
    before = {p: p.read_bytes() for p in (tmp_path / folder).iterdir()}
    with pytest.raises(errors.InputError, match=r'rename a video') as caught:
      write(curves, name, tmp_path / folder)
    assert caught.value.code == 'prediction.reserved_name'
    assert {p: p.read_bytes() for p in (tmp_path / folder).iterdir()} == before
  write(one, 'walk', tmp_path / 'other first')  # leaves the other video's files
  assert (tmp_path / 'other first/walk_walk2_grf.mot').exists()


def test_the_files_for_opensim_have_metres_where_they_are_known():
  curves = report_making.make_curves(report_making.walk())
  feet = foot_places.FootPlaces(*(np.full((len(curves.time_s), 2, 2), 0.5) for _ in range(3)))
  seen = dataclasses.replace(curves, feet=feet)
  astray = dataclasses.replace(curves, feet=foot_places.unknown(len(curves.time_s)))
  for estimate, height_m, reason in (
    (curves, 1.8, 'the network does not tell it'),
    (seen, None, 'the body height is not given'),
    (astray, 1.8, 'no foot was found on the floor'),
    (seen, 1.8, None),
  ):
    given = walking_speed.Given(height_m)
    prediction = dataclasses.replace(report_making.make_prediction(estimate), given=given)
    quality = prediction.content['quality']
    flags = dict(zip(quality['flag_codes'], quality['flags'], strict=True))
    text = flags.get('prediction.no_centre_of_pressure')
    assert text is None if reason is None else text.endswith(f'{reason}.')
    if text:
      code = 'prediction.no_centre_of_pressure'
      assert not texts.flag(code, text, str, 'de')['detail']
    first = prediction.mots[0].splitlines()[7].split('\t')
    assert first[4:7] == (['0.00000'] * 3 if reason else ['0.90000', '0.00000', '-0.90000'])
