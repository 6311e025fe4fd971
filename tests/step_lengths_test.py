"""Step lengths: exact where the soles are made up, and none across a gap or a miss."""

import dataclasses
import math

import gait_curves
import numpy as np
import pytest
import report_making

from grfjax import conventions
from grfjax.gait import (
  foot_contacts,
  gait_measures,
  plausibility,
  step_lengths,
  walker_path,
  walking_speed,
)
from grfjax.report import walk_text

PLACES = (0.2, 0.6, 1.1, 1.5, 2.0, 2.4)  # of six soles, left first: right steps 0.4, left 0.5


def walk(places=PLACES):
  """Times, forces, contacts and soles (N, 2, 2) of a walk of these."""
  steps = gait_curves.alternate(len(places))
  time_s, force = gait_curves.walk(steps, rate=60, lasts=3.4)
  found = foot_contacts.find_contacts(time_s, force)
  sole = np.full((len(time_s), 2, 2), np.nan)
  for contact, forward in zip(found, places, strict=True):
    leg = conventions.LEGS.index(contact.leg)
    during = (time_s >= contact.start_s) & (time_s <= contact.end_s)
    sole[during, leg] = forward, 0.04 * (1 - 2 * leg)
  return time_s, force, found, sole


def measured(time_s, force, found, sole, metres=1.7):
  known = np.isfinite(force[..., 0])
  return [c.measures for c in step_lengths.measure(found, time_s, sole, known, metres=metres)]


def lengths(measures, name):
  return [round(m[name], 9) if math.isfinite(m[name]) else None for m in measures]


def test_a_step_is_from_the_other_foot_to_this_one():
  got = measured(*walk())
  assert lengths(got, 'step_length_bh') == [None, 0.4, 0.5, 0.4, 0.5, 0.4]
  for m in got:
    assert m['step_length_m'] == pytest.approx(1.7 * m['step_length_bh'], nan_ok=True)
  bare = measured(*walk(), metres=math.nan)
  assert lengths(bare, 'step_length_m') == [None] * 6
  assert lengths(bare, 'step_length_bh') == lengths(got, 'step_length_bh')


def test_nothing_is_measured_across_a_gap():
  time_s, force, _, sole = walk()
  force[(time_s > 1.0) & (time_s < 1.1)] = np.nan
  found = foot_contacts.find_contacts(time_s, force)
  got = measured(time_s, force, found, sole)
  # The second contact is cut into two, neither of which is whole; the third begins after the gap.
  by_start = {round(c.start_s, 1): m['step_length_bh'] for c, m in zip(found, got, strict=True)}
  assert math.isnan(by_start[0.7])
  assert by_start[1.2] == pytest.approx(0.5)
  assert math.isnan(by_start[1.1])


def test_a_missed_contact_is_no_long_step():
  time_s, force, found, sole = walk()
  missed = [c for k, c in enumerate(found) if k not in (2, 3)]
  got = measured(time_s, force, missed, sole)
  assert lengths(got, 'step_length_bh') == [None, 0.4, None, 0.4]


def test_a_contact_that_is_cut_off_ends_no_step_but_begins_one():
  time_s, force, found, sole = walk()
  cut = [
    dataclasses.replace(found[0], whole_start=False), *found[1:-1],
    dataclasses.replace(found[-1], whole_end=False),
  ]  # fmt: skip
  got = measured(time_s, force, cut, sole)
  assert lengths(got, 'step_length_bh') == [None, 0.4, 0.5, 0.4, 0.5, None]


def test_a_sole_that_is_not_known_leaves_its_steps_out():
  time_s, force, found, sole = walk()
  sole[(time_s > 1.2) & (time_s < 1.8), 0] = np.nan  # of the third contact
  got = measured(time_s, force, found, sole)
  assert lengths(got, 'step_length_bh') == [None, 0.4, None, None, 0.5, 0.4]


def test_the_middle_of_the_ways_of_the_centre_of_pressure_is_as_good_as_the_soles():
  time_s, force, found, sole = walk()
  pressure = sole.copy()
  for contact in found:
    leg = conventions.LEGS.index(contact.leg)
    during = (time_s >= contact.start_s) & (time_s <= contact.end_s)
    u = np.linspace(0, 1, during.sum()) ** 2
    pressure[during, leg, 0] += 0.14 * u - 0.05
  soles = step_lengths.soles_of_pressure(found, time_s, pressure)
  got = measured(time_s, force, found, soles)
  assert lengths(got, 'step_length_bh') == [None, 0.4, 0.5, 0.4, 0.5, 0.4]
  cut = [dataclasses.replace(found[0], whole_start=False), *found[1:]]
  soles = step_lengths.soles_of_pressure(cut, time_s, pressure)
  assert lengths(measured(time_s, force, cut, soles), 'step_length_bh')[1] is None


def flags(places):
  time_s, force, found, sole = walk(places)
  found = step_lengths.measure(found, time_s, sole, np.isfinite(force[..., 0]), metres=1.7)
  return list(plausibility.check_steps(found, True))


def test_steps_that_nobody_makes_are_flagged():
  assert flags(PLACES) == []
  assert flags((0.2, 0.2, 0.8, 0.8, 1.4, 1.4)) == []  # one foot is set beside the other
  (flag,) = flags((0.2, 0.6, 1.4, 1.8, 2.2, 2.6))
  assert flag.code == 'gait.step_length'
  assert flag.text.startswith('The step of the left foot at 1.20 s is 0.80 body heights long')
  assert [f.code for f in flags((0.2, 0.6, 1.1, 0.9, 1.3, 1.7))] == ['gait.step_length']


def test_feet_that_are_never_seen_are_told_once():
  _, _, found, _ = walk()
  (flag,) = plausibility.check_steps(found, True)
  assert flag.code == 'gait.no_step_length'
  assert not list(plausibility.check_steps(found, False))  # a network that does not tell


def test_the_result_tells_steps_in_metres_or_else_in_body_heights():
  force = report_making.walk()
  curves = report_making.make_curves(force)
  path = walker_path.WalkerPath(2.0 * np.arange(len(force)), np.full(len(force), 200.0), 1000)
  curves = dataclasses.replace(curves, path=path, feet=report_making.make_feet(force))
  tall = report_making.make_prediction(curves, given=walking_speed.Given(1.5))
  said = walk_text.in_short(tall)
  assert 'step length 0.60 m, of 2 steps.' in said  # left
  assert 'step length 0.60 m, of 3 steps.' in said
  assert 'step length 0 %' in said
  assert tall.content['summary']['right']['step_length_m']['mean'] == pytest.approx(0.6)
  bare = report_making.make_prediction(curves)
  assert 'step length 0.40 body heights, of 3 steps.' in walk_text.in_short(bare)
  assert bare.content['summary']['right']['step_length_m']['n'] == 0
  definition = bare.content['definitions']['step_length_m']['definition']
  assert definition == gait_measures.MEASURES['step_length_m'].definition
  assert 'Perry and Burnfield' in definition
