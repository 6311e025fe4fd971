"""Tests of grfjax.data.force_labels: what the plates decide of either leg."""

import pathlib

import numpy as np
import pytest
from plates import BW, stance, two_steps

from grfjax import conventions
from grfjax.data import force_labels, plate_checks, plate_contacts
from grfjax.io import force_files, recordings

REALGAIT = pathlib.Path(__file__).parents[1] / '../shared/realgait'


def frames_of(t, rate=60):
  return np.arange(t[0], t[-1], 1 / rate)


def test_labels_of_two_steps():
  t, force = two_steps()
  at = frames_of(t)
  got, known, contact = force_labels.label_legs(
    {'left': force[:, 0], 'right': force[:, 1]}, t, at, BW
  )
  assert got.shape == (len(at), 2, 3)
  mean, inside = plate_contacts.window_means(t, force, at)
  judged = inside[:, None] & (np.nan_to_num(mean[:, :, 2]) > 20)
  np.testing.assert_array_equal(contact, judged)  # every frame the judge counts has a label
  np.testing.assert_allclose(got[contact], mean[contact])
  off = plate_contacts.find_contacts(t, force[:, 0, 2])[0].end_s
  on = plate_contacts.find_contacts(t, force[:, 1, 2])[0].start_s
  air = known & ~contact
  # Air begins at the left's own toe-off without a gap, and ends well before the right's.
  assert known[(at > off) & (at < off + 0.2), 0].all()
  assert known[(at > on - 0.1) & (at < on), 1].all()
  assert air.sum(0).min() >= 8
  assert (got[(at > off + 0.02) & known[:, 0], 0] == 0).all()
  # Before the first contact and after the last nothing is known of the legs.
  assert not known[at < 0.3].any()
  assert not known[at > 1.65].any()
  assert (got[~known] == 0).all()


def walk(double, lasts, shape, seen, rate=500):
  """Legs that alternate for 6 stances; the plates see the stances in `seen`.

  Returns time_s, the true (N, 2, 3) of both legs, and what plates read, leg by leg.
  """
  half_stride = lasts * (1 - double)
  t = np.arange(int((5 * half_stride + lasts) * rate)) / rate
  true, plates = np.zeros((len(t), 2, 3)), {}
  for i in range(6):
    force = stance(t, i * half_stride, lasts, shape, double)
    true[:, i % 2] += force
    if i in seen:
      leg = conventions.LEGS[i % 2]
      plates[leg] = plates.get(leg, 0) + force
  return t, true, plates


@pytest.mark.parametrize('seen', [(2,), (3,), (2, 3), (3, 4), (2, 3, 4), (2, 4), range(6)], ids=str)
@pytest.mark.parametrize('shape', ['two peaks', 'flat'])
def test_floor_is_never_taken_for_air(shape, seen):
  """Brisk to very slow walking: a label is the truth or is not given."""
  labelled = 0
  for lasts in (0.45, 0.55, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0):
    slow = [0.33] * (lasts >= 1.0) + [0.36] * (lasts >= 1.25)
    for double in (0.1, 0.13, 0.16, 0.2, 0.25, 0.29, *slow):
      t, true, plates = walk(double, lasts, shape, seen)
      at = frames_of(t)
      got, known, contact = force_labels.label_legs(plates, t, at, BW)
      mean, _ = plate_contacts.window_means(t, true, at)
      wrong = np.abs(got - mean)[known]
      assert wrong.max() < 1e-6 * BW, (lasts, double)
      labelled += (known & ~contact).sum()
  assert labelled > 100


def test_all_of_a_treadmill_is_known():
  t, _, plates = walk(0.15, 0.65, 'two peaks', range(6))
  at = frames_of(t)
  _, known, _ = force_labels.label_legs(plates, t, at, BW)
  inner = (at > 0.7) & (at < t[-1] - 0.7)
  assert known[inner].all()


def test_one_plate_tells_of_the_other_leg():
  t, _, plates = walk(0.15, 0.65, 'two peaks', (2,))
  at = frames_of(t)
  got, known, contact = force_labels.label_legs(plates, t, at, BW)
  assert list(plates) == ['left']
  assert known[:, 1].sum() >= 10
  assert not contact[:, 1].any()
  assert (got[:, 1] == 0).all()
  # Of the left itself only its contact is known, with no zeros around it.
  c = plate_contacts.find_contacts(t, plates['left'][:, 2])[0]
  assert not known[(at < c.start_s - 1 / 60) | (at > c.end_s + 1 / 60), 0].any()


@pytest.mark.parametrize('cut', ['start', 'end'])
def test_a_contact_cut_by_the_recording_says_nothing_of_the_other_leg(cut):
  t, _, plates = walk(0.15, 0.65, 'two peaks', (2,))
  c = plate_contacts.find_contacts(t, plates['left'][:, 2])[0]
  keep = t > c.start_s + 0.1 if cut == 'start' else t < c.end_s - 0.1
  t, left = t[keep], plates['left'][keep]
  at = frames_of(t)
  _, known, contact = force_labels.label_legs({'left': left}, t, at, BW)
  assert contact[:, 0].sum() > 20
  assert not known[:, 1].any()


def test_standing_on_a_plate_says_nothing_of_the_other_leg():
  t = np.arange(4000) / 1000
  left = stance(t, 0.5, 2.5, 'flat', 0.1)
  _, known, _ = force_labels.label_legs({'left': left}, t, frames_of(t), BW)
  assert not known[:, 1].any()


def test_a_leg_that_carries_half_says_nothing_of_the_other():
  t = np.arange(2000) / 1000
  left = stance(t, 0.5, 0.65, 'flat', 0.15)
  for scale, expected in ((0.6, False), (1.0, True)):
    _, known, _ = force_labels.label_legs({'left': left * scale}, t, frames_of(t), BW)
    assert known[:, 1].any() == expected


def test_a_scuff_is_not_air():
  t, force = two_steps()
  at = frames_of(t)
  clean = force_labels.label_legs({'left': force[:, 0], 'right': force[:, 1]}, t, at, BW)[1]
  scuffed = force[:, 0].copy()
  scuff = (t > 1.15) & (t < 1.2)
  scuffed[scuff, 2] = 80
  got, known, _ = force_labels.label_legs({'left': scuffed, 'right': force[:, 1]}, t, at, BW)
  during = (at > 1.15) & (at < 1.2)
  assert clean[during, 0].all()
  assert not known[during, 0].any()
  assert (got[during, 0] == 0).all()


def test_no_plates_and_no_frames():
  t, force = two_steps()
  assert not force_labels.label_legs({}, t, frames_of(t), BW)[1].any()
  got, known, contact = force_labels.label_legs({'left': force[:, 0]}, t, np.array([]), BW)
  assert (got.shape, known.shape, contact.shape) == ((0, 2, 3), (0, 2), (0, 2))


def test_windows_over_the_edge_of_the_recording_are_unknown():
  t = np.arange(1000) / 1000
  left = stance(t, -0.2, 0.6)
  _, known, _ = force_labels.label_legs(
    {'left': left}, t, np.array([-0.1, 0.0, 0.008, 0.009, 0.2]), BW
  )
  assert known[:, 0].tolist() == [False, False, False, True, True]


def test_realgait_labels_hold_every_frame_the_judge_counts():
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  for trial in recordings.load(REALGAIT)[::10]:
    plates = force_files.read(trial.force, trial.plates)
    plate_checks.check_plausible(plates, trial.subject.body_mass_kg)
    legs = plate_contacts.leg_forces(plates, trial.plates)
    at = trial.video_start_s + np.arange(120) / 60
    at = at[at < plates.time_s[-1] - 0.02]
    _, known, contact = force_labels.label_legs(
      legs, plates.time_s, at, trial.subject.body_mass_kg * conventions.G
    )
    for i, leg in enumerate(conventions.LEGS):
      mean, inside = plate_contacts.window_means(plates.time_s, legs[leg], at)
      np.testing.assert_array_equal(contact[:, i], inside & (mean[:, 2] > 20))
    assert (known & ~contact).sum(0).min() >= 12
