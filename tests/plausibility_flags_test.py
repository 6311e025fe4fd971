"""Checks of whether force curves can be right."""

import dataclasses
import re

import numpy as np
import pytest
import report_making

from grfjax.gait import foot_contacts, plausibility


def flags_of(force, **how):
  estimate = dataclasses.replace(report_making.make_curves(force), **how)
  return plausibility.check_plausibility(
    estimate, foot_contacts.find_contacts(estimate.time_s, estimate.force)
  )


def test_a_sound_walk_has_no_flag():
  judged = flags_of(report_making.walk())
  assert judged.flags == ()
  assert (judged.walks, judged.contacts, judged.cut_off, judged.strides) == (1, 6, 0, 4)


def test_both_legs_over_a_stride_by_formula():
  """The mean of a stance's curve is 2.4 / pi of its scale; two of 0.6 s in a stride of 1 s."""
  estimate = report_making.make_curves(report_making.walk(peak=1.0))
  totals = plausibility.stride_totals(
    estimate, foot_contacts.find_contacts(estimate.time_s, estimate.force)
  )
  assert totals[1:] == pytest.approx(2.4 / np.pi * 1.2, abs=0.005)
  assert totals[0] < totals[1]  # no foot stood there before the first


def test_gaps_are_counted_and_said():
  force = np.concatenate([report_making.walk(), np.full((30, 2, 3), np.nan), report_making.walk()])
  force[:5, 1] = np.nan
  judged = flags_of(force)
  assert judged.walks == 2
  assert judged.without_estimate == {'left': 30, 'right': 35}
  text = ' '.join(judged.flags)
  assert '30 of 438 frames have no estimate' in text
  assert 'right leg has no estimate in 5 frames of the walk' in text
  assert '2 walks' in text


def test_cut_off_contacts_are_said():
  assert '1 of 6 contacts are not seen whole' in ' '.join(flags_of(report_making.walk()[20:]).flags)


def test_nothing_is_said_to_be_nothing():
  judged = flags_of(np.full((30, 2, 3), np.nan))
  assert judged.walks == judged.contacts == judged.strides == 0
  assert judged.mean_total_bw is None
  text = ' '.join(judged.flags)
  assert 'There is no estimate of the left leg' in text
  assert 'No whole contact was seen' in text


def test_one_leg_is_not_blamed_for_the_other():
  judged = flags_of(np.where([[[1], [0]]], report_making.walk(), np.nan), near_only=True)
  assert judged.flags == (
    'There is no estimate of the right leg (the network knows the near leg alone).',
  )


def without_third(force):
  force[round(60 * 1.1) : round(60 * 2.0), 0] = 0
  return force


@pytest.mark.parametrize(
  ('force', 'flag'),
  [
    (report_making.walk(peak=1.7), 'left leg reaches 1.69 BW; walking does not exceed 1.6 BW'),
    (report_making.walk(peak=1.3), 'carry 1.1[0-9] BW on average; it must be 1'),
    (report_making.walk(peak=0.8), 'carry 0.7[0-9] BW on average; it must be 1'),
    (
      report_making.walk(steps=12, stance=0.25, step=0.28),
      'cadence of 21[0-9] steps a minute is outside 40',
    ),
    (
      report_making.walk(steps=4, stance=1.2, step=1.6),
      'cadence of 3[78] steps a minute is outside 40',
    ),
    (
      report_making.walk(steps=8, stance=0.4, step=0.36),
      'cadence of 16[0-9] steps .* may be sped up.* --speed',
    ),
    (
      report_making.walk(steps=4, stance=1.2, step=1.3),
      'cadence of 4[67] steps .* may be slowed down.* --speed',
    ),
    (
      report_making.walk(stance=0.3, step=0.5),
      'contact of the left foot at 0.20 s lasts 0.30 s; in walking',
    ),
    (report_making.walk(stance=1.6, step=1.2), 'foot at 0.21 s lasts 1.58 s; in walking'),
    (
      np.maximum(report_making.walk(steps=4), 0.1),
      'right leg does not fall to 0 between two contacts',
    ),
    (without_third(report_making.walk()), 'right foot touches down twice in a row'),
  ],
)
def test_what_cannot_be_is_said(force, flag):
  assert re.search(flag, ' '.join(flags_of(force).flags))
