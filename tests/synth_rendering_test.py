"""Pictures of synthetic walkers: geometry, order, determinism, files."""

import dataclasses

import numpy as np
import pytest

from grfjax import conventions
from grfjax.io import video_writing
from grfjax.synth import (
  appearance,
  body,
  camera,
  clothing,
  rendering,
  shaded_solids,
)
from grfjax.synth import room as room_lib

WIDTH, HEIGHT = 320, 180


def _walk(speed: float = 1.2, stand: float = 0.0) -> body.Walk:
  """A stick figure that swings its straight legs: enough to be seen."""
  fields = {field.name: 0.0 for field in dataclasses.fields(body.Subject)}
  fields |= {
    'name': 'stick',
    'height_m': 1.7,
    'mass_kg': 65.0,
    'sex': 'male',
    'age_group': 'adult',
    'style': 'normal',
    'segment_mass': (),
    'segment_com': (),
    'habits': {},
  }
  subject = body.Subject(**fields)
  time_s = np.arange(0, 2.001, 0.01)
  x = speed * (time_s - 1) + stand
  joints = np.zeros((len(time_s), len(body.JOINTS), 3))

  def put(name, forward, left, up):
    joints[:, body.INDEX[name]] = np.stack(np.broadcast_arrays(x + forward, left, up), axis=-1)

  put('pelvis', 0, 0, 0.9)
  put('neck', 0.02, 0, 1.43)
  put('head', 0.04, 0, 1.7)
  for side, sign in (('left', 1), ('right', -1)):
    swing = sign * 0.25 * np.sin(2 * np.pi * time_s)
    for name, share, up in (('knee', 0.5, 0.48), ('ankle', 1, 0.08)):
      put(f'{side}_{name}', swing * share, 0.09 * sign, up)
    put(f'{side}_hip', 0, 0.09 * sign, 0.9)
    put(f'{side}_heel', swing - 0.06, 0.09 * sign, 0)
    put(f'{side}_toe', swing + 0.19, 0.09 * sign, 0)
    for name, share, up in (
      ('shoulder', 0, 1.4),
      ('elbow', 0.5, 1.12),
      ('wrist', 1, 0.87),
      ('hand', 1.2, 0.7),
    ):
      put(f'{side}_{name}', -swing * share, 0.2 * sign, up)
  return body.Walk(
    subject, time_s, joints, np.zeros((len(time_s), 2, 3)), (), np.zeros((len(time_s), 3))
  )


def _room(seed: int = 3, **changes) -> room_lib.Room:
  """A room without chance in its camera, noise and shadows."""
  calm = {
    'noise': 0.0,
    'shadow': 0.0,
    'contact': 0.0,
    'pool': 0.0,
    'offset_m': (0.0, 0.0, 0.0),
    'turn': (0.0, 0.0, 0.0),
    'focal': 0.75,
    'shutter_s': 0.001,
  }
  return dataclasses.replace(room_lib.draw_room(np.random.default_rng(seed)), **(calm | changes))


def _render(walk=None, side='left', room=None, seed=1, time_s=(0.6, 1.0, 1.4), **kwargs):
  walk = walk or _walk()
  rng = np.random.default_rng(seed)
  person = appearance.draw_appearance(rng, walk.subject)
  size = kwargs.pop('size', (WIDTH, HEIGHT))
  return np.stack(
    list(
      rendering.render(walk, np.array(time_s), side, person, room or _room(), rng, *size, **kwargs)
    )
  )


def test_same_seed_same_frames_other_seed_other_frames():
  noisy = _room(noise=3.0, shadow=0.4, shutter_s=1 / 60)
  first = _render(room=noisy)
  assert first.dtype == np.uint8
  np.testing.assert_array_equal(first, _render(room=noisy))
  assert np.any(first != _render(room=noisy, seed=2))
  assert room_lib.draw_room(np.random.default_rng(8)) == room_lib.draw_room(
    np.random.default_rng(8)
  )
  subject = _walk().subject
  assert appearance.draw_appearance(
    np.random.default_rng(8), subject
  ) == appearance.draw_appearance(np.random.default_rng(8), subject)


def test_projection_by_hand():
  # Focal length 0.75 * 640 = 480 px, camera at (0, 3.5, 1.0) looking along -y, right is -x.
  seen = camera.beside_walkway('left', 640, 360, 0.75)
  uv, scale = seen.project(np.array([(0.7, 0.0, 0.3), (0.0, 0.5, 1.0), (-1.4, -0.7, 2.05)]))
  # depth 3.5: u = 319.5 - 480 * 0.7 / 3.5 = 223.5; v = 179.5 + 480 * 0.7 / 3.5 = 275.5
  # depth 3.0: the optical axis; depth 4.2: u = 319.5 + 480 * 1.4 / 4.2 = 479.5,
  # v = 179.5 - 480 * 1.05 / 4.2 = 59.5
  np.testing.assert_allclose(uv, [(223.5, 275.5), (319.5, 179.5), (479.5, 59.5)])
  np.testing.assert_allclose(scale, [480 / 3.5, 160, 480 / 4.2])
  right, _ = camera.beside_walkway('right', 640, 360, 0.75).project(np.array((0.7, 0.0, 0.3)))
  np.testing.assert_allclose(right, (415.5, 275.5))


def test_camera_errors_turn_the_right_way():
  point = np.array((0.0, 0.0, 1.0))
  middle = np.array((319.5, 179.5))
  turned = lambda *turn: camera.beside_walkway('right', 640, 360, 0.75, turn=turn).project(point)[0]
  np.testing.assert_allclose(turned(0.1, 0, 0), middle - (480 * np.tan(0.1), 0))
  np.testing.assert_allclose(turned(0, 0.1, 0), middle + np.array((0, 480 * np.tan(0.1))))
  rolled = camera.beside_walkway('right', 640, 360, 0.75, turn=(0, 0, 0.1)).project(
    np.array((0.0, 0.0, 1.5))
  )[0]
  assert rolled[0] < middle[0]  # a camera rolled clockwise sees the world lean to the left
  assert rolled[1] < middle[1]
  with pytest.raises(ValueError, match='front'):
    camera.beside_walkway('front', 640, 360, 0.75)


def _motion(frames: np.ndarray) -> np.ndarray:
  """Mean column where the last frame and the first differ from the middle one."""
  empty = np.median(frames, axis=0)
  columns = []
  for frame in frames:
    moved = np.abs(frame - empty).sum(axis=(0, 2))
    columns.append((moved * np.arange(len(moved))).sum() / moved.sum())
  return np.array(columns)


@pytest.mark.parametrize(('side', 'sign'), [('left', -1), ('right', 1)])
def test_walks_to_the_image_left_seen_from_the_left(side, sign):
  frames = _render(side=side, time_s=np.linspace(0.2, 1.8, 7)).astype(float)
  assert np.all(np.diff(sign * _motion(frames)) > 0)


@pytest.mark.parametrize('side', ['left', 'right'])
def test_the_nearer_leg_hides_the_farther(side):
  walk = _walk(0.0)
  joints = walk.joints.copy()
  joints[:, :, 0] = np.where(np.abs(joints[:, :, 1]) < 0.1, 0, joints[:, :, 0])
  heels = [body.INDEX[f'{s}_{end}'] for s in conventions.LEGS for end in ('heel', 'toe')]
  joints[:, heels, 0] = (-0.06, 0.19, -0.06, 0.19)
  near, far = ('left', 'right') if side == 'left' else ('right', 'left')

  def frame(moved: str | None):
    moved_joints = joints.copy()
    if moved:
      for name in ('knee', 'ankle', 'heel', 'toe'):
        moved_joints[:, body.INDEX[f'{moved}_{name}'], 0] += {'knee': 0.25}.get(name, 0.45)
    return _render(dataclasses.replace(walk, joints=moved_joints), side, time_s=(1.0,))[0]

  both = frame(None).astype(int)
  uv, _ = _room().camera(side, WIDTH, HEIGHT).project(joints[0])
  knee, ankle = uv[body.INDEX[f'{near}_knee']], uv[body.INDEX[f'{near}_ankle']]
  u, v = np.rint(0.4 * knee + 0.6 * ankle).astype(int)
  shin = (slice(v - 6, v + 6), slice(u, u + 1))  # the axis of the near shin
  # With the far leg taken away, the near shin looks the same; with the near one away, not.
  assert np.abs(frame(far)[shin] - both[shin]).max() <= 1
  assert np.abs(frame(near)[shin] - both[shin]).mean() > 2


def test_later_solids_cover_earlier_ones_and_neighbours_merge():
  light = shaded_solids.Light(1.0, 0.0, (0.0, 0.0, 1.0))
  red, blue = (
    shaded_solids.Surface(np.array(c, np.float32), np.zeros(3, np.float32))
    for c in ((200, 0, 0), (0, 0, 200))
  )
  thick, thin = (np.full(shaded_solids.PLACES, r, np.float32) for r in (10, 5))
  across = (np.array((10, 30)), np.array((50, 30)))
  down = (np.array((30, 10)), np.array((30, 50)))

  def centre(same_group):
    image = np.full((3, 60, 60), 100, np.float32)
    canvas = shaded_solids.Canvas(light, np.zeros(256, np.float32), 1.0)
    canvas.add(*across, thick, thick, red, facing=1)
    if not same_group:
      canvas.new_group()
    canvas.add(*down, thin, thin, blue, facing=1)
    canvas.paint(image, (0, 0))
    np.testing.assert_array_equal(image[:, :9, :9], 100)  # nothing outside the solids
    return image[:, 30, 30]

  assert centre(False)[2] > 150  # the later group lies on top
  assert centre(True)[0] > 150  # within a group the thicker one stands out farther
  # Full cover, facing the viewer: the colour itself.
  np.testing.assert_allclose(centre(False), (0, 0, 200), atol=0.5)


def test_instants_are_averaged():
  cloth = shaded_solids.Surface(np.full(3, 200, np.float32), np.zeros(3, np.float32))
  radii = np.full(shaded_solids.PLACES, 5, np.float32)
  image = np.full((3, 20, 60), 100, np.float32)
  canvas = shaded_solids.Canvas(
    shaded_solids.Light(1, 0, (0, 0, 1)), np.zeros(256, np.float32), 1.0
  )
  for u in (15, 35):
    if u > 15:
      canvas.new_instant()
    canvas.add(np.array((u, -9)), np.array((u, 29)), radii, radii, cloth, facing=1)
  canvas.paint(image, (0, 0))
  np.testing.assert_allclose(image[:, 10, [15, 35]], 150, atol=0.5)  # half there, half not
  np.testing.assert_allclose(image[:, 10, [5, 25, 45]], 100)


def test_solids_outside_the_image_are_cut():
  image = np.zeros((3, 20, 20), np.float32)
  canvas = shaded_solids.Canvas(
    shaded_solids.Light(1, 0, (0, 0, 1)), np.zeros(256, np.float32), 1.0
  )
  cloth = shaded_solids.Surface(np.full(3, 90, np.float32), np.zeros(3, np.float32))
  radii = np.full(shaded_solids.PLACES, 4, np.float32)
  canvas.add(np.array((-500, -500)), np.array((-400, -450)), radii, radii, cloth, facing=-1)
  canvas.add(np.array((10, -30)), np.array((10, 60)), radii, radii, cloth, facing=-1)
  canvas.paint(image, (0, 0))
  assert image[:, :, 10].min() > 80
  assert image[:, :, :4].max() == 0


def test_background_is_still_but_for_noise():
  frames = _render(time_s=(0.4, 1.6))
  walk, room = _walk(), _room()
  uv, scale = room.camera('left', WIDTH, HEIGHT).project(body.joints_at(walk, np.array((0.4, 1.6))))
  moved = np.any(frames[0] != frames[1], axis=(0, 2))
  assert moved.any()
  reach = 0.35 * scale.max()
  columns = np.flatnonzero(moved)
  near = np.abs(columns[:, None, None] - uv[None, ..., 0]).min(axis=(1, 2))
  assert near.max() < reach
  noisy = _render(time_s=(0.4, 1.6), room=_room(noise=2.0)).astype(int)
  corner = (noisy[0] - noisy[1])[:20, :40]
  assert abs(corner.mean()) < 0.3
  assert 1.0 < corner.std() < 4


def test_shadows_darken_the_floor_only():
  bright = _render(time_s=(1.0,)).astype(int)[0]
  dark = _render(time_s=(1.0,), room=_room(shadow=0.5, contact=0.5, pool=0.4)).astype(int)[0]
  assert (dark - bright).max() <= 1
  changed = np.flatnonzero(np.any(dark != bright, axis=(1, 2)))
  assert len(changed)
  assert changed.max() > 0.75 * HEIGHT


def test_motion_blur_softens_the_fast_foot():
  sharp = _render(_walk(3.0), time_s=(0.9, 1.0, 1.1))[1].astype(float)
  soft = _render(_walk(3.0), time_s=(0.9, 1.0, 1.1), room=_room(shutter_s=1 / 30))[1].astype(float)
  edge = lambda image: np.abs(np.diff(image, axis=1)).max(axis=2)
  changed = np.any(sharp != soft, axis=2)[:, 1:]
  assert edge(soft)[changed].mean() < 0.9 * edge(sharp)[changed].mean()


def test_plates_are_seen_when_told():
  plates = [(-0.55, -0.05, -0.25, 0.25), (0.05, 0.55, -0.25, 0.25)]
  shown = _room(plates=1.0, plate_colour=(255.0, 0.0, 0.0), floor_colour=(0.0, 90.0, 0.0))
  walk = _walk(0.0, stand=-1.5)
  difference = (
    _render(walk, room=shown, time_s=(1.0,), plates=plates).astype(int)
    - _render(walk, room=shown, time_s=(1.0,))
  )[0]
  rows, columns = np.nonzero(difference[..., 0] > 20)
  uv, _ = shown.camera('left', WIDTH, HEIGHT).project(
    np.array([(x, y, 0) for x in (-0.55, 0.55) for y in (-0.25, 0.25)])
  )
  assert abs(rows.min() - uv[:, 1].min()) < 3
  assert abs(rows.max() - uv[:, 1].max()) < 3
  assert abs(columns.min() - uv[:, 0].min()) < 3
  assert abs(columns.max() - uv[:, 0].max()) < 3


@pytest.mark.parametrize('size', [(161, 91), (90, 160), (64, 48), (1920, 1080)])
def test_any_size(size):
  frames = _render(size=size, time_s=(1.0,))
  assert frames.shape == (1, size[1], size[0], 3)


def test_every_garment_and_room_can_be_drawn():
  for seed in range(40):
    rng = np.random.default_rng(seed)
    walk = _walk()
    person = dataclasses.replace(
      appearance.draw_appearance(rng, walk.subject),
      hair_style=appearance.HAIR_STYLES[seed % len(appearance.HAIR_STYLES)],
    )
    clothes = dataclasses.replace(
      clothing.draw_clothes(rng, person, female=bool(seed % 2)),
      bottom=clothing.BOTTOMS[seed % len(clothing.BOTTOMS)],
      pattern=clothing.PATTERNS[seed % len(clothing.PATTERNS)],
    )
    (frame,) = rendering.render(
      walk,
      np.array([1.0]),
      conventions.LEGS[seed % 2],
      person,
      room_lib.draw_room(rng),
      rng,
      160,
      90,
      clothes=clothes,
    )
    assert frame.std() > 1


def test_complaints_about_what_cannot_be_rendered():
  with pytest.raises(ValueError, match=r'times 1\.900 to 2\.100 s'):
    _render(time_s=(1.9, 2.1))
  with pytest.raises(ValueError, match='camera side'):
    _render(side='behind')
  with pytest.raises(ValueError, match='16 x 16'):
    _render(size=(8, 8))


def test_video_file(tmp_path):
  decord = pytest.importorskip('decord')  # has no wheel for Apple's processors
  path = tmp_path / 'walk.mp4'
  times = np.arange(30) / 60 + 0.7
  walk = _walk()
  rng = np.random.default_rng(0)
  person = appearance.draw_appearance(rng, walk.subject)
  frames = list(rendering.render(walk, times, 'right', person, _room(), rng, WIDTH, HEIGHT))
  assert video_writing.write_video(path, iter(frames)) == 30
  video = decord.VideoReader(str(path))
  assert len(video) == 30
  assert video.get_avg_fps() == pytest.approx(60)
  stamps = video.get_frame_timestamp(range(30))[:, 0]
  np.testing.assert_allclose(stamps, np.arange(30) / 60, atol=1e-4)
  decoded = video[17].asnumpy()
  assert decoded.shape == (HEIGHT, WIDTH, 3)
  assert np.abs(decoded.astype(int) - frames[17]).mean() < 4
  assert [p.name for p in tmp_path.iterdir()] == ['walk.mp4']


def test_video_errors_leave_no_file(tmp_path):
  path = tmp_path / 'walk.mp4'
  even = np.zeros((32, 32, 3), np.uint8)
  with pytest.raises(ValueError, match='no frames'):
    video_writing.write_video(path, [])
  with pytest.raises(ValueError, match='even width and height'):
    video_writing.write_video(path, [np.zeros((31, 32, 3), np.uint8)])
  with pytest.raises(ValueError, match='frame 1 is 16 x 16'):
    video_writing.write_video(path, [even, even[:16, :16]])
  with pytest.raises(ValueError, match='not uint8 RGB'):
    video_writing.write_video(path, [even.astype(float)])
  with pytest.raises(FileNotFoundError, match='no folder'):
    video_writing.write_video(tmp_path / 'absent' / 'walk.mp4', [even])
  assert not list(tmp_path.iterdir())
