"""What is told of a film before anything is estimated."""

import making
import numpy as np
import pytest
import scenes

from grfjax.app import film_check, texts
from grfjax.io import progress, video_file


def check(tmp_path, frames, **video):
  path = making.write_video(tmp_path / 'walk.mp4', frames, **video)
  found = film_check.check_film(path)
  for finding in found['findings']:
    assert '%(' not in texts.finding(finding, str)  # every number of the sentence is there
  return found, {(finding['code'], finding['level']) for finding in found['findings']}


def test_a_good_film(tmp_path):
  told = []
  with progress.told_to(lambda stage, share: told.append((stage, share))):
    found, findings = check(tmp_path, scenes.draw(scenes.walker(30, 290, tall=95)))
  assert findings == set()
  assert found['verdict'] == 'good'
  assert (found['camera'], found['walks'], found['feet']) == ('still', 1, 'visible')
  assert (found['width'], found['height'], found['slowed']) == (320, 180, 1.0)
  assert found['fps'] == pytest.approx(60)
  assert found['contacts'] == 3  # 260 of 95 pixels are 3.3 strides of 0.82 heights; less 0.6
  assert found['clear_seconds'] == pytest.approx(found['seconds'], abs=0.2)
  search = [(progress.SEARCH, k / scenes.COUNT) for k in range(scenes.COUNT)]
  assert told[-scenes.COUNT :] == search
  assert {stage for stage, _ in told[: -scenes.COUNT]} == {progress.STEADY}


def test_a_film_from_the_hand_at_20_frames_a_second(tmp_path):
  t = np.arange(50) / 20
  frames = scenes.pan(
    scenes.draw_large(300)[::3], 8 * np.sin(6 * t), 6 * np.sin(5 * t + 1), margin=30
  )
  found, findings = check(tmp_path, frames, fps=20)
  assert (found['camera'], found['walks'], found['verdict']) == ('hand_held', 1, 'doubtful')
  assert ('check.frame_rate', 'doubt') in findings
  assert ('check.few_contacts', 'doubt') in findings


def test_nobody_walks(tmp_path):
  found, findings = check(tmp_path, scenes.draw()[:40])
  assert (found['verdict'], found['walks'], found['feet']) == ('unusable', 0, 'unknown')
  assert findings == {('video.no_walker', 'error')}
  assert found['clear_seconds'] == 0


def test_feet_below_the_picture(tmp_path):
  frames = scenes.draw(scenes.walker(40, 280, floor=scenes.HEIGHT + 14))
  found, findings = check(tmp_path, frames[::2], fps=30)
  assert (found['verdict'], found['feet']) == ('unusable', 'cut')
  assert findings >= {('video.no_walker', 'error'), ('walker.feet_cut', 'doubt')}


def test_a_small_walker_beside_somebody_else(tmp_path):
  small = scenes.walker(40, 280, tall=60, floor=120)
  other = scenes.walker(270, 60, tall=60, floor=120, clothes=scenes.RED)
  found, findings = check(tmp_path, scenes.draw(small, other)[::2], fps=30)
  assert ('check.small_walker', 'doubt') in findings
  assert {code for code, _ in findings} & {'walker.two_together', 'walker.another_in_window'}
  assert found['verdict'] == 'doubtful'
  assert found['clear_seconds'] < found['seconds'] - 0.3


def test_a_file_that_is_no_film(tmp_path):
  path = tmp_path / 'walk.film'
  path.write_bytes(b'GIF89a')
  with pytest.raises(video_file.VideoError) as error:
    film_check.check_film(path)
  assert error.value.code == 'video.unreadable'
