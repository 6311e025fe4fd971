"""From where feet are in the walker's window to where they stand on the floor."""

import numpy as np
import pytest

from grfjax.gait import foot_geometry, walker_path
from grfjax.tracking import walker_window

COUNT, SIDE, FOCAL_PX = 90, 640, walker_path.FOCAL * 640
MARGIN, FLOOR = 1.15, 0.05
TRACKED = walker_path.TRACKED_OVER_BODY


class Scene:
  """A pinhole camera before a walk at an angle; lengths in body heights."""

  def __init__(self, degrees, direction=1):
    angle = np.radians(degrees)
    self.along = np.array([direction * np.cos(angle), np.sin(angle)])
    self.left = np.array([-self.along[1], self.along[0]])
    self.time_s = np.arange(COUNT) / 60
    self.start = np.array([0.0, 3.5]) - 0.6 * self.along
    self.body = self.start + 0.8 * self.time_s[:, None] * self.along
    self.height = FOCAL_PX / self.body[:, 1]
    self.path = walker_path.WalkerPath(self.column(self.body), self.height, SIDE)
    self.line = foot_geometry.WalkLine(self.path, self.time_s)
    # The window as filmed, its floor line at row 300.
    tracked = TRACKED * self.height
    width, tall = 0.8 * tracked, MARGIN * tracked
    left = SIDE / 2 + self.path.column - width / 2
    self.box = np.stack([left, 300 - (1 - FLOOR) * tall, width, tall], 1)
    self.direction = direction

  def to_picture(self, in_window):
    return walker_window.to_picture(in_window, self.box[:, None], self.direction)

  def column(self, place):
    return FOCAL_PX * place[..., 0] / place[..., 1]

  def floor_place(self, forward, left):
    return self.start + forward * self.along + left * self.left

  def ahead(self, place):
    return self.direction * (self.column(place) - self.path.column) / (TRACKED * self.height)


def feet(scene, forward, left, roll=0.0):
  """What a perfect network says of feet that stand (2,) forward and (2,) to the left."""
  ahead = np.stack(
    [scene.ahead(scene.floor_place(f, y)) for f, y in zip(forward, left, strict=True)], 1
  )
  still = np.ones((COUNT, 2))
  return foot_geometry.FeetInWindow(ahead, 0.02 * still, roll * still, left * still)


def frames(start, stop):
  return (np.arange(COUNT) >= start) & (np.arange(COUNT) < stop)


@pytest.mark.parametrize('degrees', [0, 20, -30])
@pytest.mark.parametrize('direction', [1, -1])
def test_feet_are_found_where_they_stand_on_straight_and_oblique_walks(degrees, direction):
  scene = Scene(degrees, direction)
  assert scene.line.oblique == pytest.approx(abs(degrees), abs=1e-6)
  forward, left = np.array([0.9, 0.5]), np.array([0.06, -0.06])
  places = foot_geometry.foot_places_of(
    feet(scene, forward, left, roll=0.03), [(0, frames(20, 60)), (1, frames(5, 40))], scene.line,
    scene.time_s, scene.to_picture,
  )  # fmt: skip
  sole = places.sole[30]
  assert sole[0, 0] - sole[1, 0] == pytest.approx(0.4, abs=1e-6)
  np.testing.assert_allclose(sole[:, 1], left, atol=1e-9)
  np.testing.assert_allclose(places.pressure[30, :, 0] - sole[:, 0], 0.03, atol=1e-9)
  # In the picture the pressure is where a camera sees that place of the floor.
  for leg in (0, 1):
    place = scene.floor_place(forward[leg] + 0.03, left[leg])
    assert places.picture[30, leg, 0] == pytest.approx(SIDE / 2 + scene.column(place), abs=1e-6)
    assert places.picture[30, leg, 1] == pytest.approx(300 - 0.02 * TRACKED * scene.height[30])
  in_air = np.isnan(places.sole[:, :, 0])
  assert in_air[:20, 0].all()
  assert in_air[60:, 0].all()
  assert in_air[40:, 1].all()
  assert not in_air[20:60, 0].any()


def test_a_foot_stands_still_while_its_estimates_scatter():
  scene = Scene(0)
  found = feet(scene, np.array([0.9, 0.5]), np.array([0.06, -0.06]))
  found.ahead[:] += 0.01 * np.random.default_rng(0).standard_normal(found.ahead.shape)
  found.ahead[25:30, 0] = np.nan  # not seen clearly
  places = foot_geometry.foot_places_of(
    found, [(0, frames(20, 60))], scene.line, scene.time_s, scene.to_picture
  )
  on_floor = places.sole[20:60, 0, 0]
  assert np.nanstd(on_floor) < 1e-12
  assert np.isnan(places.sole[:, 1]).all()
  # Lengths count from the camera's foot point, along the walk.
  true = scene.floor_place(0.9, 0.06) @ scene.along
  assert on_floor[0] == pytest.approx(true, abs=0.006)
  assert np.isnan(places.pressure[25:30, 0]).all()
  assert np.isfinite(places.pressure[30, 0]).all()


def test_a_foot_is_not_placed_where_its_frames_contradict_each_other_or_are_few():
  scene = Scene(0)
  found = feet(scene, np.array([0.9, 0.5]), np.array([0.06, -0.06]))
  scatter = np.random.default_rng(0).standard_normal(COUNT)
  found.ahead[:, 0] += 1.5 * foot_geometry.MAX_SCATTER_BH * scatter
  few = frames(5, 5 + int(60 * foot_geometry.MIN_SEEN_S))
  places = foot_geometry.foot_places_of(
    found, [(0, frames(20, 60)), (1, few), (1, frames(40, 60))], scene.line, scene.time_s,
    scene.to_picture,
  )  # fmt: skip
  known = np.isfinite(places.sole[:, :, 0])
  np.testing.assert_array_equal(known, np.stack([frames(0, 0), frames(40, 60)], 1))
  for part in (places.pressure, places.picture):
    np.testing.assert_array_equal(np.isfinite(part[:, :, 0]), known)


def test_the_floor_under_both_feet_says_how_tall_the_walker_is():
  scene = Scene(0)
  found = feet(scene, np.array([0.9, 0.5]), np.array([0.06, -0.06]))
  found.up[:] = [0.03, 0.06]  # the far foot is higher in the picture
  contacts = [(0, frames(20, 60)), (1, frames(5, 40)), (0, frames(70, 80))]
  assert foot_geometry.floor_up(found, contacts) == pytest.approx(0.045)
  assert foot_geometry.floor_up(found, contacts[:1]) == pytest.approx(0.03)
  assert np.isnan(foot_geometry.floor_up(found, []))
  path = scene.path.with_floor(0.045)
  # From there to the top of the hair are 1.014 body heights.
  tracked = TRACKED * scene.height
  np.testing.assert_allclose(path.height * 1.014, tracked * (1 - 0.045))
  assert path.tracked_over_body == pytest.approx(tracked[0] / path.height[0])
  np.testing.assert_allclose(path.with_floor(0.045).height, path.height)
