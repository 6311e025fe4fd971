"""Films that are no walk past a camera are refused, or withheld for a while, each by its name."""

from __future__ import annotations

import itertools
import re
import tracemalloc
from collections.abc import Iterable

import cv2
import making
import numpy as np
import pytest

from grfjax.tracking import (
  crossings,
  dissolves,
  film_cuts,
  frozen_frames,
  linking,
  refusal_reasons,
  tracking_gaps,
  walker_track,
)

HEIGHT, WIDTH, FLOOR, TALL, COUNT, FPS = 120, 212, 108, 78, 90, 60
ROOM = making.room(HEIGHT, WIDTH)
COLUMNS = np.linspace(25, 187, COUNT)
OTHER_ROOM = making.room(HEIGHT, WIDTH, 5)
FURNITURE = making.room(HEIGHT, WIDTH, 9)

Film = list[np.ndarray]


def film(columns: Iterable[float], room: np.ndarray = ROOM, tall: float = TALL) -> Film:
  """Someone at these columns, who steps all the time."""
  frames = []
  for k, column in enumerate(columns):
    frame = room.copy()
    making.figure(frame, column, FLOOR, tall, 0.16 * k)
    frames.append(frame)
  return frames


def noisy(frames: Film, seed: int = 0) -> Film:
  rng = np.random.default_rng(seed)
  return [making.noisy(frame, 1.5, rng) for frame in frames]


@pytest.fixture(scope='module')
def walk() -> Film:
  return film(COLUMNS)


@pytest.fixture(scope='module')
def filmed(walk) -> Film:
  return noisy(walk)


def look(frames: Film) -> tuple[list[crossings.Crossing], list[tracking_gaps.Gap]]:
  found = list(crossings.find_crossings(making.Frames(frames), np.arange(len(frames)) / FPS))
  walks = [f for f in found if isinstance(f, crossings.Crossing)]
  return walks, [f for f in found if isinstance(f, tracking_gaps.Gap)]


def refused(frames: Film, code: str) -> str:
  with pytest.raises(crossings.UnusableFilmError) as caught:
    look(frames)
  assert caught.value.code == code
  return str(caught.value)


# --- the film


def test_a_plain_walk_is_not_refused(filmed):
  (found,), gaps = look(filmed)
  assert found.clear.all()
  assert gaps == []


def test_two_shots_joined(filmed):
  other = noisy(film(COLUMNS[::-1], OTHER_ROOM))
  message = refused(filmed[:60] + other[30:], 'video.cut')
  assert 'frame 60 at 1.00 s' in message
  assert '-t 1.00' in message


def test_a_flash_and_a_faulty_frame_are_no_cuts():
  cuts = film_cuts.FilmCuts()
  fault = np.random.default_rng(0).integers(0, 255, ROOM.shape).astype(np.uint8)
  bright = cv2.add(ROOM, (60, 60, 60, 0))
  for k, frame in enumerate([ROOM, ROOM, bright, bright, ROOM, fault, ROOM, ROOM, ROOM]):
    cuts.add(k, film_cuts.small_picture(frame))
  assert cuts.frames == []


def test_of_three_pictures_the_second_may_begin_another_shot():
  bright = cv2.add(ROOM, (60, 60, 60, 0))
  assert film_cuts.is_cut([ROOM, OTHER_ROOM, OTHER_ROOM])
  assert not film_cuts.is_cut([ROOM, OTHER_ROOM, ROOM])
  assert not film_cuts.is_cut([ROOM, bright, bright])
  assert not film_cuts.is_cut([ROOM, ROOM, OTHER_ROOM])


def test_a_walk_before_a_bare_wall_shown_twice_is_no_cut():
  """The walker is most of what is seen, and at the other side at once."""
  bare = np.full(ROOM.shape, 220, np.uint8)
  bare[FLOOR - 6 :] = 130
  once = film(COLUMNS, bare, 100)
  walks, gaps = look(noisy(once) + noisy(once, 1))
  assert len(walks) == 2
  assert {gap.reason for gap in gaps} == {tracking_gaps.JUMP, tracking_gaps.REPEATED}


@pytest.mark.parametrize('is_other_room', [True, False])
def test_a_cut_and_a_jump_of_who_is_as_high_as_the_picture(is_other_room):
  frames = []
  for room, columns in (
    (ROOM, (40, 50, 60)),
    (OTHER_ROOM if is_other_room else ROOM, (140, 150, 160)),
  ):
    for k, column in enumerate(columns):
      frames.append(room.copy())
      making.figure(frames[-1], column, HEIGHT - 2, HEIGHT - 4, 0.5 * k)
  assert film_cuts.is_cut(frames[2:5]) == is_other_room


@pytest.mark.parametrize('left_out', [9, 16])
def test_a_film_that_jumps_is_two_walks(filmed, left_out):
  """Within a track, and so far that another begins."""
  (first, second), (gap,) = look(filmed[:40] + filmed[40 + left_out :])
  assert gap.reason == tracking_gaps.JUMP
  assert gap.start_s <= 39 / FPS < 40 / FPS <= gap.end_s
  assert first.track.frame[-1] <= 39
  assert second.track.frame[0] > 40  # so that no contact reaches from one to the other


def test_a_walk_shown_again_and_backwards(walk, filmed):
  blobs = [following(filmed), following(noisy(walk, 1)), following(noisy(walk[::-1], 2))]
  shifted = following(noisy(film(np.linspace(22, 187, COUNT))))
  time_s = np.arange(COUNT) / FPS
  assert walker_track.repeats(blobs[1], blobs[0], time_s)
  assert walker_track.repeats(blobs[2], blobs[0], time_s)
  assert not walker_track.repeats(shifted, blobs[0], time_s)
  _, gaps = look(filmed + noisy(walk[::-1], 2))
  assert [gap.reason for gap in gaps] == [tracking_gaps.REPEATED]


def following(frames: Film) -> linking.BlobTrack:
  """The track of the only one in a film."""
  tracks = []
  finish = crossings._Search._finish

  def noted(search, track, is_turn):
    tracks.append(track)
    finish(search, track, is_turn)

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(crossings._Search, '_finish', noted)
    look(frames)
  (track,) = tracks
  return track


def test_a_picture_on_its_side(filmed):
  message = refused([np.rot90(frame, -1).copy() for frame in filmed], 'video.turned')
  assert 'transpose=1' in message


def test_a_picture_upside_down(filmed):
  message = refused([frame[::-1, ::-1].copy() for frame in filmed], 'video.turned')
  assert 'hflip,vflip' in message


@pytest.mark.parametrize('axis', [0, 1])
def test_two_views_in_one_picture(filmed, axis):
  other = noisy(film(COLUMNS[::-1], OTHER_ROOM))
  both = [np.concatenate(pair, axis) for pair in zip(filmed, other, strict=True)]
  refused(both, 'video.several_views')


def test_two_views_between_black_bars(filmed):
  other = noisy(film(COLUMNS[::-1], OTHER_ROOM))
  bar = np.zeros((HEIGHT // 2, 2 * filmed[0].shape[1], 3), np.uint8)
  both = [
    np.concatenate([bar, np.concatenate(pair, 1), bar]) for pair in zip(filmed, other, strict=True)
  ]
  refused(both, 'video.several_views')


def test_a_poster_on_a_bare_wall_between_two_people_parts_no_views():
  wall = np.full(ROOM.shape, 170, np.uint8)
  wall[20:60, WIDTH // 2 - 20 : WIDTH // 2 + 20] = 60  # the only rows that are not uniform
  frames = []
  for k in range(COUNT):
    frame = wall.copy()
    making.figure(frame, 12 + 0.6 * k, FLOOR, TALL, 0.16 * k)
    making.figure(frame, WIDTH - 12 - 0.6 * k, FLOOR, TALL, 0.16 * k)
    frames.append(frame)
  walks, gaps = look(noisy(frames))
  assert walks
  assert {gap.reason for gap in gaps} == {tracking_gaps.SHORTER}


# --- the camera


def test_a_camera_that_is_carried_beside_the_walker():
  room, frames = making.room(HEIGHT, 420, 3), []
  for k in range(COUNT):
    frame = room.copy()
    making.figure(frame, 100 + 2 * k, FLOOR, TALL, 0.16 * k)
    frames.append(frame[:, 20 + 2 * k : 180 + 2 * k])
  refused(noisy(frames), 'walker.camera_carried')


def test_a_camera_that_zooms():
  frames = []
  for scale in np.geomspace(1, 1.3, 60):
    zoom = np.array([[scale, 0, (1 - scale) * WIDTH / 2], [0, scale, (1 - scale) * HEIGHT / 2]])
    frames.append(cv2.warpAffine(ROOM, zoom, (WIDTH, HEIGHT)))
  (gap,) = refusal_reasons.explain(making.Frames(noisy(frames)), np.arange(60) / FPS)
  assert gap.reason == tracking_gaps.ZOOM


def test_a_long_film_is_explained_in_little_memory():
  class Long(making.Frames):
    def __iter__(self):
      return itertools.repeat(ROOM, 4 * 1500)

  tracemalloc.start()
  assert refusal_reasons.explain(Long([ROOM]), np.arange(4 * 1500) / FPS) == []
  _, most = tracemalloc.get_traced_memory()
  tracemalloc.stop()
  assert most < 8 * 2**20  # its 1500 small pictures would take 22 MB


# --- the walker


def test_a_treadmill():
  frames = noisy(film(106 + 2 * np.sin(np.arange(170) / 30)))
  message = refused(frames, 'walker.on_the_spot')
  assert 'from 0.0 to 2.' in message
  assert 'treadmill' in message


def test_who_stands_and_waves_is_on_no_treadmill():
  frames = []
  for k in range(170):
    frame = ROOM.copy()
    making.figure(frame, 106, FLOOR, TALL, 0)
    hand = round(50 + 12 * np.sin(0.2 * k))
    cv2.line(frame, (106, 50), (130, hand), making.CLOTHES[2], 4)
    frames.append(frame)
  assert refusal_reasons.explain(making.Frames(noisy(frames)), np.arange(170) / FPS) == []


@pytest.mark.parametrize('rows', [33, 46])
def test_a_head_beyond_the_picture(filmed, rows):
  message = refused([frame[rows:] for frame in filmed], 'walker.head_cut')
  assert "from 0.0 to 1.5 s the head is beyond the picture's upper edge" in message


def test_feet_beyond_the_picture_for_a_part_of_the_walk(walk):
  """A camera held askew."""
  turn = cv2.getRotationMatrix2D((WIDTH / 2, FLOOR), 7, 1.0)
  askew = [
    cv2.warpAffine(f, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)[:FLOOR] for f in walk
  ]
  (found,), (gap,) = look(noisy(askew))
  assert gap.reason == tracking_gaps.FEET_CUT
  cut = np.cumsum(~found.clear)[-1]
  assert 0.3 * COUNT < cut < 0.7 * COUNT
  assert not found.clear[:25].any() or not found.clear[-25:].any()


def test_furniture_before_the_feet(filmed):
  """On the second half of the way the legs are hidden up to the knees."""
  frames = [frame.copy() for frame in filmed]
  for frame in frames:
    frame[85:112, 120:] = FURNITURE[85:112, 120:]
  (found,), (gap,) = look(frames)
  assert gap.reason == tracking_gaps.HIDDEN
  visible = found.track.x < 115
  assert found.clear[visible].all()
  assert not found.clear[found.track.x > 135].any()


def test_a_pillar_before_the_walker_leaves_both_parts_of_the_walk(filmed):
  frames = [frame.copy() for frame in filmed]
  for frame in frames:
    frame[:, 98:114] = FURNITURE[:, 98:114]
  walks, _ = look(frames)
  covered = np.unique(np.concatenate([walk.track.frame[walk.clear] for walk in walks]))
  assert len(covered) > 0.85 * COUNT


def test_who_does_not_step_past_the_camera():
  """Legs side by side, as seen from the front, though the walker drifts across."""
  frames = []
  for k in range(COUNT):
    frame, x = ROOM.copy(), 70 + 0.8 * k
    for side in (-1, 1):
      up = max(0.0, side * np.sin(0.16 * k)) * 4
      foot = round(x + 5 * side), round(FLOOR - 4 - up)
      cv2.line(frame, (round(x + 4 * side), FLOOR - 38), foot, making.CLOTHES[1], 7)
    cv2.rectangle(
      frame, (round(x) - 8, FLOOR - 65), (round(x) + 8, FLOOR - 36), making.CLOTHES[0], -1
    )
    cv2.circle(frame, (round(x), FLOOR - 71), 6, making.CLOTHES[2], -1)
    frames.append(frame)
  message = refused(noisy(frames), 'walker.no_stride')
  assert 'from the front' in message


def test_a_room_that_grows_in_the_picture():
  """As where the camera zooms; hands that hold it do so much less."""
  search = object.__new__(crossings._Search)
  search._frames = type('Frames', (), {'moves': True})()
  search._background = ROOM
  scales = np.array([1.0, 1.03, 1.15])
  assert search._zoom(np.stack([np.diag([s, s, 1.0]) for s in scales])) == pytest.approx(1.15)
  shifted = np.stack([np.array([[1, 0, s], [0, 1, -s], [0, 0, 1.0]]) for s in scales])
  assert search._zoom(shifted) == pytest.approx(1)


# --- films that were put together, or hang


@pytest.mark.parametrize('length', [12, 60])
def test_one_shot_that_fades_into_another(filmed, length):
  other = noisy(film(COLUMNS[::-1], OTHER_ROOM))
  shares = np.arange(1, length + 1) / (length + 1)
  fade = [
    cv2.addWeighted(filmed[20 + k], 1 - s, other[k], s, 0) for k, s in enumerate(shares.tolist())
  ]
  message = refused(filmed[:20] + fade + other[length:], 'video.dissolve')
  at = int(re.search(r'frame (\d+)', message)[1])
  assert 20 <= at < 20 + length


def test_a_pan_and_light_that_changes_are_no_fades(filmed):
  dark = [
    (frame * np.linspace(1, 0.4, COUNT)[k]).astype(np.uint8) for k, frame in enumerate(filmed)
  ]
  wide = making.room(HEIGHT, 500)
  panned = [np.ascontiguousarray(wide[:, 3 * k : 3 * k + WIDTH]) for k in range(COUNT)]
  plain = np.full((HEIGHT, WIDTH, 3), 220, np.uint8)
  plain[FLOOR - 6 :] = 154
  dimmed = [
    (frame * np.linspace(1, 0.8, COUNT)[k]).astype(np.uint8)
    for k, frame in enumerate(film(COLUMNS, plain))
  ]  # where nothing has details but the walker, who is elsewhere then
  for frames in (dark, panned, dimmed):
    found = dissolves.Dissolves(FPS)
    for k, frame in enumerate(frames):
      found.add(k, film_cuts.small_picture(frame))
    assert found.frames == []


def test_a_pan_along_stripes_is_no_fade():
  """Stripes as wide as a pixel of the small pictures come and go in them."""
  stripes = np.full((360, 900, 3), 150, np.uint8)
  stripes[:300, np.arange(900) % 20 < 10] = 90
  stripes[300:] = 40
  found = dissolves.Dissolves(FPS)
  for k in range(COUNT):
    found.add(k, film_cuts.small_picture(np.ascontiguousarray(stripes[:, k : k + 640])))
  assert found.frames == []


@pytest.mark.parametrize('lost', [0, 20], ids=['held', 'and the time is lost'])
def test_a_walker_who_freezes_in_mid_stride(filmed, lost):
  frames = filmed[:40] + [filmed[40]] * 24 + filmed[41 + lost :]
  walks, gaps = look(frames)
  (gap,) = [gap for gap in gaps if gap.reason == tracking_gaps.FROZEN]
  assert (gap.start_s, gap.end_s) == (40 / FPS, 63 / FPS)
  assert walks[0].track.frame[-1] <= 40
  assert all(walk.track.frame[0] > 63 for walk in walks[1:])
  assert len(walks) == (2 if not lost else 1)  # what is left then is too short


def test_a_film_that_hangs_for_a_third_of_its_length(filmed):
  message = refused(filmed[:70] + [filmed[70]] * 60, 'video.frozen')
  assert 'from 1.17 to 2.15 s' in message


def frozen(frames: Film) -> list[tuple[int, int]]:
  found = frozen_frames.FrozenFrames(np.arange(len(frames)) / FPS)
  for k, frame in enumerate(frames):
    found.add(k, frames[max(0, k - 1)], frame)
  return found.intervals()


def test_doubled_frames_and_a_still_room_are_not_frozen(filmed):
  doubled = [frame for frame in filmed[::4] for _ in range(4)]
  assert frozen(doubled) == []
  beyond = film(np.linspace(25, WIDTH + 60, COUNT))  # without noise, walks out of the picture
  assert frozen(beyond + [ROOM] * 60) == []
  # Who comes to rest little by little, without noise, and stands.
  at = 100 - 60 * np.exp(-np.arange(COUNT) / 8)
  slowing = []
  for column in at.tolist():
    frame = ROOM.copy()
    making.figure(frame, column, FLOOR, TALL, column / 8)
    slowing.append(frame)
  assert frozen(slowing) == []


# --- feet that are hidden all along


def stepping(columns: Iterable[float]) -> Film:
  """Someone with feet, one of which is off the floor while it swings."""
  frames = []
  for k, x in enumerate(columns):
    frame, phase = ROOM.copy(), 0.16 * k
    for side in (-1, 1):
      swing, lift = side * np.sin(phase), max(0.0, side * np.cos(phase))
      hip, ankle = (x, FLOOR - 40), (x + 16 * swing, FLOOR - 5 - 7 * lift)
      ends = [(round(16 * (a - 0.5)), round(16 * (b - 0.5))) for a, b in (hip, ankle)]
      cv2.line(frame, *ends, making.CLOTHES[1], 4, cv2.LINE_AA, shift=4)
      heel, toe = round(ankle[0] - 3), round(ankle[0] + 8)
      sole = round(ankle[1] + 5)
      cv2.rectangle(frame, (heel, sole - 4), (toe, sole - 1), making.CLOTHES[1], -1)
    cv2.rectangle(frame, (round(x) - 7, 42), (round(x) + 7, 72), making.CLOTHES[0], -1)
    cv2.circle(frame, (round(x), 36), 6, making.CLOTHES[2], -1, cv2.LINE_AA)
    frames.append(frame)
  return frames


@pytest.mark.parametrize(
  ('top', 'code'), [(None, ''), (99, 'walker.hidden'), (94, 'walker.hidden')]
)
def test_a_low_wall_before_the_feet_all_along(top, code):
  frames = stepping(COLUMNS)
  for frame in frames:
    if top:
      frame[top:] = (70, 90, 60)
  frames = noisy(frames)
  if code:
    refused(frames, code)
  else:
    (found,), gaps = look(frames)
    assert found.clear.all()
    assert gaps == []


def test_the_lower_edge_at_the_ankles_all_along():
  refused([frame[:98] for frame in noisy(stepping(COLUMNS))], 'walker.feet_cut')
