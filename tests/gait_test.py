"""Gait measures of curves whose answers are known, and of real forces against another way."""

import csv
import dataclasses
import json
import math
import pathlib

import numpy as np
import pytest
import scipy.integrate
import scipy.signal

from grfjax.gait import (
  constants,
  contact_comparison,
  foot_contacts,
  gait_measures,
  stances,
  summaries,
)

REALGAIT = pathlib.Path(__file__).parents[1] / '../shared/realgait'
G = 9.80665
LEFT, RIGHT = 0, 1


def half_sine(u, peak=1.0):
  return peak * np.sin(np.pi * u)


def two_peaks(u):
  """2 s - 1.2 s^3 of s = sin(pi u): peaks where s^2 = 5/9, valley 0.8 at half of stance."""
  return 1.1 * np.sin(np.pi * u) + 0.3 * np.sin(3 * np.pi * u)


PEAK = 4 / 3 * math.sqrt(5 / 9)  # of two_peaks
PEAK_AT = math.asin(math.sqrt(5 / 9)) / math.pi

# Corners of a curve of straight lines: peaks 1.2 and 1.0, valley 0.7, rise 1.2 BW in 0.2 of stance.
CORNERS = ([0, 0.2, 0.45, 0.8, 1], [0, 1.2, 0.7, 1.0, 0])


def lines(u):
  return np.interp(u, *CORNERS)


def walk(steps, *, shape=two_peaks, rate=1000, lasts=3.0, axes=3):
  """Forces of contacts (leg, start, duration); forward is one sine wave, 0.2 high."""
  time_s = np.arange(round(lasts * rate) + 1) / rate
  force = np.zeros((len(time_s), 2, axes))
  for leg, start, duration in steps:
    u = (time_s - start) / duration
    on = (u >= 0) & (u <= 1)
    force[on, leg, 0] += shape(u[on])
    if axes == 3:
      force[on, leg, 1] -= 0.2 * np.sin(2 * np.pi * u[on])
  return time_s, force


def alternate(count=6, first=0.2, step=0.5, stance=0.6):
  return [(k % 2, first + k * step, stance) for k in range(count)]


def only(time_s, force, **kwargs):
  (contact,) = foot_contacts.find_contacts(time_s, force, **kwargs)
  return contact


def trapezoid(time_s, leg=LEFT, axes=1):
  """A contact whose corners are samples: 0.2 BW more with each 0.02 s, up and down again."""
  force = np.zeros((len(time_s), 2, axes))
  force[:, leg, 0] = np.interp(time_s, [0.1, 0.2, 0.7, 0.8], [0, 1, 1, 0])
  return force


# --- contacts


def test_times_between_samples():
  time_s = np.arange(51) / 50
  contact = only(time_s, trapezoid(time_s))
  assert (contact.leg, contact.whole_start, contact.whole_end) == ('left', True, True)
  assert contact.start_s == pytest.approx(0.105, abs=1e-12)  # 0.05 BW at 10 BW/s
  assert contact.end_s == pytest.approx(0.795, abs=1e-12)
  assert contact.measures['contact_s'] == contact.start_s
  assert contact.measures['toe_off_s'] == contact.end_s
  assert contact.measures['stance_s'] == pytest.approx(0.69, abs=1e-12)


def test_uneven_frames_give_the_same():
  time_s = np.array([0, 0.1, 0.13, 0.2, 0.31, 0.5, 0.7, 0.75, 0.8, 0.9])
  contact = only(time_s, trapezoid(time_s, RIGHT))
  assert contact.leg == 'right'
  assert [contact.start_s, contact.end_s] == pytest.approx([0.105, 0.795], abs=1e-12)


def test_another_threshold():
  time_s = np.arange(51) / 50
  contact = only(time_s, trapezoid(time_s), threshold_bw=0.1)
  assert [contact.start_s, contact.end_s] == pytest.approx([0.11, 0.79], abs=1e-12)


def test_contacts_of_both_legs_in_order():
  found = foot_contacts.find_contacts(*walk(alternate()))
  assert [c.leg for c in found] == ['left', 'right'] * 3
  np.testing.assert_allclose([c.start_s for c in found], 0.2 + 0.5 * np.arange(6), atol=0.01)


def test_ripple_in_the_air_is_no_contact_and_moves_none():
  time_s, force = walk(alternate(), rate=60)
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
  time_s, force = walk([(LEFT, 1.0, 0.6)], rate=100)
  blob = force.copy()
  blob[(time_s > 0.925) & (time_s < 0.975), LEFT, 0] = 0.15
  assert only(time_s, blob).start_s == only(time_s, force).start_s


def test_a_dip_within_stance_parts_nothing_a_swing_does():
  time_s, force = walk([(LEFT, 0.5, 1.0)])
  dip = force.copy()
  dip[(time_s > 0.95) & (time_s < 1.05), LEFT, 0] = 0.0
  assert only(time_s, dip).measures['stance_s'] == only(time_s, force).measures['stance_s']
  dip[(time_s > 0.9) & (time_s < 1.1), LEFT, 0] = 0.0
  parts = foot_contacts.find_contacts(time_s, dip)
  assert [(c.whole_start, c.whole_end) for c in parts] == [(True, True)] * 2


def test_swing_that_does_not_reach_the_air_leaves_its_ends_unknown():
  time_s, force = walk([(LEFT, 0.2, 0.6), (LEFT, 1.2, 0.6)])
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
  time_s, force = walk([(LEFT, 1, duration)], shape=lambda u: half_sine(u, peak))
  assert len(foot_contacts.find_contacts(time_s, force)) == count


def test_cut_off_by_the_beginning_and_the_end():
  time_s, force = walk([(LEFT, 0.0, 0.6), (RIGHT, 0.6, 0.6)])
  part = (time_s >= 0.2) & (time_s <= 1.0)
  one, two = foot_contacts.find_contacts(time_s[part], force[part])
  assert (one.leg, one.whole_start, one.whole_end, one.start_s) == ('left', False, True, 0.2)
  assert (two.leg, two.whole_start, two.whole_end, two.end_s) == ('right', True, False, 1.0)
  assert one.measures['toe_off_s'] == one.end_s
  assert two.measures['contact_s'] == two.start_s
  for contact, known in ((one, {'toe_off_s'}), (two, {'contact_s'})):
    assert {name for name, v in contact.measures.items() if not math.isnan(v)} == known


def test_a_gap_cuts_a_contact_and_nothing_is_measured_across_it():
  steps = alternate()
  time_s, force = walk(steps)
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
  time_s, force = walk(alternate(4))
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


# --- one stance


def test_half_sine():
  found = only(*walk([(LEFT, 1, 0.7)], shape=lambda u: half_sine(u, 1.2), rate=10000))
  m = found.measures
  # Of 2 / pi * peak * T, what lies under 0.05 BW at both ends is missing.
  missing = 1.2 * 0.7 / math.pi * 2 * (1 - math.sqrt(1 - (0.05 / 1.2) ** 2))
  assert m['vertical_impulse_bw_s'] == pytest.approx(2 / math.pi * 1.2 * 0.7 - missing, rel=1e-6)
  assert m['stance_s'] == pytest.approx(0.7 * (1 - 2 / math.pi * math.asin(0.05 / 1.2)), rel=1e-6)
  for name in ('first_peak_bw', 'valley_bw', 'second_peak_bw', 'loading_rate_bw_per_s'):
    assert math.isnan(m[name])  # one peak is not two


def test_two_peaks():
  m = only(*walk([(RIGHT, 1, 0.65)], rate=10000)).measures
  assert m['first_peak_bw'] == pytest.approx(PEAK, abs=1e-6)
  assert m['second_peak_bw'] == pytest.approx(PEAK, abs=1e-6)
  assert m['valley_bw'] == pytest.approx(0.8, abs=1e-6)
  assert m['valley_pct_stance'] == pytest.approx(50, abs=0.01)
  # Stance begins where 2 s - 1.2 s^3 passes 0.05.
  early = math.asin(np.roots([-1.2, 0, 2, -0.05])[-1].real) / math.pi
  at = 100 * (PEAK_AT - early) / (1 - 2 * early)
  assert m['first_peak_pct_stance'] == pytest.approx(at, abs=0.02)
  assert m['second_peak_pct_stance'] == pytest.approx(100 - at, abs=0.02)
  assert m['vertical_impulse_bw_s'] == pytest.approx(2.4 / math.pi * 0.65, rel=1e-3)
  assert m['braking_impulse_bw_s'] == pytest.approx(-0.2 * 0.65 / math.pi, rel=1e-3)
  assert m['propulsion_impulse_bw_s'] == pytest.approx(0.2 * 0.65 / math.pi, rel=1e-3)


def test_straight_lines_exactly():
  m = only(*walk([(LEFT, 1, 1.0)], shape=lines, rate=100)).measures
  start, end = 1 + 0.05 / 6, 2 - 0.05 / 5  # slopes 6 and 5 BW/s
  assert [m['contact_s'], m['toe_off_s']] == pytest.approx([start, end], abs=1e-9)
  assert m['loading_rate_bw_per_s'] == pytest.approx(6, rel=1e-9)
  for name, corner in (('first_peak', 1), ('valley', 2), ('second_peak', 3)):
    at, value = CORNERS[0][corner], CORNERS[1][corner]
    assert m[f'{name}_bw'] == pytest.approx(value, rel=1e-9)
    assert m[f'{name}_pct_stance'] == pytest.approx(100 * (1 + at - start) / (end - start))
  whole = np.trapezoid(CORNERS[1], CORNERS[0]) - 0.05**2 / 2 * (1 / 6 + 1 / 5)
  assert m['vertical_impulse_bw_s'] == pytest.approx(whole, rel=1e-9)


def test_loading_rate_is_read_between_20_and_90_percent():
  """Slow until 0.1 BW, then 0.9 BW in 0.1 s, rounded from 0.95 on: neither end counts."""
  corners = [0, 0.2, 0.3, 0.35, 0.5, 0.8, 1], [0, 0.1, 1.0, 1.05, 0.7, 1.1, 0]
  m = only(*walk([(LEFT, 1, 1)], shape=lambda u: np.interp(u, *corners), rate=200)).measures
  assert m['first_peak_bw'] == pytest.approx(1.05)
  assert m['loading_rate_bw_per_s'] == pytest.approx(9, rel=1e-9)


def test_loading_rate_after_a_heel_strike_transient():
  """A spike through 20 % of the peak that falls back below: the last rise counts."""
  corners = [0, 0.03, 0.06, 0.2, 0.5, 0.8, 1], [0, 0.4, 0.1, 1.1, 0.7, 1.0, 0]
  m = only(*walk([(LEFT, 1, 1)], shape=lambda u: np.interp(u, *corners), rate=100)).measures
  assert m['loading_rate_bw_per_s'] == pytest.approx(1 / 0.14, rel=1e-9)


def test_braking_and_propulsion_are_exact_where_a_line_crosses_zero():
  time_s = np.arange(11) / 10
  force = np.zeros((11, 2, 3))
  force[2:9, LEFT, 0] = 1
  force[1:10, LEFT, 1] = [-0.3, -0.3, -0.3, -0.3, -0.3, 0.1, 0.1, 0.1, 0.1]
  m = only(time_s, force).measures
  # From 0.105 to 0.895 s; -0.3 to 0.1 between 0.5 and 0.6 s: zero at 0.575.
  assert m['braking_impulse_bw_s'] == pytest.approx(-0.3 * (0.395 + 0.0375), rel=1e-9)
  assert m['propulsion_impulse_bw_s'] == pytest.approx(0.1 * (0.0125 + 0.295), rel=1e-9)


@pytest.mark.parametrize(('depth', 'peaked'), [(0.019, False), (0.021, True)])
def test_two_peaks_need_a_valley(depth, peaked):
  corners = [0, 0.3, 0.5, 0.7, 1], [0, 1.0, 1.0 - depth, 1.1, 0]
  m = only(*walk([(LEFT, 1, 1)], shape=lambda u: np.interp(u, *corners), rate=100)).measures
  assert math.isfinite(m['first_peak_bw']) == peaked


def test_one_axis_has_no_braking():
  time_s, force = walk(alternate(), axes=3)
  three, one = (
    foot_contacts.find_contacts(time_s, force),
    foot_contacts.find_contacts(time_s, force[:, :, :1]),
  )
  forward = {'braking_impulse_bw_s', 'propulsion_impulse_bw_s'}
  for a, b in zip(three, one, strict=True):
    assert all(math.isnan(b.measures[name]) for name in forward)
    rest = {n: v for n, v in a.measures.items() if n not in forward}
    assert {n: b.measures[n] for n in rest} == pytest.approx(rest, nan_ok=True, rel=0, abs=0)


# --- strides


def test_steps_strides_and_double_support():
  """Trapezoids: contact and toe-off each 5 ms inside 0.6 s, steps of 0.44 and 0.56 s."""
  ramps = lambda u: np.interp(u, [0, 1 / 6, 5 / 6, 1], [0, 1, 1, 0])
  steps = [(LEFT, 0.2, 0.6), (RIGHT, 0.64, 0.6), (LEFT, 1.2, 0.6), (RIGHT, 1.64, 0.6)]
  found = foot_contacts.find_contacts(*walk(steps, shape=ramps, rate=100))
  step_s, stride_s, double = (
    [c.measures[name] for c in found] for name in ('step_s', 'stride_s', 'double_support_pct')
  )
  assert step_s == pytest.approx([math.nan, 0.44, 0.56, 0.44], nan_ok=True)
  assert stride_s == pytest.approx([1.0, 1.0, math.nan, math.nan], nan_ok=True)
  # Stance 0.59 s: left ends 0.15 s after right begins, right ends 0.03 s after left begins.
  # Where the right foot stood when the first stride began was not seen.
  assert double == pytest.approx([math.nan, 18, math.nan, math.nan], nan_ok=True)
  whole = foot_contacts.find_contacts(*walk([*steps, (LEFT, 2.2, 0.6)], shape=ramps, rate=100))
  assert whole[2].measures['double_support_pct'] == pytest.approx(18)
  cadence = summaries.summarize(found)['cadence_steps_per_min']
  assert cadence['n'] == 3
  assert cadence['mean'] == pytest.approx(60 / 0.48)


def test_no_double_support_in_running():
  found = foot_contacts.find_contacts(*walk(alternate(4, step=0.4, stance=0.3)))
  assert found[1].measures['double_support_pct'] == 0


def test_double_support_of_a_walk_that_begins_in_mid_stance():
  time_s, force = walk([(RIGHT, 0.0, 0.6), *alternate(4, first=0.5)])
  part = time_s > 0.3
  left = next(c for c in foot_contacts.find_contacts(time_s[part], force[part]) if c.leg == 'left')
  assert math.isnan(left.measures['step_s'])  # the right foot's initial contact was not seen
  assert left.measures['double_support_pct'] == pytest.approx(20, abs=2)


def test_a_missed_contact_makes_no_long_step_or_stride():
  steps = alternate(6)
  found = foot_contacts.find_contacts(*walk(steps[:2] + steps[3:]))  # L R _ R L R
  assert [c.leg for c in found] == ['left', 'right', 'right', 'left', 'right']
  nan = math.nan
  assert [c.measures['step_s'] for c in found] == pytest.approx(
    [nan, 0.5, nan, 0.5, 0.5], nan_ok=True, abs=1e-3
  )
  assert [c.measures['stride_s'] for c in found] == pytest.approx(
    [nan, nan, 1.0, nan, nan], nan_ok=True, abs=1e-3
  )


def test_one_leg_alone_has_strides_but_no_steps():
  time_s, force = walk(alternate())
  force[:, RIGHT] = np.nan
  found = foot_contacts.find_contacts(time_s, force)
  assert [c.measures['stride_s'] for c in found[:2]] == pytest.approx([1, 1], abs=1e-3)
  assert all(math.isnan(c.measures['step_s']) for c in found)
  assert all(math.isnan(c.measures['double_support_pct']) for c in found)
  assert math.isnan(summaries.summarize(found)['symmetry_index_pct']['stance_s'])


# --- summary


def test_equal_legs_are_symmetrical():
  found = summaries.summarize(foot_contacts.find_contacts(*walk(alternate())))
  index = found['symmetry_index_pct']
  assert set(index) == set(gait_measures.MEASURES)
  for name, value in index.items():
    assert value == pytest.approx(0, abs=1e-6), name
  assert found['cadence_steps_per_min'] == {'mean': pytest.approx(120), 'n': 5}
  assert found['left']['step_s']['n'] == 2
  assert found['right']['step_s']['n'] == 3


@pytest.mark.parametrize(
  ('left', 'right', 'index'),
  [(1.1, 0.9, 20), (0.9, 1.1, -20), (-0.03, -0.01, 100), (1, 0, 200), (0, 0, math.nan)],
)
def test_symmetry_index(left, right, index):
  assert summaries.symmetry_index(left, right) == pytest.approx(index, nan_ok=True)


def test_mean_sd_and_n():
  steps = [(LEFT, 0.1, 0.5), (LEFT, 1.0, 0.6), (LEFT, 2.0, 0.7), (RIGHT, 0.5, 0.6)]
  found = foot_contacts.find_contacts(*walk(steps))
  lasts = [c.measures['stance_s'] for c in found if c.leg == 'left']
  got = summaries.summarize(found)
  assert got['left']['stance_s'] == {
    'mean': pytest.approx(sum(lasts) / 3),
    'sd': pytest.approx((lasts[2] - lasts[0]) / 2, rel=1e-4),  # of evenly spaced three
    'n': 3,
  }
  assert got['right']['stance_s']['n'] == 1
  assert math.isnan(got['right']['stance_s']['sd'])


def test_json():
  time_s, force = walk(alternate())
  told = summaries.as_dict(foot_contacts.find_contacts(time_s, force))
  assert json.loads(json.dumps(told, allow_nan=False)) == told
  assert told['contacts'][0]['leg'] == 'left'
  assert told['contacts'][0]['step_s'] is None
  named = {*told['contacts'][0], *told['summary']} - {'leg', 'left', 'right'}
  assert named == set(told['definitions'])
  for text in told['definitions'].values():
    assert set(text) == {'label', 'unit', 'definition'}
    assert all(text.values())


def test_stance_curves():
  time_s, force = walk([*alternate(4), (LEFT, 2.8, 0.6)])
  found = foot_contacts.find_contacts(time_s, force)
  curves = foot_contacts.stance_curves(time_s, force, found)
  assert [c.leg for c in found].count('left') == 3
  assert curves['left'].shape == (2, stances.POINTS, 3)  # the third is cut off
  assert curves['right'].shape == (2, stances.POINTS, 3)
  np.testing.assert_allclose(curves['left'][:, [0, -1], 0], constants.CONTACT_BW, atol=1e-9)
  whole = next(c for c in found if c.leg == 'left')
  u = (np.linspace(whole.start_s, whole.end_s, 101) - 0.2) / 0.6
  np.testing.assert_allclose(curves['left'][0, :, 0], two_peaks(u), atol=1e-4)
  np.testing.assert_allclose(curves['left'][0, :, 1], -0.2 * np.sin(2 * np.pi * u), atol=1e-4)
  one = foot_contacts.stance_curves(time_s, force[:, :, :1], found)
  np.testing.assert_array_equal(one['right'], curves['right'][:, :, :1])


# --- against the truth


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
  found = foot_contacts.find_contacts(*walk([(LEFT, 0.2, 0.6), (RIGHT, 0.7, 0.6)]))
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


# --- real forces


def real_walks():
  """One force file a subject: name, time, (N, 2, 3) newtons in the file's axes, weight."""
  with (REALGAIT / 'subjects.csv').open(newline='') as f:
    mass = {row['subject']: float(row['body_mass_kg']) for row in csv.DictReader(f)}
  with (REALGAIT / 'trials.csv').open(newline='') as f:
    trials = {row['force']: row for row in csv.DictReader(f)}
  for path, row in trials.items():
    table = np.genfromtxt(REALGAIT / path, delimiter=',', names=True)
    newtons = np.zeros((len(table), 2, 3))
    for plate, leg in enumerate(row['plates'].split(';'), 1):
      for axis, letter in enumerate('xyz'):
        newtons[:, ['left', 'right'].index(leg), axis] = table[f'f{letter}_{plate}']
    yield row['subject'], table['time_s'], newtons, mass[row['subject']] * G


def test_real_forces_against_scipy():
  """Eight children, 16 stances; the other way rounds to whole samples of 1 ms."""
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  stances = 0
  for subject, time_s, newtons, weight in real_walks():
    force = newtons[:, :, [2, 0, 1]] / weight
    found = foot_contacts.find_contacts(time_s, force, threshold_bw=20 / weight)
    started = {}
    for leg, name in enumerate(['left', 'right']):
      fz, fx = newtons[:, leg, 2] / weight, newtons[:, leg, 0] / weight
      on = np.flatnonzero(newtons[:, leg, 2] > 20)
      on = max(np.split(on, np.flatnonzero(np.diff(on) > 1) + 1), key=len)
      (contact,) = [c for c in found if c.leg == name]
      m, of = contact.measures, f'{subject} {name}'
      started[name] = time_s[on[0]]
      assert 0 <= time_s[on[0]] - m['contact_s'] <= 1e-3, of
      assert 0 <= m['toe_off_s'] - time_s[on[-1]] <= 1e-3, of
      assert m['stance_s'] == pytest.approx(len(on) / 1000, abs=1e-3), of
      assert m['vertical_impulse_bw_s'] == pytest.approx(
        scipy.integrate.trapezoid(fz[on], time_s[on]), abs=2e-4
      ), of
      for sign, impulse in ((-1, 'braking_impulse_bw_s'), (1, 'propulsion_impulse_bw_s')):
        part = np.where(sign * fx[on] > 0, fx[on], 0)
        want = scipy.integrate.trapezoid(part, time_s[on])
        assert m[impulse] == pytest.approx(want, abs=5e-5), of
      curve = fz[on]
      tops, _ = scipy.signal.find_peaks(curve, prominence=gait_measures.VALLEY_BW)
      early, late = tops[tops < len(on) / 2], tops[tops >= len(on) / 2]
      first, second = (half[np.argmax(curve[half])] for half in (early, late))
      assert m['first_peak_bw'] == pytest.approx(curve[first], rel=1e-12), of
      assert m['second_peak_bw'] == pytest.approx(curve[second], rel=1e-12), of
      assert m['valley_bw'] == pytest.approx(curve[first:second].min(), rel=1e-12), of
      assert m['first_peak_pct_stance'] == pytest.approx(100 * first / len(on), abs=0.3), of
      assert m['second_peak_pct_stance'] == pytest.approx(100 * second / len(on), abs=0.3), of
      rise = curve[: first + 1]
      low = np.flatnonzero(rise < 0.2 * curve[first])[-1]
      high = np.flatnonzero(rise < 0.9 * curve[first])[-1]
      slope = 0.7 * curve[first] / ((high - low) / 1000)
      assert m['loading_rate_bw_per_s'] == pytest.approx(slope, rel=1.5 / (high - low)), of
      stances += 1
    last = max(started, key=started.get)
    (step_s,) = [c.measures['step_s'] for c in found if c.leg == last]
    assert step_s == pytest.approx(abs(started['left'] - started['right']), abs=1e-3)
  assert stances == 16


def test_the_rule_for_estimates_is_near_20_newtons_on_real_forces():
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  for subject, time_s, newtons, weight in real_walks():
    force = newtons[:, :, [2, 0, 1]] / weight
    pairs = zip(
      foot_contacts.find_contacts(time_s, force),
      foot_contacts.find_contacts(time_s, force, 20 / weight),
      strict=True,
    )
    for ours, plates in pairs:
      assert abs(ours.start_s - plates.start_s) < 0.002, subject
      assert abs(ours.end_s - plates.end_s) < 0.012, subject


def test_real_forces_at_60_frames():
  """What frames alone cost, of true forces averaged over 1/60 s."""
  if not REALGAIT.exists():
    pytest.skip('../shared is not here')
  total = contact_comparison.ContactComparison()
  for _, time_s, newtons, weight in real_walks():
    force = newtons[:, :, [2, 0, 1]] / weight
    count = len(time_s) * 60 // 1000 - 1
    mean = np.stack([force[round(k * 1000 / 60) :][:17].mean(0) for k in range(count)])
    at_s = time_s[0] + np.arange(count) / 60 + 0.008
    known = np.ones((count, 2), bool)
    true = foot_contacts.find_contacts(time_s, force, 20 / weight)
    total = total.merge(
      contact_comparison.compare_contacts(
        foot_contacts.find_contacts(at_s, mean), true, at_s, known
      )
    )
  result = total.result()
  assert (result['matched'], result['missed'], result['invented']) == (16, 0, 0)
  assert result['contact_ms']['bias'] == pytest.approx(-8, abs=1)  # the average begins early
  assert result['contact_ms']['mae'] < 9
  assert result['toe_off_ms']['mae'] < 4
  for name in ('first_peak_pct_bw', 'valley_pct_bw', 'second_peak_pct_bw'):
    assert result[name]['mae'] < 1
    assert result[name]['undefined'] == 0
