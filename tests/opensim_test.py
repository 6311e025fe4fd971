"""OpenSim itself reads what we write: its joint moments are those of the simulated walkers."""

import dataclasses
import json
import pathlib
import re
import textwrap

import numpy as np
import pytest

opensim = pytest.importorskip('opensim')
import report_making  # noqa: E402

import joint_moments  # noqa: E402 - of launch/measure
import newton_euler  # noqa: E402
import opensim_walker  # noqa: E402
from grfjax import conventions  # noqa: E402
from grfjax.gait import opensim_files  # noqa: E402
from grfjax.synth import (  # noqa: E402
  foot_pressure,
  ground_reaction,
  recording_set,
  trial,
  walks,
)

EDGE_S = 0.1  # of the walk, where smoothing lacks neighbours


def simulated(seed):
  """A walk, its centres of pressure, and its moments by Newton and Euler."""
  rng = np.random.default_rng(seed)
  walk = walks.draw_walk(walks.draw_subject(rng), rng, steps=4)
  pressure = foot_pressure.centre_of_pressure(walk)
  return walk, pressure, newton_euler.joint_moments(walk, walk.force, pressure)


def write_files(folder, walk, pressure, rate_hz, hole_s=(0, 0)):
  """Writes model, motion and what `predict` writes of a perfect estimate.

  Args:
    folder: for the files.
    walk: the walk.
    pressure: its centres of pressure.
    rate_hz: frames a second.
    hole_s: from when to when nothing is estimated.

  Returns:
    The ExternalLoads of each walk.
  """
  subject = walk.subject
  time_s = np.arange(0, walk.time_s[-1], 1 / rate_hz)
  rows = np.round(time_s * 1000).astype(int)
  force = conventions.plates_to_walker(walk.force[rows]) / ground_reaction.body_weight_n(subject)
  force[(time_s >= hole_s[0]) & (time_s < hole_s[1])] = np.nan
  curves = report_making.make_curves(force, rate_hz)
  mots = opensim_files.to_mot(curves, subject.mass_kg, 'walk', pressure[rows])
  files = opensim_files.make_files(mots, 'walk')
  for name, text in files.items():
    (folder / name).write_text(text)
  opensim_walker.write_model(folder / 'model.osim', subject)
  opensim_walker.write_motion(folder / 'motion.mot', walk)
  return [folder / name for name in files if name.endswith('.xml')]


def errors_pct(folder, loads, walk, moments, time_s):
  """(leg, joint) -> RMS error while the foot stands, % of the joint's greatest moment."""
  at_s, found = opensim_walker.inverse_dynamics(
    folder / 'model.osim', folder / 'motion.mot', loads, time_s
  )
  rows = np.round(at_s * 1000).astype(int)
  errors = {}
  for (side, joint), expected in moments.items():
    stands = walk.force[rows, conventions.LEGS.index(side), 2] > 0
    off = (found[opensim_walker.coordinate(side, joint)] - expected[rows])[stands]
    errors[side, joint] = float(100 * np.sqrt(np.mean(off**2)) / abs(expected).max())
  return errors


# At a video's rate the force's line between two frames is not the impact of a heel.
@pytest.mark.parametrize(('seed', 'rate_hz', 'within_pct'), [(0, 500, 1), (1, 60, 10), (2, 60, 10)])
def test_joint_moments_are_those_of_the_simulation(
  tmp_path, monkeypatch, seed, rate_hz, within_pct
):
  monkeypatch.chdir(tmp_path.parent)  # the files find each other from anywhere
  walk, pressure, moments = simulated(seed)
  assert min(moments['left', 'ankle']) < -0.8 * walk.subject.mass_kg  # it pushes off
  (loads,) = write_files(tmp_path, walk, pressure, rate_hz)
  errors = errors_pct(tmp_path, loads, walk, moments, (EDGE_S, walk.time_s[-1] - EDGE_S))
  assert len(errors) == 6
  assert {joint: error for joint, error in errors.items() if error > within_pct} == {}
  assert not list(tmp_path.parent.glob('*.log'))


def test_each_walk_of_a_video_has_files_of_its_own(tmp_path):
  walk, pressure, moments = simulated(0)
  hole_s = 0.9, 1.1
  first, second = write_files(tmp_path, walk, pressure, 100, hole_s)
  for loads, time_s in (
    (first, (EDGE_S, hole_s[0] - 0.01)),
    (second, (hole_s[1], walk.time_s[-1] - EDGE_S)),
  ):
    errors = errors_pct(tmp_path, loads, walk, moments, time_s)
    assert max(errors.values()) < 10


def test_moments_of_predictions_of_a_synthetic_set(tmp_path):
  settings = trial.Settings(subjects=1, trials=1, seed=5)
  subject = trial.draw_person(settings, 0)
  about = {'settings': dataclasses.asdict(settings), 'people_drawn_again': {}}
  about['people'] = [{'subject': subject.name}]
  (tmp_path / recording_set.SETTINGS_FILE).write_text(json.dumps(about))
  ((name, motion),) = joint_moments.draw_trials(tmp_path)
  walk = motion.walk
  time_s = np.arange(0, motion.end_s - motion.begin_s, 0.01)
  rows = np.round((time_s + motion.begin_s - walk.time_s[0]) * 1000).astype(int)
  force = conventions.plates_to_walker(walk.force[rows]) / ground_reaction.body_weight_n(subject)
  force[..., 0] *= 1.04
  pressure = foot_pressure.centre_of_pressure(walk)[rows] + [7, -1]  # another origin
  mots = opensim_files.to_mot(
    report_making.make_curves(force, 100), subject.mass_kg, name, pressure
  )
  for file, text in opensim_files.make_files(mots, name).items():
    (tmp_path / file).write_text(text)
  measured = joint_moments.measure_trial(name, motion, tmp_path)
  errors = {
    kind: [r['rms_pct_of_peak'] for r in measured if r['kind'] == kind and r['joint'] == 'ankle']
    for kind in joint_moments.KINDS
  }
  assert all(1.5 < e < 4 for e in errors['as written'] + errors['only forces estimated'])
  assert max(errors['only pressure estimated'] + errors['nothing estimated']) < 1
  assert 'as written' in joint_moments.table(measured).text()


def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
  walk, pressure, moments = simulated(0)
  write_files(tmp_path, walk, pressure, 100)
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'model.osim').rename('scaled.osim')
  (tmp_path / 'motion.mot').rename('ik.mot')
  page = (pathlib.Path(__file__).parents[1] / 'docs/opensim.md').read_text(encoding='utf-8')
  examples = re.findall(r'(?:^        .*\n|^\n(?=        ))+', page, re.MULTILINE)
  moving, running = (textwrap.dedent(e) for e in examples if 'import' in e)
  moving = moving.replace('1.25, -0.04', '0.5, -0.25')
  exec(compile(moving, 'opensim.md', 'exec'), {})
  opensim_walker.write_motion(tmp_path / 'ik.mot', walk, moved_m=(0.5, 0.25))
  exec(compile(running, 'opensim.md', 'exec'), {})
  table = opensim.TimeSeriesTable('moments.sto')
  at_s = np.array(table.getIndependentColumn())
  for leg, side in enumerate(conventions.LEGS):
    expected = np.interp(at_s, walk.time_s, moments[side, 'ankle'])
    got = table.getDependentColumn(f'ankle_angle_{side[0]}_moment').to_numpy()
    stands = np.interp(at_s, walk.time_s, walk.force[:, leg, 2]) > 0
    np.testing.assert_allclose(got[stands], expected[stands], atol=0.05 * abs(expected).max())
