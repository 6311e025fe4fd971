"""The window holds the walker at one size and place, and leaves the body's own motion in it."""

import cv2
import making
import numpy as np
import pytest

from grfjax.tracking import crossings, frame_planes, walker_track, walker_window

SIZE = {'height': 180, 'width': 320}


def longest(frames, time_s) -> crossings.Crossing:
  return crossings.longest(crossings.find_crossings(making.Frames(frames), time_s))


def follow(film: making.Film) -> walker_track.Track:
  return longest(film.frames, film.time_s).track


def windows_of(film: making.Film, rows: int, columns: int) -> np.ndarray:
  return np.stack(list(walker_window.windows(longest(film.frames, film.time_s), rows, columns)))


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
  crossing = crossings.longest(crossings.find_crossings(making.Frames(film.frames), film.time_s))
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


def test_a_shadow_on_the_floor_is_no_foot(monkeypatch):
  """What takes the same share of all colours near the feet is shadow; shoes stay, black as well."""
  bare, shaded = (making.film(70, noise=2, **SIZE) for _ in range(2))
  for film in (bare, shaded):
    for frame, x in zip(film.frames, film.x, strict=True):
      shoe = slice(int(film.floor) - 4, int(film.floor)), slice(round(x) - 8, round(x) + 8)
      frame[shoe] = 12
  rows, ahead = slice(158, int(shaded.floor)), 14
  for frame, x in zip(shaded.frames, shaded.x, strict=True):
    at = slice(round(x) + ahead, round(x) + ahead + 30)
    frame[rows, at] = (0.62 * frame[rows, at]).astype(np.uint8)

  def floor_of(film):
    windows = windows_of(film, 96, 72)[10:-10, :, :, 1].astype(float)
    feet, shadow = windows[:, 88:90, 30:42], windows[:, 87:95, 50:60]
    return feet.mean(), shadow.mean()

  feet, empty = floor_of(bare)
  feet_beside, shadow = floor_of(shaded)
  assert feet > 200
  assert feet_beside > 0.95 * feet
  assert shadow < empty + 15
  monkeypatch.setattr(walker_window, 'ANKLE', -1.0)  # nothing is taken away
  assert floor_of(shaded)[1] > shadow + 80


def test_a_crossing_too_long_to_keep_is_decoded_again(monkeypatch):
  film = making.film(70, noise=3, **SIZE)
  whole = windows_of(film, 48, 36)
  monkeypatch.setattr(frame_planes, 'KEPT_BYTES', 2**20)  # nine frames
  np.testing.assert_array_equal(windows_of(film, 48, 36), whole)
