"""The Python interface: the same as the command, explained where nothing is given, and quick."""

import csv
import dataclasses
import doctest
import importlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import types

import jax
import nbclient
import nbformat
import numpy as np
import pandas
import pytest
import report_making

import grfjax
from grfjax import walk as walk_lib
from grfjax.gait import force_curves, walking_speed
from grfjax.inference import trained_run
from grfjax.io import video_file
from grfjax.report import predicting, prediction_files, style
from grfjax.synth import recording_set, trial

NOTEBOOK = pathlib.Path(__file__).parents[1] / 'docs/first_walk.ipynb'
PAGE = NOTEBOOK.with_name('python_api.md')
# As the notebook makes it, which then finds it made.
SETTINGS = trial.Settings(subjects=1, trials=1, plates=4, width=320, height=180)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  """With first_walk/, a synthetic recording set, and walk.mp4, its video."""
  root = tmp_path_factory.mktemp('walks')
  recording_set.write_set(root / 'first_walk', SETTINGS, workers=1)
  shutil.copy(root / 'first_walk/videos/S01T01.mp4', root / 'walk.mp4')
  return root


@pytest.fixture(scope='module')
def estimator():
  return grfjax.Estimator()


@pytest.fixture(scope='module')
def walk(estimator, folder):
  return estimator.predict(folder / 'walk.mp4', body_mass_kg=61, age_years=34)


def test_the_walking_speed_is_that_of_the_motion(walk, folder):
  truth = json.loads((folder / 'first_walk/synth.json').read_text())['walking_speed_mps']
  with (folder / 'first_walk/subjects.csv').open(newline='') as file:
    (person,) = csv.DictReader(file)
  given = walking_speed.Given(height_m=float(person['height_m']))
  speed = dataclasses.replace(walk._prediction, given=given).speed
  assert speed.mps == pytest.approx(truth['S01T01'], rel=0.03)


def made_up(force, mass=60.0, **how):
  curves = dataclasses.replace(report_making.make_curves(force), **how)
  return grfjax.Walk(report_making.make_prediction(curves, mass=mass), pathlib.Path('walk.mp4'))


@pytest.mark.slow
def test_everything_is_what_the_command_writes(
  walk, estimator, folder, tmp_path, monkeypatch, capsys
):
  command = importlib.import_module('grfjax.predict')
  flags = {
    'workdir': 'everyone', 'out': str(tmp_path / 'command'), 'recordings': None, 'subjects': None,
    'video': str(folder / 'walk.mp4'), 'camera': None, 'body_mass_kg': 61.0, 'speed': None,
    'overlay': None, 'height_m': None, 'age_years': 34.0, 'scale_m_per_px': None,
  }  # fmt: skip
  monkeypatch.setattr(command.flags, 'FLAGS', types.SimpleNamespace(**flags))
  monkeypatch.setattr(trained_run, 'load', lambda _: estimator.run)
  events = []
  listener = lambda event, *_, **__: events.append(event)
  jax.monitoring.register_event_duration_secs_listener(listener)
  try:
    command.main(['predict'])
  finally:
    jax.monitoring.unregister_event_duration_listener(listener)
  assert [event for event in events if 'compile' in event] == []  # the video waited for no compiler

  written = walk.save(tmp_path / 'api')
  suffixes = ('.csv', '_grf.mot', '_ExternalLoads.xml', '.json', '.png', '_overlay.mp4', '.html')
  assert written == [tmp_path / 'api' / f'walk{suffix}' for suffix in suffixes]
  made, expected = (
    {path.name: path.read_bytes() for path in (tmp_path / kind).iterdir()}
    for kind in ('api', 'command')
  )
  assert made.keys() == expected.keys()
  assert [name for name in expected if made[name] != expected[name]] == []
  assert walk.to_csv(tmp_path / 'mine.csv').read_bytes() == expected['walk.csv']
  assert walk.to_mot(tmp_path / 'mine.mot').read_bytes() == expected['walk_grf.mot']
  assert 'mine.mot<' in (tmp_path / 'mine_ExternalLoads.xml').read_text()
  drawn = style.save_figure(walk.plot(), tmp_path / 'mine.png')
  assert drawn.read_bytes() == expected['walk.png']
  assert capsys.readouterr().out.startswith(f'{walk}\nwritten: ')


@pytest.mark.slow
def test_the_examples_of_docstrings_and_page(walk, estimator, folder, monkeypatch):
  monkeypatch.chdir(folder)
  monkeypatch.setattr(trained_run, 'load', lambda _: estimator.run)
  estimated = {'walk.mp4': walk._prediction}  # once is enough
  estimate = predicting.predict_walk
  monkeypatch.setattr(
    predicting,
    'predict_walk',
    lambda run, path, *how: estimated.get(path.name) or estimate(run, path, *how),
  )
  named = {'grfjax': grfjax, 'np': np, 'walk': walk}
  page = re.sub('^```.*$', '', PAGE.read_text(encoding='utf-8'), flags=re.MULTILINE)
  tests = [
    *doctest.DocTestFinder().find(walk_lib, extraglobs=named),
    doctest.DocTestParser().get_doctest(page, {}, PAGE.name, str(PAGE), 0),
  ]
  runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
  report = io.StringIO()
  for test in tests:
    runner.run(test, out=report.write)
  assert runner.failures == 0, report.getvalue()
  assert runner.tries > 40


def test_a_table_is_the_csv_in_full(walk, tmp_path, monkeypatch):
  frame = walk.to_frame()
  written = pandas.read_csv(walk.to_csv(tmp_path / 'walk.csv'))
  pandas.testing.assert_frame_equal(frame, written, rtol=0, atol=5.1e-5)
  np.testing.assert_array_equal(frame['right_fx_bw'], walk.right_bw[:, 1])
  np.testing.assert_array_equal(frame['left_fz_hi_bw'], walk.interval_bw[:, 0, 0, 1])
  monkeypatch.setitem(sys.modules, 'pandas', None)
  with pytest.raises(ImportError, match=r'Walk\.to_frame needs pandas.*pip install pandas'):
    walk.to_frame()


def test_nothing_is_missing_without_a_reason():
  force = report_making.walk()
  trust = np.ones((len(force), 2))
  force[:10], trust[:10] = np.nan, np.nan  # nobody there
  force[40:50], trust[40:50] = np.nan, 0.2  # withheld
  force[60:65, 1], trust[60:65, 1] = np.nan, np.nan
  gap = force_curves.Gap('walker.low_trust', 'from 0.7 to 0.8 s the networks ...')
  walk = made_up(force, trust=trust, gaps=(gap,))
  given = np.isfinite(walk.force_bw[:, :, 0])
  np.testing.assert_array_equal(walk.reason == '', given)
  assert set(walk.reason[:10].flat) == {'gait.frames_without_estimate'}
  assert set(walk.reason[40:50].flat) == {'walker.low_trust'}
  assert set(walk.reason[60:65, 1]) == {'gait.leg_without_estimate'}
  assert set(walk.reason[~given]) <= {flag.code for flag in walk.flags}

  force[:, 1] = np.nan
  near = made_up(force, near_only=True)
  assert set(near.reason[:, 1]) == {'gait.no_estimate'}
  given = np.isfinite(near.force_bw[:, :, 0])
  assert set(near.reason[~given]) <= {flag.code for flag in near.flags}


def test_newtons_need_the_body_mass(tmp_path):
  walk = made_up(report_making.walk(), mass=None)
  with pytest.raises(grfjax.InputError, match='body mass') as refused:
    _ = walk.left_n
  assert refused.value.code == 'prediction.no_body_mass'
  with pytest.raises(grfjax.InputError, match='the body mass is not given') as refused:
    walk.to_mot(tmp_path / 'walk.mot')
  assert refused.value.code == 'prediction.no_opensim_file'
  assert list(tmp_path.iterdir()) == []
  weighed = made_up(report_making.walk())
  np.testing.assert_allclose(weighed.right_n, 60 * 9.80665 * weighed.right_bw)


def test_the_centre_of_pressure_in_metres_needs_a_height():
  force = report_making.walk()
  force[60:70] = np.nan  # withheld, though the feet were found
  feet = report_making.make_feet(report_making.walk())
  walk = made_up(force, feet=feet)
  stands = np.isfinite(walk.pressure_bh).all(-1)
  assert stands.any()
  assert not stands[60:70].any()
  np.testing.assert_array_equal(walk.pressure_bh[stands], feet.pressure[stands])
  with pytest.raises(grfjax.InputError, match='give height_m or scale_m_per_px') as refused:
    _ = walk.pressure_m
  assert refused.value.code == 'prediction.no_body_height'
  given = walking_speed.Given(height_m=1.6)
  tall = grfjax.Walk(dataclasses.replace(walk._prediction, given=given), walk.video)
  np.testing.assert_allclose(tall.pressure_m, 1.6 * walk.pressure_bh)
  np.testing.assert_array_equal(tall.to_frame()['right_copx_m'], tall.pressure_m[:, 1, 0])
  np.testing.assert_array_equal(walk.to_frame()['left_copy_bh'], walk.pressure_bh[:, 0, 1])
  assert np.isnan(made_up(force).pressure_bh).all()


@pytest.mark.parametrize(
  ('argument', 'code'),
  [
    ({'body_mass_kg': float('nan')}, 'prediction.argument'),
    ({'body_mass_kg': 610}, 'prediction.argument'),
    ({'camera': 'front'}, 'prediction.argument'),
    ({'speed': 0}, 'prediction.argument'),
    ({}, 'video.no_file'),
  ],
)
def test_errors_have_the_codes_of_the_command(estimator, tmp_path, argument, code):
  with pytest.raises(grfjax.InputError) as refused:
    estimator.predict(tmp_path / 'none.mp4', **argument)
  assert refused.value.code == code


def test_a_film_is_read_at_the_speed_that_was_given(estimator, walk, tmp_path, monkeypatch):
  speeds = []

  def read(path):
    speeds.append(video_file.probe(path).speed)
    return walk._prediction

  monkeypatch.setattr(predicting, 'predict_walk', lambda run, path, *_: read(path))
  monkeypatch.setattr(prediction_files, 'write_prediction', lambda *given: read(given[2]))
  estimator.predict(walk.video, speed=0.5).save(tmp_path)
  assert speeds == [0.5, 0.5]
  assert video_file.probe(walk.video).speed == 1


def test_a_network_that_is_not_there(tmp_path):
  with pytest.raises(grfjax.InputError) as refused:
    grfjax.predict('walk.mp4', network=tmp_path)
  assert refused.value.code == 'run.missing'


def test_importing_is_quick_and_knows_its_names():
  code = (
    'import sys, grfjax; print(*grfjax.__all__); print(*dir(grfjax)); grfjax.__version__; '
    'grfjax.InputError; print(*{"jax", "numpy", "matplotlib", "pandas"} & set(sys.modules))'
  )
  lines = subprocess.run(
    [sys.executable, '-c', code], check=True, capture_output=True, text=True
  ).stdout.split('\n')
  assert {'predict', 'Walk', 'Estimator', 'InputError', '__version__'} == set(lines[0].split())
  assert set(lines[0].split()) <= set(lines[1].split())
  assert lines[2] == ''
  assert re.match(r'\d+\.\d+', grfjax.__version__)
  with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
    _ = grfjax.nothing


def test_importing_the_command_leaves_the_function():
  importlib.import_module('grfjax.predict')
  assert grfjax.predict is walk_lib.predict


def numbers(notebook):
  """Returns the numbers that each cell prints; what it prints may come in several outputs."""
  printed = [
    ''.join(o.text for o in cell.get('outputs', []) if o.get('name') == 'stdout')
    for cell in notebook.cells
  ]
  return [[float(n) for n in re.findall(r'-?\d+\.\d+|-?\d+', text)] for text in printed]


@pytest.mark.slow
def test_the_notebook_runs_and_prints_what_it_shows(folder):
  shown = nbformat.read(NOTEBOOK, as_version=4)
  assert NOTEBOOK.stat().st_size < 150_000
  made = nbformat.from_dict(shown)
  client = nbclient.NotebookClient(
    made, timeout=600, kernel_name='python3', resources={'metadata': {'path': str(folder)}}
  )
  client.execute()
  pairs = list(zip(numbers(made), numbers(shown), strict=True))
  assert sum(len(given) for _, given in pairs) > 15
  for found, given in pairs:
    np.testing.assert_allclose(found, given, rtol=0.005, atol=0.02)
  pictures = [
    o for c in made.cells for o in c.get('outputs', []) if 'image/png' in o.get('data', {})
  ]
  assert pictures
