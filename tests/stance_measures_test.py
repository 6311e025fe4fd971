"""Measures of one stance whose answers are known."""

import math

import gait_curves
import numpy as np
import pytest

from grfjax.gait import (
  foot_contacts,
)

LEFT, RIGHT = 0, 1


def test_half_sine():
  found = gait_curves.only(
    *gait_curves.walk([(LEFT, 1, 0.7)], shape=lambda u: gait_curves.half_sine(u, 1.2), rate=10000)
  )
  m = found.measures
  # Of 2 / pi * peak * T, what lies under 0.05 BW at both ends is missing.
  missing = 1.2 * 0.7 / math.pi * 2 * (1 - math.sqrt(1 - (0.05 / 1.2) ** 2))
  assert m['vertical_impulse_bw_s'] == pytest.approx(2 / math.pi * 1.2 * 0.7 - missing, rel=1e-6)
  assert m['stance_s'] == pytest.approx(0.7 * (1 - 2 / math.pi * math.asin(0.05 / 1.2)), rel=1e-6)
  for name in ('first_peak_bw', 'valley_bw', 'second_peak_bw', 'loading_rate_bw_per_s'):
    assert math.isnan(m[name])  # one peak is not two


def test_two_peaks():
  m = gait_curves.only(*gait_curves.walk([(RIGHT, 1, 0.65)], rate=10000)).measures
  assert m['first_peak_bw'] == pytest.approx(gait_curves.PEAK, abs=1e-6)
  assert m['second_peak_bw'] == pytest.approx(gait_curves.PEAK, abs=1e-6)
  assert m['valley_bw'] == pytest.approx(0.8, abs=1e-6)
  assert m['valley_pct_stance'] == pytest.approx(50, abs=0.01)
  # Stance begins where 2 s - 1.2 s^3 passes 0.05.
  early = math.asin(np.roots([-1.2, 0, 2, -0.05])[-1].real) / math.pi
  at = 100 * (gait_curves.PEAK_AT - early) / (1 - 2 * early)
  assert m['first_peak_pct_stance'] == pytest.approx(at, abs=0.02)
  assert m['second_peak_pct_stance'] == pytest.approx(100 - at, abs=0.02)
  assert m['vertical_impulse_bw_s'] == pytest.approx(2.4 / math.pi * 0.65, rel=1e-3)
  assert m['braking_impulse_bw_s'] == pytest.approx(-0.2 * 0.65 / math.pi, rel=1e-3)
  assert m['propulsion_impulse_bw_s'] == pytest.approx(0.2 * 0.65 / math.pi, rel=1e-3)


def test_straight_lines_exactly():
  m = gait_curves.only(
    *gait_curves.walk([(LEFT, 1, 1.0)], shape=gait_curves.lines, rate=100)
  ).measures
  start, end = 1 + 0.05 / 6, 2 - 0.05 / 5  # slopes 6 and 5 BW/s
  assert [m['contact_s'], m['toe_off_s']] == pytest.approx([start, end], abs=1e-9)
  assert m['loading_rate_bw_per_s'] == pytest.approx(6, rel=1e-9)
  for name, corner in (('first_peak', 1), ('valley', 2), ('second_peak', 3)):
    at, value = gait_curves.CORNERS[0][corner], gait_curves.CORNERS[1][corner]
    assert m[f'{name}_bw'] == pytest.approx(value, rel=1e-9)
    assert m[f'{name}_pct_stance'] == pytest.approx(100 * (1 + at - start) / (end - start))
  whole = np.trapezoid(gait_curves.CORNERS[1], gait_curves.CORNERS[0]) - 0.05**2 / 2 * (
    1 / 6 + 1 / 5
  )
  assert m['vertical_impulse_bw_s'] == pytest.approx(whole, rel=1e-9)


def test_loading_rate_is_read_between_20_and_90_percent():
  """Slow until 0.1 BW, then 0.9 BW in 0.1 s, rounded from 0.95 on: neither end counts."""
  corners = [0, 0.2, 0.3, 0.35, 0.5, 0.8, 1], [0, 0.1, 1.0, 1.05, 0.7, 1.1, 0]
  m = gait_curves.only(
    *gait_curves.walk([(LEFT, 1, 1)], shape=lambda u: np.interp(u, *corners), rate=200)
  ).measures
  assert m['first_peak_bw'] == pytest.approx(1.05)
  assert m['loading_rate_bw_per_s'] == pytest.approx(9, rel=1e-9)


def test_loading_rate_after_a_heel_strike_transient():
  """A spike through 20 % of the peak that falls back below: the last rise counts."""
  corners = [0, 0.03, 0.06, 0.2, 0.5, 0.8, 1], [0, 0.4, 0.1, 1.1, 0.7, 1.0, 0]
  m = gait_curves.only(
    *gait_curves.walk([(LEFT, 1, 1)], shape=lambda u: np.interp(u, *corners), rate=100)
  ).measures
  assert m['loading_rate_bw_per_s'] == pytest.approx(1 / 0.14, rel=1e-9)


def test_braking_and_propulsion_are_exact_where_a_line_crosses_zero():
  time_s = np.arange(11) / 10
  force = np.zeros((11, 2, 3))
  force[2:9, LEFT, 0] = 1
  force[1:10, LEFT, 1] = [-0.3, -0.3, -0.3, -0.3, -0.3, 0.1, 0.1, 0.1, 0.1]
  m = gait_curves.only(time_s, force).measures
  # From 0.105 to 0.895 s; -0.3 to 0.1 between 0.5 and 0.6 s: zero at 0.575.
  assert m['braking_impulse_bw_s'] == pytest.approx(-0.3 * (0.395 + 0.0375), rel=1e-9)
  assert m['propulsion_impulse_bw_s'] == pytest.approx(0.1 * (0.0125 + 0.295), rel=1e-9)


@pytest.mark.parametrize(('depth', 'peaked'), [(0.019, False), (0.021, True)])
def test_two_peaks_need_a_valley(depth, peaked):
  corners = [0, 0.3, 0.5, 0.7, 1], [0, 1.0, 1.0 - depth, 1.1, 0]
  m = gait_curves.only(
    *gait_curves.walk([(LEFT, 1, 1)], shape=lambda u: np.interp(u, *corners), rate=100)
  ).measures
  assert math.isfinite(m['first_peak_bw']) == peaked


def test_one_axis_has_no_braking():
  time_s, force = gait_curves.walk(gait_curves.alternate(), axes=3)
  three, one = (
    foot_contacts.find_contacts(time_s, force),
    foot_contacts.find_contacts(time_s, force[:, :, :1]),
  )
  forward = {'braking_impulse_bw_s', 'propulsion_impulse_bw_s'}
  for a, b in zip(three, one, strict=True):
    assert all(math.isnan(b.measures[name]) for name in forward)
    rest = {n: v for n, v in a.measures.items() if n not in forward}
    assert {n: b.measures[n] for n in rest} == pytest.approx(rest, nan_ok=True, rel=0, abs=0)
