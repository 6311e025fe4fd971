"""Where a walker cannot be followed there is no estimate, and the reason is told."""

import json

import cv2
import making
import numpy as np
import pytest

from grfjax.inference import trained_run
from grfjax.io import run_folder
from grfjax.report import predicting
from grfjax.tracking import crossings, tracking_gaps

HEIGHT, WIDTH, TALL, FLOOR, COUNT = 180, 320, 116, 166, 150
TIME_S = np.arange(COUNT) / 60
RED = ((40, 40, 200), (30, 30, 50), (230, 180, 150))


def drawn(*people, width=WIDTH, height=HEIGHT, noise=2.0):
  """Frames of people, each k -> (x, floor, height, clothes) or None; at 60 a second."""
  rng, room = np.random.default_rng(0), making.room(height, width)
  frames = []
  for k in range(COUNT):
    frame = room.copy()
    for person in people:
      if (at := person(k)) is not None:
        x, floor, tall, clothes = at
        making.figure(frame, x, floor, tall, 0.1 * k, clothes=clothes)
    frames.append(making.noisy(frame, noise, rng))
  return frames


def walker(first, last, *, floor=FLOOR, tall=TALL, clothes=making.CLOTHES, begin=0):
  """Crosses from one column to the other."""

  def at(k):
    if k < begin:
      return None
    share = (k - begin) / (COUNT - 1 - begin)
    return first + (last - first) * share, floor, tall, clothes

  return at


def follow(frames):
  """The crossings, and the stretches in which nobody is followed."""
  found = list(crossings.crossings(making.Frames(frames), TIME_S))
  gaps = [f for f in found if isinstance(f, tracking_gaps.Gap)]
  return [f for f in found if isinstance(f, crossings.Crossing)], gaps


def moved(frames, dx, dy, margin):
  """As a camera that turns by so many columns and rows sees them."""
  x0, y0 = margin + np.round([dx, dy]).astype(int)
  size = frames[0].shape[0] - 2 * margin, frames[0].shape[1] - 2 * margin
  return [
    f[y : y + size[0], x : x + size[1]]
    for f, x, y in zip(frames, x0.tolist(), y0.tolist(), strict=True)
  ]


# --- the camera

LARGE = {'height': 240, 'width': 460}


def in_a_large_room(last=410):
  return drawn(walker(50, last, floor=200, tall=120), **LARGE)


MOVES = {
  'a pan after the walker': (np.linspace(-28, 28, COUNT), np.zeros(COUNT)),
  'a pan towards the walker': (np.linspace(28, -28, COUNT), np.zeros(COUNT)),
  'held by hand': (5 * np.sin(9 * TIME_S), 4 * np.sin(7 * TIME_S + 1)),
}


@pytest.mark.parametrize('name', MOVES)
def test_a_camera_that_moves(name):
  with pytest.raises(crossings.NobodyFoundError, match=r'from 0\.0 to 2\.[45] s the camera moves'):
    follow(moved(in_a_large_room(), *MOVES[name], 30))


def test_a_camera_that_trembles_may_pass():
  """By 0.3 % of the picture's height."""
  sway = 0.6 * np.sin(9 * TIME_S)
  frames = [
    cv2.warpAffine(f, np.float32([[1, 0, s], [0, 1, s]]), (460, 240), borderMode=cv2.BORDER_REFLECT)
    for f, s in zip(in_a_large_room(), sway, strict=True)
  ]
  (crossing,), gaps = follow(frames)
  assert gaps == []
  assert crossing.clear.all()
  assert len(crossing.clear) > 0.9 * COUNT


def test_a_walker_before_a_plain_wall_is_no_moving_camera():
  rng = np.random.default_rng(0)
  frames = []
  for k in range(COUNT):
    frame = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    making.figure(frame, 20 + 280 * k / COUNT, FLOOR, 140, 0.1 * k)
    frames.append(making.noisy(frame, 3, rng))
  (crossing,), gaps = follow(frames)
  assert gaps == []
  assert crossing.clear.all()


def test_a_camera_that_is_pushed():
  """It stands before and after; most of the time as in the beginning."""
  push = np.where(np.arange(COUNT) < 100, 0, 12)
  (crossing,), gaps = follow(moved(in_a_large_room(), push, 0 * push, 30))
  assert [s.why for s in gaps] == [tracking_gaps.MOVING]
  assert gaps[0].start_s == pytest.approx(100 / 60, abs=0.3)
  assert gaps[0].end_s == pytest.approx(TIME_S[-1], abs=0.01)
  at = crossing.track.frame
  assert crossing.clear[at < 80].all()
  assert not crossing.clear[at >= 100].any()


# --- other people


def test_two_who_meet():
  one, two = walker(20, 300), walker(300, 20, clothes=RED)
  crossings, gaps = follow(drawn(one, two))
  together = next(s for s in gaps if s.why == tracking_gaps.TOGETHER)
  # They meet in the middle; arms and legs reach 0.4 body heights.
  assert together.start_s < TIME_S[COUNT // 2] < together.end_s
  assert together.end_s - together.start_s < 1
  assert tracking_gaps.SHORTER in [s.why for s in gaps]
  for crossing in crossings:
    at = TIME_S[crossing.track.frame[crossing.clear]]
    assert not ((at > together.start_s) & (at < together.end_s)).any()
    # One person's path, not from one to the other.
    assert (np.diff(crossing.track.x) * crossing.track.direction > 0).all()


def test_one_who_walks_close_behind():
  """In the window of the first, from the middle on."""
  slow = walker(40, 170)
  fast = walker(-150, 120, clothes=RED)
  crossings, gaps = follow(drawn(slow, fast))
  assert tracking_gaps.BESIDE in [s.why for s in gaps]
  for crossing in crossings:
    at = crossing.track.frame[crossing.clear]
    gap = np.array([abs(slow(k)[0] - fast(k)[0]) for k in at])
    assert (gap > 0.35 * TALL).all()


def test_one_who_stands_further_off_does_not_matter():
  def waver(k):
    return 290 + 6 * np.sin(k / 9), FLOOR, TALL, RED

  (crossing,), gaps = follow(drawn(walker(30, 200), waver))
  assert crossing.clear.all()
  assert gaps == []


# --- the walk


@pytest.mark.parametrize('below', [10, 40])
def test_feet_beyond_the_picture(below):
  frames = drawn(walker(20, 300, floor=HEIGHT + below, tall=140))
  with pytest.raises(
    crossings.NobodyFoundError, match="the feet are beyond the picture's lower edge"
  ):
    follow(frames)


def test_a_shadow_to_the_pictures_edge_all_along_is_no_foot_beyond_it():
  frames = drawn(walker(20, 300))
  for k, frame in enumerate(frames):
    x = 20 + 280 * k / (COUNT - 1)
    part = frame[FLOOR:, max(0, round(x) - 8) : round(x) + 8]
    part[:] = (0.75 * part).astype(np.uint8)
  (crossing,), gaps = follow(frames)
  assert gaps == []
  assert crossing.clear.all()


def test_a_shadow_to_the_pictures_edge_does_not_move_the_floor():
  frames = drawn(walker(20, 300))
  for k, frame in enumerate(frames):
    x = 20 + 280 * k / (COUNT - 1)
    if x < 180:  # in the sun
      part = frame[FLOOR:, max(0, round(x) - 8) : round(x) + 8]
      part[:] = (0.5 * part).astype(np.uint8)
  (crossing,), gaps = follow(frames)
  assert gaps == []
  assert np.abs(crossing.track.floor - FLOOR).max() < 3


@pytest.mark.parametrize('across', [0, 60, 150])
@pytest.mark.parametrize('nearer', [True, False])
def test_towards_the_camera_and_away_from_it(across, nearer):
  def at(k):
    share = k / (COUNT - 1)
    size = 1 / (1 - 0.5 * (share if nearer else 1 - share))  # half as far at the end
    return 100 + across * share, 90 + 40 * size, 62 * size, making.CLOTHES

  with pytest.raises(
    crossings.NobodyFoundError, match=r'from 0\.\d to 2\.\d s somebody comes nearer'
  ):
    follow(drawn(at))


def test_a_path_a_little_aslant_is_followed():
  def at(k):
    share = k / (COUNT - 1)
    size = 1 + 0.2 * share
    return 20 + 270 * share, 90 + 60 * size, 95 * size, making.CLOTHES

  (crossing,), gaps = follow(drawn(at))
  assert gaps == []
  assert crossing.clear.all()


# --- pictures shown twice


def test_pictures_shown_twice_count_once():
  film = making.film(80, fps=30, height=180, width=320)
  twice = np.repeat(film.frames, 2, axis=0)
  track = crossings.longest(making.Frames(twice), np.arange(160) / 60).track
  np.testing.assert_array_equal(track.repeats, track.frame % 2 == 1)
  once = crossings.longest(making.Frames(film.frames), film.time_s)
  assert not once.track.repeats.any()


def test_pictures_shown_twice_count_once_where_the_walker_is_out_of_sight():
  """As where the exposure changes and the whole picture stands out from the background."""
  frames = making.film(80, fps=30, height=180, width=320).frames.copy()
  frames[40:44] = np.minimum(frames[40:44].astype(int) + 20, 255)
  twice = np.repeat(frames, 2, axis=0)
  track = crossings.longest(making.Frames(twice), np.arange(160) / 60).track
  np.testing.assert_array_equal(track.repeats, track.frame % 2 == 1)


# --- what is left of a video


def test_a_stretch_is_empty_and_the_reason_told(tmp_path):
  frames = drawn(walker(20, 300), walker(300, 20, clothes=RED))
  path = making.write_video(tmp_path / 'meet.mp4', frames)
  run = trained_run.load(run_folder.RunFolder.find('convolutional').path)
  said = predicting.predict_video(run, path, tmp_path, '', None, with_overlay=False)
  told = json.loads((tmp_path / 'meet.json').read_text())['quality']['flags']
  (reason,) = [flag for flag in told if 'too close to be told apart' in flag]
  assert f'Note: {reason}' in said
  assert reason in (tmp_path / 'meet.html').read_text()
  rows = [line.split(',') for line in (tmp_path / 'meet.csv').read_text().splitlines()[1:]]
  start, end = (float(word) for word in reason.split()[1:4:2])
  inside = [row for row in rows if start + 0.1 < float(row[0]) < end - 0.1]
  assert inside
  assert all(not any(row[1:]) for row in inside)
  assert any(all(row[1:]) for row in rows)
