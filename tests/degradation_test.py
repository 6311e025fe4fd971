"""What is done to videos, and recording sets of degraded copies."""

import dataclasses
import itertools
import json
import shutil
import types

import cv2
import making
import numpy as np
import pytest

from grfjax import degrade, errors
from grfjax.data import degraded_copies, input_pipeline, label_index, voxel_dataset
from grfjax.degradation import camera_path, film, light
from grfjax.degradation import damage as damage_lib
from grfjax.evaluation import held_out, held_out_estimates
from grfjax.io import foot_files, recordings, video_file, video_writing

TIME_S = np.arange(60) / 60


def rng(seed=0):
  return np.random.default_rng(seed)


def films(damage, picture, seed=0, time_s=TIME_S):
  height, width = picture.shape[:2]
  frames = [picture] * len(time_s)
  return list(film.film_again(frames, time_s, height, width, damage, rng(seed)))


class TestDraw:
  def test_a_seed_gives_the_same(self):
    assert damage_lib.draw(rng(3)) == damage_lib.draw(rng(3))
    assert len({damage_lib.draw(rng(seed)) for seed in range(20)}) == 20

  @pytest.mark.parametrize('kind', damage_lib.KINDS)
  def test_a_single_kind_always_happens_and_changes_something(self, kind):
    for seed in range(5):
      damage = damage_lib.draw(rng(seed), (kind,))
      assert damage.kinds == (kind,)
      assert set(damage.amounts()) - {'crf'} or damage.crf > damage_lib.GOOD_CRF[1]

  def test_kinds_come_as_often_as_they_say_and_the_camera_moves_in_one_way(self):
    drawn = [damage_lib.draw(rng(seed)) for seed in range(2000)]
    for name, kind in damage_lib.KINDS.items():
      share = np.mean([name in damage.kinds for damage in drawn])
      assert share == pytest.approx(kind.share, abs=0.08 if kind.moves else 0.04)
    moving = [sum(damage_lib.KINDS[k].moves for k in damage.kinds) for damage in drawn]
    assert max(moving) == 1
    assert min(len(damage.kinds) for damage in drawn) == 1
    assert max(len(damage.kinds) for damage in drawn) > 3

  def test_unknown_kind(self):
    with pytest.raises(errors.InputError, match="'fog'; there are dark") as caught:
      damage_lib.check_kinds(['dark', 'fog'])
    assert caught.value.code == 'degrade.unknown_kind'
    with pytest.raises(errors.InputError, match='no kind'):
      damage_lib.check_kinds([])
    assert damage_lib.check_kinds(['blur', 'dark']) == ('dark', 'blur')


class TestLight:
  @pytest.mark.parametrize('gray', [40, 120, 230])
  def test_noise_is_that_of_so_many_electrons(self, gray):
    damage = damage_lib.Damage(electrons=400.0, read_electrons=3.0)
    frames = films(damage, np.full((64, 96, 3), gray, np.uint8))
    measured = light.to_light(np.stack(frames) / 255)
    mean = float(light.to_light(np.array(gray / 255)))
    deviation = np.sqrt(400 * mean + 3**2) / 400
    assert measured.mean() == pytest.approx(mean, rel=0.02)
    assert measured.std() == pytest.approx(deviation, rel=0.05)
    assert abs(np.corrcoef(frames[0].ravel(), frames[1].ravel())[0, 1]) < 0.05

  def test_flicker_has_its_amplitude_and_frequency(self):
    damage = damage_lib.Damage(flicker=0.2, flicker_hz=10.0)
    frames = films(damage, np.full((64, 96, 3), 120, np.uint8))
    brightness = light.to_light(np.stack(frames) / 255).mean((1, 2, 3))
    spectrum = np.abs(np.fft.rfft(brightness / brightness.mean() - 1)) / (len(TIME_S) / 2)
    assert int(np.argmax(spectrum)) == 10  # of 1 s
    assert spectrum[10] == pytest.approx(0.2, rel=0.03)

  def test_exposure_ends_where_it_is_to(self):
    damage = damage_lib.Damage(
      exposure_stops=-0.5, exposure_from=0.2, exposure_s=0.3, red=1.05, blue=0.95
    )
    frames = films(damage, np.full((64, 96, 3), 120, np.uint8))
    level = light.to_light(np.stack(frames) / 255).mean((1, 2))
    np.testing.assert_allclose(level[:10], level[0].repeat(10).reshape(3, 10).T)
    expected = 2**-0.5 * np.array([1.05, 1, 0.95])
    np.testing.assert_allclose(level[-1] / level[0], expected, rtol=0.02)

  def test_without_damage_nothing_changes(self):
    picture = making.room(64, 96)
    assert all(np.array_equal(frame, picture) for frame in films(damage_lib.Damage(), picture))


class TestCamera:
  def test_a_hands_way_is_as_far_as_is_said(self):
    time_s = np.arange(6000) / 60
    for seed in range(3):
      assert camera_path.hand_way(rng(seed), time_s, 0.01).std() == pytest.approx(0.01, rel=0.1)

  def test_the_picture_moves_as_was_drawn(self):
    damage = damage_lib.Damage(shake_heights=0.02)
    picture = making.room(120, 160)
    seen = films(damage, picture, seed=5)
    path = camera_path.draw_path(rng(5), camera_path.instants(TIME_S, 0), damage, 120)[:, 0]
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in seen]
    found = np.empty((60, 2))
    matrix = np.eye(2, 3, dtype=np.float32)
    for k, other in enumerate(gray):
      matrix = cv2.findTransformECC(gray[0], other, matrix, cv2.MOTION_TRANSLATION)[1]
      found[k] = matrix[:, 2]
    wanted = path[:, :2] - path[0, :2]
    assert np.ptp(wanted, axis=0).min() > 1
    assert np.abs(found - wanted).max() < 0.1

  @pytest.mark.parametrize(
    'damage',
    [
      damage_lib.Damage(),
      damage_lib.Damage(rows_share=0.6),
      damage_lib.Damage(shake_heights=0.02, roll_rad=0.02),
      damage_lib.Damage(shake_heights=0.01, pan_heights_per_s=0.08, shutter=1.0, rows_share=0.8),
    ],
    ids=lambda damage: ' '.join(damage.amounts()),
  )
  def test_places_are_moved_as_the_pictures_are(self, damage):
    picture = np.zeros((121, 163, 3), np.uint8)
    place = np.array([100.0, 40.0])  # from the edge: the middle of the 10 x 10 pixels below
    picture[35:45, 95:105] = 255
    seen = films(damage, picture, seed=5)
    geometry = film.draw_geometry(TIME_S, 121, 163, damage, rng(5))
    assert seen[0].shape[:2] == (geometry.rows, geometry.columns)
    for k, frame in enumerate(seen):
      moments = cv2.moments(frame[..., 0])
      found = np.array([moments['m10'], moments['m01']]) / moments['m00'] + 0.5
      np.testing.assert_allclose(geometry.place(place, k), found, atol=0.15)

  def test_nothing_outside_the_picture_is_seen(self):
    damage = damage_lib.Damage(shake_heights=0.016, roll_rad=0.009, pan_heights_per_s=0.08)
    for seed in range(4):
      path = camera_path.draw_path(rng(seed), camera_path.instants(TIME_S, 1), damage, 90)
      view = camera_path.MovingView(path, 90, 160)
      assert 90 > view.height > 90 * (1 - 2 * camera_path.MAX_MARGIN) - 6
      corners = np.array([(x, y, 1) for x in (0, view.width - 1) for y in (0, view.height - 1)])
      seen = np.concatenate([corners @ view._to_frame(*at).T for at in path.reshape(-1, 3)])
      assert (seen.min(0) >= 0).all()
      assert (seen.max(0) <= (159, 89)).all()

  def test_blur_and_resolution(self):
    picture = making.room(90, 160)
    blurred = films(damage_lib.Damage(focus_heights=0.02), picture)[0]
    contrast = lambda frame: np.abs(np.diff(frame.astype(int), axis=1)).mean()
    assert contrast(blurred) < 0.7 * contrast(picture)
    assert films(damage_lib.Damage(rows_share=0.5), picture)[0].shape == (44, 80, 3)


def test_compression_is_stronger_the_more_is_asked(tmp_path):
  picture = making.room(90, 160)
  frames = [np.roll(picture, k, 1) for k in range(20)]
  sizes, differences = [], []
  for crf in (20, 30, 40):
    path = tmp_path / f'{crf}.mp4'
    video_writing.write_video(path, frames, 60, crf=crf, preset='veryfast')
    decoded = list(video_file.frames(video_file.probe(path)))
    sizes.append(path.stat().st_size)
    differences.append(np.abs(np.array(decoded, int) - frames).mean())
  assert sizes[0] > sizes[1] > sizes[2]
  assert differences[0] < differences[1] < differences[2]


def test_frame_times_are_kept(tmp_path):
  time_s = np.cumsum([0, 1, 1, 2, 1, 3, 1, 1]) * 1001 / 30000
  frames = [np.full((64, 96, 3), 20 * k, np.uint8) for k in range(8)]
  video_writing.write_video(tmp_path / 'a.mp4', frames, 30, time_s=time_s, comment='{"a": 1}')
  np.testing.assert_allclose(video_file.probe(tmp_path / 'a.mp4').time_s, time_s, atol=1e-5)
  with pytest.raises(ValueError, match=r'longer|shorter'):
    video_writing.write_video(tmp_path / 'b.mp4', frames[:5], 30, time_s=time_s)
  assert not (tmp_path / 'b.mp4').exists()


@pytest.fixture(scope='module')
def source(recordings_dir, tmp_path_factory):
  """Two people, a trial each."""
  root = tmp_path_factory.mktemp('source') / 'raw'
  shutil.copytree(recordings_dir, root)
  lines = (root / 'trials.csv').read_text().splitlines()
  (root / 'trials.csv').write_text(
    '\n'.join([f'{lines[0]},note', f'{lines[1]},"a, b"', f'{lines[3]},'])
  )
  return root


SETTINGS = degraded_copies.Settings(copies=2, seed=1, kinds=('compression', 'flicker'))


@pytest.fixture(scope='module')
def copies(source, tmp_path_factory):
  out = tmp_path_factory.mktemp('copies') / 'set'
  with pytest.MonkeyPatch.context() as patch:
    patch.setenv('GRFJAX_WORKERS', '2')
    made = degraded_copies.write_set(source, out, SETTINGS)
  return out, made


def contents(folder):
  return {
    path.relative_to(folder).as_posix(): path.read_bytes()
    for path in folder.rglob('*')
    if path.is_file() and path.name != '.lock'
  }


class TestCopies:
  def test_the_set(self, source, copies):
    out, made = copies
    originals = {trial.name: trial for trial in recordings.load(source)}
    trials = {trial.name: trial for trial in recordings.load(out)}
    assert len(trials) == 6
    assert [copy.name for copy in made] == [f'{name}-d{k}' for name in originals for k in (1, 2)]
    for copy in made:
      trial, original = trials[copy.name], originals[copy.name[:-3]]
      assert trial.degraded == copy.damage.kinds
      assert not trials[original.name].degraded
      for same in ('subject', 'camera', 'plates', 'video_start_s', 'contact_frame'):
        assert getattr(trial, same) == getattr(original, same)
      assert trial.force[0].read_bytes() == original.force[0].read_bytes()
      video, filmed = video_file.probe(trial.video), video_file.probe(original.video)
      np.testing.assert_allclose(video.time_s, filmed.time_s, atol=1e-5)
    lines = (out / 'trials.csv').read_text().splitlines()
    assert lines[0].endswith(',note,copy_of,degraded')
    assert '"a, b"' in lines[1]
    assert f'"a, b",{made[0].name[:-3]},' in lines[2]
    about = json.loads((out / degraded_copies.SETTINGS_FILE).read_text())['copies']
    assert about[made[0].name]['crf'] == made[0].damage.crf

  def test_a_copy_plays_as_slowly_as_its_row_says(self, tmp_path):
    root = tmp_path / 'set'
    root.mkdir()
    making.write_set(root, {'A': 60.0}, trials=1)
    rows = (root / 'trials.csv').read_text().splitlines()
    (root / 'trials.csv').write_text(f'{rows[0]},speed\n{rows[1]},0.5\n')
    settings = degraded_copies.Settings(copies=1, kinds=('compression',))
    degraded_copies.write_set(root, tmp_path / 'out', settings)
    filmed, copy = recordings.load(tmp_path / 'out')
    assert copy.speed == filmed.speed == 0.5
    times = [video_file.probe(trial.video).time_s for trial in (filmed, copy)]
    np.testing.assert_allclose(*times, atol=1e-5)

  def test_places_of_the_feet_go_with_the_picture(self, tmp_path, monkeypatch):
    root, out = tmp_path / 'set', tmp_path / 'out'
    root.mkdir()
    making.write_set(root, {'A': 60.0}, trials=2)
    rows = (root / 'trials.csv').read_text().splitlines()
    (root / 'trials.csv').write_text(f'{rows[0]},feet\n{rows[1]},feet.csv\n{rows[2]},\n')
    feet = ['time_s,left_column_px,left_row_px,right_column_px,right_row_px']
    feet += [f'{k / 60:.4f},60,58,0.3,58' for k in range(70)]
    (root / 'feet.csv').write_text('\n'.join(feet) + '\n')
    settings = degraded_copies.Settings(copies=1, kinds=('handheld',), seed=3, keep_refused=True)
    made = degraded_copies.write_set(root, out, settings)
    assert [copy.damage.kinds for copy in made] == [('handheld',)] * 2
    trials = {trial.name: trial for trial in recordings.load(out)}
    assert trials['A_1'].feet.read_bytes() == (root / 'feet.csv').read_bytes()
    assert trials['A_2'].feet is trials['A_2-d1'].feet is None
    copy = trials['A_1-d1']
    video = video_file.probe(copy.video)
    moved = foot_files.read(copy.feet, video.width, video.height, video.time_s[-1])
    np.testing.assert_allclose(moved.time_s, video.time_s, atol=1e-4)
    # Where the picture shows what it showed there.
    films = [list(video_file.frames(video_file.probe(t.video))) for t in (trials['A_1'], copy)]
    for k in (5, 40):
      around = films[0][k][40:58, 45:75]
      match = cv2.matchTemplate(films[1][k], around, cv2.TM_CCOEFF_NORMED)
      corner = cv2.minMaxLoc(match)[3]
      np.testing.assert_allclose(np.add(corner, [15, 18]), moved.place[k, 0], atol=1)
    assert np.isnan(moved.place[:, 1]).any()  # the edge is lost
    # What is there is kept, and a copy without its places is made again.
    before = contents(out)
    copy.feet.unlink()
    assert [copy.new for copy in degraded_copies.write_set(root, out, settings)] == [True, False]
    assert contents(out) == before
    (root / 'feet.csv').write_text('\n'.join(feet).replace(',60,', ',61,') + '\n')
    with pytest.raises(errors.InputError, match='other places of the feet') as caught:
      degraded_copies.write_set(root, out, settings)
    assert caught.value.code == 'degrade.folder_in_use'

    def refuse(trial, _):
      assert trial.feet is None or trial.feet.exists()
      raise errors.InputError('no use', code='video.no_walker')

    monkeypatch.setattr(degraded_copies, '_check_usable', refuse)
    strict = dataclasses.replace(settings, keep_refused=False)
    made = degraded_copies.write_set(root, tmp_path / 'strict', strict)
    assert [copy.damage for copy in made] == [None, None]
    assert not list((tmp_path / 'strict').rglob('*_feet.csv'))

  def test_again_nothing_is_made_and_what_is_missing_is_made_alike(self, source, copies):
    out, made = copies
    before = contents(out)
    (out / 'trials.csv').unlink()
    lost = out / degraded_copies.FOLDER / f'{made[1].name}.mp4'
    lost.unlink()
    (out / recordings.load(source)[0].force[0].name).write_text('of another time')
    kept = out / degraded_copies.FOLDER / f'{made[0].name}.mp4'
    when = kept.stat().st_mtime_ns
    again = degraded_copies.write_set(source, out, SETTINGS)
    assert [copy.new for copy in again] == [False, True, False, False]
    assert [copy.damage.kinds for copy in again] == [copy.damage.kinds for copy in made]
    assert contents(out) == before
    assert kept.stat().st_mtime_ns == when

  def test_other_settings_or_videos_are_refused(self, source, copies, tmp_path):
    out, _ = copies
    before = contents(out)
    with pytest.raises(errors.InputError, match=r"'seed': 1") as caught:
      degraded_copies.write_set(source, out, dataclasses.replace(SETTINGS, seed=2))
    assert caught.value.code == 'degrade.folder_in_use'
    other = tmp_path / 'raw'
    shutil.copytree(source, other)
    videos = [trial.video for trial in recordings.load(other)]
    shutil.copyfile(videos[1], videos[0])
    with pytest.raises(errors.InputError, match='another video of trial'):
      degraded_copies.write_set(other, out, SETTINGS)
    assert contents(out) == before
    for folder in (source, tmp_path):
      with pytest.raises(errors.InputError, match='choose another folder'):
        degraded_copies.write_set(source, folder, SETTINGS)

  def test_copies_are_not_copied_and_names_not_taken_twice(self, source, copies, tmp_path):
    with pytest.raises(errors.InputError, match='as they were filmed') as caught:
      degraded_copies.write_set(copies[0], tmp_path / 'out', SETTINGS)
    assert caught.value.code == 'degrade.is_copy'
    unnamed = (
      tmp_path / 'unnamed'
    )  # where a copy's place is taken by what says nowhere that it is one
    shutil.copytree(source, unnamed)
    table = unnamed / 'trials.csv'
    video = recordings.load(unnamed)[0].video
    place = f'{degraded_copies.FOLDER}/{video.name}'
    (unnamed / degraded_copies.FOLDER).mkdir()
    video.rename(unnamed / place)
    named = video.relative_to(unnamed).as_posix()
    table.write_text(table.read_text().replace(named, place))
    with pytest.raises(errors.InputError, match='outside the folder') as caught:
      degraded_copies.write_set(unnamed, tmp_path / 'out', SETTINGS)
    assert caught.value.code == 'degrade.is_copy'
    raw = tmp_path / 'raw'
    shutil.copytree(source, raw)
    first, second = (trial.name for trial in recordings.load(raw))
    text = (raw / 'trials.csv').read_text()
    (raw / 'trials.csv').write_text(text.replace(second, f'{first}-d2', 1))
    with pytest.raises(errors.InputError, match='not there yet') as caught:
      degraded_copies.write_set(raw, tmp_path / 'out', SETTINGS)
    assert caught.value.code == 'recording.duplicate_name'
    assert not (tmp_path / 'out').exists()

  def test_a_video_that_cannot_be_read(self, source, tmp_path):
    raw = tmp_path / 'raw'
    shutil.copytree(source, raw)
    second = recordings.load(raw)[1]
    second.video.write_bytes(b'no video')
    with pytest.raises(errors.InputError, match=r'trials.csv, line 3 \(trial B_1\): ') as caught:
      degraded_copies.write_set(raw, tmp_path / 'out', SETTINGS)
    assert caught.value.code == 'video.unreadable'
    assert not (tmp_path / 'out/trials.csv').exists()
    written = {path.name[:3] for path in (tmp_path / 'out' / degraded_copies.FOLDER).iterdir()}
    assert written == {'A_1'}

  def test_a_copy_that_cannot_be_used_is_drawn_again_and_then_left_out(
    self, source, tmp_path, monkeypatch
  ):
    trial = recordings.load(source)[0]
    (tmp_path / degraded_copies.FOLDER).mkdir()
    settings = dataclasses.replace(SETTINGS, kinds=('flicker',))
    check, calls = degraded_copies._check_usable, []

    def refuse(trial, config):
      calls.append(trial.video.name)
      if len(calls) != 2:
        raise errors.InputError(f'{trial.video}: nobody', code='video.no_walker')
      check(trial, config)

    monkeypatch.setattr(degraded_copies, '_check_usable', refuse)
    made = degraded_copies._copy(trial, 1, tmp_path, settings)
    path = tmp_path / degraded_copies.FOLDER / f'{made.name}.mp4'
    assert made.refused == (f'{path}: nobody',)
    assert degraded_copies._copy(trial, 1, tmp_path, settings) == dataclasses.replace(
      made, new=False, damage=degraded_copies._read_copy(made.name, path).damage
    )
    left_out = degraded_copies._copy(trial, 2, tmp_path, settings)
    assert left_out.damage is None
    assert len(left_out.refused) == degraded_copies.DRAWS
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert 'left out' in degrade._summary(tmp_path, [made, left_out])


def test_whoever_is_held_out_is_held_out_with_all_copies(copies, builder_module, tmp_path):
  import tensorflow_datasets as tfds

  out, made = copies
  builder = builder_module.Builder(data_dir=tmp_path, config='walker')
  builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=out))
  dataset = voxel_dataset.Dataset(str(tmp_path), 'walker')
  assert dataset.degraded == {copy.name: list(copy.damage.kinds) for copy in made}
  assert dataset.others('A') == ('B',)
  records = dataset.source(dataset.others('A'))
  labels = label_index.index_labels(records, dataset.config.own, 2)
  stream = input_pipeline.train_stream(records, labels, batch=8, clip=16, rebalance=0.5, seed=0)
  batches = list(itertools.islice(iter(stream), 5))
  drawn = {name.decode() for batch in batches for name in batch['trial'].tolist()}
  of = {copy.name: copy.name[:-3] for copy in made}
  assert {of.get(name, name) for name in drawn} == {'B_1'}
  assert drawn & set(of)


def test_a_subject_is_judged_by_videos_as_they_were_filmed(monkeypatch):
  trial = np.repeat(['A1', 'A1-d1', 'A1-d2'], 4)
  error = np.repeat([0.1, 0.3, 0.5], 4)
  force = np.ones((12, 2, 3))
  contact = np.ones((12, 2), bool)
  estimates = held_out_estimates.HeldOutEstimates(
    trial, np.tile(np.arange(4), 3), np.tile(np.arange(4) / 60, 3),
    force + error[:, None, None], np.zeros((12, 2, 3, 0)), force, contact, contact,
  )  # fmt: skip
  monkeypatch.setattr(held_out, '_estimate', lambda run, dataset, subject: estimates)
  dataset = types.SimpleNamespace(
    degraded={'A1-d1': ['dark'], 'A1-d2': ['dark', 'blur'], 'B1-d1': ['pan']}
  )
  judged, part = held_out._estimate_by_damage(None, dataset, 'A')
  assert set(judged.trial) == {'A1'}
  assert judged.sums().result()['mae_pct_bw'] == pytest.approx(10)
  assert {what: (e['mae_pct_bw'], e['n']) for what, e in part['degraded'].items()} == {
    'blur': (pytest.approx(50), 8), 'dark': (pytest.approx(40), 16)
  }  # fmt: skip
  dataset.degraded['A1'] = ['old']
  assert set(held_out._estimate_by_damage(None, dataset, 'A')[0].trial) == set(trial)
  dataset.degraded = {}
  judged, part = held_out._estimate_by_damage(None, dataset, 'A')
  assert part == {}
  assert len(judged.trial) == 12
