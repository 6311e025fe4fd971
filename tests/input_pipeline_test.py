"""Tests of grfjax.data.input_pipeline: who is drawn, and that it can be done again."""

import contextlib
import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from grfjax import errors
from grfjax.data import (
  input_pipeline,
  label_index,
  voxel_dataset,
)
from grfjax.models import foot_target
from grfjax.training import device_batches, sharding

ROOT = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope='module')
def walker(data_dir):
  return voxel_dataset.Dataset(str(data_dir), 'walker')


@pytest.fixture(scope='module')
def everyone(walker):
  source = walker.source(walker.subjects)
  return source, label_index.index_labels(source, walker.config.own, 2)


def test_a_record_that_was_read_is_kept(everyone):
  source, _ = everyone
  read = []

  class Counting:
    def __len__(self):
      return len(source)

    def __getitem__(self, number):
      read.append(number)
      return source[number]

  cached = input_pipeline.CachedRecords(Counting(), 8)
  read.clear()
  assert len(cached) == len(source)
  assert cached[1] is cached[1]
  np.testing.assert_array_equal(cached[1]['voxel'], source[1]['voxel'])
  assert read == [1]


def stream(source, labels, **changes):
  settings = {'batch': 8, 'clip': 16, 'rebalance': 0.5, 'seed': 3}
  return input_pipeline.train_stream(source, labels, **{**settings, **changes})


def take(source, labels, count, **changes):
  return list(itertools.islice(iter(stream(source, labels, **changes)), count))


def check_equal(one, two):
  assert len(one) == len(two) > 0
  for a, b in zip(one, two, strict=True):
    assert a.keys() == b.keys()
    for key in a:
      np.testing.assert_array_equal(a[key], b[key], err_msg=key)


def test_a_batchs_shapes(everyone):
  (batch,) = take(*everyone, 1)
  assert batch['voxel'].shape == (8, 16, 96, 36, 2)
  assert batch['voxel'].dtype == np.uint8
  assert batch['force'].shape == (8, 16, 2, 3)
  assert batch['known'].shape == batch['contact'].shape == (8, 16, 2)
  assert batch['time_s'].shape == batch['frame'].shape == (8, 16)
  assert batch['subject'].shape == batch['trial'].shape == (8,)


def test_the_stream_is_a_function_of_the_seed(everyone):
  one, two, other = (take(*everyone, 4, seed=seed) for seed in (3, 3, 4))
  check_equal(one, two)
  assert any((a['frame'] != b['frame']).any() for a, b in zip(one, other, strict=True))


def test_the_stream_does_not_depend_on_who_reads(everyone):
  one, several = (take(*everyone, 12, workers=workers) for workers in (1, 5))
  check_equal(one, several)


def test_batches_wait_on_the_devices_and_the_state_is_of_those_taken(everyone):
  _, _, split = sharding.meshes()
  expected = take(*everyone, 9)
  with contextlib.closing(device_batches.ahead(stream(*everyone), split)) as batches:
    for k in range(4):
      names, batch = next(batches)
      assert input_pipeline.sample_names(names) == input_pipeline.sample_names(expected[k])
      assert all(value.sharding == split for value in batch.values())
      check_equal([batch], [{key: expected[k][key] for key in batch}])
    for _ in range(100):  # until the next ones have been put there
      if batches._buffer.full():
        break
      time.sleep(0.05)
    assert batches._buffer.qsize() == device_batches.DEPTH
    state = json.loads(json.dumps(batches.get_state()))
  plain = iter(stream(*everyone))
  for _ in range(4):
    next(plain)
  assert plain.get_state() == state  # so checkpoints of earlier versions are read
  more_keys = foot_target.LABELS  # of a target that asks for them, all that a record holds
  with contextlib.closing(device_batches.ahead(stream(*everyone), split, more_keys)) as resumed:
    next(resumed)  # wherever it was
    resumed.set_state(state)
    for k in range(4, 9):
      names, batch = next(resumed)
      check_equal([{**names, **batch}], [expected[k]])


def test_batches_differ(everyone):
  batches = take(*everyone, 6)
  starts = {tuple(b['frame'][:, 0].tolist()) for b in batches}
  assert len(starts) == 6


@pytest.mark.parametrize('after', [0, 1, 5])
def test_resumed_from_its_state_it_goes_on_the_same(everyone, after):
  iterator = iter(stream(*everyone))
  for _ in range(after):
    next(iterator)
  state = json.loads(json.dumps(iterator.get_state()))
  expected = list(itertools.islice(iterator, 4))
  resumed = iter(stream(*everyone))
  next(resumed)  # wherever it was
  resumed.set_state(state)
  check_equal(list(itertools.islice(resumed, 4)), expected)


@pytest.mark.parametrize('processes', [2, 4])
def test_processes_share_each_batch(everyone, processes):
  whole = take(*everyone, 3)
  parts = [take(*everyone, 3, process=p, processes=processes) for p in range(processes)]
  for k, batch in enumerate(whole):
    for key, value in batch.items():
      joined = np.concatenate([part[k][key] for part in parts])
      np.testing.assert_array_equal(joined, value, err_msg=key)


def test_a_batch_that_cannot_be_shared(everyone):
  with pytest.raises(errors.InputError, match='batch is 8, which 3 processes') as caught:
    stream(*everyone, processes=3)
  assert caught.value.code == 'config.batch'


def test_a_clip_holds_the_frame_that_was_drawn(everyone):
  # One frame long, a clip is the frame itself; the draw does not depend on the length.
  batches = [take(*everyone, 12, clip=clip) for clip in (1, 16, 96)]
  places = set()
  for one, some, all_ in zip(*batches, strict=True):
    for key in ('subject', 'trial'):
      np.testing.assert_array_equal(one[key], some[key])
    at = some['time_s'] == one['time_s']
    assert (at.sum(1) == 1).all()
    assert (all_['time_s'] == one['time_s']).any(1).all()
    assert (np.diff(some['frame']) >= 0)[(some['frame'] >= 0).all(1)].all()
    places |= set(at.argmax(1).tolist())
  assert len(places) == 16  # it may be anywhere in it


@pytest.mark.parametrize('clip', [0, 97])
def test_a_clip_longer_than_a_record(everyone, clip):
  message = f'clip is {clip} frames; a record holds 96'
  with pytest.raises(errors.InputError, match=message) as caught:
    take(*everyone, 1, clip=clip)
  assert caught.value.code == 'config.clip'


@pytest.mark.parametrize(
  ('holdout', 'inner', 'left'),
  [('A', '', 'BC'), ('B', 'A', 'C'), ('C', 'B', 'A'), ('', '', 'ABC'), ('', 'B', 'AC')],
)
@pytest.mark.parametrize('rebalance', [0, 1])
def test_the_ids_really_drawn(walker, holdout, inner, left, rebalance):
  names = walker.others(holdout, inner)
  assert names == tuple(left)
  source = walker.source(names)
  labels = label_index.index_labels(source, walker.config.own, 2)
  batches = take(source, labels, 25, rebalance=rebalance)
  drawn = {s.decode() for batch in batches for s in batch['subject'].tolist()}
  assert drawn == set(left)
  assert {t.decode()[0] for batch in batches for t in batch['trial'].tolist()} == set(left)


def test_the_held_out_subjects_files_are_not_opened(data_dir, tmp_path):
  shutil.copytree(data_dir, tmp_path, dirs_exist_ok=True)
  files = list(tmp_path.glob('walking_grf/walker/*/*-B.array_record*'))
  assert files
  for file in files:
    file.unlink()
  dataset = voxel_dataset.Dataset(str(tmp_path), 'walker')
  source = dataset.source(dataset.others('B'))
  assert take(source, label_index.index_labels(source, dataset.config.own, 2), 3)


@pytest.mark.parametrize('batch', [1, 4, 5, 100])
def test_evaluation_sees_every_record_once_in_order(walker, batch):
  source = walker.source(walker.subjects)
  seen = []
  for records, count in input_pipeline.eval_batches(source, batch):
    assert len(records['frame']) == batch
    for key, value in records.items():
      # Padded with its own last record.
      np.testing.assert_array_equal(
        value[count:], np.repeat(value[count - 1 : count], batch - count, 0), err_msg=key
      )
    seen.append({key: value[:count] for key, value in records.items()})
  expected = [source[i] for i in range(len(source))]
  for key in ('voxel', 'force', 'frame', 'trial'):
    got = np.concatenate([s[key] for s in seen])
    np.testing.assert_array_equal(got, np.stack([r[key] for r in expected]))


def test_reading_and_training_import_no_tensorflow(data_dir):
  code = f"""
import importlib, sys
from absl import flags
from grfjax import errors
from grfjax.data import input_pipeline, label_index, voxel_dataset
for name in ('train', 'evaluate', 'predict'):
  module = importlib.import_module('grfjax.' + name)
  for flag in flags.FLAGS.get_flags_for_module(module):  # the programs' flags share names
    delattr(flags.FLAGS, flag.name)
dataset = voxel_dataset.Dataset({str(data_dir)!r}, 'walker')
source = dataset.source(dataset.others('A'))
labels = label_index.index_labels(source, dataset.config.own, 2)
next(iter(input_pipeline.train_stream(source, labels, batch=2, clip=4, rebalance=0.5, seed=0)))
print(sorted(m for m in sys.modules if m.partition('.')[0] == 'tensorflow'))
"""
  done = subprocess.run(
    [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False
  )
  assert done.returncode == 0, done.stderr
  assert done.stdout.strip().splitlines()[-1] == '[]'
