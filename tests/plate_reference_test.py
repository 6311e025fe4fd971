"""What plates measured, on the clock of the video."""

import dataclasses

import pytest
import report_making

from grfjax import conventions
from grfjax.evaluation import plate_reference
from grfjax.gait import foot_contacts
from grfjax.io import recordings


@pytest.fixture
def trial(recordings_dir):
  return recordings.load(recordings_dir)[1]  # the camera is at the right


def test_truth_is_on_the_videos_clock_by_leg(trial):
  found = plate_reference.read_plate_reference(trial)
  estimate = report_making.curves_of_plates(trial, found)
  first = {leg: next(c for c in found.contacts if c.leg == leg) for leg in conventions.LEGS}
  # As the set was made: left from 0.25 s for 0.5 s, right from 0.65 s; y to the walker's left.
  assert first['left'].start_s == pytest.approx(0.25, abs=0.01)
  assert first['right'].end_s == pytest.approx(1.15, abs=0.01)
  middle = round(60 * 0.5)
  assert found.force[middle, 0, 0] == pytest.approx(0.8, abs=0.02)
  assert found.force[middle, 0, 2] == pytest.approx(-0.05, abs=0.005)
  assert found.stances['left'].shape == (1, 101, 3)
  errors = found.errors(estimate, foot_contacts.find_contacts(estimate.time_s, estimate.force))
  assert errors['vertical']['mae_pct_bw'] == pytest.approx(0, abs=1e-3)
  assert errors['contacts']['matched'] == 2
  assert errors['contacts']['missed'] == errors['contacts']['invented'] == 0
  off = dataclasses.replace(estimate, force=estimate.force + [0.1, 0, 0])
  errors = found.errors(off, [])
  assert errors['vertical']['bias_pct_bw'] == pytest.approx(10, abs=1e-3)
  assert errors['contacts']['missed'] == 2


def test_no_truth_without_forces_or_a_clock(trial):
  for change in ({'force': None}, {'plates': ()}, {'video_start_s': None}):
    assert plate_reference.read_plate_reference(dataclasses.replace(trial, **change)) is None
