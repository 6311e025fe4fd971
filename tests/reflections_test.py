"""A reflection of the walker is nobody else; somebody else is no reflection."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import making
import numpy as np
import pytest
import scenes

from grfjax.tracking import blobs, crossings, reflections, tracking_gaps, walker_window

GREEN = ((60, 140, 60), (90, 90, 90), (230, 180, 150))
HORIZON, COUNT, STEP = 90, scenes.COUNT, 0.1  # STEP: radians of the stride a frame

# Frame -> column, row of the soles, height, phase of the stride.
Pose = Callable[[int], tuple[float, float, float, float]]


def walks(
  first: float,
  last: float,
  *,
  floor: float = scenes.FLOOR,
  tall: float = scenes.TALL,
  step: float = STEP,
  begin: float = 0.0,
) -> Pose:
  """Somebody who sways a little with every step, as people do."""

  def pose(k):
    phase = begin + step * k
    return first + (last - first) * k / (COUNT - 1) + 1.5 * np.sin(2 * phase), floor, tall, phase

  return pose


def along(walker: Pose, size: float, ahead: float) -> Pose:
  """The image in a mirror along the way, that is straight behind the column `ahead`."""

  def pose(k):
    x, floor, tall, phase = walker(k)
    return ahead + size * (x - ahead), HORIZON + size * (floor - HORIZON), size * tall, phase

  return pose


def across(walker: Pose, mirror: float) -> Pose:
  """The image in a mirror across the way, at that column."""

  def pose(k):
    x, floor, tall, phase = walker(k)
    return 2 * mirror - x, floor, tall, phase

  return pose


def draw(
  walker: Pose,
  other: Pose | None = None,
  *,
  within: tuple[int, int, int, int] = (0, 0, scenes.WIDTH, scenes.HEIGHT),
  share: float = 1.0,
  clothes: tuple = making.CLOTHES,
) -> list[np.ndarray]:
  """Draws a walker, and behind it somebody or an image within left, top, right and bottom."""
  rng, room = np.random.default_rng(0), making.room(scenes.HEIGHT, scenes.WIDTH)
  left, top, right, bottom = within
  frames = []
  for k in range(COUNT):
    frame = room.copy()
    if other:
      shown = room.copy()
      making.figure(shown, *other(k), clothes=clothes)
      part = slice(top, bottom), slice(left, right)
      frame[part] = cv2.addWeighted(shown[part], share, room[part], 1 - share, 0)
    making.figure(frame, *walker(k))
    frames.append(making.noisy(frame, 2.0, rng))
  return frames


def windows(crossing: crossings.Crossing) -> np.ndarray:
  """Difference to the background in the windows of the frames that are clear."""
  cut = np.stack(list(walker_window.windows(crossing, 96, 36, 2)))
  return cut[crossing.clear][..., 1].astype(int)


WALKER, SHORT_WALK = walks(20, 300), walks(20, 180)


@pytest.fixture(scope='module')
def alone() -> crossings.Crossing:
  (crossing,), gaps = scenes.follow(draw(WALKER))
  assert gaps == []
  return crossing


# --- images in mirrors, whole films


@pytest.mark.parametrize(
  ('image', 'within', 'share'),
  [
    (along(WALKER, 0.6, 20), (130, 20, 300, 160), 0.9),  # a mirror far ahead, to the floor
    (along(WALKER, 0.6, 20), (130, 20, 300, 160), 0.5),  # glass
    (along(WALKER, 0.5, 0), (90, 30, 320, 98), 0.9),  # over a sofa: no legs are seen
  ],
)
def test_an_image_beside_the_walker_changes_nothing(alone, image, within, share):
  (crossing,), gaps = scenes.follow(draw(WALKER, image, within=within, share=share))
  assert {gap.reason for gap in gaps} == {tracking_gaps.REFLECTED}  # which withholds nothing
  assert crossing.clear.all()
  apart = np.abs(windows(crossing) - windows(alone)).mean((1, 2))
  assert apart.max() < 0.5  # gray levels


def test_an_image_in_a_mirror_across_the_way_changes_nothing():
  frames = draw(SHORT_WALK, across(SHORT_WALK, 210), within=(210, 0, 320, 180), share=0.9)
  (plain,), _ = scenes.follow(draw(SHORT_WALK))
  (crossing,), gaps = scenes.follow(frames)
  assert {gap.reason for gap in gaps} == {tracking_gaps.REFLECTED}
  np.testing.assert_allclose(windows(crossing), windows(plain), atol=1)


def test_an_image_that_the_walker_passes_is_withheld_only_behind_the_walker(alone):
  frames = draw(WALKER, along(WALKER, 0.5, 160), within=(20, 20, 300, 160), share=0.9)
  (crossing,), gaps = scenes.follow(frames)
  (gap,) = [gap for gap in gaps if gap.reason != tracking_gaps.REFLECTED]
  assert gap.reason == tracking_gaps.REFLECTION
  # The walker's and not the image's, which is half as tall; and one walk, not one on either side.
  assert np.abs(crossing.track.height / alone.track.height - 1).max() < 0.03
  assert np.abs(crossing.track.x - alone.track.x).max() < 0.01 * scenes.TALL
  at = scenes.TIME_S[~crossing.clear]
  assert (at.min(), at.max()) == (gap.start_s, gap.end_s)
  middle = scenes.TIME_S[COUNT // 2]
  assert gap.start_s < middle < gap.end_s
  assert crossing.clear.mean() > 0.45
  apart = windows(crossing) - windows(alone)[crossing.clear]
  assert np.abs(apart).mean((1, 2)).max() < 4


# --- other people, whole films


@pytest.mark.parametrize(
  'other',
  [
    walks(-20, 150, floor=150, tall=96, step=1.25 * STEP),  # farther off, as fast, other steps
    walks(-20, 150, floor=150, tall=96, begin=np.pi / 4),  # the same steps, a quarter later
    walks(-20, 170),  # two body heights behind, in step
    walks(-20, 150, floor=166, tall=64),  # a child in step
  ],
)
def test_a_therapist_is_told(other):
  frames = draw(walks(110, 300), other, clothes=GREEN)
  (crossing,), gaps = scenes.follow(frames)
  assert crossing.track.x[0] > 100
  assert [gap.reason for gap in gaps if gap.end_s > 2] == [tracking_gaps.SHORTER]


@pytest.mark.parametrize('step', [STEP, 1.25 * STEP])
def test_who_comes_the_other_way_is_told(step):
  _, gaps = scenes.follow(draw(WALKER, walks(300, 20, step=step), clothes=GREEN))
  assert {tracking_gaps.TWO_TOGETHER, tracking_gaps.SHORTER} <= {gap.reason for gap in gaps}


# --- the rule itself


def track_of(
  pose: Pose, frames: range = range(60), **changes: float | Callable
) -> list[blobs.Blob]:
  """Blobs of somebody whose feet reach as far as the stride does."""
  made = []
  for k in frames:
    x, floor, tall, phase = pose(k)
    feet = tall * (0.2 + 0.3 * abs(np.sin(phase)))
    made.append(
      blobs.Blob(k, x, floor - tall, floor, x - 0.1 * tall, x + 0.1 * tall, x, feet_width=feet)
    )
  for name, change in changes.items():
    for blob in made:
      setattr(blob, name, change(blob) if callable(change) else change)
  return made


FAR = along(WALKER, 0.6, 300)


def is_image(image: list[blobs.Blob], walker: Pose = WALKER) -> bool:
  return reflections.is_reflection(image, track_of(walker), scenes.WIDTH, 60)


def test_a_clean_image_is_one():
  assert is_image(track_of(FAR))
  assert is_image(track_of(FAR, range(10, 60)))


@pytest.mark.parametrize(
  'image',
  [
    track_of(FAR, range(20)),  # too short a time
    track_of(along(walks(20, 300, begin=np.pi / 4), 0.6, 300)),  # steps later
    track_of(along(walks(20, 300, step=1.3 * STEP), 0.6, 300)),  # other steps
    track_of(FAR, feet_width=lambda b: 20.0),  # no steps
    track_of(along(WALKER, 0.6, 400)),  # behind or ahead of the walker
    track_of(along(WALKER, 0.9, 300)),  # as near as the walker
    track_of(along(WALKER, 1.3, 300)),  # nearer: in no mirror
    track_of(FAR, top=lambda b: b.bottom - 100),  # too tall for its way
    track_of(FAR, top=lambda b: b.bottom - 50),  # too small, and no edge cuts it
    track_of(FAR, top=lambda b: b.bottom - 70 - 25 * np.sin(b.frame / 5)),  # of no one size
    track_of(FAR, x=lambda b: b.x + 12 * np.sin(b.frame / 2)),  # not on a line
    track_of(lambda k: (FAR(k)[0] - 0.6 * WALKER(k)[0], *FAR(k)[1:])),  # in one place
  ],
)
def test_what_is_no_image(image):
  assert not is_image(image)


def test_who_is_seen_without_the_walker_is_no_image():
  walker = track_of(WALKER, range(50))
  assert reflections.is_reflection(track_of(FAR, range(60)), walker, scenes.WIDTH, 60)
  assert not reflections.is_reflection(track_of(FAR, range(75)), walker, scenes.WIDTH, 60)


def test_a_walker_is_no_image_of_the_image():
  assert not reflections.is_reflection(track_of(WALKER), track_of(FAR), scenes.WIDTH, 60)


def test_who_meets_is_no_image():
  image = track_of(across(WALKER, 160), range(10, 60))
  assert is_image(image)
  image[-1].meets = True
  assert not is_image(image)


def test_an_image_without_legs_needs_no_steps():
  seen = track_of(FAR, bottom=lambda b: b.top + 36, feet_width=10.0)  # a mirror over a sofa
  assert is_image(seen)
  low = track_of(FAR, top=lambda b: b.bottom - 36, feet_width=10.0)  # beside the walker's legs
  assert not is_image(low)


# --- images in the floor


def glossy(frames: list[np.ndarray], floor: int, share: float) -> list[np.ndarray]:
  """Adds what a polished floor shows of what is above it."""
  room = making.room(scenes.HEIGHT, scenes.WIDTH)
  made = []
  for frame in frames:
    frame = frame.copy()
    rows = scenes.HEIGHT - floor
    above = frame[floor - rows : floor][::-1].astype(int)
    empty = room[floor - rows : floor][::-1].astype(int)
    frame[floor:] = np.clip(frame[floor:] + share * (above - empty), 0, 255).astype(np.uint8)
    made.append(frame)
  return made


@pytest.mark.parametrize('share', [0.25, 0.5])
def test_a_polished_floor_changes_nothing(share):
  walker = walks(30, 290, floor=150, tall=110)
  plain = draw(walker)
  (before,), _ = scenes.follow(plain)
  (crossing,), gaps = scenes.follow(glossy(plain, 150, share))
  assert gaps == []  # nor are the feet out of the picture, though their image is
  assert crossing.clear.all()
  assert np.abs(crossing.track.floor - before.track.floor).max() < 1.5
  assert np.abs(crossing.track.height - before.track.height).max() < 1.5
  apart = np.abs(windows(crossing) - windows(before)).mean((1, 2))
  assert apart.max() < 3
