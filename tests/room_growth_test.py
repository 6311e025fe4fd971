"""A camera that zooms is told by the room, whether or not the camera seems to move."""

import cv2
import making
import numpy as np
import pytest

from grfjax.tracking import crossings, room_growth, tracking_gaps

HEIGHT, WIDTH, COUNT, FPS = 180, 320, 90, 60
ROOM = making.room(HEIGHT, WIDTH, 3)


def blotchy():
  """A wall of soft blotches and a plain floor: what shifts it does not explain a zoom."""
  rng = np.random.default_rng(0)
  wall = cv2.GaussianBlur(rng.normal(0, 40, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 2)
  picture = np.repeat((150 + 3 * wall)[..., None], 3, 2)
  picture[round(0.88 * HEIGHT) :] = 110
  return np.clip(picture, 0, 255).astype(np.uint8)


def walk(room, zooms, heights=None):
  """A walker across a room that is filmed enlarged by so much from frame to frame."""
  rng, frames = np.random.default_rng(1), []
  count = len(zooms)
  heights = np.full(count, 90.0) if heights is None else heights
  for k, (x, zoom) in enumerate(zip(np.linspace(90, 230, count), zooms, strict=True)):
    frame = room.copy()
    making.figure(frame, x, 0.8 * HEIGHT, heights[k], 0.16 * k)
    enlarge = np.array([[zoom, 0, (1 - zoom) * WIDTH / 2], [0, zoom, (1 - zoom) * HEIGHT / 2]])
    frames.append(making.noisy(cv2.warpAffine(frame, enlarge, (WIDTH, HEIGHT)), 1.5, rng))
  return frames


def growth(frames, heights):
  measured = room_growth.RoomGrowth(FPS)
  for k, frame in enumerate(frames):
    measured.add(k, frame)
  return measured.during(np.arange(len(frames)), np.asarray(heights))


@pytest.mark.parametrize('way', [1, -1])
@pytest.mark.parametrize('room', [ROOM, blotchy()], ids=['furnished', 'blotchy'])
def test_a_room_that_grows_or_shrinks(room, way):
  zooms = np.geomspace(1, 1.3, COUNT)[::way]
  kept = zooms[:: round(room_growth.INTERVAL_S * FPS)]
  assert growth(walk(room, zooms), 90 * zooms) == pytest.approx(np.ptp(kept) / kept.min() + 1, 0.02)


def test_a_walker_who_comes_nearer_is_no_zoom():
  heights = np.linspace(80, 112, COUNT)
  assert growth(walk(ROOM, np.ones(COUNT), heights), heights) == 1


def test_nothing_is_said_of_a_bare_wall():
  bare = np.full((HEIGHT, WIDTH, 3), 180, np.uint8)
  zooms = np.geomspace(1, 1.3, COUNT)
  assert growth(walk(bare, zooms), 90 * zooms) == 1


def test_pictures_kept_of_a_long_film_are_bounded():
  measured = room_growth.RoomGrowth(4.0)
  for k in range(3000):
    measured.add(k, ROOM)
  assert len(measured._pictures) <= room_growth.MOST_KEPT
  measured.forget_before(2990)
  assert all(frame >= 2990 for frame in measured._pictures)


@pytest.mark.parametrize('zoom', [1.0, 1.3])
def test_a_walk_filmed_by_a_camera_on_a_tripod_that_zooms(zoom):
  frames = making.Frames(walk(blotchy(), np.geomspace(1, zoom, COUNT)))
  if zoom > 1:
    with pytest.raises(crossings.NobodyFoundError) as caught:
      list(crossings.find_crossings(frames, np.arange(COUNT) / FPS))
    assert caught.value.code == tracking_gaps.ZOOM.code
  else:
    (found,) = crossings.find_crossings(frames, np.arange(COUNT) / FPS)
    assert found.clear.all()
