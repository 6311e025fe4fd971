"""Checkpoints: whole or not at all, and never taken for what they are not once damaged."""

import concurrent.futures
import contextlib
import errno
import hashlib
import pathlib
import shutil
import threading

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from grfjax.io import atomic, run_folder
from grfjax.training import checkpointing, train_step, weight_files

TX = optax.adam(1e-3)


def _state(seed):
  key = jax.random.key(seed)
  params = {'conv': {'kernel': jax.random.normal(key, (7, 12)), 'bias': jnp.arange(12.0)}}
  return train_step.TrainState(jnp.int32(seed), params, TX.init(params))


def _extra(seed):
  return {'batches': {'next': seed}, 'sums': {'loss': [0.1 * seed, 3.0]}}


def _same(a, b):
  pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
  return all(np.asarray(x).tobytes() == np.asarray(y).tobytes() for x, y in pairs)


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
  """A run with checkpoints of steps 3 and 6."""
  run = tmp_path_factory.mktemp('saved')
  with contextlib.closing(checkpointing.Checkpoints(run)) as checkpoints:
    for seed in (1, 3, 6):
      checkpoints.save(seed, _state(seed), _extra(seed))
  return run


def _flip(data, at):
  return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


DAMAGE = {
  'cut in half': lambda data: data[: len(data) // 2],
  'emptied': lambda data: b'',
  'zeroed': lambda data: bytes(len(data)),  # as a file system may leave it after a power cut
  'a bit flipped early': lambda data: _flip(data, len(data) // 8),
  'a bit flipped late': lambda data: _flip(data, len(data) * 2 // 3),
  'missing': None,
  'an eighth too much': lambda data: data + data[: 1 + len(data) // 8],
}


@pytest.mark.parametrize('damage', DAMAGE)
def test_a_damaged_checkpoint_is_reported_and_the_one_before_used(saved, tmp_path, damage):
  """For each file of it."""
  newest = saved / 'checkpoints/6'
  names = [p.relative_to(saved) for p in [*newest.rglob('*'), newest.with_suffix('.sha256')]]
  names = [n for n in names if (saved / n).is_file()]
  assert len(names) > 7
  for name in names:
    data = (saved / name).read_bytes()
    if not data and damage != 'missing':
      continue
    run = tmp_path / name.name
    shutil.copytree(saved, run)
    if damage == 'missing':
      (run / name).unlink()
    else:
      (run / name).write_bytes(DAMAGE[damage](data))
    params, at, damaged = weight_files.restore_params(run)
    assert (at, _same(params, _state(3).params)) == (3, True), name
    # Without its digests a checkpoint was not finished: nobody needs to hear of it.
    unfinished = damage == 'missing' and name.suffix == '.sha256'
    assert [line.split(' is damaged (')[0] for line in damaged] == [
      str(run / 'checkpoints/6') for _ in range(not unfinished)
    ]
    state, extra, also = checkpointing.Checkpoints(run).restore(_state(0))
    assert (_same(state, _state(3)), extra, also) == (True, _extra(3), damaged), name
    assert sorted(p.name for p in (run / 'checkpoints').iterdir()) == ['3', '3.sha256']
    shutil.rmtree(run)


@pytest.mark.parametrize('left', ['an empty folder', 'nothing else'])
def test_an_empty_checkpoint_is_reported(saved, tmp_path, left):
  run = tmp_path / 'run'
  shutil.copytree(saved, run)
  for path in (run / 'checkpoints/6').iterdir():
    shutil.rmtree(path) if path.is_dir() else path.unlink()
  if left == 'an empty folder':
    assert weight_files.restore_params(run)[1] == 3
  else:
    shutil.rmtree(run / 'checkpoints/3')
    (run / 'checkpoints/3.sha256').unlink()
    for restore in (
      weight_files.restore_params,
      lambda r: checkpointing.Checkpoints(r).restore(None),
    ):
      with pytest.raises(
        checkpointing.CheckpointError, match=r'no usable .* left: .*/6 is damaged'
      ):
        restore(run)
    assert (run / 'checkpoints/6').exists()  # nothing goes where nothing is found


def test_a_reader_leaves_a_checkpoint_that_is_being_written_alone(saved, tmp_path):
  run = tmp_path / 'run'
  shutil.copytree(saved, run)
  being_written = run / 'checkpoints/9.orbax-checkpoint-tmp'
  being_written.mkdir()
  weight_files.restore_params(run)
  assert being_written.exists()
  checkpointing.Checkpoints(run)  # the run's own process, started again
  assert not being_written.exists()


@pytest.mark.parametrize(
  'noticed', ['at once', 'at the next save', 'in a later step', 'at the end']
)
def test_a_full_disk_leaves_the_checkpoints_before(saved, tmp_path, monkeypatch, noticed):
  run = tmp_path / 'run'
  shutil.copytree(saved, run)
  checkpoints = checkpointing.Checkpoints(run)

  class Response:
    def result(self):
      raise ValueError('RESOURCE_EXHAUSTED: writing [OS error 28: No space left on device]')

  def full(path, *args, **kwargs):
    (path.parent / f'{path.name}.orbax-checkpoint-tmp').mkdir()
    return Response().result() if noticed == 'at once' else Response()

  monkeypatch.setattr('orbax.checkpoint.v1.save_async', full)

  def save():
    checkpoints.save(9, _state(9), _extra(9))

  if noticed != 'at once':
    save()
  if noticed == 'in a later step':
    concurrent.futures.wait([checkpoints._written])
  look = {'at the end': checkpoints.close, 'in a later step': checkpoints.refuse_failure}
  with pytest.raises(OSError, match=r"No space left on device: '.*checkpoints/9'") as error:
    look.get(noticed, save)()
  assert error.value.errno == errno.ENOSPC
  assert sorted(p.name for p in (run / 'checkpoints').iterdir()) == [
    '3',
    '3.sha256',
    '6',
    '6.sha256',
  ]
  checkpoints.close()  # says it once
  assert _same(checkpoints.restore(_state(0))[0], _state(6))


def test_training_goes_on_while_a_checkpoint_is_written(tmp_path, monkeypatch):
  """Without its digests it is not there yet, and its error is not waited for."""
  go_on = threading.Event()
  sync = atomic.sync_to_disk
  monkeypatch.setattr(atomic, 'sync_to_disk', lambda path: go_on.wait(20) and sync(path))
  checkpoints = checkpointing.Checkpoints(tmp_path)
  checkpoints.save(1, _state(1), {})
  checkpoints.refuse_failure()
  assert checkpoints.latest() is None
  go_on.set()
  checkpoints.close()
  assert checkpoints.latest() == 1


def test_a_state_that_is_not_finite_is_not_saved(tmp_path):
  state = _state(1)
  state.params['conv']['bias'] = jnp.array([1.0, np.inf])
  with pytest.raises(checkpointing.NotFiniteError, match=r'1 arrays .*params.*bias'):
    checkpointing.Checkpoints(tmp_path).save(1, state, {})
  assert checkpointing.Checkpoints(tmp_path).latest() is None


def test_weights_to_hand_on_are_refused_once_damaged(tmp_path):
  weight_files.write_weights(tmp_path, {'a': {'kernel': np.arange(12.0), 'bias': np.ones(3)}}, 1)
  path = run_folder.RunFolder(tmp_path).weights
  data = path.read_bytes()
  for at in range(0, len(data), 7):
    path.write_bytes(_flip(data, at))
    with pytest.raises(checkpointing.CheckpointError, match=r'weights.npz is not what was written'):
      weight_files.restore_params(tmp_path)


@pytest.mark.parametrize('name', run_folder.BUNDLED)
def test_the_networks_that_come_along_have_their_digests(name):
  folder = run_folder.RunFolder.find(name).path
  written = (folder / 'weights.sha256').read_text()
  digest = hashlib.sha256((folder / 'weights.npz').read_bytes()).hexdigest()
  assert written == f'{digest}  weights.npz\n'


def test_weights_that_are_not_finite_are_refused(tmp_path):
  weight_files.write_weights(tmp_path, {'a': {'kernel': np.array([1.0, np.nan])}}, 1)
  with pytest.raises(checkpointing.CheckpointError, match='not finite'):
    weight_files.restore_params(pathlib.Path(tmp_path))
