"""Contacts, strides and stance curves of force curves whose answers are known."""

import math

import gait_curves
import numpy as np
import pytest

from grfjax.gait import (
  contact_thresholds,
  foot_contacts,
  gait_measures,
  stances,
  summaries,
)

LEFT, RIGHT = 0, 1


def test_times_between_samples():
  time_s = np.arange(51) / 50
  contact = gait_curves.only(time_s, gait_curves.trapezoid(time_s))
  assert (contact.leg, contact.whole_start, contact.whole_end) == ('left', True, True)
  assert contact.start_s == pytest.approx(0.105, abs=1e-12)  # 0.05 BW at 10 BW/s
  assert contact.end_s == pytest.approx(0.795, abs=1e-12)
  assert contact.measures['contact_s'] == contact.start_s
  assert contact.measures['toe_off_s'] == contact.end_s
  assert contact.measures['stance_s'] == pytest.approx(0.69, abs=1e-12)


def test_uneven_frames_give_the_same():
  time_s = np.array([0, 0.1, 0.13, 0.2, 0.31, 0.5, 0.7, 0.75, 0.8, 0.9])
  contact = gait_curves.only(time_s, gait_curves.trapezoid(time_s, RIGHT))
  assert contact.leg == 'right'
  assert [contact.start_s, contact.end_s] == pytest.approx([0.105, 0.795], abs=1e-12)


def test_another_threshold():
  time_s = np.arange(51) / 50
  contact = gait_curves.only(time_s, gait_curves.trapezoid(time_s), threshold_bw=0.1)
  assert [contact.start_s, contact.end_s] == pytest.approx([0.11, 0.79], abs=1e-12)


def test_contacts_of_both_legs_in_order():
  found = foot_contacts.find_contacts(*gait_curves.walk(gait_curves.alternate()))
  assert [c.leg for c in found] == ['left', 'right'] * 3
  np.testing.assert_allclose([c.start_s for c in found], 0.2 + 0.5 * np.arange(6), atol=0.01)


def test_ripple_in_the_air_is_no_contact_and_moves_none():
  time_s, force = gait_curves.walk(gait_curves.alternate(), rate=60)
  rng = np.random.default_rng(0)
  ripple = rng.uniform(-0.05, 0.05, force.shape[:2]) * (force[:, :, 0] == 0)
  noisy = force.copy()
  noisy[:, :, 0] += ripple
  noisy[:, :, 0] += 0.2 * (np.abs(time_s - 1.0) < 0.03)[:, None] * [1, 0]  # a bump in swing
  clean, found = (
    foot_contacts.find_contacts(time_s, force),
    foot_contacts.find_contacts(time_s, noisy),
  )
  assert [c.leg for c in found] == [c.leg for c in clean]
  for a, b in zip(clean, found, strict=True):
    assert abs(a.start_s - b.start_s) < 0.012
    assert abs(a.end_s - b.end_s) < 0.012


def test_a_blob_beside_a_stance_does_not_lengthen_it():
  time_s, force = gait_curves.walk([(LEFT, 1.0, 0.6)], rate=100)
  blob = force.copy()
  blob[(time_s > 0.925) & (time_s < 0.975), LEFT, 0] = 0.15
  assert gait_curves.only(time_s, blob).start_s == gait_curves.only(time_s, force).start_s


def test_a_dip_within_stance_parts_nothing_a_swing_does():
  time_s, force = gait_curves.walk([(LEFT, 0.5, 1.0)])
  dip = force.copy()
  dip[(time_s > 0.95) & (time_s < 1.05), LEFT, 0] = 0.0
  assert (
    gait_curves.only(time_s, dip).measures['stance_s']
    == gait_curves.only(time_s, force).measures['stance_s']
  )
  dip[(time_s > 0.9) & (time_s < 1.1), LEFT, 0] = 0.0
  parts = foot_contacts.find_contacts(time_s, dip)
  assert [(c.whole_start, c.whole_end) for c in parts] == [(True, True)] * 2


def test_swing_that_does_not_reach_the_air_leaves_its_ends_unknown():
  time_s, force = gait_curves.walk([(LEFT, 0.2, 0.6), (LEFT, 1.2, 0.6)])
  force[:, LEFT, 0] = np.maximum(force[:, LEFT, 0], 0.06 + 0.1 * np.abs(time_s - 1.0))
  one, two = foot_contacts.find_contacts(time_s, force)
  assert not one.whole_end
  assert not two.whole_start
  assert one.end_s == two.start_s == pytest.approx(1.0, abs=1e-9)
  assert math.isnan(one.measures['stance_s'])


@pytest.mark.parametrize(
  ('duration', 'peak', 'count'), [(0.15, 1.0, 0), (0.3, 0.29, 0), (0.3, 0.4, 1)]
)
def test_too_short_or_too_light_is_no_contact(duration, peak, count):
  time_s, force = gait_curves.walk(
    [(LEFT, 1, duration)], shape=lambda u: gait_curves.half_sine(u, peak)
  )
  assert len(foot_contacts.find_contacts(time_s, force)) == count


def test_cut_off_by_the_beginning_and_the_end():
  time_s, force = gait_curves.walk([(LEFT, 0.0, 0.6), (RIGHT, 0.6, 0.6)])
  part = (time_s >= 0.2) & (time_s <= 1.0)
  one, two = foot_contacts.find_contacts(time_s[part], force[part])
  assert (one.leg, one.whole_start, one.whole_end, one.start_s) == ('left', False, True, 0.2)
  assert (two.leg, two.whole_start, two.whole_end, two.end_s) == ('right', True, False, 1.0)
  assert one.measures['toe_off_s'] == one.end_s
  assert two.measures['contact_s'] == two.start_s
  for contact, known in ((one, {'toe_off_s'}), (two, {'contact_s'})):
    assert {name for name, v in contact.measures.items() if not math.isnan(v)} == known


def test_a_gap_cuts_a_contact_and_nothing_is_measured_across_it():
  steps = gait_curves.alternate()
  time_s, force = gait_curves.walk(steps)
  gap = force.copy()
  gap[(time_s > 1.5) & (time_s < 1.55)] = np.nan  # within the third step, of the left foot
  found = foot_contacts.find_contacts(time_s, gap)
  lefts = [c for c in found if c.leg == 'left']
  assert [(c.whole_start, c.whole_end) for c in lefts] == [
    (True, True), (True, False), (False, True), (True, True),
  ]  # fmt: skip
  steps_s = [c.measures['step_s'] for c in found if c.whole_start]
  # Before the gap: 2nd, 3rd. The 4th begins at 1.7, the 3rd began before the gap.
  np.testing.assert_array_equal(np.isnan(steps_s), [True, False, False, True, False, False])
  strides = [c.measures['stride_s'] for c in found if c.whole_start]
  np.testing.assert_array_equal(np.isnan(strides), [False, True, True, False, True, True])


def test_two_walks_with_a_gap_between():
  time_s, force = gait_curves.walk(gait_curves.alternate(4))
  both = np.concatenate([force, np.full((500, 2, 3), np.nan), force])
  found = foot_contacts.find_contacts(np.arange(len(both)) / 1000, both)
  once = foot_contacts.find_contacts(time_s, force)
  assert len(found) == 8
  for a, b in zip(once, found[4:], strict=True):
    same = {n: v for n, v in a.measures.items() if n in gait_measures.MEASURES}
    assert {n: b.measures[n] for n in same} == pytest.approx(same, nan_ok=True, rel=1e-9)


def test_a_stretch_of_one_sample():
  force = np.full((3, 2, 1), np.nan)
  force[1] = 1.0
  found = foot_contacts.find_contacts(np.arange(3.0), force)
  assert [(c.start_s, c.end_s, c.whole_start, c.whole_end) for c in found] == [
    (1, 1, False, False)
  ] * 2


@pytest.mark.parametrize('axes', [1, 3])
@pytest.mark.parametrize('fill', [None, 0.0, np.nan])
def test_nothing_there(axes, fill):
  time_s = np.arange(0 if fill is None else 50) / 50
  force = np.full((len(time_s), 2, axes), 0.0 if fill is None else fill)
  assert foot_contacts.find_contacts(time_s, force) == []
  told = summaries.as_dict([])
  assert told['summary']['left']['stance_s'] == {'mean': None, 'sd': None, 'n': 0}
  assert told['summary']['cadence_steps_per_min'] == {'mean': None, 'n': 0}
  assert set(told['summary']['symmetry_index_pct'].values()) == {None}
  assert foot_contacts.stance_curves(time_s, force, [])['left'].shape == (0, 101, axes)


@pytest.mark.parametrize(
  ('time_s', 'force', 'match'),
  [
    (np.arange(3), np.zeros((3, 2)), 'expected'),
    (np.arange(3), np.zeros((3, 2, 2)), 'expected'),
    (np.arange(3), np.zeros((4, 2, 3)), 'expected'),
    (np.zeros((3, 1)), np.zeros((3, 2, 3)), 'expected'),
    (np.array([0, 1, 1]), np.zeros((3, 2, 3)), 'increase'),
    (np.array([0, np.nan, 1]), np.zeros((3, 2, 3)), 'finite'),
  ],
)
def test_what_does_not_fit_is_refused(time_s, force, match):
  with pytest.raises(ValueError, match=match):
    foot_contacts.find_contacts(time_s, force)
  with pytest.raises(ValueError, match=match):
    foot_contacts.stance_curves(time_s, force, [])


@pytest.mark.parametrize('threshold_bw', [0, -0.1, 0.3, math.nan])
def test_a_threshold_without_sense_is_refused(threshold_bw):
  with pytest.raises(ValueError, match='threshold_bw'):
    foot_contacts.find_contacts(np.arange(3), np.zeros((3, 2, 1)), threshold_bw)


def test_steps_strides_and_double_support():
  """Trapezoids: contact and toe-off each 5 ms inside 0.6 s, steps of 0.44 and 0.56 s."""
  ramps = lambda u: np.interp(u, [0, 1 / 6, 5 / 6, 1], [0, 1, 1, 0])
  steps = [
    (LEFT, 0.2, 0.6),
    (RIGHT, 0.64, 0.6),
    (LEFT, 1.2, 0.6),
    (RIGHT, 1.64, 0.6),
  ]
  found = foot_contacts.find_contacts(*gait_curves.walk(steps, shape=ramps, rate=100))
  step_s, stride_s, double = (
    [c.measures[name] for c in found] for name in ('step_s', 'stride_s', 'double_support_pct')
  )
  assert step_s == pytest.approx([math.nan, 0.44, 0.56, 0.44], nan_ok=True)
  assert stride_s == pytest.approx([1.0, 1.0, math.nan, math.nan], nan_ok=True)
  # Stance 0.59 s: left ends 0.15 s after right begins, right ends 0.03 s after left begins.
  # Where the right foot stood when the first stride began was not seen.
  assert double == pytest.approx([math.nan, 18, math.nan, math.nan], nan_ok=True)
  whole = foot_contacts.find_contacts(
    *gait_curves.walk([*steps, (LEFT, 2.2, 0.6)], shape=ramps, rate=100)
  )
  assert whole[2].measures['double_support_pct'] == pytest.approx(18)
  cadence = summaries.summarize(found)['cadence_steps_per_min']
  assert cadence['n'] == 3
  assert cadence['mean'] == pytest.approx(60 / 0.48)


def test_no_double_support_in_running():
  found = foot_contacts.find_contacts(
    *gait_curves.walk(gait_curves.alternate(4, step=0.4, stance=0.3))
  )
  assert found[1].measures['double_support_pct'] == 0


def test_double_support_of_a_walk_that_begins_in_mid_stance():
  time_s, force = gait_curves.walk([(RIGHT, 0.0, 0.6), *gait_curves.alternate(4, first=0.5)])
  part = time_s > 0.3
  left = next(c for c in foot_contacts.find_contacts(time_s[part], force[part]) if c.leg == 'left')
  assert math.isnan(left.measures['step_s'])  # the right foot's initial contact was not seen
  assert left.measures['double_support_pct'] == pytest.approx(20, abs=2)


def test_a_missed_contact_makes_no_long_step_or_stride():
  steps = gait_curves.alternate(6)
  found = foot_contacts.find_contacts(*gait_curves.walk(steps[:2] + steps[3:]))  # L R _ R L R
  assert [c.leg for c in found] == ['left', 'right', 'right', 'left', 'right']
  nan = math.nan
  assert [c.measures['step_s'] for c in found] == pytest.approx(
    [nan, 0.5, nan, 0.5, 0.5], nan_ok=True, abs=1e-3
  )
  assert [c.measures['stride_s'] for c in found] == pytest.approx(
    [nan, nan, 1.0, nan, nan], nan_ok=True, abs=1e-3
  )


def test_one_leg_alone_has_strides_but_no_steps():
  time_s, force = gait_curves.walk(gait_curves.alternate())
  force[:, RIGHT] = np.nan
  found = foot_contacts.find_contacts(time_s, force)
  assert [c.measures['stride_s'] for c in found[:2]] == pytest.approx([1, 1], abs=1e-3)
  assert all(math.isnan(c.measures['step_s']) for c in found)
  assert all(math.isnan(c.measures['double_support_pct']) for c in found)
  assert math.isnan(summaries.summarize(found)['symmetry_index_pct']['stance_s'])


def test_stance_curves():
  time_s, force = gait_curves.walk([*gait_curves.alternate(4), (LEFT, 2.8, 0.6)])
  found = foot_contacts.find_contacts(time_s, force)
  curves = foot_contacts.stance_curves(time_s, force, found)
  assert [c.leg for c in found].count('left') == 3
  assert curves['left'].shape == (2, stances.POINTS, 3)  # the third is cut off
  assert curves['right'].shape == (2, stances.POINTS, 3)
  np.testing.assert_allclose(
    curves['left'][:, [0, -1], 0], contact_thresholds.CONTACT_BW, atol=1e-9
  )
  whole = next(c for c in found if c.leg == 'left')
  u = (np.linspace(whole.start_s, whole.end_s, 101) - 0.2) / 0.6
  np.testing.assert_allclose(curves['left'][0, :, 0], gait_curves.two_peaks(u), atol=1e-4)
  np.testing.assert_allclose(curves['left'][0, :, 1], -0.2 * np.sin(2 * np.pi * u), atol=1e-4)
  one = foot_contacts.stance_curves(time_s, force[:, :, :1], found)
  np.testing.assert_array_equal(one['right'], curves['right'][:, :, :1])
