"""A drawn walker before a cluttered wall is found and followed."""

import functools
import types
import weakref

import cv2
import making
import numpy as np
import pytest

from grfjax.tracking import (
  blobs,
  crossings,
  frame_planes,
  linking,
  walker_track,
  walker_window,
)

SIZE = {'height': 180, 'width': 320}
# Within some twenty gray levels of the wall's mean colour.
DULL = ((150, 140, 150), (110, 120, 115), (160, 140, 130))


def longest(frames, time_s) -> crossings.Crossing:
  return crossings.longest(crossings.find_crossings(making.Frames(frames), time_s))


def follow(film: making.Film) -> walker_track.Track:
  return longest(film.frames, film.time_s).track


def check(track: walker_track.Track, film: making.Film) -> None:
  """The window is centred, of the right size, and holds the whole walker."""
  assert len(track.frame) >= 0.95 * len(film.time_s)
  np.testing.assert_array_equal(np.diff(track.frame), 1)
  assert np.abs(track.x - film.x[track.frame]).max() < 2
  assert np.abs(track.height / film.tall - 1).max() < 0.05
  # Rows of the window's edges in the picture, as `windows` places them.
  bottom = track.floor + walker_window.FLOOR * walker_window.MARGIN * track.height
  top = bottom - walker_window.MARGIN * track.height
  assert (bottom >= film.floor + 1).all()  # feet
  assert (top <= film.floor - film.tall).all()  # head


@pytest.mark.parametrize('direction', [1, -1])
@pytest.mark.parametrize(
  ('noise', 'clothes', 'fps'),
  [(1, making.CLOTHES, 60), (12, making.CLOTHES, 60), (4, DULL, 60), (8, DULL, 60), (4, DULL, 30)],
)
def test_a_walker_in_clutter_and_noise(direction, noise, clothes, fps):
  count = 80 * fps // 60
  film = making.film(
    count, fps=fps, noise=noise, clothes=clothes, direction=direction, seed=noise, **SIZE
  )
  track = follow(film)
  check(track, film)
  assert track.direction == direction


def test_the_background_and_the_noise_are_found():
  film = making.film(80, noise=6, **SIZE)
  track = follow(film)
  assert np.abs(track.background - making.room(180, 320).astype(float)).mean() < 2
  assert track.noise == pytest.approx(6, rel=0.2)


@pytest.mark.parametrize('direction', [1, -1])
def test_bystander_and_flicker_are_ignored(direction):
  rng = np.random.default_rng(0)
  room = making.room(**SIZE)
  film = making.film(80, noise=0, direction=direction, background=room, **SIZE)
  frames = []
  for k, clean in enumerate(film.frames):
    frame = room.copy()
    # Taller than the walker and never quite still, in the walker's way; a lamp; the mains' hum.
    making.figure(frame, 200 + 0.4 * np.sin(k / 9), 160, 140, 0.3, clothes=DULL)
    if k // 3 % 2:
      frame[2:28, 20:46] = cv2.add(frame[2:28, 20:46], (60, 60, 60, 0))
    here = (clean != room).any(2)
    frame[here] = clean[here]
    frame = np.clip(frame.astype(int) + (3 if k % 2 else -3), 0, 255)
    frames.append(making.noisy(frame, 4, rng))
  track = longest(frames, film.time_s).track
  check(track, film)
  assert track.direction == direction


def _shadowed(frame, x, length):
  """Darkens a strip along the floor from (x, soles) away from the light, as a low lamp does."""
  strip = np.array([[x - 8, 168], [x + 8, 168], [x + length + 8, 118], [x + length - 8, 118]])
  mask = cv2.fillPoly(np.zeros(frame.shape[:2], np.uint8), [strip.round().astype(int)], 1)
  frame[mask == 1] = (0.5 * frame[mask == 1]).astype(np.uint8)


@pytest.mark.parametrize('direction', [1, -1])
def test_a_long_shadow_neither_hides_the_walker_nor_ends_the_track(direction):
  room, rng = making.room(**SIZE), np.random.default_rng(0)
  x = 160 + direction * np.linspace(-120, 120, 80)
  frames = []
  for k, column in enumerate(x):
    frame = room.copy()
    _shadowed(frame, column, direction * 150)  # leaves the picture long before the walker does
    making.figure(frame, column, 166, 122, 0.1 * k)
    frames.append(making.noisy(frame, 3, rng))
  film = making.Film(np.stack(frames), np.arange(80) / 60, x, 166, 122)
  check(follow(film), film)


def test_a_soft_shadow_on_the_wall_does_not_pull_the_window_aside():
  """A wall close behind the walker shows a blurred double of them, which the lamp moves off."""
  wall = np.full((180, 320, 3), (200, 190, 170), np.uint8)
  rng = np.random.default_rng(0)
  x = np.linspace(40, 280, 80)
  frames = []
  for k, column in enumerate(x):
    shadow = np.full(wall.shape, 255, np.uint8)
    making.figure(shadow, column - 10 - 0.2 * k, 160, 116, 0.1 * k, clothes=((0, 0, 0),) * 3)
    soft = cv2.GaussianBlur(shadow[..., 0].astype(float) / 255, (0, 0), 4)
    frame = (wall * (0.8 + 0.2 * soft[..., None])).astype(np.uint8)
    making.figure(frame, column, 166, 122, 0.1 * k)
    frames.append(making.noisy(frame, 2, rng))
  track = longest(frames, np.arange(80) / 60).track
  assert np.abs(track.x - x[track.frame]).max() < 2


def test_who_melts_into_the_wall_for_a_while_is_one_track():
  """Half a body is seen, then all of it again at once."""
  film = making.film(80, noise=2, **SIZE)
  for frame in film.frames[25:50]:
    frame[:91] = making.noisy(making.room(**SIZE), 2, np.random.default_rng(1))[:91]
  track = follow(film)
  assert len(track.frame) >= 0.95 * len(film.time_s)
  assert np.abs(track.height / film.tall - 1).max() < 0.05


def test_who_goes_furthest_is_followed_and_not_who_is_seen_longest():
  room, rng = making.room(**SIZE), np.random.default_rng(0)
  frames = []
  for k in range(90):
    frame = room.copy()
    making.figure(frame, 50 + 12 * np.sin(k / 6), 166, 122, 0.2 * k)
    if 15 <= k < 70:
      making.figure(frame, 280 - 3 * (k - 15), 170, 116, 0.1 * k)
    frames.append(making.noisy(frame, 3, rng))
  track = longest(frames, np.arange(90) / 60).track
  assert track.direction == -1
  assert track.frame[0] in (15, 16)
  assert track.frame[-1] in (68, 69)
  assert np.abs(track.x - (280 - 3 * (track.frame - 15))).max() < 2
  assert np.abs(track.height / 116 - 1).max() < 0.05


def test_there_and_back_are_two_walks_without_the_turn():
  there = np.linspace(60, 260, 100)
  column = np.concatenate([there, np.full(30, 260.0), there[::-1]])
  rng, room = np.random.default_rng(0), making.room(180, 320)
  frames = []
  for k, x in enumerate(column):
    frame = room.copy()
    making.figure(frame, x, 166, 116, 0.1 * k)
    frames.append(making.noisy(frame, 2.0, rng))
  walks = list(crossings.find_crossings(making.Frames(frames), np.arange(len(column)) / 60))
  assert [w.track.direction for w in walks] == [1, -1]
  first, second = (w.track.frame[w.clear] for w in walks)
  reach = linking.TURN_REACH * 116
  assert first[-1] == pytest.approx(np.flatnonzero(column > 260 - reach)[0], abs=5)
  assert second[0] == pytest.approx(np.flatnonzero(column > 260 - reach)[-1], abs=5)
  assert first[0] < 5
  assert second[-1] > len(column) - 5
  # The pictures show some of the turn, and no frame is of both walks.
  before, after = (w.track.frame for w in walks)
  assert before[-1] > first[-1] + 10
  assert after[0] < second[0]
  assert before[-1] <= after[0]


def test_furniture_that_hides_the_feet_does_not_turn_the_floor():
  x = np.linspace(0, 100, 80)
  feet = np.full(80, 150.0)
  feet[:22] = 120.0  # hidden up to the knees at one end of the way
  slope, intercept = walker_track._fit_robust_line(x, feet)
  assert abs(slope) < 0.01
  assert intercept == pytest.approx(150, abs=1)


def test_the_floor_is_that_of_the_feet_that_are_seen():
  """Who steps out from behind furniture is seen further and further down, and then whole."""
  frames = np.arange(60)
  hidden = frames[:33]
  bottom = np.where(frames < 33, 100.0 + frames, 150.0)
  track = [
    blobs.Blob(
      frame=k, x=50 + 2.0 * k, top=30.0, bottom=bottom[k], left=40 + 2.0 * k, right=60 + 2.0 * k,
      lit_x=50 + 2.0 * k, is_head_cut=False, head_width=10.0, feet_width=20.0, is_cut=False,
      changes=[1.0],
    )
    for k in frames.tolist()
  ]  # fmt: skip
  room = np.zeros((180, 320, 3), np.uint8)
  fit = functools.partial(walker_track.smooth_track, track, frames / 30, room, 1.0, 179.0)
  np.testing.assert_allclose(fit(hidden.tolist()).floor, 150, atol=0.1)
  assert np.abs(fit().floor - 150).max() > 5  # what is hidden would tilt it


def test_who_walks_on_the_spot_is_nobody():
  room = making.room(**SIZE)
  rng = np.random.default_rng(0)
  frames = []
  for k in range(80):
    frame = room.copy()
    making.figure(frame, 160 + 10 * np.sin(k / 10), 166, 122, 0.2 * k)
    frames.append(making.noisy(frame, 3, rng))
  with pytest.raises(crossings.NobodyFoundError) as caught:
    longest(frames, np.arange(80) / 60)
  assert caught.value.code == 'video.no_walker'
  assert 'nobody walks across the picture' in str(caught.value)
  assert 'expected one person crossing' in str(caught.value)


def test_an_empty_room_holds_nobody():
  room = making.room(**SIZE)
  rng = np.random.default_rng(0)
  frames = [making.noisy(room, 8, rng) for _ in range(60)]
  with pytest.raises(crossings.NobodyFoundError, match='nothing person-sized moves') as caught:
    longest(frames, np.arange(60) / 60)
  assert caught.value.code == 'video.no_walker'


def test_a_cut_off_walker_is_not_shrunk():
  """While the figure enters and leaves the picture its frames are left out."""
  film = making.film(100, noise=2, **SIZE)
  inside = film.frames[:, :, 60:260]  # as a camera that sees less
  track = longest(inside, film.time_s).track
  x = film.x[track.frame] - 60
  assert np.abs(track.x - x).max() < 2
  assert np.abs(track.height / film.tall - 1).max() < 0.05
  assert x.min() > 10
  assert x.max() < 190
  assert len(track.frame) > 55


class Counted:
  """Frames of walks one after the other, that counts how many are alive."""

  def __init__(self, walks: int):
    self.film = making.film(70, noise=2, **SIZE)
    self.walks, self.alive, self.most = walks, [], 0
    self.time_s = np.arange(walks * 90) / 60

  def __iter__(self):
    room = making.room(**SIZE)
    for _ in range(self.walks):
      for k in range(90):  # with a pause between them
        frame = (self.film.frames[k] if k < 70 else room).copy()
        self.alive = [ref for ref in self.alive if ref() is not None] + [weakref.ref(frame)]
        self.most = max(self.most, len(self.alive))
        yield frame

  def sample(self, count):
    return [self.film.frames[k] for k in np.linspace(0, 69, count).astype(int)]


def test_every_crossing_is_found_and_memory_does_not_grow(monkeypatch):
  kept = []
  add = frame_planes.FramePlanes.add

  def counted(self, k, frame):
    add(self, k, frame)
    kept.append(len(self._kept))

  monkeypatch.setattr(frame_planes.FramePlanes, 'add', counted)
  most = {}
  for walks in (2, 8):
    kept.clear()
    frames = Counted(walks)
    found = 0
    search = crossings.find_crossings(frames, frames.time_s)
    walks_found = (c for c in search if isinstance(c, crossings.Crossing))  # they do repeat
    for k, crossing in enumerate(walks_found):
      assert abs(crossing.track.frame[0] - 90 * k) <= 2
      assert abs(crossing.track.frame[-1] - (90 * k + 69)) <= 2
      found += 1
    assert found == walks
    most[walks] = (frames.most, max(kept))
  assert most[8] == most[2]
  assert most[8][0] <= 2 * most[8][1]  # those kept, and those of walks that are cut from
  assert most[8][1] <= 70 + linking.MAX_GAP_FRAMES + 2


def test_who_waits_before_walking_is_followed_from_then_on():
  room, rng = making.room(**SIZE), np.random.default_rng(0)
  frames = []
  for k in range(420):
    frame = room.copy()
    x = 60 + 3 * max(0, k - 350) + 2 * np.sin(k / 5)
    making.figure(frame, x, 166, 122, 0.1 * max(0, k - 350))
    frames.append(making.noisy(frame, 3, rng))
  still = making.Frames(frames)
  still.chosen = [*frames[350:], *frames[350:]]  # else who stands for so long is background
  track = crossings.longest(crossings.find_crossings(still, np.arange(420) / 60)).track
  assert 350 - linking.WAIT_S * 60 - 2 <= track.frame[0] <= 350
  assert track.frame[-1] >= 415


def _over(first, last, reach):
  track = types.SimpleNamespace(frame=np.arange(first, last + 1))
  return crossings.Crossing(track, np.ones(last - first + 1, bool), [], np.eye(3), reach)


def test_walks_at_the_same_time_are_told_apart_as_they_end():
  rng = np.random.default_rng(0)
  for _ in range(200):
    walks = [
      _over(first, first + length, reach)
      for first, length, reach in zip(
        rng.integers(0, 120, 15), rng.integers(1, 30, 15), rng.integers(0, 6, 15), strict=True
      )
    ]
    walks.sort(key=lambda c: c.track.frame[-1])
    at_once, shorter, left = crossings._settle(walks, 1000)
    assert left == []
    assert len(at_once) + len(shorter) == 15
    soon, waiting = [], []
    for k, one in enumerate(walks):
      live = min((c.track.frame[0] for c in walks[k + 1 :]), default=1000)
      kept, _, waiting = crossings._settle([*waiting, one], live)
      soon += kept
    assert soon == at_once


def test_walks_that_overlap_without_end_do_not_pile_up():
  waiting = []
  for k in range(100):  # each begins before the last one ends
    _, _, waiting = crossings._settle([*waiting, _over(10 * k, 10 * k + 11, 5)], 10 * (k + 1))
    assert len(waiting) <= 2
