"""Tests of the builder on dummy_data/: 2 subjects x 2 trials, a drawn figure, 70 frames each."""

import dataclasses
import logging
import os
import pathlib
import shutil
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from grfjax import errors
from grfjax.data import clip_config, record_writer, trial_records, voxel_dataset
from grfjax.io import folder_lock, recordings
from walking_grf import walking_grf_dataset_builder

DUMMY_DATA = pathlib.Path(__file__).parent / 'dummy_data'
MASS_KG = {'A': 61.5, 'B': 48.0}
# protobuf's, from TFDS, when a data set is opened.
pytestmark = pytest.mark.filterwarnings(
  r'ignore:label\(\) is deprecated:DeprecationWarning:tensorflow_datasets'
)
Builder = walking_grf_dataset_builder.Builder


def build(data_dir: pathlib.Path, config, manual_dir: pathlib.Path = DUMMY_DATA) -> Builder:
  builder = Builder(data_dir=data_dir, config=config)
  builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=manual_dir))
  return builder


@pytest.fixture(scope='module')
def built(tmp_path_factory):
  root = tmp_path_factory.mktemp('data')
  return {name: build(root, name) for name in ('mochizuki', 'walker')}


class WalkerTest(tfds.testing.DatasetBuilderTestCase):
  """What TFDS asks of every builder: registered, tags valid, written, read again, splits apart."""

  DATASET_CLASS = Builder
  BUILDER_CONFIG_NAMES_TO_TEST = ('walker',)
  # 70 frames are the own ones of two clips.
  SPLITS = {'A': 4, 'B': 4}  # noqa: RUF012
  # The builder reads local files through grfjax, and os.cpu_count must not be a mock.
  MOCK_OUT_FORBIDDEN_OS_FUNCTIONS = False

  def _make_builder(self, config=None):
    # The test case reads with as_dataset, which ArrayRecord does not offer; the tests below read
    # the builder's own format.
    return Builder(data_dir=self.tmp_dir, config=config, file_format='tfrecord')


class MochizukiTest(WalkerTest):
  """The same for the paper's configuration."""

  BUILDER_CONFIG_NAMES_TO_TEST = ('mochizuki',)
  # 29 frames lie inside each near stance of 0.5 s.
  SPLITS = {'A': 58, 'B': 58}  # noqa: RUF012


@pytest.mark.parametrize('name', ['mochizuki', 'walker'])
def test_records_are_what_voxels_makes_of_each_trial(built, name):
  cfg = clip_config.clip_config(name)
  for subject in MASS_KG:
    source = built[name].as_data_source(split=subject)
    read = sorted(
      (source[i] for i in range(len(source))), key=lambda r: (r['trial'], r['time_s'][0])
    )
    made = [
      record
      for trial in recordings.load(DUMMY_DATA, subjects=[subject])
      for record in trial_records.trial_records(trial, cfg)
    ]
    assert len(read) == len(made) > 0
    for a, b in zip(read, made, strict=True):
      assert (a['subject'].decode(), a['trial'].decode()) == (b['subject'], b['trial'])
      assert a['height_m'] == b['height_m']
      assert a.keys() == b.keys()
      for key in a.keys() - {'height_m', 'subject', 'trial'}:
        assert a[key].dtype == b[key].dtype
        np.testing.assert_array_equal(a[key], b[key])


def test_files_are_array_records_one_split_a_subject(built):
  for builder in built.values():
    assert set(builder.info.splits) == set(MASS_KG)
    files = {p.name for p in pathlib.Path(builder.data_path).iterdir() if 'record' in p.name}
    assert files
    assert all('.array_record-' in name for name in files)
  both = built['walker'].as_data_source(split='A+B')
  assert len(both) == sum(len(built['walker'].as_data_source(split=s)) for s in 'AB')


def test_what_the_metadata_say(built):
  for name, builder in built.items():
    metadata = tfds.builder_from_directory(builder.data_path).info.metadata
    assert metadata['body_mass_kg'] == MASS_KG
    assert metadata['trials'] == {'A': 2, 'B': 2}
    assert metadata['fps'] == 60
    assert metadata['contact_n'] == 20
    assert metadata['voxel'] == dataclasses.asdict(clip_config.clip_config(name))
    assert metadata['source'] == recordings.digests(recordings.load(DUMMY_DATA))
    for subject in MASS_KG:
      source = builder.as_data_source(split=subject)
      frames = {}  # each frame once
      for i in range(len(source)):
        record = source[i]
        for frame, known in zip(record['frame'].tolist(), record['known'], strict=True):
          if frame >= 0:
            frames[record['trial'], frame] = known
      assert metadata['frames'][subject] == len(frames)
      near, far = np.stack(list(frames.values())).sum(0).tolist()
      assert metadata['known'][subject] == {'near': near, 'far': far}
      assert near > (60 if name == 'mochizuki' else 80)


def test_readme_and_citation_are_the_data_sets(built):
  info = built['walker'].info
  assert 'walker' in info.description
  assert '978-1-68558-105-3' in info.citation
  assert 'content.data-type.video' in Builder.get_metadata().tags


def test_a_configuration_at_another_rate_and_threshold(tmp_path):
  # As `tfds build --config='{"name": "mochizuki_20fps", "contact_n": 300}'` asks for it.
  config = walking_grf_dataset_builder.WalkingGrfConfig(name='mochizuki_20fps', contact_n=300)
  builder = build(tmp_path, config)
  assert builder.info.metadata['fps'] == 20
  source = builder.as_data_source(split='A')
  records = [source[i] for i in range(len(source))]
  assert 10 < len(records) < 20
  for record in records:
    assert np.diff(record['time_s']) == pytest.approx(1 / 20, abs=1e-4)
    assert record['force'][-1, 0, 0] * MASS_KG['A'] * 9.80665 > 300


@pytest.mark.parametrize(
  'name', ['1', 'A-1', 'Anna Lena', 'Müller', 'all', 'All', '_A', 'train[0]']
)
def test_a_subject_that_cannot_name_a_split(tmp_path, name):
  recordings_dir = tmp_path / 'recordings'
  shutil.copytree(DUMMY_DATA, recordings_dir)
  for manifest in ('subjects.csv', 'trials.csv'):
    path = recordings_dir / manifest
    lines = path.read_text().splitlines()
    path.write_text('\n'.join(f'{name}{line[1:]}' if line[:2] == 'B,' else line for line in lines))
  with pytest.raises(recordings.RecordingError, match='cannot name a TFDS split') as caught:
    build(tmp_path / 'data', 'walker', recordings_dir)
  assert (caught.value.code, caught.value.column) == ('recording.bad_name', 'subject')
  assert repr(name) in str(caught.value)
  assert 'subjects.csv' in str(caught.value)
  assert not (tmp_path / 'data').exists()  # refused before anything is written


def test_a_trial_that_cannot_be_used_stops_the_build(tmp_path):
  recordings_dir = tmp_path / 'recordings'
  shutil.copytree(DUMMY_DATA, recordings_dir)
  (recordings_dir / 'B_1.mp4').write_bytes(b'')
  with pytest.raises(ValueError, match=r'trials\.csv, line 4 \(trial B_1\): .*an empty file'):
    build(tmp_path / 'data', 'walker', recordings_dir)
  assert not list((tmp_path / 'data').rglob('dataset_info.json'))


def test_a_recording_set_that_is_not_there_or_not_named(tmp_path):
  with pytest.raises(recordings.RecordingError, match='no such folder') as caught:
    build(tmp_path / 'data', 'walker', tmp_path / 'none')
  assert caught.value.code == 'recording.no_folder'
  assert not (tmp_path / 'data').exists()
  with pytest.raises(recordings.RecordingError, match='give its folder as --manual_dir'):
    Builder(data_dir=tmp_path / 'data', config='walker').download_and_prepare()
  assert not list((tmp_path / 'data').rglob('dataset_info.json'))


def test_the_command_ends_with_one_line(tmp_path, monkeypatch, capsys):
  previous = []
  monkeypatch.setattr(sys, 'excepthook', lambda *arguments: previous.append(arguments))
  kept = sys.excepthook
  Builder(data_dir=tmp_path, config='walker')
  assert sys.excepthook is kept  # a program's own hook is left alone
  monkeypatch.setitem(sys.modules, 'tensorflow_datasets.scripts.cli.main', sys)
  Builder(data_dir=tmp_path, config='walker')
  error = recordings.RecordingError('two\nlines', code='recording.bad_name')
  sys.excepthook(type(error), error, None)
  assert capsys.readouterr().err == 'tfds build: two lines [recording.bad_name]\n'
  assert not previous
  other = OSError('disk')
  sys.excepthook(OSError, other, None)
  assert previous == [(OSError, other, None)]


@pytest.fixture
def mine(tmp_path):
  """A copy of the dummy data, to be changed."""
  return pathlib.Path(shutil.copytree(DUMMY_DATA, tmp_path / 'recordings'))


@pytest.fixture(scope='module')
def one(tmp_path_factory):
  """A built set, to be copied: the folder for --data_dir."""
  root = tmp_path_factory.mktemp('one')
  build(root, 'mochizuki')
  return root


@pytest.fixture
def data_dir(one, tmp_path):
  return pathlib.Path(shutil.copytree(one, tmp_path / 'data'))


def made(data_dir: pathlib.Path) -> dict[str, bytes]:
  return {str(p): p.read_bytes() for p in data_dir.rglob('*') if p.is_file()}


def _replace(name, old, new):
  def change(root):
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new, 1))

  return change


def _swap(root):
  videos = [(root / name).read_bytes() for name in ('B_1.mp4', 'B_2.mp4')]
  for name, video in zip(('B_2.mp4', 'B_1.mp4'), videos, strict=True):
    (root / name).write_bytes(video)


def _drop_b(root):
  for name in ('subjects.csv', 'trials.csv'):
    lines = (root / name).read_text().splitlines()
    (root / name).write_text('\n'.join(line for line in lines if not line.startswith('B,')))


CHANGES = {
  'another body mass': (_replace('subjects.csv', '48.0', '48.5'), 'changed: B'),
  'another start': (_replace('trials.csv', 'A_2.csv,left;right,3.1', 'A_2.csv,left;right,3.2'),
                    'changed: A'),
  'another force': (_replace('A_1.csv', '3.0000,-0.00', '3.0000,0.01'), 'changed: A'),
  'other legs': (_replace('trials.csv', 'left;right', 'right;left'), 'changed: A'),
  'another name of a trial': (_replace('trials.csv', ',B_1,', ',B_9,'), 'changed: B'),
  'videos swapped': (_swap, 'changed: B'),
  'somebody gone': (_drop_b, 'gone: B'),
}  # fmt: skip


@pytest.mark.parametrize('change', CHANGES)
def test_a_set_of_recordings_that_have_changed_is_not_reused(data_dir, mine, change):
  alter, says = CHANGES[change]
  before = made(data_dir)
  build(data_dir, 'mochizuki', mine)  # of the same recordings elsewhere: reused
  alter(mine)
  with pytest.raises(
    walking_grf_dataset_builder.StaleError, match=f'{says}.*--overwrite'
  ) as caught:
    build(data_dir, 'mochizuki', mine)
  assert str(data_dir) in str(caught.value)
  assert caught.value.code == 'data.stale'
  assert made(data_dir) == before


def test_what_does_not_change_the_records_does_not_count(data_dir, mine):
  rows = (mine / 'trials.csv').read_text().splitlines()
  (mine / 'A_1.mp4').rename(mine / 'walk.mp4')
  rows = [row.replace('A_1.mp4', 'walk.mp4') for row in rows]
  (mine / 'trials.csv').write_text('\n'.join([rows[0], *rows[:0:-1]]))
  os.utime(mine / 'A_2.mp4', (0, 0))
  before = made(data_dir)
  build(data_dir, 'mochizuki', mine)
  assert made(data_dir) == before


def test_a_set_of_another_threshold_is_not_reused(tmp_path):
  config = walking_grf_dataset_builder.WalkingGrfConfig(name='mochizuki_20fps')
  build(tmp_path, config)
  other = dataclasses.replace(config, contact_n=30)
  with pytest.raises(
    walking_grf_dataset_builder.StaleError, match=r'contact_n is 20\.0 in the data set, 30 now'
  ):
    build(tmp_path, other)


def test_overwriting(data_dir, mine):
  CHANGES['another body mass'][0](mine)
  overwrite = tfds.download.DownloadConfig(
    manual_dir=mine, download_mode=tfds.GenerateMode.REUSE_CACHE_IF_EXISTS
  )
  Builder(data_dir=data_dir, config='mochizuki').download_and_prepare(download_config=overwrite)
  assert voxel_dataset.Dataset(str(data_dir), 'mochizuki').body_mass_kg['B'] == 48.5


def test_what_a_killed_build_left_is_removed(data_dir, caplog):
  there = data_dir / 'walking_grf/mochizuki' / trial_records.VERSION
  rest = there.parent / f'incomplete.ABCDEF_{trial_records.VERSION}'
  shutil.copytree(there, rest)  # killed before the renaming
  with caplog.at_level(logging.WARNING, logger='absl'):
    build(data_dir, 'mochizuki')
  assert not rest.exists()
  assert f'removing {rest}' in caplog.text
  # Killed while TFDS removed the old set: the folder is there, but no set.
  (there / 'dataset_info.json').unlink()
  with caplog.at_level(logging.WARNING, logger='absl'):
    build(data_dir, 'mochizuki')
  assert f'removing {there}' in caplog.text
  assert len(voxel_dataset.Dataset(str(data_dir), 'mochizuki').source(['A', 'B'])) == 116


def test_two_builds_at_once(data_dir):
  handle = os.open(data_dir / 'walking_grf/mochizuki', os.O_RDONLY)
  assert folder_lock.try_lock(handle)
  with pytest.raises(RuntimeError, match='another build is at work there'):
    build(data_dir, 'mochizuki')
  os.close(handle)
  build(data_dir, 'mochizuki')


def test_a_part_of_a_set_is_not_taken_for_it(tmp_path):
  config = tfds.download.DownloadConfig(manual_dir=DUMMY_DATA, max_examples_per_split=3)
  Builder(data_dir=tmp_path, config='mochizuki').download_and_prepare(download_config=config)
  with pytest.raises(
    voxel_dataset.DataError, match='is incomplete: it has records of A, B, and counted'
  ) as caught:
    voxel_dataset.Dataset(str(tmp_path), 'mochizuki')
  assert caught.value.code == 'data.incomplete'


def build_with(data_dir: pathlib.Path, manual_dir: pathlib.Path, beam_options: str = '', **how):
  """Builds `mochizuki` in three shards a subject, on Beam where options are given."""
  if beam_options:
    pytest.importorskip('apache_beam', reason='apache-beam is not installed')
    from grfjax.io import beam_pipeline

    how['beam_options'] = beam_pipeline.parse_options(beam_options)
  builder = Builder(data_dir=data_dir, config='mochizuki')
  config = tfds.download.DownloadConfig(manual_dir=manual_dir, num_shards=3, **how)
  builder.download_and_prepare(download_config=config)


TWO_PROCESSES = 'direct_num_workers=2,direct_running_mode=multi_processing'
IN_MEMORY = 'direct_running_mode=in_memory'


def test_on_beam_every_file_is_the_same_to_the_byte(tmp_path):
  build_with(tmp_path / 'beam', DUMMY_DATA, TWO_PROCESSES)
  build_with(tmp_path / 'here', DUMMY_DATA)
  on_beam, here = (
    {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob('*.*')
     if path.is_file()}
    for root in (tmp_path / 'beam', tmp_path / 'here')
  )  # fmt: skip
  assert sum('.array_record-' in name for name in here) == 2 * 6  # and a table of labels of each
  assert on_beam.keys() == here.keys()
  assert [name for name in here if on_beam[name] != here[name]] == []


def refusals(data_dir: pathlib.Path, manual_dir: pathlib.Path) -> list[errors.InputError]:
  """The errors of a build here and of one on Beam, of which nothing may be left."""
  found = []
  for options in ('', IN_MEMORY):
    with pytest.raises(errors.InputError) as caught:
      build_with(data_dir, manual_dir, options)
    found.append(caught.value)
    assert not [path for path in data_dir.rglob('*') if path.is_file() and 'mochizuki' in str(path)]
  return found


def test_on_beam_a_bad_trial_stops_the_build_and_every_one_is_named(tmp_path, mine, caplog):
  for name in ('A_2', 'B_1'):
    (mine / f'{name}.mp4').write_bytes(b'')
  here, on_beam = refusals(tmp_path / 'data', mine)
  assert '(trial A_2)' in str(here)
  assert str(here) == str(on_beam)
  for name in ('code', 'file', 'line', 'column', 'frame'):
    assert getattr(here, name) == getattr(on_beam, name)
  assert '2 of 4 trials cannot be used' in caplog.text
  assert '(trial B_1)' in caplog.text


def test_on_beam_a_subject_without_records_stops_the_build(tmp_path, monkeypatch):
  make = trial_records.trial_records
  monkeypatch.setattr(
    trial_records,
    'trial_records',
    lambda trial, *how: [] if trial.subject.name == 'B' else make(trial, *how),
  )
  here, on_beam = refusals(tmp_path / 'data', DUMMY_DATA)
  assert on_beam.code == 'recording.no_records'
  assert (str(here), here.code, here.file) == (str(on_beam), on_beam.code, on_beam.file)


def test_on_beam_a_worker_that_is_lost_leaves_nothing_and_two_write_the_same(tmp_path, monkeypatch):
  pytest.importorskip('apache_beam', reason='apache-beam is not installed')
  from grfjax.data import beam_splits

  builder = Builder(data_dir=tmp_path, config='mochizuki')
  folder, work = tmp_path / 'set', tmp_path / 'set/work'
  work.mkdir(parents=True)
  plan = beam_splits.Plan(
    root=DUMMY_DATA,
    cfg=builder.builder_config.voxel(),
    threshold_n=20,
    features=builder.info.features,
    template=builder._get_filename_template('A'),
    shard_config=tfds.download.DownloadConfig(num_shards=2).get_shard_config(),
    example_writer=builder._example_writer(),
    ignore_duplicates=False,
  )
  trials = recordings.load(DUMMY_DATA, subjects=['A'])
  items = [
    item for n in (1, 0) for _, item in beam_splits._make_records((n, trials[n]), plan)
  ]  # in another order
  write = record_writer.RecordWriter.write

  def lose_second(writer, path, examples):
    if '00001-of' in str(path):
      raise OSError('lost')
    return write(writer, path, examples)

  with monkeypatch.context() as patched:
    patched.setattr(record_writer.RecordWriter, 'write', lose_second)
    with pytest.raises(OSError, match='lost'):
      beam_splits._write_split(('A', items), plan, work, folder)
  assert [path.name for path in folder.rglob('*')] == ['work']
  written = beam_splits._write_split(('A', items), plan, work, folder)
  before = made(folder)
  assert beam_splits._write_split(('A', items[::-1]), plan, work, folder) == written
  assert made(folder) == before
  assert len(before) == 2 * 2  # records, and their labels
  assert (written['split']['trials'], written['split']['shard_lengths']) == (2, [29, 29])


def test_on_beam_a_part_of_a_set_is_refused(tmp_path):
  with pytest.raises(ValueError, match='max_examples_per_split'):
    build_with(tmp_path / 'data', DUMMY_DATA, IN_MEMORY, max_examples_per_split=0)
  assert not list((tmp_path / 'data').rglob('*.array_record-*'))


def test_the_dummy_data_are_small():
  assert sum(path.stat().st_size for path in DUMMY_DATA.iterdir()) < 200_000
