"""Training of the network that finds feet on synthetic walkers, from files to places."""

import dataclasses
import importlib
import shutil

import feet
import jax
import numpy as np
import pytest
import tensorflow_datasets as tfds

from grfjax import errors
from grfjax.data import clip_config, voxel_dataset, walker_views
from grfjax.evaluation import cross_fitting
from grfjax.inference import foot_estimates, trained_run
from grfjax.io import foot_files, recordings, run_folder
from grfjax.synth import recording_set, trial

SETTINGS = trial.Settings(subjects=2, trials=1, seed=3, width=256, height=144)


@pytest.fixture(scope='module')
def synthetic(tmp_path_factory):
  """A recording set of two synthetic people."""
  root = tmp_path_factory.mktemp('feet') / 'set'
  recording_set.write_set(root, SETTINGS, workers=1)
  return root


@pytest.fixture(scope='module')
def data(synthetic, builder_module, tmp_path_factory):
  root = tmp_path_factory.mktemp('feet_data')
  builder_module.Builder(data_dir=root, config='walker').download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir=synthetic)
  )
  return root


def _config(data, steps):
  config = importlib.reload(feet).get_config()
  config.data_dir, config.steps, config.batch, config.clip = str(data), steps, 2, 40
  config.model.width, config.model.features = 8, 16
  config.optimizer.warmup, config.log_every, config.checkpoint_every = 1, 1, 2
  config.optimizer.decay = False  # otherwise the rate depends on the number of steps
  return config


@pytest.fixture(scope='module')
def run(data, tmp_path_factory):
  folder = tmp_path_factory.mktemp('run')
  cross_fitting.train_run(_config(data, 4), folder)
  return folder


def test_records_say_where_both_soles_stand_and_are_pressed(data):
  records = voxel_dataset.Dataset(str(data), 'walker').source(['S01'])
  record = records[len(records) // 2]
  assert record['sole_known'].any(0).all()
  assert 1 < float(record['height_m']) < 2.2
  both = record['stand_known'] & record['pressure_known']
  assert both.any(0).all()
  # The pressure is under the sole: half a foot's length from its middle at most.
  apart = np.abs(record['pressure'] - record['stand'])[both]
  assert apart[:, 0].max() < 0.16
  assert apart[:, 1].max() < 0.06
  # A sole in the window stands near its floor line.
  assert np.abs(record['sole'][record['sole_known']][:, 1]).max() < 0.15


def test_a_run_resumes_to_the_same_bits(data, run, tmp_path):
  cross_fitting.train_run(_config(data, 2), tmp_path)
  cross_fitting.train_run(_config(data, 4), tmp_path)
  whole, resumed = (foot_estimates.load(run_folder.RunFolder(f)).params for f in (run, tmp_path))
  jax.tree.map(np.testing.assert_array_equal, whole, resumed)


def test_feet_are_looked_for_in_every_picture_of_a_walk(synthetic, run):
  network = foot_estimates.load(run_folder.RunFolder(run))
  film = recordings.load(synthetic)[0].video
  view = walker_views.read_longest_walk(film, clip_config.clip_config('walker'), '')
  assert network.fits(clip_config.clip_config('walker'))
  assert not network.fits(clip_config.clip_config('walker_30fps'))
  force = np.ones((len(view.time_s), 2, 3))
  found = foot_estimates.find_feet(network, view, force)
  assert found.shape == (len(view.time_s), 2, 4)
  assert np.isfinite(found).all()
  # What pads a walk does not count: the first frames of a part of it are the same.
  half = len(force) // 2
  reach = sum(network.model.dilations)
  part = dataclasses.replace(view, picture=view.picture[:half], time_s=view.time_s[:half])
  again = foot_estimates.find_feet(network, part, force[:half])
  np.testing.assert_allclose(again[: half - reach], found[: half - reach], atol=1e-5)


def test_it_is_not_taken_for_a_network_that_estimates_forces(run, data, tmp_path):
  with pytest.raises(errors.InputError, match='finds the feet and estimates no forces') as refused:
    trained_run.load(run)
  assert refused.value.code == 'run.config'
  with pytest.raises(errors.InputError, match='expected one that finds feet'):
    foot_estimates.load(run_folder.RunFolder.find('everyone'))
  config = _config(data, 2)
  config.target = {'name': 'regression'}
  with pytest.raises(errors.InputError, match='expected both or neither'):
    cross_fitting.train_run(config, tmp_path)
  config = _config(data, 2)
  config.inner = 'S02'
  with pytest.raises(errors.InputError, match='expected no inner subjects'):
    cross_fitting.train_run(config, tmp_path)


def test_records_in_which_no_foot_is_known_are_refused(synthetic, builder_module, tmp_path):
  """Nothing would be learned, with an error of 0."""
  shutil.copytree(synthetic, tmp_path / 'set')
  manifest = tmp_path / 'set/trials.csv'
  manifest.write_text(manifest.read_text().replace(',feet', ',not_feet', 1))
  builder_module.Builder(data_dir=tmp_path / 'data', config='walker').download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir=tmp_path / 'set')
  )
  with pytest.raises(errors.InputError, match='no record says where a foot stands') as refused:
    cross_fitting.train_run(_config(tmp_path / 'data', 2), tmp_path / 'run')
  assert refused.value.code == 'data.no_feet'


@pytest.mark.filterwarnings('ignore:the load_module:DeprecationWarning')
def test_a_round_is_refused_before_it_trains(data, tmp_path, call_command):
  flags = ['--config=configs/feet.py', f'--config.data_dir={data}', f'--workdir={tmp_path}/runs']
  with pytest.raises(SystemExit, match=r'^loso: .* estimates no forces'):
    call_command('grfjax.loso', *flags)
  assert not (tmp_path / 'runs').exists()


def test_where_the_picture_ends_no_foot_is_said_to_be(synthetic):
  for row in recordings.load(synthetic):
    places = foot_files.read(row.feet, SETTINGS.width, SETTINGS.height, 2.0)
    known = np.isfinite(places.place).all(-1)
    assert known.any(0).all()
    assert (np.isfinite(places.stand).all(-1) | ~known).all()
