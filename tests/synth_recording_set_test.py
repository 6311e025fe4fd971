"""The recording set that `python -m grfjax.synth` writes."""

import csv
import dataclasses
import json
import pathlib
import subprocess
import sys

import av
import numpy as np
import pytest
from absl import flags

from grfjax import conventions, errors
from grfjax.degradation import damage
from grfjax.synth import body_pose, recording_set, trial, walks

SMALL = trial.Settings(subjects=2, trials=2, seed=3, style='mixed', width=96, height=64, fps=30)


@pytest.fixture(scope='module')
def small(tmp_path_factory) -> pathlib.Path:
  out = tmp_path_factory.mktemp('synth') / 'raw'
  assert recording_set.write_set(out, SMALL, workers=1)
  return out


def table(path: pathlib.Path) -> list[dict[str, str]]:
  with path.open(newline='') as file:
    return list(csv.DictReader(file))


def read(path: pathlib.Path) -> np.ndarray:
  return np.genfromtxt(path, delimiter=',', names=True)


def test_a_walk_that_no_body_can_follow_is_drawn_again():
  """An unsteady child of this set once ended the whole of it after 75 people."""
  settings = trial.Settings(subjects=240, trials=3, seed=2, style='mixed', plates=4)
  child = trial.draw_person(settings, 75)
  rng = lambda: np.random.default_rng(np.random.SeedSequence((2, 76, 1)).spawn(3)[0])
  with pytest.raises(body_pose.UnposableError):
    walks.draw_walk(child, rng(), 10)
  drawn = trial._draw_walk(child, rng(), 10)
  assert drawn is not None
  walk, discarded_walks = drawn
  assert discarded_walks == 1
  assert np.isfinite(walk.joints).all()


@pytest.mark.parametrize('how', [{'workers': 1}, {'beam_options': 'direct_running_mode=in_memory'}])
def test_a_person_none_of_whose_walks_can_be_posed_is_drawn_again(tmp_path, monkeypatch, how):
  if 'beam_options' in how:
    pytest.importorskip('apache_beam', reason='apache-beam is not installed')
  settings = trial.Settings(subjects=2, trials=2, seed=5, width=96, height=64)
  lame, other = (trial.draw_person(settings, 1, draw) for draw in (0, 1))
  assert lame != other
  walk = trial._draw_walk
  monkeypatch.setattr(
    trial, '_draw_walk', lambda subject, *how: None if subject == lame else walk(subject, *how)
  )
  recording_set.write_set(tmp_path / 'set', settings, **how)
  assert json.loads((tmp_path / 'set/synth.json').read_text())['people_drawn_again'] == {'S02': 1}
  masses = [float(row['body_mass_kg']) for row in table(tmp_path / 'set/subjects.csv')]
  assert masses[1] == pytest.approx(other.mass_kg, abs=0.01)
  assert [row['subject'] for row in table(tmp_path / 'set/trials.csv')] == ['S01'] * 2 + ['S02'] * 2


def test_a_phone_films_the_same_walks_worse(small, tmp_path):
  phone = dataclasses.replace(SMALL, subjects=1, camera='phone', width=160, height=96)
  recording_set.write_set(tmp_path / 'set', phone, workers=1)
  for row, other in zip(
    table(tmp_path / 'set/trials.csv'), table(small / 'trials.csv'), strict=False
  ):
    assert set(row.pop('degraded').split(';')) <= set(damage.KINDS)
    del other['feet']  # the phone's pictures move, so that nobody knows where the feet are in them
    assert row == other
    forces = [folder / row['force'] for folder in (small, tmp_path / 'set')]
    assert forces[0].read_bytes() == forces[1].read_bytes()
    frames = len(read(forces[0]))
    with (
      av.open(str(tmp_path / 'set' / row['video'])) as worse,
      av.open(str(small / row['video'])) as good,
    ):
      assert sum(1 for _ in worse.decode(video=0)) == sum(1 for _ in good.decode(video=0)) < frames


def test_on_beam_a_worker_that_is_lost_leaves_nothing(tmp_path, monkeypatch):
  pytest.importorskip('apache_beam', reason='apache-beam is not installed')
  from grfjax.synth import beam_people

  lost = [1]  # the trial before which the worker is lost, once

  def write_trial(task):
    if task.trial in lost:
      lost.clear()
      raise OSError('lost')
    (task.root / f'videos/{task.trial}.mp4').write_text('film')
    return trial.WrittenTrial({'trial': str(task.trial)}, 1.2, 0)

  monkeypatch.setattr(trial, 'write_trial', write_trial)
  work = tmp_path / 'work'
  work.mkdir()
  trial.make_folders(tmp_path)
  arguments = (0, tmp_path, trial.Settings(trials=2), work)
  with pytest.raises(OSError, match='lost'):
    beam_people._write_person(*arguments)
  assert not [path for path in tmp_path.rglob('*') if path.is_file()]
  written = beam_people._write_person(*arguments)
  assert beam_people._write_person(*arguments) == written  # the same person on two workers
  assert written['trials'] == [({'trial': '0'}, 1.2, 0), ({'trial': '1'}, 1.2, 0)]
  assert sorted(path.name for path in (tmp_path / 'videos').iterdir()) == ['0.mp4', '1.mp4']
  assert not list(work.iterdir())

  lost.append(0)
  out = tmp_path / 'set'
  with pytest.raises(errors.PipelineError, match=r'the Beam pipeline failed: .*lost'):
    recording_set.write_set(out, arguments[2], beam_options='direct_running_mode=in_memory')
  assert not out.exists()
  assert not list(tmp_path.glob('.*'))


class TestSet:
  def test_tables(self, small):
    trials, subjects = table(small / 'trials.csv'), table(small / 'subjects.csv')
    assert list(trials[0]) == [
      'subject', 'trial', 'video', 'video_start_s', 'force', 'plates', 'camera', 'feet',
    ]  # fmt: skip
    assert list(subjects[0]) == ['subject', 'body_mass_kg', 'height_m']
    assert [row['subject'] for row in subjects] == ['S01', 'S02']
    assert len({row['trial'] for row in trials}) == 4
    for row in trials:
      assert sorted(row['plates'].split(';')) == ['left', 'right']
      assert row['camera'] in conventions.LEGS
      assert (small / row['video']).is_file()
      assert (small / row['force']).is_file()
    about = json.loads((small / 'synth.json').read_text())
    assert about['settings']['seed'] == 3
    assert set(about['walking_speed_mps']) == {row['trial'] for row in trials}
    assert all(0.3 < speed < 2.2 for speed in about['walking_speed_mps'].values())
    assert not list(small.parent.glob('.*'))

  def test_plates_measure_the_foot_on_them(self, small):
    masses = {r['subject']: float(r['body_mass_kg']) for r in table(small / 'subjects.csv')}
    for row in table(small / 'trials.csv'):
      plates, truth = (read(small / folder / f'{row["trial"]}.csv')
                       for folder in ('forces', 'truth'))  # fmt: skip
      np.testing.assert_array_equal(plates['time_s'], truth['time_s'])
      np.testing.assert_allclose(np.diff(plates['time_s']), 0.001, atol=1e-6)
      weight = masses[row['subject']] * conventions.G
      for number, leg in enumerate(row['plates'].split(';'), 1):
        on = plates[f'fz_{number}'] > 20
        assert 0.3 < on.sum() / 1000 < 1.6
        assert np.diff(on.astype(int)).tolist().count(1) == 1  # one contact a plate
        for axis in 'xyz':
          error = (plates[f'f{axis}_{number}'] - truth[f'{leg}_f{axis}_N'])[on]
          assert 0.1 < error.std() < 3
          assert abs(error.mean()) < 3
        assert plates[f'fz_{number}'][~on].max() < 25
        assert 0.8 * weight < plates[f'fz_{number}'].max() < 1.9 * weight

  def test_video_covers_the_contacts(self, small):
    for row in table(small / 'trials.csv'):
      force = read(small / row['force'])
      count = len(row['plates'].split(';'))
      on = force['time_s'][np.max([force[f'fz_{k + 1}'] for k in range(count)], 0) > 20]
      with av.open(str(small / row['video'])) as video:
        stream = video.streams.video[0]
        frames = sum(1 for _ in video.decode(stream))
        assert stream.codec_context.name == 'h264'
        assert (stream.width, stream.height) == (96, 64)
        assert float(stream.average_rate) == 30
      begin = float(row['video_start_s'])
      assert 0.08 < on[0] - begin < 0.42
      assert 0.25 < begin + frames / 30 - on[-1] < 0.48

  def test_does_not_depend_on_workers(self, small, tmp_path):
    assert recording_set.write_set(tmp_path / 'raw', SMALL, workers=2)
    ours = {p.relative_to(small): p.read_bytes() for p in small.rglob('*.csv')}
    theirs = {p.relative_to(tmp_path / 'raw'): p.read_bytes()
              for p in (tmp_path / 'raw').rglob('*.csv')}  # fmt: skip
    assert ours == theirs
    for row in table(small / 'trials.csv'):
      with av.open(str(small / row['video'])) as a, av.open(
          str(tmp_path / 'raw' / row['video'])) as b:  # fmt: skip
        first = next(a.decode(video=0)).to_ndarray()
        assert np.array_equal(first, next(b.decode(video=0)).to_ndarray())

  def test_does_not_depend_on_beam(self, small, tmp_path):
    pytest.importorskip('apache_beam', reason='apache-beam is not installed')
    out = tmp_path / 'raw'
    options = 'direct_num_workers=2,direct_running_mode=multi_processing'
    assert recording_set.write_set(out, SMALL, beam_options=options)
    ours, theirs = (
      {path.relative_to(root): path.read_bytes() for path in root.rglob('*') if path.is_file()}
      for root in (small, out)
    )
    assert len(ours) == 3 + 4 * 4
    assert ours == theirs
    assert {path.name for path in out.iterdir()} == {path.name for path in small.iterdir()}
    assert not recording_set.write_set(out, SMALL, beam_options=options)

  def test_people_do_not_depend_on_how_many(self):
    few, many = SMALL, dataclasses.replace(SMALL, subjects=9, trials=7)
    assert trial.draw_person(few, 1) == trial.draw_person(many, 1)
    assert trial.draw_person(few, 0) != trial.draw_person(few, 1)


class TestTarget:
  def test_same_set_is_left_alone(self, small):
    before = (small / 'trials.csv').stat().st_mtime_ns
    assert not recording_set.write_set(small, SMALL)
    assert (small / 'trials.csv').stat().st_mtime_ns == before

  def test_other_set_is_refused(self, small):
    with pytest.raises(recording_set.SetExistsError, match='another set') as raised:
      recording_set.write_set(small, dataclasses.replace(SMALL, seed=4))
    assert raised.value.code == 'synth.folder_in_use'
    assert raised.value.file == str(small)

  def test_other_things_are_refused(self, tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    with pytest.raises(recording_set.SetExistsError, match='something else') as raised:
      recording_set.write_set(tmp_path, SMALL)
    assert raised.value.code == 'synth.folder_in_use'

  def test_odd_sizes_are_refused(self, tmp_path):
    with pytest.raises(errors.InputError, match='even') as raised:
      recording_set.write_set(tmp_path / 'raw', dataclasses.replace(SMALL, height=65))
    assert raised.value.code == 'synth.odd_size'
    assert not list(tmp_path.iterdir())

  def test_nothing_half_written(self, tmp_path, monkeypatch):
    def fail(task):
      raise RuntimeError('disk full')

    monkeypatch.setattr(trial, 'write_trial', fail)
    with pytest.raises(RuntimeError, match='disk full'):
      recording_set.write_set(tmp_path / 'raw', SMALL, workers=1)
    assert not list(tmp_path.iterdir())

  def test_plates_lie_under_consecutive_steps(self):
    person = trial.draw_person(SMALL, 0)
    walk = walks.draw_walk(person, np.random.default_rng(0), 3 + 2 * trial.APPROACH_STEPS)
    moved, on_plates, plates = trial.centre_on_plates(walk, 3)
    assert len(on_plates) == len(plates) == 3
    assert [c.leg for c in on_plates] in ([0, 1, 0], [1, 0, 1])
    assert plates[0][0] == pytest.approx(-plates[-1][1])
    for contact, (x0, x1, _, _) in zip(on_plates, plates, strict=True):
      assert x0 < contact.heel_x_m < x1
    assert on_plates[-1].end_s + 0.4 < moved.time_s[-1]


class TestCommand:
  @pytest.mark.parametrize(
    ('flag', 'message'),
    [
      ('--width=333', 'synth.odd_size'), ('--subjects=0', 'subjects'), ('--plates=0', 'plates'),
      ('--fps=1', 'fps'), ('--out=', 'synth.no_folder'),
    ],
  )  # fmt: skip
  def test_bad_flags(self, flag, message, tmp_path, call_command):
    with pytest.raises((SystemExit, flags.Error), match=message):
      call_command('grfjax.synth.__main__', f'--out={tmp_path / "raw"}', flag)
    assert not list(tmp_path.iterdir())

  def test_a_bad_flag_ends_the_process(self, tmp_path):
    done = subprocess.run(
      [sys.executable, '-m', 'grfjax.synth', f'--out={tmp_path / "raw"}', '--style=moonwalk'],
      capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode != 0
    assert 'limp' in done.stderr
    assert not list(tmp_path.iterdir())
