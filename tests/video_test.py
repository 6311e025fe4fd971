"""Tests of grfjax.io.video_file and working_frames, on tiny films written here."""

import dataclasses
import fractions
import gc
import importlib
import logging
import pathlib
import struct
import subprocess
import sys
import types
import weakref

import av
import cv2
import making
import numpy as np
import pytest
from absl import app

from grfjax.data import clip_config, pictures, walker_views
from grfjax.io import video_file, working_frames

predict = importlib.import_module('grfjax.predict')  # `grfjax.predict` is the function


def shades(count: int, height: int = 64, width: int = 96) -> np.ndarray:
  """Frames each of one gray level of its own, so that they can be told apart."""
  levels = np.linspace(40, 215, count).round().astype(np.uint8)
  return np.broadcast_to(levels[:, None, None, None], (count, height, width, 3))


@pytest.fixture(scope='module')
def walk_path(tmp_path_factory):
  path = tmp_path_factory.mktemp('video') / 'walk.mp4'
  return making.write_video(path, making.film(20).frames)


# --- times


@pytest.mark.parametrize('fps', [24, 30, 60, 120])
def test_times_are_the_frames_own(tmp_path, fps):
  path = making.write_video(tmp_path / 'v.mp4', shades(30), fps=fps)
  film = video_file.probe(path)
  assert film.time_s == pytest.approx(np.arange(30) / fps, abs=2e-5)
  assert film.fps == pytest.approx(fps, rel=1e-3)
  assert (film.height, film.width) == (64, 96)


def test_variable_frame_rate(tmp_path):
  # A phone that slows down in poor light; the first frame is late in the container.
  time_s = np.concatenate([np.arange(10) / 60, 10 / 60 + np.arange(8) / 24, [0.9, 0.91]])
  path = making.write_video(tmp_path / 'v.mp4', shades(20), time_s=time_s + 0.5)
  film = video_file.probe(path)
  assert film.time_s == pytest.approx(time_s, abs=2e-5)
  levels = [frame.mean() for frame in video_file.frames(film)]
  assert levels == pytest.approx(np.linspace(40, 215, 20), abs=3)


@pytest.mark.parametrize('codec', ['mjpeg', 'libx264'])
def test_avi_files_even_without_presentation_times(tmp_path, codec):
  path = tmp_path / 'v.avi'
  with av.open(str(path), 'w') as container:
    stream = container.add_stream(codec, rate=50)
    stream.width, stream.height = 96, 64
    stream.pix_fmt = 'yuvj420p' if codec == 'mjpeg' else 'yuv420p'
    for rgb in shades(20):
      frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format='rgb24')
      container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
  film = video_file.probe(path)
  assert film.time_s == pytest.approx(np.arange(20) / 50, abs=1e-4)
  levels = [frame.mean() for frame in video_file.frames(film)]
  assert levels == pytest.approx(np.linspace(40, 215, 20), abs=4)


def x264(path: pathlib.Path, frames: np.ndarray, fps: int = 50, **options) -> pathlib.Path:
  """A film as x264 makes it of its own accord, with frames that lean on later ones.

  Args:
    path: the file.
    frames: (N, H, W, 3) uint8.
    fps: of the frames.
    **options: of x264, or `aspect`, a pixel's width by its height.
  """
  with av.open(str(path), 'w') as container:
    aspect = options.pop('aspect', None)
    stream = container.add_stream('libx264', rate=fps, options=options)
    if aspect is not None:
      stream.sample_aspect_ratio = aspect
    stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], 'yuv420p'
    for rgb in frames:
      container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb))))
    container.mux(stream.encode(None))
  return path


def remux(source: pathlib.Path, path: pathlib.Path, shift: int = 0, skip: int = 0) -> pathlib.Path:
  """The same packets in another file, without the first few, at times lower by `shift` ticks."""
  with av.open(str(source)) as given, av.open(str(path), 'w') as container:
    stream = container.add_stream_from_template(given.streams.video[0])
    for k, packet in enumerate(given.demux(video=0)):
      if packet.dts is not None and k >= skip:
        packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
        container.mux(packet)
  return path


@pytest.mark.parametrize('ending', ['mp4', 'mov', 'mkv', 'ts', 'avi'])
def test_frames_that_lean_on_later_ones(tmp_path, ending):
  film = video_file.probe(x264(tmp_path / f'v.{ending}', shades(30), bf='3', g='10'))
  assert film.time_s == pytest.approx(np.arange(30) / 50, abs=1.1e-3)  # Matroska has milliseconds
  levels = [frame.mean() for frame in video_file.frames(film)]
  assert levels == pytest.approx(np.linspace(40, 215, 30), abs=4)


def test_an_edit_list_leaves_frames_out(tmp_path):
  """As a phone trims a film: the packets stay, and an edit list says where it begins."""
  whole = x264(tmp_path / 'whole.mp4', shades(30), bf='2')
  with av.open(str(whole)) as container:
    tick_s = container.streams.video[0].time_base
  film = video_file.probe(remux(whole, tmp_path / 'v.mp4', round(0.2 / tick_s)))
  assert film.time_s == pytest.approx(np.arange(20) / 50, abs=1e-4)
  levels = [frame.mean() for frame in video_file.frames(film)]
  assert levels == pytest.approx(np.linspace(40, 215, 30)[10:], abs=4)


def test_frames_before_the_first_key_frame_are_left_out(tmp_path):
  whole = x264(tmp_path / 'whole.mkv', shades(30), g='10', bf='0', sc_threshold='0')
  film = video_file.probe(remux(whole, tmp_path / 'v.mkv', skip=4))
  assert film.time_s == pytest.approx(np.arange(20) / 50, abs=1.1e-3)
  levels = [frame.mean() for frame in video_file.frames(film)]
  assert levels == pytest.approx(np.linspace(40, 215, 30)[10:], abs=4)


def test_av1(tmp_path):
  codec = next((c for c in ('libsvtav1', 'libaom-av1') if c in av.codecs_available), None)
  if codec is None:
    pytest.skip('this PyAV encodes no AV1')
  path = tmp_path / 'v.mp4'
  with av.open(str(path), 'w') as container:
    stream = container.add_stream(codec, rate=50)
    stream.height, stream.width, stream.pix_fmt = 64, 96, 'yuv420p'
    for rgb in shades(20):
      container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb))))
    container.mux(stream.encode(None))
  film = video_file.probe(path)
  assert film.time_s == pytest.approx(np.arange(20) / 50, abs=1e-4)
  levels = [frame.mean() for frame in video_file.frames(film)]
  assert levels == pytest.approx(np.linspace(40, 215, 20), abs=4)


def test_opening_decodes_no_more_than_the_first_frame(walk_path, monkeypatch):
  monkeypatch.setattr(video_file, 'decoder', lambda path: pytest.fail('the film is decoded'))
  assert len(video_file.probe(walk_path).time_s) == 20


def test_every_frame_once_and_in_order(walk_path):
  film = video_file.probe(walk_path)
  decoded = np.stack(list(video_file.frames(film)))
  assert decoded.shape == (20, 64, 96, 3)
  assert decoded.dtype == np.uint8
  # Compressed and colours at half the resolution: near the drawn frames, each nearest its own.
  drawn = making.film(20).frames.astype(float)
  apart = np.abs(decoded[:, None].astype(float) - drawn[None]).mean((2, 3, 4))
  np.testing.assert_array_equal(apart.argmin(1), np.arange(20))
  assert apart.diagonal().max() < 12


def test_one_frame_by_its_number(walk_path):
  film = video_file.probe(walk_path)
  every = list(video_file.frames(film))
  for number in (0, 7, 19):
    np.testing.assert_array_equal(video_file.frame(film, number), every[number])


def test_colours_are_rgb(tmp_path):
  red = np.broadcast_to(np.array([200, 40, 60], np.uint8), (3, 64, 96, 3))
  film = video_file.probe(making.write_video(tmp_path / 'v.mp4', red))
  frame = next(video_file.frames(film))
  assert frame.mean((0, 1)) == pytest.approx([200, 40, 60], abs=5)


def test_rotation_flag_is_obeyed(tmp_path):
  path = making.write_video(tmp_path / 'v.mp4', make_corner(4))
  upright = next(video_file.frames(video_file.probe(path)))
  making.turn(path, 64)
  film = video_file.probe(path)
  assert (film.height, film.width) == (96, 64)
  turned = next(video_file.frames(film))
  assert np.abs(turned.astype(int) - np.rot90(upright, -1)).mean() < 3


@pytest.mark.parametrize('ending', ['mp4', 'mkv'])
@pytest.mark.parametrize(
  ('aspect', 'rows', 'columns'), [('2', 64, 192), ('1/2', 128, 96), ('10/11', 70, 96)]
)
def test_pixels_are_made_square(tmp_path, ending, aspect, rows, columns):
  path = x264(tmp_path / f'v.{ending}', make_corner(4), aspect=fractions.Fraction(aspect), crf='5')
  film = video_file.probe(path)
  assert (film.height, film.width) == (rows, columns)
  frame = next(video_file.frames(film))
  expected = cv2.resize(make_corner(1)[0], (columns, rows), interpolation=cv2.INTER_LINEAR)
  assert np.abs(frame.astype(int) - expected).mean() < 3
  small = working_frames.WorkingFrames(film)
  assert next(iter(small)).shape == (small.height, small.width, 3) == frame.shape


def test_pixels_are_made_square_before_the_picture_is_turned(tmp_path):
  path = x264(tmp_path / 'v.mp4', make_corner(4), aspect=fractions.Fraction(2), crf='5')
  upright = next(video_file.frames(video_file.probe(path)))
  data = bytearray(path.read_bytes())
  matrix = data.find(b'tkhd') + 4 + 40  # as in making.turn
  data[matrix : matrix + 36] = struct.pack('>9i', 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
  path.write_bytes(data)
  film = video_file.probe(path)
  assert (film.height, film.width) == (192, 64)
  np.testing.assert_array_equal(next(video_file.frames(film)), np.rot90(upright, -1))


def test_pixels_that_are_all_but_square_are_left_alone(tmp_path):
  path = x264(tmp_path / 'v.mp4', make_corner(4), aspect=fractions.Fraction(2399, 2400))
  assert video_file.probe(path).width == 96
  assert video_file.probe(path).pixel_aspect == 1


def make_corner(count: int) -> np.ndarray:
  frames = np.full((count, 64, 96, 3), 60, np.uint8)
  frames[:, :24, :32] = 220
  return frames


def test_descriptions_need_not_be_utf8(tmp_path, walk_path):
  data = walk_path.read_bytes()
  assert b'isomiso2' in data
  path = tmp_path / 'v.mp4'
  path.write_bytes(data.replace(b'isomiso2', b'isom\xffso2', 1))
  one, two = (np.stack(list(video_file.frames(video_file.probe(p)))) for p in (walk_path, path))
  np.testing.assert_array_equal(one, two)


# --- what cannot be used


def _refused(code, read, path, frame=None):
  """Reads what must be refused with this code and place; returns the message."""
  with pytest.raises(video_file.VideoError) as caught:
    read()
  error = caught.value
  assert (error.code, error.file, error.frame) == (code, str(path), frame)
  return str(error)


def test_a_folder_is_no_video(tmp_path):
  message = _refused('video.no_file', lambda: video_file.probe(tmp_path), tmp_path)
  assert message == f'{tmp_path}: a folder, expected a video file'
  none = tmp_path / 'none.mp4'
  _refused('video.no_file', lambda: video_file.probe(none), none)


def test_files_that_are_no_use(tmp_path, walk_path):
  path = tmp_path / 'v.mp4'
  probe = lambda: video_file.probe(path)
  for data in (b'', b'a,b\n' * 99, walk_path.read_bytes()[:-400]):
    path.write_bytes(data)
    _refused('video.unreadable', probe, path)
  making.write_video(path, shades(1))
  _refused('video.too_short', probe, path)
  making.write_video(path, shades(5, width=48))
  message = _refused('video.too_narrow', probe, path)
  assert message == f'{path}: 48 x 64 pixels, expected a width of at least 64'


def test_a_kind_of_video_that_nothing_can_decode(tmp_path, walk_path):
  path = tmp_path / 'v.mp4'
  path.write_bytes(walk_path.read_bytes().replace(b'avc1', b'xyz9'))
  message = _refused('video.unreadable', lambda: video_file.probe(path), path)
  assert 'of a kind that nothing here can decode' in message


def test_a_video_cut_short_in_a_frame(tmp_path, walk_path):
  path = making.write_video(tmp_path / 'v.mp4', making.film(20).frames, movflags='faststart')
  path.write_bytes(path.read_bytes()[:-5])
  message = _refused('video.unreadable', lambda: video_file.probe(path), path)
  assert 'its last frame is not there to its end' in message


def test_pixels_beyond_belief(tmp_path):
  path = x264(tmp_path / 'v.mp4', shades(4), aspect=fractions.Fraction(10))
  message = _refused('video.damaged', lambda: video_file.probe(path), path)
  assert 'its pixels are 10 times as wide as high' in message


@pytest.mark.parametrize('ending', ['mp4', 'mkv', 'ts', 'avi'])
def test_interlaced_films_are_refused(tmp_path, ending):
  path = tmp_path / f'v.{ending}'
  x264(path, shades(10), **{'x264-params': 'interlaced=1', 'flags': '+ilme+ildct'})
  message = _refused('video.interlaced', lambda: video_file.probe(path), path, 0)
  assert 'ffmpeg -i IN -vf bwdif OUT' in message


def test_a_film_that_becomes_interlaced(tmp_path, walk_path):
  film = video_file.probe(walk_path)
  path = x264(tmp_path / 'v.mp4', shades(10), **{'x264-params': 'interlaced=1'})
  other = dataclasses.replace(film, path=path, ticks=None)
  _refused('video.interlaced', lambda: list(video_file.frames(other)), path, 0)


def test_a_frame_that_the_decoder_leaves_out(walk_path):
  film = video_file.probe(walk_path)
  ticks = np.insert(film.ticks, 7, film.ticks[6] + 1)
  time_s = np.insert(film.time_s, 7, film.time_s[6] + 1e-4)
  more = dataclasses.replace(film, ticks=ticks, time_s=time_s)
  message = _refused('video.damaged', lambda: list(video_file.frames(more)), walk_path, 7)
  assert 'frame 7 of 21 cannot be decoded (the decoder leaves it out)' in message


def test_a_video_that_shrinks_while_it_is_read(tmp_path, walk_path):
  film = video_file.probe(walk_path)
  other = making.write_video(tmp_path / 'v.mp4', shades(5))
  shorter = video_file.Video(other, film.time_s, 64, 96)
  message = _refused('video.damaged', lambda: list(video_file.frames(shorter)), other, 5)
  assert 'frame 5 of 20 cannot be decoded' in message
  lower = video_file.Video(other, film.time_s[:5], 60, 96)
  message = _refused('video.frame_size', lambda: list(video_file.frames(lower)), other, 0)
  assert 'is 96x64 pixels, expected 96x60' in message


@pytest.mark.parametrize('turned', [False, True])
def test_frames_are_those_of_decord(tmp_path, walk_path, turned):
  decord = pytest.importorskip('decord')  # has no wheel for Apple's processors
  path = tmp_path / 'v.mp4'
  path.write_bytes(walk_path.read_bytes())
  if turned:
    making.turn(path, 64)
  reader = decord.VideoReader(str(path), num_threads=1)
  theirs = np.stack([reader.next().asnumpy() for _ in range(len(reader))])
  film = video_file.probe(path)
  np.testing.assert_array_equal(np.stack(list(video_file.frames(film))), theirs)
  their_s = reader.get_frame_timestamp(range(len(reader)))[:, 0]
  np.testing.assert_allclose(film.time_s, their_s - their_s[0], atol=1e-5)


SLOW_READER = """
import sys, time
from grfjax.io import video_file, working_frames

def resident():
  with open('/proc/self/statm') as file:
    return int(file.read().split()[1]) * 4096

frames = iter(working_frames.WorkingFrames(video_file.probe(sys.argv[1])))
next(frames)
start = peak = resident()
for _ in range(20):
  time.sleep(0.02)
  next(frames)
  peak = max(peak, resident())
print(peak - start)
"""


@pytest.mark.skipif(not pathlib.Path('/proc/self/statm').exists(), reason='no /proc here')
def test_a_reader_slower_than_the_decoder_needs_no_more_memory(tmp_path):
  path = making.write_video(tmp_path / 'v.mp4', shades(1000, 360, 640))
  # All decoded, the frames are 690 MB; in a process of its own, as memory freed is not given back.
  process = subprocess.run(
    [sys.executable, '-c', SLOW_READER, str(path)], capture_output=True, text=True, check=True
  )
  assert int(process.stdout) < 60e6


def test_frames_are_freed_without_the_garbage_collector(walk_path):
  gc.disable()
  try:
    gone = [weakref.ref(frame) for frame in video_file.frames(video_file.probe(walk_path))]
    assert sum(ref() is not None for ref in gone) == 0
  finally:
    gc.enable()


# --- holes


def test_a_hole_is_named(tmp_path):
  time_s = np.concatenate([np.arange(12), np.arange(12) + 30]) / 60
  path = making.write_video(tmp_path / 'v.mp4', making.film(24).frames, time_s=time_s)
  film = video_file.probe(path)
  message = _refused('video.hole', lambda: video_file.check_no_hole(film), path, 11)
  assert 'no frame for 0.32 s after frame 11 at 0.18 s' in message
  assert 'ffmpeg -i IN -t 0.18 OUT' in message
  for name in ('walker', 'mochizuki'):
    cfg = clip_config.CLIP_CONFIGS[name]
    for read in (walker_views.read_longest_walk, lambda *of: list(walker_views.read_walks(*of))):
      _refused('video.hole', lambda read=read, cfg=cfg: read(path, cfg, 'left'), path, 11)


@pytest.mark.parametrize(
  'time_s',
  [
    np.arange(12) / 3,  # even, if slow
    np.delete(np.arange(40) / 30, range(20, 26)),  # 0.23 s
    np.delete(np.arange(40) / 15, range(20, 24)),  # 0.33 s, 5 intervals
  ],
)
def test_frames_far_apart_are_no_hole(tmp_path, time_s):
  path = making.write_video(tmp_path / 'v.mp4', shades(len(time_s)), time_s=time_s)
  video_file.check_no_hole(video_file.probe(path))


# --- films slowed down or sped up


def captured(path: pathlib.Path, capture_fps: str, fps: int = 30) -> pathlib.Path:
  """A film that says at how many frames a second it was filmed, as Android's do."""
  with av.open(str(path), 'w', options={'movflags': 'use_metadata_tags'}) as container:
    container.metadata['com.android.capture.fps'] = capture_fps
    stream = container.add_stream('libx264', rate=fps)
    stream.height, stream.width, stream.pix_fmt = 64, 96, 'yuv420p'
    for rgb in shades(12):
      container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb))))
    container.mux(stream.encode(None))
  return path


def test_times_are_real_seconds(walk_path, monkeypatch):
  film = video_file.probe(walk_path)
  assert film.speed == 1
  with video_file.played_at(0.125):
    slow = video_file.probe(walk_path)
  assert slow.speed == 0.125
  np.testing.assert_allclose(slow.time_s, film.time_s / 8, rtol=1e-12)
  assert slow.fps == pytest.approx(8 * film.fps)
  for one, two in zip(video_file.frames(film), video_file.frames(slow), strict=True):
    np.testing.assert_array_equal(one, two)
  assert video_file.probe(walk_path).speed == 1


@pytest.mark.parametrize('speed', [0.0, -1.0, np.nan, np.inf])
def test_speeds_that_are_none(speed):
  with pytest.raises(ValueError, match='finite number above 0'), video_file.played_at(speed):
    pass


def test_a_sample_of_a_long_slow_video_is_spread_over_it(tmp_path, monkeypatch):
  path = making.write_video(tmp_path / 'v.mp4', making.film(24).frames, key_every=4)
  monkeypatch.setattr(working_frames, 'CACHE_BYTES', 0)
  samples = []
  for speed in (1, 0.125, 4):
    with video_file.played_at(speed):
      samples.append(working_frames.WorkingFrames(video_file.probe(path)).sample(6))
  assert len(samples[0]) == 6
  for sample in samples[1:]:
    np.testing.assert_array_equal(sample, samples[0])


@pytest.mark.parametrize(
  ('capture_fps', 'speed', 'says'),
  [
    ('240.000000', 0.125, 'filmed at 240 frames a second; it plays 30. Its times are multiplied'),
    ('5', 6.0, 'Its times are multiplied by 6'),
    ('60', 1.0, 'If it is slowed down, --speed=0.5 of grfjax.predict'),  # or it was too dark for 60
    ('30.2', 1.0, ''),
    ('0', 1.0, ''),
    ('nan', 1.0, ''),
    ('fast', 1.0, ''),
  ],
)
def test_the_rate_that_a_camera_states(tmp_path, caplog, capture_fps, speed, says):
  path = captured(tmp_path / 'v.mp4', capture_fps)
  with caplog.at_level(logging.WARNING, logger='absl'):
    film = video_file.probe(path)
    video_file.probe(path)
  assert film.speed == pytest.approx(speed)
  assert film.time_s == pytest.approx(speed * np.arange(12) / 30, abs=1e-4)
  assert says in caplog.text
  assert len(caplog.records) == bool(says)  # once
  with video_file.played_at(0.5):
    assert video_file.probe(path).time_s == pytest.approx(np.arange(12) / 60, abs=1e-4)


@pytest.mark.parametrize(
  ('given', 'says'),
  [
    ({'speed': np.nan}, 'finite number above 0'),
    ({'speed': np.inf}, 'finite number above 0'),
    ({'speed': 0.0}, 'finite number above 0'),
    ({'speed': 0.5, 'video': None, 'recordings': 'RAW'}, 'speed goes with a video alone'),
    ({'height_m': 1.7, 'video': None, 'recordings': 'RAW'}, 'height_m goes with a video alone'),
    ({'scale_m_per_px': np.nan}, 'scale_m_per_px is nan'),
  ],
)
def test_predict_refuses_flags_that_mean_nothing(monkeypatch, given, says):
  names = ('recordings', 'body_mass_kg', 'height_m', 'age_years', 'scale_m_per_px', 'speed')
  values = {'video': 'v.mp4', 'out': 'out', **dict.fromkeys(names), **given}
  monkeypatch.setattr(predict.flags, 'FLAGS', types.SimpleNamespace(**values))
  with pytest.raises(app.UsageError, match=says):
    predict.main(['predict'])


# --- working scale


def test_working_frames_again_and_again(walk_path):
  frames = working_frames.WorkingFrames(video_file.probe(walk_path))
  first, second = np.stack(list(frames)), np.stack(list(frames))
  np.testing.assert_array_equal(first, second)
  assert len(first) == 20


def test_working_frames_with_and_without_memory(walk_path, monkeypatch):
  film = video_file.probe(walk_path)
  kept = working_frames.WorkingFrames(film)
  list(kept)
  monkeypatch.setattr(working_frames, 'CACHE_BYTES', 20 * 64 * 96 * 3 - 1)
  again = working_frames.WorkingFrames(film)
  list(again)
  decoded = []
  monkeypatch.setattr(
    video_file, 'frames', lambda v, *args, f=video_file.frames: decoded.append(v) or f(v, *args)
  )
  np.testing.assert_array_equal(np.stack(list(kept)), np.stack(list(again)))
  assert len(decoded) == 1  # the one that did not fit


def test_working_frames_left_early_and_overlapping(walk_path):
  frames = working_frames.WorkingFrames(video_file.probe(walk_path))
  expected = np.stack(list(video_file.frames(frames.video)))
  next(iter(frames))
  one, two = iter(frames), iter(frames)
  next(one)
  for k, (a, b) in enumerate(zip(one, two, strict=False), 1):
    np.testing.assert_array_equal(a, expected[k])
    np.testing.assert_array_equal(b, expected[k - 1])
  np.testing.assert_array_equal(np.stack(list(frames)), expected)


@pytest.mark.parametrize(('key_every', 'passes'), [(4, 0), (250, 1)])
def test_a_sample_of_a_long_video_comes_from_its_key_frames(
  tmp_path, monkeypatch, key_every, passes
):
  film = video_file.probe(
    making.write_video(tmp_path / 'v.mp4', making.film(24).frames, key_every=key_every)
  )
  every = list(video_file.frames(film))
  decoded = []
  monkeypatch.setattr(
    video_file, 'frames', lambda v, *args, f=video_file.frames: decoded.append(v) or f(v, *args)
  )
  monkeypatch.setattr(working_frames, 'CACHE_BYTES', 0)
  sample = working_frames.WorkingFrames(film).sample(6)
  assert len(decoded) == passes
  assert len(sample) == 6
  where = [np.abs(np.stack(every).astype(int) - f).mean((1, 2, 3)).argmin() for f in sample]
  assert where == sorted(set(where))
  assert where[0] <= 4
  assert where[-1] >= 19
  assert all((every[k] == f).all() for k, f in zip(where, sample, strict=True))


def test_large_frames_are_averaged_over_area(tmp_path, monkeypatch):
  monkeypatch.setattr(working_frames, 'WORKING_ROWS', 16)
  path = making.write_video(tmp_path / 'v.mp4', making.film(3).frames)
  film = video_file.probe(path)
  frames = working_frames.WorkingFrames(film)
  assert (frames.height, frames.width, frames.halvings) == (16, 24, 2)
  small = np.stack(list(frames))
  blocks = np.stack(list(video_file.frames(film))).reshape(3, 16, 4, 24, 4, 3).mean((2, 4))
  luma = [0.299, 0.587, 0.114]
  assert (
    np.abs((small - blocks) @ luma).max() <= 2.01
  )  # the planes are rounded, and then the colours
  # Colours have half the resolution of the brightness.
  error = (small - blocks).reshape(3, 8, 2, 12, 2, 3).mean((2, 4))
  assert np.abs(error).max() <= 3
  assert np.abs(error).mean() < 0.8


def test_frames_whose_sides_cannot_be_halved_as_planes_are_averaged_as_pictures(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(working_frames, 'WORKING_ROWS', 16)
  shown = [frame[:62, :90] for frame in making.film(3).frames]
  film = video_file.probe(making.write_video(tmp_path / 'v.mp4', shown))
  frames = working_frames.WorkingFrames(film)
  assert (frames.height, frames.width, frames.halvings) == (31, 45, 1)
  blocks = np.stack(list(video_file.frames(film))).reshape(3, 31, 2, 45, 2, 3).mean((2, 4))
  assert np.abs(np.stack(list(frames)) - blocks).max() <= 0.51


# --- the paper's picture


def test_whole_window_is_bilinear_to_the_letter():
  frame = making.room(90, 120)
  window = pictures.shrink(frame, 40)
  assert window.shape == (40, 40, 1)
  assert window.dtype == np.uint8
  gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
  # By hand: the middle of each new pixel, between the four old pixels' middles around it.
  row, column = (np.arange(40) + 0.5) * 90 / 40 - 0.5, (np.arange(40) + 0.5) * 120 / 40 - 0.5
  r, c = np.floor(row).astype(int), np.floor(column).astype(int)
  down, right = (row - r)[:, None], column - c
  old = gray.astype(float)
  expected = (
    old[r][:, c] * (1 - down) * (1 - right)
    + old[r][:, c + 1] * (1 - down) * right
    + old[r + 1][:, c] * down * (1 - right)
    + old[r + 1][:, c + 1] * down * right
  )
  assert np.abs(window[..., 0] - expected).max() <= 1.01  # OpenCV rounds weights to 1/2048
  area = cv2.resize(gray, (40, 40), interpolation=cv2.INTER_AREA)
  assert np.abs(window[..., 0].astype(int) - area).max() > 10  # it does tell them apart


def test_whole_window_weighs_colours():
  frame = np.zeros((40, 40, 3), np.uint8)
  frame[..., 0], frame[..., 1], frame[..., 2] = 200, 100, 50
  assert pictures.shrink(frame, 40)[0, 0, 0] == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)
