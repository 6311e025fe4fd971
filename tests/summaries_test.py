"""Gait measures summarised over contacts, and as JSON."""

import json
import math

import gait_curves
import pytest

from grfjax.gait import (
  foot_contacts,
  gait_measures,
  summaries,
)

LEFT, RIGHT = 0, 1


def test_equal_legs_are_symmetrical():
  found = summaries.summarize(
    foot_contacts.find_contacts(*gait_curves.walk(gait_curves.alternate()))
  )
  index = found['symmetry_index_pct']
  assert set(index) == set(gait_measures.MEASURES)
  for name, value in index.items():
    if '_length_' in name:  # of a path that is not known here
      assert math.isnan(value)
      continue
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
  steps = [
    (LEFT, 0.1, 0.5),
    (LEFT, 1.0, 0.6),
    (LEFT, 2.0, 0.7),
    (RIGHT, 0.5, 0.6),
  ]
  found = foot_contacts.find_contacts(*gait_curves.walk(steps))
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
  time_s, force = gait_curves.walk(gait_curves.alternate())
  told = summaries.as_dict(foot_contacts.find_contacts(time_s, force))
  assert json.loads(json.dumps(told, allow_nan=False)) == told
  assert told['contacts'][0]['leg'] == 'left'
  assert told['contacts'][0]['step_s'] is None
  named = {*told['contacts'][0], *told['summary']} - {'leg', 'left', 'right'}
  assert named == set(told['definitions'])
  for text in told['definitions'].values():
    assert set(text) == {'label', 'unit', 'definition'}
    assert all(text.values())
