"""Tests of grfjax.conventions: conversions between axes, by properties and by example."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies
from hypothesis.extra import numpy as arrays

from grfjax import conventions

FORCES = arrays.arrays(
  np.float64,
  strategies.tuples(strategies.integers(1, 3), strategies.just(2), strategies.just(3)),
  elements=strategies.floats(-1e4, 1e4),
)
CAMERAS = strategies.sampled_from(conventions.LEGS)


def _with_camera(convert):
  return lambda force, camera: convert(force, camera)


def _without_camera(convert):
  return lambda force, camera: convert(force)


# name -> a conversion of (..., 3) forces and its inverse, both given the camera's side too
PAIRS = {
  'plates and walker': (
    _without_camera(conventions.plates_to_walker),
    _without_camera(conventions.walker_to_plates),
  ),
  'camera and walker': (
    _with_camera(conventions.camera_to_walker),
    _with_camera(conventions.walker_to_camera),
  ),
  'plates and camera': (
    _with_camera(conventions.plates_to_camera),
    _with_camera(conventions.camera_to_plates),
  ),
  'walker and OpenSim': (
    _without_camera(conventions.walker_to_opensim),
    _without_camera(conventions.opensim_to_walker),
  ),
  'plates and OpenSim': (
    _without_camera(conventions.plates_to_opensim),
    _without_camera(conventions.opensim_to_plates),
  ),
}


@pytest.mark.parametrize('name', PAIRS)
@hypothesis.settings(derandomize=True, database=None, deadline=None)
@hypothesis.given(force=FORCES, camera=CAMERAS)
def test_each_conversion_is_the_inverse_of_its_partner(name, force, camera):
  forward, backward = PAIRS[name]
  np.testing.assert_array_equal(backward(forward(force, camera), camera), force)
  np.testing.assert_array_equal(forward(backward(force, camera), camera), force)


@pytest.mark.parametrize('name', PAIRS)
@hypothesis.settings(derandomize=True, database=None, deadline=None)
@hypothesis.given(force=FORCES, camera=CAMERAS)
def test_conversions_keep_shape_and_length(name, force, camera):
  for convert in PAIRS[name]:
    turned = convert(force, camera)
    assert turned.shape == force.shape
    # The same three magnitudes, so the same length without any rounding.
    np.testing.assert_array_equal(np.sort(np.abs(turned), -1), np.sort(np.abs(force), -1))


@hypothesis.settings(derandomize=True, database=None, deadline=None)
@hypothesis.given(force=FORCES, camera=CAMERAS)
def test_all_ways_lead_to_the_same_axes(force, camera):
  walker = conventions.plates_to_walker(force)
  np.testing.assert_array_equal(
    conventions.plates_to_camera(force, camera), conventions.walker_to_camera(walker, camera)
  )
  np.testing.assert_array_equal(
    conventions.plates_to_opensim(force), conventions.walker_to_opensim(walker)
  )


UP, FORWARD, LEFT = [0, 0, 1], [1, 0, 0], [0, 1, 0]  # in plate axes


@pytest.mark.parametrize(
  ('plates', 'walker', 'opensim', 'camera_left', 'camera_right'),
  [
    (FORWARD, [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]),
    (LEFT, [0, 0, 1], [0, 0, -1], [0, 0, 1], [0, 0, -1]),  # to the near side, then away from it
    (UP, [1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]),
    ([1, 2, 3], [3, 1, 2], [1, 3, -2], [3, 1, 2], [3, 1, -2]),
  ],
  ids=['forward', 'left', 'up', 'all axes'],
)
def test_examples(plates, walker, opensim, camera_left, camera_right):
  assert conventions.plates_to_walker(plates).tolist() == walker
  assert conventions.walker_to_plates(walker).tolist() == plates
  assert conventions.walker_to_opensim(walker).tolist() == opensim
  assert conventions.opensim_to_walker(opensim).tolist() == walker
  assert conventions.plates_to_opensim(plates).tolist() == opensim
  assert conventions.opensim_to_plates(opensim).tolist() == plates
  for camera, expected in (('left', camera_left), ('right', camera_right)):
    assert conventions.plates_to_camera(plates, camera).tolist() == expected
    assert conventions.camera_to_plates(expected, camera).tolist() == plates
    assert conventions.walker_to_camera(walker, camera).tolist() == expected
    assert conventions.camera_to_walker(expected, camera).tolist() == walker


def test_opensim_is_right_handed_with_z_to_the_right():
  x, y, z = (conventions.opensim_to_plates(axis) for axis in np.eye(3))
  assert z.tolist() == [0, -1, 0]  # plate axes have y to the left
  np.testing.assert_array_equal(np.cross(x, y), z)


@pytest.mark.parametrize('camera', conventions.LEGS)
def test_a_network_without_all_axes_is_converted_too(camera):
  force = np.array([3.0, 1.0, 2.0])
  for convert in (conventions.camera_to_walker, conventions.walker_to_camera):
    for count in (1, 2):
      assert convert(force[:count], camera).tolist() == force[:count].tolist()


@pytest.mark.parametrize(('camera', 'near', 'far'), [('left', 0, 1), ('right', 1, 0)])
def test_near_is_the_leg_on_the_camera_s_side(camera, near, far):
  order = conventions.near_far_to_legs(camera)
  assert order == [near, far]
  assert conventions.LEGS[order[0]] == camera
  assert [order[k] for k in order] == [0, 1]  # its own inverse


def test_an_unknown_side_is_refused():
  with pytest.raises(ValueError):
    conventions.near_far_to_legs('front')
  with pytest.raises(KeyError):
    conventions.plates_to_camera(UP, 'front')
