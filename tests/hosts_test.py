"""Several hosts that train one run, each a process with two devices: as one host, or not at all."""

import functools
import json
import pathlib
import shutil

import host_processes
import jax
import mochizuki2d
import numpy as np
import pytest
import small_network

import kill
from grfjax.evaluation import cross_fitting
from grfjax.models import networks
from grfjax.training import checkpointing, metrics_log, weight_files

ROOT = pathlib.Path(__file__).parents[1]
LEAVES = 'grfjax.train: this host ends, as another one has failed, was killed or cannot be reached'
# Gradients are summed over the devices in another order, which moves the last bits of float32: by
# 4e-9 at most where this was measured.
CLOSE = {'rtol': 1e-5, 'atol': 2e-7}


def _config(data_dir, calibrate):
  """Of a small network with prediction intervals, and with an inner subject."""
  config = mochizuki2d.get_config('pretrain')
  config.update(
    data_dir=str(data_dir), inner='C', eval_every=6, calibrate=calibrate, batch=4, steps=12,
    log_every=3, checkpoint_every=4, augment={},
  )  # fmt: skip
  config.model.update(name='small', dense=8)
  config.target = {'name': 'regression', 'offset': (0.5,), 'scale': (0.5,), 'share': 0.9}
  return config


def _arguments(config, run):
  file = run.with_name('config.py')
  file.write_text(
    'import ml_collections\n\n\ndef get_config():\n'
    f'  return ml_collections.ConfigDict({config.to_dict()!r})\n'
  )
  return [f'--config={file}', f'--workdir={run}', '--heartbeat_s=10']


@pytest.fixture(scope='module')
def starter():
  one = host_processes.Starter(ROOT)
  yield one
  one.close()


@pytest.fixture(scope='module')
def alone(data_dir, tmp_path_factory, starter):
  """The run of one host with four devices."""
  folder = tmp_path_factory.mktemp('alone')
  (host,) = starter.start(folder, _arguments(_config(data_dir, 0), folder / 'run'), 1, 4)
  assert host.code == 0, host.output
  return folder / 'run'


def _compare(run, alone):
  """The network, its inner error and all else that the log holds, and which files there are."""
  (params, step, damaged), (expected, _, _) = map(weight_files.restore_params, (run, alone))
  assert (step, damaged) == (12, [])
  pairs = zip(jax.tree.leaves(params), jax.tree.leaves(expected), strict=True)
  print('largest difference', max(np.abs(a - b).max() for a, b in pairs))
  jax.tree.map(functools.partial(np.testing.assert_allclose, **CLOSE), params, expected)
  entries, others = (metrics_log.read_log(one / 'metrics.jsonl') for one in (run, alone))
  assert [entry['step'] for entry in entries] == [3, 6, 9, 12]
  for entry, other in zip(entries, others, strict=True):
    assert entry.keys() == other.keys()
    for name in set(entry) - set(kill.CLOCK):
      assert entry[name] == pytest.approx(other[name], rel=1e-4), (entry, other)


def test_two_hosts_go_on_from_one_and_end_as_one(data_dir, tmp_path, starter, alone):
  """Cross-fitting too; a flag of JAX's own is taken."""
  run = tmp_path / 'run'
  shutil.copytree(alone, run)
  shutil.rmtree(run / 'checkpoints/12')
  (run / 'checkpoints/12.sha256').unlink()
  (run / 'done.json').unlink()
  written = json.loads((run / 'config.json').read_text())
  (run / 'config.json').write_text(json.dumps(written | {'calibrate': 2}))
  arguments = _arguments(_config(data_dir, 2), run)
  flag = '--jax_cpu_collectives_implementation=gloo'
  ended = starter.start(tmp_path, [*arguments, flag], 2, 2)
  assert [host.code for host in ended] == [0, 0], ended
  assert 'going on from step 8\n' in ended[0].output
  assert 'going on' not in ended[1].output
  _compare(run, alone)
  written = json.loads((run / 'interval.json').read_text())
  assert written['left_out'] == [['A'], ['B']]
  assert np.isfinite(written['widening']).all()
  assert kill.list_files(run) == sorted([*kill.list_files(alone), 'interval.json'])


def test_two_hosts_stop_together_and_one_goes_on(data_dir, tmp_path, monkeypatch, starter, alone):
  """One of them is told to stop; both save the same step. It is gone on from with one device."""
  run, config = tmp_path / 'run', _config(data_dir, 0)
  stopped = starter.start(tmp_path, _arguments(config, run), 2, 2, faults={1: {'term': 6}})
  assert [host.code for host in stopped] == [143, 143], stopped
  at = checkpointing.Checkpoints(run).latest()
  assert 6 <= at < 12
  for host in stopped:
    assert f'the checkpoint of step {at} is written' in host.output
  monkeypatch.setitem(networks.MODELS, 'small', small_network.SmallNetwork)
  cross_fitting.train_run(config, run)
  _compare(run, alone)


@pytest.mark.parametrize(
  ('host', 'fault', 'code', 'message'),
  [
    (0, {'full': 8}, 1, "No space left on device: '{run}/checkpoints/8'\n"),
    (1, {'kill': 10}, -9, ''),
  ],
  ids=['the disk of the first is full', 'the second is killed'],
)
def test_when_one_host_fails_the_other_ends(
  data_dir, tmp_path, starter, host, fault, code, message
):
  run = tmp_path / 'run'
  arguments = _arguments(_config(data_dir, 0), run)
  ended = starter.start(tmp_path, arguments, 2, 2, faults={host: fault})
  failed, other = ended[host], ended[1 - host]
  assert failed.code == code, failed.output
  assert message.format(run=run) in failed.output
  assert LEAVES not in failed.output
  assert other.code == 1, other.output
  assert LEAVES in other.output
  assert other.later_s < 60
  _, step, damaged = weight_files.restore_params(run)
  assert (step in (4, 8), damaged) == (True, [])


def test_hosts_with_other_settings_are_refused(data_dir, tmp_path, starter):
  run = tmp_path / 'run'
  arguments = _arguments(_config(data_dir, 0), run)
  first, second = starter.start(tmp_path, arguments, 2, 2, own={1: ['--config.steps=13']})
  assert (first.code, second.code) == (1, 1)
  told = 'other settings than those of host 0 (config.steps: 12 there, 13 here)'
  assert f'grfjax.train: {told} [hosts.differ]' in second.output
  assert f'grfjax.train: host 1: {told} [hosts.failed]' in first.output
  assert not (run / 'config.json').exists()
