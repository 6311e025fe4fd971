"""Tests of grfjax.data.plate_contacts: contacts, legs, window means and the start of a video."""

import pathlib

import numpy as np
import pytest
from plates import stance, two_steps, write_c3d, write_csv, write_mot

from grfjax import conventions
from grfjax.data import plate_contacts
from grfjax.io import force_files, recordings

REALGAIT = pathlib.Path(__file__).parents[1] / '../shared/realgait'


def test_contact_times_are_interpolated():
  t = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
  fz = np.array([0.0, 10.0, 50.0, 100.0, 60.0, 0.0])
  (c,) = plate_contacts.find_contacts(t, fz)
  assert c.start_s == pytest.approx(0.125)  # 20 is a quarter of the way from 10 to 50
  assert c.end_s == pytest.approx(0.4 + 0.1 * 2 / 3)
  assert (c.whole_start, c.whole_end) == (True, True)


def test_exactly_the_threshold_is_no_contact():
  t = np.arange(1000) / 1000
  assert plate_contacts.find_contacts(t, np.full(1000, 20.0)) == []
  assert len(plate_contacts.find_contacts(t, np.full(1000, 20.1))) == 1


def test_contacts_cut_by_the_recording():
  t = np.arange(1000) / 1000 + 5
  fz = np.full(1000, 500.0)
  fz[400:700] = 0
  first, second = plate_contacts.find_contacts(t, fz)
  assert (first.whole_start, first.whole_end) == (False, True)
  assert first.start_s == 5.0
  assert first.end_s == pytest.approx(5.4, abs=1e-3)
  assert (second.whole_start, second.whole_end) == (True, False)
  assert second.end_s == t[-1]


def test_blips_are_no_contacts_and_dropouts_no_ends():
  t = np.arange(2000) / 1000
  fz = np.where((t > 0.5) & (t < 1.2), 600.0, 0.0)
  fz[(t > 0.1) & (t < 0.19)] = 300
  fz[(t > 0.8) & (t < 0.83)] = 0
  (c,) = plate_contacts.find_contacts(t, fz)
  assert (c.start_s, c.end_s) == pytest.approx((0.5, 1.2), abs=2e-3)
  assert len(plate_contacts.find_contacts(t, fz, min_duration_s=0.05)) == 2


def test_several_contacts_on_one_plate():
  t = np.arange(4000) / 1000
  fz = sum(stance(t, s, 0.6)[:, 2] for s in (0.3, 1.4, 2.5))
  assert [c.start_s for c in plate_contacts.find_contacts(t, fz)] == pytest.approx(
    [0.3, 1.4, 2.5], abs=0.01
  )


def test_threshold_is_a_choice():
  t, force = two_steps()
  low, high = (plate_contacts.find_contacts(t, force[:, 0, 2], threshold_n=n)[0] for n in (10, 200))
  assert low.start_s < high.start_s < high.end_s < low.end_s


def test_plates_of_one_leg_add():
  t, force = two_steps()
  plates = force_files.PlateForces(t, np.concatenate([force, force[:, :1] / 2], 1))
  legs = plate_contacts.leg_forces(plates, ('left', 'right', 'left'))
  np.testing.assert_allclose(legs['left'], force[:, 0] * 1.5)
  np.testing.assert_allclose(legs['right'], force[:, 1])
  assert list(plate_contacts.leg_forces(plates, ('right', 'right', 'right'))) == ['right']


def test_legs_and_plates_must_match():
  plates = force_files.PlateForces(*two_steps())
  with pytest.raises(
    force_files.ForceError, match=r'names 1 \(left\), but the force file holds 2'
  ) as caught:
    plate_contacts.leg_forces(plates, ('left',))
  assert caught.value.code == 'force.plate_count'


def test_mean_of_a_straight_line_is_its_middle():
  t = np.sort(np.random.default_rng(0).uniform(0, 1, 300))  # uneven sampling
  at = np.linspace(t[0], t[-1], 101)
  mean, inside = plate_contacts.window_means(t, 3 * t + 1, at)
  np.testing.assert_allclose(mean[inside], 3 * at[inside] + 1, rtol=1e-12)
  assert np.isnan(mean[~inside]).all()
  np.testing.assert_array_equal(inside, (at >= t[0] + 1 / 120) & (at <= t[-1] - 1 / 120))


def test_mean_keeps_the_shape():
  t, force = two_steps()
  mean, inside = plate_contacts.window_means(t, force, np.array([0.7, 1.2, -1.0]))
  assert mean.shape == (3, 2, 3)
  assert inside.tolist() == [True, True, False]
  assert mean[0, 0, 2] == pytest.approx(force[692:709, 0, 2].mean(), rel=1e-3)


@pytest.mark.parametrize('rate', [60, 100, 1000, 1234.5, 20000])
def test_mean_is_centred_at_every_rate(rate):
  """A pulse's centre of gravity comes out where it was put, to the millisecond."""
  t = np.arange(int(rate)) / rate
  pulse = np.exp(-(((t - 0.4321) / 0.05) ** 2))
  at = np.arange(0.1, 0.9, 1e-3)
  mean, inside = plate_contacts.window_means(t, pulse, at)
  assert inside.all()
  assert (mean * at).sum() / mean.sum() == pytest.approx(0.4321, abs=2e-4)


def test_mean_of_a_step_is_analytical():
  t = np.arange(1000) / 1000
  mean, _ = plate_contacts.window_means(t, (t >= 0.5) * 100.0, np.array([0.4995]), 0.02)
  assert mean[0] == pytest.approx(50)  # the rise is a line from 0.499 to 0.500


def test_means_against_the_judge():
  """The sum over samples in tools/score.py, on real curves."""
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  for trial in recordings.load(REALGAIT)[::10]:
    plates = force_files.read(trial.force, trial.plates)
    at = trial.video_start_s + np.arange(120) / 60
    at = at[(at > plates.time_s[0] + 0.02) & (at < plates.time_s[-1] - 0.02)]
    mean, inside = plate_contacts.window_means(plates.time_s, plates.force, at)
    lo, hi = (np.searchsorted(plates.time_s, at + s / 120) for s in (-1, 1))
    total = np.concatenate([np.zeros((1, 2, 3)), plates.force.cumsum(0)])
    judge = (total[hi] - total[lo]) / (hi - lo)[:, None, None]
    assert inside.all()
    # The judge's window holds whole samples, so its centre is off by up to half a sample: where
    # the curve runs at several BW/s that is a few newtons. On average over stance, 1e-3.
    on = judge[:, :, 2] > 20
    weight = trial.subject.body_mass_kg * conventions.G
    assert np.abs(mean - judge)[on, 2].mean() < 3e-3 * weight
    assert abs((mean - judge)[on, 2].mean()) < 1e-3 * weight
    assert mean[on, 2].mean() == pytest.approx(judge[on, 2].mean(), rel=1e-3)


def test_video_start_to_the_millisecond():
  t, force = two_steps()
  rise = plate_contacts.find_contacts(t, force[:, 0, 2])[0].start_s
  frames = np.arange(90) / 60
  # A camera that starts at 0.2171 s: the first frame after the rise shows the foot.
  true = 0.2171
  shown = int(np.ceil((rise - true) * 60))
  start, half = plate_contacts.find_video_start(shown, frames, force[:, 0], t)
  assert half == pytest.approx(1 / 120)
  assert abs(start - true) <= half
  assert start + (frames[shown - 1] + frames[shown]) / 2 == pytest.approx(rise, abs=1e-9)


def test_video_start_averages_out():
  """Over all phases of the camera, half a frame before is right to the millisecond."""
  t, force = two_steps()
  rise = plate_contacts.find_contacts(t, force[:, 0, 2])[0].start_s
  frames = np.arange(90) / 60
  errors = []
  for true in np.linspace(0.2, 0.2 + 1 / 60, 100, endpoint=False):
    start, half = plate_contacts.find_video_start(
      int(np.ceil((rise - true) * 60)), frames, force[:, 0], t
    )
    assert abs(start - true) <= half + 1e-9
    errors.append(start - true)
  assert abs(np.mean(errors)) < 1e-3


def test_video_start_where_plate_1_is_struck_second_and_frames_are_uneven():
  t, force = two_steps()
  frames = 7 + np.array([0, 0.02, 0.05, 0.07, 0.12])  # a clock of its own
  start, half = plate_contacts.find_video_start(2, frames, force[:, 1, 2], t)
  assert half == pytest.approx(0.015)
  assert start == pytest.approx(plate_contacts.find_contacts(t, force[:, 1, 2])[0].start_s - 0.035)


def test_video_start_at_frame_0():
  t, force = two_steps()
  start, half = plate_contacts.find_video_start(0, np.arange(60) / 60, force[:, 0], t)
  assert start == pytest.approx(plate_contacts.find_contacts(t, force[:, 0, 2])[0].start_s + half)


@pytest.mark.parametrize(
  ('frame', 'fz', 'message'),
  [
    (60, None, 'contact_frame is 60, but the video has 60 frames'),
    (-1, None, 'contact_frame is -1'),
    (3, 0.0, 'no rise through 20 N'),
    (3, 500.0, 'no rise through 20 N'),
  ],
)
def test_video_start_that_cannot_be(frame, fz, message):
  t, force = two_steps()
  plate = force[:, 0, 2] if fz is None else np.full(len(t), fz)
  with pytest.raises(force_files.ForceError, match=message) as caught:
    plate_contacts.find_video_start(frame, np.arange(60) / 60, plate, t)
  assert (caught.value.code, caught.value.frame) == ('force.contact_frame', frame)


def test_video_start_when_the_recording_begins_on_plate_1():
  t, force = two_steps()
  fz = force[:, 0, 2] + stance(t, -0.3, 0.5)[:, 2]
  assert fz[0] > 20
  frames = np.arange(60) / 60
  start, _ = plate_contacts.find_video_start(3, frames, fz, t)
  assert start == plate_contacts.find_video_start(3, frames, force[:, 0], t)[0]
  with pytest.raises(force_files.ForceError, match='no rise through 20 N'):
    plate_contacts.find_video_start(0, frames, fz, t)


@pytest.mark.parametrize('kind', ['csv', 'mot', 'c3d'])
def test_a_pulse_comes_back_at_its_time(tmp_path, kind):
  """File, clock, average: the sharpest thing in the record, to the millisecond."""
  t, force = two_steps()
  force[:, 0, 2] += 300 * np.exp(-(((t - 0.7123) / 0.01) ** 2))
  write = {'csv': write_csv, 'mot': write_mot, 'c3d': write_c3d}[kind]
  got = force_files.read(write(tmp_path / f'f.{kind}', t, force))
  at = np.arange(0.68, 0.745, 5e-4)
  mean, _ = plate_contacts.window_means(got.time_s, got.force[:, 0, 2], at)
  base, _ = plate_contacts.window_means(t, stance(t, 0.4, 0.62)[:, 2], at)
  pulse = mean - base
  assert (pulse * at).sum() / pulse.sum() == pytest.approx(0.7123, abs=5e-4)
