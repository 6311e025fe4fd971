"""A moving camera is told from a standing one, whatever walks before it."""

import cv2
import making
import numpy as np
import pytest
import scenes

from grfjax.tracking import camera_motion

FPS = 60


def moving_intervals(frames, background=None):
  """Intervals in which the camera moves before a background, which is the first frame if None."""
  camera = camera_motion.CameraMotion(frames[0] if background is None else background, FPS)
  for k, frame in enumerate(frames):
    camera.add(k, frame)
  return camera.moving_intervals()


def empty_room(dx, dy):
  """Frames of a room without anybody, from a camera that turns by so many columns and rows."""
  rng, room = np.random.default_rng(0), making.room(240, 460)
  return [making.noisy(f, 2.0, rng) for f in scenes.pan([room] * len(dx), dx, dy, 30)]


# --- by itself


def test_a_camera_that_stands_still():
  assert moving_intervals(empty_room(np.zeros(60), np.zeros(60))) == []


def test_a_camera_that_pans_moves_from_its_first_shift_on():
  pan = np.concatenate([np.zeros(31), 0.4 * np.arange(60)])
  ((first, last),) = moving_intervals(empty_room(pan, 0 * pan))
  step = round(camera_motion.INTERVAL_S * FPS)
  assert first == 30  # the last picture before it that is compared
  assert last == 90 + step


def test_a_camera_that_shakes_moves_throughout():
  t = np.arange(120) / FPS
  ((first, last),) = moving_intervals(empty_room(5 * np.sin(9 * t), 4 * np.sin(7 * t + 1)))
  assert first == 0
  assert last >= 119


def test_a_short_rest_between_two_moves_is_part_of_them():
  step = round(camera_motion.INTERVAL_S * FPS)
  move, back = np.full(step, 10.0), np.zeros(step)
  rest = np.zeros(round(camera_motion.MIN_STILL_S * FPS))
  short = np.concatenate([back, move, rest[step:], move, back])
  assert len(moving_intervals(empty_room(short, 0 * short))) == 1
  long = np.concatenate([back, move, rest, rest, rest, move, back])
  assert len(moving_intervals(empty_room(long, 0 * long))) == 2


def test_a_cut_to_a_view_beside_is_a_motion_until_the_view_returns():
  cut = np.concatenate([np.zeros(45), np.full(45, 12), np.zeros(75)])
  ((first, last),) = moving_intervals(empty_room(cut, 0 * cut))
  step = round(camera_motion.INTERVAL_S * FPS)
  assert first == 45 - step
  assert last == 90 + step  # the picture that shows the first view again


def test_a_cut_to_another_scene_is_no_motion():
  """Nothing in the one picture is in the other, so that no parts move alike."""
  rng = np.random.default_rng(0)
  views = [making.room(180, 400, seed) for seed in (0, 1)]
  frames = [making.noisy(view, 2.0, rng) for view in views for _ in range(30)]
  assert moving_intervals(frames) == []


def test_a_walker_before_a_still_background_is_no_motion():
  frames = scenes.draw(scenes.walker(20, 300))
  assert moving_intervals(frames, making.room(scenes.HEIGHT, scenes.WIDTH)) == []


def test_a_walker_before_a_plain_wall_is_no_motion():
  wall = np.full((scenes.HEIGHT, scenes.WIDTH, 3), 150, np.uint8)
  assert moving_intervals(before_plain_wall(wall), wall) == []


def before_plain_wall(wall):
  """Frames of a walker before a wall without any pattern."""
  rng = np.random.default_rng(0)
  frames = []
  for k in range(scenes.COUNT):
    frame = wall.copy()
    making.figure(frame, 20 + 280 * k / scenes.COUNT, scenes.FLOOR, 140, 0.1 * k)
    frames.append(making.noisy(frame, 3, rng))
  return frames


# --- in the search for crossings

MOVES = {
  'a pan after the walker': (np.linspace(-28, 28, scenes.COUNT), np.zeros(scenes.COUNT)),
  'a pan towards the walker': (np.linspace(28, -28, scenes.COUNT), np.zeros(scenes.COUNT)),
  'held by hand': (5 * np.sin(9 * scenes.TIME_S), 4 * np.sin(7 * scenes.TIME_S + 1)),
}


@pytest.mark.parametrize('name', MOVES)
def test_a_camera_that_moves_is_held_still(name):
  (still,), _ = scenes.follow(scenes.pan(scenes.draw_large(), *np.zeros((2, scenes.COUNT)), 30))
  (crossing,), _ = scenes.follow(scenes.pan(scenes.draw_large(), *MOVES[name], 30))
  assert crossing.clear.all()
  both = np.intersect1d(still.track.frame, crossing.track.frame)
  assert len(both) > 0.8 * scenes.COUNT
  x, expected = (c.track.x[np.isin(c.track.frame, both)] for c in (crossing, still))
  assert np.std(x - expected) < 0.5  # pixels, of a walker of 120


def test_a_camera_that_trembles_may_pass():
  """By 0.3 % of the picture's height."""
  sway = 0.6 * np.sin(9 * scenes.TIME_S)
  frames = [
    cv2.warpAffine(f, np.float32([[1, 0, s], [0, 1, s]]), (460, 240), borderMode=cv2.BORDER_REFLECT)
    for f, s in zip(scenes.draw_large(), sway, strict=True)
  ]
  (crossing,), gaps = scenes.follow(frames)
  assert gaps == []
  assert crossing.clear.all()
  assert len(crossing.clear) > 0.9 * scenes.COUNT


def test_a_walker_before_a_plain_wall_is_no_moving_camera():
  frames = before_plain_wall(np.full((scenes.HEIGHT, scenes.WIDTH, 3), 150, np.uint8))
  (crossing,), gaps = scenes.follow(frames)
  assert gaps == []
  assert crossing.clear.all()


@pytest.mark.parametrize('name', MOVES)
def test_a_camera_that_moves_before_a_bare_wall(name):
  """It shows nothing of the motion to the side; the walk is followed all the same."""
  rng = np.random.default_rng(0)
  room = np.full((240, 460, 3), (170, 150, 130), np.uint8)
  room[185:] = 90, 100, 110
  frames = []
  for k in range(scenes.COUNT):
    frame = room.copy()
    making.figure(frame, 50 + 360 * k / scenes.COUNT, 200, 120, 0.1 * k)
    frames.append(making.noisy(frame, 1.5, rng))
  (still,), _ = scenes.follow(scenes.pan(frames, *np.zeros((2, scenes.COUNT)), 30))
  (crossing,), gaps = scenes.follow(scenes.pan(frames, *MOVES[name], 30))
  assert gaps == []
  assert crossing.clear.all()
  floor, expected = (
    np.interp(range(20, 130), t.frame, t.floor) for t in (crossing.track, still.track)
  )
  assert np.std(floor - expected) < 0.5  # pixels, of a walker of 120


def test_a_camera_that_is_pushed():
  """It stands before and after; most of the time as in the beginning."""
  push = np.where(np.arange(scenes.COUNT) < 100, 0, 12)
  (crossing,), _ = scenes.follow(scenes.pan(scenes.draw_large(350), push, 0 * push, 30))
  assert crossing.clear.all()
  step = np.diff(crossing.track.x)[np.isin(crossing.track.frame[1:], range(90, 110))]
  assert np.ptp(step) < 0.3  # no jump of the window where the picture jumps by 12 pixels
