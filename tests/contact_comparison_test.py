"""Estimated contacts are compared with true ones."""

import dataclasses
import json
import math

import gait_curves
import numpy as np
import pytest

from grfjax.gait import (
  contact_comparison,
  foot_contacts,
)

LEFT, RIGHT = 0, 1


def shifted(contact, start, end=None, **measures):
  """A contact that is estimated so much later, seconds."""
  end = start if end is None else end
  m = contact.measures
  moved = {
    'contact_s': m['contact_s'] + start,
    'toe_off_s': m['toe_off_s'] + end,
    'stance_s': m['stance_s'] + end - start,
  }
  return dataclasses.replace(
    contact,
    start_s=contact.start_s + start,
    end_s=contact.end_s + end,
    measures={**m, **moved, **measures},
  )


@pytest.fixture
def truth():
  """Left 0.2 to 0.8 s, right 0.7 to 1.3 s, and what is known of either leg at 100 frames/s."""
  found = foot_contacts.find_contacts(*gait_curves.walk([(LEFT, 0.2, 0.6), (RIGHT, 0.7, 0.6)]))
  time_s = np.arange(300) / 100
  known = np.stack(
    [(time_s > 0.15) & (time_s < 1.1), (time_s > 0.4) & (time_s < 1.35)], 1
  )  # on the plate, and in the air while the other leg carries the body
  return found, time_s, known


def test_errors_exactly(truth):
  found, time_s, known = truth
  left, right = found
  peak = left.measures['first_peak_bw']
  estimated = [
    shifted(left, 0.010, -0.020, first_peak_bw=peak + 0.05, valley_bw=math.nan),
    shifted(right, -0.030, -0.010, first_peak_bw=peak - 0.01),
  ]
  result = contact_comparison.compare_contacts(estimated, found, time_s, known).result()
  counts = {k: result[k] for k in ('true', 'matched', 'missed', 'invented', 'unjudged')}
  assert counts == {'true': 2, 'matched': 2, 'missed': 0, 'invented': 0, 'unjudged': 0}
  error = lambda mae, bias, n=2, undefined=0: {
    'mae': pytest.approx(mae, abs=1e-9), 'bias': pytest.approx(bias, abs=1e-9),
    'n': n, 'undefined': undefined,
  }  # fmt: skip
  assert result['contact_ms'] == error(20, -10)
  assert result['toe_off_ms'] == error(15, -15)
  assert result['stance_ms'] == error(25, -5)
  assert result['first_peak_pct_bw'] == error(3, 2)
  assert result['valley_pct_bw'] == error(0, 0, 1, 1)
  assert result['second_peak_pct_bw'] == error(0, 0)
  assert result['missed_pct'] == result['invented_pct'] == 0


def test_missed_and_swapped_legs(truth):
  """Left and right taken for each other: the true one missed, the other invented in the air."""
  found, time_s, known = truth
  left, right = found
  swapped = dataclasses.replace(shifted(right, 0.1), leg='left')  # 0.8 to 1.4 s
  got = contact_comparison.compare_contacts([left, swapped], found, time_s, known)
  assert got.missed == [right]
  # The left foot is known to be in the air until 1.1 s: half of the time.
  assert len(got.invented) + len(got.unjudged) == 1
  swapped = dataclasses.replace(shifted(right, 0.05), leg='left')
  got = contact_comparison.compare_contacts([left, swapped], found, time_s, known)
  assert (got.missed, got.invented) == ([right], [swapped])
  assert got.result()['missed_pct'] == got.result()['invented_pct'] == 50


def test_a_step_beside_the_plates_is_not_judged(truth):
  found, time_s, known = truth
  beside = shifted(found[0], 1.0)  # left again, 1.2 to 1.8 s
  got = contact_comparison.compare_contacts([*found, beside], found, time_s, known)
  assert (got.invented, got.unjudged) == ([], [beside])
  got = contact_comparison.compare_contacts([*found, beside], found, time_s, np.ones_like(known))
  assert (got.invented, got.unjudged) == ([beside], [])


def test_a_second_contact_within_a_stance_is_invented(truth):
  found, time_s, known = truth
  left = found[0]
  one, two = shifted(left, 0, -0.35), shifted(left, 0.3, 0)
  got = contact_comparison.compare_contacts([one, two, found[1]], found, time_s, known)
  assert got.matched == [(left, one), (found[1], found[1])]
  assert (got.missed, got.invented) == ([], [two])


def test_too_far_off_is_missed_and_invented(truth):
  found, time_s, known = truth
  for late, matched in ((0.19, 2), (0.21, 1)):
    estimated = [shifted(found[0], late), found[1]]
    got = contact_comparison.compare_contacts(estimated, found, time_s, known)
    assert len(got.matched) == matched
    assert len(got.missed) == len(got.invented) == 2 - matched


def test_the_nearest_is_matched(truth):
  found, time_s, known = truth
  far, near = shifted(found[0], -0.1), shifted(found[0], 0.02)
  got = contact_comparison.compare_contacts([far, near], found[:1], time_s, known)
  assert got.matched == [(found[0], near)]


def test_cut_off_contacts_are_matched_by_what_is_left(truth):
  found, time_s, known = truth
  left, right = found
  cut = lambda c, name: dataclasses.replace(c, measures={**c.measures, name: math.nan})
  late = dataclasses.replace(cut(left, 'contact_s'), start_s=0.5)
  got = contact_comparison.compare_contacts([late, cut(right, 'toe_off_s')], found, time_s, known)
  assert len(got.matched) == 2
  assert got.result()['contact_ms']['n'] == 1
  assert got.result()['contact_ms']['undefined'] == 1
  inside = cut(late, 'toe_off_s')
  assert len(contact_comparison.compare_contacts([inside], [left], time_s, known).matched) == 1
  assert not contact_comparison.compare_contacts([dataclasses.replace(inside, leg='right')], [left],
                                 time_s, known).matched  # fmt: skip


def test_what_was_not_filmed_is_not_missed(truth):
  found, time_s, known = truth
  late = time_s > 0.6  # the left stance's last third
  got = contact_comparison.compare_contacts([], found, time_s[late], known[late])
  assert got.missed == [found[1]]
  got = contact_comparison.compare_contacts([], found, np.empty(0), np.empty((0, 2), bool))
  assert got.result()['true'] == 0
  assert got.result()['missed_pct'] is None
  assert got.result()['contact_ms'] == {'mae': None, 'bias': None, 'n': 0, 'undefined': 0}


def test_trials_merge(truth):
  found, time_s, known = truth
  estimated = [shifted(found[0], 0.01)]
  one = contact_comparison.compare_contacts(estimated, found, time_s, known)
  two = contact_comparison.compare_contacts([*found, shifted(found[0], 0.55)], found, time_s, known)
  both = one.merge(two)
  for name in ('true', 'matched', 'missed', 'invented', 'unjudged'):
    assert both.result()[name] == one.result()[name] + two.result()[name]
  np.testing.assert_array_equal(
    both.pairs('stance_s'), np.concatenate([one.pairs('stance_s'), two.pairs('stance_s')])
  )
  assert both.result()['contact_ms']['bias'] == pytest.approx(10 / 3)
  assert len(one.missed) == 1  # left as they were
  json.dumps(both.result(), allow_nan=False)


@pytest.mark.parametrize('known', [np.ones((300, 1), bool), np.ones((300, 2))])
def test_a_wrong_mask_is_refused(truth, known):
  found, time_s, _ = truth
  with pytest.raises(ValueError, match='known'):
    contact_comparison.compare_contacts(found, found, time_s, known)
