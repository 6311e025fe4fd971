"""The plan by which launch/pretrain.py rebuilds the networks that come along."""

import json
import pathlib
import re

import pytest

import pretrain
from grfjax.io import atomic, run_folder


def _options(tmp_path, size='full', out='networks'):
  return pretrain.Options(tmp_path, tmp_path / out, 'RAW', size)


@pytest.mark.parametrize('network', run_folder.BUNDLED)
def test_what_is_run_is_the_recipe(tmp_path, network):
  recipe = pretrain.read_about(network)['commands']
  stages = pretrain.plan_network(network, _options(tmp_path), ())
  assert [stage.text for stage in stages if stage.text in recipe] == recipe
  folders: dict[str, str] = {}  # that each name in the recipe stands for
  for text, stage in zip(recipe, [s for s in stages if s.text in recipe], strict=True):
    words = [word for word in text.split() if word.startswith('--')]
    run = dict(word.partition('=')[::2] for word in stage.command if word.startswith('--'))
    assert run.keys() == {word.partition('=')[0] for word in words}
    for flag, _, value in (word.partition('=') for word in words):
      if re.fullmatch(r'(SYNTH|COPIES|DATA|RUN|FIRST)\d?', value):
        assert run[flag] == folders.setdefault(value, run[flag])
        assert pathlib.Path(run[flag]).parent == tmp_path
      elif stage.kind != 'export':
        assert run[flag] == value
  assert len(set(folders.values())) == len(folders)
  assert stages[-1].out == tmp_path / 'networks' / network
  assert [stage.kind for stage in stages[-2:]] == ['measure', 'export']


def test_networks_share_data_sets_and_wait_for_those_that_they_start_from(tmp_path):
  in_place = pretrain.Options(tmp_path, run_folder.BUNDLED_ROOT, 'RAW', 'full')
  stages = pretrain.plan(list(run_folder.BUNDLED), in_place)
  assert len({stage.out for stage in stages}) == len(stages)
  sets = [s.command for s in stages if s.kind == 'synth']
  assert len(sets) == 8  # four to train on, four others to be tried on
  exports = {s.network: s for s in stages if s.kind == 'export'}
  (tuned,) = (s for s in stages if s.kind == 'train' and s.network == 'everyone')
  assert {exports['convolutional'], exports['recurrent']} <= set(tuned.inputs)
  places = {stage.out: k for k, stage in enumerate(stages)}
  for stage in stages:
    assert all(places[one.out] < places[stage.out] for one in stage.inputs)


def test_about_json_tells_the_recipe_the_steps_and_the_errors(tmp_path):
  *_, measured, export = pretrain.plan_network('mochizuki2d', _options(tmp_path, 'quick'), ())
  for stage in (measured.inputs[0], measured.inputs[0].inputs[1]):
    atomic.write_json(run_folder.RunFolder(stage.out).done, {'step': 2})
  atomic.write_json(measured.out, {'parameters': 7, 'mae_pct_bw': {'others': 20.5}})
  pretrain.describe(export, 'quick')
  about = json.loads((export.out / 'about.json').read_text())
  assert about['steps'] == 4
  assert (about['parameters'], about['mae_pct_bw']) == (7, {'others': 20.5})
  assert all('--config.steps=2' in c for c in about['commands'] if 'grfjax.train' in c)
  assert 'machine' not in about
