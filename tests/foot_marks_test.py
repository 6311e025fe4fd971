"""Foot marks and the scale of speeds: data of a JSON file, and drawings to scale."""

import dataclasses
import json

import numpy as np
import pytest
import report_making

from grfjax.gait import published_speeds, walker_path, walking_speed
from grfjax.report import foot_marks, speed_scale, walk_page

GIVEN = walking_speed.Given(1.7, 66)


def prediction(force=None, given=GIVEN, speed=0.8):
  force = report_making.walk() if force is None else force
  curves = report_making.make_curves(force)
  count = len(force)
  column = 200 * speed * np.arange(count) / 60
  path = walker_path.WalkerPath(column, np.full(count, 200.0), 1000)
  feet = report_making.make_feet(force)
  curves = dataclasses.replace(curves, path=path, feet=feet)
  return report_making.make_prediction(curves, given=given)


def test_marks_are_where_the_soles_stand():
  content = json.loads(json.dumps(prediction().content, allow_nan=False))['foot_marks']
  assert content['unit'] == 'm'
  assert content['foot_length'] == pytest.approx(0.152 * 1.7, abs=1e-4)
  ((walk),) = content['walks']
  marks = walk['marks']
  assert [m['leg'] for m in marks] == ['left', 'right'] * 3
  assert [m['contact'] for m in marks] == [1, 2, 3, 4, 5, 6]
  np.testing.assert_allclose(
    [m['forward'] for m in marks], 1.7 * (0.2 + 0.4 * np.arange(6)), atol=1e-4
  )
  assert marks[0]['left'] == -marks[1]['left'] == pytest.approx(1.7 * 0.035, abs=1e-4)
  assert [m['step_length'] for m in marks] == [None, *[pytest.approx(0.68)] * 5]
  assert len(marks[0]['pressure']) > 30
  assert prediction(given=walking_speed.NOTHING).content['foot_marks']['unit'] == 'body heights'


def test_a_network_that_does_not_know_the_feet_has_no_marks():
  bare = report_making.make_prediction(report_making.make_curves(report_making.walk()))
  assert bare.content['foot_marks'] is None


def two_walks():
  gap = np.full((20, 2, 3), np.nan)
  return prediction(np.concatenate([report_making.walk(), gap, report_making.walk(4)]))


def test_drawings_are_to_one_scale_and_go_to_the_right():
  content = two_walks().content['foot_marks']
  first, second = foot_marks.draw(content)
  assert (len(first.marks), len(second.marks)) == (6, 4)
  steps = [s.end - s.start for drawing in (first, second) for s in drawing.steps]
  assert len(steps) == 8
  scale = (first.bar[2] - first.bar[1]) / first.bar[0]
  np.testing.assert_allclose(np.array(steps) / scale, 0.68, atol=2e-3)
  for drawing in (first, second):
    outlines = [mark.outline for mark in drawing.marks]
    for outline in outlines:
      assert np.ptp(outline[:, 0]) / scale == pytest.approx(0.152 * 1.7, abs=2e-3)
      assert 0 < outline.min() < outline[:, 0].max() < drawing.width
      assert outline[:, 1].max() < drawing.ruler < drawing.height
    left, right = (o[:, 1].mean() for o in outlines[:2])
    assert right - left == pytest.approx(scale * 0.07 * 1.7, abs=3)  # the left foot is above
  mark = first.marks[0]
  assert mark.outline_path.startswith('M')
  assert mark.outline_path.endswith('Z')
  assert mark.pressure_path.count('L') == len(mark.pressure) - 1


def test_the_page_draws_every_walk_and_describes_it(tmp_path):
  figure = tmp_path / 'a.png'
  figure.touch()
  text = walk_page.walk_page(two_walks(), figure)
  assert text.count('class="sole left"') == 5
  assert text.count('class="sole right"') == 5
  assert 'Foot marks in walk 1, seen from above and to scale: 3 of the left foot and 3 of' in text
  assert 'Steps, m: right 0.68, left 0.68' in text
  bare = report_making.make_prediction(report_making.make_curves(report_making.walk()))
  assert 'Where the feet stood' not in walk_page.walk_page(bare, figure)


@pytest.mark.parametrize(
  ('given', 'means', 'band'),
  [
    (walking_speed.Given(1.7, 66), True, True),
    (walking_speed.Given(None, 66), False, True),
    (walking_speed.Given(1.7, 33), True, False),
    (walking_speed.Given(None, 33), None, None),
    (walking_speed.Given(1.3, 8), None, None),
    (walking_speed.Given(1.7, None), None, None),
  ],
)
def test_the_speed_is_beside_what_is_published_of_the_age(given, means, band):
  scale = speed_scale.draw(prediction(given=given).content)
  if means is None:
    assert scale is None
    return
  assert (scale.women is not None, scale.band is not None) == (means, band)
  places, speeds = zip(*scale.ticks, strict=True)
  read = lambda x: np.interp(x, places, speeds)
  assert read(scale.x) == pytest.approx(scale.value, abs=2e-3)
  assert scale.value == pytest.approx(0.8 * (given.height_m or 1))
  if band:
    low, high = (read(x) for x in scale.band)
    mean, sd = (1.24, 0.28) if given.height_m else (0.75, 0.17)
    assert (low, high) == (pytest.approx(mean - sd, abs=3e-3), pytest.approx(mean + sd, abs=3e-3))
  if means:
    speed = published_speeds.of_age(given.age_years)
    assert read(scale.women) == pytest.approx(speed.women_mps, abs=3e-3)
    assert read(scale.men) == pytest.approx(speed.men_mps, abs=3e-3)


def test_a_speed_beyond_the_scale_makes_it_longer():
  scale = speed_scale.draw(prediction(speed=1.2).content)
  assert scale.ticks[-1][1] >= scale.value > 2
  assert scale.left < scale.x < scale.right
