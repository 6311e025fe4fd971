"""Tests of the builder on dummy_data/: 2 subjects x 2 trials, a drawn figure, 70 frames each."""

import pathlib
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds

from grfjax import recordings, voxels
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
  cfg = voxels.config(name)
  for subject in MASS_KG:
    source = built[name].as_data_source(split=subject)
    read = sorted(
      (source[i] for i in range(len(source))), key=lambda r: (r['trial'], r['time_s'][0])
    )
    made = [
      record
      for trial in recordings.load(DUMMY_DATA, subjects=[subject])
      for record in voxels.records(trial, cfg)
    ]
    assert len(read) == len(made) > 0
    for a, b in zip(read, made, strict=True):
      assert (a['subject'].decode(), a['trial'].decode()) == (b['subject'], b['trial'])
      for key in ('voxel', 'force', 'known', 'contact', 'time_s', 'frame'):
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


@pytest.mark.parametrize('name', ['1', 'A-1', 'Anna Lena', 'Å', 'all', 'All', '_A'])
def test_a_subject_that_cannot_name_a_split(tmp_path, name):
  recordings_dir = tmp_path / 'recordings'
  shutil.copytree(DUMMY_DATA, recordings_dir)
  for manifest in ('subjects.csv', 'trials.csv'):
    path = recordings_dir / manifest
    lines = path.read_text().splitlines()
    path.write_text('\n'.join(f'{name}{line[1:]}' if line[:2] == 'B,' else line for line in lines))
  with pytest.raises(recordings.RecordingError, match='cannot name a TFDS split') as caught:
    build(tmp_path / 'data', 'walker', recordings_dir)
  assert repr(name) in str(caught.value)
  assert 'subjects.csv' in str(caught.value)


def test_a_trial_that_cannot_be_used_stops_the_build(tmp_path):
  recordings_dir = tmp_path / 'recordings'
  shutil.copytree(DUMMY_DATA, recordings_dir)
  (recordings_dir / 'B_1.mp4').write_bytes(b'')
  with pytest.raises(ValueError, match=r'trials\.csv, line 4 \(trial B_1\): .*an empty file'):
    build(tmp_path / 'data', 'walker', recordings_dir)
  assert not list((tmp_path / 'data').rglob('dataset_info.json'))


def test_the_dummy_data_are_small():
  assert sum(path.stat().st_size for path in DUMMY_DATA.iterdir()) < 200_000
