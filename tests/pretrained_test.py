"""The networks that come with grfjax."""

import functools
import json
import re
import shutil

import convolutional
import feet
import jax
import mochizuki2d
import mochizuki3d
import numpy as np
import pytest
import recurrent
import walker

from grfjax import errors
from grfjax.inference import foot_estimates, trained_run
from grfjax.io import run_folder
from grfjax.training import checkpointing, weight_files

CONFIGS = {
  'everyone': walker, 'feet': feet, 'convolutional': convolutional, 'recurrent': recurrent,
  'mochizuki3d': mochizuki3d, 'mochizuki2d': mochizuki2d,
}  # fmt: skip
PEOPLE = {  # synthetic, that each knows
  'convolutional': 4800, 'recurrent': 4800, 'mochizuki3d': 4096, 'mochizuki2d': 4096, 'feet': 480
}  # fmt: skip


@pytest.mark.parametrize('name', run_folder.BUNDLED)
def test_what_comes_along_is_what_its_commands_make(name):
  folder = run_folder.RunFolder.find(name).path
  about = json.loads((folder / 'about.json').read_text())
  rounds = [command for command in about['commands'] if 'grfjax.train' in command]
  config = CONFIGS[name].get_config('' if name in ('everyone', 'feet') else 'pretrain')
  changes = dict(re.findall(r'--config\.([\w.]+)=(\S+)', rounds[-1]))
  for place, value in changes.items():
    if place not in ('data_dir', 'model_init'):  # of where they were made
      *path, last = place.split('.')
      part = functools.reduce(getattr, path, config)
      part[last] = type(part[last])(value)
  kept = json.loads((folder / 'config.json').read_text())
  kept = {'dtype': 'float32', 'workers': 0, **kept}  # some were made before there were these fields
  assert kept == json.loads(config.to_json_best_effort())
  limit = (5 if name in PEOPLE else 10) * 2**20
  assert sum(f.stat().st_size for f in folder.iterdir()) < limit
  run = (foot_estimates if name == 'feet' else trained_run).load(run_folder.RunFolder(folder))
  assert weight_files.restore_params(folder).step == config.steps
  assert about['steps'] == sum(
    int(given[1]) if (given := re.search(r'--config.steps=(\d+)', command)) else config.steps
    for command in rounds
  )
  assert run_folder.RunFolder(folder).intervals.exists() == bool(config.get('calibrate', 0))
  assert sum(p.size for p in jax.tree.leaves(run.params)) == about['parameters']


@pytest.mark.parametrize(('name', 'people'), PEOPLE.items())
def test_the_networks_to_start_from_know_synthetic_walkers_alone(name, people):
  known = json.loads(run_folder.RunFolder.find(name).subjects.read_text())
  digits = len(str(people))
  assert [n for n, _ in known['trained']] == [f'S{k:0{digits}d}' for k in range(1, people + 1)]
  assert known['watched'] == []


def test_another_name_is_a_path(tmp_path):
  assert run_folder.RunFolder.find(str(tmp_path / 'recurrent')).path == tmp_path / 'recurrent'


@pytest.mark.parametrize(
  'widening', ['[-5, 1, 1]', '[[1, 1, 1]]', '[1, 1]', '[null, 1, 1]', '"abc"']
)
def test_intervals_that_cannot_be_widened_so_are_refused(tmp_path, widening):
  run = run_folder.RunFolder(
    shutil.copytree(run_folder.RunFolder.find('everyone'), tmp_path / 'run')
  )
  run.intervals.write_text(f'{{"widening": {widening}}}')
  with pytest.raises(errors.InputError) as refused:
    trained_run.load(run)
  assert (refused.value.code, refused.value.file) == ('run.intervals', str(run.intervals))


def test_weights_are_kept_to_the_bit_and_a_broken_file_is_named(tmp_path):
  params, step, _ = weight_files.restore_params(run_folder.RunFolder.find('recurrent').path)
  weight_files.write_weights(tmp_path, params, step)
  again, at, _ = weight_files.restore_params(tmp_path)
  assert at == step
  jax.tree.map(np.testing.assert_array_equal, again, params)
  path = run_folder.RunFolder(tmp_path).weights
  path.write_bytes(path.read_bytes()[:1000])
  path.with_suffix('.sha256').unlink()  # of an older grfjax
  with pytest.raises(checkpointing.CheckpointError, match=r'weights.npz: not a file of weights'):
    weight_files.restore_params(tmp_path)


def test_weights_in_16_bits_come_back_as_32_and_halve_the_file(tmp_path):
  params, step, _ = weight_files.restore_params(run_folder.RunFolder.find('recurrent').path)
  weight_files.write_weights(tmp_path, params, step, half=True)
  again, at, _ = weight_files.restore_params(tmp_path)
  assert at == step
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-7), again, params)
  assert {leaf.dtype for leaf in jax.tree.leaves(again)} == {np.dtype(np.float32)}
  size = run_folder.RunFolder.find('recurrent').weights.stat().st_size
  assert run_folder.RunFolder(tmp_path).weights.stat().st_size < 0.6 * size
  with pytest.raises(checkpointing.CheckpointError, match=r'dense/bias holds a weight over 65,504'):
    weight_files.write_weights(tmp_path, {'dense': {'bias': np.full(3, 7e4)}}, 1, half=True)
