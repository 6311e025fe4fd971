"""Tests of grfjax.tracking, on a drawn walker before a cluttered wall."""

import types
import weakref

import cv2
import making
import numpy as np
import pytest

from grfjax.tracking import (
  background_model,
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
  return crossings.longest(making.Frames(frames), time_s)


def follow(film: making.Film) -> walker_track.Track:
  return longest(film.frames, film.time_s).track


def windows_of(film: making.Film, rows: int, columns: int) -> np.ndarray:
  return np.stack(list(walker_window.windows(longest(film.frames, film.time_s), rows, columns)))


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
  assert 'nobody walks across the picture' in str(caught.value)
  assert 'expected one person crossing' in str(caught.value)


def test_an_empty_room_holds_nobody():
  room = making.room(**SIZE)
  rng = np.random.default_rng(0)
  frames = [making.noisy(room, 8, rng) for _ in range(60)]
  with pytest.raises(crossings.NobodyFoundError, match='nothing person-sized moves'):
    longest(frames, np.arange(60) / 60)


def test_mirrored_pictures_give_the_same_windows():
  film = making.film(70, noise=3, bob=2, **SIZE)
  mirrored = film.frames[:, :, ::-1]
  first, second = (longest(f, film.time_s) for f in (film.frames, mirrored))
  one, two = first.track, second.track
  assert (one.direction, two.direction) == (1, -1)
  np.testing.assert_array_equal(one.frame, two.frame)
  np.testing.assert_allclose(two.x, SIZE['width'] - one.x, atol=0.05)
  np.testing.assert_allclose(two.height, one.height, atol=0.05)
  a, b = (np.stack(list(walker_window.windows(c, 48, 36))).astype(int) for c in (first, second))
  assert np.abs(a - b).mean() < 0.5
  assert np.percentile(np.abs(a - b), 99.5) <= 3
  assert np.abs(a - b[:, :, ::-1]).mean() > 5  # were it not turned


def test_everyone_walks_to_the_windows_right():
  """A box is carried before the body; it is at the window's right whichever way it goes."""
  for direction in (1, -1):
    film = making.film(70, noise=2, direction=direction, **SIZE)
    for frame, x in zip(film.frames, film.x, strict=True):
      at = round(x + direction * 24)
      cv2.rectangle(frame, (at - 6, 90), (at + 6, 102), (20, 250, 20), -1)
    windows = windows_of(film, 48, 36)
    rows = slice(20, 24)  # of the box
    far = windows[:, rows, :, 1].astype(float).mean((0, 1))
    assert far[24:28].mean() > far[8:12].mean() + 100


def head_row(window: np.ndarray) -> float:
  """Where the difference first rises through 128, to a fraction of a row."""
  profile = window[..., 1].max(1).astype(float)
  k = int(np.argmax(profile > 128))
  return k - (profile[k] - 128) / (profile[k] - profile[k - 1])


def amplitude(values: np.ndarray, time_s: np.ndarray, hz: float) -> float:
  """Of the sine of that frequency in the values, beside a line."""
  angle = 2 * np.pi * hz * time_s
  basis = np.stack([np.sin(angle), np.cos(angle), np.ones_like(angle), time_s], 1)
  return float(np.hypot(*np.linalg.lstsq(basis, values, rcond=None)[0][:2]))


def test_the_bodys_bob_stays_in_the_window():
  film = making.film(90, noise=2, bob=3, bob_hz=2, **SIZE)
  track = follow(film)
  rows = 140
  windows = windows_of(film, rows, 105)
  top = np.array([head_row(w) for w in windows])
  scale = rows / (walker_window.MARGIN * track.height.mean())  # window rows a picture row
  moved = amplitude(top, film.time_s[track.frame], 2) / scale
  assert moved == pytest.approx(3, abs=0.3)
  still = making.film(90, noise=2, **SIZE)
  windows = windows_of(still, rows, 105)
  top = np.array([head_row(w) for w in windows])
  assert amplitude(top, still.time_s, 2) / scale < 0.3


def test_sway_along_the_walk_stays_in_the_window():
  film = making.film(90, noise=2, **SIZE)
  room = making.room(**SIZE)
  frames, sway = [], 3 * np.sin(2 * np.pi * 2 * film.time_s)
  for t, x, s in zip(film.time_s, film.x, sway, strict=True):
    frame = room.copy()
    making.figure(frame, x + s, film.floor, film.tall, 2 * np.pi * t)
    frames.append(frame)
  track = longest(frames, film.time_s).track
  assert amplitude(track.x, film.time_s, 2) < 0.3  # the window does not follow it
  assert np.abs(track.x - film.x).max() < 2


def test_a_finer_window_shows_the_same():
  film = making.film(40, noise=2, **SIZE)
  crossing = crossings.longest(making.Frames(film.frames), film.time_s)
  square, fine = (
    np.stack(list(walker_window.windows(crossing, rows, 36, wide))).astype(float)
    for rows, wide in ((48, 1), (96, 2))
  )
  assert fine.shape == (len(square), 96, 36, 2)
  np.testing.assert_array_equal(
    walker_window.boxes(crossing.track, 48, 36), walker_window.boxes(crossing.track, 96, 36, 2)
  )
  halved = fine.reshape(len(fine), 48, 2, 36, 2).mean(2)
  assert np.abs(halved - square).mean() < 2
  # And is finer: the two rows of a pair differ.
  assert np.abs(fine[:, ::2] - fine[:, 1::2]).mean() > 2


def test_windows_show_the_walker_at_one_size():
  film = making.film(70, noise=2, **SIZE)
  track = follow(film)
  windows = windows_of(film, 48, 36)
  assert windows.shape == (len(track.frame), 48, 36, 2)
  assert windows.dtype == np.uint8
  far = windows[..., 1] > 128
  # Soles at 5 % from below, head 1 / 1.15 of the window higher.
  for picture in far:
    rows = np.flatnonzero(picture.any(1))
    assert abs(rows[-1] + 1 - 48 * 0.95) <= 1.5
    assert abs(rows[0] - (48 * 0.95 - 48 / 1.15)) <= 1.5
    columns = np.flatnonzero(picture.any(0))
    assert columns[0] >= 3
    assert columns[-1] < 33
  assert (windows[:, :3, :, 1] == 0).mean() > 0.95  # noise is no difference
  gray = cv2.cvtColor(film.frames[30], cv2.COLOR_RGB2GRAY)
  assert abs(windows[30, ..., 0].mean() - gray[35:175].mean()) < 25


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
    for k, crossing in enumerate(crossings.crossings(frames, frames.time_s)):
      assert abs(crossing.track.frame[0] - 90 * k) <= 2
      assert abs(crossing.track.frame[-1] - (90 * k + 69)) <= 2
      found += 1
    assert found == walks
    most[walks] = (frames.most, max(kept))
  assert most[8] == most[2]
  assert most[8][0] <= 4
  assert most[8][1] <= 70 + linking.MAX_GAP + 2


def test_a_crossing_too_long_to_keep_is_decoded_again(monkeypatch):
  film = making.film(70, noise=3, **SIZE)
  whole = windows_of(film, 48, 36)
  monkeypatch.setattr(frame_planes, 'PLANES_BYTES', 2**20)  # nine frames
  np.testing.assert_array_equal(windows_of(film, 48, 36), whole)


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
  track = crossings.longest(still, np.arange(420) / 60).track
  assert 350 - linking.WAIT_S * 60 - 2 <= track.frame[0] <= 350
  assert track.frame[-1] >= 415


@pytest.mark.parametrize('count', [1, 2, 3, 5, 16, 31, 32, 33])
def test_background_is_the_median(count):
  frames = list(np.random.default_rng(count).integers(0, 256, (count, 6, 8, 3), np.uint8))
  picture, noise = background_model.background(frames)
  np.testing.assert_array_equal(picture, np.sort(frames, 0)[count // 2])
  assert noise >= 1


def test_noise_of_a_sample():
  rng = np.random.default_rng(0)
  frames = [making.noisy(np.full((90, 90, 3), 120, np.uint8), 5, rng) for _ in range(9)]
  assert background_model.background(frames)[1] == pytest.approx(5, rel=0.2)


def _over(first, last, reach):
  track = types.SimpleNamespace(frame=np.arange(first, last + 1))
  return crossings.Crossing(track, np.ones(last - first + 1, bool), [], reach)


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
    at_once, shorter, left = crossings._apart(walks, 1000)
    assert left == []
    assert len(at_once) + len(shorter) == 15
    soon, waiting = [], []
    for k, one in enumerate(walks):
      live = min((c.track.frame[0] for c in walks[k + 1 :]), default=1000)
      kept, _, waiting = crossings._apart([*waiting, one], live)
      soon += kept
    assert soon == at_once


def test_walks_that_overlap_without_end_do_not_pile_up():
  waiting = []
  for k in range(100):  # each begins before the last one ends
    _, _, waiting = crossings._apart([*waiting, _over(10 * k, 10 * k + 11, 5)], 10 * (k + 1))
    assert len(waiting) <= 2
