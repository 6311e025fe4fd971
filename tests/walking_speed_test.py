"""Walking speed and stride length: exact on made tracks, in metres only where these are known."""

import dataclasses
import math

import gait_curves
import numpy as np
import pytest
import report_making

from grfjax.gait import (
  foot_contacts,
  plausibility,
  published_speeds,
  summaries,
  walker_path,
  walking_speed,
)
from grfjax.report import walk_text

STEPS = 5  # seen whole, of six contacts half a second apart
LONGER_SIDE = 1000


def straight(time_s, heights_per_s=0.7, height=400.0):
  """The path of who walks straight past the camera."""
  column = heights_per_s * height * time_s - 500
  return walker_path.WalkerPath(column, np.full_like(column, height), LONGER_SIDE)


def measured(path=straight, **given):
  time_s, force = gait_curves.walk(gait_curves.alternate(), rate=60, lasts=3.4)
  found = foot_contacts.find_contacts(time_s, force)
  if callable(path):
    path = path(time_s)
  return walking_speed.measure(found, time_s, path, walking_speed.Given(**given))


def test_a_known_motion_has_its_speed_in_metres_and_body_heights():
  contacts, speed = measured(height_m=1.75)
  by_height = 0.7
  assert speed.bh_per_s == pytest.approx(by_height, rel=1e-9)
  assert speed.mps == pytest.approx(1.75 * by_height, rel=1e-9)
  assert (speed.steps, speed.withheld) == (STEPS, '')
  strides = [c.measures for c in contacts if math.isfinite(c.measures['stride_s'])]
  assert len(strides) == 4
  for stride in strides:
    assert stride['stride_length_m'] == pytest.approx(speed.mps * stride['stride_s'], rel=1e-9)
    assert stride['stride_length_bh'] == pytest.approx(by_height * stride['stride_s'], rel=1e-9)
  index = summaries.summarize(contacts, speed)['symmetry_index_pct']
  assert index['stride_length_m'] == pytest.approx(0, abs=1e-6)


def test_a_scale_overrides_the_height():
  _, speed = measured(height_m=1.75, scale_m_per_px=0.0045)
  assert speed.mps == pytest.approx(0.7 * 400 * 0.0045, rel=1e-9)
  assert speed.scaled_height_m == pytest.approx(400 * 0.0045)
  told = plausibility.check_speed(speed, walking_speed.Given(1.75, scale_m_per_px=0.0045))
  assert [flag.code for flag in told] == []  # 1.80 m is within a tenth of 1.75 m
  told = plausibility.check_speed(speed, walking_speed.Given(1.3, scale_m_per_px=0.0045))
  assert [flag.code for flag in told] == ['gait.scale']


def test_without_a_height_there_are_body_heights_alone():
  contacts, speed = measured()
  assert math.isnan(speed.mps)
  assert speed.bh_per_s > 0
  assert all(math.isnan(c.measures['stride_length_m']) for c in contacts)
  told = plausibility.check_speed(speed, walking_speed.NOTHING)
  assert [flag.code for flag in told] == ['gait.no_body_height']
  summary = summaries.as_dict(contacts, speed)['summary']
  assert summary['walking_speed_mps'] == {'mean': None, 'n': 0}
  assert summary['walking_speed_bh_per_s']['n'] == STEPS


@pytest.mark.parametrize('degrees', [10, 20, 30])
def test_who_walks_obliquely_is_not_slower(degrees):
  """A pinhole camera sees somebody 1 body height tall, 2.5 away, walk 0.7 a second."""

  def oblique(time_s):
    way, angle = 0.7 * (time_s - 1.7), math.radians(degrees)
    focal = walker_path.FOCAL * LONGER_SIDE
    away = 2.5 - way * math.sin(angle)
    return walker_path.WalkerPath(focal * way * math.cos(angle) / away, focal / away, LONGER_SIDE)

  _, speed = measured(oblique)
  assert speed.bh_per_s == pytest.approx(0.7, rel=1e-3)


def test_a_step_through_which_nobody_is_followed_does_not_count():
  def interrupted(time_s):
    path = straight(time_s)
    path.column[(time_s > 0.9) & (time_s < 1.1)] = np.nan
    return path

  contacts, speed = measured(interrupted, height_m=1.75)
  assert speed.steps == STEPS - 1
  assert speed.bh_per_s == pytest.approx(0.7, rel=1e-9)
  lengths = [c.measures['stride_length_m'] for c in contacts]
  assert np.isfinite(lengths).tolist() == [False, False, True, True, False, False]


def test_no_speed_is_given_without_a_path_or_steps():
  nowhere = lambda time_s: straight(np.full_like(time_s, np.nan))
  for path in (None, nowhere):
    _, speed = measured(path, height_m=1.75)
    assert math.isnan(speed.bh_per_s)
    assert speed.withheld
    told = plausibility.check_speed(speed, walking_speed.Given(1.75))
    assert [flag.code for flag in told] == ['gait.no_walking_speed']
  time_s, force = gait_curves.walk([(0, 0.2, 0.6)], rate=60, lasts=1.0)
  found = foot_contacts.find_contacts(time_s, force)
  _, speed = walking_speed.measure(found, time_s, straight(time_s), walking_speed.Given(1.75))
  assert 'no initial contacts of both feet' in speed.withheld


def test_a_speed_that_nobody_walks_at_is_flagged():
  _, speed = measured(height_m=1.75, scale_m_per_px=0.05)
  told = plausibility.check_speed(speed, walking_speed.Given(scale_m_per_px=0.05))
  assert [flag.code for flag in told] == ['gait.walking_speed']


@pytest.mark.parametrize(
  ('age', 'women'), [(19.9, None), (20, 1.34), (39.9, 1.34), (40, 1.39), (99, 0.94), (100, None)]
)
def test_published_speeds_are_of_the_age(age, women):
  speed = published_speeds.of_age(age)
  assert (speed and speed.women_mps) == women


def test_the_result_tells_speed_height_and_published_speed():
  curves = report_making.make_curves(report_making.walk())
  curves = dataclasses.replace(curves, path=straight(curves.time_s))
  given = walking_speed.Given(height_m=1.75, age_years=45)
  prediction = report_making.make_prediction(curves, given=given)
  content = prediction.content
  assert (content['height_m'], content['age_years'], content['scale_m_per_px']) == (1.75, 45, None)
  assert content['summary']['walking_speed_mps']['mean'] == pytest.approx(prediction.speed.mps)
  assert content['summary']['left']['stride_length_m']['n'] == 2
  said = walk_text.in_short(prediction)
  assert f'Walking speed: {prediction.speed.mps:.2f} m/s, by the body height given' in said
  assert 'aged 40 to 49 walk at 1.39 m/s (women) or 1.43 m/s (men) on average (Bohannon' in said
  bare = report_making.make_prediction(curves)
  assert 'body heights a second, of 5 steps; in metres only if' in walk_text.in_short(bare)
