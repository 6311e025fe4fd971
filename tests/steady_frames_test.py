"""A camera that moves is held still to a hundredth of a pixel, and a still one left alone."""

import cv2
import making
import numpy as np
import pytest
import scenes

from grfjax.tracking import alignment, background_model, steady_frames

MARGIN = 30
TIME_S = np.arange(60) / 30


def film(dx, dy, turn=0.0):
  """Frames of a walker, from a camera that moves by (dx, dy) pixels and turns (radians)."""
  large = scenes.draw_large()[: 2 * len(TIME_S) : 2]
  turns = np.broadcast_to(turn, len(large))
  height, width = large[0].shape[:2]
  frames = []
  for frame, x, y, angle in zip(large, dx, dy, turns, strict=True):
    to_filmed = cv2.getRotationMatrix2D((width / 2, height / 2), np.rad2deg(angle), 1)
    to_filmed[:, 2] -= MARGIN + x, MARGIN + y
    size = width - 2 * MARGIN, height - 2 * MARGIN
    frames.append(cv2.warpAffine(frame, to_filmed, size, flags=cv2.INTER_CUBIC))
  return frames


def steadied(frames):
  """`SteadyFrames` of them that has been iterated over, and its frames."""
  steady = steady_frames.SteadyFrames(making.Frames(frames))
  return steady, list(steady)


def gray(frame):
  return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)


def test_a_still_camera_gives_the_frames_as_they_are():
  frames = film(np.zeros(60), np.zeros(60))
  steady, out = steadied(frames)
  assert not steady.is_changed
  assert all(a is b for a, b in zip(frames, out, strict=True))


def test_a_hand_is_found_to_a_few_hundredths_of_a_pixel():
  dx, dy = 5 * np.sin(6 * TIME_S), 4 * np.sin(5 * TIME_S + 1)
  steady, _ = steadied(film(dx, dy))
  assert steady.moves
  assert not steady.lost
  found = np.array([steady.to_filmed(k)[:2, 2] for k in range(60)])
  error = found + np.stack([dx, dy], 1)
  assert np.std(error, 0).max() < 0.06  # OpenCV moves the test's pictures by 32nds of a pixel


def test_a_camera_that_turns_is_turned_back():
  angle = np.deg2rad(1.5) * np.sin(5 * TIME_S)
  frames = film(3 * np.sin(4 * TIME_S), np.zeros(60), angle)
  steady, out = steadied(frames)
  found = np.array([np.arctan2(h[1, 0], h[0, 0]) for h in map(steady.to_filmed, range(60))])
  assert np.std(np.rad2deg(found + angle)) < 0.05
  # The wall above the walker, in the first frame and in the others.
  wall = np.stack([gray(f)[12:40, 40:-40] for f in out])
  filmed = np.stack(
    [gray(f)[12:40, 40:-40] for f in film(3 * np.sin(4 * TIME_S), 0 * TIME_S, angle)]
  )
  assert np.abs(wall - wall[0]).mean() < 0.3 * np.abs(filmed - filmed[0]).mean()


def test_a_pan_shows_all_that_was_filmed():
  steady, out = steadied(film(np.linspace(-25, 25, 60), np.zeros(60)))
  assert out[0].shape[1] == pytest.approx(400 + 50, abs=3)
  left, right = zip(*(steady.sides(k) for k in range(60)), strict=True)
  np.testing.assert_allclose(np.diff(left), 50 / 59, atol=0.1)
  np.testing.assert_allclose(np.subtract(right, left), 400, atol=0.5)


def test_a_box_goes_back_to_where_it_was_filmed():
  dx = 5 * np.sin(6 * TIME_S)
  steady, _ = steadied(film(dx, 0 * dx))
  corner = np.array([steady.to_filmed(k) @ [100, 50, 1] for k in range(60)])
  np.testing.assert_allclose(np.diff(corner[:, 0]), -np.diff(dx), atol=0.2)


def test_flicker_is_taken_out():
  light = 15 * np.sin(20 * TIME_S)
  frames = [
    np.clip(f + l, 0, 255).astype(np.uint8)
    for f, l in zip(film(np.zeros(60), np.zeros(60)), light, strict=True)
  ]
  steady, out = steadied(frames)
  assert steady.light_changes
  assert not steady.moves
  levels = [np.median(gray(f)[:60]) for f in out]
  assert np.ptp([np.median(gray(f)[:60]) for f in frames]) > 25
  assert np.ptp(levels) <= 1.5


def test_another_room_is_lost():
  dx = 5 * np.sin(6 * TIME_S)
  frames = film(dx, 0 * dx)
  frames[40:44] = [making.room(*frames[0].shape[:2], seed=9)] * 4
  steady, out = steadied(frames)
  assert steady.lost == [40, 41, 42, 43]
  assert len(out) == 60


def bare_room(dx, dy, *, picture=False, slope=0.0, floor=(90, 100, 110)):
  """Frames of a walker before a wall without anything, from a camera that moves by (dx, dy) pixels.

  Args:
    dx: columns.
    dy: rows.
    picture: whether a small picture hangs on the wall.
    slope: rows a column, by which the floor's edge falls.
    floor: its colour; the wall's is (170, 150, 130).
  """
  rng = np.random.default_rng(0)
  large = np.full((300, 520, 3), (170, 150, 130), np.uint8)
  edge = 230 + slope * (np.arange(520) - 260)
  below = np.clip(np.arange(300)[:, None] - edge, 0, 1)[..., None]  # without a jagged edge
  large = np.round(large + below * (np.array(floor) - large)).astype(np.uint8)
  if picture:
    large[90:120, 240:264] = (60, 40, 90)
  frames = []
  for k, (x, y) in enumerate(np.round(np.stack([dx, dy], 1)).astype(int).tolist()):
    frame = large.copy()
    making.figure(frame, 100 + 320 * k / len(dx), 252, 150, 0.16 * k)
    frames.append(making.noisy(frame[40 + y : 280 + y, 60 + x : 460 + x], 1.5, rng))
  return frames


def places(frames):
  """`SteadyFrames` of them, and where (K, 2) the middle of the floor's edge lies in each."""
  steady, _ = steadied(frames)
  corners = np.stack([steady.to_filmed(k) @ [200, 190, 1] for k in range(len(frames))])
  return steady, corners[:, :2] / corners[:, 2:]


HAND = np.round(6 * np.sin(5 * TIME_S)), np.round(5 * np.sin(7 * TIME_S + 1))


def test_a_bare_wall_tells_how_far_a_camera_goes_up_and_down():
  """And nothing about how far it goes to the side, which is not made up."""
  steady, place = places(bare_room(*HAND))
  assert steady.moves
  assert not steady.lost
  assert np.std(place[:, 1] + HAND[1]) < 0.1
  assert np.ptp(place[:, 0]) < 0.5


def test_a_small_picture_on_a_bare_wall_tells_it_all():
  """Though its edges are few, and jump by several pixels from frame to frame."""
  steady, place = places(bare_room(*HAND, picture=True))
  assert not steady.lost
  assert np.std(place + np.stack(HAND, 1), 0).max() < 0.1


def test_a_pan_over_more_than_a_picture_is_wide():
  steady, place = places(bare_room(np.linspace(-20, 20, 60), 0 * TIME_S, picture=True))
  assert not steady.lost
  assert np.std(place[:, 0] + np.round(np.linspace(-20, 20, 60))) < 0.1


def test_a_slanted_edge_alone_tells_not_enough():
  """What is not known along it is up and down in part."""
  frames = bare_room(*HAND, slope=0.2)
  steady, _ = steadied(frames)
  assert steady.lost == list(range(len(frames)))


def test_a_wall_and_a_floor_that_are_equally_bright_differ_in_colour():
  gray_levels = cv2.cvtColor(np.uint8([[(170, 150, 130), (60, 200, 166)]]), cv2.COLOR_RGB2GRAY)
  assert np.ptp(gray_levels) <= 1
  steady, place = places(bare_room(*HAND, floor=(60, 200, 166)))
  assert steady.moves
  assert not steady.lost
  assert np.std(place[:, 1] + HAND[1]) < 0.1


def test_a_still_camera_before_a_bare_wall_is_still():
  frames = bare_room(0 * TIME_S, 0 * TIME_S)
  steady, out = steadied(frames)
  assert not steady.is_changed
  assert all(a is b for a, b in zip(frames, out, strict=True))


def test_a_wall_without_a_pattern_is_taken_for_still():
  rng = np.random.default_rng(0)
  wall = np.full((180, 320, 3), 150, np.uint8)
  steady, _ = steadied([making.noisy(wall, 3, rng) for _ in range(40)])
  assert not steady.is_changed


@pytest.mark.parametrize('turns', [False, True])
def test_an_aligned_picture_tells_its_light(turns):
  room = gray(making.room(240, 400))
  to_picture = np.array([[1, 0, 3.3], [0, 1, -2.2], [0, 0, 1.0]])
  flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
  picture = cv2.warpPerspective(room, np.linalg.inv(to_picture), (400, 240), flags=flags)
  found = alignment.Aligner(room, turns=turns).align(alignment.Picture(0.9 * picture + 8))
  assert found.gain == pytest.approx(0.9, abs=0.03)
  assert found.gain * 130 + found.offset == pytest.approx(0.9 * 130 + 8, abs=1.5)
  np.testing.assert_allclose(found.homography[:2, 2], [3.3, -2.2], atol=0.05)
  assert found.fit > 0.9


@pytest.fixture(scope='module')
def held():
  """`SteadyFrames` of a room filmed by hand, of over twice the rows that are searched."""
  room, frames = making.room(420, 560), []
  for k in range(24):
    angle, x, y = 0.01 * np.sin(k), 20 + 7.3 * np.sin(0.9 * k), 20 + 5.7 * np.cos(0.7 * k)
    to_room = np.array([[np.cos(angle), -np.sin(angle), x], [np.sin(angle), np.cos(angle), y]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    frames.append(cv2.warpAffine(room, to_room, (500, 370), flags=flags))
  steady = steady_frames.SteadyFrames(making.Frames(frames))
  assert steady.moves
  return steady, list(steady.for_search())


def test_what_is_searched_is_the_whole_frame_reduced(held):
  steady, seen = held
  for k, (picture, filmed, _) in enumerate(seen):
    reduced = background_model.search_picture(steady.part(k, filmed, steady.everything))
    assert picture.shape == reduced.shape
    assert reduced.shape[0] < 0.6 * filmed.shape[0]
    error = cv2.absdiff(picture, reduced)[4:-4, 4:-4]
    assert error.mean() < 0.4
    assert np.percentile(error, 99.9) < 5
    assert cv2.absdiff(picture[1:], reduced[:-1]).mean() > 2 * error.mean()  # a pixel aside


def test_a_part_that_is_averaged_is_the_same_however_interpolated(held):
  steady, seen = held
  box = steady_frames.Box(130, 40, 208, 288)
  for k, (_, filmed, _) in enumerate(seen):
    linear, cubic = (
      steady.part(k, filmed, box, to_be_averaged=averaged).reshape(72, 4, 52, 4, 3).mean((1, 3))
      for averaged in (True, False)
    )
    assert np.abs(linear - cubic).mean() < 0.5
    assert np.abs(linear - cubic).max() < 9
    assert np.abs(linear[1:] - cubic[:-1]).mean() > 20 * np.abs(linear - cubic).mean()


def test_a_part_is_that_of_the_whole_frame(held):
  steady, seen = held
  box = steady_frames.Box(130, 40, 210, 290)
  for k, (_, filmed, _) in enumerate(seen):
    whole = steady.part(k, filmed, steady.everything)
    part = steady.part(k, filmed, box)
    np.testing.assert_allclose(part, whole[40:330, 130:340].astype(int), atol=1)
    assert (part != whole[40:330, 130:340]).mean() < 0.002  # OpenCV rounds places


def test_what_a_frame_does_not_show_is_background(held):
  steady, seen = held
  held_still = [steady.part(k, filmed, steady.everything) for k, (_, filmed, _) in enumerate(seen)]
  background = np.median(held_still, 0)
  row, column = np.indices(background.shape[:2])
  for k, whole in enumerate(held_still):
    x, y, depth = np.tensordot(steady.to_filmed(k), np.stack([column, row, 0 * row + 1]), 1)
    x, y = x / depth, y / depth
    beyond = (x < -1) | (y < -1) | (x > 500) | (y > 370)
    assert beyond.any()
    np.testing.assert_allclose(whole[beyond], background[beyond], atol=2)


@pytest.mark.parametrize('start', [(0, 0), (3.3, -2.7), (-0.4, 0.6), (5, 2.25), (-60.1, 40)])
def test_squares_between_pixels_are_averaged_as_the_moved_picture(start):
  picture = gray(making.room(183, 320))
  moved = cv2.warpAffine(
    picture, np.array([[1, 0, start[0]], [0, 1, start[1]]], float), picture.shape[::-1],
    flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
  )  # fmt: skip
  rows, columns = 183 // 8, 320 // 8
  expected = moved[: 8 * rows].reshape(rows, 8, columns, 8).mean((1, 3))
  found = alignment._averages_from(picture, np.array(start, float))
  np.testing.assert_allclose(found, expected, atol=0.01)
