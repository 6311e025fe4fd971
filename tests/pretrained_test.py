"""The networks that come with grfjax."""

import json

import jax
import numpy as np
import pytest
import walker

from grfjax import checkpoint, inference, pretrained, train


@pytest.mark.parametrize('name', pretrained.NAMES)
def test_what_comes_along_is_what_the_configuration_makes(name):
  folder = pretrained.folder(name)
  kept = json.loads((folder / 'config.json').read_text())
  config = walker.get_config({'synthetic': 'pretrain', 'everyone': ''}[name])
  if name == 'synthetic':  # its second round, from the weights of the first
    config.steps, config.optimizer.learning_rate = 8000, 2e-3
  else:  # made before the tuning was halved, from the `synthetic` before
    config.steps = 400
    del config.optimizer.muon
  assert kept == json.loads(config.to_json_best_effort())
  assert sum(f.stat().st_size for f in folder.iterdir()) < 10 * 2**20
  about = json.loads((folder / 'about.json').read_text())
  run = inference.load(folder)
  assert run.step == config.steps
  assert about['steps'] == {'synthetic': 14_000, 'everyone': 400}[name]
  assert (run.widening is not None) == bool(config.calibrate)
  assert sum(p.size for p in jax.tree.leaves(run.params)) == about['parameters']


def test_the_network_to_start_from_knows_synthetic_walkers_alone():
  known = json.loads((pretrained.folder('synthetic') / train.SUBJECTS).read_text())
  assert [name for name, _ in known['trained']] == [f'S{k:03d}' for k in range(1, 601)]
  assert known['watched'] == []


def test_another_name_is_a_path(tmp_path):
  assert pretrained.folder(str(tmp_path / 'synthetic')) == tmp_path / 'synthetic'


def test_weights_are_kept_to_the_bit_and_a_broken_file_is_named(tmp_path):
  params, step, _ = checkpoint.restore_params(pretrained.folder('synthetic'))
  checkpoint.write_weights(tmp_path, params, step)
  again, at, _ = checkpoint.restore_params(tmp_path)
  assert at == step
  jax.tree.map(np.testing.assert_array_equal, again, params)
  path = tmp_path / checkpoint.WEIGHTS
  path.write_bytes(path.read_bytes()[:1000])
  path.with_suffix('.sha256').unlink()  # of an older grfjax
  with pytest.raises(checkpoint.CheckpointError, match=r'weights.npz: not a file of weights'):
    checkpoint.restore_params(tmp_path)
