"""What a phone makes of a video leaves the answer as it is: real footage, re-encoded."""

import fractions
import pathlib

import av
import cv2
import making
import numpy as np
import pytest

from grfjax import curves, gait, inference, predict, pretrained, video

WALK = pathlib.Path(__file__).parents[1] / '../shared/videos/real_walk_30fps.mp4'
FORCE_BW = 0.05  # median absolute difference of the vertical force from the original's estimate
CONTACT_S = 0.03  # largest difference of a contact's start or end; a frame of the original is 0.033


@pytest.fixture(scope='module')
def run():
  return inference.load(pretrained.folder('synthetic'))


@pytest.fixture(scope='module')
def film():
  """Frames of the original, and their times."""
  if not WALK.is_file():
    pytest.skip('../shared/videos is not here')
  probed = video.probe(WALK)
  return list(video.frames(probed)), probed.time_s


@pytest.fixture(scope='module')
def original(run, film):
  del film  # skips where it is not there
  return predict.predict(run, WALK)


def contacts(estimate: curves.Curves) -> list[gait.Contact]:
  """Those that begin in the video."""
  found = gait.contacts(estimate.time_s, estimate.force)
  return [c for c in found if c.whole_start]


def check(
  estimate: curves.Curves,
  original: curves.Curves,
  shift_s: float = 0.0,
  *,
  beside_s: float = 0.0,
) -> None:
  """The same forces at the same times, and the same contacts.

  Args:
    estimate: of the video made of the original.
    original: its estimate.
    shift_s: the original's time at the video's first frame.
    beside_s: so near to the video's ends less is seen than in the original.
  """
  assert estimate.camera == original.camera
  time_s = estimate.time_s + shift_s
  first, last = time_s[estimate.seen.all(1)][[0, -1]] + [beside_s, -beside_s]
  inside = estimate.seen.all(1) & (time_s >= first) & (time_s <= last)
  there = np.stack(
    [np.interp(time_s[inside], original.time_s, original.force[:, leg, 0]) for leg in (0, 1)], -1
  )
  apart = np.abs(estimate.force[inside, :, 0] - there)
  assert np.nanmedian(apart) < FORCE_BW
  want = [c for c in contacts(original) if first + CONTACT_S < c.start_s < last - CONTACT_S]
  got = [
    c for c in contacts(estimate) if first - CONTACT_S < c.start_s + shift_s < last + CONTACT_S
  ]
  for c in want:
    near = min((g for g in got if g.leg == c.leg), key=lambda g: abs(g.start_s + shift_s - c.start_s))
    assert abs(near.start_s + shift_s - c.start_s) < CONTACT_S
    if near.whole_end and c.whole_end:
      assert abs(near.end_s + shift_s - c.end_s) < CONTACT_S
  print('median', round(float(np.nanmedian(apart)), 4), 'p95', round(float(np.nanpercentile(apart, 95)), 3), [(c.leg[0], round(c.start_s+shift_s - min((g for g in contacts(original) if g.leg==c.leg), key=lambda g: abs(g.start_s-c.start_s-shift_s)).start_s, 3)) for c in got])


def encode(path, frames, time_s, *, codec='libx264', sound=False, **options):
  """A video with each frame's own time, and perhaps a sound track."""
  clock = fractions.Fraction(1, 90000)
  with av.open(str(path), 'w') as container:
    stream = container.add_stream(codec, rate=30, options={'preset': 'veryfast', **options})
    stream.height, stream.width = frames[0].shape[:2]
    stream.pix_fmt, stream.time_base, stream.codec_context.time_base = 'yuv420p', clock, clock
    tone = container.add_stream('aac', rate=44100, layout='mono') if sound else None
    for rgb, at in zip(frames, time_s, strict=True):
      frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format='rgb24')
      frame.pts, frame.time_base = round(at / clock), clock
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
    if tone is not None:
      count = round(44100 * time_s[-1]) // 1024
      wave = np.sin(np.arange(1024) / 9).astype(np.float32)[None]
      for k in range(count):
        part = av.AudioFrame.from_ndarray(wave, format='fltp', layout='mono')
        part.sample_rate, part.pts = 44100, 1024 * k
        container.mux(tone.encode(part))
      container.mux(tone.encode(None))
  return path


def test_original(original):
  found = contacts(original)
  print([(c.leg, round(c.start_s, 2)) for c in found])


def test_hevc_in_mov_with_sound(run, film, original, tmp_path):
  path = encode(
    tmp_path / 'IMG_0001.MOV', *film, codec='libx265', sound=True, crf='23', **{'x265-params': 'log-level=none'}
  )  # fmt: skip
  with av.open(str(path)) as container:
    assert [s.codec_context.name for s in container.streams] == ['hevc', 'aac']
  check(predict.predict(run, path), original)


@pytest.mark.parametrize('fps', [24, 60, 240])
def test_another_frame_rate(run, film, original, tmp_path, fps):
  """Frames between two are mixed by time."""
  frames, time_s = film
  at = np.arange(0, time_s[-1], 1 / fps)
  if fps == 240:
    at = at[at < 2.5]
  after = np.clip(np.searchsorted(time_s, at), 1, len(time_s) - 1)
  share = (at - time_s[after - 1]) / (time_s[after] - time_s[after - 1])
  mixed = [
    cv2.addWeighted(frames[k - 1], 1 - s, frames[k], s, 0)
    for k, s in zip(after, share, strict=True)
  ]
  check(predict.predict(run, encode(tmp_path / 'v.mp4', mixed, at)), original, beside_s=0.5*(fps==240))


def test_doubled_frames(run, film, original, tmp_path):
  frames, time_s = film
  twice = [frame for frame in frames for _ in (0, 1)]
  at = (time_s[:, None] + [0, 1 / 60]).ravel()
  check(predict.predict(run, encode(tmp_path / 'v.mp4', twice, at)), original)


def test_turned_by_a_flag(run, film, original, tmp_path):
  """A phone held another way stores the picture on its side."""
  frames, time_s = film
  path = encode(tmp_path / 'v.mp4', [np.rot90(f) for f in frames], time_s)
  making.turn(path, frames[0].shape[1])
  probed = video.probe(path)
  assert (probed.height, probed.width) == frames[0].shape[:2]
  check(predict.predict(run, path), original)


def test_a_variable_frame_rate(run, film, original, tmp_path):
  frames, time_s = film
  kept = np.flatnonzero(np.random.default_rng(0).uniform(size=len(frames)) > 0.2)
  path = encode(tmp_path / 'v.mp4', [frames[k] for k in kept], time_s[kept] - time_s[kept[0]])
  check(predict.predict(run, path), original, time_s[kept[0]])


@pytest.mark.parametrize(('first', 'last'), [(20, 116), (0, 90), (12, 100)])
def test_cut_in_mid_step(run, film, original, tmp_path, first, last):
  frames, time_s = film
  path = encode(tmp_path / 'v.mp4', frames[first:last], time_s[first:last] - time_s[first])
  check(predict.predict(run, path), original, time_s[first], beside_s=0.5)


def test_an_odd_size(run, film, original, tmp_path):
  """1555 x 509 pixels: with colours at full resolution, as half a pixel there is none."""
  frames, time_s = film
  path = encode(tmp_path / 'v.mp4', [f[2:511, 3:1558] for f in frames], time_s)
  check(predict.predict(run, path), original)


@pytest.mark.slow
def test_4k(run, film, original, tmp_path):
  frames, time_s = film
  scale = 3840 / frames[0].shape[1]
  large = (cv2.resize(f, (3840, 2 * round(scale * f.shape[0] / 2))) for f in frames)
  check(predict.predict(run, encode(tmp_path / 'v.mp4', list(large), time_s)), original)
