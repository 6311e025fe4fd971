"""Tests of grfjax.overlay: what is drawn where, and the file that comes back."""

import av
import making
import numpy as np
import pytest

from grfjax.data import clip_config, walker_views
from grfjax.io import atomic, video_file, working_frames
from grfjax.report import overlay, overlay_drawing, overlay_strip
from grfjax.tracking import crossings, walker_window

NOWHERE = np.full(4, np.nan)
BOX = np.array([200.0, 40.0, 150.0, 280.0])


def blank(rows: int = 360, columns: int = 640) -> np.ndarray:
  return np.full((rows, columns, 3), 128, np.uint8)


def painted(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
  """Which pixels are of that colour, (H, W) bool."""
  return (np.abs(picture.astype(int) - colour) < 12).all(2)


def arrow(picture: np.ndarray, leg: str, floor: float) -> tuple[np.ndarray, np.ndarray]:
  """Rows and columns of a leg's colour above the floor line: the arrow without its letter."""
  return np.nonzero(painted(picture[: int(floor)], overlay_drawing.COLOURS[leg]))


# --- arrows


@pytest.mark.parametrize('direction', [1, -1])
@pytest.mark.parametrize('force', [(1.0, 0.0), (1.2, 0.2), (0.8, -0.15), (0.3, 0.05)])
def test_an_arrow_reaches_where_its_force_points(force, direction):
  picture = blank()
  up, forward = force
  both = np.array([[up, forward, 0.03], [np.nan] * 3])
  overlay_drawing.draw_forces(picture, BOX, both, direction)
  floor, at, unit = overlay_drawing.arrow_feet(picture.shape, BOX)
  # One body weight is 0.4 body heights, the window 1.15.
  assert unit == pytest.approx(0.4 * 280 / 1.15)
  assert floor == pytest.approx(40 + 0.95 * 280)
  rows, columns = arrow(picture, 'left', floor)
  assert rows.min() == pytest.approx(floor - up * unit, abs=3)
  tip = columns[rows <= rows.min() + 1].mean() + 0.5
  assert tip == pytest.approx(at[0] + direction * forward * unit, abs=2.5)
  base = columns[rows >= floor - 3].mean() + 0.5
  assert base == pytest.approx(at[0], abs=1.5)


def test_left_and_right_stand_apart_in_the_window_beside_a_scale():
  picture = blank()
  overlay_drawing.draw_forces(picture, BOX, np.array([[0.5], [1.1]]), 1)
  floor, at, unit = overlay_drawing.arrow_feet(picture.shape, BOX)
  assert 200 < at[0] < at[1] < 350
  for leg, x in zip(('left', 'right'), at, strict=True):
    _, columns = arrow(picture, leg, floor)
    assert columns.mean() + 0.5 == pytest.approx(x, abs=1)
    # The mark at one body weight.
    mark = picture[round(floor - unit) - 3 : round(floor - unit) + 3, round(x) - 9]
    assert (mark > 230).all(1).any()


def test_nothing_is_drawn_where_there_is_no_estimate():
  picture = blank()
  overlay_drawing.draw_window(picture, NOWHERE)
  for box in (NOWHERE, BOX):
    overlay_drawing.draw_forces(picture, box, np.full((2, 3), np.nan), 1)
  np.testing.assert_array_equal(picture, blank())
  overlay_drawing.draw_forces(picture, BOX, np.array([[np.nan], [1.0]]), 1)
  assert not painted(picture, overlay_drawing.COLOURS['left']).any()
  assert painted(picture, overlay_drawing.COLOURS['right']).any()


def test_a_foot_in_the_air_has_no_arrow():
  picture = blank()
  overlay_drawing.draw_forces(picture, BOX, np.array([[0.0, 0, 0], [0.002, 0, 0]]), 1)
  floor, _, _ = overlay_drawing.arrow_feet(picture.shape, BOX)
  for leg in ('left', 'right'):
    rows, _ = arrow(picture, leg, floor)
    assert len(rows) == 0


def test_without_a_window_the_arrows_stand_in_the_lower_corners():
  picture = blank()
  overlay_drawing.draw_forces(picture, NOWHERE, np.array([[1.0], [1.0]]), 0)
  for leg, low, high in (('left', 0, 40), ('right', 600, 640)):
    rows, columns = np.nonzero(painted(picture, overlay_drawing.COLOURS[leg]))
    assert rows.min() > 180
    assert low <= columns.min() <= columns.max() < high


@pytest.mark.parametrize('left', [-140, 630])
def test_arrows_stay_in_the_picture_while_the_walker_comes_and_goes(left):
  picture = blank()
  overlay_drawing.draw_forces(
    picture, np.array([left, 120.0, 150, 280]), np.array([[1.0], [1.0]]), 1
  )
  for leg in ('left', 'right'):
    rows, columns = np.nonzero(painted(picture, overlay_drawing.COLOURS[leg]))
    assert 0 < rows.min() < rows.max() < 359
    assert 0 < columns.min() < columns.max() < 639


def test_where_the_feet_are_known_the_arrow_stands_under_the_foot():
  places = np.array([[260.0, 300.0], [np.nan, np.nan]])
  force = np.array([[1.0, 0.1, 0], [0.02, 0, 0]])
  picture = blank()
  overlay_drawing.draw_forces(picture, BOX, force, 1, places)
  rows, columns = arrow(picture, 'left', 300)
  assert columns[rows >= 297].mean() + 0.5 == pytest.approx(260, abs=1.5)
  _, _, unit = overlay_drawing.arrow_feet(picture.shape, BOX)
  assert rows.min() == pytest.approx(300 - unit, abs=3)
  # The other one is in the air: neither arrow nor letter.
  assert not painted(picture, overlay_drawing.COLOURS['right']).any()


def test_a_foot_that_carries_but_is_not_found_has_no_arrow_that_could_be_taken_for_a_place():
  picture, beside = blank(), blank()
  force = np.array([[np.nan] * 3, [1.0, 0, 0]])
  overlay_drawing.draw_forces(picture, BOX, force, 1, np.full((2, 2), np.nan))
  overlay_drawing.draw_forces(beside, BOX, force, 1)  # nobody looked for the feet
  assert not painted(picture, overlay_drawing.COLOURS['right']).any()
  assert painted(beside, overlay_drawing.COLOURS['right']).any()


def test_the_letter_of_a_foot_at_the_lower_edge_is_in_the_picture():
  picture = blank()
  places = np.array([[260.0, 357.0], [np.nan, np.nan]])
  overlay_drawing.draw_forces(picture, BOX, np.array([[1.0], [0.0]]), 1, places)
  rows, _ = np.nonzero(painted(picture, overlay_drawing.COLOURS['left']))
  assert rows.max() > 350


# --- the strip


def curves(count: int = 120) -> tuple[np.ndarray, np.ndarray]:
  """(N,) times at 60 fps; (N, 2, 1): the left leg stands at 1 BW and has a gap, the right steps."""
  time_s = np.arange(count) / 60
  force = np.zeros((count, 2, 1))
  force[:, 0] = 1.0
  force[30:60, 0] = np.nan
  force[60:100, 1] = 0.8
  return time_s, force


def test_curves_grow_up_to_now():
  time_s, force = curves()
  strip = overlay_strip.Strip(640, overlay_strip.strip_rows(360, 640), 'walk', time_s, force)
  picture = np.zeros((strip.rows, 640, 3), np.uint8)
  strip.draw_until(picture, 80)
  left, right = (painted(picture, overlay_drawing.COLOURS[leg]) for leg in ('left', 'right'))
  for mask in (left, right):
    assert not mask[:, strip.frame_columns[80] :].any()
  for k, row in ((10, 1.0), (75, 1.0)):
    rows = np.flatnonzero(left[: int(strip.baseline), strip.frame_columns[k]])
    assert rows.mean() + 0.5 == pytest.approx(strip.baseline - row * strip.unit, abs=1)
  assert not left[
    :, strip.frame_columns[32] : strip.frame_columns[58]
  ].any()  # neither curve nor contact in the gap
  assert left[int(strip.baseline) + 3 :, strip.frame_columns[10]].any()  # the bar of a contact
  assert right[int(strip.baseline) + 3 :, strip.frame_columns[70]].any()
  assert not right[int(strip.baseline) + 3 :, strip.frame_columns[50]].any()
  assert (picture[int(strip.baseline) - 5, strip.frame_columns[80]] < 60).all()  # the cursor
  # It may be drawn again, of any frame.
  again = picture.copy()
  strip.draw_until(again, 119)
  assert painted(again, overlay_drawing.COLOURS['right'])[:, strip.frame_columns[90]].any()
  strip.draw_until(again, 80)
  np.testing.assert_array_equal(again, picture)


def test_a_video_without_any_estimate_has_an_empty_strip():
  time_s, force = curves()
  strip = overlay_strip.Strip(
    640, 120, 'a name too long to be written ' * 9, time_s, force * np.nan
  )
  picture = np.zeros((120, 640, 3), np.uint8)
  strip.draw_until(picture, 119)
  right = int(strip.frame_columns[0]) + 2
  assert not painted(picture[:, right:], overlay_drawing.COLOURS['left']).any()


@pytest.mark.parametrize('seconds', [0.03, 1.7, 61.0, 3600.0])
def test_times_under_the_curves_are_few_and_round(seconds):
  ticks = overlay_strip._ticks(seconds, 10)
  assert 2 <= len(ticks) <= 11
  assert ticks[0] == 0
  assert ticks[-1] <= seconds


# --- the walker's window


@pytest.mark.parametrize('fps', [30, 60])
@pytest.mark.parametrize('direction', [1, -1])
def test_the_window_is_around_the_walker_in_the_videos_own_pixels(
  tmp_path, monkeypatch, fps, direction
):
  monkeypatch.setattr(
    working_frames, 'WORKING_ROWS', 80
  )  # so that it is followed in a halved picture
  film = making.film(80 * fps // 60, fps=fps, height=180, width=320, direction=direction, seed=1)
  path = making.write_video(tmp_path / 'v.mp4', film.frames, fps=fps)
  (view,) = walker_views.read_walks(path, clip_config.clip_config('walker'), '')
  assert view.box.shape == (
    len(film.time_s),
    4,
  )  # of the video's frames, whatever the pictures' rate
  seen = np.isfinite(view.box).all(1)
  assert seen.mean() > 0.9
  left, top, width, height = view.box[seen].T
  np.testing.assert_allclose(left + width / 2, film.x[seen], atol=4)
  np.testing.assert_allclose(top + (1 - walker_window.FLOOR) * height, film.floor, atol=5)
  np.testing.assert_allclose(height, walker_window.MARGIN * film.tall, rtol=0.06)
  np.testing.assert_allclose(width / height, 36 / 48)
  np.testing.assert_array_equal(np.isfinite(view.path.column), seen)
  np.testing.assert_allclose(view.path.column[seen] + 160, film.x[seen], atol=4)
  np.testing.assert_allclose(view.path.height[seen], film.tall, rtol=0.06)
  assert view.path.longer_side == 320


def test_a_walker_who_is_whole_has_a_path_and_one_whose_head_is_cut_is_refused(tmp_path):
  film = making.film(50, height=180, width=320)
  head = film.floor - film.tall
  whole, cut = (
    making.write_video(tmp_path / f'{rows}.mp4', film.frames[:, rows // 2 * 2 :], fps=60)
    for rows in (head - 15, head + 15)
  )
  cfg = clip_config.clip_config('walker')
  view = walker_views.read_longest_walk(whole, cfg, '', with_pictures=False)
  assert np.isfinite(view.path.height).any()
  with pytest.raises(crossings.NobodyFoundError) as refused:
    walker_views.read_longest_walk(cut, cfg, '', with_pictures=False)
  assert refused.value.code == 'walker.head_cut'


def test_the_drawn_window_holds_the_walker():
  film = making.film(80, height=180, width=320, noise=0)
  track = crossings.longest(crossings.find_crossings(making.Frames(film.frames), film.time_s)).track
  for k in (25, 40):  # when it does not reach out of the picture
    left, top, width, height = walker_window.boxes(track, 48, 36)[k]
    picture = np.zeros((180, 320, 3), np.uint8)
    overlay_drawing.draw_window(picture, np.array([left, top, width, height]))
    rows, columns = np.nonzero(picture.any(2))
    who = np.nonzero((film.frames[track.frame[k]] != making.room(180, 320)).any(2))
    assert columns.min() < who[1].min() < who[1].max() < columns.max()
    assert rows.min() < who[0].min() < who[0].max() < rows.max()
    across = np.flatnonzero(picture[round(top + height / 2)].any(1)) + 0.5
    for edge in (left, left + width):
      assert across[np.abs(across - edge) < 10].mean() == pytest.approx(edge, abs=1)


def test_nobody_is_followed_in_the_papers_whole_picture(tmp_path):
  path = making.write_video(tmp_path / 'v.mp4', making.film(20).frames)
  (view,) = walker_views.read_walks(path, clip_config.clip_config('mochizuki'), 'left')
  assert view.box.shape == (20, 4)
  assert np.isnan(view.box).all()


# --- the file


def written(tmp_path, path):
  """The annotated video of one, its probe."""
  film = video_file.probe(path)
  count = len(film.time_s)
  out = tmp_path / 'out.mp4'
  box = np.tile(NOWHERE, (count, 1))
  overlay.write_annotated_video(
    out, film, 'walk', np.ones((count, 2, 3)), box, np.zeros(count, int)
  )
  return video_file.probe(out)


def test_places_of_feet_are_in_pixels_of_the_video_as_filmed(tmp_path):
  grey = np.full((8, 720, 2560, 3), 128, np.uint8)  # drawn at half its size
  film = video_file.probe(making.write_video(tmp_path / 'v.mp4', grey))
  places = np.full((8, 2, 2), np.nan)
  places[:, 0] = 1600, 640
  box = np.tile([1500.0, 100, 400, 600], (8, 1))
  force = np.tile([[1.0, 0, 0], [0, 0, 0]], (8, 1, 1))
  out = tmp_path / 'out.mp4'
  overlay.write_annotated_video(out, film, 'walk', force, box, np.ones(8, int), places)
  picture = next(video_file.frames(video_file.probe(out)))[:360].astype(int)
  blue = (picture[..., 2] - picture[..., 0] > 60).nonzero()
  at_foot = blue[0] <= 320
  assert blue[0].max() > 315
  assert blue[1][at_foot].mean() == pytest.approx(800, abs=4)


@pytest.mark.parametrize('size', [(64, 96), (98, 130)])
def test_frames_and_times_are_the_videos(tmp_path, size):
  rng = np.random.default_rng(0)
  time_s = np.cumsum(rng.uniform(0.01, 0.06, 40))
  frames = making.film(40, height=size[0], width=size[1]).frames
  path = making.write_video(tmp_path / 'v.mp4', frames, time_s=time_s)
  film = written(tmp_path, path)
  np.testing.assert_allclose(film.time_s, time_s - time_s[0], atol=1e-4)
  assert film.width == size[1]
  assert film.height == size[0] + overlay_strip.MIN_ROWS
  # The picture is the video's own where nothing is drawn.
  theirs, ours = (next(video_file.frames(f)) for f in (video_file.probe(path), film))
  assert np.abs(ours[:20].astype(int) - theirs[:20]).mean() < 10


def test_phones_and_browsers_can_play_it_while_it_loads(tmp_path):
  red = np.broadcast_to(np.array([200, 40, 60], np.uint8), (10, 64, 96, 3))
  film = written(tmp_path, making.write_video(tmp_path / 'v.mp4', red))
  data = film.path.read_bytes()
  assert 0 < data.find(b'moov') < data.find(b'mdat')
  with av.open(str(film.path)) as container:
    (stream,) = container.streams
    assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ('h264', 'yuv420p')
  assert next(video_file.frames(film))[:20].mean((0, 1)) == pytest.approx([200, 40, 60], abs=5)


@pytest.mark.parametrize(
  ('video_size', 'expected'),
  [
    ((1080, 1920), (540, 960)),
    ((2160, 3840), (540, 960)),
    ((512, 1560), (420, 1280)),
    ((1920, 1080), (960, 540)),
    ((720, 1280), (720, 1280)),
    ((359, 641), (360, 640)),
    ((64, 96), (64, 96)),
  ],
)
def test_sizes_are_even_and_bounded(video_size, expected):
  assert overlay.annotated_size(*video_size) == expected
  picture = overlay.resize_picture(making.room(*video_size), *expected)
  assert picture.shape == (*expected, 3)


def test_a_failure_leaves_no_file(tmp_path):
  path = making.write_video(tmp_path / 'v.mp4', making.film(20).frames)
  film = video_file.probe(path)
  making.write_video(path, making.film(12).frames)  # shorter than it was
  out = tmp_path / 'out'
  nothing = np.full((20, 2, 1), np.nan)
  with (
    pytest.raises(video_file.VideoError, match='frame 12 of 20'),
    atomic.atomic_file(out / 'v.mp4') as part,
  ):
    overlay.write_annotated_video(
      part, film, 'v', nothing, np.full((20, 4), np.nan), np.zeros(20, int)
    )
  assert list(out.iterdir()) == []
