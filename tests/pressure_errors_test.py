"""Tests of the errors of the centre of pressure: one offset a trial, and steps."""

import csv
import dataclasses

import making
import numpy as np
import pytest
import report_making

from grfjax.evaluation import held_out_trials, plate_reference, pressure_errors
from grfjax.gait import curve_files, foot_contacts, foot_places
from grfjax.io import recordings
from grfjax.report import fold_report, pressure_table

TIME_S = np.arange(120) / 60


@pytest.fixture
def truth():
  """The left foot from 0.2 to 0.8 s, the right 0.6 m before it from 0.7 to 1.3 s."""
  place = np.full((120, 2, 2), np.nan)
  for leg, start in enumerate((12, 42)):
    share = np.linspace(0, 1, 37)
    place[start : start + 37, leg] = np.stack(
      [5 + 0.6 * leg + 0.2 * share, 0.1 - 0.2 * leg + 0 * share], -1
    )
  return place


@pytest.fixture
def contacts():
  force = np.zeros((120, 2, 3))
  for leg, start in enumerate((12, 42)):
    force[start : start + 37, leg, 0] = 1.0
  return foot_contacts.find_contacts(TIME_S, force)


def test_where_the_origin_lies_does_not_matter(truth, contacts):
  result = pressure_errors.compare(truth + [3.0, -7.0], truth, TIME_S, contacts).result()
  assert result['mae_forward_cm'] == pytest.approx(0, abs=1e-9)
  assert result['mae_side_cm'] == pytest.approx(0, abs=1e-9)
  assert result['mae_apart_cm'] == pytest.approx(0, abs=1e-9)
  assert (result['trials'], result['steps'], result['n']) == (1, 1, 74)


def test_a_foot_that_is_off_against_the_other_is_seen(truth, contacts):
  """Half of the frames, 4 cm: the median takes one half's side, or lies between."""
  wrong = truth.copy()
  wrong[:, 1] += [0.04, 0.02]
  result = pressure_errors.compare(wrong, truth, TIME_S, contacts).result()
  assert result['mae_forward_cm'] == pytest.approx(2, abs=1e-6)
  assert result['mae_side_cm'] == pytest.approx(1, abs=1e-6)
  assert result['mae_apart_cm'] == pytest.approx(4, abs=1e-6)


def test_errors_within_a_stance(truth, contacts):
  wrong = truth.copy()
  wrong[::2] += [0.03, 0]
  wrong[1::2] -= [0.03, 0]
  result = pressure_errors.compare(wrong, truth, TIME_S, contacts).result()
  assert result['mae_forward_cm'] == pytest.approx(3, abs=0.1)
  assert result['mae_side_cm'] == pytest.approx(0, abs=1e-9)


def test_only_what_both_know_counts(truth, contacts):
  half = truth.copy()
  half[:30] = np.nan
  errors = pressure_errors.compare(half, truth, TIME_S, contacts)
  assert errors.frames == np.isfinite(half[..., 0]).sum()
  assert errors.result()['steps'] == 1
  half[:, 0] = np.nan
  one = pressure_errors.compare(half, truth, TIME_S, contacts).result()
  assert (one['steps'], one['mae_apart_cm']) == (0, None)
  assert one['mae_forward_cm'] == pytest.approx(0, abs=1e-9)
  nothing = pressure_errors.compare(half * np.nan, truth, TIME_S, contacts)
  assert nothing.result() is None
  assert nothing.merge(errors) == errors == errors.merge(nothing)


def test_a_long_trial_counts_as_a_short_one(truth, contacts):
  short = np.where(np.arange(120)[:, None, None] < 20, truth, np.nan)
  rng = np.random.default_rng(0)
  noisy = [place + 0.05 * rng.standard_normal(place.shape) for place in (truth, short)]
  errors = [pressure_errors.compare(place, truth, TIME_S, contacts) for place in noisy]
  both = errors[0].merge(errors[1]).result()
  each = [e.result() for e in errors]
  for key in ('mae_forward_cm', 'mae_side_cm'):
    assert both[key] == pytest.approx((each[0][key] + each[1][key]) / 2)
  assert both['trials'] == 2
  assert both['n'] == each[0]['n'] + each[1]['n']


OFFSET = [1.5, -0.4]


@pytest.fixture(scope='module')
def recorded(tmp_path_factory):
  """A recording set of one walk, camera at the right, whose plates know the centre of pressure."""
  root = tmp_path_factory.mktemp('recorded')
  walk = making.film()
  making.write_video(root / 'A_1.mp4', walk.frames)
  time_s = np.arange(360) / 250 - 0.1
  force = making.step_forces(time_s, 61.5)
  rows = ['time_s,fx_1,fy_1,fz_1,fx_2,fy_2,fz_2,px_1,py_1,px_2,py_2']
  for t, f, p in zip(time_s, force, true_pressure(time_s), strict=True):
    rows.append(','.join([f'{v:.4f}' for v in (t + 3.1, *f.ravel(), *p.ravel())]))
  (root / 'A_1.csv').write_text('\n'.join(rows) + '\n')
  making.write_manifests(root, {'A': 61.5}, [{'camera': 'right', 'video_start_s': 3.1}])
  return root


def true_pressure(time_s):
  """(N, 2, 2) metres of making's steps, also where no plate knows it."""
  places = []
  for leg, (start, lasts) in making.STEPS.items():
    share = np.clip((time_s - start) / lasts, 0, 1)
    right = leg == 'right'
    places.append(np.stack([0.55 * right + 0.2 * share, 0.1 - 0.2 * right + 0.01 * share], -1))
  return np.stack(places, 1)


def estimate_of(trial, reference):
  """Curves of the truth whose centre of pressure is 3 cm further on under the right foot."""
  curves = report_making.curves_of_plates(trial, reference)
  metres = true_pressure(curves.time_s) + OFFSET + np.array([[0, 0], [0.03, 0]])
  pressure = np.where(reference.contact[..., None], metres / 1.7, np.nan)
  feet = foot_places.FootPlaces(pressure, pressure, pressure)
  return dataclasses.replace(curves, feet=feet)


def test_against_the_plates_in_the_walkers_axes(recorded):
  (trial,) = recordings.load(recorded)
  reference = plate_reference.read_plate_reference(trial)
  known = np.isfinite(reference.pressure).all(-1)
  np.testing.assert_array_equal(known, reference.contact)
  time_s = np.arange(len(known)) / 60
  np.testing.assert_allclose(reference.pressure[known], true_pressure(time_s)[known], atol=3e-3)
  estimate = estimate_of(trial, reference)
  contacts = foot_contacts.find_contacts(estimate.time_s, estimate.force)
  errors = reference.errors(estimate, contacts, 1.7)['pressure']
  assert errors['mae_forward_cm'] == pytest.approx(1.5, abs=0.1)
  assert errors['mae_side_cm'] == pytest.approx(0, abs=0.05)
  assert errors['mae_apart_cm'] == pytest.approx(3, abs=0.1)
  assert errors['n'] == known.sum()
  # In body heights it says nothing, nor where nobody looks for the feet.
  assert reference.errors(estimate, contacts)['pressure'] is None
  without = dataclasses.replace(estimate, feet=None)
  assert reference.errors(without, contacts, 1.7)['pressure'] is None


def test_a_round_has_a_table_of_it(recorded, tmp_path):
  (trial,) = recordings.load(recorded)
  reference = plate_reference.read_plate_reference(trial)
  estimate = estimate_of(trial, reference)
  folder = tmp_path / 'predictions'
  folder.mkdir()
  (folder / 'A_1.csv').write_text(curve_files.to_csv(estimate, 1.7))
  trials = held_out_trials.read_held_out_trials(folder, recorded, ['A'])
  errors = trials.pressure_errors()
  assert errors['A'].result()['mae_forward_cm'] == pytest.approx(1.5, abs=0.1)
  folds = {'A': report_making.small_folds()['A']}
  fold_report.write_fold_report(tmp_path, folds, trials)
  _, row, _ = csv.reader((tmp_path / 'report/pressure_errors.csv').read_text().splitlines())
  assert [float(cell) for cell in row[1:4]] == pytest.approx([1.5, 0, 3], abs=0.1)
  assert row[4:] == ['1', '1', '58']
  assert 'Centre of pressure' in fold_report.fold_summary(folds, trials)
  (folder / 'A_1.csv').write_text(curve_files.to_csv(estimate))  # in body heights
  other = held_out_trials.read_held_out_trials(folder, recorded, ['A'])
  assert not other.pressure_errors()
  assert 'Centre of pressure' not in fold_report.fold_summary(folds, other)


def test_the_table_to_the_letter():
  errors = {
    'A': pressure_errors.PressureErrors((1.0, 2.0), (0.5, 0.7), (3.0, 5.0), 70),
    'B': pressure_errors.PressureErrors((2.5,), (1.0,), (), 30),
  }
  first, second, mean = csv.reader(pressure_table.pressure_table(errors).csv().splitlines()[1:])
  assert first == ['A', '1.5', '0.6', '4', '2', '2', '70']
  assert second == ['B', '2.5', '1', '', '1', '0', '30']
  assert mean == ['average', '2', '0.8', '4', '', '', '']
