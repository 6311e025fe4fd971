"""Tests of the errors of the centre of pressure: one offset a trial, and steps."""

import numpy as np
import pytest

from grfjax.evaluation import pressure_errors
from grfjax.gait import foot_contacts

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
