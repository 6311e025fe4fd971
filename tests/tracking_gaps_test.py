"""Where a walker cannot be followed there is no estimate, and the reason is given."""

import json

import making
import numpy as np
import pytest
import scenes

from grfjax.inference import trained_run
from grfjax.io import run_folder
from grfjax.report import predicting
from grfjax.tracking import crossings, tracking_gaps

# --- other people


def test_two_who_meet():
  one, two = scenes.walker(20, 300), scenes.walker(300, 20, clothes=scenes.RED)
  crossings, gaps = scenes.follow(scenes.draw(one, two))
  together = next(s for s in gaps if s.reason == tracking_gaps.TWO_TOGETHER)
  # They meet in the middle; arms and legs reach 0.4 body heights.
  assert together.start_s < scenes.TIME_S[scenes.COUNT // 2] < together.end_s
  assert together.end_s - together.start_s < 1
  assert tracking_gaps.SHORTER in [s.reason for s in gaps]
  for crossing in crossings:
    at = scenes.TIME_S[crossing.track.frame[crossing.clear]]
    assert not ((at > together.start_s) & (at < together.end_s)).any()
    # One person's path, not from one to the other.
    assert (np.diff(crossing.track.x) * crossing.track.direction > 0).all()


def test_one_who_walks_close_behind():
  """In the window of the first, from the middle on."""
  slow = scenes.walker(40, 170)
  fast = scenes.walker(-150, 120, clothes=scenes.RED)
  crossings, gaps = scenes.follow(scenes.draw(slow, fast))
  assert tracking_gaps.ANOTHER_IN_WINDOW in [s.reason for s in gaps]
  for crossing in crossings:
    at = crossing.track.frame[crossing.clear]
    gap = np.array([abs(slow(k)[0] - fast(k)[0]) for k in at])
    assert (gap > 0.35 * scenes.TALL).all()


def test_one_who_stands_further_off_does_not_matter():
  def waver(k):
    return 290 + 6 * np.sin(k / 9), scenes.FLOOR, scenes.TALL, scenes.RED

  (crossing,), gaps = scenes.follow(scenes.draw(scenes.walker(30, 200), waver))
  assert crossing.clear.all()
  assert gaps == []


# --- the walk


@pytest.mark.parametrize('below', [10, 40])
def test_feet_beyond_the_picture(below):
  frames = scenes.draw(scenes.walker(20, 300, floor=scenes.HEIGHT + below, tall=140))
  with pytest.raises(
    crossings.NobodyFoundError, match="the feet are beyond the picture's lower edge"
  ):
    scenes.follow(frames)


def test_a_shadow_to_the_pictures_edge_all_along_is_no_foot_beyond_it():
  frames = scenes.draw(scenes.walker(20, 300))
  for k, frame in enumerate(frames):
    x = 20 + 280 * k / (scenes.COUNT - 1)
    part = frame[scenes.FLOOR :, max(0, round(x) - 8) : round(x) + 8]
    part[:] = (0.75 * part).astype(np.uint8)
  (crossing,), gaps = scenes.follow(frames)
  assert gaps == []
  assert crossing.clear.all()


def test_a_shadow_to_the_pictures_edge_does_not_move_the_floor():
  frames = scenes.draw(scenes.walker(20, 300))
  for k, frame in enumerate(frames):
    x = 20 + 280 * k / (scenes.COUNT - 1)
    if x < 180:  # in the sun
      part = frame[scenes.FLOOR :, max(0, round(x) - 8) : round(x) + 8]
      part[:] = (0.5 * part).astype(np.uint8)
  (crossing,), gaps = scenes.follow(frames)
  assert gaps == []
  assert np.abs(crossing.track.floor - scenes.FLOOR).max() < 3


@pytest.mark.parametrize('across', [0, 60, 150])
@pytest.mark.parametrize('nearer', [True, False])
def test_towards_the_camera_and_away_from_it(across, nearer):
  def at(k):
    share = k / (scenes.COUNT - 1)
    size = 1 / (1 - 0.5 * (share if nearer else 1 - share))  # half as far at the end
    return 100 + across * share, 90 + 40 * size, 62 * size, making.CLOTHES

  with pytest.raises(
    crossings.NobodyFoundError, match=r'from 0\.\d to 2\.\d s somebody comes nearer'
  ):
    scenes.follow(scenes.draw(at))


def test_a_path_a_little_aslant_is_followed():
  def at(k):
    share = k / (scenes.COUNT - 1)
    size = 1 + 0.2 * share
    return 20 + 270 * share, 90 + 60 * size, 95 * size, making.CLOTHES

  (crossing,), gaps = scenes.follow(scenes.draw(at))
  assert gaps == []
  assert crossing.clear.all()


# --- pictures shown twice


def test_pictures_shown_twice_count_once():
  film = making.film(80, fps=30, height=180, width=320)
  twice = np.repeat(film.frames, 2, axis=0)
  track = crossings.longest(
    crossings.find_crossings(making.Frames(twice), np.arange(160) / 60)
  ).track
  np.testing.assert_array_equal(track.repeats, track.frame % 2 == 1)
  once = crossings.longest(crossings.find_crossings(making.Frames(film.frames), film.time_s))
  assert not once.track.repeats.any()


def test_pictures_shown_twice_count_once_where_the_walker_is_out_of_sight():
  """As where the exposure changes and the whole picture stands out from the background."""
  frames = making.film(80, fps=30, height=180, width=320).frames.copy()
  frames[40:44] = np.minimum(frames[40:44].astype(int) + 20, 255)
  twice = np.repeat(frames, 2, axis=0)
  track = crossings.longest(
    crossings.find_crossings(making.Frames(twice), np.arange(160) / 60)
  ).track
  np.testing.assert_array_equal(track.repeats, track.frame % 2 == 1)


# --- what is left of a video


def test_a_stretch_is_empty_and_the_reason_told(tmp_path):
  frames = scenes.draw(scenes.walker(20, 300), scenes.walker(300, 20, clothes=scenes.RED))
  path = making.write_video(tmp_path / 'meet.mp4', frames)
  run = trained_run.load(run_folder.RunFolder.find('convolutional').path)
  said = predicting.predict_video(run, path, tmp_path, '', None, with_overlay=False)
  quality = json.loads((tmp_path / 'meet.json').read_text())['quality']
  flags = zip(quality['flags'], quality['flag_codes'], strict=True)
  (reason,) = [flag for flag, code in flags if code == 'walker.two_together']
  assert 'too close to be told apart' in reason
  assert f'Note: {reason}' in said
  assert reason in (tmp_path / 'meet.html').read_text()
  rows = [line.split(',') for line in (tmp_path / 'meet.csv').read_text().splitlines()[1:]]
  start, end = (float(word) for word in reason.split()[1:4:2])
  inside = [row for row in rows if start + 0.1 < float(row[0]) < end - 0.1]
  assert inside
  assert all(not any(row[1:]) for row in inside)
  assert any(all(row[1:7]) for row in rows)  # the forces of both legs
